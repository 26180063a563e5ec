//! How much of their stacks threads use, and which frames take it.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::editor::called;
use super::escape::{NAME, visible_text};
use crate::layout::bytes;
use obit_report::memory::StackReport;
use obit_report::{FrameReport, Report, ThreadReport};

/// Frames whose part is drawn.
const FRAMES: usize = 24;
/// Other threads.
const THREADS: usize = 24;
/// Bytes of all that.
const BUDGET: usize = 60_000;
/// Units across a bar.
const ACROSS: u64 = 1000;

/// The bars; `None` where the report knows nothing of stacks.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let stacks = &report.memory.as_ref()?.stacks;
    let crashed = report.crashed_thread();
    let own = crashed.and_then(|thread| stacks.iter().find(|stack| stack.thread == thread.tid));
    let mut others: Vec<_> =
        stacks.iter().filter(|stack| Some(stack.thread) != crashed.map(|t| t.tid)).collect();
    if own.is_none() && others.is_empty() {
        return None;
    }
    others.sort_by_key(|stack| std::cmp::Reverse(stack.used));
    let budget = Budget::new(BUDGET);
    let (shown, left_out) = budget.fill(others.iter(), THREADS, |stack| of_thread(stack));
    Some(html! {
        @if let (Some(thread), Some(stack)) = (crashed, own) {
            (of_thread(stack))
            (by_frame(thread, &budget))
        }
        @if !others.is_empty() {
            details {
                summary { "The other threads, the largest first" }
                (shown)
                (more(left_out, "thread"))
            }
        }
    })
}

fn of_thread(stack: &StackReport) -> Markup {
    let share = share(stack.used, stack.size);
    let percent = match share / (ACROSS / 100) {
        0 => "under 1".to_owned(),
        percent => percent.to_string(),
    };
    let shown = format!("{} of {} mapped, {percent} %", bytes(stack.used), bytes(stack.size));
    html! {
        figure.bar-of {
            figcaption {
                a href={ "#t" (stack.thread) } { "thread " (stack.thread) } " "
                span.aside { (shown) }
            }
            (bar(share, "m-stack", &format!("Stack of thread {}: {shown}", stack.thread)))
        }
    }
}

/// The frames that take most, in the order of the stack.
fn by_frame(thread: &ThreadReport, budget: &Budget) -> Markup {
    let sized = |frame: &FrameReport| frame.stack_bytes.filter(|bytes| *bytes > 0);
    let mut frames: Vec<_> =
        thread.frames.iter().filter_map(|frame| Some((frame, sized(frame)?))).collect();
    let Some(most) = frames.iter().map(|(_, bytes)| *bytes).max() else { return html! {} };
    let all = frames.len();
    frames.sort_by_key(|(frame, bytes)| (std::cmp::Reverse(*bytes), frame.index));
    frames.truncate(FRAMES);
    frames.sort_by_key(|(frame, _)| frame.index);
    let (shown, _) = budget.fill(frames.iter(), FRAMES, |(frame, size)| {
        html! {
            li {
                a href={ "#t" (thread.tid) "-f" (frame.index) } {
                    "#" (frame.index) " " (visible_text(&called(frame), NAME / 2))
                }
                " " span.aside { (bytes(*size)) }
                (bar(share(*size, most), "m-frame", &format!("{size} bytes")))
            }
        }
    });
    let title = if all > FRAMES { "The frames that take most of it" } else { "Frame by frame" };
    html! { h3 { (title) } ol.by-frame { (shown) } }
}

fn share(part: u64, of: u64) -> u64 {
    let share = u128::from(part) * u128::from(ACROSS) / u128::from(of.max(1));
    u64::try_from(share).unwrap_or(ACROSS).min(ACROSS)
}

fn bar(share: u64, class: &str, label: &str) -> Markup {
    html! {
        svg.meter viewBox={ "0 0 " (ACROSS) " 10" } preserveAspectRatio="none" role="img"
            aria-label=(label) {
            rect.m-rest width=(ACROSS) height="10" {}
            rect class=(class) width=(share.max(2)) height="10" {}
        }
    }
}
