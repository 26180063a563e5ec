//! What was hidden, where and why: for a reader who is not to see it.

use std::collections::BTreeMap;

use super::policy::Origin;
use super::shown::Shown;

/// Decisions that are kept; more are counted.
const MOST: usize = 100_000;

/// Why a text was hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The variable's name says so.
    Name,
    /// The name of the variable's type says so.
    Type,
    /// It looks like that.
    Content,
    /// A rule of the user's, by file and line.
    Rule(String),
    /// All of this origin is hidden at this level.
    Level,
    /// The same value was hidden before for one of these reasons.
    Known,
    /// A word of memory that spells text, of which no one can say what it is a piece of.
    Piece,
}

impl Reason {
    /// A word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Content => "content",
            Self::Rule(_) => "rule",
            Self::Level => "level",
            Self::Known => "known",
            Self::Piece => "piece",
        }
    }
}

/// One text that was hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The thread, the frame and the variable, as far as there are any.
    pub place: Vec<Shown>,
    /// Where the text comes from; `None` for a number.
    pub origin: Option<Origin>,
    /// Why.
    pub reason: Reason,
    /// As what.
    pub kind: &'static str,
    /// What is in its place.
    pub token: String,
}

/// The decisions so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Where the redactor's user says that he is.
    pub(super) place: Vec<Shown>,
    /// The origin of the text that is judged now.
    pub(super) origin: Option<Origin>,
    pub(super) decisions: Vec<Decision>,
    pub(super) left_out: u64,
    /// Values by kind that are shown because nothing judged them.
    pub(super) unjudged: BTreeMap<&'static str, u64>,
}

impl Log {
    pub(super) fn note(&mut self, reason: Reason, kind: &'static str, token: &str) {
        if self.decisions.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let (place, origin) = (self.place.clone(), self.origin);
        let token = token.to_owned();
        self.decisions.push(Decision { place, origin, reason, kind, token });
    }
}
