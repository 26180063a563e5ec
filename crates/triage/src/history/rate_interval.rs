//! Between which rates the true one probably is.

use super::trend::{ln_factorial, tail};

/// Of each end, the chance that a true rate there gives what was seen, or less likely things.
const TAIL: f64 = 0.025;
/// Halvings of the interval in which an end is looked for: more than a number has bits.
const HALVINGS: usize = 60;

/// The ends of the exact 95 % interval (Garwood, 1936) of the mean of a Poisson distribution
/// of which `count` was seen.
pub(crate) fn rate_interval(count: u64) -> (f64, f64) {
    let wide = 10.0 * (count as f64).sqrt() + 20.0;
    let middle = count as f64;
    let low = match count {
        0 => 0.0,
        count => crossing((middle - wide).max(0.0), middle, |mean| at_least(count, mean) > TAIL),
    };
    let high = crossing(middle, middle + wide, |mean| at_most(count, mean) < TAIL);
    (low, high)
}

/// Where `is_above` becomes true.
fn crossing(mut low: f64, mut high: f64, is_above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if is_above(middle) { high = middle } else { low = middle }
    }
    f64::midpoint(low, high)
}

/// The probability of `k`.
fn ln_probability(k: u64, mean: f64) -> f64 {
    k as f64 * mean.ln() - mean - ln_factorial(k)
}

/// P(X ≥ `count`), for a `mean` of at most `count`.
fn at_least(count: u64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return if count == 0 { 1.0 } else { 0.0 };
    }
    tail(count, u64::MAX, ln_probability(count, mean), |k| (mean / (k + 1) as f64).ln())
}

/// P(X ≤ `count`), for a `mean` of at least `count`.
fn at_most(count: u64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    // Counted downwards from `count`: the step is that from `count - n` to the next lower.
    let step = |n: u64| ((count - n) as f64 / mean).ln();
    tail(0, count, ln_probability(count, mean), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_tables() {
        // Garwood's table and chi-squared quantiles: qchisq(0.025, 2k)/2, qchisq(0.975, 2k+2)/2.
        for (count, low, high) in [
            (0, 0.0, 3.688_879),
            (1, 0.025_318, 5.571_643),
            (2, 0.242_209, 7.224_688),
            (10, 4.795_389, 18.390_356),
            (100, 81.363_991, 121.626_794),
        ] {
            let found = rate_interval(count);
            assert!((found.0 - low).abs() < 1e-5, "{count}: {found:?}");
            assert!((found.1 - high).abs() < 1e-5, "{count}: {found:?}");
        }
    }

    #[test]
    fn large_counts_have_the_interval_of_the_normal_distribution() {
        let (low, high) = rate_interval(1_000_000);
        assert!((low - (1_000_000.0 - 1_960.0)).abs() < 3.0, "{low}");
        assert!((high - (1_000_000.0 + 1_960.0)).abs() < 3.0, "{high}");
    }
}
