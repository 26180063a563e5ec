//! The lists, read once.

use std::sync::LazyLock;

use crate::rows::{Row, Table, fits, read};

/// The files that name functions.
pub(crate) const FUNCTIONS: [(&str, &str); 4] = [
    ("startup.txt", include_str!("../data/startup.txt")),
    ("crash-handler.txt", include_str!("../data/crash-handler.txt")),
    ("language-runtime.txt", include_str!("../data/language-runtime.txt")),
    ("system-library.txt", include_str!("../data/system-library.txt")),
];
/// The file that names modules.
pub(crate) const MODULES: (&str, &str) = ("modules.txt", include_str!("../data/modules.txt"));
/// The file that names directories of sources.
pub(crate) const SOURCES: (&str, &str) = ("sources.txt", include_str!("../data/sources.txt"));
const DIRECTORIES: &str = include_str!("../data/directories.txt");

pub(crate) struct Tables {
    pub(crate) functions: Table,
    pub(crate) modules: Table,
    pub(crate) sources: Table,
}

pub(crate) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
        functions: Table::of(FUNCTIONS.iter().flat_map(|(_, text)| rows(text))),
        modules: Table::of(rows(MODULES.1)),
        sources: Table::of(rows(SOURCES.1)),
    });
    &TABLES
}

/// A file that cannot be read is a fault of this crate, which a test finds.
fn rows(text: &'static str) -> Vec<Row> {
    read(text).unwrap_or_default()
}

/// Whether a distribution installs libraries there.
pub(crate) fn is_for_libraries(path: &str) -> bool {
    is_in("[libraries]", path)
}

/// Whether a distribution installs programs there.
pub(crate) fn is_for_programs(path: &str) -> bool {
    is_in("[programs]", path)
}

fn is_in(section: &str, path: &str) -> bool {
    let lines = DIRECTORIES.lines().skip_while(|line| *line != section).skip(1);
    lines.take_while(|line| !line.starts_with('[')).any(|row| !row.is_empty() && fits(row, path))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{library_name, module_name, normalized};

    #[test]
    fn every_file_can_be_read_is_sorted_and_names_nothing_twice() {
        let mut seen = HashSet::new();
        for (file, text) in FUNCTIONS.into_iter().chain([MODULES, SOURCES]) {
            let rows = read(text).unwrap_or_else(|bad| panic!("{file}: {bad:?}"));
            assert!(!rows.is_empty(), "{file}");
            for row in &rows {
                let of = (row.pattern, row.language.map(|language| format!("{language:?}")));
                assert!(seen.insert(of), "{file}: {} is there twice", row.pattern);
            }
            for section in text.split("\n[").skip(1) {
                let lines: Vec<_> = section.trim_end().lines().skip(1).collect();
                let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
                assert!(lines.is_sorted(), "{file}: not sorted: [{section}");
            }
        }
    }

    #[test]
    fn every_row_is_the_answer_to_some_name() {
        for (file, text) in FUNCTIONS {
            for row in read(text).unwrap() {
                // What no shorter row can have been made for.
                let name = row.pattern.replace('*', "zq");
                let found = tables().functions.find(&name, row.language);
                assert_eq!(found.unwrap().pattern, row.pattern, "{file}");
                let exact = !row.pattern.contains('*');
                assert!(!exact || normalized(&name) == name, "{file}: {name} is not normal");
            }
        }
        for row in read(MODULES.1).unwrap() {
            let name = row.pattern.replace('*', "zq.so");
            assert_eq!(module_name(&name), name);
            assert_eq!(tables().modules.find(&name, None).unwrap().pattern, row.pattern);
        }
        for row in read(SOURCES.1).unwrap() {
            let path = row.pattern.replace('*', "zq");
            let found = tables().sources.find(&path, row.language);
            assert_eq!(found.unwrap().pattern, row.pattern);
        }
    }

    #[test]
    fn no_row_is_needless_beside_that_of_its_public_name() {
        for (file, text) in FUNCTIONS {
            let rows = read(text).unwrap();
            let is_needless = |row: &&Row| {
                let public = library_name(row.pattern);
                let of_public =
                    rows.iter().find(|of| of.pattern == public && public != row.pattern);
                !row.pattern.contains('*')
                    && of_public
                        .is_some_and(|of| (of.language, of.is_weak) == (row.language, row.is_weak))
            };
            let needless: Vec<_> = rows.iter().filter(is_needless).map(|row| row.pattern).collect();
            assert!(needless.is_empty(), "{file}: {needless:?}");
        }
    }

    #[test]
    fn a_distribution_has_its_own_directories() {
        assert!(is_for_libraries("/usr/lib/x86_64-linux-gnu/libpng16.so.16"));
        assert!(!is_for_libraries("/usr/local/lib/libshop.so"));
        assert!(is_for_programs("/usr/bin/shop") && !is_for_programs("/opt/shop/bin/shop"));
    }
}
