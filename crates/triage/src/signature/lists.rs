//! Which functions of a program hand on what their callers gave them: the list below
//! `lists/`. Whose a function is says [`obit_ownership`].

use std::collections::HashSet;

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
                (Some(start), _) => list.starts.push(start),
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
}

/// The lists of one version of the rules.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    /// Functions that hand on what their callers gave them.
    pub(super) prefix: List,
}

impl Lists {
    pub(super) fn built_in() -> Self {
        Self { prefix: List::read(include_str!("lists/prefix.txt")) }
    }
}
