//! Which files are there.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::glob;
use super::system_directory;

/// Directories within directories that are entered.
const DEEPEST: usize = 256;
/// Files and directories that are looked at in one run.
const MOST: u64 = 20_000_000;

/// A file that may be a core, or a directory that could not be read.
#[derive(Debug)]
pub struct FoundFile {
    /// As given, or below what was given.
    pub path: PathBuf,
    /// It was given itself, and not found in a directory or by a pattern.
    pub named: bool,
    /// Why it is not read, if that is known already.
    pub not_read: Option<NotRead>,
}

/// Why a file or a directory that was found is not read.
#[derive(Debug)]
pub enum NotRead {
    /// The system says no.
    Unread(io::Error),
    /// A link that leads out of the directories that were given.
    LinkOutside,
    /// A link that someone else put where everybody may put one.
    LinkOfOther,
    /// A directory of the kernel, such as `/proc`.
    System,
    /// A directory within too many others.
    TooDeep,
    /// There is more than one run looks at; this is the first that it leaves out.
    TooMany,
}

/// Hands the files of `paths` and below them to `take`: what is given in its order, what is
/// in a directory by name. No directory is entered twice.
///
/// What is given may be a link. One that is found is followed within the directories that
/// were given; out of them if `follow` says so.
pub fn walk(
    paths: impl IntoIterator<Item = PathBuf>,
    follow: bool,
    take: &mut dyn FnMut(FoundFile),
) {
    walk_directories(paths, follow, take, &mut |_| {}, &|| false);
}

/// The same, and each directory that is searched is handed to `enter`. Its names may have
/// been read by then. It ends early when `is_stopped` gives true.
pub fn walk_directories(
    paths: impl IntoIterator<Item = PathBuf>,
    follow: bool,
    take: &mut dyn FnMut(FoundFile),
    enter: &mut dyn FnMut(&Path),
    is_stopped: &dyn Fn() -> bool,
) {
    let paths: Vec<PathBuf> = paths.into_iter().collect();
    let is_given_pattern = |path: &Path| path.symlink_metadata().is_err() && glob::is_pattern(path);
    let roots = paths.iter().map(|path| match is_given_pattern(path) {
        true => glob::start(path),
        false => path.clone(),
    });
    let roots = roots.filter_map(|root| root.canonicalize().ok()).collect();
    let entered = HashSet::new();
    let mut walk = Walk { roots, follow, entered, left: MOST, take, enter, is_stopped };
    for path in paths {
        if !is_given_pattern(&path) {
            walk.given(path);
            continue;
        }
        let fitting = glob::expand(&path);
        if fitting.is_empty() {
            walk.take(path, true, None);
            continue;
        }
        let start = glob::start(&path);
        for path in fitting {
            walk.fitting(path, &start);
        }
    }
}

/// Hands `found` files, and what is in `found` directories, to `take` as [`walk`] of `roots`
/// does: they were found below `roots`, and anyone may have put a link in their place since.
/// No directory is entered twice. It ends early when `is_stopped` gives true.
pub fn look_up(
    roots: &[PathBuf],
    found: impl IntoIterator<Item = PathBuf>,
    follow: bool,
    take: &mut dyn FnMut(FoundFile),
    enter: &mut dyn FnMut(&Path),
    is_stopped: &dyn Fn() -> bool,
) {
    let real = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
    let entered = HashSet::new();
    let mut walk = Walk { roots: real, follow, entered, left: MOST, take, enter, is_stopped };
    for path in found {
        if is_stopped() {
            return;
        }
        let root = roots.iter().find(|root| path.starts_with(root));
        walk.fitting(path, root.map_or(Path::new("/"), PathBuf::as_path));
    }
}

/// The first of `paths`, if none of them is there: nothing can come of a batch then.
pub fn first_of_none(paths: &[PathBuf]) -> Option<&Path> {
    let is_there = |path: &PathBuf| {
        path.symlink_metadata().is_ok() || glob::is_pattern(path) && !glob::expand(path).is_empty()
    };
    paths.first().map(PathBuf::as_path).filter(|_| !paths.iter().any(is_there))
}

struct Walk<'t> {
    /// What was given, without links.
    roots: Vec<PathBuf>,
    follow: bool,
    /// Device and inode of directories.
    entered: HashSet<(u64, u64)>,
    /// Files and directories that may still be looked at.
    left: u64,
    take: &'t mut dyn FnMut(FoundFile),
    /// Gets each directory that is searched.
    enter: &'t mut dyn FnMut(&Path),
    /// Nothing more is searched then.
    is_stopped: &'t dyn Fn() -> bool,
}

impl Walk<'_> {
    fn take(&mut self, path: PathBuf, named: bool, not_read: Option<NotRead>) {
        (self.take)(FoundFile { path, named, not_read });
    }

    /// A path that the user named.
    fn given(&mut self, path: PathBuf) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.enter(&path, &metadata, 0),
            _ => self.take(path, true, None),
        }
    }

    /// A path that fits a pattern; the names after `start` were found.
    fn fitting(&mut self, path: PathBuf, start: &Path) {
        let found = path.ancestors().take_while(|above| *above != start);
        let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        let mut links: Vec<PathBuf> =
            found.filter(|above| is_link(above)).map(Path::to_owned).collect();
        links.reverse();
        match links.iter().find_map(|link| self.refused(link)) {
            Some(why) => self.take(path, false, Some(why)),
            None => match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.enter(&path, &metadata, 0),
                _ => self.take(path, false, None),
            },
        }
    }

    /// Searches a directory, unless it was searched before.
    fn enter(&mut self, directory: &Path, metadata: &Metadata, depth: usize) {
        if self.entered.insert((metadata.dev(), metadata.ino())) {
            (self.enter)(directory);
            self.below(directory, metadata.dev(), depth);
        }
    }

    /// What is in a directory that is within `depth` others. Links are entered from here, so
    /// that nothing is opened that is not to be read.
    fn below(&mut self, directory: &Path, device: u64, depth: usize) {
        let deepest = DEEPEST.saturating_sub(depth).saturating_add(1);
        let mut all = WalkDir::new(directory).max_depth(deepest).sort_by_file_name().into_iter();
        let is_within_system = system_directory::is_within(directory);
        let mut systems = HashMap::from([(device, false)]);
        while let Some(entry) = all.next() {
            if (self.is_stopped)() {
                return;
            }
            let entry = match entry {
                Ok(entry) if entry.depth() == 0 => continue,
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(directory).to_owned();
                    let unread = if path.is_dir() { error.into_io_error() } else { None };
                    self.take(path, false, unread.map(NotRead::Unread));
                    continue;
                }
            };
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            if left == 0 {
                self.take(entry.into_path(), false, Some(NotRead::TooMany));
                return;
            }
            let (kind, at) = (entry.file_type(), depth.saturating_add(entry.depth()));
            if kind.is_symlink() {
                self.link(entry.into_path(), at);
            } else if kind.is_dir() {
                let metadata = entry.metadata().ok();
                let is_new = metadata
                    .as_ref()
                    .is_none_or(|metadata| self.entered.insert((metadata.dev(), metadata.ino())));
                let is_system = !is_within_system
                    && metadata.is_some_and(|metadata| {
                        system_directory::is_one(entry.path(), &metadata, &mut systems)
                    });
                if !is_new || is_system {
                    all.skip_current_dir();
                }
                if is_system {
                    self.take(entry.into_path(), false, Some(NotRead::System));
                } else if at > DEEPEST {
                    self.take(entry.into_path(), false, Some(NotRead::TooDeep));
                } else if is_new {
                    (self.enter)(entry.path());
                }
            } else {
                self.take(entry.into_path(), false, None);
            }
        }
    }

    /// A link that was found, within `depth` directories.
    fn link(&mut self, path: PathBuf, depth: usize) {
        // One to nothing or to itself is a file that cannot be read.
        let Ok(target) = fs::metadata(&path) else { return self.take(path, false, None) };
        match self.refused(&path) {
            Some(why) => self.take(path, false, Some(why)),
            None if !target.is_dir() => self.take(path, false, None),
            None if depth > DEEPEST => self.take(path, false, Some(NotRead::TooDeep)),
            None => self.enter(&path, &target, depth),
        }
    }

    /// Why a link that was found is not followed.
    fn refused(&self, link: &Path) -> Option<NotRead> {
        let Ok(target) = link.canonicalize() else { return None };
        let root = self.roots.iter().find(|root| target.starts_with(root));
        if root.is_none() && !self.follow {
            return Some(NotRead::LinkOutside);
        }
        let is_given = root.is_some_and(|root| system_directory::is_within(root));
        if system_directory::is_within(&target) && !is_given {
            return Some(NotRead::System);
        }
        is_planted(link, &target).then_some(NotRead::LinkOfOther)
    }
}

/// Whether someone else put the link where everybody may put one, as the kernel decides for
/// itself with `fs.protected_symlinks`: it leads to what he may not be able to read.
fn is_planted(link: &Path, target: &Path) -> bool {
    let parent = link.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = fs::metadata(parent.unwrap_or(Path::new(".")));
    if !parent.is_ok_and(|parent| parent.mode() & 0o002 != 0) {
        return false;
    }
    let (Ok(link), Ok(target)) = (fs::symlink_metadata(link), fs::metadata(target)) else {
        return true;
    };
    let user = rustix::process::geteuid().as_raw();
    ![user, 0, target.uid()].contains(&link.uid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    fn found(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        walk([root.to_owned()], false, &mut |one| {
            found.push(one.path.strip_prefix(root).unwrap().display().to_string());
        });
        found
    }

    #[test]
    fn files_come_by_name_and_links_that_lead_back_end() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("b/core.dir")).unwrap();
        fs::write(root.join("c"), "").unwrap();
        fs::write(root.join("b/core.dir/core.1"), "").unwrap();
        fs::write(root.join("a"), "").unwrap();
        symlink("..", root.join("b/up")).unwrap();
        symlink("self", root.join("self")).unwrap();
        assert_eq!(found(root), ["a", "b/core.dir/core.1", "c", "self"]);
    }

    #[test]
    fn names_of_any_bytes_and_of_any_depth_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let directory = tempfile::tempdir().unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"core.\xff\xfe");
        let mut deep = directory.path().to_owned();
        for _ in 0..100 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join(odd), "").unwrap();
        let mut found = Vec::new();
        walk([directory.path().to_owned()], false, &mut |one| found.push(one.path));
        assert_eq!(found, [deep.join(odd)]);
    }

    #[test]
    fn a_link_beside_what_it_leads_to_counts_it_once_and_one_to_nothing_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("b")).unwrap();
        fs::write(root.join("b/core.1"), "").unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("nowhere", root.join("c")).unwrap();
        assert_eq!(found(root), ["a/core.1", "c"]);
        // Given twice, it is found once.
        let mut again = Vec::new();
        walk([root.join("b"), root.to_owned()], false, &mut |one| again.push(one.path));
        assert_eq!(again, [root.join("b/core.1"), root.join("c")]);
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_reported_and_the_others_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("b"), "").unwrap();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        let mut found = Vec::new();
        walk([root.to_owned()], false, &mut |one| {
            found.push((one.path.file_name().unwrap().to_owned(), one.not_read.is_some()));
        });
        let is_root = fs::read_dir(root.join("a")).is_ok();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o700)).unwrap();
        let wanted: &[(&str, bool)] =
            if is_root { &[("b", false)] } else { &[("a", true), ("b", false)] };
        let found: Vec<_> = found.iter().map(|(n, u)| (n.to_str().unwrap(), *u)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_file_under_a_name_like_a_pattern_is_itself() {
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("core[1]");
        fs::write(&odd, "").unwrap();
        let mut found = Vec::new();
        walk([odd.clone(), directory.path().join("core*")], false, &mut |one| {
            found.push((one.path, one.named));
        });
        assert_eq!(found, [(odd.clone(), true), (odd, false)]);
    }

    /// What is found below `paths`, relative to `root`, and why it is not read.
    fn outcome(root: &Path, paths: &[PathBuf], follow: bool) -> Vec<String> {
        let mut found = Vec::new();
        walk(paths.to_vec(), follow, &mut |one| {
            let path = one.path.strip_prefix(root).unwrap().display().to_string();
            found.push(match one.not_read {
                Some(why) => format!("{path}: {why:?}"),
                None => path,
            });
        });
        found
    }

    #[test]
    fn a_link_out_of_what_was_given_is_followed_only_on_request() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for made in ["given", "other"] {
            fs::create_dir(root.join(made)).unwrap();
            fs::write(root.join(made).join("core.1"), "").unwrap();
        }
        symlink("../other", root.join("given/dir")).unwrap();
        symlink("../other/core.1", root.join("given/file")).unwrap();
        let given = root.join("given");
        let found = outcome(root, std::slice::from_ref(&given), false);
        let wanted = ["given/core.1", "given/dir: LinkOutside", "given/file: LinkOutside"];
        assert_eq!(found, wanted);
        let found = outcome(root, std::slice::from_ref(&given), true);
        assert_eq!(found, ["given/core.1", "given/dir/core.1", "given/file"]);
        // Given too, it is no other place.
        let found = outcome(root, &[given.clone(), root.join("other")], false);
        assert_eq!(found, ["given/core.1", "given/dir/core.1", "given/file"]);
        // What the user names may be a link; what a pattern finds is found.
        let found = outcome(root, &[given.join("dir"), given.join("file")], false);
        assert_eq!(found, ["given/dir/core.1", "given/file"]);
        let found = outcome(root, &[given.join("*/core.*"), given.join("f*")], false);
        assert_eq!(found, ["given/dir/core.1: LinkOutside", "given/file: LinkOutside"]);
    }

    #[test]
    fn a_found_file_that_a_link_replaced_is_refused_as_in_a_walk() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("given");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir(directory.path().join("other")).unwrap();
        fs::write(directory.path().join("other/core.1"), "").unwrap();
        fs::write(root.join("sub/core.2"), "").unwrap();
        symlink("../other/core.1", root.join("core.1")).unwrap();
        symlink("../other", root.join("dir")).unwrap();
        let (mut found, mut entered) = (Vec::new(), Vec::new());
        let paths =
            ["core.1", "dir", "dir/core.1", "sub", "sub/core.2"].map(|name| root.join(name));
        look_up(
            std::slice::from_ref(&root),
            paths,
            false,
            &mut |one| {
                let name = one.path.strip_prefix(&root).unwrap().display().to_string();
                found.push((name, one.named, one.not_read.is_some()));
            },
            &mut |path| entered.push(path.to_owned()),
            &|| false,
        );
        let found: Vec<_> =
            found.iter().map(|(n, named, not)| (n.as_str(), *named, *not)).collect();
        let wanted = [
            ("core.1", false, true),
            ("dir", false, true),
            ("dir/core.1", false, true),
            ("sub/core.2", false, false),
            ("sub/core.2", false, false),
        ];
        assert_eq!(found, wanted);
        assert_eq!(entered, [root.join("sub")]);
    }

    #[test]
    fn no_link_leads_into_a_directory_of_the_kernel() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        symlink("/proc", root.join("p")).unwrap();
        symlink("/proc/self/fd", root.join("q")).unwrap();
        symlink("/dev/zero", root.join("z")).unwrap();
        let found = outcome(root, &[root.to_owned()], true);
        assert_eq!(found, ["p: System", "q: System", "z: System"]);
    }

    #[test]
    fn a_link_that_someone_else_put_where_all_may_write_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let shared = root.join("shared");
        fs::create_dir(&shared).unwrap();
        fs::write(root.join("core.1"), "").unwrap();
        symlink("../core.1", shared.join("core.2")).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        let both = [root.to_owned()];
        assert_eq!(outcome(root, &both, true), ["core.1", "shared/core.2"]);
        // Only root gives files away.
        if lchown(shared.join("core.2"), Some(4242), None).is_ok() {
            assert_eq!(outcome(root, &both, true), ["core.1", "shared/core.2: LinkOfOther"]);
        }
    }

    #[test]
    fn a_directory_within_too_many_others_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let mut deep = directory.path().to_owned();
        (0..=DEEPEST).for_each(|_| deep.push("d"));
        fs::create_dir_all(&deep).unwrap();
        let mut found = Vec::new();
        walk([directory.path().to_owned()], false, &mut |one| {
            found.push((one.path, matches!(one.not_read, Some(NotRead::TooDeep))));
        });
        assert_eq!(found, [(deep, true)]);
    }
}
