//! How alike stacks are.
//!
//! A function weighs the more the nearer it is to the fault and the fewer kinds of crashes
//! of the image have it. Two stacks share what the lighter of each function weighs: the
//! weighted Jaccard index. It does not ask at which place a function is, so a function
//! that one compiler inlined without a key costs no more than its own weight and what
//! the others moved.

/// A function two places further out weighs about a third: exp(-0.5) for each.
const DECAY: f64 = 0.5;

/// What the functions of some stacks weigh on average.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Profile {
    /// By function.
    weights: Vec<(u32, f64)>,
}

impl Profile {
    /// Of these stacks, innermost function first, where `rarity` knows each function.
    pub(super) fn of<'s>(
        stacks: impl Iterator<Item = &'s [u32]>,
        rarity: &dyn Fn(u32) -> f64,
    ) -> Self {
        let mut all: Vec<(u32, f64)> = Vec::new();
        let mut count = 0.0;
        for stack in stacks {
            count += 1.0;
            let mut near = 1.0;
            let from = all.len();
            for function in stack {
                // The innermost call of a function that is there twice counts.
                if !all.iter().skip(from).any(|(seen, _)| seen == function) {
                    all.push((*function, near * rarity(*function)));
                }
                near *= f64::exp(-DECAY);
            }
        }
        all.sort_by_key(|(function, _)| *function);
        let mut weights: Vec<(u32, f64)> = Vec::new();
        for (function, weight) in all {
            match weights.last_mut() {
                Some((last, sum)) if *last == function => *sum += weight / count,
                _ => weights.push((function, weight / count)),
            }
        }
        Self { weights }
    }

    /// From 0, nothing in common, to 1.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        let (mut shared, mut all) = (0.0, 0.0);
        let mut ours = self.weights.iter().peekable();
        let mut theirs = other.weights.iter().peekable();
        loop {
            match (ours.peek(), theirs.peek()) {
                (Some((f, weight)), Some((g, other))) if f == g => {
                    shared += weight.min(*other);
                    all += weight.max(*other);
                    ours.next();
                    theirs.next();
                }
                (Some((f, weight)), theirs) if theirs.is_none_or(|(g, _)| f < g) => {
                    all += weight;
                    ours.next();
                }
                (_, Some((_, weight))) => {
                    all += weight;
                    theirs.next();
                }
                (_, None) => break,
            }
        }
        if all > 0.0 { shared / all } else { 0.0 }
    }
}

/// What a function of `having` of `all` kinds of crashes weighs at the fault.
pub(super) fn rarity(having: usize, all: usize) -> f64 {
    (1.0 + all.max(1) as f64 / having.max(1) as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(one: &[u32], other: &[u32]) -> f64 {
        let profile = |stack: &[u32]| Profile::of(std::iter::once(stack), &|_| 1.0);
        profile(one).likeness(&profile(other))
    }

    #[test]
    fn the_same_stacks_are_wholly_alike_and_others_not_at_all() {
        assert_eq!(likeness(&[1, 2, 3], &[1, 2, 3]), 1.0);
        assert_eq!(likeness(&[1, 2, 3], &[4, 5, 6]), 0.0);
        assert_eq!(likeness(&[], &[]), 0.0);
        assert_eq!(likeness(&[], &[1]), 0.0);
    }

    #[test]
    fn what_is_near_the_fault_counts_most() {
        let outer = likeness(&[1, 2, 3, 4], &[1, 2, 3, 5]);
        let inner = likeness(&[1, 2, 3, 4], &[5, 2, 3, 4]);
        assert!(outer > 0.75 && inner < 0.45, "{outer} {inner}");
    }

    #[test]
    fn a_function_that_is_lost_moves_the_others_only_a_little() {
        let lost = likeness(&[1, 2, 3, 4, 5], &[1, 3, 4, 5]);
        assert!(lost > 0.6, "{lost}");
        assert_eq!(lost, likeness(&[1, 3, 4, 5], &[1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_function_that_everyone_has_says_little() {
        let common = |function: u32| if function == 1 { rarity(50, 50) } else { rarity(1, 50) };
        let profile = |stack: &[u32]| Profile::of(std::iter::once(stack), &common);
        let shares_common = profile(&[1, 2]).likeness(&profile(&[1, 3]));
        assert!(shares_common < 0.2, "{shares_common}");
        assert!(rarity(0, 0) > 0.0);
    }

    #[test]
    fn several_stacks_are_their_average() {
        let both: [&[u32]; 2] = [&[1, 2], &[1, 3]];
        let both = Profile::of(both.into_iter(), &|_| 1.0);
        let one = Profile::of(std::iter::once(&[1_u32, 2][..]), &|_| 1.0);
        assert!(both.likeness(&one) > 0.6 && both.likeness(&one) < 1.0);
    }
}
