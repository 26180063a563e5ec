//! Which builds of a program are releases, and why the others are none.
//!
//! A core that was cut before the build ID, or one build of a developer's, would otherwise
//! become the newest release, and with it every group "not seen in the newest release".

use super::build::Build;

/// Dumps that make a build without a version a release where others have versions.
const DUMPS_AMONG_VERSIONS: u64 = 5;
/// Dumps that make a build the newest release where no build has a version.
const DUMPS_OF_NEWEST: u64 = 3;
/// So many in a hundred of the program's dumps do so, too.
const SHARE_OF_NEWEST: u64 = 10;

/// Why a build is no release of its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unplaced {
    /// Nothing identifies it.
    NoBuildId,
    /// A developer's.
    Local,
    /// It has no version, and hardly any dumps.
    FewDumps,
}

impl Unplaced {
    /// Its word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NoBuildId => "no-build-id",
            Self::Local => "local-build",
            Self::FewDumps => "few-dumps",
        }
    }

    /// For people.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoBuildId => "neither a build ID nor a version is known",
            Self::Local => "local build: in a personal, temporary or build directory, on one host",
            Self::FewDumps => "no version, and too few dumps to be a release",
        }
    }
}

/// Whether builds are releases, for all that have dumps and that the user does not list.
pub(super) struct Placement {
    has_versions: bool,
    has_deployed: bool,
    is_any_identified: bool,
    dumps: u64,
    newest: Option<i64>,
}

impl Placement {
    /// Among `builds`, which are those of one program.
    pub(super) fn among<'b>(builds: impl Iterator<Item = &'b Build> + Clone) -> Self {
        let dumps = builds.clone().map(|build| build.dumps).sum();
        let is_lone = |build: &Build| is_lone(build, dumps);
        Self {
            has_versions: builds.clone().any(|build| build.version.is_some() && !is_lone(build)),
            has_deployed: builds.clone().any(|build| !is_lone(build) && is_identified(build)),
            is_any_identified: builds.clone().any(is_identified),
            dumps,
            newest: builds.clone().filter(|b| is_identified(b)).filter_map(begin).max(),
        }
    }

    /// Whether versions order the releases.
    pub(super) fn has_versions(&self) -> bool {
        self.has_versions
    }

    /// Why `build` is no release; `None` if it is one.
    pub(super) fn objection(&self, build: &Build) -> Option<Unplaced> {
        if !is_identified(build) {
            return self.is_any_identified.then_some(Unplaced::NoBuildId);
        }
        if is_lone(build, self.dumps) && self.has_deployed {
            return Some(Unplaced::Local);
        }
        if build.version.is_some() && self.has_versions {
            return None;
        }
        let is_of_several_hosts = build.hosts > 1;
        let is_release = if self.has_versions {
            build.dumps >= DUMPS_AMONG_VERSIONS && build.hosts != 1
        } else {
            begin(build) < self.newest
                || is_of_several_hosts
                || build.dumps >= DUMPS_OF_NEWEST
                || build.dumps * 100 >= self.dumps * SHARE_OF_NEWEST
        };
        (!is_release).then_some(Unplaced::FewDumps)
    }
}

/// When its dumps began.
fn begin(build: &Build) -> Option<i64> {
    build.settled.or(build.seen.map(|(first, _)| first))
}

fn is_identified(build: &Build) -> bool {
    !build.id.is_empty() || build.version.is_some()
}

/// Run by one person, as far as is known: on one host or, where hosts are not known, with few
/// of the program's `dumps`.
fn is_lone(build: &Build, dumps: u64) -> bool {
    let is_rare = || build.dumps * 100 < dumps * SHARE_OF_NEWEST;
    build.is_local && (build.hosts == 1 || (build.hosts == 0 && is_rare()))
}

/// Directories of people and of what is thrown away.
const LOCAL_ROOTS: &[&str] = &["/home/", "/root/", "/tmp/", "/var/tmp/", "/Users/"];
/// Directories that build tools write to.
const BUILD_TREES: &[&str] = &[
    "target/debug",
    "target/release",
    "bazel-bin",
    "bazel-out",
    "cmake-build-debug",
    "cmake-build-release",
    "build",
    "builddir",
    "_build",
    ".libs",
    "out/Debug",
    "out/Release",
];

/// Whether a program at `path` was built or unpacked there by a person, rather than
/// installed.
pub(crate) fn is_local_path(path: &str) -> bool {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let directory = format!("{directory}/");
    LOCAL_ROOTS.iter().any(|root| path.starts_with(root))
        || BUILD_TREES.iter().any(|tree| directory.contains(&format!("/{tree}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_shows_whether_a_program_was_installed() {
        for path in [
            "/home/ann/src/app/app",
            "/srv/src/app/target/debug/app",
            "/srv/src/app/build/bin/app",
            "/tmp/a.out",
            "/work/x/.libs/lt-app",
        ] {
            assert!(is_local_path(path), "{path}");
        }
        for path in
            ["/opt/app/2.1/bin/app", "/usr/bin/app", "/opt/build-server/bin/app", "/opt/app/build"]
        {
            assert!(!is_local_path(path), "{path}");
        }
    }

    #[test]
    fn a_build_is_a_release_by_its_version_or_by_what_it_was_seen_to_do() {
        let build = |id: &str, version: &str, first: i64, dumps: u64, hosts: usize| Build {
            id: id.to_owned(),
            version: Some(version.to_owned()).filter(|version| !version.is_empty()),
            seen: Some((first, first + 9)),
            dumps,
            hosts,
            ..Build::default()
        };
        let versions = [build("a", "1.0", 1, 40, 3), build("b", "2.0", 5, 30, 3)];
        let objection = |others: &[Build], one: Build| {
            let all = || others.iter().chain([&one]);
            Placement::among(all()).objection(&one)
        };
        let local = |build: Build| Build { is_local: true, ..build };
        for (one, expected) in [
            (build("c", "", 9, 1, 1), Some(Unplaced::FewDumps)),
            (build("c", "", 9, 50, 1), Some(Unplaced::FewDumps)),
            (build("c", "", 9, 50, 4), None),
            (build("c", "", 9, 50, 0), None),
            (build("c", "3.0", 9, 1, 1), None),
            (build("", "", 9, 30, 3), Some(Unplaced::NoBuildId)),
            (build("", "2.0", 9, 3, 3), None),
            (local(build("c", "2.1", 9, 3, 1)), Some(Unplaced::Local)),
            (local(build("c", "2.1", 9, 30, 4)), None),
            (local(build("c", "2.1", 9, 5, 0)), Some(Unplaced::Local)),
            (local(build("c", "2.1", 9, 30, 0)), None),
        ] {
            assert_eq!(objection(&versions, one.clone()), expected, "{one:?}");
        }
        let plain = [build("a", "", 1, 40, 3), build("b", "", 5, 30, 3)];
        for (one, expected) in [
            (build("c", "", 9, 1, 1), Some(Unplaced::FewDumps)),
            (build("c", "", 9, 3, 1), None),
            (build("c", "", 9, 2, 2), None),
            (build("c", "", 3, 1, 1), None),
            (local(build("c", "", 9, 8, 1)), Some(Unplaced::Local)),
        ] {
            assert_eq!(objection(&plain, one.clone()), expected, "{one:?}");
        }
    }

    #[test]
    fn where_there_is_nothing_else_any_build_is_a_release() {
        let local =
            Build { id: "a".to_owned(), is_local: true, dumps: 1, hosts: 1, ..Build::default() };
        let unknown = Build { dumps: 3, ..Build::default() };
        for one in [local, unknown] {
            assert_eq!(Placement::among([&one].into_iter()).objection(&one), None);
        }
    }
}
