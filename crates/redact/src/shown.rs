//! Text that passed the redactor.

use std::fmt;

/// Text that may leave the process: printed, sent or stored. Only the
/// [`Redactor`](super::Redactor) makes one out of a crashed process's data.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(String);

impl Shown {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// obit's own words: text that was known before any core was read.
    pub fn own(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Text read back from a written report. It has left already.
    pub fn from_report(text: String) -> Self {
        Self(text)
    }

    /// The text. It may hold control characters: the caller escapes them when printing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text from byte `start` on: a path's last part. All of it if `start` is not the
    /// start of a character.
    #[must_use]
    pub fn suffix(&self, start: usize) -> Self {
        Self(self.0.get(start..).unwrap_or(&self.0).to_owned())
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
