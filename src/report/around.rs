//! Lines of source around one place, and the whole file of a frame, in a report and in an answer.

use super::SourcePlace;
use super::source_lines::SourceLines;
use super::source_place::source_place;
use obit_dwarf::SourceLocation;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

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

/// Lines of a file that are read, and bytes of them.
const MOST_LINES: u32 = 200_000;
const MOST_BYTES: usize = 8 << 20;

/// A file of source.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its place, without lines.
    pub(crate) place: SourcePlace,
    /// The file that was found, if one was.
    pub(crate) path: Option<Shown>,
    /// Its lines, if they were asked for.
    pub(crate) lines: Vec<Shown>,
    /// It has more.
    pub(crate) is_cut: bool,
}

/// The file of frame number `frame` of thread number `thread`; `None` where its line is not known.
pub(crate) fn source_file(
    process: &Process,
    (thread, frame): (usize, usize),
    whole: bool,
    redactor: &mut Redactor,
) -> Option<SourceFile> {
    let frame = process.threads.get(thread)?.frames.get(frame)?;
    let location = frame.source.as_ref()?;
    let place = lines_around(process, (location, frame.module), 0, redactor);
    let mut file = SourceFile { place, path: None, lines: Vec::new(), is_cut: false };
    let found = process.modules.source(frame.module?, location);
    // One that is too short is another one.
    let Some(text) = found.text.filter(|_| !file.place.lines.is_empty()) else {
        return Some(file);
    };
    let path = found.path.map(|path| path.to_string_lossy().into_owned());
    file.path = path.map(|path| redactor.show(Origin::Path, &path));
    let mut bytes = 0_usize;
    for number in 1..=if whole { MOST_LINES } else { 0 } {
        let Some(line) = text.line(number) else { break };
        bytes = bytes.saturating_add(line.len());
        if bytes > MOST_BYTES || number == MOST_LINES {
            file.is_cut = true;
            break;
        }
        redactor.enter(1, || format!("{}:{number}", location.file));
        file.lines.push(redactor.show_bytes(Origin::SourceText, line));
    }
    Some(file)
}
