//! Frames of the interpreter: which function each runs, and at which line.

use super::lines;
use super::objects::Objects;
use crate::Place;

/// Frames of one thread that are read.
pub(super) const MOST_FRAMES: usize = 20_000;
const LONGEST_TABLE: usize = 1 << 20;
/// `_PyInterpreterFrame.owner`: from here on it is none of Python code.
const OWNED_BY_C: u8 = 3;

/// A frame of Python code.
pub(super) struct PythonFrame {
    pub(super) function: Option<String>,
    pub(super) place: Option<Place>,
}

/// The frames of a thread, innermost first.
#[derive(Default)]
pub(super) struct Chain {
    /// Those that one call of the evaluation loop runs, each with how many they are: in their
    /// order, all of them make up `frames`.
    pub(super) runs: Vec<usize>,
    pub(super) frames: Vec<PythonFrame>,
    /// Frames that there was no room for.
    pub(super) omitted: u64,
    /// Where the chain could not be followed.
    pub(super) is_cut: bool,
}

impl Objects<'_> {
    /// The frames from this one outwards.
    pub(super) fn chain(&self, innermost: u64) -> Chain {
        let mut chain = Chain::default();
        let mut run = 0_usize;
        let mut at = innermost;
        // What Brent's algorithm compares with, to find a circle.
        let (mut hare, mut until, mut steps) = (at, 1_u64, 0_u64);
        while at != 0 {
            if self.space.is_spent() {
                chain.is_cut = true;
                break;
            }
            if self.is_between(at) {
                if run > 0 {
                    chain.runs.push(run);
                }
                run = 0;
            } else if chain.frames.len() >= MOST_FRAMES {
                chain.omitted = chain.omitted.saturating_add(1);
            } else {
                let Some(frame) = self.frame(at) else {
                    chain.is_cut = true;
                    break;
                };
                chain.frames.push(frame);
                run = run.saturating_add(1);
                if self.ends_run(at) {
                    chain.runs.push(run);
                    run = 0;
                }
            }
            let Some(previous) = self.space.word(at, self.layout.frame.previous) else {
                chain.is_cut = true;
                break;
            };
            at = previous;
            if at == hare {
                chain.is_cut = at != 0;
                break;
            }
            steps = steps.saturating_add(1);
            if steps == until {
                (hare, until) = (at, until.saturating_mul(2));
            }
        }
        if run > 0 {
            chain.runs.push(run);
        }
        chain
    }

    /// Whether it is the interpreter's own mark between two calls of the evaluation loop.
    fn is_between(&self, frame: u64) -> bool {
        let is_owned_by_c = || self.space.byte(frame, self.layout.frame.owner);
        self.layout.minor >= 12 && is_owned_by_c().is_some_and(|owner| owner >= OWNED_BY_C)
    }

    /// Whether the evaluation loop was entered with this frame.
    fn ends_run(&self, frame: u64) -> bool {
        match self.layout.minor {
            ..=10 => true,
            11 => self.space.byte(frame, self.layout.frame.is_entry) == Some(1),
            _ => false,
        }
    }

    /// Takes the tag from a reference of 3.14.
    fn untagged(&self, reference: u64) -> u64 {
        if self.layout.minor >= 14 { reference & !3 } else { reference }
    }

    /// The code that the frame runs.
    fn code_of(&self, frame: u64) -> Option<u64> {
        let code = self.untagged(self.space.word(frame, self.layout.frame.code)?);
        let is_code = code != 0 && self.type_name(code).as_deref() == Some("code");
        is_code.then_some(code)
    }

    /// One frame; `None` where it has no code.
    fn frame(&self, at: u64) -> Option<PythonFrame> {
        let code = self.code_of(at)?;
        let fields = &self.layout.code;
        let space = &self.space;
        let name = fields.qualified.unwrap_or(fields.name);
        let function = space.pointer(code, name).and_then(|name| self.name(name));
        let file = space.pointer(code, fields.file).and_then(|file| self.name(file));
        let place = file.map(|file| Place { file, line: self.line(at, code) });
        Some(PythonFrame { function, place })
    }

    fn line(&self, frame: u64, code: u64) -> Option<u64> {
        let fields = &self.layout.code;
        let first = i64::from(self.space.int(code, fields.first_line)?);
        let table = self.bytes(self.space.pointer(code, fields.lines)?, LONGEST_TABLE)?;
        let minor = self.layout.minor;
        let offset = match minor {
            ..=9 => i64::from(self.space.int(frame, self.layout.frame.instruction)?),
            // Counted in code units.
            10 => {
                let units = self.space.int(frame, self.layout.frame.instruction)?;
                i64::from(units).saturating_mul(2)
            }
            _ => {
                let instruction = self.space.word(frame, self.layout.frame.instruction)?;
                let start = code.checked_add(fields.start)?;
                instruction.wrapping_sub(start).cast_signed()
            }
        };
        // The code of a function is no longer than that.
        let is_within = offset < i64::from(i32::MAX) && offset >= -2;
        let line = is_within.then(|| lines::line(minor, &table, first, offset))??;
        u64::try_from(line).ok().filter(|line| *line > 0)
    }
}
