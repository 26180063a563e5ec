//! Which files a call may name: those below the directories that the user allowed.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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
             (obit mcp --root DIR)"
        )
    }

    /// `path` without links, if it is allowed. What is elsewhere is not said to exist.
    pub(super) fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let found = self.first().join(path).canonicalize().ok();
        found.filter(|found| self.is_allowed(found)).ok_or_else(|| self.refusal(path))
    }

    /// The regular file at `path`, and its path without links.
    pub(super) fn open(&self, path: &str) -> Result<(PathBuf, File), String> {
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
    fn a_pipe_is_refused_and_does_not_block() {
        let inside = tempfile::tempdir().unwrap();
        let pipe = inside.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let roots = Roots::new(&[inside.path().to_owned()]).unwrap();
        assert!(roots.open("pipe").unwrap_err().contains("regular"));
    }
}
