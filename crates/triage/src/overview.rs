//! All groups, with their history, rank and numbers: what the views show.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{ChangedFunction, Code, GroupCode};
use super::filter::{DumpFacts, Filter, GroupFacts, SEVERITIES};
use super::history::{Build, Event, Program, State, Status, Verdict, WINDOW, judge, most_urgent};
use super::rank::Rank;
use super::release::{BuildOrder, Exposure, Releases};
use obit_report::{Confidence, write_json_line};

/// The version of a group's JSON.
pub const GROUP_SCHEMA: &str = "obit.group/1";
/// The version of a list's JSON.
pub const TOP_SCHEMA: &str = "obit.top/1";
/// Stretches of time that a trend has.
const BUCKETS: usize = 16;

/// Everything that is counted, read from a store.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// All builds. Their numbers of dumps are filled in by [`overview`].
    pub builds: Vec<Build>,
    /// Names of hosts.
    pub hosts: Vec<String>,
    /// Words that [`Sighting`]s refer to: classes, severities, modules.
    pub words: Vec<String>,
    /// All groups.
    pub groups: Vec<CensusGroup>,
    /// All dumps that could be read.
    pub sightings: Vec<Sighting>,
    /// Dumps that could not be read.
    pub failed: u64,
    /// What is known of the code of builds.
    pub code: Code,
}

/// A group as the store has it.
#[derive(Clone, Debug, Default)]
pub struct CensusGroup {
    /// What the user calls it by.
    pub id: String,
    /// As the user named it.
    pub name: Option<String>,
    /// What the user said of it.
    pub state: State,
}

/// One dump that could be read. Indices are into the [`Census`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Sighting {
    /// The dump's row.
    pub dump: i64,
    /// Its group; `None` where nothing tells it from others.
    pub group: Option<usize>,
    /// The row of its trace.
    pub trace: i64,
    /// When and where.
    pub event: Event,
    /// The class of its cause.
    pub class: Option<usize>,
    /// How bad that is.
    pub severity: Option<usize>,
    /// Image of the frame to blame.
    pub module: Option<usize>,
    /// How sure the cause is.
    pub confidence: Option<Confidence>,
    /// Whether the core was whole.
    pub is_complete: bool,
}

/// How to look at it.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// The order of releases.
    pub order: Option<BuildOrder>,
    /// How much each ran.
    pub exposure: Option<Exposure>,
    /// Seconds since 1970; the newest dump, if not given.
    pub now: Option<i64>,
    /// Seconds of what is lately.
    pub window: Option<i64>,
    /// What is asked for.
    pub filter: Filter,
    /// What comes first.
    pub sort: Sort,
}

/// What comes first in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The highest rank.
    #[default]
    Rank,
    /// The most dumps.
    Count,
    /// Last seen last.
    Last,
    /// First seen last.
    First,
    /// The most urgent status.
    Status,
    /// The worst.
    Severity,
}

/// The list of groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Overview {
    /// `obit.top/1`.
    pub schema: String,
    /// The time that statuses are relative to: seconds since 1970.
    pub now: i64,
    /// Dumps that could be read, of those that were asked for.
    pub dumps: u64,
    /// Dumps that could not be read.
    pub failed: u64,
    /// Dumps that nothing tells from others, and that are in no group.
    pub without_group: u64,
    /// Groups that were asked for, before the list was cut.
    pub groups_total: u64,
    /// How many of these stand how.
    pub by_status: BTreeMap<Status, u64>,
    /// The groups.
    pub groups: Vec<GroupSummary>,
}

/// One group, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupSummary {
    /// `obit.group/1`.
    pub schema: String,
    /// What it is called by.
    pub id: String,
    /// As the user named it.
    pub name: Option<String>,
    /// Its most frequent signature.
    pub signature: String,
    /// How it stands.
    pub status: Status,
    /// Whether the newest release that has any dump has one of this group.
    pub in_latest: bool,
    /// Why it has that status, in words and numbers.
    pub reason: String,
    /// Whether the numbers leave no doubt of the status.
    pub is_sure: bool,
    /// How likely chance alone does that.
    pub p: Option<f64>,
    /// What became of the functions on its stack between the releases that did not show it
    /// and those that did, where their files were at hand: the innermost function first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFunction>,
    /// `open`, `resolved` or `ignored`, as the user said.
    pub state: String,
    /// The most frequent class of cause.
    pub class: Option<String>,
    /// How bad that is.
    pub severity: Option<String>,
    /// How sure the surest of its causes is.
    pub confidence: Option<Confidence>,
    /// What happened, in a line: of the crash that `example` names.
    pub title: Option<String>,
    /// Images of the frames to blame, the most frequent first.
    pub modules: Vec<String>,
    /// Programs that died, the most frequent first.
    pub programs: Vec<String>,
    /// Its dumps, of those that were asked for.
    pub count: u64,
    /// All its dumps.
    pub total: u64,
    /// Hosts.
    pub hosts: u64,
    /// The first of the dumps.
    pub first: Option<Moment>,
    /// The last of them.
    pub last: Option<Moment>,
    /// Releases of the program that died most, oldest first.
    pub releases: Vec<ReleaseCount>,
    /// Dumps over time.
    pub trend: Trend,
    /// What is looked at first.
    pub rank: Rank,
    /// The crash that tells most: the dump's id.
    pub example: Option<String>,
    /// The row of that dump.
    #[serde(skip)]
    pub example_row: Option<i64>,
    /// The row of its most frequent trace.
    #[serde(skip)]
    pub trace_row: Option<i64>,
    /// Its place in the census.
    #[serde(skip)]
    pub place: usize,
}

/// When, and in which build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: i64,
    /// The release.
    pub release: Option<String>,
    /// The build ID of the program.
    pub build: Option<String>,
}

/// What a release has of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReleaseCount {
    /// Its name.
    pub name: String,
    /// Build IDs.
    pub builds: Vec<String>,
    /// Dumps of the group.
    pub count: u64,
    /// Dumps of all groups.
    pub dumps: u64,
    /// How much it ran, in the user's unit.
    pub exposure: Option<f64>,
    /// Time of the first dump of the group.
    pub first: Option<i64>,
    /// Time of the last one.
    pub last: Option<i64>,
}

/// Dumps over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Trend {
    /// Where the first stretch begins: seconds since 1970.
    pub from: i64,
    /// Seconds of each.
    pub step: i64,
    /// Dumps in each.
    pub counts: Vec<u64>,
}

/// Programs of a census, and their releases.
pub(super) struct Programs {
    names: Vec<String>,
    pub(super) of_build: Vec<usize>,
    pub(super) releases: Vec<Releases>,
    times: Vec<Vec<i64>>,
    keep_states: Vec<bool>,
}

/// The groups of a census, as `options` ask for them.
pub fn overview(census: &mut Census, options: &ViewOptions) -> Overview {
    let newest = census.sightings.iter().map(|sighting| sighting.event.time).max();
    let now = options.now.or(newest).unwrap_or(0);
    count_dumps(census);
    let programs = Programs::of(census, options);
    let from = census.sightings.iter().map(|sighting| sighting.event.time).min().unwrap_or(now);
    let step = now.saturating_sub(from).max(0) / BUCKETS as i64 + 1;
    let mut of_group: Vec<Vec<&Sighting>> = vec![Vec::new(); census.groups.len()];
    let mut overview = Overview {
        schema: TOP_SCHEMA.to_owned(),
        now,
        failed: census.failed,
        ..Overview::default()
    };
    for sighting in &census.sightings {
        let group = sighting.group.and_then(|group| of_group.get_mut(group));
        let is_taken = || takes(&options.filter, sighting, census, &programs);
        match group {
            Some(group) => {
                overview.dumps += u64::from(is_taken());
                group.push(sighting);
            }
            None if is_taken() => {
                overview.dumps += 1;
                overview.without_group += 1;
            }
            None => {}
        }
    }
    let window = options.window.unwrap_or(WINDOW).max(1);
    for (place, members) in of_group.iter().enumerate().filter(|(_, all)| !all.is_empty()) {
        let mut taken = members.clone();
        if options.filter.selects_dumps() {
            taken.retain(|sighting| takes(&options.filter, sighting, census, &programs));
        }
        if taken.is_empty() {
            continue;
        }
        let verdict = verdict(members, &census.groups[place].state, census, &programs, now, window);
        let trend = Trend { from, step, counts: buckets(&taken, from, step) };
        let summary = summary(place, members.len(), &taken, verdict, trend, census, &programs);
        overview.groups.push(summary);
    }
    sort(&mut overview.groups, options.sort);
    overview.count();
    overview
}

/// Writes the list as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_overview(overview: &Overview, out: impl io::Write) -> io::Result<()> {
    write_json_line(overview, out)
}

/// Writes each group as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_group_lines(overview: &Overview, mut out: impl io::Write) -> io::Result<()> {
    overview.groups.iter().try_for_each(|group| write_json_line(group, &mut out))
}

impl Overview {
    /// Keeps the groups that are asked for by what is known of groups alone. To be called
    /// when signatures are filled in.
    pub fn retain(&mut self, filter: &Filter) {
        self.groups.retain(|group| {
            filter.takes_group(&GroupFacts {
                status: group.status,
                severity: group.severity.as_deref().unwrap_or_default(),
                count: group.count,
                signature: &group.signature,
            })
        });
        self.count();
    }

    /// Keeps the groups of these ids, and tells of their dumps alone.
    pub fn keep(&mut self, ids: &BTreeSet<String>) {
        self.groups.retain(|group| ids.contains(&group.id));
        self.dumps = self.groups.iter().map(|group| group.count).sum();
        self.without_group = 0;
        self.count();
    }

    fn count(&mut self) {
        self.groups_total = self.groups.len() as u64;
        self.by_status.clear();
        for group in &self.groups {
            *self.by_status.entry(group.status).or_default() += 1;
        }
    }
}

/// The programs of a census, whose builds' dumps are counted.
pub(super) fn programs_of(census: &mut Census, options: &ViewOptions) -> Programs {
    count_dumps(census);
    Programs::of(census, options)
}

fn count_dumps(census: &mut Census) {
    for build in &mut census.builds {
        (build.dumps, build.seen) = (0, None);
    }
    for sighting in &census.sightings {
        let Some(build) = census.builds.get_mut(sighting.event.build) else { continue };
        build.dumps += 1;
        let time = sighting.event.time;
        let (first, last) = build.seen.unwrap_or((time, time));
        build.seen = Some((first.min(time), last.max(time)));
    }
}

impl Programs {
    fn of(census: &Census, options: &ViewOptions) -> Self {
        let names: BTreeSet<&String> = census.builds.iter().map(|build| &build.program).collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let of_build: Vec<usize> = census
            .builds
            .iter()
            .map(|build| names.binary_search(&build.program).unwrap_or(0))
            .collect();
        let (order, exposure) = (options.order.as_ref(), options.exposure.as_ref());
        let releases =
            names.iter().map(|name| Releases::of(name, &census.builds, order, exposure)).collect();
        let mut times = vec![Vec::new(); names.len()];
        let mut keep_states = vec![false; names.len()];
        for sighting in &census.sightings {
            let program = of_build.get(sighting.event.build).copied();
            let group = sighting.group.and_then(|group| census.groups.get(group));
            let is_resolved = group.is_some_and(|g| matches!(g.state, State::Resolved { .. }));
            if let Some(keeps) = program.and_then(|program| keep_states.get_mut(program)) {
                *keeps |= is_resolved;
            }
            if let Some(times) = program.and_then(|program| times.get_mut(program)) {
                times.push(sighting.event.time);
            }
        }
        for times in &mut times {
            times.sort_unstable();
        }
        Self { names, of_build, releases, times, keep_states }
    }

    fn release_name(&self, build: usize) -> Option<&str> {
        let releases = self.releases.get(*self.of_build.get(build)?)?;
        Some(releases.list.get(releases.place(build)?)?.name.as_str())
    }
}

fn takes(filter: &Filter, sighting: &Sighting, census: &Census, programs: &Programs) -> bool {
    if !filter.selects_dumps() {
        return true;
    }
    let word =
        |at: Option<usize>| at.and_then(|at| census.words.get(at)).map_or("", String::as_str);
    let build = census.builds.get(sighting.event.build);
    let host = sighting.event.host.and_then(|host| census.hosts.get(host));
    filter.takes_dump(&DumpFacts {
        time: sighting.event.time,
        class: word(sighting.class),
        module: word(sighting.module),
        program: build.map_or("", |build| &build.program),
        build_id: build.map_or("", |build| &build.id),
        release: programs.release_name(sighting.event.build).unwrap_or_default(),
        host: host.map_or("", String::as_str),
    })
}

fn verdict(
    members: &[&Sighting],
    state: &State,
    census: &Census,
    programs: &Programs,
    now: i64,
    window: i64,
) -> Verdict {
    let mut by_program: BTreeMap<usize, Vec<Event>> = BTreeMap::new();
    for sighting in members {
        if let Some(program) = programs.of_build.get(sighting.event.build) {
            by_program.entry(*program).or_default().push(sighting.event);
        }
    }
    let verdicts = by_program.into_iter().map(|(at, events)| {
        let program = Program {
            builds: &census.builds,
            releases: &programs.releases[at],
            times: &programs.times[at],
            now,
            window,
            keeps_states: programs.keep_states[at],
        };
        judge(&events, state, &program, &group_code(members, &census.code, &program))
    });
    most_urgent(verdicts.collect())
}

/// What is known of the code on the stacks of the group's dumps in the newest release that
/// has any, and in the one before.
fn group_code<'c>(members: &[&Sighting], code: &'c Code, program: &Program<'_>) -> GroupCode<'c> {
    let mut stacks = Vec::new();
    if !code.stacks.is_empty() {
        let place = |sighting: &Sighting| program.releases.place(sighting.event.build);
        let places: BTreeSet<usize> = members.iter().filter_map(|s| place(s)).collect();
        let last: Vec<usize> = places.into_iter().rev().take(2).collect();
        for sighting in members {
            let build = sighting.event.build;
            let is_last = place(sighting).is_some_and(|place| last.contains(&place));
            let stack = code.stacks.get(&sighting.dump).filter(|_| is_last);
            let is_known = |(known, _): &(usize, _)| *known == build;
            if let Some(stack) = stack.filter(|_| !stacks.iter().any(is_known)) {
                stacks.push((build, stack.as_slice()));
            }
        }
    }
    GroupCode { code, stacks }
}

fn buckets(members: &[&Sighting], from: i64, step: i64) -> Vec<u64> {
    let mut counts = vec![0; BUCKETS];
    for sighting in members {
        let at = sighting.event.time.saturating_sub(from).max(0) / step.max(1);
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(BUCKETS - 1);
        counts[at] += 1;
    }
    counts
}

fn summary(
    place: usize,
    total: usize,
    taken: &[&Sighting],
    verdict: Verdict,
    trend: Trend,
    census: &Census,
    programs: &Programs,
) -> GroupSummary {
    let group = &census.groups[place];
    let word = |at: usize| census.words.get(at).cloned();
    let class = by_frequency(taken.iter().filter_map(|s| s.class)).first().copied();
    let of_class = || taken.iter().filter(|s| s.class == class);
    let severity = by_frequency(of_class().filter_map(|s| s.severity)).first().copied();
    let confidence = of_class().filter_map(|s| s.confidence).max();
    let modules = by_frequency(taken.iter().filter_map(|s| s.module));
    let program_of = |s: &&Sighting| programs.of_build.get(s.event.build).copied();
    let of_programs = by_frequency(taken.iter().filter_map(program_of));
    let hosts: BTreeSet<usize> = taken.iter().filter_map(|s| s.event.host).collect();
    let moment = |sighting: Option<&&Sighting>| {
        sighting.map(|sighting| Moment {
            time: sighting.event.time,
            release: programs.release_name(sighting.event.build).map(str::to_owned),
            build: census.builds.get(sighting.event.build).map(|build| build.id.clone()),
        })
    };
    // Whole, of the class that is told, the surest, and the newest of them.
    let example = taken
        .iter()
        .max_by_key(|s| (s.is_complete, s.class == class, s.confidence, s.event.time, s.dump));
    let severity = severity.and_then(word);
    let main = of_programs.first().copied();
    GroupSummary {
        schema: GROUP_SCHEMA.to_owned(),
        id: group.id.clone(),
        name: group.name.clone(),
        signature: String::new(),
        rank: Rank::of(severity.as_deref(), taken.len() as u64, &verdict, confidence),
        status: verdict.status,
        in_latest: verdict.in_latest,
        reason: verdict.reason,
        is_sure: verdict.is_sure,
        p: verdict.p,
        changed: verdict.changed,
        state: match group.state {
            State::Open => "open",
            State::Resolved { .. } => "resolved",
            State::Ignored => "ignored",
        }
        .to_owned(),
        class: class.and_then(word),
        severity,
        confidence,
        title: None,
        modules: modules.into_iter().take(8).filter_map(word).collect(),
        programs: of_programs
            .iter()
            .take(8)
            .filter_map(|at| programs.names.get(*at).cloned())
            .collect(),
        count: taken.len() as u64,
        total: total as u64,
        hosts: hosts.len() as u64,
        first: moment(taken.iter().min_by_key(|s| (s.event.time, s.dump))),
        last: moment(taken.iter().max_by_key(|s| (s.event.time, s.dump))),
        releases: main
            .map_or_else(Vec::new, |main| release_counts(&programs.releases[main], taken, census)),
        trend,
        example: None,
        example_row: example.map(|s| s.dump),
        trace_row: by_frequency(taken.iter().map(|s| s.trace)).first().copied(),
        place,
    }
}

fn release_counts(releases: &Releases, taken: &[&Sighting], census: &Census) -> Vec<ReleaseCount> {
    let mut counts: Vec<ReleaseCount> = releases
        .list
        .iter()
        .map(|release| ReleaseCount {
            name: release.name.clone(),
            builds: release
                .builds
                .iter()
                .filter_map(|at| census.builds.get(*at).map(|build| build.id.clone()))
                .collect(),
            dumps: release.dumps,
            exposure: release.exposure,
            ..ReleaseCount::default()
        })
        .collect();
    for sighting in taken {
        let count = releases.place(sighting.event.build).and_then(|at| counts.get_mut(at));
        let Some(count) = count else { continue };
        let time = sighting.event.time;
        count.count += 1;
        count.first = Some(count.first.map_or(time, |first| first.min(time)));
        count.last = Some(count.last.map_or(time, |last| last.max(time)));
    }
    counts
}

/// The different items, the most frequent first.
fn by_frequency<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let mut items: Vec<(T, u64)> = counts.into_iter().collect();
    items.sort_by_key(|(item, count)| (std::cmp::Reverse(*count), *item));
    items.into_iter().map(|(item, _)| item).collect()
}

fn sort(groups: &mut [GroupSummary], by: Sort) {
    use std::cmp::Reverse;
    let time = |moment: &Option<Moment>| moment.as_ref().map_or(i64::MIN, |moment| moment.time);
    // Of equal ones the higher rank goes first, and ids decide in the end.
    groups.sort_by(|a, b| b.rank.score.total_cmp(&a.rank.score).then_with(|| a.id.cmp(&b.id)));
    match by {
        Sort::Rank => {}
        Sort::Count => groups.sort_by_key(|group| Reverse(group.count)),
        Sort::Last => groups.sort_by_key(|group| Reverse(time(&group.last))),
        Sort::First => groups.sort_by_key(|group| Reverse(time(&group.first))),
        Sort::Status => groups.sort_by_key(|group| group.status),
        Sort::Severity => groups.sort_by_key(|group| {
            let severity = group.severity.as_deref().unwrap_or_default();
            Reverse(SEVERITIES.iter().position(|word| *word == severity))
        }),
    }
}
