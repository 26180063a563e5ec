//! The specification of the search for split units.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::locate::SearchRules;
use obit_corefile::limits::Limits;
use obit_corefile::testkit::elf_builder::ElfBuilder;

struct TestDirectory(TempDir);

impl TestDirectory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put_unit(&self, name: &str) -> PathBuf {
        self.put(name, ElfBuilder::x86_64().section(".debug_info.dwo", &[1; 16]))
    }

    fn put(&self, name: &str, builder: ElfBuilder) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, builder.build()).unwrap();
        path
    }

    fn find(&self, comp_dir: &str, name: &str) -> Result<PathBuf, Vec<PathBuf>> {
        self.find_by(SearchRules::default(), comp_dir, name)
    }

    fn find_by(
        &self,
        rules: SearchRules,
        comp_dir: &str,
        name: &str,
    ) -> Result<PathBuf, Vec<PathBuf>> {
        let prog = self.put("bin/prog", ElfBuilder::x86_64());
        let locator = Locator::new(rules, Limits::default());
        let image = locator.files.open(&prog, ChosenBy::Rule).unwrap();
        let unit =
            locator.split_unit(&DebugFiles::only(image), comp_dir.as_bytes(), name.as_bytes());
        unit.map(|unit| unit.path().unwrap().to_owned())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_unit_lies_below_its_compilation_directory() {
    let place = TestDirectory::new();
    let unit = place.put_unit("build/obj/a.dwo");
    assert_eq!(place.find(text(&place.at("build")), "obj/a.dwo"), Ok(unit));
}

#[test]
fn an_absolute_name_is_followed_to_a_dwo_file() {
    let place = TestDirectory::new();
    let unit = place.put_unit("elsewhere/a.dwo");
    assert_eq!(place.find("/nowhere", text(&unit)), Ok(unit));
    let other = place.put_unit("elsewhere/secret");
    assert!(place.find("/", text(&other)).is_err());
}

#[test]
fn a_moved_unit_is_found_beside_the_image() {
    let place = TestDirectory::new();
    let unit = place.put_unit("bin/a.dwo");
    assert_eq!(place.find("/nowhere", "obj/a.dwo"), Ok(unit.clone()));
    assert_eq!(place.find(".", "a.dwo"), Ok(unit.clone()));
    assert_eq!(place.find("", "/gone/a.dwo"), Ok(unit));
    let below = place.put_unit("bin/obj/b.dwo");
    assert_eq!(place.find("./obj", "b.dwo"), Ok(below));
}

#[test]
fn a_substitution_applies_to_the_compilation_directory() {
    let place = TestDirectory::new();
    let unit = place.put_unit("here/obj/a.dwo");
    let rule = (PathBuf::from("/build"), place.at("here"));
    let rules = SearchRules { substitute_path: vec![rule], ..SearchRules::default() };
    assert_eq!(place.find_by(rules, "/build", "obj/a.dwo"), Ok(unit));
}

#[test]
fn a_climbing_name_reaches_only_what_compilers_call_so() {
    let place = TestDirectory::new();
    place.put_unit("secret");
    let unit = place.put_unit("out/a.dwo");
    let build = place.at("build");
    assert!(place.find(text(&build), "../secret").is_err());
    assert!(place.find("bin", "../../secret").is_err());
    assert_eq!(place.find(text(&build), "../out/a.dwo"), Ok(unit));
}

#[test]
fn devices_and_other_elf_files_are_no_units() {
    let place = TestDirectory::new();
    assert!(place.find("/", "/dev/zero").is_err());
    let searched = place.find(".", "prog").unwrap_err();
    assert!(searched.contains(&place.at("bin/prog")));
}
