//! `obit list`: the crashes that are remembered.

use std::io;

use clap::Args;
use obit::render::Format;
use obit::triage::store::Listed;

use super::args::Output;
use super::args::general::General;
use super::args::store::Selection;
use super::destination::Destination;
use super::exit::Exit;
use super::failure::Failure;
use super::formats;

/// What is to be listed.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Only files that could not be read
    #[arg(long)]
    pub(crate) failed: bool,
    /// List only so many of the newest crashes; 0 is all [default: all]
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) output: Output,
}

pub(crate) fn run(args: &ListArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let records = formats::writer(format, "a list of crashes", Format::records)?;
    let listed = Listed {
        view: args.selection.options()?,
        only_failed: args.failed,
        most: args.limit.filter(|most| *most > 0),
    };
    let store = args.selection.open()?;
    let mut failure = None;
    destination.write(|out| {
        let mut before = records.start;
        let mut written = Ok(());
        let outcome = store.each_listed(&listed, &mut |record| {
            let one = out.write_all(before.as_bytes()).and_then(|()| records.write(out, record));
            before = records.between;
            one.inspect_err(|error| {
                written = Err(io::Error::from(error.kind()));
            })
        });
        failure = outcome.err();
        written?;
        // Of none there is the frame, for programs that expect it.
        let start = if before == records.start { records.start } else { "" };
        write!(out, "{start}{}", records.end)
    })?;
    failure.map_or(Ok(Exit::Success), |error| Err(error.into()))
}
