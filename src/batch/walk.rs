//! Which files are there.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

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

/// The first of `paths`, if none of them is there: nothing can come of a batch then.
pub fn first_of_none(paths: &[PathBuf]) -> Option<&Path> {
    let is_there = |path: &PathBuf| {
        path.symlink_metadata().is_ok() || glob::is_pattern(path) && !glob::expand(path).is_empty()
    };
    paths.first().map(PathBuf::as_path).filter(|_| !paths.iter().any(is_there))
}

type Entered = HashSet<(u64, u64)>;

fn one(path: PathBuf, named: bool, entered: &mut Entered, take: &mut dyn FnMut(FoundFile)) {
    if path.is_dir() {
        below(&path, entered, take);
    } else {
        take(FoundFile { path, named, unread: None });
    }
}

fn below(directory: &Path, entered: &mut Entered, take: &mut dyn FnMut(FoundFile)) {
    let all = WalkDir::new(directory).follow_links(true).max_depth(DEEPEST + 1).sort_by_file_name();
    let is_new = |entry: &DirEntry| {
        let metadata = if entry.file_type().is_dir() { entry.metadata().ok() } else { None };
        metadata.is_none_or(|metadata| entered.insert((metadata.dev(), metadata.ino())))
    };
    for entry in all.into_iter().filter_entry(is_new) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                take(FoundFile { path: entry.into_path(), named: false, unread: None });
            }
            // Into a directory that it is in.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(directory).to_owned();
                // A link to nothing or to itself is a file that cannot be read.
                let unread = if path.is_dir() { error.into_io_error() } else { None };
                take(FoundFile { path, named: false, unread });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        walk([directory.path().to_owned()], &mut |one| found.push(one.path));
        assert_eq!(found, [deep.join(odd)]);
    }

    #[test]
    fn a_link_beside_what_it_leads_to_counts_it_once_and_one_to_nothing_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("b")).unwrap();
        fs::write(root.join("b/core.1"), "").unwrap();
        std::os::unix::fs::symlink("b", root.join("a")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("c")).unwrap();
        assert_eq!(found(root), ["a/core.1", "c"]);
        // Given twice, it is found once.
        let mut again = Vec::new();
        walk([root.join("b"), root.to_owned()], &mut |one| again.push(one.path));
        assert_eq!(again, [root.join("b/core.1"), root.join("c")]);
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_told_and_the_others_are_read() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("b"), "").unwrap();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        let mut found = Vec::new();
        walk([root.to_owned()], &mut |one| {
            found.push((one.path.file_name().unwrap().to_owned(), one.unread.is_some()));
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
        walk([odd.clone(), directory.path().join("core*")], &mut |one| {
            found.push((one.path, one.named));
        });
        assert_eq!(found, [(odd.clone(), true), (odd, false)]);
    }
}
