//! The commands that are answered.

use std::io::Write;

use super::state::{Done, Shell, refuse};
use super::words::{Found, Words, find};
use super::{code, information, own, search, settings, stack, threads, values};

/// A command: a row of [`COMMANDS`].
pub(super) struct Command {
    pub(super) name: &'static str,
    /// Other names, which an abbreviation of may be ambiguous otherwise.
    pub(super) aliases: &'static [&'static str],
    pub(super) usage: &'static str,
    pub(super) about: &'static str,
    pub(super) repeated: Repeated,
    pub(super) run: fn(&mut Shell, &Words<'_>, &mut dyn Write) -> Done,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What an empty line after it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    Not,
    Same,
    /// What follows.
    GoesOn,
}

use Repeated::{GoesOn, Not, Same};

macro_rules! commands {
    ($($name:literal $aliases:expr, $usage:literal, $about:literal, $repeated:expr, $run:expr;)*) => {
        &[$(Command {
            name: $name,
            aliases: &$aliases,
            usage: $usage,
            about: $about,
            repeated: $repeated,
            run: $run,
        },)*]
    };
}

/// By subject, as help lists them.
pub(super) static COMMANDS: &[Command] = commands! {
    "why" [], "why", "why the process crashed: obit's page of the cause", Same, own::why;
    "blame" [], "blame", "choose the frame to blame", Same, own::blame;
    "locks" [], "locks", "which thread waits for which lock, and who holds it", Same, own::locks;
    "tasks" [], "tasks [NUMBER]", "goroutines, tasks of tokio, threads of Python; one of them with its whole stack", Same, own::tasks;
    "heap" [], "heap [EXPR]", "what the heap holds; of an address: its block, and who points there", Same, own::heap;
    "verify" [], "verify CLAIM", "whether a claim holds: `x is NULL in frame 2`, `thread 3 waits for thread 7`", Same, own::verify;
    "notices" [], "notices", "what is missing of the dump and its files", Same, own::notices;
    "backtrace" ["bt", "where"], "backtrace [N | -N | full]", "the stack; N innermost or -N outermost frames, `full` with locals", Same, stack::backtrace;
    "frame" ["f"], "frame [N | function NAME]", "choose a frame, and show its line", Same, stack::frame;
    "up" [], "up [N]", "choose a calling frame", Same, stack::up;
    "down" ["dow"], "down [N]", "choose a called frame", Same, stack::down;
    "faas" [], "faas COMMAND", "a command in every frame, silent where it fails", Same, threads::faas;
    "thread" ["t", "thr"], "thread [N | TID | apply all|N… COMMAND | find TEXT]", "choose a thread, or run a command in several", Same, threads::thread;
    "taas" [], "taas COMMAND", "a command in every thread, silent where it fails", Same, threads::taas;
    "info" ["i", "inf"], "info SUBJECT", "threads, locals, args, registers, sharedlibrary, frame, symbol, line, source, signals, proc, …", Same, information::info;
    "print" ["p", "inspect"], "print[/FMT] EXPR", "a value; FMT is a letter of x d u o t z c a f s", Same, values::print;
    "output" [], "output[/FMT] EXPR", "the same", Same, values::print;
    "x" [], "x[/NFU] [ADDRESS]", "memory: N units of size U (b h w g) in format F; i for instructions, s for strings", GoesOn, values::examine;
    "ptype" [], "ptype EXPR | TYPE", "the definition of a type", Same, values::ptype;
    "whatis" [], "whatis EXPR | TYPE", "the name of a type", Same, values::whatis;
    "find" [], "find[/SIZE] START, END|+LENGTH, VALUE, or find \"TEXT\"", "where a value or a text is in memory", Same, search::find;
    "list" ["l"], "list [LINE | FIRST,LAST | FUNCTION | -]", "source around the frame, a line or a function", GoesOn, code::list;
    "disassemble" ["disas", "disass"], "disassemble [ADDRESS | START,END | START,+LENGTH]", "the code of a function", Same, code::disassemble;
    "echo" [], "echo TEXT", "write a text", Not, settings::echo;
    "set" [], "set pagination on|off, set width N, …", "what can be set while the shell runs", Not, settings::set;
    "show" [], "show version", "the version", Not, settings::show;
    "help" ["h"], "help [COMMAND]", "this list, or what a command does", Not, help;
    "quit" ["q", "exit"], "quit", "leave (also Ctrl-D)", Not, |_, _, _| Ok(());
};

/// Lists the commands, or says what one does.
fn help(_: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let (word, _) = Words::first(words.rest);
    if word.is_empty() {
        for command in COMMANDS {
            let usage = command.usage.split(", or ").next().unwrap_or_default();
            writeln!(out, "{usage:<45} {}", command.about)?;
        }
        writeln!(out, "\nAbbreviations are gdb's: unique beginnings, and bt, f, i, l, p, t.")?;
        writeln!(out, "An empty line repeats a command; `x` and `list` go on. Ctrl-D leaves.")?;
        return Ok(());
    }
    match find(word)? {
        Found::Command(command) => {
            writeln!(out, "{}\n  {}", command.usage, command.about)?;
            if !command.aliases.is_empty() {
                writeln!(out, "  also: {}", command.aliases.join(", "))?;
            }
            if command.name == "info" {
                information::list(out)?;
            }
            Ok(())
        }
        Found::Refused(why) => refuse(format!("{word}: {why}")),
    }
}
