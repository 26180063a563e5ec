//! What was loaded: executable, shared objects, vDSO; each at a load bias, each with the
//! file and the debug information that belong to it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::addr::{Avma, AvmaRange, LoadBias, Svma};
use crate::elf::{BuildId, ElfImage};

/// One image in the dead process.
#[derive(Debug)]
pub struct Module {
    /// The path as the process knew it; `[vdso]` for the vDSO.
    pub path: PathBuf,
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
    /// Same build ID, or taken by name where the core holds none.
    Found,
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
