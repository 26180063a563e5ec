//! Which files are there.

use std::fs;
use std::path::{Path, PathBuf};

/// A file that may be a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As found.
    pub path: PathBuf,
}

/// The files of `paths` and below them, in the order of their names.
pub fn walk(paths: &[PathBuf]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for path in paths {
        below(path, 0, &mut found);
    }
    found
}

fn below(path: &Path, depth: usize, found: &mut Vec<Candidate>) {
    const DEEPEST: usize = 64;
    if !path.is_dir() {
        found.push(Candidate { path: path.to_owned() });
        return;
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut inside: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside.iter().filter(|_| depth < DEEPEST) {
        below(path, depth + 1, found);
    }
}
