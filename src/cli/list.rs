//! `obit list`: the crashes that are remembered.

use std::io;

use clap::Args;
use obit::render::Format;
use obit::triage::RecordStatus;
use obit::triage::store::Store;

use super::args::Cli;
use super::exit::Exit;
use super::outlet::Outlet;
use super::triage::StoreArgs;
use super::{Failure, formats};

/// What is to be listed.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of which there is no report
    #[arg(long)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

pub(crate) fn list(cli: &Cli, args: &ListArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let store = Store::open(&args.store.path()?)?;
    let records = formats::writer(cli.format(), "a list of crashes", Format::records)?;
    let mut failure = None;
    outlet.write(|out| {
        let mut before = records.start;
        let mut written = Ok(());
        let outcome = store.each_record(&mut |record| {
            if args.failed && record.status == RecordStatus::Ok {
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
