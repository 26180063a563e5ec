//! A core of a live process, in the file that the user wants or in one without a name.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use obit::dump::CoreFile;
use obit::limits::Limits as ReadLimits;
use obit_capture::{Limits, Snapshot, snapshot};
use rustix::fs::MemfdFlags;

use super::failed;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::private_file::Draft;

/// What the kernel appends to the path of a program that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// Bytes that are kept in memory, as of an unpacked core.
const IN_MEMORY: u64 = 256 << 20;

/// A core that was just taken.
pub(super) struct TakenCore {
    pub(super) core: CoreFile,
    pub(super) snapshot: Snapshot,
    /// The program, where its path leads to it no more.
    pub(super) exe: Option<PathBuf>,
}

impl TakenCore {
    /// Takes one of `process`, of at most `most` bytes, and gives it the name `kept`.
    pub(super) fn of(
        process: i32,
        kept: Option<&Path>,
        most: Option<u64>,
    ) -> Result<Self, Failure> {
        match kept {
            Some(path) => Self::named(process, path, most),
            None => {
                let file = unnamed(process).map_err(|error| not_written(&error))?;
                Self::in_file(process, &file, Path::new(&format!("process {process}")), most)
            }
        }
    }

    fn named(process: i32, path: &Path, most: Option<u64>) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let problem = format!("cannot write {}: {error}", path.display());
            Failure::new(Exit::Output, &problem)
        };
        let draft = Draft::of(path).map_err(failed)?;
        let taken = Self::in_file(process, draft.file(), path, most)?;
        draft.publish().map_err(failed)?;
        Ok(taken)
    }

    fn in_file(process: i32, file: &File, name: &Path, most: Option<u64>) -> Result<Self, Failure> {
        let most = most.unwrap_or(ReadLimits::default().spill_bytes);
        let bytes = room(file).map_err(|error| not_written(&error))?.min(most);
        // Beforehand: the process may have ended behind the snapshot.
        let exe = deleted_program(process);
        let owner = fs::metadata(format!("/proc/{process}"));
        let snapshot = snapshot(process, file, Limits { bytes }).map_err(|error| failed(&error))?;
        if let Ok(owner) = owner {
            // What the core leads to is opened with the rights of its owner, as with a core of
            // the kernel, which is the user's. Only root can, and needs to, give it away.
            let _ = std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()));
        }
        let file = file.try_clone().map_err(|error| not_written(&error))?;
        let core = CoreFile::of_file(name, file).map_err(|error| not_written(&error))?;
        Ok(Self { core, snapshot, exe })
    }
}

/// A file without a name: in memory if the process is small, which is quicker than a disk that
/// others write to.
fn unnamed(process: i32) -> io::Result<File> {
    let small = resident(process).is_some_and(|bytes| bytes <= IN_MEMORY);
    match rustix::fs::memfd_create("obit-snapshot", MemfdFlags::CLOEXEC) {
        Ok(memory) if small => Ok(memory.into()),
        _ => CoreFile::room(),
    }
}

/// Bytes that a process has in memory and in swap.
fn resident(process: i32) -> Option<u64> {
    let status = fs::read(format!("/proc/{process}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let kibibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    };
    kibibytes("VmRSS:")?.checked_add(kibibytes("VmSwap:")?)?.checked_mul(1024)
}

/// Half of the free space: the rest is for others. Memory has none, and was chosen by size.
fn room(file: &File) -> io::Result<u64> {
    let stat = rustix::fs::fstatvfs(file)?;
    if stat.f_blocks == 0 {
        return Ok(IN_MEMORY.saturating_mul(2));
    }
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / 2)
}

fn deleted_program(process: i32) -> Option<PathBuf> {
    let link = PathBuf::from(format!("/proc/{process}/exe"));
    let target = fs::read_link(&link).ok()?;
    target.as_os_str().as_encoded_bytes().ends_with(DELETED).then_some(link)
}

fn not_written(error: &io::Error) -> Failure {
    Failure::new(Exit::Output, &format_args!("no room for the core: {error}"))
}
