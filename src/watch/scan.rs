//! What is in the directories, whether or not an event reported it.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
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
}

impl Scan<'_> {
    /// Looks at all that is there, and watches the directories that are new. Gives why some
    /// cannot be watched that could not be before, in sentences.
    pub(super) fn all(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            let (there, is_new) = self.search(None, &mut problems);
            self.arrivals.keep(&there);
            // What came into a new directory before it was watched is found by another search.
            if !is_new {
                break;
            }
        }
        problems
    }

    /// The same for a directory below those that the user named.
    pub(super) fn below(&mut self, directory: &Path) -> Vec<String> {
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            if !self.search(Some(directory), &mut problems).1 {
                break;
            }
        }
        problems
    }

    /// The files that are there, and whether a directory is watched from now on.
    fn search(
        &mut self,
        only: Option<&Path>,
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
        match only {
            None => walk_directories(roots.to_vec(), self.follow, &mut take, &mut enter),
            Some(one) => look_up(roots, [one.to_owned()], self.follow, &mut take, &mut enter),
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
}
