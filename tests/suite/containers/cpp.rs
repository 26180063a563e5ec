//! libstdc++ by gcc 12 and clang 14, and libc++ 14, 19 and 22.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::readable::{Reported, variables};

/// Cases of the same program.
const ALL: &[&str] =
    &[GCC, "containers-clang-libstdcxx", LIBCXX14, "containers-libcxx19", LIBCXX22];
const LIBSTDCXX: &[&str] = &[GCC, "containers-clang-libstdcxx"];
const LIBCXX: &[&str] = &[LIBCXX14, "containers-libcxx19", LIBCXX22];
/// Those built as C++23.
const NEW: &[&str] = &[GCC, "containers-libcxx19", LIBCXX22];
const GCC: &str = "containers-libstdcxx";
const LIBCXX14: &str = "containers-libcxx14";
const LIBCXX22: &str = "containers-libcxx22";

/// Checks what is shown of variables of `hold` in each case.
fn check(cases: &[&str], expected: &[(&str, &str)]) {
    for case in cases {
        let printed = printed(case, "hold");
        for (name, expected) in expected {
            let found = printed.get(*name).map(String::as_str);
            assert_eq!(found, Some(*expected), "{name} in {case}");
        }
    }
}

fn shown_of(case: &str, name: &str) -> String {
    printed(case, "hold")[name].clone()
}

fn printed(case: &str, function: &str) -> Reported {
    static KNOWN: LazyLock<Mutex<HashMap<String, Reported>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let read = || variables(case, function);
    known.entry(format!("{case}/{function}")).or_insert_with(read).clone()
}

#[test]
fn strings_of_all_characters_lengths_and_bytes() {
    check(
        ALL,
        &[
            ("text_short", r#"std::string of 4 "pear""#),
            ("text_empty", "std::string, empty"),
            ("text_long", &format!("std::string of 40 \"{}\"", "x".repeat(40))),
            // Its content has moved.
            ("text_nul", "std::string, empty"),
            ("text_moved_to", r#"std::string of 3 "a\0b""#),
            ("text_bytes", r#"std::string of 7 "café \\xff""#),
            ("text_wide", r#"std::wstring of 31 "wide é and long enough to leave""#),
            ("text_8", r#"std::u8string of 2 "é""#),
            ("text_16", r#"std::u16string of 10 "sixteen 😀""#),
            ("text_32", r#"std::u32string of 1 "😀""#),
        ],
    );
}

#[test]
fn a_string_longer_than_is_shown_says_how_much_is_left_out() {
    let shown = format!("std::string of 10000 \"{}…\"+9800", "h".repeat(50));
    check(ALL, &[("text_huge", &shown)]);
}

#[test]
fn strings_of_the_alternate_layout() {
    check(
        &["strings-alternate14", "strings-alternate19"],
        &[
            ("brief", r#"std::string of 4 "pear""#),
            ("empty", "std::string, empty"),
            ("full", r#"std::string of 22 "twenty-two characters.""#),
            ("wordy", &format!("std::string of 40 \"{}\"", "x".repeat(40))),
            ("wide", r#"std::wstring of 3 "abc""#),
            ("wide_wordy", r#"std::wstring of 14 "more than five""#),
        ],
    );
}

#[test]
fn strings_that_count_their_references() {
    check(
        &["containers-debug"],
        &[
            ("text", r#"std::string of 4 "pear""#),
            ("text_shared", r#"std::string of 4 "pear""#),
            ("text_empty", "std::string, empty"),
            ("wide", r#"std::wstring of 4 "wide""#),
        ],
    );
}

#[test]
fn containers_that_check_their_iterators() {
    check(
        &["containers-debug"],
        &[
            ("vec", "std::vector of 3 {1, 2, 3}"),
            ("vec_empty", "std::vector, empty"),
            ("bits", "std::vector of 2 {true, false}"),
            ("deq", "std::deque of 2 {4, 5}"),
            ("lst", "std::list of 2 {6, 7}"),
            ("lst_empty", "std::list, empty"),
            (
                "map",
                "std::map of 2 {std::pair {first: 1, second: 2}, std::pair {first: 3, second: 4}}",
            ),
            ("set", "std::set of 1 {9}"),
            ("umap", "std::unordered_map of 1 {std::pair {first: 5, second: 6}}"),
        ],
    );
}

#[test]
fn string_views() {
    check(
        ALL,
        &[("view", r#"std::string_view of 5 "xxxxx""#), ("view_empty", "std::string_view, empty")],
    );
}

#[test]
fn vectors() {
    check(
        ALL,
        &[
            ("vec", "std::vector of 3 {1, 2, 3}"),
            ("vec_empty", "std::vector, empty"),
            ("vec_big", "std::vector of 1000 {7, 7, 7, 7, 7, 7, 7, 7, +992}"),
            ("vec_moved", "std::vector, empty"),
            ("vec_moved_to", "std::vector of 2 {4, 5}"),
            ("vec_text", r#"std::vector of 2 {std::string of 1 "a", std::string of 2 "bb"}"#),
        ],
    );
}

#[test]
fn vectors_of_bits() {
    let long = "std::vector of 70 {true, true, true, true, true, true, true, true, +62}";
    check(
        ALL,
        &[
            ("bits", "std::vector of 3 {true, false, true}"),
            ("bits_empty", "std::vector, empty"),
            ("bits_long", long),
        ],
    );
}

#[test]
fn arrays() {
    check(ALL, &[("arr", "std::array of 3 {7, 8, 9}"), ("arr_empty", "std::array, empty")]);
}

#[test]
fn deques() {
    let big = "std::deque of 2001 {-1, 1000, 1001, 1002, 1003, 1004, 1005, 1006, +1993}";
    check(
        ALL,
        &[
            ("deq", "std::deque of 3 {4, 5, 6}"),
            ("deq_empty", "std::deque, empty"),
            ("deq_big", big),
            ("deq_wide", "std::deque of 1 {{lanes: {1.0, 2.0, 3.0, 4.0}}}"),
        ],
    );
}

#[test]
fn lists() {
    let wide = "{{lanes: {1.0, 2.0, 3.0, 4.0}}, {lanes: {5.0, 6.0, 7.0, 8.0}}}";
    check(
        ALL,
        &[
            ("lst", "std::list of 3 {1, 2, 3}"),
            ("lst_empty", "std::list, empty"),
            // Aligned to 32 bytes.
            ("lst_wide", &format!("std::list of 2 {wide}")),
        ],
    );
}

#[test]
fn forward_lists() {
    check(
        ALL,
        &[
            ("fwd", "std::forward_list of 2 {1, 2}"),
            ("fwd_empty", "std::forward_list, empty"),
            ("fwd_point", "std::forward_list of 1 {{x: 1, y: 2}}"),
        ],
    );
}

#[test]
fn maps_and_sets() {
    let map = r#"std::map of 3 {std::pair {first: std::string of 3 "one", second: 1}, std::pair {first: std::string of 5 "three", second: 3}, std::pair {first: std::string of 3 "two", second: 2}}"#;
    let pairs: Vec<String> =
        (0..8).map(|i| format!("std::pair {{first: {i}, second: {}}}", i * i)).collect();
    let big = format!("std::map of 1000 {{{}, +992}}", pairs.join(", "));
    let multimap = r#"std::multimap of 2 {std::pair {first: 1, second: "a"}, std::pair {first: 1, second: "b"}}"#;
    check(
        ALL,
        &[
            ("map", map),
            ("map_empty", "std::map, empty"),
            ("map_big", &big),
            ("set", "std::set of 3 {1, 2, 3}"),
            ("multimap", multimap),
            ("multiset", "std::multiset of 2 {5, 5}"),
        ],
    );
}

#[test]
fn hash_tables() {
    let umap =
        r#"std::unordered_map of 1 {std::pair {first: 7, second: std::string of 5 "seven"}}"#;
    let umap_text =
        r#"std::unordered_map of 1 {std::pair {first: std::string of 1 "k", second: 1}}"#;
    let twice = "std::unordered_multimap of 2 {std::pair {first: 1, second: 2}, std::pair {first: 1, second: 2}}";
    check(
        ALL,
        &[
            ("umap", umap),
            ("umap_empty", "std::unordered_map, empty"),
            ("umap_text", umap_text),
            ("uset", "std::unordered_set of 1 {42}"),
            ("uset_text", r#"std::unordered_set of 1 {std::string of 1 "s"}"#),
            ("umultimap", twice),
            ("umultiset", "std::unordered_multiset of 2 {6, 6}"),
            (
                "uset_big",
                "std::unordered_set of 500 {499, 498, 497, 496, 495, 494, 493, 492, +492}",
            ),
        ],
    );
}

#[test]
fn adaptors_are_called_by_their_own_name() {
    check(
        ALL,
        &[
            ("stack", "std::stack of 2 {1, 2}"),
            ("queue", "std::queue of 2 {3, 4}"),
            ("heap", "std::priority_queue of 2 {9, 1}"),
        ],
    );
}

#[test]
fn pairs_and_tuples() {
    check(
        ALL,
        &[
            ("pair", r#"std::pair {first: 1, second: std::string of 1 "p"}"#),
            ("tuple", r#"std::tuple of 3 {1, "c", std::string of 1 "t"}"#),
            ("tuple_empty_member", "std::tuple of 2 {, 5}"),
            ("tuple_none", "std::tuple, empty"),
        ],
    );
}

#[test]
fn optionals() {
    check(
        ALL,
        &[
            ("some", r#"std::optional {value: std::string of 3 "yes"}"#),
            ("none", "std::optional, empty"),
            ("some_none", "std::optional {value: std::optional, empty}"),
        ],
    );
}

#[test]
fn variants() {
    check(
        ALL,
        &[
            ("alt0", "std::variant, alternative 0 {value: 42}"),
            ("alt1", r#"std::variant, alternative 1 {value: std::string of 3 "alt"}"#),
            ("alt2", "std::variant, alternative 2 {value: std::vector of 2 {1, 2}}"),
            ("valueless", "std::variant, valueless"),
        ],
    );
}

#[test]
fn anys_by_the_name_of_their_manager() {
    let text = |string: &str| {
        format!("std::any of {string} {{value: std::string of 26 \"any long enough not to fit\"}}")
    };
    check(ALL, &[("any_int", "std::any of int {value: 5}"), ("any_none", "std::any, empty")]);
    let new = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    check(LIBSTDCXX, &[("any_text", &text(new))]);
    let own =
        "std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >";
    check(LIBCXX, &[("any_text", &text(own))]);
}

#[test]
fn expected_values_and_errors() {
    check(
        NEW,
        &[
            ("expect_value", "std::expected, value {value: 3}"),
            ("expect_error", r#"std::expected, error {error: std::string of 3 "bad"}"#),
            ("expect_void", "std::expected, value"),
        ],
    );
}

#[test]
fn unique_pointers() {
    check(
        ALL,
        &[
            ("unique", "std::unique_ptr {get(): * -> {x: 1, y: 2}}"),
            ("unique_null", "std::unique_ptr, empty"),
            ("unique_array", "std::unique_ptr {get(): * -> 0}"),
            ("unique_deleter", "std::unique_ptr {get(): * -> {x: 3, y: 4}}"),
        ],
    );
}

#[test]
fn smart_pointers_know_the_class_of_what_they_point_at() {
    let printed = shown_of(GCC, "unique_shape");
    assert!(printed.starts_with("std::unique_ptr {get(): Circle * -> {"), "{printed}");
    for case in ALL {
        assert!(shown_of(case, "owner_shape").contains("radius: 2.5"));
    }
}

#[test]
fn shared_and_weak_pointers_with_their_counts() {
    let point = "{get(): * -> {x: 5, y: 6}}";
    check(
        ALL,
        &[
            ("owner", &format!("std::shared_ptr, 2 owners, 1 weak {point}")),
            ("owner_two", &format!("std::shared_ptr, 2 owners, 1 weak {point}")),
            ("owner_null", "std::shared_ptr, empty"),
            ("weak", &format!("std::weak_ptr, 2 owners, 1 weak {point}")),
            ("weak_null", "std::weak_ptr, empty"),
            ("weak_expired", "std::weak_ptr, expired"),
        ],
    );
}

#[test]
fn functions_by_their_target() {
    let hold = |vector: &str, lambda: &str| {
        format!("std::function to hold(std::initializer_list<int>, {vector}*)::{lambda}")
    };
    check(ALL, &[("fun_none", "std::function, empty")]);
    let vector = "std::vector<int, std::allocator<int> >";
    check(LIBSTDCXX, &[("fun_pointer", "std::function to doubled(int)")]);
    check(&[GCC], &[("fun_lambda", &hold(vector, "{lambda(int)#2}"))]);
    let target = r#"std::function to doubled(int) {target(): "doubled(int)"}"#;
    check(LIBCXX, &[("fun_pointer", target)]);
    let vector = "std::__1::vector<int, std::__1::allocator<int> >";
    check(LIBCXX, &[("fun_lambda", &hold(vector, "$_0"))]);
}

#[test]
fn references_and_atomics() {
    check(
        ALL,
        &[
            ("ref", "std::reference_wrapper {get(): * -> 11}"),
            ("atom", "std::atomic {value: 3}"),
            ("atom_bool", "std::atomic {value: true}"),
            ("atom_pointer", "std::atomic {value: null}"),
            ("atom_point", "std::atomic {value: {x: 1, y: 2}}"),
        ],
    );
}

#[test]
fn numbers_bits_and_bytes() {
    let long = format!("std::bitset of 70 bits \"1{}…\"", "0".repeat(49));
    check(
        ALL,
        &[
            ("complex", "std::complex {real: 1.5, imag: -2.0}"),
            ("complex_float", "std::complex {real: 0.5, imag: 1.0}"),
            ("bitset", r#"std::bitset of 10 bits "1000000101""#),
            ("bitset_long", &long),
            ("byte", "90"),
        ],
    );
}

#[test]
fn spans_and_lists_in_braces() {
    check(
        ALL,
        &[
            ("span", "std::span of 3 {1, 2, 3}"),
            ("span_fixed", "std::span of 2 {1, 2}"),
            ("braces", "std::initializer_list of 3 {10, 20, 30}"),
        ],
    );
}

#[test]
fn times_with_their_unit() {
    check(
        ALL,
        &[
            ("seconds", r#"std::chrono::duration "90 s""#),
            ("millis", r#"std::chrono::duration "1500 ms""#),
            ("minutes", r#"std::chrono::duration "1.5 min""#),
            ("hours", r#"std::chrono::duration "2 h""#),
            ("ticks", r#"std::chrono::duration "45 [1/30]s""#),
            ("instant", r#"std::chrono::time_point of system_clock "2023-11-14T22:13:20Z""#),
            (
                "steady",
                r#"std::chrono::time_point of steady_clock "5000000000 ns since the clock's epoch""#,
            ),
        ],
    );
}

#[test]
fn paths() {
    check(ALL, &[("path", r#"std::filesystem::path "/var/log/syslog""#)]);
}

#[test]
fn locks_and_who_holds_them() {
    check(
        ALL,
        &[
            ("mutex", "std::mutex, unlocked"),
            ("mutex_held", "std::mutex, locked by thread TID"),
            ("recursive", "std::recursive_mutex, locked 2 times by thread TID"),
            ("rw", "std::shared_mutex, unlocked"),
            ("rw_read", "std::shared_mutex, locked by 1 reader"),
        ],
    );
    check(LIBSTDCXX, &[("rw_written", "std::shared_mutex, locked by thread TID, a writer")]);
    check(LIBCXX, &[("rw_written", "std::shared_mutex, locked by a writer")]);
    let quiet = "std::condition_variable, no waiters";
    check(&[GCC, LIBCXX14, LIBCXX22], &[("condition", quiet)]);
}

#[test]
fn threads() {
    check(
        ALL,
        &[
            ("thread_none", "std::thread, not joinable"),
            ("thread_id_none", "std::thread::id of no thread"),
        ],
    );
    for case in ALL {
        let running = shown_of(case, "thread_running");
        assert!(running.starts_with("std::thread, joinable {native_handle(): "), "{running}");
        let id = shown_of(case, "thread_id");
        assert!(id.starts_with("std::thread::id {native_handle(): "), "{id}");
    }
}

#[test]
fn exceptions_by_their_type() {
    check(ALL, &[("exception_none", "std::exception_ptr, empty")]);
    for case in ALL {
        let printed = shown_of(case, "exception");
        assert!(printed.starts_with("std::exception_ptr to std::runtime_error"), "{printed}");
    }
}

#[test]
fn source_locations() {
    for case in NEW {
        let printed = shown_of(case, "here");
        let start =
            "std::source_location {file_name: \"containers.cc\", function_name: \"void hold(";
        assert!(printed.starts_with(start), "{printed}");
        assert!(printed.contains(", line: 22"), "{printed}");
    }
}

#[test]
fn what_a_stray_write_broke_is_called_damaged() {
    check(
        ALL,
        &[
            ("bad_vector", "std::vector, damaged: it ends before it begins"),
            ("bad_vector_end", "std::vector, damaged: it ends beyond its storage"),
            ("bad_string", "std::string, damaged: it is longer than its storage"),
            ("bad_list", "std::list, damaged: a node does not link back to the one before it {1}"),
            ("bad_map", "std::map, damaged: a node does not link back to its parent"),
            ("bad_hash", "std::unordered_set, damaged: its memory is not mapped {3}"),
        ],
    );
    for case in ALL {
        assert!(shown_of(case, "bad_deque").starts_with("std::deque, damaged: "));
    }
}

#[test]
fn a_variable_that_does_not_live_yet_has_no_elements() {
    for case in ALL {
        let printed = printed(case, "unborn");
        let late: Vec<_> = printed.iter().filter(|(name, _)| name.starts_with("late_")).collect();
        assert_eq!(late.len(), 13, "{case}");
        for (name, printed) in late {
            assert!(printed.contains(", damaged: ") && !printed.contains('{'), "{name}: {printed}");
        }
    }
}
