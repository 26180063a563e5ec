//! Records on their way to the store.

use std::io;

use super::{Record, read_record, write_record};

/// A record as the store takes it: packed by whoever made it, so that a batch's workers do
/// that, and beside it what the store's tables hold.
#[derive(Clone, Debug)]
pub struct Incoming {
    head: Record,
    packed: Vec<u8>,
}

impl Incoming {
    /// Packs `record`.
    ///
    /// # Errors
    /// When it cannot be packed: there is no memory.
    pub fn of(record: Record) -> io::Result<Self> {
        let packed = packed(&record)?;
        Ok(Self { head: head_of(record), packed })
    }

    /// The record without its values, findings, modules and notices.
    pub fn head(&self) -> &Record {
        &self.head
    }

    /// All of it; `None` if it is damaged.
    pub fn record(&self) -> Option<Record> {
        unpacked(&self.packed)
    }

    /// As the store keeps it.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// To send it to another process.
    ///
    /// # Errors
    /// Those of writing JSON.
    pub fn to_message(&self) -> io::Result<Vec<u8>> {
        let mut message = LENGTH.to_vec();
        write_record(&self.head, &mut message)?;
        let length = message.len().saturating_sub(LENGTH.len()) as u64;
        if let Some(start) = message.get_mut(..LENGTH.len()) {
            start.copy_from_slice(&length.to_le_bytes());
        }
        message.extend_from_slice(&self.packed);
        Ok(message)
    }

    /// What [`Incoming::to_message`] made.
    ///
    /// # Errors
    /// When `message` is cut or no such thing.
    pub fn of_message(message: &[u8]) -> io::Result<Self> {
        let cut = || io::Error::new(io::ErrorKind::InvalidData, "a record is cut");
        let (length, rest) = message.split_first_chunk().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (head, packed) = rest.split_at_checked(length).ok_or_else(cut)?;
        Ok(Self { head: read_record(head)?, packed: packed.to_owned() })
    }
}

/// Room for the length of the head.
const LENGTH: [u8; 8] = [0; 8];

fn head_of(mut record: Record) -> Record {
    record.modules = Vec::new();
    record.findings = Vec::new();
    record.notices = Vec::new();
    for thread in &mut record.threads {
        thread.registers.clear();
        for frame in &mut thread.frames {
            frame.args = Vec::new();
            frame.locals = Vec::new();
            frame.disassembly = Vec::new();
            frame.tail_calls = Vec::new();
        }
    }
    record
}

/// A record as it is stored: packed JSON with a checksum, as SQLite has none.
pub(super) fn packed(record: &Record) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    write_record(record, &mut json)?;
    let mut compressor = zstd::bulk::Compressor::new(3)?;
    compressor.include_checksum(true)?;
    compressor.compress(&json)
}

/// A stored record; `None` if it is damaged.
pub(super) fn unpacked(packed: &[u8]) -> Option<Record> {
    const MOST: usize = 256 << 20;
    // The frame says how long its content is: nothing is set aside beyond that.
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST)?;
    let json = zstd::bulk::decompress(packed, length).ok()?;
    read_record(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::{Finding, FrameReport, ThreadReport, Variable};

    #[test]
    fn a_record_comes_through_whole_and_its_head_without_values() {
        let frame = FrameReport { index: 3, args: vec![Variable::default()], ..Default::default() };
        let thread = ThreadReport { crashed: true, frames: vec![frame], ..Default::default() };
        let record = Record {
            id: "1f3a".to_owned(),
            threads: vec![thread],
            findings: vec![Finding::default()],
            ..Record::default()
        };
        let message = Incoming::of(record.clone()).unwrap().to_message().unwrap();
        let incoming = Incoming::of_message(&message).unwrap();
        assert_eq!(incoming.record().as_ref(), Some(&record));
        let head = incoming.head();
        assert_eq!((head.id.as_str(), head.threads[0].frames[0].index), ("1f3a", 3));
        assert!(head.threads[0].frames[0].args.is_empty() && head.findings.is_empty());
    }

    #[test]
    fn a_message_that_is_cut_is_an_error_and_a_damaged_body_no_record() {
        let message = Incoming::of(Record::default()).unwrap().to_message().unwrap();
        for end in [0, 7, 20] {
            assert!(Incoming::of_message(&message[..end]).is_err(), "{end}");
        }
        let cut = Incoming::of_message(&message[..message.len() - 1]).unwrap();
        assert_eq!(cut.record(), None);
    }
}
