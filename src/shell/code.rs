//! Source and instructions.

use std::io::Write;

use super::state::{Done, Shell, Trouble, refuse, say};
use super::values;
use super::words::Words;
use crate::session::{Answer, Question, SourceAnswer};
use obit_render::prompt;
use obit_report::answer::{Answer as Found, MemoryRow};

/// Lines that `list` shows.
const LINES: u32 = 10;
/// Lines of one answer, at most.
const MOST_LINES: u32 = 100;
/// Instructions that are asked for at once, and that are shown at most.
const AT_ONCE: usize = 500;
const MOST_INSTRUCTIONS: usize = 20_000;

/// `FILE:LINE` or `FILE:FUNCTION`; the colons of `a::b` are the function's.
fn file_and_place(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_colon = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&b':');
    let mut colons = bytes.iter().enumerate().filter(|(_, byte)| **byte == b':');
    let (at, _) =
        colons.find(|(at, _)| !is_colon(at.checked_sub(1)) && !is_colon(at.checked_add(1)))?;
    let (file, place) = (text.get(..at)?, text.get(at + 1..)?);
    (!file.is_empty()).then_some((file, place))
}

pub(super) fn list(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let rest = words.rest;
    let around =
        |line: u32| (line.saturating_sub(LINES / 2).max(1), line.saturating_add(LINES / 2 - 1));
    if let Some((file, line)) = file_and_place(rest) {
        let is_own = shell.chosen_frame().and_then(|frame| frame.source.as_ref());
        let is_own = is_own.is_some_and(|source| source.file.as_str().ends_with(file));
        return match (is_own, line.parse()) {
            (true, Ok(line)) => lines(shell, around(line), None, out),
            (true, Err(_)) => list_code(shell, line, around, out),
            (false, _) => {
                refuse(format!("{file} is not the file of this frame; choose a frame of it"))
            }
        };
    }
    match (rest, shell.listed) {
        ("", Some((_, last))) => {
            let next = (last.saturating_add(1), last.saturating_add(LINES));
            lines(shell, next, None, out)
        }
        ("", None) => {
            let source = shell.chosen_frame().and_then(|frame| frame.source.as_ref());
            let Some(line) = source.and_then(|source| source.line) else {
                return refuse("no line information for this frame; `disassemble` shows its code");
            };
            lines(shell, around(line), None, out)
        }
        ("-", Some((first, _))) if first <= 1 => refuse("these were the first lines of the file"),
        ("-", Some((first, _))) => {
            let before = (first.saturating_sub(LINES).max(1), first.saturating_sub(1));
            lines(shell, before, None, out)
        }
        ("-", None) => refuse("nothing was listed yet"),
        _ => match rest.split_once(',') {
            Some((first, last)) => {
                let line = |text: &str| text.trim().parse::<u32>().ok();
                let range = match (first.trim(), line(first), last.trim(), line(last)) {
                    (_, Some(first), "", _) => (first, first.saturating_add(LINES - 1)),
                    ("", _, _, Some(last)) => (last.saturating_sub(LINES - 1).max(1), last),
                    (_, Some(first), _, Some(last)) if first <= last => (first, last),
                    _ => return refuse(format!("`{rest}` is not a range of lines: `list 10,20`")),
                };
                lines(shell, range, None, out)
            }
            None => match rest.parse() {
                Ok(line) => lines(shell, around(line), None, out),
                Err(_) => list_code(shell, rest, around, out),
            },
        },
    }
}

/// `list main`, `list *0x401136`.
fn list_code(
    shell: &mut Shell,
    code: &str,
    around: impl Fn(u32) -> (u32, u32),
    out: &mut dyn Write,
) -> Done {
    let code = code.strip_prefix('*').unwrap_or(code);
    let answer = source(shell, Some(code), None, 0)?;
    let Some(line) = answer.line else {
        return refuse(format!("no line information for `{code}`"));
    };
    if let Some(file) = &answer.file {
        say(out, &format!("file {}, line {line}:", prompt::plain(file)))?;
    }
    lines(shell, around(line), Some(code), out)
}

fn source(
    shell: &mut Shell,
    code: Option<&str>,
    line: Option<u32>,
    context: u32,
) -> Result<SourceAnswer, Trouble> {
    let code = code.map(str::to_owned);
    let question = Question::Lines { at: shell.place(), code, line, context };
    match shell.ask(&question)? {
        Answer::Source(answer) => Ok(answer),
        _ => refuse("no answer"),
    }
}

/// Lists lines, of the frame's file or of that of other code.
fn lines(
    shell: &mut Shell,
    (first, last): (u32, u32),
    code: Option<&str>,
    out: &mut dyn Write,
) -> Done {
    let last = last.min(first.saturating_add(MOST_LINES));
    let answer = source(shell, code, Some(first), last.saturating_sub(first))?;
    let wanted = answer.lines.iter().filter(|line| (first..=last).contains(&line.line));
    let wanted: Vec<_> = wanted.collect();
    let doubt = answer.doubt.as_ref().map(prompt::plain);
    let Some(end) = wanted.last().map(|line| line.line) else {
        let file = answer.file.as_ref().map(prompt::plain).unwrap_or_default();
        let why = doubt.unwrap_or_default();
        return refuse(format!("{file}, line {first}: {why}"));
    };
    let page = shell.page;
    let current = shell.chosen_frame().and_then(|frame| frame.source.as_ref());
    let current = current.filter(|_| code.is_none()).and_then(|source| source.line);
    for line in wanted {
        let is_current = Some(line.line) == current;
        writeln!(out, "{}", prompt::source_line(line.line, &line.text, is_current, &page))?;
    }
    if let Some(doubt) = doubt {
        writeln!(out, "{}", prompt::doubt(&doubt, &page))?;
    }
    // Of other code, what follows would be of the frame's file.
    shell.listed = code.is_none().then_some((first, end));
    Ok(())
}

/// `info line`, `info line *ADDRESS`.
pub(super) fn line_of(shell: &mut Shell, code: &str, out: &mut dyn Write) -> Done {
    let code = code.strip_prefix('*').unwrap_or(code);
    let answer = source(shell, (!code.is_empty()).then_some(code), None, 0)?;
    let what = if code.is_empty() { "$pc" } else { code };
    let (Some(file), Some(line)) = (&answer.file, answer.line) else {
        return refuse(format!("no line information for `{what}`"));
    };
    let place = shell.variables(&format!("/a {what}")).unwrap_or_default();
    let place = place.first().map(obit_report::Variable::whole_words).unwrap_or_default();
    say(out, &format!("Line {line} of \"{}\" has the code at {place}", prompt::plain(file)))
}

/// Where code ends.
enum End {
    /// Where another function begins.
    Function(String),
    At(u64),
}

pub(super) fn disassemble(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    if let Some(format) = words.format {
        return refuse(format!(
            "`disassemble` has no /{format}; `list` shows source, `x/16xb ADDRESS` bytes"
        ));
    }
    let (start, end, title) = match words.rest.split_once(',') {
        Some((start, end)) => {
            let start = values::address(shell, start.trim())?;
            let end = end.trim();
            let end = match end.strip_prefix('+') {
                Some(length) => start.saturating_add(values::number(shell, length)?),
                None => values::address(shell, end)?,
            };
            (start, End::At(end), format!("from {start:#x} to {end:#x}"))
        }
        None => {
            let what = if words.rest.is_empty() { "$pc" } else { words.rest };
            let rows = instructions(shell, what, 1)?;
            let Some(row) = rows.first() else { return refuse("there is no code") };
            let symbol = row.symbol.as_ref().map(|symbol| symbol.as_str().to_owned());
            let Some((name, offset)) = symbol.as_deref().map(split_symbol) else {
                return refuse(format!(
                    "no function is known at {}: `x/16i {what}` shows its code",
                    row.address
                ));
            };
            let start = row.address.0.saturating_sub(offset);
            (start, End::Function(name.to_owned()), format!("for function {name}"))
        }
    };
    say(out, &format!("Dump of assembler code {title}:"))?;
    let (mut at, mut written) = (start, 0);
    'all: while written < MOST_INSTRUCTIONS {
        let rows = instructions(shell, &format!("{at:#x}"), AT_ONCE)?;
        let Some(last) = rows.last().map(|row| row.address.0) else { break };
        let is_end = rows.len() < AT_ONCE;
        for row in &rows {
            // The last one is the first of the next answer.
            if row.address.0 == last && !is_end {
                break;
            }
            let symbol = row.symbol.as_ref().map(|symbol| split_symbol(symbol.as_str()));
            match &end {
                End::At(end) if row.address.0 >= *end => break 'all,
                End::Function(name) if symbol.is_none_or(|(found, _)| found != name) => break 'all,
                End::At(_) | End::Function(_) => {}
            }
            write_instruction(row, symbol, out)?;
            written += 1;
            if row.instruction.is_none() {
                break 'all;
            }
        }
        if is_end || last <= at {
            break;
        }
        at = last;
    }
    if written >= MOST_INSTRUCTIONS {
        say(out, &format!("\u{2026} more than {MOST_INSTRUCTIONS} instructions"))?;
    }
    say(out, "End of assembler dump.")
}

fn instructions(shell: &mut Shell, at: &str, count: usize) -> Result<Vec<MemoryRow>, Trouble> {
    let mut rows = Vec::new();
    for printed in shell.evaluate(&format!("x/{count}i {at}"))? {
        match printed.answer {
            Found::Memory(memory) => rows.extend(memory.rows),
            Found::Value(value) => {
                return refuse(format!("`{at}` gives no address: {}", value.whole_words()));
            }
            Found::Type(_) => {}
        }
    }
    Ok(rows)
}

/// `book+14` as a name and a distance.
fn split_symbol(symbol: &str) -> (&str, u64) {
    let parts = symbol.rsplit_once('+');
    let parts = parts.and_then(|(name, offset)| Some((name, offset.parse().ok()?)));
    parts.unwrap_or((symbol, 0))
}

fn write_instruction(row: &MemoryRow, symbol: Option<(&str, u64)>, out: &mut dyn Write) -> Done {
    let mark = if row.current { "=>" } else { "  " };
    let offset = symbol.map(|(_, offset)| format!(" <+{offset}>")).unwrap_or_default();
    let text = row.instruction.as_ref().or(row.unavailable.as_ref());
    let text = text.map(prompt::plain).unwrap_or_default();
    writeln!(out, "{mark} {:#018x}{offset}:\t{text}", row.address.0)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_a_name_and_a_distance() {
        assert_eq!(split_symbol("book+14"), ("book", 14));
        assert_eq!(split_symbol("book"), ("book", 0));
        assert_eq!(split_symbol("operator+"), ("operator+", 0));
        assert_eq!(split_symbol("operator++8"), ("operator+", 8));
    }
}
