//! Crashes per exposure: what is known of the releases of a program.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::options::ViewOptions;
use crate::census::Sighting;
use crate::history::{Covered, HOSTS, NotCovered, Rate, Releases, p_of_difference, rate_interval};

/// Crashes of a release per exposure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ExposureRate {
    /// Dumps of the time that the exposure is of.
    pub count: u64,
    /// The exposure, in `unit`.
    pub exposure: f64,
    /// What it counts, as far as the user says: `hours`, `requests`.
    pub unit: Option<String>,
    /// Dumps per unit.
    pub rate: f64,
    /// The lower end of the exact 95 % interval of the rate (Garwood).
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The comparison with the nearest release before of which the rate is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<RateComparison>,
}

/// The rate of one release against that of an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RateComparison {
    /// The earlier release.
    pub with: String,
    /// How many times its rate; `null` where that is 0.
    pub ratio: Option<f64>,
    /// How likely chance alone makes a difference at least as large, in either direction: the
    /// exact conditional (binomial) test of two Poisson counts.
    pub p: f64,
}

/// Hosts of a release that crashed, of all that it ran on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostShare {
    /// Hosts with a dump, of those that are known by name.
    pub affected: u64,
    /// Hosts that it ran on, as the user says.
    pub of: f64,
    /// Their part; `null` where more are affected than there are said to be.
    pub share: Option<f64>,
}

/// What is known of one release.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReleaseRates {
    pub(crate) exposure: Option<f64>,
    pub(crate) rate: Option<ExposureRate>,
    /// Why the rate is not known, where an exposure was given.
    pub(crate) unknown: Option<String>,
    pub(crate) hosts: Option<HostShare>,
}

/// Counts dumps by release, as far as exposures are of their time.
pub(crate) struct RateCounts<'r> {
    releases: &'r Releases,
    unit: Option<String>,
    of: Vec<OfRelease>,
}

struct OfRelease {
    covered: Result<Covered, String>,
    ran_on: Option<Covered>,
    count: u64,
    hosts: BTreeSet<usize>,
}

impl<'r> RateCounts<'r> {
    /// `cut` is the time after which dumps are left out, if any are; `None` without exposures.
    pub(crate) fn new(
        releases: &'r Releases,
        options: &ViewOptions,
        cut: Option<i64>,
    ) -> Option<Self> {
        let exposure = options.exposure.as_ref()?;
        let until = [options.end_time(), cut.map(|cut| cut.saturating_add(1))];
        let (since, until) = (options.first_time(), until.into_iter().flatten().min());
        let is_of_hosts = options.filter.selects_hosts();
        let wording = |why: NotCovered| why.to_string();
        let of = releases.list.iter().map(|release| {
            let covered = match &release.ran {
                _ if is_of_hosts => {
                    Err("the exposure is not of the hosts that were asked for".to_owned())
                }
                Some(ran) => ran.within(since, until).map_err(wording),
                None => Err("no exposure is given".to_owned()),
            };
            let ran_on = release.ran_on.as_ref().filter(|_| !is_of_hosts);
            let ran_on = ran_on.and_then(|ran| ran.within(since, until).ok());
            OfRelease { covered, ran_on, count: 0, hosts: BTreeSet::new() }
        });
        let unit = exposure.unit().map(str::to_owned);
        Some(Self { releases, unit, of: of.collect() })
    }

    /// Counts a dump that was asked for.
    pub(crate) fn add(&mut self, sighting: &Sighting) {
        let place = self.releases.place(sighting.event.build);
        let Some(of) = place.and_then(|place| self.of.get_mut(place)) else { return };
        let time = sighting.event.time;
        of.count += u64::from(of.covered.as_ref().is_ok_and(|covered| covered.has(time)));
        if of.ran_on.as_ref().is_some_and(|covered| covered.has(time)) {
            of.hosts.extend(sighting.event.host);
        }
    }

    /// What is known of each release, in their order.
    pub(crate) fn rates(self) -> Vec<ReleaseRates> {
        let mut before: Option<(&str, Rate)> = None;
        let both = self.of.into_iter().zip(&self.releases.list);
        both.map(|(of, release)| {
            let hosts = of.ran_on.map(|ran_on| {
                let affected = of.hosts.len() as u64;
                let share = affected as f64 / ran_on.amount;
                HostShare { affected, of: ran_on.amount, share: (share <= 1.0).then_some(share) }
            });
            let covered = match of.covered {
                Ok(covered) => covered,
                Err(unknown) => {
                    return ReleaseRates { unknown: Some(unknown), hosts, ..Default::default() };
                }
            };
            let here = Rate { count: of.count, dumps: 0, exposure: Some(covered.amount) };
            let (low, high) = rate_interval(of.count);
            let per = |count: f64| count / covered.amount;
            let compared = before.map(|(with, before)| RateComparison {
                with: with.to_owned(),
                ratio: (before.count > 0).then(|| here.count as f64 / here.expected_from(before)),
                p: p_of_difference(here, before),
            });
            before = Some((&release.name, here));
            let rate = ExposureRate {
                count: of.count,
                exposure: covered.amount,
                unit: self.unit.clone(),
                rate: per(of.count as f64),
                low: per(low),
                high: per(high),
                compared,
            };
            let exposure = Some(covered.amount);
            ReleaseRates { exposure, rate: Some(rate), unknown: None, hosts }
        })
        .collect()
    }
}

impl ExposureRate {
    /// Whether it counts hosts.
    pub fn is_per_host(&self) -> bool {
        self.unit.as_deref() == Some(HOSTS)
    }
}
