//! A file of records, as `obit merge` reads it: lines of JSON, or Parquet of which each column
//! is read, too.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use obit::triage::shard::{Part, read_lines, read_parquet, write_entry};
use obit_parquet::Reader;

fuzz_target!(|data: &[u8]| {
    let mut take = |part: Part| {
        if let Part::Entry(file, record) = part {
            // What was read can be written.
            write_entry(&record, &file, &mut Vec::new())?;
        }
        Ok(())
    };
    let outcome = match data.starts_with(b"PAR1") {
        true => read_parquet(Cursor::new(data), &mut take),
        false => read_lines(&mut Cursor::new(data), &mut take),
    };
    if let Err(error) = outcome {
        let _ = error.to_string();
    }
    if let Ok(mut reader) = Reader::open(data) {
        for group in 0..reader.groups().min(16) {
            for name in ["record", "time", "pid", "complete", "dump"] {
                let _ = reader.values(group, name).map_err(|error| error.to_string());
            }
        }
    }
});
