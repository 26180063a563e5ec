//! Files that everybody may read, for what is done outside of a worker.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use obit_corefile::elf::BuildId;
use obit_dwarf::locate::{Artifact, ChosenBy, Fetched, FileAccess, LocalFiles, Purpose};
use obit_sandbox::as_user;

/// The user who owns nothing (`/proc/sys/kernel/overflowuid`).
const OVERFLOW_ID: u32 = 65_534;

/// Opens files by the policy of [`LocalFiles`]; of root, only those that everybody may read: the
/// names come from many cores, whose owners are not known any more.
#[derive(Debug)]
pub struct PublicFiles(LocalFiles);

impl PublicFiles {
    /// By the policy of `files`.
    pub fn new(files: LocalFiles) -> Self {
        Self(files)
    }

    fn as_anybody<T>(open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match rustix::process::geteuid().is_root() {
            true => as_user(OVERFLOW_ID, OVERFLOW_ID, open),
            false => open(),
        }
    }
}

impl FileAccess for PublicFiles {
    fn open(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> io::Result<File> {
        Self::as_anybody(|| self.0.open(path, by, purpose))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Self::as_anybody(|| self.0.resolve(path))
    }

    fn download(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched {
        self.0.download(id, artifact)
    }
}
