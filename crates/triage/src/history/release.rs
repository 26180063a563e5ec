//! The builds of a program in their order: releases.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Build;
use super::release_lists::{BuildOrder, Exposure, is_build_id};
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
    /// Its dumps, of all groups.
    pub dumps: u64,
    /// How much it ran, in the user's unit.
    pub exposure: Option<f64>,
    /// How its builds were made, where their paths tell.
    pub variants: BTreeSet<String>,
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
    /// Versions.
    Version,
    /// The time of the first dump.
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
    place: BTreeMap<usize, usize>,
}

impl Releases {
    /// Of `program`. The user's list comes first and what it does not name follows; else
    /// versions order the builds if each has one, else their first dumps do.
    pub(crate) fn of(
        program: &str,
        builds: &[Build],
        order: Option<&BuildOrder>,
        exposure: Option<&Exposure>,
    ) -> Self {
        let members = || builds.iter().enumerate().filter(|(_, build)| build.program == program);
        let listed = |build: &Build| order.and_then(|order| order.place(build));
        let is_listed = members().any(|(_, build)| listed(build).is_some());
        let with_dumps = |(_, build): &(usize, &Build)| {
            build.dumps > 0 || (is_listed && listed(build).is_some())
        };
        let has_versions = members().filter(with_dumps).all(|(_, build)| build.version.is_some());
        let mut keyed: BTreeMap<(usize, String), Release> = BTreeMap::new();
        for (at, build) in members().filter(with_dumps) {
            let key = match (listed(build), &build.version) {
                (Some(place), _) => (place, String::new()),
                (None, Some(version)) if has_versions => (usize::MAX, version.clone()),
                (None, _) => (usize::MAX, build.id.clone()),
            };
            let name = match (listed(build), &build.version) {
                (Some(place), _) => order.map(|order| order.lines[place].0.clone()),
                (None, version) if has_versions => version.clone(),
                (None, _) => None,
            };
            let release = keyed.entry(key).or_default();
            release.name = name.unwrap_or_else(|| short(&build.id));
            release.builds.push(at);
            release.dumps += build.dumps;
            release.variants.extend(build.variant.clone());
            release.seen = match (release.seen, build.seen) {
                (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
                (one, other) => one.or(other),
            };
        }
        let mut list: Vec<(usize, Release)> =
            keyed.into_iter().map(|((place, _), release)| (place, release)).collect();
        list.sort_by(|(place, one), (other_place, other)| {
            let by_time = || one.seen.cmp(&other.seen);
            let by_version = || compare_versions(&one.name, &other.name);
            let second = if has_versions { by_version() } else { by_time() };
            place.cmp(other_place).then(second).then_with(|| one.name.cmp(&other.name))
        });
        let mut list: Vec<Release> = list.into_iter().map(|(_, release)| release).collect();
        for release in &mut list {
            let members: Vec<&Build> =
                release.builds.iter().filter_map(|at| builds.get(*at)).collect();
            release.exposure =
                exposure.and_then(|exposure| exposure.of_release(&release.name, &members));
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
        Self { list, by, place }
    }

    /// Where in the list the release of a build stands.
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
    fn without_a_version_of_each_the_first_dump_orders() {
        let builds = [build("bbbbbb", Some("1.9"), 9, 1), build("aaaaaa", None, 20, 1)];
        let releases = Releases::of("app", &builds, None, None);
        assert_eq!(names(&releases), ["bbbbbb", "aaaaaa"]);
        assert_eq!(releases.by, OrderedBy::FirstDump);
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
        assert_eq!(Exposure::parse("a,1\nb,x").unwrap_err().line, 2);
        assert_eq!(Exposure::parse("a,-1\nb").unwrap_err().line, 2);
    }
}
