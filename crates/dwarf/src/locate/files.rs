//! Opening candidates: what is looked at, how often, and what is refused unopened.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::access::{ChosenBy, FileAccess, Purpose};
use obit_corefile::elf::{ElfImage, ImageBytes};
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::{FileIdentity, MappedFile, identity_of};
use obit_corefile::notice::Notice;

/// `ET_CORE`.
const ET_CORE: u16 = 4;

/// Why a path gave no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoImage {
    /// Nothing is there.
    Absent,
    /// Something is there that will not do.
    Refused(String),
}

/// The ELF files that were opened, each mapped and parsed once however it is reached.
#[derive(Debug)]
pub(super) struct Files {
    access: Arc<dyn FileAccess>,
    limits: Limits,
    opened: Mutex<HashMap<FileIdentity, Result<Arc<ElfImage>, NoImage>>>,
}

impl Files {
    pub(super) fn new(access: Arc<dyn FileAccess>, limits: Limits) -> Self {
        Self { access, limits, opened: Mutex::new(HashMap::new()) }
    }

    /// The ELF image at `path`.
    pub(super) fn open(&self, path: &Path, by: ChosenBy) -> Result<Arc<ElfImage>, NoImage> {
        let file = self.access.open(path, by, Purpose::Image).map_err(|error| no_image(&error))?;
        let identity = identity_of(&file).map_err(|error| no_image(&error))?;
        if let Some(known) = self.lock().get(&identity) {
            return known.clone();
        }
        let opened = self.parse(file, path);
        self.lock().entry(identity).or_insert(opened).clone()
    }

    fn parse(&self, file: File, path: &Path) -> Result<Arc<ElfImage>, NoImage> {
        let file = match self.access.wants_copies() {
            true => MappedFile::copy_of(&file, path, self.limits.section_bytes),
            false => MappedFile::of_file(file, path),
        };
        let file = file.map_err(|error| no_image(&error))?;
        let image = ElfImage::parse(ImageBytes::File(file), &self.limits)
            .map_err(|error| NoImage::Refused(error.to_string()))?;
        if image.header().e_type == ET_CORE {
            return Err(NoImage::Refused("is a core file".to_owned()));
        }
        Ok(Arc::new(image))
    }

    fn lock(&self) -> impl std::ops::DerefMut<Target = Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Opened = HashMap<FileIdentity, Result<Arc<ElfImage>, NoImage>>;

fn no_image(error: &io::Error) -> NoImage {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, Other};
    match error.kind() {
        NotFound | NotADirectory | InvalidFilename => NoImage::Absent,
        InvalidInput | Other => NoImage::Refused(error.to_string()),
        kind => NoImage::Refused(kind.to_string()),
    }
}

/// One search: where it looked so far, and what it met there.
#[derive(Debug)]
pub(super) struct FileSearch<'l> {
    files: &'l Files,
    /// Every path that was tried, in order.
    pub(super) searched: Vec<PathBuf>,
    /// What must be said whatever the outcome.
    pub(super) notices: Vec<Notice>,
    /// What was found and was not the wanted file: to be said if nothing better is.
    pub(super) mismatches: Vec<Notice>,
}

impl<'l> FileSearch<'l> {
    pub(super) fn new(files: &'l Files) -> Self {
        Self { files, searched: Vec::new(), notices: Vec::new(), mismatches: Vec::new() }
    }

    /// The image at `path`, unless this search has looked there before.
    pub(super) fn open(&mut self, path: PathBuf, by: ChosenBy) -> Option<Arc<ElfImage>> {
        if self.searched.contains(&path) {
            return None;
        }
        let opened = self.files.open(&path, by);
        self.searched.push(path.clone());
        match opened {
            Ok(image) => Some(image),
            Err(NoImage::Absent) => None,
            Err(NoImage::Refused(reason)) => {
                self.refuse(path, reason);
                None
            }
        }
    }

    /// The file at `path`, of which nothing is said if it is not what was hoped for.
    pub(super) fn open_quietly(&self, path: &Path, by: ChosenBy) -> Option<Arc<ElfImage>> {
        self.files.open(path, by).ok()
    }

    /// Notes that `path` was not opened.
    pub(super) fn refuse(&mut self, path: PathBuf, reason: impl Into<String>) {
        self.notices.push(Notice::FileRefused { path, reason: reason.into() });
    }

    /// What to report about a search that `found` something or not.
    pub(super) fn into_notices(mut self, found: bool) -> Vec<Notice> {
        if !found {
            self.notices.append(&mut self.mismatches);
        }
        self.notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::access::LocalFiles;
    use crate::locate::rules::SearchRules;
    use obit_corefile::testkit::elf_builder::ElfBuilder;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn files() -> Files {
        let rules = SearchRules::default();
        let limits = Limits::default();
        Files::new(Arc::new(LocalFiles::new(&rules, &limits)), limits)
    }

    fn refused(path: &Path, by: ChosenBy) -> String {
        match files().open(path, by) {
            Err(NoImage::Refused(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_file_by_two_names_is_one_image() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, ElfBuilder::x86_64().build()).unwrap();
        symlink(&a, &b).unwrap();
        let files = files();
        let first = files.open(&a, ChosenBy::Rule).unwrap();
        assert!(Arc::ptr_eq(&first, &files.open(&b, ChosenBy::Rule).unwrap()));
    }

    #[test]
    fn devices_fifos_directories_loops_and_proc_are_refused_with_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let looped = dir.path().join("loop");
        symlink(&looped, &looped).unwrap();
        assert_eq!(refused(Path::new("/dev/zero"), ChosenBy::Input), "is a device");
        assert_eq!(refused(&fifo, ChosenBy::Rule), "is a FIFO");
        assert_eq!(refused(dir.path(), ChosenBy::Rule), "is a directory");
        assert!(refused(&looped, ChosenBy::Rule).contains("loop"));
        assert!(refused(Path::new("/proc/self/maps"), ChosenBy::Rule).contains("too short"));
    }

    #[test]
    fn an_absurdly_large_file_is_not_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        File::create(&path).unwrap().set_len((64 << 30) + 1).unwrap();
        assert_eq!(refused(&path, ChosenBy::Rule), "is larger than 64 GiB");
    }

    #[test]
    fn a_private_file_that_only_the_core_names_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, [b'x'; 100]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refused(&path, ChosenBy::Input), "is private and not executable");
        assert!(refused(&path, ChosenBy::Rule).starts_with("not an ELF file"));
    }

    #[test]
    fn what_is_not_there_is_absent_and_a_core_is_no_image() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("core");
        assert_eq!(files().open(&path, ChosenBy::Rule).unwrap_err(), NoImage::Absent);
        fs::write(&path, ElfBuilder::x86_64().e_type(4).build()).unwrap();
        assert_eq!(refused(&path, ChosenBy::Rule), "is a core file");
    }
}
