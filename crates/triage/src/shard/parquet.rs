//! Records as Parquet.

use std::io::{self, Read, Seek, Write};

use obit_parquet::{Kind, ReadError, Reader, Values, Writer};

use super::Part;
use super::columns::{COLUMNS, RECORD, push};
use super::error::{ShardError, ShardProblem};
use super::head::ShardHead;
use super::lines::{entry, read_entry};
use crate::record::Record;
use crate::store::{FileStamp, RecordHead};

/// The key of the head in the metadata.
const HEAD: &str = "obit.shard";
/// Rows of a row group, at most.
const ROWS: usize = 4_096;
/// Bytes of a row group, about.
const BYTES: usize = 32 << 20;

/// Writes records.
pub struct Columns<'o> {
    writer: Writer<'o>,
    columns: Vec<Values>,
    records: Vec<Option<String>>,
    bytes: usize,
}

impl<'o> Columns<'o> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: &'o mut dyn Write) -> io::Result<Self> {
        let schema = COLUMNS.iter().map(|(name, kind, _)| ((*name).to_owned(), *kind));
        let schema = schema.chain([(RECORD.to_owned(), Kind::Text)]);
        let writer = Writer::new(out, schema.collect())?;
        let columns = COLUMNS.iter().map(|(_, kind, _)| Values::new(*kind)).collect();
        Ok(Self { writer, columns, records: Vec::new(), bytes: 0 })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Those of the output.
    pub fn push(&mut self, record: &Record, file: &FileStamp) -> io::Result<()> {
        let head = RecordHead::of(record);
        for (values, (_, _, cell)) in self.columns.iter_mut().zip(COLUMNS) {
            self.bytes += push(values, cell(record, &head));
        }
        let json = String::from_utf8(entry(record, file)?).map_err(io::Error::other)?;
        self.bytes += json.len();
        self.records.push(Some(json));
        if self.records.len() >= ROWS || self.bytes >= BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let records = Values::Text(std::mem::take(&mut self.records));
        let columns: Vec<&Values> = self.columns.iter().chain([&records]).collect();
        self.writer.group(&columns)?;
        self.columns = COLUMNS.iter().map(|(_, kind, _)| Values::new(*kind)).collect();
        self.bytes = 0;
        Ok(())
    }

    /// Ends the file, which says what it is a part of.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self, head: &ShardHead) -> io::Result<()> {
        self.flush()?;
        let head = serde_json::to_string(head)?;
        self.writer.finish(&[(HEAD, &head)])
    }
}

/// Hands what a file holds to `take`, until it fails.
///
/// # Errors
/// What is wrong with it; those of `take`.
pub fn read_parquet(
    from: impl Read + Seek,
    take: &mut dyn FnMut(Part) -> io::Result<()>,
) -> Result<(), ShardError> {
    let failed = |error: ReadError| ShardError::from(ShardProblem::Parquet(error));
    let mut reader = Reader::new(from).map_err(failed)?;
    let head = reader.metadata(HEAD).ok_or(ShardProblem::NoHead)?;
    let head = ShardHead::read(head.as_bytes())?;
    let wanted = head.records;
    take(Part::Head(head)).map_err(ShardProblem::from)?;
    let mut row = 0_u64;
    for group in 0..reader.groups() {
        let values = reader.values(group, RECORD).map_err(failed)?;
        let Values::Text(records) = values else {
            return Err(failed(ReadError::NoColumn(RECORD.to_owned())));
        };
        for record in records {
            row += 1;
            if row > wanted {
                return Err(ShardProblem::TooMany(wanted).in_row(row));
            }
            let json = record.unwrap_or_default();
            let part = read_entry(json.as_bytes()).map_err(|problem| problem.in_row(row))?;
            take(part).map_err(|error| ShardProblem::from(error).in_row(row))?;
        }
    }
    if row < wanted {
        return Err(ShardProblem::Truncated { found: row, wanted }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::record::{FileFacts, Reason};
    use crate::shard::{Listing, Shard};
    use crate::signature::Rules;
    use crate::testkit::{Crash, crash};
    use obit_parquet::{Column, write};
    use obit_redact::Level;

    fn crashes() -> Vec<Crash> {
        let rules = Rules::built_in();
        let mut made: Vec<Crash> = (0..50).map(|n| crash(4, n, &rules)).collect();
        let reason = Reason { code: "empty".to_owned(), ..Reason::default() };
        let facts = FileFacts { dump: "file-1".to_owned(), ..FileFacts::default() };
        made[7].record = Record::failed(made[7].record.core.clone(), facts, reason, Level::Default);
        made
    }

    fn file(records: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let mut columns = Columns::new(&mut out).unwrap();
        for crash in crashes() {
            columns.push(&crash.record, &crash.stamp).unwrap();
        }
        columns.finish(&ShardHead::new(Shard::ALL, &Listing::default(), records)).unwrap();
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Part>, ShardError> {
        let mut parts = Vec::new();
        read_parquet(Cursor::new(bytes), &mut |part| {
            parts.push(part);
            Ok(())
        })?;
        Ok(parts)
    }

    #[test]
    fn records_come_back_and_each_column_has_a_cell_for_each() {
        let file = file(50);
        let parts = read(&file).unwrap();
        assert_eq!(parts.len(), 51);
        for (crash, part) in crashes().into_iter().zip(&parts[1..]) {
            assert_eq!(*part, Part::Entry(crash.stamp, Box::new(crash.record)));
        }
        let mut reader = Reader::open(&file).unwrap();
        for (name, kind, _) in COLUMNS {
            let values = reader.column(name).unwrap();
            assert_eq!((values.len(), values.kind()), (50, *kind), "{name}");
        }
        let Values::Time(times) = reader.column("time").unwrap() else { panic!("no times") };
        assert_eq!(times[0], crashes()[0].record.time.map(|time| time * 1_000_000));
        let Values::Text(programs) = reader.column("program").unwrap() else { panic!("no text") };
        assert!(programs[0].as_ref().unwrap().starts_with("program"));
        assert_eq!(programs[7], None);
    }

    #[test]
    fn a_file_that_is_cut_foreign_or_of_another_version_is_refused() {
        let whole = file(50);
        for end in (0..whole.len()).step_by(97) {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let fewer = read(&file(51)).unwrap_err().to_string();
        assert_eq!(fewer, "it is truncated: 50 of 51 records are there");
        let more = read(&file(3)).unwrap_err().to_string();
        assert_eq!(more, "row 4: it has more records than the 3 that its head says");
        let other = |metadata: &[(&str, &str)]| {
            let records = Values::Text(vec![Some("{}".to_owned())]);
            let column = Column { name: RECORD.to_owned(), values: records };
            let mut out = Vec::new();
            write(&mut out, &[column], metadata).unwrap();
            read(&out).unwrap_err().to_string()
        };
        assert!(other(&[]).contains("`obit triage --emit"));
        let newer = other(&[(HEAD, "{\"schema\":\"obit.shard/2\"}")]);
        assert_eq!(
            newer,
            "it is of the version \"obit.shard/2\", this obit reads \"obit.shard/1\""
        );
        let head = ShardHead::new(Shard::ALL, &Listing::default(), 1);
        let garbage = other(&[(HEAD, &serde_json::to_string(&head).unwrap())]);
        assert!(garbage.starts_with("row 1: it is not a record"), "{garbage}");
    }
}
