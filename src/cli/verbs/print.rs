//! `obit print`: expressions in a frame of the dead process.

use std::io::{self, Write};

use clap::Args;
use obit::print::{PrintError, column, evaluate, pointed_at};
use obit::process::{Process, Thread};
use obit::render::{Format, visible};
use obit::report::show_values;
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
use crate::cli::message::{discreet, say};
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Which expressions, and where they are evaluated.
#[derive(Clone, Debug, Args)]
pub(crate) struct PrintArgs {
    /// The core file, unless --core names it; then expressions: `config->name`, `argv[1]`,
    /// `*list@3`, `(struct node *)p`, `crate::STATE`, `$rip`
    #[arg(value_name = "CORE EXPR", required = true)]
    words: Vec<String>,
    /// The frame, as obit and gdb number them [default: 0, where the thread crashed]
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    frame: usize,
    /// The thread [default: the crashed one]
    #[arg(long, value_name = "TID")]
    thread: Option<i64>,
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

/// Prints each expression. One that cannot be printed is reported, and the others are
/// printed all the same.
pub(crate) fn run(args: &PrintArgs, general: &General) -> Result<Exit, Failure> {
    let (inputs, expressions) = core_and_expressions(args)?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "a value", Format::variable)?;
    let request = Request::new(inputs, &args.search, &args.redaction)?.limited(&args.limits);
    let process = request.open(general)?;
    let thread = chosen_thread(&process, args.thread)?;
    let frame = chosen_frame(&process, thread, args.frame)?;
    let Some(view) = process.frame_view(thread, frame) else {
        let problem = "this thread has no frame to look from";
        return Err(Failure::new(Exit::Unusable, &problem));
    };
    let budget = || Budget::default().with(args.limits.max_depth, args.limits.max_elements);
    let mut values = Vec::new();
    let mut exit = Exit::Success;
    for text in &expressions {
        match evaluate(&process, &view, text, &budget()) {
            Ok(value) => values.push(value),
            Err(error) => {
                explain(&error, text);
                exit = Exit::Usage;
            }
        }
    }
    let shown = show_values(&process, &values, &request.build);
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| shown.iter().try_for_each(|variable| write(out, variable, &page)))?;
    Ok(exit)
}

/// The core and the expressions.
fn core_and_expressions(args: &PrintArgs) -> Result<(Inputs, Vec<String>), Failure> {
    let mut words = args.words.clone();
    let core = if args.files.core.is_some() { None } else { Some(words.remove(0).into()) };
    if words.is_empty() {
        let problem = "no expression given; try `obit print CORE 'config->name'`";
        return Err(Failure::usage(&problem));
    }
    Ok((args.files.with(&core)?, words))
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

/// The place in [`Thread::frames`] of the frame that a report numbers `wanted`.
fn chosen_frame(process: &Process, thread: usize, wanted: usize) -> Result<usize, Failure> {
    let Some(thread) = process.threads.get(thread) else { return Ok(0) };
    let kept = thread.frames.len();
    let at = match thread.omitted {
        Some((count, after)) if wanted > after => match wanted.checked_sub(count) {
            Some(at) if at > after => at,
            _ => {
                let problem = format!(
                    "frame {wanted} is among the {count} that are left out; give `--frames 0`"
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

/// What is wrong, and where.
fn explain(error: &PrintError, text: &str) {
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    say(&format!("{error}, at column {}{hint}", column(error.span(), text)));
    let mut stderr = io::stderr();
    for line in pointed_at(error.span(), text).lines() {
        // If it is closed, there is no one to read it.
        let _ = writeln!(stderr, "    {}", visible(&discreet(line)));
    }
}
