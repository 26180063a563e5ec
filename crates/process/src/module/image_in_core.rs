//! An image put together from the memory of the process: the vDSO, and files that no longer
//! exist but whose code is in the core.

use obit_corefile::addr::LoadBias;
use obit_corefile::elf::{ElfImage, ImageBytes, SegmentKind};
use obit_corefile::limits::Limits;
use obit_corefile::memory::AddressSpace;

/// Largest image that is copied, bytes.
const LARGEST: u64 = 256 << 20;
/// Largest section header table behind an image's segments, bytes.
const LARGEST_TABLE: u64 = 1 << 20;
/// Bytes of all images of one process that are copied: in a hostile core all modules may
/// lie over the same bytes.
pub(super) const MOST: u64 = 512 << 20;

/// Copies the loaded segments of `head` out of memory, laid out as in the file. `None`
/// unless all bytes of an executable segment are there: without its code an image is no more
/// useful than its head. The bytes copied are taken from `left`.
pub(super) fn copy(
    head: &ElfImage,
    bias: LoadBias,
    memory: &AddressSpace,
    limits: &Limits,
    left: &mut u64,
) -> Option<ElfImage> {
    let loads = || head.segments().iter().filter(|segment| segment.kind == SegmentKind::Load);
    let size = loads().map(|s| s.offset.saturating_add(s.file_size)).max()?;
    let code = loads().find(|segment| segment.is_executable())?;
    if size > LARGEST.min(*left) || !is_present(bias.to_avma(code.vaddr), code.file_size, memory) {
        return None;
    }
    *left = left.saturating_sub(size);
    let mut bytes = vec![0_u8; usize::try_from(size).ok()?];
    for segment in loads() {
        let start = usize::try_from(segment.offset).ok()?;
        let end = start.checked_add(usize::try_from(segment.file_size).ok()?)?;
        memory.read_prefix(bias.to_avma(segment.vaddr), bytes.get_mut(start..end)?);
    }
    // Section headers follow the segments in the file and are mapped for the vDSO alone.
    let table_end = head.header().sections_offset.saturating_add(
        u64::from(head.header().sections_count).saturating_mul(head.header().section_size() as u64),
    );
    if let Some(first) = loads().next()
        && first.offset == 0
        && table_end > size
        && table_end <= size.saturating_add(LARGEST_TABLE)
    {
        let mut whole =
            memory.read_up_to(bias.to_avma(first.vaddr), usize::try_from(table_end).ok()?);
        if whole.len() as u64 == table_end {
            std::mem::swap(&mut whole, &mut bytes);
        }
    }
    ElfImage::parse(ImageBytes::Memory(bytes), limits).ok()
}

fn is_present(start: obit_corefile::addr::Avma, size: u64, memory: &AddressSpace) -> bool {
    let last = start.checked_add(size.saturating_sub(1));
    let mut byte = [0];
    size > 0
        && memory.read(start, &mut byte).is_ok()
        && last.is_some_and(|last| memory.read(last, &mut byte).is_ok())
}
