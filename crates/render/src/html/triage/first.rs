//! The first screen: how much there is, and the few groups that matter most.

use maud::{Markup, html};

use super::anchor;
use super::chart::chart;
use super::drawing::{is_urgent, severity, sparkline, status, title};
use crate::html::escape::{NAME, stored, stored_prose};
use crate::layout::{counted, grouped};
use obit_triage::history::Status;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::GroupDetail;
use obit_triage::views::{GroupSummary, Survey};

/// Steps of the chart whose numbers are listed.
const NUMBERS: usize = 120;
/// Groups that are shown here.
const CARDS: usize = 6;
/// Those of them that are not regressed, new or increasing.
const OTHERS: usize = 3;

/// What the page says in one line.
pub(super) fn heading(survey: &Survey) -> String {
    let overview = &survey.overview;
    if overview.dumps + overview.failed == 0 {
        return "No crash is known".to_owned();
    }
    let urgent = [Status::Regressed, Status::New, Status::Increasing];
    let of = |status: &Status| overview.by_status.get(status).copied().unwrap_or(0);
    let parts: Vec<String> = urgent
        .iter()
        .filter(|status| of(status) > 0)
        .map(|status| format!("{} {}", grouped(of(status)), status.word()))
        .collect();
    let groups = counted(overview.groups_total as usize, "group");
    match parts.as_slice() {
        [] => format!("{groups}, none of them new"),
        [one] => format!("{one} of {groups}"),
        [start @ .., last] => format!("{} and {last} of {groups}", start.join(", ")),
    }
}

/// The head of the page. Of the groups, `shown` have a part that can be led to.
pub(super) fn first(survey: &Survey, shown: usize) -> Markup {
    let cards = cards(&survey.overview.groups);
    html! {
        section.cause aria-labelledby="cause-title" {
            h1 id="cause-title" { (heading(survey)) }
            p.who { (period(survey)) }
            @if let Some(why) = survey.overview.why_empty() { p.who { (why) } }
            (tiles(survey))
            (chart(&survey.overview.series, NUMBERS))
            @if !cards.is_empty() {
                h2 { "Look at these first" }
                div.cards {
                    @for (at, group) in &cards { (card(group, survey.details.get(*at), *at < shown)) }
                }
            }
        }
    }
}

/// Those that came, came back or grow, by rank; if there are few, the highest of the rest.
fn cards(groups: &[GroupSummary]) -> Vec<(usize, &GroupSummary)> {
    let all = || groups.iter().enumerate();
    let mut cards: Vec<_> =
        all().filter(|(_, group)| is_urgent(group.status)).take(CARDS).collect();
    cards.sort_by_key(|(at, group)| (group.status, *at));
    let room = CARDS.saturating_sub(cards.len()).min(OTHERS);
    let goes_on = |status| matches!(status, Status::Active | Status::Fading);
    cards.extend(all().filter(|(_, group)| goes_on(group.status)).take(room));
    cards
}

fn period(survey: &Survey) -> String {
    let mut text = String::new();
    if let Some((first, last)) = survey.period() {
        text = match (day_of(first), day_of(last)) {
            (first, last) if first == last => format!("Dumps of {first}"),
            (first, last) => format!("Dumps from {first} to {last}"),
        };
        text.push_str(&format!("; as of {} UTC", minute_of(survey.overview.now)));
    }
    text
}

pub(super) fn tiles(survey: &Survey) -> Markup {
    let overview = &survey.overview;
    let of = |status| overview.by_status.get(&status).copied().unwrap_or(0);
    let tiles = [
        ("dumps", overview.dumps, ""),
        ("groups", overview.groups_total, ""),
        ("regressed", of(Status::Regressed), "s-regressed"),
        ("new", of(Status::New), "s-new"),
        ("increasing", of(Status::Increasing), "s-increasing"),
        ("in no group", overview.without_group, ""),
        ("unreadable", survey.reasons.values().sum(), "s-unreadable"),
    ];
    html! {
        dl.tiles {
            @for (name, count, class) in tiles {
                div class={ "tile " @if count > 0 { (class) } @else { "none" } } {
                    dt { (name) }
                    dd { (grouped(count)) }
                }
            }
        }
    }
}

fn card(group: &GroupSummary, detail: Option<&GroupDetail>, is_shown: bool) -> Markup {
    let words = title(group);
    let explanation = detail.and_then(|detail| detail.explanation.as_ref());
    html! {
        article.card {
            p.badges {
                (status(group)) " " (severity(group)) " "
                span.aside { (counted(group.count as usize, "dump")) }
                (sparkline(&group.trend))
            }
            h3 {
                @if is_shown { a href={ "#" (anchor(&group.id)) } { (words) } } @else { (words) }
            }
            @if let Some(explanation) = explanation { p.why { (stored_prose(explanation)) } }
            p.sig { code { (stored(&group.signature, NAME)) } }
            p.reason { (stored_prose(&group.reason)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regressed_and_new_ones_go_first_and_few_others_follow() {
        let of = |id: &str, status| GroupSummary {
            id: id.to_owned(),
            status,
            ..GroupSummary::default()
        };
        let mut groups: Vec<_> = (0..9).map(|_| of("a", Status::Active)).collect();
        groups.extend([of("n", Status::New), of("i", Status::Ignored), of("r", Status::Regressed)]);
        let ids: String = cards(&groups).iter().map(|(_, group)| group.id.as_str()).collect();
        assert_eq!(ids, "rnaaa");
        groups = (0..9).map(|_| of("n", Status::New)).collect();
        assert_eq!(cards(&groups).len(), CARDS);
    }

    #[test]
    fn the_heading_counts_what_is_urgent() {
        let mut survey = Survey::default();
        assert_eq!(heading(&survey), "No crash is known");
        survey.overview.dumps = 12;
        survey.overview.groups_total = 5;
        assert_eq!(heading(&survey), "5 groups, none of them new");
        survey.overview.by_status = [(Status::New, 2)].into();
        assert_eq!(heading(&survey), "2 new of 5 groups");
        survey.overview.by_status.insert(Status::Regressed, 1);
        assert_eq!(heading(&survey), "1 regressed and 2 new of 5 groups");
    }
}
