//! How a batch is written.

use std::io::{self, Write};
use std::path::Path;

use obit::batch::{Code, Summary, Watcher};
use obit::render::{self, PageOptions};
use obit::triage::overview::{Overview, ViewOptions};
use obit::triage::store::{Store, StoreError};
use obit::triage::{Incoming, Record, write_record};

use super::words::in_words;
use crate::cli::args::Format;
use crate::cli::batch_progress::BatchProgress;
use crate::cli::destination::Destination;
use crate::cli::failure::Failure;
use crate::cli::formats::{self, Plain};
use crate::cli::groups::Exchange;

/// What a batch is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The records, or a summary for a person.
    Plain(Plain),
    /// A result for each group.
    Exchange(Exchange),
    /// A row for each group.
    Csv,
    Markdown,
}

/// A batch that was read, and the store it is in.
pub(super) struct Batch<'b> {
    pub(super) store: &'b Store,
    pub(super) summary: &'b Summary,
    /// Groups on a page.
    pub(super) most: usize,
}

impl Written {
    /// Known before anything is read.
    pub(super) fn of(format: Format) -> Result<Self, Failure> {
        if let Some(exchange) = Exchange::of(format) {
            return Ok(Self::Exchange(exchange));
        }
        match format {
            Format::Csv => Ok(Self::Csv),
            Format::Markdown => Ok(Self::Markdown),
            _ => formats::plain(format).map(Self::Plain),
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
            Written::Plain(Plain::Text) => {
                let text = self.page(page)?;
                destination.write(|out| out.write_all(&text))?;
            }
            Written::Plain(format) => self.write_records(format, destination)?,
            Written::Exchange(format) => {
                format.write(destination, self.store, &self.groups()?.groups)?;
            }
            Written::Csv => {
                let found = self.groups()?;
                destination.write(|out| render::write_groups_csv(out, &found))?;
            }
            Written::Markdown => {
                let found = self.groups()?;
                destination.write(|out| render::write_groups_markdown(out, &found))?;
            }
        }
        Ok(())
    }

    /// The groups that the files of this run are in, with the history they have in the
    /// store.
    fn groups(&self) -> Result<Overview, StoreError> {
        let mut found = self.store.overview(&ViewOptions::default(), usize::MAX)?;
        found.keep(&self.store.groups_of(&self.summary.files)?);
        Ok(found)
    }

    /// A summary, and what to look at first.
    fn page(&self, page: &PageOptions) -> Result<Vec<u8>, StoreError> {
        let mut text = in_words(self.summary).into_bytes();
        text.push(b'\n');
        let found = self.store.overview(&ViewOptions::default(), self.most)?;
        // Writing to memory does not fail.
        let _ = render::write_groups(&mut text, &found, false, page);
        Ok(text)
    }

    fn write_records(&self, format: Plain, destination: &Destination) -> Result<(), Failure> {
        let is_array = format == Plain::Json;
        let mut failure = None;
        destination.write(|out| {
            if is_array {
                out.write_all(b"[")?;
            }
            let mut comma: &[u8] = b"";
            let mut written = Ok(());
            let outcome = self.store.each_record_of(&self.summary.files, &mut |record| {
                let one = out.write_all(comma).and_then(|()| write_record(&record, &mut *out));
                comma = if is_array { b"," } else { b"" };
                one.inspect_err(|error| {
                    written = Err(io::Error::from(error.kind()));
                })
            });
            failure = outcome.err();
            written?;
            if is_array { out.write_all(b"]\n") } else { Ok(()) }
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Records are written as they come.
pub(super) struct Streamed<'s> {
    pub(super) out: &'s mut dyn Write,
    pub(super) progress: &'s mut BatchProgress,
}

impl Watcher for Streamed<'_> {
    fn planned(&mut self, files: u64) {
        self.progress.planned(files);
    }

    fn passed(&mut self, path: &Path, why: Code) {
        self.progress.passed(path, why);
    }

    fn stored(&mut self, incoming: &Incoming, store: &Store) -> io::Result<()> {
        self.progress.stored(incoming, store)?;
        let Some(record) = incoming.record() else { return Ok(()) };
        let group = store.group_of(&record.dump).unwrap_or_default();
        write_record(&Record { group, ..record }, &mut *self.out)?;
        self.out.flush()
    }
}
