//! The format of the files of `data/`: a header `[owner condition…]`, then one pattern a
//! line. `#` starts a comment.

use std::collections::HashMap;

use crate::answer::{Language, Owner};

/// One pattern, and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// As the file has it. A `*` stands for any text.
    pub(crate) pattern: &'static str,
    pub(crate) owner: Owner,
    /// The only language whose units it speaks of.
    pub(crate) language: Option<Language>,
    /// Programs call it by name.
    pub(crate) is_called: bool,
    /// An application may well have a function of that name.
    pub(crate) is_weak: bool,
    /// The C library or its loader.
    pub(crate) is_c_library: bool,
}

impl Row {
    fn holds_in(&self, language: Option<Language>) -> bool {
        // Where the language is not known nothing speaks against it.
        self.language.is_none() || language.is_none() || self.language == language
    }

    /// The first byte of every name that fits; `None` if it may be any.
    fn first_byte(&self) -> Option<u8> {
        self.pattern.bytes().next().filter(|byte| *byte != b'*')
    }

    /// Letters that must agree.
    fn weight(&self) -> usize {
        self.pattern.len()
    }
}

/// What cannot be read in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine(pub(crate) String);

/// Reads a file.
///
/// # Errors
/// The first line that is neither header, pattern nor comment.
pub(crate) fn read(text: &'static str) -> Result<Vec<Row>, BadLine> {
    let mut rows = Vec::new();
    let mut head: Option<Row> = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // `[vdso]` is a module.
        let header = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(found) = header.and_then(header_row) {
            head = Some(found);
            continue;
        }
        let head = head.as_ref().ok_or_else(|| BadLine(line.to_owned()))?;
        rows.push(Row { pattern: line, ..head.clone() });
    }
    Ok(rows)
}

fn header_row(header: &'static str) -> Option<Row> {
    let mut words = header.split(' ');
    let mut row = Row {
        pattern: "",
        owner: Owner::from_word(words.next()?)?,
        language: None,
        is_called: false,
        is_weak: false,
        is_c_library: false,
    };
    for word in words {
        match word {
            "any" => row.language = None,
            "c++" => row.language = Some(Language::Cpp),
            "rust" => row.language = Some(Language::Rust),
            "go" => row.language = Some(Language::Go),
            "called" => row.is_called = true,
            "weak" => row.is_weak = true,
            "c-library" => row.is_c_library = true,
            _ => return None,
        }
    }
    Some(row)
}

/// Rows by pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    exact: HashMap<&'static str, Vec<Row>>,
    /// Those with a `*`, the longest first, by the first byte of the names that they may fit.
    open: HashMap<u8, Vec<Row>>,
    /// Those that start with the `*`, the longest first: they may fit any name.
    anywhere: Vec<Row>,
}

impl Table {
    pub(crate) fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut table = Self::default();
        let mut open = Vec::new();
        for row in rows {
            match row.pattern.contains('*') {
                true => open.push(row),
                false => table.exact.entry(row.pattern).or_default().push(row),
            }
        }
        open.sort_by_key(|row| std::cmp::Reverse(row.weight()));
        let starts: Vec<u8> = open.iter().filter_map(Row::first_byte).collect();
        for start in starts {
            let may_fit = |row: &&Row| row.first_byte().is_none_or(|byte| byte == start);
            table
                .open
                .entry(start)
                .or_insert_with(|| open.iter().filter(may_fit).cloned().collect());
        }
        open.retain(|row| row.first_byte().is_none());
        table.anywhere = open;
        table
    }

    /// The row of exactly this name.
    pub(crate) fn exact(&self, name: &str, language: Option<Language>) -> Option<&Row> {
        self.exact.get(name)?.iter().find(|row| row.holds_in(language))
    }

    /// The longest pattern with a `*` that the name fits.
    pub(crate) fn open(&self, name: &str, language: Option<Language>) -> Option<&Row> {
        let first = name.as_bytes().first();
        let rows = first.and_then(|byte| self.open.get(byte)).unwrap_or(&self.anywhere);
        rows.iter().find(|row| row.holds_in(language) && fits(row.pattern, name))
    }

    /// The most specific row that the name fits.
    pub(crate) fn find(&self, name: &str, language: Option<Language>) -> Option<&Row> {
        self.exact(name, language).or_else(|| self.open(name, language))
    }
}

/// Whether `text` fits `pattern`, in which each `*` stands for any text.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    // Most patterns differ before their first `*`, and are not searched for it.
    let same = pattern.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let (fixed, open) = pattern.as_bytes().split_at(same);
    if !(fixed.contains(&b'*') || open.starts_with(b"*")) {
        return open.is_empty() && same == text.len();
    }
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in between.split('*') {
        match text.find(part) {
            Some(at) => text = text.get(at.saturating_add(part.len())..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::{BadLine, Table, fits, read};

    #[test]
    fn a_star_is_any_text() {
        assert!(fits("free", "free") && !fits("free", "freed"));
        assert!(fits("std::*", "std::sort") && !fits("std::*", "mystd::sort"));
        assert!(fits("__*_chk", "__read_chk") && !fits("__*_chk", "__chk"));
        assert!(fits("*/rust/library/*", "/x/rust/library/core/a.rs"));
        assert!(fits("/usr/*-linux-*/include/*", "/usr/arm-linux-gnu/include/a.h"));
        assert!(!fits("/usr/*-linux-*/include/*", "/usr/src/app/include/a.h"));
    }

    #[test]
    fn of_the_patterns_that_fit_the_longest_is_found_wherever_its_star_is() {
        let rows = read("[startup any]\nfo*\n*oba\n*obar\nfoob*\n").unwrap();
        let table = Table::of(rows);
        let found = |name| table.open(name, None).map(|row| row.pattern);
        assert_eq!(found("foobar"), Some("*obar"));
        assert_eq!(found("fooba"), Some("foob*"));
        assert_eq!(found("xoba"), Some("*oba"));
        assert_eq!((found("f"), found("")), (None, None));
    }

    #[test]
    fn a_line_without_owner_is_refused() {
        assert_eq!(read("free\n").unwrap_err(), BadLine("free".to_owned()));
        assert_eq!(read("[nobody any]\n").unwrap_err(), BadLine("[nobody any]".to_owned()));
        assert_eq!(read("# text\n\n[startup any]\n_start\n").unwrap().len(), 1);
    }
}
