//! Dumps over time, with an axis: in a line, and as columns.

use super::groups::sparkline;
use crate::layout::{grouped, pad, width};
use obit_triage::time::day_of;
use obit_triage::views::Series;

/// Lines of columns.
const HEIGHT: u64 = 4;
/// Heights that a line can show.
const LEVELS: u64 = 8;
/// Columns of a chart, at most.
const WIDEST: usize = 120;
/// Columns of a chart in a line that leave room for the scale behind it.
const NARROWEST: usize = 12;
/// Columns of one step, where there is room.
const WIDE_STEP: usize = 2;

/// `2026-01-01 ▁▂█▃ 2026-03-31 UTC: dumps per day, at most 12`, in two lines where the page is
/// narrow; nothing of a single step.
pub(crate) fn lines(series: &Series, columns: usize) -> Vec<String> {
    if series.counts.len() < 2 {
        return Vec::new();
    }
    let (first, last) = ends(series);
    let (start, end) = (format!("{first} "), format!(" {last} UTC"));
    let scale = |each: usize, most: u64| {
        format!("{}, at most {}{}", per(series, each), grouped(most), earlier(series))
    };
    let around = width(&start) + width(&end);
    let widest = around + 2 + width(&scale(series.counts.len(), series.total()));
    let is_narrow = columns < widest + NARROWEST;
    let room = columns.saturating_sub(if is_narrow { around } else { widest });
    let (parts, each) = series.in_parts(room.clamp(1, WIDEST));
    let line = format!("{start}{}{end}", sparkline(&parts, parts.len()));
    let scale = scale(each, parts.iter().copied().max().unwrap_or(0));
    if is_narrow { vec![line, scale] } else { vec![format!("{line}: {scale}")] }
}

/// The series as columns over an axis, with the scale at its side and the first and last
/// date below it. Nothing of a single step.
pub(crate) fn columns(series: &Series, columns: usize) -> Vec<String> {
    if series.counts.len() < 2 {
        return Vec::new();
    }
    let label = width(&grouped(series.most().saturating_mul(2))).max(2);
    let room = columns.saturating_sub(label + 4).clamp(8, WIDEST);
    let (parts, each) = series.in_parts(room);
    let most = parts.iter().copied().max().unwrap_or(0);
    let wide = if parts.len() * WIDE_STEP <= room.min(60) { WIDE_STEP } else { 1 };
    let mut lines = vec![format!("{}{}", per(series, each), earlier(series))];
    for row in (0..HEIGHT).rev() {
        let scale = if row + 1 == HEIGHT { grouped(most) } else { String::new() };
        let bars: String = parts.iter().map(|count| bar(*count, most, row).repeat(wide)).collect();
        let line = format!("{}{scale} \u{2524}{bars}", blanks(label, &scale));
        lines.push(line.trim_end().to_owned());
    }
    let axis = "\u{2500}".repeat(parts.len() * wide);
    lines.push(format!("{}0 \u{2514}{axis}", blanks(label, "0")));
    let (first, last) = ends(series);
    let space = (parts.len() * wide).saturating_sub(width(&last));
    let dates = if space > width(&first) {
        format!("{}{last} UTC", pad(&first, space))
    } else {
        format!("{first} to {last} UTC")
    };
    lines.push(format!("{}  {dates}", " ".repeat(label)));
    lines
}

fn blanks(columns: usize, text: &str) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

/// One line of a column: a block of the height that is left for it.
fn bar(count: u64, most: u64, row: u64) -> &'static str {
    const BLOCKS: [&str; 9] = [
        " ", "\u{2581}", "\u{2582}", "\u{2583}", "\u{2584}", "\u{2585}", "\u{2586}", "\u{2587}",
        "\u{2588}",
    ];
    let all = u128::from(HEIGHT * LEVELS);
    let height = (u128::from(count) * all).div_ceil(u128::from(most.max(1)));
    let here = height.saturating_sub(u128::from(row * LEVELS)).min(u128::from(LEVELS));
    usize::try_from(here).ok().and_then(|here| BLOCKS.get(here)).unwrap_or(&" ")
}

/// `dumps per day`, `dumps per 3 days`.
fn per(series: &Series, each: usize) -> String {
    match each {
        1 => format!("dumps per {}", series.per.word()),
        each => format!("dumps per {each} {}s", series.per.word()),
    }
}

fn earlier(series: &Series) -> String {
    match series.earlier {
        0 => String::new(),
        earlier => format!("; {} earlier", grouped(earlier)),
    }
}

/// The first step, and the last.
fn ends(series: &Series) -> (String, String) {
    let last = series.counts.len().saturating_sub(1);
    let (first, last) = (series.label_of(0), series.label_of(last));
    // Midnight at both ends is a day.
    match (first.strip_suffix(" 00:00"), last.strip_suffix(" 00:00")) {
        (Some(_), Some(_)) => (day_of(series.start), last[..10].to_owned()),
        _ => (first, last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::views::Per;

    fn series(counts: &[u64]) -> Series {
        // 2026-03-10.
        let start = 1_773_100_800;
        Series { per: Per::Day, step: 86_400, start, counts: counts.to_vec(), earlier: 0 }
    }

    #[test]
    fn a_line_has_both_dates_and_the_scale() {
        assert_eq!(
            lines(&series(&[0, 1, 4, 12]), 100),
            ["2026-03-10 \u{b7}\u{2581}\u{2583}\u{2588} 2026-03-13 UTC: dumps per day, at most 12"]
        );
        let long = lines(&series(&[1; 90]), 90);
        assert!(long[0].contains("2026-06-07 UTC: dumps per 3 days, at most 3"), "{long:?}");
        assert!(width(&long[0]) <= 90, "{long:?}");
        let narrow = lines(&series(&[1; 90]), 60);
        assert_eq!(narrow[1], "dumps per 3 days, at most 3");
        assert!(width(&narrow[0]) <= 60, "{narrow:?}");
        assert!(lines(&series(&[7]), 80).is_empty());
    }

    #[test]
    fn columns_have_a_scale_and_dates_below_them() {
        let lines = columns(&series(&[0, 2, 8]), 60);
        assert_eq!(
            lines,
            [
                "dumps per day",
                " 8 \u{2524}    \u{2588}\u{2588}",
                "   \u{2524}    \u{2588}\u{2588}",
                "   \u{2524}    \u{2588}\u{2588}",
                "   \u{2524}  \u{2588}\u{2588}\u{2588}\u{2588}",
                " 0 \u{2514}\u{2500}\u{2500}\u{2500}\u{2500}\u{2500}\u{2500}",
                "    2026-03-10 to 2026-03-12 UTC",
            ]
        );
        for line in columns(&series(&[3; 400]), 80) {
            assert!(width(&line) <= 80, "{line}");
        }
    }

    #[test]
    fn hostile_numbers_are_drawn_without_overflow() {
        let huge = Series {
            step: i64::MAX,
            start: i64::MIN,
            counts: vec![u64::MAX; 300],
            earlier: u64::MAX,
            ..Series::default()
        };
        assert!(!columns(&huge, 10).is_empty() && !lines(&huge, 10).is_empty());
    }
}
