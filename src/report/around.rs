//! Lines of source around one frame, whoever asks for it.

use super::source_lines::SourceLines;
use super::source_place::source_place;
use super::{BuildOptions, SourcePlace};
use obit_process::process::Process;

/// The place of frame number `frame` of thread number `thread`, with `context` lines on each side;
/// `None` where its line is not known.
pub(crate) fn source_around(
    process: &Process,
    (thread, frame): (usize, usize),
    context: u32,
    options: &BuildOptions,
) -> Option<SourcePlace> {
    let frame = process.threads.get(thread)?.frames.get(frame)?;
    let location = frame.source.as_ref()?;
    let mut redactor = options.redactor(process);
    let mut place = source_place(location, &mut redactor);
    if let Some(module) = frame.module {
        let modules = &process.modules;
        let mut sources = SourceLines::default();
        sources.add(&mut place, location, module, modules, context, &mut redactor);
    }
    Some(place)
}
