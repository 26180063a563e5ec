//! The release in which a group began, and how sure it is that it was not there before.

use serde::{Deserialize, Serialize};

use super::build::Event;
use super::code_evidence::{ChangedFunction, GroupCode};
use super::counts::CountsByRelease;
use super::trend::{ABSENCE_P, Rate, p_of_fewer};
use super::verdict::ProgramHistory;
use super::wording::{changed_since, doubt, part};

/// The first release that has a group, after one that could have shown it and did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FirstBad {
    /// Its name.
    pub release: String,
    /// The build ID of the group's first dump of it; empty where it has none.
    pub build: String,
    /// The release before it, which was used and does not have the group; `null` where the
    /// group is in the oldest release with dumps, so that its beginning is not known.
    pub last_good: Option<String>,
    /// How likely the group was there before and merely not seen: that chance alone leaves out
    /// the group in the releases before, at its rate since; times the number of gaps that were
    /// compared (Bonferroni).
    pub p: Option<f64>,
    /// Whether that is unlikely (p < 0.05).
    pub is_sure: bool,
    /// The same in words.
    pub reason: String,
    /// What became of the functions on its stack between `last_good` and `release`, where
    /// their code is known: the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFunction>,
}

/// Where a group began. `code` gives what is known of the functions on its stacks in the
/// release of this place.
pub(crate) fn first_bad<'c>(
    events: &[Event],
    program: &ProgramHistory<'_>,
    code: impl FnOnce(usize) -> GroupCode<'c>,
) -> Option<FirstBad> {
    let counts = CountsByRelease::of(events, program);
    let list = &program.releases.list;
    let newest = counts.newest?;
    let rate = |place: usize| Some(list.get(place)?.rate(*counts.counts.get(place)?));
    let sum = |places: &[usize]| {
        places.iter().filter_map(|place| rate(*place)).reduce(Rate::and).unwrap_or_default()
    };
    let has = |place: usize| counts.counts.get(place).is_some_and(|count| *count > 0);
    let first = (0..list.len()).find(|place| has(*place))?;
    // Releases directly before this one that could have shown the group and did not.
    let gap = |place: usize| -> Vec<usize> {
        let start = (0..place).rposition(has).map_or(0, |last| last + 1);
        let is_used = |at: &usize| list.get(*at).is_some_and(|r| counts.is_comparable(r));
        (start..place).filter(is_used).collect()
    };
    let p_of = |place: usize, gap: &[usize]| {
        let since: Vec<usize> = (place..=newest).collect();
        p_of_fewer(sum(gap), sum(&since))
    };
    // It may have been fixed and have come back: the last beginning that is sure counts.
    let beginnings = (first..list.len()).rev().filter(|place| has(*place));
    let beginnings: Vec<(usize, Vec<usize>)> =
        beginnings.map(|place| (place, gap(place))).filter(|(_, gap)| !gap.is_empty()).collect();
    // Of many gaps one is long by chance: Bonferroni's correction.
    let compared = beginnings.len() as f64;
    let found = beginnings
        .into_iter()
        .map(|(place, gap)| (place, (p_of(place, &gap) * compared).min(1.0), gap))
        .find(|(place, p, _)| *p < ABSENCE_P || *place == first);
    let (place, p, gap) = match found {
        Some((place, p, gap)) => (place, Some(p), gap),
        None => (first, None, Vec::new()),
    };
    let release = list.get(place)?;
    let begin = events
        .iter()
        .filter(|event| program.releases.place(event.build) == Some(place))
        .min_by_key(|event| event.time);
    let build = begin.and_then(|event| program.builds.get(event.build));
    let mut found = FirstBad {
        release: release.name.clone(),
        build: build.map(|build| build.id.clone()).unwrap_or_default(),
        p,
        is_sure: p.is_some_and(|p| p < ABSENCE_P),
        ..FirstBad::default()
    };
    let (Some(good), Some(p)) = (gap.last().copied(), p) else {
        let name = &release.name;
        let is_oldest = !list.iter().take(place).any(|release| release.dumps > 0);
        found.reason = match is_oldest {
            true => {
                format!("seen in {name}, the oldest release with dumps: its beginning is not known")
            }
            false => format!("seen first in {name}; no release before it was built alike"),
        };
        return Some(found);
    };
    let last_good = list.get(good)?.name.clone();
    found.changed = code(place).changes(program.releases, program.builds, (good, place));
    let since: Vec<usize> = (place..=newest).collect();
    let (before, since) = (sum(&gap), sum(&since));
    let names: Vec<&str> =
        gap.iter().filter_map(|at| list.get(*at)).map(|release| release.name.as_str()).collect();
    let names = match names.as_slice() {
        [first, .., last] => format!("{first} to {last}"),
        names => names.concat(),
    };
    found.reason = format!(
        "none in {names} ({}), where {:.1} were expected{}{}",
        part(before),
        before.expected_from(since),
        doubt(p, ABSENCE_P),
        changed_since(&found.changed, &last_good)
    );
    found.last_good = Some(last_good);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::code_hashes::CodeHashes;
    use super::super::common_functions::CommonFunctions;
    use super::super::judge::WINDOW;
    use super::super::release::Releases;
    use super::super::{Build, Exposure};
    use super::*;

    /// Where a group began that has `counts` of the `dumps` of releases 1.0, 2.0 and so on.
    fn began(counts: &[u64], dumps: &[u64], exposure: Option<&str>) -> FirstBad {
        let builds: Vec<Build> = dumps
            .iter()
            .enumerate()
            .map(|(at, dumps)| Build {
                id: format!("{at:040x}"),
                program: "app".to_owned(),
                version: Some(format!("{}.0", at + 1)),
                seen: Some((at as i64 * 100, at as i64 * 100 + 99)),
                dumps: *dumps,
                ..Build::default()
            })
            .collect();
        let exposure = exposure.map(|text| Exposure::parse(text).unwrap());
        let releases = Releases::of("app", &builds, None, exposure.as_ref());
        let program = ProgramHistory {
            builds: &builds,
            releases: &releases,
            times: &[],
            now: 1_000,
            window: WINDOW,
            keeps_states: false,
            is_worded: true,
        };
        let of_release = |(build, count): (usize, &u64)| {
            vec![
                Event { build, time: build as i64 * 100, ..Event::default() };
                usize::try_from(*count).unwrap()
            ]
        };
        let events: Vec<Event> = counts.iter().enumerate().flat_map(of_release).collect();
        let (code, common) = (CodeHashes::default(), CommonFunctions::default());
        let code = |_| GroupCode { code: &code, stacks: Vec::new(), common: &common };
        first_bad(&events, &program, code).unwrap()
    }

    #[test]
    fn it_began_where_it_was_first_seen_after_a_release_that_had_dumps_enough() {
        let found = began(&[0, 0, 9], &[30, 40, 30], None);
        assert_eq!((found.release.as_str(), found.last_good.as_deref()), ("3.0", Some("2.0")));
        assert!(found.is_sure && found.p.unwrap() < 0.001, "{found:?}");
        assert_eq!(found.build, format!("{:040x}", 2));
    }

    #[test]
    fn with_few_dumps_before_it_may_have_been_there_and_the_chance_is_named() {
        let found = began(&[0, 2, 3], &[2, 20, 30], None);
        assert_eq!((found.release.as_str(), found.last_good.as_deref()), ("2.0", Some("1.0")));
        assert!(!found.is_sure && found.p.unwrap() > 0.5, "{found:?}");
        assert!(found.reason.contains("weak evidence"), "{}", found.reason);
    }

    #[test]
    fn nothing_is_known_of_the_beginning_in_the_oldest_release() {
        let found = began(&[4, 4], &[20, 20], None);
        assert_eq!((found.release.as_str(), found.last_good, found.p), ("1.0", None, None));
        assert!(found.reason.contains("not known"), "{}", found.reason);
    }

    #[test]
    fn what_was_gone_in_a_release_and_came_back_began_again() {
        let found = began(&[9, 0, 0, 8], &[30, 30, 30, 30], None);
        assert_eq!((found.release.as_str(), found.last_good.as_deref()), ("4.0", Some("3.0")));
        assert!(found.is_sure && found.reason.starts_with("none in 2.0 to 3.0"), "{found:?}");
        // A gap by chance is none.
        let found = began(&[3, 0, 3], &[60, 2, 60], None);
        assert_eq!((found.release.as_str(), found.p), ("1.0", None));
    }

    #[test]
    fn of_several_gaps_each_has_to_be_longer() {
        let one = began(&[9, 0, 9], &[80, 20, 40], None);
        let p = one.p.unwrap();
        assert!(one.is_sure && p > ABSENCE_P / 3.0, "{one:?}");
        // A gap of the same length, one of three that were looked at.
        let found = began(&[9, 0, 9, 0, 9, 0, 9], &[80, 20, 40, 20, 40, 20, 40], None);
        assert_eq!((found.release.as_str(), found.p), ("1.0", None), "{found:?}");
    }

    #[test]
    fn where_it_is_known_how_much_a_release_ran_that_counts_and_not_its_dumps() {
        // Hardly any other crash before, but many hours.
        let found = began(&[0, 6], &[1, 20], Some("1.0,1000\n2.0,1000\n"));
        assert!(found.is_sure, "{found:?}");
        let found = began(&[0, 6], &[1, 20], Some("1.0,1\n2.0,1000\n"));
        assert!(!found.is_sure && found.p.unwrap() > 0.9, "{found:?}");
    }
}
