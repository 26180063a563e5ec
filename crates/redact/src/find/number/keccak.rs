//! Keccak-256 as Ethereum uses it: SHA-3 before its padding was changed.

const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];
/// How far each lane is rotated, and where it goes, in the order of its path.
const ROTATIONS: [u32; 24] =
    [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
const PATH: [usize; 24] =
    [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
/// Bytes that are taken in at a time.
const RATE: usize = 136;

/// The hash of `message`, which is shorter than one block.
pub(super) fn keccak256(message: &[u8]) -> [u8; 32] {
    let mut block = [0u8; RATE];
    for (to, from) in block.iter_mut().zip(message.iter().chain(&[1])) {
        *to = *from;
    }
    if let Some(last) = block.last_mut() {
        *last |= 0x80;
    }
    let mut lanes = [0u64; 25];
    for (lane, bytes) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    permute(&mut lanes);
    let mut hash = [0; 32];
    for (to, lane) in hash.as_chunks_mut::<8>().0.iter_mut().zip(lanes) {
        *to = lane.to_le_bytes();
    }
    hash
}

/// FIPS 202, 3.2: the five steps of each round.
#[allow(clippy::indexing_slicing)]
fn permute(lanes: &mut [u64; 25]) {
    for constant in ROUNDS {
        let mut columns = [0; 5];
        for (at, lane) in lanes.iter().enumerate() {
            columns[at % 5] ^= lane;
        }
        for (at, lane) in lanes.iter_mut().enumerate() {
            *lane ^= columns[(at + 4) % 5] ^ columns[(at + 1) % 5].rotate_left(1);
        }
        let mut moved = lanes[1];
        for (place, rotation) in PATH.into_iter().zip(ROTATIONS) {
            moved = std::mem::replace(&mut lanes[place], moved.rotate_left(rotation));
        }
        for row in lanes.as_chunks_mut::<5>().0 {
            let old = *row;
            for at in 0..5 {
                row[at] = old[at] ^ (!old[(at + 1) % 5] & old[(at + 2) % 5]);
            }
        }
        lanes[0] ^= constant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing_is_the_published_one() {
        assert_eq!(keccak256(b"")[..4], [0xc5, 0xd2, 0x46, 0x01]);
        assert_eq!(keccak256(b"")[28..], [0x5d, 0x85, 0xa4, 0x70]);
    }
}
