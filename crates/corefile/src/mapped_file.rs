//! A file of the analyst's machine, mapped read-only.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// The bytes of a binary or debug file. Core files are *not* mapped: one that another
/// process cuts short while it is read would kill us by SIGBUS (see `memory`).
#[derive(Debug)]
pub struct MappedFile {
    path: PathBuf,
    map: memmap2::Mmap,
    identity: FileIdentity,
}

/// What distinguishes one state of a file from another, for caches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device and inode number.
    pub inode: (u64, u64),
    /// Length in bytes.
    pub len: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl MappedFile {
    /// Maps `path` if it is a regular file.
    ///
    /// # Errors
    /// Whatever [`open_regular`] or `mmap` refuses.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let identity = identity_of(&file)?;
        // SAFETY: the map is private and read-only. Should another process cut the file
        // short, a read past its end raises SIGBUS and ends us; it cannot make us read
        // other memory. Binaries and debug files are replaced by rename in practice, and
        // every path that leads here was chosen by the user or by a search rule.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Self { path: path.to_owned(), map, identity })
    }

    /// Where the file was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which state of which file this is.
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }
}

impl Deref for MappedFile {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.map
    }
}

/// Opens `path` for reading only if it is a regular file, without ever *opening* a FIFO
/// or a device, which could hang or act: `O_PATH` first, then a second open of that
/// very inode.
///
/// # Errors
/// Those of `open`; `InvalidInput` when the path names something else than a file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let handle = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let stat = rustix::fs::fstat(&handle)?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    if kind != rustix::fs::FileType::RegularFile {
        let what = match kind {
            rustix::fs::FileType::Directory => "is a directory",
            rustix::fs::FileType::Fifo => "is a FIFO",
            rustix::fs::FileType::Socket => "is a socket",
            rustix::fs::FileType::CharacterDevice | rustix::fs::FileType::BlockDevice => {
                "is a device"
            }
            _ => "is not a regular file",
        };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let reopened = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        Mode::empty(),
    )?;
    let again = rustix::fs::fstat(&reopened)?;
    if (again.st_dev, again.st_ino) != (stat.st_dev, stat.st_ino) {
        return Err(io::Error::other("was replaced while it was opened"));
    }
    Ok(File::from(reopened))
}

/// The identity of an open file.
///
/// # Errors
/// Those of `fstat`.
pub fn identity_of(file: &File) -> io::Result<FileIdentity> {
    file.metadata().map(|metadata| FileIdentity::from(&metadata))
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified_ns: i128::from(metadata.mtime())
                .saturating_mul(1_000_000_000)
                .saturating_add(i128::from(metadata.mtime_nsec())),
        }
    }
}
