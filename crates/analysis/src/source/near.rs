//! The line of the application that stands for a frame whose own line is a system header's:
//! optimised code of a header may be part of a function without an inlined call that says so.

use crate::owner::is_foreign_source;
use obit_corefile::addr::Avma;
use obit_disassembly::steps;
use obit_dwarf::SourceLocation;
use obit_process::process::{Frame, FrameKind, Process};

/// Instructions that are looked at before the place; as many after it.
const MOST: usize = 256;
/// Bytes of a function that are decoded.
const MOST_CODE: u64 = 64 << 10;

/// The nearest line of the same function that is in a file of the application, the
/// instructions before the place first; `None` where the frame's own line is, or none.
pub(crate) fn near(process: &Process, frame: &Frame) -> Option<SourceLocation> {
    let module_index = frame.module?;
    let own = frame.source.as_ref()?;
    if frame.kind != FrameKind::Normal || !is_foreign_source(process, module_index, &own.file) {
        return None;
    }
    let module = process.modules.get(module_index)?;
    let debug = process.modules.debug(module_index)?;
    let pc = module.to_svma(frame.pc);
    let symbol = debug.symbol_at(pc).filter(|symbol| symbol.offset < symbol.size)?;
    let start = module.to_avma(symbol.address);
    let length = usize::try_from(symbol.size.min(MOST_CODE)).ok()?;
    let code = process.memory.read_up_to(start, length);
    let decoder = process.decoder_at(start)?;
    let all: Vec<Avma> = steps(decoder, start, &code).iter().map(|step| step.address).collect();
    let here = all.partition_point(|at| *at < frame.pc);
    let (before, after) = all.split_at(here.min(all.len()));
    let line_at = |at: &Avma| {
        let there = debug.frames_at(module.to_svma(*at));
        let there = there
            .into_iter()
            .find(|there| there.function.as_deref() == frame.function.as_deref())?;
        let location = there.location.filter(|location| location.line.is_some())?;
        (!is_foreign_source(process, module_index, &location.file)).then_some(location)
    };
    let mut order = before.iter().rev().take(MOST).chain(after.iter().take(MOST));
    order.find_map(line_at)
}
