//! All modules, and the way to their debug information.

use std::sync::Arc;

use super::library::Library;
use super::loaded_module::{Described, Module, ModuleKind};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::notice::Notice;
use obit_dwarf::locate::FoundSource;
use obit_dwarf::{DebugInfo, SourceLocation};

/// All modules, and the way to their debug information.
#[derive(Debug)]
pub struct Modules {
    /// Sorted by base address.
    pub(super) list: Vec<Module>,
    /// Ranges that certainly belong to a module, sorted by start: what was mapped from
    /// its file. Consulted before the extents, which may enclose foreign mappings.
    pub(super) mapped: Vec<(AvmaRange, usize)>,
    pub(super) library: Arc<Library>,
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
