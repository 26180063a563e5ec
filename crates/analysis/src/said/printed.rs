//! Libraries that print what is wrong and end the process, and keep no record of it for a
//! debugger: a row for each of their functions. The text is made again from the arguments of
//! the call, or is in the buffer on the stack in which the library formatted it.

use super::stack::Stack;
use super::{Said, Speaker, Subject, logging::is_function, message_buffer};
use crate::origin::argument_value;
use obit_corefile::addr::Avma;
use obit_corefile::escape::visible_utf8;

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
    /// `ASSERT failure in 0: "1", file 2, line 3`, of the first four arguments.
    PlacedIn,
    /// In the record that V8 keeps on the stack for a debugger.
    V8Record,
    /// It is not looked for.
    Unknown,
}

struct Row {
    who: Who,
    speaker: Speaker,
    text: Text,
}

const fn row(who: Who, speaker: Speaker, text: Text) -> Row {
    Row { who, speaker, text }
}

const ROWS: [Row; 24] = {
    use Speaker::{Allocator, Assertion, FatalLog, OutOfMemory, ScriptException};
    use Text::{Argument, Format, Line, Placed, PlacedIn, Unknown, V8Record};
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
        row(Function("qt_assert_x"), Assertion, PlacedIn),
        row(Function("qt_assert"), Assertion, Placed),
        row(Function("QMessageLogger::fatal"), FatalLog, Format(1)),
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
        row(Function("v8::internal::Isolate::CreateMessageOrAbort"), ScriptException, Unknown),
    ]
};

/// What a library printed before it ended the process.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() && !stack.is_trapped() {
        return None;
    }
    let mut bare = None;
    for row in &ROWS {
        // A function of the application may have the same name.
        let is_of_library = |at: &usize| stack.is_library_up_to(at.saturating_add(1));
        let Some(at) = position(stack, &row.who).filter(is_of_library) else { continue };
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
/// such a text would be. The frames of the application begin at `end`.
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
            let value = |nth: usize| argument(number.checked_add(1)?.checked_add(nth)?);
            let text = |at| {
                let bytes = process.memory.read_c_string(at, TEXT_BYTES)?;
                Some(visible_utf8(&bytes))
            };
            Some(proved(formatted(&string(number)?, value, text)))
        }
        Text::PlacedIn => {
            let line = u32::try_from(argument(3)?.0).ok()?;
            let (place, what, file) = (string(0)?, string(1)?, string(2)?);
            let text = format!("ASSERT failure in {place}: \"{what}\", file {file}, line {line}");
            Some((text, false))
        }
        Text::Placed => {
            let line = u32::try_from(argument(2)?.0).ok()?;
            Some((format!("{}:{line}: {}", string(1)?, string(0)?), false))
        }
        Text::Line(find) => message_buffer::line(stack, end, find),
        Text::V8Record => Some((v8_record(stack, end)?, false)),
        Text::Unknown => None,
    }
}

/// The frame that called the function of frame `at`.
fn caller(stack: &Stack<'_>, at: usize) -> Option<usize> {
    let activation = stack.frames.get(at)?.activation.checked_add(1)?;
    stack.frames.iter().position(|frame| frame.activation == activation)
}

/// What `printf` makes of `format`. A value that is not known, or of a conversion that is not
/// one of these, is left as the format has it, and so are all that follow such a conversion:
/// it may take another kind of argument.
fn formatted(
    format: &str,
    value: impl Fn(usize) -> Option<Avma>,
    text: impl Fn(Avma) -> Option<String>,
) -> String {
    let mut made = String::new();
    let mut rest = format;
    let mut nth = 0;
    while let Some(at) = rest.find('%') {
        let (before, conversion) = rest.split_at(at);
        made.push_str(before);
        if let Some(after) = conversion.strip_prefix("%%") {
            made.push('%');
            rest = after;
            continue;
        }
        const CONVERSIONS: [&str; 14] = [
            "%s", "%d", "%i", "%u", "%x", "%c", "%ld", "%li", "%lu", "%zu", "%zd", "%lx", "%p",
            "%lld",
        ];
        let known = CONVERSIONS.iter().find(|known| conversion.starts_with(**known));
        let Some(known) = known else {
            rest = conversion;
            break;
        };
        let number = value(nth);
        let shown = number.and_then(|number| match *known {
            "%s" => text(number),
            "%d" | "%i" => Some((number.0 as u32).cast_signed().to_string()),
            "%u" => Some((number.0 as u32).to_string()),
            "%x" => Some(format!("{:x}", number.0 as u32)),
            "%c" => char::from_u32(number.0 as u8 as u32)
                .filter(|c| c.is_ascii_graphic() || *c == ' ')
                .map(String::from),
            "%ld" | "%li" | "%zd" | "%lld" => Some(number.0.cast_signed().to_string()),
            "%lx" => Some(format!("{:x}", number.0)),
            "%p" => Some(format!("{:#x}", number.0)),
            _ => Some(number.0.to_string()),
        });
        made.push_str(shown.as_deref().unwrap_or(known));
        rest = conversion.get(known.len()..).unwrap_or_default();
        nth = nth.saturating_add(1);
    }
    made.push_str(rest);
    made
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

/// The message is formatted by itself, and printed behind `mimalloc: error: `.
fn of_mimalloc(line: &str) -> Option<&str> {
    const STARTS: [&str; 6] = [
        "mimalloc: error: ",
        "double free detected of block",
        "buffer overflow in ",
        "corrupted free list entry",
        "corrupted thread-free list",
        "mi_free: invalid ",
    ];
    STARTS.iter().find_map(|start| from(line, start))
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

    #[test]
    fn a_format_is_filled_with_the_values_that_are_known() {
        let text = |at: Avma| (at.0 == 0x2000).then(|| "orders.db".to_owned());
        let of = |format, values: &[Option<u64>]| {
            formatted(format, |nth| values.get(nth).copied().flatten().map(Avma), text)
        };
        let values = [Some(0x2000), Some(0xffff_fffb)];
        assert_eq!(of("cannot open %s (%d), 100%%", &values), "cannot open orders.db (-5), 100%");
        assert_eq!(of("cannot open %s (%d)", &[None, Some(5)]), "cannot open %s (5)");
        assert_eq!(of("%.*s after %d", &values), "%.*s after %d");
        assert_eq!(of("%s", &[Some(0x3000)]), "%s", "no text there");
    }
}
