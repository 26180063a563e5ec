//! The files that came with a core in one archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::MemfdFlags;

/// The files that came with a core. None of them has a name in the file system: their paths begin
/// with that of the archive, below which no file can be.
#[derive(Debug, Default)]
pub struct Companions {
    files: BTreeMap<PathBuf, Companion>,
    /// The archive: who owns it owns them.
    pub archive: Option<File>,
}

/// A file that came with a core.
#[derive(Debug)]
pub enum Companion {
    /// Open, and not changed any more.
    File(File),
    /// In memory, with the time of its last change where that is known.
    Text(Vec<u8>, Option<std::time::SystemTime>),
    /// Another process has it.
    Elsewhere,
}

impl Companions {
    /// The files that another process has.
    pub fn named(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let files = paths.into_iter().map(|path| (path, Companion::Elsewhere)).collect();
        Self { files, archive: None }
    }

    /// None yet, of this archive.
    pub fn of_archive(archive: File) -> Self {
        Self { files: BTreeMap::new(), archive: Some(archive) }
    }

    /// Adds a file; the first of a path stays.
    pub fn add(&mut self, path: PathBuf, file: Companion) {
        self.files.entry(path).or_insert(file);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Their paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// A text of at most `longest` bytes, if it is one and here.
    pub fn text(&self, path: &Path, longest: usize) -> Option<&str> {
        match self.files.get(path)? {
            Companion::Text(text, _) if text.len() <= longest => std::str::from_utf8(text).ok(),
            Companion::Text(..) | Companion::File(_) | Companion::Elsewhere => None,
        }
    }

    /// The file at `path`, if it is one of these and here.
    pub fn open(&self, path: &Path) -> Option<io::Result<File>> {
        match self.files.get(path)? {
            Companion::File(file) => Some(file.try_clone()),
            Companion::Text(text, changed) => Some(in_memory(text, *changed)),
            Companion::Elsewhere => None,
        }
    }
}

fn in_memory(text: &[u8], changed: Option<std::time::SystemTime>) -> io::Result<File> {
    let file = File::from(rustix::fs::memfd_create("obit-text", MemfdFlags::CLOEXEC)?);
    file.write_all_at(text, 0)?;
    if let Some(changed) = changed {
        file.set_modified(changed)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_file_that_came_with_a_core_is_opened_by_its_path_in_the_archive_alone() {
        let mut companions = Companions::default();
        companions.add("/a.tar/src/x.c".into(), Companion::Text(b"int x;".to_vec(), None));
        companions.add("/a.tar/src/x.c".into(), Companion::Text(b"second".to_vec(), None));
        let mut text = String::new();
        let file = companions.open(Path::new("/a.tar/src/x.c")).unwrap();
        file.unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "int x;");
        assert!(companions.open(Path::new("/src/x.c")).is_none());
        let named = Companions::named([PathBuf::from("/a.tar/src/x.c")]);
        assert!(named.open(Path::new("/a.tar/src/x.c")).is_none());
        assert_eq!(named.paths().count(), 1);
    }
}
