//! The core file: what the kernel (or gcore, or a crash handler) wrote of the process.
//! Readable without any debug information.

mod auxv;
mod container;
mod mapped_files;
mod open;
mod prpsinfo;
mod prstatus;
mod siginfo;
mod vector_regs;

pub use auxv::Auxv;
pub use container::Container;
pub use mapped_files::MappedFileRange;
pub use open::OpenError;
pub use prpsinfo::ProcessInfo;
pub use siginfo::{Signal, signal_name};
pub use vector_regs::VectorState;

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
    /// `PT_LOAD` segments, in file order.
    pub segments: Vec<CoreSegment>,
    /// Threads, in the order of their notes; at least one.
    pub threads: Vec<DumpedThread>,
    /// Index into `threads` of the one that crashed.
    pub crashed: usize,
    /// `NT_PRPSINFO`.
    pub process: Option<ProcessInfo>,
    /// Why the process died: `NT_SIGINFO`, or what `NT_PRSTATUS` says.
    pub signal: Option<Signal>,
    /// `NT_AUXV`.
    pub auxv: Auxv,
    /// `NT_FILE`.
    pub mapped_files: Vec<MappedFileRange>,
    /// Bytes that the program headers promise and the file lacks.
    pub missing_bytes: u64,
    /// What could not be read.
    pub notices: Vec<Notice>,
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
    /// Thread name, where the core holds one (not from the kernel; see `prpsinfo`).
    pub name: Option<String>,
    /// `pr_cursig`: the signal this thread was handling.
    pub signal: u16,
    /// Integer registers.
    pub registers: Registers,
    /// FP and vector registers.
    pub vectors: VectorState,
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

    /// The segment that holds `at`.
    pub fn segment_at(&self, at: Avma) -> Option<&CoreSegment> {
        self.segments.iter().find(|segment| segment.range.contains(at))
    }
}
