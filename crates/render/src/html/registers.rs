//! Registers of the crashed thread, and what their values point at.

use maud::{Markup, html};

use super::memory_map::about;
use crate::visible;
use obit_report::memory::MemoryReport;
use obit_report::{Hex, Report};

/// Registers of a machine that are shown.
const MOST: usize = 128;
/// Below it no pointer points: `vm.mmap_min_addr` is 64 KiB by default.
const LEAST_POINTER: u64 = 0x1_0000;

/// The table; `None` where the report has none.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let registers = &report.crashed_thread()?.registers;
    if registers.is_empty() {
        return None;
    }
    Some(html! {
        dl.registers {
            @for (name, value) in registers.iter().take(MOST) {
                div {
                    dt { (visible(name)) }
                    dd {
                        code { (format!("{:#018x}", value.0)) }
                        @if let Some(about) = pointed_at(report.memory.as_ref(), *value) {
                            " " span.aside { (about) }
                        }
                    }
                }
            }
        }
    })
}

fn pointed_at(memory: Option<&MemoryReport>, value: Hex) -> Option<Markup> {
    let memory = memory?;
    match value.0 {
        0 => None,
        small if small < LEAST_POINTER => Some(html! { (small) }),
        at => {
            let range = memory.ranges.iter().find(|range| {
                at.checked_sub(range.start.0).is_some_and(|into| into < range.size)
            })?;
            Some(about(range))
        }
    }
}
