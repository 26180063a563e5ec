//! One image in the process.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use obit_corefile::addr::{Avma, AvmaRange, LoadBias, Svma};
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::notice::Notice;
use obit_dwarf::DebugInfo;

/// One image in the process.
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
    /// The build ID is that of a file found by its path: the core does not hold it, and the
    /// file may have been replaced since.
    pub build_id_of_file: bool,
    /// `.note.package` JSON, where the core or the file holds it.
    pub package: Option<String>,
    /// The role.
    pub kind: ModuleKind,
    /// The image's bytes: the file of the same build, or a copy from the core.
    pub image: Option<Arc<ElfImage>>,
    /// What became of the search for its file.
    pub file: FileState,
    pub(super) debug: OnceLock<Arc<Described>>,
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
    /// Code that a just-in-time compiler made and registered by GDB's interface.
    Jit,
}

/// Whether a module's file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileState {
    /// Same build ID.
    Found,
    /// Taken by name: the core holds no build ID to compare.
    Unverified,
    /// Of another build, and used because the user asked for it. Its bytes are not used as
    /// memory.
    Forced,
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

/// What there is to know of an image.
#[derive(Debug)]
pub(super) struct Described {
    /// `None` if not even the image is available.
    pub(super) debug: Option<DebugInfo>,
    /// What the search for debug files had to say.
    pub(super) notices: Vec<Notice>,
}
