//! The directory in which captured crashes are kept.
//!
//! A crash is up to three files of one name: `ID.core.zst`, `ID.json`, `ID.report.json`. A file
//! has a name only when it is complete. All names are looked up in the open directory, never by
//! a path, and never through a link.

mod draft;
mod entries;
mod rates;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, openat};

pub use draft::{Draft, Owner};
pub use entries::{Entry, Part};
pub use rates::{Admission, RateKeys, Rates};

/// Everyone may list the spool; what is in its files is their owner's.
const DIRECTORY_MODE: u32 = 0o755;
/// The file that is locked while the spool is changed.
const LOCK: &str = ".lock";
/// How long that may take. Who holds it lists a directory and removes files.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Reports that are made at once. Each may take a processor and some hundred megabytes.
const REPORTS_AT_ONCE: usize = 4;

/// How much the spool may take of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes on disk.
    pub bytes: u64,
    /// Percent of the file system.
    pub percent: u8,
    /// Percent of the file system that must stay free for others, but no more than 4 GiB.
    pub free_percent: u8,
    /// Crashes.
    pub crashes: usize,
}

/// The room for one more core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLeft {
    /// Bytes of the quota that other crashes do not take.
    pub left: u64,
    /// Bytes of the file system that are free for it now.
    pub free: u64,
}

impl RoomLeft {
    /// Bytes that a core may have which has `written` bytes by now.
    pub fn for_core(&self, written: u64) -> u64 {
        self.left.min(written.saturating_add(self.free))
    }
}

/// Why the spool cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// It is not there and cannot be made, or cannot be opened.
    #[error("cannot use the spool {path}: {source}{}", hint(source))]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could plant or remove files there.
    #[error("the spool {path} is not safe: {why}; make it {}", "root's, mode 0755")]
    NotSafe {
        /// The directory.
        path: PathBuf,
        /// Who else may change it.
        why: String,
    },
    /// A file in it cannot be written.
    #[error("cannot write to the spool {path}: {source}{}", hint(source))]
    Write {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds the lock and does not release it.
    #[error("the spool {0} is locked by another process")]
    Locked(PathBuf),
}

/// What to do about an error of the system.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => {
            "; set `spool` in /etc/obit/capture.toml to a directory that can be written"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space there, or set `spool` in /etc/obit/capture.toml"
        }
        io::ErrorKind::PermissionDenied => "; it belongs to another user (run as root?)",
        _ => "",
    }
}

/// An open spool.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    directory: File,
}

impl Spool {
    /// Opens the spool at `path`, and makes it if it is missing.
    ///
    /// # Errors
    /// If it cannot be made, or others may write to it.
    pub fn create(path: &Path) -> Result<Self, SpoolError> {
        let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
        made.map_err(|source| SpoolError::Open { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// Opens the spool at `path`.
    ///
    /// # Errors
    /// If it is not there, is a link, or others may write to it.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        let opened = |error: rustix::io::Errno| SpoolError::Open {
            path: path.to_owned(),
            source: error.into(),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(opened)?;
        let stat = fstat(&directory).map_err(opened)?;
        let not_safe = |why: String| SpoolError::NotSafe { path: path.to_owned(), why };
        // Root reads the spool of anyone, but writes only to its own.
        if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(not_safe(format!("it belongs to user {}", stat.st_uid)));
        }
        if stat.st_mode & 0o022 != 0 {
            return Err(not_safe("others may write to it".to_owned()));
        }
        Ok(Self { path: path.to_owned(), directory: directory.into() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new file without a name.
    ///
    /// # Errors
    /// Those of open(2): a full or read-only disk, missing rights.
    pub fn draft(&self) -> Result<Draft, SpoolError> {
        let nameless = Draft::nameless(&self.directory);
        if let Some(draft) = nameless.map_err(|source| self.not_written(source))? {
            return Ok(draft);
        }
        let lock = self.lock()?;
        let named = Draft::with_name(&self.directory);
        drop(lock);
        named.map_err(|source| self.not_written(source))
    }

    /// One of few places in which reports are made at once. It is free again when the file is
    /// closed. `None` if none becomes free within `patience`.
    ///
    /// # Errors
    /// Those of open(2) and flock(2).
    pub fn report_slot(&self, patience: Duration) -> Result<Option<File>, SpoolError> {
        let until = Instant::now() + patience;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            for number in 0..REPORTS_AT_ONCE {
                let name = format!(".report-{number}");
                let file = openat(&self.directory, name, flags, Mode::from_raw_mode(0o600));
                let file = file.map_err(|error| self.not_written(error.into()))?;
                match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => return Ok(Some(file.into())),
                    Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(self.not_written(error.into())),
                }
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Gives a file its name: `ID` and what kind of file it is. It belongs to `owner`, if that
    /// is not the user of this process.
    ///
    /// # Errors
    /// Those of fchown(2) and linkat(2): a file of that name exists, the disk is full.
    pub fn publish(
        &self,
        draft: Draft,
        id: &str,
        part: Part,
        owner: Option<Owner>,
    ) -> Result<File, SpoolError> {
        let name = part.name_of(id);
        draft.publish(&self.directory, &name, owner).map_err(|source| self.not_written(source))
    }

    /// An id that no crash in the spool has: `comm-time-pid`, perhaps with a number behind.
    ///
    /// # Errors
    /// If there are a hundred crashes of one process number in one second.
    pub fn new_id(&self, comm: &str, time: i64, process: i32) -> Result<String, SpoolError> {
        let base = format!("{}-{time}-{process}", entries::safe_name(comm));
        let others = (2..100).map(|number| format!("{base}-{number}"));
        let mut ids = std::iter::once(base.clone()).chain(others);
        let is_free = |id: &String| !Part::ALL.iter().any(|part| self.has(&part.name_of(id)));
        ids.find(is_free).ok_or_else(|| self.not_written(io::ErrorKind::AlreadyExists.into()))
    }

    fn has(&self, name: &str) -> bool {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::statat(&self.directory, name, flags).is_ok()
    }

    /// The crashes in it, oldest first, by the time of the last change, which owners of files
    /// cannot set back.
    ///
    /// # Errors
    /// Those of readdir(3).
    pub fn entries(&self) -> Result<Vec<Entry>, SpoolError> {
        entries::list(&self.directory).map_err(|source| self.not_read(source))
    }

    /// Removes the oldest crashes until `quota` holds with another one of `incoming` bytes, which
    /// a draft already takes of the disk; the room for that core. Crashes that cannot be removed
    /// stay, and take of that room.
    ///
    /// # Errors
    /// If the spool is locked, or cannot be read.
    pub fn make_room(&self, quota: &Quota, incoming: u64) -> Result<RoomLeft, SpoolError> {
        let lock = self.lock()?;
        let room = entries::make_room(&self.directory, quota, incoming);
        drop(lock);
        room.map_err(|source| self.not_written(source))
    }

    /// The room that a core would have with no other crash in the spool: for a capture that
    /// cannot wait for the lock. Nothing is removed.
    ///
    /// # Errors
    /// Those of fstatvfs(3).
    pub fn room_of_empty(&self, quota: &Quota) -> Result<RoomLeft, SpoolError> {
        entries::room_of_empty(&self.directory, quota).map_err(|source| self.not_read(source))
    }

    /// Counts a crash under `keys`; whether it is one too many.
    ///
    /// # Errors
    /// If the spool is locked, or cannot be written.
    pub fn admit(&self, rates: &Rates, keys: &RateKeys, now: i64) -> Result<Admission, SpoolError> {
        let lock = self.lock()?;
        let admission = rates::admit(&self.directory, rates, keys, now);
        drop(lock);
        admission.map_err(|source| self.not_written(source))
    }

    /// Counts a line for the journal; how many there were of its kind in the last `seconds`.
    ///
    /// # Errors
    /// If the spool is locked, or cannot be written.
    pub fn count_line(&self, kind: &str, seconds: u32, now: i64) -> Result<u32, SpoolError> {
        let lock = self.lock()?;
        let count = rates::count_line(&self.directory, kind, seconds, now);
        drop(lock);
        count.map_err(|source| self.not_written(source))
    }

    /// How many crashes were not stored because there were too many, since the spool was made.
    pub fn refused(&self) -> u64 {
        rates::refused(&self.directory)
    }

    /// The file of a crash, if it is there.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn read(&self, id: &str, part: Part) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&self.directory, part.name_of(id), flags, Mode::empty())?.into())
    }

    /// The file system's size and what is free of it, in bytes.
    ///
    /// # Errors
    /// Those of fstatvfs(3).
    pub fn file_system(&self) -> io::Result<(u64, u64)> {
        entries::file_system(&self.directory)
    }

    fn lock(&self) -> Result<File, SpoolError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.directory, LOCK, flags, Mode::from_raw_mode(0o600));
        let file = file.map_err(|error| self.not_written(error.into()))?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file.into()),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(SpoolError::Locked(self.path.clone()));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(self.not_written(error.into())),
            }
        }
    }

    fn not_written(&self, source: io::Error) -> SpoolError {
        SpoolError::Write { path: self.path.clone(), source }
    }

    fn not_read(&self, source: io::Error) -> SpoolError {
        SpoolError::Open { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests;
