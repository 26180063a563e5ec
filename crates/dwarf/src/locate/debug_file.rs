//! The separate debug file of an image, and all the files that belong to one image.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::ChosenBy;
use super::content::{has_bytes, has_dwarf, is_debug_only, shown_id};
use super::debuginfod::Artifact;
use super::files::FileSearch;
use super::found::DebugFiles;
use super::locator::Locator;
use super::{mini, names};
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::notice::Notice;

impl Locator {
    pub(super) fn search_debug_files(
        &self,
        image: &Arc<ElfImage>,
        module_path: &Path,
    ) -> (DebugFiles, Vec<Notice>) {
        let module = module_path.to_string_lossy().into_owned();
        let mut files = DebugFiles::only(Arc::clone(image));
        let mut notices = Vec::new();
        if !has_dwarf(image) {
            let mut search = self.search();
            files.debug = self.search_debug_file(image, module_path, &mut search);
            // What the dead memory held (the vDSO) has no debug file to be missed.
            if !files.debug.as_deref().is_some_and(has_dwarf) && image.path().is_some() {
                search.notices.push(Notice::DebugInfoMissing {
                    path: module.clone(),
                    build_id: image.build_id().map(ToString::to_string),
                    searched: search.searched.clone(),
                });
            }
            notices.extend(search.into_notices(files.debug.is_some()));
        }
        (files.alternate, notices) = self.with_alternate(&files, &module, notices);
        let with_symbols = [Some(image), files.debug.as_ref()];
        if !with_symbols.into_iter().flatten().any(|file| has_bytes(file, ".symtab")) {
            let unpacked = mini::unpack(image, &self.limits).transpose();
            match unpacked {
                Ok(mini) => files.mini = mini.map(Arc::new),
                Err(error) => {
                    let problem = error.to_string();
                    notices.push(Notice::DwarfMalformed { path: module, problem });
                }
            }
        }
        if files.with_dwarf().is_some() {
            let mut search = self.search();
            files.package = self.search_package(&files, module_path, &mut search);
            notices.extend(search.into_notices(files.package.is_some()));
        }
        (files, notices)
    }

    /// gdb's order: by build ID, then by `.gnu_debuglink`; then beside the user's own
    /// copies; then from a server.
    fn search_debug_file(
        &self,
        image: &Arc<ElfImage>,
        module_path: &Path,
        search: &mut FileSearch<'_>,
    ) -> Option<Arc<ElfImage>> {
        let module = module_path.to_string_lossy();
        let wanted = DebugFileSearch { image, module: &module };
        if let Some(id) = image.build_id() {
            let paths = self.build_id_paths(id, ".debug");
            let found = paths.into_iter().find_map(|path| wanted.by_id(path, search));
            if found.is_some() {
                return found;
            }
        }
        if let Some(found) = self.by_debug_link(&wanted, module_path, search) {
            return Some(found);
        }
        let id = image.build_id()?;
        for path in self.other_copies(module_path) {
            let copy = search.open(path, ChosenBy::Rule);
            let copy = copy.filter(|copy| copy.build_id() == Some(id) && wanted.is_served_by(copy));
            if copy.is_some() {
                return copy;
            }
        }
        let path = self.download(id, Artifact::DebugInfo, search)?;
        wanted.by_id(path, search)
    }

    fn by_debug_link(
        &self,
        wanted: &DebugFileSearch<'_>,
        module_path: &Path,
        search: &mut FileSearch<'_>,
    ) -> Option<Arc<ElfImage>> {
        let (name, crc) = wanted.image.debug_link()?;
        let link = match names::descending(name) {
            Ok(link) => link,
            Err(bad) => {
                search.refuse(names::quoted(name), bad.0);
                return None;
            }
        };
        let with_core = self.companions(link);
        let found = with_core.into_iter().find_map(|path| wanted.by_link(path, crc, search));
        if found.is_some() {
            return found;
        }
        let directory = wanted.image.path().and_then(Path::parent);
        let near = |directory: &Path| [directory.join(link), directory.join(".debug").join(link)];
        let mut try_all = |paths: Vec<PathBuf>| {
            paths.into_iter().find_map(|path| wanted.by_link(path, crc, search))
        };
        if let Some(found) = try_all(directory.into_iter().flat_map(near).collect()) {
            return Some(found);
        }
        // Where symlinks lead (merged /usr, .build-id links) costs system calls to learn.
        let real = wanted.image.path().and_then(|path| self.access.resolve(path).ok());
        let real = real.as_deref().and_then(Path::parent).filter(|real| Some(*real) != directory);
        if let Some(found) = try_all(real.into_iter().flat_map(near).collect()) {
            return Some(found);
        }
        let named = names::resolve(Path::new(""), module_path);
        let named = named.as_deref().filter(|path| path.is_absolute()).and_then(Path::parent);
        let directories: Vec<&Path> = [directory, real, named].into_iter().flatten().collect();
        try_all(self.link_paths_below_roots(link, &directories))
    }

    /// `<root><directory>/<link>` for every root of debug files, with the sysroot left
    /// out of directories that lie in it, then `<root>/<link>`.
    fn link_paths_below_roots(&self, link: &Path, directories: &[&Path]) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for root in self.debug_roots() {
            for directory in directories {
                let sysroot = self.rules.sysroot.as_deref();
                let inside = sysroot.and_then(|sysroot| directory.strip_prefix(sysroot).ok());
                let both = inside.into_iter().chain([*directory]);
                paths.extend(both.map(|directory| names::under(&root, directory).join(link)));
            }
            paths.push(root.join(link));
        }
        paths
    }

    /// Places where a user keeps builds: an unstripped one there says as much.
    fn other_copies(&self, module_path: &Path) -> Vec<PathBuf> {
        let Some(name) = module_path.file_name() else { return Vec::new() };
        let with_debug = names::with_suffix(Path::new(name), ".debug");
        let directories = self.rules.solib_search_path.iter().chain(&self.rules.core_directory);
        let copies =
            directories.flat_map(|directory| [directory.join(name), directory.join(&with_debug)]);
        let with_core = [Path::new(name), &with_debug].map(|name| self.companions(name));
        let with_core = with_core.into_iter().flatten();
        self.rules.executable.iter().cloned().chain(copies).chain(with_core).collect()
    }
}

/// The image whose debug file is looked for.
struct DebugFileSearch<'i> {
    image: &'i Arc<ElfImage>,
    module: &'i str,
}

impl DebugFileSearch<'_> {
    /// The file at `path` if its build ID is the image's.
    fn by_id(&self, path: PathBuf, search: &mut FileSearch<'_>) -> Option<Arc<ElfImage>> {
        let file = search.open(path.clone(), ChosenBy::Rule)?;
        if file.build_id() != self.image.build_id() {
            let problem = differing_ids(self.image.build_id(), file.build_id());
            self.mismatch(path, problem, search);
            return None;
        }
        self.is_served_by(&file).then_some(file)
    }

    /// The file at `path` if its build ID is the image's or, where one of them has none,
    /// its CRC-32 is the link's.
    fn by_link(
        &self,
        path: PathBuf,
        crc: u32,
        search: &mut FileSearch<'_>,
    ) -> Option<Arc<ElfImage>> {
        let file = search.open(path.clone(), ChosenBy::Rule)?;
        let problem = match (self.image.build_id(), file.build_id()) {
            (Some(image), Some(debug)) if image == debug => None,
            (Some(image), Some(debug)) => Some(differing_ids(Some(image), Some(debug))),
            // A link to itself cannot hold its own checksum: no need to read it all.
            _ if Arc::ptr_eq(&file, self.image) => Some("it is the image itself".to_owned()),
            _ => {
                let found = crc32(file.bytes());
                (found != crc)
                    .then(|| format!("its CRC-32 is {found:08x}, .gnu_debuglink says {crc:08x}"))
            }
        };
        if let Some(problem) = problem {
            self.mismatch(path, problem, search);
            return None;
        }
        self.is_served_by(&file).then_some(file)
    }

    /// Whether `file` says more than the image: a stripped copy of it does not.
    fn is_served_by(&self, file: &Arc<ElfImage>) -> bool {
        let says_something = has_dwarf(file) || has_bytes(file, ".symtab");
        !Arc::ptr_eq(file, self.image) && (says_something || is_debug_only(file))
    }

    fn mismatch(&self, at: PathBuf, problem: String, search: &mut FileSearch<'_>) {
        let notice = Notice::DebugFileMismatch { path: self.module.to_owned(), at, problem };
        search.mismatches.push(notice);
    }
}

/// In what a debug file differs from what was wanted.
pub(super) fn differing_ids(wanted: Option<&BuildId>, found: Option<&BuildId>) -> String {
    format!("its build ID is {}, not {}", shown_id(found), shown_id(wanted))
}

/// The CRC-32 of `.gnu_debuglink`: zlib's (gdb manual, "Separate Debug Files").
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    // In parts, so that the bytes of a large map need not all be resident at once.
    bytes.chunks(1 << 24).for_each(|part| crc.update(part));
    crc.sum()
}

#[cfg(test)]
#[path = "debug_file_tests.rs"]
mod tests;
