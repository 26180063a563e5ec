//! A process of files in memory.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use obit::debuginfo::locate::SearchRules;
use obit::dump::{CoreFile, Dump};
use obit::limits::Limits;
use obit::process::{Options, Process};

use crate::files::Handed;

/// So many frames show all that there is to a stack, and keep the fuzzer quick.
const FRAMES: usize = 500;
/// Bytes that a packed core may unpack to.
const CORE_BYTES: u64 = 64 << 20;

/// What is in `core`, with these files and no others; `None` if that is not a core.
pub fn open(core: File, handed: Handed) -> Option<Process> {
    let limits = Limits { core_bytes: CORE_BYTES, frames: FRAMES, ..Limits::default() };
    let rules =
        SearchRules { executable: Some(PathBuf::from(Handed::PROGRAM)), ..SearchRules::default() };
    let options = Options { rules, limits, access: Some(Arc::new(handed)), ..Options::default() };
    let core = CoreFile { path: "core".into(), file: core, disk: None, is_stream: false };
    let dump = Dump::open_file(core, &options.limits).ok()?;
    Some(Process::of_dump(dump, options, &()))
}
