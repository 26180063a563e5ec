//! Why there is no report on a file. The words are a promise; see docs/triage.md.

use obit_corefile::dump::OpenError;

/// Why there is no report on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// It is something else.
    NotACore,
    /// It has no bytes.
    Empty,
    /// A FIFO, a socket or a device: never opened.
    Special,
    /// A symbolic link that leads to itself.
    LinkLoop,
    /// A symbolic link, found in a directory, that leads out of the directories that were
    /// given.
    LinkOutside,
    /// A symbolic link that another user put in a directory that everybody may write to.
    LinkOfOther,
    /// A directory of the kernel, or a link into one.
    System,
    /// A directory within too many others.
    TooDeep,
    /// The first of too many files.
    TooMany,
    /// It was not there (any more).
    Missing,
    /// The system refused to read it.
    Unreadable,
    /// It starts like a core, and its header makes no sense.
    Damaged,
    /// It is a core without a thread: cut off, most often.
    NoThreads,
    /// What it is packed in cannot be unpacked.
    Packing,
    /// It took longer than `--timeout`.
    Timeout,
    /// It took more memory than `--max-memory`.
    Memory,
    /// The worker that read it ended without an answer.
    Crashed,
    /// A bug in obit was found by it.
    Bug,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::NotACore,
        Self::Empty,
        Self::Special,
        Self::LinkLoop,
        Self::LinkOutside,
        Self::LinkOfOther,
        Self::System,
        Self::TooDeep,
        Self::TooMany,
        Self::Missing,
        Self::Unreadable,
        Self::Damaged,
        Self::NoThreads,
        Self::Packing,
        Self::Timeout,
        Self::Memory,
        Self::Crashed,
        Self::Bug,
    ];

    /// The word that records have.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotACore => "not-a-core",
            Self::Empty => "empty",
            Self::Special => "special",
            Self::LinkLoop => "link-loop",
            Self::LinkOutside => "link-outside",
            Self::LinkOfOther => "link-of-other-user",
            Self::System => "system-directory",
            Self::TooDeep => "too-deep",
            Self::TooMany => "too-many-files",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Damaged => "damaged",
            Self::NoThreads => "no-threads",
            Self::Packing => "packing",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Crashed => "crashed",
            Self::Bug => "bug",
        }
    }

    /// The code of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.word() == word)
    }

    /// Why a core could not be opened.
    pub fn of_open_error(error: &OpenError) -> Self {
        match error {
            OpenError::Io { source, .. } => Self::of_io(source),
            OpenError::Directory { .. } => Self::Special,
            OpenError::Empty { .. } => Self::Empty,
            OpenError::NotElf { .. } | OpenError::NotACore { .. } | OpenError::Foreign { .. } => {
                Self::NotACore
            }
            OpenError::BadHeader { .. } => Self::Damaged,
            OpenError::NoThreads { .. } => Self::NoThreads,
            OpenError::Container { .. } => Self::Packing,
            // What a later version cannot open, and for a reason not known here.
            _ => Self::Damaged,
        }
    }

    /// Why a file could not be looked at.
    pub fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Self::Missing,
            // What `open_regular` says of a FIFO or a device.
            std::io::ErrorKind::InvalidInput => Self::Special,
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Self::LinkLoop
            }
            _ => Self::Unreadable,
        }
    }

    /// Whether the file is there and may be read later, though it is the same then.
    pub fn is_worth_another_try(self) -> bool {
        matches!(self, Self::Missing | Self::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_word_of_its_own() {
        for code in Code::ALL {
            assert_eq!(Code::of_word(code.word()), Some(code));
        }
    }
}
