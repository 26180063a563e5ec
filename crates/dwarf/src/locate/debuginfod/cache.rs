//! The directory of downloads, laid out as elfutils' client does and shared with it:
//! `<root>/<build id>/debuginfo`, and an empty file there for what no server has.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::artifact::Artifact;
use obit_corefile::elf::BuildId;
use obit_corefile::mapped_file::open_regular;

/// How long elfutils believes that no server has a file, unless the cache's own
/// `cache_miss_s` says otherwise.
const MISS_SECONDS: u64 = 600;
/// Names tried for a file in the making. Only runs that were killed leave any behind.
const ATTEMPTS: u32 = 64;

/// The cache directory.
#[derive(Debug)]
pub(super) struct Cache {
    root: PathBuf,
}

/// What the cache knows about a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cached {
    /// It is here.
    Here(PathBuf),
    /// No server had it a short while ago.
    AskedInVain,
    /// Nothing.
    Unknown,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn place(&self, id: &BuildId, artifact: Artifact<'_>) -> PathBuf {
        self.root.join(id.to_string()).join(&*artifact.file_name())
    }

    /// Looks for a file, or for the mark that there is none.
    pub(super) fn look(&self, id: &BuildId, artifact: Artifact<'_>) -> Cached {
        let path = self.place(id, artifact);
        let Ok(metadata) = fs::metadata(&path) else { return Cached::Unknown };
        if metadata.len() > 0 {
            return Cached::Here(path);
        }
        let age = metadata.modified().ok().and_then(|at| at.elapsed().ok());
        match age {
            Some(age) if age <= self.miss_age() => Cached::AskedInVain,
            _ => Cached::Unknown,
        }
    }

    fn miss_age(&self) -> Duration {
        let mut text = String::new();
        let file = open_regular(&self.root.join("cache_miss_s"));
        let read = file.and_then(|file| file.take(32).read_to_string(&mut text));
        let seconds = read.ok().and_then(|_| text.trim().parse().ok());
        Duration::from_secs(seconds.unwrap_or(MISS_SECONDS))
    }

    /// Marks that no server has the file. Mode 0 as elfutils up to 0.186 wants it; later
    /// ones take such a file for old and ask again.
    pub(super) fn note_miss(&self, id: &BuildId, artifact: Artifact<'_>) {
        let path = self.place(id, artifact);
        // An outdated mark must go: its time is what counts. Where the mark cannot be
        // made, servers are merely asked again in the next run.
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0) {
            fs::remove_file(&path).ok();
        }
        OpenOptions::new().write(true).create_new(true).mode(0o000).open(&path).ok();
    }

    /// Begins a file that will be complete or absent.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be made.
    pub(super) fn begin(&self, id: &BuildId, artifact: Artifact<'_>) -> io::Result<Download> {
        let target = self.place(id, artifact);
        let directory = self.root.join(id.to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for attempt in 0..ATTEMPTS {
            let name = format!("{}.{}-{attempt}", artifact.file_name(), std::process::id());
            let path = directory.join(name);
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok(Download { file, path, target, is_kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

/// A file in the making. Gone when dropped before [`Download::keep`].
#[derive(Debug)]
pub(super) struct Download {
    file: File,
    path: PathBuf,
    target: PathBuf,
    is_kept: bool,
}

impl Download {
    /// Where the bytes are written meanwhile.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name in the cache, and says which.
    ///
    /// # Errors
    /// Those of `rename`.
    pub(super) fn keep(mut self) -> io::Result<PathBuf> {
        fs::rename(&self.path, &self.target)?;
        self.is_kept = true;
        Ok(self.target.clone())
    }
}

impl Write for Download {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if !self.is_kept {
            // An error cannot be reported from here; a leftover costs disk space only.
            fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> BuildId {
        BuildId::new(&[0xab; 20]).unwrap()
    }

    #[test]
    fn a_kept_download_has_elfutils_name_and_a_dropped_one_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("new"));
        assert_eq!(cache.look(&id(), Artifact::DebugInfo), Cached::Unknown);
        drop(cache.begin(&id(), Artifact::DebugInfo).unwrap());
        let directory = dir.path().join("new").join("ab".repeat(20));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        let mut download = cache.begin(&id(), Artifact::DebugInfo).unwrap();
        download.write_all(b"x").unwrap();
        assert_eq!(download.keep().unwrap(), directory.join("debuginfo"));
        let here = Cached::Here(directory.join("debuginfo"));
        assert_eq!(cache.look(&id(), Artifact::DebugInfo), here);
        assert_eq!(cache.look(&id(), Artifact::Executable), Cached::Unknown);
    }

    #[test]
    fn a_miss_is_believed_for_ten_minutes_or_as_the_cache_says() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned());
        drop(cache.begin(&id(), Artifact::DebugInfo).unwrap());
        cache.note_miss(&id(), Artifact::DebugInfo);
        assert_eq!(cache.look(&id(), Artifact::DebugInfo), Cached::AskedInVain);
        let mark = File::create(dir.path().join("mark")).unwrap();
        let past = std::time::SystemTime::now() - Duration::from_secs(601);
        mark.set_modified(past).unwrap();
        fs::rename(dir.path().join("mark"), cache.place(&id(), Artifact::DebugInfo)).unwrap();
        assert_eq!(cache.look(&id(), Artifact::DebugInfo), Cached::Unknown);
        fs::write(dir.path().join("cache_miss_s"), "700\n").unwrap();
        assert_eq!(cache.look(&id(), Artifact::DebugInfo), Cached::AskedInVain);
    }
}
