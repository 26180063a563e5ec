//! The newest dumps of each group, as a page beside the page of the groups: that one has room
//! for some of them only.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::drawing::title;
use super::group::{dump_rows, shown_dumps};
use super::{Beside, anchor, foot};
use crate::html::assets::TRIAGE;
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, stored};
use crate::html::page::{Part, page, scrolling};
use crate::layout::counted;
use obit_triage::views::{GroupDetail, Survey};

/// The file with the page.
pub const DUMPS_FILE: &str = "dumps.html";

/// Bytes of the rows, so that all pages of a large store stay below five megabytes.
const BUDGET: usize = 1_200_000;

/// A page of dumps by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DumpsPage {
    /// The whole page.
    pub html: String,
    /// Groups that are on it: those with more dumps than the page of groups shows.
    pub groups: BTreeSet<String>,
}

/// The page; `None` where the page of groups shows all dumps.
pub fn dumps_page(survey: &Survey, beside: &Beside) -> Option<DumpsPage> {
    let shown = shown_dumps(survey.details.len());
    let details: Vec<&GroupDetail> =
        survey.details.iter().filter(|detail| detail.dumps.len() > shown).collect();
    let (groups, left_out) = Budget::new(BUDGET).fill(details.iter(), details.len(), |one| of(one));
    let listed = details.iter().take(details.len() - left_out);
    let listed: BTreeSet<String> = listed.map(|detail| detail.group.id.clone()).collect();
    if listed.is_empty() {
        return None;
    }
    let brand = html! { a href="index.html" { strong { "obit" } " " span.aside { "triage" } } };
    let first = html! { p { a href="index.html" { "All groups" } } };
    let aside = counted(listed.len(), "group");
    let parts = [Part { id: "dumps", title: "Newest dumps by group", body: groups, aside }];
    let whole = page(
        TRIAGE,
        "obit: newest dumps by group",
        &brand,
        &html! {},
        &first,
        &parts,
        &foot(beside),
    );
    Some(DumpsPage { html: whole.into_string(), groups: listed })
}

fn of(detail: &GroupDetail) -> Markup {
    let group = &detail.group;
    let anchor = anchor(&group.id);
    let rest = (group.total as usize).saturating_sub(detail.dumps.len());
    html! {
        h3 id=(anchor) {
            a href={ "index.html#" (anchor) } { code.id { (stored(&group.id, NAME / 4)) } } " "
            span.name { (title(group)) } " "
            span.aside { (counted(group.count as usize, "dump")) }
        }
        (scrolling("Dumps of the group", &dump_rows(&detail.dumps, &|_, id| id.clone())))
        (more_by(rest, "dump", "obit show GROUP -n 0"))
    }
}
