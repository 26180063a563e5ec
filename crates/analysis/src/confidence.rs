//! How certain a cause or a finding is.

/// How certain a cause or a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Confidence {
    #[default]
    Guess,
    Likely,
    Proved,
}
