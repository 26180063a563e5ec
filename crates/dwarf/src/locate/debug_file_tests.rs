//! The specification of the search for debug files, dwz files and packages.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::locate::SearchRules;
use obit_corefile::elf::ImageBytes;
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::MappedFile;
use obit_corefile::testkit::elf_builder::ElfBuilder;

/// A directory with `prog` in `bin` and a root of debug files in `debug`.
struct TestDirectory(TempDir);

impl TestDirectory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn rules(&self) -> SearchRules {
        SearchRules { debug_directories: vec![self.at("debug")], ..SearchRules::default() }
    }

    /// What is found for `prog`, which is put into `bin`.
    fn files_of(&self, prog: ElfBuilder) -> (DebugFiles, Vec<Notice>) {
        self.files_by(self.rules(), prog)
    }

    fn files_by(&self, rules: SearchRules, prog: ElfBuilder) -> (DebugFiles, Vec<Notice>) {
        let path = self.put("bin/prog", &prog.build());
        let file = ImageBytes::File(MappedFile::open(&path).unwrap());
        let image = Arc::new(ElfImage::parse(file, &Limits::default()).unwrap());
        Locator::new(rules, Limits::default()).debug_files(&image, &path)
    }
}

fn stripped() -> ElfBuilder {
    ElfBuilder::x86_64().text(b"\xc3")
}

fn dwarf() -> ElfBuilder {
    ElfBuilder::x86_64().text_without_bytes().section(".debug_info", &[1; 16])
}

fn by_id(byte: u8) -> String {
    format!("debug/.build-id/{byte:02x}/{}.debug", format!("{byte:02x}").repeat(19))
}

fn debug_path(files: &DebugFiles) -> Option<&Path> {
    files.debug.as_ref().and_then(|debug| debug.path())
}

fn alternate_path(files: &DebugFiles) -> Option<&Path> {
    files.alternate.as_ref().and_then(|alternate| alternate.path())
}

fn refusals(notices: &[Notice]) -> usize {
    notices.iter().filter(|notice| matches!(notice, Notice::FileRefused { .. })).count()
}

#[test]
fn an_image_with_its_own_dwarf_needs_no_other_file() {
    let place = TestDirectory::new();
    place.put(&by_id(1), &dwarf().build_id(&[1; 20]).build());
    let own = stripped().build_id(&[1; 20]).section(".zdebug_info", &[1; 16]);
    let (files, notices) = place.files_of(own);
    assert!(files.debug.is_none());
    assert!(Arc::ptr_eq(files.with_dwarf().unwrap(), &files.image));
    assert_eq!(notices, []);
}

#[test]
fn a_debug_file_is_found_by_build_id() {
    let place = TestDirectory::new();
    let debug = place.put(&by_id(1), &dwarf().build_id(&[1; 20]).build());
    let (files, notices) = place.files_of(stripped().build_id(&[1; 20]));
    assert_eq!(debug_path(&files), Some(debug.as_path()));
    assert_eq!(notices, []);
}

#[test]
fn below_a_sysroot_the_debug_directory_is_looked_into_first() {
    let place = TestDirectory::new();
    let debug = dwarf().build_id(&[1; 20]).build();
    place.put(&by_id(1), &debug);
    let root = place.at("root");
    let inside = names::under(&root, &place.at(&by_id(1)));
    fs::create_dir_all(inside.parent().unwrap()).unwrap();
    fs::write(&inside, &debug).unwrap();
    let rules = SearchRules { sysroot: Some(root), ..place.rules() };
    let (files, _) = place.files_by(rules, stripped().build_id(&[1; 20]));
    assert_eq!(debug_path(&files), Some(inside.as_path()));
}

#[test]
fn a_build_id_link_to_another_build_is_refused_with_both_ids() {
    let place = TestDirectory::new();
    place.put(&by_id(1), &dwarf().build_id(&[2; 20]).build());
    let (files, notices) = place.files_of(stripped().build_id(&[1; 20]));
    assert!(files.debug.is_none());
    let problem = notices.iter().find_map(|notice| match notice {
        Notice::DebugFileMismatch { problem, .. } => Some(problem),
        _ => None,
    });
    assert!(problem.is_some_and(|p| p.contains("0101") && p.contains("0202")));
}

#[test]
fn a_debug_link_is_followed_beside_the_image_in_dot_debug_and_below_the_debug_root() {
    let debug = dwarf().build();
    let link = stripped().debug_link(b"prog.debug", crc32(&debug));
    let bin = |place: &TestDirectory| format!("debug{}", place.at("bin/prog.debug").display());
    for name in [
        |_: &TestDirectory| "bin/prog.debug".to_owned(),
        |_: &TestDirectory| "bin/.debug/prog.debug".to_owned(),
        bin,
        |_: &TestDirectory| "debug/prog.debug".to_owned(),
    ] {
        let place = TestDirectory::new();
        let at = place.put(&name(&place), &debug);
        let (files, notices) = place.files_of(link.clone());
        assert_eq!(debug_path(&files), Some(at.as_path()));
        assert_eq!(notices, []);
    }
}

#[test]
fn a_link_may_name_a_directory_below_but_nothing_above_or_absolute() {
    let debug = dwarf().build();
    let place = TestDirectory::new();
    let at = place.put("bin/sub/prog.debug", &debug);
    let outside = place.put("prog.debug", &debug);
    let link = |name: &[u8]| place.files_of(stripped().debug_link(name, crc32(&debug)));
    assert_eq!(debug_path(&link(b"sub/prog.debug").0), Some(at.as_path()));
    for name in [&b"../prog.debug"[..], outside.as_os_str().as_encoded_bytes()] {
        let (files, notices) = link(name);
        assert!(files.debug.is_none());
        assert_eq!(refusals(&notices), 1);
    }
}

#[test]
fn a_wrong_checksum_is_refused_with_both() {
    let place = TestDirectory::new();
    place.put("bin/prog.debug", &dwarf().build());
    let (files, notices) = place.files_of(stripped().debug_link(b"prog.debug", 0x1234));
    assert!(files.debug.is_none());
    let problem = notices.iter().find_map(|notice| match notice {
        Notice::DebugFileMismatch { problem, .. } => Some(problem),
        _ => None,
    });
    assert!(problem.is_some_and(|problem| problem.contains("00001234")));
}

#[test]
fn equal_build_ids_make_the_checksum_unimportant() {
    let place = TestDirectory::new();
    let at = place.put("bin/prog.debug", &dwarf().build_id(&[1; 20]).build());
    let prog = stripped().build_id(&[1; 20]).debug_link(b"prog.debug", 0x1234);
    assert_eq!(debug_path(&place.files_of(prog).0), Some(at.as_path()));
}

#[test]
fn a_link_to_the_image_itself_leads_nowhere() {
    let place = TestDirectory::new();
    let (files, _) = place.files_of(stripped().build_id(&[1; 20]).debug_link(b"prog", 7));
    assert!(files.debug.is_none());
}

#[test]
fn the_checksum_is_zlibs() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn an_unstripped_build_in_the_users_library_directory_serves_as_debug_file() {
    let place = TestDirectory::new();
    let full = stripped().section(".debug_info", &[1; 16]).build_id(&[1; 20]);
    let at = place.put("builds/prog", &full.build());
    let rules = SearchRules { solib_search_path: vec![place.at("builds")], ..place.rules() };
    let (files, notices) = place.files_by(rules, stripped().build_id(&[1; 20]));
    assert_eq!(debug_path(&files), Some(at.as_path()));
    assert_eq!(notices, []);
}

#[test]
fn a_dwz_file_is_found_beside_below_a_debug_root_and_by_build_id() {
    let dwz = dwarf().build_id(&[9; 20]).build();
    let with_link = |name: &[u8]| dwarf().build_id(&[1; 20]).alt_link(name, &[9; 20]);
    let place = TestDirectory::new();
    let at = place.put("bin/common.dwz", &dwz);
    assert_eq!(alternate_path(&place.files_of(with_link(b"common.dwz")).0), Some(at.as_path()));

    let place = TestDirectory::new();
    let at = place.put("debug/.dwz/x", &dwz);
    let absolute = with_link(at.as_os_str().as_encoded_bytes());
    assert_eq!(alternate_path(&place.files_of(absolute).0), Some(at.as_path()));
    place.put(&by_id(1), &with_link(b"../../.dwz/x").build());
    let (files, _) = place.files_of(stripped().build_id(&[1; 20]));
    assert_eq!(alternate_path(&files), Some(at.as_path()));

    let place = TestDirectory::new();
    let at = place.put(&by_id(9), &dwz);
    let (files, notices) = place.files_of(with_link(b"gone.dwz"));
    assert_eq!(alternate_path(&files), Some(at.as_path()));
    assert_eq!(notices, []);
}

/// Debian's link is absolute; in a private directory of debug files the same is below it.
#[test]
fn a_dwz_file_of_an_architecture_is_found_below_every_debug_root() {
    let dwz = dwarf().build_id(&[9; 20]).build();
    let with_link = |name: &[u8]| dwarf().build_id(&[1; 20]).alt_link(name, &[9; 20]);
    let place = TestDirectory::new();
    let at = place.put("debug/.dwz/x86_64-linux-gnu/both.debug", &dwz);
    let link = b"/usr/lib/debug/.dwz/x86_64-linux-gnu/both.debug";
    assert_eq!(alternate_path(&place.files_of(with_link(link)).0), Some(at.as_path()));
    let climbing = with_link(b"/usr/lib/debug/.dwz/../.dwz/x86_64-linux-gnu/both.debug");
    assert_eq!(alternate_path(&place.files_of(climbing).0), None);
}

#[test]
fn a_dwz_link_that_leads_out_of_the_roots_is_refused() {
    let place = TestDirectory::new();
    let outside = place.put("secret", &dwarf().build_id(&[9; 20]).build());
    for name in [&b"../secret"[..], outside.as_os_str().as_encoded_bytes(), b"/dev/zero"] {
        let (files, notices) = place.files_of(dwarf().alt_link(name, &[9; 20]));
        assert!(files.alternate.is_none());
        assert_eq!(refusals(&notices), 1, "{notices:?}");
        assert!(notices.iter().any(|n| matches!(n, Notice::DebugPartMissing { .. })));
    }
}

#[test]
fn a_dwz_file_of_another_build_or_the_file_itself_is_refused() {
    let place = TestDirectory::new();
    place.put("bin/common.dwz", &dwarf().build_id(&[8; 20]).build());
    let prog = dwarf().build_id(&[1; 20]);
    let (files, _) = place.files_of(prog.clone().alt_link(b"common.dwz", &[9; 20]));
    assert!(files.alternate.is_none());
    let (files, _) = place.files_of(prog.alt_link(b"prog", &[1; 20]));
    assert!(files.alternate.is_none());
}

#[test]
fn a_package_is_found_behind_the_images_name() {
    let place = TestDirectory::new();
    let package = ElfBuilder::x86_64().section(".debug_cu_index", &[1; 16]).build();
    let at = place.put("bin/prog.dwp", &package);
    let (files, _) = place.files_of(dwarf());
    assert_eq!(files.package.unwrap().path(), Some(at.as_path()));
}

#[test]
fn a_stripped_image_without_any_debug_file_says_where_it_looked() {
    let place = TestDirectory::new();
    let (files, notices) = place.files_of(stripped().build_id(&[1; 20]));
    assert!(files.with_dwarf().is_none());
    let [Notice::DebugInfoMissing { searched, .. }] = &notices[..] else { panic!() };
    assert_eq!(searched, &[place.at(&by_id(1))]);
}
