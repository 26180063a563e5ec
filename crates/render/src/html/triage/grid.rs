//! Which build has how many dumps of which group: a table, coloured by its numbers.

use maud::{Markup, html};

use super::anchor;
use super::drawing::status;
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, bounded, stored};
use crate::html::page::scrolling;
use crate::layout::{counted, cut_end, grouped};
use obit_triage::views::{GroupSummary, ReleaseCount, Survey};

/// Builds of one program: the newest of them.
const COLUMNS: usize = 24;
/// Groups of all programs.
const ROWS: usize = 600;
/// Programs.
const PROGRAMS: usize = 24;
/// Bytes of all of them.
const BUDGET: usize = 200_000;
/// Depths of colour.
const LEVELS: f64 = 5.0;
/// Characters of a build's name, and of a signature.
const BUILD: usize = 14;
const SIGNATURE: usize = 56;
/// Characters of what is known of a build.
const TOOLTIP: usize = 200;

/// A table for each program; `None` if no group is known by build.
pub(super) fn grids(survey: &Survey, shown: usize) -> Option<Markup> {
    let mut programs: Vec<(&str, Vec<(usize, &GroupSummary)>)> = Vec::new();
    for (at, group) in survey.overview.groups.iter().enumerate() {
        let name = group.programs.first().map_or("", String::as_str);
        if group.releases.is_empty() {
            continue;
        }
        match programs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, groups)) => groups.push((at, group)),
            None => programs.push((name, vec![(at, group)])),
        }
    }
    if programs.is_empty() {
        return None;
    }
    programs.sort_by_key(|(name, groups)| (std::cmp::Reverse(groups.len()), *name));
    let budget = Budget::new(BUDGET);
    let left = programs.len().saturating_sub(PROGRAMS);
    Some(html! {
        p.hint {
            "Dumps of each group in each build, oldest build first; the stronger the colour, the more."
        }
        @for (name, groups) in programs.iter().take(PROGRAMS) { (grid(name, groups, shown, &budget)) }
        (more_by(left, "program", "obit top --where program=NAME"))
    })
}

fn grid(program: &str, groups: &[(usize, &GroupSummary)], shown: usize, budget: &Budget) -> Markup {
    let all = groups.first().map_or(&[][..], |(_, group)| group.releases.as_slice());
    let hidden = all.len().saturating_sub(COLUMNS);
    let builds = all.get(hidden..).unwrap_or_default();
    let counts = |group: &GroupSummary| -> Vec<u64> {
        // Every group of a program has all its builds, in their order.
        group.releases.iter().skip(hidden).map(|release| release.count).collect()
    };
    let most = groups.iter().flat_map(|(_, group)| counts(group)).max().unwrap_or(1).max(1);
    let (rows, left_out) = budget.fill(groups.iter(), ROWS, |(at, group)| {
        let older: u64 = group.releases.iter().take(hidden).map(|release| release.count).sum();
        let signature = html! { code { (stored(&group.signature, SIGNATURE)) } };
        html! {
            tr data-group=(anchor(&group.id)) {
                th scope="row" {
                    (status(group)) " "
                    @if *at < shown { a href={ "#" (anchor(&group.id)) } { (signature) } }
                    @else { (signature) }
                }
                @if hidden > 0 { (cell(older, most)) }
                @for count in counts(group) { (cell(count, most)) }
            }
        }
    });
    let table = html! {
        table.heat {
            caption.sr { "Dumps by group and build of " (stored(program, NAME)) }
            thead {
                tr {
                    th scope="col" { "Group" }
                    @if hidden > 0 { th scope="col" { (counted(hidden, "older build")) } }
                    @for build in builds {
                        th scope="col" title=(tooltip(build)) { (stored(&build.name, BUILD)) }
                    }
                }
            }
            tbody { (rows) }
        }
    };
    html! {
        h3 {
            @if program.is_empty() { "Program unknown" } @else { (stored(program, NAME)) }
            " " span.aside { (counted(groups.len(), "group")) }
        }
        (scrolling("Dumps by group and build", &table))
        (more_by(left_out, "group", "obit top -n 0"))
    }
}

/// What a build is, for those who point at it.
fn tooltip(build: &ReleaseCount) -> String {
    let ids: Vec<&str> = build.builds.iter().take(4).map(String::as_str).collect();
    let more = if build.builds.len() > ids.len() { ", \u{2026}" } else { "" };
    let of = format!("{}; build {}{more}", counted(build.dumps as usize, "dump"), ids.join(", "));
    cut_end(&bounded(&of), TOOLTIP)
}

fn cell(count: u64, most: u64) -> Markup {
    // By the root: one dump beside a hundred is to be seen.
    let level = (count as f64 / most as f64).sqrt() * LEVELS;
    html! {
        td class={ "h" (level.ceil().clamp(0.0, LEVELS)) } {
            @if count > 0 { (grouped(count)) } @else { span.zero { "\u{b7}" span.sr { "none" } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_dumps_the_stronger_the_colour() {
        let class = |count| cell(count, 100).into_string();
        assert!(class(0).contains("class=\"h0\""));
        assert!(class(1).contains("class=\"h1\""));
        assert!(class(100).contains("class=\"h5\""), "{}", class(100));
    }

    #[test]
    fn builds_beyond_those_that_fit_are_summed() {
        let release =
            |at: u64| ReleaseCount { name: format!("{at}.0"), count: 2, ..ReleaseCount::default() };
        let group = GroupSummary {
            id: "aa".to_owned(),
            releases: (0..30).map(release).collect(),
            ..GroupSummary::default()
        };
        let mut survey = Survey::default();
        survey.overview.groups = vec![group];
        let page = grids(&survey, 1).unwrap().into_string();
        assert!(page.contains("6 older builds"), "{page}");
        assert!(page.contains(">12</td>"), "{page}");
        assert!(page.contains(">6.0</th>") && !page.contains(">5.0</th>"), "{page}");
    }
}
