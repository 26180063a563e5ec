//! The core file: what the kernel (or gcore, or a crash handler) wrote of the process.
//! Readable without any debug information.

mod apport;
mod auxv;
mod beside;
mod companions;
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
pub use beside::ABRT_FACTS;
pub use companions::{Companion, Companions};
pub use container::Container;
pub use foreign::Foreign;
pub use mapped_files::MappedFileRange;
pub use open::OpenError;
pub use prpsinfo::ProcessInfo;
pub use siginfo::{AddressMeaning, FaultCause, Signal, SignalDetail, code_name, signal_name};
pub use vector_regs::VectorState;
pub use xsave::xsave_mask_registers;

pub(crate) use container::{CHUNK, fill, promised_length, sequential};
pub(crate) use spill::{Full, Spill};

use std::fs::File;
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
    /// The file, before decompression; `None` for a stream.
    pub file: Option<File>,
    /// Names and texts of files beside the core in which its collector wrote facts.
    pub beside: Vec<(String, String)>,
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
    /// What `obit run` and `obit snapshot` recorded of sockets, pipes and shared memory, as it is
    /// in the note; empty in other cores.
    pub surroundings: Vec<u8>,
    /// Bytes that the program headers promise and the file lacks.
    pub missing_bytes: u64,
    /// What could not be read.
    pub notices: Vec<Notice>,
    index: segments::SegmentIndex,
}

/// A core that is open.
#[derive(Debug)]
pub struct CoreFile {
    /// What it is called in messages and reports.
    pub path: PathBuf,
    /// Its content.
    pub file: File,
    /// An empty file for what of a packed core does not fit in memory; without one, it is made
    /// when it is needed, in the directory for temporary files.
    pub disk: Option<File>,
    /// The content comes once, in its order: a pipe.
    pub is_stream: bool,
    /// Names and texts of files beside the core in which its collector wrote facts.
    pub beside: Vec<(String, String)>,
    /// The other files of the archive that it was in.
    pub companions: Arc<Companions>,
}

impl CoreFile {
    /// Opens the core at `path`, with all that reading it may take: of a packed one, a file for
    /// its content.
    ///
    /// # Errors
    /// [`OpenError::Io`] and [`OpenError::Directory`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io { path: path.to_owned(), source };
        let core = Self::of_file(path, open::open_core(path)?).map_err(failed)?;
        let beside = beside::beside(path, &core.file);
        Ok(Self { beside, ..core })
    }

    /// An empty file for what of a packed core does not fit in memory.
    ///
    /// # Errors
    /// Those of `open` in the directory for temporary files.
    pub fn room() -> std::io::Result<File> {
        spill::unnamed_file(&std::env::temp_dir())
    }

    /// The same core by descriptors of its own.
    ///
    /// # Errors
    /// Those of `dup`.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self {
            path: self.path.clone(),
            file: self.file.try_clone()?,
            disk: self.disk.as_ref().map(File::try_clone).transpose()?,
            is_stream: self.is_stream,
            beside: self.beside.clone(),
            companions: Arc::clone(&self.companions),
        })
    }

    /// A core that `pipe` gives.
    pub fn of_stream(path: &Path, pipe: File) -> Self {
        let disk = Self::room().ok();
        Self::new(path, pipe, disk, true)
    }

    /// The same of an open `file`.
    ///
    /// # Errors
    /// Those of `pread`.
    pub fn of_file(path: &Path, file: File) -> std::io::Result<Self> {
        let mut start = [0; magic::WANTED as usize];
        let length = std::os::unix::fs::FileExt::read_at(&file, &mut start, 0)?;
        let is_packed = Container::of_magic(start.get(..length).unwrap_or_default()).is_some();
        let disk = if is_packed { Self::room().ok() } else { None };
        Ok(Self::new(path, file, disk, false))
    }

    fn new(path: &Path, file: File, disk: Option<File>, is_stream: bool) -> Self {
        let companions = Arc::default();
        Self { path: path.to_owned(), file, disk, is_stream, beside: Vec::new(), companions }
    }
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

    /// Reads a core that is open, and opens nothing else. A stream is kept in memory while it is
    /// small, then in [`CoreFile::disk`].
    ///
    /// # Errors
    /// Those of [`Dump::open`], and [`OpenError::Spool`] if there is no room for a stream.
    pub fn open_file(core: CoreFile, limits: &crate::limits::Limits) -> Result<Self, OpenError> {
        open::open_file(core, limits)
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
