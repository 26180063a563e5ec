//! Sets of addresses.

/// Half-open ranges of addresses, sorted and disjoint once built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    parts: Vec<(u64, u64)>,
}

impl Ranges {
    /// The union of `parts`, each `[start, end)`.
    pub fn of(parts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut parts: Vec<_> = parts.into_iter().filter(|(start, end)| start < end).collect();
        parts.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (start, end) in parts {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self { parts: merged }
    }

    /// The parts that lie in `[start, end)`, cut to it.
    pub fn within(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
        let first = self.parts.partition_point(|(_, to)| *to <= start);
        let parts = self.parts.iter().skip(first).take_while(move |(from, _)| *from < end);
        parts.map(move |(from, to)| ((*from).max(start), (*to).min(end)))
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: u64) -> bool {
        let after = self.parts.partition_point(|(start, _)| *start <= at);
        after.checked_sub(1).and_then(|last| self.parts.get(last)).is_some_and(|part| at < part.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        let ranges = Ranges::of([(8, 9), (1, 3), (3, 5), (7, 7)]);
        assert_eq!(ranges.parts, [(1, 5), (8, 9)]);
        assert!(ranges.contains(4) && !ranges.contains(5) && ranges.contains(8));
        assert_eq!(ranges.within(4, 100).collect::<Vec<_>>(), [(4, 5), (8, 9)]);
    }
}
