//! A table written.

use std::io::{self, Write};

use zstd::bulk::Compressor;

use crate::column::{Column, Kind, Values};
use crate::compact::Struct;
use crate::metadata::{DATA_PAGE, MAGIC, PLAIN, RLE, ZSTD};
use crate::page::encoded;

/// How much the pages are compressed: zstd's usual level.
const LEVEL: i32 = 3;

/// Writes a table whose rows are all there. `metadata` is for readers that know its keys.
///
/// # Errors
/// Those of `out`; columns of different lengths.
pub fn write(out: &mut dyn Write, columns: &[Column], metadata: &[(&str, &str)]) -> io::Result<()> {
    let schema = columns.iter().map(|column| (column.name.clone(), column.values.kind()));
    let mut writer = Writer::new(out, schema.collect())?;
    let values: Vec<&Values> = columns.iter().map(|column| &column.values).collect();
    if values.iter().any(|values| !values.is_empty()) {
        writer.group(&values)?;
    }
    writer.finish(metadata)
}

/// Writes a table whose rows come some at a time.
pub struct Writer<'o> {
    out: &'o mut dyn Write,
    schema: Vec<(String, Kind)>,
    /// Bytes that were written.
    at: u64,
    rows: u64,
    groups: Vec<Struct>,
    compressor: Compressor<'static>,
}

impl<'o> Writer<'o> {
    /// A file with columns of these names and types.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: &'o mut dyn Write, schema: Vec<(String, Kind)>) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self { out, schema, at: MAGIC.len() as u64, rows: 0, groups: Vec::new(), compressor })
    }

    /// Writes rows: of each column the values, in the order of the schema.
    ///
    /// # Errors
    /// Those of `out`; columns of different lengths or of other types.
    pub fn group(&mut self, columns: &[&Values]) -> io::Result<()> {
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let rows = columns.first().map_or(0, |values| values.len());
        if columns.len() != self.schema.len() || columns.iter().any(|one| one.len() != rows) {
            return Err(wrong("the columns of a row group differ in length"));
        }
        let begin = self.at;
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        for (values, (name, kind)) in columns.iter().zip(&self.schema.clone()) {
            if values.kind() != *kind {
                return Err(wrong("a column has values of another type than its schema"));
            }
            let page = encoded(values);
            let packed = self.compressor.compress(&page)?;
            let header = page_header(page.len(), packed.len(), rows)
                .ok_or_else(|| wrong("a page has more than 2 GiB"))?;
            let offset = self.at;
            self.put(&header)?;
            self.put(&packed)?;
            let unpacked = (header.len() as u64).saturating_add(page.len() as u64);
            bytes += unpacked;
            chunks.push(column_chunk(name, *kind, offset, rows, (unpacked, self.at - offset)));
        }
        let mut group = Struct::default();
        group.structures(1, chunks);
        group.i64(2, signed(bytes));
        group.i64(3, signed(rows as u64));
        group.i64(5, signed(begin));
        group.i64(6, signed(self.at - begin));
        self.groups.push(group);
        self.rows += rows as u64;
        Ok(())
    }

    /// Writes what says where all is; without it a file is none.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self, metadata: &[(&str, &str)]) -> io::Result<()> {
        let mut root = Struct::default();
        root.text(4, "schema");
        root.i32(5, i32::try_from(self.schema.len()).unwrap_or(i32::MAX));
        let columns = self.schema.iter().map(|(name, kind)| kind.element(name));
        let mut file = Struct::default();
        file.i32(1, 1);
        file.structures(2, std::iter::once(root).chain(columns));
        file.i64(3, signed(self.rows));
        file.structures(4, std::mem::take(&mut self.groups));
        let pairs = metadata.iter().map(|(key, value)| {
            let mut pair = Struct::default();
            pair.text(1, key);
            pair.text(2, value);
            pair
        });
        file.structures(5, pairs);
        file.text(6, concat!("obit-parquet version ", env!("CARGO_PKG_VERSION")));
        let footer = file.finish();
        self.put(&footer)?;
        let length = u32::try_from(footer.len());
        let length = length.map_err(|_| io::Error::other("a table with too many rows"))?;
        self.put(&length.to_le_bytes())?;
        self.put(MAGIC)?;
        self.out.flush()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// `PageHeader`.
fn page_header(unpacked: usize, packed: usize, rows: usize) -> Option<Vec<u8>> {
    let mut data = Struct::default();
    data.i32(1, i32::try_from(rows).ok()?);
    data.i32(2, PLAIN);
    data.i32(3, RLE);
    data.i32(4, RLE);
    let mut header = Struct::default();
    header.i32(1, DATA_PAGE);
    header.i32(2, i32::try_from(unpacked).ok()?);
    header.i32(3, i32::try_from(packed).ok()?);
    header.structure(5, data);
    Some(header.finish())
}

/// `ColumnChunk`.
fn column_chunk(
    name: &str,
    kind: Kind,
    offset: u64,
    rows: usize,
    (unpacked, packed): (u64, u64),
) -> Struct {
    let mut column = Struct::default();
    column.i32(1, kind.physical());
    column.i32s(2, &[PLAIN, RLE]);
    column.texts(3, &[name]);
    column.i32(4, ZSTD);
    column.i64(5, signed(rows as u64));
    column.i64(6, signed(unpacked));
    column.i64(7, signed(packed));
    column.i64(9, signed(offset));
    let mut chunk = Struct::default();
    chunk.i64(2, signed(offset));
    chunk.structure(3, column);
    chunk
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
