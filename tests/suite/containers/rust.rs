//! Rust's standard library, of the first and the last rustc that obit was tried with.

use std::collections::BTreeMap;

use super::readable::{self, variables, variables_with};

const CASES: [&str; 2] = ["containers-rust163", "containers-rust"];

fn bag(case: &str) -> BTreeMap<String, String> {
    variables(case, "bag::main")
}

fn check(expected: &[(&str, &str)]) {
    readable::check(&CASES, "bag::main", expected);
}

#[test]
fn owned_and_borrowed_text_is_shown_as_text() {
    check(&[
        ("string", r#""grüße" …"#),
        ("empty_string", r#""" …"#),
        ("text", r#""a slice" …"#),
        ("boxed_text", r#""boxed" …"#),
        ("path_buf", r#""/tmp/a" …"#),
        ("path", r#""/tmp/b" …"#),
        ("os_string", r#""os" …"#),
        ("c_string", r#""see" …"#),
    ]);
}

#[test]
fn sequences_show_their_elements_in_order() {
    check(&[
        ("vec", "Vec of 3 {10, 20, 30}"),
        ("empty_vec", "Vec, empty"),
        ("strings", r#"Vec of 2 {"one", "two"}"#),
        ("nested", "Vec of 2 {Some {0: *}, None}"),
        ("slice", "slice of 2 {20, 30}"),
        ("boxed_slice", "slice of 2 {1, 2}"),
        ("heap", "BinaryHeap of 3 {3, 2, 1}"),
        ("list", "LinkedList of 2 {1, 2}"),
    ]);
}

#[test]
fn a_ring_that_wrapped_is_shown_from_its_first_element() {
    check(&[("deque", "VecDeque of 5 {9, 0, 1, 2, 3}")]);
}

#[test]
fn trees_show_their_elements_in_order() {
    check(&[
        ("small_tree", r#"BTreeMap of 2 {{key: -1, value: "minus"}, {key: 5, value: "five"}}"#),
        ("empty_tree", "BTreeMap, empty"),
        ("tree_set", "BTreeSet of 3 {5, 6, 7}"),
        ("tree", r#"BTreeMap of 30 {{key: 0, value: "a"}, {key: 1, value: "b"}, …"#),
    ]);
    for case in CASES {
        let shown = &variables_with(case, "bag::main", 100)["tree"];
        let keys: Vec<u32> = shown
            .split("key: ")
            .skip(1)
            .map(|rest| rest.split(',').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(keys, (0..30).collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn hash_maps_show_each_element_once() {
    for case in CASES {
        let shown = variables_with(case, "bag::main", 1000);
        let big = &shown["big_map"];
        assert!(big.starts_with("HashMap of 100 {"), "{case}: {big}");
        assert_eq!(big.matches("key: ").count(), 100, "{case}");
        for key in 0..100 {
            let entry = format!("{{key: {key}, value: {}}}", key * 2);
            assert!(big.contains(&entry), "{case}: no {entry}");
        }
        let map = &shown["map"];
        assert!(map.starts_with("HashMap of 2 {"), "{case}: {map}");
        assert!(map.contains(r#"{key: "k1", value: 11}"#), "{case}: {map}");
        assert!(map.contains(r#"{key: "k2", value: 22}"#), "{case}: {map}");
        let set = &shown["set"];
        assert!(set.starts_with("HashSet of 3 {"), "{case}: {set}");
        assert!((1..=3).all(|element| set.contains(&element.to_string())), "{case}: {set}");
    }
    check(&[("empty_map", "HashMap, empty"), ("big_map", "HashMap of 100 {…")]);
}

#[test]
fn counted_pointers_show_their_counts_and_the_value() {
    check(&[
        ("rc", "Rc, 2 strong, 1 weak {value: 5}"),
        ("weak", "Weak, 2 strong, 1 weak {value: 5}"),
        ("dangling", "Weak, to nothing"),
        ("expired", "Weak, its value is dropped, 1 weak"),
        ("rc_dyn", "Rc, 1 strong, 0 weak {value: {side: 5}}"),
        ("arc_slice", "Arc, 1 strong, 0 weak, slice of 2 {4, 5}"),
        ("rc_text", r#"Rc, 1 strong, 0 weak "counted""#),
        ("arc", "Arc, 1 strong, 0 weak {value: Mutex, locked {value: Vec of 3 {1, 2, 3}}}"),
        ("boxed", "* -> 77"),
    ]);
}

#[test]
fn cells_and_locks_show_who_may_use_their_value() {
    check(&[
        ("cell", "Cell {value: true}"),
        ("ref_cell", "RefCell, borrowed once {value: 8}"),
        ("borrowed", "Ref {value: 8}"),
        ("ref_cell_mut", "RefCell, mutably borrowed {value: 9}"),
        ("borrowed_mut", "RefMut {value: 9}"),
        ("rwlock", "RwLock, locked by 1 reader {value: {__0: 1, __1: 2.5}}"),
        ("poisoned", "Mutex, not locked, poisoned {value: 3}"),
        ("atomic", "AtomicU32 {value: 99}"),
        ("flag", "AtomicBool {value: 1}"),
    ]);
}

#[test]
fn enums_show_their_variant_and_what_it_carries() {
    check(&[
        ("some", "Some {0: -5}"),
        ("none", "None"),
        ("niche", "None"),
        ("ok", "Ok {0: 9}"),
        ("err", r#"Err {0: "bad"}"#),
        ("dot", "Dot"),
        ("circle", "Circle {0: 1.5}"),
        ("rect", "Rect {w: 3, h: 4}"),
        ("levels", r#"{"Low", "High"}"#),
        ("ordering", r#""Less""#),
    ]);
}

#[test]
fn a_trait_object_shows_its_concrete_type() {
    check(&[
        ("dyn_box", "bag::Square as dyn bag::Area {value: {side: 4}}"),
        ("dyn_ref", "bag::Square as dyn bag::Area {value: {side: 6}}"),
    ]);
}

#[test]
fn a_closure_shows_what_it_captured() {
    check(&[("closure", "closure over 2 variables {factor: 3, slice: slice of 2 {20, 30}}")]);
}

#[test]
fn async_code_shows_where_it_waits_and_its_variables_there() {
    for case in CASES {
        let shown = bag(case);
        let late = "async fn bag::task, at await 2 of 2 in line 66 \
                    {id: 8, name: \"late\", first: 1, label: \"late 1\", awaited: {__0: true}}";
        assert!(shown["late"].contains(late), "{case}: {}", shown["late"]);
        let unstarted = "async fn bag::task, not started {id: 9, name: \"unstarted\"}";
        assert!(shown["unstarted"].contains(unstarted), "{case}: {}", shown["unstarted"]);
    }
}

#[test]
fn a_once_cell_shows_whether_it_is_set() {
    let shown = bag("containers-rust");
    assert_eq!(shown["once"], "OnceCell, set {value: 4}");
    assert_eq!(shown["no_once"], "OnceCell, not set");
}

#[test]
fn numbers_times_and_ranges_are_spelled_out() {
    check(&[
        ("duration", r#""1.5 s" …"#),
        ("range", r#""3..7" …"#),
        ("inclusive", r#""3..=7" …"#),
        ("time", r#""2000-02-29T00:00:00.5Z" …"#),
        ("wrapping", "Wrapping {value: 250}"),
        ("letter", r#""ß""#),
        ("tuple", r#"{__0: 1, __1: -2, __2: "q"}"#),
    ]);
    // NonZeroU32 became another name of NonZero<u32> in 1.79.
    assert_eq!(bag(CASES[0])["non_zero"], "NonZeroU32 {value: 6}");
    assert_eq!(bag(CASES[1])["non_zero"], "NonZero {value: 6}");
}
