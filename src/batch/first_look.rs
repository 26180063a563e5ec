//! What a file is at first sight, before anybody reads it as a core.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::code::Code;
use super::walk::{FoundFile, NotRead};
use obit_corefile::archive::ArchiveFormat;
use obit_corefile::dump::Container;
use obit_corefile::mapped_file::open_regular;

/// Bytes that are looked at.
const HEAD: u64 = 512;
/// `e_type` of a core.
const ET_CORE: u16 = 4;

/// What a file is at first sight.
#[derive(Debug)]
pub enum FirstLook {
    /// To be read.
    Core(Metadata),
    /// There will be no report, and a count of crashes must include it.
    Failed(Code, String),
    /// No core, as most files are.
    Other(Code),
}

/// Looks at the file's kind and first bytes. A FIFO or a device is not opened.
///
/// What was named by the user is a core or a failure. In a directory, it is content that
/// makes a core; a file that cannot be read or is empty is taken for one by its name.
pub fn first_look(found: &FoundFile) -> FirstLook {
    let path = &found.path;
    match &found.not_read {
        None => {}
        Some(NotRead::Unread(error)) => {
            let why = format!("{}: the directory cannot be read: {error}", path.display());
            return FirstLook::Failed(Code::of_io(error), why);
        }
        Some(NotRead::LinkOutside) => return FirstLook::Other(Code::LinkOutside),
        Some(NotRead::LinkOfOther) => return FirstLook::Other(Code::LinkOfOther),
        Some(NotRead::System) => return FirstLook::Other(Code::System),
        Some(NotRead::TooDeep) => return FirstLook::Other(Code::TooDeep),
        Some(NotRead::TooMany) => return FirstLook::Other(Code::TooMany),
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return refused(found, &error),
    };
    if !metadata.is_file() {
        let why = format!("{} is a FIFO, a socket or a device", path.display());
        return or_other(found.named, Code::Special, why);
    }
    let is_meant = found.named || is_named_like_a_core(path);
    if metadata.len() == 0 {
        let why = format!(
            "{} is empty: was the disk full, or RLIMIT_CORE too small, when the process crashed?",
            path.display()
        );
        return or_other(is_meant, Code::Empty, why);
    }
    match head(path) {
        Err(error) => refused(found, &error),
        Ok(head) if obit_age::is_encrypted(&head) => {
            let why = format!(
                "{} is encrypted: `obit FILE --identity KEYS` reads one; to read many, decrypt \
                 them first (`age -d -i KEYS -o core FILE`)",
                path.display()
            );
            or_other(is_meant || is_named_encrypted(path), Code::Packing, why)
        }
        // The worker says in words what it is.
        Ok(head) if found.named || may_be_core(&head, is_meant) => FirstLook::Core(metadata),
        Ok(_) => FirstLook::Other(Code::NotACore),
    }
}

fn refused(found: &FoundFile, error: &io::Error) -> FirstLook {
    let code = Code::of_io(error);
    let path = found.path.display();
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "; cores often belong to root: run as their owner",
        _ => "",
    };
    let is_meant = match code {
        // It was there when the directory was read.
        Code::Missing | Code::LinkLoop | Code::Special => found.named,
        _ => found.named || is_named_like_a_core(&found.path),
    };
    or_other(is_meant, code, format!("{path}: {error}{hint}"))
}

/// Whether a file in a directory is called as an encrypted core is: `core.1234.age`.
fn is_named_encrypted(path: &Path) -> bool {
    let is_age = path.extension().is_some_and(|end| end == "age");
    is_age && is_named_like_a_core(&path.with_extension(""))
}

fn or_other(is_meant: bool, code: Code, why: String) -> FirstLook {
    if is_meant { FirstLook::Failed(code, why) } else { FirstLook::Other(code) }
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    open_regular(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether these may be the first bytes of a core, or of a packed one.
fn may_be_core(head: &[u8], is_meant: bool) -> bool {
    if Container::of_magic(head).is_some() || ArchiveFormat::of_start(head).is_some() {
        return true;
    }
    // EI_DATA says which byte of `e_type` is the low one.
    match head {
        [0x7f, b'E', b'L', b'F', _, 2, _, _, _, _, _, _, _, _, _, _, high, low, ..] => {
            u16::from_be_bytes([*high, *low]) == ET_CORE
        }
        [0x7f, b'E', b'L', b'F', _, _, _, _, _, _, _, _, _, _, _, _, low, high, ..] => {
            u16::from_le_bytes([*low, *high]) == ET_CORE
        }
        // Cut off, or being written.
        [0x7f, b'E', b'L', b'F', ..] => is_meant,
        _ => false,
    }
}

/// Whether a file is called as cores are: `core`, `core.1`, `core-app-1`, `x.core`,
/// `x.crash`, packed or not.
pub(super) fn is_named_like_a_core(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let packed = [".zst", ".lz4", ".xz", ".gz", ".bz2"];
    let name = packed.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let is_after_core = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-', '_']);
    name.strip_prefix("core").is_some_and(is_after_core)
        || name.ends_with(".core")
        || name.ends_with(".crash")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn of(path: &Path, named: bool) -> String {
        match first_look(&FoundFile { path: path.to_owned(), named, not_read: None }) {
            FirstLook::Core(_) => "core".to_owned(),
            FirstLook::Failed(code, _) => format!("failed: {}", code.word()),
            FirstLook::Other(code) => format!("other: {}", code.word()),
        }
    }

    #[test]
    fn in_a_directory_content_makes_a_core_and_what_was_named_is_one_or_a_failure() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let core = obit_corefile::testkit::CoreBuilder::x86_64().thread(1, &[]).build();
        assert_eq!(of(&file("anything", &core), false), "core");
        let big =
            obit_corefile::testkit::CoreBuilder::aarch64().big_endian().thread(1, &[]).build();
        assert_eq!(of(&file("big", &big), false), "core");
        assert_eq!(of(&file("core.txt", b"about cores"), false), "other: not-a-core");
        assert_eq!(of(&file("core.txt", b"about cores"), true), "core");
        assert_eq!(of(&file("core.1.zst", b"\x28\xb5\x2f\xfd..."), false), "core");
        let sealed = b"age-encryption.org/v1\n-> X25519 a\n";
        assert_eq!(of(&file("core.7.age", sealed), false), "failed: packing");
        assert_eq!(of(&file("notes", sealed), true), "failed: packing");
        assert_eq!(of(&file("notes.age", sealed), false), "other: packing");
        assert_eq!(of(&file("empty", b""), false), "other: empty");
        assert_eq!(of(&file("core-app-17", b""), false), "failed: empty");
        assert_eq!(of(&file("core.3", b"\x7fELF\x02"), false), "core");
        assert_eq!(of(&file("lib.so", b"\x7fELF\x02"), false), "other: not-a-core");
        assert_eq!(of(&directory.path().join("gone"), false), "other: missing");
        assert_eq!(of(&directory.path().join("gone"), true), "failed: missing");
        let device = directory.path().join("core.4");
        symlink("/dev/zero", &device).unwrap();
        assert_eq!(of(&device, false), "other: special");
        assert_eq!(of(&device, true), "failed: special");
        let circle = directory.path().join("core.5");
        symlink("core.5", &circle).unwrap();
        assert_eq!(of(&circle, false), "other: link-loop");
    }

    #[test]
    fn cores_are_named_in_many_ways() {
        for name in ["core", "core.12", "core-app-1-2", "core_x", "a.core", "x.crash", "core.1.xz"]
        {
            assert!(is_named_like_a_core(Path::new(name)), "{name}");
        }
        for name in ["cores", "corelib.c", "x.core.txt", "score"] {
            assert!(!is_named_like_a_core(Path::new(name)), "{name}");
        }
    }
}
