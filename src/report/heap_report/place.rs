//! What is at an address, and which words point there.

use super::{Read, words};
use crate::report::BuildOptions;
use crate::report::printed::Judge;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_heap::{Pointer, owner_of, pointers_to};
use obit_process::process::Process;
use obit_redact::{Level, Redactor, Shown};
use obit_report::Hex;
use obit_report::heap::{HitReport, PlaceReport, PointerReport};

/// What is at `at`; with `most`, so many words that point there.
pub fn place(
    process: &Process,
    options: &BuildOptions,
    at: Avma,
    most: Option<usize>,
) -> PlaceReport {
    let mut judge = Judge::new(process, &[], options);
    place_of(process, Read::of(process).as_ref(), (at, most), options.redaction, &mut judge)
}

/// The same, where the heap was read before.
pub(crate) fn place_of(
    process: &Process,
    read: Option<&Read>,
    (at, most): (Avma, Option<usize>),
    level: Level,
    judge: &mut Judge<'_>,
) -> PlaceReport {
    let what = judge.address(at);
    let redactor = judge.redactor();
    let is_mapped = process.memory.region_at(at).is_some();
    let mut report =
        PlaceReport { address: Hex(redactor.show_word(at.0)), what, ..PlaceReport::default() };
    let mut target = AvmaRange { start: at, end: Avma(at.0.saturating_add(1)) };
    if let Some(read) = read {
        report.notices = words::notices(&read.census, &read.reach, &read.roots);
        let blocks = &read.census.blocks;
        if let Some(index) = blocks.index_at(at.0)
            && let Some(block) = blocks.get(index)
        {
            target = AvmaRange::from_len(block.start, block.room);
            report.block = read.block(index, redactor);
            report.offset = Some(at.0.saturating_sub(block.start.0));
            let before = index.checked_sub(1);
            report.previous = before.and_then(|index| read.block(index, redactor));
            report.next = index.checked_add(1).and_then(|index| read.block(index, redactor));
            if block.state.is_live() {
                report.reachable = Some(read.reach.is_reached(index));
                report.path = way(process, read, index, redactor);
            }
        }
    }
    // A search for the number that an address is would say what is hidden.
    let is_hidden = !is_mapped && level != Level::Off;
    if !is_mapped {
        let text = match (most, is_hidden) {
            (Some(_), true) => {
                "nothing is mapped at this address; a number is searched for only with `--redact off`"
            }
            _ => "nothing is mapped at this address",
        };
        report.notices.push(Shown::own(text));
    }
    if let Some(most) = most.filter(|_| !is_hidden) {
        let (found, more) = pointers_to(process, target, most);
        report.omitted = more;
        for pointer in found {
            report.pointers.push(described(process, read, pointer, target, redactor));
        }
    }
    report
}

fn described(
    process: &Process,
    read: Option<&Read>,
    pointer: Pointer,
    target: AvmaRange,
    redactor: &mut Redactor,
) -> PointerReport {
    let offset = pointer.value.saturating_sub(target.start.0);
    match (pointer.at, pointer.tid) {
        (Some(at), _) => {
            let HitReport { address, region, owner, path } = hit(process, read, at, redactor);
            PointerReport { at: Some(address), offset, region, owner, path }
        }
        (None, tid) => PointerReport {
            at: None,
            offset,
            region: "register".to_owned(),
            owner: tid.map(|tid| Shown::from_report(format!("thread {tid}"))),
            path: Vec::new(),
        },
    }
}

/// Whose memory a place is in, and the way there.
pub(crate) fn hit(
    process: &Process,
    read: Option<&Read>,
    at: Avma,
    redactor: &mut Redactor,
) -> HitReport {
    let owner = owner_of(process, read.map(|read| &read.census), at);
    let type_of = |index: usize, redactor: &mut Redactor| read?.type_name(index, redactor);
    let (region, text) = words::owner(process, &owner, type_of, redactor);
    let path = match (&owner, read) {
        (obit_heap::Owner::Block { index, state, .. }, Some(read)) if state.is_live() => {
            way(process, read, *index, redactor)
        }
        _ => Vec::new(),
    };
    HitReport {
        address: Hex(redactor.show_word(at.0)),
        region: region.to_owned(),
        owner: text,
        path,
    }
}

/// The way from a root to a block.
fn way(process: &Process, read: &Read, index: usize, redactor: &mut Redactor) -> Vec<Shown> {
    let way = read.way(index);
    way.map(|way| words::way(process, &way, redactor)).unwrap_or_default()
}
