//! The page for a person: what died, where, what else went on, what is missing.

use std::io;

use super::chain::Origins;
use super::ink::Ink;
use super::layout::{counted, cut_end, width, wrap};
use super::name;
use super::notices::write_notices;
use super::stack::{Values, write_registers, write_stack};
use super::threads::write_threads;
use super::{Detail, PageOptions};
use crate::report::{Blame, Confidence, Finding, Report, SignalReport, ThreadReport};

/// Digits of a build ID that tell builds apart at a glance.
const BUILD_ID_DIGITS: usize = 12;
/// Columns of a process' or a thread's name.
const WIDEST_NAME: usize = 40;

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
    write_cause(out, report, options)?;
    write_findings(out, report, options)?;
    if let Some(thread) = wanted {
        writeln!(out)?;
        if !thread.crashed {
            let title = format!("thread {}{}", thread.tid, quoted_name(thread));
            writeln!(out, "{}", options.color.paint(Ink::Focus, &title))?;
        }
        let origins = Origins::of(report);
        write_stack(out, thread, Values::Own, &origins, options)?;
        if options.registers || options.detail == Detail::Verbose {
            writeln!(out)?;
            write_registers(out, thread, options)?;
        }
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

fn write_headline(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let (what, about) = match &report.signal {
        Some(signal) => (signal.name.clone(), signal_facts(signal, report)),
        None => ("no signal on record".to_owned(), String::new()),
    };
    let what_width = "obit: ".len() + width(&what) + width(&about);
    let who = who(report);
    write!(out, "obit: {}{about}", options.color.paint(Ink::Alarm, &what))?;
    if what_width + 4 + width(&who) <= options.width {
        return writeln!(out, "    {who}");
    }
    writeln!(out)?;
    for line in wrap(&who, options.width.saturating_sub(6)) {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

/// ` at 0x28: not mapped (SEGV_MAPERR)`, ` from pid 42, uid 0 (SI_USER)`.
fn signal_facts(signal: &SignalReport, report: &Report) -> String {
    let mut facts = String::new();
    if let Some(address) = signal.fault_address {
        facts.push_str(&format!(" at {address}"));
    }
    if let Some(meaning) = meaning(signal) {
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

/// What the kernel means by the code, where its name alone does not tell.
fn meaning(signal: &SignalReport) -> Option<&'static str> {
    Some(match signal.code_name.as_deref()? {
        "SEGV_MAPERR" => "nothing is mapped there",
        "SEGV_ACCERR" => "mapped, but access is not allowed",
        // The processor reports no address for these.
        "SI_KERNEL" if signal.name == "SIGSEGV" && signal.fault_address.is_none() => {
            "address not reported, non-canonical or privileged"
        }
        "BUS_ADRALN" => "misaligned",
        "BUS_ADRERR" => "nothing behind it, as beyond the end of a mapped file",
        "FPE_INTDIV" => "integer division by zero",
        "FPE_INTOVF" => "integer overflow",
        "ILL_ILLOPC" => "no such instruction",
        "ILL_ILLOPN" => "no such instruction or operand",
        "ILL_PRVOPC" | "ILL_PRVREG" => "instruction of the kernel only",
        _ => return None,
    })
}

fn who(report: &Report) -> String {
    let process = &report.process;
    let exe = process.exe.as_ref().map(name::base_name);
    let program = exe.or_else(|| process.comm.as_ref().map(name::shown));
    let mut parts =
        vec![cut_end(&program.unwrap_or_else(|| "unknown program".into()), WIDEST_NAME)];
    if let Some(build_id) = &process.build_id {
        parts.push(format!("build {}", short_build_id(build_id)));
    }
    if let Some(pid) = process.pid {
        parts.push(format!("pid {pid}"));
    }
    let crashed = report.threads.iter().position(|thread| thread.crashed);
    if let Some((at, thread)) = crashed.and_then(|at| Some((at, report.threads.get(at)?))) {
        parts.push(format!(
            "thread {}{} ({} of {})",
            thread.tid,
            quoted_name(thread),
            at + 1,
            report.threads.len()
        ));
    }
    parts.join(", ")
}

/// The first digits of a build ID.
pub(super) fn short_build_id(id: &str) -> String {
    match id.get(..BUILD_ID_DIGITS) {
        Some(start) if start.len() < id.len() => format!("{start}\u{2026}"),
        _ => id.to_owned(),
    }
}

fn quoted_name(thread: &ThreadReport) -> String {
    let name = thread.name.as_ref().map(name::shown);
    name.map_or_else(String::new, |name| format!(" \"{}\"", cut_end(&name, WIDEST_NAME)))
}

fn write_cause(out: &mut dyn io::Write, report: &Report, options: &PageOptions) -> io::Result<()> {
    let Some(cause) = &report.cause else { return Ok(()) };
    let texts = [Some(&cause.title), cause.explanation.as_ref(), cause.message.as_ref()];
    for text in texts.into_iter().flatten() {
        for line in wrap(&name::shown(text), options.width.saturating_sub(6)) {
            writeln!(out, "      {}", options.color.paint(Ink::Focus, &line))?;
        }
    }
    let crashed = report.crashed_thread().map(|thread| thread.tid);
    let place = cause.blame.as_ref().and_then(|blame| place_of(blame, crashed, options));
    let Some(place) = place else {
        return Ok(());
    };
    let doubt = match cause.confidence {
        Confidence::Proved => "",
        Confidence::Likely => ", likely",
        Confidence::Guess => ", a guess",
    };
    let class = format!("({}{doubt})", cause.class);
    let place = cut_end(&place, options.width.saturating_sub(8 + width(&class)));
    writeln!(out, "      {place}  {}", options.color.paint(Ink::Aside, &class))
}

/// `→ #2 run_job, jobd.c:77`: the frame to look at first, and the thread where it is not
/// the crashed one.
fn place_of(blame: &Blame, crashed: Option<i64>, options: &PageOptions) -> Option<String> {
    let function = name::brief(&name::shown(blame.function.as_ref()?));
    let source = blame.source.as_ref().map(|place| format!(", {}", name::source(place, options)));
    let other = blame.thread.filter(|tid| Some(*tid) != crashed);
    let thread = other.map(|tid| format!("thread {tid} ")).unwrap_or_default();
    let source = source.unwrap_or_default();
    Some(format!("\u{2192} {thread}#{} {function}{source}", blame.frame?))
}

/// `also  two threads wait for each other …`, and what shows it.
fn write_findings(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    const INDENT: &str = "      ";
    // What leads the page is not told again.
    let led = report.cause.as_ref().filter(|cause| cause.class == "deadlock");
    let is_led = |finding: &Finding| led.is_some_and(|cause| finding.evidence == cause.evidence);
    for finding in report.findings.iter().filter(|finding| !is_led(finding)) {
        let title = wrap(&name::shown(&finding.title), options.width.saturating_sub(INDENT.len()));
        for (at, line) in title.iter().enumerate() {
            let lead = if at == 0 { "also  " } else { INDENT };
            writeln!(out, "{lead}{}", options.color.paint(Ink::Focus, line))?;
        }
        for evidence in &finding.evidence {
            let text = name::shown(&evidence.text);
            for line in wrap(&text, options.width.saturating_sub(INDENT.len())) {
                writeln!(out, "{INDENT}{line}")?;
            }
        }
    }
    Ok(())
}

fn write_footer(out: &mut dyn io::Write, report: &Report, options: &PageOptions) -> io::Result<()> {
    let mut text = format!("id {}", report.id);
    if report.core.truncated {
        text.push_str("  (of a core that is cut short)");
    }
    match (report.redactions.policy.as_str(), report.redactions.total) {
        ("off", _) => text.push_str("  nothing redacted"),
        (_, 0) => {}
        (_, total) => {
            let total = counted(usize::try_from(total).unwrap_or(usize::MAX), "text");
            text.push_str(&format!("  {total} redacted (--redact=off shows all)"));
        }
    }
    writeln!(out, "\n{}", options.color.paint(Ink::Aside, &text))
}
