//! Opens a core: header, segments, notes, and what is wrong with them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::container::{self, Container};
use super::foreign::Foreign;
use super::magic;
use super::note_segment::{Budget, Stop, read_notes};
use super::segments::{Headers, SegmentIndex, read_headers};
use super::stream;
use super::threads::Collected;
use super::{CoreFile, Dump, Signal, beside};
use crate::arch::Machine;
use crate::elf::{ET_CORE, ElfError, FileHeader};
use crate::limits::Limits;
use crate::mapped_file::{identity_of, open_regular};
use crate::memory::CoreBytes;
use crate::notice::Notice;

/// Why a core file could not be read at all. Anything less is a [`Notice`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be opened or read.
    #[error("{}: {source}{}", path.display(), hint(source))]
    Io {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a directory.
    #[error("{} is a directory, not a core file: give one core at a time", path.display())]
    Directory {
        /// As given.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error(
        "{} is empty: was the disk full, or RLIMIT_CORE too small, when the process crashed?",
        path.display()
    )]
    Empty {
        /// As given.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a core file: it looks like {looks_like}", path.display())]
    NotElf {
        /// As given.
        path: PathBuf,
        /// What its first bytes say.
        looks_like: String,
    },
    /// A core, but not of a process of Linux.
    #[error("{} is {what}", path.display())]
    Foreign {
        /// As given.
        path: PathBuf,
        /// What it is.
        what: Foreign,
    },
    /// The magic is ELF's, the header makes no sense.
    #[error("{}: {source}; if it was copied from elsewhere, compare its checksum", path.display())]
    BadHeader {
        /// As given.
        path: PathBuf,
        /// What is wrong.
        source: ElfError,
    },
    /// An ELF file, but `e_type` is not `ET_CORE`.
    #[error(
        "{} is {} (ELF type {e_type}), not a core (type 4); did you mean `obit CORE {0}`?",
        path.display(),
        elf_type_name(*e_type)
    )]
    NotACore {
        /// As given.
        path: PathBuf,
        /// What the header says.
        e_type: u16,
    },
    /// No readable `NT_PRSTATUS`: no thread, hence nothing to analyse.
    #[error(
        "{} holds no thread: {}",
        path.display(),
        first_problem.as_deref().unwrap_or("it has no NT_PRSTATUS note; make the core again")
    )]
    NoThreads {
        /// As given.
        path: PathBuf,
        /// The first thing found wrong, if anything was.
        first_problem: Option<String>,
    },
    /// The core is wrapped in something that cannot be unwrapped.
    #[error("{}: the {} data cannot be unpacked: {problem}", path.display(), container.name())]
    Container {
        /// As given.
        path: PathBuf,
        /// What it is wrapped in.
        container: Container,
        /// Why it fails.
        problem: String,
    },
    /// The core comes from a stream, and could not be kept to be read.
    #[error("a core from a stream has to be stored below {} while it is read: {problem}", directory.display())]
    Spool {
        /// Where temporary files go.
        directory: PathBuf,
        /// Why that fails.
        problem: String,
    },
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            "; cores often belong to root: run as its owner, or copy it (`coredumpctl dump`)"
        }
        io::ErrorKind::NotFound => "; `coredumpctl list` shows what systemd has kept",
        _ => "",
    }
}

fn elf_type_name(e_type: u16) -> &'static str {
    match e_type {
        1 => "an object file",
        2 => "an executable",
        3 => "an executable or a shared library",
        _ => "an ELF file",
    }
}

/// See [`Dump::open`].
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Dump, OpenError> {
    let file = open_core(path)?;
    let beside = beside::beside(path, &file);
    let companions = Arc::default();
    let path = path.to_owned();
    open_file(CoreFile { path, file, disk: None, is_stream: false, beside, companions }, limits)
}

/// Opens the file alone.
pub(super) fn open_core(path: &Path) -> Result<File, OpenError> {
    open_regular(path).map_err(|source| match path.is_dir() {
        true => OpenError::Directory { path: path.to_owned() },
        false => OpenError::Io { path: path.to_owned(), source },
    })
}

/// See [`Dump::open_file`].
pub(super) fn open_file(core: CoreFile, limits: &Limits) -> Result<Dump, OpenError> {
    let CoreFile { path, mut file, disk, is_stream, beside, .. } = core;
    if is_stream {
        return stream::open(&path, &mut file, disk, limits);
    }
    let failed = |source: io::Error| OpenError::Io { path: path.clone(), source };
    let file_size = identity_of(&file).map_err(failed)?.len;
    let source = file.try_clone().map_err(failed)?;
    let mut dump = read(&path, CoreBytes::new(file, file_size), disk, limits)?;
    dump.file = Some(source);
    dump.beside = beside;
    Ok(dump)
}

pub(super) fn read(
    path: &Path,
    bytes: CoreBytes,
    disk: Option<File>,
    limits: &Limits,
) -> Result<Dump, OpenError> {
    let path = path.to_owned();
    let file_size = bytes.len();
    let start = bytes.read_vec(0, magic::WANTED);
    if start.is_empty() {
        return Err(OpenError::Empty { path });
    }
    let mut notices = Vec::new();
    let container = Container::of_magic(&start);
    let (bytes, start) = match container {
        None => (bytes, start),
        Some(container) => {
            let bytes = container::unpack(&path, &bytes, container, disk, limits, &mut notices)?;
            let start = bytes.read_vec(0, magic::WANTED);
            (bytes, start)
        }
    };
    let header = parse_header(&path, &start)?;
    let bytes = Arc::new(bytes);
    let order = header.encoding.little_endian;
    let machine = Machine::from_elf(header.e_machine, header.encoding.is_64, order);
    let headers = read_headers(&bytes, &header, limits, &mut notices);
    if headers.missing_bytes > 0 {
        // One notice is enough: damaged compressed data end early too.
        notices.retain(|notice| !matches!(notice, Notice::CoreTruncated { .. }));
        let missing_bytes = headers.missing_bytes;
        notices.push(Notice::CoreTruncated { missing_bytes, size: bytes.len() });
    }
    let mut collected = collect_notes(&bytes, &header, &headers, machine, limits);
    let machine = collected.machine;
    let system = Foreign::of_header(&start).filter(|_| collected.threads.is_empty());
    if let Some(what) = collected.foreign.or(system) {
        return Err(OpenError::Foreign { path, what });
    }
    if collected.threads.is_empty() {
        notices.append(&mut collected.notices);
        let stranger = collected.stranger.map(|owner| {
            format!("its notes are those of `{owner}`, not of Linux; obit reads cores of Linux")
        });
        let first_problem = stranger.or_else(|| first_problem(&notices));
        return Err(OpenError::NoThreads { path, first_problem });
    }
    collected.finish(&bytes);
    let crashed = collected.crashed();
    let index = SegmentIndex::new(&headers.loads);
    collected.check_stacks(&headers.loads, &index, bytes.len());
    if let Machine::Other(e_machine) = machine {
        notices.push(Notice::MachineUnsupported { e_machine, name: machine.name() });
    }
    notices.append(&mut collected.notices);
    let signal = collected.threads.get(crashed).and_then(|thread| {
        let number = Some(thread.signal).filter(|number| *number != 0);
        thread.siginfo.clone().or_else(|| number.map(Signal::from_number))
    });
    Ok(Dump {
        path,
        file: None,
        beside: Vec::new(),
        bytes,
        file_size,
        container,
        encoding: header.encoding,
        machine,
        segments: headers.loads,
        threads: collected.threads,
        crashed,
        process: collected.process,
        signal,
        auxv: collected.auxv,
        mapped_files: collected.mapped_files,
        surroundings: collected.surroundings,
        missing_bytes: headers.missing_bytes,
        notices,
        index,
    })
}

/// The header of a core, or why these are not the first bytes of one.
pub(super) fn parse_header(path: &Path, start: &[u8]) -> Result<FileHeader, OpenError> {
    let path = path.to_owned();
    match FileHeader::parse(start) {
        Ok(header) if header.e_type == ET_CORE => Ok(header),
        Ok(FileHeader { e_type, .. }) => Err(OpenError::NotACore { path, e_type }),
        Err(ElfError::NotElf(_)) => {
            Err(OpenError::NotElf { path, looks_like: magic::looks_like(start) })
        }
        Err(source) => Err(OpenError::BadHeader { path, source }),
    }
}

fn collect_notes(
    bytes: &CoreBytes,
    header: &FileHeader,
    headers: &Headers,
    machine: Machine,
    limits: &Limits,
) -> Collected {
    let mut collected = Collected::new(machine, header.e_machine, header.encoding);
    let mut budget = Budget::new(limits);
    for segment in &headers.notes {
        let read = read_notes(bytes, segment, header.encoding, &mut budget, |note, offset| {
            collected.add(note, offset, limits);
        });
        match read {
            Ok(()) => {}
            Err(Stop::Malformed(error)) => collected.complain(&error.to_string()),
            Err(Stop::Limit(what, limit)) => {
                collected.notices.push(Notice::LimitReached { what, limit });
                break;
            }
        }
    }
    collected
}

/// In words, for a core of which nothing can be said.
fn first_problem(notices: &[Notice]) -> Option<String> {
    notices.iter().find_map(|notice| match notice {
        Notice::CoreTruncated { missing_bytes, size } => Some(format!(
            "the file ends after {size} bytes, {missing_bytes} are missing; \
             make the core again with more disk or a higher RLIMIT_CORE"
        )),
        Notice::NoteMalformed { problem } => Some(problem.clone()),
        Notice::LimitReached { what, limit } => Some(format!("it has over {limit} {what}")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Avma;
    use crate::arch::Register;
    use crate::dump::{AuxKind, SignalDetail};
    use crate::elf::SURROUNDINGS_NOTE;
    use crate::testkit::{CoreBuilder, CoreFile};

    fn open_bytes(bytes: &[u8]) -> Result<Dump, OpenError> {
        Dump::open(CoreFile::new(bytes).path(), &Limits::default())
    }

    fn whole_core(core: CoreBuilder) -> CoreBuilder {
        core.signal(11)
            .thread(42, &[])
            .process(42, "prog", "./prog --fast")
            .siginfo(11, 1, 0x18)
            .auxv(&[(9, 0x40_1000), (33, 0x7000)])
            .files(&[(0x40_0000, 0x40_2000, 0x1000, "/bin/prog")])
            .thread(43, &[])
            .segment_with(0x40_0000, &[0x90; 600], 0x2000, "rx")
            .segment(0x7000_0000, &[1; 700], 0x1000)
    }

    #[test]
    fn every_class_and_byte_order_reads_the_same() {
        let cores = [
            CoreBuilder::x86_64(),
            CoreBuilder::i386(),
            CoreBuilder::aarch64(),
            CoreBuilder::aarch64().big_endian(),
            CoreBuilder::arm(),
            CoreBuilder::arm().big_endian(),
            CoreBuilder::riscv64(),
        ];
        for core in cores {
            let dump = whole_core(core).open().unwrap();
            assert_eq!(dump.threads.iter().map(|t| t.tid).collect::<Vec<_>>(), [42, 43]);
            assert_eq!(dump.crashed, 0);
            assert_eq!(dump.signal.as_ref().unwrap().address(), Some(Avma(0x18)));
            assert_eq!(dump.process.as_ref().unwrap().command, "prog");
            assert_eq!(dump.auxv.get(AuxKind::Entry), Some(0x40_1000));
            assert_eq!(dump.mapped_files[0].offset, 0x1000);
            let segment = dump.segment_at(Avma(0x40_0010)).unwrap();
            assert_eq!((segment.dumped, segment.permissions.execute), (600, true));
            assert_eq!(dump.bytes.read_vec(segment.offset, 2), [0x90, 0x90]);
            assert_eq!(dump.missing_bytes, 0);
        }
    }

    #[test]
    fn a_machine_without_facts_is_read_as_far_as_that_goes() {
        let dump = whole_core(CoreBuilder::without_facts()).open().unwrap();
        assert_eq!(dump.threads.len(), 2);
        assert!(dump.threads[0].registers.is_empty());
        assert_eq!(dump.signal.unwrap().code_name(), Some("SEGV_MAPERR"));
        let notice = Notice::MachineUnsupported { e_machine: 15, name: "hppa" };
        assert!(dump.notices.contains(&notice));
    }

    #[test]
    fn cut_anywhere_a_core_is_read_as_far_as_it_goes() {
        for core in [CoreBuilder::x86_64(), CoreBuilder::arm().big_endian()] {
            let whole = whole_core(core);
            let len = whole.build().len();
            let first_thread_ends = 64 + 3 * 56 + 12 + 8 + 40;
            for cut in (0..len).step_by(16).chain([len - 1]) {
                let dump = match whole.clone().truncated(cut).open() {
                    Ok(dump) => dump,
                    Err(error) => {
                        assert!(cut < first_thread_ends, "{cut}: {error}");
                        continue;
                    }
                };
                assert!(dump.missing_bytes > 0);
                let missing_bytes = dump.missing_bytes;
                let notice = Notice::CoreTruncated { missing_bytes, size: cut as u64 };
                assert!(dump.notices.contains(&notice), "{cut}");
            }
        }
    }

    #[test]
    fn spoiling_any_byte_of_the_headers_and_notes_never_panics() {
        let whole = whole_core(CoreBuilder::x86_64()).build();
        for at in 0..whole.len() - 1300 {
            for value in [0, 0x7f, 0xff] {
                let mut spoilt = whole.clone();
                spoilt[at] = value;
                drop(open_bytes(&spoilt));
            }
        }
    }

    #[test]
    fn a_thread_before_a_malformed_note_is_kept() {
        let core = CoreBuilder::x86_64().thread(1, &[("rip", 5)]);
        let hostile = [5, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 1, 0, 0, 0, b'C', b'O', b'R', b'E'];
        let dump = core.raw_notes(&hostile).thread(2, &[]).open().unwrap();
        assert_eq!(dump.threads[0].registers.get(Register(16)), Some(5));
        let malformed = |notice: &Notice| matches!(notice, Notice::NoteMalformed { .. });
        assert!(dump.notices.iter().any(malformed));
    }

    #[test]
    fn notes_longer_than_a_window_are_read_or_skipped() {
        let long = vec![0xaa; 3 << 20];
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"GDB", 7, &long).thread(2, &[]);
        let dump = core.siginfo(11, 1, 0x18).open().unwrap();
        assert_eq!(dump.threads.len(), 2);
        assert_eq!(dump.crashed_thread().unwrap().tid, 2);
        assert!(matches!(dump.signal.unwrap().detail, SignalDetail::Fault { .. }));
    }

    #[test]
    fn a_note_of_sockets_that_is_too_long_is_refused_and_said() {
        let of = |size: usize| {
            let core = CoreBuilder::x86_64().thread(1, &[]);
            core.note(b"OBIT", SURROUNDINGS_NOTE, &vec![b'x'; size]).open().unwrap()
        };
        let is_said = |dump: &Dump| {
            let says = |problem: &str| problem.contains("more than 1 MiB");
            dump.notices
                .iter()
                .any(|one| matches!(one, Notice::NoteMalformed { problem } if says(problem)))
        };
        let (most, more) = (of(1 << 20), of((1 << 20) + 1));
        assert_eq!((most.surroundings.len(), is_said(&most)), (1 << 20, false));
        assert_eq!((more.surroundings.len(), is_said(&more)), (0, true));
    }

    #[test]
    fn many_threads_cross_window_borders_unharmed() {
        let mut core = CoreBuilder::x86_64();
        for tid in 1..=9000 {
            core = core.thread(tid, &[("rip", 0x1000)]);
        }
        let dump = core.open().unwrap();
        assert!(dump.threads.iter().map(|thread| thread.tid).eq(1..=9000));
    }

    #[test]
    fn the_error_for_a_file_that_is_not_a_core_says_what_it_is_and_what_to_do() {
        let of = |bytes: &[u8]| open_bytes(bytes).unwrap_err().to_string();
        assert!(of(b"").ends_with("when the process crashed?"));
        assert!(of(b"hello\n").ends_with("is not a core file: it looks like text"));
        assert!(of(b"MDMP....").contains("a minidump (try"));
        let mut program = CoreBuilder::x86_64().thread(1, &[]).build();
        program[16] = 2;
        let text = of(&program);
        assert!(text.contains("is an executable (ELF type 2), not a core (type 4); did you mean"));
        assert!(of(&CoreBuilder::x86_64().build()).contains("holds no thread"));
        assert!(of(b"\x7fELF\x09").contains("EI_CLASS"));
        let directory = Dump::open(&std::env::temp_dir(), &Limits::default()).unwrap_err();
        assert!(directory.to_string().contains("is a directory"));
        let absent = Dump::open(Path::new("/nonexistent/core"), &Limits::default());
        assert!(matches!(absent, Err(OpenError::Io { .. })));
    }

    #[test]
    fn limits_on_threads_and_notes_hold_and_are_reported() {
        let core = CoreBuilder::x86_64().thread(1, &[]).thread(2, &[]).thread(3, &[]).write();
        let limits = Limits { threads: 2, ..Limits::default() };
        let dump = Dump::open(core.path(), &limits).unwrap();
        assert_eq!(dump.threads.len(), 2);
        assert!(dump.notices.contains(&Notice::LimitReached { what: "threads", limit: 2 }));
        let limits = Limits { notes: 1, ..Limits::default() };
        let dump = Dump::open(core.path(), &limits).unwrap();
        assert_eq!(dump.threads.len(), 1);
        assert!(dump.notices.contains(&Notice::LimitReached { what: "notes", limit: 1 }));
    }
}
