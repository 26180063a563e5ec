//! The order of releases, as the user lists them.

use super::build::Build;

/// Releases as the user lists them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOrder {
    pub(super) lines: Vec<(String, Vec<String>)>,
}

/// A file of the user's that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ListError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: ListProblem,
}

/// What is wrong with a line of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListProblem {
    /// A word where a build ID is expected.
    #[error("{0:?} is not a build ID: expected NAME BUILD-ID...")]
    NotABuildId(String),
}

/// Digits that a build ID may be shortened to.
const SHORTEST_BUILD_ID: usize = 6;

impl BuildOrder {
    /// A release a line: its name, then its build IDs (or the first six digits or more of
    /// each); without any, all builds of that version. `#` starts a comment.
    ///
    /// # Errors
    /// Where a build ID is none.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split([' ', '\t', ',']).filter(|word| !word.is_empty());
            let Some(name) = words.next() else { continue };
            let ids: Vec<_> = words.map(str::to_ascii_lowercase).collect();
            if let Some(wrong) = ids.iter().find(|id| !is_build_id(id)) {
                let problem = ListProblem::NotABuildId(wrong.clone());
                return Err(ListError { line: at + 1, problem });
            }
            lines.push((name.to_owned(), ids));
        }
        Ok(Self { lines })
    }

    /// Where the release that the build belongs to is listed.
    pub(super) fn place(&self, build: &Build) -> Option<usize> {
        self.lines.iter().position(|(name, ids)| {
            let is_named = ids.iter().any(|id| build.id.starts_with(id.as_str()));
            is_named || (ids.is_empty() && build.version.as_deref() == Some(name))
        })
    }
}

pub(crate) fn is_build_id(text: &str) -> bool {
    text.len() >= SHORTEST_BUILD_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
