//! `obit print`: expressions in a frame of the dead process.

use std::io::{self, Write};

use clap::Args;
use obit::print::{PrintError, column, evaluate, pointed_at};
use obit::process::{Process, Thread};
use obit::render::{Format, visible};
use obit::report::show_values;
use obit::value::Budget;

use super::args::{Cli, Files};
use super::exit::Exit;
use super::inputs::Inputs;
use super::outlet::Outlet;
use super::progress::Progress;
use super::{Failure, Request, View, analyze, formats, inputs, say, screen};

/// What to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct PrintArgs {
    /// The core file, unless --core names it; then expressions: `config->name`, `argv[1]`,
    /// `*list@3`, `(struct node *)p`, `crate::STATE`, `$rip`
    #[arg(value_name = "CORE EXPR", required = true)]
    words: Vec<String>,
    /// The frame, as obit and gdb count them [default: 0, where the thread died]
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    frame: usize,
}

/// Prints each expression; what could not be printed is told, and ends in a code of its
/// own.
pub(crate) fn print(cli: &Cli, args: &PrintArgs) -> Result<Exit, Failure> {
    let (inputs, expressions) = told(cli, args)?;
    let options = &cli.options;
    let outlet = Outlet::of(&options.output, Some(&inputs))?;
    let request = Request::new(inputs, options)?;
    let progress = Progress::new(options.output.quiet);
    let opened = analyze::open(&request, View::Page, &progress);
    // Cleared before anything is written.
    drop(progress);
    let process = opened.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let thread = chosen_thread(&process, options.content.thread)?;
    let frame = chosen_frame(&process, thread, args.frame)?;
    let Some(view) = process.frame_view(thread, frame) else {
        let problem = "this thread has no frame to look from";
        return Err(Failure::new(Exit::Unusable, &problem));
    };
    let budget = || Budget::default().with(options.content.max_depth, options.content.max_elements);
    let mut values = Vec::new();
    let mut exit = Exit::Success;
    for text in &expressions {
        match evaluate(&process, &view, text, &budget()) {
            Ok(value) => values.push(value),
            Err(error) => {
                tell(&error, text);
                exit = Exit::Usage;
            }
        }
    }
    let write = formats::writer(cli.format(), "a value", Format::variable)?;
    let shown = show_values(&process, &values, &request.build);
    let page = screen::page_options(options, outlet.destination());
    outlet.write(|out| shown.iter().try_for_each(|variable| write(out, variable, &page)))?;
    Ok(exit)
}

/// The core and the expressions.
fn told(cli: &Cli, args: &PrintArgs) -> Result<(Inputs, Vec<String>), Failure> {
    let is_core_told = cli.options.core.is_some() || cli.files.paths().next().is_some();
    let mut words = args.words.clone();
    let core = if is_core_told { None } else { Some(words.remove(0)) };
    if words.is_empty() {
        let problem = "no expression given; try `obit print CORE 'config->name'`";
        return Err(Failure::new(Exit::Usage, &problem));
    }
    let files = Files::of(core.map(Into::into));
    let inputs = inputs::inputs(&cli.files, &files, &cli.options)
        .map_err(|error| Failure::new(Exit::Usage, &error))?;
    Ok((inputs, words))
}

fn chosen_thread(process: &Process, wanted: Option<i64>) -> Result<usize, Failure> {
    let is_chosen = |thread: &Thread| wanted.map_or(thread.crashed, |tid| thread.tid == tid);
    if let Some(found) = process.threads.iter().position(is_chosen) {
        return Ok(found);
    }
    match wanted {
        Some(tid) => {
            let tids = process.threads.iter().map(|thread| thread.tid);
            Err(super::no_such_thread(tid, tids))
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
                return Err(Failure::new(Exit::Usage, &problem));
            }
        },
        _ => wanted,
    };
    if at >= kept && kept > 0 {
        let last = thread.omitted.map_or(0, |(count, _)| count) + kept - 1;
        let problem = format!("no frame {wanted} in thread {}; the last is {last}", thread.tid);
        return Err(Failure::new(Exit::Usage, &problem));
    }
    Ok(at)
}

/// What is wrong, and where.
fn tell(error: &PrintError, text: &str) {
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    say(&format!("{error}, at column {}{hint}", column(error.span(), text)));
    let mut stderr = io::stderr();
    for line in pointed_at(error.span(), text).lines() {
        // If nobody listens, nobody misses it.
        let _ = writeln!(stderr, "    {}", visible(&super::discreet(line)));
    }
}
