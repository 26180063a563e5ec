//! A stack in one row: what the kernel was asked for, the library function that the
//! program called, and the program's own functions. `futex_wait ← … ← pthread_cond_wait
//! ← Pool::run` says what a thread waits for; names cut to pieces do not.

use super::layout::{cut_middle, width};
use super::name;
use super::style::Style;
use super::{Detail, Names, PageOptions};
use obit_ownership::{Owner, is_c_library};
use obit_report::{FrameKind, FrameReport, Report};

pub(super) const ARROW: &str = " \u{2190} ";
const ELLIPSIS: &str = "\u{2026}";

/// One name in a row.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) ink: Style,
}

/// Distinguishes the application's functions from those of the system.
pub(super) struct Origins<'r> {
    executable: Option<&'r str>,
    /// The C library is in the program itself.
    is_static: bool,
    /// Lines of the program are known: what has none is of a library linked into it.
    has_lines: bool,
}

impl<'r> Origins<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let executable = report.executable();
        let mut frames = report.threads.iter().flat_map(|thread| &thread.frames);
        Self {
            executable,
            is_static: !report.modules.iter().any(|module| is_c_library(module.path.as_str())),
            has_lines: frames.any(|frame| {
                let path = frame.module.as_ref().map(|module| module.path.as_str());
                frame.source.is_some() && path.is_some() && path == executable
            }),
        }
    }

    /// Whether the frame is the application's.
    pub(super) fn is_program(&self, frame: &FrameReport) -> bool {
        let Some(module) = &frame.module else { return true };
        if !self.owner(frame).is_application() {
            return false;
        }
        frame.source.is_some()
            || (self.executable == Some(module.path.as_str()) && !self.has_lines && !self.is_static)
    }

    /// Whether programs or threads begin in the frame.
    pub(super) fn is_start(&self, frame: &FrameReport) -> bool {
        self.owner(frame) == Owner::Startup
    }

    /// Whether the frame is known to be of a library of the system.
    fn is_known_system(&self, frame: &FrameReport) -> bool {
        frame.module.is_some() && !self.owner(frame).is_application()
    }

    /// Whose code the frame is.
    pub(super) fn owner(&self, frame: &FrameReport) -> Owner {
        frame.owner.unwrap_or_else(|| frame.ownership(self.executable).owner)
    }
}

/// The stack in lines of at most `room` columns: one line unless even the names that
/// must be shown need more.
pub(super) fn chain(
    frames: &[FrameReport],
    room: usize,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> Vec<Vec<Piece>> {
    let (needed, others) = choose(frames, origins, options);
    if options.detail == Detail::Verbose {
        return wrap(needed.into_iter().chain(others), room);
    }
    let mut row = needed;
    let mut used = columns(&row);
    let count = others.len();
    for (at, piece) in others.into_iter().enumerate() {
        let last = at + 1 == count;
        let more = width(ARROW) + width(&piece.text);
        let mark = if last { 0 } else { width(ARROW) + width(ELLIPSIS) };
        if used + more + mark > room {
            // A line of its own would say no more.
            if used + width(ARROW) + width(ELLIPSIS) <= room {
                row.push(ellipsis());
            }
            break;
        }
        used += more;
        row.push(piece);
    }
    wrap(row, room)
}

/// What must be in the row, and what may follow if there is room.
fn choose(
    frames: &[FrameReport],
    origins: &Origins<'_>,
    options: &PageOptions,
) -> (Vec<Piece>, Vec<Piece>) {
    let piece = |frame: &FrameReport| piece(frame, origins.is_program(frame), options);
    let named = |frames: &[FrameReport]| {
        let mut pieces: Vec<_> = frames.iter().map(piece).collect();
        pieces.dedup_by(|one, other| one.text == other.text);
        pieces
    };
    let first = frames.iter().position(|frame| origins.is_program(frame));
    let last = frames.iter().rposition(|frame| origins.is_program(frame));
    let (library, program) = match (first, last) {
        (Some(first), Some(last)) => {
            (frames.get(..first), frames.get(first..=last).unwrap_or_default())
        }
        _ => {
            let begun = frames.iter().rposition(|frame| !origins.is_start(frame));
            let frames = frames.get(..begun.map_or(frames.len(), |at| at + 1)).unwrap_or_default();
            // Of a system library's own thread, its outermost function is what the thread
            // is for. In a program without lines no one knows which is whose.
            match frames.first().map(|frame| origins.is_known_system(frame)) {
                Some(true) => (Some(frames), &[][..]),
                _ => (None, frames),
            }
        }
    };
    let mut needed = match library.unwrap_or_default() {
        library if options.detail == Detail::Verbose => named(library),
        [innermost, _, .., called] => vec![piece(innermost), ellipsis(), piece(called)],
        library => named(library),
    };
    let mut program = named(program).into_iter();
    needed.extend(program.next());
    (needed, program.collect())
}

fn piece(frame: &FrameReport, is_program: bool, options: &PageOptions) -> Piece {
    let named = match frame.kind {
        FrameKind::Signal => "<signal handler called>".to_owned(),
        FrameKind::Normal | FrameKind::Inline | FrameKind::TailCall => {
            let function = name::function(frame, options.names);
            function.map_or_else(
                || name::code_place(frame),
                |name| match options.names {
                    Names::Demangled if !is_program => public(&name::brief(&name)).to_owned(),
                    Names::Demangled => name::brief(&name),
                    Names::Raw => name,
                },
            )
        }
    };
    let text = match options.detail {
        Detail::Verbose => named,
        Detail::Quiet | Detail::Normal => cut_middle(&named, options.width * 6 / 10),
    };
    Piece { text, ink: if is_program { Style::Focus } else { Style::Plain } }
}

/// The name a program calls it by. glibc calls the code behind a versioned symbol
/// `___name` and its own alias of a public function `__GI_name`; other names that begin
/// with underscores can only be the library's.
fn public(name: &str) -> &str {
    let known = name.strip_prefix("___").or_else(|| name.strip_prefix("__GI_"));
    known.filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or(name)
}

fn ellipsis() -> Piece {
    Piece { text: ELLIPSIS.to_owned(), ink: Style::Plain }
}

/// Columns of the pieces with arrows between them.
pub(super) fn columns(pieces: &[Piece]) -> usize {
    let names: usize = pieces.iter().map(|piece| width(&piece.text)).sum();
    names + pieces.len().saturating_sub(1) * width(ARROW)
}

/// Lines end at arrows, never inside a name.
fn wrap(pieces: impl IntoIterator<Item = Piece>, room: usize) -> Vec<Vec<Piece>> {
    let pieces: Vec<_> = pieces.into_iter().collect();
    if columns(&pieces) <= room && !pieces.is_empty() {
        return vec![pieces];
    }
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            // Two columns for the arrow to the next line.
            Some(line) if columns(line) + width(ARROW) + width(&piece.text) + 2 <= room => {
                line.push(piece);
            }
            _ => lines.push(vec![piece]),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, inside};
    use super::*;
    use obit_redact::Shown;
    use obit_report::module::{ModuleReport, ModuleRole};

    const LIBC: &str = "/usr/lib/libc.so.6";

    fn row(frames: &[FrameReport], room: usize) -> String {
        let mut report = Report::default();
        let module = |path: &str, role| ModuleReport {
            path: super::super::samples::text(path),
            role,
            ..ModuleReport::default()
        };
        report.modules =
            vec![module("/usr/bin/t", ModuleRole::Executable), module(LIBC, ModuleRole::Shared)];
        let thread = obit_report::ThreadReport { frames: frames.to_vec(), ..Default::default() };
        report.threads = vec![thread];
        let options = PageOptions::default();
        let lines = chain(frames, room, &Origins::of(&report), &options);
        let lines = lines.iter().map(|line| {
            let names: Vec<_> = line.iter().map(|piece| piece.text.as_str()).collect();
            names.join(ARROW)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn waiting() -> Vec<FrameReport> {
        vec![
            inside("__futex_abstimed_wait_common", LIBC, 1),
            inside("__pthread_cond_wait_common", LIBC, 2),
            inside("___pthread_cond_wait", LIBC, 3),
            at("Pool::take(Job<int>*)", "pool.cc", 4),
            at("Pool::run()", "pool.cc", 5),
            inside("start_thread", LIBC, 6),
            inside("clone3", LIBC, 7),
        ]
    }

    #[test]
    fn a_wait_is_the_kernels_part_the_call_and_the_program() {
        let whole = "__futex_abstimed_wait_common ← … ← pthread_cond_wait ← Pool::take ← Pool::run";
        assert_eq!(row(&waiting(), 100), whole);
        let short = "__futex_abstimed_wait_common ← … ← pthread_cond_wait ← Pool::take ← …";
        assert_eq!(row(&waiting(), 72), short);
    }

    #[test]
    fn rows_too_narrow_are_wrapped_and_names_stay_whole() {
        let lines = "__futex_abstimed_wait_common ← …\npthread_cond_wait ← Pool::take";
        assert_eq!(row(&waiting(), 36), lines);
    }

    #[test]
    fn a_thread_without_program_code_keeps_its_outermost_call() {
        let mut frames = waiting();
        frames.drain(3..5);
        assert_eq!(row(&frames, 100), "__futex_abstimed_wait_common ← … ← pthread_cond_wait");
    }

    #[test]
    fn a_library_of_the_system_is_not_the_program_even_with_lines() {
        let qt = "/opt/lib/libQt5Core.so.5";
        let taken =
            FrameReport { module: inside("", qt, 1).module, ..at("pool_take", "pool.c", 3) };
        let frames = [taken.clone(), at("order_item", "order.c", 5), at("main", "order.c", 9)];
        assert_eq!(row(&frames, 100), "pool_take ← order_item ← main");
        let origins = Origins { executable: Some("/usr/bin/t"), is_static: false, has_lines: true };
        assert!(!origins.is_program(&taken) && origins.is_program(&frames[1]));
        // What the report states goes before what its names say.
        let stated = FrameReport { owner: Some(Owner::Application), ..taken };
        assert!(origins.is_program(&stated));
    }

    #[test]
    fn a_stripped_program_is_still_the_program() {
        let mut frames = waiting();
        frames.truncate(3);
        frames.push(inside("", "/usr/bin/t", 0x1139));
        frames.push(inside("_start", "/usr/bin/t", 0x1000));
        assert!(row(&frames, 100).ends_with("pthread_cond_wait ← t+0x1139"));
        assert!(frames.iter().all(|frame| frame.function.as_ref().map(Shown::as_str) != Some("")));
    }
}
