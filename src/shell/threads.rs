//! Threads, and commands in several of them.

use std::io::Write;

use super::stack;
use super::state::{Done, Shell, Trouble, refuse};
use super::words::Words;
use obit_render::prompt;
use obit_report::ThreadReport;

/// What is shown of a command that fails in one of several places.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    /// `-s`: nothing.
    is_silent: bool,
    /// `-c`: the error, and it goes on.
    goes_on: bool,
    /// `-q`: no headings.
    is_quiet: bool,
    /// `-ascending`.
    is_ascending: bool,
}

fn flags(mut text: &str) -> (Flags, &str) {
    let mut flags = Flags::default();
    loop {
        let (word, rest) = Words::first(text);
        match word {
            "-s" => flags.is_silent = true,
            "-c" => flags.goes_on = true,
            "-q" => flags.is_quiet = true,
            "-ascending" => flags.is_ascending = true,
            _ => return (flags, text),
        }
        text = rest;
    }
}

/// `info threads`.
pub(super) fn list(shell: &mut Shell, which: &str, out: &mut dyn Write) -> Done {
    let places = if which.is_empty() { None } else { Some(several(shell, which)?) };
    let (chosen, page) = (shell.thread, shell.page);
    let threads = shell.report.threads.iter().enumerate();
    let mut rows =
        vec![vec!["  Id".to_owned(), "LWP".to_owned(), "Name".to_owned(), "Frame".to_owned()]];
    for (place, thread) in threads {
        if places.as_ref().is_some_and(|places| !places.contains(&place)) {
            continue;
        }
        let mark = if place == chosen { '*' } else { ' ' };
        let name = thread.name.as_ref().map(prompt::plain).unwrap_or_default();
        let frame = thread.frames.first();
        let frame = frame.map_or_else(
            || "no frame was found".to_owned(),
            |frame| prompt::frame(frame, &frame.args, &page),
        );
        let crashed = if thread.crashed { " (crashed)" } else { "" };
        let tid = format!("{}{crashed}", thread.tid);
        rows.push(vec![format!("{mark} {}", place.saturating_add(1)), tid, name, frame]);
    }
    if rows.len() == 1 {
        return refuse("no such threads");
    }
    for row in prompt::columns(&rows) {
        writeln!(out, "{row}")?;
    }
    Ok(())
}

pub(super) fn thread(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let (word, rest) = Words::first(words.rest);
    match word {
        "" => {
            let Some(thread) = shell.chosen_thread() else {
                return refuse("the dump has no threads");
            };
            writeln!(out, "[Current thread is {}]", named(shell.thread, thread))?;
            return Ok(());
        }
        "apply" => return apply(shell, rest, out),
        "find" => return find(shell, rest, out),
        "name" => return refuse("a dump is only read"),
        _ => {}
    }
    let place = place_of(shell, words.rest)?;
    shell.choose(place, 0);
    if let Some(thread) = shell.chosen_thread() {
        writeln!(out, "[Switching to thread {}]", named(place, thread))?;
        if thread.frames.is_empty() {
            return refuse("no frame of this thread could be found");
        }
    }
    stack::show(shell, out)
}

/// `2 (LWP 16962 "worker")`.
fn named(place: usize, thread: &ThreadReport) -> String {
    let name = thread.name.as_ref().map(prompt::plain);
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    format!("{} (LWP {}{name})", place.saturating_add(1), thread.tid)
}

/// The thread of a number in the list, or else of a kernel's id.
fn place_of(shell: &Shell, text: &str) -> Result<usize, Trouble> {
    let threads = &shell.report.threads;
    // `1.2`: the second thread of the first and only process.
    let text = text.strip_prefix("1.").unwrap_or(text);
    let number = text.parse::<i64>().ok().filter(|number| *number > 0);
    let by_number = number.and_then(|number| usize::try_from(number - 1).ok());
    let place = by_number.filter(|place| *place < threads.len());
    let place = place.or_else(|| threads.iter().position(|thread| Some(thread.tid) == number));
    place.map_or_else(
        || {
            refuse(format!(
                "no thread `{text}`: `info threads` lists {} by number and LWP",
                threads.len()
            ))
        },
        Ok,
    )
}

/// `1 3-5` or `all`.
fn several(shell: &Shell, text: &str) -> Result<Vec<usize>, Trouble> {
    let mut places = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('-') {
            Some((first, last)) if !first.is_empty() => {
                let (first, last) = (place_of(shell, first)?, place_of(shell, last)?);
                if first > last {
                    return refuse(format!("the threads `{word}` end before they begin"));
                }
                places.extend(first..=last);
            }
            _ => places.push(place_of(shell, word)?),
        }
    }
    Ok(places)
}

/// `thread apply all bt`, `thread apply 1 3-5 -s p x`.
fn apply(shell: &mut Shell, text: &str, out: &mut dyn Write) -> Done {
    let is_place = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'))
    };
    let (word, rest) = Words::first(text);
    let is_all = word == "all";
    let (mut places, mut rest) = match is_all {
        true => ((0..shell.report.threads.len()).collect(), rest),
        false => (Vec::new(), text),
    };
    loop {
        let (word, after) = Words::first(rest);
        if is_all || !is_place(word) {
            break;
        }
        places.extend(several(shell, word)?);
        rest = after;
    }
    let (flags, command) = flags(rest);
    if places.is_empty() || command.is_empty() {
        return refuse(
            "write `thread apply all COMMAND`, or numbers of threads: `thread apply 1 3-5 bt`",
        );
    }
    if is_all && !flags.is_ascending {
        places.reverse();
    }
    let chosen = (shell.thread, shell.frame, shell.listed);
    let done = places.into_iter().try_for_each(|place| {
        (shell.thread, shell.frame) = (place, 0);
        let heading = shell.report.threads.get(place).map(|thread| named(place, thread));
        let heading = heading.map(|name| format!("\nThread {name}:")).unwrap_or_default();
        in_one(shell, &heading, flags, command, out)
    });
    (shell.thread, shell.frame, shell.listed) = chosen;
    done
}

/// `frame apply all p x`, `frame apply 3 -s info locals`.
pub(super) fn frame_apply(shell: &mut Shell, text: &str, out: &mut dyn Write) -> Done {
    let (word, rest) = Words::first(text);
    let total = shell.chosen_thread().map_or(0, |thread| thread.frames.len());
    let places = match word.parse::<i64>() {
        _ if word == "all" => 0..total,
        Ok(count @ 1..) => 0..usize::try_from(count).unwrap_or(total).min(total),
        Ok(count) => {
            let size = usize::try_from(count.unsigned_abs()).unwrap_or(total);
            total.saturating_sub(size)..total
        }
        Err(_) => return refuse("write `frame apply all COMMAND`, or a number of frames"),
    };
    let (flags, command) = flags(rest);
    if command.is_empty() {
        return refuse("which command? `frame apply all p x`");
    }
    let chosen = shell.frame;
    let done = places.into_iter().try_for_each(|place| {
        shell.frame = place;
        let mut heading = Vec::new();
        if !flags.is_quiet {
            stack::line(shell, &mut heading)?;
        }
        let heading = String::from_utf8_lossy(&heading).trim_end().to_owned();
        in_one(shell, &heading, flags, command, out)
    });
    shell.frame = chosen;
    done
}

/// A command in one place, below its heading.
fn in_one(
    shell: &mut Shell,
    heading: &str,
    flags: Flags,
    command: &str,
    out: &mut dyn Write,
) -> Done {
    let mut answer = Vec::new();
    let done = shell.within(command, &mut answer);
    let trouble = match done {
        Err(Trouble::Said(why)) if flags.is_silent && why != "interrupted" => return Ok(()),
        Err(Trouble::Said(why)) if flags.goes_on && why != "interrupted" => Some(why),
        Err(trouble) => return Err(trouble),
        Ok(()) => None,
    };
    if !flags.is_quiet {
        writeln!(out, "{heading}")?;
    }
    out.write_all(&answer)?;
    if let Some(why) = trouble {
        writeln!(out, "{}", prompt::doubt(&why, &shell.page))?;
    }
    Ok(())
}

pub(super) fn taas(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    apply(shell, &format!("all -s {}", words.rest), out)
}

pub(super) fn faas(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    frame_apply(shell, &format!("all -s {}", words.rest), out)
}

/// Threads with a text in their name, or the one with an id.
fn find(shell: &Shell, text: &str, out: &mut dyn Write) -> Done {
    let mut found = 0_usize;
    for (place, thread) in shell.report.threads.iter().enumerate() {
        let name = thread.name.as_ref().map(prompt::plain).unwrap_or_default();
        if (!text.is_empty() && name.contains(text)) || thread.tid.to_string() == text {
            writeln!(out, "Thread {}", named(place, thread))?;
            found += 1;
        }
    }
    match found {
        0 => refuse(format!("no thread has the name or the LWP `{text}`")),
        _ => Ok(()),
    }
}
