//! Whether a file is laid out as the image that the process had.

use obit_corefile::elf::{ElfImage, Segment, SegmentKind};

use super::discover::{Candidate, PAGE};

/// Bytes of the largest page that an ELF image is mapped by (aarch64, ppc64).
const LARGEST_PAGE: u64 = 64 << 10;

/// Whether the file may be the one that was mapped. Where neither the core nor the file has
/// a build ID, its headers or else its extent distinguish builds that lie at the same path one
/// after the other.
pub(super) fn may_be_same(candidate: &Candidate, file: &ElfImage) -> bool {
    match &candidate.head {
        Some(head) => has_same_headers(head, file),
        None => has_same_code_extent(candidate, file),
    }
}

fn loads(image: &ElfImage) -> impl Iterator<Item = &Segment> {
    image.segments().iter().filter(|segment| segment.kind == SegmentKind::Load)
}

/// What stripping leaves as it is: the entry point and the loaded segments.
fn has_same_headers(head: &ElfImage, file: &ElfImage) -> bool {
    let of = |segment: &Segment| {
        let Segment { flags, offset, vaddr, file_size, mem_size, .. } = *segment;
        (flags, offset, vaddr, file_size, mem_size)
    };
    let (one, other) = (head.header(), file.header());
    (one.e_type, one.e_machine, one.entry) == (other.e_type, other.e_machine, other.entry)
        && loads(head).map(of).eq(loads(file).map(of))
}

/// Each executable segment of the file is mapped from its first page to its last.
fn has_same_code_extent(candidate: &Candidate, file: &ElfImage) -> bool {
    if candidate.mapped.is_empty() {
        return true;
    }
    let page_up = |value: u64| value.checked_next_multiple_of(PAGE).unwrap_or(u64::MAX);
    loads(file).filter(|segment| segment.is_executable()).all(|segment| {
        let start = segment.offset & !(PAGE - 1);
        let end = page_up(segment.offset.saturating_add(segment.file_size));
        candidate.mapped.iter().any(|(range, offset)| {
            let mapped_end = offset.saturating_add(range.end.0.saturating_sub(range.start.0));
            // Segments of equal rights beside each other are one mapping, and pages may be larger.
            let is_near = start.saturating_sub(*offset) < LARGEST_PAGE;
            *offset <= start && mapped_end >= end && (is_near || mapped_end == end)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use obit_corefile::addr::{Avma, AvmaRange};
    use obit_corefile::elf::ImageBytes;
    use obit_corefile::limits::Limits;
    use obit_corefile::testkit::elf_builder::ElfBuilder;

    use super::*;
    use crate::module::ModuleKind;

    fn image(code: &[u8]) -> ElfImage {
        let bytes = ElfBuilder::x86_64().text(code).build();
        ElfImage::parse(ImageBytes::Memory(bytes), &Limits::default()).unwrap()
    }

    fn candidate(head: Option<ElfImage>, mapped: Vec<(AvmaRange, u64)>) -> Candidate {
        Candidate {
            path: PathBuf::from("/opt/app"),
            base: Avma(0x1000),
            mapped,
            head,
            build_id: None,
            package: None,
            kind: ModuleKind::Executable,
            link_bias: None,
        }
    }

    #[test]
    fn a_file_whose_segments_are_others_is_another_build() {
        let of = |code: &[u8]| candidate(Some(image(code)), Vec::new());
        assert!(may_be_same(&of(&[0x90; 64]), &image(&[0x90; 64])));
        assert!(may_be_same(&of(&[0x90; 64]), &image(&[0xcc; 64])), "the layout is the same");
        assert!(!may_be_same(&of(&[0x90; 80]), &image(&[0x90; 64])));
    }

    #[test]
    fn without_headers_in_the_core_the_extent_of_the_code_decides() {
        let file = image(&[0x90; 0x2100]);
        let code = loads(&file).find(|segment| segment.is_executable()).unwrap();
        let start = code.offset & !(PAGE - 1);
        let mapped = |pages: u64| {
            let range = AvmaRange { start: Avma(0x10_0000), end: Avma(0x10_0000 + pages * PAGE) };
            may_be_same(&candidate(None, vec![(range, start)]), &file)
        };
        let pages = (code.offset + code.file_size).div_ceil(PAGE) - start / PAGE;
        assert!(mapped(pages));
        assert!(!mapped(pages - 1));
        assert!(may_be_same(&candidate(None, Vec::new()), &file), "nothing is known");
    }
}
