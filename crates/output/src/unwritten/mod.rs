//! The bytes that were given to a writer and that no file ever got.

mod cpp;
mod glibc;
mod go;
mod go_heap;
mod python;
mod rust;

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::{Absent, AddressSpace};
use obit_process::process::{Process, Thread};

/// Bytes of one writer that are kept: the last.
const MOST_OF_ONE: u64 = 4 << 20;
/// Bytes of all writers that are kept.
const MOST: u64 = 16 << 20;
/// Writers that are kept.
const MOST_WRITERS: usize = 4096;

/// What never left the process.
#[derive(Clone, Debug, Default)]
pub struct Unwritten {
    /// Writers whose buffers hold bytes that were not written, as they were found.
    pub writers: Vec<Writer>,
    /// Writers that were looked at, with and without such bytes, by kind.
    pub looked_at: Vec<(WriterKind, u64)>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
}

/// A writer with bytes that were not written.
#[derive(Clone, Debug)]
pub struct Writer {
    /// What it is.
    pub kind: WriterKind,
    /// Where.
    pub at: Avma,
    /// The descriptor that it writes to.
    pub descriptor: Option<i64>,
    /// The path that the program opened, where the writer knows it.
    pub path: Option<Vec<u8>>,
    /// The bytes, or the last of them.
    pub bytes: Vec<u8>,
    /// Bytes before these that are not kept.
    pub omitted: u64,
    /// Nothing was written by this writer before: the first byte begins a line.
    pub is_first: bool,
    /// What may be wrong with that.
    pub doubts: Vec<Doubt>,
}

/// What may be wrong with the bytes of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// This thread was writing them: some or all of them may have been written.
    BeingWritten {
        /// Its id.
        tid: i64,
    },
    /// The writer has more that is not in the core.
    Missing(Absent),
    /// It was found by its layout: no name says what it is.
    ByLayout,
    /// It has text that could not be read.
    Unread,
    /// It was found by its type in a variable, which may have been moved from.
    ByVariable,
    /// It could not be found out whether a collector took it, and gave its memory to another.
    Collected,
    /// It was copied, and the copies have written different parts.
    Copies,
    /// It is not known to write to any file.
    NoFile,
}

impl Doubt {
    /// Whether all of the bytes may have been written, or be of something else.
    pub fn is_of_all(self) -> bool {
        match self {
            Self::BeingWritten { .. }
            | Self::ByLayout
            | Self::ByVariable
            | Self::Collected
            | Self::Copies => true,
            Self::Missing(_) | Self::Unread | Self::NoFile => false,
        }
    }
}

/// What could not be looked at, or not for sure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The layout of this writer is not known on this machine.
    Machine(WriterKind),
    /// The C library's list of streams was not found.
    NoStreams,
    /// The list of streams is damaged here: the streams after it are not known.
    DamagedList(Avma),
    /// There is no type information for the writers of this language.
    NoTypes(WriterKind),
    /// So many that had bytes were collected: their memory may be another's.
    Collected(WriterKind, u64),
    /// Writers of this kind are found by variables alone.
    Unreachable(WriterKind),
    /// There was more memory, or more writers.
    Cut,
}

/// A kind of writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriterKind {
    /// `FILE` of glibc.
    CStream,
    /// `FILE` of glibc, in wide orientation.
    WideCStream,
    /// `std::filebuf` of libstdc++.
    CppStream,
    /// `BufWriter` or `LineWriter` of Rust.
    RustBufWriter,
    /// `BufWriter` of tokio.
    TokioBufWriter,
    /// `bufio.Writer` of Go.
    GoWriter,
    /// `io.BufferedWriter` of CPython.
    PythonBuffer,
    /// `io.TextIOWrapper` of CPython.
    PythonText,
}

/// What never left the process.
pub fn unwritten(process: &Process) -> Unwritten {
    let mut found = Finder::new(process);
    glibc::find(&mut found);
    cpp::find(&mut found);
    rust::find(&mut found);
    go::find(&mut found);
    python::find(&mut found);
    found.finish()
}

/// Collects writers, within limits.
struct Finder<'p> {
    process: &'p Process,
    all: Unwritten,
    left: u64,
}

/// A writer as its structure shows it.
struct Candidate {
    kind: WriterKind,
    at: Avma,
    descriptor: Option<i64>,
    path: Option<Vec<u8>>,
    /// The bytes that were not written.
    pending: AvmaRange,
    is_first: bool,
    doubts: Vec<Doubt>,
}

impl<'p> Finder<'p> {
    fn new(process: &'p Process) -> Self {
        Self { process, all: Unwritten::default(), left: MOST }
    }

    fn memory(&self) -> &'p AddressSpace {
        &self.process.memory
    }

    fn gap(&mut self, gap: Gap) {
        if !self.all.gaps.contains(&gap) {
            self.all.gaps.push(gap);
        }
    }

    /// Counts a writer that was looked at.
    fn saw(&mut self, kind: WriterKind) {
        match self.all.looked_at.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.all.looked_at.push((kind, 1)),
        }
    }

    /// Adds a writer; one without bytes is none.
    fn add(&mut self, candidate: Candidate) {
        let Candidate { kind, at, descriptor, path, pending, is_first, mut doubts } = candidate;
        let Some((bytes, omitted, missing)) = self.read(pending) else { return };
        doubts.extend(missing.map(Doubt::Missing));
        doubts.extend(self.being_written(pending));
        self.push(Writer { kind, at, descriptor, path, bytes, omitted, is_first, doubts });
    }

    fn push(&mut self, writer: Writer) {
        if self.all.writers.len() >= MOST_WRITERS {
            self.gap(Gap::Cut);
            return;
        }
        self.all.writers.push(writer);
    }

    /// The last bytes of a range: these, how many are before them, and why some are not there.
    fn read(&mut self, range: AvmaRange) -> Option<(Vec<u8>, u64, Option<Absent>)> {
        let length = range.end.0.checked_sub(range.start.0).filter(|length| *length > 0)?;
        let kept = length.min(MOST_OF_ONE).min(self.left);
        if kept < length && self.left < MOST_OF_ONE {
            self.gap(Gap::Cut);
        }
        let start = Avma(range.end.0.saturating_sub(kept));
        let bytes = self.memory().read_up_to(start, usize::try_from(kept).ok()?);
        let missing = ((bytes.len() as u64) < kept).then(|| {
            let at = Avma(start.0.saturating_add(bytes.len() as u64));
            self.memory().region_at(at).map_or(Absent::Unmapped, |region| region.backing.absent)
        });
        self.left = self.left.saturating_sub(kept);
        Some((bytes, length.saturating_sub(kept), missing))
    }

    /// A thread that is in a system call with these bytes.
    fn being_written(&self, pending: AvmaRange) -> Option<Doubt> {
        let writes = |name: &str| {
            let name = name.trim_start_matches("__GI_").trim_start_matches('_');
            let name = name.strip_prefix("libc_").unwrap_or(name);
            matches!(
                name,
                "write" | "writev" | "pwrite" | "pwrite64" | "send" | "sendto" | "sendmsg"
            )
        };
        let threads = self.process.threads.iter();
        let mut writing = threads.filter(|thread| {
            let innermost = thread.frames.iter().take(3);
            let mut names = innermost.filter_map(|frame| frame.function.as_deref());
            names.any(writes) && self.arguments(thread).any(|value| pending.contains(Avma(value)))
        });
        writing.next().map(|thread| Doubt::BeingWritten { tid: thread.tid })
    }

    /// The registers of a thread that hold arguments of a call.
    fn arguments(&self, thread: &Thread) -> impl Iterator<Item = u64> {
        let facts = self.process.dump.machine.facts();
        let registers = facts.map_or(&[][..], |facts| facts.arguments);
        registers.iter().filter_map(|register| thread.registers.get(*register))
    }

    fn finish(self) -> Unwritten {
        self.all
    }
}
