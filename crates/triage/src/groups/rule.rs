//! Why two kinds of crashes were taken for one bug's.

use serde::{Deserialize, Serialize};

/// The rule that brought two signatures together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MergeRule {
    /// The same function was called, and the stacks are similar.
    #[default]
    SameStack,
    /// Functions were called that compilers replace by each other.
    ReplacedCall,
    /// One build called a function that another has inlined.
    InlinedCall,
    /// An exception ended the process, by whatever function of the C++ runtime.
    SameException,
    /// The same function passed on the same bad value.
    SameBlame,
    /// One stack has lost its innermost function.
    LostFunction,
    /// The functions of a cycle are the same, or a part of it.
    SameCycle,
    /// A library without symbols was called.
    UnnamedLibrary,
    /// The heap was damaged in the same way.
    SameHeapDamage,
    /// A user merged them.
    ByHand,
}

impl MergeRule {
    /// In words, with its subject left out.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::SameStack => "calls the same function; the stacks are similar",
            Self::ReplacedCall => "calls a function that compilers replace by the other",
            Self::InlinedCall => "another build inlined the function that it calls",
            Self::SameException => "the same exception, ended by another runtime function",
            Self::SameBlame => "the same function passed on the same bad value",
            Self::LostFunction => "the same stack; the innermost function is inlined or moved",
            Self::SameCycle => "the same functions call each other",
            Self::UnnamedLibrary => "the same caller of a library without symbols",
            Self::SameHeapDamage => "the heap is damaged in the same way",
            Self::ByHand => "merged by hand",
        }
    }
}

/// How alike two kinds of crashes are, and by which rule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Likeness {
    /// From 0 to 1.
    pub(super) value: f64,
    pub(super) rule: MergeRule,
}

impl Likeness {
    pub(super) fn of(rule: MergeRule, value: f64) -> Self {
        Self { value, rule }
    }

    /// The surer of two.
    pub(super) fn max(self, other: Self) -> Self {
        if other.value > self.value { other } else { self }
    }

    /// At most so sure.
    pub(super) fn at_most(self, most: f64) -> Self {
        Self { value: self.value.min(most), ..self }
    }
}
