//! A crash as Markdown, for a ticket: the cause first, the rest folded away.

use std::io;

use super::{code, longest_run, prose};
use crate::identity;
use crate::name;
use crate::summary::{self, Location};
use crate::terminal::excerpt::{Extent, excerpt, write_lines};
use crate::terminal::notices::write_notices;
use crate::terminal::stack::{Values, write_registers, write_stack};
use crate::terminal::threads::write_threads;
use crate::visible::visible;
use crate::{Color, DEFAULT_WIDTH, PageOptions, chain::Origins, terminal::modules::write_modules};
use obit_report::{Confidence, Report};

/// Writes `report` as GitHub and GitLab read Markdown. What the process left is in
/// code or is escaped: it cannot mention people, load pictures or hide.
pub(crate) fn write_markdown(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let options = &PageOptions {
        color: Color::Never,
        width: DEFAULT_WIDTH,
        shorten_tables: true,
        ..*options
    };
    let program = summary::program(report).unwrap_or_else(|| "unknown program".to_owned());
    let title = report.cause.as_ref().map(|cause| name::shown(&cause.title));
    let title = title.map(|title| format!(": {title}")).unwrap_or_default();
    let crashed = if report.is_snapshot() { "" } else { " crashed" };
    let kind = summary::kind(report);
    writeln!(out, "### {}{crashed}: {kind}{}\n", code(&program), prose(&title))?;
    write_cause(out, report)?;
    write_place(out, report, options)?;
    write_facts(out, report)?;
    let Some(thread) = report.thread_to_blame() else { return write_end(out, report) };
    let stack = |out: &mut dyn io::Write| {
        let values = Values::Own { explained: None };
        write_stack(out, thread, values, &Origins::of(report), options)
    };
    folded(out, &format!("Stack of thread {}", thread.tid), stack)?;
    let others: Vec<_> = report.threads.iter().filter(|one| one.tid != thread.tid).collect();
    if !others.is_empty() {
        folded(out, "Other threads", |out| write_threads(out, report, &others, options))?;
    }
    if !thread.registers.is_empty() {
        folded(out, "Registers", |out| write_registers(out, thread, options))?;
    }
    if !report.modules.is_empty() {
        folded(out, "Modules", |out| write_modules(out, report, options))?;
    }
    if !report.notices.is_empty() {
        folded(out, "What is missing", |out| write_notices(out, report, options))?;
    }
    write_end(out, report)
}

fn write_cause(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    let Some(cause) = &report.cause else { return Ok(()) };
    if let Some(explanation) = &cause.explanation {
        writeln!(out, "**Why:** {}\n", prose(&name::shown(explanation)))?;
    }
    if let Some(message) = &cause.message {
        writeln!(out, "**It said:** {}\n", code(&name::shown(message)))?;
    }
    match cause.of_class() {
        Confidence::Proved if cause.confidence == Confidence::Proved => Ok(()),
        Confidence::Proved => writeln!(out, "This is proved; the place to look at is likely.\n"),
        Confidence::Likely => writeln!(out, "This is likely, not proved.\n"),
        Confidence::Guess => writeln!(out, "This is a guess.\n"),
    }
}

fn write_place(out: &mut dyn io::Write, report: &Report, options: &PageOptions) -> io::Result<()> {
    let place = Location::of(report);
    let Some(text) = place.text() else { return Ok(()) };
    let blame = report.cause.as_ref().and_then(|cause| cause.blame.as_ref());
    let reason = blame.and_then(|blame| blame.reason.as_ref()).map(name::shown);
    let reason = reason.map(|reason| format!(": {}", prose(&reason))).unwrap_or_default();
    writeln!(out, "**Look at:** {}{reason}\n", code(&text))?;
    let Some((_, frame)) = place.frame else { return Ok(()) };
    let lines = excerpt(frame, Extent::Around { locals: 8 }, options.width, options);
    if lines.is_empty() {
        return Ok(());
    }
    fenced(out, |out| write_lines(out, &lines, 0, options))?;
    writeln!(out)
}

/// The facts a ticket is searched by.
fn write_facts(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    let process = &report.process;
    let mut facts = Vec::new();
    facts.extend(identity::command_line(report).map(|line| ("command", line)));
    facts.extend(identity::circumstances(report, false).map(|known| ("when", known)));
    let version = process.package.as_ref().and_then(|package| package.version.as_ref());
    facts.extend(version.map(|version| ("version", name::shown(version))));
    facts.extend(process.build_id.as_ref().map(|id| ("build", visible(id).into_owned())));
    facts.extend(process.pid.map(|pid| ("pid", pid.to_string())));
    let fault = report.signal.as_ref().and_then(|signal| signal.fault_address);
    facts.extend(fault.map(|address| ("fault address", address.to_string())));
    facts.extend(report.signature.as_ref().map(|found| ("signature", name::shown(&found.text))));
    for (label, text) in &facts {
        writeln!(out, "- {label}: {}", code(text))?;
    }
    if facts.is_empty() { Ok(()) } else { writeln!(out) }
}

fn write_end(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    let signature = report.signature.as_ref();
    let signature = signature.map(|found| format!(" · signature {}", code(&visible(&found.id))));
    writeln!(out, "{}{}", code(&report.id), signature.unwrap_or_default())
}

/// A block that opens when its title is clicked.
fn folded(
    out: &mut dyn io::Write,
    title: &str,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "<details><summary>{title}</summary>\n")?;
    fenced(out, fill)?;
    writeln!(out, "\n</details>\n")
}

/// Text between fences longer than any in it.
fn fenced(
    out: &mut dyn io::Write,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut text = Vec::new();
    fill(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let text = text.trim_matches('\n');
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{fence}text\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_in_the_text_does_not_end_it() {
        let mut out = Vec::new();
        fenced(&mut out, |out| writeln!(out, "a\n````\nb")).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "`````text\na\n````\nb\n`````\n");
    }
}
