//! The address space, drawn to scale: neighbours in one bar, and gaps between the bars
//! described in words, since at their scale nothing else would be visible.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::escape::{NAME, text, visible_text};
use super::page::scrolling;
use crate::layout::{bytes, counted, grouped};
use crate::{name, visible};
use obit_report::Report;
use obit_report::memory::{MemoryReport, RangeKind, RangeReport};

/// Ranges farther apart than this are in different bars, …
const FAR: u64 = 16 << 20;
/// … and so are those with a gap of this many times what the bar has.
const FAR_FACTOR: u64 = 4;
/// Names beside a bar.
const NAMED: usize = 8;
/// Bars on a page.
const BARS: usize = 48;
/// Rows of the table.
const ROWS: usize = 512;
/// Bytes of bars and table.
const BUDGET: usize = 300_000;
/// Units across a bar.
const ACROSS: u64 = 1000;

/// The bars and, folded, the table; `None` where the report has no ranges.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let memory = report.memory.as_ref().filter(|memory| !memory.ranges.is_empty())?;
    let fault = report.signal.as_ref().and_then(|signal| signal.fault_address).map(|at| at.0);
    let budget = Budget::new(BUDGET);
    let ranges = merged(&memory.ranges);
    let bars = bars(&ranges);
    let (drawn, left_out) = budget.fill(bars.iter(), BARS, |bar| drawn(bar, fault));
    let outside = fault.filter(|at| !bars.iter().any(|bar| holds(bar, *at)));
    let (rows, rows_left) = budget.fill(ranges.iter(), ROWS, |range| row(range, fault));
    let rows_left = rows_left.saturating_add(usize::try_from(memory.omitted).unwrap_or(0));
    let table = html! {
        table.wide {
            thead { tr { @for head in ["start", "bytes", "rights", "what", "in core"] {
                th scope="col" { (head) }
            } } }
            tbody { (rows) }
        }
    };
    Some(html! {
        @if let Some(at) = outside { p.fault { (nothing_at(at, memory)) } }
        ul.legend {
            @for kind in KINDS {
                @if ranges.iter().any(|range| range.kind == kind) {
                    li {
                        svg.swatch viewBox="0 0 10 10" aria-hidden="true" {
                            rect class=(class(kind)) width="10" height="10" {}
                        }
                        (word(kind))
                    }
                }
            }
            @if fault.is_some() && outside.is_none() {
                li {
                    svg.swatch viewBox="0 0 10 10" aria-hidden="true" {
                        rect.m-fault x="4" width="2" height="10" {}
                    }
                    "fault address"
                }
            }
        }
        div.map { (drawn) (more(left_out, "bar")) }
        details {
            summary { "All " (grouped(ranges.len() as u64)) " ranges" }
            (scrolling("Mapped ranges", &table))
            (more(rows_left, "range"))
        }
    })
}

/// What a range is, in a few words: for the map, and for registers that point into it.
pub(super) fn about(range: &RangeReport) -> Markup {
    html! {
        @match (range.kind, &range.path, range.thread) {
            (RangeKind::Stack, _, Some(tid)) => { "stack of " (tid) }
            (RangeKind::Image | RangeKind::File, Some(path), _) => {
                (visible_text(&name::base_name(path), NAME / 2))
                @if range.permissions.contains('x') { " code" }
                @else if range.permissions.contains('w') { " data" }
            }
            (kind, _, _) => (word(kind)),
        }
    }
}

const KINDS: [RangeKind; 7] = [
    RangeKind::Image,
    RangeKind::File,
    RangeKind::Heap,
    RangeKind::Stack,
    RangeKind::Anonymous,
    RangeKind::Guard,
    RangeKind::Vdso,
];

fn word(kind: RangeKind) -> &'static str {
    match kind {
        RangeKind::Image => "program and libraries",
        RangeKind::File => "file",
        RangeKind::Heap => "heap",
        RangeKind::Stack => "stack",
        RangeKind::Vdso => "vDSO",
        RangeKind::Guard => "no access",
        RangeKind::Anonymous => "other memory",
    }
}

fn class(kind: RangeKind) -> &'static str {
    match kind {
        RangeKind::Image => "m-image",
        RangeKind::File => "m-file",
        RangeKind::Heap => "m-heap",
        RangeKind::Stack => "m-stack",
        RangeKind::Vdso => "m-vdso",
        RangeKind::Guard => "m-guard",
        RangeKind::Anonymous => "m-anonymous",
    }
}

fn end(range: &RangeReport) -> u64 {
    range.start.0.saturating_add(range.size)
}

/// Neighbours that differ in nothing as one range: cores split mappings, as `mprotect` does.
fn merged(ranges: &[RangeReport]) -> Vec<RangeReport> {
    let mut merged: Vec<RangeReport> = Vec::new();
    for range in ranges {
        let is_whole = |range: &RangeReport| range.in_core >= range.size;
        let same = merged.last_mut().filter(|last| {
            let of = |range: &RangeReport| (range.kind, range.thread, range.path.clone());
            end(last) == range.start.0
                && of(last) == of(range)
                && last.permissions == range.permissions
                && (is_whole(last) && is_whole(range) || last.in_core == 0 && range.in_core == 0)
        });
        match same {
            Some(last) => {
                last.size = last.size.saturating_add(range.size);
                last.in_core = last.in_core.saturating_add(range.in_core);
            }
            None => merged.push(range.clone()),
        }
    }
    merged
}

/// Runs of ranges that lie close together.
fn bars(ranges: &[RangeReport]) -> Vec<&[RangeReport]> {
    let mut bars = Vec::new();
    let mut first = 0;
    for at in 1..=ranges.len() {
        let bar = ranges.get(first..at).unwrap_or_default();
        let (Some(start), Some(last)) = (bar.first(), bar.last()) else { continue };
        let far = ranges.get(at).is_none_or(|next| {
            let gap = next.start.0.saturating_sub(end(last));
            let drawn = end(last).saturating_sub(start.start.0);
            gap > FAR || gap > drawn.saturating_mul(FAR_FACTOR)
        });
        if far {
            bars.push(bar);
            first = at;
        }
    }
    bars
}

fn holds(bar: &[RangeReport], at: u64) -> bool {
    bar.first().zip(bar.last()).is_some_and(|(one, last)| (one.start.0..end(last)).contains(&at))
}

fn drawn(bar: &[RangeReport], fault: Option<u64>) -> Markup {
    let (Some(one), Some(last)) = (bar.first(), bar.last()) else { return html! {} };
    let (start, size) = (one.start.0, end(last).saturating_sub(one.start.0).max(1));
    let scaled = |bytes: u64| {
        u64::try_from(u128::from(bytes) * u128::from(ACROSS) / u128::from(size)).unwrap_or(ACROSS)
    };
    let fault = fault.filter(|at| holds(bar, *at));
    let what = named(bar);
    let mut kinds: Vec<_> = bar.iter().map(|range| word(range.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let label = format!("{} from {:#x}: {}", bytes(size), start, kinds.join(", "));
    html! {
        figure.bar-of {
            figcaption {
                code { (format!("{start:#x}")) } " " span.aside { (bytes(size)) " " }
                @for (at, text) in what.iter().take(NAMED).enumerate() {
                    @if at > 0 { ", " }
                    (visible_text(text, NAME / 2))
                }
                @if what.len() > NAMED { ", \u{2026}" }
                @if let Some(at) = fault { " " strong.fault { "fault at " (format!("{at:#x}")) } }
            }
            svg viewBox={ "0 0 " (ACROSS) " 20" } preserveAspectRatio="none" role="img"
                aria-label=(label) {
                @for range in bar {
                    @let x = scaled(range.start.0.saturating_sub(start));
                    @let width = scaled(range.size).max(1);
                    @let gone = if range.in_core == 0 { " gone" } else { "" };
                    rect class={ (class(range.kind)) (gone) } x=(x) y="0" width=(width) height="20" {
                        title { (range.start) " " (bytes(range.size)) " " (visible(&range.permissions)) " " (about_plain(range)) }
                    }
                }
                @if let Some(at) = fault {
                    rect.m-fault x=(scaled(at.saturating_sub(start)).saturating_sub(2)) y="0" width="4" height="20" {}
                }
            }
        }
    }
}

/// What a bar holds, each once, in the order of addresses; stacks are counted.
fn named(bar: &[RangeReport]) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    let stacks = bar.iter().filter(|range| range.kind == RangeKind::Stack).count();
    for range in bar {
        let text = match (range.kind, range.thread) {
            (RangeKind::Stack, Some(tid)) if stacks == 1 => format!("stack of {tid}"),
            (RangeKind::Stack, _) => counted(stacks, "stack"),
            (RangeKind::Guard, _) => continue,
            _ => about_plain(range),
        };
        if named.len() <= NAMED && !named.contains(&text) {
            named.push(text);
        }
    }
    named
}

/// In the title of a shape there is no markup.
fn about_plain(range: &RangeReport) -> String {
    match &range.path {
        Some(path) => name::base_name(path),
        None => word(range.kind).to_owned(),
    }
}

/// Where a fault address outside all bars lies.
fn nothing_at(at: u64, memory: &MemoryReport) -> Markup {
    let before = memory.ranges.iter().rev().find(|range| end(range) <= at);
    let after = memory.ranges.iter().find(|range| range.start.0 > at);
    html! {
        strong { "The fault address " code { (format!("{at:#x}")) } } " is in no mapping: "
        @match (before, after) {
            (None, Some(after)) => {
                (bytes(after.start.0.saturating_sub(at))) " below " (about(after)) ", the lowest."
            }
            (Some(before), Some(after)) => {
                (bytes(at.saturating_sub(end(before)))) " above " (about(before)) " and "
                (bytes(after.start.0.saturating_sub(at))) " below " (about(after)) "."
            }
            (Some(before), None) => {
                (bytes(at.saturating_sub(end(before)))) " above " (about(before)) ", the highest."
            }
            (None, None) => "nothing is mapped at all.",
        }
    }
}

fn row(range: &RangeReport, fault: Option<u64>) -> Markup {
    let is_fault = fault.is_some_and(|at| (range.start.0..end(range)).contains(&at));
    html! {
        tr.current[is_fault] {
            th scope="row" { code { (range.start) } }
            td.number { (bytes(range.size)) }
            td { code { (visible(&range.permissions)) } }
            td {
                (about(range))
                @if let Some(path) = &range.path { " " span.aside { (text(path, NAME)) } }
                @if is_fault { " " strong.fault { "fault address" } }
            }
            td { (in_core(range)) }
        }
    }
}

fn in_core(range: &RangeReport) -> Markup {
    html! {
        @if range.in_core == 0 { "no" }
        @else if range.in_core >= range.size { "yes" }
        @else { (bytes(range.in_core)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::{Hex, SignalReport};

    fn range(start: u64, size: u64, kind: RangeKind) -> RangeReport {
        RangeReport { start: Hex(start), size, kind, in_core: size, ..RangeReport::default() }
    }

    fn shown(fault: u64) -> String {
        let ranges = vec![
            range(0x40_0000, 0x3000, RangeKind::Image),
            range(0x40_4000, 0x1000, RangeKind::Heap),
            range(0x7fff_0000_0000, 0x1000, RangeKind::Stack),
        ];
        let memory = Some(MemoryReport { ranges, ..MemoryReport::default() });
        let signal = SignalReport { fault_address: Some(Hex(fault)), ..SignalReport::default() };
        let report = Report { memory, signal: Some(signal), ..Report::default() };
        part(&report).unwrap().into_string()
    }

    #[test]
    fn neighbours_share_a_bar_and_are_drawn_to_scale() {
        let page = shown(0x40_3800);
        assert_eq!(page.matches("<figure").count(), 2, "{page}");
        assert!(page.contains("class=\"m-image\" x=\"0\" y=\"0\" width=\"600\""), "{page}");
        assert!(page.contains("class=\"m-heap\" x=\"800\" y=\"0\" width=\"200\""), "{page}");
        assert!(page.contains("class=\"m-fault\" x=\"698\""), "{page}");
    }

    #[test]
    fn a_fault_in_no_mapping_says_what_lies_around_it() {
        let page = shown(0x20);
        assert!(page.contains("3.9 MiB below program and libraries, the lowest"), "{page}");
        assert!(shown(0x7fff_0000_2000).contains("4 KiB above stack, the highest"));
    }

    #[test]
    fn neighbours_that_differ_in_nothing_are_one_range() {
        let heap =
            |start, in_core| RangeReport { in_core, ..range(start, 0x1000, RangeKind::Heap) };
        let ranges = [heap(0x1000, 0x1000), heap(0x2000, 0x1000), heap(0x3000, 0), heap(0x5000, 0)];
        let sizes: Vec<_> =
            merged(&ranges).iter().map(|range| (range.start.0, range.size)).collect();
        assert_eq!(sizes, [(0x1000, 0x2000), (0x3000, 0x1000), (0x5000, 0x1000)]);
    }

    #[test]
    fn sizes_are_shown_in_three_digits() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (u64::MAX, "15 EiB")];
        for (count, shown) in cases {
            assert_eq!(bytes(count), shown);
        }
    }
}
