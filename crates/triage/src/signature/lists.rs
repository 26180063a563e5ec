//! Which functions and images say nothing of a bug: the lists below `lists/`.

use std::collections::HashSet;

use super::normalize::library_name;

/// Names and beginnings or ends of names.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    exact: HashSet<&'static str>,
    starts: Vec<&'static str>,
    ends: Vec<&'static str>,
}

impl List {
    /// One pattern a line: a name, `start*` or `*end`. `#` starts a comment.
    fn read(text: &'static str) -> Self {
        let mut list = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match (line.strip_suffix('*'), line.strip_prefix('*')) {
                (Some(start), _) if !start.ends_with("operator") => list.starts.push(start),
                (_, Some(end)) => list.ends.push(end),
                _ => drop(list.exact.insert(line)),
            }
        }
        list
    }

    /// The pattern that `name` fits.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        if let Some(exact) = self.exact.get(name) {
            return Some((*exact).to_owned());
        }
        let start = self.starts.iter().find(|start| name.starts_with(**start));
        let end = || self.ends.iter().find(|end| name.ends_with(**end));
        start.map(|start| format!("{start}*")).or_else(|| end().map(|end| format!("*{end}")))
    }

    /// The same for a function of C, under its public name too.
    pub(super) fn find_c(&self, name: &str) -> Option<String> {
        self.find(name).or_else(|| self.find(library_name(name)))
    }
}

/// The lists of one version of the rules.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    /// Functions that report a death: neither they nor what they called is at fault.
    pub(super) sentinel: List,
    /// Functions of the language and the system, and the bases of stacks.
    pub(super) irrelevant: List,
    /// Functions of the system that a program calls by name.
    pub(super) called: List,
    /// Functions that hand on what their callers gave them.
    pub(super) prefix: List,
    /// Images of the language and the system.
    pub(super) images: List,
}

impl Lists {
    pub(super) fn built_in() -> Self {
        Self {
            sentinel: List::read(include_str!("lists/sentinel.txt")),
            irrelevant: List::read(include_str!("lists/irrelevant.txt")),
            called: List::read(include_str!("lists/called.txt")),
            prefix: List::read(include_str!("lists/prefix.txt")),
            images: List::read(include_str!("lists/images.txt")),
        }
    }
}
