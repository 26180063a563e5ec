//! What a search gives.

use std::path::PathBuf;
use std::sync::Arc;

use super::content::has_dwarf;
use super::source_text::SourceText;
use obit_corefile::elf::ElfImage;
use obit_corefile::notice::Notice;

/// What a module was in the crashed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The program itself.
    Executable,
    /// A shared object or the dynamic linker.
    Shared,
}

/// How far a file is the module's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// The build IDs are equal.
    Found,
    /// Taken by its name: the core holds no build ID for the module.
    Unverified,
    /// Of another build, and used because the user asked for it.
    Forced,
    /// Only files of other builds were found; there is no image.
    Mismatch,
    /// No file was found.
    Missing,
}

/// The outcome of a search for a module's file.
#[derive(Clone, Debug)]
pub struct FoundImage {
    /// The file, in the states `Found`, `Unverified` and `Forced`.
    pub image: Option<Arc<ElfImage>>,
    /// How far it is the module's.
    pub state: ImageState,
    /// A debug file of the module that was met where an image was looked for
    /// (`--exe prog.debug`). It has no code: it may be given to `Locator::debug_files`,
    /// but its bytes must not stand in for memory.
    pub debug_only: Option<Arc<ElfImage>>,
    /// What must be said: refusals, mismatches, what is missing.
    pub notices: Vec<Notice>,
}

/// The files that belong to one image.
#[derive(Clone, Debug)]
pub struct DebugFiles {
    /// The image itself.
    pub image: Arc<ElfImage>,
    /// Its separate debug file. `None` too when the image holds its own DWARF.
    pub debug: Option<Arc<ElfImage>>,
    /// What dwz moved out of several debug files (`.gnu_debugaltlink`).
    pub alternate: Option<Arc<ElfImage>>,
    /// MiniDebugInfo: the symbols in `.gnu_debugdata`. `None` too when there is a better
    /// symbol table.
    pub mini: Option<Arc<ElfImage>>,
    /// All split units of the image in one `.dwp` file.
    pub package: Option<Arc<ElfImage>>,
}

impl DebugFiles {
    /// An image that no other file says more about.
    pub fn only(image: Arc<ElfImage>) -> Self {
        Self { image, debug: None, alternate: None, mini: None, package: None }
    }

    /// The file that holds the DWARF, if any does.
    pub fn with_dwarf(&self) -> Option<&Arc<ElfImage>> {
        self.debug.iter().chain([&self.image]).find(|file| has_dwarf(file))
    }
}

/// The search for a source file.
#[derive(Clone, Debug, Default)]
pub struct FoundSource {
    /// The file's text, if it was found.
    pub text: Option<Arc<SourceText>>,
    /// Where it lies; `None` if it is part of the debug information.
    pub path: Option<PathBuf>,
    /// Why it may not be the file that was compiled.
    pub doubt: Option<Notice>,
    /// What else was met in the search.
    pub notices: Vec<Notice>,
}
