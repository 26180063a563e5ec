//! `--html`: the groups of a store as a page, or as a directory of pages.

use std::path::{Path, PathBuf};

use obit::redact::Origin;
use obit::render::{self, Beside, Remembered};
use obit::triage::store::{Store, address_shown, is_central};
use obit::triage::views::ViewOptions;

use super::args::store::StoreArgs;
use super::destination::{Destination, DestinationError};
use super::failure::Failure;
use super::message::shown;
use super::private_file;

/// Groups of a page, those of them in full, dumps of each, and unreadable files.
const GROUPS: usize = 1_000;
const IN_FULL: usize = 200;
const DUMPS: usize = 20;
/// Dumps of each group where they have a page of their own.
const DUMPS_BESIDE: usize = 50;
const UNREADABLE: usize = 200;

/// Bytes of the pages of crashes: `obit show CRASH --format html` writes the others. With the
/// groups and their dumps it is less than five megabytes.
const CRASH_PAGES: usize = 2 << 20;

/// What a page is made of, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HtmlPages {
    /// One file that holds all.
    File(PathBuf),
    /// `index.html` in it, and beside that the page of one crash of each group and one with
    /// the dumps of groups that have many.
    Directory(PathBuf),
}

impl HtmlPages {
    /// A path with the extension of a page is one, unless it is a directory.
    pub(crate) fn at(path: &Path) -> Self {
        let called = path.extension().and_then(|extension| extension.to_str());
        let is_page = called.is_some_and(|called| matches!(called, "html" | "htm"));
        if is_page && !path.is_dir() {
            Self::File(path.to_owned())
        } else {
            Self::Directory(path.to_owned())
        }
    }

    /// Writes the groups of `store` as `options` ask for them. Other files
    /// of the directory stay as they are.
    pub(crate) fn write(
        &self,
        store: &Store,
        options: &ViewOptions,
        remembered: Remembered,
    ) -> Result<(), Failure> {
        let dumps = match self {
            Self::File(_) => DUMPS,
            Self::Directory(_) => DUMPS_BESIDE,
        };
        let survey = store.survey(options, GROUPS, IN_FULL, dumps, UNREADABLE)?;
        let mut beside = Beside { store: remembered, ..Beside::default() };
        let index = match self {
            Self::File(path) => Destination::file(path.clone()),
            Self::Directory(directory) => {
                private_file::create_directory(directory)
                    .map_err(|source| DestinationError::File { path: directory.clone(), source })?;
                let mut left = CRASH_PAGES;
                for detail in &survey.details {
                    let Some(dump) = &detail.group.example else { continue };
                    let Some(name) = render::crash_file(dump) else { continue };
                    let Some(report) = store.report_of(dump)? else { continue };
                    let mut page = Vec::new();
                    // Writing to memory does not fail.
                    let _ = render::write_html_of_group(&mut page, &report, &detail.group.id);
                    let Some(rest) = left.checked_sub(page.len()) else { break };
                    left = rest;
                    let file = Destination::own_file(directory.join(&name));
                    file.write(|out| out.write_all(&page))?;
                    beside.crashes.insert(dump.clone(), name);
                }
                if let Some(page) = render::dumps_page(&survey, &beside) {
                    let file = Destination::own_file(directory.join(render::DUMPS_FILE));
                    file.write(|out| out.write_all(page.html.as_bytes()))?;
                    beside.dumps = page.groups;
                }
                Destination::own_file(directory.join("index.html"))
            }
        };
        index.write(|out| render::write_triage_html(out, &survey, &beside))?;
        Ok(())
    }
}

/// How commands of a page find the store that `args` name.
pub(crate) fn remembered(args: &StoreArgs) -> Remembered {
    match &args.db {
        None => Remembered::AsUsual,
        Some(address) if is_central(address) => {
            address_shown(address).map_or(Remembered::Nowhere, Remembered::In)
        }
        Some(path) => {
            // Absolute: the page is read in another directory.
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            Remembered::In(shown(Origin::Path, &path.to_string_lossy()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_extension_of_a_page_means_one_file_unless_it_is_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("odd.html");
        fs::create_dir(&odd).unwrap();
        assert_eq!(HtmlPages::at(&odd), HtmlPages::Directory(odd.clone()));
        assert_eq!(HtmlPages::at(Path::new("out.html")), HtmlPages::File("out.html".into()));
        for path in ["out", "out/", "out.d"] {
            assert!(matches!(HtmlPages::at(Path::new(path)), HtmlPages::Directory(_)), "{path}");
        }
    }
}
