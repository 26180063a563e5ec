//! `obit digest`: what happened since some time.

use clap::Args;
use obit::render::formats::Audience;
use obit::render::{DIGEST_ROWS, Format};
use obit::triage::time::When;

use crate::cli::args::Output;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::store::Selection;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;

/// Since when, and of which crashes.
#[derive(Clone, Debug, Args)]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    fail_on: FailOn,
}

/// A day.
const DAY: When = When::Ago(86_400);

pub(crate) fn run(args: &DigestArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let write = formats::writer(format, "a digest", Format::digest)?;
    let mut options = args.selection.options()?;
    let base = args.selection.period.base();
    let end = options.until.unwrap_or(base);
    options.since = options.since.or(Some(DAY.seconds(end)));
    options.compared_until = Some(base);
    // A document shows some groups of each status and counts the others.
    let in_full = if format.audience == Audience::Program { usize::MAX } else { DIGEST_ROWS };
    let found = args.selection.open()?.overview_by_status(&options, in_full)?;
    destination.write(|out| write(out, &found))?;
    Ok(args.fail_on.exit(&found.groups))
}
