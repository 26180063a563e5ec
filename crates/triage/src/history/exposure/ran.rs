//! How much one release ran, and when.

/// A part of an exposure: an amount, and the period that it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stretch {
    pub(super) amount: f64,
    /// From and before: seconds since 1970. `None` is all the time that there are dumps of.
    pub(super) period: Option<(i64, i64)>,
}

/// How much a release ran, in parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ran {
    stretches: Vec<Stretch>,
    /// Hosts of two periods may be the same ones, so these have no sum.
    is_hosts: bool,
}

/// An amount, and the dumps that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Covered {
    pub(crate) amount: f64,
    /// `None` is any time.
    periods: Option<Vec<(i64, i64)>>,
}

impl Covered {
    /// Whether a dump of this time happened while that was counted.
    pub(crate) fn has(&self, time: i64) -> bool {
        let is_within = |(from, to): &(i64, i64)| (*from..*to).contains(&time);
        self.periods.as_ref().is_none_or(|periods| periods.iter().any(is_within))
    }
}

/// Why an exposure is of no use for a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotCovered {
    #[error("the exposure is not of the period that was asked for")]
    OtherPeriod,
    #[error("some of its exposure has a period and some has none")]
    Mixed,
    #[error("numbers of hosts of several periods have no sum")]
    Hosts,
    #[error("its exposure is 0")]
    Nothing,
}

impl Ran {
    pub(super) fn of(stretches: Vec<Stretch>, is_hosts: bool) -> Self {
        Self { stretches, is_hosts }
    }

    /// Both together.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.stretches.extend(other.stretches);
        self
    }

    /// How much it ran in all, if dumps from `first` to `last` are all from that time.
    pub(crate) fn in_all(&self, seen: Option<(i64, i64)>) -> Option<f64> {
        let covered = self.within(None, None).ok()?;
        let is_whole = match (&covered.periods, seen) {
            (None, _) | (_, None) => true,
            (Some(periods), Some((first, last))) => covers(periods, first, last),
        };
        is_whole.then_some(covered.amount)
    }

    /// How much it ran from `since` on and before `until`.
    pub(crate) fn within(
        &self,
        since: Option<i64>,
        until: Option<i64>,
    ) -> Result<Covered, NotCovered> {
        let is_any = since.is_none() && until.is_none();
        let dated = self.stretches.iter().filter_map(|stretch| stretch.period).count();
        let (amount, periods) = if dated == 0 {
            if !is_any {
                return Err(NotCovered::OtherPeriod);
            }
            (self.stretches.iter().map(|stretch| stretch.amount).sum(), None)
        } else if dated < self.stretches.len() {
            return Err(NotCovered::Mixed);
        } else {
            let (mut amount, mut periods) = (0.0, Vec::new());
            for stretch in &self.stretches {
                let Some((from, to)) = stretch.period else { continue };
                if since.is_some_and(|since| to <= since) || until.is_some_and(|u| from >= u) {
                    continue;
                }
                // How much of it was in a part of its time is not known.
                if since.is_some_and(|since| from < since) || until.is_some_and(|u| to > u) {
                    return Err(NotCovered::OtherPeriod);
                }
                amount += stretch.amount;
                periods.push((from, to));
            }
            if periods.is_empty() {
                return Err(NotCovered::OtherPeriod);
            }
            periods.sort_unstable();
            periods.dedup();
            if self.is_hosts && periods.len() > 1 {
                return Err(NotCovered::Hosts);
            }
            (amount, Some(periods))
        };
        if amount > 0.0 && amount.is_finite() {
            Ok(Covered { amount, periods })
        } else {
            Err(NotCovered::Nothing)
        }
    }
}

/// Whether sorted periods leave no gap from `first` to `last`.
fn covers(periods: &[(i64, i64)], first: i64, last: i64) -> bool {
    let mut end = first;
    for (from, to) in periods {
        if *from > end {
            break;
        }
        end = end.max(*to);
    }
    end > last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(stretches: &[(f64, Option<(i64, i64)>)]) -> Ran {
        let stretches =
            stretches.iter().map(|(amount, period)| Stretch { amount: *amount, period: *period });
        Ran::of(stretches.collect(), false)
    }

    #[test]
    fn an_exposure_without_a_period_is_of_no_part_of_the_time() {
        let all = ran(&[(3.0, None), (4.0, None)]);
        assert_eq!(all.within(None, None).unwrap().amount, 7.0);
        assert_eq!(all.within(Some(5), None), Err(NotCovered::OtherPeriod));
        assert_eq!(all.in_all(Some((0, 100))), Some(7.0));
    }

    #[test]
    fn periods_are_taken_in_whole_or_not_at_all() {
        let two = ran(&[(3.0, Some((0, 10))), (4.0, Some((10, 20)))]);
        assert_eq!(two.within(None, None).unwrap().amount, 7.0);
        let second = two.within(Some(10), Some(20)).unwrap();
        assert_eq!(second.amount, 4.0);
        assert!(second.has(10) && second.has(19) && !second.has(9) && !second.has(20));
        assert_eq!(two.within(Some(5), None), Err(NotCovered::OtherPeriod));
        assert_eq!(two.within(Some(20), None), Err(NotCovered::OtherPeriod));
    }

    #[test]
    fn what_has_dumps_from_another_time_is_not_known_in_all() {
        let two = ran(&[(3.0, Some((0, 10))), (4.0, Some((10, 20)))]);
        assert_eq!(two.in_all(Some((0, 19))), Some(7.0));
        assert_eq!(two.in_all(Some((0, 20))), None);
        assert_eq!(two.in_all(Some((-1, 5))), None);
        let gap = ran(&[(3.0, Some((0, 10))), (4.0, Some((12, 20)))]);
        assert_eq!(gap.in_all(Some((3, 15))), None);
        assert_eq!(ran(&[(3.0, Some((0, 10))), (4.0, None)]).in_all(None), None);
        assert_eq!(ran(&[(0.0, None)]).in_all(None), None);
    }

    #[test]
    fn hosts_of_two_periods_are_not_added() {
        let hosts = |periods: [(i64, i64); 2]| {
            let stretch = |period| Stretch { amount: 5.0, period: Some(period) };
            Ran::of(periods.map(stretch).to_vec(), true).within(None, None)
        };
        assert_eq!(hosts([(0, 10), (10, 20)]), Err(NotCovered::Hosts));
        assert_eq!(hosts([(0, 10), (0, 10)]).unwrap().amount, 10.0);
    }
}
