//! Split DWARF: the `.dwo` file of one compilation unit.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::ChosenBy;
use super::content::has_bytes;
use super::found::DebugFiles;
use super::locator::Locator;
use super::names;
use obit_corefile::elf::ElfImage;

impl Locator {
    pub(super) fn search_split_unit(
        &self,
        files: &DebugFiles,
        comp_dir: &[u8],
        dwo_name: &[u8],
    ) -> Result<Arc<ElfImage>, Vec<PathBuf>> {
        let mut search = self.search();
        let Ok(name) = names::path_of(dwo_name) else {
            return Err(search.searched);
        };
        // A unit without DW_AT_comp_dir was compiled where its image lies, as far as
        // anyone knows.
        let comp_dir = names::path_of(comp_dir).unwrap_or(Path::new("."));
        for path in self.split_unit_paths(files, comp_dir, name) {
            let unit = search.open(path, ChosenBy::Input);
            let unit = unit.filter(|unit| has_split_dwarf(unit));
            if let Some(unit) = unit {
                return Ok(unit);
            }
        }
        Err(search.searched)
    }

    fn split_unit_paths(&self, files: &DebugFiles, comp_dir: &Path, name: &Path) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        // What DWARF says: absolute, or below the compilation directory.
        let stated = names::resolve(Path::new(""), comp_dir)
            .filter(|path| path.is_absolute() || name.is_absolute())
            .and_then(|comp_dir| names::resolve(&comp_dir, name))
            .or_else(|| names::resolve(Path::new("/"), name).filter(|_| name.is_absolute()));
        if let Some(stated) = stated.filter(|path| may_be_anywhere(path, comp_dir)) {
            paths.extend(names::substituted(&self.rules.substitute_path, &stated));
            paths.extend(self.rules.sysroot.iter().map(|root| names::under(root, &stated)));
            paths.push(stated);
        }
        paths.extend(self.companions(name));
        // Beside the image and its debug file, wherever these were moved.
        let homes = [files.image.path(), files.debug.as_ref().and_then(|debug| debug.path())];
        let homes = homes.into_iter().flatten().filter_map(Path::parent);
        let given = self.rules.executable.as_deref().and_then(Path::parent);
        let homes = homes.chain(given).chain(self.rules.core_directory.as_deref());
        let descending = [names::resolve(comp_dir, name), Some(name.to_owned())];
        for home in homes.chain(self.rules.debug_directories.iter().map(PathBuf::as_path)) {
            let relative = descending.iter().flatten().filter_map(|path| relative_inside(path));
            paths.extend(relative.map(|path| home.join(path)));
            paths.extend(name.file_name().map(|name| home.join(name)));
        }
        paths
    }
}

/// `path` with its dots worked out, if it is relative and does not climb.
fn relative_inside(path: &Path) -> Option<PathBuf> {
    names::resolve(Path::new(""), path).filter(|path| path.is_relative())
}

/// A unit below its compilation directory may have any name. One elsewhere
/// (`-o ../out/a.o`) is looked at only if it is called as compilers call them: DWARF
/// must not make us read any file of the machine.
fn may_be_anywhere(path: &Path, comp_dir: &Path) -> bool {
    path.starts_with(comp_dir) && comp_dir.is_absolute() && comp_dir != Path::new("/")
        || path.extension() == Some(OsStr::new("dwo"))
}

fn has_split_dwarf(unit: &ElfImage) -> bool {
    has_bytes(unit, ".debug_info.dwo") || has_bytes(unit, ".zdebug_info.dwo")
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
