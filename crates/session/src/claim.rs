//! Claims about a crash that are checked.

use serde::{Deserialize, Serialize};

use crate::question::Place;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
}

impl Comparison {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A statement about a crash, which may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Claim {
    /// A comparison of two expressions in a frame.
    Compare {
        /// Which frame.
        at: Place,
        /// The expression.
        expression: String,
        /// How.
        comparison: Comparison,
        /// What it is compared with.
        value: String,
    },
    /// One thread waits for what another has.
    Waits {
        /// Id of the thread that waits.
        thread: i64,
        /// Id of the thread it waits for.
        waits_for: i64,
    },
    /// The memory that a pointer leads to was freed.
    Freed {
        /// Which frame.
        at: Place,
        /// The pointer.
        expression: String,
    },
    /// A function is on the stack of a thread.
    OnStack {
        /// Whose; the crashed one's if none is given.
        thread: Option<i64>,
        /// The function.
        function: String,
    },
    /// The cause is of this class.
    Class {
        /// A word of the catalogue.
        class: String,
    },
}

/// What a check came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The dump shows it.
    Holds,
    /// The dump shows the contrary.
    DoesNotHold,
    /// The dump does not say.
    #[default]
    Unknown,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::Unknown => "unknown",
        }
    }
}
