//! `obit list`: the crashes that are remembered.

use std::io;

use clap::Args;
use obit::render::Format;
use obit::triage::RecordStatus;
use obit::triage::store::Store;

use super::args::Output;
use super::args::general::General;
use super::args::period::Period;
use super::args::store::StoreArgs;
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
    #[command(flatten)]
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

pub(crate) fn run(args: &ListArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let records = formats::writer(format, "a list of crashes", Format::records)?;
    let store = Store::open(&args.store.path()?)?;
    let mut failure = None;
    destination.write(|out| {
        let mut before = records.start;
        let mut written = Ok(());
        let outcome = store.each_record(&mut |record| {
            let is_other = args.failed && record.status == RecordStatus::Ok;
            if is_other || !args.period.takes(record.time) {
                return Ok(());
            }
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
