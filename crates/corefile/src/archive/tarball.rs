//! Tar: the fields of headers by the `tar` crate, their sequence here, as a stream.
//!
//! The crate's own iterator reads long names and pax headers whole into memory, and gives holes of
//! sparse files without a limit. Here, each byte comes through `input`, which bounds bytes and time.

use std::io::{self, Read};

use tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

use super::ArchiveError;
use super::extract::{Extractor, Source};

/// Bytes of a block.
const BLOCK: u64 = 512;
/// Bytes of a long name.
const LONGEST_NAME: u64 = 4 << 10;
/// Bytes of the pax header of a file.
const LONGEST_PAX: u64 = 64 << 10;

/// Hands the files of an archive to `extractor`.
pub(super) fn read(
    mut input: impl Read,
    extractor: &mut Extractor<'_>,
) -> Result<(), ArchiveError> {
    let mut ahead = Ahead::default();
    loop {
        match next(&mut input, &mut ahead, extractor) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(Ended::Damaged(error)) => {
                extractor.end(&error);
                return Ok(());
            }
            Err(Ended::Fatal(error)) => return Err(error),
        }
    }
}

/// Why nothing more is read.
enum Ended {
    Damaged(io::Error),
    Fatal(ArchiveError),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Damaged(error)
    }
}

impl From<ArchiveError> for Ended {
    fn from(error: ArchiveError) -> Self {
        Self::Fatal(error)
    }
}

/// What entries say of the next file.
#[derive(Default)]
struct Ahead {
    long_name: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// Its name is longer than any that is read.
    is_too_long: bool,
    /// Its content begins with a map of its holes (tar(5), "GNU.sparse"; `tar -S --format=posix`),
    /// or its header is longer than any that is read.
    is_unreadable: bool,
}

/// Reads one entry; false at the end of the archive.
fn next(
    input: &mut dyn Read,
    ahead: &mut Ahead,
    extractor: &mut Extractor<'_>,
) -> Result<bool, Ended> {
    let Some(header) = header(input)? else { return Ok(false) };
    let kind = header.entry_type();
    let claimed = header.entry_size()?;
    match kind {
        EntryType::GNULongName => {
            let name = extension(input, claimed, LONGEST_NAME)?;
            ahead.is_too_long |= name.is_none();
            ahead.long_name = name.map(|mut name| {
                // It ends with a NUL.
                name.pop_if(|byte| *byte == 0);
                name
            });
            return Ok(true);
        }
        // The target of a link, and what holds for the whole archive.
        EntryType::GNULongLink | EntryType::XGlobalHeader => {
            skip(input, padded(claimed)?)?;
            return Ok(true);
        }
        EntryType::XHeader => {
            match extension(input, claimed, LONGEST_PAX)? {
                Some(records) => ahead.see(&records),
                None => ahead.is_unreadable = true,
            }
            return Ok(true);
        }
        _ => {}
    }
    if !extractor.goes_on() {
        return Ok(false);
    }
    let Ahead { long_name, name, size, is_too_long, is_unreadable } = std::mem::take(ahead);
    let size = size.unwrap_or(claimed);
    if kind == EntryType::GNUSparse {
        skip_map(input, &header)?;
    }
    let mut content = input.take(padded(size)?);
    let left_out = &mut extractor.left_out;
    let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous);
    let count = match kind {
        EntryType::Directory => None,
        EntryType::GNUSparse => Some(&mut left_out.unreadable),
        _ if !is_file => Some(&mut left_out.links),
        _ if is_unreadable => Some(&mut left_out.unreadable),
        _ if is_too_long => Some(&mut left_out.too_long),
        _ => None,
    };
    if let Some(count) = count {
        *count = count.saturating_add(1);
    } else if is_file {
        let name = long_name.or(name).unwrap_or_else(|| header.path_bytes().into_owned());
        let modified = header.mtime().ok().and_then(|time| i64::try_from(time).ok());
        let source = Source { name: &name, size, modified, facts: Vec::new() };
        extractor.take(source, &mut (&mut content).take(size))?;
    }
    if extractor.left_out.ended.is_some() {
        return Ok(false);
    }
    let rest = content.limit();
    skip(input, rest)?;
    Ok(true)
}

impl Ahead {
    /// Takes what the records of a pax header say.
    fn see(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).filter_map(Result::ok) {
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                // A file of 8 GiB or more need not have it anywhere else.
                b"size" => {
                    let size = record.value().ok().and_then(|size| size.parse().ok());
                    self.size = size.or(self.size);
                }
                key => self.is_unreadable |= key.starts_with(b"GNU.sparse."),
            }
        }
    }
}

/// The next header; `None` at the end of the archive.
fn header(input: &mut dyn Read) -> io::Result<Option<Header>> {
    let mut header = Header::new_old();
    let (have, problem) = crate::dump::fill(input, header.as_mut_bytes(), BLOCK as usize);
    if let Some(problem) = problem {
        return Err(problem);
    }
    let bytes = header.as_bytes();
    if have == 0 || have == bytes.len() && bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    if have < bytes.len() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a header"));
    }
    // The field of the sum itself counts as blanks.
    let sum = bytes.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(*byte),
    });
    if sum.sum::<u32>() != header.cksum()? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the checksum of a header is wrong",
        ));
    }
    Ok(Some(header))
}

/// The content of an entry that belongs to the next one; `None`, and skipped, if it is too long.
fn extension(input: &mut dyn Read, size: u64, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let all = padded(size)?;
    if size > longest {
        skip(input, all)?;
        return Ok(None);
    }
    let mut content = Vec::new();
    if input.take(size).read_to_end(&mut content)? as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    skip(input, all.saturating_sub(size))?;
    Ok(Some(content))
}

/// Skips the blocks with the rest of the map of a sparse file, which its size does not count.
fn skip_map(input: &mut dyn Read, header: &Header) -> io::Result<()> {
    let mut goes_on = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while goes_on {
        let mut block = GnuExtSparseHeader::new();
        input.read_exact(block.as_mut_bytes())?;
        goes_on = block.is_extended();
    }
    Ok(())
}

/// Bytes that a content takes in the archive: whole blocks.
fn padded(size: u64) -> io::Result<u64> {
    let padded = size.checked_next_multiple_of(BLOCK);
    padded.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the size of a file is wrong"))
}

fn skip(input: &mut dyn Read, count: u64) -> io::Result<()> {
    if io::copy(&mut input.take(count), &mut io::sink())? != count {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a file"));
    }
    Ok(())
}
