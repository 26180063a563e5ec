//! Where the debug information of an image lies.

use std::sync::Arc;

use crate::elf::ElfImage;

/// An image and the files that describe it.
#[derive(Clone, Debug)]
pub struct DebugFiles {
    /// What was loaded: the executable or the shared object.
    pub image: Arc<ElfImage>,
    /// Its separate debug file.
    pub debug: Option<Arc<ElfImage>>,
    /// The file dwz moved common parts to (`.gnu_debugaltlink`).
    pub alternate: Option<Arc<ElfImage>>,
    /// MiniDebugInfo: the unpacked `.gnu_debugdata`, symbols only.
    pub mini: Option<Arc<ElfImage>>,
    /// The `.dwp` package of split DWARF.
    pub package: Option<Arc<ElfImage>>,
}
