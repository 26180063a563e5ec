//! The machine code around the pc of the crash.

use maud::{Markup, html};

use super::escape::{NAME, text, with_tooltip};
use super::page::scrolling;
use super::room::{Room, more};
use crate::{PageOptions, excerpt, name};
use obit_report::{InstructionReport, Report};

/// Instructions that are shown.
const MOST: usize = 400;
/// Characters of one.
const TEXT: usize = 100;
/// Bytes of them.
const ROOM: usize = 120_000;

/// The listing; `None` where the report has none.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let frame = report.crashed_thread()?.frames.first()?;
    if frame.disassembly.is_empty() {
        return None;
    }
    let (rows, left_out) = Room::new(ROOM).fill(frame.disassembly.iter(), MOST, row);
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
