//! The program that the user gave, placed where the auxiliary vector says, for cores whose tables
//! do not say where the program was.

use std::sync::Arc;

use obit_corefile::addr::{Avma, AvmaRange, LoadBias, Svma};
use obit_corefile::dump::{AuxKind, Dump};
use obit_corefile::elf::{ElfImage, SegmentKind};
use obit_corefile::memory::AddressSpace;
use obit_dwarf::locate::{Locator, Role};

use super::ModuleKind;
use super::discover::{Candidate, PAGE};

/// `e_type` of a program linked for one address.
const ET_EXEC: u16 = 2;

/// The candidate that the given program is, if there is one and its place is known.
pub(super) fn candidate(
    dump: &Dump,
    memory: &AddressSpace,
    locator: &Locator,
) -> Option<Candidate> {
    let path = locator.given_executable()?;
    let image = locator.image(path, None, Role::Executable).image?;
    let bias = bias(dump, &image)?;
    if !is_code_there(dump, memory, &image, bias) {
        return None;
    }
    let loads = || image.segments().iter().filter(|s| s.kind == SegmentKind::Load);
    let page_down = |value: u64| value & !(PAGE - 1);
    let page_up = |value: u64| page_down(value.saturating_add(PAGE - 1));
    let mapped = loads().map(|segment| {
        let start = Svma(page_down(segment.vaddr.0));
        let end = Svma(page_up(segment.vaddr.0.saturating_add(segment.file_size)));
        let range = AvmaRange { start: bias.to_avma(start), end: bias.to_avma(end) };
        (range, page_down(segment.offset))
    });
    let base = loads().map(|segment| page_down(segment.vaddr.0)).min()?;
    Some(Candidate {
        path: path.to_owned(),
        base: bias.to_avma(Svma(base)),
        mapped: mapped.filter(|(range, _)| range.start < range.end).collect(),
        head: None,
        build_id: None,
        package: None,
        kind: ModuleKind::Executable,
        link_bias: Some(bias),
    })
}

/// Whether the core agrees that code of the image was there: a thread executed it, or its place is
/// in the auxiliary vector; and no mapping without code is there.
fn is_code_there(dump: &Dump, memory: &AddressSpace, image: &ElfImage, bias: LoadBias) -> bool {
    let loads = image.segments().iter().filter(|s| s.kind == SegmentKind::Load);
    let code: Vec<AvmaRange> = loads
        .filter(|segment| segment.is_executable())
        .map(|segment| AvmaRange::from_len(bias.to_avma(segment.vaddr), segment.file_size))
        .collect();
    let holds = |at: Avma| code.iter().any(|range| range.contains(at));
    let pc = dump.machine.facts().map(|facts| facts.pc);
    let mut pcs = dump.threads.iter().filter_map(|thread| thread.registers.get(pc?)).map(Avma);
    let entry = dump.auxv.get(AuxKind::Entry).map(Avma);
    let is_other = |range: &AvmaRange| {
        memory.region_at(range.start).is_some_and(|region| !region.permissions.execute)
    };
    (entry.is_some_and(holds) || pcs.any(holds)) && !code.iter().any(is_other)
}

/// Where the image was: its program headers are at AT_PHDR, its entry at AT_ENTRY.
fn bias(dump: &Dump, image: &Arc<ElfImage>) -> Option<LoadBias> {
    if image.header().e_type == ET_EXEC {
        return Some(LoadBias(0));
    }
    let address = |kind| dump.auxv.get(kind).filter(|value| *value != 0).map(Avma);
    let table = image.header().segments_offset;
    let mut loads = image.segments().iter().filter(|s| s.kind == SegmentKind::Load);
    let headers = loads.find(|segment| {
        table.checked_sub(segment.offset).is_some_and(|into| into < segment.file_size)
    });
    let headers = headers
        .map(|segment| Svma(segment.vaddr.0.wrapping_add(table.wrapping_sub(segment.offset))));
    let by_headers = address(AuxKind::Phdr).zip(headers);
    let by_entry = address(AuxKind::Entry).map(|at| (at, image.header().entry));
    let biases = [by_headers, by_entry].into_iter().flatten();
    biases.map(|(at, svma)| LoadBias::between(at, svma)).find(|bias| bias.0 & (PAGE - 1) == 0)
}
