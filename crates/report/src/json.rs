//! The document as JSON: one line, safe to print.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{CompactFormatter, Formatter};

use super::memory::MemoryReport;
use super::module::ModuleReport;
use super::{
    Cause, Circumstances, CoreReport, Finding, NoticeReport, ProcessReport, Redactions, Report,
    SignalReport, Signature, Tool,
};

/// Writes `report` as one line of JSON and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_report(report: &Report, mut out: impl Write) -> io::Result<()> {
    report_line(report, &mut out)
}

/// Not generic, so that it is compiled once, with this crate's optimisation.
fn report_line(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_line(report, out)
}

/// Writes anything as one line of JSON, safe to print, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_line<T>(value: &T, mut out: impl Write) -> io::Result<()>
where
    T: Serialize + ?Sized,
{
    let mut buffered = BufWriter::new(&mut out as &mut dyn Write);
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffered, Printable);
    value.serialize(&mut serializer)?;
    buffered.write_all(b"\n")?;
    buffered.flush()
}

/// Adds a value to `out`, without an end of line.
pub(crate) fn add_value<T>(value: &T, out: &mut Vec<u8>) -> io::Result<()>
where
    T: Serialize + ?Sized,
{
    // Most of what is written are single signs: a list that may have to grow takes longer.
    let mut buffered = BufWriter::new(out as &mut dyn Write);
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffered, Printable);
    value.serialize(&mut serializer)?;
    buffered.flush()
}

/// The members of a [`Report`] that come before its threads; a test compares them.
#[derive(Serialize)]
pub(crate) struct MembersAhead<'r> {
    schema: &'r str,
    obit: &'r Tool,
    id: &'r str,
    core: &'r CoreReport,
    process: &'r ProcessReport,
    circumstances: &'r Circumstances,
    signal: &'r Option<SignalReport>,
    cause: &'r Option<Cause>,
    signature: &'r Option<Signature>,
}

/// Those that come after them.
#[derive(Serialize)]
pub(crate) struct MembersBehind<'r> {
    modules: &'r [ModuleReport],
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: &'r Option<MemoryReport>,
    findings: &'r [Finding],
    redactions: &'r Redactions,
    notices: &'r [NoticeReport],
}

impl<'r> MembersAhead<'r> {
    pub(crate) fn of(report: &'r Report) -> Self {
        let Report { schema, obit, id, core, process, circumstances, .. } = report;
        let Report { signal, cause, signature, .. } = report;
        Self { schema, obit, id, core, process, circumstances, signal, cause, signature }
    }
}

impl<'r> MembersBehind<'r> {
    pub(crate) fn of(report: &'r Report) -> Self {
        let Report { modules, memory, findings, redactions, notices, .. } = report;
        Self { modules, memory, findings, redactions, notices }
    }
}

/// Reads a report back. Unknown fields are ignored, missing ones take their defaults.
///
/// # Errors
/// When `bytes` is not JSON, or a known field has another type.
pub fn read_report(bytes: &[u8]) -> io::Result<Report> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Levels of nesting in a document that is read whole: variables nest, and each level takes
/// some of the stack.
const DEEPEST: usize = 1000;

/// Reads any document that [`write_line`] wrote, however deep its variables are.
///
/// # Errors
/// When `bytes` is not JSON of a `T`, or is nested more than 1,000 levels deep.
pub fn read_nested<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    // What has no more of them than that is not deeper.
    let openings = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if openings > DEEPEST && depth(bytes) > DEEPEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the document is nested too deep"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    deserializer.disable_recursion_limit();
    let value = T::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Levels of arrays and objects.
fn depth(json: &[u8]) -> usize {
    let (mut level, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                level = level.saturating_add(1);
                deepest = deepest.max(level);
            }
            b']' | b'}' if !in_string => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Escapes what JSON allows in a string but a terminal obeys or an eye does not see.
/// The text stays exact: a reader of JSON gets the characters back.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(out, fragment);
        }
        let mut done = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| is_unprintable(*c)) {
            CompactFormatter
                .write_string_fragment(out, fragment.get(done..at).unwrap_or_default())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(out, fragment.get(done..).unwrap_or_default())
    }
}

/// Controls (C0 is the writer's own business), marks that change the direction of text,
/// separators that some readers take for newlines, and characters without a glyph.
fn is_unprintable(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::{Level, Origin, Redactor};

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_read_back_exactly() {
        let hostile = "a\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{2066}\u{e0041}\"\\\n\u{e9}z";
        let mut report = Report::default();
        let mut redactor = Redactor::new(Level::Off, "");
        report.process.comm = Some(redactor.show(Origin::ProcessName, hostile));
        let mut json = Vec::new();
        write_report(&report, &mut json).unwrap();
        let text = String::from_utf8(json).unwrap();
        assert!(!text.trim_end().chars().any(|c| c.is_control() || is_unprintable(c)), "{text}");
        assert!(text.contains("\\u202e") && text.contains("\u{e9}"), "{text}");
        assert_eq!(read_report(text.as_bytes()).unwrap(), report);
    }

    #[test]
    fn a_reader_takes_old_and_new_documents() {
        let old = br#"{"schema": "obit.report/1", "threads": [{"tid": 3}]}"#;
        assert_eq!(read_report(old).unwrap().threads[0].tid, 3);
        let new = br#"{"schema": "obit.report/1", "weather": "fine"}"#;
        assert!(read_report(new).is_ok());
    }
}
