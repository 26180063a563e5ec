//! Go: its goroutines, from the runtime's own list (`runtime/runtime2.go`, `runtime/proc.go`).
//! 64-bit machines.
//!
//! Names of the runtime are found by symbols. Of a program without them, the list and the table
//! of wait reasons are found in the variables of the program by what they must hold, and count
//! only where one place does.

mod frames;
mod goroutine;
mod image;
mod layout;
mod reasons;
mod variables;

use obit_process::process::Process;

use crate::{Gap, Kind, Runtime, Task, Verdict};
use goroutine::Goroutines;
use image::GoImage;
use layout::Layout;

/// Goroutines that are read of one process.
const MOST: u64 = 1 << 20;

/// The goroutines of the process; `None` where no image in it was made by Go.
pub(super) fn read(process: &Process) -> Option<Runtime> {
    let image = GoImage::of(process)?;
    let mut runtime = Runtime {
        kind: Kind::Go,
        version: image.version.clone(),
        tasks: Vec::new(),
        omitted: 0,
        verdicts: Vec::new(),
        gaps: Vec::new(),
    };
    let unknown = |of| Gap::Layout { of, version: image.version.clone() };
    let Some(layout) = Layout::of(&image) else {
        runtime.gaps.push(unknown("goroutines"));
        return Some(runtime);
    };
    let Some(list) = image.all_goroutines(&layout) else {
        runtime.gaps.push(unknown("the list of goroutines"));
        return Some(runtime);
    };
    let reasons = image.wait_reasons();
    if reasons.is_empty() {
        runtime.gaps.push(unknown("why goroutines wait"));
    }
    let shown = list.count.min(MOST);
    runtime.omitted = list.count.saturating_sub(shown);
    let mut goroutines = Goroutines::new(&image, layout, reasons);
    let mut damaged = 0_u64;
    for address in list.addresses(&process.memory, shown) {
        match address.and_then(|address| goroutines.read(address)) {
            Some(Some(task)) => runtime.tasks.push(task),
            Some(None) => {}
            None => damaged = damaged.saturating_add(1),
        }
    }
    if damaged > 0 {
        runtime.gaps.push(Gap::Other(
            "entries of the list of goroutines contradict themselves or are not in the core",
        ));
    }
    let without = runtime.tasks.iter().filter(|task| task.frames.is_empty()).count();
    if without > 0 {
        runtime.gaps.push(Gap::Stacks(without as u64));
    }
    mark_crashed(process, &mut runtime.tasks);
    runtime.tasks.sort_by_key(|task| (task.id, task.address));
    if frames::found_all_asleep(process) {
        runtime.verdicts.push(Verdict::AllAsleep);
    }
    Some(runtime)
}

/// The goroutine that panicked or for which the runtime gave up; where none did, the one of the
/// crashed thread. The runtime may have another thread end the process.
fn mark_crashed(process: &Process, tasks: &mut [Task]) {
    let is_any = tasks.iter().any(frames::is_ending);
    let crashed = process.threads.iter().position(|thread| thread.crashed);
    for task in tasks {
        let is_of_thread = task.thread.is_some() && task.thread == crashed;
        task.crashed = if is_any { frames::is_ending(task) } else { is_of_thread };
    }
}
