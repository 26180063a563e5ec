//! A file of the analyst's machine, mapped read-only.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Stat};

/// The bytes of a binary or debug file. Core files are *not* mapped: one that another
/// process cuts short while it is read would kill us by SIGBUS (see `memory`).
#[derive(Debug)]
pub struct MappedFile {
    path: PathBuf,
    bytes: Bytes,
    identity: FileIdentity,
    has_name: bool,
}

#[derive(Debug)]
enum Bytes {
    Map(memmap2::Mmap),
    Copy(Vec<u8>),
}

/// What distinguishes one state of a file from another, for caches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device and inode number.
    pub inode: (u64, u64),
    /// Length in bytes.
    pub len: u64,
    /// Last change of the content, in nanoseconds since 1970. Anybody who may write can set it.
    pub modified_ns: i128,
    /// Last change of the content or of what is known of it, in nanoseconds since 1970.
    pub changed_ns: i128,
}

impl MappedFile {
    /// Maps `path` if it is a regular file.
    ///
    /// # Errors
    /// Whatever [`open_regular`] or `mmap` refuses.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of_file(open_regular(path)?, path)
    }

    /// Maps an open `file` that was found at `path`.
    ///
    /// # Errors
    /// Those of `fstat` and `mmap`.
    pub fn of_file(file: File, path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::fstat(&file)?;
        let (identity, has_name) = (FileIdentity::from(&stat), stat.st_nlink > 0);
        let length = usize::try_from(identity.len).unwrap_or(usize::MAX);
        // SAFETY: the map is private and read-only. Should another process cut the file
        // short, a read past its end raises SIGBUS and ends us; it cannot make us read
        // other memory. A confined worker that ends so is replaced by one that copies.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::MmapOptions::new().len(length).map(&file)? };
        Ok(Self { path: path.to_owned(), bytes: Bytes::Map(map), identity, has_name })
    }

    /// Reads an open `file` that was found at `path` into memory, at most `most` bytes: for one
    /// that others change while it is read.
    ///
    /// # Errors
    /// Those of `fstat` and `pread`; `FileTooLarge` for one of more than `most` bytes.
    pub fn copy_of(file: &File, path: &Path, most: u64) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        let (identity, has_name) = (FileIdentity::from(&stat), stat.st_nlink > 0);
        if identity.len > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let bytes = read_at(file, 0, identity.len)?;
        Ok(Self { path: path.to_owned(), bytes: Bytes::Copy(bytes), identity, has_name })
    }

    /// Where the file was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another run can find the same file: one without a name (of an archive) is gone
    /// when it is closed, and the next may have its inode number.
    pub fn has_name(&self) -> bool {
        self.has_name
    }

    /// Which state of which file this is.
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }
}

impl Deref for MappedFile {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Map(map) => map,
            Bytes::Copy(bytes) => bytes,
        }
    }
}

/// At most `most` bytes of an open `file` from offset `at`: fewer where it ends before.
///
/// # Errors
/// Those of `pread`; `OutOfMemory` where there is no room for so many bytes.
pub fn read_at(file: &File, at: u64, most: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(most).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
    while bytes.len() < length {
        let from = at.saturating_add(bytes.len() as u64);
        // Into memory that was not cleared before: a source file may have megabytes.
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), from) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // There may have been room for more.
    bytes.truncate(length);
    Ok(bytes)
}

/// Opens `path` for reading only if it is a regular file, without ever *opening* a FIFO
/// or a device, which could hang or act: `O_PATH` first, then a second open of that
/// very inode.
///
/// # Errors
/// Those of `open`; `InvalidInput` when the path names something else than a file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_regular_if(path, |_| Ok(()))
}

/// The same if `may_be_read` agrees, before the file is opened.
///
/// # Errors
/// Those of [`open_regular`]; `InvalidInput` with the reason that `may_be_read` gives.
pub fn open_regular_if(
    path: &Path,
    may_be_read: impl FnOnce(&Stat) -> Result<(), &'static str>,
) -> io::Result<File> {
    open_checked(rustix::fs::CWD, path, OFlags::empty(), may_be_read)
}

/// The same of a `name` in `directory`, which is no link.
///
/// # Errors
/// Those of [`open_regular_if`]; a link is not a regular file.
pub fn open_regular_in(
    directory: BorrowedFd<'_>,
    name: &str,
    may_be_read: impl FnOnce(&Stat) -> Result<(), &'static str>,
) -> io::Result<File> {
    if name.contains('/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    open_checked(directory, Path::new(name), OFlags::NOFOLLOW, may_be_read)
}

fn open_checked(
    directory: BorrowedFd<'_>,
    path: &Path,
    links: OFlags,
    may_be_read: impl FnOnce(&Stat) -> Result<(), &'static str>,
) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | links;
    let handle = rustix::fs::openat(directory, path, flags, Mode::empty())?;
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
    may_be_read(&stat).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | links;
    let reopened = rustix::fs::openat(directory, path, flags, Mode::empty())?;
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
    Ok(FileIdentity::from(&rustix::fs::fstat(file)?))
}

impl From<&Stat> for FileIdentity {
    fn from(stat: &Stat) -> Self {
        let since_1970 = |seconds: i64, nanoseconds| {
            i128::from(seconds).saturating_mul(1_000_000_000).saturating_add(nanoseconds)
        };
        Self {
            inode: (stat.st_dev, stat.st_ino),
            len: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: since_1970(stat.st_mtime, i128::from(stat.st_mtime_nsec)),
            changed_ns: since_1970(stat.st_ctime, i128::from(stat.st_ctime_nsec)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_written_again_under_its_old_time_is_another_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prog");
        fs::write(&path, b"one build").unwrap();
        let before = MappedFile::open(&path).unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, b"two build").unwrap();
        File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        let after = MappedFile::open(&path).unwrap();
        assert_eq!(before.identity().modified_ns, after.identity().modified_ns);
        assert_ne!(before.identity(), after.identity());
    }

    #[test]
    fn a_file_without_a_name_is_not_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prog");
        fs::write(&path, b"build").unwrap();
        assert!(MappedFile::open(&path).unwrap().has_name());
        let file = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!MappedFile::of_file(file, &path).unwrap().has_name());
    }
}
