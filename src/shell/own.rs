//! What gdb does not have.

use std::io::Write;

use super::stack;
use super::state::{Done, Shell, refuse, say};
use super::words::Words;
use crate::session::{Answer, Claim, Question};
use obit_render::formats::ReportView;
use obit_render::{FORMATS, prompt};
use obit_report::heap::HeapAnswer;

/// Tasks of each runtime, frames of each, and of one that is asked for.
const TASKS: u64 = 100;
const TASK_FRAMES: u64 = 16;
const WHOLE_STACK: u64 = 1000;
/// Rows of each list of the heap.
const HEAP_ROWS: u64 = 10;
/// Words that point to an address.
const POINTERS: u64 = 20;

/// obit's page, as far as it says why.
pub(super) fn why(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.none()?;
    summary(shell, out)
}

/// The first lines of the page.
pub(super) fn summary(shell: &Shell, out: &mut dyn Write) -> Done {
    let Some(writer) = FORMATS.first().and_then(obit_render::Format::report) else {
        return refuse("no page");
    };
    writer.write(out, &shell.report, ReportView::Summary, &shell.page)?;
    Ok(())
}

pub(super) fn blame(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.none()?;
    let Some((thread, frame)) = shell.blamed() else {
        return refuse("no frame is blamed: `why` says what is known");
    };
    if thread != shell.thread
        && let Some(thread) = shell.report.threads.get(thread)
    {
        say(out, &format!("[Switching to LWP {}]", thread.tid))?;
    }
    shell.choose(thread, frame);
    stack::show(shell, out)
}

pub(super) fn locks(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.none()?;
    let Answer::Locks(found) = shell.ask(&Question::Locks)? else { return refuse("no answer") };
    if found.findings.is_empty() && found.waits.is_empty() {
        return say(
            out,
            "No deadlock was found, and no thread that waits for a lock, a condition or another thread.",
        );
    }
    for finding in &found.findings {
        say(out, &prompt::plain(finding))?;
    }
    for wait in &found.waits {
        say(out, &format!("  {}", wait.sentence(&prompt::plain(&wait.lock))))?;
    }
    Ok(())
}

pub(super) fn tasks(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let id = match words.rest.trim() {
        "" => None,
        number => match number.parse() {
            Ok(id) => Some(id),
            Err(_) => return refuse("tasks takes the number of a task, or nothing"),
        },
    };
    let (most, frames) = (TASKS, if id.is_some() { WHOLE_STACK } else { TASK_FRAMES });
    let question = Question::Tasks { runtime: None, state: None, id, most, frames };
    let Answer::Tasks(found) = shell.ask(&question)? else { return refuse("no answer") };
    obit_render::write_tasks(out, &found, &shell.page)?;
    Ok(())
}

pub(super) fn heap(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let of = words.rest.trim();
    let question = match of {
        "" => Question::Heap { most: HEAP_ROWS },
        of => Question::Pointers { of: of.to_owned(), at: shell.place(), most: POINTERS },
    };
    let answer = match shell.ask(&question)? {
        Answer::Heap(found) => HeapAnswer::Census(found),
        Answer::Pointers(found) => HeapAnswer::Place(found),
        _ => return refuse("no answer"),
    };
    obit_render::write_heap(out, &answer, &shell.page)?;
    Ok(())
}

pub(super) fn verify(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let mut claim = Claim::parse(words.rest).map_err(super::Trouble::Said)?;
    if let Claim::Compare { at, .. } | Claim::Freed { at, .. } = &mut claim {
        // What is left open is meant of the chosen frame.
        let chosen = shell.place();
        let is_open = at.thread.is_none();
        at.thread = at.thread.or(chosen.thread);
        at.frame = at.frame.or(chosen.frame.filter(|_| is_open));
    }
    let Answer::Verify(answer) = shell.ask(&Question::Verify(claim))? else {
        return refuse("no answer");
    };
    let (claim, reason) = (prompt::plain(&answer.claim), prompt::plain(&answer.reason));
    let verdict = prompt::heading(answer.verdict.words(), &shell.page);
    writeln!(out, "{verdict}: {claim}: {reason}")?;
    for evidence in &answer.evidence {
        say(out, &format!("  {}", prompt::plain(evidence)))?;
    }
    Ok(())
}

pub(super) fn notices(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.none()?;
    if shell.report.notices.is_empty() {
        return say(out, "Nothing is missing.");
    }
    for notice in &shell.report.notices {
        say(out, &prompt::plain(&notice.text))?;
        let hint = prompt::plain(&notice.hint);
        if !hint.is_empty() {
            say(out, &format!("  {hint}"))?;
        }
    }
    Ok(())
}
