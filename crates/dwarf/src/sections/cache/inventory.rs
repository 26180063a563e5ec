//! What is in the cache on disk, and its removal.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::directory::{SectionDirectory, file_name};
use super::entry::{HEADER, Header, is_of_some_version};
use obit_corefile::mapped_file::open_regular_in;

/// Why a directory is not used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheProblem {
    /// It would be another one in each working directory.
    #[error("{} is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// It is something else: a file, a link.
    #[error("{} is not a directory", .0.display())]
    NoDirectory(PathBuf),
    /// What is in it may have been made by someone else.
    #[error("{} belongs to someone else", .0.display())]
    NotOurs(PathBuf),
    /// The same.
    #[error("others may write to {} (`chmod go-w` makes it private)", .0.display())]
    NotPrivate(PathBuf),
    /// It cannot be made or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// How much of an entry is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its header and length.
    Header,
    /// Its content as well, by the checksum.
    Content,
}

/// What may become of an entry that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It is used.
    Whole,
    /// It is removed and made again: it has the layout of another version of obit.
    OtherVersion,
    /// It is removed and made again: its content is not what its header describes.
    Damaged,
    /// It has no name yet by which it is found, or was left behind by a process that was killed.
    Unfinished,
}

/// An entry of the cache.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    /// Length of the file.
    pub bytes: u64,
    /// When it was last used, to a day.
    pub used: SystemTime,
    /// What may become of it.
    pub state: EntryState,
    /// The first bytes of its content.
    pub(crate) start: Vec<u8>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Bytes of the content that say what it is.
const START: usize = 80;

impl CacheEntry {
    /// The entry in `file`, which may have no name yet.
    ///
    /// # Errors
    /// Those of `fstat` and `pread`.
    pub fn of_file(file: &File, depth: Depth) -> io::Result<Self> {
        Self::read(file, None, depth)
    }

    /// Bytes of its content.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.saturating_sub(HEADER as u64)
    }

    fn read(file: &File, name: Option<&str>, depth: Depth) -> io::Result<Self> {
        // A confined process may ask in this way alone.
        let stat = rustix::fs::fstat(file)?;
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        let mut bytes = [0; HEADER + START];
        let read = file.read_at(&mut bytes, 0)?;
        let bytes = bytes.get(..read).unwrap_or_default();
        let state = match Header::read(bytes) {
            None if is_of_some_version(bytes) => EntryState::OtherVersion,
            None => EntryState::Damaged,
            Some(header) => {
                let is_whole = header.length.checked_add(HEADER as u64) == Some(length)
                    && name.is_none_or(|name| name == file_name(&header.key))
                    && (depth == Depth::Header || header.describes(file)?);
                if is_whole { EntryState::Whole } else { EntryState::Damaged }
            }
        };
        Ok(Self {
            bytes: length,
            used: u64::try_from(stat.st_mtime)
                .ok()
                .and_then(|seconds| {
                    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
                })
                .unwrap_or(SystemTime::UNIX_EPOCH),
            state,
            start: bytes.get(HEADER..).unwrap_or_default().to_vec(),
        })
    }
}

impl SectionDirectory {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn make_ready(&self) -> Result<(), CacheProblem> {
        if !self.path().is_absolute() {
            return Err(CacheProblem::Relative(self.path().to_owned()));
        }
        self.make().map_err(|source| self.failed(source))?;
        self.open().map(drop)
    }

    /// All entries; none if the directory is not there.
    ///
    /// # Errors
    /// Why the directory is not used.
    pub fn entries(&self, depth: Depth) -> Result<Vec<CacheEntry>, CacheProblem> {
        let Some(directory) = self.open()? else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for name in self.names(&directory)? {
            // Others may be removing entries.
            let Ok(file) = open_regular_in(directory.as_fd(), &name, |_| Ok(())) else { continue };
            let Ok(mut entry) = CacheEntry::read(&file, Some(&name), depth) else { continue };
            if !name.ends_with(SECTION) {
                entry.state = EntryState::Unfinished;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Removes all entries, and no other file. What is being written stays whole for its writer.
    ///
    /// # Errors
    /// Why the directory is not used, or an entry stays.
    pub fn clear(&self) -> Result<Cleared, CacheProblem> {
        let mut cleared = Cleared::default();
        let Some(directory) = self.open()? else { return Ok(cleared) };
        for name in self.names(&directory)? {
            let Ok(stat) = rustix::fs::statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                continue;
            }
            match rustix::fs::unlinkat(&directory, &name, AtFlags::empty()) {
                Ok(()) => {
                    cleared.entries = cleared.entries.saturating_add(1);
                    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                    cleared.bytes = cleared.bytes.saturating_add(bytes);
                }
                Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(self.failed(error.into())),
            }
        }
        Ok(cleared)
    }

    /// The directory, if it is there; no link.
    fn open(&self) -> Result<Option<OwnedFd>, CacheProblem> {
        let path = || self.path().to_owned();
        if !self.path().is_absolute() {
            return Err(CacheProblem::Relative(path()));
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let directory = match rustix::fs::open(self.path(), flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return Err(CacheProblem::NoDirectory(path()));
            }
            Err(error) => return Err(self.failed(error.into())),
        };
        let stat = rustix::fs::fstat(&directory).map_err(|error| self.failed(error.into()))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(CacheProblem::NotOurs(path()));
        }
        if stat.st_mode & 0o022 != 0 {
            return Err(CacheProblem::NotPrivate(path()));
        }
        Ok(Some(directory))
    }

    /// The names that entries have.
    fn names(&self, directory: &OwnedFd) -> Result<Vec<String>, CacheProblem> {
        let failed = |error: rustix::io::Errno| self.failed(error.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            names.extend(name.to_str().filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn failed(&self, source: io::Error) -> CacheProblem {
        CacheProblem::Io { path: self.path().to_owned(), source }
    }
}

/// End of the name of an entry.
const SECTION: &str = ".section";

/// Whether the cache gives names like this: 64 hexadecimal digits, and what is behind them; of a
/// temporary file, numbers between dots.
pub(super) fn is_name(name: &str) -> bool {
    let Some((key, rest)) = name.split_at_checked(64) else { return false };
    let is_hex = key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_temporary = |rest: &str| {
        let numbers = rest.strip_suffix(".tmp").and_then(|rest| rest.strip_prefix('.'));
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        numbers.is_some_and(|numbers| numbers.split('.').all(is_number))
    };
    is_hex && (rest == SECTION || is_temporary(rest))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::sections::cache::{SectionCache, SectionKey};
    use obit_corefile::mapped_file::FileIdentity;

    fn key(inode: u64) -> SectionKey {
        let identity = FileIdentity { inode: (1, inode), len: 10, modified_ns: 7, changed_ns: 7 };
        SectionKey::new(&identity, ".debug_info", 64, 5, 3)
    }

    fn states(cache: &SectionDirectory, depth: Depth) -> Vec<EntryState> {
        cache.entries(depth).unwrap().iter().map(|entry| entry.state).collect()
    }

    #[test]
    fn a_cache_lists_its_entries_and_what_is_wrong_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sections");
        let directory = SectionDirectory::new(path.clone(), 1 << 20);
        assert_eq!(states(&directory, Depth::Content), []);
        let cache = SectionCache::new(path.clone(), 1 << 20);
        (1..=4).for_each(|inode| drop(cache.put(&key(inode), b"abc")));
        let file = |inode| path.join(file_name(&key(inode).0));
        let change = |inode, at: usize| {
            let mut bytes = fs::read(file(inode)).unwrap();
            bytes[at] ^= 1;
            fs::write(file(inode), bytes).unwrap();
        };
        assert_eq!(states(&directory, Depth::Content), [EntryState::Whole; 4]);
        change(1, 7);
        change(2, 0);
        change(3, HEADER);
        let count = |state, depth| {
            states(&directory, depth).iter().filter(|found| **found == state).count()
        };
        assert_eq!(count(EntryState::OtherVersion, Depth::Header), 1);
        assert_eq!(count(EntryState::Damaged, Depth::Header), 1);
        assert_eq!(count(EntryState::Damaged, Depth::Content), 2);
        // What is damaged is made again.
        for inode in 1..=2 {
            assert!(cache.get(&key(inode), 3).is_none());
            assert_eq!(cache.put(&key(inode), b"abc").unwrap().bytes(), b"abc");
        }
        assert_eq!(count(EntryState::Whole, Depth::Header), 4);
    }

    #[test]
    fn clearing_removes_entries_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sections");
        let cache = SectionCache::new(path.clone(), 1 << 20);
        cache.put(&key(1), b"abc");
        cache.put(&key(2), b"abc");
        let hex = "0a".repeat(32);
        fs::write(path.join(format!("{hex}.77.tmp")), "abcd").unwrap();
        let others = ["notes", "x.section", "x.tmp", &format!("{hex}.x.tmp"), &format!("{hex}.so")];
        for name in others {
            fs::write(path.join(name), "mine").unwrap();
        }
        let target = dir.path().join("target");
        fs::write(&target, "mine").unwrap();
        let link = path.join(format!("{}.section", "0b".repeat(32)));
        symlink(&target, &link).unwrap();
        fs::create_dir(path.join(format!("{}.section", "0c".repeat(32)))).unwrap();
        let directory = SectionDirectory::new(path.clone(), 1 << 20);
        let cleared = directory.clear().unwrap();
        assert_eq!(cleared, Cleared { entries: 3, bytes: 2 * (HEADER as u64 + 3) + 4 });
        assert_eq!(fs::read_dir(&path).unwrap().count(), others.len() + 2);
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(directory.clear().unwrap(), Cleared::default());
    }

    #[test]
    fn a_directory_that_is_not_private_or_no_directory_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(dir.path(), &link).unwrap();
        for (path, why) in [
            (open, "others may write"),
            (file.clone(), "is not a directory"),
            (link, "is not a directory"),
            (file.join("below"), "ot a directory"),
            (PathBuf::from("here"), "not an absolute path"),
        ] {
            let directory = SectionDirectory::new(path, 1 << 20);
            let problem = directory.make_ready().unwrap_err().to_string();
            assert!(problem.contains(why), "{problem}");
        }
        let new = dir.path().join("a/b");
        SectionDirectory::new(new.clone(), 1 << 20).make_ready().unwrap();
        assert_eq!(fs::metadata(new).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn writers_of_one_entry_at_the_same_time_leave_it_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sections");
        let content = vec![7; 300_000];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let cache = SectionCache::new(path.clone(), 1 << 30);
                    for _ in 0..20 {
                        assert_eq!(cache.put(&key(1), &content).unwrap().bytes(), content);
                    }
                });
            }
        });
        let directory = SectionDirectory::new(path.clone(), 1 << 30);
        assert_eq!(states(&directory, Depth::Content), [EntryState::Whole]);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }
}
