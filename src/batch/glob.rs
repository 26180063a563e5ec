//! Patterns that the shell was kept from expanding: `'cores/*/core.*'`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Paths that one pattern may give.
const MOST: usize = 10_000_000;

/// Whether `path` has a character that patterns give a meaning.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// The directory that a pattern names before its first name that is a pattern.
pub(super) fn start(pattern: &Path) -> PathBuf {
    let names = pattern.components().map(|name| Path::new(name.as_os_str()));
    let start: PathBuf = names.take_while(|name| !is_pattern(name)).collect();
    if start.as_os_str().is_empty() { PathBuf::from(".") } else { start }
}

/// The paths that are there and fit, by name. `*`, `?` and `[a-z]` stand within one name
/// and do not stand for a dot at its start.
pub(super) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            paths.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        if !is_pattern(Path::new(name)) {
            paths.iter_mut().for_each(|path| path.push(name));
            paths.retain(|path| path.symlink_metadata().is_ok());
            continue;
        }
        let inside = paths.iter().flat_map(|path| fitting(path, name));
        paths = inside.take(MOST).collect();
    }
    paths
}

fn fitting(directory: &Path, pattern: &OsStr) -> Vec<PathBuf> {
    let place = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names: Vec<_> =
        names.filter(|name| fits(pattern.as_bytes(), name.as_bytes())).collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    // Where to go on if the last `*` takes one byte more.
    let (mut pattern, mut name) = (pattern, name);
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (pattern, name) {
            ([], []) => return true,
            ([b'*', rest @ ..], _) => {
                again = Some((rest, name));
                pattern = rest;
                continue;
            }
            ([b'?', p @ ..], [_, n @ ..]) => Some((p, n)),
            ([b'[', p @ ..], [byte, n @ ..]) => match class(p, *byte) {
                Some((p, true)) => Some((p, n)),
                Some((_, false)) => None,
                None => (*byte == b'[').then_some((p, n)),
            },
            ([p, pattern @ ..], [n, name @ ..]) if p == n => Some((pattern, name)),
            _ => None,
        };
        match (step, again) {
            (Some(next), _) => (pattern, name) = next,
            (None, Some((rest, [_, left @ ..]))) => {
                again = Some((rest, left));
                (pattern, name) = (rest, left);
            }
            (None, _) => return false,
        }
    }
}

/// What follows a class, and whether `byte` is in it; `None` if it has no end.
fn class(pattern: &[u8], byte: u8) -> Option<(&[u8], bool)> {
    let (negated, mut rest) = match pattern {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut is_in, mut first) = (false, true);
    loop {
        rest = match rest {
            [b']', rest @ ..] if !first => return Some((rest, is_in != negated)),
            [low, b'-', high, rest @ ..] if *high != b']' => {
                is_in |= (*low..=*high).contains(&byte);
                rest
            }
            [one, rest @ ..] => {
                is_in |= *one == byte;
                rest
            }
            [] => return None,
        };
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let fit = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        assert!(fit("core.*", "core.1234") && fit("*", "x") && fit("*a*b", "xaybzab"));
        assert!(fit("c?re", "core") && fit("core.[0-9]", "core.7") && fit("[]x]", "]"));
        assert!(fit("[!a]b", "xb") && !fit("[!a]b", "ab") && !fit("core", "cores"));
        assert!(!fit("*", ".hidden") && fit(".*", ".hidden") && !fit("?", ""));
    }

    #[test]
    fn what_is_no_pattern_to_a_shell_stands_for_itself() {
        let fit = |pattern: &[u8], name: &[u8]| fits(pattern, name);
        assert!(fit(b"core[", b"core[") && fit(b"core.{1,2}*", b"core.{1,2}"));
        assert!(!fit(b"core.{1,2}", b"core.1") && !fit(b"[z-a]", b"b"));
        assert!(fit(b"core.*", b"core.\xff") && fit(b"core.?", b"core.\xff"));
    }

    #[test]
    fn what_fits_is_given_by_name() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b/core.2", "a/core.1", "a/other"] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = expand(&directory.path().join("*/core.*"));
        let found: Vec<_> =
            found.iter().map(|path| path.strip_prefix(directory.path()).unwrap()).collect();
        assert_eq!(found, [Path::new("a/core.1"), Path::new("b/core.2")]);
        assert!(expand(&directory.path().join("*/nothing")).is_empty());
    }
}
