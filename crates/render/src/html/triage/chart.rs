//! Dumps over time as columns over an axis, with the numbers as a table.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::layout::{counted, grouped};
use obit_triage::views::Series;

/// Columns, at most: more steps share one.
const COLUMNS: usize = 120;
/// Width of a column with the gap after it, and the height of all of them.
const STEP: usize = 4;
const HIGH: u64 = 64;

/// The chart with at most `rows` of its numbers; nothing of a single step.
pub(super) fn chart(series: &Series, rows: usize) -> Markup {
    if series.counts.len() < 2 {
        return html! {};
    }
    let (parts, each) = series.in_parts(COLUMNS);
    let most = parts.iter().copied().max().unwrap_or(0);
    let per = match each {
        1 => series.per.word().to_owned(),
        each => format!("{each} {}s", series.per.word()),
    };
    let last = series.counts.len().saturating_sub(1);
    let (first, last) = (series.label_of(0), series.label_of(last));
    let words = format!("Dumps per {per} from {first} to {last} UTC, at most {}", grouped(most));
    let wide = parts.len() * STEP;
    html! {
        figure.chart {
            figcaption {
                "Dumps per " (per)
                @if series.earlier > 0 { "; " (grouped(series.earlier)) " earlier" }
            }
            div.plot {
                span.scale aria-hidden="true" { span { (grouped(most)) } span { "0" } }
                svg viewBox={ "0 0 " (wide) " " (HIGH) } preserveAspectRatio="none" role="img"
                    aria-label=(words) {
                    path d=(bars(&parts, most)) {}
                }
            }
            p.dates aria-hidden="true" { span { (first) } span { (last) " UTC" } }
            @if rows > 0 { (numbers(series, rows)) }
        }
    }
}

fn bars(parts: &[u64], most: u64) -> String {
    let mut bars = String::new();
    for (at, count) in parts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let high = (u128::from(*count) * u128::from(HIGH)).div_ceil(u128::from(most.max(1)));
        // Writing to a String cannot fail.
        let _ = write!(bars, "M{} {HIGH}v-{high}h3v{high}z", at * STEP);
    }
    bars
}

/// The steps that have dumps, the newest first.
fn numbers(series: &Series, rows: usize) -> Markup {
    let with = || series.counts.iter().enumerate().rev().filter(|(_, count)| **count > 0);
    let rest = with().count().saturating_sub(rows);
    html! {
        details.numbers {
            summary { "Numbers" }
            table {
                thead { tr { th scope="col" { (series.per.word()) " (UTC)" } th scope="col" { "dumps" } } }
                tbody {
                    @for (at, count) in with().take(rows) {
                        tr { th scope="row" { (series.label_of(at)) } td.number { (grouped(*count)) } }
                    }
                }
            }
            @if rest > 0 {
                p.more { (counted(rest, series.per.word())) " more; " code { "obit top --json" } " has all" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::views::Per;

    #[test]
    fn a_chart_has_an_axis_a_description_and_its_numbers() {
        let start = 1_773_100_800;
        let series =
            Series { per: Per::Day, step: 86_400, start, counts: vec![0, 2, 8], earlier: 0 };
        let drawn = chart(&series, 5).into_string();
        for part in [
            "aria-label=\"Dumps per day from 2026-03-10 to 2026-03-12 UTC, at most 8\"",
            "M4 64v-16h3v16zM8 64v-64h3v64z",
            "<span>8</span><span>0</span>",
            "<th scope=\"row\">2026-03-12</th><td class=\"number\">8</td>",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert!(chart(&series, 1).into_string().contains("1 day more"));
        assert!(!chart(&series, 0).into_string().contains("<table"));
    }

    #[test]
    fn hostile_numbers_are_drawn_without_overflow() {
        let huge = Series {
            step: i64::MAX,
            start: i64::MIN,
            counts: vec![u64::MAX; 5_000],
            earlier: u64::MAX,
            ..Series::default()
        };
        assert!(chart(&huge, 9).into_string().len() < 10_000);
    }
}
