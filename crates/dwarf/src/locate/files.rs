//! Opening candidates: what is looked at, how often, and what is refused unopened.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use obit_corefile::elf::{ElfImage, ImageBytes};
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::{FileIdentity, MappedFile};
use obit_corefile::notice::Notice;

/// The largest file that is mapped. The largest honest debug files seen are 20 GiB.
const LARGEST_FILE: u64 = 64 << 30;
/// An ELF header of the smaller class. Less is not a file to open; the files of `/proc`
/// say 0, and opening some of them has effects.
const SMALLEST_FILE: u64 = 52;
/// `ET_CORE`.
const ET_CORE: u16 = 4;

/// Who chose a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChosenBy {
    /// The user, or a search rule below a directory of theirs.
    Rule,
    /// The core file or a file it led to.
    Input,
}

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
    limits: Limits,
    opened: Mutex<HashMap<FileIdentity, Result<Arc<ElfImage>, NoImage>>>,
}

impl Files {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, opened: Mutex::new(HashMap::new()) }
    }

    /// The ELF image at `path`.
    pub(super) fn open(&self, path: &Path, by: ChosenBy) -> Result<Arc<ElfImage>, NoImage> {
        let metadata = std::fs::metadata(path).map_err(|error| no_image(&error))?;
        if let Some(reason) = refusal(path, &metadata, by) {
            return Err(NoImage::Refused(reason.to_owned()));
        }
        let identity = FileIdentity::from(&metadata);
        if let Some(known) = self.lock().get(&identity) {
            return known.clone();
        }
        let opened = self.parse(path);
        self.lock().entry(identity).or_insert(opened).clone()
    }

    fn parse(&self, path: &Path) -> Result<Arc<ElfImage>, NoImage> {
        let file = MappedFile::open(path).map_err(|error| no_image(&error))?;
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

/// Why the file must not even be opened.
fn refusal(path: &Path, metadata: &Metadata, by: ChosenBy) -> Option<&'static str> {
    if !metadata.is_file() {
        return None; // `MappedFile::open` finds it out again, unopened, and says what it is
    }
    if metadata.len() < SMALLEST_FILE {
        return Some("is too short to be an ELF file");
    }
    if metadata.len() > LARGEST_FILE {
        return Some("is larger than 64 GiB");
    }
    // A core that names /etc/shadow has no business there. The kernel runs executable
    // files only; shared objects may be mapped without that bit but are called so.
    let is_public = metadata.mode() & 0o115 != 0;
    let is_shared_object = || path.to_string_lossy().contains(".so");
    if by == ChosenBy::Input && !is_public && !is_shared_object() {
        return Some("is private and not executable");
    }
    None
}

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
    use obit_corefile::testkit::elf_builder::ElfBuilder;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn files() -> Files {
        Files::new(Limits::default())
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
        fs::File::create(&path).unwrap().set_len(LARGEST_FILE + 1).unwrap();
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
