//! Which files a call may name: those below the directories that the user allowed.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file or a directory that was allowed when it was opened.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) path: PathBuf,
    file: File,
}

impl Held {
    /// Whether the path still leads there, without a link on the way.
    pub(super) fn is_there(&self) -> bool {
        let same = |one: &File, other: &File| {
            let (Ok(one), Ok(other)) = (one.metadata(), other.metadata()) else { return false };
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        let is_plain = self.path.canonicalize().is_ok_and(|found| found == self.path);
        is_plain && held(&self.path).is_ok_and(|now| same(&self.file, &now))
    }
}

/// Opens a path to know which file it is, not to read it.
fn held(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::NOFOLLOW;
    let mode = rustix::fs::Mode::empty();
    Ok(rustix::fs::open(path, flags | rustix::fs::OFlags::CLOEXEC, mode)?.into())
}

/// The directories.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Without links.
    allowed: Vec<PathBuf>,
}

impl Roots {
    /// `directories`, which have to exist.
    ///
    /// # Errors
    /// One that does not.
    pub fn new(directories: &[PathBuf]) -> Result<Self, String> {
        let resolve = |directory: &PathBuf| {
            let found = directory.canonicalize().ok().filter(|found| found.is_dir());
            found.ok_or_else(|| format!("no such directory: {}", directory.display()))
        };
        Ok(Self { allowed: directories.iter().map(resolve).collect::<Result<_, _>>()? })
    }

    /// The first one, from which relative paths begin.
    pub(super) fn first(&self) -> &Path {
        self.allowed.first().map_or(Path::new("/"), PathBuf::as_path)
    }

    fn is_allowed(&self, path: &Path) -> bool {
        self.allowed.iter().any(|root| path.starts_with(root))
    }

    fn refusal(&self, path: &str) -> String {
        let allowed: Vec<_> = self.allowed.iter().map(|root| root.display().to_string()).collect();
        let allowed = allowed.join(", ");
        format!(
            "{path} is not below an allowed directory, or does not exist; allowed: {allowed} \
             (--root DIR)"
        )
    }

    /// `path` without links, if it is allowed. What is elsewhere is not said to exist.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let found = self.first().join(path).canonicalize().ok();
        found.filter(|found| self.is_allowed(found)).ok_or_else(|| self.refusal(path))
    }

    /// What is at `path`, held open, and its path without links. As long as it is held, no other
    /// file has its identity.
    pub(super) fn hold(&self, path: &str) -> Result<Held, String> {
        let resolved = self.resolve(path)?;
        let file = held(&resolved).map_err(|error| format!("{path}: {error}"))?;
        // A directory on the way may have been replaced since.
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        match opened {
            Ok(opened) if self.is_allowed(&opened) => Ok(Held { path: resolved, file }),
            _ => Err(self.refusal(path)),
        }
    }

    /// The regular file at `path`, and its path without links.
    pub(crate) fn open(&self, path: &str) -> Result<(PathBuf, File), String> {
        let resolved = self.resolve(path)?;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&resolved);
        let file = file.map_err(|error| format!("{path}: {error}"))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(format!("{path} is not a regular file; `triage` reads directories"));
        }
        // A directory on the way may have been replaced since.
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        match opened {
            Ok(opened) if !self.is_allowed(&opened) => Err(self.refusal(path)),
            _ => Ok((resolved, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_is_really_below_a_root_is_opened() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        let inside = tempfile::tempdir().unwrap();
        std::fs::write(inside.path().join("core"), "x").unwrap();
        symlink(outside.path().join("secret"), inside.path().join("link")).unwrap();
        symlink(outside.path(), inside.path().join("directory")).unwrap();
        symlink("core", inside.path().join("good")).unwrap();
        let roots = Roots::new(&[inside.path().to_owned()]).unwrap();
        assert!(roots.open("core").is_ok());
        assert!(roots.open("good").is_ok());
        assert!(roots.open(inside.path().join("core").to_str().unwrap()).is_ok());
        let secret = outside.path().join("secret").display().to_string();
        for path in ["link", "directory/secret", "../../etc/passwd", "/etc/passwd", "", &secret] {
            let refused = roots.open(path).unwrap_err();
            assert!(refused.contains("allowed") || refused.contains("regular"), "{refused}");
        }
        // What is not there and what is not allowed are refused in the same words.
        let words = |path: &str| roots.open(path).unwrap_err().replace(path, "");
        assert_eq!(words("/etc/passwd"), words("/no/such/file"));
        assert!(Roots::new(&["/no/such".into()]).is_err());
    }

    #[test]
    fn what_is_held_is_there_until_something_else_is_at_its_path() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let root = inside.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("cores")).unwrap();
        std::fs::write(root.join("store"), "x").unwrap();
        let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
        let (directory, store) = (roots.hold("cores").unwrap(), roots.hold("store").unwrap());
        assert!(directory.is_there() && store.is_there());
        std::fs::rename(root.join("cores"), root.join("moved")).unwrap();
        symlink(outside.path(), root.join("cores")).unwrap();
        std::fs::rename(root.join("store"), root.join("old")).unwrap();
        std::fs::write(root.join("store"), "y").unwrap();
        assert!(!directory.is_there() && !store.is_there());
        assert!(roots.hold("cores").is_err());
    }

    #[test]
    fn a_pipe_is_refused_and_does_not_block() {
        let inside = tempfile::tempdir().unwrap();
        let pipe = inside.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let roots = Roots::new(&[inside.path().to_owned()]).unwrap();
        assert!(roots.open("pipe").unwrap_err().contains("regular"));
    }
}
