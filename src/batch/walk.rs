//! Which files are there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::glob;

/// Directories within directories that are entered.
const DEEPEST: usize = 256;

/// A file that may be a core, or a directory that could not be read.
#[derive(Debug)]
pub struct FoundFile {
    /// As given, or below what was given.
    pub path: PathBuf,
    /// It was given itself, and not found in a directory or by a pattern.
    pub named: bool,
    /// Why the directory could not be read.
    pub unread: Option<io::Error>,
}

/// Hands the files of `paths` and below them to `take`: what is given in its order, what is
/// in a directory by name. Links are followed; no directory is entered twice.
pub fn walk(paths: impl IntoIterator<Item = PathBuf>, take: &mut dyn FnMut(FoundFile)) {
    let mut entered = HashSet::new();
    for path in paths {
        if path.symlink_metadata().is_err() && glob::is_pattern(&path) {
            let fitting = glob::expand(&path);
            if fitting.is_empty() {
                take(FoundFile { path, named: true, unread: None });
            }
            for path in fitting {
                one(path, false, &mut entered, take);
            }
        } else {
            one(path, true, &mut entered, take);
        }
    }
}

type Entered = HashSet<(u64, u64)>;

fn one(path: PathBuf, named: bool, entered: &mut Entered, take: &mut dyn FnMut(FoundFile)) {
    if path.is_dir() {
        below(path, 0, entered, take);
    } else {
        take(FoundFile { path, named, unread: None });
    }
}

fn below(directory: PathBuf, depth: usize, entered: &mut Entered, take: &mut dyn FnMut(FoundFile)) {
    match fs::metadata(&directory) {
        Ok(metadata) if !entered.insert((metadata.dev(), metadata.ino())) => return,
        _ => {}
    }
    let (inside, unread) = inside(&directory);
    for (path, is_directory) in inside {
        if !is_directory {
            take(FoundFile { path, named: false, unread: None });
        } else if depth < DEEPEST {
            below(path, depth + 1, entered, take);
        }
    }
    if unread.is_some() {
        take(FoundFile { path: directory, named: false, unread });
    }
}

/// What is in a directory, by name, and which of it is a directory, links followed.
fn inside(directory: &Path) -> (Vec<(PathBuf, bool)>, Option<io::Error>) {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut unread = None;
    let mut inside = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => {
                let path = entry.path();
                let is_directory = match entry.file_type() {
                    Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                    _ => path.is_dir(),
                };
                inside.push((path, is_directory));
            }
            Err(error) => {
                unread = Some(error);
                break;
            }
        }
    }
    inside.sort();
    (inside, unread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        walk([root.to_owned()], &mut |one| {
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
        std::os::unix::fs::symlink("..", root.join("b/up")).unwrap();
        std::os::unix::fs::symlink("self", root.join("self")).unwrap();
        assert_eq!(found(root), ["a", "b/core.dir/core.1", "c", "self"]);
    }

    #[test]
    fn a_file_under_a_name_like_a_pattern_is_itself() {
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("core[1]");
        fs::write(&odd, "").unwrap();
        let mut found = Vec::new();
        walk([odd.clone(), directory.path().join("core*")], &mut |one| {
            found.push((one.path, one.named));
        });
        assert_eq!(found, [(odd.clone(), true), (odd, false)]);
    }
}
