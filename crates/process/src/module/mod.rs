//! What was loaded: executable, shared objects, vDSO; each at a load bias, each with the
//! file and the debug information that belong to it.

mod discover;
mod image_in_core;
mod library;
mod link_map;
mod load;
mod tls;

pub use library::Library;
pub use load::{Loaded, load};
pub use tls::thread_local_block;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use library::Described;
use obit_corefile::addr::{Avma, AvmaRange, LoadBias, Svma};
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::notice::Notice;
use obit_dwarf::locate::FoundSource;
use obit_dwarf::{DebugInfo, SourceLocation};

/// One image in the dead process.
#[derive(Debug)]
pub struct Module {
    /// The path of the file that was mapped, as the kernel resolved it, else the dynamic
    /// linker's name for it; `[vdso]` for the vDSO.
    pub path: PathBuf,
    /// The dynamic linker's name for it, where it differs: often a symbolic link.
    pub linked_as: Option<PathBuf>,
    /// Where the dynamic linker lists it.
    pub linked: Option<Linked>,
    /// Address of the first byte mapped from the image.
    pub base: Avma,
    /// Extent over all segments.
    pub range: AvmaRange,
    /// What was added to the file's addresses.
    pub bias: LoadBias,
    /// From the core's own pages where they hold it, else from the file.
    pub build_id: Option<BuildId>,
    /// `.note.package` JSON, where the core or the file holds it.
    pub package: Option<String>,
    /// The role.
    pub kind: ModuleKind,
    /// The image's bytes: the file of the same build, or a copy from the core.
    pub image: Option<Arc<ElfImage>>,
    /// What became of the search for its file.
    pub file: FileState,
    debug: OnceLock<Arc<Described>>,
}

/// A module's place in the dynamic linker's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Address of its `struct link_map`.
    pub node: Avma,
    /// How many come before it.
    pub order: usize,
}

/// Role of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleKind {
    /// The program itself.
    Executable,
    /// A shared object, the dynamic linker included.
    Shared,
    /// The kernel's `linux-vdso`.
    Vdso,
}

/// Whether a module's file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileState {
    /// Same build ID.
    Found,
    /// Taken by name: the core holds no build ID to compare.
    Unverified,
    /// Files of that name are other builds.
    Mismatch,
    /// No file.
    Missing,
    /// The image was read from the core itself.
    InCore,
}

impl Module {
    /// Where the file says the byte at `at` belongs.
    pub fn to_svma(&self, at: Avma) -> Svma {
        self.bias.to_svma(at)
    }

    /// Where the byte the file states at `at` lay.
    pub fn to_avma(&self, at: Svma) -> Avma {
        self.bias.to_avma(at)
    }
}

/// All modules, and the way to their debug information.
#[derive(Debug)]
pub struct Modules {
    /// Sorted by base address.
    list: Vec<Module>,
    /// Ranges that certainly belong to a module, sorted by start: what was mapped from
    /// its file. Consulted before the extents, which may enclose foreign mappings.
    mapped: Vec<(AvmaRange, usize)>,
    library: Arc<Library>,
}

impl Modules {
    /// The modules, sorted by base address.
    pub fn list(&self) -> &[Module] {
        &self.list
    }

    /// The module at `index`, as [`Modules::index_at`] gives it.
    pub fn get(&self, index: usize) -> Option<&Module> {
        self.list.get(index)
    }

    /// The index of the module that holds `at`.
    pub fn index_at(&self, at: Avma) -> Option<usize> {
        let after = self.mapped.partition_point(|(range, _)| range.start <= at);
        let mapped = after.checked_sub(1).and_then(|index| self.mapped.get(index));
        if let Some((range, module)) = mapped
            && range.contains(at)
        {
            return Some(*module);
        }
        let after = self.list.partition_point(|module| module.base <= at);
        let index = after.checked_sub(1)?;
        self.list.get(index)?.range.contains(at).then_some(index)
    }

    /// The module that holds `at`.
    pub fn module_at(&self, at: Avma) -> Option<&Module> {
        self.get(self.index_at(at)?)
    }

    /// The index of the program itself.
    pub fn executable(&self) -> Option<usize> {
        self.list.iter().position(|module| module.kind == ModuleKind::Executable)
    }

    /// The debug information of a module: found and opened at the first call, `None`
    /// when not even the image is at hand.
    pub fn debug(&self, index: usize) -> Option<&DebugInfo> {
        self.described(index)?.debug.as_ref()
    }

    /// What the search for a module's debug files had to say, if it has been made.
    pub fn debug_notices(&self, index: usize) -> &[Notice] {
        let made = self.get(index).and_then(|module| module.debug.get());
        made.map_or(&[], |described| &described.notices)
    }

    /// The debug information of a module, if it has been asked for and there is some.
    pub fn debug_if_searched(&self, index: usize) -> Option<&DebugInfo> {
        self.get(index)?.debug.get()?.debug.as_ref()
    }

    /// The source file that module number `index` was compiled from.
    pub fn source(&self, index: usize, location: &SourceLocation) -> FoundSource {
        let Some(module) = self.get(index) else { return FoundSource::default() };
        let image = module.image.as_ref().and_then(|image| image.path());
        self.library.locator.source(location, image, module.build_id.as_ref())
    }

    fn described(&self, index: usize) -> Option<&Described> {
        let module = self.list.get(index)?;
        Some(module.debug.get_or_init(|| self.library.describe(module)))
    }
}
