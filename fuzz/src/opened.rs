//! A process of files in memory.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use obit::debuginfo::locate::{FileAccess, SearchRules};
use obit::dump::{CoreFile, Dump};
use obit::limits::Limits;
use obit::process::{Options, Process};

use crate::files::{Handed, MemoryFile};
use crate::script::Script;

/// So many frames show all that there is to a stack, and keep the fuzzer quick.
const FRAMES: usize = 500;
/// Bytes that a packed core may unpack to.
const CORE_BYTES: u64 = 64 << 20;

/// What is in `core`, with these files and no others; `None` if that is not a core.
pub fn open(core: File, handed: Handed) -> Option<Process> {
    let limits = Limits { core_bytes: CORE_BYTES, frames: FRAMES, ..Limits::default() };
    let rules =
        SearchRules { executable: Some(PathBuf::from(Handed::PROGRAM)), ..SearchRules::default() };
    let access: Option<Arc<dyn FileAccess>> = Some(Arc::new(handed));
    // A scrubbed core has what the analysis read.
    let options = Options { rules, limits, access, log_reads: true, ..Options::default() };
    let core = CoreFile {
        path: "core".into(),
        file: core,
        disk: None,
        is_stream: false,
        beside: Vec::new(),
        companions: Arc::default(),
    };
    let dump = Dump::open_file(core, &options.limits).ok()?;
    Some(Process::of_dump(dump, options, &()))
}

/// Files that are written anew for each input.
#[derive(Default)]
struct Files {
    core: MemoryFile,
    program: MemoryFile,
    source: MemoryFile,
}

/// The crash that `script` describes; `None` if its core is none any more.
///
/// # Panics
/// When the system has no memory for the files.
pub fn process_of(script: &Script) -> Option<Process> {
    static FILES: OnceLock<Files> = OnceLock::new();
    let files = FILES.get_or_init(Files::default);
    let base = script.base();
    let room = "room for a file in memory";
    let core = files.core.holding(&script.core(base)).expect(room);
    let program = files.program.holding(&script.program(base)).expect(room);
    let source = files.source.holding(base.source).expect(room);
    open(core, Handed { program, source })
}
