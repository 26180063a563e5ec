//! How sure a judgement is.

/// How sure a judgement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Confidence {
    #[default]
    Guess,
    Likely,
    Proved,
}
