//! What an archive is.

use std::ffi::OsStr;
use std::path::Path;

use crate::dump::Container;

/// What an archive is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// POSIX tar, with the extensions of GNU and pax.
    Tar,
    /// ZIP.
    Zip,
    /// `journalctl -o export`.
    Journal,
}

impl ArchiveFormat {
    /// Recognises the first bytes of an archive that is not compressed.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        // The magic of a header block (pax(1), "ustar Interchange Format").
        if start.get(257..262) == Some(b"ustar") {
            return Some(Self::Tar);
        }
        // A local header, or the end of a directory without entries (APPNOTE.TXT, 4.3).
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Some(Self::Zip);
        }
        // Entries begin with their addresses (systemd's JOURNAL_EXPORT_FORMATS).
        if start.starts_with(b"__CURSOR=") {
            return Some(Self::Journal);
        }
        None
    }

    /// A name for people, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tar => "a tar archive",
            Self::Zip => "a ZIP archive",
            Self::Journal => "an export of the journal",
        }
    }
}

/// Whether a file at `path` that begins with `start` may be an archive. Of compressed data only
/// unpacking them says so; what is called as cores are is not tried.
pub fn may_be_archive(path: &Path, start: &[u8]) -> bool {
    match Container::of_magic(start) {
        None => ArchiveFormat::of_start(start).is_some(),
        Some(Container::Apport) => false,
        Some(_) => {
            let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            let is_core = name == "core"
                || ["core.", "core-", "core_"].iter().any(|start| name.starts_with(start))
                || name.contains(".core.")
                || name.starts_with("coredump");
            !is_core || name.contains(".tar") || name.contains(".journal")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_an_archive_is_tried() {
        let is = |name: &str, start: &[u8]| may_be_archive(Path::new(name), start);
        assert!(is("bundle", b"\x28\xb5\x2f\xfd"));
        assert!(is("core.tar.gz", b"\x1f\x8b"));
        assert!(is("x.zip", b"PK\x03\x04"));
        assert!(is("export", b"__CURSOR=s=1"));
        assert!(!is("core.app.1000.b00.1.17.zst", b"\x28\xb5\x2f\xfd"));
        assert!(!is("app-1-2.core.zst", b"\x28\xb5\x2f\xfd"));
        assert!(!is("core.1", b"\x7fELF"));
        assert!(!is("x.crash", b"ProblemType: Crash"));
    }
}
