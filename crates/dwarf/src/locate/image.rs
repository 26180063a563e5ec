//! The file of a module: the executable and the shared objects.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::ChosenBy;
use super::content::{is_debug_only, shown_id};
use super::debuginfod::Artifact;
use super::files::{FileSearch, NoImage};
use super::found::{FoundImage, ImageState, Role};
use super::locator::Locator;
use super::names;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::notice::Notice;

/// Files that came with a core that are opened to find the program under another name.
const COMPANIONS: usize = 64;

/// Where an image may lie.
struct Candidate {
    path: PathBuf,
    by: ChosenBy,
}

/// What was wanted, and what was met on the way.
struct ImageSearch<'l> {
    module: String,
    wanted: Option<&'l BuildId>,
    search: FileSearch<'l>,
    debug_only: Option<Arc<ElfImage>>,
    /// The image is of another build, and the user wants it all the same.
    is_forced: bool,
}

impl Locator {
    pub(super) fn search_image(
        &self,
        path: &Path,
        build_id: Option<&BuildId>,
        role: Role,
    ) -> FoundImage {
        let mut search = ImageSearch {
            module: path.to_string_lossy().into_owned(),
            wanted: build_id,
            search: self.search(),
            debug_only: None,
            is_forced: false,
        };
        let mut image = None;
        if let (Role::Executable, Some(executable)) = (role, &self.rules.executable) {
            image = search.consider_executable(self, executable);
        }
        if image.is_none() {
            let candidates = self.image_candidates(path, build_id, &mut search.search);
            image = candidates.into_iter().find_map(|candidate| search.consider(candidate));
        }
        if let (None, Some(_), Role::Executable) = (&image, build_id, role) {
            image = search.same_build_with_core(self);
        }
        if let (None, Some(_), Some(_)) = (&image, build_id, &self.rules.sysroot) {
            image = search.same_build_here(path);
        }
        if let (None, Some(id)) = (&image, build_id) {
            let fetched = self.download(id, Artifact::Executable, &mut search.search);
            let candidate = fetched.map(|path| Candidate { path, by: ChosenBy::Rule });
            image = candidate.and_then(|candidate| search.consider(candidate));
        }
        search.finish(image)
    }

    /// Everywhere the module's file may lie, best first: where the process had it, the
    /// library directories, the build ID directories, beside the core.
    fn image_candidates(
        &self,
        path: &Path,
        build_id: Option<&BuildId>,
        search: &mut FileSearch<'_>,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut add = |path, by| candidates.push(Candidate { path, by });
        let name = path.as_os_str().as_bytes();
        let name = name.strip_suffix(b" (deleted)").unwrap_or(name);
        let path = names::path_of(name).inspect_err(|bad| {
            search.refuse(names::quoted(name), bad.0);
        });
        if let Ok(path) = path {
            self.companions(path).into_iter().for_each(|path| add(path, ChosenBy::Rule));
            if let Some(substitute) = names::substituted(&self.rules.substitute_path, path) {
                add(substitute, ChosenBy::Rule);
            }
            let resolved = names::resolve(Path::new(""), path);
            match (&resolved, &self.rules.sysroot) {
                (Some(path), Some(root)) => add(names::under(root, path), ChosenBy::Rule),
                (Some(path), None) if is_kernel_file(path) => {
                    search.refuse(path.clone(), "belongs to the kernel");
                }
                (Some(path), None) if path.is_absolute() => add(path.clone(), ChosenBy::Input),
                // The directory in which a relative name had a meaning is not known.
                (Some(_), None) => {}
                (None, _) => search.refuse(path.to_owned(), "climbs above the root directory"),
            }
            for directory in &self.rules.solib_search_path {
                if let Some(path) = &resolved {
                    add(names::under(directory, path), ChosenBy::Rule);
                }
                if let Some(name) = path.file_name() {
                    add(directory.join(name), ChosenBy::Rule);
                }
            }
        }
        for path in build_id.map(|id| self.build_id_paths(id, "")).unwrap_or_default() {
            add(path, ChosenBy::Rule);
        }
        let name = path.ok().and_then(Path::file_name);
        if let (Some(directory), Some(name)) = (&self.rules.core_directory, name) {
            add(directory.join(name), ChosenBy::Rule);
        }
        candidates
    }
}

impl ImageSearch<'_> {
    fn consider(&mut self, candidate: Candidate) -> Option<Arc<ElfImage>> {
        let image = self.search.open(candidate.path.clone(), candidate.by)?;
        if self.wanted.is_some() && image.build_id() != self.wanted {
            self.search.mismatches.push(Notice::ModuleMismatch {
                path: self.module.clone(),
                wanted: shown_id(self.wanted),
                found: shown_id(image.build_id()),
                at: candidate.path,
            });
            return None;
        }
        if is_debug_only(&image) {
            self.debug_only.get_or_insert(image);
            return None;
        }
        Some(image)
    }

    /// The program under another name among the files that came with the core, if it is of the
    /// very build.
    fn same_build_with_core(&mut self, locator: &Locator) -> Option<Arc<ElfImage>> {
        locator.rules.companions.iter().take(COMPANIONS).find_map(|path| {
            let image = self.search.open_quietly(path, ChosenBy::Rule)?;
            (image.build_id() == self.wanted && !is_debug_only(&image)).then_some(image)
        })
    }

    /// The file of this machine at the module's `path`, if it is of the very build: beside a
    /// sysroot that holds only the program, the libraries of the system are still known.
    fn same_build_here(&mut self, path: &Path) -> Option<Arc<ElfImage>> {
        let path = names::resolve(Path::new(""), path)?;
        if !path.is_absolute() || is_kernel_file(&path) {
            return None;
        }
        let image = self.search.open_quietly(&path, ChosenBy::Input)?;
        let is_wanted = image.build_id() == self.wanted && !is_debug_only(&image);
        is_wanted.then_some(image)
    }

    /// The file the user gave. Whatever is wrong with it, they must hear of it.
    fn consider_executable(&mut self, locator: &Locator, path: &Path) -> Option<Arc<ElfImage>> {
        self.search.searched.push(path.to_owned());
        let problem = match locator.files.open(path, ChosenBy::Rule) {
            Err(NoImage::Absent) => "no such file".to_owned(),
            Err(NoImage::Refused(reason)) => reason,
            Ok(image) if self.wanted.is_some() && image.build_id() != self.wanted => {
                let (found, wanted) = (shown_id(image.build_id()), shown_id(self.wanted));
                let at = path.to_owned();
                if locator.rules.force_executable && !is_debug_only(&image) {
                    self.search.notices.push(Notice::ExecutableForced { at, wanted, found });
                    self.is_forced = true;
                    return Some(image);
                }
                self.search.notices.push(Notice::ExecutableMismatch { at, wanted, found });
                return None;
            }
            Ok(image) if is_debug_only(&image) => {
                self.debug_only = Some(image);
                return None;
            }
            Ok(image) => return Some(image),
        };
        let notice = Notice::ExecutableRefused { at: path.to_owned(), problem };
        self.search.notices.push(notice);
        None
    }

    fn finish(mut self, image: Option<Arc<ElfImage>>) -> FoundImage {
        let state = match (&image, self.wanted) {
            (Some(_), Some(_)) if self.is_forced => ImageState::Forced,
            (Some(_), Some(_)) => ImageState::Found,
            (Some(image), None) => {
                let at = image.path().map(Path::to_owned).unwrap_or_default();
                let notice = Notice::ModuleUnverified { path: self.module.clone(), at };
                self.search.notices.push(notice);
                ImageState::Unverified
            }
            (None, _) if !self.search.mismatches.is_empty() => ImageState::Mismatch,
            (None, _) => {
                self.search.notices.push(Notice::ModuleMissing {
                    path: self.module.clone(),
                    build_id: self.wanted.map(ToString::to_string),
                    searched: self.search.searched.clone(),
                });
                ImageState::Missing
            }
        };
        let notices = self.search.into_notices(image.is_some());
        FoundImage { image, state, debug_only: self.debug_only, notices }
    }
}

/// No image lies there, and some of what does acts when it is opened. Shared memory
/// below `/dev/shm` is ordinary.
fn is_kernel_file(path: &Path) -> bool {
    let kernel = ["/proc", "/sys", "/dev"].iter().any(|root| path.starts_with(root));
    kernel && !path.starts_with("/dev/shm")
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
