//! The status of a group, by the dumps and by what the user said.

use std::borrow::Cow;

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

    /// Its word, and that it rests on weak evidence.
    pub fn words_if(self, is_sure: bool) -> Cow<'static, str> {
        if is_sure { self.word().into() } else { format!("{} (weak)", self.word()).into() }
    }

    /// The status of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// A status as conditions name it: `new`, or only where the evidence is sure or weak:
/// `new:sure`, `new:weak`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCondition {
    status: Status,
    is_sure: Option<bool>,
}

impl StatusCondition {
    /// The condition in words; `None` if `text` is none.
    pub fn named(text: &str) -> Option<Self> {
        let (word, is_sure) = match text.split_once(':') {
            Some((word, "sure")) => (word, Some(true)),
            Some((word, "weak")) => (word, Some(false)),
            Some(_) => return None,
            None => (text, None),
        };
        Some(Self { status: Status::named(word)?, is_sure })
    }

    /// Whether a group of this status meets it.
    pub fn is_met(self, status: Status, is_sure: bool) -> bool {
        self.status == status && self.is_sure.is_none_or(|wanted| wanted == is_sure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_may_ask_for_sure_or_weak_evidence() {
        let met = |text: &str| {
            let condition = StatusCondition::named(text).unwrap();
            [true, false].map(|is_sure| condition.is_met(Status::New, is_sure))
        };
        assert_eq!(met("new"), [true, true]);
        assert_eq!(met("new:sure"), [true, false]);
        assert_eq!(met("new:weak"), [false, true]);
        assert_eq!(met("fading"), [false, false]);
        for text in ["", "newer", "new:", "new:certain", ":sure"] {
            assert_eq!(StatusCondition::named(text), None, "{text}");
        }
    }
}
