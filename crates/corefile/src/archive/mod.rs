//! Archives that hold a core with the files that belong to it: tar, plain or compressed, zip,
//! and exports of systemd's journal, in which a core may be a field.
//!
//! An archive is read once, from its start to its end, and nothing of it gets a name in the file
//! system: [`unpack`] hands each file that may be needed to a [`Sink`], in memory or in a file
//! without a name. Links are not followed, names that lead out of the archive are left out, and
//! counts, sizes and time are bounded by [`Limits`].

mod bounded;
mod extract;
mod format;
mod journal;
mod tarball;
mod zipped;

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub use format::{ArchiveFormat, may_be_archive};
pub use journal::{FACT_OF_FIELD, JournalSender};

use crate::dump::{Container, sequential};
use crate::limits::Limits;
use crate::mapped_file::identity_of;
use crate::memory::CoreBytes;
use bounded::Bounded;
use extract::Extractor;

/// Bytes of the unpacked start that say what an archive is.
const START: usize = 512;

/// A file of an archive.
#[derive(Debug)]
pub struct Member {
    /// Its path in the archive: relative, of names only.
    pub path: PathBuf,
    /// What it is.
    pub content: Content,
    /// When it was changed, in seconds since 1970.
    pub modified: Option<i64>,
    /// Names and texts of what the archive itself says of a core: the fields of a journal's entry.
    pub facts: Vec<(String, String)>,
}

/// What a file of an archive is, by its first bytes.
#[derive(Debug)]
pub enum Content {
    /// A core, as it was in the archive: perhaps compressed.
    Core(File),
    /// Another ELF file.
    Image(File),
    /// A short text: a source file, or what a collector wrote.
    Text(Vec<u8>),
}

/// Who takes the files of an archive.
pub trait Sink {
    /// An empty file on disk.
    ///
    /// # Errors
    /// Those of `open`.
    fn room(&mut self) -> io::Result<File>;

    /// Takes a file.
    ///
    /// # Errors
    /// If it cannot be passed on: nothing more is read.
    fn take(&mut self, member: Member) -> io::Result<()>;
}

/// What was not taken of an archive, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Links and devices.
    pub links: u64,
    /// Files whose names lead out of the archive: absolute ones, and those with `..`.
    pub outside: u64,
    /// Files whose names are too long.
    pub too_long: u64,
    /// Files of a name that an earlier one has.
    pub repeated: u64,
    /// Files that are encrypted, sparse, or packed in a way that is not known here.
    pub unreadable: u64,
    /// Entries of a journal whose core systemd-coredump did not send.
    pub not_of_collector: u64,
    /// Files for which there was no room.
    pub too_large: u64,
    /// Why the rest was not read.
    pub ended: Option<String>,
}

/// What an archive was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// By its content.
    pub format: ArchiveFormat,
    /// Files that were looked at.
    pub files: u64,
    /// What was not taken.
    pub left_out: LeftOut,
}

/// Why an archive could not be read at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is none: its content is something else.
    #[error("it is not an archive")]
    NotAnArchive,
    /// What it is compressed by is damaged from the start, or its directory is.
    #[error("the {format} archive cannot be read: {problem}")]
    Damaged {
        /// What it is.
        format: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be passed on.
    #[error("a file of the archive cannot be stored: {0}")]
    Sink(io::Error),
}

/// Reads the archive in `file`, for no longer than `time`, and hands the files that may be
/// needed to `sink`.
///
/// # Errors
/// Only if nothing of it can be read. An archive that is damaged or ends early gives what came
/// before, and [`LeftOut::ended`] says why.
pub fn unpack(
    file: File,
    time: Duration,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Unpacked, ArchiveError> {
    let length = identity_of(&file).map_err(ArchiveError::Sink)?.len;
    let bytes = CoreBytes::new(file, length);
    let start = bytes.read_vec(0, START as u64);
    let mut extractor = Extractor::new(limits, sink);
    let Some(container) = Container::of_magic(&start).filter(|kind| *kind != Container::Apport)
    else {
        let format = ArchiveFormat::of_start(&start).ok_or(ArchiveError::NotAnArchive)?;
        let input = Bounded::new(sequential(&bytes), limits.archive_bytes, time);
        read(format, &bytes, input, time, &mut extractor)?;
        return Ok(extractor.finish(format));
    };
    let damaged = |problem: io::Error| ArchiveError::Damaged {
        format: container.name(),
        problem: problem.to_string(),
    };
    let unpacked = container.reader(&bytes).map_err(damaged)?;
    let mut input = Bounded::new(unpacked, limits.archive_bytes, time);
    let mut head = vec![0; START];
    let (have, _) = crate::dump::fill(&mut input, &mut head, START);
    head.truncate(have);
    // A zip needs its end first, and is hardly ever compressed again.
    let format = ArchiveFormat::of_start(&head).filter(|format| *format != ArchiveFormat::Zip);
    let format = format.ok_or(ArchiveError::NotAnArchive)?;
    let input = io::Cursor::new(head).chain(input);
    read(format, &bytes, input, time, &mut extractor)?;
    Ok(extractor.finish(format))
}

fn read(
    format: ArchiveFormat,
    bytes: &CoreBytes,
    input: impl Read,
    time: Duration,
    extractor: &mut Extractor<'_>,
) -> Result<(), ArchiveError> {
    match format {
        ArchiveFormat::Tar => tarball::read(input, extractor),
        ArchiveFormat::Journal => journal::read(input, extractor),
        ArchiveFormat::Zip => zipped::read(bytes, time, extractor),
    }
}

#[cfg(test)]
mod tests;
