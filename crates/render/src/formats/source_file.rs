//! Paths of source files, as tools that look at a checkout want them.

use std::fmt::Write as _;

use crate::visible;
use obit_redact::Shown;
use obit_report::SourcePlace;

/// A source file, relative to the directory it was compiled in where it lies below that:
/// the root of a checkout as a rule.
pub(super) struct SourceFile<'r> {
    pub(super) path: &'r str,
    /// The directory, if `path` is relative to it.
    pub(super) base: Option<&'r str>,
}

impl<'r> SourceFile<'r> {
    pub(super) fn of(place: &'r SourcePlace) -> Self {
        let path = place.file.as_str();
        // A compiler may have been passed a directory that does not exist, as in `./csu`.
        let base = place.directory.as_ref().map(Shown::as_str);
        let base = base.filter(|base| base.starts_with('/'));
        let below = base.and_then(|base| path.strip_prefix(base)?.strip_prefix('/'));
        match (below, base) {
            (Some(path), Some(base)) if !path.is_empty() => Self { path, base: Some(base) },
            _ => Self { path, base: None },
        }
    }

    /// For people and for lines of text.
    pub(super) fn shown(&self) -> String {
        visible(self.path).into_owned()
    }

    /// As a URI (RFC 3986): relative, or with the scheme `file`.
    pub(super) fn uri(&self) -> String {
        let scheme = if self.path.starts_with('/') { "file://" } else { "" };
        format!("{scheme}{}", escaped(self.path))
    }

    /// The URI of the directory that the path is relative to.
    pub(super) fn base_uri(&self) -> Option<String> {
        self.base.map(|base| format!("file://{}/", escaped(base.trim_end_matches('/'))))
    }
}

fn escaped(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}
