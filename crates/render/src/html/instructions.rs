//! The machine code around the pc of the crash.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::escape::{NAME, text, with_tooltip};
use super::page::scrolling;
use crate::terminal::excerpt;
use crate::{PageOptions, name};
use obit_report::{InstructionReport, Report};

/// Instructions that are shown.
const MOST: usize = 400;
/// Characters of one.
const TEXT: usize = 100;
/// Bytes of them.
const BUDGET: usize = 120_000;

/// The listing; `None` where the report has none.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let frame = report.crashed_thread()?.frames.first()?;
    if frame.disassembly.is_empty() {
        return None;
    }
    let (rows, left_out) = Budget::new(BUDGET).fill(frame.disassembly.iter(), MOST, row);
    let table = html! { table.code { tbody { (rows) } } };
    Some(html! { (scrolling("Instructions", &table)) (more(left_out, "instruction")) })
}

fn row(instruction: &InstructionReport) -> Markup {
    html! {
        tr.current[instruction.current] {
            th scope="row" {
                (instruction.address)
                @if instruction.current { span.sr { " (here)" } }
            }
            td.place { @if let Some(place) = &instruction.place { (with_tooltip(&excerpt::place(instruction, &PageOptions::default()), &name::shown(place))) } }
            td {
                code.line { (text(&instruction.text, TEXT)) }
                @if let Some(note) = &instruction.note { " " span.value { (text(note, NAME)) } }
            }
        }
    }
}
