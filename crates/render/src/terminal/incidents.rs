//! Incidents: who failed first, and what joins the dumps.

use std::io;

use crate::PageOptions;
use crate::layout::counted;
use crate::style::Style;
use crate::visible::visible;
use obit_incident::{Incident, Incidents, Member, Strength};
use obit_triage::time::instant_of;

/// Incidents and dumps that are listed.
const MOST: usize = 200;
const SECOND: i64 = 1_000_000_000;

/// Writes each incident, then what belongs to none.
pub(crate) fn write_incidents(
    out: &mut dyn io::Write,
    found: &Incidents,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    writeln!(out, "{}", heading(found))?;
    for incident in found.incidents.iter().take(MOST) {
        writeln!(out)?;
        write_incident(out, incident, options)?;
    }
    if !found.alone.is_empty() {
        writeln!(out, "\nnot joined to another dump:")?;
        for alone in found.alone.iter().take(MOST) {
            writeln!(out, "  {}: {}", visible(&alone.core), visible(&alone.text))?;
        }
    }
    let left = found.incidents.len().saturating_sub(MOST) + found.alone.len().saturating_sub(MOST);
    if left > 0 {
        writeln!(out, "\u{2026} {left} more; --format json has all")?;
    }
    for failure in found.failures.iter().take(MOST) {
        let text = format!("not read: {}: {}", visible(&failure.core), visible(&failure.text));
        writeln!(out, "{}", color.paint(Style::Doubt, &text))?;
    }
    for note in &found.notes {
        writeln!(out, "{}", color.paint(Style::Aside, &visible(note)))?;
    }
    Ok(())
}

/// `1 incident in 3 dumps, within 300 s`.
pub(crate) fn heading(found: &Incidents) -> String {
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let incidents = counted(found.incidents.len(), "incident");
    let dumps = counted(count(found.dumps), "dump");
    format!("{incidents} in {dumps}, within {} s", found.window)
}

fn write_incident(
    out: &mut dyn io::Write,
    incident: &Incident,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    let text = first(incident);
    let style = if incident.first.is_some() { Style::Alarm } else { Style::Doubt };
    writeln!(out, "{}", color.paint(style, &visible(&text)))?;
    for (at, member) in incident.processes.iter().enumerate() {
        writeln!(out, "  {}", color.paint(Style::Focus, &visible(&line(at, member))))?;
        for detail in details(member) {
            writeln!(out, "     {}", visible(&detail))?;
        }
        writeln!(out, "     {}", color.paint(Style::Place, &visible(&member.core)))?;
    }
    writeln!(out, "  evidence:")?;
    for link in &incident.links {
        let (a, b) = link.between;
        for evidence in &link.evidence {
            let text =
                format!("#{a} #{b} [{}] {}", evidence.strength.word(), visible(&evidence.text));
            let style =
                if evidence.strength == Strength::Guess { Style::Doubt } else { Style::Plain };
            writeln!(out, "     {}", color.paint(style, &text))?;
        }
    }
    for next in &incident.next {
        writeln!(out, "  next time: {}", color.paint(Style::Aside, &visible(next)))?;
    }
    Ok(())
}

/// Who failed first and why, or why that cannot be said.
pub(crate) fn first(incident: &Incident) -> String {
    let first = incident.first.as_ref();
    let named = first.and_then(|first| Some((first, incident.processes.get(first.process)?)));
    match named {
        Some((first, member)) => {
            format!("first to fail: {} [{}]: {}", name(member), first.strength.word(), first.reason)
        }
        None => {
            let why = incident.undecided.as_deref().unwrap_or("nothing says it");
            format!("first to fail: not known: {why}")
        }
    }
}

fn name(member: &Member) -> String {
    let command = member.command.as_deref().unwrap_or("a process");
    match member.pid {
        Some(pid) => format!("{command} (pid {pid})"),
        None => command.to_owned(),
    }
}

/// `#0 server (pid 10), 2026-03-01T12:30:05.012Z, SIGSEGV`.
pub(crate) fn line(at: usize, member: &Member) -> String {
    let mut parts = vec![format!("#{at} {}", name(member))];
    parts.push(time(member));
    parts.extend(member.signal.clone());
    let place = [("host", &member.host), ("container", &member.container), ("unit", &member.unit)];
    parts.extend(
        place.iter().filter_map(|(what, text)| Some(format!("{what} {}", (*text).as_ref()?))),
    );
    parts.join(", ")
}

/// What is known of its failure, a line each.
pub(crate) fn details(member: &Member) -> Vec<String> {
    let mut all: Vec<String> = member.title.iter().cloned().collect();
    all.extend(member.message.as_ref().map(|message| format!("said: {message}")));
    if let Some(by) = member.follows {
        let strength = member.follows_strength.unwrap_or_default().word();
        let reason = member.follows_reason.as_deref().unwrap_or_default();
        all.push(format!("follows from #{by} [{strength}]: {reason}"));
    }
    all
}

/// As precise as it is known.
fn time(member: &Member) -> String {
    let Some(time) = member.time else { return "at an unknown time".to_owned() };
    let seconds = instant_of(time.div_euclid(SECOND));
    let precise = member.time_precision.is_some_and(|precision| precision < SECOND);
    let text = match (seconds.strip_suffix('Z'), precise) {
        (Some(start), true) => format!("{start}.{:03}Z", time.rem_euclid(SECOND) / 1_000_000),
        _ => seconds,
    };
    if member.time_is_of_file { format!("{text} (time of the file)") } else { text }
}
