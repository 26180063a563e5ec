//! The notes of a segment, in every class, byte order and alignment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use obit::elf::{Encoding, Notes};

fuzz_target!(|data: &[u8]| {
    let Some((flags, segment)) = data.split_first() else { return };
    let encoding = Encoding { is_64: flags & 1 != 0, little_endian: flags & 2 != 0 };
    let align = if flags & 4 != 0 { 8 } else { 4 };
    let notes = Notes::new(segment, align, encoding);
    // A note takes 12 bytes at least: more of them than that is a loop.
    let count = notes.count();
    assert!(count <= segment.len() / 12 + 1, "{count} notes in {} bytes", segment.len());
});
