//! The specification of the search for images.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::locate::SearchRules;
use obit_corefile::limits::Limits;
use obit_corefile::testkit::elf_builder::ElfBuilder;

fn id(byte: u8) -> BuildId {
    BuildId::new(&[byte; 20]).unwrap()
}

fn put(path: &Path, builder: ElfBuilder) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, builder.build()).unwrap();
    path.to_owned()
}

fn image(byte: u8) -> ElfBuilder {
    ElfBuilder::x86_64().text(b"\xc3").build_id(&[byte; 20])
}

fn dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn locator(rules: SearchRules) -> Locator {
    Locator::new(rules, Limits::default())
}

/// Rules that find nothing by themselves.
fn bare() -> SearchRules {
    SearchRules { debug_directories: Vec::new(), ..SearchRules::default() }
}

fn path_of(found: &FoundImage) -> Option<&Path> {
    found.image.as_ref().and_then(|image| image.path())
}

#[test]
fn a_module_is_found_where_the_process_had_it() {
    let dir = dir();
    let path = put(&dir.path().join("libx.so"), image(1));
    let found = locator(bare()).image(&path, Some(&id(1)), Role::Shared);
    assert_eq!(found.state, ImageState::Found);
    assert_eq!(path_of(&found), Some(path.as_path()));
    assert_eq!(found.notices, []);
}

#[test]
fn a_file_of_another_build_is_never_used_and_both_ids_are_named() {
    let dir = dir();
    let path = put(&dir.path().join("libx.so"), image(2));
    let found = locator(bare()).image(&path, Some(&id(1)), Role::Shared);
    assert_eq!(found.state, ImageState::Mismatch);
    assert!(found.image.is_none());
    let Notice::ModuleMismatch { wanted, found, at, .. } = &found.notices[0] else { panic!() };
    assert_eq!((wanted, found), (&id(1).to_string(), &id(2).to_string()));
    assert_eq!(at, &path);
}

#[test]
fn a_mismatch_is_forgotten_when_the_right_file_is_found_further_on() {
    let dir = dir();
    let path = put(&dir.path().join("lib/libx.so"), image(2));
    let right = put(&dir.path().join("builds/libx.so"), image(1));
    let rules = SearchRules { solib_search_path: vec![dir.path().join("builds")], ..bare() };
    let found = locator(rules).image(&path, Some(&id(1)), Role::Shared);
    assert_eq!(path_of(&found), Some(right.as_path()));
    assert_eq!(found.notices, []);
}

#[test]
fn without_an_id_in_the_core_the_name_must_do_and_that_is_said() {
    let dir = dir();
    let path = put(&dir.path().join("prog"), image(1));
    let found = locator(bare()).image(&path, None, Role::Executable);
    assert_eq!(found.state, ImageState::Unverified);
    let module = path.display().to_string();
    assert_eq!(found.notices, [Notice::ModuleUnverified { path: module, at: path }]);
}

#[test]
fn a_missing_module_says_everywhere_it_was_looked_for() {
    let rules = SearchRules {
        solib_search_path: vec!["/nowhere/libs".into()],
        debug_directories: vec!["/nowhere/debug".into()],
        core_directory: Some("/nowhere/cores".into()),
        ..bare()
    };
    let found = locator(rules).image(Path::new("/nowhere/libx.so"), Some(&id(0xab)), Role::Shared);
    assert_eq!(found.state, ImageState::Missing);
    let [Notice::ModuleMissing { searched, .. }] = &found.notices[..] else { panic!() };
    let by_id = format!("/nowhere/debug/.build-id/ab/{}", "ab".repeat(19));
    let expected = [
        "/nowhere/libx.so",
        "/nowhere/libs/nowhere/libx.so",
        "/nowhere/libs/libx.so",
        &by_id,
        "/nowhere/cores/libx.so",
    ];
    assert_eq!(searched, &expected.map(PathBuf::from));
}

#[test]
fn with_a_sysroot_the_paths_of_this_machine_count_only_for_the_very_build() {
    let dir = dir();
    let host = put(&dir.path().join("host/libx.so"), image(1));
    let root = dir.path().join("root");
    let rules = SearchRules { sysroot: Some(root.clone()), ..bare() };
    let locator = locator(rules);
    let found = locator.image(&host, Some(&id(1)), Role::Shared);
    assert_eq!(path_of(&found), Some(host.as_path()));
    for other in [Some(&id(3)), None] {
        let found = locator.image(&host, other, Role::Shared);
        assert_eq!(found.state, ImageState::Missing, "{other:?}");
    }
    let inside = put(&names::under(&root, Path::new("/usr/lib/liby.so")), image(2));
    let found = locator.image(Path::new("/usr/lib/liby.so"), Some(&id(2)), Role::Shared);
    assert_eq!(path_of(&found), Some(inside.as_path()));
}

#[test]
fn a_sysroot_of_slash_is_no_sysroot() {
    let dir = dir();
    let path = put(&dir.path().join("prog"), image(1));
    let rules = SearchRules { sysroot: Some("/".into()), ..bare() };
    let found = locator(rules).image(&path, Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&found), Some(path.as_path()));
}

#[test]
fn a_build_id_link_leads_to_a_file_of_any_name() {
    let dir = dir();
    let link = dir.path().join(format!(".build-id/01/{}", "01".repeat(19)));
    put(&link, image(1));
    let rules = SearchRules { debug_directories: vec![dir.path().to_owned()], ..bare() };
    let found = locator(rules).image(Path::new("/nowhere/prog"), Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&found), Some(link.as_path()));
}

#[test]
fn the_given_executable_comes_first_and_only_for_the_executable() {
    let dir = dir();
    let given = put(&dir.path().join("mine"), image(1));
    let there = put(&dir.path().join("prog"), image(1));
    let locator = locator(SearchRules { executable: Some(given.clone()), ..bare() });
    let executable = locator.image(&there, Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&executable), Some(given.as_path()));
    let shared = locator.image(&there, Some(&id(1)), Role::Shared);
    assert_eq!(path_of(&shared), Some(there.as_path()));
}

#[test]
fn a_wrong_executable_is_refused_aloud_and_the_search_goes_on() {
    let dir = dir();
    let given = put(&dir.path().join("mine"), image(2));
    let there = put(&dir.path().join("prog"), image(1));
    let locator = locator(SearchRules { executable: Some(given.clone()), ..bare() });
    let found = locator.image(&there, Some(&id(1)), Role::Executable);
    assert_eq!(found.state, ImageState::Found);
    let [Notice::ExecutableMismatch { at, wanted, found }] = &found.notices[..] else { panic!() };
    assert_eq!(at, &given);
    assert_eq!((wanted, found), (&id(1).to_string(), &id(2).to_string()));
}

#[test]
fn a_wrong_executable_is_used_only_by_force_and_then_never_as_if_it_were_the_right_one() {
    let dir = dir();
    let given = put(&dir.path().join("mine"), image(2));
    let there = put(&dir.path().join("prog"), image(1));
    let rules = SearchRules { executable: Some(given.clone()), ..bare() };
    let locator = locator(SearchRules { force_executable: true, ..rules });
    let found = locator.image(&there, Some(&id(1)), Role::Executable);
    assert_eq!((path_of(&found), found.state), (Some(given.as_path()), ImageState::Forced));
    let [Notice::ExecutableForced { wanted, found, .. }] = &found.notices[..] else { panic!() };
    assert_eq!((wanted, found), (&id(1).to_string(), &id(2).to_string()));
    let shared = locator.image(&there, Some(&id(1)), Role::Shared);
    assert_eq!(shared.state, ImageState::Found);
}

#[test]
fn a_debug_file_given_as_executable_serves_as_debug_file_only() {
    let dir = dir();
    let debug = ElfBuilder::x86_64().text_without_bytes().build_id(&[1; 20]);
    let given = put(&dir.path().join("prog.debug"), debug.section(".debug_info", &[1; 8]));
    let there = put(&dir.path().join("prog"), image(1));
    let locator = locator(SearchRules { executable: Some(given.clone()), ..bare() });
    let found = locator.image(&there, Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&found), Some(there.as_path()));
    assert_eq!(found.debug_only.unwrap().path(), Some(given.as_path()));
    let (files, notices) = locator.debug_files(&found.image.unwrap(), &there);
    assert_eq!(files.debug.unwrap().path(), Some(given.as_path()));
    assert_eq!(notices, []);
}

#[test]
fn the_mark_of_a_deleted_file_is_not_part_of_its_name() {
    let dir = dir();
    let path = put(&dir.path().join("prog"), image(1));
    let deleted = names::with_suffix(&path, " (deleted)");
    let found = locator(bare()).image(&deleted, Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&found), Some(path.as_path()));
}

#[test]
fn dots_in_a_loaders_path_are_worked_out_but_never_above_the_root() {
    let dir = dir();
    let path = put(&dir.path().join("lib/libx.so"), image(1));
    let locator = locator(bare());
    let by_origin = dir.path().join("bin/../lib/libx.so");
    let found = locator.image(&by_origin, Some(&id(1)), Role::Shared);
    assert_eq!(path_of(&found), Some(path.as_path()));
    let climbing = PathBuf::from(format!("/mnt{}{}", "/..".repeat(30), path.display()));
    let found = locator.image(&climbing, None, Role::Shared);
    assert_eq!(found.state, ImageState::Missing);
    assert!(matches!(&found.notices[0], Notice::FileRefused { .. }));
}

#[test]
fn devices_kernel_files_and_relative_names_of_the_core_are_not_opened() {
    let locator = locator(bare());
    for name in ["/dev/zero", "/proc/self/mem", "/proc/self/root/bin/sh", "/usr/../dev/stdin"] {
        let found = locator.image(Path::new(name), None, Role::Shared);
        assert_eq!(found.state, ImageState::Missing, "{name}");
        let Notice::FileRefused { reason, .. } = &found.notices[0] else { panic!() };
        assert_eq!(reason, "belongs to the kernel");
    }
    let found = locator.image(Path::new("Cargo.toml"), None, Role::Shared);
    let [Notice::ModuleMissing { searched, .. }] = &found.notices[..] else { panic!() };
    assert!(searched.is_empty());
}

#[test]
fn a_private_file_that_the_core_names_is_refused() {
    let dir = dir();
    let path = put(&dir.path().join("shadow"), image(1));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let found = locator(bare()).image(&path, None, Role::Shared);
    assert_eq!(found.state, ImageState::Missing);
}

#[test]
fn beside_the_core_is_looked_last() {
    let dir = dir();
    let path = put(&dir.path().join("prog"), image(1));
    let rules = SearchRules { core_directory: Some(dir.path().to_owned()), ..bare() };
    let found = locator(rules).image(Path::new("./prog"), Some(&id(1)), Role::Executable);
    assert_eq!(path_of(&found), Some(path.as_path()));
}

#[test]
fn a_substitution_leads_to_the_image() {
    let dir = dir();
    let path = put(&dir.path().join("lib/libx.so"), image(1));
    let rule = (PathBuf::from("/build"), dir.path().to_owned());
    let rules = SearchRules { substitute_path: vec![rule], ..bare() };
    let found = locator(rules).image(Path::new("/build/lib/libx.so"), Some(&id(1)), Role::Shared);
    assert_eq!(path_of(&found), Some(path.as_path()));
}

#[test]
fn asked_twice_it_searches_once() {
    let dir = dir();
    let path = dir.path().join("libx.so");
    let locator = locator(bare());
    assert_eq!(locator.image(&path, Some(&id(1)), Role::Shared).state, ImageState::Missing);
    put(&path, image(1));
    assert_eq!(locator.image(&path, Some(&id(1)), Role::Shared).state, ImageState::Missing);
}
