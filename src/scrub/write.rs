//! A core file with what was chosen: the segments of the original at their addresses, cut
//! into pages that are there and pages that are not.

use std::collections::BTreeSet;
use std::io::{self, Write};

use obit_corefile::dump::{CoreSegment, Dump};
use obit_corefile::elf::{Encoding, FileHeader};
use obit_redact::memory::Judge;

/// Bytes of a page. Readers such as elfutils want segments that begin on one.
pub(super) const PAGE: u64 = 4096;
/// Bytes that are judged at a time.
const CHUNK: u64 = 1 << 20;
/// Bytes around a chunk that are looked at, too, to know text and lists of digits that cross its
/// ends.
const AROUND: u64 = 128;
/// `PN_XNUM`: the number of program headers is in `sh_info` of section 0.
const EXTENDED: usize = 0xffff;

/// A part of a segment: its start is in the core, or nothing of it.
struct Piece<'d> {
    segment: &'d CoreSegment,
    start: u64,
    /// The end of what is in the core.
    held: u64,
    end: u64,
}

/// `value` in `size` bytes.
pub(super) fn number(value: u64, size: usize, encoding: Encoding) -> Vec<u8> {
    let little = value.to_le_bytes();
    let mut bytes: Vec<u8> = little.into_iter().take(size).collect();
    if !encoding.little_endian {
        bytes.reverse();
    }
    bytes
}

/// Bytes of `segment` that the core really holds.
pub(super) fn present(dump: &Dump, segment: &CoreSegment) -> u64 {
    segment.dumped.min(dump.bytes.len().saturating_sub(segment.offset))
}

/// Writes the core. `finish` is called on all bytes of a chunk after they are masked.
pub(super) fn write(
    dump: &Dump,
    notes: &[u8],
    pages: &BTreeSet<u64>,
    judge: &Judge<'_>,
    finish: &dyn Fn(u64, &mut [u8]),
    out: &mut dyn Write,
) -> io::Result<()> {
    let pieces = pieces(dump, pages);
    let encoding = dump.encoding;
    let (header_size, entry, section) = if encoding.is_64 { (64, 56, 64) } else { (52, 32, 40) };
    let count = pieces.len().saturating_add(1);
    let is_extended = count >= EXTENDED;
    let table_end = (header_size + entry * count) as u64;
    let notes_at = table_end + if is_extended { section } else { 0 };
    let data_at = (notes_at + notes.len() as u64).next_multiple_of(PAGE);

    let mut head = dump.bytes.read_vec(0, FileHeader::SIZE as u64);
    head.resize(header_size, 0);
    put_header(&mut head, encoding, entry, count, is_extended.then_some(table_end));
    head.extend(program_header(encoding, 4, 4, [notes_at, 0, notes.len() as u64, 0, 4]));
    let mut at = data_at;
    for piece in &pieces {
        let rights = piece.segment.permissions;
        let flags =
            u64::from(rights.read) << 2 | u64::from(rights.write) << 1 | u64::from(rights.execute);
        let size = piece.end - piece.start;
        let dumped = piece.held - piece.start;
        head.extend(program_header(encoding, 1, flags, [at, piece.start, dumped, size, PAGE]));
        at = at.saturating_add(dumped);
    }
    if is_extended {
        let mut first = vec![0; section as usize];
        let info = if encoding.is_64 { 44 } else { 28 };
        put(&mut first, info, &number(count as u64, 4, encoding));
        head.extend(first);
    }
    head.extend(notes);
    head.resize(usize::try_from(data_at).unwrap_or(head.len()), 0);
    out.write_all(&head)?;
    for piece in &pieces {
        write_piece(dump, piece, judge, finish, out)?;
    }
    Ok(())
}

fn write_piece(
    dump: &Dump,
    piece: &Piece<'_>,
    judge: &Judge<'_>,
    finish: &dyn Fn(u64, &mut [u8]),
    out: &mut dyn Write,
) -> io::Result<()> {
    let base = piece.segment.range.start.0;
    let present = present(dump, piece.segment);
    let mut at = piece.start;
    while at < piece.held {
        let end = at.saturating_add(CHUNK).min(piece.held);
        // Whole words before and after, so that what is aligned stays so.
        let from = at.saturating_sub(AROUND).max(base);
        let to = end.saturating_add(AROUND).min(base.saturating_add(present)).max(end);
        let mut original = dump.bytes.read_vec(piece.segment.offset + (from - base), to - from);
        original.resize(usize::try_from(to - from).unwrap_or(0), 0);
        let mut masked = judge.mask(from, &original);
        finish(from, &mut masked);
        let part = masked.get((at - from) as usize..(end - from) as usize);
        out.write_all(part.unwrap_or(&[]))?;
        at = end;
    }
    Ok(())
}

/// Segments are cut only where they must be: what is left out follows what is kept, so that
/// a heap stays one mapping as far as it is read from its start.
fn pieces<'d>(dump: &'d Dump, pages: &BTreeSet<u64>) -> Vec<Piece<'d>> {
    let mut pieces = Vec::new();
    for segment in &dump.segments {
        let (start, end) = (segment.range.start.0, segment.range.end.0);
        let held = start.saturating_add(present(dump, segment));
        let mut open = Piece { segment, start, held: start, end: start };
        for page in pages.range(start / PAGE..end.div_ceil(PAGE)) {
            let from = page.saturating_mul(PAGE).max(start);
            let to = page.saturating_mul(PAGE).saturating_add(PAGE).min(held);
            if from >= to {
                break;
            }
            if open.held < from {
                open.end = from;
                let next = Piece { segment, start: from, held: from, end: from };
                pieces.push(std::mem::replace(&mut open, next));
            }
            open.held = to;
        }
        open.end = end;
        if open.start < open.end {
            pieces.push(open);
        }
    }
    pieces
}

/// Offset, address, bytes in the file, bytes in memory, alignment.
fn program_header(
    encoding: Encoding,
    kind: u64,
    flags: u64,
    [offset, address, dumped, size, align]: [u64; 5],
) -> Vec<u8> {
    let word = encoding.word();
    let fields = if encoding.is_64 {
        vec![
            (kind, 4),
            (flags, 4),
            (offset, 8),
            (address, 8),
            (0, 8),
            (dumped, 8),
            (size, 8),
            (align, 8),
        ]
    } else {
        vec![
            (kind, 4),
            (offset, word),
            (address, word),
            (0, word),
            (dumped, word),
            (size, word),
            (flags, 4),
            (align, word),
        ]
    };
    fields.into_iter().flat_map(|(value, size)| number(value, size, encoding)).collect()
}

/// Adapts the original's header: where the tables are, and how many entries they have.
fn put_header(
    head: &mut [u8],
    encoding: Encoding,
    entry: usize,
    count: usize,
    sections: Option<u64>,
) {
    let word = encoding.word();
    // e_phoff, e_shoff; then e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    let (offsets, sizes, header, section) =
        if encoding.is_64 { (32, 54, 64, 64) } else { (28, 42, 52, 40) };
    put(head, offsets, &number(header, word, encoding));
    put(head, offsets + word, &number(sections.unwrap_or(0), word, encoding));
    let section = if sections.is_some() { section } else { 0 };
    let halves = [entry, count.min(EXTENDED), section, usize::from(sections.is_some()), 0];
    for (nth, half) in halves.into_iter().enumerate() {
        put(head, sizes + 2 * nth, &number(half as u64, 2, encoding));
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}
