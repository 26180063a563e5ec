//! The page for a person: what died, where, what else went on, what is missing.

use std::io;

use super::details::write_details;
use super::head::Head;
use super::notices::write_notices;
use super::stack::{Values, write_registers, write_stack};
use super::threads::write_threads;
use crate::chain::Origins;
use crate::identity::{self, quoted_name};
use crate::layout::{width, wrap};
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_report::{Redactions, Report, SignalReport};

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn write_page(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let wanted = match options.thread {
        Some(tid) => report.threads.iter().find(|thread| thread.tid == tid),
        None => report.crashed_thread(),
    };
    write_headline(out, report, options)?;
    let head = Head::of(report, options);
    head.write(out, options)?;
    if let Some(thread) = wanted {
        writeln!(out)?;
        if !thread.crashed {
            let title = format!("thread {}{}", thread.tid, quoted_name(thread));
            writeln!(out, "{}", options.color.paint(Style::Focus, &title))?;
        }
        let origins = Origins::of(report);
        let explained = head.explained.filter(|(tid, _)| *tid == thread.tid);
        let values = Values::Own { explained: explained.map(|(_, index)| index) };
        write_stack(out, thread, values, &origins, options)?;
        if options.registers || options.detail == Detail::Verbose {
            writeln!(out)?;
            write_registers(out, thread, options)?;
        }
    }
    if options.detail != Detail::Quiet {
        write_details(out, report, &head, options)?;
    }
    let others: Vec<_> = report.threads.iter().filter(|thread| !thread.crashed).collect();
    if !others.is_empty() && options.thread.is_none() && options.detail != Detail::Quiet {
        write_threads(out, report, &others, options)?;
    }
    if options.detail != Detail::Quiet {
        write_notices(out, report, options)?;
    }
    write_footer(out, report, options)
}

/// Writes what died, why, the frame to look at and the crash's id, in a few lines.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_summary(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    write_headline(out, report, options)?;
    Head::short(report, options).write(out, options)?;
    writeln!(out, "{}", options.color.paint(Style::Aside, &format!("id    {}", report.id)))
}

fn write_headline(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let (what, about) = match &report.signal {
        Some(signal) => (signal.name.clone(), signal_facts(signal, report)),
        None => ("no signal on record".to_owned(), String::new()),
    };
    let mut lines = wrap(&format!("{what}{about}"), options.width.saturating_sub(6)).into_iter();
    let who = identity::process(report);
    let first = lines.next().unwrap_or_default();
    let about = first.strip_prefix(&what).unwrap_or_default();
    write!(out, "obit: {}{about}", options.color.paint(Style::Alarm, &what))?;
    if lines.len() == 0 && "obit: ".len() + width(&first) + 4 + width(&who) <= options.width {
        return writeln!(out, "    {who}");
    }
    for line in lines {
        write!(out, "\n      {line}")?;
    }
    writeln!(out)?;
    for line in wrap(&who, options.width.saturating_sub(6)) {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

/// ` at 0x28: not mapped (SEGV_MAPERR)`, ` from pid 42, uid 0 (SI_USER)`.
pub(crate) fn signal_facts(signal: &SignalReport, report: &Report) -> String {
    let mut facts = String::new();
    if let Some(address) = signal.fault_address {
        facts.push_str(&format!(" at {address}"));
    }
    if let Some(meaning) = signal.meaning() {
        facts.push_str(&format!(": {meaning}"));
    }
    match signal.sender_pid {
        Some(pid) if Some(pid) == report.process.pid => facts.push_str(" from itself"),
        Some(pid) => {
            facts.push_str(&format!(" from pid {pid}"));
            if let Some(uid) = signal.sender_uid {
                facts.push_str(&format!(", uid {uid}"));
            }
        }
        None => {}
    }
    match (&signal.code_name, signal.code) {
        (Some(name), _) => facts.push_str(&format!(" ({name})")),
        (None, Some(code)) => facts.push_str(&format!(" (code {code})")),
        (None, None) => {}
    }
    facts
}

/// `redacted: 5 text, 2 email, 1 card, …`: what was hidden, the most frequent first.
fn redacted(redactions: &Redactions) -> String {
    const MOST: usize = 3;
    let mut counts: Vec<_> = redactions.counts.iter().collect();
    counts.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), *kind));
    let kinds = counts.iter().take(MOST).map(|(kind, count)| format!("{count} {kind}"));
    let mut kinds: Vec<_> = kinds.collect();
    if counts.len() > MOST {
        kinds.push("\u{2026}".to_owned());
    }
    format!("redacted: {}", kinds.join(", "))
}

fn write_footer(out: &mut dyn io::Write, report: &Report, options: &PageOptions) -> io::Result<()> {
    let mut remarks = Vec::new();
    if report.core.truncated {
        remarks.push("(of a core that is cut short)".to_owned());
    }
    match (report.redactions.policy.as_str(), report.redactions.total) {
        ("off", _) => remarks.push("nothing redacted".to_owned()),
        (_, 0) => {}
        _ => remarks.push(format!("{} (--redact=off shows all)", redacted(&report.redactions))),
    }
    let id = format!("id {}", report.id);
    let all: Vec<&str> = [&id].into_iter().chain(&remarks).map(String::as_str).collect();
    let line = all.join("  ");
    // The id stands at the end, whatever is said of it.
    let lines = match width(&line) <= options.width {
        true => vec![line],
        false => [remarks.as_slice(), &[id]].concat(),
    };
    writeln!(out)?;
    lines.iter().try_for_each(|line| writeln!(out, "{}", options.color.paint(Style::Aside, line)))
}
