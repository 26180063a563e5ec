//! `obit digest`: what happened since some time.

use std::time::Duration;

use clap::Args;
use obit::render::formats::Audience;
use obit::render::{DIGEST_ROWS, Format};
use obit::triage::time::When;
use obit::triage::views::Overview;
use obit::watch::{Delivery, Digest};

use crate::cli::args::Output;
use crate::cli::args::delivery::DeliveryArgs;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::store::Selection;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::say;

/// Since when, and of which crashes.
#[derive(Clone, Debug, Args)]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    output: Output,
    #[command(flatten, next_help_heading = "Delivery")]
    delivery: DeliveryArgs,
    #[command(flatten)]
    fail_on: FailOn,
}

/// A day.
const DAY: When = When::Ago(86_400);
/// How long a program that takes a mail may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &DigestArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let write = formats::writer(format, "a digest", Format::digest)?;
    let ways = args.delivery.ways(PATIENCE)?;
    let mut options = args.selection.options()?;
    let base = args.selection.period.base();
    let end = options.until.unwrap_or(base);
    options.since = options.since.or(Some(DAY.seconds(end)));
    options.compared_until = Some(base);
    // A document shows some groups of each status and counts the others.
    let in_full = if ways.is_empty() && format.audience == Audience::Program {
        usize::MAX
    } else {
        DIGEST_ROWS
    };
    let found = args.selection.open()?.overview_by_status(&options, in_full)?;
    if ways.is_empty() {
        destination.write(|out| write(out, &found))?;
    } else {
        deliver(&ways, &found)?;
    }
    Ok(args.fail_on.exit(&found.groups))
}

/// Delivers the digest by each of the ways; fails if it reached no one by one of them.
fn deliver(ways: &[Delivery], found: &Overview) -> Result<(), Failure> {
    let written = |name: &str| {
        let mut bytes = Vec::new();
        let write = Format::named(name).and_then(Format::digest);
        // Writing to memory does not fail.
        let _ = write.map(|write| write(&mut bytes, found));
        bytes
    };
    let text = |name: &str| String::from_utf8_lossy(&written(name)).into_owned();
    let digest = Digest::of(found, written("json"), text("markdown"), text("html"));
    let failed = ways.iter().filter_map(|way| digest.deliver(way, say).err());
    match failed.collect::<Vec<_>>().join("; ") {
        problems if problems.is_empty() => Ok(()),
        problems => Err(Failure::new(Exit::Output, &problems)),
    }
}
