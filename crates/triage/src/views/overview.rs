//! The groups of a census, with their history, rank and numbers.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::filter::{DumpFacts, Filter};
use super::options::{Sort, ViewOptions};
use super::rank::Rank;
use super::series::{Axis, Series};
use super::summary::{
    GROUP_SCHEMA, GroupSummary, Moment, Overview, ReleaseCount, TOP_SCHEMA, Trend,
};
use crate::census::{Census, Programs, Sighting};
use crate::history::{
    CodeHashes, CommonFunctions, Event, GroupCode, HourCounts, ProgramHistory, Releases, State,
    Status, Verdict, WINDOW, judge, most_urgent,
};
use obit_report::Severity;

/// Stretches of time that a trend has.
const BUCKETS: usize = 16;

/// The groups of a census, as `options` ask for them.
pub(crate) fn overview(census: &mut Census, options: &ViewOptions) -> Overview {
    let newest = census.sightings.iter().map(|sighting| sighting.event.time).max();
    let now = options.now.or(newest).unwrap_or(0);
    census.sightings.retain(|sighting| sighting.event.time <= now);
    census.count_dumps();
    let programs = Programs::of(census, options.order.as_ref(), options.exposure.as_ref());
    let from = census.sightings.iter().map(|sighting| sighting.event.time).min().unwrap_or(now);
    let (start, end) = span(from, now, options);
    let step = end.saturating_sub(start).max(0) / BUCKETS as i64 + 1;
    let axis = Axis::new(start, end, options.per);
    let mut of_group: Vec<Vec<&Sighting>> = vec![Vec::new(); census.groups.len()];
    let mut overview = Overview {
        schema: TOP_SCHEMA.to_owned(),
        now,
        since: options.first_time(),
        until: options.end_time(),
        newest,
        before: options.compared_until.map(|_| 0),
        failed: census.failed,
        ..Overview::default()
    };
    let mut of_program = vec![0; programs.names.len()];
    let mut times = Vec::new();
    for sighting in &census.sightings {
        overview.in_period += u64::from(options.has_in_period(sighting.event.time));
        let is_taken = takes(options, sighting, census, &programs);
        if is_taken {
            overview.dumps += 1;
            times.push(sighting.event.time);
            let program = programs.of_build.get(sighting.event.build);
            if let Some(count) = program.and_then(|program| of_program.get_mut(*program)) {
                *count += 1;
            }
        }
        if let Some(before) = &mut overview.before {
            *before += u64::from(is_before(options, sighting, census, &programs));
        }
        match sighting.group.and_then(|group| of_group.get_mut(group)) {
            Some(group) => group.push(sighting),
            None => overview.without_group += u64::from(is_taken),
        }
    }
    overview.series = axis.series(times.into_iter());
    let totals = Totals { of_program, all: overview.dumps };
    let window = options.window.unwrap_or(WINDOW).max(1);
    for (place, members) in of_group.iter().enumerate().filter(|(_, all)| !all.is_empty()) {
        let mut taken = members.clone();
        if options.selects_dumps() {
            taken.retain(|sighting| takes(options, sighting, census, &programs));
        }
        if taken.is_empty() {
            continue;
        }
        let verdict = verdict(members, &census.groups[place].state, census, &programs, now, window);
        let trend = Trend { from: start, step, counts: buckets(&taken, start, step) };
        let mut summary = summary(place, members.len(), &taken, verdict, trend, census, &programs);
        summary.series = axis.series(taken.iter().map(|sighting| sighting.event.time));
        totals.share(&mut summary, &taken, &programs);
        // As the status, of all dumps of the group.
        let dated = members.iter().filter(|sighting| sighting.is_dated);
        let hours = HourCounts::of(dated.map(|sighting| sighting.event.time));
        summary.surge = hours.surge(now, window);
        summary.before = overview.before.map(|_| {
            let is_before = |s: &&&Sighting| is_before(options, s, census, &programs);
            members.iter().filter(is_before).count() as u64
        });
        overview.groups.push(summary);
    }
    sort(&mut overview.groups, options.sort);
    overview.count();
    overview
}

/// The time that trends show: from the first dump or the start of the period that is asked
/// for to its end or now.
fn span(first: i64, now: i64, options: &ViewOptions) -> (i64, i64) {
    let start = options.first_time().map_or(first, |since| since.max(first));
    let end = options.end_time().map_or(now, |until| until.saturating_sub(1).min(now));
    (start.min(end), end)
}

/// Dumps that were asked for.
struct Totals {
    of_program: Vec<u64>,
    all: u64,
}

impl Totals {
    /// Fills in which part of them the group has.
    fn share(&self, group: &mut GroupSummary, taken: &[&Sighting], programs: &Programs) {
        let part = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
        group.share_of_all = part(group.count, self.all);
        let program_of = |sighting: &Sighting| programs.of_build.get(sighting.event.build).copied();
        let main = by_frequency(taken.iter().filter_map(|s| program_of(s))).first().copied();
        let count = taken.iter().filter(|s| program_of(s) == main).count() as u64;
        let of = main.and_then(|main| self.of_program.get(main)).copied();
        group.share_of_program = of.and_then(|of| part(count, of));
    }
}

/// Whether a dump is asked for.
fn takes(options: &ViewOptions, sighting: &Sighting, census: &Census, programs: &Programs) -> bool {
    options.takes_time(sighting.event.time) && matches(&options.filter, sighting, census, programs)
}

/// Whether a dump would be asked for if the period were the one before.
fn is_before(
    options: &ViewOptions,
    sighting: &Sighting,
    census: &Census,
    programs: &Programs,
) -> bool {
    options.is_before(sighting.event.time) && matches(&options.filter, sighting, census, programs)
}

fn matches(filter: &Filter, sighting: &Sighting, census: &Census, programs: &Programs) -> bool {
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
        let program = ProgramHistory {
            builds: &census.builds,
            releases: &programs.releases[at],
            times: &programs.times[at],
            now,
            window,
            keeps_states: programs.keep_states[at],
        };
        judge(
            &events,
            state,
            &program,
            &group_code(members, &census.code, &programs.common[at], &program),
        )
    });
    most_urgent(verdicts.collect())
}

/// What is known of the code on the stacks of the group's dumps in the newest release that
/// has any, and in the one before.
fn group_code<'c>(
    members: &[&Sighting],
    code: &'c CodeHashes,
    common: &'c CommonFunctions,
    program: &ProgramHistory<'_>,
) -> GroupCode<'c> {
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
    GroupCode { code, stacks, common }
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
    // Whole, of the class that is shown, the surest, and the newest of them.
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
        state: group.state.word().to_owned(),
        assignee: group.assignee.clone(),
        link: group.link.clone(),
        class: class.and_then(word),
        severity,
        confidence,
        title: None,
        headline: None,
        modules: modules.into_iter().take(8).filter_map(word).collect(),
        programs: of_programs
            .iter()
            .take(8)
            .filter_map(|at| programs.names.get(*at).cloned())
            .collect(),
        count: taken.len() as u64,
        total: total as u64,
        before: None,
        share_of_program: None,
        share_of_all: None,
        hosts: hosts.len() as u64,
        first: moment(taken.iter().min_by_key(|s| (s.event.time, s.dump))),
        last: moment(taken.iter().max_by_key(|s| (s.event.time, s.dump))),
        releases: main
            .map_or_else(Vec::new, |main| release_counts(&programs.releases[main], taken, census)),
        trend,
        series: Series::default(),
        surge: None,
        example: None,
        example_row: example.map(|s| s.dump),
        key_row: by_frequency(taken.iter().map(|s| s.key)).first().copied(),
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
    let time = |moment: &Option<Moment>| moment.as_ref().map_or(i64::MIN, |moment| moment.time);
    let severity = |group: &GroupSummary| group.severity.as_deref().and_then(Severity::named);
    groups.sort_by(|a, b| {
        let order = match by {
            Sort::Rank => Ordering::Equal,
            Sort::Count => b.count.cmp(&a.count),
            Sort::Last => time(&b.last).cmp(&time(&a.last)),
            Sort::First => time(&b.first).cmp(&time(&a.first)),
            Sort::Status => a.status.cmp(&b.status),
            Sort::Severity => severity(b).cmp(&severity(a)),
        };
        // Of equal ones the higher rank goes first, and ids decide in the end.
        order.then(b.rank.score.total_cmp(&a.rank.score)).then_with(|| a.id.cmp(&b.id))
    });
    // What is read first has to be right.
    let is_weak = |group: &GroupSummary| !group.is_sure;
    if by == Sort::Rank
        && groups.first().is_some_and(is_weak)
        && let Some(sure) =
            groups.iter().position(|group| group.is_sure && group.status < Status::Resolved)
    {
        groups[..=sure].rotate_right(1);
    }
}
