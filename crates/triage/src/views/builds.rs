//! The builds of each program: which are releases, in which order, and which are none.

use std::io;

use serde::{Deserialize, Serialize};

use crate::census::{Census, Programs};
use crate::history::{Build, BuildOrder, Exposure, OrderedBy, Releases};
use obit_report::json;

/// The version of its JSON.
pub const BUILDS_SCHEMA: &str = "obit.builds/1";

/// The builds of all programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Builds {
    /// `obit.builds/1`.
    pub schema: String,
    /// Programs with dumps, the one with most first.
    pub programs: Vec<ProgramBuilds>,
}

/// The builds of one program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ProgramBuilds {
    /// Its name.
    pub program: String,
    /// Its dumps.
    pub dumps: u64,
    /// What orders the releases: `list`, `version` or `first-dump`.
    pub ordered_by: String,
    /// Oldest first.
    pub releases: Vec<ReleaseBuilds>,
    /// Builds that are no releases.
    pub others: Vec<BuildReport>,
}

/// A release and its builds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ReleaseBuilds {
    /// As the user named it, or its version, or the start of its build ID.
    pub name: String,
    /// Whether it is the newest that has dumps.
    pub is_newest: bool,
    /// Its dumps.
    pub dumps: u64,
    /// How much it ran, in the user's unit.
    pub exposure: Option<f64>,
    /// Its builds.
    pub builds: Vec<BuildReport>,
}

/// A build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BuildReport {
    /// The build ID; empty where it has none.
    pub id: String,
    /// The version of its package, or one that its path names.
    pub version: Option<String>,
    /// How it was made, where its path shows it.
    pub variant: Option<String>,
    /// Its dumps.
    pub dumps: u64,
    /// Hosts with a dump of it, of those that are known.
    pub hosts: u64,
    /// Time of its first dump, seconds since 1970.
    pub first: Option<i64>,
    /// Time of its last dump.
    pub last: Option<i64>,
    /// Why it is no release: `no-build-id`, `local-build` or `few-dumps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_a_release: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Builds {
    /// Keeps the program of this name.
    pub fn keep(&mut self, program: &str) {
        self.programs.retain(|one| one.program == program);
    }
}

impl From<&Build> for BuildReport {
    fn from(build: &Build) -> Self {
        Self {
            id: build.id.clone(),
            version: build.version.clone(),
            variant: build.variant.clone(),
            dumps: build.dumps,
            hosts: build.hosts as u64,
            first: build.seen.map(|(first, _)| first),
            last: build.seen.map(|(_, last)| last),
            not_a_release: None,
            reason: None,
        }
    }
}

/// The builds of a census.
pub(crate) fn builds(
    census: &mut Census,
    order: Option<&BuildOrder>,
    exposure: Option<&Exposure>,
) -> Builds {
    census.count_dumps();
    let programs = Programs::of(census, order, exposure);
    let both = programs.names.iter().zip(&programs.releases);
    let mut found: Vec<ProgramBuilds> =
        both.map(|(name, releases)| of_program(name, releases, census)).collect();
    found.retain(|program| program.dumps > 0);
    found.sort_by(|a, b| b.dumps.cmp(&a.dumps).then_with(|| a.program.cmp(&b.program)));
    Builds { schema: BUILDS_SCHEMA.to_owned(), programs: found }
}

fn of_program(program: &str, releases: &Releases, census: &Census) -> ProgramBuilds {
    let newest = releases.newest();
    let build = |at: &usize| census.builds.get(*at).map(BuildReport::from);
    let list = releases.list.iter().enumerate().map(|(at, release)| ReleaseBuilds {
        name: release.name.clone(),
        is_newest: newest == Some(at),
        dumps: release.dumps,
        exposure: release.exposure,
        builds: release.builds.iter().filter_map(build).collect(),
    });
    let list: Vec<ReleaseBuilds> = list.collect();
    let others = releases.unplaced.iter().filter_map(|(at, why)| {
        let (not_a_release, reason) = (Some(why.word().into()), Some(why.reason().into()));
        Some(BuildReport { not_a_release, reason, ..build(at)? })
    });
    let others: Vec<BuildReport> = others.collect();
    let dumps = list.iter().map(|release| release.dumps).sum::<u64>()
        + others.iter().map(|build| build.dumps).sum::<u64>();
    ProgramBuilds {
        program: program.to_owned(),
        dumps,
        ordered_by: match releases.by {
            OrderedBy::List => "list",
            OrderedBy::Version => "version",
            OrderedBy::FirstDump => "first-dump",
        }
        .to_owned(),
        releases: list,
        others,
    }
}

/// Writes the builds as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_builds(builds: &Builds, out: impl io::Write) -> io::Result<()> {
    json::write_line(builds, out)
}
