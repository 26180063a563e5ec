//! Files for the user alone: reports and cores hold what a process had in memory, whatever
//! the umask is. `chmod` and a redirection of the shell give them to others.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The mode of a new file.
const FILE: u32 = 0o600;
/// The mode of a new directory.
const DIRECTORY: u32 = 0o700;

/// Opens the file at `path` to be written from its start. One that exists keeps its mode.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)
}

/// Opens a file that does not exist yet, to be written and read back; never through a link that someone left there.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(FILE).open(path)
}

/// Makes the directory at `path`, and those above it that are missing.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY).create(path)
}

/// Gives `draft` the name of `path`. A file of that name is replaced, its mode stays; a link
/// is replaced, too, and what it leads to stays as it is.
pub(crate) fn replace(draft: &Path, path: &Path) -> io::Result<()> {
    if let Some(replaced) = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file) {
        fs::set_permissions(draft, replaced.permissions())?;
    }
    fs::rename(draft, path)
}

/// A file in the making. Gone when dropped before [`Draft::publish`].
pub(crate) struct Draft {
    file: File,
    /// What it is called until it is complete.
    draft: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Begins the file that will be called `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let draft = name_of_draft(path)?;
        Ok(Self { file: create_new(&draft)?, draft, path: path.to_owned() })
    }

    /// The file itself, for what is not written from its start to its end.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name.
    pub(crate) fn publish(self) -> io::Result<()> {
        replace(&self.draft, &self.path)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is there no more if it got its name; there is no one to report a failure to.
        let _ = fs::remove_file(&self.draft);
    }
}

/// What a file in the making is called, beside its name.
pub(crate) fn name_of_draft(path: &Path) -> io::Result<PathBuf> {
    let Some(file) = path.file_name() else {
        return Err(io::Error::other("not the name of a file"));
    };
    let mut draft = std::ffi::OsString::from(".");
    draft.push(file);
    draft.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(draft))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_its_owners_and_one_that_exists_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let made = directory.path().join("a/b");
        create_directory(&made).unwrap();
        let file = made.join("report");
        create(&file).unwrap();
        assert_eq!(
            (mode(&directory.path().join("a")), mode(&made), mode(&file)),
            (0o700, 0o700, 0o600)
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        create(&file).unwrap();
        assert_eq!(mode(&file), 0o644);
        let mut draft = Draft::of(&file).unwrap();
        draft.write_all(b"new").unwrap();
        draft.publish().unwrap();
        assert_eq!((mode(&file), fs::read(&file).unwrap()), (0o644, b"new".to_vec()));
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let (other, link) = (directory.path().join("other"), directory.path().join("index.html"));
        fs::write(&other, "keep").unwrap();
        symlink(&other, &link).unwrap();
        let mut draft = Draft::of(&link).unwrap();
        draft.write_all(b"page").unwrap();
        draft.publish().unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"keep");
        assert_eq!((mode(&link), fs::read(&link).unwrap()), (0o600, b"page".to_vec()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_not_published_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        drop(Draft::of(&directory.path().join("x")).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
