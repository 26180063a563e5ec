use super::*;
use crate::history::build::Build;
use crate::history::code_hashes::{CodeHashes, CodeRow, StackFunction};
use crate::history::common_functions::CommonFunctions;
use crate::history::release::Releases;

const DAY: i64 = 86_400;

/// Releases of 30 days each, a dump of all groups at equal distances.
struct Sample {
    builds: Vec<Build>,
    releases: Releases,
    times: Vec<i64>,
    keeps_states: bool,
    code: CodeHashes,
    stack: Vec<StackFunction>,
}

impl Sample {
    fn of(dumps: &[u64]) -> Self {
        let builds: Vec<Build> = (0..dumps.len())
            .map(|at| {
                let start = at as i64 * 30 * DAY;
                Build {
                    id: format!("{at:040x}"),
                    program: "app".to_owned(),
                    version: Some(format!("{}.0", at + 1)),
                    seen: Some((start, start + 29 * DAY)),
                    dumps: dumps[at],
                    ..Build::default()
                }
            })
            .collect();
        let releases = Releases::of("app", &builds, None, None);
        let mut times: Vec<i64> = dumps
            .iter()
            .enumerate()
            .flat_map(|(at, dumps)| (0..*dumps).map(move |i| time(at, i, *dumps)))
            .collect();
        times.sort_unstable();
        let (code, stack) = (CodeHashes::default(), Vec::new());
        Self { builds, releases, times, keeps_states: false, code, stack }
    }

    fn judge(&self, events: &[Event], state: &State) -> Verdict {
        let program = ProgramHistory {
            builds: &self.builds,
            releases: &self.releases,
            times: &self.times,
            now: *self.times.last().unwrap(),
            window: WINDOW,
            keeps_states: self.keeps_states,
            is_worded: true,
        };
        let newest = self.builds.len() - 1;
        let stacks = vec![(newest, self.stack.as_slice())];
        judge(
            events,
            state,
            &program,
            &GroupCode { code: &self.code, stacks, common: &CommonFunctions::default() },
        )
    }
}

impl Sample {
    /// A function on the stack, with its hash in each release.
    fn with_function(mut self, name: &str, hashes: &[&str]) -> Self {
        for (build, hash) in self.builds.iter().zip(hashes) {
            self.code.insert(CodeRow {
                build: build.id.clone(),
                module: "app".to_owned(),
                symbol: name.to_owned(),
                hash: Some((*hash).to_owned()),
            });
        }
        let (module, symbol) = ("app".to_owned(), name.to_owned());
        self.stack.push(StackFunction { module, symbol, name: name.to_owned() });
        self
    }
}

fn time(release: usize, i: u64, of: u64) -> i64 {
    release as i64 * 30 * DAY + (i * 29 * DAY as u64 / of.max(1)) as i64
}

/// `counts` dumps of each release, at equal distances.
fn events(counts: &[u64]) -> Vec<Event> {
    let of_release = |(at, count): (usize, &u64)| {
        let count = *count;
        (0..count)
            .map(move |i| Event { time: time(at, i, count), build: at, ..Event::default() })
            .collect::<Vec<_>>()
    };
    counts.iter().enumerate().flat_map(of_release).collect()
}

#[test]
fn the_status_of_a_group_follows_from_its_releases() {
    let sample = Sample::of(&[50, 40, 60]);
    for (counts, status, is_sure) in [
        ([0, 0, 9], Status::New, true),
        ([0, 0, 1], Status::New, false),
        ([0, 3, 4], Status::Active, true),
        ([2, 2, 3], Status::Active, true),
        ([9, 0, 5], Status::Regressed, true),
        ([2, 0, 1], Status::Regressed, false),
        ([9, 6, 0], Status::Fading, true),
        ([1, 0, 0], Status::Fading, false),
        ([3, 2, 20], Status::Increasing, true),
        ([20, 18, 2], Status::Fading, true),
    ] {
        let verdict = sample.judge(&events(&counts), &State::Open);
        assert_eq!((verdict.status, verdict.is_sure), (status, is_sure), "{verdict:?}");
        assert_eq!(verdict.in_latest, counts[2] > 0, "{counts:?}");
    }
}

#[test]
fn two_then_three_is_no_trend_nor_is_one_then_four() {
    for (all, counts) in [([20, 20], [2, 3]), ([20, 20], [1, 4]), ([500, 20], [1, 4])] {
        let verdict = Sample::of(&all).judge(&events(&counts), &State::Open);
        assert_eq!(verdict.status, Status::Active, "{verdict:?}");
    }
}

#[test]
fn the_reason_has_the_numbers() {
    let sample = Sample::of(&[50, 40, 60]);
    let reason = |counts: &[u64]| sample.judge(&events(counts), &State::Open).reason;
    assert_eq!(
        reason(&[2, 0, 1]),
        "back in 3.0: 1 of 60 dumps; none of 40 dumps in 2.0, where 1.6 were expected \
         (p = 0.306: weak evidence)"
    );
    assert_eq!(reason(&[9, 6, 0]), "not seen in 3.0: 0 of 60 dumps; 10.0 expected (p < 0.001)");
    assert_eq!(
        reason(&[0, 0, 9]),
        "first seen in 3.0: 9 of 60 dumps; none of 90 dumps before (p < 0.001)"
    );
}

#[test]
fn the_same_code_says_that_a_release_did_not_show_it_by_chance() {
    let sample = Sample::of(&[50, 40, 60]).with_function("parse", &["1", "1", "1"]);
    let verdict = sample.judge(&events(&[2, 0, 1]), &State::Open);
    assert_eq!(verdict.status, Status::Active);
    assert_eq!(
        verdict.reason,
        "1 of 60 dumps in 3.0, 2 before: no trend; not seen in 2.0, probably by chance: the \
         functions on its stack are unchanged from a release that has it"
    );
    // Numbers that chance does not explain are stronger.
    let verdict = sample.judge(&events(&[9, 0, 5]), &State::Open);
    assert_eq!((verdict.status, verdict.is_sure), (Status::Regressed, true));
    assert!(verdict.reason.contains("but the functions on its stack are unchanged"), "{verdict:?}");
}

#[test]
fn a_function_that_changed_twice_makes_weak_evidence_sure() {
    let mut sample = Sample::of(&[50, 40, 60])
        .with_function("parse", &["1", "2", "1"])
        .with_function("main", &["1", "1", "1"]);
    // Even where states are kept.
    for keeps_states in [false, true] {
        sample.keeps_states = keeps_states;
        let verdict = sample.judge(&events(&[2, 0, 1]), &State::Open);
        assert_eq!((verdict.status, verdict.is_sure), (Status::Regressed, true));
        let end = "(p = 0.306); `parse` differed in 2.0 and is as before again";
        assert!(verdict.reason.ends_with(end), "{verdict:?}");
        assert_eq!(verdict.changed.len(), 4, "{verdict:?}");
    }
}

#[test]
fn a_function_that_is_another_in_each_release_makes_numbers_sure_only_where_they_hint_at_it() {
    let sample = Sample::of(&[50, 40, 60]).with_function("parse", &["1", "2", "3"]);
    for (counts, is_sure) in [([2, 0, 1], false), ([4, 0, 1], true)] {
        let verdict = sample.judge(&events(&counts), &State::Open);
        assert_eq!((verdict.status, verdict.is_sure), (Status::Regressed, is_sure), "{verdict:?}");
        assert!(verdict.reason.contains("`parse` changed in 2.0 and again since"), "{verdict:?}");
    }
}

#[test]
fn a_version_in_main_that_each_release_changes_is_no_evidence() {
    let sample = Sample::of(&[50, 40, 60])
        .with_function("parse", &["1", "1", "1"])
        .with_function("main", &["1", "2", "3"]);
    let verdict = sample.judge(&events(&[2, 0, 1]), &State::Open);
    assert_eq!(verdict.status, Status::Active, "{verdict:?}");
    let sample = Sample::of(&[50, 40, 60]).with_function("main", &["1", "2", "3"]);
    let verdict = sample.judge(&events(&[2, 0, 1]), &State::Open);
    assert_eq!((verdict.status, verdict.is_sure), (Status::Regressed, false), "{verdict:?}");
}

#[test]
fn a_group_of_builds_that_are_no_releases_has_a_weak_status() {
    let mut sample = Sample::of(&[50, 40]);
    let time = *sample.times.last().unwrap();
    sample.builds.push(Build {
        program: "app".to_owned(),
        seen: Some((time, time)),
        dumps: 1,
        ..Build::default()
    });
    sample.releases = Releases::of("app", &sample.builds, None, None);
    let event = Event { time, build: 2, ..Event::default() };
    let verdict = sample.judge(&[event], &State::Open);
    assert_eq!((verdict.status, verdict.is_sure), (Status::New, false), "{verdict:?}");
    assert!(verdict.reason.contains("neither a build ID nor a version"), "{verdict:?}");
}

#[test]
fn what_is_new_says_which_functions_changed() {
    let reason = |hashes: &[&str]| {
        let sample = Sample::of(&[50, 40, 60]).with_function("parse", hashes);
        let verdict = sample.judge(&events(&[0, 0, 9]), &State::Open);
        assert_eq!(verdict.status, Status::New);
        verdict.reason
    };
    assert!(reason(&["1", "1", "2"]).ends_with("; changed since 2.0: `parse`"));
    let same = "; the functions on its stack are the same as in 2.0";
    assert!(reason(&["1", "1", "1"]).ends_with(same));
    assert!(reason(&["1"]).ends_with("(p < 0.001)"));
}

#[test]
fn a_release_made_in_another_way_does_not_prove_that_it_was_gone() {
    let mut sample = Sample::of(&[50, 40, 60]);
    for (build, variant) in sample.builds.iter_mut().zip(["clang", "debug", "clang"]) {
        build.variant = Some(variant.to_owned());
    }
    sample.releases = Releases::of("app", &sample.builds, None, None);
    for (counts, status) in [([9, 0, 9], Status::Regressed), ([2, 0, 3], Status::Active)] {
        let verdict = sample.judge(&events(&counts), &State::Open);
        assert_eq!((verdict.status, verdict.is_sure), (status, false), "{verdict:?}");
        assert!(verdict.reason.contains("2.0") && verdict.reason.contains("built otherwise"));
    }
}

#[test]
fn where_states_are_kept_weak_evidence_makes_nothing_regressed() {
    let mut sample = Sample::of(&[50, 40, 60]);
    sample.keeps_states = true;
    for (counts, status) in [([2, 0, 1], Status::Active), ([9, 0, 5], Status::Regressed)] {
        let verdict = sample.judge(&events(&counts), &State::Open);
        assert_eq!(verdict.status, status, "{verdict:?}");
    }
}

#[test]
fn what_was_said_to_be_resolved_regresses_with_a_later_dump() {
    let sample = Sample::of(&[50, 40, 60]);
    let said = |build: Option<&str>, at: i64| State::Resolved {
        in_build: build.map(str::to_owned),
        at: at * DAY,
    };
    for (counts, state, status) in [
        ([5, 0, 0], said(Some("2.0"), 30), Status::Resolved),
        ([5, 0, 1], said(Some("2.0"), 30), Status::Regressed),
        ([5, 1, 0], said(Some("2.0"), 30), Status::Resolved),
        ([5, 2, 0], said(Some("2.0"), 30), Status::Regressed),
        ([5, 5, 5], said(Some("4.0"), 30), Status::Resolved),
        ([5, 5, 0], said(None, 60), Status::Resolved),
        ([5, 5, 5], said(None, 60), Status::Regressed),
    ] {
        let verdict = sample.judge(&events(&counts), &state);
        assert_eq!(verdict.status, status, "{counts:?} {state:?}: {verdict:?}");
    }
    let ignored = sample.judge(&events(&[1, 1, 50]), &State::Ignored);
    assert_eq!(ignored.status, Status::Ignored);
}

#[test]
fn a_dump_that_came_in_later_counts_whenever_it_crashed() {
    let sample = Sample::of(&[50, 40]);
    let mut events = events(&[5, 1]);
    let state = State::Resolved { in_build: Some("2.0".to_owned()), at: 1_000 * DAY };
    assert_eq!(sample.judge(&events, &state).status, Status::Resolved);
    events[5].added = 1_001 * DAY;
    assert_eq!(sample.judge(&events, &state).status, Status::Regressed);
}

#[test]
fn within_one_release_the_last_days_are_compared_with_those_before() {
    let sample = Sample::of(&[290]);
    let at = |days: &[i64]| -> Vec<Event> {
        days.iter().map(|day| Event { time: day * DAY, ..Event::default() }).collect()
    };
    for (days, status) in [
        (&[26, 27][..], Status::New),
        (&[1, 26], Status::Active),
        (&[1, 10, 23, 24, 25, 26, 26, 27, 27, 28], Status::Increasing),
        (&[1, 10, 24, 25, 26], Status::Active),
        (&[3, 4, 5, 8, 9, 9, 10, 11, 12, 13, 14, 15, 15, 16, 17, 18, 19, 20], Status::Fading),
    ] {
        let verdict = sample.judge(&at(days), &State::Open);
        assert_eq!(verdict.status, status, "{days:?}: {verdict:?}");
    }
}

#[test]
fn a_program_that_crashes_in_one_way_only_is_judged_by_the_clock() {
    let mut sample = Sample::of(&[0]);
    sample.times =
        (0..40).map(|i| if i < 10 { i * 2 * DAY } else { 22 * DAY + i * 3_600 }).collect();
    sample.builds[0].dumps = 40;
    sample.releases = Releases::of("app", &sample.builds, None, None);
    let events: Vec<Event> =
        sample.times.iter().map(|time| Event { time: *time, ..Event::default() }).collect();
    let verdict = sample.judge(&events, &State::Open);
    assert_eq!(verdict.status, Status::Increasing, "{verdict:?}");
}

#[test]
fn what_is_new_to_one_program_and_known_to_another_is_not_new() {
    let of = |status| Verdict { status, ..Verdict::default() };
    assert_eq!(most_urgent(vec![of(Status::New), of(Status::Fading)]).status, Status::Active);
    assert_eq!(most_urgent(vec![of(Status::New), of(Status::New)]).status, Status::New);
    assert_eq!(
        most_urgent(vec![of(Status::Active), of(Status::Regressed)]).status,
        Status::Regressed
    );
}
