//! What memory holds: the census of a heap, one address, the places of a search.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::PageOptions;
use crate::layout::{bytes, counted, grouped};
use crate::name::shown;
use crate::style::Style;
use obit_redact::Shown;
use obit_report::Confidence;
use obit_report::heap::{
    ArenaReport, BlockReport, FoundReport, GrownReport, HeapAnswer, HeapReport, PlaceReport,
};

/// Writes one of them.
pub(crate) fn write_heap(
    out: &mut dyn io::Write,
    answer: &HeapAnswer,
    options: &PageOptions,
) -> io::Result<()> {
    match answer {
        HeapAnswer::Census(report) => write_census(out, report, options),
        HeapAnswer::Place(place) => write_place(out, place, options),
        HeapAnswer::Found(found) => write_found(out, found, options),
    }
}

fn blocks(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "block")
}

fn write_census(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    if let Some(allocator) = &report.allocator {
        let version = report.version.as_ref().map(shown).unwrap_or_default();
        let total = &report.total;
        let head = match report.allocators.len() {
            0 | 1 => format!("heap of {allocator} {version}").trim_end().to_owned(),
            _ => "heaps of all allocators".to_owned(),
        };
        let sure = sure(report.confidence);
        writeln!(out, "{}{sure}", options.color.paint(Style::Focus, &head))?;
        for (name, count, size) in [
            ("live", total.live_blocks, total.live_bytes),
            ("freed", total.free_blocks, total.free_bytes),
        ] {
            writeln!(out, "  {name:<9}{:>10} in {}", bytes(size), blocks(count))?;
        }
        writeln!(out, "  overhead {:>10}", bytes(total.overhead_bytes))?;
        writeln!(out, "  top      {:>10}", bytes(total.top_bytes))?;
        if total.unknown_blocks > 0 {
            let text = format!(
                "  unknown  {:>10} in {}: freed or not",
                bytes(total.unknown_bytes),
                blocks(total.unknown_blocks)
            );
            writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?;
        }
        write_allocators(out, report, options)?;
        write_arenas(out, report, options)?;
        write_sizes(out, report, options)?;
        write_types(out, report, options)?;
        write_holders(out, report, options)?;
        write_collections(out, report, options)?;
        write_leaks(out, report, options)?;
    }
    write_damages(out, report, options)?;
    if let Some(growth) = &report.growth {
        let lead =
            format!("since the other core: {:+} blocks, {:+} bytes", growth.blocks, growth.bytes);
        writeln!(out, "\n{}", options.color.paint(Style::Focus, &lead))?;
        for (title, rows) in
            [("by type", &growth.types), ("by owner", &growth.holders), ("by size", &growth.sizes)]
        {
            write_grown(out, title, rows, options)?;
        }
    }
    write_notices(out, &report.notices, options)
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "",
        Confidence::Likely => " (likely: see the notices)",
        Confidence::Guess => " (uncertain: see the notices)",
    }
}

fn title(out: &mut dyn io::Write, text: &str, options: &PageOptions) -> io::Result<()> {
    writeln!(out, "\n{}", options.color.paint(Style::Focus, text))
}

/// Columns of numbers to the right, the last one of text to the left.
fn write_table(
    out: &mut dyn io::Write,
    header: &[&str],
    rows: Vec<Vec<String>>,
    options: &PageOptions,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    let last = header.len().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if at == 0 { 2 } else { 0 }, 2));
        if at < last {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Each allocator, if there are several.
fn write_allocators(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    for one in &report.allocators {
        let version = one.version.as_ref().map(shown).unwrap_or_default();
        let name = format!("heap of {} {version}", one.allocator).trim_end().to_owned();
        title(out, &name, options)?;
        let total = &one.total;
        writeln!(
            out,
            "  live {} in {}, freed {} in {}{}",
            bytes(total.live_bytes),
            blocks(total.live_blocks),
            bytes(total.free_bytes),
            blocks(total.free_blocks),
            sure(one.confidence)
        )?;
    }
    Ok(())
}

fn write_arenas(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    if report.arenas.len() < 2 {
        return Ok(());
    }
    title(out, "arenas", options)?;
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
    write_table(out, &["system", "live", "", "freed", "", "arena"], rows, options)
}

fn write_sizes(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    title(out, "sizes", options)?;
    let rows = report.sizes.iter().map(|size| {
        vec![
            grouped(size.live_blocks),
            bytes(size.live_bytes),
            grouped(size.free_blocks),
            bytes(size.free_bytes),
            format!("{} to {} bytes", grouped(size.from), grouped(size.to)),
        ]
    });
    write_table(out, &["live", "", "freed", "", "size"], rows.collect(), options)
}

fn write_types(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    let live = report.total.live_bytes;
    let share = report.typed_bytes.saturating_mul(100).checked_div(live).unwrap_or(0);
    title(out, &format!("types (known of {share} % of the live bytes)"), options)?;
    let rows = report.types.iter().map(|ty| {
        vec![grouped(ty.blocks), bytes(ty.bytes), format!("{} ({})", shown(&ty.type_name), ty.by)]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        write_table(out, &["live", "", "type"], rows, options)?;
    }
    write_omitted(out, report.omitted_types, "types", options)
}

fn write_holders(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    if report.holders.is_empty() {
        return Ok(());
    }
    title(
        out,
        "held by (each block by the nearest root; alone: what no other root leads to)",
        options,
    )?;
    let rows = report.holders.iter().map(|holder| {
        let name = format!("{} ({})", shown(&holder.holder), holder.kind);
        let alone = holder.retained_bytes.map(bytes).unwrap_or_default();
        vec![grouped(holder.blocks), bytes(holder.bytes), alone, name]
    });
    write_table(out, &["live", "", "alone", "holder"], rows.collect(), options)
}

fn write_collections(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    if report.collections.is_empty() {
        return Ok(());
    }
    title(out, "by path (with what only it leads to)", options)?;
    let rows = report.collections.iter().map(|one| {
        let name = format!("{} ({})", shown(&one.path), shown(&one.type_name));
        let with = one.retained_bytes.map(bytes).unwrap_or_default();
        vec![grouped(one.elements), bytes(one.bytes), with, name]
    });
    write_table(out, &["elements", "own", "with", "path"], rows.collect(), options)?;
    write_omitted(out, report.omitted_collections, "paths", options)
}

fn write_leaks(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    let leaks = &report.leaks;
    if leaks.blocks == 0 {
        return writeln!(out, "\nno live block is lost{}", sure(leaks.confidence));
    }
    let lead = format!("lost: {} in {}", bytes(leaks.bytes), blocks(leaks.blocks));
    title(out, &format!("{lead}{}", sure(leaks.confidence)), options)?;
    let rows = leaks.groups.iter().map(|group| {
        let name = group.type_name.as_ref().map_or_else(|| "unknown".to_owned(), shown);
        vec![
            grouped(group.blocks),
            bytes(group.bytes),
            format!("{name}, {} bytes each, as {}", grouped(group.size), group.example),
        ]
    });
    write_table(out, &["blocks", "", "of"], rows.collect(), options)?;
    write_omitted(out, leaks.omitted_groups, "groups", options)
}

fn write_damages(
    out: &mut dyn io::Write,
    report: &HeapReport,
    options: &PageOptions,
) -> io::Result<()> {
    for damage in &report.damages {
        let what =
            if damage.is_senseless { "makes no sense" } else { "contradicts the block before" };
        let lead = format!("\ndamaged: the header at {} {what}", damage.address);
        write!(out, "{}", options.color.paint(Style::Alarm, &lead))?;
        if let Some(before) = damage.before {
            let name = damage.before_type.as_ref().map_or_else(|| "a block".to_owned(), shown);
            write!(
                out,
                "; before it is {name} of {} bytes at {before}",
                grouped(damage.before_size)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_grown(
    out: &mut dyn io::Write,
    name: &str,
    rows: &[GrownReport],
    options: &PageOptions,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    title(out, name, options)?;
    let rows = rows
        .iter()
        .map(|row| vec![format!("{:+}", row.blocks), format!("{:+}", row.bytes), shown(&row.of)]);
    write_table(out, &["blocks", "bytes", ""], rows.collect(), options)
}

fn write_omitted(
    out: &mut dyn io::Write,
    count: u64,
    noun: &str,
    options: &PageOptions,
) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let text = format!("  {} more {noun}: -n N shows more", grouped(count));
    writeln!(out, "{}", options.color.paint(Style::Aside, &text))
}

fn write_notices(
    out: &mut dyn io::Write,
    notices: &[Shown],
    options: &PageOptions,
) -> io::Result<()> {
    for (nth, notice) in notices.iter().enumerate() {
        let lead = if nth == 0 { "\n" } else { "" };
        let text = format!("note: {}", shown(notice));
        writeln!(out, "{lead}{}", options.color.paint(Style::Doubt, &text))?;
    }
    Ok(())
}

fn block_text(block: &BlockReport) -> String {
    let name = block.type_name.as_ref().map(|name| format!(", {}", shown(name)));
    let name = name.unwrap_or_default();
    format!("{} {} of {} bytes{name}", block.address, block.state, grouped(block.size))
}

fn write_way(out: &mut dyn io::Write, indent: &str, way: &[Shown]) -> io::Result<()> {
    if way.is_empty() {
        return Ok(());
    }
    let steps: Vec<String> = way.iter().map(shown).collect();
    writeln!(out, "{indent}reached by {}", steps.join(" -> "))
}

fn write_place(
    out: &mut dyn io::Write,
    place: &PlaceReport,
    options: &PageOptions,
) -> io::Result<()> {
    let head = place.address.to_string();
    let what = place.what.as_ref().map(|what| format!(": {}", shown(what))).unwrap_or_default();
    writeln!(out, "{}{what}", options.color.paint(Style::Focus, &head))?;
    if let Some(block) = &place.block {
        let into = match place.offset {
            Some(0) | None => String::new(),
            Some(into) => format!("; the address is {} bytes into it", grouped(into)),
        };
        writeln!(out, "  block     {}{into}", block_text(block))?;
    }
    for (name, block) in [("previous", &place.previous), ("next", &place.next)] {
        if let Some(block) = block {
            writeln!(out, "  {name:<9} {}", block_text(block))?;
        }
    }
    match place.reachable {
        Some(false) => writeln!(out, "  nothing that the program can reach leads to it")?,
        _ => write_way(out, "  ", &place.path)?,
    }
    for pointer in &place.pointers {
        let at = pointer.at.map(|at| at.to_string()).unwrap_or_default();
        let owner = pointer.owner.as_ref().map(|owner| format!(" {}", shown(owner)));
        let into = match pointer.offset {
            0 => String::new(),
            into => format!(", {} bytes into it", grouped(into)),
        };
        writeln!(out, "  from {at} {}{}{into}", pointer.region, owner.unwrap_or_default())?;
        write_way(out, "       ", &pointer.path)?;
    }
    write_omitted(out, place.omitted, "pointers", options)?;
    write_notices(out, &place.notices, options)
}

fn write_found(
    out: &mut dyn io::Write,
    found: &FoundReport,
    options: &PageOptions,
) -> io::Result<()> {
    for hit in &found.hits {
        let owner = hit.owner.as_ref().map(|owner| format!(" {}", shown(owner)));
        writeln!(out, "{} {}{}", hit.address, hit.region, owner.unwrap_or_default())?;
        write_way(out, "  ", &hit.path)?;
    }
    write_omitted(out, found.omitted, "places", options)?;
    if found.hits.is_empty() {
        let what = shown(&found.searched_for);
        writeln!(out, "not found: {what}, in {} of memory", bytes(found.searched_bytes))?;
    }
    write_notices(out, &found.notices, options)
}
