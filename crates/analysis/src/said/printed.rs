//! Libraries that print what is wrong and end the process, and keep no record of it for a
//! debugger: a row for each of their functions. The text is made again from the arguments of
//! the call, or is in the buffer on the stack in which the library formatted it.

use super::stack::Stack;
use super::{Said, Speaker, Subject, logging::is_function, message_buffer};
use crate::origin::argument_value;
use obit_corefile::addr::Avma;
use obit_corefile::escape::visible_utf8;
use obit_corefile::memory::AddressSpace;

/// Bytes of a text that is an argument.
const TEXT_BYTES: usize = 1024;

/// Who prints.
enum Who {
    /// The function of this name, in whatever inline namespace.
    Function(&'static str),
    /// Functions whose names begin so.
    Functions(&'static str),
    /// The library whose file name begins so: its functions have no names.
    Library(&'static str),
}

/// Where the text is.
enum Text {
    /// It is the argument with this number, from 0.
    Argument(usize),
    /// The argument with this number is a format of `printf`, its values follow.
    Format(usize),
    /// Text, file and line are the first three arguments.
    Placed,
    /// In a buffer on the stack, in a line of which this finds it.
    Line(fn(&str) -> Option<&str>),
    /// In a `QString` that a frame of the library holds.
    QString,
    /// In the record that V8 keeps on the stack for a debugger.
    V8Record,
}

struct Row {
    who: Who,
    speaker: Speaker,
    text: Text,
}

const fn row(who: Who, speaker: Speaker, text: Text) -> Row {
    Row { who, speaker, text }
}

const ROWS: [Row; 23] = {
    use Speaker::{Allocator, Assertion, FatalLog, OutOfMemory};
    use Text::{Argument, Format, Line, Placed, QString, V8Record};
    use Who::{Function, Functions, Library};
    [
        // Abseil, `absl/base/internal/raw_logging.cc`.
        row(Function("raw_logging_internal::RawLog"), FatalLog, Line(of_abseil)),
        row(Library("libabsl_raw_logging_internal"), FatalLog, Line(of_abseil)),
        // OpenSSL, `crypto/cryptlib.c`: `OPENSSL_assert`.
        row(Function("OPENSSL_die"), Assertion, Placed),
        // libc++, `src/verbose_abort.cpp`: assertions of its hardening modes.
        row(Function("__libcpp_verbose_abort"), Assertion, Format(0)),
        // Qt, `src/corelib/global/qlogging.cpp`.
        row(Function("qt_assert"), Assertion, QString),
        row(Function("qt_assert_x"), Assertion, QString),
        row(Function("QMessageLogger::fatal"), FatalLog, QString),
        // Allocators.
        row(Functions("scudo::"), Allocator, Line(of_scudo)),
        row(Library("libclang_rt.scudo"), Allocator, Line(of_scudo)),
        row(Library("libscudo"), Allocator, Line(of_scudo)),
        row(Function("tcmalloc::Log"), Allocator, Line(of_tcmalloc)),
        row(Function("RAW_LOG"), Allocator, Line(of_debug_tcmalloc)),
        row(Library("libtcmalloc"), Allocator, Line(of_tcmalloc)),
        row(Library("libtcmalloc"), Allocator, Line(of_debug_tcmalloc)),
        row(Functions("je_"), Allocator, Line(of_jemalloc)),
        row(Functions("_rjem_"), Allocator, Line(of_jemalloc)),
        row(Library("libjemalloc"), Allocator, Line(of_jemalloc)),
        row(Functions("mi_"), Allocator, Line(of_mimalloc)),
        row(Functions("_mi_"), Allocator, Line(of_mimalloc)),
        row(Library("libmimalloc"), Allocator, Line(of_mimalloc)),
        // V8, `src/init/v8.cc` and `src/base/logging.cc`.
        row(Function("v8::internal::V8::FatalProcessOutOfMemory"), OutOfMemory, Argument(1)),
        row(Function("v8::Utils::ReportOOMFailure"), OutOfMemory, Argument(1)),
        row(Function("V8_Fatal"), Assertion, V8Record),
    ]
};

/// What a library printed before it ended the process.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() && !stack.is_trapped() {
        return None;
    }
    let mut bare = None;
    for row in &ROWS {
        let Some(at) = position(stack, &row.who).filter(|at| stack.is_library_up_to(*at)) else {
            continue;
        };
        let frame = stack.raised_below(at);
        let subject = (row.speaker == Speaker::Allocator).then_some(Subject::GivenBlock);
        let said = Said {
            speaker: row.speaker,
            text: String::new(),
            exception: None,
            frame,
            subject,
            is_inferred: false,
        };
        if let Some((text, is_inferred)) = text(stack, row, at, frame) {
            return Some(Said { text, is_inferred, ..said });
        }
        // What an allocator complains of is in its text only, and Abseil's function prints
        // warnings, too.
        if bare.is_none() && !matches!(row.text, Text::Line(_)) {
            bare = Some(said);
        }
    }
    bare
}

/// The frame of who prints.
fn position(stack: &Stack<'_>, who: &Who) -> Option<usize> {
    match who {
        Who::Function(function) => stack.find(|name| is_function(name, function)),
        Who::Functions(start) => stack.find(|name| name.starts_with(start)),
        Who::Library(start) => stack.frames.iter().position(|frame| {
            let module = frame.module.and_then(|index| stack.process.modules.get(index));
            let file = module.and_then(|module| module.path.file_name());
            file.is_some_and(|file| file.to_string_lossy().starts_with(start))
        }),
    }
}

/// What a row's function said that was entered in frame `at`, and whether that only lies where
/// such a text would be. The program's own frames begin at `end`.
fn text(stack: &Stack<'_>, row: &Row, at: usize, end: Option<usize>) -> Option<(String, bool)> {
    let process = stack.process;
    let end = end.unwrap_or(stack.frames.len());
    let argument = |number| argument_value(process, caller(stack, at)?, number);
    let string = |number| {
        let bytes = process.memory.read_c_string(argument(number)?, TEXT_BYTES)?;
        Some(visible_utf8(&bytes)).filter(|text| !text.is_empty())
    };
    let proved = |text: String| (text.trim_end().to_owned(), false);
    match row.text {
        Text::Argument(number) => string(number).map(proved),
        Text::Format(number) => {
            let format = string(number)?;
            match format.as_str() {
                "%s" | "%s\n" => string(number.checked_add(1)?).map(proved),
                plain if !plain.contains('%') => Some(proved(format)),
                _ => None,
            }
        }
        Text::Placed => {
            let line = u32::try_from(argument(2)?.0).ok()?;
            Some((format!("{}:{line}: {}", string(1)?, string(0)?), false))
        }
        Text::Line(find) => message_buffer::line(stack, end, find),
        Text::QString => Some((q_string(stack, end)?, false)),
        Text::V8Record => Some((v8_record(stack, end)?, false)),
    }
}

/// The frame that called the function of frame `at`.
fn caller(stack: &Stack<'_>, at: usize) -> Option<usize> {
    let activation = stack.frames.get(at)?.activation.checked_add(1)?;
    stack.frames.iter().position(|frame| frame.activation == activation)
}

/// `[file.cc : 12] RAW: text`.
fn of_abseil(line: &str) -> Option<&str> {
    let mark = line.find("] RAW: ")?;
    let start = line.get(..mark)?.rfind('[')?;
    line.get(start..)
}

fn of_scudo(line: &str) -> Option<&str> {
    from(line, "Scudo ERROR: ")
}

fn of_jemalloc(line: &str) -> Option<&str> {
    from(line, "<jemalloc>: ")
}

fn of_mimalloc(line: &str) -> Option<&str> {
    from(line, "mimalloc: error: ")
}

/// `src/tcmalloc.cc:333] text`.
fn of_tcmalloc(line: &str) -> Option<&str> {
    let mark = line.find("] ")?;
    let (place, text) = (line.get(..mark)?, line.get(mark.checked_add(2)?..)?);
    let (file, number) = place.rsplit_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_file = file.ends_with(".cc") || file.ends_with(".h");
    (is_number && is_file && !text.is_empty()).then_some(line)
}

/// What gperftools' allocator for debugging prints (`src/debugallocation.cc`).
fn of_debug_tcmalloc(line: &str) -> Option<&str> {
    const STARTS: [&str; 2] = ["memory allocation", "memory stomping bug"];
    STARTS.iter().find_map(|start| from(line, start))
}

fn from<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.get(line.find(start)?..)
}

/// The text of the only `QString` that the library's frames hold.
fn q_string(stack: &Stack<'_>, end: usize) -> Option<String> {
    let memory = &stack.process.memory;
    let words = message_buffer::words(stack, end)?;
    let mut found: Vec<String> = Vec::new();
    for (nth, word) in words.iter().enumerate() {
        let next = words.get(nth.saturating_add(1)..nth.saturating_add(3));
        let text = qt5_string(memory, *word).or_else(|| match next {
            Some([text, length]) => qt6_string(memory, *word, *text, *length),
            _ => None,
        });
        if let Some(text) = text.filter(|text| !found.contains(text)) {
            found.push(text);
        }
    }
    // Of two it could be either.
    if found.len() > 1 { None } else { found.pop() }
}

/// Characters of a `QString` that are reported.
const MOST_UNITS: u64 = 2048;

/// Qt 5: the address of a `QArrayData { int ref; int size; uint alloc; qptrdiff offset; }` with
/// the UTF-16 text behind it.
fn qt5_string(memory: &AddressSpace, at: u64) -> Option<String> {
    const TEXT_AT: u64 = 24;
    let (counts, offset) = (memory.read_word(Avma(at)).ok()?, at.checked_add(16)?);
    if memory.word() != 8 || memory.read_word(Avma(offset)).ok()? != TEXT_AT {
        return None;
    }
    let (references, units) = (counts as u32, counts >> 32);
    let allocated = memory.read_word(Avma(at.checked_add(8)?)).ok()? & 0x7fff_ffff;
    let is_shared = (1..1000).contains(&references) || references == u32::MAX;
    let is_header = is_shared && (allocated == 0 || allocated > units);
    is_header.then(|| utf16(memory, at.checked_add(TEXT_AT)?, units)).flatten()
}

/// Qt 6: `{ QArrayData *d; char16_t *ptr; qsizetype size; }`, the text behind the
/// `QArrayData { int ref; uint flags; qsizetype alloc; }`.
fn qt6_string(memory: &AddressSpace, data: u64, text: u64, units: u64) -> Option<String> {
    const TEXT_AT: u64 = 16;
    if text.checked_sub(data)? != TEXT_AT || memory.word() != 8 {
        return None;
    }
    let allocated = memory.read_word(Avma(data.checked_add(8)?)).ok()?;
    let references = memory.read_word(Avma(data)).ok()? as u32;
    let is_header = (1..1000).contains(&references) && allocated >= units;
    is_header.then(|| utf16(memory, text, units)).flatten()
}

fn utf16(memory: &AddressSpace, at: u64, units: u64) -> Option<String> {
    if !(4..=MOST_UNITS).contains(&units) {
        return None;
    }
    // The text ends with a zero that does not count.
    let length = usize::try_from(units.checked_add(1)?.checked_mul(2)?).ok()?;
    let bytes = memory.read_up_to(Avma(at), length);
    let mut units: Vec<u16> =
        bytes.chunks_exact(2).map(|unit| memory.unsigned(unit) as u16).collect();
    if bytes.len() != length || units.pop() != Some(0) {
        return None;
    }
    let text = String::from_utf16(&units).ok()?;
    let is_text = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    is_text.then(|| text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// V8's `FailureMessage { uintptr_t start_marker; char message[512]; uintptr_t end_marker; }`
/// (`src/base/logging.cc`), which is on the stack "for crash reports".
fn v8_record(stack: &Stack<'_>, end: usize) -> Option<String> {
    const START: u64 = 0xdeca_de10;
    let memory = &stack.process.memory;
    let word = memory.word() as u64;
    let (start, _) = stack.extent(end)?;
    let words = message_buffer::words(stack, end)?;
    let mut places = words.iter().zip(0_u64..).filter(|(value, _)| **value == START);
    places.find_map(|(_, nth)| {
        let at = start.checked_add(nth.checked_add(1)?.checked_mul(word)?)?;
        let text = memory.read_c_string(at, 512)?;
        Some(visible_utf8(&text).trim().to_owned()).filter(|text| !text.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    #[test]
    fn a_line_of_a_library_is_known_by_how_the_library_begins_it() {
        let raw = "xx[loaf.cc : 12] RAW: bad order 1";
        assert_eq!(of_abseil(raw), Some("[loaf.cc : 12] RAW: bad order 1"));
        assert_eq!(of_abseil("loaf.cc : 12] RAW: bad order 1"), None);
        let tc = "src/tcmalloc.cc:333] Attempt to free invalid pointer 0x7ffe";
        assert_eq!(of_tcmalloc(tc), Some(tc));
        assert_eq!(of_tcmalloc("orders[3] of 12"), None);
        assert_eq!(of_scudo("zScudo ERROR: race"), Some("Scudo ERROR: race"));
    }

    fn header(words: &[u32], text: &str) -> Vec<u8> {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn a_string_of_qt_5_is_behind_its_header() {
        let text = |bytes: &[u8]| qt5_string(&memory(&[(0x1000, bytes)]), 0x1000);
        let good = header(&[1, 7, 8, 0, 24, 0], "no eggs");
        assert_eq!(text(&good).as_deref(), Some("no eggs"));
        assert_eq!(text(&header(&[1, 7, 8, 0, 32, 0], "no eggs")), None, "another offset");
        assert_eq!(text(&header(&[0, 7, 8, 0, 24, 0], "no eggs")), None, "not in use");
        assert_eq!(text(&header(&[1, 6, 8, 0, 24, 0], "no eggs")), None, "another length");
        let huge = header(&[1, u32::MAX, 0, 0, 24, 0], "no eggs");
        assert_eq!(text(&huge), None);
    }

    #[test]
    fn a_string_of_qt_6_has_its_header_before_the_text() {
        let bytes = header(&[1, 0, 8, 0], "no eggs");
        let memory = memory(&[(0x1000, &bytes)]);
        assert_eq!(qt6_string(&memory, 0x1000, 0x1010, 7).as_deref(), Some("no eggs"));
        assert_eq!(qt6_string(&memory, 0x1000, 0x1012, 6), None);
        assert_eq!(qt6_string(&memory, 0x1000, 0x1010, u64::MAX), None);
    }
}
