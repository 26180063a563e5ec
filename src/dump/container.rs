//! What a core may be wrapped in.
use super::OpenError;
use crate::limits::Limits;
use crate::memory::CoreBytes;
use crate::notice::Notice;
use std::path::Path;

/// What the core was wrapped in, by its first bytes, whatever the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// Zstandard frames (RFC 8878): systemd-coredump.
    Zstd,
    /// XZ streams: older systemd-coredump.
    Xz,
    /// gzip members (RFC 1952).
    Gzip,
    /// LZ4 frames: older systemd-coredump.
    Lz4,
    /// bzip2 streams.
    Bzip2,
    /// A report of Ubuntu's apport: text with the core in a base64 field.
    Apport,
}

impl Container {
    /// Recognises the first bytes of a file.
    pub fn of_magic(start: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 6] = [
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x1f\x8b", Self::Gzip),
            (b"\x04\x22\x4d\x18", Self::Lz4),
            (b"BZh", Self::Bzip2),
            (b"ProblemType:", Self::Apport),
        ];
        known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, container)| *container)
    }

    /// A name for people: `zstd`, `apport`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Bzip2 => "bzip2",
            Self::Apport => "apport",
        }
    }
}

pub(super) fn unpack(
    path: &Path,
    _bytes: CoreBytes,
    container: Container,
    _limits: &Limits,
    _notices: &mut Vec<Notice>,
) -> Result<CoreBytes, OpenError> {
    Err(OpenError::Container { path: path.to_owned(), container, problem: "not yet".to_owned() })
}
