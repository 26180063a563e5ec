//! Records as lines of JSON.
//!
//! The first line is the head. Each other is a record, with one more member: `file`, the state
//! of its file. Files one after the other are a file, too.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use super::Part;
use super::error::{ShardError, ShardProblem};
use super::head::ShardHead;
use crate::record::{RECORD_SCHEMA, Record, read_record, write_record};
use crate::store::FileStamp;
use obit_report::json;

/// Bytes of one line that are read.
const LONGEST: u64 = 256 << 20;

/// The state of a file, as it is written.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct FileState {
    /// In hexadecimal.
    key: String,
    size: u64,
    mtime: i64,
    inode: u64,
    device: u64,
}

impl From<&FileStamp> for FileState {
    fn from(stamp: &FileStamp) -> Self {
        let FileStamp { key, size, mtime, inode, device } = stamp;
        let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { key, size: *size, mtime: *mtime, inode: *inode, device: *device }
    }
}

impl FileState {
    fn stamp(&self) -> Option<FileStamp> {
        let mut key = [0; 32];
        if self.key.len() != 64 || !self.key.is_ascii() {
            return None;
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(self.key.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        let Self { size, mtime, inode, device, .. } = *self;
        Some(FileStamp { key, size, mtime, inode, device })
    }
}

/// What is read of a record beside it.
#[derive(Deserialize)]
struct Beside {
    schema: String,
    file: FileState,
}

/// Writes the line before the records.
///
/// # Errors
/// Those of `out`.
pub fn write_head(head: &ShardHead, out: &mut dyn Write) -> io::Result<()> {
    json::write_line(head, out)
}

/// Writes the line of a record.
///
/// # Errors
/// Those of `out`.
pub fn write_entry(record: &Record, file: &FileStamp, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&entry(record, file)?)?;
    out.write_all(b"\n")
}

/// The record with the state of its file.
pub(super) fn entry(record: &Record, file: &FileStamp) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    write_record(record, &mut line)?;
    line.truncate(line.trim_ascii_end().len());
    if line.pop() != Some(b'}') {
        return Err(io::Error::other("a record that is not an object"));
    }
    line.extend_from_slice(b",\"file\":");
    serde_json::to_writer(&mut line, &FileState::from(file))?;
    line.push(b'}');
    Ok(line)
}

/// What [`entry`] made.
pub(super) fn read_entry(line: &[u8]) -> Result<Part, ShardProblem> {
    let no_record = || ShardProblem::NoRecord { wanted: RECORD_SCHEMA };
    let not_json = |error: &dyn std::fmt::Display| ShardProblem::NotJson(error.to_string());
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(no_record());
    }
    let beside: Beside = serde_json::from_slice(line).map_err(|error| not_json(&error))?;
    let stamp = beside.file.stamp().ok_or_else(no_record)?;
    let mut record = read_record(line).map_err(|error| not_json(&error))?;
    if beside.schema != RECORD_SCHEMA || record.dump.is_empty() {
        return Err(no_record());
    }
    // That of the part alone says nothing of all.
    record.group = None;
    Ok(Part::Entry(stamp, Box::new(record)))
}

/// Hands what `from` holds to `take`, until it fails.
///
/// # Errors
/// What is wrong with a line; those of `take`.
pub fn read_lines(
    from: &mut dyn BufRead,
    take: &mut dyn FnMut(Part) -> io::Result<()>,
) -> Result<(), ShardError> {
    let mut line = Vec::new();
    // Records that the head says and that have not come, and all that it says.
    let mut wanted: Option<(u64, u64)> = None;
    for row in 1_u64.. {
        let failed = |problem: ShardProblem| problem.in_row(row);
        line.clear();
        let mut limited = Read::take(&mut *from, LONGEST);
        let read = limited.read_until(b'\n', &mut line).map_err(|error| failed(error.into()))?;
        let is_head = ShardHead::is_one(&line);
        if read == 0 || is_head {
            match wanted {
                Some((0, _)) => {}
                None if read == 0 => return Err(ShardProblem::Empty.into()),
                None => {}
                Some((left, all)) => {
                    let found = all.saturating_sub(left);
                    return Err(ShardProblem::Truncated { found, wanted: all }.into());
                }
            }
        }
        if read == 0 {
            return Ok(());
        }
        let part = match &mut wanted {
            Some((left, all)) if !is_head => {
                // Only the last line of a file that was cut has no end.
                if line.last() != Some(&b'\n') {
                    let (found, wanted) = (all.saturating_sub(*left), *all);
                    return Err(failed(ShardProblem::Truncated { found, wanted }));
                }
                *left = left.checked_sub(1).ok_or_else(|| failed(ShardProblem::TooMany(*all)))?;
                read_entry(&line).map_err(failed)?
            }
            _ => {
                let head = ShardHead::read(&line).map_err(failed)?;
                wanted = Some((head.records, head.records));
                Part::Head(head)
            }
        };
        take(part).map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::{Listing, Shard};
    use crate::signature::Rules;
    use crate::testkit::crash;

    fn file(records: u64) -> Vec<u8> {
        let rules = Rules::built_in();
        let mut listing = Listing::default();
        listing.add(b"core");
        let mut out = Vec::new();
        let head = ShardHead::new(Shard::new(2, 3).unwrap(), &listing, records);
        write_head(&head, &mut out).unwrap();
        for n in 0..records {
            let crash = crash(2, n, &rules);
            write_entry(&crash.record, &crash.stamp, &mut out).unwrap();
        }
        out
    }

    fn read(mut bytes: &[u8]) -> Result<Vec<Part>, ShardError> {
        let mut parts = Vec::new();
        read_lines(&mut bytes, &mut |part| {
            parts.push(part);
            Ok(())
        })?;
        Ok(parts)
    }

    #[test]
    fn records_come_back_as_they_were_and_files_one_after_the_other_are_one() {
        let rules = Rules::built_in();
        let one = file(3);
        let parts = read(&one).unwrap();
        let Part::Head(head) = &parts[0] else { panic!("{parts:?}") };
        assert_eq!((head.shard, head.of, head.files, head.records), (2, 3, 1, 3));
        for (n, part) in parts[1..].iter().enumerate() {
            let crash = crash(2, n as u64, &rules);
            assert_eq!(*part, Part::Entry(crash.stamp, Box::new(crash.record)));
        }
        let both = [one, file(0), file(1)].concat();
        assert_eq!(read(&both).unwrap().len(), 4 + 1 + 2);
    }

    #[test]
    fn a_line_is_a_record_for_those_who_read_records() {
        let file = file(1);
        let line = file.split(|byte| *byte == b'\n').nth(1).unwrap();
        let record = read_record(line).unwrap();
        assert_eq!(record, crash(2, 0, &Rules::built_in()).record);
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_refused() {
        let whole = file(2);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end} of {}", whole.len());
        }
        let error = read(&whole[..whole.len() - 5]).unwrap_err();
        assert_eq!(error.to_string(), "row 3: it is truncated: 1 of 2 records are there");
        // Cut behind a line, and followed by another file.
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let cut = [lines[0], lines[1], &whole].concat();
        let error = read(&cut).unwrap_err();
        assert_eq!(error.to_string(), "it is truncated: 1 of 2 records are there");
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_row() {
        let whole = file(2);
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let with = |second: &[u8]| {
            let all = [lines[0], second, lines[2]].concat();
            read(&all).unwrap_err().to_string()
        };
        assert!(with(b"garbage\n").starts_with("row 2: it is not a record"));
        assert!(with(b"{}\n").starts_with("row 2: it is not a record"));
        assert!(with(b"[]\n").starts_with("row 2: it is not a record"));
        let other = String::from_utf8(lines[1].to_vec()).unwrap();
        let newer = other.replacen("obit.record/1", "obit.record/9", 1);
        assert!(with(newer.as_bytes()).starts_with("row 2: it is not a record"));
        let more = [&whole[..], lines[1]].concat();
        let error = read(&more).unwrap_err().to_string();
        assert_eq!(error, "row 4: it has more records than the 2 that its head says");
        assert_eq!(read(b"").unwrap_err().to_string(), "it is empty: was it written to the end?");
        assert!(read(lines[1]).unwrap_err().to_string().contains("`obit triage --emit"));
        let head = String::from_utf8(lines[0].to_vec()).unwrap();
        let newer = head.replace("obit.shard/1", "obit.shard/2");
        let wanted =
            "row 1: it is of the version \"obit.shard/2\", this obit reads \"obit.shard/1\"";
        assert_eq!(read(newer.as_bytes()).unwrap_err().to_string(), wanted);
        let wrong = head.replace("\"shard\":2", "\"shard\":7");
        assert!(read(wrong.as_bytes()).unwrap_err().to_string().contains("no shard 7 of 3"));
    }
}
