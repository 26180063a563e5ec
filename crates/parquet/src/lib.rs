//! Tables of typed columns as Parquet files.
//!
//! **For** handing rows to engines that read Parquet (DuckDB, Spark, pandas), and for reading
//! files that this crate wrote. A table is a list of flat columns; each value may be missing.
//!
//! **Not for** Parquet in general: nested columns, dictionaries and other codecs are neither
//! written nor read. A file of another writer is refused with what it has that is not read.
//!
//! A file has row groups, each with one data page (version 1) for each column: PLAIN values,
//! definition levels of one bit, zstd. Its metadata is in the compact protocol of Thrift. The
//! format is that of <https://github.com/apache/parquet-format> (2.11).
//!
//! ```
//! use obit_parquet::{Column, Reader, Values, write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = Values::Text(vec![Some("a".to_owned()), None]);
//! let columns = [Column { name: "name".to_owned(), values: names }];
//! let mut file = Vec::new();
//! write(&mut file, &columns, &[("made by", "an example")])?;
//!
//! let mut reader = Reader::open(&file)?;
//! assert_eq!(reader.metadata("made by"), Some("an example"));
//! assert_eq!(reader.column("name")?, columns[0].values);
//! # Ok(())
//! # }
//! ```
//!
//! Everything read is hostile: no length is believed before the bytes are there, what is
//! unpacked is limited for each page, and no byte of a file belongs to two pages.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod column;
mod compact;
mod metadata;
mod page;
mod read;
mod write;

pub use column::{Column, Kind, Values};
pub use read::{ReadError, Reader};
pub use write::{Writer, write};
