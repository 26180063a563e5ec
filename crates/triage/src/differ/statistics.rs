//! How much a share in a group differs from that in others, and how likely chance does that.

use crate::history::{Rate, p_of_more};

/// Of how many crashes something is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Crashes of which it is true.
    pub(super) count: u64,
    /// Crashes of which it is known whether it is.
    pub(super) known: u64,
}

/// How likely chance makes the share of the group as much larger (Fisher's exact test, one
/// side).
pub(super) fn p_value(group: Share, others: Share) -> f64 {
    let rate = |share: Share| Rate { count: share.count, dumps: share.known, exposure: None };
    p_of_more(rate(group), rate(others))
}

/// The odds in the group over those in the others. Half a crash is added to each of the four
/// numbers (Haldane, Anscombe), so none is 0.
pub(super) fn odds_ratio(group: Share, others: Share) -> f64 {
    let odds = |share: Share| {
        let without = share.known.saturating_sub(share.count);
        (share.count as f64 + 0.5) / (without as f64 + 0.5)
    };
    odds(group) / odds(others)
}

/// The smallest p-value that the numbers of both sides allow: of what all of the group and
/// none of the others have.
pub(super) fn least_p(group: u64, others: u64) -> f64 {
    p_value(Share { count: group, known: group }, Share { count: 0, known: others })
}

/// The q-value of each of `p`: the share of false discoveries among those that are at least as
/// unlikely (Benjamini and Hochberg, 1995).
pub(super) fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    let value = |at: usize| p.get(at).copied().unwrap_or(1.0);
    order.sort_by(|a, b| value(*b).total_cmp(&value(*a)));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (from_end, at) in order.into_iter().enumerate() {
        let rank = p.len().saturating_sub(from_end).max(1);
        least = least.min(value(at) * p.len() as f64 / rank as f64);
        if let Some(q) = q.get_mut(at) {
            *q = least;
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(count: u64, known: u64) -> Share {
        Share { count, known }
    }

    #[test]
    fn odds_are_finite_for_any_numbers() {
        assert!((odds_ratio(share(9, 9), share(2, 40)) - (9.5 / 0.5) / (2.5 / 38.5)).abs() < 1e-9);
        assert!(odds_ratio(share(0, 0), share(0, 0)).is_finite());
        assert!(odds_ratio(share(5, 5), share(0, 5)).is_finite());
    }

    #[test]
    fn few_crashes_cannot_show_much() {
        assert!((least_p(2, 1) - 1.0 / 3.0).abs() < 1e-9);
        assert!((least_p(3, 3) - 1.0 / 20.0).abs() < 1e-9);
        assert!(least_p(9, 40) < 1e-8);
    }

    #[test]
    fn q_values_are_those_of_a_published_example() {
        // Benjamini and Hochberg (1995), section 3.2: 15 tests, the first four at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let q = q_values(&p);
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
        assert!((q[0] - 0.0015).abs() < 1e-9 && (q[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-9);
        // They keep the order, whatever order the tests are in.
        let mut shuffled = p;
        shuffled.reverse();
        let mut reversed = q_values(&shuffled);
        reversed.reverse();
        assert_eq!(reversed, q);
        assert_eq!(q_values(&[]), Vec::<f64>::new());
    }
}
