//! Heap damage: what is left of the bug when the allocator finds it.

use super::*;

/// The allocator, called by `function`, found damage behind a chunk.
fn damaged(function: &str, size: u32) -> CrashKey {
    CrashKey {
        class: "heap-corruption".to_owned(),
        damaged: format!("{size}-byte chunk"),
        ..key(&format!("malloc > {function} < main"))
    }
}

#[test]
fn heap_damage_behind_chunks_of_one_size_is_one_bug_wherever_it_is_found() {
    let of = |functions: &[&str], size: u32| -> Vec<CrashKey> {
        functions.iter().map(|function| damaged(function, size)).collect()
    };
    let all = ["add", "drop", "grow", "load"];
    let two = [of(&all, 48), of(&all, 208)].concat();
    assert_eq!(groups_of(&two).len(), 2, "two sizes, each of many crashes, are two bugs");
    // A buffer of any size: equal sizes are chance.
    let sizes = [32, 48, 80, 112, 208, 272];
    let spread: Vec<CrashKey> = sizes.iter().flat_map(|size| of(&["add", "load"], *size)).collect();
    assert_eq!(groups_of(&spread).len(), 2, "one for each signature");
    // A block that was freed twice is no damage.
    let freed =
        CrashKey { class: "double-free".to_owned(), damaged: String::new(), ..damaged("add", 48) };
    assert_eq!(groups_of(&[of(&all, 48), vec![freed.clone()]].concat()).len(), 2);
    assert_eq!(groups_of(&[damaged("add", 48), freed]).len(), 2);
}

/// The same, with what was written there and where the pointer to the block is kept.
fn overrun(function: &str, size: u32, written: [&str; 2], pointed_from: &str) -> CrashKey {
    let [overwritten_with, pattern] = written.map(str::to_owned);
    let pointed_from = pointed_from.to_owned();
    CrashKey { overwritten_with, pattern, pointed_from, ..damaged(function, size) }
}

const FUNCTIONS: [&str; 4] = ["add", "drop", "grow", "load"];
const SIZES: [u32; 4] = [32, 48, 80, 112];

/// Damage behind blocks of several sizes, found by a function each.
fn spread(written: [&str; 2], pointed_from: &str) -> Vec<CrashKey> {
    let all = FUNCTIONS.iter().zip(SIZES);
    all.map(|(function, size)| overrun(function, size, written, pointed_from)).collect()
}

#[test]
fn blocks_of_any_size_whose_pointer_is_kept_at_one_place_are_of_one_bug() {
    assert!(are_one(&spread(["text", ""], "`samples`")));
    assert!(are_one(&spread(["text", ""], "64-byte heap chunk + 24")));
    assert_eq!(groups_of(&spread(["text", ""], "")).len(), 4, "nothing brings them together");
    let two = [spread(["text", ""], "`names`"), spread(["text", ""], "`titles`")].concat();
    assert_eq!(groups_of(&two).len(), 2, "in the same functions");
}

#[test]
fn the_same_bytes_written_are_of_one_bug_unless_two_places_show_two() {
    assert!(are_one(&spread(["integers", "0x2a"], "")));
    let two = [
        spread(["text", "A"], "`names`"),
        spread(["text", "A"], "`titles`")
            .into_iter()
            .map(|key| CrashKey { signature: format!("{}, too", key.signature), ..key })
            .collect(),
    ];
    assert_eq!(groups_of(&two.concat()).len(), 2);
}

#[test]
fn text_and_numbers_are_written_by_two_bugs_even_if_one_function_finds_both() {
    let of = |written: [&str; 2], from: &str| {
        let sizes = SIZES.iter();
        sizes.map(|size| overrun("add", *size, written, from)).collect::<Vec<_>>()
    };
    let two = [
        of(["text", ""], "64-byte heap chunk + 24"),
        of(["integers", ""], "64-byte heap chunk + 32"),
    ];
    assert_eq!(groups_of(&two.concat()).len(), 2);
    let found = group(&two.concat(), &[1; 8], &Constraints::default());
    assert!(found.subgroups[0].ends_with("@(text)"), "{:?}", found.subgroups);
}

#[test]
fn what_one_pointer_left_over_says_is_nothing() {
    let left = |nth: usize, place: &str| CrashKey {
        pointed_from: place.to_owned(),
        ..spread(["text", r"\n"], "")[nth].clone()
    };
    let keys = [left(0, "80-byte heap chunk + 16"), left(1, "144-byte heap chunk + 120")];
    assert!(are_one(&keys), "the bytes say more");
}

#[test]
fn damage_of_a_kind_that_nothing_else_distinguishes_is_suspected() {
    let known = spread(["floating", ""], "`samples`");
    let other = CrashKey { pattern: "0x402b000000000000".to_owned(), ..damaged("list", 80) };
    let other = CrashKey { overwritten_with: "floating".to_owned(), ..other };
    let keys = [known.clone(), vec![other.clone()]].concat();
    assert!(are_suspected(&keys));
    let other = CrashKey { overwritten_with: "text".to_owned(), ..other };
    assert!(!are_suspected(&[known, vec![other]].concat()));
}

#[test]
fn a_pointer_that_was_written_over_is_of_the_damage_that_is_found_with_it() {
    let wild = CrashKey {
        class: "non-canonical".to_owned(),
        ..overrun("find", 48, ["text", ""], "`names`")
    };
    let wild = CrashKey { called: Called::Nothing, signature: "find".to_owned(), ..wild };
    let keys = [spread(["text", ""], "`names`"), vec![wild.clone()]].concat();
    assert!(are_one(&keys));
    // Text that is written over a pointer does not make it NULL.
    let null = CrashKey {
        class: "null-read".to_owned(),
        damaged: String::new(),
        overwritten_with: String::new(),
        pointed_from: String::new(),
        ..wild
    };
    assert_eq!(groups_of(&[keys, vec![null]].concat()).len(), 2);
}

#[test]
fn the_function_that_found_damage_has_no_other_bug_by_that() {
    let of = |build: &str, key: CrashKey| CrashKey { build: build.to_owned(), ..key };
    let found: Vec<CrashKey> =
        spread(["integers", "0x2a"], "").into_iter().map(|key| of("O0", key)).collect();
    let ended =
        CrashKey { class: "terminate".to_owned(), ..of("O2", key("std::terminate > add < main")) };
    assert!(!are_suspected(&[found, vec![ended]].concat()));
}

#[test]
fn a_library_without_symbols_did_not_find_the_damage_that_another_bug_did() {
    let unnamed = key("libc.so > add < main");
    let keys = [spread(["integers", "0x2a"], ""), vec![unnamed.clone()]].concat();
    assert_eq!(groups_of(&keys).len(), 2);
    // Unless its heap is damaged in the same way.
    let found = CrashKey { called: unnamed.called, ..overrun("add", 48, ["integers", "0x2a"], "") };
    let found = CrashKey { signature: unnamed.signature, ..found };
    assert!(are_one(&[spread(["integers", "0x2a"], ""), vec![found]].concat()));
}
