//! Versions: found in a path, and put in order.

use std::cmp::Ordering;

/// The version that a program's path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathVersion {
    /// `2.1`, `2.1-rc1`.
    pub version: String,
    /// What follows it: `release`, `debug`. Empty where nothing does.
    pub variant: String,
}

/// Words that belong to a version rather than to how it was built.
const STAGES: &[&str] = &["alpha", "beta", "dev", "git", "pre", "preview", "rc", "snapshot"];

/// The version named by the innermost directory that names one, or by the file: a number
/// with at least one dot, at the start or after a dash or an underscore.
///
/// `/opt/app/2.1-release/bin/app` is version `2.1`, variant `release`.
pub(crate) fn version_of_path(path: &str) -> Option<PathVersion> {
    path.split('/').rev().find_map(version_of_name)
}

fn version_of_name(name: &str) -> Option<PathVersion> {
    let starts = name
        .char_indices()
        .filter(|(at, _)| *at == 0 || name[..*at].ends_with(['-', '_']) || is_v_prefix(name, *at));
    let (start, length) = starts
        .map(|(at, _)| (at, number_length(&name[at..])))
        .find(|(at, length)| name[*at..*at + *length].contains('.'))?;
    let mut end = start + length;
    // `-rc1`, `-3`, `+git20240101` go on with the version.
    loop {
        let rest = &name[end..];
        let Some(after) = rest.strip_prefix(['-', '_', '~', '+', '.']) else { break };
        let word_ends = after.find(['-', '_', '~', '+', '.']).unwrap_or(after.len());
        let word = after[..word_ends].to_ascii_lowercase();
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let stage = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if !is_number && !STAGES.contains(&stage) {
            break;
        }
        end += 1 + word_ends;
    }
    let variant = name[end..].trim_start_matches(['-', '_', '~', '+', '.']);
    Some(PathVersion { version: name[start..end].to_owned(), variant: variant.to_owned() })
}

/// `v2.1`: the number after a `v` that starts a word.
fn is_v_prefix(name: &str, at: usize) -> bool {
    let before = &name[..at];
    before == "v" || before.ends_with("-v") || before.ends_with("_v")
}

/// Bytes of the digits and the dots between them that `text` starts with.
fn number_length(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.').len()
}

/// Older before newer: numbers by value, words by the alphabet, and a stage before its
/// release (`2.0-rc1` before `2.0`), as packagers order them.
pub(crate) fn compare_versions(one: &str, other: &str) -> Ordering {
    let (one_parts, other_parts) = (parts(one), parts(other));
    for at in 0..one_parts.len().max(other_parts.len()) {
        let order = match (one_parts.get(at), other_parts.get(at)) {
            (Some(one), Some(other)) => one.cmp(other),
            (Some(part), None) => beyond(part),
            (None, Some(part)) => beyond(part).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.cmp(other)
}

/// One part of a version, in the order of the variants.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Stage(String),
    Word(String),
    /// Digits without leading zeros: the longer is the larger.
    Number(usize, String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = version.strip_prefix('v').unwrap_or(version);
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let same = |c: char| c.is_alphanumeric() && c.is_ascii_digit() == is_digit;
        if !first.is_alphanumeric() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(|c: char| !same(c)).unwrap_or(rest.len());
        let text = rest[..end].to_ascii_lowercase();
        parts.push(if is_digit {
            let digits = text.trim_start_matches('0');
            Part::Number(digits.len(), digits.to_owned())
        } else if STAGES.contains(&text.as_str()) {
            Part::Stage(text)
        } else {
            Part::Word(text)
        });
        rest = &rest[end..];
    }
    parts
}

/// How a version that continues with `part` compares to the one that ended before it.
fn beyond(part: &Part) -> Ordering {
    if matches!(part, Part::Stage(_)) { Ordering::Less } else { Ordering::Greater }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_a_version_and_how_it_was_built() {
        for (path, version, variant) in [
            ("/opt/app/2.1-release/bin/app", "2.1", "release"),
            ("/opt/app-1.10.3/bin/app", "1.10.3", ""),
            ("/srv/app/v2.0-rc1/app", "2.0-rc1", ""),
            ("/nix/store/abc123-shop-3.2.1-debug/bin/shop", "3.2.1", "debug"),
            ("/srv/app/2.1-3_clang/app", "2.1-3", "clang"),
        ] {
            let found = version_of_path(path).unwrap();
            assert_eq!((found.version.as_str(), found.variant.as_str()), (version, variant));
        }
    }

    #[test]
    fn a_name_that_merely_ends_in_digits_is_no_version() {
        for path in ["/usr/bin/python3.11", "/usr/lib64/app", "/srv/app-7/app", "/home/u/a.out", ""]
        {
            assert_eq!(version_of_path(path), None, "{path}");
        }
    }

    #[test]
    fn versions_are_ordered_as_packagers_order_them() {
        let ordered = ["0.9", "1.0-rc1", "1.0-rc2", "1.0", "1.0.1", "1.2", "1.10", "2.0", "10.0"];
        for pair in ordered.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare_versions(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare_versions("1.0", "1.0"), Ordering::Equal);
    }
}
