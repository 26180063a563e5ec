//! `obit builds`: the builds of each program, and which of them are releases.

use clap::Args;
use obit::render::Format;

use crate::cli::args::Output;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::store::{BuildArgs, say_unknown};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;

/// Of which program.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildsArgs {
    /// Only this program
    #[arg(value_name = "PROGRAM")]
    program: Option<String>,
    /// Write the list in the form that --build-order reads, oldest release first
    #[arg(long, conflicts_with_all = ["format", "json"])]
    as_order: bool,
    #[command(flatten)]
    builds: BuildArgs,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &BuildsArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let writer = formats::writer(format, "a list of builds", Format::builds)?;
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let store = args.builds.open()?;
    let mut found =
        store.builds(args.builds.order()?.as_ref(), args.builds.exposure()?.as_ref())?;
    say_unknown(&found);
    if let Some(program) = &args.program {
        found.keep(program);
        if found.programs.is_empty() {
            let problem = format!("no dump of {program} in the store; `obit builds` lists them");
            return Err(Failure::usage(&problem));
        }
    }
    if args.as_order {
        destination.write(|out| {
            for program in &found.programs {
                writeln!(out, "# {}", program.program)?;
                for release in &program.releases {
                    let ids: Vec<&str> = release.builds.iter().map(|b| b.id.as_str()).collect();
                    writeln!(out, "{} {}", release.name, ids.join(" "))?;
                }
                for build in program.others.iter().filter(|build| !build.id.is_empty()) {
                    let reason = build.reason.as_deref().unwrap_or_default();
                    writeln!(out, "# {}  {reason}", build.id)?;
                }
            }
            Ok(())
        })?;
        return Ok(Exit::Success);
    }
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| writer(out, &found, &page))?;
    Ok(Exit::Success)
}
