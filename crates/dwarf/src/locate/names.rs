//! Names that a core, a link section or DWARF gives are hints. Here they become paths,
//! or are refused: no path leaves the directory it was to be found in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// `PATH_MAX` of Linux: no longer name can be opened.
const LONGEST_NAME: usize = 4096;
/// Bytes of a refused name that a notice repeats.
const LONGEST_QUOTE: usize = 256;

/// Why a name is not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadName(pub(super) &'static str);

/// `bytes` as a path, if a file may be called so.
pub(super) fn path_of(bytes: &[u8]) -> Result<&Path, BadName> {
    if bytes.is_empty() {
        return Err(BadName("the name is empty"));
    }
    if bytes.len() > LONGEST_NAME {
        return Err(BadName("the name is too long"));
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err(BadName("the name holds control characters"));
    }
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

/// `bytes` as a path that goes down only: relative, without any `..`.
pub(super) fn descending(bytes: &[u8]) -> Result<&Path, BadName> {
    let path = path_of(bytes)?;
    if path.is_absolute() {
        return Err(BadName("the name is absolute where a relative one belongs"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(BadName("the name climbs out of its directory"));
    }
    Ok(path)
}

/// A refused name as a path for a notice, cut to a length that can be shown.
pub(super) fn quoted(bytes: &[u8]) -> PathBuf {
    let shown = bytes.get(..LONGEST_QUOTE).unwrap_or(bytes);
    PathBuf::from(OsStr::from_bytes(shown))
}

/// `name` seen from `base`, with `.` and `..` worked out by the letter. `None` when it
/// climbs above the start of `base`: with an empty base, out of the base itself.
pub(super) fn resolve(base: &Path, name: &Path) -> Option<PathBuf> {
    let mut path = base.to_path_buf();
    for part in name.components() {
        match part {
            Component::Prefix(_) => return None,
            Component::RootDir => path = PathBuf::from("/"),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::Normal(name) => path.push(name),
        }
    }
    Some(path)
}

/// Whether `path` lies below the directory `root`. Nothing lies below the empty path:
/// to `Path::starts_with` everything would.
pub(super) fn is_below(root: &Path, path: &Path) -> bool {
    !root.as_os_str().is_empty() && path.starts_with(root)
}

/// The path below `root` that a process with that root calls `path`.
pub(super) fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// `path` with the first rule applied whose left side is a leading part of it.
pub(super) fn substituted(rules: &[(PathBuf, PathBuf)], path: &Path) -> Option<PathBuf> {
    rules.iter().find_map(|(from, to)| {
        let rest = path.strip_prefix(from).ok()?;
        Some(if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) })
    })
}

/// `path` with `suffix` put behind its last letter.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_goes_down_is_a_path() {
        assert_eq!(descending(b".debug/a.debug"), Ok(Path::new(".debug/a.debug")));
    }

    #[test]
    fn absolute_climbing_empty_long_and_control_names_are_refused() {
        for name in [&b"/etc/passwd"[..], b"../a", b"a/../b", b"", &[b'a'; 5000], b"a\x1b[0m"] {
            assert!(descending(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn resolving_never_passes_the_root() {
        let at = |base: &str, name: &str| resolve(Path::new(base), Path::new(name));
        assert_eq!(at("/a/b", "../c"), Some("/a/c".into()));
        assert_eq!(at("/a", "../../c"), None);
        assert_eq!(at("/", "/bin/../lib/x"), Some("/lib/x".into()));
        assert_eq!(at("", "a/../../b"), None);
    }

    #[test]
    fn nothing_lies_below_the_empty_path() {
        // The parent of an executable given as `prog`.
        assert!(!is_below(Path::new(""), Path::new("/etc/passwd")));
        assert!(is_below(Path::new("/a"), Path::new("/a/b")));
        assert!(!is_below(Path::new("/a"), Path::new("/ab")));
    }

    #[test]
    fn a_substitution_takes_whole_components_only() {
        let rules = [("/build".into(), "/src".into())];
        assert_eq!(substituted(&rules, Path::new("/build/a.c")), Some("/src/a.c".into()));
        assert_eq!(substituted(&rules, Path::new("/builder/a.c")), None);
    }
}
