use super::*;
use crate::SourceContent;
use crate::locate::SearchRules;
use obit_corefile::elf::ImageBytes;
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::MappedFile;
use obit_corefile::testkit::elf_builder::ElfBuilder;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

/// Where the crashed process had its program.
const PROGRAM: &str = "/bin/prog";

fn at(file: &str) -> SourceLocation {
    SourceLocation {
        file: file.to_owned(),
        directory: None,
        line: Some(1),
        column: None,
        content: SourceContent::default(),
    }
}

fn locator(change: impl FnOnce(&mut SearchRules)) -> Locator {
    let mut rules = SearchRules::default();
    change(&mut rules);
    Locator::new(rules, Limits::default())
}

fn first_line(found: &FoundSource) -> Option<String> {
    let line = found.text.as_ref()?.line(1)?;
    Some(String::from_utf8_lossy(line).into_owned())
}

/// A directory with `content` in the file `path` of it.
fn tree(path: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    (root, path)
}

#[test]
fn a_file_is_found_by_its_own_path() {
    let (_root, path) = tree("src/a.c", "one\ntwo\n");
    let found = locator(|_| {}).source(&at(path.to_str().unwrap()), None, PROGRAM.as_ref(), None);
    assert_eq!(first_line(&found).as_deref(), Some("one"));
    assert_eq!(found.path, Some(path));
}

#[test]
fn rules_of_the_user_lead_to_copies() {
    let (root, _) = tree("copy/lib/a.c", "copy\n");
    let copy = root.path().join("copy");
    let substituted =
        locator(|rules| rules.substitute_path = vec![("/build".into(), copy.clone())]);
    assert_eq!(
        first_line(&substituted.source(&at("/build/lib/a.c"), None, PROGRAM.as_ref(), None))
            .unwrap(),
        "copy"
    );
    let directory = locator(|rules| rules.source_path = vec![copy.clone()]);
    let found = directory.source(&at("/somewhere/else/lib/a.c"), None, PROGRAM.as_ref(), None);
    assert_eq!(first_line(&found).unwrap(), "copy");
    let beside = locator(|rules| rules.core_directory = Some(copy.join("lib")));
    assert_eq!(
        first_line(&beside.source(&at("/somewhere/a.c"), None, PROGRAM.as_ref(), None)).unwrap(),
        "copy"
    );
    let sysroot = locator(|rules| rules.sysroot = Some(root.path().to_owned()));
    assert_eq!(
        first_line(&sysroot.source(&at("/copy/lib/a.c"), None, PROGRAM.as_ref(), None)).unwrap(),
        "copy"
    );
}

#[test]
fn the_longest_end_of_a_path_wins() {
    let (root, _) = tree("net/main.c", "net\n");
    fs::write(root.path().join("main.c"), "other\n").unwrap();
    let locator = locator(|rules| rules.source_path = vec![root.path().to_owned()]);
    assert_eq!(
        first_line(&locator.source(&at("/b/net/main.c"), None, PROGRAM.as_ref(), None)).unwrap(),
        "net"
    );
    assert_eq!(
        first_line(&locator.source(&at("/b/web/main.c"), None, PROGRAM.as_ref(), None)).unwrap(),
        "other"
    );
}

#[test]
fn a_text_within_the_debug_information_needs_no_file() {
    let mut location = at("/nowhere/a.c");
    location.content.embedded = Some(Arc::from(&b"embedded"[..]));
    let found = locator(|_| {}).source(&location, None, PROGRAM.as_ref(), None);
    assert_eq!((first_line(&found).unwrap().as_str(), found.path), ("embedded", None));
}

#[test]
fn another_md5_is_shown_with_a_doubt_and_the_right_one_is_preferred() {
    let (root, path) = tree("a.c", "changed\n");
    let mut location = at(path.to_str().unwrap());
    location.content.md5 = Some(md5_of(b"compiled\n"));
    let found = locator(|_| {}).source(&location, None, PROGRAM.as_ref(), None);
    assert_eq!(first_line(&found).unwrap(), "changed");
    assert!(matches!(found.doubt, Some(Notice::SourceDiffers { .. })), "{found:?}");
    let right = root.path().join("right");
    fs::create_dir(&right).unwrap();
    fs::write(right.join("a.c"), "compiled\n").unwrap();
    let found = locator(|rules| rules.core_directory = Some(right)).source(
        &location,
        None,
        PROGRAM.as_ref(),
        None,
    );
    assert_eq!((first_line(&found).unwrap().as_str(), found.doubt), ("compiled", None));
}

#[test]
fn a_file_that_is_newer_than_its_program_is_doubted() {
    let (root, path) = tree("a.c", "x\n");
    let program = program_in(root.path());
    let source = at(path.to_str().unwrap());
    let doubt = || {
        let image = image(&program);
        locator(|_| {}).source(&source, Some(&image), &program, None).doubt
    };
    assert_eq!(doubt(), None);
    let past = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&program).unwrap().set_modified(past).unwrap();
    let doubt = doubt();
    assert!(matches!(doubt, Some(Notice::SourceNewer { .. })), "{doubt:?}");
}

/// A program that is in `directory`.
fn program_in(directory: &Path) -> PathBuf {
    let program = directory.join("prog");
    fs::write(&program, ElfBuilder::x86_64().build()).unwrap();
    program
}

fn image(path: &Path) -> ElfImage {
    let file = MappedFile::open(path).unwrap();
    ElfImage::parse(ImageBytes::File(file), &Limits::default()).unwrap()
}

#[test]
fn a_private_source_is_shown_for_a_build_that_is_known_to_be_made_of_it() {
    let (root, path) = tree("keys.h", "secret\n");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let program = program_in(root.path());
    let image = image(&program);
    let mut location = at(path.to_str().unwrap());
    let shown = |location: &SourceLocation, module_path: &Path| {
        let found = locator(|_| {}).source(location, Some(&image), module_path, None);
        (first_line(&found), found.notices)
    };
    let text = Some("secret".to_owned());
    assert_eq!(shown(&location, &program).0, text, "built where it was found");
    let (hidden, notices) = shown(&location, Path::new("/elsewhere/prog"));
    assert_eq!(hidden, None);
    assert!(matches!(&notices[..], [Notice::FileRefused { .. }]), "{notices:?}");
    location.content.md5 = Some(md5_of(b"guessed\n"));
    assert_eq!(shown(&location, Path::new("/elsewhere/prog")).0, None);
    location.content.md5 = Some(md5_of(b"secret\n"));
    assert_eq!(shown(&location, Path::new("/elsewhere/prog")).0, text, "the content is known");
    let by_user = locator(|rules| rules.source_path = vec![root.path().to_owned()]);
    let found = by_user.source(&at("/elsewhere/keys.h"), None, PROGRAM.as_ref(), None);
    assert_eq!(first_line(&found), text, "the user led there");
}

#[test]
fn only_what_is_called_as_sources_are_is_read_where_debug_information_leads() {
    let (directory, secret) = tree("secret", "hunter2");
    assert_eq!(found_by_itself(&secret), None);
    let link = directory.path().join("innocent.c");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    assert_eq!(found_by_itself(&link), None, "links are followed before they are judged");
}

fn found_by_itself(path: &Path) -> Option<String> {
    first_line(&locator(|_| {}).source(&at(path.to_str().unwrap()), None, PROGRAM.as_ref(), None))
}

#[test]
fn devices_secrets_huge_and_empty_files_are_no_sources() {
    let (root, path) = tree("secret", "password\n");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let huge = root.path().join("huge.c");
    File::create(&huge).unwrap().set_len(crate::locate::source_text::LARGEST + 1).unwrap();
    let locator = locator(|_| {});
    let huge = huge.to_str().unwrap();
    for name in [path.to_str().unwrap(), huge, "/dev/zero", "/proc/self/maps", "a\u{1b}.c", ""] {
        assert!(locator.source(&at(name), None, PROGRAM.as_ref(), None).text.is_none(), "{name}");
    }
}

#[test]
fn a_relative_name_does_not_climb_out_of_the_directory_of_sources() {
    let (root, _) = tree("a.c", "outside\n");
    let inside = root.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let locator = locator(|rules| rules.source_path = vec![inside]);
    assert!(locator.source(&at("../a.c"), None, PROGRAM.as_ref(), None).text.is_none());
}

#[test]
fn lines_are_counted_from_one_and_cut_where_they_are_long() {
    let text = SourceText::new([b"a\r\n\n".to_vec(), vec![b'x'; 5000]].concat());
    assert_eq!(text.line(0), None);
    assert_eq!(text.line(1), Some(&b"a"[..]));
    assert_eq!(text.line(2), Some(&b""[..]));
    assert_eq!(text.line(3).map(<[u8]>::len), Some(crate::locate::source_text::LINE_BYTES));
    assert_eq!(text.line(4), None);
    assert_eq!(SourceText::new(b"a\n".to_vec()).line(2), None);
    assert_eq!(SourceText::new(Vec::new()).line(1), None);
    assert_eq!(SourceText::new(b"a".to_vec()).line(0), None);
}

#[test]
fn each_line_of_a_large_file_is_found() {
    let lines: Vec<String> =
        (0..5000_usize).map(|number| format!("{number}{}", "x".repeat(number % 91))).collect();
    for text in [lines.join("\n"), lines.join("\n") + "\n", lines.join("\n\n\n\n")] {
        let found = SourceText::new(text.clone().into_bytes());
        for (number, line) in (1..).zip(text.lines()) {
            assert_eq!(found.line(number), Some(line.as_bytes()), "{number}");
        }
        assert_eq!(found.line(text.lines().count() as u32 + 1), None);
    }
}
