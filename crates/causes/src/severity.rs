//! How bad a cause is.

/// How bad a cause is for those who run the program: what an attacker could make of it, as
/// CASR and `!exploitable` rank it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong with the program.
    Info,
    /// It ends where it would go wrong.
    Low,
    /// It reads what it should not.
    Medium,
    /// It writes or runs what it should not.
    High,
}

impl Severity {
    /// All, from the least.
    pub const ALL: [Self; 4] = [Self::Info, Self::Low, Self::Medium, Self::High];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The one that `word` says; `None` for a word of a later version.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }

    /// All words, from the least, joined by commas.
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_severity_and_they_are_in_order() {
        assert!(Severity::ALL.is_sorted());
        for severity in Severity::ALL {
            assert_eq!(Severity::named(severity.word()), Some(severity));
        }
        assert_eq!(Severity::named("awful"), None);
    }
}
