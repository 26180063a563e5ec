//! Files that are memory, and an access that hands out no others: nothing an input names is
//! looked up on the machine.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use obit::debuginfo::locate::{Artifact, ChosenBy, Fetched, FileAccess, Purpose};
use obit::elf::BuildId;

/// A file without a name.
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// An empty one.
    ///
    /// # Panics
    /// When the system has no memory for it.
    pub fn new() -> Self {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        Self(File::from(rustix::fs::memfd_create("input", flags).expect("a file in memory")))
    }

    /// Another descriptor of it, when its content is `bytes`.
    ///
    /// # Errors
    /// Those of writing and of `dup`.
    pub fn holding(&self, bytes: &[u8]) -> io::Result<File> {
        self.0.set_len(bytes.len() as u64)?;
        self.0.write_all_at(bytes, 0)?;
        self.0.try_clone()
    }
}

impl Default for MemoryFile {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives the program to who asks for it by whatever path ends in its name, and one source
/// file for all.
#[derive(Debug)]
pub struct Handed {
    /// The program.
    pub program: File,
    /// What every source file contains.
    pub source: File,
}

impl Handed {
    /// The path of the program.
    pub const PROGRAM: &str = "/fuzz/prog";
}

impl FileAccess for Handed {
    fn open(&self, path: &Path, _: ChosenBy, purpose: Purpose) -> io::Result<File> {
        let is_program = path.file_name().is_some_and(|name| name == "prog");
        match purpose {
            Purpose::Image if is_program => self.program.try_clone(),
            Purpose::Source(_) => self.source.try_clone(),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn download(&self, _: &BuildId, _: Artifact<'_>) -> Fetched {
        Fetched::default()
    }

    fn wants_copies(&self) -> bool {
        true
    }
}
