//! Groups that may be one bug.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{Beside, anchor};
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, bounded, stored};
use crate::html::page::{command, scrolling};
use obit_triage::views::Survey;

/// Pairs that are shown.
const PAIRS: usize = 60;
/// Bytes of all of them.
const BUDGET: usize = 60_000;

/// Two groups: ids and likeness.
pub(super) struct Pair<'s> {
    one: &'s str,
    other: &'s str,
    likeness: f64,
}

/// Each pair once, the most alike first.
pub(super) fn pairs(survey: &Survey) -> Vec<Pair<'_>> {
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    for detail in &survey.details {
        for suspect in &detail.suspected_same {
            let (one, other) = (detail.group.id.as_str(), suspect.group.as_str());
            if seen.insert((one.min(other), one.max(other))) {
                pairs.push(Pair { one, other, likeness: suspect.likeness });
            }
        }
    }
    pairs.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    pairs
}

/// The list of them; `None` if there are none.
pub(super) fn part(survey: &Survey, beside: &Beside, shown: usize) -> Option<Markup> {
    let pairs = pairs(survey);
    if pairs.is_empty() {
        return None;
    }
    let mut groups: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
    for suspect in survey.details.iter().flat_map(|detail| &detail.suspected_same) {
        groups.insert(&suspect.group, (&suspect.signature, false));
    }
    for (at, group) in survey.overview.groups.iter().enumerate() {
        groups.insert(&group.id, (&group.signature, at < shown));
    }
    let group = |id: &str| {
        let (signature, is_shown) = groups.get(id).copied().unwrap_or(("", false));
        let words = html! { code { (stored(signature, NAME / 2)) } };
        html! {
            td {
                @if is_shown { a href={ "#" (anchor(id)) } { (words) } } @else { (words) }
            }
        }
    };
    let (rows, left_out) = Budget::new(BUDGET).fill(pairs.iter(), PAIRS, |pair| {
        let ids = format!("obit group merge {} {}", bounded(pair.one), bounded(pair.other));
        html! {
            tr {
                td.number { (format!("{:.0} %", pair.likeness * 100.0)) }
                (group(pair.one))
                (group(pair.other))
                @if let Some(merge) = beside.command(&ids) { td { (command(&merge)) } }
            }
        }
    });
    let table = html! {
        table.wide {
            thead {
                tr {
                    th scope="col" { "Alike" } th scope="col" { "Group" } th scope="col" { "Group" }
                    @if beside.command("").is_some() { th scope="col" { "To make them one" } }
                }
            }
            tbody { (rows) }
        }
    };
    Some(html! {
        p.hint { "Too similar to be ignored, too different to be one group." }
        (scrolling("Groups that may be the same bug", &table))
        (more_by(left_out, "pair", "obit show GROUP"))
    })
}
