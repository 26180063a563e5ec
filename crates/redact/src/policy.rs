//! Which origin is treated how, in one table.

use std::cmp::Ordering;

use super::kind::Kind;

/// The version of what is hidden without rules of the user's. The number behind the program's
/// version is raised by each change of it within that.
pub const RULE_SET: &str = concat!(env!("CARGO_PKG_VERSION"), "+1");

/// How much is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// Structure is shown, values that carry people's data are not.
    #[default]
    Default,
    /// Only what names code: no user, no thread name, no message text.
    Strict,
    /// Nothing is hidden. Only on explicit request.
    Off,
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A function, type or variable name of a binary.
    SymbolName,
    /// A file of the crashed process's machine or of the analyst's.
    Path,
    /// A source file's path as the compiler wrote it.
    SourcePath,
    /// A line of a source file.
    SourceText,
    /// What the program called a thread.
    ThreadName,
    /// `comm`: the kernel's name of the process.
    ProcessName,
    /// A word of the command line, judged alone; see
    /// [`show_arguments`](super::Redactor::show_arguments).
    Argument,
    /// An environment string.
    Environment,
    /// What the program wrote for people: assertions, panics, `what()`.
    MessageText,
    /// Strings and characters in variables.
    VariableText,
    /// Package names and versions of a distribution.
    PackageMetadata,
    /// A sentence of obit's that quotes paths and names.
    OwnWords,
    /// An instruction, and what its registers held.
    Code,
}

impl Level {
    /// A word for it, as in reports and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Off => "off",
        }
    }

    /// How much is hidden, in order.
    fn rank(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::Default => 1,
            Self::Strict => 2,
        }
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Level {
    /// The stricter one is greater.
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Origin {
    /// Every origin.
    pub const ALL: &[Self] = &[
        Self::Argument,
        Self::Environment,
        Self::MessageText,
        Self::VariableText,
        Self::SourceText,
        Self::Path,
        Self::SourcePath,
        Self::ThreadName,
        Self::ProcessName,
        Self::SymbolName,
        Self::PackageMetadata,
        Self::OwnWords,
        Self::Code,
    ];

    /// What is done with texts of this origin, for people.
    pub fn treatment(self, level: Level) -> &'static str {
        match treatment(level, self) {
            Treatment::Keep => "shown",
            Treatment::Search => "searched",
            Treatment::SearchBut(kept) | Treatment::SearchWords(kept) => match kept {
                [] => "searched",
                [Kind::Ip] => "searched, but not for IP addresses",
                _ => "searched, but not for users and IPs",
            },
            Treatment::WordSet => "numbers that spell text are hidden",
            Treatment::Digest(_) => "hidden, as tokens",
            Treatment::Mask => "hidden, the length shown",
        }
    }

    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SymbolName => "symbol",
            Self::Path => "path",
            Self::SourcePath => "source-path",
            Self::SourceText => "source-line",
            Self::ThreadName => "thread-name",
            Self::ProcessName => "process-name",
            Self::Argument => "argument",
            Self::Environment => "environment",
            Self::MessageText => "message",
            Self::VariableText => "variable",
            Self::PackageMetadata => "package",
            Self::OwnWords => "sentence",
            Self::Code => "code",
        }
    }
}

/// What is done with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Shown as it is.
    Keep,
    /// Shown but for what looks like a secret or a person.
    Search,
    /// The same, but findings of these kinds stay.
    SearchBut(&'static [Kind]),
    /// The same, and numbers that spell text are hidden.
    SearchWords(&'static [Kind]),
    /// Only numbers that spell text are hidden.
    WordSet,
    /// Only a digest is shown, under this kind.
    Digest(Kind),
    /// Only the length is shown.
    Mask,
}

/// The table. Symbol names come from a linker, not from users, and are the one thing
/// that must be exact: they are searched only by the strict policy.
pub(super) fn treatment(level: Level, origin: Origin) -> Treatment {
    match (level, origin) {
        (Level::Off, _) | (Level::Default, Origin::SymbolName) => Treatment::Keep,
        (_, Origin::Environment | Origin::Argument) => Treatment::Mask,
        (Level::Strict, Origin::MessageText | Origin::VariableText) => Treatment::Mask,
        (Level::Strict, Origin::ThreadName) => Treatment::Digest(Kind::Name),
        // Anyone who may open the file sees whose home it was.
        (Level::Default, Origin::Path | Origin::SourcePath) => {
            Treatment::SearchBut(&[Kind::User, Kind::Ip])
        }
        (Level::Default, Origin::OwnWords) => Treatment::SearchWords(&[Kind::User, Kind::Ip]),
        (Level::Strict, Origin::OwnWords) => Treatment::SearchWords(&[]),
        (Level::Default | Level::Strict, Origin::Code) => Treatment::WordSet,
        // Four numbers are a version there.
        (_, Origin::PackageMetadata) => Treatment::SearchBut(&[Kind::Ip]),
        (
            Level::Default | Level::Strict,
            Origin::SymbolName
            | Origin::Path
            | Origin::SourcePath
            | Origin::SourceText
            | Origin::ThreadName
            | Origin::ProcessName
            | Origin::MessageText
            | Origin::VariableText,
        ) => Treatment::Search,
    }
}
