//! Objects in a directory: `DIR/ab/cdef…`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};

use crate::id::digest;
use crate::{Entry, Id, MOST_OF_AN_OBJECT, ObjectError};

/// Before the name of a file that is being written.
const PART: &str = ".part-";
/// A part that was not written to for so long is of a put that was interrupted.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
const MODE_OF_FILES: u32 = 0o600;
const MODE_OF_DIRECTORIES: u32 = 0o700;

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

/// A file that is deleted unless it gets its name.
struct Part {
    path: PathBuf,
    has_name: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.has_name {
            // There is no one left to report a failure to.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn of(path: &Path) -> impl Fn(io::Error) -> ObjectError {
    let path = path.to_owned();
    move |source| ObjectError::File { path: path.clone(), source }
}

/// What lies where an object may.
pub(crate) enum Found {
    Object(Entry),
    /// No file, or no directory where one of objects may be.
    Other(PathBuf),
}

/// Whether opening failed because a link, a pipe, a socket or a device is there.
fn is_no_file(error: &io::Error) -> bool {
    let codes = [rustix::io::Errno::LOOP, rustix::io::Errno::NOTDIR, rustix::io::Errno::NXIO];
    codes.iter().any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

/// The names in a directory, in their order.
fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(path)?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

impl Directory {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn path_of(&self, id: Id) -> PathBuf {
        let (start, rest) = id.parts();
        self.path.join(start).join(rest)
    }

    fn store(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(CWD, &self.path, flags, Mode::empty())?.into())
    }

    /// The directory of the objects whose names begin so. What is behind a link is not of this
    /// store.
    fn shelf(store: &File, start: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(store, start, flags, Mode::empty())?.into())
    }

    /// The file of an object; `None` for what is no file, as a link or a pipe, which is no
    /// object. It is opened once, so that nothing else is read than what was looked at.
    fn open(&self, id: Id) -> io::Result<Option<File>> {
        let (start, rest) = id.parts();
        let store = self.store()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = Self::shelf(&store, &start)
            .and_then(|shelf| Ok(openat(&shelf, &rest, flags | OFlags::CLOEXEC, Mode::empty())?));
        let file: File = match opened {
            Ok(file) => file.into(),
            Err(error) if is_no_file(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(file.metadata()?.is_file().then_some(file))
    }

    /// Whether the object was not there before.
    pub(crate) fn put(&self, id: Id, size: u64, file: &mut File) -> Result<bool, ObjectError> {
        let path = self.path_of(id);
        // One that was damaged since is written again.
        if let Ok(Some(mut known)) = self.open(id)
            && digest(&mut known, size, |_| Ok(())).is_ok_and(|found| found == (id, size))
        {
            return Ok(false);
        }
        let parent = path.parent().unwrap_or(&self.path);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(MODE_OF_DIRECTORIES);
        builder.create(&self.path).map_err(of(&self.path))?;
        let store = self.store().map_err(of(&self.path))?;
        let (start, rest) = id.parts();
        match mkdirat(&store, &start, Mode::from_raw_mode(MODE_OF_DIRECTORIES)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(of(parent)(error.into())),
        }
        let shelf = Self::shelf(&store, &start).map_err(of(parent))?;
        let (mut part, mut into) = self.part()?;
        let failed = of(&part.path);
        let (found, length) =
            digest(file, MOST_OF_AN_OBJECT, |bytes| into.write_all(bytes)).map_err(&failed)?;
        if (found, length) != (id, size) {
            return Err(ObjectError::Changed);
        }
        // Its name says that it is whole, also after a power cut.
        into.sync_all().map_err(&failed)?;
        renameat(CWD, &part.path, &shelf, &rest).map_err(|error| of(&path)(error.into()))?;
        part.has_name = true;
        shelf.sync_all().map_err(of(parent))?;
        Ok(true)
    }

    fn part(&self) -> Result<(Part, File), ObjectError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(MODE_OF_FILES);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = self.path.join(format!("{PART}{}-{number}", std::process::id()));
            match options.open(&path) {
                Ok(file) => return Ok((Part { path, has_name: false }, file)),
                // Of an earlier process with this number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
                Err(error) => return Err(of(&path)(error)),
            }
        }
    }

    pub(crate) fn get(&self, id: Id, into: &mut File) -> Result<u64, ObjectError> {
        let path = self.path_of(id);
        let mut file = match self.open(id) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(ObjectError::Missing(id)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ObjectError::Missing(id));
            }
            Err(error) => return Err(of(&path)(error)),
        };
        if file.metadata().map_err(of(&path))?.len() > MOST_OF_AN_OBJECT {
            return Err(ObjectError::TooLarge);
        }
        let target = |source| ObjectError::Target { source };
        into.seek(SeekFrom::Start(0)).map_err(target)?;
        let mut written = Ok(());
        let read = digest(&mut file, MOST_OF_AN_OBJECT, |bytes| {
            into.write_all(bytes).map_err(|error| {
                written = Err(error);
                io::ErrorKind::Other.into()
            })
        });
        written.map_err(target)?;
        let (found, size) = read.map_err(of(&path))?;
        if found == id { Ok(size) } else { Err(ObjectError::Damaged(id)) }
    }

    pub(crate) fn list(&self, take: &mut dyn FnMut(Found) -> bool) -> Result<(), ObjectError> {
        let store = self.store().map_err(of(&self.path))?;
        for start in names(&self.path).map_err(of(&self.path))? {
            if !Id::is_start(&start) {
                continue;
            }
            let path = self.path.join(&start);
            let shelf = match Self::shelf(&store, &start) {
                Ok(shelf) => shelf,
                Err(error) if is_no_file(&error) => {
                    if !take(Found::Other(path)) {
                        return Ok(());
                    }
                    continue;
                }
                // Someone deleted it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(of(&path)(error)),
            };
            for name in names(&path).map_err(of(&path))? {
                let Some(id) = Id::of_parts(&start, &name) else { continue };
                // By the directory that was opened: another may have its name by now.
                let Ok(known) = statat(&shelf, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
                let is_file = rustix::fs::FileType::from_raw_mode(known.st_mode).is_file();
                let size = u64::try_from(known.st_size).unwrap_or(0);
                let found = match is_file {
                    true => Found::Object(Entry { id, size, stored: Some(known.st_mtime) }),
                    false => Found::Other(path.join(name)),
                };
                if !take(found) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&self, id: Id) -> Result<(), ObjectError> {
        let path = self.path_of(id);
        let (start, rest) = id.parts();
        let removed = self
            .store()
            .and_then(|store| Self::shelf(&store, &start))
            .and_then(|shelf| Ok(unlinkat(&shelf, &rest, AtFlags::empty())?));
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(of(&path)(error)),
            _ => Ok(()),
        }
    }

    pub(crate) fn remove_parts(&self) -> Result<u64, ObjectError> {
        let mut removed = 0_u64;
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.path).map_err(of(&self.path))?.flatten() {
            let is_part = entry.file_name().to_string_lossy().starts_with(PART);
            let age = entry.metadata().and_then(|known| known.modified()).ok();
            let age = age.and_then(|time| now.duration_since(time).ok());
            if is_part && age.is_some_and(|age| age > ABANDONED) {
                fs::remove_file(entry.path()).map_err(of(&entry.path()))?;
                removed = removed.saturating_add(1);
            }
        }
        Ok(removed)
    }
}
