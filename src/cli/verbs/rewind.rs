//! `obit rewind`: what the crashed thread executed last.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use obit::render::Format;
use obit::report::{RewindWanted, rewound};

use crate::cli::args::Output;
use crate::cli::args::core_files::CoreFiles;
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

/// Which core, and how far back.
#[derive(Clone, Debug, Args)]
pub(crate) struct RewindArgs {
    #[command(flatten)]
    files: CoreFiles,
    /// Begin before the call in this frame, as obit and gdb number them [default: where the thread
    /// ended; if nothing is known before that, the blame frame]
    #[arg(short, long, value_name = "N")]
    frame: Option<usize>,
    /// Instructions to go back
    #[arg(long, value_name = "N", default_value = "2000",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=20_000))]
    steps: usize,
    /// Lines that are shown: the last; those of a loop count once
    #[arg(long, value_name = "N", default_value = "200")]
    lines: usize,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &RewindArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let write = formats::writer(format, "what was executed last", Format::rewound)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let wanted = RewindWanted { frame: args.frame, steps: args.steps, lines: args.lines };
    let found = request.on_process(general, |process| {
        rewound(process, &request.build, wanted).ok_or_else(|| {
            let problem = match args.frame {
                Some(frame) => format!(
                    "the crashed thread has no frame {frame} whose registers are known; `obit CORE` \
                     lists its frames"
                ),
                None => "no thread of this core crashed; obit rewind begins where one did".to_owned(),
            };
            Failure::new(Exit::Unusable, &problem)
        })
    })?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &found, &page))?;
    Ok(Exit::Success)
}
