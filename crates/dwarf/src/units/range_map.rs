//! From addresses to whatever claims them first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Half-open ranges of addresses with a value each, made disjoint: where ranges overlap,
/// the one with the smallest value has the address. gdb decides the same way: the block
/// that was finished first keeps what later ones also claim.
#[derive(Clone, Debug, Default)]
pub(crate) struct RangeMap {
    segments: Vec<(u64, u64, u32)>,
}

impl RangeMap {
    /// Of `(start, end, value)`; empty ranges are dropped.
    pub(crate) fn new(mut ranges: Vec<(u64, u64, u32)>) -> Self {
        ranges.retain(|(start, end, _)| start < end);
        ranges.sort_unstable();
        let disjoint = ranges.windows(2).all(|pair| match pair {
            [(_, end, _), (start, _, _)] => end <= start,
            _ => true,
        });
        if disjoint {
            return Self { segments: ranges };
        }
        let mut edges: Vec<u64> = ranges.iter().flat_map(|range| [range.0, range.1]).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut segments: Vec<(u64, u64, u32)> = Vec::new();
        let mut open: BinaryHeap<Reverse<(u32, u64)>> = BinaryHeap::new();
        let mut waiting = ranges.into_iter().peekable();
        for edge in edges.windows(2) {
            let [from, to] = *edge else { continue };
            while let Some((_, end, value)) = waiting.next_if(|range| range.0 <= from) {
                open.push(Reverse((value, end)));
            }
            while open.peek().is_some_and(|Reverse((_, end))| *end <= from) {
                open.pop();
            }
            let Some(Reverse((value, _))) = open.peek() else { continue };
            match segments.last_mut() {
                Some(last) if last.1 == from && last.2 == *value => last.1 = to,
                _ => segments.push((from, to, *value)),
            }
        }
        Self { segments }
    }

    /// The value whose range holds `at`.
    pub(crate) fn find(&self, at: u64) -> Option<u32> {
        let after = self.segments.partition_point(|segment| segment.0 <= at);
        let (_, end, value) = self.segments.get(after.checked_sub(1)?)?;
        (at < *end).then_some(*value)
    }

    /// The disjoint ranges, in order of address.
    pub(crate) fn segments(&self) -> &[(u64, u64, u32)] {
        &self.segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_value_has_what_both_claim() {
        let map = RangeMap::new(vec![(0, 100, 9), (10, 20, 1), (15, 30, 5), (90, 110, 2)]);
        let at = |address| map.find(address);
        assert_eq!([at(5), at(12), at(17), at(25), at(40)], [9, 1, 1, 5, 9].map(Some));
        assert_eq!([at(95), at(105), at(110)], [Some(2), Some(2), None]);
    }

    #[test]
    fn the_same_range_claimed_twice_belongs_to_the_first() {
        let map = RangeMap::new(vec![(1, 2, 7), (1, 2, 3), (2, 2, 0), (5, 4, 0)]);
        assert_eq!(map.segments(), &[(1, 2, 3)]);
    }
}
