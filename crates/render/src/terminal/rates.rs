//! Crashes per exposure, and where a group began, in words.

use super::groups::text;
use crate::layout::grouped;
use obit_triage::history::FirstBad;
use obit_triage::views::{
    ExposureRate, GroupSummary, HostShare, RateComparison, ReleaseBuilds, ReleaseCount,
};

/// A rate below this is given per a thousand, a million or more.
const LEAST: f64 = 0.1;
/// Powers of a thousand up to which a rate is scaled.
const SCALES: i32 = 4;

/// `3.2 per 1,000 hours (2.1 to 4.7)`.
pub(crate) fn rate(rate: &ExposureRate) -> String {
    let shown = if rate.count > 0 { rate.rate } else { rate.high };
    let scale = (0..SCALES).map(|at| 1_000_f64.powi(at)).find(|scale| shown * scale >= LEAST);
    let scale = scale.unwrap_or(1_000_f64.powi(SCALES));
    let unit = rate.unit.as_deref().map_or_else(|| "units of exposure".to_owned(), text);
    let per = match scale {
        1.0 => unit.strip_suffix('s').filter(|one| !one.is_empty()).unwrap_or(&unit).to_owned(),
        scale => format!("{} {unit}", grouped(scale as u64)),
    };
    let per = if rate.unit.is_none() && scale == 1.0 { "unit of exposure".to_owned() } else { per };
    let [rate, low, high] = [rate.rate, rate.low, rate.high].map(|part| number(part * scale));
    format!("{rate} per {per} ({low} to {high})")
}

/// Two digits, or all before the point.
fn number(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        number if number >= 9.95 => grouped(number.round() as u64),
        number if number >= 0.995 => format!("{number:.1}"),
        number if number >= 0.0995 => format!("{number:.2}"),
        number => format!("{number:.3}"),
    }
}

/// `2.6 times the rate of 2.0 (p = 0.003)`.
pub(crate) fn compared(compared: &RateComparison) -> String {
    let p =
        if compared.p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", compared.p) };
    let with = text(&compared.with);
    match compared.ratio {
        Some(ratio) => format!("{} times the rate of {with} ({p})", number(ratio)),
        None => format!("none in {with} ({p})"),
    }
}

/// `3 of 40 hosts (8 %)`.
pub(crate) fn hosts(hosts: &HostShare) -> String {
    let (affected, of) = (grouped(hosts.affected), grouped(hosts.of.round() as u64));
    match hosts.share {
        Some(share) => format!("{affected} of {of} hosts ({:.0} %)", share * 100.0),
        None => format!("{affected} hosts, more than the {of} that it is said to have run on"),
    }
}

/// What is known of a release beside its dumps: rate, comparison, hosts.
pub(crate) fn of_release(release: &ReleaseCount) -> Vec<String> {
    parts(release.rate.as_ref(), release.rate_unknown.as_deref(), release.hosts.as_ref())
}

/// The same of all its dumps.
pub(crate) fn of_builds(release: &ReleaseBuilds) -> Vec<String> {
    let hosts = release.hosts_affected.as_ref();
    parts(release.rate.as_ref(), release.rate_unknown.as_deref(), hosts)
}

fn parts(
    of: Option<&ExposureRate>,
    unknown: Option<&str>,
    affected: Option<&HostShare>,
) -> Vec<String> {
    let known = of.map(rate);
    let unknown = unknown.map(|why| format!("rate unknown: {}", text(why)));
    let compared = of.and_then(|of| of.compared.as_ref()).map(compared);
    known.or(unknown).into_iter().chain(compared).chain(affected.map(hosts)).collect()
}

/// The rate in the newest release, or why it is not known; `None` without exposures.
pub(crate) fn newest(group: &GroupSummary) -> Option<String> {
    let newest = group.releases.iter().rfind(|release| release.dumps > 0)?;
    let name = text(&newest.name);
    match (&newest.rate, &newest.rate_unknown) {
        (Some(known), _) => Some(format!("{} in {name}", rate(known))),
        (None, Some(why)) => Some(format!("rate in {name} unknown: {}", text(why))),
        (None, None) => None,
    }
}

/// `3.0: none in 2.0 (0 of 40 dumps), where 6.3 were expected (p = 0.002)`; `None` where no
/// release before it could have shown the group.
pub(crate) fn began(group: &GroupSummary) -> Option<String> {
    let first: &FirstBad = group.first_bad.as_ref()?;
    first.last_good.as_ref()?;
    Some(format!("{}: {}", text(&first.release), text(&first.reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(count: u64, exposure: f64, unit: Option<&str>) -> String {
        let per = |count: f64| count / exposure;
        rate(&ExposureRate {
            count,
            exposure,
            unit: unit.map(str::to_owned),
            rate: per(count as f64),
            low: per(count as f64 / 2.0),
            high: per(count as f64 * 2.0 + 3.0),
            compared: None,
        })
    }

    #[test]
    fn a_rate_is_scaled_until_it_can_be_read() {
        assert_eq!(shown(30, 20.0, Some("hours")), "1.5 per hour (0.75 to 3.1)");
        assert_eq!(shown(32, 10_000.0, Some("hours")), "3.2 per 1,000 hours (1.6 to 6.7)");
        assert_eq!(shown(5, 4e6, Some("requests")), "1.2 per 1,000,000 requests (0.62 to 3.2)");
        assert_eq!(shown(4, 2.0, None), "2.0 per unit of exposure (1.0 to 5.5)");
        assert_eq!(shown(0, 100.0, Some("hosts")), "0 per 1,000 hosts (0 to 30)");
    }

    #[test]
    fn more_hosts_than_there_are_have_no_share() {
        let share = |affected, share| hosts(&HostShare { affected, of: 40.0, share });
        assert_eq!(share(3, Some(0.075)), "3 of 40 hosts (8 %)");
        assert!(share(50, None).contains("more than the 40"));
    }
}
