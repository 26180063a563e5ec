//! Many crashes as one page: what matters first, then the groups as a table, by build, and
//! each in full. Made of a [`Survey`] alone.

mod chart;
pub(crate) mod digest;
mod drawing;
mod dumps;
mod first;
mod grid;
mod group;
mod list;
pub mod served;
mod suspects;
mod unreadable;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

pub use dumps::{DUMPS_FILE, DumpsPage, dumps_page};

use data_encoding::HEXLOWER;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::assets::TRIAGE;
use super::commands::quoted;
use super::page::{Part, page};
use crate::layout::{counted, grouped};
use obit_triage::views::Survey;

/// Digits of an id that are taken into the name of a file or an anchor.
const ID: usize = 64;

/// What lies beside the page, and how its commands find the store.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Files with the pages of crashes, by the dump's id: as [`crash_file`] calls them.
    pub crashes: BTreeMap<String, String>,
    /// Groups whose newest dumps are in [`DUMPS_FILE`].
    pub dumps: BTreeSet<String>,
    /// Where the groups are remembered.
    pub store: Remembered,
}

/// Where groups are remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Remembered {
    /// In the store that commands use unless another is given.
    #[default]
    AsUsual,
    /// In the store that `--db` names, whose path may be shown.
    In(String),
    /// Nowhere: no command can ask for them.
    Nowhere,
}

impl Beside {
    /// `command` for the store of the page; `None` if there is none.
    fn command(&self, command: &str) -> Option<String> {
        match &self.store {
            Remembered::AsUsual => Some(command.to_owned()),
            Remembered::In(store) => Some(format!("{command} --db {}", quoted(store))),
            Remembered::Nowhere => None,
        }
    }
}

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn write_triage_html(
    out: &mut dyn io::Write,
    survey: &Survey,
    beside: &Beside,
) -> io::Result<()> {
    out.write_all(whole(survey, beside).into_string().as_bytes())
}

/// The name of the file that holds the page of a crash; `None` if the dump's id is not one
/// that obit gives.
pub fn crash_file(dump: &str) -> Option<String> {
    let id = dump.strip_prefix("obit-").unwrap_or(dump);
    let is_ours = !id.is_empty()
        && id.len() <= ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_ours.then(|| format!("crash-{id}.html"))
}

/// The anchor of a group. Ids are hexadecimal; what else may have come in through
/// an imported store is known by its digest.
pub(super) fn anchor(group: &str) -> String {
    if !group.is_empty() && group.len() <= ID && group.bytes().all(|b| b.is_ascii_hexdigit()) {
        return format!("group-{group}");
    }
    let digest = Sha256::digest(group.as_bytes());
    format!("group-x{}", HEXLOWER.encode(digest.get(..12).unwrap_or_default()))
}

fn whole(survey: &Survey, beside: &Beside) -> Markup {
    let mut parts = Vec::new();
    let mut add = |id, title, aside: String, body: Option<Markup>| {
        if let Some(body) = body {
            parts.push(Part { id, title, body, aside });
        }
    };
    let overview = &survey.overview;
    let count = counted(overview.groups_total as usize, "group");
    // Those with a part of their own below: links lead nowhere else.
    let (details, shown) = group::parts(survey, beside);
    add("groups", "Groups", count, list::list(survey, shown));
    add("builds", "By build", String::new(), grid::grids(survey, shown));
    add("details", "Group by group", String::new(), details);
    let count = counted(suspects::pairs(survey).len(), "pair");
    add("suspects", "Perhaps the same bug", count, suspects::part(survey, beside, shown));
    let failed: u64 = survey.reasons.values().sum();
    let count = grouped(failed);
    add("unreadable", "Unreadable", count, unreadable::part(survey));
    let brand = html! { strong { "obit" } " " span.aside { "triage" } };
    let title = first::heading(survey);
    page(TRIAGE, &title, &brand, &html! {}, &first::first(survey, shown), &parts, &foot(beside))
}

fn foot(beside: &Beside) -> Markup {
    html! {
        p {
            "All data is redacted as in the records of the store. Times are in UTC. "
            @match &beside.store {
                Remembered::Nowhere => "This batch is not in a store, so no command can change it. ",
                _ => {
                    "The page itself does not change: a command changes the store, and "
                    code { "obit top --html" } " makes the page anew. "
                }
            }
            "Written by obit " (env!("CARGO_PKG_VERSION")) "."
        }
        p.keys data-js hidden {
            kbd { "j" } " " kbd { "k" } " groups \u{b7} " kbd { "Enter" } " open \u{b7} "
            kbd { "/" } " search \u{b7} " kbd { "e" } " expand all \u{b7} " kbd { "t" } " theme"
        }
    }
}

#[cfg(test)]
mod tests;
