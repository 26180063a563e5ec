//! Spans (`span.h`) and the map from pages to them (`pagemap.h`), whose root is a variable.

use std::collections::HashSet;

use crate::evidence::{self, AtOdds};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// Bits of an address within a page.
pub(super) const PAGE_BITS: u32 = 13;
const LEAF_BITS: u32 = 18;
const LEAF_BYTES: u64 = 8 << LEAF_BITS;
const ROOT_ENTRIES: u64 = 1 << 17;
const ROOT_BYTES: u64 = ROOT_ENTRIES * 8;
/// Words of variables that are tried as entries of the root.
const MOST_TRIED: usize = 1 << 10;
const AT_ONCE: u64 = 1 << 16;

const NO_SPAN: &str = "the map of pages and the record of a span disagree";
const TOO_MANY: &str = "the map of pages has more leaves than there is memory";

/// Pages in sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) record: u64,
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) pages: u64,
    /// The first of its free objects that are in no cache.
    pub(super) objects: u64,
    /// Objects that are not free, or in a cache.
    pub(super) used: u64,
    pub(super) class: usize,
    /// 0 in use, 1 freed, 2 returned to the kernel.
    pub(super) location: u64,
}

impl Span {
    fn read(cursor: &mut Cursor<'_>, record: u64) -> Option<Self> {
        if record == 0 || !record.is_multiple_of(8) {
            return None;
        }
        let mut word = |at: u64| cursor.read_word(Avma(record.checked_add(at)?)).ok();
        let (page, pages, objects, bits) = (word(0)?, word(8)?, word(32)?, word(40)?);
        if page == 0 || page >> 35 != 0 || pages == 0 || pages >> 35 != 0 {
            return None;
        }
        Some(Self {
            record,
            start: page << PAGE_BITS,
            size: pages << PAGE_BITS,
            pages,
            objects,
            used: bits & 0xffff,
            class: (bits >> 16 & 0xff) as usize,
            location: bits >> 24 & 3,
        })
    }

    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }
}

/// The root of the map, among the variables of a module.
pub(super) fn root(process: &Process, variables: &[AvmaRange]) -> Option<u64> {
    let mut cursor = process.memory.cursor();
    let mut tried = 0;
    for range in variables.iter().filter(|range| range.len() >= ROOT_BYTES) {
        for (child, at) in
            evidence::words(process, *range).into_iter().zip((range.start.0..).step_by(8))
        {
            let is_data = |region: &obit_corefile::memory::Region| {
                region.permissions.write && region.name.is_none()
            };
            let end = child.checked_add(LEAF_BYTES - 1);
            let may_be = child != 0
                && child.is_multiple_of(8)
                && !range.contains(Avma(child))
                && process.memory.region_at(Avma(child)).is_some_and(is_data)
                && end.is_some_and(|end| process.memory.region_at(Avma(end)).is_some_and(is_data));
            if !may_be {
                continue;
            }
            tried += 1;
            if tried > MOST_TRIED {
                return None;
            }
            let mut first = None;
            each(process, child, |number, record| {
                first = Some((number, record));
                false
            });
            let Some((number, record)) = first else { continue };
            let Some(span) = Span::read(&mut cursor, record) else { continue };
            let page = span.start >> PAGE_BITS;
            let Some(root) = at.checked_sub((page >> LEAF_BITS) * 8) else { continue };
            let is_it = page & ((1 << LEAF_BITS) - 1) == number
                && range.start.0 <= root
                && root.saturating_add(ROOT_BYTES) <= range.end.0;
            if is_it {
                return Some(root);
            }
        }
    }
    None
}

/// The entries of a leaf that are not empty, while they are wanted.
fn each(process: &Process, leaf: u64, mut take: impl FnMut(u64, u64) -> bool) {
    let mut done = 0;
    while done < LEAF_BYTES {
        let range = AvmaRange::from_len(Avma(leaf.saturating_add(done)), AT_ONCE);
        let words = evidence::words(process, range);
        let is_whole = words.len() as u64 * 8 == AT_ONCE;
        for (record, number) in words.into_iter().zip(done / 8..) {
            if record != 0 && !take(number, record) {
                return;
            }
        }
        if !is_whole {
            return;
        }
        done += AT_ONCE;
    }
}

/// All spans, by address.
pub(super) fn all(process: &Process, root: u64, odds: &mut AtOdds) -> Vec<Span> {
    let mut cursor = process.memory.cursor();
    let (mut found, mut seen): (Vec<Span>, _) = (Vec::new(), HashSet::new());
    let bytes: u64 = process.memory.regions().iter().map(|region| region.range.len()).sum();
    let most = bytes / LEAF_BYTES + 1;
    let entries = evidence::words(process, AvmaRange::from_len(Avma(root), ROOT_BYTES));
    for (leaf, number) in entries.into_iter().zip(0_u64..).filter(|(leaf, _)| *leaf != 0) {
        if seen.len() as u64 >= most || !seen.insert(leaf) {
            odds.add(TOO_MANY, leaf);
            continue;
        }
        each(process, leaf, |low, record| {
            let at = (number << LEAF_BITS | low) << PAGE_BITS;
            // Entries within free pages are what they were.
            if found.last().is_some_and(|last| at < last.end()) {
                return true;
            }
            let mapped = |at: u64| process.memory.region_at(Avma(at)).is_some();
            match Span::read(&mut cursor, record) {
                Some(span) if span.start == at && mapped(at) && mapped(span.end() - 1) => {
                    found.push(span);
                }
                _ => odds.add(NO_SPAN, at),
            }
            true
        });
    }
    found
}
