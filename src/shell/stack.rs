//! Frames of the chosen thread.

use std::io::Write;

use super::state::{Done, Shell, Trouble, refuse, say};
use super::words::Words;
use crate::session::{Answer, FrameHandle, Question};
use obit_ownership::is_function;
use obit_render::prompt;
use obit_report::{FrameReport, Variable};

/// Which frames are shown.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    /// The innermost, or the outermost if it is negative.
    count: Option<i64>,
    is_full: bool,
}

/// `bt`, `bt 5`, `bt -5`, `bt full`, `bt -full 5`.
fn wanted(words: &Words<'_>) -> Result<Wanted, Trouble> {
    words.no_format()?;
    let mut wanted = Wanted::default();
    for word in words.rest.split_whitespace() {
        match (word, word.parse()) {
            ("full" | "-full", _) => wanted.is_full = true,
            (_, Ok(count)) if count != 0 => wanted.count = Some(count),
            _ => {
                return refuse(format!(
                    "bt takes a number of frames, or `full`, not `{word}`; frame filters are a \
                     matter of gdb's scripts"
                ));
            }
        }
    }
    Ok(wanted)
}

pub(super) fn backtrace(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let Wanted { count, is_full } = wanted(words)?;
    let chosen = shell.frame;
    let Some(thread) = shell.chosen_thread() else { return refuse("the dump has no threads") };
    if thread.frames.is_empty() {
        return refuse(format!("thread {} has no frame that could be found", thread.tid));
    }
    let total = thread.frames.len();
    let size = count.map_or(total, |count| usize::try_from(count.unsigned_abs()).unwrap_or(total));
    let frames = match count {
        Some(..0) => total.saturating_sub(size)..total,
        _ => 0..size.min(total),
    };
    let truncated = thread.truncated.clone();
    let last = frames.end;
    for frame in frames {
        shell.frame = frame;
        let done = one(shell, is_full, out);
        if done.is_err() {
            shell.frame = chosen;
            return done;
        }
        let gap = truncated.as_ref().filter(|gap| gap.gap_after == frame as u64 + 1);
        if let Some(gap) = gap {
            let left = gap.frames_total.saturating_sub(gap.shown);
            let recursion = gap.recursion.as_ref().map(prompt::plain);
            let recursion = recursion.map(|text| format!(": {text}")).unwrap_or_default();
            let text = format!("\u{2026} {left} frames left out{recursion} (--frames 0 reads all)");
            writeln!(out, "{}", prompt::doubt(&text, &shell.page))?;
        }
    }
    shell.frame = chosen;
    if last < total {
        writeln!(out, "(More stack frames follow...)")?;
    }
    Ok(())
}

fn one(shell: &mut Shell, is_full: bool, out: &mut dyn Write) -> Done {
    line(shell, out)?;
    if is_full {
        let locals = shell.variables("info locals")?;
        if locals.is_empty() {
            let has_lines = shell.chosen_frame().is_some_and(|frame| frame.source.is_some());
            let none = if has_lines { "No locals." } else { "No symbol table info available." };
            writeln!(out, "{none}")?;
        }
        for printed in locals {
            let text = format!("{} = {}", prompt::plain(&printed.name), printed.whole_words());
            writeln!(out, "        {}", obit_render::visible(&text))?;
        }
    }
    Ok(())
}

/// The line of the chosen frame.
pub(super) fn line(shell: &mut Shell, out: &mut dyn Write) -> Done {
    let arguments = arguments(shell)?;
    let is_blamed = shell.blamed() == Some((shell.thread, shell.frame));
    let page = shell.page;
    let Some(frame) = shell.chosen_frame() else { return refuse("no frame is chosen") };
    let text = prompt::frame(frame, &arguments, &page);
    let mark = if is_blamed { prompt::heading("  <- blame", &page) } else { String::new() };
    writeln!(out, "#{:<2} {text}{mark}", frame.index)?;
    Ok(())
}

/// The arguments of the chosen frame: the report has those of the thread that crashed.
pub(super) fn arguments(shell: &mut Shell) -> Result<Vec<Variable>, Trouble> {
    let is_crashed = shell.chosen_thread().is_some_and(|thread| thread.crashed);
    match shell.chosen_frame() {
        None => Ok(Vec::new()),
        Some(frame) if is_crashed || frame.source.is_none() => Ok(frame.args.clone()),
        Some(_) => shell.variables("info args"),
    }
}

impl Shell {
    /// Places of the thread and the frame to blame.
    pub(super) fn blamed(&self) -> Option<(usize, usize)> {
        let blame = self.report.cause.as_ref()?.blame.as_ref()?;
        let crashed = || self.report.crashed_thread().map(|thread| thread.tid);
        let tid = blame.thread.or_else(crashed)?;
        let thread = self.report.threads.iter().position(|thread| thread.tid == tid)?;
        let index = blame.frame?;
        let frames = &self.report.threads.get(thread)?.frames;
        Some((thread, frames.iter().position(|frame| frame.index == index)?))
    }
}

/// The frame and its line of source, as after `frame`.
pub(super) fn show(shell: &mut Shell, out: &mut dyn Write) -> Done {
    line(shell, out)?;
    let page = shell.page;
    let Some(FrameReport { source: Some(source), .. }) = shell.chosen_frame() else {
        return Ok(());
    };
    let Some(number) = source.line else { return Ok(()) };
    let question = Question::Lines { at: shell.place(), code: None, line: None, context: 0 };
    let Answer::Source(answer) = shell.ask(&question)? else { return Ok(()) };
    match answer.lines.iter().find(|line| line.line == number) {
        Some(line) => writeln!(out, "{}", prompt::source_line(number, &line.text, false, &page))?,
        None => {
            let doubt = answer.doubt.as_ref().map(prompt::plain).unwrap_or_default();
            writeln!(
                out,
                "{number}\t{}",
                prompt::doubt(&format!("in {}", of(&answer.file)), &page)
            )?;
            writeln!(out, "{}", prompt::doubt(&doubt, &page))?;
            return Ok(());
        }
    }
    if let Some(doubt) = &answer.doubt {
        writeln!(out, "{}", prompt::doubt(&prompt::plain(doubt), &page))?;
    }
    Ok(())
}

fn of(file: &Option<obit_redact::Shown>) -> String {
    file.as_ref().map_or_else(|| "??".to_owned(), prompt::plain)
}

pub(super) fn frame(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let (word, rest) = Words::first(words.rest);
    match word {
        "" => {}
        "apply" => return super::threads::frame_apply(shell, rest, out),
        "function" => {
            let Some(thread) = shell.chosen_thread() else { return refuse("no thread is chosen") };
            let is_one = |frame: &FrameReport| {
                let name = frame.function.as_ref().map(obit_redact::Shown::as_str);
                name.is_some_and(|name| is_function(name, rest) == Some(true))
            };
            let Some(place) = thread.frames.iter().position(is_one) else {
                return refuse(format!("no frame of this thread is certain to be of `{rest}`"));
            };
            shell.choose(shell.thread, place);
        }
        "level" => by_number(shell, rest)?,
        _ => by_number(shell, words.rest)?,
    }
    show(shell, out)
}

/// Chooses the frame of a number, or of a handle as other answers name it: `16961/1`.
fn by_number(shell: &mut Shell, text: &str) -> Done {
    let text = text.trim();
    if let Ok(handle) = text.parse::<FrameHandle>() {
        let threads = &shell.report.threads;
        let thread = threads.iter().position(|thread| thread.tid == handle.thread);
        let Some(thread) = thread else {
            return refuse(format!("no thread {} in this dump", handle.thread));
        };
        let frames = threads.get(thread).map(|thread| thread.frames.as_slice()).unwrap_or_default();
        let Some(frame) = frames.iter().position(|frame| frame.index == handle.frame) else {
            return refuse(format!("no frame {text}"));
        };
        shell.choose(thread, frame);
        return Ok(());
    }
    let Some(thread) = shell.chosen_thread() else { return refuse("no thread is chosen") };
    let Ok(number) = text.parse::<u64>() else {
        return refuse(format!("a frame has a number, not `{text}`; `bt` lists them"));
    };
    let Some(place) = thread.frames.iter().position(|frame| frame.index == number) else {
        let last = thread.frames.last().map_or(0, |frame| frame.index);
        return refuse(format!("no frame {number}, or it is left out; the last is {last}"));
    };
    shell.choose(shell.thread, place);
    Ok(())
}

fn count(words: &Words<'_>) -> Result<usize, Trouble> {
    words.no_format()?;
    match words.rest {
        "" => Ok(1),
        rest => rest.parse().map_or_else(|_| refuse(format!("`{rest}` is not a number")), Ok),
    }
}

pub(super) fn up(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let last = shell.chosen_thread().map_or(0, |thread| thread.frames.len().saturating_sub(1));
    if shell.frame >= last {
        return refuse("this is the outermost frame: there is none above");
    }
    let frame = shell.frame.saturating_add(count(words)?).min(last);
    shell.choose(shell.thread, frame);
    show(shell, out)
}

pub(super) fn down(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    if shell.frame == 0 {
        return refuse("this is the innermost frame: there is none below");
    }
    let frame = shell.frame.saturating_sub(count(words)?);
    shell.choose(shell.thread, frame);
    show(shell, out)
}

/// `info frame`.
pub(super) fn describe(shell: &mut Shell, out: &mut dyn Write) -> Done {
    let thread = shell.chosen_thread();
    let above = thread.and_then(|thread| thread.frames.get(shell.frame.saturating_add(1))).cloned();
    let Some(frame) = shell.chosen_frame().cloned() else { return refuse("no frame is chosen") };
    let name = |frame: &FrameReport| {
        frame.function.as_ref().map_or_else(|| "??".to_owned(), prompt::plain)
    };
    say(out, &format!("Stack level {}, in {} at pc {}", frame.index, name(&frame), frame.pc))?;
    if let Some(source) = &frame.source {
        let line = source.line.map_or_else(|| "?".to_owned(), |line| line.to_string());
        say(out, &format!(" source {}:{line}", prompt::plain(&source.file)))?;
    }
    if let Some(module) = &frame.module {
        say(out, &format!(" in {} at offset {}", prompt::plain(&module.path), module.offset))?;
    }
    let known = frame.trust.word();
    say(out, &format!(" known by: {known}"))?;
    if let Some(bytes) = frame.stack_bytes {
        say(out, &format!(" {bytes} bytes of stack"))?;
    }
    match above {
        Some(above) => say(
            out,
            &format!(" called by frame {}, {} at pc {}", above.index, name(&above), above.pc),
        )?,
        None => say(out, " outermost frame that is known")?,
    }
    for pointer in ["$sp", "$fp"] {
        for register in shell.variables(&format!("/x {pointer}")).unwrap_or_default() {
            say(out, &format!(" {pointer} {}", register.whole_words()))?;
        }
    }
    Ok(())
}
