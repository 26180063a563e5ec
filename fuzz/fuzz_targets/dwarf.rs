//! Naming addresses by debug information, and reading the variables in scope there.
//!
//! The first 32 bytes are the addresses asked for, then comes an ELF file or a script of
//! changes to a program of `tests/fixtures` (see `obit_fuzz::Script`).
#![no_main]

use std::path::PathBuf;
use std::sync::Arc;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use obit::addr::Svma;
use obit::debuginfo::{DebugFiles, DebugInfo, SplitLoader};
use obit::limits::Limits;
use obit_fuzz::{mutate_behind, program_image};

fuzz_target!(|data: &[u8]| {
    let Some((addresses, file)) = data.split_at_checked(32) else { return };
    let limits =
        Limits { section_bytes: 16 << 20, entries_per_lookup: 1 << 16, ..Limits::default() };
    let Some(image) = program_image(file, &limits) else { return };
    let image = Arc::new(image);
    let entry = image.header().entry;
    let no_split: SplitLoader = Arc::new(|_, _, _| Err(Vec::<PathBuf>::new()));
    let debug = DebugInfo::new(DebugFiles::only(image), no_split, &limits, None);
    let asked = addresses
        .chunks_exact(8)
        .map(|chunk| Svma(u64::from_le_bytes(chunk.try_into().expect("eight bytes"))));
    let mut last = entry;
    for at in asked.chain([entry]) {
        let _ = debug.frames_at(at);
        let _ = debug.tail_calls(at, last);
        let _ = debug.scopes_at(at);
        last = at;
    }
    let _ = (debug.level(), debug.notices());
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_behind(32, data, size, max_size, seed)
});
