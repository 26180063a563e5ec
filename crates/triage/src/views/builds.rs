//! The builds of each program: which are releases, in which order, and which are none.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::options::ViewOptions;
use super::rates::{ExposureRate, HostShare, RateCounts, ReleaseRates};
use crate::census::{Census, Programs};
use crate::history::{Build, BuildOrder, Exposure, OrderedBy, Releases, is_build_id};
use obit_report::json;

/// The version of its JSON.
pub const BUILDS_SCHEMA: &str = "obit.builds/1";
/// Names of no build that are listed.
const UNKNOWN: usize = 100;

/// The builds of all programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Builds {
    /// `obit.builds/1`.
    pub schema: String,
    /// Programs with dumps, the one with most first.
    pub programs: Vec<ProgramBuilds>,
    /// What the exposures name that is no build, version or release of any program here: at
    /// most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_exposures: Vec<String>,
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
    /// How much it ran, in the user's unit; `null` where that is not known.
    pub exposure: Option<f64>,
    /// All its dumps per exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<ExposureRate>,
    /// Why there is no rate, where exposures were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_unknown: Option<String>,
    /// Hosts with a dump, of all that it ran on, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts_affected: Option<HostShare>,
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

    /// Whether `name` is a release or the version or the build ID, or its start, of a build.
    fn has(&self, name: &str) -> bool {
        let is_build = |build: &BuildReport| {
            build.version.as_deref() == Some(name)
                || (is_build_id(name) && build.id.to_ascii_lowercase().starts_with(name))
        };
        self.programs.iter().any(|program| {
            let releases = &program.releases;
            releases
                .iter()
                .any(|release| release.name == name || release.builds.iter().any(is_build))
                || program.others.iter().any(is_build)
        })
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
    exposure: Option<&Arc<Exposure>>,
) -> Builds {
    census.count_dumps();
    let programs = Programs::of(census, order, exposure.map(Arc::as_ref));
    let options = ViewOptions { exposure: exposure.cloned(), ..ViewOptions::default() };
    let of = |releases| RateCounts::new(releases, &options, None);
    let mut counts: Vec<Option<RateCounts<'_>>> = programs.releases.iter().map(of).collect();
    for sighting in census.sightings.iter().filter(|_| exposure.is_some()) {
        let program = programs.of_build.get(sighting.event.build);
        let counts = program.and_then(|program| counts.get_mut(*program)?.as_mut());
        counts.into_iter().for_each(|counts| counts.add(sighting));
    }
    let both = programs.names.iter().zip(&programs.releases).zip(counts);
    let mut found: Vec<ProgramBuilds> = both
        .map(|((name, releases), counts)| {
            let rates = counts.map(RateCounts::rates).unwrap_or_default();
            of_program(name, releases, rates, census)
        })
        .collect();
    found.retain(|program| program.dumps > 0);
    found.sort_by(|a, b| b.dumps.cmp(&a.dumps).then_with(|| a.program.cmp(&b.program)));
    let mut builds =
        Builds { schema: BUILDS_SCHEMA.to_owned(), programs: found, ..Builds::default() };
    if let Some(exposure) = exposure {
        let unknown = exposure.unknown(|name| builds.has(name)).into_iter().take(UNKNOWN);
        builds.unknown_exposures = unknown.map(str::to_owned).collect();
    }
    builds
}

fn of_program(
    program: &str,
    releases: &Releases,
    rates: Vec<ReleaseRates>,
    census: &Census,
) -> ProgramBuilds {
    let newest = releases.newest();
    let mut rates = rates.into_iter();
    let build = |at: &usize| census.builds.get(*at).map(BuildReport::from);
    let list = releases.list.iter().enumerate().map(|(at, release)| {
        let rates = rates.next().unwrap_or_default();
        ReleaseBuilds {
            name: release.name.clone(),
            is_newest: newest == Some(at),
            dumps: release.dumps,
            exposure: rates.exposure,
            rate: rates.rate,
            rate_unknown: rates.unknown,
            hosts_affected: rates.hosts,
            builds: release.builds.iter().filter_map(build).collect(),
        }
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
