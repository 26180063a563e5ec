//! The headers of a core (`fs/binfmt_elf.c`, `elf_core_dump`): ELF header, program headers,
//! notes, memory from the next page on, and one section header where segments are many.

use super::fields::Fields;
use super::image::Image;
use crate::proc::Mapping;

const ET_CORE: u64 = 4;
const EV_CURRENT: u64 = 1;
const PT_LOAD: u64 = 1;
const PT_NOTE: u64 = 4;
const EXECUTE: u64 = 1;
const WRITE: u64 = 2;
const READ: u64 = 4;
/// `e_phnum` when the number of segments is in `sh_info` of section 0 (gABI).
const PN_XNUM: u64 = 0xffff;
/// Notes are aligned so in cores of both classes.
const NOTE_ALIGNMENT: u64 = 4;

/// A mapping and how much of it is in the file.
#[derive(Debug)]
pub(super) struct Segment<'m> {
    pub(super) mapping: &'m Mapping,
    /// `p_offset`.
    pub(super) offset: u64,
    /// `p_filesz`.
    pub(super) length: u64,
}

/// Where everything lies.
#[derive(Debug)]
pub(super) struct Layout<'m> {
    /// All that comes before the memory.
    pub(super) head: Vec<u8>,
    pub(super) segments: Vec<Segment<'m>>,
    /// The section header behind the memory, if there is one.
    pub(super) tail: Vec<u8>,
    /// Where it lies: the end of the memory.
    pub(super) tail_offset: u64,
}

impl Layout<'_> {
    /// Bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.tail_offset.saturating_add(self.tail.len() as u64)
    }
}

/// Sizes of headers.
struct Sizes {
    header: u64,
    segment: u64,
    section: u64,
}

/// The layout of a core with these `notes` and with the first `dumped` bytes of each mapping;
/// memory begins at a multiple of `page`. `None` if an offset does not fit 64 bits.
pub(super) fn of<'m>(
    image: &Image,
    notes: &[u8],
    memory: &[(&'m Mapping, u64)],
    page: u64,
) -> Option<Layout<'m>> {
    let sizes = match image.encoding.is_64 {
        true => Sizes { header: 64, segment: 56, section: 64 },
        false => Sizes { header: 52, segment: 32, section: 40 },
    };
    let count = (memory.len() as u64).checked_add(1)?;
    let notes_at = sizes.segment.checked_mul(count)?.checked_add(sizes.header)?;
    let mut offset = notes_at.checked_add(notes.len() as u64)?.checked_next_multiple_of(page)?;
    let mut segments = Vec::with_capacity(memory.len());
    for (mapping, length) in memory {
        segments.push(Segment { mapping, offset, length: *length });
        offset = offset.checked_add(*length)?;
    }
    let has_section = count >= PN_XNUM;
    let mut head = header(image, &sizes, count, has_section.then_some(offset));
    let notes_segment = ProgramHeader {
        kind: PT_NOTE,
        flags: 0,
        offset: notes_at,
        address: 0,
        lengths: (notes.len() as u64, 0),
        alignment: NOTE_ALIGNMENT,
    };
    head.extend(notes_segment.bytes(image, &sizes));
    for segment in &segments {
        head.extend(ProgramHeader::of(segment, page).bytes(image, &sizes));
    }
    head.extend(notes);
    let tail = if has_section { section(image, &sizes, count) } else { Vec::new() };
    Some(Layout { head, segments, tail, tail_offset: offset })
}

fn header(image: &Image, sizes: &Sizes, count: u64, section_at: Option<u64>) -> Vec<u8> {
    let word = image.encoding.word();
    let mut fields = Fields::new(usize::try_from(sizes.header).unwrap_or(64), image.encoding);
    let class = if image.encoding.is_64 { 2 } else { 1 };
    let order = if image.encoding.little_endian { 1 } else { 2 };
    fields.put_bytes(0, &[0x7f, b'E', b'L', b'F', class, order, 1]);
    fields.put(16, 2, ET_CORE);
    fields.put(18, 2, u64::from(image.number));
    fields.put(20, 4, EV_CURRENT);
    // `e_entry`, `e_phoff`, `e_shoff`, then `e_flags` and numbers of 16 bits.
    fields.word(24_usize.saturating_add(word), sizes.header);
    fields.word(24_usize.saturating_add(word.saturating_mul(2)), section_at.unwrap_or(0));
    let behind = 24_usize.saturating_add(word.saturating_mul(3));
    let mut put = |at: usize, size: usize, value: u64| {
        fields.put(behind.saturating_add(at), size, value);
    };
    put(0, 4, u64::from(image.flags));
    put(4, 2, sizes.header);
    put(6, 2, sizes.segment);
    put(8, 2, count.min(PN_XNUM));
    if section_at.is_some() {
        put(10, 2, sizes.section);
        put(12, 2, 1);
    }
    fields.into_bytes()
}

/// Section 0, which holds the number of segments (`fill_extnum_info`).
fn section(image: &Image, sizes: &Sizes, count: u64) -> Vec<u8> {
    let word = image.encoding.word();
    let mut fields = Fields::new(usize::try_from(sizes.section).unwrap_or(64), image.encoding);
    // `sh_name`, `sh_type`, four words: the last of them is `sh_size`; `sh_link`, `sh_info`.
    fields.word(8_usize.saturating_add(word.saturating_mul(3)), 1);
    fields.put(12_usize.saturating_add(word.saturating_mul(4)), 4, count);
    fields.into_bytes()
}

struct ProgramHeader {
    kind: u64,
    flags: u64,
    offset: u64,
    address: u64,
    /// In the file and in memory.
    lengths: (u64, u64),
    alignment: u64,
}

impl ProgramHeader {
    fn of(segment: &Segment<'_>, page: u64) -> Self {
        let mapping = segment.mapping;
        let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
        Self {
            kind: PT_LOAD,
            flags: flag(mapping.readable, READ)
                | flag(mapping.writable, WRITE)
                | flag(mapping.executable, EXECUTE),
            offset: segment.offset,
            address: mapping.range.start,
            lengths: (segment.length, mapping.length()),
            alignment: page,
        }
    }

    fn bytes(&self, image: &Image, sizes: &Sizes) -> Vec<u8> {
        let word = image.encoding.word();
        let mut fields = Fields::new(usize::try_from(sizes.segment).unwrap_or(56), image.encoding);
        fields.put(0, 4, self.kind);
        // `p_flags` is the second field in 64 bits and the last but one in 32.
        let (flags, words) = if image.encoding.is_64 { (4, 8_usize) } else { (24, 4) };
        fields.put(flags, 4, self.flags);
        let values = [self.offset, self.address, 0, self.lengths.0, self.lengths.1];
        for (nth, value) in values.into_iter().enumerate() {
            fields.word(words.saturating_add(nth.saturating_mul(word)), value);
        }
        let last = usize::try_from(sizes.segment).unwrap_or(56).saturating_sub(word);
        fields.word(last, self.alignment);
        fields.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use obit_corefile::arch::Machine;
    use obit_corefile::elf::{Encoding, FileHeader, SegmentKind};

    use super::*;

    const PAGE: u64 = 4096;

    fn image(machine: Machine, number: u16, is_64: bool) -> Image {
        let encoding = Encoding { is_64, little_endian: true };
        Image { encoding, number, flags: 0, facts: machine.facts().unwrap() }
    }

    fn mapping() -> Mapping {
        let range = 0x1000..0x3000;
        Mapping { range, readable: true, executable: true, ..Mapping::default() }
    }

    #[test]
    fn a_reader_finds_the_notes_and_the_memory_in_cores_of_both_classes() {
        for image in [image(Machine::X86_64, 62, true), image(Machine::I386, 3, false)] {
            let mapping = mapping();
            let layout = of(&image, b"note", &[(&mapping, PAGE)], PAGE).unwrap();
            let header = FileHeader::parse(&layout.head).unwrap();
            assert_eq!((header.encoding, header.e_machine), (image.encoding, image.number));
            let table = usize::try_from(header.segments_offset).unwrap();
            let segments = header.parse_segments(&layout.head[table..], 2);
            let [notes, load] = &segments[..] else { panic!("{segments:?}") };
            assert_eq!((notes.kind, load.kind), (SegmentKind::Note, SegmentKind::Load));
            assert_eq!((load.offset, load.file_size, load.mem_size), (PAGE, PAGE, 2 * PAGE));
            assert_eq!((load.flags, load.align, layout.length()), (5, PAGE, 2 * PAGE));
        }
    }

    #[test]
    fn segments_past_65534_are_counted_in_section_0() {
        let mapping = mapping();
        let memory = vec![(&mapping, 0); 0xffff];
        let image = image(Machine::X86_64, 62, true);
        let layout = of(&image, b"", &memory, PAGE).unwrap();
        let header = FileHeader::parse(&layout.head).unwrap();
        assert!(header.has_extended_count());
        assert_eq!(header.sections_offset, layout.tail_offset);
        assert_eq!(header.section_info(&layout.tail), Some(0x1_0000));
        let fewer = of(&image, b"", &memory[..0xfffd], PAGE).unwrap();
        assert_eq!((fewer.tail.len(), &fewer.head[56..58]), (0, &[0xfe, 0xff][..]));
    }
}
