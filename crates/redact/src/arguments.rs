//! One word of a command line: the part that names an option, and the part that may be
//! anything.

use super::Level;

/// `(shown, hidden)`; `hidden` is empty where there is nothing to hide.
///
/// `-pSECRET` is how mysql takes a password, so of a short option only its letter is
/// shown. The strict policy hides whole words.
pub(super) fn split(word: &str, level: Level) -> (&str, &str) {
    if level == Level::Strict {
        return ("", word);
    }
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or_default();
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        return match long.contains('=') {
            _ if !is_name || name.len() > LONGEST_NAME => ("", word),
            true => word.split_at("--".len() + name.len() + 1),
            false => (word, ""),
        };
    }
    let mut chars = word.chars();
    match (chars.next(), chars.next()) {
        (Some('-'), None) => (word, ""),
        (Some('-'), Some(letter)) if letter.is_ascii_alphanumeric() => word.split_at(2),
        _ => ("", word),
    }
}

/// Bytes of an option's name; what is longer is data that happens to start with dashes.
const LONGEST_NAME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_option_is_kept_and_the_rest_hidden() {
        let cases = [
            ("--verbose", ("--verbose", "")),
            ("--key=a=b", ("--key=", "a=b")),
            ("--empty=", ("--empty=", "")),
            ("--two words", ("", "--two words")),
            ("-x", ("-x", "")),
            ("-xfile", ("-x", "file")),
            ("-é", ("", "-é")),
            ("-", ("-", "")),
            ("--", ("--", "")),
            ("plain", ("", "plain")),
            ("", ("", "")),
        ];
        for (word, parts) in cases {
            assert_eq!(split(word, Level::Default), parts, "{word}");
        }
        assert_eq!(split("--verbose", Level::Strict), ("", "--verbose"));
    }
}
