//! What the user lists of releases: their order, and how much each ran.

use std::collections::BTreeMap;

use super::build::Build;

/// Releases as the user lists them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOrder {
    pub(super) lines: Vec<(String, Vec<String>)>,
}

/// How much each build or release ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposure {
    of: BTreeMap<String, f64>,
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
    /// A line without a number.
    #[error("expected NAME,NUMBER or NAME = NUMBER")]
    NoNumber,
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

impl Exposure {
    /// `NAME,NUMBER` a line, where the name is a release, a version or a build ID (or its
    /// first six digits or more), or the same in TOML (`"2.1" = 1200`). A first line without
    /// a number is a heading; `#` starts a comment, and a line in brackets is left out.
    ///
    /// # Errors
    /// Where there is no number.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let mut of = BTreeMap::new();
        let mut is_first = true;
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() || line.starts_with('[') {
                continue;
            }
            let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
            let pair = line.rsplit_once(['=', ',', '\t', ';']);
            let number =
                pair.and_then(|(_, number)| unquoted(number).replace('_', "").parse().ok());
            match pair.zip(number.filter(|number: &f64| number.is_finite() && *number >= 0.0)) {
                Some(((name, _), number)) => *of.entry(unquoted(name)).or_insert(0.0) += number,
                None if is_first && pair.is_some() => {}
                None => {
                    return Err(ListError { line: at + 1, problem: ListProblem::NoNumber });
                }
            }
            is_first = false;
        }
        Ok(Self { of })
    }

    /// Of the release of this name, which has these builds.
    pub(super) fn of_release(&self, name: &str, builds: &[&Build]) -> Option<f64> {
        if let Some(exposure) = self.of.get(name) {
            return Some(*exposure);
        }
        let version = builds.first().and_then(|build| build.version.as_ref());
        if let Some(exposure) = version.and_then(|version| self.of.get(version)) {
            return Some(*exposure);
        }
        // Half a sum would be a wrong one.
        builds.iter().map(|build| self.of_build(build)).sum()
    }

    fn of_build(&self, build: &Build) -> Option<f64> {
        let mut named = self.of.iter().filter(|(name, _)| {
            is_build_id(name) && build.id.starts_with(name.to_ascii_lowercase().as_str())
        });
        named.next().map(|(_, exposure)| *exposure)
    }
}

pub(super) fn is_build_id(text: &str) -> bool {
    text.len() >= SHORTEST_BUILD_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
