//! The names that an artifact has on a server and in the cache.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact<'a> {
    /// The separate debug file, or the image if it was never stripped.
    DebugInfo,
    /// The image.
    Executable,
    /// The source file with this absolute path, as DWARF has it.
    Source(&'a str),
}

impl Artifact<'_> {
    /// Its name in a URL.
    pub(super) fn address(self) -> Cow<'static, str> {
        match self {
            Self::DebugInfo => Cow::Borrowed("debuginfo"),
            Self::Executable => Cow::Borrowed("executable"),
            Self::Source(path) => Cow::Owned(format!("source{}", percent_encoded(path))),
        }
    }

    /// Its name in the cache. elfutils writes paths of sources in ways that differ between
    /// its versions: those are our own.
    pub(super) fn file_name(self) -> Cow<'static, str> {
        match self {
            Self::Source(path) => {
                let mut name = String::from("source-");
                for byte in Sha256::digest(path.as_bytes()).iter().take(16) {
                    // Writing to a String cannot fail.
                    let _ = write!(name, "{byte:02x}");
                }
                Cow::Owned(name)
            }
            Self::DebugInfo | Self::Executable => self.address(),
        }
    }
}

/// `path` as part of a URL (RFC 3986 § 2.1).
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            // Writing to a String cannot fail.
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}
