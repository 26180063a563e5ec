//! The directory that cores and reports are written to.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};

/// Of memory file systems, statfs(2).
const TMPFS_MAGIC: u64 = 0x0102_1994;
/// Crashes of one program with one pid: a pid namespace soon has the same numbers again.
const MOST_OF_A_NAME: usize = 1000;

/// A directory that is made when something is written to it, and holds files for the user
/// alone.
#[derive(Debug)]
pub struct CrashDirectory {
    path: PathBuf,
    chosen: Chosen,
    /// Open once something was written, so that it stays the same directory.
    open: OnceLock<OwnedFd>,
    /// Bytes that all cores may have, by what was free at first.
    budget: OnceLock<u64>,
    /// Bytes that they have.
    used: AtomicU64,
}

/// Who chose the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The user, who may have it lead through links.
    ByUser,
    /// No one: it is a name in a directory that others may write to.
    ByDefault,
}

/// Why nothing can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It could not be made or opened.
    #[error("cannot use the directory {}: {error}", .path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// It is not obit's to fill.
    #[error("{} belongs to another user; choose a directory with -o", .path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// A file in it could not be made.
    #[error("cannot create {}: {error}", .path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
}

impl CrashDirectory {
    /// Nothing is made yet.
    pub fn new(path: PathBuf, chosen: Chosen) -> Self {
        let (open, budget) = (OnceLock::new(), OnceLock::new());
        Self { path, chosen, open, budget, used: AtomicU64::new(0) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an empty file called `name.extension`, or `name.N.extension` if that exists.
    /// Nothing that exists is opened, so no link is followed.
    ///
    /// # Errors
    /// If the directory or the file cannot be made.
    pub fn create(&self, name: &str, extension: &str) -> Result<(File, PathBuf), DirectoryError> {
        let mut file = format!("{name}.{extension}");
        let path = self.path.clone();
        let directory = self.opened()?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut tries = 1;
        loop {
            let made = rustix::fs::openat(directory, &file, flags, Mode::RUSR | Mode::WUSR);
            match made {
                Ok(made) => return Ok((made.into(), path.join(file))),
                Err(rustix::io::Errno::EXIST) if tries < MOST_OF_A_NAME => {
                    tries += 1;
                    file = format!("{name}.{tries}.{extension}");
                }
                Err(error) => {
                    let path = path.join(file);
                    return Err(DirectoryError::Create { path, error: error.into() });
                }
            }
        }
    }

    /// Bytes that one more file may have. All together may have half of what was free at first,
    /// or a quarter in a file system in memory, which is not there for anybody else either; and
    /// one no more than that part of what is free now.
    ///
    /// # Errors
    /// If the directory cannot be made, or not be asked.
    pub fn room(&self) -> Result<u64, DirectoryError> {
        let path = self.path.clone();
        let failed = |error: rustix::io::Errno| DirectoryError::Open { path, error: error.into() };
        let directory = self.opened()?;
        let measured = rustix::fs::fstatvfs(directory)
            .and_then(|stat| Ok((stat, rustix::fs::fstatfs(directory)?)));
        let (stat, kind) = measured.map_err(failed)?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let is_memory = u64::try_from(kind.f_type).is_ok_and(|kind| kind == TMPFS_MAGIC);
        let part = if is_memory { free / 4 } else { free / 2 };
        let budget = *self.budget.get_or_init(|| part);
        Ok(budget.saturating_sub(self.used.load(Ordering::Relaxed)).min(part))
    }

    /// Counts what was written to a file, and stays.
    pub fn add_used(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts what was removed again.
    pub fn subtract_used(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It is never refused.
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Takes a file of this directory away again.
    ///
    /// # Errors
    /// As the kernel has it.
    pub fn remove(&self, file: &Path) -> io::Result<()> {
        let (Some(directory), Some(name)) = (self.open.get(), file.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        Ok(rustix::fs::unlinkat(directory, name, AtFlags::empty())?)
    }

    fn opened(&self) -> Result<&OwnedFd, DirectoryError> {
        if let Some(opened) = self.open.get() {
            return Ok(opened);
        }
        let made = self.make()?;
        // Another thread may have been quicker.
        Ok(self.open.get_or_init(|| made))
    }

    fn make(&self) -> Result<OwnedFd, DirectoryError> {
        let path = || self.path.clone();
        let failed = |error: io::Error| DirectoryError::Open { path: path(), error };
        let made = DirBuilder::new().mode(0o700).recursive(true).create(&self.path);
        made.map_err(failed)?;
        let through_links = match self.chosen {
            Chosen::ByUser => OFlags::empty(),
            Chosen::ByDefault => OFlags::NOFOLLOW,
        };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | through_links;
        let opened = rustix::fs::open(&self.path, flags, Mode::empty());
        let opened = opened.map_err(|error| failed(error.into()))?;
        let owner = rustix::fs::fstat(&opened).map_err(|error| failed(error.into()))?.st_uid;
        if self.chosen == Chosen::ByDefault && owner != rustix::process::geteuid().as_raw() {
            return Err(DirectoryError::Foreign { path: path() });
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_directory_is_made_with_the_first_file_and_both_are_the_users() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("crashes");
        let directory = CrashDirectory::new(path.clone(), Chosen::ByDefault);
        assert!(!path.exists());
        let (_, core) = directory.create("x-1", "core").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&core)), (0o700, 0o600));
        assert!(directory.room().unwrap() > 0);
    }

    #[test]
    fn what_was_written_is_no_room_for_more_until_it_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let directory = CrashDirectory::new(home.path().to_owned(), Chosen::ByUser);
        let all = directory.room().unwrap();
        directory.add_used(all);
        assert_eq!(directory.room().unwrap(), 0);
        directory.subtract_used(all);
        assert!(directory.room().unwrap() > 0);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_and_a_link_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        symlink("/dev/null", home.path().join("x-1.core")).unwrap();
        let directory = CrashDirectory::new(home.path().to_owned(), Chosen::ByUser);
        let (_, second) = directory.create("x-1", "core").unwrap();
        let (_, third) = directory.create("x-1", "core").unwrap();
        assert!(second.ends_with("x-1.2.core") && third.ends_with("x-1.3.core"));
        assert!(home.path().join("x-1.core").is_symlink());
        directory.remove(&second).unwrap();
        assert!(!second.exists() && third.exists());
    }

    #[test]
    fn a_link_in_the_place_of_the_usual_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (other, link) = (home.path().join("other"), home.path().join("obit-crashes"));
        fs::create_dir(&other).unwrap();
        symlink(&other, &link).unwrap();
        let refused = CrashDirectory::new(link.clone(), Chosen::ByDefault).create("x", "core");
        assert!(matches!(refused, Err(DirectoryError::Open { .. })));
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
        assert!(CrashDirectory::new(link, Chosen::ByUser).create("x", "core").is_ok());
    }
}
