//! The status of a group, by the dumps and by what the user said.

use serde::{Deserialize, Serialize};

/// What the user recorded about a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    #[default]
    Open,
    /// It is fixed in this build and later ones, or from that time on.
    Resolved {
        /// Build ID or version.
        in_build: Option<String>,
        /// When that was said, seconds since 1970.
        at: i64,
    },
    /// It is not to be reported.
    Ignored,
}

impl State {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved { .. } => "resolved",
            Self::Ignored => "ignored",
        }
    }
}

/// The status of a group, in one word.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was gone, or said to be fixed, and is back.
    Regressed,
    /// Seen in the newest release, or in the last days, for the first time.
    New,
    /// It comes more often than before, and chance does not explain that.
    Increasing,
    /// It goes on.
    #[default]
    Active,
    /// Not seen in the newest release, or far less.
    Fading,
    /// Said to be fixed, and not seen since.
    Resolved,
    /// It is not to be reported.
    Ignored,
}

impl Status {
    /// All, the most urgent first.
    pub const ALL: [Self; 7] = [
        Self::Regressed,
        Self::New,
        Self::Increasing,
        Self::Active,
        Self::Fading,
        Self::Resolved,
        Self::Ignored,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::New => "new",
            Self::Increasing => "increasing",
            Self::Active => "active",
            Self::Fading => "fading",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// All words, the most urgent first, joined by commas.
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The status of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}
