//! What became of a group over time and builds. No clock and no store: the same crashes
//! have the same history.

use super::build::Event;
use super::by_release::by_release;
use super::code_evidence::GroupCode;
use super::counts::CountsByRelease;
use super::recent::recent;
use super::status::{State, Status};
use super::verdict::{ProgramHistory, Verdict};
use super::wording::dumps;

/// Seconds of what is lately, unless the user says otherwise.
pub(crate) const WINDOW: i64 = 7 * 86_400;

/// The status of a group of which `events` are the dumps in this program, and `code` what is
/// known of its functions there.
pub(crate) fn judge(
    events: &[Event],
    state: &State,
    program: &ProgramHistory<'_>,
    code: &GroupCode<'_>,
) -> Verdict {
    let counts = CountsByRelease::of(events, program);
    let mut verdict = match state {
        State::Ignored => Verdict::sure(Status::Ignored, "marked as ignored".to_owned()),
        State::Resolved { in_build, at } => resolved(events, in_build.as_deref(), *at, program),
        State::Open if counts.is_unplaced(events) => unplaced(events, program),
        State::Open => {
            let shown = by_release(&counts, program, code);
            let mut verdict = shown
                .verdict
                .or_else(|| recent(events, program))
                .unwrap_or_else(|| counts.going_on(program));
            verdict.reason.push_str(&shown.and_code);
            verdict.changed = shown.changed;
            verdict
        }
    };
    verdict.in_latest = counts.newest_count() > 0;
    verdict
}

/// The verdict for a group that was seen only in builds that are no releases.
fn unplaced(events: &[Event], program: &ProgramHistory<'_>) -> Verdict {
    let why = |event: &Event| program.releases.unplaced.get(&event.build);
    let why = events.iter().find_map(why).map_or("", |why| why.reason());
    let start = program.now.saturating_sub(program.window);
    let is_recent = events.iter().all(|event| event.time > start);
    Verdict {
        status: if is_recent { Status::New } else { Status::Active },
        reason: format!(
            "seen only in builds that are no releases ({why}): {}: weak evidence",
            dumps(events.len() as u64)
        ),
        ..Verdict::default()
    }
}

/// The verdict for a group that several programs have: the most urgent.
pub(crate) fn most_urgent(verdicts: Vec<Verdict>) -> Verdict {
    let in_latest = verdicts.iter().any(|verdict| verdict.in_latest);
    // What is new to one program is not new.
    let is_new = |verdict: &Verdict| verdict.status == Status::New;
    let mut verdicts = verdicts;
    if !verdicts.iter().all(is_new) {
        for verdict in verdicts.iter_mut().filter(|verdict| is_new(verdict)) {
            verdict.status = Status::Active;
            verdict.reason = format!("{}; seen before in another program", verdict.reason);
        }
    }
    let worst = verdicts.into_iter().min_by_key(|verdict| verdict.status);
    Verdict { in_latest, ..worst.unwrap_or_default() }
}

/// After the user said that it is fixed: a later dump of that release, or any of a later
/// one, says that it is not.
fn resolved(
    events: &[Event],
    in_build: Option<&str>,
    at: i64,
    program: &ProgramHistory<'_>,
) -> Verdict {
    let Some(name) = in_build else {
        let since = events.iter().filter(|event| event.time > at).count();
        return if since == 0 {
            Verdict::sure(Status::Resolved, "marked as resolved; not seen since".to_owned())
        } else {
            let dumps = dumps(since as u64);
            Verdict::sure(Status::Regressed, format!("marked as resolved; {dumps} since"))
        };
    };
    let Some(fixed) = program.releases.named(name, program.builds) else {
        return Verdict::sure(
            Status::Resolved,
            format!("marked as resolved in {name}, which has no dump yet"),
        );
    };
    let is_later = |event: &&Event| {
        program.releases.place(event.build).is_some_and(|place| {
            place > fixed || (place == fixed && (event.time > at || event.added > at))
        })
    };
    let later: Vec<&Event> = events.iter().filter(is_later).collect();
    let release = later.iter().filter_map(|event| program.releases.place(event.build)).max();
    match release.and_then(|place| program.releases.list.get(place)) {
        Some(newest) => {
            let (dumps, newest) = (dumps(later.len() as u64), &newest.name);
            let last = if newest == name { String::new() } else { format!(", up to {newest}") };
            Verdict::sure(
                Status::Regressed,
                format!("marked as resolved in {name}; {dumps} since{last}"),
            )
        }
        None => {
            Verdict::sure(Status::Resolved, format!("marked as resolved in {name}; not seen since"))
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
