//! Files that were found, and what was read from them, for one core or for many.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::loaded_module::{Described, FileState, Module, ModuleKind};
use obit_corefile::limits::Limits;
use obit_dwarf::locate::{DebugFiles, Locator};
use obit_dwarf::{DebugInfo, SectionCache, SplitLoader};

/// Finds the files of images and keeps them, with all that was read from them: cores of one
/// program that are read with the same library share that work.
///
/// What a core's report says does not depend on the cores before it: debug information in
/// which something was found wrong, or whose budget of work is half spent, is read again.
#[derive(Debug)]
pub struct Library {
    pub(super) locator: Arc<Locator>,
    pub(super) limits: Limits,
    cache: Option<SectionCache>,
    /// By the image's address, which stays its own: the debug information holds the image.
    known: Mutex<HashMap<(usize, PathBuf), Arc<Described>>>,
}

impl Library {
    /// An empty one. `cache` keeps unpacked sections on disk.
    pub fn new(locator: Arc<Locator>, cache: Option<SectionCache>, limits: Limits) -> Self {
        Self { locator, limits, cache, known: Mutex::default() }
    }

    /// What there is to know of `module`'s image.
    pub(super) fn describe(&self, module: &Module) -> Arc<Described> {
        let Some(image) = &module.image else {
            return Arc::new(Described { debug: None, notices: Vec::new() });
        };
        // What was copied out of a core belongs to that core.
        let is_made = matches!(module.kind, ModuleKind::Vdso | ModuleKind::Jit);
        let is_file = module.file != FileState::InCore && !is_made;
        let key = (Arc::as_ptr(image) as usize, module.path.clone());
        if is_file && let Some(known) = self.known().get(&key) {
            return Arc::clone(known);
        }
        let (files, notices) = match module.kind {
            _ if is_made => (DebugFiles::only(Arc::clone(image)), Vec::new()),
            _ => self.locator.debug_files(image, &module.path),
        };
        let locator = Arc::clone(&self.locator);
        let split: SplitLoader =
            Arc::new(move |files, directory, name| locator.split_unit(files, directory, name));
        let debug = DebugInfo::new(files, split, &self.limits, self.cache.clone());
        let described = Arc::new(Described { debug: Some(debug), notices });
        if is_file {
            self.known().insert(key, Arc::clone(&described));
        }
        described
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(usize, PathBuf), Arc<Described>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the next core is read: forgets what would make its report depend on those
    /// before.
    pub(super) fn turn_page(&self) {
        self.known().retain(|_, known| known.debug.as_ref().is_none_or(DebugInfo::may_serve_on));
    }
}
