//! One group in full.

use std::io;

use super::groups::{class, releases, shares, text, ticket, title};
use super::{chart, rates};
use crate::layout::{counted, cut_middle, cut_start, pad, width, wrap};
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_triage::history::{ChangedFunction, CodeChange};
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::GroupTrait;
use obit_triage::views::{GroupDetail, GroupSignature, ReleaseCount, StackLine};

/// Rows of one list that a page shows.
const ROWS: usize = 12;
/// Columns of the label before a line.
const LABEL: usize = 8;

/// Writes the page of a group.
pub(crate) fn write_group(
    out: &mut dyn io::Write,
    detail: &GroupDetail,
    options: &PageOptions,
) -> io::Result<()> {
    let group = &detail.group;
    let paint = |ink, text: &str| options.color.paint(ink, text).to_string();
    let name = group.name.as_ref().map(|name| format!(" \"{}\"", text(name)));
    writeln!(
        out,
        "{}{}: {}, {}",
        paint(Style::Focus, &group.id),
        name.unwrap_or_default(),
        paint(Style::Doubt, &group.status_words()),
        counted(group.count as usize, "dump")
    )?;
    let mut say = |label: &str, body: &str| -> io::Result<()> {
        let room = options.width.saturating_sub(LABEL).max(20);
        for (at, line) in wrap(body, room).iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            writeln!(out, "{}{line}", options.color.paint(Style::Aside, &pad(label, LABEL)))?;
        }
        Ok(())
    };
    say("why", &format!("{} ({})", title(group), class(group)))?;
    if let Some(explanation) = &detail.explanation {
        say("", &text(explanation))?;
    }
    if let Some(message) = &detail.message {
        say("said", &text(message))?;
    }
    say("status", &format!("{}{}", text(&group.reason), state(detail)))?;
    for (at, line) in changes(&group.changed).iter().enumerate() {
        say(if at == 0 { "code" } else { "" }, line)?;
    }
    if let (Some(first), Some(last)) = (&group.first, &group.last) {
        let hosts = match group.hosts {
            0 => String::new(),
            hosts => format!(", {}", counted(hosts as usize, "host")),
        };
        let (first, last) = (minute_of(first.time), minute_of(last.time));
        let line = format!("{first} to {last} UTC, {}{hosts}", releases(&group.releases));
        say("seen", &line)?;
    }
    if let Some(began) = rates::began(group) {
        say("began", &began)?;
    }
    if let Some(shares) = shares(group) {
        say("share", &shares)?;
    }
    if let Some(rate) = rates::newest(group) {
        say("rate", &rate)?;
    }
    if let Some(surge) = &group.surge {
        say("surge", &surge.text())?;
    }
    if let Some(ticket) = ticket(group) {
        say("ticket", &ticket)?;
    }
    say("sig", &text(&group.signature))?;
    let room = if options.detail == Detail::Verbose { usize::MAX } else { ROWS };
    for line in signatures(detail, room) {
        say("", &line)?;
    }
    for note in &detail.notes {
        say("note", &format!("{}: {}", day_of(note.time), text(&note.text)))?;
    }
    for suspect in &detail.suspected_same {
        let percent = suspect.likeness * 100.0;
        let line =
            format!("{} ({percent:.0} % alike): {}", suspect.group, text(&suspect.signature));
        say("like", &line)?;
    }
    let chart = chart::columns(&group.series, options.width);
    for (at, line) in chart.iter().enumerate() {
        let line = options.color.paint(if at == 0 { Style::Aside } else { Style::Plain }, line);
        writeln!(out, "{}{line}", if at == 0 { "\n" } else { "" })?;
    }
    let most = if options.detail == Detail::Verbose { usize::MAX } else { ROWS };
    write_stack(out, &detail.stack, most, options)?;
    write_traits(out, detail, most, options)?;
    if group.releases.iter().any(|release| release.count > 0) {
        writeln!(out, "\n{}", options.color.paint(Style::Aside, "releases"))?;
        write_counts(out, &group.releases, false, most, options)?;
    }
    if detail.builds.len() > group.releases.len() {
        writeln!(out, "\n{}", options.color.paint(Style::Aside, "builds"))?;
        write_counts(out, &detail.builds, true, most, options)?;
    }
    if !detail.hosts.is_empty() {
        writeln!(out, "\n{}", options.color.paint(Style::Aside, "hosts"))?;
        write_counts(out, &detail.hosts, false, most, options)?;
    }
    write_dumps(out, detail, options)
}

/// The signatures of a group of several, each with its dumps and why it is in the group.
pub(crate) fn signatures(detail: &GroupDetail, most: usize) -> Vec<String> {
    let all = &detail.signatures;
    if all.len() < 2 {
        return Vec::new();
    }
    let line = |signature: &GroupSignature| {
        let because = signature.because().map(|because| format!(": {because}"));
        let id = text(&signature.id);
        let because = because.map(|because| text(&because)).unwrap_or_default();
        format!("{}\u{d7} {}  {id}{because}", signature.count, text(&signature.text))
    };
    let mut lines: Vec<String> = all.iter().take(most).map(line).collect();
    if let Some(more) = all.len().checked_sub(most).filter(|more| *more > 0) {
        lines.push(format!("and {}", counted(more, "more signature")));
    }
    lines
}

/// What became of functions between releases, a line for each two releases.
fn changes(changed: &[ChangedFunction]) -> Vec<String> {
    let mut spans: Vec<(&str, &str)> = Vec::new();
    for change in changed {
        let span = (change.from.as_str(), change.to.as_str());
        if !spans.contains(&span) {
            spans.push(span);
        }
    }
    let of_span = |(from, to): (&str, &str)| {
        let parts = [
            (CodeChange::Changed, "changed"),
            (CodeChange::Added, "added"),
            (CodeChange::Removed, "removed"),
            (CodeChange::Same, "the same"),
        ]
        .into_iter()
        .filter_map(|(what, word)| {
            let here = changed.iter().filter(|c| c.from == from && c.to == to && c.what == what);
            let names: Vec<String> = here.map(|change| text(&change.function)).collect();
            (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
        });
        let parts: Vec<String> = parts.collect();
        format!("{} to {}: {}", text(from), text(to), parts.join("; "))
    };
    spans.into_iter().map(of_span).collect()
}

/// What the user said.
pub(crate) fn state(detail: &GroupDetail) -> String {
    let build = detail.state_build.as_ref().map(|build| format!(" in {}", text(build)));
    match (detail.state_since, detail.group.state.as_str()) {
        (Some(at), state) => {
            let state = text(state);
            format!(" \u{b7} {state}{} since {}", build.unwrap_or_default(), day_of(at))
        }
        _ => String::new(),
    }
}

fn write_stack(
    out: &mut dyn io::Write,
    stack: &[StackLine],
    most: usize,
    options: &PageOptions,
) -> io::Result<()> {
    if stack.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for frame in stack.iter().take(most) {
        let number = pad(&format!("#{}", frame.index), 4);
        let function = text(frame.function.as_deref().unwrap_or("??"));
        let function = cut_middle(&function, options.width / 2);
        let place = frame.source.as_ref().or(frame.module.as_ref());
        let place = place.map(|place| text(place)).unwrap_or_default();
        let inline = if frame.is_inline { "  [inlined]" } else { "" };
        let mark = if frame.is_to_blame { "  \u{2190} to blame" } else { "" };
        let gap = if place.is_empty() { "" } else { "  " };
        writeln!(
            out,
            "{number}{}{gap}{}{inline}{mark}",
            options.color.paint(Style::Focus, &function),
            options.color.paint(Style::Place, &place)
        )?;
    }
    write_rest(out, stack.len(), most, "frame", options)
}

fn write_traits(
    out: &mut dyn io::Write,
    detail: &GroupDetail,
    most: usize,
    options: &PageOptions,
) -> io::Result<()> {
    if detail.traits.is_empty() {
        return Ok(());
    }
    let (here, there) = detail.compared;
    let here = counted(here as usize, "dump");
    let heading = match there {
        0 => format!("in common ({here})"),
        _ => format!("in common ({here} compared with {})", counted(there as usize, "other")),
    };
    writeln!(out, "\n{}", options.color.paint(Style::Aside, &heading))?;
    for line in detail.traits.iter().take(most).map(trait_line) {
        writeln!(out, "  {}", cut_middle(&line, options.width.saturating_sub(2)))?;
    }
    write_rest(out, detail.traits.len(), most, "trait", options)
}

/// `host is web-3 in all 8; 1 of 21 elsewhere`.
pub(crate) fn trait_line(one: &GroupTrait) -> String {
    let joint = if one.what == "is between" { " and " } else { ", " };
    let values: Vec<String> = one.values.iter().map(|value| text(value)).collect();
    let mut line = format!("{} {}", text(&one.of), text(&one.what));
    if !values.is_empty() {
        line.push_str(&format!(" {}", values.join(joint)));
    }
    match one.known {
        known if known == one.count => line.push_str(&format!(" in all {known}")),
        known => line.push_str(&format!(" in {} of {known}", one.count)),
    }
    if let (Some(others), Some(known)) = (one.elsewhere, one.elsewhere_known) {
        line.push_str(&format!("; in {others} of {known} others"));
    }
    line
}

fn write_counts(
    out: &mut dyn io::Write,
    counts: &[ReleaseCount],
    names_builds: bool,
    most: usize,
    options: &PageOptions,
) -> io::Result<()> {
    let name = |count: &ReleaseCount| {
        let build = count.builds.first().map_or("", String::as_str);
        let build = build.get(..12).unwrap_or(build);
        match count.name.as_str() {
            "" => text(build),
            name if names_builds => format!("{}  {}", text(build), text(name)),
            name => text(name),
        }
    };
    let columns = counts.iter().map(|count| width(&name(count))).max().unwrap_or(0).min(40);
    for count in counts.iter().take(most) {
        let dates = match (count.first, count.last) {
            (Some(first), Some(last)) => format!("  {} to {}", day_of(first), day_of(last)),
            _ => String::new(),
        };
        let share = format!("{} of {}", count.count, counted(count.dumps as usize, "dump"));
        let name = pad(&cut_middle(&name(count), columns), columns);
        let line = format!("  {name}  {}{dates}", pad(&share, 18));
        writeln!(out, "{}", line.trim_end())?;
        for part in rates::of_release(count) {
            writeln!(out, "    {}", options.color.paint(Style::Aside, &part))?;
        }
    }
    write_rest(out, counts.len(), most, "more", options)
}

fn write_dumps(
    out: &mut dyn io::Write,
    detail: &GroupDetail,
    options: &PageOptions,
) -> io::Result<()> {
    if detail.dumps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", options.color.paint(Style::Aside, "newest dumps"))?;
    for dump in &detail.dumps {
        let id = if dump.crash.is_empty() { &dump.dump } else { &dump.crash };
        let release = dump.release.as_deref().map(text).unwrap_or_default();
        let host = dump.host.as_deref().map(text).unwrap_or_default();
        let start = format!("  {}  {}  {release}  {host}", minute_of(dump.time), text(id));
        let start = start.trim_end().to_owned();
        let path = dump.path.as_deref().map(text).unwrap_or_default();
        let room = options.width.saturating_sub(width(&start) + 2).max(24);
        let path = if options.detail == Detail::Verbose { path } else { cut_start(&path, room) };
        writeln!(out, "{start}  {}", options.color.paint(Style::Place, &path))?;
    }
    let rest = detail.group.count.saturating_sub(detail.dumps.len() as u64);
    if rest > 0 {
        let line = format!("  {} more; -n N shows N", counted(rest as usize, "dump"));
        writeln!(out, "{}", options.color.paint(Style::Aside, &line))?;
    }
    Ok(())
}

fn write_rest(
    out: &mut dyn io::Write,
    all: usize,
    most: usize,
    what: &str,
    options: &PageOptions,
) -> io::Result<()> {
    let rest = all.saturating_sub(most);
    if rest == 0 {
        return Ok(());
    }
    let line = match what {
        "more" => format!("  {rest} more"),
        what => format!("  {} more", counted(rest, what)),
    };
    writeln!(out, "{}", options.color.paint(Style::Aside, &line))
}
