//! The records of a part, for `obit merge` and for engines.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use obit::batch::Summary;
use obit::triage::shard::{Columns, Shard, ShardHead, write_entry, write_head};
use obit::triage::store::{Store, StoreError};
use obit::triage::{FileStamp, Record};

use crate::cli::args::OutputFile;
use crate::cli::destination::Destination;
use crate::cli::failure::Failure;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Emitted {
    /// A line of JSON for each record, behind one for the part
    Ndjson,
    /// A row for each record, with columns for engines
    Parquet,
}

impl Emitted {
    /// Refuses a destination that cannot take it, before anything is read.
    pub(super) fn check(self, file: &OutputFile) -> Result<(), Failure> {
        let is_file = file.output.as_deref().is_some_and(|path| path != Path::new("-"));
        if self == Self::Parquet && !is_file {
            Destination::refuse_terminal("Parquet")?;
        }
        Ok(())
    }
}

/// Writes the records of all files of the batch. A file has its name when it is whole.
pub(super) fn emit(
    form: Emitted,
    file: &OutputFile,
    shard: Shard,
    summary: &Summary,
    store: &Store,
) -> Result<(), Failure> {
    let destination = Destination::whole(file.output.as_deref());
    let mut records = 0;
    each(summary, store, &mut |_, _| {
        records += 1;
        Ok(())
    })?;
    let head = ShardHead::new(shard, &summary.listing, records);
    let mut failure = None;
    destination.write(|out| {
        let mut written = Ok(());
        let mut write = |take: &mut dyn FnMut(&Record, &FileStamp) -> io::Result<()>| {
            let outcome = each(summary, store, &mut |record, stamp| {
                take(record, stamp).inspect_err(|error| {
                    written = Err(io::Error::from(error.kind()));
                })
            });
            failure = outcome.err();
            // Nothing is published of what is not whole.
            match &failure {
                Some(_) => Err(io::Error::other("the records cannot be read")),
                None => std::mem::replace(&mut written, Ok(())),
            }
        };
        match form {
            Emitted::Ndjson => {
                write_head(&head, out)?;
                write(&mut |record, stamp| write_entry(record, stamp, &mut *out))
            }
            Emitted::Parquet => {
                let mut out: &mut dyn Write = out;
                let mut columns = Columns::new(&mut out)?;
                write(&mut |record, stamp| columns.push(record, stamp))?;
                columns.finish(&head)
            }
        }
    })?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// Hands each record with the state of its file to `take`, in the order of the files.
fn each(
    summary: &Summary,
    store: &Store,
    take: &mut dyn FnMut(&Record, &FileStamp) -> io::Result<()>,
) -> Result<(), StoreError> {
    for key in &summary.files {
        let Some(stamp) = store.stamp(key)? else { continue };
        let mut outcome = Ok(());
        store.each_record_of(&[*key], &mut |record| {
            // The group in a part says nothing of all.
            let record = Record { group: None, ..record };
            outcome = take(&record, &stamp);
            Ok(())
        })?;
        if outcome.is_err() {
            break;
        }
    }
    Ok(())
}
