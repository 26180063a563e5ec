//! How a batch is written.

use std::io::{self, Write};
use std::path::Path;

use obit::batch::{Code, Summary, Watcher};
use obit::render::formats::{Audience, Records, WriteGroups, WriteItems, Writer};
use obit::render::{self, Format, PageOptions};
use obit::triage::store::{Store, StoreError};
use obit::triage::views::{Overview, ViewOptions};
use obit::triage::{PackedRecord, Record};

use super::words::in_words;
use crate::cli::args::period::Period;
use crate::cli::batch_progress::BatchProgress;
use crate::cli::destination::Destination;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::groups::write_groups;

/// What is written of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    /// A summary for a person, and what to look at first.
    Summary,
    /// The records.
    Records(Records),
    /// An entry for each group.
    Items(WriteItems),
    /// A list of the groups.
    Groups(WriteGroups),
}

/// A batch that was read, and the store it is in.
pub(super) struct Batch<'b> {
    pub(super) store: &'b Store,
    pub(super) summary: &'b Summary,
    /// Whose crashes are written.
    pub(super) period: Period,
    pub(super) options: &'b ViewOptions,
    /// Groups on a page.
    pub(super) most: usize,
}

impl Written {
    /// Known before anything is read.
    pub(super) fn of(format: &Format) -> Result<Self, Failure> {
        // Programs that read JSON want the records; the groups are `obit top`'s.
        let of_batch = |format: &Format| match (format.groups()?, format.records()) {
            _ if format.audience == Audience::Terminal => Some(Self::Summary),
            (Writer::Items(write), _) => Some(Self::Items(write)),
            (Writer::Own(_), Some(records)) => Some(Self::Records(records)),
            (Writer::Own(write), None) => Some(Self::Groups(write)),
        };
        formats::writer(format, "many crashes", of_batch)
    }

    /// How records are written one by one, if there is a line for each.
    pub(super) fn lines(self) -> Option<Records> {
        match self {
            Self::Records(records) if records.is_lines() => Some(records),
            _ => None,
        }
    }
}

impl Batch<'_> {
    /// Writes the batch in `format`.
    pub(super) fn write(
        &self,
        format: Written,
        destination: &Destination,
        page: &PageOptions,
    ) -> Result<(), Failure> {
        match format {
            Written::Summary => {
                let text = self.page(page)?;
                destination.write(|out| out.write_all(&text))?;
            }
            Written::Records(records) => self.write_records(records, destination)?,
            Written::Items(write) => {
                write_groups(write, destination, self.store, &self.groups()?.groups)?;
            }
            Written::Groups(write) => {
                let found = self.groups()?;
                destination.write(|out| write(out, &found, false, page))?;
            }
        }
        Ok(())
    }

    /// The groups that the files of this run are in, with the history they have in the
    /// store.
    fn groups(&self) -> Result<Overview, StoreError> {
        let mut found = self.store.overview(self.options, usize::MAX)?;
        found.keep(&self.store.groups_of(&self.summary.files)?);
        Ok(found)
    }

    /// A summary, and what to look at first.
    fn page(&self, page: &PageOptions) -> Result<Vec<u8>, StoreError> {
        let mut text = in_words(self.summary).into_bytes();
        text.push(b'\n');
        let found = self.store.overview(self.options, self.most)?;
        // Writing to memory does not fail.
        let _ = render::write_groups(&mut text, &found, false, page);
        Ok(text)
    }

    fn write_records(&self, records: Records, destination: &Destination) -> Result<(), Failure> {
        let mut failure = None;
        destination.write(|out| {
            out.write_all(records.start.as_bytes())?;
            let mut written = Ok(());
            let mut between = "";
            let outcome = self.store.each_record_of(&self.summary.files, &mut |record| {
                if !self.period.takes(record.time) {
                    return Ok(());
                }
                let one =
                    out.write_all(between.as_bytes()).and_then(|()| records.write(out, record));
                between = records.between;
                one.inspect_err(|error| {
                    written = Err(io::Error::from(error.kind()));
                })
            });
            failure = outcome.err();
            written?;
            out.write_all(records.end.as_bytes())
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Records are written as they come.
pub(super) struct Streamed<'s> {
    pub(super) out: &'s mut dyn Write,
    pub(super) records: Records,
    pub(super) period: Period,
    pub(super) progress: &'s mut BatchProgress,
}

impl Watcher for Streamed<'_> {
    fn planned(&mut self, files: u64) {
        self.progress.planned(files);
    }

    fn passed(&mut self, path: &Path, why: Code) {
        self.progress.passed(path, why);
    }

    fn looked_at(&mut self, files: u64) {
        self.progress.looked_at(files);
    }

    fn left_out(&mut self, what: &str) {
        self.progress.left_out(what);
    }

    fn missing(&mut self, why: &str) {
        self.progress.missing(why);
    }

    fn stored(&mut self, incoming: &PackedRecord, store: &Store) -> io::Result<()> {
        self.progress.stored(incoming, store)?;
        let Some(record) = incoming.record() else { return Ok(()) };
        if !self.period.takes(record.time) {
            return Ok(());
        }
        let group = store.group_of(&record.dump).unwrap_or_default();
        self.records.write(self.out, Record { group, ..record })?;
        self.out.flush()
    }
}
