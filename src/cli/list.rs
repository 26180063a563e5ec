//! `obit list`: the crashes that are remembered.

use std::collections::HashSet;
use std::io;

use clap::Args;
use obit::render::Format;
use obit::triage::Record;
use obit::triage::store::{Listed, Store};

use super::args::Output;
use super::args::general::General;
use super::args::selectors::Selectors;
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
    pub(crate) selectors: Selectors,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) output: Output,
}

pub(crate) fn run(args: &ListArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let records = formats::writer(format, "a list of crashes", Format::records)?;
    let most = args.limit.filter(|most| *most > 0);
    let listed = Listed {
        view: args.selection.options()?,
        only_failed: args.failed,
        // Of those that are selected, which only their records show.
        most: most.filter(|_| !args.selectors.are_any()),
    };
    let store = args.selection.open()?;
    let selected = match args.selectors.are_any() {
        true => Some(selected(&store, &listed, &args.selectors, most)?),
        false => None,
    };
    let mut failure = None;
    destination.write(|out| {
        let mut before = records.start;
        let mut written = Ok(());
        let mut write = |record: Record| {
            let one = out.write_all(before.as_bytes()).and_then(|()| records.write(out, record));
            before = records.between;
            one.inspect_err(|error| {
                written = Err(io::Error::from(error.kind()));
            })
        };
        let outcome = match selected {
            Some(selected) => {
                let _ = selected.into_iter().try_for_each(write);
                Ok(())
            }
            None => store.each_listed(&listed, &mut write),
        };
        failure = outcome.err();
        written?;
        // Of none there is the frame, for programs that expect it.
        let start = if before == records.start { records.start } else { "" };
        write!(out, "{start}{}", records.end)
    })?;
    failure.map_or(Ok(Exit::Success), |error| Err(error.into()))
}

/// The records that are selected; of these the newest `most`, in the order in which they came.
fn selected(
    store: &Store,
    listed: &Listed,
    selectors: &Selectors,
    most: Option<usize>,
) -> Result<Vec<Record>, Failure> {
    let mut found = Vec::new();
    store.each_listed(listed, &mut |record| {
        if selectors.take(&record) {
            found.push(record);
        }
        Ok(())
    })?;
    if let Some(most) = most.filter(|most| *most < found.len()) {
        let mut times: Vec<(Option<i64>, usize)> =
            found.iter().enumerate().map(|(at, record)| (record.time, at)).collect();
        times.sort_unstable();
        let newest: HashSet<usize> = times.iter().rev().take(most).map(|(_, at)| *at).collect();
        let mut at = 0..;
        found.retain(|_| at.next().is_some_and(|at| newest.contains(&at)));
    }
    Ok(found)
}
