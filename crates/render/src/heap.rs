//! What `obit heap` found, in parts that each format for people writes in its own way.

use crate::layout::{bytes, counted, grouped};
use crate::name::shown;
use obit_redact::Shown;
use obit_report::Confidence;
use obit_report::heap::{
    ArenaReport, BlockReport, FoundReport, GrownReport, HeapAnswer, HeapReport, PlaceReport,
};

/// A part: a title, lines, then a table.
#[derive(Default)]
pub(crate) struct Part {
    /// Is emphasized; what is behind it on its line is not.
    pub(crate) title: String,
    pub(crate) behind_title: String,
    /// Whether the title is of what is broken.
    pub(crate) is_alarm: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) table: Option<Table>,
    /// How much is left out: `3 more types: -n N shows more`.
    pub(crate) omitted: Option<String>,
}

/// A line below a title.
pub(crate) struct Line {
    pub(crate) text: String,
    /// Whether it is about what is not known.
    pub(crate) is_doubt: bool,
}

/// Columns of numbers, and a last one of text.
pub(crate) struct Table {
    pub(crate) header: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

impl Part {
    fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    fn line(&mut self, text: impl Into<String>) {
        self.lines.push(Line { text: text.into(), is_doubt: false });
    }

    fn with_table(mut self, header: &'static [&'static str], rows: Vec<Vec<String>>) -> Self {
        self.table = (!rows.is_empty()).then_some(Table { header, rows });
        self
    }

    fn with_omitted(mut self, count: u64, noun: &str) -> Self {
        self.omitted = omitted(count, noun);
        self
    }
}

fn omitted(count: u64, noun: &str) -> Option<String> {
    (count > 0).then(|| format!("{} more {noun}: -n N shows more", grouped(count)))
}

/// The parts of an answer, in their order.
pub(crate) fn parts(answer: &HeapAnswer) -> Vec<Part> {
    match answer {
        HeapAnswer::Census(report) => census(report),
        HeapAnswer::Place(place) => vec![of_place(place)],
        HeapAnswer::Found(found) => vec![of_found(found)],
    }
}

/// What an answer leaves open.
pub(crate) fn notices(answer: &HeapAnswer) -> &[Shown] {
    match answer {
        HeapAnswer::Census(report) => &report.notices,
        HeapAnswer::Place(place) => &place.notices,
        HeapAnswer::Found(found) => &found.notices,
    }
}

fn blocks(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "block")
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "",
        Confidence::Likely => " (likely: see the notices)",
        Confidence::Guess => " (uncertain: see the notices)",
    }
}

fn census(report: &HeapReport) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(allocator) = &report.allocator {
        parts.push(totals(report, allocator));
        parts.extend(allocators(report));
        parts.extend(arenas(report));
        parts.push(sizes(report));
        parts.push(types(report));
        parts.extend(holders(report));
        parts.extend(collections(report));
        parts.push(leaks(report));
    }
    parts.extend(damages(report));
    if let Some(growth) = &report.growth {
        let lead =
            format!("since the other core: {:+} blocks, {:+} bytes", growth.blocks, growth.bytes);
        parts.push(Part::titled(lead));
        let lists =
            [("by type", &growth.types), ("by owner", &growth.holders), ("by size", &growth.sizes)];
        parts.extend(lists.into_iter().filter_map(|(title, rows)| grown(title, rows)));
    }
    parts
}

fn totals(report: &HeapReport, allocator: &str) -> Part {
    let version = report.version.as_ref().map(shown).unwrap_or_default();
    let total = &report.total;
    let mut part = Part::titled(match report.allocators.len() {
        0 | 1 => format!("heap of {allocator} {version}").trim_end().to_owned(),
        _ => "heaps of all allocators".to_owned(),
    });
    sure(report.confidence).clone_into(&mut part.behind_title);
    for (name, count, size) in [
        ("live", total.live_blocks, total.live_bytes),
        ("freed", total.free_blocks, total.free_bytes),
    ] {
        part.line(format!("{name:<9}{:>10} in {}", bytes(size), blocks(count)));
    }
    part.line(format!("overhead {:>10}", bytes(total.overhead_bytes)));
    part.line(format!("top      {:>10}", bytes(total.top_bytes)));
    if total.unknown_blocks > 0 {
        let size = bytes(total.unknown_bytes);
        let text = format!("unknown  {size:>10} in {}: freed or not", blocks(total.unknown_blocks));
        part.lines.push(Line { text, is_doubt: true });
    }
    part
}

/// Each allocator, if there are several.
fn allocators(report: &HeapReport) -> impl Iterator<Item = Part> {
    report.allocators.iter().map(|one| {
        let version = one.version.as_ref().map(shown).unwrap_or_default();
        let name = format!("heap of {} {version}", one.allocator).trim_end().to_owned();
        let mut part = Part::titled(name);
        let total = &one.total;
        part.line(format!(
            "live {} in {}, freed {} in {}{}",
            bytes(total.live_bytes),
            blocks(total.live_blocks),
            bytes(total.free_bytes),
            blocks(total.free_blocks),
            sure(one.confidence)
        ));
        part
    })
}

fn arenas(report: &HeapReport) -> Option<Part> {
    if report.arenas.len() < 2 {
        return None;
    }
    let row = |arena: &ArenaReport| {
        let allocator = arena.allocator.as_deref().unwrap_or_default();
        let name = format!("{allocator} {}", arena.kind).trim_start().to_owned();
        let name = match (arena.number, arena.address) {
            (Some(number), _) => format!("{name} {number}"),
            (_, Some(at)) => format!("{name} at {at}"),
            _ => name,
        };
        vec![
            bytes(arena.system_bytes),
            grouped(arena.live_blocks),
            bytes(arena.live_bytes),
            grouped(arena.free_blocks),
            bytes(arena.free_bytes),
            name,
        ]
    };
    let rows = report.arenas.iter().map(row).collect();
    let header = &["system", "live", "", "freed", "", "arena"];
    Some(Part::titled("arenas").with_table(header, rows))
}

fn sizes(report: &HeapReport) -> Part {
    let rows = report.sizes.iter().map(|size| {
        vec![
            grouped(size.live_blocks),
            bytes(size.live_bytes),
            grouped(size.free_blocks),
            bytes(size.free_bytes),
            format!("{} to {} bytes", grouped(size.from), grouped(size.to)),
        ]
    });
    Part::titled("sizes").with_table(&["live", "", "freed", "", "size"], rows.collect())
}

fn types(report: &HeapReport) -> Part {
    let live = report.total.live_bytes;
    let share = report.typed_bytes.saturating_mul(100).checked_div(live).unwrap_or(0);
    let rows = report.types.iter().map(|ty| {
        vec![grouped(ty.blocks), bytes(ty.bytes), format!("{} ({})", shown(&ty.type_name), ty.by)]
    });
    Part::titled(format!("types (known of {share} % of the live bytes)"))
        .with_table(&["live", "", "type"], rows.collect())
        .with_omitted(report.omitted_types, "types")
}

fn holders(report: &HeapReport) -> Option<Part> {
    let title = "held by (each block by the nearest root; alone: what no other root leads to)";
    let rows = report.holders.iter().map(|holder| {
        let name = format!("{} ({})", shown(&holder.holder), holder.kind);
        let alone = holder.retained_bytes.map(bytes).unwrap_or_default();
        vec![grouped(holder.blocks), bytes(holder.bytes), alone, name]
    });
    let part = Part::titled(title).with_table(&["live", "", "alone", "holder"], rows.collect());
    (!report.holders.is_empty()).then_some(part)
}

fn collections(report: &HeapReport) -> Option<Part> {
    let rows = report.collections.iter().map(|one| {
        let name = format!("{} ({})", shown(&one.path), shown(&one.type_name));
        let with = one.retained_bytes.map(bytes).unwrap_or_default();
        vec![grouped(one.elements), bytes(one.bytes), with, name]
    });
    let part = Part::titled("by path (with what only it leads to)")
        .with_table(&["elements", "own", "with", "path"], rows.collect())
        .with_omitted(report.omitted_collections, "paths");
    (!report.collections.is_empty()).then_some(part)
}

fn leaks(report: &HeapReport) -> Part {
    let leaks = &report.leaks;
    let sure = sure(leaks.confidence);
    if leaks.blocks == 0 {
        let behind_title = format!("no live block is lost{sure}");
        return Part { behind_title, ..Part::default() };
    }
    let rows = leaks.groups.iter().map(|group| {
        let name = group.type_name.as_ref().map_or_else(|| "unknown".to_owned(), shown);
        vec![
            grouped(group.blocks),
            bytes(group.bytes),
            format!("{name}, {} bytes each, as {}", grouped(group.size), group.example),
        ]
    });
    Part::titled(format!("lost: {} in {}{sure}", bytes(leaks.bytes), blocks(leaks.blocks)))
        .with_table(&["blocks", "", "of"], rows.collect())
        .with_omitted(leaks.omitted_groups, "groups")
}

fn damages(report: &HeapReport) -> impl Iterator<Item = Part> {
    report.damages.iter().map(|damage| {
        let what =
            if damage.is_senseless { "makes no sense" } else { "contradicts the block before" };
        let mut part = Part::titled(format!("damaged: the header at {} {what}", damage.address));
        part.is_alarm = true;
        if let Some(before) = damage.before {
            let name = damage.before_type.as_ref().map_or_else(|| "a block".to_owned(), shown);
            let size = grouped(damage.before_size);
            part.behind_title = format!("; before it is {name} of {size} bytes at {before}");
        }
        part
    })
}

fn grown(name: &str, rows: &[GrownReport]) -> Option<Part> {
    let cells = rows
        .iter()
        .map(|row| vec![format!("{:+}", row.blocks), format!("{:+}", row.bytes), shown(&row.of)]);
    let part = Part::titled(name).with_table(&["blocks", "bytes", ""], cells.collect());
    (!rows.is_empty()).then_some(part)
}

fn block_text(block: &BlockReport) -> String {
    let name = block.type_name.as_ref().map(|name| format!(", {}", shown(name)));
    let name = name.unwrap_or_default();
    format!("{} {} of {} bytes{name}", block.address, block.state, grouped(block.size))
}

fn way_line(way: &[Shown]) -> Option<String> {
    let steps: Vec<String> = way.iter().map(shown).collect();
    (!way.is_empty()).then(|| format!("reached by {}", steps.join(" -> ")))
}

fn of_place(place: &PlaceReport) -> Part {
    let mut part = Part::titled(place.address.to_string());
    part.behind_title =
        place.what.as_ref().map(|what| format!(": {}", shown(what))).unwrap_or_default();
    if let Some(block) = &place.block {
        let into = match place.offset {
            Some(0) | None => String::new(),
            Some(into) => format!("; the address is {} bytes into it", grouped(into)),
        };
        part.line(format!("block     {}{into}", block_text(block)));
    }
    for (name, block) in [("previous", &place.previous), ("next", &place.next)] {
        if let Some(block) = block {
            part.line(format!("{name:<9} {}", block_text(block)));
        }
    }
    if place.reachable == Some(false) {
        part.line("nothing that the program can reach leads to it");
    } else if let Some(way) = way_line(&place.path) {
        part.line(way);
    }
    for pointer in &place.pointers {
        let at = pointer.at.map(|at| at.to_string()).unwrap_or_default();
        let owner = pointer.owner.as_ref().map(|owner| format!(" {}", shown(owner)));
        let into = match pointer.offset {
            0 => String::new(),
            into => format!(", {} bytes into it", grouped(into)),
        };
        part.line(format!("from {at} {}{}{into}", pointer.region, owner.unwrap_or_default()));
        if let Some(way) = way_line(&pointer.path) {
            part.line(format!("     {way}"));
        }
    }
    part.with_omitted(place.omitted, "pointers")
}

fn of_found(found: &FoundReport) -> Part {
    let mut part = Part::default();
    for hit in &found.hits {
        let owner = hit.owner.as_ref().map(|owner| format!(" {}", shown(owner)));
        part.line(format!("{} {}{}", hit.address, hit.region, owner.unwrap_or_default()));
        if let Some(way) = way_line(&hit.path) {
            part.line(format!("  {way}"));
        }
    }
    if found.hits.is_empty() {
        let what = shown(&found.searched_for);
        part.line(format!("not found: {what}, in {} of memory", bytes(found.searched_bytes)));
    }
    part.with_omitted(found.omitted, "places")
}
