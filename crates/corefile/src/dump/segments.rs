//! The program headers of a core, and which segment holds an address.

use super::CoreSegment;
use crate::addr::{Avma, AvmaRange};
use crate::elf::{FileHeader, Segment, SegmentKind};
use crate::limits::Limits;
use crate::memory::{CoreBytes, Permissions};
use crate::notice::Notice;

/// Program headers read at a time.
const CHUNK: usize = 4096;

/// The program headers that matter in a core, in file order.
#[derive(Default)]
pub(super) struct Headers {
    /// `PT_LOAD` that take up addresses.
    pub(super) loads: Vec<CoreSegment>,
    /// `PT_NOTE`.
    pub(super) notes: Vec<Segment>,
    /// Bytes that the headers promise and the file lacks, those of the table included.
    pub(super) missing_bytes: u64,
}

/// Reads the table of program headers as far as the file holds it.
pub(super) fn read_headers(
    core: &CoreBytes,
    header: &FileHeader,
    limits: &Limits,
    notices: &mut Vec<Notice>,
) -> Headers {
    let mut headers = Headers::default();
    let count = segment_count(core, header);
    let kept = count.unwrap_or(usize::MAX).min(limits.program_headers);
    if count.is_some_and(|count| count > kept) {
        let limit = limits.program_headers as u64;
        notices.push(Notice::LimitReached { what: "program headers", limit });
    }
    let size = header.segment_size();
    let mut at = header.segments_offset;
    let mut left = kept;
    // Without a stated count the table ends where the content of a segment starts.
    let mut table_end = u64::MAX;
    'table: while left > 0 {
        let chunk = left.min(CHUNK);
        let wanted = chunk.saturating_mul(size) as u64;
        let bytes = core.read_vec(at, wanted);
        if count.is_some() && (bytes.len() as u64) < wanted {
            let rest = left.saturating_mul(size) as u64;
            let lacking = rest.saturating_sub(bytes.len() as u64);
            headers.missing_bytes = headers.missing_bytes.saturating_add(lacking);
        }
        let segments = header.parse_segments(&bytes, chunk);
        let ended = segments.len() < chunk;
        for segment in segments {
            let next = at.saturating_add(size as u64);
            if count.is_none() && (next > table_end || !is_plausible(&segment)) {
                break 'table;
            }
            if segment.file_size > 0 && segment.offset > header.segments_offset {
                table_end = table_end.min(segment.offset);
            }
            at = next;
            headers.add(&segment, core.len());
        }
        left = left.saturating_sub(chunk);
        if ended {
            break;
        }
    }
    if count.is_none() {
        notices.push(Notice::NoteMalformed {
            problem: format!(
                "the number of program headers (PN_XNUM) is cut off with the section headers; \
                 {} were found by reading on",
                headers.loads.len().saturating_add(headers.notes.len())
            ),
        });
    }
    headers.end_where_others_start(notices);
    headers
}

/// `e_phnum`, or what section header 0 says for `PN_XNUM`; `None` when that is cut off.
fn segment_count(core: &CoreBytes, header: &FileHeader) -> Option<usize> {
    if !header.has_extended_count() {
        return Some(usize::from(header.segments_count));
    }
    let size = header.section_size();
    let first = core.read_vec(header.sections_offset, size as u64);
    let usable = header.sections_offset != 0 && first.len() == size;
    let stated = usable.then(|| header.section_info(&first))??;
    // Fewer would have fit into `e_phnum`: the section header is not one.
    usize::try_from(stated).ok().filter(|count| *count >= 0xffff)
}

fn is_plausible(segment: &Segment) -> bool {
    match segment.kind {
        SegmentKind::Load => segment.file_size <= segment.mem_size,
        SegmentKind::Note => segment.file_size > 0,
        _ => false,
    }
}

impl Headers {
    /// Ends segments where the next one starts, but not before the bytes that the core holds of
    /// them: a damaged size must not take the addresses of all others.
    fn end_where_others_start(&mut self, notices: &mut Vec<Notice>) {
        let mut starts: Vec<Avma> = self.loads.iter().map(|load| load.range.start).collect();
        starts.sort_unstable();
        let mut cut = 0_u64;
        for load in &mut self.loads {
            let after = starts.partition_point(|start| *start <= load.range.start);
            let Some(next) = starts.get(after).filter(|next| **next < load.range.end) else {
                continue;
            };
            let held = Avma(load.range.start.0.saturating_add(load.dumped));
            if held < load.range.end {
                load.range.end = held.max(*next).min(load.range.end);
                cut = cut.saturating_add(1);
            }
        }
        if cut > 0 {
            notices.push(Notice::NoteMalformed {
                problem: format!(
                    "{cut} segments overlap others; they are taken to end where the next starts"
                ),
            });
        }
    }

    fn add(&mut self, segment: &Segment, file_len: u64) {
        let present = file_len.saturating_sub(segment.offset).min(segment.file_size);
        let missing = segment.file_size.saturating_sub(present);
        match segment.kind {
            SegmentKind::Load => {
                let range = AvmaRange::from_len(Avma(segment.vaddr.0), segment.mem_size);
                if !range.is_empty() {
                    self.loads.push(CoreSegment {
                        range,
                        offset: segment.offset,
                        dumped: segment.file_size.min(range.len()),
                        permissions: Permissions {
                            read: segment.flags & 4 != 0,
                            write: segment.is_writable(),
                            execute: segment.is_executable(),
                        },
                    });
                }
            }
            SegmentKind::Note => self.notes.push(*segment),
            _ => return,
        }
        self.missing_bytes = self.missing_bytes.saturating_add(missing);
    }
}

/// Finds segments by address. Where two overlap, the one that starts first keeps the
/// addresses, as in `memory`.
#[derive(Debug, Default)]
pub(super) struct SegmentIndex {
    /// Sorted and disjoint; the number is an index into the segments.
    parts: Vec<(AvmaRange, usize)>,
}

impl SegmentIndex {
    pub(super) fn new(segments: &[CoreSegment]) -> Self {
        let mut parts: Vec<_> = segments.iter().map(|segment| segment.range).zip(0..).collect();
        parts.sort_by_key(|(range, _)| range.start);
        let mut taken = Avma(0);
        parts.retain_mut(|(range, _)| {
            range.start = range.start.max(taken);
            taken = taken.max(range.end);
            !range.is_empty()
        });
        Self { parts }
    }

    /// The index of the segment that holds `at`.
    pub(super) fn at(&self, at: Avma) -> Option<usize> {
        let (range, index) = self.parts.get(self.after(at).checked_sub(1)?)?;
        range.contains(at).then_some(*index)
    }

    /// The first address above `at` where a segment starts.
    pub(super) fn next_start(&self, at: Avma) -> Option<Avma> {
        self.parts.get(self.after(at)).map(|(range, _)| range.start)
    }

    /// The number of parts that start at or below `at`.
    fn after(&self, at: Avma) -> usize {
        self.parts.partition_point(|(range, _)| range.start <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::CoreBuilder;

    fn segment(start: u64, len: u64) -> CoreSegment {
        let range = AvmaRange::from_len(Avma(start), len);
        CoreSegment { range, offset: 0, dumped: 0, permissions: Permissions::default() }
    }

    #[test]
    fn of_overlapping_segments_the_lower_keeps_its_addresses() {
        let index = SegmentIndex::new(&[segment(0x3000, 0x1000), segment(0x1000, 0x2800)]);
        assert_eq!(index.at(Avma(0x37ff)), Some(1));
        assert_eq!(index.at(Avma(0x3800)), Some(0));
        assert_eq!(index.at(Avma(0x4000)), None);
        assert_eq!(index.at(Avma(0xfff)), None);
        let inside = SegmentIndex::new(&[segment(0x1000, 0x100), segment(0, u64::MAX)]);
        assert_eq!(inside.at(Avma(0x1000)), Some(1));
    }

    #[test]
    fn a_segment_of_a_damaged_size_leaves_others_their_addresses() {
        let mut huge = segment(0x1000, 1 << 62);
        huge.dumped = 0x800;
        let mut headers =
            Headers { loads: vec![huge, segment(0x3000, 0x1000)], ..Headers::default() };
        let mut notices = Vec::new();
        headers.end_where_others_start(&mut notices);
        assert_eq!(headers.loads[0].range.end, Avma(0x3000));
        assert_eq!(notices.len(), 1);
        // What the core holds of it is its own.
        let mut whole = segment(0x1000, 0x2800);
        whole.dumped = 0x2800;
        let mut headers =
            Headers { loads: vec![whole, segment(0x3000, 0x1000)], ..Headers::default() };
        headers.end_where_others_start(&mut Vec::new());
        assert_eq!(headers.loads[0].range.end, Avma(0x3800));
    }

    #[test]
    fn seventy_thousand_segments_are_all_read() {
        let dump = CoreBuilder::x86_64().thread(1, &[]).empty_segments(70_000).open().unwrap();
        assert_eq!(dump.segments.len(), 70_000);
        assert!(dump.segment_at(Avma(0x10_0000 + 69_999 * 0x2000)).is_some());
    }

    #[test]
    fn with_the_section_headers_cut_off_the_table_is_read_to_its_visible_end() {
        let core = CoreBuilder::x86_64().thread(1, &[]).empty_segments(70_000);
        let dump = core.without_section_header().open().unwrap();
        assert_eq!(dump.segments.len(), 70_000);
        assert!(matches!(dump.notices.first(), Some(Notice::NoteMalformed { .. })));
    }

    #[test]
    fn a_hostile_size_is_clamped_and_counted_as_missing() {
        let core =
            CoreBuilder::x86_64().thread(1, &[]).promised_segment(0x1000, u64::MAX, u64::MAX);
        let dump = core.open().unwrap();
        assert_eq!(dump.segments[0].range.end, Avma(u64::MAX));
        assert!(dump.missing_bytes > u64::MAX / 2);
    }
}
