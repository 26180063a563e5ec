//! Output that never left the process, in words.

use std::collections::BTreeMap;

use super::ContentsLimits;
use crate::circumstances::surroundings;
use crate::report::Hex;
use crate::report::answer::{UnwrittenLine, UnwrittenOutput, UnwrittenWriter};
use obit_capture::Surroundings;
use obit_corefile::memory::Absent;
use obit_output::unwritten::{Doubt, Gap, Unwritten, Writer, WriterKind, unwritten};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

/// All of it.
pub(super) fn output(
    process: &Process,
    redactor: &mut Redactor,
    limits: ContentsLimits,
) -> UnwrittenOutput {
    let Unwritten { writers, looked_at, gaps } = unwritten(process);
    let record = surroundings(&process.dump.surroundings).ok().flatten().unwrap_or_default();
    let writers = writers.iter().map(|writer| one(writer, &record, redactor, limits)).collect();
    let looked_at: BTreeMap<String, u64> =
        looked_at.into_iter().map(|(kind, count)| (word(kind).to_owned(), count)).collect();
    let notes = gaps.iter().map(|gap| redactor.show(Origin::OwnWords, &gap_text(gap))).collect();
    UnwrittenOutput { writers, looked_at, notes }
}

fn one(
    writer: &Writer,
    record: &Surroundings,
    redactor: &mut Redactor,
    limits: ContentsLimits,
) -> UnwrittenWriter {
    let is_unsure = writer.doubts.iter().any(|doubt| doubt.is_of_all());
    let state = if is_unsure { "unsure" } else { "never-written" };
    // Redacted as one text, for what is hidden may be of several lines.
    let text = redactor.show_bytes(Origin::MessageText, &writer.bytes);
    let (lines, omitted_lines) = lines(text.as_str(), state, limits.lines);
    let recorded = record.files.iter().find(|it| writer.descriptor == Some(it.descriptor.into()));
    let recorded = recorded.map(|file| file.path.as_bytes());
    let path = writer.path.as_deref().or(recorded);
    let file = path.map(|path| redactor.show_bytes(Origin::Path, path));
    let doubts = writer.doubts.iter();
    UnwrittenWriter {
        kind: word(writer.kind).to_owned(),
        name: name(writer.kind).to_owned(),
        address: Hex(writer.at.0),
        descriptor: writer.descriptor,
        file,
        bytes: writer.omitted.saturating_add(writer.bytes.len() as u64),
        lines,
        omitted_lines,
        omitted_bytes: writer.omitted,
        first_may_continue: !writer.is_first || omitted_lines > 0 && writer.omitted > 0,
        doubts: doubts.map(|doubt| redactor.show(Origin::OwnWords, &doubt_text(doubt))).collect(),
    }
}

/// The last lines of a text that was redacted, and how many are before them.
fn lines(text: &str, state: &str, most: usize) -> (Vec<UnwrittenLine>, u64) {
    let mut all: Vec<&str> = text.split('\n').collect();
    // What is after the last end is a line only if there is something.
    let last = all.pop().filter(|last| !last.is_empty());
    let count = all.len() + usize::from(last.is_some());
    let omitted = count.saturating_sub(most);
    let whole = all.into_iter().map(|line| (line, false));
    let line = |(text, is_partial): (&str, bool)| UnwrittenLine {
        state: state.to_owned(),
        text: Shown::from_report(text.to_owned()),
        is_partial,
    };
    let lines = whole.chain(last.map(|last| (last, true))).skip(omitted).map(line).collect();
    (lines, omitted as u64)
}

fn word(kind: WriterKind) -> &'static str {
    match kind {
        WriterKind::CStream => "c-stream",
        WriterKind::WideCStream => "wide-c-stream",
        WriterKind::CppStream => "cpp-stream",
        WriterKind::RustBufWriter => "rust-bufwriter",
        WriterKind::TokioBufWriter => "tokio-bufwriter",
        WriterKind::GoWriter => "go-writer",
        WriterKind::PythonBuffer => "python-buffer",
        WriterKind::PythonText => "python-text",
    }
}

fn name(kind: WriterKind) -> &'static str {
    match kind {
        WriterKind::CStream => "FILE",
        WriterKind::WideCStream => "FILE (wide characters)",
        WriterKind::CppStream => "std::filebuf",
        WriterKind::RustBufWriter => "BufWriter",
        WriterKind::TokioBufWriter => "tokio BufWriter",
        WriterKind::GoWriter => "bufio.Writer",
        WriterKind::PythonBuffer => "io.BufferedWriter",
        WriterKind::PythonText => "io.TextIOWrapper",
    }
}

fn doubt_text(doubt: &Doubt) -> String {
    match doubt {
        Doubt::BeingWritten { tid } => {
            format!("thread {tid} was writing these bytes: some or all may have been written")
        }
        Doubt::Missing(why) => {
            let why = match why {
                Absent::Unmapped => "its memory is not mapped",
                Absent::NotDumped => "the core does not hold its memory",
                Absent::Truncated => "the core is cut short",
                Absent::FileNotFound => "a file that was not found holds it",
                Absent::Unreadable => "the core could not be read there",
            };
            format!("the buffer has more: {why}")
        }
        Doubt::ByLayout => "found by its layout: no symbol names it".to_owned(),
        Doubt::Unread => "it has text that could not be read".to_owned(),
        Doubt::ByVariable => "found by the type of a variable that may have been moved from: \
            the bytes may have been written, or be what has its memory now"
            .to_owned(),
        Doubt::Collected => "whether the garbage collector has taken it could not be found out: \
            the bytes may be what has its memory now"
            .to_owned(),
        Doubt::Copies => "a copy of it has written another part of the buffer: the bytes may have \
            been written by that one"
            .to_owned(),
        Doubt::NoFile => "no descriptor is known that it writes to: it may write to memory, or \
            its file may be closed"
            .to_owned(),
    }
}

fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Machine(kind) => {
            format!("{}: its layout is not known on this machine; none was looked at", name(*kind))
        }
        Gap::NoStreams => "the C library's list of streams was not found: no FILE was looked at; \
            `obit modules` shows whether the library's file is missing"
            .to_owned(),
        Gap::DamagedList(at) => {
            format!("the list of streams is damaged at {at}: those after it were not looked at")
        }
        Gap::NoTypes(kind) => format!(
            "{}: no type information, so none was looked for; build with debug information or \
             put the debug file where obit finds it",
            name(*kind)
        ),
        Gap::Collected(kind, count) => format!(
            "{}: {count} with unwritten bytes were taken by the garbage collector; their lines \
             are not shown, since others may have their memory",
            name(*kind)
        ),
        Gap::Unreachable(kind) => format!(
            "{}: those that no variable leads to were not found; optimised code has few variables",
            name(*kind)
        ),
        Gap::Cut => {
            "there is more memory, or there are more writers, than was looked at".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_partial_if_it_has_no_end() {
        let of = |text: &str| {
            let (lines, omitted) = lines(text, "never-written", 3);
            let lines: Vec<_> = lines
                .into_iter()
                .map(|line| (line.text.as_str().to_owned(), line.is_partial))
                .collect();
            (lines, omitted)
        };
        let owned = |lines: &[(&str, bool)]| {
            lines.iter().map(|(text, is)| ((*text).to_owned(), *is)).collect::<Vec<_>>()
        };
        assert_eq!(of("a\nb\n"), (owned(&[("a", false), ("b", false)]), 0));
        assert_eq!(of("a\nb"), (owned(&[("a", false), ("b", true)]), 0));
        assert_eq!(of("a\n\nb\nc\n"), (owned(&[("", false), ("b", false), ("c", false)]), 1));
        assert_eq!(of(""), (vec![], 0));
    }
}
