//! Records on their way to the store.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

use super::head::RecordHead;
use crate::record::{Record, read_record, write_record};

/// A record as the store takes it: packed by the process that made it, so that a batch's workers do
/// that, and beside it what the store's tables hold.
#[derive(Clone, Debug)]
pub struct PackedRecord {
    head: RecordHead,
    body: Vec<u8>,
}

impl PackedRecord {
    /// Packs `record`.
    ///
    /// # Errors
    /// When it cannot be packed: there is no memory.
    pub fn of(record: &Record) -> io::Result<Self> {
        Ok(Self { head: RecordHead::of(record), body: packed(record)? })
    }

    /// What the tables hold of it.
    pub fn head(&self) -> &RecordHead {
        &self.head
    }

    /// All of it; `None` if it is damaged.
    pub fn record(&self) -> Option<Record> {
        unpacked(&self.body)
    }

    /// As the store keeps it.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// To send it to another process.
    ///
    /// # Errors
    /// Those of writing JSON.
    pub fn to_message(&self) -> io::Result<Vec<u8>> {
        let mut message = LENGTH.to_vec();
        serde_json::to_writer(&mut message, &self.head)?;
        let length = message.len().saturating_sub(LENGTH.len()) as u64;
        if let Some(start) = message.get_mut(..LENGTH.len()) {
            start.copy_from_slice(&length.to_le_bytes());
        }
        message.extend_from_slice(&self.body);
        Ok(message)
    }

    /// What [`PackedRecord::to_message`] made.
    ///
    /// # Errors
    /// When `message` is cut or no such thing.
    pub fn of_message(message: &[u8]) -> io::Result<Self> {
        let cut = || io::Error::new(io::ErrorKind::InvalidData, "a record is truncated");
        let (length, rest) = message.split_first_chunk().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (head, body) = rest.split_at_checked(length).ok_or_else(cut)?;
        Ok(Self { head: serde_json::from_slice(head)?, body: body.to_owned() })
    }
}

/// Room for the length of the head.
const LENGTH: [u8; 8] = [0; 8];

/// A record as it is stored: packed JSON with a checksum, as SQLite has none.
pub(super) fn packed(record: &Record) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    write_record(record, &mut json)?;
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(compressor()?),
        };
        compressor.compress(&json)
    })
}

fn compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(3)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

thread_local! {
    // Making one costs as much as packing a record: it asks the processor what it can do,
    // which a virtual machine answers slowly.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A stored record; `None` if it is damaged.
pub(super) fn unpacked(packed: &[u8]) -> Option<Record> {
    read_record(&unpacked_json(packed)?).ok()
}

/// The JSON of a stored record: one line. `None` if it is damaged.
pub(super) fn unpacked_json(packed: &[u8]) -> Option<Vec<u8>> {
    const MOST: usize = 256 << 20;
    // The frame says how long its content is: nothing is set aside beyond that.
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST)?;
    let mut json = DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new().ok()?),
        };
        decompressor.decompress(packed, length).ok()
    })?;
    // What has no checksum may be anything.
    if !has_checksum(packed) {
        read_record(&json).ok()?;
    }
    json.truncate(json.trim_ascii_end().len());
    Some(json)
}

/// Whether the frame ends with a checksum of its content, which was compared then
/// (RFC 8878 § 3.1.1.1.1: `Content_Checksum_flag`).
fn has_checksum(packed: &[u8]) -> bool {
    const MAGIC_LENGTH: usize = 4;
    packed.get(MAGIC_LENGTH).is_some_and(|descriptor| descriptor & 0b100 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordStatus;
    use obit_report::{Finding, FrameReport, ThreadReport, Variable};

    #[test]
    fn a_record_comes_through_whole_and_with_it_what_the_tables_hold() {
        let frame = FrameReport { index: 3, args: vec![Variable::default()], ..Default::default() };
        let thread =
            ThreadReport { tid: 7, crashed: true, frames: vec![frame], ..Default::default() };
        let record = Record {
            status: RecordStatus::Ok,
            id: "1f3a".to_owned(),
            threads: vec![thread],
            findings: vec![Finding::default()],
            ..Record::default()
        };
        let message = PackedRecord::of(&record).unwrap().to_message().unwrap();
        let received = PackedRecord::of_message(&message).unwrap();
        assert_eq!(received.record().as_ref(), Some(&record));
        assert_eq!(received.head(), &RecordHead::of(&record));
        let head = received.head();
        assert_eq!((head.crash.as_str(), head.crashed_at), ("1f3a", Some((7, 0))));
    }

    #[test]
    fn a_message_that_is_cut_is_an_error_and_a_damaged_body_no_record() {
        let message = PackedRecord::of(&Record::default()).unwrap().to_message().unwrap();
        for end in [0, 7, 20] {
            assert!(PackedRecord::of_message(&message[..end]).is_err(), "{end}");
        }
        let cut = PackedRecord::of_message(&message[..message.len() - 1]).unwrap();
        assert_eq!(cut.record(), None);
    }
}
