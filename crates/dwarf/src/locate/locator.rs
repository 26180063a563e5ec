//! The one that searches, and remembers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::{FileAccess, LocalFiles};
use super::debuginfod::Artifact;
use super::files::{FileSearch, Files};
use super::found::{DebugFiles, FoundImage, FoundSource, Role};
use super::memo::Memo;
use super::names;
use super::rules::SearchRules;
use crate::model::code::SourceLocation;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

/// Finds files by [`SearchRules`], and remembers what it found. One file is one
/// [`ElfImage`], however many names lead to it.
#[derive(Debug)]
pub struct Locator {
    pub(super) rules: SearchRules,
    pub(super) limits: Limits,
    pub(super) files: Files,
    pub(super) access: Arc<dyn FileAccess>,
    pub(super) images: Memo<(PathBuf, Option<BuildId>, Role), FoundImage>,
    /// By the image's address, which stays its own: the answer holds the image.
    pub(super) debug_files: Memo<(usize, PathBuf), (DebugFiles, Vec<Notice>)>,
    pub(super) sources: Memo<(String, Option<BuildId>), FoundSource>,
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Locator>();
};

impl Locator {
    /// A locator that has looked nowhere yet, and opens files itself.
    pub fn new(rules: SearchRules, limits: Limits) -> Self {
        let access = Arc::new(LocalFiles::new(&rules, &limits));
        Self::with_access(rules, limits, access)
    }

    /// The same with files opened by `access`.
    pub fn with_access(
        mut rules: SearchRules,
        limits: Limits,
        access: Arc<dyn FileAccess>,
    ) -> Self {
        rules.sysroot = rules.sysroot.filter(|root| root != Path::new("/"));
        let files = Files::new(Arc::clone(&access), limits.clone());
        Self {
            rules,
            limits,
            files,
            access,
            images: Memo::new(),
            debug_files: Memo::new(),
            sources: Memo::new(),
        }
    }

    /// The program that the user gave.
    pub fn given_executable(&self) -> Option<&Path> {
        self.rules.executable.as_deref()
    }

    /// Whether the user wants a program used that is another build than the core's.
    pub fn forces_executable(&self) -> bool {
        self.rules.force_executable
    }

    /// The file of a module, by the `path` under which the crashed process knew it and the
    /// build ID found in its memory. Asked twice, it searches once.
    pub fn image(&self, path: &Path, build_id: Option<&BuildId>, role: Role) -> FoundImage {
        let question = (path.to_owned(), build_id.cloned(), role);
        self.images.get(question, || self.search_image(path, build_id, role))
    }

    /// Everything that says more about `image`: its separate debug file, dwz file,
    /// MiniDebugInfo and DWARF package. `module_path` is the module's path as the crashed
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
        image: Option<&ElfImage>,
        module_path: &Path,
        build_id: Option<&BuildId>,
    ) -> FoundSource {
        let question = (location.file.clone(), build_id.cloned());
        self.sources.get(question, || self.search_source(location, image, module_path, build_id))
    }

    /// A search that has looked nowhere yet.
    pub(super) fn search(&self) -> FileSearch<'_> {
        FileSearch::new(&self.files)
    }

    /// The roots of debug files: each below the sysroot first, then as it is.
    pub(super) fn debug_roots(&self) -> impl Iterator<Item = PathBuf> {
        self.rules.debug_directories.iter().flat_map(|directory| {
            let inside = self.rules.sysroot.iter().map(|root| names::under(root, directory));
            inside.chain([directory.clone()])
        })
    }

    /// `<root>/.build-id/ab/cdef…<suffix>` for every root of debug files.
    pub(super) fn build_id_paths(&self, id: &BuildId, suffix: &str) -> Vec<PathBuf> {
        let hex = id.to_string();
        let (first, rest) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        let name = format!(".build-id/{first}/{rest}{suffix}");
        let with_core = self.companions(Path::new(&name));
        with_core.into_iter().chain(self.debug_roots().map(|root| root.join(&name))).collect()
    }

    /// Asks the servers, if the user allowed it, and says where the answer lies.
    pub(super) fn download(
        &self,
        id: &BuildId,
        artifact: Artifact<'_>,
        search: &mut FileSearch<'_>,
    ) -> Option<PathBuf> {
        let fetched = self.access.download(id, artifact);
        search.notices.extend(fetched.notices);
        fetched.path
    }
}
