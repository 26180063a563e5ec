//! Lines of logs around the crash, between what the core knows.

use super::ContentsLimits;
use crate::circumstances::{FileEvidence, surroundings};
use crate::logs::{LogFile, LogLine, Moment, lines, mentions, mentions_process};
use crate::report::answer::{TimelineEntry, UnwrittenOutput};
use obit_output::ids::{SPAN, ids, is_distinctive};
use obit_output::in_flight::InFlight;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};
use obit_triage::time::instant_of;

const SECOND: i64 = 1_000_000_000;
/// Lines this long before the crash are joined by time alone, and so long after it.
const BEFORE: i64 = 60 * SECOND;
const AFTER: i64 = 5 * SECOND;
/// Lines of unwritten output that are put into it.
const MOST_UNWRITTEN: usize = 50;

/// When the process crashed: nanoseconds since 1970, and whether that is the time of a file.
fn crash_time(process: &Process) -> Option<(i64, bool)> {
    let recorded =
        surroundings(&process.dump.surroundings).ok().flatten().map(|record| record.time);
    if let Some(time) = recorded.filter(|time| *time > 0) {
        return Some((time, false));
    }
    let dump = &process.dump;
    let evidence = FileEvidence::of(&dump.path, dump.file.as_ref(), &dump.beside);
    let is_of_file = evidence.is_of_file();
    Some((evidence.seconds()?.checked_mul(SECOND)?, is_of_file))
}

/// A line that belongs to it, not yet redacted.
struct Picked<'l> {
    log: &'l LogFile,
    line: LogLine<'l>,
    /// Its own time, or that of the line before it.
    sorted_by: Option<i64>,
    joined_by: Vec<String>,
}

/// The entries, and what is to be known of the logs.
pub(super) fn timeline(
    process: &Process,
    logs: &[LogFile],
    requests: &[InFlight],
    unwritten: &UnwrittenOutput,
    redactor: &mut Redactor,
    limits: ContentsLimits,
) -> (Vec<TimelineEntry>, Vec<Shown>) {
    if logs.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let time = crash_time(process);
    let year = time.and_then(|(time, _)| instant_of(time / SECOND).get(..4)?.parse().ok());
    let joins = Joins::of(process, requests);
    let mut notes = Vec::new();
    let mut picked: Vec<Picked<'_>> = Vec::new();
    let mut is_without_zone = false;
    for log in logs {
        if log.omitted > 0 {
            notes.push(format!("{}: its last {} bytes were read", log.name, log.bytes.len()));
        }
        let all = lines(log, year);
        if !all.iter().any(|line| line.moment.is_some()) && !all.is_empty() {
            notes.push(format!("{}: no line of it begins with a known form of time", log.name));
        }
        let mut last = None;
        for line in all {
            last = line.moment.map(|moment| moment.nanoseconds).or(last);
            let is_near = time.zip(last).is_some_and(|((crash, _), at)| {
                (crash.saturating_sub(BEFORE)..=crash.saturating_add(AFTER)).contains(&at)
            });
            let mut joined_by = joins.of_line(&line);
            if is_near && line.moment.is_some() {
                joined_by.push("time".to_owned());
            }
            if joined_by.is_empty() && !is_near {
                continue;
            }
            is_without_zone |= line.moment.is_some_and(|moment: Moment| moment.is_without_zone);
            picked.push(Picked { log, line, sorted_by: last, joined_by });
        }
    }
    picked.sort_by_key(|one| one.sorted_by);
    let omitted = picked.len().saturating_sub(limits.log_lines);
    if omitted > 0 {
        notes.push(format!("{omitted} earlier lines that belong to it are not shown"));
    }
    if is_without_zone {
        notes.push("lines without a time zone were taken as UTC".to_owned());
    }
    let mut entries: Vec<TimelineEntry> =
        picked.into_iter().skip(omitted).map(|one| entry(one, redactor)).collect();
    let last = unwritten_entries(unwritten, year, &mut notes);
    let crash = time.map(|(time, _)| time);
    let fault = fault(process, time, redactor);
    // Lines of after the crash, by another process, stay behind it.
    let at = entries.partition_point(|entry| crash.is_none() || entry.time <= crash);
    let after = entries.split_off(at);
    entries.extend(last);
    entries.push(fault);
    entries.extend(after);
    if time.is_none() {
        notes.push("the core does not say when it crashed: no line was joined by time".to_owned());
    } else if time.is_some_and(|(_, is_of_file)| is_of_file) {
        notes.push(
            "the time of the crash is that of the core's file, which a copy changes".to_owned(),
        );
    }
    let notes = notes.iter().map(|note| redactor.show(Origin::OwnWords, note)).collect();
    (entries, notes)
}

fn entry(picked: Picked<'_>, redactor: &mut Redactor) -> TimelineEntry {
    let Picked { log, line, joined_by, .. } = picked;
    let time = line.moment.map(|moment| moment.nanoseconds);
    TimelineEntry {
        time,
        when: time.map(when),
        kind: "log".to_owned(),
        text: redactor.show_bytes(Origin::MessageText, &line.text),
        source: Some(redactor.show(Origin::Path, &log.name)),
        line: Some(line.number),
        is_cut: line.is_cut,
        joined_by,
    }
}

/// The last lines of all writers: in the order of each, since few of them have a time.
fn unwritten_entries(
    unwritten: &UnwrittenOutput,
    _year: Option<i32>,
    notes: &mut Vec<String>,
) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    for writer in &unwritten.writers {
        let source = match (&writer.file, writer.descriptor) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(descriptor)) => {
                Some(Shown::from_report(format!("descriptor {descriptor}")))
            }
            (None, None) => None,
        };
        for line in &writer.lines {
            entries.push(TimelineEntry {
                kind: "unwritten".to_owned(),
                text: line.text.clone(),
                source: source.clone(),
                ..TimelineEntry::default()
            });
        }
    }
    let omitted = entries.len().saturating_sub(MOST_UNWRITTEN);
    if omitted > 0 {
        notes.push(format!("{omitted} earlier unwritten lines are not repeated in the timeline"));
    }
    entries.split_off(omitted)
}

fn fault(process: &Process, time: Option<(i64, bool)>, redactor: &mut Redactor) -> TimelineEntry {
    let signal = process.dump.signal.as_ref();
    let signal = signal.map_or_else(
        || "it ended".to_owned(),
        |signal| format!("it was ended by signal {}", signal.number),
    );
    let frame = process.crashed().and_then(|thread| thread.frames.first());
    let function = frame.and_then(|frame| frame.function.as_deref());
    let text = match function {
        Some(function) => format!("{signal} in {function}"),
        None => signal,
    };
    TimelineEntry {
        time: time.map(|(time, _)| time),
        when: time.map(|(time, _)| when(time)),
        kind: "fault".to_owned(),
        text: redactor.show(Origin::OwnWords, &text),
        ..TimelineEntry::default()
    }
}

/// `2026-11-30T12:00:01.250Z`.
fn when(time: i64) -> Shown {
    let (seconds, rest) = (time.div_euclid(SECOND), time.rem_euclid(SECOND));
    let whole = instant_of(seconds);
    let whole = whole.strip_suffix('Z').unwrap_or(&whole);
    Shown::from_report(format!("{whole}.{:03}Z", rest / 1_000_000))
}

/// What joins a line to the process.
struct Joins {
    pid: Option<i64>,
    tids: Vec<i64>,
    ids: Vec<(&'static str, Vec<u8>)>,
}

impl Joins {
    fn of(process: &Process, requests: &[InFlight]) -> Self {
        let mut all = Vec::new();
        for request in requests {
            for text in request.request.headers.iter().chain([&request.request.text]) {
                ids(text, &mut |what, id| {
                    let is_known = all.iter().any(|(_, known)| known == id);
                    if what != SPAN && is_distinctive(id) && !is_known {
                        all.push((what, id.to_vec()));
                    }
                });
            }
        }
        let crashed = process.crashed().map(|thread| thread.tid);
        Self {
            pid: process.dump.process.as_ref().map(|info| info.pid),
            tids: crashed.into_iter().collect(),
            ids: all,
        }
    }

    fn of_line(&self, line: &LogLine<'_>) -> Vec<String> {
        let mut by = Vec::new();
        let is_named = |number: i64, labels: &[&str]| mentions_process(&line.text, number, labels);
        if let Some(pid) = self.pid
            && (line.pid == Some(pid) || is_named(pid, &["pid", "process"]))
        {
            by.push("pid".to_owned());
        }
        let is_other = |tid: &&i64| Some(**tid) != self.pid;
        if self.tids.iter().filter(is_other).any(|tid| is_named(*tid, &["tid", "thread", "lwp"])) {
            by.push("tid".to_owned());
        }
        for (what, id) in &self.ids {
            if mentions(&line.text, id) && !by.iter().any(|known| known == what) {
                by.push((*what).to_owned());
            }
        }
        by
    }
}
