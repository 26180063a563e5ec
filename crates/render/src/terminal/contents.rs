//! What `obit memory` found, for people.

use std::io;

use crate::PageOptions;
use crate::layout::{counted, cut_middle};
use crate::name;
use crate::style::Style;
use obit_report::answer::{Contents, InFlight, TimelineEntry, UnwrittenWriter};
use obit_triage::time::instant_of;

/// Columns of one line of a writer or a log.
const LONGEST: usize = 2_000;
/// Columns of a header field.
const HEADER: usize = 400;
/// Requests that are listed.
const MOST_REQUESTS: usize = 10;

/// Writes each part that was looked for.
pub(crate) fn write_contents(
    out: &mut dyn io::Write,
    found: &Contents,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    writeln!(out, "{}", color.paint(Style::Focus, &unwritten_heading(found)))?;
    for writer in &found.unwritten.writers {
        writeln!(out, "  {}", color.paint(Style::Place, &writer_line(writer)))?;
        for doubt in &writer.doubts {
            writeln!(out, "    {}", color.paint(Style::Doubt, &name::shown(doubt)))?;
        }
        for line in writer_lines(writer) {
            writeln!(out, "    {line}")?;
        }
    }
    for note in &found.unwritten.notes {
        writeln!(out, "  {}", color.paint(Style::Aside, &name::shown(note)))?;
    }
    writeln!(out, "{}", color.paint(Style::Focus, &in_flight_heading(found)))?;
    for request in found.in_flight.iter().take(MOST_REQUESTS) {
        writeln!(out, "  {}", color.paint(Style::Place, &request_place(request)))?;
        for line in request_lines(request) {
            writeln!(out, "    {line}")?;
        }
    }
    let left = found.in_flight.len().saturating_sub(MOST_REQUESTS);
    if left > 0 {
        let more = format!("\u{2026} {left} more; --json has all");
        writeln!(out, "  {}", color.paint(Style::Aside, &more))?;
    }
    for note in &found.in_flight_notes {
        writeln!(out, "  {}", color.paint(Style::Aside, &name::shown(note)))?;
    }
    if !found.timeline.is_empty() || !found.log_notes.is_empty() {
        writeln!(out, "{}", color.paint(Style::Focus, "timeline"))?;
    }
    for entry in &found.timeline {
        let style = if entry.kind == "fault" { Style::Alarm } else { Style::Plain };
        writeln!(out, "  {}", color.paint(style, &timeline_line(entry)))?;
    }
    for note in &found.log_notes {
        writeln!(out, "  {}", color.paint(Style::Aside, &name::shown(note)))?;
    }
    let last = format!("{}  --redact={}", found.id, found.policy);
    writeln!(out, "{}", color.paint(Style::Aside, &crate::visible(&last)))
}

/// `unwritten output: 5 lines in 1 of 4 writers were never written`.
pub(crate) fn unwritten_heading(found: &Contents) -> String {
    let writers = &found.unwritten.writers;
    let seen = found.unwritten.looked_at.values().fold(0_u64, |sum, one| sum.saturating_add(*one));
    let seen = usize::try_from(seen).unwrap_or(usize::MAX);
    if writers.is_empty() {
        return match seen {
            0 => "unwritten output: no writer was found".to_owned(),
            _ => format!("unwritten output: none in {}", counted(seen, "writer")),
        };
    }
    let lines_of = |writers: &mut dyn Iterator<Item = &UnwrittenWriter>| {
        writers.fold(0_usize, |sum, writer| {
            let omitted = usize::try_from(writer.omitted_lines).unwrap_or(usize::MAX);
            sum.saturating_add(writer.lines.len()).saturating_add(omitted)
        })
    };
    let lines = lines_of(&mut writers.iter());
    let unsure = match lines_of(&mut writers.iter().filter(|writer| is_unsure(writer))) {
        0 => String::new(),
        unsure if unsure == lines => ", perhaps written".to_owned(),
        unsure => format!(", {unsure} of them perhaps written"),
    };
    let lines = counted(lines, "line");
    let of = counted(seen, "writer");
    format!("unwritten output: {lines} in {} of {of}{unsure}", writers.len())
}

fn is_unsure(writer: &UnwrittenWriter) -> bool {
    writer.lines.iter().any(|line| line.state != "never-written")
}

/// `FILE at 0x…, descriptor 3 (/var/log/x), 412 bytes never written`.
pub(crate) fn writer_line(writer: &UnwrittenWriter) -> String {
    let mut line = format!("{} at {:#x}", crate::visible(&writer.name), writer.address.0);
    if let Some(descriptor) = writer.descriptor {
        line.push_str(&format!(", descriptor {descriptor}"));
        if let Some(standard) = standard_stream(descriptor) {
            line.push_str(&format!(" ({standard})"));
        }
    }
    if let Some(file) = &writer.file {
        line.push_str(&format!(", {}", name::shown(file)));
    }
    let bytes = counted(usize::try_from(writer.bytes).unwrap_or(usize::MAX), "byte");
    let state = if is_unsure(writer) { "perhaps written" } else { "never written" };
    format!("{line}: {bytes} {state}")
}

fn standard_stream(descriptor: i64) -> Option<&'static str> {
    match descriptor {
        1 => Some("standard output"),
        2 => Some("standard error"),
        _ => None,
    }
}

/// Its lines; what is no whole line is marked.
pub(crate) fn writer_lines(writer: &UnwrittenWriter) -> Vec<String> {
    let mut lines = Vec::new();
    if writer.omitted_lines > 0 || writer.omitted_bytes > 0 {
        let lines_before =
            counted(usize::try_from(writer.omitted_lines).unwrap_or(usize::MAX), "line");
        lines.push(format!("\u{2026} {lines_before} before these; --lines shows more"));
    }
    for (at, line) in writer.lines.iter().enumerate() {
        let may_continue = at == 0 && writer.first_may_continue;
        let start = if may_continue { "\u{2026}" } else { "" };
        let end = if line.is_partial { "  [no line end]" } else { "" };
        lines.push(format!("{start}{}{end}", cut_middle(&name::shown(&line.text), LONGEST)));
    }
    lines
}

/// `in flight: 1 request`; `in flight, perhaps: 1 request` where the frames hold none themselves.
pub(crate) fn in_flight_heading(found: &Contents) -> String {
    let is_held = |request: &InFlight| matches!(request.trust.as_str(), "variable" | "frame");
    let sure = if found.in_flight.iter().any(is_held) { "" } else { ", perhaps" };
    match found.in_flight.len() {
        0 => "in flight: no request or statement was recognised".to_owned(),
        count => format!("in flight{sure}: {}", counted(count, "request")),
    }
}

/// `sql, from a variable: …`.
pub(crate) fn request_place(request: &InFlight) -> String {
    format!("{}: {}", crate::visible(&request.kind), name::shown(&request.place))
}

/// The request, its header, its ids.
pub(crate) fn request_lines(request: &InFlight) -> Vec<String> {
    let more = if request.is_cut { "\u{2026}" } else { "" };
    let mut lines = vec![format!("{}{more}", cut_middle(&name::shown(&request.text), LONGEST))];
    lines.extend(request.headers.iter().map(|field| cut_middle(&name::shown(field), HEADER)));
    lines.extend(
        request
            .ids
            .iter()
            .map(|id| format!("{} {}", crate::visible(&id.kind), name::shown(&id.id))),
    );
    lines
}

/// `2026-11-30 12:00:01  app.log:17  GET /x  [pid]`.
pub(crate) fn timeline_line(entry: &TimelineEntry) -> String {
    let when = match (&entry.when, entry.time) {
        (Some(when), _) => name::shown(when),
        (None, Some(time)) => instant_of(time),
        (None, None) => "(no time)".to_owned(),
    };
    let source = entry.source.as_ref().map(|source| {
        let line = entry.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}", name::shown(source))
    });
    let what = source.unwrap_or_else(|| crate::visible(&entry.kind).into_owned());
    let text = cut_middle(&name::shown(&entry.text), LONGEST);
    let joined = match entry.joined_by.as_slice() {
        [] => String::new(),
        by => format!("  [{}]", crate::visible(&by.join(", "))),
    };
    format!("{when}  {what}  {text}{joined}")
}
