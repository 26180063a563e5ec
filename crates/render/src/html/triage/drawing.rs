//! Small drawings of numbers, and the words that look the same all over the page.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::html::escape::{NAME, bounded, stored, stored_prose};
use crate::terminal::groups::stored_title;
use obit_report::Severity;
use obit_triage::history::Status;
use obit_triage::store::is_web_link;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::{GroupSummary, Moment, Trend};

/// Height of a sparkline, and the width of one of its bars with the gap after it.
const HIGH: u64 = 16;
const STEP: usize = 4;

/// Dumps over time, as bars; given in numbers to those who do not see them.
pub(super) fn sparkline(trend: &Trend) -> Markup {
    let most = trend.counts.iter().copied().max().unwrap_or(0).max(1);
    let mut bars = String::new();
    for (at, count) in trend.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let high = (u128::from(*count) * u128::from(HIGH)).div_ceil(u128::from(most));
        // Writing to a String cannot fail.
        let _ = write!(bars, "M{} {HIGH}v-{high}h3v{high}z", at * STEP);
    }
    let numbers: Vec<String> = trend.counts.iter().map(u64::to_string).collect();
    let length = i64::try_from(trend.counts.len()).unwrap_or(0).saturating_mul(trend.step);
    let to = trend.from.saturating_add(length).saturating_sub(1);
    let words = format!(
        "dumps from {} to {}: {}",
        day_of(trend.from),
        day_of(to.max(trend.from)),
        numbers.join(" ")
    );
    let wide = trend.counts.len().max(1) * STEP;
    html! {
        svg.spark viewBox={ "0 0 " (wide) " " (HIGH) } width=(wide) height=(HIGH) role="img"
            aria-label=(words) {
            path.base d={ "M0 15.5h" (wide) } {}
            path d=(bars) {}
        }
    }
}

/// `count` beside `most`, as a bar.
pub(super) fn bar(count: u64, most: u64) -> Markup {
    let share = count as f64 * 100.0 / most.max(1) as f64;
    html! {
        svg.count viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(format!("{:.1}", share.max(1.0))) height="4" {}
        }
    }
}

/// The status, coloured by its urgency.
pub(super) fn status(group: &GroupSummary) -> Markup {
    html! {
        span class={ "badge s-" (group.status.word()) } {
            (group.status.word())
            @if !group.is_sure { span.weak { " (weak)" } }
        }
        @if let Some(surge) = &group.surge {
            " " span.badge.alarm title=(surge.text()) { "surge" }
        }
    }
}

/// How bad it is.
pub(super) fn severity(group: &GroupSummary) -> Markup {
    let word = group.severity.as_deref().unwrap_or("unknown");
    let class = match Severity::named(word) {
        Some(Severity::High) => "severity high",
        Some(Severity::Medium) => "severity medium",
        Some(Severity::Low | Severity::Info) | None => "severity",
    };
    html! { span class=(class) { (bounded(word)) } }
}

/// The title, and the class as the label behind it.
pub(super) fn title(group: &GroupSummary) -> Markup {
    let title = stored_title(group);
    let class = group.class.as_deref().filter(|class| *class != title);
    html! {
        (stored_prose(title))
        @if let Some(class) = class { " " code.class { (stored(class, NAME / 2)) } }
    }
}

/// Who works on it, and its ticket.
pub(super) fn ticket(group: &GroupSummary) -> Option<Markup> {
    if group.assignee.is_none() && group.link.is_none() {
        return None;
    }
    Some(html! {
        @if let Some(name) = &group.assignee { "assigned to " (stored(name, NAME)) }
        @if let Some(link) = &group.link {
            @if group.assignee.is_some() { ", " }
            // What is not a link of the web is not one here.
            @if is_web_link(link) { a href=(link) rel="noreferrer noopener" { (stored(link, NAME)) } }
            @else { (stored(link, NAME)) }
        }
    })
}

/// Whether it is one to look at before others.
pub(super) fn is_urgent(status: Status) -> bool {
    matches!(status, Status::Regressed | Status::New | Status::Increasing)
}

/// A day, with the minute for those who point at it.
pub(super) fn day(moment: Option<&Moment>) -> Markup {
    html! {
        @if let Some(moment) = moment { (day_at(moment.time)) }
    }
}

/// The same of a time.
pub(super) fn day_at(time: i64) -> Markup {
    html! { time title={ (minute_of(time)) " UTC" } { (day_of(time)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_counts_and_are_described_in_words() {
        let trend = Trend { from: 0, step: 86_400, counts: vec![0, 1, 4] };
        let drawn = sparkline(&trend).into_string();
        assert!(drawn.contains("M4 16v-4h3v4zM8 16v-16h3v16z"), "{drawn}");
        assert!(drawn.contains("dumps from 1970-01-01 to 1970-01-03: 0 1 4"), "{drawn}");
        let huge = Trend { counts: vec![u64::MAX, 1], ..Trend::default() };
        assert!(sparkline(&huge).into_string().contains("v-16h3v16z"));
    }

    #[test]
    fn what_is_rare_has_a_bar_too() {
        assert!(bar(1, 1_000_000).into_string().contains("width=\"1.0\""));
        assert!(bar(5, 10).into_string().contains("width=\"50.0\""));
    }
}
