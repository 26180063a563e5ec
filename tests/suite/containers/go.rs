//! Go, with the maps it had up to 1.23 and those it has had since.

use super::readable::{self, variables_with};

const CASES: [&str; 2] = ["containers-go119", "containers-go124"];

fn check(expected: &[(&str, &str)]) {
    readable::check(&CASES, "main.main", expected);
}

#[test]
fn strings_are_shown_as_text_whatever_their_type_is_called() {
    check(&[("text", r#""grüße" …"#), ("noText", r#""" …"#), ("named", r#""own" …"#)]);
}

#[test]
fn slices_show_their_elements_and_the_room_behind_them() {
    check(&[
        ("bytes", "slice of 3 {1, 2, 3}"),
        ("texts", r#"slice of 2 {"one", "two"}"#),
        ("noSlice", "slice, nil"),
        ("emptySlice", "slice, empty"),
        ("part", "slice of 2, room for 10 {0, 0}"),
        ("array", "{7, 8, 9}"),
    ]);
}

#[test]
fn maps_show_keys_and_values() {
    check(&[
        ("small", r#"map of 1 * {{key: "k1", value: 11}}"#),
        ("set", "map of 1 * {{key: 3, value: }}"),
        ("nested", r#"map of 1 * {{key: "a", value: slice of 2 {{Side: 1}, {Side: 2}}}}"#),
        ("emptyMap", "map, empty *"),
        ("noMap", "null"),
    ]);
}

#[test]
fn large_keys_and_values_are_found_where_they_lie_but_pointers_stay_pointers() {
    check(&[
        (
            "wide",
            "map of 1 * {{key: {1, 0, 0, 0, 0, 0, 0, 0, +192}, value: {2, 0, 0, 0, 0, 0, 0, 0, +192}}}",
        ),
        ("pointers", "map of 1 * {{key: null, value: null}}"),
    ]);
}

#[test]
fn large_maps_and_those_that_grow_show_each_element_once() {
    for case in CASES {
        let shown = variables_with(case, "main.main", 2000);
        let big = &shown["big"];
        assert!(big.starts_with("map of 1000 * {"), "{case}: {big}");
        assert_eq!(big.matches("key: ").count(), 1000, "{case}");
        for key in 0..1000 {
            let entry = format!("{{key: {key}, value: {}}}", key * 2);
            assert!(big.contains(&entry), "{case}: no {entry}");
        }
        let growing = &shown["growing"];
        assert_eq!(growing.matches("key: ").count(), 53, "{case}");
        for key in 0..53 {
            let entry = format!(r#"{{key: {key}, value: "x"}}"#);
            assert!(growing.contains(&entry), "{case}: no {entry}");
        }
    }
}

#[test]
fn interfaces_show_the_concrete_type_and_value() {
    check(&[
        ("area", "holds main.Square {value: {Side: 4}}"),
        ("pointed", "holds *main.Circle {value: * -> {R: 2.5}}"),
        ("noArea", "nil"),
        ("typedNil", "holds *main.Circle {value: null}"),
        ("anything", "holds int {value: 42}"),
        ("anyText", r#"holds string {value: "inside"}"#),
        ("anyFunc", r#"holds func(int) int {value: "main.twice"}"#),
    ]);
}

#[test]
fn an_error_of_the_standard_library_shows_its_text() {
    check(&[
        ("err", r#"holds *errors.errorString "it broke" {value: * -> {s: "it broke"}}"#),
        ("noErr", "nil"),
    ]);
}

#[test]
fn channels_show_what_waits_in_them_in_order() {
    check(&[
        ("queue", "channel, 4 of 4 in its buffer * {6, 7, 8, 9}"),
        ("unbuffered", "channel, unbuffered *"),
        ("closed", "channel, 0 of 1 in its buffer, closed *"),
        ("noChan", "null"),
    ]);
}

#[test]
fn function_values_show_the_name_of_their_code() {
    check(&[
        ("function", r#""main.twice""#),
        ("closure", r#""main.main.func1""#),
        ("noFunc", "nil"),
    ]);
}

#[test]
fn points_in_time_are_dates() {
    check(&[
        ("date", r#""2024-02-29T12:30:15.000005Z" …"#),
        ("zeroTime", r#""0001-01-01T00:00:00Z" …"#),
    ]);
}
