//! The memory of jemalloc's own records (`base.h`): blocks of whole huge pages.

use std::collections::HashSet;

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;

const HUGE: u64 = 2 << 20;
/// Huge pages before a record in which its block may begin.
const MOST_BEFORE: u64 = 512;
/// Blocks of a chain.
const MOST_BLOCKS: usize = 1 << 16;

/// Blocks of records.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// By address.
    pub(super) blocks: Vec<AvmaRange>,
    /// Huge pages that are in none.
    without: HashSet<u64>,
}

impl Records {
    /// Finds the block that holds the record at `at`, and those behind it in its chain; whether
    /// there is one.
    pub(super) fn add(&mut self, cursor: &mut Cursor<'_>, at: u64) -> bool {
        if self.holds(at) {
            return true;
        }
        let page = at & !(HUGE - 1);
        if self.without.contains(&page) {
            return false;
        }
        let starts = (0..MOST_BEFORE).map_while(|back| page.checked_sub(back * HUGE));
        let found = starts.into_iter().find_map(|start| {
            let (range, next) = block(cursor, start)?;
            range.contains(Avma(at)).then_some((range, next))
        });
        let Some((mut range, mut next)) = found else {
            self.without.insert(page);
            return false;
        };
        while self.blocks.len() < MOST_BLOCKS && !self.holds(range.start.0) {
            let place = self.blocks.partition_point(|block| block.start < range.start);
            self.blocks.insert(place, range);
            match block(cursor, next) {
                Some(following) => (range, next) = following,
                None => break,
            }
        }
        true
    }

    fn holds(&self, at: u64) -> bool {
        let after = self.blocks.partition_point(|block| block.start.0 <= at);
        let before = after.checked_sub(1).and_then(|before| self.blocks.get(before));
        before.is_some_and(|block| block.contains(Avma(at)))
    }
}

/// A block, and the next one of its chain. Its header has the record of what is not used yet,
/// which ends where the block does.
fn block(cursor: &mut Cursor<'_>, start: u64) -> Option<(AvmaRange, u64)> {
    if start == 0 || !start.is_multiple_of(HUGE) {
        return None;
    }
    let mut word = |at: u64| cursor.read_word(Avma(start.checked_add(at)?)).ok();
    let (size, next) = (word(0)?, word(8)?);
    let (unused, bytes) = (word(24)?, word(32)?);
    let end = start.checked_add(size)?;
    let is_one = size > 0
        && size.is_multiple_of(HUGE)
        && next.is_multiple_of(HUGE)
        && unused >= start
        && unused.checked_add(bytes)? == end;
    is_one.then_some((AvmaRange { start: Avma(start), end: Avma(end) }, next))
}
