//! `obit print`: expressions, memory and types in a frame of the crashed process.

use clap::Args;
use obit::analysis::analyze;
use obit::print::{Answer, PrintError, Wrong, answer, column, frame_with, pointed_at};
use obit::process::{Frame, Process, Thread};
use obit::redact::Origin;
use obit::render::Format;
use obit::render::formats::Audience;
use obit::report::answer::Printed;
use obit::report::{Asked, printed};
use obit::session::Evaluated;
use obit::value::Budget;

use crate::cli::args::Output;
use crate::cli::args::content::ReadLimits;
use crate::cli::args::core_files::{Inputs, NamedFiles};
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::{discreet, say, say_line, shown};
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Which expressions, and where they are evaluated.
#[derive(Clone, Debug, Args)]
pub(crate) struct PrintArgs {
    /// The core file, unless --core names it; then expressions: `config->name`, `argv[1]`,
    /// `*list@3`, `(struct node *)p`, `crate::STATE`, `$rip`; or in gdb's words: `/x flags`,
    /// `x/16xb buf`, `x/5i $pc`, `ptype job`, `whatis job`, `info locals`
    #[arg(value_name = "CORE EXPR", required = true)]
    words: Vec<String>,
    /// The frame, as obit and gdb number them [default: the blame frame of the crashed
    /// thread; 0 of any other]
    #[arg(short, long, value_name = "N")]
    frame: Option<usize>,
    /// The thread [default: the crashed one]
    #[arg(long, value_name = "TID")]
    thread: Option<i64>,
    /// Print the definition of the type of each expression, or of a type: like `ptype EXPR`
    #[arg(long, conflicts_with = "whatis")]
    ptype: bool,
    /// Print the name of the type of each expression: like `whatis EXPR`
    #[arg(long)]
    whatis: bool,
    #[command(flatten)]
    files: NamedFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

/// A frame of the process.
struct Place<'p> {
    process: &'p Process,
    /// Place of the thread in the process.
    thread: usize,
    /// Place of the frame in the thread.
    frame: usize,
}

/// Prints each expression. One that cannot be printed is reported, and the others are
/// printed all the same.
pub(crate) fn run(args: &PrintArgs, general: &General) -> Result<Exit, Failure> {
    let (inputs, expressions) = core_and_expressions(args)?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "a value", Format::printed)?;
    let request = Request::new(inputs, &args.search, &args.redaction)?.limited(&args.limits);
    let is_announced = args.frame.is_none() && format.audience == Audience::Terminal;
    let (answers, code) = request.on_process(general, |process| {
        let (found, exit) = answers(args, process, &expressions)?;
        if !found.is_empty() && is_announced {
            place_of(args, process)?.announce(general, args.thread.is_some());
        }
        let sent = printed(process, &found, &request.build).into_iter().map(Evaluated::from);
        Ok((sent.collect::<Vec<_>>(), exit.code()))
    })?;
    let answers: Vec<Printed> = answers.into_iter().map(Printed::from).collect();
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| answers.iter().try_for_each(|answer| write(out, answer, &page)))?;
    Ok(Exit::of_code(code).unwrap_or(Exit::Bug))
}

/// The frame that the user chose, or else the one that most likely answers.
fn place_of<'p>(args: &PrintArgs, process: &'p Process) -> Result<Place<'p>, Failure> {
    let thread = chosen_thread(process, args.thread)?;
    let frame = match args.frame {
        Some(wanted) => chosen_frame(process, thread, wanted)?,
        None => first_frame(process, thread),
    };
    Ok(Place { process, thread, frame })
}

/// What was found of the expressions, and how the run ends. What is wrong with one is reported.
fn answers(
    args: &PrintArgs,
    process: &Process,
    expressions: &[String],
) -> Result<(Vec<Asked>, Exit), Failure> {
    let place = place_of(args, process)?;
    let (thread, frame) = (place.thread, place.frame);
    let Some(view) = process.frame_view(thread, frame) else {
        let problem = "no frame of this thread could be unwound";
        return Err(Failure::new(Exit::Unusable, &problem));
    };
    let budget = || Budget::default().with(args.limits.max_depth, args.limits.max_elements);
    let mut found = Vec::new();
    let mut exit = Exit::Success;
    for text in expressions {
        let text = text.clone();
        match answer(process, &view, &text, &budget()) {
            Ok(Answer::Elsewhere(command)) => {
                say(&format!("`{text}`: use `{command}`"));
                exit = Exit::Usage;
            }
            Ok(answer) => {
                let frame_number = place.number(frame) as u64;
                found.push(Asked { text, thread, frame, frame_number, answer });
            }
            Err(error) => {
                place.explain(&error, &text);
                exit = Exit::Usage;
            }
        }
    }
    Ok((found, exit))
}

/// The core and what is asked for.
fn core_and_expressions(args: &PrintArgs) -> Result<(Inputs, Vec<String>), Failure> {
    let mut words = args.words.clone();
    let core = if args.files.core.is_some() { None } else { Some(words.remove(0).into()) };
    let before = match (args.ptype, args.whatis) {
        (true, _) => Some("ptype"),
        (_, true) => Some("whatis"),
        _ => None,
    };
    let expressions = match before {
        Some(before) => words.iter().map(|word| format!("{before} {word}")).collect(),
        None => whole_requests(&words),
    };
    if expressions.is_empty() {
        let problem = "no expression given; try `obit print CORE 'config->name'`";
        return Err(Failure::usage(&problem));
    }
    Ok((args.files.with(&core)?, expressions))
}

/// Requests that were written in several words: `/x` and `x/4gx` go before the next word,
/// `ptype`, `whatis` and `info` before all that follow.
fn whole_requests(words: &[String]) -> Vec<String> {
    let mut requests = Vec::new();
    let mut format: Option<&str> = None;
    for (at, word) in words.iter().enumerate() {
        let rest = words.get(at + 1..).unwrap_or_default();
        if matches!(word.as_str(), "ptype" | "whatis" | "info") && !rest.is_empty() {
            requests.push(format!("{word} {}", rest.join(" ")));
            break;
        }
        if is_format(word) && !rest.is_empty() {
            format = Some(word);
            continue;
        }
        requests.push(match format.take() {
            Some(format) => format!("{format} {word}"),
            None => word.clone(),
        });
    }
    requests
}

/// `/x`, `p/x`, `x/16xb`: a word that says how to print what follows.
fn is_format(word: &str) -> bool {
    let Some((command, letters)) = word.split_once('/') else { return false };
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    matches!(command, "" | "p" | "print" | "output" | "x")
        && !letters.is_empty()
        && letters.chars().all(is_letter)
}

fn chosen_thread(process: &Process, wanted: Option<i64>) -> Result<usize, Failure> {
    let is_chosen = |thread: &Thread| wanted.map_or(thread.crashed, |tid| thread.tid == tid);
    if let Some(found) = process.threads.iter().position(is_chosen) {
        return Ok(found);
    }
    match wanted {
        Some(tid) => {
            let tids = process.threads.iter().map(|thread| thread.tid);
            Err(Failure::no_thread(tid, tids))
        }
        None => Err(Failure::new(Exit::Unusable, &"no crashed thread in this core")),
    }
}

/// The blame frame, if the thread is the one that crashed; else the innermost.
fn first_frame(process: &Process, thread: usize) -> usize {
    let Some(thread) = process.threads.get(thread).filter(|thread| thread.crashed) else {
        return 0;
    };
    let cause = analyze(process).cause;
    let of_it = cause.filter(|cause| cause.thread.is_none_or(|tid| tid == thread.tid));
    of_it.and_then(|cause| cause.blame).filter(|blame| *blame < thread.frames.len()).unwrap_or(0)
}

/// The place in [`Thread::frames`] of the frame that a report numbers `wanted`.
fn chosen_frame(process: &Process, thread: usize, wanted: usize) -> Result<usize, Failure> {
    let Some(thread) = process.threads.get(thread) else { return Ok(0) };
    let kept = thread.frames.len();
    let at = match thread.omitted {
        Some((count, after)) if wanted > after => match wanted.checked_sub(count) {
            Some(at) if at > after => at,
            _ => {
                let problem = format!(
                    "frame {wanted} is among the {count} that are left out; pass `--frames 0`"
                );
                return Err(Failure::usage(&problem));
            }
        },
        _ => wanted,
    };
    if at >= kept && kept > 0 {
        let last = thread.omitted.map_or(0, |(count, _)| count) + kept - 1;
        let problem = format!("no frame {wanted} in thread {}; the last is {last}", thread.tid);
        return Err(Failure::usage(&problem));
    }
    Ok(at)
}

impl Place<'_> {
    fn thread(&self) -> Option<&Thread> {
        self.process.threads.get(self.thread)
    }

    /// The number of a frame of the thread in reports.
    fn number(&self, frame: usize) -> usize {
        self.thread().map_or(frame, |thread| thread.number_of(frame))
    }

    /// Which frame the values are of: it was not chosen.
    fn announce(&self, general: &General, is_thread_named: bool) {
        let Some(thread) = self.thread().filter(|_| !general.quiet) else { return };
        let Some(frame) = thread.frames.get(self.frame) else { return };
        let of = if is_thread_named { format!("thread {}, ", thread.tid) } else { String::new() };
        let line = format!("{of}frame #{} {}", self.number(self.frame), described(frame));
        say_line("", &line);
    }

    /// What is wrong, and where.
    fn explain(&self, error: &PrintError, text: &str) {
        say(&self.problem(error, text));
        for line in pointed_at(error.span(), text).lines() {
            say_line("    ", &discreet(line));
        }
    }

    fn problem(&self, error: &PrintError, text: &str) -> String {
        let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
        match error {
            PrintError::Syntax(error) if error.is_of_grammar() => {
                let column = column(&error.span, text);
                format!("syntax error at column {column}: {error}{hint}")
            }
            PrintError::Meaning { why: Wrong::NotFound { name, near }, .. } => {
                let here = format!("no variable `{name}` in frame #{}", self.number(self.frame));
                match frame_with(self.process, self.thread, name) {
                    Some(frame) if frame != self.frame => {
                        let number = self.number(frame);
                        format!("{here}; frame #{number} has one (add -f {number})")
                    }
                    _ => format!("{here}{}", Wrong::suggestion(near)),
                }
            }
            _ => format!("{error}{hint}"),
        }
    }
}

/// `run_job, jobd.c:70`.
fn described(frame: &Frame) -> String {
    let function = frame.function.as_deref().unwrap_or("??");
    let function = shown(Origin::SymbolName, function);
    let source = frame.source.as_ref().map(|source| {
        let path = shown(Origin::Path, &source.file);
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        source.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"))
    });
    match source {
        Some(source) => format!("{function}, {source}"),
        None => format!("{function} at {:#x}", frame.pc.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_in_a_word_of_its_own_goes_before_what_follows() {
        let requests = |words: &[&str]| {
            whole_requests(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(requests(&["/x", "a", "b"]), ["/x a", "b"]);
        assert_eq!(requests(&["a", "x/4gx", "$rsp"]), ["a", "x/4gx $rsp"]);
        assert_eq!(requests(&["ptype", "struct", "job"]), ["ptype struct job"]);
        assert_eq!(requests(&["info", "locals"]), ["info locals"]);
        assert_eq!(requests(&["p", "q", "x/y"]), ["p", "q", "x/y"]);
        assert_eq!(requests(&["/x a", "ptype", "b"]), ["/x a", "ptype b"]);
    }
}
