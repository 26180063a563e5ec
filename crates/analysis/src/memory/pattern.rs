//! What the number in a pointer looks like.

/// A number that some allocator, compiler or debugger fills memory with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The pattern: one byte, or four.
    pub pattern: u32,
    /// What writes it, and when; `None` for a repeated byte that no known program writes.
    pub by: Option<&'static str>,
}

/// Bytes that are repeated, and by whom.
const BYTES: [(u8, &str); 11] = [
    (0xbe, "AddressSanitizer: allocated, never initialized"),
    (0xcd, "MSVC debug heap: allocated, never initialized"),
    (0xdd, "MSVC debug heap: freed"),
    (0xfd, "MSVC debug heap: guard bytes around a block"),
    (0xcc, "MSVC: uninitialized local"),
    (0xab, "Windows heap: after a block"),
    (0xa5, "jemalloc: allocated, never initialized"),
    (0x5a, "jemalloc: freed"),
    (0xaa, "clang or Zig: uninitialized local"),
    (0xfe, "gcc: uninitialized local"),
    (0x6b, "freed"),
];
/// Words that are repeated, and by whom.
const WORDS: [(u32, &str); 5] = [
    (0xdead_beef, "a marker for invalid pointers"),
    (0xfeee_feee, "Windows heap: freed"),
    (0xbaad_f00d, "Windows heap: allocated, never initialized"),
    (0xdead_c0de, "a marker for invalid pointers"),
    (0xcafe_babe, "a marker value"),
];

/// A member's offset and an index may have been added to the pattern.
const ADDED: u64 = 0x1000;

/// The pattern that `value`, of `word` bytes, is filled with.
pub(super) fn fill(value: u64, word: usize) -> Option<Fill> {
    let repeated = |pattern: u32| {
        let pattern = u64::from(pattern);
        if word == 4 { pattern } else { pattern << 32 | pattern }
    };
    let near = |pattern: u64| value.wrapping_sub(pattern) < ADDED;
    let known = WORDS.into_iter().find(|(pattern, _)| {
        // A pattern of four bytes may have been put in alone.
        near(repeated(*pattern)) || near(u64::from(*pattern))
    });
    if let Some((pattern, by)) = known {
        return Some(Fill { pattern, by: Some(by) });
    }
    let of_byte = |byte: u8| u32::from_ne_bytes([byte; 4]);
    let known = BYTES.into_iter().find(|(byte, _)| near(repeated(of_byte(*byte))));
    if let Some((byte, by)) = known {
        return Some(Fill { pattern: of_byte(byte), by: Some(by) });
    }
    let [first, ..] = value.to_le_bytes();
    let is_text = first.is_ascii_graphic() || first == b' ';
    let is_one = value == repeated(of_byte(first)) && !matches!(first, 0 | 0xff) && !is_text;
    is_one.then_some(Fill { pattern: of_byte(first), by: None })
}

/// `value` as text in memory order, if it is some: all of its bytes, or the most of them
/// before the NUL that ends it.
pub(super) fn text(value: u64, word: usize, little_endian: bool) -> Option<String> {
    let mut bytes = value.to_le_bytes().get(..word)?.to_vec();
    if !little_endian {
        bytes.reverse();
    }
    let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t');
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(word);
    let (text, rest) = bytes.split_at_checked(end)?;
    let printable = text.iter().filter(|byte| is_text(byte)).count();
    let is_whole = printable == text.len() && rest.iter().all(|byte| *byte == 0);
    let enough = if word == 4 { 4 } else { 5 };
    // Of all eight bytes two may be others: letters beyond ASCII.
    let is_long = text.len() == word && word == 8 && printable >= 6;
    let found = is_whole && printable >= enough || is_long;
    found.then(|| {
        let letter = |byte: &u8| match is_text(byte) {
            true => char::from(*byte).to_string(),
            false => format!("\\x{byte:02x}"),
        };
        text.iter().map(letter).collect()
    })
}

/// The small negative number that was taken for a pointer: an error returned as `-errno`
/// (Linux's `ERR_PTR` has 4095 of them), or `MAP_FAILED`.
pub(super) fn negative(value: u64, word: usize) -> Option<i32> {
    const MOST: i64 = 4095;
    let wide = if word == 4 { i64::from(value as u32 as i32) } else { value.cast_signed() };
    let narrow = i64::from(value as u32 as i32);
    let is_small = |number: i64| (-MOST..0).contains(&number);
    let number = match (is_small(wide), value >> 32) {
        (true, _) => wide,
        // An `int` that was widened without its sign.
        (false, 0) if is_small(narrow) => narrow,
        _ => return None,
    };
    i32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_recognized_with_an_offset_added_and_in_either_width() {
        let by = |value, word| fill(value, word).map(|fill| fill.pattern);
        assert_eq!(by(0xbebe_bebe_bebe_bebe, 8), Some(0xbebe_bebe));
        assert_eq!(by(0xbebe_bebe_bebe_bed6, 8), Some(0xbebe_bebe));
        assert_eq!(by(0xfeee_feee, 4), Some(0xfeee_feee));
        assert_eq!(by(0xdead_beef, 8), Some(0xdead_beef));
        assert_eq!(by(0xdead_beef_dead_beef, 8), Some(0xdead_beef));
        assert_eq!(by(0x1717_1717_1717_1717, 8), Some(0x1717_1717));
        assert_eq!(fill(0x1717_1717_1717_1717, 8).unwrap().by, None);
        assert_eq!(by(0x5555_5555_92a0, 8), None);
        assert_eq!(by(0, 8), None);
        assert_eq!(by(u64::MAX, 8), None);
    }

    #[test]
    fn text_is_read_in_memory_order() {
        let little = |value, word| text(value, word, true);
        assert_eq!(little(0x4847_4645_4443_4241, 8).as_deref(), Some("ABCDEFGH"));
        assert_eq!(text(0x4142_4344_4546_4748, 8, false).as_deref(), Some("ABCDEFGH"));
        assert_eq!(little(0x41_4141_4141, 8).as_deref(), Some("AAAAA"));
        assert_eq!(little(0x4144_4342, 4).as_deref(), Some("BCDA"));
        assert_eq!(little(0x4141_4141, 8), None, "four bytes of eight are a number");
        assert_eq!(little(0x41_0041_4141, 8), None);
        assert_eq!(little(0x7f12_3456_7890, 8), None);
    }

    #[test]
    fn an_error_number_is_negative_and_small() {
        assert_eq!(negative(u64::MAX, 8), Some(-1));
        assert_eq!(negative(0xffff_ffff_ffff_ffea, 8), Some(-22));
        assert_eq!(negative(0xffff_ffea, 8), Some(-22));
        assert_eq!(negative(0xffff_ffea, 4), Some(-22));
        assert_eq!(negative(0xffff_ffff_ffff_0000, 8), None);
        assert_eq!(negative(0xffff_0000, 8), None);
    }
}
