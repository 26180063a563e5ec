//! Keys that the memory of a process shows by their structure.

use super::write::present;
use crate::report::key_objects::clear_ends_of_texts;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{CoreSegment, Dump};
use obit_redact::{KeyBytes, private_keys, round_keys};

/// Bytes that are read at a time, and bytes that two reads have in common: more than the longest
/// of such keys.
const CHUNK: u64 = 1 << 20;
const OVERLAP: u64 = 1 << 15;
/// Memory that is searched: as much is read within a second.
const MOST: u64 = 128 << 20;

/// Adds private keys and round keys in writable memory to `keys`: a copy of a part of one may be
/// anywhere.
pub(super) fn add_by_structure(dump: &Dump, keys: &mut KeyBytes) {
    let mut left = MOST;
    let is_written = |segment: &&CoreSegment| segment.permissions.write && segment.dumped > 0;
    for segment in dump.segments.iter().filter(is_written) {
        let size = present(dump, segment).min(left);
        left = left.saturating_sub(size);
        let mut done = 0;
        while done < size {
            let bytes = dump.bytes.read_vec(segment.offset + done, CHUNK.min(size - done));
            let found = private_keys(&bytes).into_iter().map(|(range, _)| range);
            for range in found.chain(round_keys(&bytes)) {
                // Of a freed block, the end may be another text already.
                let mut key = bytes.get(range).unwrap_or_default().to_vec();
                clear_ends_of_texts(&mut key);
                for word in key.chunks_exact_mut(dump.encoding.word()) {
                    let value = dump.encoding.word_at(word, 0);
                    if value.is_some_and(|value| dump.segment_at(Avma(value)).is_some()) {
                        word.fill(0);
                    }
                }
                keys.add(&key);
            }
            if bytes.is_empty() || done + CHUNK >= size {
                break;
            }
            done += CHUNK - OVERLAP;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;

    #[test]
    fn a_private_key_is_found_across_the_ends_of_what_is_read_at_a_time() {
        let key: Vec<u8> = [&b"\x30\x77\x02\x01\x01\x04\x20"[..]]
            .concat()
            .into_iter()
            .chain((0..114_u8).map(|at| at.wrapping_mul(73).wrapping_add(19)))
            .collect();
        for at in [0_usize, 0x123, (1 << 20) - 60] {
            let mut memory = vec![0; 2 << 20];
            memory[at..at + key.len()].copy_from_slice(&key);
            let builder = CoreBuilder::x86_64().signal(11).thread(42, &[]);
            let dump = builder.segment(0x60_0000, &memory, 2 << 20).open().unwrap();
            let mut keys = KeyBytes::default();
            add_by_structure(&dump, &mut keys);
            assert!(keys.is_in(&key[60..68]), "{at:#x}");
        }
    }
}
