//! Opens a core: header, segments, notes, and what is wrong with them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::container::{self, Container};
use super::magic;
use super::note_segment::{Budget, Stop, read_notes};
use super::segments::{Headers, SegmentIndex, read_headers};
use super::threads::Collected;
use super::{Dump, Signal};
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
    #[error(
        "{0} is a directory; `obit triage {0}` reads directories of cores",
        path.display()
    )]
    Directory {
        /// As given.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error(
        "{} is empty: was the disk full, or RLIMIT_CORE too small, when the process died?",
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
    let failed = |source: io::Error| OpenError::Io { path: path.to_owned(), source };
    let file = open_regular(path).map_err(|source| match path.is_dir() {
        true => OpenError::Directory { path: path.to_owned() },
        false => failed(source),
    })?;
    let file_size = identity_of(&file).map_err(failed)?.len;
    read(path, file, file_size, limits)
}

fn read(path: &Path, file: File, file_size: u64, limits: &Limits) -> Result<Dump, OpenError> {
    let path = path.to_owned();
    let bytes = CoreBytes::new(file, file_size);
    let start = bytes.read_vec(0, magic::WANTED);
    if start.is_empty() {
        return Err(OpenError::Empty { path });
    }
    let mut notices = Vec::new();
    let container = Container::of_magic(&start);
    let (bytes, start) = match container {
        None => (bytes, start),
        Some(container) => {
            let bytes = container::unpack(&path, bytes, container, limits, &mut notices)?;
            let start = bytes.read_vec(0, magic::WANTED);
            (bytes, start)
        }
    };
    let header = parse_header(&path, &start)?;
    let bytes = Arc::new(bytes);
    let machine = Machine::from_elf(header.e_machine, header.encoding.is_64);
    let headers = read_headers(&bytes, &header, limits, &mut notices);
    if headers.missing_bytes > 0 {
        // One notice is enough: damaged compressed data end early too.
        notices.retain(|notice| !matches!(notice, Notice::CoreTruncated { .. }));
        let missing_bytes = headers.missing_bytes;
        notices.push(Notice::CoreTruncated { missing_bytes, size: bytes.len() });
    }
    let mut collected = collect_notes(&bytes, &header, &headers, machine, limits);
    if collected.threads.is_empty() {
        notices.append(&mut collected.notices);
        let first_problem = first_problem(&notices);
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
        missing_bytes: headers.missing_bytes,
        notices,
        index,
    })
}

/// The header of a core, or why these are not the first bytes of one.
fn parse_header(path: &Path, start: &[u8]) -> Result<FileHeader, OpenError> {
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
