//! Finding the files of a dead process on the analyst's machine: images, separate debug
//! files, dwz files, split DWARF, and what debuginfod servers hold.
//!
//! The rules are gdb's. Names that come from the core or from a file are hints: they
//! never lead out of the directories that are searched, nothing but regular files is
//! opened, and a file stands in for another only with an equal build ID.

mod alternate;
mod debug_file;
mod debuginfod;
mod files;
mod image;
mod memo;
mod mini;
mod names;
mod source;
mod split;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceLocation;
use files::{Files, Search};
use memo::Memo;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

pub use debug_file::DebugFiles;
pub use debuginfod::Debuginfod;
pub use image::{FoundImage, ImageState, Role};
pub use source::{FoundSource, SourceText};

/// Where to look. Mirrors gdb's settings.
#[derive(Clone, Debug)]
pub struct SearchRules {
    /// The executable as the user gave it (gdb's first argument).
    pub executable: Option<PathBuf>,
    /// A copy of the dead machine's root directory (`set sysroot`). With one, the paths
    /// of the core are looked up below it; a file of this machine counts only if it is of
    /// the very build.
    pub sysroot: Option<PathBuf>,
    /// Directories that hold shared objects (`set solib-search-path`).
    pub solib_search_path: Vec<PathBuf>,
    /// Roots of separate debug files (`set debug-file-directory`).
    pub debug_directories: Vec<PathBuf>,
    /// Leading parts of paths and what to read instead (`set substitute-path`). Made for
    /// source files; applied to images and `.dwo` files too where one matches.
    pub substitute_path: Vec<(PathBuf, PathBuf)>,
    /// Directories of source files (`directory`).
    pub source_path: Vec<PathBuf>,
    /// The directory of the core file: looked in last, by base name.
    pub core_directory: Option<PathBuf>,
    /// Servers to ask for what is not on this machine. No network without.
    pub debuginfod: Option<Debuginfod>,
}

impl Default for SearchRules {
    /// What gdb does when told nothing: the paths of the core and `/usr/lib/debug`.
    fn default() -> Self {
        Self {
            executable: None,
            sysroot: None,
            solib_search_path: Vec::new(),
            debug_directories: vec![PathBuf::from("/usr/lib/debug")],
            substitute_path: Vec::new(),
            source_path: Vec::new(),
            core_directory: None,
            debuginfod: None,
        }
    }
}

/// Finds files by [`SearchRules`], and remembers what it found. One file is one
/// [`ElfImage`], however many names lead to it.
#[derive(Debug)]
pub struct Locator {
    rules: SearchRules,
    limits: Limits,
    files: Files,
    client: Option<debuginfod::Client>,
    images: Memo<(PathBuf, Option<BuildId>, Role), FoundImage>,
    /// By the image's address, which stays its own: the answer holds the image.
    debug_files: Memo<(usize, PathBuf), (DebugFiles, Vec<Notice>)>,
    sources: Memo<(String, Option<BuildId>), FoundSource>,
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Locator>();
};

impl Locator {
    /// A locator that has looked nowhere yet.
    pub fn new(mut rules: SearchRules, limits: Limits) -> Self {
        rules.sysroot = rules.sysroot.filter(|root| root != Path::new("/"));
        let client = rules
            .debuginfod
            .clone()
            .map(|settings| debuginfod::Client::new(settings, limits.clone()));
        let files = Files::new(limits.clone());
        Self {
            rules,
            limits,
            files,
            client,
            images: Memo::new(),
            debug_files: Memo::new(),
            sources: Memo::new(),
        }
    }

    /// The file of a module, by the `path` under which the dead process knew it and the
    /// build ID found in its memory. Asked twice, it searches once.
    pub fn image(&self, path: &Path, build_id: Option<&BuildId>, role: Role) -> FoundImage {
        let question = (path.to_owned(), build_id.cloned(), role);
        self.images.get(question, || self.search_image(path, build_id, role))
    }

    /// Everything that says more about `image`: its separate debug file, dwz file,
    /// MiniDebugInfo and DWARF package. `module_path` is the module's path as the dead
    /// process knew it. Asked twice, it searches once.
    pub fn debug_files(
        &self,
        image: &Arc<ElfImage>,
        module_path: &Path,
    ) -> (DebugFiles, Vec<Notice>) {
        let question = (Arc::as_ptr(image) as usize, module_path.to_owned());
        self.debug_files.get(question, || self.search_debug_files(image, module_path))
    }

    /// The `.dwo` file that a skeleton unit of `files` names (`DW_AT_dwo_name`,
    /// `DW_AT_comp_dir`). Whether its `dwo_id` is the skeleton's, its reader must check.
    ///
    /// # Errors
    /// Everywhere it was looked for in vain.
    pub fn split_unit(
        &self,
        files: &DebugFiles,
        comp_dir: &[u8],
        dwo_name: &[u8],
    ) -> Result<Arc<ElfImage>, Vec<PathBuf>> {
        self.search_split_unit(files, comp_dir, dwo_name)
    }

    /// The source file that the line table of `image` calls `location.file`, by gdb's
    /// rules and a few more. `module_path` and `build_id` are the module's. Asked twice, it
    /// searches once.
    pub fn source(
        &self,
        location: &SourceLocation,
        image: Option<&Path>,
        build_id: Option<&BuildId>,
    ) -> FoundSource {
        let question = (location.file.clone(), build_id.cloned());
        self.sources.get(question, || self.search_source(location, image, build_id))
    }

    fn search(&self) -> Search<'_> {
        Search::new(&self.files)
    }

    /// The roots of debug files: each below the sysroot first, then as it is.
    fn debug_roots(&self) -> impl Iterator<Item = PathBuf> {
        self.rules.debug_directories.iter().flat_map(|directory| {
            let inside = self.rules.sysroot.iter().map(|root| names::under(root, directory));
            inside.chain([directory.clone()])
        })
    }

    /// `<root>/.build-id/ab/cdef…<suffix>` for every root of debug files.
    fn build_id_paths(&self, id: &BuildId, suffix: &str) -> Vec<PathBuf> {
        let hex = id.to_string();
        let (first, rest) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        let name = format!(".build-id/{first}/{rest}{suffix}");
        self.debug_roots().map(|root| root.join(&name)).collect()
    }

    /// Asks the servers, if the user allowed it, and says where the answer lies.
    fn download(
        &self,
        id: &BuildId,
        artifact: debuginfod::Artifact<'_>,
        search: &mut Search<'_>,
    ) -> Option<PathBuf> {
        let fetched = self.client.as_ref()?.fetch(id, artifact);
        search.notices.extend(fetched.notices);
        fetched.path
    }
}

/// Whether `image` was left without code by `objcopy --only-keep-debug`: it says where
/// things are and holds none of them, so its bytes must not stand in for memory.
fn is_debug_only(image: &ElfImage) -> bool {
    const SHT_NOBITS: u32 = 8;
    const ALLOC_EXECINSTR: u64 = 6;
    let mut code =
        image.sections().iter().filter(|s| s.flags & ALLOC_EXECINSTR == ALLOC_EXECINSTR).peekable();
    code.peek().is_some() && code.all(|section| section.kind == SHT_NOBITS)
}

/// Whether `image` holds DWARF entries of its own.
fn has_dwarf(image: &ElfImage) -> bool {
    [".debug_info", ".zdebug_info"].iter().any(|name| has_bytes(image, name))
}

/// Whether `image` has a section called `name` with something in it.
fn has_bytes(image: &ElfImage, name: &str) -> bool {
    image.raw_section(name).is_some_and(|bytes| !bytes.is_empty())
}

/// A build ID for people.
fn shown_id(id: Option<&BuildId>) -> String {
    id.map_or_else(|| "none".to_owned(), ToString::to_string)
}
