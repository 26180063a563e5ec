//! The builds of a program in their order: releases.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Build;
use super::exposure::{Exposure, Ran};
use super::placement::{Placement, Unplaced};
use super::release_lists::{BuildOrder, is_build_id};
use super::trend::Rate;
use super::version::compare_versions;

/// One or more builds of the same sources: debug and release builds, other compilers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Release {
    /// As the user named it, or its version, or the start of its build ID.
    pub name: String,
    /// Indices of its builds.
    pub builds: Vec<usize>,
    /// Time of its first and last dump, seconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// When the first of its builds had a tenth of its dumps, seconds since 1970.
    pub settled: Option<i64>,
    /// Its dumps, of all groups.
    pub dumps: u64,
    /// How much it ran, in the user's unit, if all its dumps are of that time.
    pub exposure: Option<f64>,
    /// The same by its periods.
    pub ran: Option<Ran>,
    /// On how many hosts it ran.
    pub ran_on: Option<Ran>,
    /// How its builds were made, where their paths show it.
    pub variants: BTreeSet<String>,
    /// Its name is a version.
    is_version: bool,
}

impl Release {
    /// Of a group that has `count` of its dumps.
    pub(crate) fn rate(&self, count: u64) -> Rate {
        Rate { count, dumps: self.dumps, exposure: self.exposure }
    }
}

/// What the order rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OrderedBy {
    /// The user's list.
    List,
    /// Versions; builds without one by time.
    Version,
    /// The time of the first dumps.
    #[default]
    FirstDump,
}

/// The releases of one program, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Releases {
    /// Oldest first.
    pub list: Vec<Release>,
    /// What that rests on.
    pub by: OrderedBy,
    /// Builds that are none, by index, and why.
    pub unplaced: BTreeMap<usize, Unplaced>,
    place: BTreeMap<usize, usize>,
}

impl Releases {
    /// Of `program`. The user's list comes first, and what it does not name follows: by
    /// version, and builds without one by time.
    pub(crate) fn of(
        program: &str,
        builds: &[Build],
        order: Option<&BuildOrder>,
        exposure: Option<&Exposure>,
    ) -> Self {
        let listed = |build: &Build| order.and_then(|order| order.place(build));
        let members = || {
            let all = builds.iter().enumerate().filter(|(_, build)| build.program == program);
            all.map(move |(at, build)| (at, build, listed(build)))
        };
        let is_listed = members().any(|(.., place)| place.is_some());
        let with_dumps = members().filter(|(_, build, _)| build.dumps > 0);
        let placement = Placement::among(with_dumps.map(|(_, build, _)| build));
        let has_versions = placement.has_versions();
        let mut unplaced = BTreeMap::new();
        let mut keyed: BTreeMap<(usize, String), Release> = BTreeMap::new();
        for (at, build, listed) in members() {
            if listed.is_none() {
                if build.dumps == 0 {
                    continue;
                }
                if let Some(objection) = placement.objection(build) {
                    unplaced.insert(at, objection);
                    continue;
                }
            }
            let version = build.version.as_ref().filter(|_| has_versions);
            let (key, name) = match (listed, version) {
                (Some(place), _) => {
                    let name = order.and_then(|order| order.lines.get(place));
                    ((place, String::new()), name.map(|(name, _)| name.clone()))
                }
                (None, Some(version)) => ((usize::MAX, version.clone()), Some(version.clone())),
                (None, None) => ((usize::MAX, build.id.clone()), None),
            };
            let release = keyed.entry(key).or_default();
            release.is_version |= listed.is_none() && version.is_some();
            release.name = name.unwrap_or_else(|| short(&build.id));
            release.builds.push(at);
            release.dumps += build.dumps;
            release.settled = match (release.settled, build.settled.or(build.seen.map(|s| s.0))) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            release.variants.extend(build.variant.clone());
            release.seen = match (release.seen, build.seen) {
                (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
                (one, other) => one.or(other),
            };
        }
        let mut list = ordered(keyed);
        for release in &mut list {
            let members: Vec<&Build> =
                release.builds.iter().filter_map(|at| builds.get(*at)).collect();
            let Some(exposure) = exposure else { continue };
            release.ran = exposure.of_release(program, &release.name, &members);
            release.ran_on = exposure.hosts_of_release(program, &release.name, &members);
            release.exposure = release.ran.as_ref().and_then(|ran| ran.in_all(release.seen));
        }
        let place = list
            .iter()
            .enumerate()
            .flat_map(|(at, release)| release.builds.iter().map(move |build| (*build, at)))
            .collect();
        let by = match (is_listed, has_versions) {
            (true, _) => OrderedBy::List,
            (false, true) => OrderedBy::Version,
            (false, false) => OrderedBy::FirstDump,
        };
        Self { list, by, unplaced, place }
    }

    /// Where in the list the release of a build is.
    pub(crate) fn place(&self, build: usize) -> Option<usize> {
        self.place.get(&build).copied()
    }

    /// The newest that has dumps.
    pub(crate) fn newest(&self) -> Option<usize> {
        self.list.iter().rposition(|release| release.dumps > 0)
    }

    /// The release that `text` names: its name, a version or a build ID, which may be
    /// shortened.
    pub(crate) fn named(&self, text: &str, builds: &[Build]) -> Option<usize> {
        let by_name = self.list.iter().position(|release| release.name == text);
        by_name.or_else(|| {
            let text = text.to_ascii_lowercase();
            let is_meant = |build: &Build| {
                build.version.as_deref() == Some(text.as_str())
                    || (is_build_id(&text) && build.id.starts_with(&text))
            };
            self.list.iter().position(|release| {
                release.builds.iter().filter_map(|at| builds.get(*at)).any(is_meant)
            })
        })
    }
}

/// Releases by the place in the user's list and by version; each without a version behind
/// the newest version that was seen before it.
fn ordered(keyed: BTreeMap<(usize, String), Release>) -> Vec<Release> {
    let (mut known, mut others) = (Vec::new(), Vec::new());
    for ((place, _), release) in keyed {
        let is_known = place != usize::MAX || release.is_version;
        if is_known { &mut known } else { &mut others }.push((place, release));
    }
    known.sort_by(|(place, one), (other_place, other)| {
        place.cmp(other_place).then_with(|| compare_versions(&one.name, &other.name))
    });
    let listed = known.iter().filter(|(place, _)| *place != usize::MAX).count();
    let mut list: Vec<Release> = known.into_iter().map(|(_, release)| release).collect();
    let mut others: Vec<Release> = others.into_iter().map(|(_, release)| release).collect();
    others.sort_by(|a, b| a.settled.cmp(&b.settled).then_with(|| a.name.cmp(&b.name)));
    for release in others {
        let is_before = |other: &Release| other.settled <= release.settled;
        let behind = list.iter().skip(listed).rposition(is_before).map_or(0, |at| at + 1);
        list.insert(listed + behind, release);
    }
    list
}

/// The start of a build ID, for people.
fn short(build_id: &str) -> String {
    match build_id.get(..12) {
        Some(start) => start.to_owned(),
        None if build_id.is_empty() => "?".to_owned(),
        None => build_id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(id: &str, version: Option<&str>, first: i64, dumps: u64) -> Build {
        Build {
            id: id.to_owned(),
            program: "app".to_owned(),
            version: version.map(str::to_owned),
            seen: (dumps > 0).then_some((first, first + 9)),
            dumps,
            ..Build::default()
        }
    }

    fn names(releases: &Releases) -> Vec<&str> {
        releases.list.iter().map(|release| release.name.as_str()).collect()
    }

    #[test]
    fn builds_of_one_version_are_one_release_and_versions_order_them() {
        let builds = [
            build("aa11", Some("1.10"), 5, 2),
            build("bb22", Some("1.9"), 9, 1),
            build("cc33", Some("1.10"), 1, 4),
        ];
        let releases = Releases::of("app", &builds, None, None);
        assert_eq!(names(&releases), ["1.9", "1.10"]);
        assert_eq!((releases.by, releases.newest()), (OrderedBy::Version, Some(1)));
        let newest = &releases.list[1];
        assert_eq!((newest.dumps, newest.seen, &newest.builds), (6, Some((1, 14)), &vec![0, 2]));
        assert_eq!(releases.place(1), Some(0));
    }

    #[test]
    fn without_any_version_the_first_dump_orders() {
        let builds = [build("bbbbbb", None, 9, 1), build("aaaaaa", None, 20, 1)];
        let releases = Releases::of("app", &builds, None, None);
        assert_eq!(names(&releases), ["bbbbbb", "aaaaaa"]);
        assert_eq!(releases.by, OrderedBy::FirstDump);
    }

    #[test]
    fn one_stray_dump_changes_no_order_and_a_used_build_without_a_version_is_placed_by_time() {
        let mut builds = vec![
            build("aa11", Some("1.0"), 1, 30),
            build("bb22", Some("2.0"), 20, 30),
            build("", None, 90, 2),
            build("cccccc33", None, 99, 1),
        ];
        let releases = Releases::of("app", &builds, None, None);
        assert_eq!((names(&releases), releases.newest()), (vec!["1.0", "2.0"], Some(1)));
        let unplaced: Vec<_> = releases.unplaced.into_iter().collect();
        assert_eq!(unplaced, [(2, Unplaced::NoBuildId), (3, Unplaced::FewDumps)]);
        for (first, expected) in [(99, ["1.0", "2.0", "cccccc33"]), (9, ["1.0", "cccccc33", "2.0"])]
        {
            builds[3] = build("cccccc33", None, first, 20);
            assert_eq!(names(&Releases::of("app", &builds, None, None)), expected);
        }
    }

    #[test]
    fn the_users_list_goes_first_and_what_it_leaves_out_is_newer() {
        let builds = [
            build("aaaaaa11", None, 1, 1),
            build("bbbbbb22", None, 2, 1),
            build("cccccc33", None, 3, 1),
        ];
        let order = BuildOrder::parse("# ours\nold bbbbbb22\nnew AAAAAA, dddddd # two\n").unwrap();
        let releases = Releases::of("app", &builds, Some(&order), None);
        assert_eq!(names(&releases), ["old", "new", "cccccc33"]);
        assert_eq!(releases.by, OrderedBy::List);
        assert_eq!(releases.named("AAAAAA11", &builds), Some(1));
        let wrong = BuildOrder::parse("\n1.0 yes").unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "line 2: \"yes\" is not a build ID: expected NAME BUILD-ID..."
        );
    }

    #[test]
    fn exposure_is_given_by_release_or_by_build() {
        let builds = [build("aaaaaa11", Some("1.0"), 1, 1), build("bbbbbb22", Some("2.0"), 2, 1)];
        for text in
            ["release,hours\n1.0,100\nbbbbbb22,50\n", "[hours]\n\"1.0\" = 1_00\nbbbbbb = 50"]
        {
            let exposure = Exposure::parse(text).unwrap();
            let releases = Releases::of("app", &builds, None, Some(&exposure));
            let found: Vec<_> = releases.list.iter().map(|release| release.exposure).collect();
            assert_eq!(found, [Some(100.0), Some(50.0)], "{text}");
        }
    }
}
