//! What became of a group over time and builds. No clock and no store: the same crashes
//! have the same history.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{Change, ChangedFunction, Evidence, GroupCode};
use super::release::{Release, Releases};
use super::trend::{ABSENCE_P, Rate, TREND_COUNT, TREND_P, TREND_RATIO, p_of_fewer, p_of_more};

/// What is known of one build of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The build ID of the program; empty where it has none.
    pub id: String,
    /// The program's name.
    pub program: String,
    /// The version of its package, or one its path names.
    pub version: Option<String>,
    /// How it was made, where its path tells: `debug`, `release`.
    pub variant: Option<String>,
    /// Time of its first and last dump, seconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Its dumps, of all groups.
    pub dumps: u64,
}

/// One crash, as history sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Seconds since 1970.
    pub time: i64,
    /// When it came into the store, seconds since 1970.
    pub added: i64,
    /// Index of the build.
    pub build: usize,
    /// Index of the host, where it is known.
    pub host: Option<usize>,
}

/// What the user said of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    #[default]
    Open,
    /// It is mended in this build and later ones, or from that time on.
    Resolved {
        /// Build ID or version.
        in_build: Option<String>,
        /// When that was said, seconds since 1970.
        at: i64,
    },
    /// Nobody wants to hear of it.
    Ignored,
}

/// How a group stands, in one word.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was gone, or said to be mended, and is back.
    Regressed,
    /// Seen in the newest release, or in the last days, for the first time.
    New,
    /// It comes more often than before, and chance does not explain that.
    Increasing,
    /// It goes on.
    #[default]
    Active,
    /// Not seen in the newest release, or far less.
    Fading,
    /// Said to be mended, and not seen since.
    Resolved,
    /// Nobody wants to hear of it.
    Ignored,
}

impl Status {
    /// All, the most urgent first.
    pub const ALL: [Self; 7] = [
        Self::Regressed,
        Self::New,
        Self::Increasing,
        Self::Active,
        Self::Fading,
        Self::Resolved,
        Self::Ignored,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::New => "new",
            Self::Increasing => "increasing",
            Self::Active => "active",
            Self::Fading => "fading",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// The status of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// A status, and what it rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The word.
    pub status: Status,
    /// Whether the newest release that has any dump has one of this group.
    pub in_latest: bool,
    /// Whether the numbers leave no doubt of it.
    pub is_sure: bool,
    /// Why, in words and numbers.
    pub reason: String,
    /// How likely chance alone does that; `None` where nothing had to be tested.
    pub p: Option<f64>,
    /// What became of the functions on its stack, where that was looked at.
    pub changed: Vec<ChangedFunction>,
}

/// The program that a group is judged in.
#[derive(Clone, Copy, Debug)]
pub struct Program<'p> {
    /// All its builds, and perhaps those of others.
    pub builds: &'p [Build],
    /// Its releases.
    pub releases: &'p Releases,
    /// Times of all its dumps, in order.
    pub times: &'p [i64],
    /// The newest dump of the store, or what the user says is now.
    pub now: i64,
    /// Seconds of what is lately.
    pub window: i64,
    /// Whether the user says of groups of this program when they are resolved. Then weak
    /// evidence alone makes none regressed.
    pub keeps_states: bool,
}

/// Seconds of what is lately, unless the user says otherwise.
pub const WINDOW: i64 = 7 * 86_400;
/// What is lately is compared with so many times its length before it.
const WINDOWS_BEFORE: i64 = 3;

/// How a group stands of which `events` are the dumps in this program, and `code` what is
/// known of its functions there.
pub fn judge(
    events: &[Event],
    state: &State,
    program: &Program<'_>,
    code: &GroupCode<'_>,
) -> Verdict {
    let seen = Seen::of(events, program);
    let mut verdict = match state {
        State::Ignored => sure(Status::Ignored, "as the user said".to_owned()),
        State::Resolved { in_build, at } => resolved(events, in_build.as_deref(), *at, program),
        State::Open => {
            let told = by_release(&seen, program, code);
            let mut verdict = told
                .verdict
                .or_else(|| lately(events, &seen, program))
                .unwrap_or_else(|| going_on(&seen, program));
            verdict.reason.push_str(&told.and_code);
            verdict.changed = told.changed;
            verdict
        }
    };
    verdict.in_latest = seen.newest_count() > 0;
    verdict
}

/// The verdict for a group that several programs have: the most urgent.
pub fn most_urgent(verdicts: Vec<Verdict>) -> Verdict {
    let in_latest = verdicts.iter().any(|verdict| verdict.in_latest);
    // What is new to one program is not new.
    let is_new = |verdict: &Verdict| verdict.status == Status::New;
    let mut verdicts = verdicts;
    if !verdicts.iter().all(is_new) {
        for verdict in verdicts.iter_mut().filter(|verdict| is_new(verdict)) {
            verdict.status = Status::Active;
            verdict.reason = format!("{}; another program had it before", verdict.reason);
        }
    }
    let worst = verdicts.into_iter().min_by_key(|verdict| verdict.status);
    Verdict { in_latest, ..worst.unwrap_or_default() }
}

/// Dumps of a group by release.
struct Seen {
    counts: Vec<u64>,
    /// Variants it was seen in, where all its builds tell theirs.
    variants: Option<BTreeSet<String>>,
    newest: Option<usize>,
}

impl Seen {
    fn of(events: &[Event], program: &Program<'_>) -> Self {
        let mut counts = vec![0; program.releases.list.len()];
        let mut builds = BTreeSet::new();
        for event in events {
            if let Some(count) =
                program.releases.place(event.build).and_then(|place| counts.get_mut(place))
            {
                *count += 1;
            }
            builds.insert(event.build);
        }
        let variants = builds
            .iter()
            .map(|at| program.builds.get(*at).and_then(|build| build.variant.clone()))
            .collect();
        Self { counts, variants, newest: program.releases.newest() }
    }

    fn newest_count(&self) -> u64 {
        self.newest.and_then(|newest| self.counts.get(newest)).copied().unwrap_or(0)
    }

    /// Whether the release could have shown the group: it was used, and one of its builds
    /// was made like one that the group was seen in.
    fn is_comparable(&self, release: &Release) -> bool {
        let used = release.dumps > 0 || release.exposure.is_some_and(|hours| hours > 0.0);
        let alike = match &self.variants {
            Some(variants) if !release.variants.is_empty() => {
                variants.iter().any(|variant| release.variants.contains(variant))
            }
            _ => true,
        };
        used && alike
    }
}

fn sure(status: Status, reason: String) -> Verdict {
    Verdict { status, is_sure: true, reason, ..Verdict::default() }
}

/// After the user said that it is mended: a later dump of that release, or any of a later
/// one, says that it is not.
fn resolved(events: &[Event], in_build: Option<&str>, at: i64, program: &Program<'_>) -> Verdict {
    let Some(name) = in_build else {
        let since = events.iter().filter(|event| event.time > at).count();
        return if since == 0 {
            sure(Status::Resolved, "as the user said; not seen since".to_owned())
        } else {
            let dumps = dumps(since as u64);
            sure(Status::Regressed, format!("said to be resolved; {dumps} since"))
        };
    };
    let Some(mended) = program.releases.named(name, program.builds) else {
        return sure(Status::Resolved, format!("in {name}, of which there is no dump yet"));
    };
    let is_later = |event: &&Event| {
        program.releases.place(event.build).is_some_and(|place| {
            place > mended || (place == mended && (event.time > at || event.added > at))
        })
    };
    let later: Vec<&Event> = events.iter().filter(is_later).collect();
    let release = later.iter().filter_map(|event| program.releases.place(event.build)).max();
    match release.and_then(|place| program.releases.list.get(place)) {
        Some(newest) => {
            let (dumps, newest) = (dumps(later.len() as u64), &newest.name);
            let last = if newest == name { String::new() } else { format!(", up to {newest}") };
            sure(Status::Regressed, format!("said to be resolved in {name}; {dumps} since{last}"))
        }
        None => sure(Status::Resolved, format!("in {name}, as the user said; not seen since")),
    }
}

/// What the releases tell, and the code of their builds.
#[derive(Default)]
struct Told {
    verdict: Option<Verdict>,
    /// What the code adds to the reason.
    and_code: String,
    changed: Vec<ChangedFunction>,
}

impl From<Option<Verdict>> for Told {
    fn from(verdict: Option<Verdict>) -> Self {
        Self { verdict, ..Self::default() }
    }
}

/// What the releases tell, where there are two or more.
fn by_release(seen: &Seen, program: &Program<'_>, code: &GroupCode<'_>) -> Told {
    let list = &program.releases.list;
    let first = seen.counts.iter().position(|count| *count > 0);
    let Some((newest_at, first)) = seen.newest.zip(first) else { return Told::default() };
    let Some(newest) = list.get(newest_at) else { return Told::default() };
    let rate = |at: usize| list[at].rate(seen.counts[at]);
    let together =
        |from: usize, to: usize| (from..to).map(rate).reduce(Rate::and).unwrap_or_default();
    let used = |at: &usize| list[*at].dumps > 0;
    let Some(previous) = (0..newest_at).rev().find(used) else { return Told::default() };
    let here = rate(newest_at);
    if first == newest_at {
        let before = together(0, newest_at);
        let p = p_of_fewer(before, here);
        let reason = format!(
            "first seen in {}: {}; none of {} before",
            newest.name,
            part(here),
            dumps(before.dumps)
        );
        let changed = code.changes(program.releases, program.builds, (previous, newest_at));
        let verdict = Verdict {
            status: Status::New,
            is_sure: p < ABSENCE_P,
            reason: reason + &doubt(p, ABSENCE_P),
            p: Some(p),
            ..Verdict::default()
        };
        return Told {
            verdict: Some(verdict),
            and_code: since(&changed, &list[previous].name),
            changed,
        };
    }
    let before = together(first, newest_at);
    if here.count == 0 {
        let p = p_of_fewer(here, before);
        let expected = here.expected_from(before);
        let reason = format!("not seen in {}: {}; {expected:.1} expected", newest.name, part(here));
        let is_sure = p < ABSENCE_P && seen.is_comparable(newest);
        return Told::from(Some(Verdict {
            status: Status::Fading,
            is_sure,
            reason: reason + &doubt(p, ABSENCE_P),
            p: Some(p),
            ..Verdict::default()
        }));
    }
    // The releases directly before the newest that could have shown it and did not.
    let last = seen.counts[..newest_at].iter().rposition(|count| *count > 0).unwrap_or(first);
    let gap: Vec<usize> =
        (last + 1..newest_at).filter(|at| seen.is_comparable(&list[*at])).collect();
    let on = || changed_since(here, before, &newest.name);
    let Some(gap_rate) = gap.iter().map(|at| rate(*at)).reduce(Rate::and) else {
        return Told::from(on());
    };
    let names: Vec<&str> = gap.iter().map(|at| list[*at].name.as_str()).collect();
    let names = names.join(", ");
    let changes = |from, to| code.changes(program.releases, program.builds, (from, to));
    let mut changed = Vec::new();
    for at in &gap {
        changed.extend(changes(last, *at).into_iter().chain(changes(*at, newest_at)));
    }
    let evidence = code.of_gap(program.releases, program.builds, last, &gap, newest_at);
    let p = p_of_fewer(gap_rate, together(first, last + 1));
    if evidence == Evidence::Same && p >= ABSENCE_P {
        let and_code = format!(
            "; not seen in {names}, by chance as far as code tells: the functions on its stack \
             are there as in a release that has it"
        );
        return Told { verdict: on(), and_code, changed };
    }
    let (is_same, twice) = match evidence {
        Evidence::Changed(functions) => (false, Some(functions)),
        evidence => (evidence == Evidence::Same, None),
    };
    if p >= ABSENCE_P && program.keeps_states && twice.is_none() {
        return Told { changed, ..Told::from(on()) };
    }
    let reason = format!(
        "back in {}: {}; none of {} in {names}, where {:.1} were expected",
        newest.name,
        part(here),
        dumps(gap_rate.dumps),
        gap_rate.expected_from(together(first, last + 1))
    );
    let (is_sure, and_code) = match &twice {
        Some(functions) => {
            let functions = listed(functions.iter().map(String::as_str));
            let p = format!(" ({})", p_text(p));
            (true, format!("{p}; {functions} changed in {names} and again since"))
        }
        // Then data, settings or another function were others.
        None if is_same => {
            let p = doubt(p, ABSENCE_P);
            (
                true,
                format!(
                    "{p}; yet the functions on its stack are there as in a release that has it"
                ),
            )
        }
        None => (p < ABSENCE_P, doubt(p, ABSENCE_P)),
    };
    let verdict =
        Verdict { status: Status::Regressed, is_sure, reason, p: Some(p), ..Verdict::default() };
    Told { verdict: Some(verdict), and_code, changed }
}

/// What changed since a release, as the end of a reason.
fn since(changes: &[ChangedFunction], release: &str) -> String {
    let differs = || changes.iter().filter(|change| change.what != Change::Same);
    if changes.is_empty() {
        String::new()
    } else if differs().next().is_none() {
        format!("; the functions on its stack are the same as in {release}")
    } else {
        let names = listed(differs().map(|change| change.function.as_str()));
        format!("; changed since {release}: {names}")
    }
}

/// Functions that a reason names.
const NAMED: usize = 3;

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}

/// What the newest release tells against all before it.
fn changed_since(here: Rate, before: Rate, newest: &str) -> Option<Verdict> {
    changed(here, before, || format!("{} in {newest}, {} before", part(here), part(before)))
}

/// What the last days tell, within the newest release or where there are no releases.
fn lately(events: &[Event], seen: &Seen, program: &Program<'_>) -> Option<Verdict> {
    let start = program.now.saturating_sub(program.window);
    let before_start = start.saturating_sub(program.window.saturating_mul(WINDOWS_BEFORE));
    let first_of_program = *program.times.first()?;
    // What there is of the time before: less than one window is nothing to compare with.
    let before_start = before_start.max(first_of_program.saturating_sub(1));
    let first = events.iter().map(|event| event.time).min()?;
    let days = program.window as f64 / 86_400.0;
    let has_releases = program.releases.list.iter().filter(|r| r.dumps > 0).count() > 1;
    if !has_releases && first > start {
        let earlier = program.times.partition_point(|time| *time <= start) as u64;
        let all = program.times.len() as u64;
        let reason = if earlier == 0 {
            format!("first seen within the {} for which there are dumps", in_days(days))
        } else {
            let count = dumps(events.len() as u64);
            format!("first seen in the last {}: {count}; none of {earlier} before", in_days(days))
        };
        let p = p_of_fewer(
            Rate { count: 0, dumps: earlier, exposure: None },
            Rate { count: events.len() as u64, dumps: all - earlier, exposure: None },
        );
        return Some(Verdict {
            status: Status::New,
            is_sure: earlier > 0 && p < ABSENCE_P,
            reason,
            p: (earlier > 0).then_some(p),
            ..Verdict::default()
        });
    }
    if start.saturating_sub(before_start) < program.window {
        return None;
    }
    let _ = seen;
    let within = |from: i64, to: i64| {
        let count = events.iter().filter(|event| event.time > from && event.time <= to);
        let until = |time: i64| program.times.partition_point(|other| *other <= time) as u64;
        let of = until(to).saturating_sub(until(from));
        Rate { count: count.count() as u64, dumps: of, exposure: None }
    };
    let (mut here, mut before) = (within(start, program.now), within(before_start, start));
    // Where the program dies of nothing else, a share says nothing: then time counts.
    if here.count == here.dumps && before.count == before.dumps {
        here.exposure = Some(program.window as f64);
        before.exposure = Some((start - before_start) as f64);
    }
    let told = || {
        let length = in_days((start - before_start) as f64 / 86_400.0);
        format!(
            "{} in the last {}, {} in the {length} before",
            part(here),
            in_days(days),
            part(before)
        )
    };
    let verdict = changed(here, before, told)?;
    // A release that has more of it outweighs some quiet days.
    (verdict.status != Status::Fading || !has_releases).then_some(verdict)
}

fn changed(here: Rate, before: Rate, told: impl Fn() -> String) -> Option<Verdict> {
    let (more, fewer) = (p_of_more(here, before), p_of_fewer(here, before));
    let expected = here.expected_from(before);
    let status = if more < TREND_P
        && here.count >= TREND_COUNT
        && here.count as f64 >= TREND_RATIO * expected
    {
        Status::Increasing
    } else if fewer < TREND_P
        && before.count >= TREND_COUNT
        && here.count as f64 * TREND_RATIO <= expected
    {
        Status::Fading
    } else {
        return None;
    };
    let p = more.min(fewer);
    let reason = format!("{} ({})", told(), p_text(p));
    Some(Verdict { status, is_sure: true, reason, p: Some(p), ..Verdict::default() })
}

fn going_on(seen: &Seen, program: &Program<'_>) -> Verdict {
    let total: u64 = seen.counts.iter().sum();
    let list = &program.releases.list;
    let reason = match seen.newest.and_then(|at| Some((at, list.get(at)?))) {
        Some((at, newest)) if list.len() > 1 => {
            let here = newest.rate(seen.counts[at]);
            format!("{} in {}, {} before: no trend", part(here), newest.name, total - here.count)
        }
        _ => format!("{}: no trend", dumps(total)),
    };
    Verdict { status: Status::Active, is_sure: true, reason, ..Verdict::default() }
}

/// `3 of 47 dumps`.
fn part(rate: Rate) -> String {
    match rate.exposure {
        Some(exposure) => format!("{} in {exposure:.0} units of exposure", dumps(rate.count)),
        None => format!("{} of {}", rate.count, dumps(rate.dumps)),
    }
}

fn dumps(count: u64) -> String {
    if count == 1 { "1 dump".to_owned() } else { format!("{count} dumps") }
}

fn in_days(days: f64) -> String {
    if days < 2.0 { format!("{:.0} hours", days * 24.0) } else { format!("{days:.0} days") }
}

fn doubt(p: f64, limit: f64) -> String {
    if p < limit { format!(" ({})", p_text(p)) } else { format!(" ({}: weak evidence)", p_text(p)) }
}

fn p_text(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
