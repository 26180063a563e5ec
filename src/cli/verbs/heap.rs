//! `obit heap`: what the heap of the crashed process holds, and what is at an address in it.

use std::path::PathBuf;

use clap::Args;
use obit::render::Format;
use obit::report::heap::HeapAnswer;
use obit::report::{growth, heap};

use super::memory_place;
use crate::cli::args::Output;
use crate::cli::args::core_files::{Inputs, NamedFiles};
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Rows of each list, unless the user says how many.
const ROWS: usize = 10;
/// Rows of lists that are compared.
const COMPARED: usize = 100_000;

/// Which core, and what of its heap.
#[derive(Clone, Debug, Args)]
pub(crate) struct HeapArgs {
    /// The core file, unless --core names it; then, for one block only, `at` and an address or
    /// an expression: `obit heap CORE at 0x55e0c1d0`, `obit heap CORE at job->next`
    #[arg(value_name = "CORE [at EXPR]")]
    words: Vec<String>,
    /// Compare with the heap of another core of the same program: what has grown since
    #[arg(long, value_name = "CORE")]
    compare: Option<PathBuf>,
    /// Rows of each list [default: 10]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// The frame in which the expression is evaluated [default: 0]
    #[arg(short, long, value_name = "N")]
    frame: Option<usize>,
    #[command(flatten)]
    files: NamedFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &HeapArgs, general: &General) -> Result<Exit, Failure> {
    let (inputs, at) = asked(args)?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "the contents of a heap", Format::heap)?;
    let rows = args.limit.unwrap_or(ROWS);
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let answer = match at {
        Some(text) => memory_place::answer(&request, general, &text, args.frame, None)?,
        None => {
            let before = match &args.compare {
                Some(path) => {
                    let inputs = Inputs { core: path.clone(), ..Inputs::default() };
                    Some(Request::new(inputs, &args.search, &args.redaction)?)
                }
                None => None,
            };
            let most = if before.is_some() { COMPARED } else { rows };
            let census = |request: &Request| {
                request.on_process(general, |process| Ok(heap(process, &request.build, most)))
            };
            let mut report = census(&request)?;
            if let Some(before) = before {
                report.growth = Some(growth(&census(&before)?, &report, rows));
                report.omitted_types += report.types.len().saturating_sub(rows) as u64;
                report.types.truncate(rows);
                report.holders.truncate(rows);
                report.omitted_collections += report.collections.len().saturating_sub(rows) as u64;
                report.collections.truncate(rows);
                let groups = &mut report.leaks.groups;
                report.leaks.omitted_groups += groups.len().saturating_sub(rows) as u64;
                groups.truncate(rows);
            }
            HeapAnswer::Census(Box::new(report))
        }
    };
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &answer, &page))?;
    let is_known = match &answer {
        HeapAnswer::Census(report) => report.allocator.is_some(),
        _ => true,
    };
    Ok(if is_known { Exit::Success } else { Exit::Unusable })
}

/// The core, and the expression behind `at`.
fn asked(args: &HeapArgs) -> Result<(Inputs, Option<String>), Failure> {
    let mut words = args.words.clone();
    let at = match words.iter().position(|word| word == "at") {
        // `obit heap at CORE EXPR` is understood, too.
        Some(0) if args.files.core.is_none() && words.len() == 3 => {
            words.remove(0);
            words.pop()
        }
        Some(place) => {
            let behind = words.split_off(place).split_off(1).join(" ");
            if behind.is_empty() {
                let problem =
                    "`at` needs an address or an expression: `obit heap CORE at 0x55e0c1d0`";
                return Err(Failure::usage(&problem));
            }
            Some(behind)
        }
        None => None,
    };
    let paths: Vec<PathBuf> = words.into_iter().map(PathBuf::from).collect();
    Ok((args.files.with(&paths)?, at))
}
