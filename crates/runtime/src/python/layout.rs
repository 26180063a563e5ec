//! Where the interpreter's structures have their fields, by its minor version: offsets of the
//! 64-bit builds, and from 3.13 on those that the interpreter states itself
//! (`_Py_DebugOffsets`, Include/internal/pycore_debug_offsets.h).

use super::space::Space;

/// `"xdebugpy"`, with which `_Py_DebugOffsets` begins.
pub(super) const COOKIE: &[u8; 8] = b"xdebugpy";
/// Of `struct _gil_runtime_state`.
const LAST_HOLDER: u64 = 8;
const LOCKED: u64 = 16;
/// A field that no object of the interpreter has so far from its start.
const FARTHEST: u64 = 1 << 20;

/// Where the fields are.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) minor: u8,
    /// In `_PyRuntime`.
    pub(super) interpreters: u64,
    pub(super) gil: Gil,
    pub(super) interpreter: Interpreter,
    pub(super) thread: ThreadState,
    pub(super) frame: Frame,
    pub(super) code: Code,
}

/// Where the lock of the interpreter is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gil {
    /// In `_PyRuntime`.
    InRuntime(u64),
    /// The interpreter refers to it.
    OfInterpreter(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    pub(super) next: u64,
    pub(super) threads: u64,
    pub(super) sys: u64,
}

#[derive(Clone, Debug)]
pub(super) struct ThreadState {
    pub(super) next: u64,
    pub(super) interpreter: u64,
    /// `pthread_t`.
    pub(super) pthread: u64,
    /// The kernel's id of it, from 3.11 on.
    pub(super) native: Option<u64>,
    pub(super) top: Top,
}

/// Where the innermost frame is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Top {
    /// In the state itself.
    Direct(u64),
    /// In the `_PyCFrame` that the state refers to.
    Through { cframe: u64, frame: u64 },
}

#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) code: u64,
    pub(super) previous: u64,
    /// `f_lasti` until 3.10, then a pointer to the instruction.
    pub(super) instruction: u64,
    pub(super) owner: u64,
    pub(super) is_entry: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) first_line: u64,
    pub(super) file: u64,
    pub(super) name: u64,
    /// From 3.11 on.
    pub(super) qualified: Option<u64>,
    pub(super) lines: u64,
    /// The first instruction.
    pub(super) start: u64,
}

impl Layout {
    /// The layout of release builds of this minor version, without what 3.13 and later state
    /// themselves.
    pub(super) fn of_version(minor: u8) -> Option<Self> {
        let code_310 =
            Code { first_line: 40, file: 104, name: 112, qualified: None, lines: 120, start: 48 };
        let code_312 = Code {
            first_line: 68,
            file: 112,
            name: 120,
            qualified: Some(128),
            lines: 136,
            start: 192,
        };
        let code_311 = Code { first_line: 72, start: 184, ..code_312.clone() };
        let interpreter = |threads, sys| Interpreter { next: 0, threads, sys };
        let old_thread = ThreadState {
            next: 8,
            interpreter: 16,
            pthread: 176,
            native: None,
            top: Top::Direct(24),
        };
        let new_thread = |[pthread, native]: [u64; 2], top| ThreadState {
            pthread,
            native: Some(native),
            top,
            ..old_thread.clone()
        };
        let frame = |code, previous, instruction| Frame {
            code,
            previous,
            instruction,
            owner: 0,
            is_entry: 0,
        };
        let frame_312 = Frame { owner: 70, ..frame(0, 8, 56) };
        Some(match minor {
            8 => Self {
                minor,
                interpreters: 32,
                gil: Gil::InRuntime(1152),
                interpreter: interpreter(8, 72),
                thread: old_thread.clone(),
                frame: frame(32, 24, 104),
                code: code_310,
            },
            9 => Self {
                minor,
                interpreters: 32,
                gil: Gil::InRuntime(352),
                interpreter: interpreter(8, 872),
                thread: old_thread.clone(),
                frame: frame(32, 24, 104),
                code: code_310,
            },
            10 => Self {
                minor,
                interpreters: 32,
                gil: Gil::InRuntime(352),
                interpreter: interpreter(8, 872),
                thread: old_thread.clone(),
                frame: frame(32, 24, 96),
                code: code_310,
            },
            11 => Self {
                minor,
                interpreters: 40,
                gil: Gil::InRuntime(360),
                interpreter: interpreter(16, 904),
                thread: new_thread([152, 160], Top::Through { cframe: 56, frame: 8 }),
                frame: Frame { owner: 69, is_entry: 68, ..frame(32, 48, 56) },
                code: code_311,
            },
            12 => Self {
                minor,
                interpreters: 40,
                gil: Gil::OfInterpreter(384),
                interpreter: interpreter(72, 352),
                thread: new_thread([136, 144], Top::Through { cframe: 56, frame: 0 }),
                frame: frame_312,
                code: code_312,
            },
            13 | 14 => Self {
                minor,
                interpreters: 0,
                gil: Gil::OfInterpreter(0),
                interpreter: interpreter(0, 0),
                thread: new_thread([152, 160], Top::Direct(72)),
                frame: frame_312,
                code: code_312,
            },
            _ => return None,
        })
    }

    /// Fills in what the `_Py_DebugOffsets` at `runtime` say; `None` where they make no sense.
    pub(super) fn stated_at(space: &Space<'_>, runtime: u64, minor: u8) -> Option<Self> {
        let mut layout = Self::of_version(minor)?;
        let is_14 = minor >= 14;
        let at = |in_13: u64, in_14: u64| {
            let offset = space.word(runtime, if is_14 { in_14 } else { in_13 })?;
            (offset < FARTHEST).then_some(offset)
        };
        layout.interpreters = at(40, 40)?;
        layout.gil = Gil::OfInterpreter(at(112, 120)?);
        layout.interpreter =
            Interpreter { next: at(64, 64)?, threads: at(72, 72)?, sys: at(96, 104)? };
        layout.thread.next = at(168, 192)?;
        layout.thread.interpreter = at(176, 200)?;
        layout.thread.top = Top::Direct(at(184, 208)?);
        layout.thread.pthread = at(192, 216)?;
        layout.thread.native = Some(at(200, 224)?);
        layout.frame.previous = at(232, 256)?;
        layout.frame.code = at(240, 264)?;
        layout.frame.instruction = at(248, 272)?;
        layout.frame.owner = at(264, 288)?;
        layout.code = Code {
            file: at(280, 320)?,
            name: at(288, 328)?,
            qualified: Some(at(296, 336)?),
            lines: at(304, 344)?,
            first_line: at(312, 352)?,
            start: at(344, 384)?,
        };
        Some(layout)
    }

    /// Of the interpreter's lock: whether it is held, and the thread state that held it last.
    pub(super) fn gil_holder(
        &self,
        space: &Space<'_>,
        runtime: u64,
        interpreter: u64,
    ) -> Option<u64> {
        let lock = match self.gil {
            Gil::InRuntime(offset) => runtime.checked_add(offset)?,
            Gil::OfInterpreter(offset) => space.pointer(interpreter, offset)?,
        };
        let is_locked = space.int(lock, LOCKED)? == 1;
        space.pointer(lock, LAST_HOLDER).filter(|_| is_locked)
    }
}
