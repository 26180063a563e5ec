//! Lines of source around one place, in a report and in an answer.

use super::SourcePlace;
use super::source_lines::SourceLines;
use super::source_place::source_place;
use obit_dwarf::SourceLocation;
use obit_process::process::Process;
use obit_redact::Redactor;

/// `location`, which is of code of `module`, with `context` lines on each side.
pub(crate) fn lines_around(
    process: &Process,
    (location, module): (&SourceLocation, Option<usize>),
    context: u32,
    redactor: &mut Redactor,
) -> SourcePlace {
    let mut place = source_place(location, redactor);
    if let Some(module) = module {
        let modules = &process.modules;
        let mut sources = SourceLines::default();
        sources.add(&mut place, location, module, modules, context, redactor);
    }
    place
}
