//! Who opens files for an analysis, and what may be opened.
//!
//! The names come from hostile files: each is checked here, where the file is opened, and
//! nowhere else. An analysis that is confined has no other way to a file than a
//! [`FileAccess`] that asks a process outside.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use rustix::fs::Stat;

use super::debuginfod::{Artifact, Client, Fetched};
use super::names;
use super::rules::SearchRules;
use super::source_text;
use obit_corefile::elf::BuildId;
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::{open_regular_if, read_at};

/// The largest image that is opened, in bytes. The largest honest debug files seen are 20 GiB.
const LARGEST_IMAGE: u64 = 64 << 30;
/// An ELF header of the smaller class, in bytes. Less is not a file to open; the files of
/// `/proc` say 0, and opening some of them has effects.
const SMALLEST_IMAGE: u64 = 52;

/// Why a private source file is not shown.
pub(super) const PRIVATE_SOURCE: &str = "is a private source file, and the program that names it \
    was not found where the process had it: --source-path DIR shows it";

/// Who chose a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// The user, or a search rule below a directory of theirs.
    Rule,
    /// The core file or a file it led to.
    Input,
}

/// What a file is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A program, library or debug file.
    Image,
    /// A source file whose lines are shown.
    Source(BuiltFrom),
    /// Names of just-in-time compiled code.
    JitNames,
}

/// What ties a build to its source files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuiltFrom {
    /// The MD5 of the content by the line table (DWARF 5, 6.2.4.1, `DW_LNCT_MD5`).
    pub md5: Option<[u8; 16]>,
    /// The program that names the file was found where the process had it: it was built or
    /// installed on this machine.
    pub is_in_place: bool,
}

/// What an analysis asks of the machine it runs on.
pub trait FileAccess: Debug + Send + Sync {
    /// Opens the regular file at `path` to be read.
    ///
    /// # Errors
    /// Those of `open`; [`io::ErrorKind::InvalidInput`] with the reason for a file that must not
    /// be opened.
    fn open(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> io::Result<File>;

    /// Where `path` leads, links followed.
    ///
    /// # Errors
    /// Those of `realpath`.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// Asks debuginfod servers, if the user named any.
    fn download(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched;

    /// Whether a server failed that may have had what this core lacks.
    fn servers_failed(&self) -> bool {
        false
    }

    /// Whether files are to be copied into memory instead of mapped: one that is cut short
    /// while it is mapped ends the process.
    fn wants_copies(&self) -> bool {
        false
    }
}

/// Opens files as this process may, by the rules of the search.
#[derive(Debug)]
pub struct LocalFiles {
    /// Below these the user expects files to be read whatever they are called.
    roots: Vec<PathBuf>,
    /// Below these they expect images.
    image_roots: Vec<PathBuf>,
    client: Option<Client>,
}

impl LocalFiles {
    /// Access by `rules`; `limits` bound downloads.
    pub fn new(rules: &SearchRules, limits: &Limits) -> Self {
        let mut roots: Vec<PathBuf> = rules.sysroot.iter().cloned().collect();
        roots.extend(rules.source_path.iter().cloned());
        roots.extend(rules.substitute_path.iter().map(|(_, to)| to.clone()));
        roots.extend(rules.jit_map.clone());
        roots.extend(rules.debuginfod.as_ref().map(|settings| settings.cache.clone()));
        // With the root as sysroot nothing was chosen.
        roots.retain(|root| root != Path::new("/"));
        let client = rules.debuginfod.clone().map(|settings| Client::new(settings, limits.clone()));
        let mut image_roots = rules.solib_search_path.clone();
        image_roots.extend(rules.debug_directories.iter().cloned());
        image_roots.extend(rules.executable.clone());
        Self { roots, image_roots, client }
    }

    /// Whether the user led to `path`, rather than a name in a file. Who claims so must be right
    /// for files whose text is shown.
    fn is_of_user(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> bool {
        by == ChosenBy::Rule && (purpose == Purpose::Image || self.is_below_root(path, by, purpose))
    }

    /// Whether `path` is below a directory that the user named for this purpose, or what they
    /// named itself.
    pub fn is_below_root(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> bool {
        let images = self.image_roots.iter().filter(|_| purpose == Purpose::Image);
        let mut roots = self.roots.iter().chain(images);
        let climbs = path.components().any(|part| part == std::path::Component::ParentDir);
        by == ChosenBy::Rule && !climbs && roots.any(|root| names::is_below(root, path))
    }
}

impl FileAccess for LocalFiles {
    fn open(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> io::Result<File> {
        let is_of_user = self.is_of_user(path, by, purpose);
        match purpose {
            Purpose::Image => open_image(path, is_of_user),
            Purpose::Source(from) => open_source(path, is_of_user, from),
            Purpose::JitNames => open_jit_names(path, is_of_user),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn download(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched {
        self.client.as_ref().map(|client| client.fetch(id, artifact)).unwrap_or_default()
    }
}

fn open_image(path: &Path, is_of_user: bool) -> io::Result<File> {
    let file = open_regular_if(path, |stat| {
        let length = length_of(stat);
        if length < SMALLEST_IMAGE {
            return Err("is too short to be an ELF file");
        }
        if length > LARGEST_IMAGE {
            return Err("is larger than 64 GiB");
        }
        // A core that names /etc/shadow has no business there. The kernel runs executable
        // files only; shared objects may be mapped without that bit but are called so.
        let is_public = stat.st_mode & 0o115 != 0;
        let is_shared_object = || path.to_string_lossy().contains(".so");
        if !is_of_user && !is_public && !is_shared_object() {
            return Err("is private and not executable");
        }
        Ok(())
    })?;
    // Text that a core led to must not leave this function.
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0)?;
    if magic != *b"\x7fELF" && !is_of_user {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not an ELF file"));
    }
    Ok(file)
}

/// A file that not everybody may read is opened only for a build that is known to be made of
/// it: anyone can write DWARF that names `/home/you/keys.h`.
fn open_source(path: &Path, is_of_user: bool, from: BuiltFrom) -> io::Result<File> {
    let refused = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason);
    if !is_of_user && !is_source(&path.canonicalize()?) {
        return Err(refused("is not called as source files are"));
    }
    let mut is_private = false;
    let file = open_regular_if(path, |stat| {
        let length = length_of(stat);
        if length == 0 || length > source_text::LARGEST {
            return Err("is empty or too large for a source file");
        }
        is_private = !is_of_user && stat.st_mode & 0o004 == 0;
        if is_private && !from.is_in_place && from.md5.is_none() {
            return Err(PRIVATE_SOURCE);
        }
        Ok(())
    })?;
    let is_content = |md5: [u8; 16]| Ok::<_, io::Error>(md5_of(&read_source(&file)?) == md5);
    if is_private && !from.is_in_place && !from.md5.map_or(Ok(false), is_content)? {
        return Err(refused(PRIVATE_SOURCE));
    }
    Ok(file)
}

/// The whole content of an open source file.
pub(super) fn read_source(file: &File) -> io::Result<Vec<u8>> {
    let length = rustix::fs::fstat(file)?.st_size;
    read_at(file, 0, u64::try_from(length).unwrap_or(0).min(source_text::LARGEST))
}

pub(super) fn md5_of(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn open_jit_names(path: &Path, is_of_user: bool) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_named_so = name.starts_with("perf-") && name.ends_with(".map")
        || name.starts_with("jit-") && name.ends_with(".dump");
    if !is_of_user && !is_named_so {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a map of compiled code"));
    }
    open_regular_if(path, |_| Ok(()))
}

fn length_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// DWARF that calls `/etc/shadow` a source file has no business there: where it leads by
/// itself, links followed, must be called as sources are. The C++ library's headers
/// have no extension.
fn is_source(path: &Path) -> bool {
    const EXTENSIONS: [&str; 31] = [
        "c", "h", "cc", "cpp", "cxx", "c++", "C", "hh", "hpp", "hxx", "inl", "inc", "ipp", "tcc",
        "s", "S", "asm", "rs", "go", "m", "mm", "y", "l", "d", "zig", "f", "f90", "def", "swift",
        "adb", "ads",
    ];
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) => EXTENSIONS.contains(&extension),
        None => path.starts_with("/usr/include/c++") || path.starts_with("/usr/lib/llvm"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_debuginfod_in_the_rules_there_is_no_client() {
        let files = LocalFiles::new(&SearchRules::default(), &Limits::default());
        assert!(files.client.is_none());
    }

    #[test]
    fn only_below_a_directory_of_the_user_is_text_read_whatever_it_is_called() {
        let rules = SearchRules { source_path: vec!["/src".into()], ..SearchRules::default() };
        let files = LocalFiles::new(&rules, &Limits::default());
        let source = Purpose::Source(BuiltFrom::default());
        let is_of_user = |path: &str, by, purpose| files.is_of_user(Path::new(path), by, purpose);
        assert!(is_of_user("/src/a", ChosenBy::Rule, source));
        assert!(!is_of_user("/src/a", ChosenBy::Input, source));
        assert!(!is_of_user("/src/../etc/shadow", ChosenBy::Rule, source), "by the letter");
        assert!(!is_of_user("/etc/shadow", ChosenBy::Rule, source), "a claim is not enough");
        assert!(!is_of_user("/usr/lib/debug/a", ChosenBy::Rule, source));
    }

    #[test]
    fn text_that_a_core_leads_to_is_no_image() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.so");
        std::fs::write(&path, [b'x'; 100]).unwrap();
        let files = LocalFiles::new(&SearchRules::default(), &Limits::default());
        let error = files.open(&path, ChosenBy::Input, Purpose::Image).unwrap_err();
        assert_eq!(error.to_string(), "is not an ELF file");
    }
}
