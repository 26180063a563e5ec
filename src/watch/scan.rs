//! What is in the directories, whether or not an event reported it.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::arrivals::{Arrivals, State};
use super::directories::{Directories, Watch};
use crate::batch::{FoundFile, look_up, walk_directories};

/// Searches after which new directories wait for the next one: someone makes them faster than
/// they are searched.
const ROUNDS: usize = 4;

/// Searches the directories that the user named, by the rules of a batch.
#[derive(Debug)]
pub(super) struct Scan<'s> {
    pub(super) roots: &'s [PathBuf],
    /// Follow links out of them.
    pub(super) follow: bool,
    /// `None` where the system has no inotify.
    pub(super) directories: &'s mut Option<Directories>,
    pub(super) arrivals: &'s mut Arrivals,
    /// Directories that cannot be watched, and why; only searches see what is in them.
    pub(super) unwatched: &'s mut BTreeSet<PathBuf>,
    /// Ends a search early.
    pub(super) stop: &'s AtomicBool,
}

impl Scan<'_> {
    /// Looks at all that is there, and watches the directories that are new. Gives why some
    /// cannot be watched that could not be before, in sentences.
    pub(super) fn all(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            let (there, is_new) = self.search(None, &mut problems);
            if self.is_stopped() {
                break;
            }
            self.arrivals.keep(&there);
            // What came into a new directory before it was watched is found by another search.
            if !is_new {
                break;
            }
        }
        problems
    }

    /// The same for directories below those that the user named. None is searched twice in one
    /// round, also if it is within another.
    pub(super) fn below(&mut self, directories: &BTreeSet<PathBuf>) -> Vec<String> {
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            let is_new = self.search(Some(directories), &mut problems).1;
            if !is_new || self.is_stopped() {
                break;
            }
        }
        problems
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The files that are there, and whether a directory is watched from now on.
    fn search(
        &mut self,
        only: Option<&BTreeSet<PathBuf>>,
        problems: &mut Vec<String>,
    ) -> (HashSet<PathBuf>, bool) {
        let mut there = HashSet::new();
        let now = Instant::now();
        let arrivals = &mut *self.arrivals;
        let mut take = |found: FoundFile| {
            if found.not_read.is_some() {
                return;
            }
            let Ok(metadata) = fs::metadata(&found.path) else { return };
            // Of FIFOs and devices a batch says what it has to say when they are named.
            if metadata.is_file() {
                arrivals.found(&found.path, State::of(&metadata), now);
                there.insert(found.path);
            }
        };
        let (roots, directories, unwatched) =
            (self.roots, &mut *self.directories, &mut *self.unwatched);
        let mut is_new = false;
        let mut enter = |directory: &Path| {
            let Some(watching) = directories else { return };
            let is_named = roots.iter().any(|root| root == directory);
            match watching.watch(directory, is_named) {
                Ok(Watch::New) => {
                    is_new = true;
                    unwatched.remove(directory);
                }
                Ok(Watch::Known) => {}
                Err(error) => {
                    if unwatched.insert(directory.to_owned()) {
                        let path = directory.display();
                        problems.push(format!("{path} is searched now and then only: {error}"));
                    }
                }
            }
        };
        let (follow, stop) = (self.follow, self.stop);
        let is_stopped = || stop.load(Ordering::SeqCst);
        match only {
            None => {
                walk_directories(roots.to_vec(), follow, &mut take, &mut enter, &is_stopped);
            }
            Some(some) => {
                let some = some.iter().cloned();
                look_up(roots, some, follow, &mut take, &mut enter, &is_stopped);
            }
        }
        (there, is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn directories_within_are_watched_and_links_out_are_not_entered() {
        let root = tempfile::tempdir().unwrap();
        let (given, other) = (root.path().join("given"), root.path().join("other"));
        fs::create_dir_all(given.join("a/b")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("core.1"), "x").unwrap();
        fs::write(given.join("a/b/core.2"), "x").unwrap();
        std::os::unix::fs::symlink(&other, given.join("link")).unwrap();
        std::os::unix::fs::symlink(other.join("core.1"), given.join("core.3")).unwrap();
        let (mut directories, mut arrivals) =
            (Some(Directories::new().unwrap()), Arrivals::new(Duration::ZERO));
        let mut unwatched = BTreeSet::new();
        let mut scan = Scan {
            roots: std::slice::from_ref(&given),
            follow: false,
            directories: &mut directories,
            arrivals: &mut arrivals,
            unwatched: &mut unwatched,
            stop: &AtomicBool::new(false),
        };
        assert_eq!(scan.all(), [] as [String; 0]);
        let taken = arrivals.take(9);
        assert_eq!(
            taken.iter().map(|one| &one.path).collect::<Vec<_>>(),
            [&given.join("a/b/core.2")]
        );
        fs::rename(other.join("core.1"), given.join("a/b/core.4")).unwrap();
        assert_eq!(directories.unwrap().happened().unwrap().len(), 1);
    }

    #[test]
    fn a_search_that_is_stopped_forgets_nothing_and_enters_nothing() {
        let root = tempfile::tempdir().unwrap();
        let given = root.path().to_owned();
        fs::create_dir(given.join("a")).unwrap();
        fs::write(given.join("a/core.1"), "x").unwrap();
        let mut arrivals = Arrivals::new(Duration::ZERO);
        let mut unwatched = BTreeSet::new();
        let stop = AtomicBool::new(false);
        let mut scan = |stop: &AtomicBool, only: Option<&str>| {
            let mut scan = Scan {
                roots: std::slice::from_ref(&given),
                follow: false,
                directories: &mut None,
                arrivals: &mut arrivals,
                unwatched: &mut unwatched,
                stop,
            };
            let problems = match only {
                Some(only) => scan.below(&BTreeSet::from([given.join(only)])),
                None => scan.all(),
            };
            assert_eq!(problems, [] as [String; 0]);
            arrivals.waiting() + arrivals.ready()
        };
        assert_eq!(scan(&stop, None), 1);
        fs::create_dir(given.join("b")).unwrap();
        fs::write(given.join("b/core.2"), "x").unwrap();
        stop.store(true, Ordering::SeqCst);
        assert_eq!(scan(&stop, Some("b")), 1);
        assert_eq!(scan(&stop, None), 1);
        stop.store(false, Ordering::SeqCst);
        assert_eq!(scan(&stop, Some("b")), 2);
    }
}
