//! What distinguishes a group from others.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::PageOptions;
use crate::layout::{counted, cut_end};
use crate::style::Style;
use crate::visible::visible;
use obit_triage::differ::{Difference, Distinction, Like};

/// Columns of a trait.
const WIDEST: usize = 70;
/// Smaller probabilities are not distinguished.
const LEAST: f64 = 0.001;

/// Writes what is compared, then a row for each trait.
pub(crate) fn write_distinctions(
    out: &mut dyn io::Write,
    found: &Difference,
    options: &PageOptions,
) -> io::Result<()> {
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let color = options.color;
    let group = color.paint(Style::Focus, &visible(&found.group)).to_string();
    let dumps = counted(count(found.dumps), "dump");
    let (cores, against) = (found.cores, visible(&found.against));
    writeln!(
        out,
        "{group}: {dumps} ({cores} cores read), against {} of {against} ({} cores read)",
        found.other_dumps, found.other_cores
    )?;
    if let Some(why) = &found.too_few {
        writeln!(out, "{}", color.paint(Style::Doubt, &visible(why)))?;
        return Ok(());
    }
    let is_weak = found.distinctions.iter().all(|row| row.is_weak);
    if is_weak {
        let tests = counted(count(found.tests), "trait");
        let text = format!("nothing distinguishes the group: chance explains each of {tests}");
        writeln!(out, "{}", color.paint(Style::Doubt, &text))?;
    }
    if !found.distinctions.is_empty() {
        writeln!(out)?;
        write_rows(out, found, options)?;
    }
    for note in &found.notes {
        writeln!(out, "{}", color.paint(Style::Aside, &visible(note)))?;
    }
    Ok(())
}

fn write_rows(
    out: &mut dyn io::Write,
    found: &Difference,
    options: &PageOptions,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["group", "others", "odds", "q", "what"]);
    for row in &found.distinctions {
        table.add_row([
            format!("{}/{}", row.count, row.known),
            format!("{}/{}", row.elsewhere, row.elsewhere_known),
            odds(row.odds_ratio),
            probability(row.q),
            words(row),
        ]);
        let shown = row.alike.iter().map(|like| format!("or: {}", like_words(like)));
        let more = format!("or: {} more", row.alike_omitted);
        for line in shown.chain((row.alike_omitted > 0).then_some(more)) {
            let text = format!("  {}", cut_end(&line, WIDEST));
            table.add_row([String::new(), String::new(), String::new(), String::new(), text]);
        }
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at < 4 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

fn words(row: &Distinction) -> String {
    let Distinction { kind, name, is, value, .. } = row;
    let text = like_words(&Like {
        kind: kind.clone(),
        name: name.clone(),
        is: is.clone(),
        value: value.clone(),
    });
    cut_end(&text, WIDEST)
}

/// `environment LANG is C`; a build or a host is named once.
fn like_words(like: &Like) -> String {
    let Like { kind, name, is, value } = like;
    let name = if kind == name { String::new() } else { format!(" {name}") };
    visible(&format!("{kind}{name} {is} {value}")).into_owned()
}

fn odds(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{ratio:.0}") } else { format!("{ratio:.1}") }
}

fn probability(q: f64) -> String {
    if q < LEAST { format!("<{LEAST}") } else { format!("{q:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_odds_and_q_are_shown_for_each_trait() {
        let row = Distinction {
            kind: "environment".into(),
            name: "MODE\u{1b}".into(),
            is: "is".into(),
            value: "fast".into(),
            count: 9,
            known: 9,
            elsewhere: 2,
            elsewhere_known: 40,
            odds_ratio: 293.0,
            q: 0.000_1,
            alike: vec![Like {
                kind: "build".into(),
                name: "build".into(),
                is: "is".into(),
                value: "abcd".into(),
            }],
            alike_omitted: 3,
            ..Distinction::default()
        };
        let found = Difference {
            group: "1f3a".into(),
            against: "other crashes of app".into(),
            dumps: 9,
            other_dumps: 40,
            distinctions: vec![row],
            ..Difference::default()
        };
        let mut out = Vec::new();
        write_distinctions(&mut out, &found, &PageOptions::default()).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with("1f3a: 9 dumps (0 cores read), against 40 of other"), "{out}");
        assert!(lines[3].contains("9/9") && lines[3].contains("2/40"), "{out}");
        assert!(lines[3].contains("<0.001") && lines[3].contains("environment MODE"), "{out}");
        assert!(lines[4].contains("or: build is abcd") && lines[5].contains("or: 3 more"), "{out}");
        assert!(!out.contains('\u{1b}'));
    }

    #[test]
    fn too_few_dumps_are_said_and_nothing_else() {
        let found = Difference { too_few: Some("too few dumps".into()), ..Difference::default() };
        let mut out = Vec::new();
        write_distinctions(&mut out, &found, &PageOptions::default()).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), 2, "{out}");
    }
}
