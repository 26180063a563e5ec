//! How bad crashes are.

/// How bad a crash is, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong with the program: it was killed, say.
    Info,
    /// It ended itself.
    Low,
    /// It failed in a way that it did not foresee.
    Medium,
    /// Memory was damaged, or may have been.
    High,
}

impl Severity {
    /// All, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Low, Self::Medium, Self::High];

    /// The word that reports have.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The severity of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }

    /// All words, the mildest first, joined by commas.
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }
}
