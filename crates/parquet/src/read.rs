//! A table read back.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use zstd::bulk::Decompressor;

use crate::column::{Kind, Values};
use crate::compact::Fields;
use crate::metadata::{DATA_PAGE, MAGIC, PLAIN, RLE, ZSTD};
use crate::page::decoded;

/// Bytes of the metadata that are read.
const MOST_METADATA: u64 = 4 << 20;
/// Bytes of a page that are unpacked.
const MOST_PAGE: usize = 128 << 20;
/// Bytes of the header of a page that are looked at.
const PAGE_HEADER: u64 = 4_096;
/// Rows of one row group.
const MOST_ROWS: usize = 1 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Its first or last bytes are others.
    #[error("it is not a Parquet file")]
    NotParquet,
    /// It begins as one and does not end as one.
    #[error("the Parquet file is truncated")]
    Truncated,
    /// Its metadata or a page cannot be what this crate wrote.
    #[error("the Parquet file is damaged: {0}")]
    Damaged(&'static str),
    /// It is one, of a form that is not read.
    #[error("the Parquet file is of another writer: {0}")]
    Foreign(String),
    /// It has no such column.
    #[error("the Parquet file has no column `{0}`")]
    NoColumn(String),
}

/// A file that is read.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    length: u64,
    columns: Vec<(String, Option<Kind>)>,
    groups: Vec<Group>,
    metadata: Vec<(String, String)>,
}

/// A row group: its rows, and where each column is.
#[derive(Debug)]
struct Group {
    rows: usize,
    chunks: Vec<Chunk>,
}

/// Where the pages of a column are.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    offset: u64,
    length: u64,
    codec: Option<i64>,
}

impl<'b> Reader<Cursor<&'b [u8]>> {
    /// A file in memory.
    ///
    /// # Errors
    /// Those of [`Reader::new`].
    pub fn open(bytes: &'b [u8]) -> Result<Self, ReadError> {
        Self::new(Cursor::new(bytes))
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the metadata.
    ///
    /// # Errors
    /// When the file cannot be read or is no Parquet file.
    pub fn new(mut from: R) -> Result<Self, ReadError> {
        let length = from.seek(SeekFrom::End(0))?;
        if bytes_at(&mut from, 0, MAGIC.len() as u64)? != MAGIC {
            return Err(ReadError::NotParquet);
        }
        let tail_at = length.checked_sub(8).filter(|at| *at >= 4).ok_or(ReadError::Truncated)?;
        let tail = bytes_at(&mut from, tail_at, 8)?;
        let Some((size, MAGIC)) = tail.split_first_chunk::<4>().map(|(size, rest)| {
            (u32::from_le_bytes(*size), <&[u8; 4]>::try_from(rest).unwrap_or(b"    "))
        }) else {
            return Err(ReadError::Truncated);
        };
        let at = tail_at.checked_sub(u64::from(size)).filter(|at| *at >= 4);
        let at = at.ok_or(ReadError::Damaged("its metadata would begin before the file"))?;
        if u64::from(size) > MOST_METADATA {
            return Err(ReadError::Foreign("it has more than 4 MiB of metadata".to_owned()));
        }
        let metadata = bytes_at(&mut from, at, u64::from(size))?;
        let (file, _) =
            Fields::read(&metadata).ok_or(ReadError::Damaged("its metadata cannot be read"))?;
        let mut schema = file.list(2);
        let root = schema.next().ok_or(ReadError::Damaged("it has no schema"))?;
        let columns: Vec<(String, Option<Kind>)> = schema
            .map(|one| (one.text(4).unwrap_or_default().to_owned(), Kind::of_element(one)))
            .collect();
        if root.number(5) != i64::try_from(columns.len()).ok() {
            return Err(ReadError::Foreign("it has columns in columns".to_owned()));
        }
        let groups = file.list(4).map(|group| Group::of(group, columns.len(), length));
        let groups = groups
            .collect::<Option<Vec<_>>>()
            .ok_or(ReadError::Damaged("a row group is not in the file"))?;
        if are_shared(&groups) {
            return Err(ReadError::Damaged("two columns have the same bytes"));
        }
        let pairs = file.list(5).filter_map(|pair| {
            Some((pair.text(1)?.to_owned(), pair.text(2).unwrap_or_default().to_owned()))
        });
        let pairs = pairs.collect();
        Ok(Self { from, length, columns, groups, metadata: pairs })
    }

    /// What the metadata says under this key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The number of row groups.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The values of the column called `name` in a row group.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn values(&mut self, group: usize, name: &str) -> Result<Values, ReadError> {
        let no_column = || ReadError::NoColumn(name.to_owned());
        let at = self.columns.iter().position(|(known, _)| known == name).ok_or_else(no_column)?;
        let kind = self.columns.get(at).and_then(|(_, kind)| *kind);
        let foreign = |what: &str| ReadError::Foreign(format!("column `{name}` has {what}"));
        let kind = kind.ok_or_else(|| foreign("a type that is not read"))?;
        let group = self.groups.get(group).ok_or_else(no_column)?;
        let rows = group.rows;
        let chunk = *group.chunks.get(at).ok_or_else(no_column)?;
        if chunk.codec != Some(i64::from(ZSTD)) {
            return Err(foreign("another compression than zstd"));
        }
        let header = PAGE_HEADER.min(chunk.length);
        let head = bytes_at(&mut self.from, chunk.offset, header)?;
        let cut = ReadError::Damaged("the header of a page cannot be read");
        let (page, rest) = Fields::read(&head).ok_or(cut)?;
        let header = (head.len() - rest.len()) as u64;
        let data = page.fields(5).filter(|_| page.number(1) == Some(i64::from(DATA_PAGE)));
        let data = data.ok_or_else(|| foreign("pages of another kind"))?;
        let is = |id, value: i32| data.number(id) == Some(i64::from(value));
        if !is(2, PLAIN) || !is(3, RLE) {
            return Err(foreign("another encoding than PLAIN"));
        }
        let size = |id| page.number(id).and_then(|size| usize::try_from(size).ok());
        let (unpacked, packed) = size(2)
            .zip(size(3))
            .filter(|(unpacked, _)| *unpacked <= MOST_PAGE)
            .ok_or(ReadError::Damaged("a page has a size that cannot be"))?;
        if data.number(1) != i64::try_from(rows).ok()
            || header.checked_add(packed as u64) != Some(chunk.length)
        {
            return Err(foreign("several pages in a row group"));
        }
        let packed = bytes_at(&mut self.from, chunk.offset.saturating_add(header), packed as u64)?;
        let bytes = unpack(&packed, unpacked)?;
        decoded(kind, &bytes, rows).ok_or(ReadError::Damaged("a page holds no such values"))
    }

    /// All values of the column called `name`.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn column(&mut self, name: &str) -> Result<Values, ReadError> {
        let known = self.columns.iter().find(|(known, _)| known == name);
        let kind = known.and_then(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| ReadError::NoColumn(name.to_owned()))?;
        let mut all = Values::new(kind);
        for group in 0..self.groups() {
            match (&mut all, self.values(group, name)?) {
                (Values::Text(all), Values::Text(more)) => all.extend(more),
                (Values::Integer(all), Values::Integer(more))
                | (Values::Time(all), Values::Time(more)) => all.extend(more),
                (Values::Float(all), Values::Float(more)) => all.extend(more),
                (Values::Boolean(all), Values::Boolean(more)) => all.extend(more),
                _ => return Err(ReadError::Damaged("a page holds no such values")),
            }
        }
        Ok(all)
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Group {
    fn of(group: &Fields<'_>, columns: usize, length: u64) -> Option<Self> {
        let rows = usize::try_from(group.number(3)?).ok().filter(|rows| *rows <= MOST_ROWS)?;
        let mut chunks = Vec::new();
        for chunk in group.list(1) {
            let column = chunk.fields(3)?;
            let offset = u64::try_from(column.number(9)?).ok()?;
            let size = u64::try_from(column.number(7)?).ok()?;
            offset.checked_add(size).filter(|end| *end <= length)?;
            chunks.push(Chunk { offset, length: size, codec: column.number(4) });
        }
        (chunks.len() == columns).then_some(Self { rows, chunks })
    }
}

/// Whether bytes belong to two chunks: a small file could be unpacked to any size.
fn are_shared(groups: &[Group]) -> bool {
    let chunks = groups.iter().flat_map(|group| &group.chunks);
    let mut places: Vec<(u64, u64)> = chunks.map(|it| (it.offset, it.length)).collect();
    places.sort_unstable();
    places.windows(2).any(|pair| match pair {
        [(offset, length), (next, _)] => offset.saturating_add(*length) > *next,
        _ => false,
    })
}

fn bytes_at(from: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    from.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The content of a zstd frame, which says itself how long that is: nothing is set aside
/// beyond it.
fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, ReadError> {
    let damaged = ReadError::Damaged("a page cannot be unpacked");
    let says = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    if says != Some(length as u64) {
        return Err(damaged);
    }
    let mut decompressor = Decompressor::new()?;
    decompressor.decompress(packed, length).map_err(|_| damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Writer, write};

    fn table() -> Vec<Column> {
        let text = (0..100).map(|at| (at % 7 > 0).then(|| format!("row {at}"))).collect();
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        vec![
            column("text", Values::Text(text)),
            column("n", Values::Integer((0..100).map(Some).collect())),
            column("when", Values::Time(vec![None; 100])),
        ]
    }

    fn file() -> Vec<u8> {
        let mut file = Vec::new();
        write(&mut file, &table(), &[("key", "value")]).unwrap();
        file
    }

    #[test]
    fn a_table_comes_back_with_its_metadata_from_one_group_or_several() {
        let mut many = Vec::new();
        let schema = table().iter().map(|one| (one.name.clone(), one.values.kind())).collect();
        let mut writer = Writer::new(&mut many, schema).unwrap();
        for _ in 0..3 {
            let columns = table();
            let values: Vec<&Values> = columns.iter().map(|column| &column.values).collect();
            writer.group(&values).unwrap();
        }
        writer.finish(&[]).unwrap();
        let mut reader = Reader::open(&many).unwrap();
        assert_eq!((reader.groups(), reader.column("n").unwrap().len()), (3, 300));
        let file = file();
        let mut reader = Reader::open(&file).unwrap();
        assert_eq!(reader.metadata("key"), Some("value"));
        for column in table() {
            assert_eq!(reader.column(&column.name).unwrap(), column.values);
        }
        assert!(matches!(reader.column("other"), Err(ReadError::NoColumn(_))));
    }

    #[test]
    fn a_table_without_rows_is_a_file() {
        let mut file = Vec::new();
        let column = Column { name: "a".to_owned(), values: Values::Text(Vec::new()) };
        write(&mut file, &[column], &[]).unwrap();
        assert_eq!(Reader::open(&file).unwrap().column("a").unwrap().len(), 0);
    }

    #[test]
    fn a_file_that_is_cut_or_no_parquet_is_refused() {
        let file = file();
        for end in 0..file.len() {
            assert!(Reader::open(&file[..end]).is_err(), "{end}");
        }
        assert!(matches!(Reader::open(b"{\"schema\":1}"), Err(ReadError::NotParquet)));
        assert!(matches!(Reader::open(&file[..20]), Err(ReadError::Truncated)));
    }

    #[test]
    fn bytes_that_belong_to_two_columns_are_refused() {
        let group = |chunks: &[(u64, u64)]| {
            let chunk = |(offset, length): &(u64, u64)| Chunk {
                offset: *offset,
                length: *length,
                codec: Some(i64::from(ZSTD)),
            };
            Group { rows: 1, chunks: chunks.iter().map(chunk).collect() }
        };
        assert!(!are_shared(&[group(&[(4, 10), (14, 5)]), group(&[(19, 0), (19, 8)])]));
        assert!(are_shared(&[group(&[(4, 10), (13, 5)])]));
        assert!(are_shared(&[group(&[(4, 10)]), group(&[(4, 10)])]));
        assert!(are_shared(&[group(&[(8, u64::MAX)]), group(&[(9, 1)])]));
    }

    #[test]
    fn no_changed_byte_gives_other_values_unnoticed() {
        let file = file();
        let pages = file.len() - 8 - 300;
        for at in 4..pages {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            let Ok(mut reader) = Reader::open(&damaged) else { continue };
            for column in table() {
                if let Ok(values) = reader.column(&column.name) {
                    assert_eq!(values, column.values, "byte {at}");
                }
            }
        }
    }
}
