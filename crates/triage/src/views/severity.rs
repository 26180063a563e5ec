//! How bad crashes are.

/// What an attacker could make of a crash, the mildest first (docs/causes.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong with the memory.
    Info,
    /// The program's or the machine's check stopped it.
    Low,
    /// Memory was read that should not be.
    Medium,
    /// Memory was written, or execution went, where it should not.
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
