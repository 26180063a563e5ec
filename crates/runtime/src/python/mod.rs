//! CPython 3.8 to 3.14: the threads that run Python code, with the functions and lines that each
//! runs.
//!
//! The interpreter is found by its symbol `_PyRuntime`, its version by `Py_Version` or by what it
//! exports. The lists of interpreters and of thread states must refer to each other: where they do
//! not, nothing is claimed.

mod frames;
mod layout;
mod lines;
mod native;
mod objects;
mod space;

use std::collections::HashSet;

use obit_corefile::addr::Avma;
use obit_process::process::{Process, Thread};

use crate::{Gap, Kind, Runtime, State, Task, TaskKind};
use frames::Chain;
use layout::{COOKIE, Layout, Top};
use objects::Objects;
use space::Space;

/// The variable with the interpreter's state.
const STATE: &str = "_PyRuntime";
/// The function that runs Python code.
const EVALUATION: &str = "_PyEval_EvalFrameDefault";
const MOST_INTERPRETERS: usize = 256;
const MOST_THREADS: usize = 65_536;

/// What could not be read, in words.
const INTERPRETER: &str = "the state of the Python interpreter";
const NO_VERSION: &str = "the version of the Python interpreter is not known";
const NO_STATE: &str = "the symbol of the Python interpreter's state was not found";

/// Whether a frame of the thread is of the function that runs Python code.
pub(crate) fn runs(thread: &Thread) -> bool {
    thread.frames.iter().any(|frame| frame.function.as_deref() == Some(EVALUATION))
}

/// The interpreters of the process with the threads that run Python code.
pub(crate) fn read(process: &Process) -> Option<Runtime> {
    let at = module_of(process)?;
    let module = process.modules.get(at)?;
    let mut runtime = Runtime {
        kind: Kind::CPython,
        version: None,
        tasks: Vec::new(),
        omitted: 0,
        verdicts: Vec::new(),
        gaps: Vec::new(),
    };
    if process.memory.word() != 8 || !process.memory.is_little_endian() {
        runtime.gaps.push(Gap::Layout { of: INTERPRETER, version: None });
        return Some(runtime);
    }
    let space = Space::new(&process.memory);
    let debug = process.modules.debug(at);
    let datum = |name| debug.and_then(|it| it.datum_named(name)).map(|at| module.to_avma(at).0);
    let Some(state) = datum(STATE) else {
        runtime.gaps.push(Gap::Other(NO_STATE));
        return Some(runtime);
    };
    let stated = datum("Py_Version").and_then(|at| space.int(at, 0)).map(i32::cast_unsigned);
    let exports = |name| debug.is_some_and(|debug| debug.function_named(name).is_some());
    let minor = match stated {
        Some(version) if version >> 24 == 3 => u8::try_from((version >> 16) & 0xff).ok(),
        Some(_) => None,
        // What each version is the first to export.
        None if exports("Py_NewRef") => Some(10),
        None if exports("PyObject_CallNoArgs") => Some(9),
        None if exports("PyCode_NewWithPosOnlyArgs") => Some(8),
        None => None,
    };
    let Some(minor) = minor else {
        runtime.gaps.push(Gap::Other(NO_VERSION));
        return Some(runtime);
    };
    runtime.version = Some(format!("3.{minor}"));
    match layout_of(&space, state, minor) {
        Some(layout) => {
            Reader { process, at, state, objects: Objects { space, layout } }.fill(&mut runtime);
        }
        None => runtime.gaps.push(unknown_layout(&runtime)),
    }
    Some(runtime)
}

fn unknown_layout(runtime: &Runtime) -> Gap {
    Gap::Layout { of: INTERPRETER, version: runtime.version.clone() }
}

/// The module with the interpreter. Files are looked into only where their name, or a frame, says
/// that Python is there.
fn module_of(process: &Process) -> Option<usize> {
    let is_python = |at: &usize| {
        let module = process.modules.get(*at);
        let file = module.and_then(|module| module.path.file_name());
        let file = file.map(|name| name.to_string_lossy()).unwrap_or_default();
        file.starts_with("python3") || file.starts_with("libpython3.")
    };
    let has_state = |at: &usize| {
        process.modules.debug(*at).is_some_and(|debug| debug.datum_named(STATE).is_some())
    };
    let by_name = || (0..process.modules.list().len()).filter(is_python);
    let mut frames = process.threads.iter().flat_map(|thread| &thread.frames);
    let by_frame = frames.find(|frame| native::is_evaluation(frame)).and_then(|it| it.module);
    // A program that is called so and has no interpreter loads it; `libpython3.so` has none either.
    by_frame.filter(has_state).or_else(|| by_name().find(has_state)).or(by_frame)
}

fn layout_of(space: &Space<'_>, state: u64, minor: u8) -> Option<Layout> {
    if minor <= 12 {
        return Layout::of_version(minor);
    }
    /// Of `_Py_DebugOffsets`: whether there is no lock, and objects have other headers.
    const FREE_THREADED: u64 = 16;
    let has_cookie = space.bytes(state, COOKIE.len())? == COOKIE;
    let is_known = has_cookie && space.word(state, FREE_THREADED)? == 0;
    if is_known { Layout::stated_at(space, state, minor) } else { None }
}

struct Reader<'p> {
    process: &'p Process,
    /// Index of the module with the interpreter.
    at: usize,
    /// `_PyRuntime`.
    state: u64,
    objects: Objects<'p>,
}

impl Reader<'_> {
    fn fill(&self, runtime: &mut Runtime) {
        let (space, layout) = (&self.objects.space, &self.objects.layout);
        let mut seen = HashSet::new();
        let mut unread = 0_u64;
        let mut interpreter = space.word(self.state, layout.interpreters).unwrap_or_default();
        // Before the interpreter is initialised, and after it is finalised, there is none.
        while interpreter != 0 && seen.insert(interpreter) && seen.len() <= MOST_INTERPRETERS {
            let holder = layout.gil_holder(space, self.state, interpreter);
            if let Some(version) = self.version(interpreter) {
                let is_it = version.split('.').nth(1) == Some(layout.minor.to_string().as_str());
                runtime.version =
                    runtime.version.take().map(|own| if is_it { version } else { own });
            }
            let mut thread = space.word(interpreter, layout.interpreter.threads);
            while let Some(at) = thread.filter(|at| *at != 0) {
                let owner = space.word(at, layout.thread.interpreter);
                if owner != Some(interpreter) {
                    runtime.gaps.push(match runtime.tasks.len() {
                        0 => unknown_layout(runtime),
                        after => Gap::List { after: after as u64 },
                    });
                    break;
                }
                if !seen.insert(at) || runtime.tasks.len() >= MOST_THREADS || space.is_spent() {
                    runtime.gaps.push(Gap::List { after: runtime.tasks.len() as u64 });
                    break;
                }
                let (task, is_cut) = self.task(at, holder == Some(at));
                unread = unread.saturating_add(u64::from(is_cut));
                runtime.tasks.push(task);
                thread = space.word(at, layout.thread.next);
            }
            interpreter = space.word(interpreter, layout.interpreter.next).unwrap_or_default();
        }
        if unread > 0 {
            runtime.gaps.push(Gap::Stacks(unread));
        }
        runtime.tasks.sort_by_key(|task| task.id);
    }

    /// `sys.version` up to its first space.
    fn version(&self, interpreter: u64) -> Option<String> {
        let layout = &self.objects.layout;
        let sys = self.objects.space.pointer(interpreter, layout.interpreter.sys)?;
        let version = self.objects.name(self.objects.item(sys, "version")?)?;
        let first = version.split_whitespace().next()?;
        first.starts_with("3.").then(|| first.to_owned())
    }

    /// The task of a thread state, and whether some of its frames could not be read.
    fn task(&self, state: u64, has_lock: bool) -> (Task, bool) {
        let (space, layout) = (&self.objects.space, &self.objects.layout);
        let top = match layout.thread.top {
            Top::Direct(offset) => space.word(state, offset),
            Top::Through { cframe, frame } => {
                space.pointer(state, cframe).and_then(|at| space.word(at, frame))
            }
        };
        let chain = top.map(|top| self.objects.chain(top));
        let is_cut = chain.as_ref().is_none_or(|chain| chain.is_cut);
        let chain = chain.unwrap_or_default();
        let thread = self.thread_of(state);
        let known = thread.and_then(|index| self.process.threads.get(index));
        let native = layout.thread.native.and_then(|offset| space.word(state, offset));
        let id = known.and_then(|thread| u64::try_from(thread.tid).ok()).or(native);
        let omitted = chain.omitted;
        let (frames, doubt) = self.joined(known, chain);
        let mut doubts: Vec<_> = doubt.into_iter().collect();
        if is_cut {
            doubts.push("the frames further out could not be read");
        }
        let task = Task {
            id: id.unwrap_or(state),
            address: Avma(state),
            kind: TaskKind::PythonThread,
            name: known.and_then(|thread| thread.name.clone()),
            state: if has_lock { State::Running } else { State::Unknown },
            wait: None,
            created: None,
            thread,
            crashed: known.is_some_and(|thread| thread.crashed),
            is_of_runtime: false,
            frames,
            frames_omitted: omitted,
            stack: None,
            doubts,
        };
        (task, is_cut)
    }

    /// The index of the thread that a thread state belongs to: by the kernel's id, or by the
    /// thread's control block, which `pthread_t` is the address of.
    fn thread_of(&self, state: u64) -> Option<usize> {
        let (space, layout) = (&self.objects.space, &self.objects.layout);
        let process = self.process;
        if let Some(offset) = layout.thread.native {
            let tid = i64::try_from(space.pointer(state, offset)?).ok()?;
            return process.threads.iter().position(|thread| thread.tid == tid);
        }
        let pthread = space.pointer(state, layout.thread.pthread)?;
        process.dump.threads.iter().position(|thread| thread.thread_pointer == Some(Avma(pthread)))
    }

    fn joined(
        &self,
        thread: Option<&Thread>,
        chain: Chain,
    ) -> (Vec<crate::TaskFrame>, Option<&'static str>) {
        match thread {
            Some(thread) => native::joined(thread, self.at, chain),
            None => (native::alone(chain), None),
        }
    }
}
