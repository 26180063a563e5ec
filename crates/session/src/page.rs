//! A part of a long list.

/// A part of a list, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
    /// The place of the next item, if there are more.
    pub next: Option<u64>,
}

/// At most `most` of `all`, from number `from` on.
pub fn page<T>(all: Vec<T>, from: u64, most: u64) -> Page<T> {
    let total = all.len() as u64;
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    let take = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
    let items: Vec<T> = all.into_iter().skip(skip).take(take).collect();
    let end = from.saturating_add(items.len() as u64);
    let next = (end < total && !items.is_empty()).then_some(end);
    Page { items, total, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_hold_everything_once() {
        let (mut from, mut seen) = (0, Vec::new());
        loop {
            let page = page((0..10).collect(), from, 3);
            assert_eq!(page.total, 10);
            seen.extend(page.items);
            let Some(next) = page.next else { break };
            from = next;
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_eq!(page(vec![1], u64::MAX, 1), Page { items: vec![], total: 1, next: None });
        assert_eq!(page(vec![1, 2], 0, 0).items, [1]);
    }
}
