//! Naming addresses by the debug information of an arbitrary ELF file.
//!
//! The first 32 bytes are the addresses asked for; seed the corpus with small programs.
#![no_main]

use std::path::PathBuf;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use obit::addr::Svma;
use obit::debuginfo::{DebugFiles, DebugInfo, SplitLoader};
use obit::elf::{ElfImage, ImageBytes};
use obit::limits::Limits;

fuzz_target!(|data: &[u8]| {
    let Some((addresses, file)) = data.split_at_checked(32) else { return };
    let limits =
        Limits { section_bytes: 16 << 20, entries_per_lookup: 1 << 16, ..Limits::default() };
    let Ok(image) = ElfImage::parse(ImageBytes::Memory(file.to_vec()), &limits) else { return };
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
        last = at;
    }
    let _ = (debug.level(), debug.notices());
});
