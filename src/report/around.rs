//! Lines of source around one frame, in a report and in an answer.

use super::SourcePlace;
use super::source_lines::SourceLines;
use super::source_place::source_place;
use obit_process::process::Process;
use obit_redact::Redactor;

/// The place of frame number `frame` of thread number `thread`, with `context` lines on each side;
/// `None` where its line is not known.
pub(crate) fn source_around(
    process: &Process,
    (thread, frame): (usize, usize),
    context: u32,
    redactor: &mut Redactor,
) -> Option<SourcePlace> {
    let frame = process.threads.get(thread)?.frames.get(frame)?;
    let location = frame.source.as_ref()?;
    let mut place = source_place(location, redactor);
    if let Some(module) = frame.module {
        let modules = &process.modules;
        let mut sources = SourceLines::default();
        sources.add(&mut place, location, module, modules, context, redactor);
    }
    Some(place)
}
