//! What the last days show about a group.

use super::build::Event;
use super::by_release::NEW_P;
use super::status::Status;
use super::trend::{Rate, p_of_fewer};
use super::verdict::{ProgramHistory, Verdict};
use super::wording::{dumps, in_days, part};

/// What is lately is compared with so many times its length before it.
const WINDOWS_BEFORE: i64 = 3;

/// What the last days show, within the newest release or where there are no releases.
pub(super) fn recent(events: &[Event], program: &ProgramHistory<'_>) -> Option<Verdict> {
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
        let reason = program.say(|| {
            if earlier == 0 {
                return format!("first seen within the {} that the dumps cover", in_days(days));
            }
            let count = dumps(events.len() as u64);
            format!("first seen in the last {}: {count}; none of {earlier} before", in_days(days))
        });
        let p = p_of_fewer(
            Rate { count: 0, dumps: earlier, exposure: None },
            Rate { count: events.len() as u64, dumps: all - earlier, exposure: None },
        );
        return Some(Verdict {
            status: Status::New,
            is_sure: earlier > 0 && p < NEW_P,
            reason,
            p: (earlier > 0).then_some(p),
            ..Verdict::default()
        });
    }
    if start.saturating_sub(before_start) < program.window {
        return None;
    }
    let within = |from: i64, to: i64| {
        let count = events.iter().filter(|event| event.time > from && event.time <= to);
        let until = |time: i64| program.times.partition_point(|other| *other <= time) as u64;
        let of = until(to).saturating_sub(until(from));
        Rate { count: count.count() as u64, dumps: of, exposure: None }
    };
    let (mut here, mut before) = (within(start, program.now), within(before_start, start));
    // Where the program crashes in no other way, a share says nothing: then time counts.
    if here.count == here.dumps && before.count == before.dumps {
        here.exposure = Some(program.window as f64);
        before.exposure = Some((start - before_start) as f64);
    }
    let reason = |p: &str| {
        let length = in_days((start - before_start) as f64 / 86_400.0);
        // Where time counts, its lengths are in the sentence.
        let shown = |rate: Rate| match rate.exposure {
            Some(_) => dumps(rate.count),
            None => part(rate),
        };
        format!(
            "{} in the last {}, {} in the {length} before ({p})",
            shown(here),
            in_days(days),
            shown(before)
        )
    };
    let verdict = Verdict::of_trend(here, before, |p| program.say(|| reason(p)))?;
    // A release that has more of it outweighs some quiet days.
    (verdict.status != Status::Fading || !has_releases).then_some(verdict)
}
