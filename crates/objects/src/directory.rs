//! Objects in a directory: `DIR/ab/cdef…`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

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

impl Directory {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn path_of(&self, id: Id) -> PathBuf {
        let (start, rest) = id.parts();
        self.path.join(start).join(rest)
    }

    /// Whether the object was not there before.
    pub(crate) fn put(&self, id: Id, size: u64, file: &mut File) -> Result<bool, ObjectError> {
        let path = self.path_of(id);
        // One that was damaged since is written again.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|known| known.is_file());
        if let Some(mut known) = File::open(&path).ok().filter(|_| is_file)
            && digest(&mut known, size, |_| Ok(())).is_ok_and(|found| found == (id, size))
        {
            return Ok(false);
        }
        let parent = path.parent().unwrap_or(&self.path);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(MODE_OF_DIRECTORIES).create(parent).map_err(of(parent))?;
        let (mut part, mut into) = self.part()?;
        let failed = of(&part.path);
        let (found, length) =
            digest(file, MOST_OF_AN_OBJECT, |bytes| into.write_all(bytes)).map_err(&failed)?;
        if (found, length) != (id, size) {
            return Err(ObjectError::Changed);
        }
        // Its name says that it is whole, also after a power cut.
        into.sync_all().map_err(&failed)?;
        fs::rename(&part.path, &path).map_err(of(&path))?;
        part.has_name = true;
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(of(parent))?;
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
        // What is no file, as a link or a pipe, is no object.
        match fs::symlink_metadata(&path) {
            Ok(known) if known.is_file() && known.len() <= MOST_OF_AN_OBJECT => {}
            Ok(known) if known.is_file() => return Err(ObjectError::TooLarge),
            Ok(_) => return Err(ObjectError::Missing(id)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ObjectError::Missing(id));
            }
            Err(error) => return Err(of(&path)(error)),
        }
        let mut file = File::open(&path).map_err(of(&path))?;
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

    pub(crate) fn list(&self, take: &mut dyn FnMut(Entry) -> bool) -> Result<(), ObjectError> {
        let failed = of(&self.path);
        let starts = fs::read_dir(&self.path).map_err(&failed)?;
        let names = |entries: fs::ReadDir| {
            let mut names: Vec<String> =
                entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
            names.sort_unstable();
            names
        };
        for start in names(starts).into_iter().filter(|name| name.len() == 2) {
            let Ok(rest) = fs::read_dir(self.path.join(&start)) else { continue };
            for name in names(rest) {
                let Some(id) = Id::of_parts(&start, &name) else { continue };
                let Ok(known) = fs::symlink_metadata(self.path_of(id)) else { continue };
                let entry = Entry { id, size: known.len(), stored: Some(known.mtime()) };
                if known.is_file() && !take(entry) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&self, id: Id) -> Result<(), ObjectError> {
        let path = self.path_of(id);
        match fs::remove_file(&path) {
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
