//! Where to look.

use std::path::PathBuf;

use super::debuginfod::Debuginfod;

/// Where to look. Mirrors gdb's settings.
#[derive(Clone, Debug)]
pub struct SearchRules {
    /// The executable as the user gave it (gdb's first argument).
    pub executable: Option<PathBuf>,
    /// Use that executable even if its build ID is not that of the core.
    pub force_executable: bool,
    /// A copy of the root directory of the machine that the core is from (`set sysroot`). With
    /// one, the paths of the core are looked up below it; a file of this machine counts only if its
    /// build ID is that of the core.
    pub sysroot: Option<PathBuf>,
    /// Directories that hold shared objects (`set solib-search-path`).
    pub solib_search_path: Vec<PathBuf>,
    /// Roots of separate debug files (`set debug-file-directory`).
    pub debug_directories: Vec<PathBuf>,
    /// Leading parts of paths and what to read instead (`set substitute-path`). Made for
    /// source files; applied to images and `.dwo` files too where one matches.
    pub substitute_path: Vec<(PathBuf, PathBuf)>,
    /// Directories of source files (`directory`).
    pub source_path: Vec<PathBuf>,
    /// The directory of the core file: looked in last, by base name.
    pub core_directory: Option<PathBuf>,
    /// Files that came with the core in one archive, by paths that begin with that of the archive:
    /// looked for first, by name.
    pub companions: Vec<PathBuf>,
    /// Names of just-in-time compiled code, as `perf` reads them.
    pub jit_map: Option<PathBuf>,
    /// Servers to ask for what is not on this machine. No network without.
    pub debuginfod: Option<Debuginfod>,
}

impl Default for SearchRules {
    /// What gdb does without settings: the paths of the core and `/usr/lib/debug`.
    fn default() -> Self {
        Self {
            executable: None,
            force_executable: false,
            sysroot: None,
            solib_search_path: Vec::new(),
            debug_directories: vec![PathBuf::from("/usr/lib/debug")],
            substitute_path: Vec::new(),
            source_path: Vec::new(),
            core_directory: None,
            companions: Vec::new(),
            jit_map: None,
            debuginfod: None,
        }
    }
}
