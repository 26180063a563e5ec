//! Deadlock cycles: threads of which each waits for the next.

/// All cycles, given for each thread the one it waits for. Each begins with its first
/// thread; no thread is in two.
pub(super) fn cycles(next: &[Option<usize>]) -> Vec<Vec<usize>> {
    // In which walk a thread was first seen.
    let mut seen_in: Vec<Option<usize>> = vec![None; next.len()];
    let mut found = Vec::new();
    for start in 0..next.len() {
        let mut at = start;
        let mut walk = Vec::new();
        while let Some(seen) = seen_in.get_mut(at).filter(|seen| seen.is_none()) {
            *seen = Some(start);
            walk.push(at);
            match next.get(at) {
                Some(Some(further)) => at = *further,
                _ => break,
            }
        }
        let is_waiting = walk.last().is_some_and(|last| next.get(*last) == Some(&Some(at)));
        let begin = walk.iter().position(|thread| *thread == at).filter(|_| is_waiting);
        if let Some(mut cycle) = begin.map(|begin| walk.split_off(begin)) {
            let first = cycle.iter().enumerate().min_by_key(|(_, thread)| **thread);
            let first = first.map_or(0, |(position, _)| position);
            cycle.rotate_left(first);
            found.push(cycle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::cycles;

    #[test]
    fn without_a_waiter_there_is_no_cycle() {
        assert!(cycles(&[]).is_empty());
        assert!(cycles(&[None, None]).is_empty());
        assert!(cycles(&[Some(1), Some(2), None]).is_empty());
    }

    #[test]
    fn a_thread_that_waits_for_itself_is_a_cycle_of_one() {
        assert_eq!(cycles(&[None, Some(1)]), [[1]]);
    }

    #[test]
    fn two_or_three_threads_make_a_cycle_that_begins_with_the_first() {
        assert_eq!(cycles(&[Some(1), Some(0)]), [[0, 1]]);
        assert_eq!(cycles(&[None, Some(3), Some(1), Some(2)]), [[1, 3, 2]]);
    }

    #[test]
    fn a_waiter_for_a_cycle_is_not_in_it() {
        assert_eq!(cycles(&[Some(3), Some(0), Some(3), Some(2)]), [[2, 3]]);
        assert_eq!(cycles(&[Some(1), Some(2), Some(1), Some(0)]), [[1, 2]]);
    }

    #[test]
    fn two_cycles_are_two() {
        assert_eq!(cycles(&[Some(1), Some(0), Some(3), Some(2)]), [[0, 1], [2, 3]]);
    }

    #[test]
    fn a_wait_for_a_thread_that_is_not_there_ends() {
        assert!(cycles(&[Some(9)]).is_empty());
    }
}
