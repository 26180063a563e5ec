//! Records of many parts brought together, in an order of their own.
//!
//! Parts come in any order, and more than once. So all are kept in a file without a name, and
//! then go into the store sorted, in one transaction: what is shown is the same whatever the
//! order was, and of a part that is broken nothing is written.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::code_comparison::compare_code;
use super::run::{BatchError, now};
use super::worker_process::WorkerCommand;
use crate::sandbox::Broker;
use obit_corefile::dump::CoreFile;
use obit_corefile::mapped_file::read_at;
use obit_triage::store::{Added, FileStamp, Regrouped, Store};
use obit_triage::{PackedRecord, Record, RecordStatus};

/// Records that wait for the others.
#[derive(Debug)]
pub struct Gathered {
    out: BufWriter<File>,
    at: u64,
    entries: Vec<Entry>,
}

/// A record that waits. The order of the fields is the order in which records are added: a
/// file that could not be read comes before the same file read by another try, which replaces
/// it, and one that is cut before the complete one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    is_ok: bool,
    is_complete: bool,
    time: Option<i64>,
    dump: String,
    key: [u8; 32],
    mtime: i64,
    size: u64,
    inode: u64,
    device: u64,
    at: u64,
    length: u64,
}

/// What became of the records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Merged {
    /// Dumps.
    pub added: Added,
    /// Groups.
    pub regrouped: Regrouped,
}

impl Gathered {
    /// None yet.
    ///
    /// # Errors
    /// When there can be no file in the directory for temporary files.
    pub fn new() -> io::Result<Self> {
        let out = BufWriter::new(CoreFile::room()?);
        Ok(Self { out, at: 0, entries: Vec::new() })
    }

    /// Takes in a record.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn push(&mut self, stamp: &FileStamp, record: &Record) -> io::Result<()> {
        let packed = PackedRecord::of(record)?;
        let message = packed.to_message()?;
        self.out.write_all(&message)?;
        let (head, length) = (packed.head(), message.len() as u64);
        self.entries.push(Entry {
            is_ok: head.status == RecordStatus::Ok,
            is_complete: head.is_complete,
            time: head.time,
            dump: head.dump.clone(),
            key: stamp.key,
            mtime: stamp.mtime,
            size: stamp.size,
            inode: stamp.inode,
            device: stamp.device,
            at: self.at,
            length,
        });
        self.at += length;
        Ok(())
    }

    /// How many there are.
    pub fn records(&self) -> usize {
        self.entries.len()
    }

    /// Adds all to `store`, or on an error none, groups anew, and compares the code of builds
    /// as far as the files of programs are here.
    ///
    /// # Errors
    /// Those of the store and of the temporary file.
    pub fn merge(
        self,
        store: &mut Store,
        worker: &WorkerCommand,
        broker: &Broker,
    ) -> Result<Merged, BatchError> {
        let Self { out, mut entries, .. } = self;
        let file = out.into_inner().map_err(|error| BatchError::Output(error.into_error()))?;
        entries.sort_unstable();
        let newest = store.newest_row()?;
        let mut records = entries.into_iter().map(|entry| {
            let message = read_at(&file, entry.at, entry.length)?;
            let Entry { key, size, mtime, inode, device, .. } = entry;
            let stamp = FileStamp { key, size, mtime, inode, device };
            Ok((stamp, PackedRecord::of_message(&message)?))
        });
        let added = store.add_all(&mut records, now())?;
        let regrouped = store.regroup()?;
        compare_code(store, worker, broker, newest)?;
        Ok(Merged { added, regrouped })
    }
}
