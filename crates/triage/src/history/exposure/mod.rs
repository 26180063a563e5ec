//! How much each build ran, and on how many hosts: as the user says.

mod csv;
mod periods;
mod prometheus;
mod ran;

use std::collections::{BTreeMap, BTreeSet};

use super::build::Build;
use super::release_lists::is_build_id;
pub use csv::RowProblem;
pub use prometheus::AnswerProblem;
use ran::Stretch;
pub(crate) use ran::{Covered, NotCovered, Ran};

/// How much each build or release ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposure {
    /// By what names a release, a version or a build.
    of: BTreeMap<String, Vec<Row>>,
    unit: Option<String>,
}

/// One line of what the user says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    /// `None` where it holds for every program.
    program: Option<String>,
    stretch: Stretch,
    /// Whether the amount is a number of hosts.
    is_hosts: bool,
}

/// A file of exposures that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExposureError {
    /// A line of a list or a table.
    #[error("line {line}: {problem}")]
    Row {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// The answer of a Prometheus server.
    #[error("answer of Prometheus: {0}")]
    Answer(AnswerProblem),
}

/// The unit that says how many hosts a build ran on.
pub(crate) const HOSTS: &str = "hosts";

impl Exposure {
    /// A CSV table with a header (`build` or `version`, `exposure`, `unit`, `program`, `from`,
    /// `to`); the answer of Prometheus to a query, as JSON; or `NAME,NUMBER` or
    /// `NAME = NUMBER` a line, where the name is a release, a version or a build ID (or its
    /// first six digits or more).
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ExposureError> {
        // Spreadsheets put a byte order mark before what they save as UTF-8.
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            return prometheus::parse(text).map_err(ExposureError::Answer);
        }
        csv::parse(text).map_err(|(line, problem)| ExposureError::Row { line, problem })
    }

    /// What its numbers count, as far as the user says.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Names of which `is_known` does not know a build, a version or a release.
    pub fn unknown(&self, is_known: impl Fn(&str) -> bool) -> BTreeSet<&str> {
        self.of.keys().map(String::as_str).filter(|name| !is_known(name)).collect()
    }

    fn add(&mut self, name: &str, row: Row) {
        let name = if is_build_id(name) { name.to_ascii_lowercase() } else { name.to_owned() };
        self.of.entry(name).or_default().push(row);
    }

    /// Takes over a unit; fails where another one is used already.
    fn count_in(&mut self, unit: &str) -> Result<(), String> {
        match &self.unit {
            Some(known) if known != unit => Err(known.clone()),
            _ => {
                self.unit = Some(unit.to_owned());
                Ok(())
            }
        }
    }

    /// Whether it has numbers of hosts beside an exposure in another unit.
    fn has_hosts_beside(&self) -> bool {
        self.of.values().flatten().any(|row| !row.is_hosts)
    }

    /// How much the release of this name ran, which has these builds of `program`.
    pub(super) fn of_release(&self, program: &str, name: &str, builds: &[&Build]) -> Option<Ran> {
        self.ran(program, name, builds, !self.has_hosts_beside())
    }

    /// On how many hosts it ran.
    pub(super) fn hosts_of_release(
        &self,
        program: &str,
        name: &str,
        builds: &[&Build],
    ) -> Option<Ran> {
        self.ran(program, name, builds, true)
    }

    fn ran(&self, program: &str, name: &str, builds: &[&Build], hosts: bool) -> Option<Ran> {
        let of_name = |name: &str| self.of_name(program, name, hosts);
        let version = || builds.first().and_then(|build| build.version.as_deref());
        of_name(name).or_else(|| of_name(version()?)).or_else(|| {
            // Half a sum would be a wrong one.
            let of_builds: Option<Vec<Ran>> =
                builds.iter().map(|build| self.of_build(program, build, hosts)).collect();
            of_builds.and_then(|all| all.into_iter().reduce(Ran::and))
        })
    }

    fn of_build(&self, program: &str, build: &Build, hosts: bool) -> Option<Ran> {
        let id = build.id.to_ascii_lowercase();
        let mut starts = (1..=id.len()).rev().filter_map(|end| id.get(..end));
        starts.find_map(|start| {
            is_build_id(start).then(|| self.of_name(program, start, hosts)).flatten()
        })
    }

    fn of_name(&self, program: &str, name: &str, hosts: bool) -> Option<Ran> {
        let rows = self.of.get(name)?.iter().filter(|row| row.is_hosts == hosts);
        let rows = rows.filter(|row| row.program.as_deref().is_none_or(|of| of == program));
        let stretches: Vec<Stretch> = rows.map(|row| row.stretch).collect();
        (!stretches.is_empty()).then(|| Ran::of(stretches, hosts))
    }
}
