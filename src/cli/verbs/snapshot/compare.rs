//! Several snapshots of one process, thread by thread: what is stuck, what spins, what moves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use obit::redact::{Level, Origin, Redactor};
use obit::report::{Evidence, EvidenceKind, Finding, FrameReport, Report};
use obit_capture::{Activity, Snapshot};
use obit_ownership::Owner;

/// From this share of a processor on, a thread was busy rather than called now and then.
const BUSY: f64 = 0.5;
/// Up to this share it did nothing but be stopped and go on waiting for a snapshot. Times are
/// counted in ticks of 10 ms.
const IDLE: f64 = 0.01;
/// How often a thread that only waits gives up the processor for each snapshot.
const WAITS_OF_STOP: u64 = 4;
/// Groups of threads that are listed one by one.
const MOST_GROUPS: usize = 16;
/// Thread ids of one group that are listed.
const MOST_THREADS: usize = 8;

/// One snapshot, as far as it is compared.
pub(super) struct Sample {
    at: Instant,
    threads: BTreeMap<i64, ThreadSample>,
}

struct ThreadSample {
    used: Duration,
    waits: u64,
    /// It ran, or could have run, when it was stopped.
    is_running: bool,
    /// Innermost first.
    frames: Vec<Frame>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    pc: u64,
    /// As shown to people.
    function: Option<String>,
    /// Whether it is of the program, and not of a library that many have.
    is_own: bool,
}

/// What became of a thread between the first snapshot and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Spins,
    Stuck,
    Moves,
}

impl Fate {
    fn kind(self) -> &'static str {
        match self {
            Self::Spins => "spinning",
            Self::Stuck => "stuck",
            Self::Moves => "moving",
        }
    }
}

impl Sample {
    pub(super) fn new(report: &Report, snapshot: &Snapshot, at: Instant) -> Self {
        let seen: BTreeMap<i64, &Activity> =
            snapshot.threads.iter().map(|seen| (i64::from(seen.thread), seen)).collect();
        let threads = report.threads.iter().map(|thread| {
            let seen = seen.get(&thread.tid);
            let sample = ThreadSample {
                used: seen.map(|seen| seen.used).unwrap_or_default(),
                waits: seen.map(|seen| seen.waits).unwrap_or_default(),
                is_running: seen.is_some_and(|seen| seen.state == 'R'),
                frames: thread.frames.iter().map(Frame::of).collect(),
            };
            (thread.tid, sample)
        });
        Self { at, threads: threads.collect() }
    }
}

impl Frame {
    fn of(frame: &FrameReport) -> Self {
        Self {
            pc: frame.pc.0,
            function: frame.function.as_ref().map(|name| name.as_str().to_owned()),
            is_own: frame.owner.is_none_or(|owner| owner == Owner::Application),
        }
    }
}

/// The place of a finding of this kind among those of a process that lives: locks first, since
/// they explain the rest.
pub(super) fn rank(kind: &str) -> usize {
    const LOCKS: [&str; 4] = ["self-deadlock", "deadlock", "lock-abandoned", "lock-wait"];
    const FATES: [Fate; 3] = [Fate::Spins, Fate::Stuck, Fate::Moves];
    let kinds = LOCKS.into_iter().chain(FATES.map(Fate::kind));
    kinds.into_iter().position(|known| known == kind).unwrap_or(usize::MAX)
}

/// What `samples` show together; nothing where there is only one.
pub(super) fn findings(samples: &[Sample], level: Level) -> Vec<Finding> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    if samples.len() < 2 {
        return Vec::new();
    }
    let span = last.at.saturating_duration_since(first.at);
    let mut groups: BTreeMap<(Fate, String), Vec<i64>> = BTreeMap::new();
    for tid in last.threads.keys() {
        let all: Option<Vec<_>> = samples.iter().map(|sample| sample.threads.get(tid)).collect();
        // One that is new has nothing to be compared with.
        let Some(all) = all else { continue };
        let share = share_of_processor(&all, span);
        let fate = fate(&all, share);
        let place = place(&all, fate, share);
        groups.entry((fate, place)).or_default().push(*tid);
    }
    let seen = format!("{} snapshots in {:.1} s", samples.len(), span.as_secs_f64());
    let mut redactor = Redactor::without_key(level);
    let finding = |fate: Fate| {
        let of_fate = groups.iter().filter(|((other, _), _)| *other == fate);
        let mut of_fate: Vec<_> = of_fate.map(|((_, place), tids)| (place, tids)).collect();
        // What is alone in its place says more than a pool of workers.
        of_fate.sort_by_key(|(_, tids)| tids.len());
        finding(fate, &of_fate, &seen, &mut redactor)
    };
    [Fate::Spins, Fate::Stuck, Fate::Moves].into_iter().filter_map(finding).collect()
}

fn finding(
    fate: Fate,
    groups: &[(&String, &Vec<i64>)],
    seen: &str,
    redactor: &mut Redactor,
) -> Option<Finding> {
    let threads: Vec<i64> = groups.iter().flat_map(|(_, tids)| tids.iter().copied()).collect();
    let (count, s) = match threads.len() {
        0 => return None,
        1 => ("1".to_owned(), ""),
        count => (count.to_string(), "s"),
    };
    let verb = |one: &'static str, more: &'static str| if s.is_empty() { one } else { more };
    let title = match fate {
        Fate::Spins => {
            format!("{count} thread{s} {} busy in one function in {seen}", verb("is", "are"))
        }
        Fate::Stuck => format!("{count} thread{s} did not move in {seen}: same stack, no CPU time"),
        Fate::Moves => format!("{count} thread{s} moved in {seen}"),
    };
    let evidence = groups.iter().take(MOST_GROUPS).map(|(place, tids)| Evidence {
        kind: EvidenceKind::Register,
        text: redactor.show(Origin::OwnWords, &format!("{}: {place}", named(tids))),
        ..Evidence::default()
    });
    let evidence = evidence.collect();
    Some(Finding {
        kind: fate.kind().to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        threads,
        evidence,
        ..Finding::default()
    })
}

/// `thread 7`, `threads 7, 8 and 12 more`.
fn named(tids: &[i64]) -> String {
    let listed: Vec<_> = tids.iter().take(MOST_THREADS).map(i64::to_string).collect();
    let more = tids.len().saturating_sub(listed.len());
    match (listed.as_slice(), more) {
        ([one], 0) => format!("thread {one}"),
        (_, 0) => format!("threads {}", listed.join(", ")),
        (_, more) => format!("threads {} and {more} more", listed.join(", ")),
    }
}

/// How much of one processor a thread used, 0 to 1.
fn share_of_processor(all: &[&ThreadSample], span: Duration) -> f64 {
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return 0.0 };
    let used = last.used.saturating_sub(first.used).as_secs_f64();
    used / span.as_secs_f64().max(f64::MIN_POSITIVE)
}

fn fate(all: &[&ThreadSample], share: f64) -> Fate {
    let pairs = || all.iter().zip(all.iter().skip(1));
    let is_same = pairs().all(|(one, next)| one.frames == next.frames);
    // On a machine with much to do, a thread that never waits may have little of a processor.
    let is_busy = share >= BUSY || all.iter().all(|one| one.is_running);
    if is_busy && in_common(all).is_some_and(|common| common.iter().any(|it| it.is_own)) {
        return Fate::Spins;
    }
    // One that works on something and comes back has waited more often.
    let has_waited_only =
        pairs().all(|(one, next)| next.waits.saturating_sub(one.waits) <= WAITS_OF_STOP);
    if is_same && has_waited_only && share <= IDLE { Fate::Stuck } else { Fate::Moves }
}

/// The outermost frames that all snapshots have: same callers at the same calls, and the
/// function in which they part, innermost first.
fn in_common<'s>(all: &[&'s ThreadSample]) -> Option<Vec<&'s Frame>> {
    let (first, rest) = all.split_first()?;
    let mut common = Vec::new();
    for (depth, frame) in first.frames.iter().rev().enumerate() {
        let same: Option<Vec<_>> =
            rest.iter().map(|other| other.frames.iter().rev().nth(depth)).collect();
        let Some(same) = same else { break };
        let is_same_function =
            frame.function.is_some() && same.iter().all(|other| other.function == frame.function);
        if same.iter().all(|other| *other == frame) {
            common.push(frame);
        } else if is_same_function {
            common.push(frame);
            break;
        } else {
            break;
        }
    }
    common.reverse();
    Some(common)
}

/// Where a thread is, in one line.
fn place(all: &[&ThreadSample], fate: Fate, share: f64) -> String {
    let frames: Vec<&Frame> = match fate {
        Fate::Spins => in_common(all).unwrap_or_default(),
        Fate::Stuck | Fate::Moves => {
            all.last().map(|last| last.frames.iter().collect()).unwrap_or_default()
        }
    };
    let name = |frame: &Frame| frame.function.clone().unwrap_or_else(|| format!("{:#x}", frame.pc));
    let innermost = frames.first().map(|frame| name(frame));
    let own = frames.iter().find(|frame| frame.is_own).map(|frame| name(frame));
    let place = match (innermost, own) {
        (Some(inner), Some(own)) if inner != own => format!("{inner}, called by {own}"),
        (Some(inner), _) => inner,
        (None, _) => "no frame known".to_owned(),
    };
    match fate {
        // Rounded, so that threads of one place are one group.
        Fate::Spins => format!("{place} ({:.0} % of a processor)", (share * 10.0).round() * 10.0),
        Fate::Stuck | Fate::Moves => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(function: &str, pc: u64) -> Frame {
        Frame { pc, function: Some(function.to_owned()), is_own: !function.starts_with("lib_") }
    }

    /// A thread, its processor time in milliseconds, which is also how often it waited, and its
    /// frames.
    type Observed<'a> = (i64, u64, &'a [(&'a str, u64)]);

    /// Snapshots a second apart.
    fn samples(all: &[&[Observed<'_>]]) -> Vec<Sample> {
        let begin = Instant::now();
        let sample = |(nth, threads): (usize, &&[Observed<'_>])| Sample {
            at: begin + SECOND * u32::try_from(nth).unwrap(),
            threads: threads
                .iter()
                .map(|(tid, millis, frames)| {
                    let frames = frames.iter().map(|(name, pc)| frame(name, *pc)).collect();
                    let used = Duration::from_millis(*millis);
                    (*tid, ThreadSample { used, waits: *millis, is_running: false, frames })
                })
                .collect(),
        };
        all.iter().enumerate().map(sample).collect()
    }

    fn shown(samples: &[Sample]) -> Vec<(String, Vec<i64>, Vec<String>)> {
        let findings = findings(samples, Level::Default).into_iter();
        let shown = findings.map(|finding| {
            let evidence = finding.evidence.iter().map(|one| one.text.as_str().to_owned());
            (finding.kind, finding.threads, evidence.collect())
        });
        shown.collect()
    }

    #[test]
    fn a_thread_with_one_stack_and_no_time_is_stuck() {
        let frames: &[(&str, u64)] = &[("lib_wait", 1), ("take_order", 2), ("main", 3)];
        let all = samples(&[&[(7, 5, frames)], &[(7, 5, frames)], &[(7, 9, frames)]]);
        let [(kind, threads, evidence)] = &shown(&all)[..] else { panic!() };
        assert_eq!((kind.as_str(), &threads[..]), ("stuck", &[7][..]));
        assert_eq!(evidence, &["thread 7: lib_wait, called by take_order"]);
    }

    #[test]
    fn a_thread_that_is_busy_below_one_caller_spins_in_the_function_all_have() {
        let all = samples(&[
            &[(7, 0, &[("step", 1), ("solve", 20), ("main", 3)])],
            &[(7, 990, &[("other", 5), ("solve", 21), ("main", 3)])],
            &[(7, 1980, &[("solve", 22), ("main", 3)])],
        ]);
        let [(kind, _, evidence)] = &shown(&all)[..] else { panic!() };
        assert_eq!(kind, "spinning");
        assert_eq!(evidence, &["thread 7: solve (100 % of a processor)"]);
    }

    #[test]
    fn a_thread_that_is_elsewhere_moves_and_a_new_one_is_not_compared() {
        let all = samples(&[
            &[(7, 0, &[("read", 1), ("main", 3)])],
            &[(7, 100, &[("write", 2), ("main", 4)]), (8, 0, &[("main", 3)])],
        ]);
        let [(kind, threads, _)] = &shown(&all)[..] else { panic!() };
        assert_eq!((kind.as_str(), &threads[..]), ("moving", &[7][..]));
    }

    #[test]
    fn a_worker_that_came_back_to_where_it_waits_has_moved() {
        let wait: &[(&str, u64)] = &[("lib_wait", 1), ("work", 2)];
        let all = samples(&[&[(7, 0, wait)], &[(7, 8, wait)]]);
        assert_eq!(shown(&all)[0].0, "moving");
    }

    #[test]
    fn threads_of_one_place_are_one_line_and_one_snapshot_shows_nothing() {
        let wait: &[(&str, u64)] = &[("lib_wait", 1), ("work", 2)];
        let threads: Vec<_> = (1..=12).map(|tid| (tid, 0, wait)).collect();
        let all = samples(&[&threads, &threads]);
        let [(_, _, evidence)] = &shown(&all)[..] else { panic!() };
        let line = "threads 1, 2, 3, 4, 5, 6, 7, 8 and 4 more: lib_wait, called by work";
        assert_eq!(evidence, &[line]);
        assert_eq!(shown(&all[..1]), []);
    }

    #[test]
    fn locks_come_before_everything_else() {
        assert!(rank("deadlock") < rank("spinning"));
        assert!(rank("stuck") < rank("moving") && rank("moving") < rank("heap-damage"));
    }
}
