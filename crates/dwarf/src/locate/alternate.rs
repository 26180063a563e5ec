//! Files that debug information shares or was moved to: dwz files and DWARF packages.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::access::ChosenBy;
use super::content::{has_bytes, has_dwarf};
use super::debug_file::differing_ids;
use super::debuginfod::Artifact;
use super::files::FileSearch;
use super::found::DebugFiles;
use super::locator::Locator;
use super::names;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::notice::Notice;

impl Locator {
    /// The file of `.gnu_debugaltlink`, if one is named, and `notices` with what has to
    /// be reported about it.
    pub(super) fn with_alternate(
        &self,
        files: &DebugFiles,
        module: &str,
        mut notices: Vec<Notice>,
    ) -> (Option<Arc<ElfImage>>, Vec<Notice>) {
        // The link counts where the DWARF is; strip may have left the image's own behind.
        let holder = files.with_dwarf().or(files.debug.as_ref()).unwrap_or(&files.image);
        let Some((name, id)) = holder.debug_alt_link() else {
            return (None, notices);
        };
        let mut search = self.search();
        let found = self.search_alternate(holder, name, &id, module, &mut search);
        if found.is_none() {
            search.notices.push(Notice::DebugPartMissing {
                path: module.to_owned(),
                name: names::quoted(name).to_string_lossy().into_owned(),
                searched: search.searched.clone(),
            });
        }
        notices.extend(search.into_notices(found.is_some()));
        (found, notices)
    }

    fn search_alternate(
        &self,
        holder: &Arc<ElfImage>,
        name: &[u8],
        id: &BuildId,
        module: &str,
        search: &mut FileSearch<'_>,
    ) -> Option<Arc<ElfImage>> {
        if holder.build_id() == Some(id) {
            search.refuse(names::quoted(name), "the dwz link leads to its own file");
            return None;
        }
        let mut paths = match names::path_of(name) {
            Ok(path) => self.alternate_paths(holder, path, search),
            Err(bad) => {
                search.refuse(names::quoted(name), bad.0);
                Vec::new()
            }
        };
        paths.extend(self.build_id_paths(id, ".debug"));
        for path in paths {
            let found = alternate_at(path, id, module, search);
            if found.is_some() {
                return found;
            }
        }
        let path = self.download(id, Artifact::DebugInfo, search)?;
        alternate_at(path, id, module, search)
    }

    /// Where the link may lead: below the directory of the file that holds it, or below
    /// the roots of debug files. Fedora's links climb (`../../.dwz/…`) and Debian's are
    /// absolute, but both stay below such a root.
    fn alternate_paths(
        &self,
        holder: &ElfImage,
        link: &Path,
        search: &mut FileSearch<'_>,
    ) -> Vec<PathBuf> {
        let roots: Vec<PathBuf> = self.debug_roots().collect();
        let named = holder.path().map(Path::to_owned);
        // gdb starts from where symlinks lead: a .build-id link is one.
        let real = named.as_deref().and_then(|path| self.access.resolve(path).ok());
        let real = real.filter(|real| Some(real) != named.as_ref());
        let homes: Vec<&Path> =
            [&real, &named].into_iter().flatten().filter_map(|path| path.parent()).collect();
        let mut paths = Vec::new();
        let mut add = |path: Option<PathBuf>| {
            let is_inside = |path: &PathBuf| {
                let mut allowed = roots.iter().map(PathBuf::as_path).chain(homes.iter().copied());
                allowed.any(|root| names::is_below(root, path))
            };
            paths.extend(path.filter(is_inside));
        };
        if link.is_absolute() {
            let resolved = names::resolve(Path::new(""), link);
            if let (Some(root), Some(path)) = (&self.rules.sysroot, &resolved) {
                add(Some(names::under(root, path)));
            }
            add(resolved);
        } else {
            homes.iter().for_each(|home| add(names::resolve(home, link)));
        }
        let below = below_dwz(link);
        // A link into another root may have its file below the roots that are searched.
        if paths.is_empty() && below.is_none() {
            search.refuse(link.to_owned(), "the dwz link leads out of the directories searched");
        }
        if let Some(name) = link.file_name() {
            paths.extend(homes.iter().map(|home| home.join(name)));
            for below in below.iter().map(PathBuf::as_path).chain([Path::new(name)]) {
                paths.extend(roots.iter().map(|root| root.join(".dwz").join(below)));
            }
        }
        paths
    }

    /// The DWARF package: gdb and LLVM look for the image's or debug file's name with
    /// `.dwp` behind it.
    pub(super) fn search_package(
        &self,
        files: &DebugFiles,
        module_path: &Path,
        search: &mut FileSearch<'_>,
    ) -> Option<Arc<ElfImage>> {
        let own = [files.image.path(), files.debug.as_ref().and_then(|debug| debug.path())];
        let mut paths: Vec<PathBuf> =
            own.into_iter().flatten().map(|path| names::with_suffix(path, ".dwp")).collect();
        if let Some(name) = module_path.file_name() {
            let name = names::with_suffix(Path::new(name), ".dwp");
            let given = self.rules.executable.as_deref().and_then(Path::parent);
            let elsewhere = given.into_iter().chain(self.rules.core_directory.as_deref());
            paths.extend(elsewhere.map(|directory| directory.join(&name)));
        }
        paths.into_iter().find_map(|path| {
            let package = search.open(path.clone(), ChosenBy::Rule)?;
            let has_index = ["cu", "tu"]
                .iter()
                .any(|kind| has_bytes(&package, &format!(".debug_{kind}_index")));
            if !has_index {
                search.refuse(path, "holds no index of DWARF units");
                return None;
            }
            // Packages seldom have a build ID; their units are matched by dwo_id.
            let ids = (files.image.build_id(), package.build_id());
            if let (Some(wanted), Some(found)) = ids
                && wanted != found
            {
                search.mismatches.push(Notice::DebugFileMismatch {
                    path: module_path.to_string_lossy().into_owned(),
                    at: path,
                    problem: differing_ids(Some(wanted), Some(found)),
                });
                return None;
            }
            Some(package)
        })
    }
}

/// The part of a link after `.dwz`, such as Debian's architecture:
/// `x86_64-linux-gnu/name.debug`. A root that is not `/usr/lib/debug` has the same below it.
fn below_dwz(link: &Path) -> Option<PathBuf> {
    let mut components = link.components();
    components.by_ref().find(|component| component.as_os_str() == ".dwz")?;
    let below = components.as_path();
    let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && below.components().nth(1).is_some()).then(|| below.to_owned())
}

/// The file at `path` if it has DWARF and the build ID that the link asks for.
fn alternate_at(
    path: PathBuf,
    id: &BuildId,
    module: &str,
    search: &mut FileSearch<'_>,
) -> Option<Arc<ElfImage>> {
    let file = search.open(path.clone(), ChosenBy::Rule)?;
    let problem = if file.build_id() != Some(id) {
        differing_ids(Some(id), file.build_id())
    } else if !has_dwarf(&file) {
        "it holds no DWARF".to_owned()
    } else {
        return Some(file);
    };
    let notice = Notice::DebugFileMismatch { path: module.to_owned(), at: path, problem };
    search.mismatches.push(notice);
    None
}
