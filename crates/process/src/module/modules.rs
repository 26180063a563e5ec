//! All modules, and the way to their debug information.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::jit;
use super::library::Library;
use super::loaded_module::{Described, FileState, Module, ModuleKind};
use obit_corefile::addr::{Avma, AvmaRange, LoadBias};
use obit_corefile::arch::{Decoder, Machine};
use obit_corefile::elf::{CodeSet, ElfImage};
use obit_corefile::memory::AddressSpace;
use obit_corefile::notice::Notice;
use obit_dwarf::locate::{FoundSource, JitNames};
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
    /// Names of just-in-time compiled code that is in no image.
    pub(super) jit_names: Option<JitNames>,
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
    /// if not even the image is available.
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

    /// The decoder of the code at `at` on this machine. 32-bit Arm has two: `None` where no
    /// symbol says which.
    pub fn decoder_at(&self, machine: Machine, at: Avma) -> Option<Decoder> {
        let decoder = machine.decoder()?;
        if !matches!(decoder, Decoder::A32 | Decoder::Thumb) {
            return Some(decoder);
        }
        let index = self.index_at(at)?;
        match self.debug(index)?.code_set_at(self.get(index)?.to_svma(at))? {
            CodeSet::A32 => Some(Decoder::A32),
            CodeSet::Thumb => Some(Decoder::Thumb),
        }
    }

    /// What a file for `perf` calls the just-in-time compiled code at `at`, which is of no
    /// module.
    pub fn jit_name_at(&self, at: Avma) -> Option<&str> {
        self.jit_names.as_ref()?.at(at)
    }

    /// The line of that code, where such a file has lines.
    pub fn jit_location_at(&self, at: Avma) -> Option<SourceLocation> {
        self.jit_names.as_ref()?.location(at)
    }

    /// The source file that module number `index` was compiled from.
    pub fn source(&self, index: usize, location: &SourceLocation) -> FoundSource {
        let Some(module) = self.get(index) else { return FoundSource::default() };
        let (image, build_id) = (module.image.as_deref(), module.build_id.as_ref());
        self.library.locator.source(location, image, &module.path, build_id)
    }

    /// Adds the images of just-in-time compilers, by GDB's interface for them.
    pub(super) fn add_jit_images(&mut self, memory: &AddressSpace) {
        let images = jit::images(self, memory, &self.library.limits);
        if images.is_empty() {
            return;
        }
        // A module's place in the list is by its base.
        let mut all: Vec<(Module, Vec<AvmaRange>)> = Vec::new();
        let mut ranges: Vec<Vec<AvmaRange>> = self.list.iter().map(|_| Vec::new()).collect();
        for (range, index) in &self.mapped {
            if let Some(of_module) = ranges.get_mut(*index) {
                of_module.push(*range);
            }
        }
        all.extend(std::mem::take(&mut self.list).into_iter().zip(ranges));
        for found in images {
            if let Some(first) = found.code.first().copied() {
                all.push((jit_module(found.path, found.image, first), found.code));
            }
        }
        all.sort_by_key(|(module, _)| module.base);
        self.mapped.clear();
        for (index, (module, ranges)) in all.into_iter().enumerate() {
            self.mapped.extend(ranges.into_iter().map(|range| (range, index)));
            self.list.push(module);
        }
        self.mapped.sort_by_key(|(range, _)| range.start);
    }

    fn described(&self, index: usize) -> Option<&Described> {
        let module = self.list.get(index)?;
        Some(module.debug.get_or_init(|| self.library.describe(module)))
    }
}

/// The module of an image that a just-in-time compiler made; all its addresses are those of
/// memory.
fn jit_module(path: PathBuf, image: Arc<ElfImage>, first: AvmaRange) -> Module {
    Module {
        path,
        linked_as: None,
        linked: None,
        base: first.start,
        range: first,
        bias: LoadBias(0),
        build_id: None,
        build_id_of_file: false,
        package: None,
        kind: ModuleKind::Jit,
        image: Some(image),
        file: FileState::InCore,
        debug: OnceLock::new(),
    }
}
