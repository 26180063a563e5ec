//! Words of memory that point to a place.

use crate::reach::Words;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// A word that points to what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Where it is; `None` for a register.
    pub at: Option<Avma>,
    /// The thread of a register.
    pub tid: Option<i64>,
    /// Its value.
    pub value: u64,
}

/// All words that point into `target`, in memory that can be written, at most `most` of them;
/// and how many more there are.
pub fn pointers_to(process: &Process, target: AvmaRange, most: usize) -> (Vec<Pointer>, u64) {
    let mut found = Vec::new();
    let mut more = 0_u64;
    let mut take = |pointer: Pointer| match found.len() < most {
        true => found.push(pointer),
        false => more = more.saturating_add(1),
    };
    for thread in &process.dump.threads {
        let values = crate::roots::known_registers(&thread.registers);
        for value in values.filter(|value| target.contains(Avma(*value))) {
            take(Pointer { at: None, tid: Some(thread.tid), value });
        }
    }
    let mut memory = Words::of(process);
    for region in process.memory.regions() {
        if !region.permissions.write {
            continue;
        }
        memory.each(region.range, (target.start.0, target.end.0), |at, value| {
            take(Pointer { at: Some(Avma(at)), tid: None, value });
        });
    }
    (found, more)
}
