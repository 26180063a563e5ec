//! Incidents: who failed first, and what joins the dumps.

use std::io;

use crate::PageOptions;
use crate::layout::counted;
use crate::style::Style;
use crate::terminal::groups::text;
use obit_incident::{Evidence, Incident, Incidents, Member, Strength};
use obit_triage::time::instant_of;

/// Incidents and dumps that are listed.
const MOST: usize = 200;
/// Processes and pieces of evidence of one incident that are listed.
pub(crate) const MOST_PROCESSES: usize = 50;
pub(crate) const MOST_EVIDENCE: usize = 100;
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
            writeln!(out, "  {}: {}", text(&alone.core), text(&alone.text))?;
        }
    }
    let left = found.incidents.len().saturating_sub(MOST) + found.alone.len().saturating_sub(MOST);
    if left > 0 {
        writeln!(out, "\u{2026} {left} more; --format json has all")?;
    }
    for failure in found.failures.iter().take(MOST) {
        let line = format!("not read: {}: {}", text(&failure.core), text(&failure.text));
        writeln!(out, "{}", color.paint(Style::Doubt, &line))?;
    }
    for note in &found.notes {
        writeln!(out, "{}", color.paint(Style::Aside, &text(note)))?;
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
    let style = if incident.first.is_some() { Style::Alarm } else { Style::Doubt };
    writeln!(out, "{}", color.paint(style, &text(&first(incident))))?;
    for (at, member) in incident.processes.iter().enumerate().take(MOST_PROCESSES) {
        writeln!(out, "  {}", color.paint(Style::Focus, &text(&line(at, member))))?;
        for detail in details(member) {
            writeln!(out, "     {}", text(&detail))?;
        }
        writeln!(out, "     {}", color.paint(Style::Place, &text(&member.core)))?;
    }
    if let Some(more) = more_processes(incident) {
        writeln!(out, "  {more}")?;
    }
    writeln!(out, "  evidence:")?;
    for ((a, b), evidence) in evidence(incident).take(MOST_EVIDENCE) {
        let line = format!("#{a} #{b} [{}] {}", evidence.strength.word(), text(&evidence.text));
        let style = if evidence.strength == Strength::Guess { Style::Doubt } else { Style::Plain };
        writeln!(out, "     {}", color.paint(style, &line))?;
    }
    if let Some(more) = more_evidence(incident) {
        writeln!(out, "     {more}")?;
    }
    for next in &incident.next {
        writeln!(out, "  next time: {}", color.paint(Style::Aside, &text(next)))?;
    }
    Ok(())
}

/// What joins the processes, with the places of the two that it joins.
pub(crate) fn evidence(incident: &Incident) -> impl Iterator<Item = ((usize, usize), &Evidence)> {
    incident.links.iter().flat_map(|link| link.evidence.iter().map(|one| (link.between, one)))
}

/// That there are more processes than are listed.
pub(crate) fn more_processes(incident: &Incident) -> Option<String> {
    more(incident.processes.len(), MOST_PROCESSES, "process(es)")
}

/// That there is more evidence than is listed.
pub(crate) fn more_evidence(incident: &Incident) -> Option<String> {
    more(evidence(incident).count(), MOST_EVIDENCE, "piece(s) of evidence")
}

fn more(count: usize, most: usize, what: &str) -> Option<String> {
    let left = count.checked_sub(most).filter(|left| *left > 0)?;
    Some(format!("\u{2026} and {left} more {what}; --format json has all"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use obit_incident::{First, Link};

    #[test]
    fn an_incident_of_many_processes_is_listed_in_part_and_no_sentence_is_endless() {
        let member = Member { command: Some("x".repeat(1 << 20)), ..Member::default() };
        let evidence = vec![Evidence { text: "y".repeat(1 << 20), ..Evidence::default() }; 5];
        let link = Link { evidence, ..Link::default() };
        let incident = Incident {
            first: Some(First { reason: "z".repeat(1 << 20), ..First::default() }),
            processes: vec![member; 60],
            links: vec![link; 40],
            ..Incident::default()
        };
        let found = Incidents { incidents: vec![incident], ..Incidents::default() };
        let mut out = Vec::new();
        write_incidents(&mut out, &found, &PageOptions::default()).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(page.len() < 1 << 20, "{}", page.len());
        assert!(page.contains("\u{2026} and 10 more process(es)"), "{}", page.len());
        assert!(page.contains("\u{2026} and 100 more piece(s) of evidence"));
        let mut out = Vec::new();
        crate::markdown::incidents::write_incidents_markdown(&mut out, &found).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(page.len() < 1 << 20 && page.contains("and 10 more"), "{}", page.len());
        let mut out = Vec::new();
        crate::html::write_incidents_html(&mut out, &found).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(page.len() < 2 << 20 && page.contains("and 10 more"), "{}", page.len());
    }
}
