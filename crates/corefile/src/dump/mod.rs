//! The core file: what the kernel (or gcore, or a crash handler) wrote of the process.
//! Readable without any debug information.

mod apport;
mod auxv;
mod container;
mod delve;
mod foreign;
mod magic;
mod mapped_files;
mod note_segment;
mod open;
mod prpsinfo;
mod prstatus;
mod segments;
mod siginfo;
mod spill;
mod stream;
mod threads;
mod vector_regs;
mod xsave;

pub use auxv::{AuxKind, Auxv};
pub use container::Container;
pub use foreign::Foreign;
pub use mapped_files::MappedFileRange;
pub use open::OpenError;
pub use prpsinfo::ProcessInfo;
pub use siginfo::{AddressMeaning, FaultCause, Signal, SignalDetail, code_name, signal_name};
pub use vector_regs::VectorState;
pub use xsave::xsave_mask_registers;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::{Avma, AvmaRange};
use crate::arch::{Machine, Registers};
use crate::elf::Encoding;
use crate::memory::{CoreBytes, Permissions};
use crate::notice::Notice;

/// One core file, read and not yet judged.
#[derive(Debug)]
pub struct Dump {
    /// As given by the user.
    pub path: PathBuf,
    /// The bytes, after decompression.
    pub bytes: Arc<CoreBytes>,
    /// Size of the file as given, before decompression, bytes.
    pub file_size: u64,
    /// What the core was wrapped in.
    pub container: Option<Container>,
    /// Class and byte order.
    pub encoding: Encoding,
    /// Machine.
    pub machine: Machine,
    /// `PT_LOAD` segments that take up addresses, in file order. May overlap.
    pub segments: Vec<CoreSegment>,
    /// Threads, in the order of their notes; at least one.
    pub threads: Vec<DumpedThread>,
    /// Index into `threads` of the one that crashed.
    pub crashed: usize,
    /// `NT_PRPSINFO`.
    pub process: Option<ProcessInfo>,
    /// The signal that killed the process: `NT_SIGINFO`, or what `NT_PRSTATUS` says.
    pub signal: Option<Signal>,
    /// `NT_AUXV`.
    pub auxv: Auxv,
    /// `NT_FILE`.
    pub mapped_files: Vec<MappedFileRange>,
    /// Bytes that the program headers promise and the file lacks.
    pub missing_bytes: u64,
    /// What could not be read.
    pub notices: Vec<Notice>,
    index: segments::SegmentIndex,
}

/// A `PT_LOAD` of the core: one mapping of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreSegment {
    /// Addresses.
    pub range: AvmaRange,
    /// Offset of its bytes in the core.
    pub offset: u64,
    /// Bytes the core promises (`p_filesz`), at most the range's length.
    pub dumped: u64,
    /// Rights.
    pub permissions: Permissions,
}

/// A thread as its notes show it.
#[derive(Clone, Debug)]
pub struct DumpedThread {
    /// `pr_pid`: the kernel's thread id.
    pub tid: i64,
    /// Thread name. Cores hold only that of the main thread, as the process' command.
    pub name: Option<String>,
    /// `pr_cursig`: the signal this thread was handling.
    pub signal: u16,
    /// `NT_SIGINFO` of this thread. The kernel writes that of the crashed thread only,
    /// gcore one per thread.
    pub siginfo: Option<Signal>,
    /// Integer registers.
    pub registers: Registers,
    /// Registers that play no part in unwinding (flags, segments), by name.
    pub other_registers: Vec<(&'static str, u64)>,
    /// The number of the system call the thread was in (`orig_rax` on x86_64, `orig_eax` on
    /// i386), `None` where it was in none or the machine's `pr_reg` has no word for it.
    pub system_call: Option<u64>,
    /// FP and vector registers.
    pub vectors: VectorState,
    /// The thread pointer that TLS is reached from: fs_base on x86_64, the base of gs on
    /// i386, tpidr_el0 on aarch64, tp on riscv64 (see [`crate::arch::ThreadPointer`]).
    pub thread_pointer: Option<Avma>,
    /// aarch64: the bits of a code address that hold its authentication code
    /// (`NT_ARM_PAC_MASK`), to be cleared before use.
    pub code_pointer_mask: Option<u64>,
    /// Whether `NT_PRSTATUS` was long enough to hold all registers.
    pub complete: bool,
}

impl Dump {
    /// Opens and reads the core at `path`.
    ///
    /// # Errors
    /// Only when nothing at all can be said: not a core, no thread.
    pub fn open(path: &Path, limits: &crate::limits::Limits) -> Result<Self, OpenError> {
        open::open(path, limits)
    }

    /// Reads the core that `file` holds. `path` is what it is called in messages and reports.
    ///
    /// # Errors
    /// Those of [`Dump::open`].
    pub fn open_file(
        path: &Path,
        file: File,
        limits: &crate::limits::Limits,
    ) -> Result<Self, OpenError> {
        open::open_file(path, file, limits)
    }

    /// Reads the core that `stream` gives: it is kept in memory while it is small, then in an
    /// unnamed file in the directory for temporary files. `path` is what it is called in
    /// messages and reports.
    ///
    /// # Errors
    /// Those of [`Dump::open`], and [`OpenError::Spool`] if there is no room for it.
    pub fn open_stream(
        path: &Path,
        stream: &mut dyn Read,
        limits: &crate::limits::Limits,
    ) -> Result<Self, OpenError> {
        stream::open(path, stream, limits)
    }

    /// The segment that holds `at`; of overlapping ones, that which starts first.
    pub fn segment_at(&self, at: Avma) -> Option<&CoreSegment> {
        self.segments.get(self.index.at(at)?)
    }

    /// The thread that crashed.
    pub fn crashed_thread(&self) -> Option<&DumpedThread> {
        self.threads.get(self.crashed)
    }
}
