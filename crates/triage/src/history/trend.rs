//! Whether a number of crashes rose, or chance plays.

/// Crashes of one group in a release or a stretch of time, and out of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rate {
    /// Crashes of the group.
    pub count: u64,
    /// Crashes of the program, those of the group among them.
    pub dumps: u64,
    /// Hours, requests, or whatever the user counted; in the same unit on both sides.
    pub exposure: Option<f64>,
}

/// From this on, a rise or a fall is reported as such.
const TREND_P: f64 = 0.01;
/// A rise by less than this factor is none.
const TREND_RATIO: f64 = 1.5;
/// Fewer crashes on the side that has more are no trend, however rare before.
const TREND_COUNT: u64 = 5;
/// Below this, chance does not explain that a release has none.
pub(crate) const ABSENCE_P: f64 = 0.05;

impl Rate {
    /// Both together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            dumps: self.dumps + other.dumps,
            exposure: self.exposure.zip(other.exposure).map(|(one, other)| one + other),
        }
    }

    /// How many there would be here at the rate of `other`.
    pub(crate) fn expected_from(self, other: Self) -> f64 {
        let (here, there) = weights(self, other);
        if there > 0.0 { other.count as f64 * here / there } else { 0.0 }
    }
}

/// How likely as many as in `newer`, or more, are if the rate is that of `older`: given
/// the sum of both, by the binomial distribution where exposure is known, else by the
/// hypergeometric one (Fisher's exact test of the group among all crashes).
pub(crate) fn p_of_more(newer: Rate, older: Rate) -> f64 {
    match share(newer, older) {
        Some(share) => binomial_upper(newer.count, newer.count + older.count, share),
        None => hypergeometric_upper(newer, older),
    }
}

/// How likely as few as in `newer`, or fewer, are if the rate is that of `older`.
pub(crate) fn p_of_fewer(newer: Rate, older: Rate) -> f64 {
    p_of_more(older, newer)
}

/// How likely a difference at least as large, in either direction, is if both rates are the
/// same.
pub(crate) fn p_of_difference(newer: Rate, older: Rate) -> f64 {
    (2.0 * p_of_more(newer, older).min(p_of_fewer(newer, older))).min(1.0)
}

/// Which way a rate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// Which way the rate went from `older` to `newer`, if chance does not explain it, the
/// difference is large and so are the numbers; and how likely chance alone does that.
pub(crate) fn direction(newer: Rate, older: Rate) -> (Option<Direction>, f64) {
    let (more, fewer) = (p_of_more(newer, older), p_of_fewer(newer, older));
    let expected = newer.expected_from(older);
    let is_rise = newer.count >= TREND_COUNT && newer.count as f64 >= TREND_RATIO * expected;
    let is_fall = older.count >= TREND_COUNT && newer.count as f64 * TREND_RATIO <= expected;
    let direction = if more < TREND_P && is_rise {
        Some(Direction::Up)
    } else if fewer < TREND_P && is_fall {
        Some(Direction::Down)
    } else {
        None
    };
    (direction, more.min(fewer))
}

/// The part of the exposure that is `newer`'s, if both have any.
fn share(newer: Rate, older: Rate) -> Option<f64> {
    let (newer, older) = newer.exposure.zip(older.exposure)?;
    let is_usable = newer > 0.0 && older > 0.0 && (newer + older).is_finite();
    is_usable.then(|| newer / (newer + older))
}

fn weights(one: Rate, other: Rate) -> (f64, f64) {
    match one.exposure.zip(other.exposure) {
        Some(pair) if share(one, other).is_some() => pair,
        _ => (one.dumps as f64, other.dumps as f64),
    }
}

/// P(X ≥ `least`) of a binomial distribution.
fn binomial_upper(least: u64, of: u64, p: f64) -> f64 {
    let odds = (p / (1.0 - p)).ln();
    let start = |k: u64| {
        ln_choose(of, k) + k as f64 * p.ln() + of.saturating_sub(k) as f64 * (1.0 - p).ln()
    };
    tail(least, of, start(least), |k| ((of - k) as f64 / (k + 1) as f64).ln() + odds)
}

/// P(X ≥ `newer.count`) where X of the group's crashes fall among `newer.dumps`.
fn hypergeometric_upper(newer: Rate, older: Rate) -> f64 {
    let drawn = newer.dumps.max(newer.count);
    let rest = older.dumps.max(older.count);
    let marked = newer.count + older.count;
    let most = marked.min(drawn);
    // Those that find no room among the older ones are here in any case.
    if newer.count <= marked.saturating_sub(rest) {
        return 1.0;
    }
    let start = ln_choose(drawn, newer.count) + ln_choose(rest, marked - newer.count)
        - ln_choose(drawn + rest, marked);
    tail(newer.count, most, start, |k| {
        let up = (drawn - k) as f64 * (marked - k) as f64;
        let down = (k + 1) as f64 * (rest + k + 1 - marked) as f64;
        (up / down).ln()
    })
}

/// The sum of terms from `from` to `to`, whose first is e^`start` and whose next is e^step
/// times the one before.
pub(super) fn tail(from: u64, to: u64, start: f64, step: impl Fn(u64) -> f64) -> f64 {
    let (mut sum, mut term) = (0.0, start);
    for k in from..=to {
        sum += term.exp();
        if k == to {
            break;
        }
        let step = step(k);
        term += step;
        // The terms fall from here on, and add nothing.
        if step < 0.0 && term.exp() < sum * 1e-12 {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Stirling's series; below its reach, the product.
pub(super) fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64 + 1.0;
    let tail = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(count: u64, dumps: u64) -> Rate {
        Rate { count, dumps, exposure: None }
    }

    fn over(count: u64, exposure: f64) -> Rate {
        Rate { count, dumps: count, exposure: Some(exposure) }
    }

    fn assert_near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= wanted * 1e-6, "{found} is not {wanted}");
    }

    #[test]
    fn the_tests_agree_with_tables() {
        // Fisher's tea: 3 of 4 right, and all four.
        assert_near(p_of_more(among(3, 4), among(1, 4)), 17.0 / 70.0);
        assert_near(p_of_more(among(4, 4), among(0, 4)), 1.0 / 70.0);
        // None of ten tosses.
        assert_near(p_of_fewer(over(0, 1.0), over(10, 1.0)), 0.5_f64.powi(10));
        assert_near(p_of_more(over(8, 1.0), over(2, 1.0)), 56.0 / 1024.0);
        // None in twice the time.
        assert_near(p_of_fewer(over(0, 2.0), over(3, 1.0)), 1.0 / 27.0);
    }

    #[test]
    fn two_then_three_is_no_trend() {
        assert!(p_of_more(among(3, 50), among(2, 50)) > 0.3);
        assert!(p_of_more(over(3, 1.0), over(2, 1.0)) > 0.3);
    }

    #[test]
    fn more_dumps_of_everything_are_no_trend_of_one_group() {
        assert!(p_of_more(among(100, 1000), among(10, 100)) > 0.4);
        assert!(p_of_more(among(100, 1000), among(10, 400)) < 1e-5);
    }

    #[test]
    fn large_numbers_are_summed_and_do_not_overflow() {
        let p = p_of_more(among(50_500, 100_000), among(50_000, 100_000));
        assert!((0.0..0.02).contains(&p), "{p}");
        let half = p_of_more(among(500_000, 1_000_000), among(500_000, 1_000_000));
        assert!((half - 0.5).abs() < 0.01, "{half}");
        let most = p_of_more(among(1, 1_000_000), among(900_000, 1_000_000));
        assert!(most > 0.999, "{most}");
    }

    #[test]
    fn nothing_to_compare_with_proves_nothing() {
        for (newer, older) in
            [(among(0, 0), among(0, 0)), (among(5, 5), among(0, 0)), (among(5, 5), among(9, 9))]
        {
            assert_near(p_of_more(newer, older), 1.0);
        }
        assert_near(p_of_more(over(0, 0.0), over(0, 1.0)), 1.0);
    }
}
