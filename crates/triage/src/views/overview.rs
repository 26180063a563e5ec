//! The groups of a census, with their history, rank and numbers.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use super::filter::{DumpFacts, Filter};
use super::options::{Sort, ViewOptions};
use super::rank::Rank;
use super::series::Axis;
use super::summary::{
    GROUP_SCHEMA, GroupSummary, Moment, Overview, ReleaseCount, TOP_SCHEMA, Trend,
};
use crate::census::{Census, Programs, Sighting};
use crate::history::{
    CodeHashes, CommonFunctions, Event, GroupCode, HeapDamage, HourCounts, ProgramHistory,
    Releases, State, Status, Verdict, WINDOW, judge, may_surge, most_urgent,
};
use obit_report::Severity;

/// Threads that judge groups, at most, and groups that are worth one.
const MOST_THREADS: usize = 4;
const LEAST_SHARE: usize = 1_000;
/// Stretches of time that a trend has.
const BUCKETS: usize = 16;

/// The groups of a census in their order, each in short: what orders and selects them is
/// known of all, and the rest of those that are shown ([`Ranked::complete`]).
pub(crate) struct Ranked<'c> {
    /// The groups, without what only a shown one needs.
    pub(crate) overview: Overview,
    pub(super) census: &'c Census,
    pub(super) programs: Programs,
    pub(super) heap: HeapDamage,
    pub(super) members: Members<'c>,
    /// Groups of which a dump has a stack whose code may be known.
    pub(super) with_code: BTreeSet<usize>,
    pub(super) options: &'c ViewOptions,
    /// The time that statuses are relative to.
    pub(super) now: i64,
    /// The time after which dumps are left out, if any are.
    pub(super) cut: Option<i64>,
    /// Where trends begin, and the length of a stretch.
    trend: (i64, i64),
    axis: Axis,
    totals: Totals,
}

/// The dumps of each group, in the order of the census.
pub(super) struct Members<'c> {
    all: Vec<&'c Sighting>,
    /// Where those of each group begin, and behind the last one the end.
    starts: Vec<usize>,
}

impl<'c> Members<'c> {
    fn of(census: &'c Census) -> Self {
        let mut starts = vec![0_usize; census.groups.len() + 1];
        let places = || census.sightings.iter().filter_map(|s| Some((s, s.group?)));
        for (_, group) in places() {
            if let Some(count) = starts.get_mut(group + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut all: Vec<Option<&Sighting>> = vec![None; sum];
        for (sighting, group) in places() {
            let Some(at) = next.get_mut(group) else { continue };
            if let Some(slot) = all.get_mut(*at) {
                *slot = Some(sighting);
            }
            *at += 1;
        }
        Self { all: all.into_iter().flatten().collect(), starts }
    }

    pub(super) fn of_group(&self, group: usize) -> &[&'c Sighting] {
        let range = self.starts.get(group).zip(self.starts.get(group + 1));
        range.and_then(|(start, end)| self.all.get(*start..*end)).unwrap_or_default()
    }
}

/// The groups of a census, as `options` ask for them; of all groups, or of those `only`.
pub(crate) fn ranked<'c>(
    census: &'c mut Census,
    options: &'c ViewOptions,
    only: Option<&BTreeSet<String>>,
) -> Ranked<'c> {
    let newest = census.sightings.iter().map(|sighting| sighting.event.time).max();
    let now = options.now.or(newest).unwrap_or(0);
    census.sightings.retain(|sighting| sighting.event.time <= now);
    census.count_dumps();
    let census: &'c Census = census;
    let from = census.sightings.iter().map(|sighting| sighting.event.time).min().unwrap_or(now);
    let (start, end) = span(from, now, options);
    let programs = Programs::of(census, options.order.as_ref(), options.exposure.as_deref());
    let heap = heap_damage(census, &programs);
    let mut ranked = Ranked {
        overview: Overview {
            schema: TOP_SCHEMA.to_owned(),
            now,
            since: options.first_time(),
            until: options.end_time(),
            newest,
            before: options.compared_until.map(|_| 0),
            failed: census.failed,
            ..Overview::default()
        },
        totals: Totals { of_program: vec![0; programs.names.len()], all: 0 },
        programs,
        heap,
        members: Members::of(census),
        with_code: census.with_stacks().filter_map(|(sighting, _)| sighting.group).collect(),
        census,
        options,
        now,
        cut: newest.filter(|newest| *newest > now).map(|_| now),
        trend: (start, end.saturating_sub(start).max(0) / BUCKETS as i64 + 1),
        axis: Axis::new(start, end, options.per),
    };
    ranked.count_dumps();
    let wanted: Vec<usize> = match only {
        Some(only) => {
            let groups = census.groups.iter().enumerate();
            groups.filter(|(_, group)| only.contains(&group.id)).map(|(place, _)| place).collect()
        }
        None => (0..census.groups.len()).collect(),
    };
    ranked.overview.groups = ranked.all_in_short(&wanted);
    sort(&mut ranked.overview.groups, options.sort);
    ranked.overview.count();
    ranked
}

impl<'c> Ranked<'c> {
    /// The groups at these places that have a dump that is asked for. Each is judged by
    /// itself, so of many some are at the same time.
    fn all_in_short(&self, places: &[usize]) -> Vec<GroupSummary> {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let share = places.len().div_ceil(threads.min(MOST_THREADS)).max(LEAST_SHARE);
        let in_short = |places: &[usize]| -> Vec<GroupSummary> {
            places.iter().filter_map(|place| self.in_short(*place)).collect()
        };
        std::thread::scope(|scope| {
            let mut shares = places.chunks(share);
            let first = shares.next().unwrap_or_default();
            let others: Vec<_> =
                shares.map(|places| (places, scope.spawn(move || in_short(places)))).collect();
            let mut groups = in_short(first);
            for (places, other) in others {
                groups.append(&mut other.join().unwrap_or_else(|_| in_short(places)));
            }
            groups
        })
    }

    fn in_short(&self, place: usize) -> Option<GroupSummary> {
        let group = self.census.groups.get(place)?;
        let members = self.members.of_group(place);
        let taken = self.taken(place);
        if taken.is_empty() {
            return None;
        }
        let verdict = self.verdict(place, &group.state, false);
        let mut summary = in_short(place, members.len(), &taken, verdict, self.census);
        // As the status, of all dumps of the group.
        let (now, window) = (self.now, self.window());
        let dated = || members.iter().filter(|sighting| sighting.is_dated).map(|s| s.event.time);
        if may_surge(dated(), now, window) {
            summary.surge = HourCounts::of(dated()).surge(now, window);
        }
        let before = || members.iter().filter(|sighting| self.is_before(sighting)).count() as u64;
        summary.before = self.overview.before.map(|_| before());
        Some(summary)
    }

    /// What the groups are of.
    pub(crate) fn census(&self) -> &'c Census {
        self.census
    }

    /// The dumps of a group that are asked for.
    fn taken(&self, place: usize) -> Cow<'_, [&'c Sighting]> {
        let members = self.members.of_group(place);
        if !self.options.selects_dumps() {
            return Cow::Borrowed(members);
        }
        Cow::Owned(members.iter().copied().filter(|sighting| self.takes(sighting)).collect())
    }

    /// Counts the dumps that are asked for, and those of the period before.
    fn count_dumps(&mut self) {
        let mut times = Vec::new();
        for sighting in &self.census.sightings {
            let time = sighting.event.time;
            self.overview.in_period += u64::from(self.options.has_in_period(time));
            if self.takes(sighting) {
                times.push(time);
                self.overview.dumps += 1;
                self.overview.without_group += u64::from(sighting.group.is_none());
                let program = self.programs.of_build.get(sighting.event.build);
                if let Some(count) = program.and_then(|at| self.totals.of_program.get_mut(*at)) {
                    *count += 1;
                }
            }
            let is_before = self.is_before(sighting);
            if let Some(before) = &mut self.overview.before {
                *before += u64::from(is_before);
            }
        }
        self.overview.series = self.axis.series(times.into_iter());
        self.totals.all = self.overview.dumps;
    }

    /// Whether a dump is asked for.
    pub(crate) fn takes(&self, sighting: &Sighting) -> bool {
        self.options.takes_time(sighting.event.time) && self.matches(sighting)
    }

    /// Whether a dump would be asked for if the period were the one before.
    fn is_before(&self, sighting: &Sighting) -> bool {
        self.options.is_before(sighting.event.time) && self.matches(sighting)
    }

    fn matches(&self, sighting: &Sighting) -> bool {
        matches(&self.options.filter, sighting, self.census, &self.programs)
    }

    /// Fills in what a group that is shown needs beside what orders it.
    pub(crate) fn complete(&self, group: &mut GroupSummary) {
        let taken = self.taken(group.place);
        complete(group, &taken, self.trend, self.census, &self.programs);
        self.add_beginning(group, &taken);
        group.series = self.axis.series(taken.iter().map(|sighting| sighting.event.time));
        self.totals.share(group, &taken, &self.programs);
        self.explain(group);
    }

    /// Fills in the reason for the status.
    pub(crate) fn explain(&self, group: &mut GroupSummary) {
        if let Some(known) = self.census.groups.get(group.place) {
            group.reason = self.verdict(group.place, &known.state, true).reason;
        }
    }

    pub(super) fn window(&self) -> i64 {
        self.options.window.unwrap_or(WINDOW).max(1)
    }

    fn verdict(&self, place: usize, state: &State, is_worded: bool) -> Verdict {
        let members = self.members.of_group(place);
        let (now, window) = (self.now, self.window());
        let has_code = self.with_code.contains(&place);
        let how = (is_worded, has_code);
        let of = (&self.programs, &self.heap);
        verdict(members, (place, state), self.census, of, (now, window), how)
    }
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

fn heap_damage(census: &Census, programs: &Programs) -> HeapDamage {
    let mut found = HeapDamage::default();
    for sighting in &census.sightings {
        let class = sighting.class.and_then(|at| census.words.get(at));
        let program = programs.of_build.get(sighting.event.build);
        if let (Some(class), Some(program), Some(group)) = (class, program, sighting.group) {
            found.add(*program, group, class, sighting.event.time);
        }
    }
    found
}

fn verdict(
    members: &[&Sighting],
    (group, state): (usize, &State),
    census: &Census,
    (programs, heap): (&Programs, &HeapDamage),
    (now, window): (i64, i64),
    (is_worded, has_code): (bool, bool),
) -> Verdict {
    let mut by_program: BTreeMap<usize, Vec<Event>> = BTreeMap::new();
    for sighting in members {
        if let Some(program) = programs.of_build.get(sighting.event.build) {
            by_program.entry(*program).or_default().push(sighting.event);
        }
    }
    let verdicts = by_program.into_iter().map(|(at, events)| {
        let program = programs.history(at, census, (now, window), is_worded);
        // Damage is found by functions that have nothing to do with it.
        let has_code = has_code && !heap.has(group);
        let place = |s: &Sighting| program.releases.place(s.event.build);
        let places: BTreeSet<usize> = members.iter().filter_map(|s| place(s)).collect();
        let last: Vec<usize> = places.into_iter().rev().take(2).filter(|_| has_code).collect();
        let code = group_code(members, &last, &census.code, &programs.common[at], &program);
        let verdict = judge(&events, state, &program, &code);
        let is_open = matches!(state, State::Open);
        if is_open { heap.doubted(verdict, at, group, &events) } else { verdict }
    });
    most_urgent(verdicts.collect())
}

/// What is known of the code on the stacks of the group's dumps in the releases of `places`.
pub(super) fn group_code<'c>(
    members: &[&Sighting],
    places: &[usize],
    code: &'c CodeHashes,
    common: &'c CommonFunctions,
    program: &ProgramHistory<'_>,
) -> GroupCode<'c> {
    let mut stacks = Vec::new();
    if !places.is_empty() {
        for sighting in members {
            let build = sighting.event.build;
            let place = program.releases.place(build);
            let is_wanted = place.is_some_and(|place| places.contains(&place));
            let stack = code.stacks.get(&sighting.dump).filter(|_| is_wanted);
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

/// What orders and selects groups, and what is available then.
fn in_short(
    place: usize,
    total: usize,
    taken: &[&Sighting],
    verdict: Verdict,
    census: &Census,
) -> GroupSummary {
    let group = &census.groups[place];
    let word = |at: usize| census.words.get(at).cloned();
    let class = most_frequent(taken.iter().filter_map(|s| s.class));
    let of_class = || taken.iter().filter(|s| s.class == class);
    let severity = most_frequent(of_class().filter_map(|s| s.severity)).and_then(word);
    let confidence = of_class().filter_map(|s| s.confidence).max();
    let moment = |sighting: Option<&&Sighting>| {
        sighting.map(|sighting| Moment { time: sighting.event.time, ..Moment::default() })
    };
    GroupSummary {
        id: group.id.clone(),
        name: group.name.clone(),
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
        count: taken.len() as u64,
        total: total as u64,
        first: moment(taken.iter().min_by_key(|s| (s.event.time, s.tie))),
        last: moment(taken.iter().max_by_key(|s| (s.event.time, s.tie))),
        key_row: most_frequent(taken.iter().map(|s| census.place_of_key(s.key)))
            .map(|(_, key)| key),
        place,
        ..GroupSummary::default()
    }
}

/// The rest of a group: what takes the time and the memory of a long list.
fn complete(
    group: &mut GroupSummary,
    taken: &[&Sighting],
    (from, step): (i64, i64),
    census: &Census,
    programs: &Programs,
) {
    let word = |at: usize| census.words.get(at).cloned();
    let class = most_frequent(taken.iter().filter_map(|s| s.class));
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
        .max_by_key(|s| (s.is_complete, s.class == class, s.confidence, s.event.time, s.tie));
    let main = of_programs.first().copied();
    group.schema = GROUP_SCHEMA.to_owned();
    group.modules = modules.into_iter().take(8).filter_map(word).collect();
    group.programs =
        of_programs.iter().take(8).filter_map(|at| programs.names.get(*at).cloned()).collect();
    group.hosts = hosts.len() as u64;
    group.first = moment(taken.iter().min_by_key(|s| (s.event.time, s.tie)));
    group.last = moment(taken.iter().max_by_key(|s| (s.event.time, s.tie)));
    group.releases =
        main.map_or_else(Vec::new, |main| release_counts(&programs.releases[main], taken, census));
    group.trend = Trend { from, step, counts: buckets(taken, from, step) };
    group.example_row = example.map(|s| s.dump);
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
pub(super) fn by_frequency<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let mut items: Vec<(T, u64)> = counts.into_iter().collect();
    items.sort_by_key(|(item, count)| (std::cmp::Reverse(*count), *item));
    items.into_iter().map(|(item, _)| item).collect()
}

/// The first of [`by_frequency`]. Most groups have one of a kind.
fn most_frequent<T: Ord + Copy>(mut items: impl Iterator<Item = T> + Clone) -> Option<T> {
    let all = items.clone();
    let first = items.next()?;
    if items.all(|item| item == first) {
        return Some(first);
    }
    by_frequency(all).first().copied()
}

fn sort(groups: &mut Vec<GroupSummary>, by: Sort) {
    let time = |moment: &Option<Moment>| moment.as_ref().map_or(i64::MIN, |moment| moment.time);
    let severity = |group: &GroupSummary| group.severity.as_deref().and_then(Severity::named);
    let order = |a: &GroupSummary, b: &GroupSummary| {
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
    };
    // Groups are large: each is moved once.
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(groups.len());
    places.extend(groups.iter().enumerate().map(|(at, group)| (group.rank.score, at)));
    places.sort_by(|(one, a), (other, b)| {
        let by_rank = if by == Sort::Rank { other.total_cmp(one) } else { Ordering::Equal };
        by_rank.then_with(|| order(&groups[*a], &groups[*b]))
    });
    *groups = places.into_iter().map(|(_, at)| std::mem::take(&mut groups[at])).collect();
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
