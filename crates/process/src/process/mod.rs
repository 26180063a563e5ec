//! The process: its threads and their frames, with names.

mod arguments;
mod around;
mod caller;
mod frame;
mod frame_view;
mod naming;
mod parked;
mod recursion;
mod signal_vectors;
mod thread;
mod variables;

pub use crate::unwind::Trust as FrameTrust;
pub use frame::{Frame, FrameKind};
pub use frame_view::FrameView;
pub use parked::{ParkedStack, ParkedStacks};
pub use thread::{Recursion, Thread};

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::module::{self, Library, Modules};
use crate::unwind::Unwinder;
use crate::value::readable::UserFormatters;
use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;
use obit_corefile::dump::{AuxKind, Dump, DumpedThread, OpenError};
use obit_corefile::limits::Limits;
use obit_corefile::memory::AddressSpace;
use obit_corefile::notice::Notice;
use obit_corefile::parallel;
use obit_dwarf::locate::{FileAccess, Locator, SearchRules};
use obit_dwarf::{DebugInfo, SectionCache};

/// A process, as far as it is known from its core and the available files.
#[derive(Debug)]
pub struct Process {
    /// The core file.
    pub dump: Dump,
    /// Memory. What the core left out is read from files of the same build.
    pub memory: AddressSpace,
    /// What was loaded.
    pub modules: Modules,
    /// Threads, in the order of the core.
    pub threads: Vec<Thread>,
    /// What could not be known.
    pub notices: Vec<Notice>,
    /// What the input may cost.
    pub limits: Limits,
    /// How to read the user's own types.
    pub formatters: UserFormatters,
}

/// How to open a core.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to look for files.
    pub rules: SearchRules,
    /// Who opens files; `None` for this process itself.
    pub access: Option<Arc<dyn FileAccess>>,
    /// Where decompressed debug sections are kept between runs.
    pub cache: Option<SectionCache>,
    /// What the input may cost.
    pub limits: Limits,
    /// Files found and read for other cores, by [`Options::library`] of the same options;
    /// `None` for those of this core alone.
    pub library: Option<Arc<Library>>,
    /// How to read the user's own types.
    pub formatters: UserFormatters,
    /// Skip naming frames and unwinding: only what was loaded, with the debug information
    /// of all of it.
    pub modules_only: bool,
    /// Record which memory of the process is read (see [`AddressSpace::take_reads`]).
    pub log_reads: bool,
}

impl Options {
    /// An empty library that looks for files as these options say.
    pub fn library(&self) -> Arc<Library> {
        let (rules, limits) = (self.rules.clone(), self.limits.clone());
        let locator = match &self.access {
            Some(access) => Locator::with_access(rules, limits, Arc::clone(access)),
            None => Locator::new(rules, limits),
        };
        let locator = Arc::new(locator);
        Arc::new(Library::new(locator, self.cache.clone(), self.limits.clone()))
    }
}

/// Is notified of each phase, to show progress.
pub trait Observer {
    /// Work on this has begun.
    fn begin(&self, what: Phase);
}

/// The parts of an analysis that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading, perhaps unpacking the core.
    Core,
    /// Finding files.
    Files,
    /// Unwinding and naming.
    Stacks,
}

/// An observer that does nothing.
impl Observer for () {
    fn begin(&self, _: Phase) {}
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Process>();
};

/// Threads of the process whose stacks are read by one thread of ours in one go.
const THREADS_AT_A_TIME: usize = 16;

impl Process {
    /// Opens the core at `path`, finds the modules and unwinds and names the stacks.
    ///
    /// # Errors
    /// Only if there is nothing to report: the file is not a core, or it has no thread.
    pub fn open(path: &Path, options: Options, observer: &dyn Observer) -> Result<Self, OpenError> {
        observer.begin(Phase::Core);
        Ok(Self::of_dump(Dump::open(path, &options.limits)?, options, observer))
    }

    /// Finds the modules, stacks and names of a core that is open.
    pub fn of_dump(dump: Dump, options: Options, observer: &dyn Observer) -> Self {
        observer.begin(Phase::Files);
        let library = options.library.clone().unwrap_or_else(|| options.library());
        let loaded = module::load(&dump, &library);
        let mut notices = dump.notices.clone();
        notices.extend(loaded.notices);
        let mut process = Self {
            dump,
            memory: loaded.memory,
            modules: loaded.modules,
            threads: Vec::new(),
            notices,
            limits: options.limits,
            formatters: options.formatters,
        };
        if options.log_reads {
            process.memory.log_reads();
        }
        if !options.modules_only {
            observer.begin(Phase::Stacks);
            process.read_threads();
        } else {
            for index in 0..process.modules.list().len() {
                process.modules.debug(index);
            }
        }
        process.collect_notices();
        let mut said = HashSet::new();
        process.notices.retain(|notice| said.insert(notice.clone()));
        process
    }

    /// The decoder of the code at `at`. Of the two of 32-bit Arm, where a thread was stopped
    /// its status register says which (DDI 0406, B1.3.3, bit T), elsewhere the symbols do;
    /// `None` where nothing says it.
    pub fn decoder_at(&self, at: Avma) -> Option<Decoder> {
        const T: u64 = 1 << 5;
        let machine = self.dump.machine;
        let pc = machine.facts()?.pc;
        let status = || {
            let stopped = |thread: &&DumpedThread| thread.registers.get(pc) == Some(at.0);
            let thread = self.dump.threads.iter().find(stopped)?;
            let (_, status) = thread.other_registers.iter().find(|(name, _)| *name == "cpsr")?;
            Some(if status & T == 0 { Decoder::A32 } else { Decoder::Thumb })
        };
        let is_arm = matches!(machine.decoder()?, Decoder::A32 | Decoder::Thumb);
        let stopped = if is_arm { status() } else { None };
        stopped.or_else(|| self.modules.decoder_at(machine, at))
    }

    /// Unwinds and names the stacks of all threads, on as many processors as there are.
    fn read_threads(&mut self) {
        let portions = self.portions();
        let read = |(): &mut (), number| portions.get(number).map(|some| self.read_some(some));
        for (threads, notices) in parallel::map(portions.len(), || (), read).into_iter().flatten() {
            self.threads.extend(threads);
            self.notices.extend(notices);
        }
    }

    /// Threads that are read one after the other: what is known of one stack serves the next.
    fn portions(&self) -> Vec<Range<usize>> {
        let count = self.dump.threads.len();
        let starts = (0..count).step_by(THREADS_AT_A_TIME);
        starts.map(|start| start..start.saturating_add(THREADS_AT_A_TIME).min(count)).collect()
    }

    fn read_some(&self, range: &Range<usize>) -> (Vec<Thread>, Vec<Notice>) {
        let limits = &self.limits;
        let machine = self.dump.machine;
        let mut unwinder = Unwinder::new(machine, &self.memory, &self.modules, limits);
        let mut naming = naming::Naming::new(machine, &self.modules, limits);
        let (mut threads, mut notices) = (Vec::new(), Vec::new());
        let some = self.dump.threads.iter().enumerate().skip(range.start).take(range.len());
        for (index, dumped) in some {
            let mut stack = unwinder.unwind(&dumped.registers, dumped.code_pointer_mask);
            // Of each thread: what a list that grows has left over is more than the list of most.
            stack.frames.shrink_to_fit();
            if let Some(reason) = &stack.stopped {
                let frame = stack.frames.len().saturating_sub(1);
                let reason = *reason;
                notices.push(Notice::UnwindStopped { tid: dumped.tid, frame, reason });
            }
            let named = naming.name(&stack);
            threads.push(Thread {
                tid: dumped.tid,
                name: dumped.name.clone(),
                crashed: index == self.dump.crashed,
                signal: dumped.signal,
                registers: dumped.registers.clone(),
                stack,
                frames: named.frames,
                omitted: named.omitted,
                recursion: named.recursion,
            });
        }
        (threads, notices)
    }

    /// What was noticed in the search for debug information.
    fn collect_notices(&mut self) {
        for index in 0..self.modules.list().len() {
            self.notices.extend_from_slice(self.modules.debug_notices(index));
            let debug = self.modules.debug_if_searched(index);
            self.notices.extend(debug.map(DebugInfo::notices).unwrap_or_default());
        }
    }

    /// The thread that brought the process down.
    pub fn crashed(&self) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.crashed)
    }

    /// The program: the path it was started by (AT_EXECFN) is what a user knows, the
    /// module's path what the kernel mapped.
    pub fn executable_path(&self) -> Option<PathBuf> {
        let module = self.modules.executable().and_then(|index| self.modules.get(index));
        // The dynamic linker's list has no name for it.
        if let Some(module) = module.filter(|module| !module.path.as_os_str().is_empty()) {
            return Some(module.path.clone());
        }
        let name = self.dump.auxv.get(AuxKind::ExecFn)?;
        let name = self.memory.read_c_string(Avma(name), 4096).filter(|name| !name.is_empty())?;
        Some(PathBuf::from(OsStr::from_bytes(&name)))
    }

    /// Where the auxiliary vector lies on the stack.
    pub fn auxiliary_vector_at(&self) -> Option<Avma> {
        arguments::auxiliary_vector(&self.dump, &self.memory)
    }

    /// Where the first of [`Process::argv`], the program's own name, lies.
    pub fn program_name_at(&self) -> Option<Avma> {
        arguments::program_name(&self.dump, &self.memory)
    }

    /// The command line the program was started with, `None` when its block at the
    /// bottom of the stack is not in the core.
    pub fn argv(&self) -> Option<Vec<Vec<u8>>> {
        arguments::argv(&self.dump, &self.memory)
    }

    /// The environment the program was started with, each entry as `NAME=value`; `None`
    /// when its block at the bottom of the stack is not in the core.
    pub fn environment(&self) -> Option<Vec<Vec<u8>>> {
        arguments::environment(&self.dump, &self.memory)
    }
}
