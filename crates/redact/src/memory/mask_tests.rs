use std::collections::HashSet;

use super::*;

const STACK: u64 = 0x7ffd_0000_0000;

fn masked(bytes: &[u8], facts: &[(u64, u64)], numbers: &[(u64, u64)]) -> Vec<u8> {
    let all = Ranges::of([(0x1000, 0x1000 + bytes.len() as u64)]);
    let judge = Judge {
        word: 8,
        little_endian: true,
        is_mapped: &|at| {
            (STACK..STACK + 0x1000).contains(&at) || (0x40_0000..0x60_0000).contains(&at)
        },
        wanted: &all,
        plain: &Ranges::default(),
        facts: &Ranges::of(facts.iter().copied()),
        numbers,
        groups: &Ranges::default(),
        typed: &Places::default(),
    };
    judge.mask(0x1000, bytes)
}

#[test]
fn text_is_masked_with_its_length_and_its_end() {
    assert_eq!(masked(b"hunter2hunter98\0", &[], &[]), b"xxxxxxxxxxxxxxx\0");
    assert_eq!(masked("M\u{fc}ller, J\0\0\0\0\0".as_bytes(), &[], &[])[..10], *b"xxxxxxxxxx");
}

#[test]
fn the_end_of_a_text_is_not_an_address_even_where_one_would_be_mapped() {
    assert_eq!(masked(b"passwordtRE\0\0\0\0\0", &[], &[]), b"xxxxxxxxxxx\0\0\0\0\0");
    let address = 0x45_5274_u64.to_le_bytes();
    assert_eq!(masked(&address, &[], &[]), address);
}

#[test]
fn utf_16_is_masked() {
    let wide: Vec<u8> = "geheim12".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let expected: Vec<u8> = "xxxxxxxx".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(masked(&wide, &[], &[]), expected);
}

#[test]
fn addresses_small_numbers_and_halves_stay() {
    let words = [STACK + 0x18, 42, u64::MAX - 1, 7 << 32 | 9, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(masked(&bytes, &[], &[]), bytes);
}

#[test]
fn what_is_neither_text_nor_small_goes_unless_it_was_read_as_a_number() {
    let bytes = 0x9f3c_a1b2_c3d4_e5f6_u64.to_le_bytes();
    assert_eq!(masked(&bytes, &[], &[]), [0; 8]);
    assert_eq!(masked(&bytes, &[], &[(0x1000, 8)]), bytes);
}

#[test]
fn a_number_that_spells_text_goes_even_if_it_was_read_as_a_number() {
    assert_eq!(masked(b"s3cret-p", &[], &[(0x1000, 8)]), b"xxxxxxxx");
    assert_eq!(masked(b"pw12\x01\0\0\0", &[], &[(0x1000, 4)])[..4], *b"xxxx");
}

#[test]
fn sizes_that_the_analysis_read_stay() {
    let bytes = 0x2_1000_0000_u64.to_le_bytes();
    assert_eq!(masked(&bytes, &[], &[])[..], [0, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(masked(&bytes, &[(0x1000, 0x1008)], &[]), bytes);
}

#[test]
fn of_a_message_that_the_analysis_read_the_runtime_s_own_words_stay() {
    let message = b"srv: a.c:4: Assertion `pin != 4711' failed.\n\0\0\0\0";
    let kept = masked(message, &[(0x1000, 0x1040)], &[]);
    assert_eq!(kept, b"xxxxxxxxxxxxAssertion `xxxxxxxxxxx' failed.\n\0\0\0\0");
    assert_eq!(masked(message, &[], &[])[..43], [MASK; 43]);
}

fn masked_as(bytes: &[u8], typed: &Places) -> Vec<u8> {
    let nothing = Ranges::default();
    let judge = Judge {
        word: 8,
        little_endian: true,
        is_mapped: &|_| false,
        wanted: &Ranges::of([(0x1000, 0x1000 + bytes.len() as u64)]),
        plain: &nothing,
        facts: &nothing,
        numbers: &[],
        groups: &nothing,
        typed,
    };
    judge.mask(0x1000, bytes)
}

#[test]
fn a_hidden_number_keeps_its_size_its_sign_and_whether_it_is_zero() {
    let hidden = vec![
        (0x1000, 8, Hidden::Integer),
        (0x1008, 4, Hidden::Integer),
        (0x100c, 2, Hidden::Integer),
        (0x100e, 2, Hidden::Other),
    ];
    let mut bytes = 4_532_015_112_830_366_u64.to_le_bytes().to_vec();
    bytes.extend((-4711_i32).to_le_bytes());
    bytes.extend([0, 0, 7, 7]);
    let masked = masked_as(&bytes, &Places { hidden, ..Places::default() });
    let expected = [1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(masked, expected);
}

#[test]
fn copies_of_a_hidden_number_go_too_and_those_in_network_order() {
    let card = 4_532_015_112_830_366_u64;
    let typed = Places {
        values: HashSet::from([card, 4711]),
        numbers: vec![(0x1000, 8), (0x1010, 4)],
        ..Places::default()
    };
    let mut bytes = card.to_le_bytes().to_vec();
    bytes.extend(card.to_be_bytes());
    // A number as small may be another one where it is known to be one.
    bytes.extend(4711_u32.to_le_bytes());
    bytes.extend(4711_u32.to_le_bytes());
    let masked = masked_as(&bytes, &typed);
    let numbers: Vec<_> = masked.chunks_exact(8).collect();
    // Of the other order the sign is what this machine would read.
    assert_eq!(numbers[..2], [&1_i64.to_le_bytes(), &(-1_i64).to_le_bytes()]);
    assert_eq!(masked[16..], [0x67, 0x12, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_number_by_its_type_stays_whatever_its_size_and_beside_text() {
    let typed = Places {
        numbers: vec![(0x1000, 1), (0x1001, 1), (0x1004, 8), (0x100c, 4)],
        ..Places::default()
    };
    let mut bytes = vec![200, b'A', 0, 0];
    bytes.extend(0x9f3c_a1b2_c3d4_e5f6_u64.to_le_bytes());
    bytes.extend([0x54, 0x2d, 0, 0x5f]);
    let length = bytes.len();
    bytes.extend(b"a name of somebody");
    let masked = masked_as(&bytes, &typed);
    assert_eq!(masked[..length], bytes[..length]);
    assert_eq!(masked[length..], [MASK; 18]);
    // The rest of a text is none.
    let typed = Places { numbers: vec![(0x1008, 4)], ..Places::default() };
    assert_eq!(masked_as(b"hunter2h98\0\0\0\0\0\0", &typed)[8..12], *b"xx\0\0");
}

#[test]
fn an_array_of_characters_is_masked_to_its_end_however_short_its_text() {
    let typed = Places { texts: vec![(0x1000, 8)], ..Places::default() };
    assert_eq!(masked_as(b"w7\0ab\0\0c", &typed), b"xx\0xx\0\0x");
    let hidden = vec![(0x1000, 4, Hidden::Text)];
    let typed = Places { hidden, numbers: vec![(0x1000, 4)], ..Places::default() };
    assert_eq!(masked_as(&[1, 2, 0, 3], &typed), b"xx\0x");
}

#[test]
fn of_a_hash_table_the_free_slots_stay_free() {
    let mut bytes = b"abcd".to_vec();
    bytes.extend([0xff; 12]);
    let nothing = Ranges::default();
    let judge = Judge {
        word: 8,
        little_endian: true,
        is_mapped: &|_| false,
        wanted: &Ranges::of([(0x1000, 0x1010)]),
        plain: &nothing,
        facts: &nothing,
        numbers: &[],
        groups: &Ranges::of([(0x1000, 0x1010)]),
        typed: &Places::default(),
    };
    let masked = judge.mask(0x1000, &bytes);
    assert_eq!((&masked[..4], &masked[4..]), (&b"xxxx"[..], &[0xff; 12][..]));
}

#[test]
fn a_register_full_of_text_is_masked_and_a_bad_pointer_is_not() {
    let nothing = Ranges::default();
    let judge = Judge {
        word: 8,
        little_endian: true,
        is_mapped: &|_| false,
        wanted: &nothing,
        plain: &nothing,
        facts: &nothing,
        numbers: &[],
        groups: &Ranges::default(),
        typed: &Places::default(),
    };
    let mut text = *b"hunter\0\0";
    assert!(judge.mask_register(&mut text));
    assert_eq!(text, *b"xxxxxx\0\0");
    let mut bad = 0xdead_0000_beef_u64.to_le_bytes();
    assert!(!judge.mask_register(&mut bad));
    assert_eq!(bad, 0xdead_0000_beef_u64.to_le_bytes());
}

#[test]
fn the_size_of_a_block_is_kept_where_a_text_fills_the_one_before_to_its_end() {
    // 16 bytes of text, then the size 0x41: `A` and NULs.
    let bytes = [b"hunter2hunter98!".as_slice(), &0x41_u64.to_le_bytes()].concat();
    let size = (0x1010, 0x1018);
    assert_eq!(masked(&bytes, &[size], &[])[16..], 0x41_u64.to_le_bytes());
    assert_eq!(masked(&bytes, &[], &[])[16..17], *b"x", "no one asked for it");
    let other = [b"hunter2hunter98!".as_slice(), &0x6261_u64.to_le_bytes()[..]].concat();
    assert_eq!(masked(&other, &[(0x1010, 0x1018)], &[])[16..18], *b"ab", "a size of 0x6260");
    let letters = [b"hunter2hunter98!".as_slice(), &0x6262_u64.to_le_bytes()[..]].concat();
    assert_eq!(masked(&letters, &[(0x1010, 0x1018)], &[])[16..18], *b"xx", "no size");
}
