//! Lines of a debugger's prompt, laid out as gdb's are: frames, threads, source.

use std::fmt::Write as _;

use super::values::one_line;
use crate::layout::{cut_end, width};
use crate::name;
use crate::style::Style;
use crate::visible::visible;
use crate::{Detail, PageOptions};
use obit_redact::Shown;
use obit_report::{FrameKind, FrameReport, FrameTrust, Variable};

/// Columns of one argument.
const WIDEST_ARGUMENT: usize = 60;
/// Arguments that are shown.
const MOST_ARGUMENTS: usize = 40;

/// `#1  0x401680 in book (job=0x4c4cf0) at jobd.c:68`, without its number.
pub fn frame(frame: &FrameReport, arguments: &[Variable], options: &PageOptions) -> String {
    let color = options.color;
    let mut line = String::new();
    if frame.kind != FrameKind::Inline {
        let _ = write!(line, "{} in ", color.paint(Style::Aside, &frame.pc.to_string()));
    }
    let function = name::function(frame, options.names);
    let function = function.as_deref().unwrap_or("??");
    let shown = arguments.iter().take(MOST_ARGUMENTS);
    let mut shown: Vec<_> = shown.map(|one| one_line(one, WIDEST_ARGUMENT)).collect();
    if arguments.len() > MOST_ARGUMENTS {
        shown.push("\u{2026}".to_owned());
    }
    let _ = write!(line, "{} ({})", color.paint(Style::Focus, function), shown.join(", "));
    match (&frame.source, &frame.module) {
        (Some(source), _) => {
            let file = match options.detail {
                Detail::Verbose => name::shown(&source.file),
                Detail::Quiet | Detail::Normal => name::base_name(&source.file),
            };
            let place = match source.line {
                Some(number) => format!("{file}:{number}"),
                None => file,
            };
            let _ = write!(line, " at {}", color.paint(Style::Place, &place));
        }
        (None, Some(module)) => {
            let path = name::shown(&module.path);
            let _ = write!(line, " from {}", color.paint(Style::Place, &path));
        }
        (None, None) => {}
    }
    let kind = match frame.kind {
        FrameKind::Normal => "",
        FrameKind::Inline => " [inlined]",
        FrameKind::Signal => " <signal handler called>",
        FrameKind::TailCall => " [tail call]",
    };
    line.push_str(kind);
    let doubt = match frame.trust {
        FrameTrust::Context | FrameTrust::Cfi => None,
        FrameTrust::Code => Some("by the function's code"),
        FrameTrust::FramePointer => Some("by frame pointers"),
        FrameTrust::Scan => Some("by scanning the stack: not certain"),
        FrameTrust::Inferred => Some("inferred"),
    };
    if let Some(doubt) = doubt {
        let _ = write!(line, " {}", color.paint(Style::Doubt, &format!("({doubt})")));
    }
    line
}

/// `68\t    long serial = next_serial(job->owner);`, the line of the frame marked if `is_current`.
pub fn source_line(number: u32, text: &Shown, is_current: bool, options: &PageOptions) -> String {
    let text = visible(text.as_str().trim_end());
    let line = format!("{number}\t{text}");
    let style = if is_current { Style::Focus } else { Style::Plain };
    options.color.paint(style, &line).to_string()
}

/// A text of the report, harmless to a terminal.
pub fn plain(text: &Shown) -> String {
    name::shown(text)
}

/// A heading.
pub fn heading(text: &str, options: &PageOptions) -> String {
    options.color.paint(Style::Focus, &visible(text)).to_string()
}

/// What may be wrong, or is missing.
pub fn doubt(text: &str, options: &PageOptions) -> String {
    options.color.paint(Style::Doubt, &visible(text)).to_string()
}

/// Rows of cells in columns; the last one is as long as it is.
pub fn columns(rows: &[Vec<String>]) -> Vec<String> {
    /// Columns of one cell.
    const WIDEST: usize = 60;
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let wide = width(cell).min(WIDEST);
            match widths.get_mut(at) {
                Some(known) => *known = (*known).max(wide),
                None => widths.push(wide),
            }
        }
    }
    let one = |row: &Vec<String>| {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            if at + 1 == row.len() {
                line.push_str(cell);
                break;
            }
            let wide = widths.get(at).copied().unwrap_or_default();
            let cell = cut_end(cell, WIDEST);
            let gap = wide.saturating_sub(width(&cell)) + 2;
            let _ = write!(line, "{cell}{:gap$}", "");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::text;
    use obit_report::{Hex, SourcePlace};

    #[test]
    fn a_frame_is_a_line_that_gdb_could_have_written() {
        let source =
            SourcePlace { file: text("src/jobd.c"), line: Some(68), ..SourcePlace::default() };
        let mut one = FrameReport {
            pc: Hex(0x401680),
            function: Some(text("book")),
            source: Some(source),
            ..FrameReport::default()
        };
        let page = PageOptions::default();
        assert_eq!(frame(&one, &[], &page), "0x401680 in book () at jobd.c:68");
        one.kind = FrameKind::Inline;
        assert_eq!(frame(&one, &[], &page), "book () at jobd.c:68 [inlined]");
        one.trust = FrameTrust::Scan;
        one.function = Some(text("a\u{1b}[2J"));
        let line = frame(&one, &[], &page);
        assert!(line.contains("not certain") && !line.contains('\u{1b}'), "{line:?}");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = columns(&[row(&["a", "bb", "c"]), row(&["long", "b", "c"])]);
        assert_eq!(rows, ["a     bb  c", "long  b   c"]);
    }
}
