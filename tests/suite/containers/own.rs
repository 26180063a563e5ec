//! A program's own types, read as docs/formatters.md says.

use obit::value::readable::UserFormatters;

use super::readable::variables_by;

/// What is shown of `name` with this formatter.
fn shown(formatter: &str, name: &str) -> String {
    let formatters = UserFormatters::parse(formatter).unwrap();
    variables_by("containers-own", "hold", formatters).remove(name).unwrap()
}

const VEC: &str = r#"
    [[type]]
    name = "vec"
    summary = "vec of {len}, room for {cap}"
    elements = { pointer = "data", count = "len" }
"#;

#[test]
fn elements_by_a_pointer_and_a_count() {
    assert_eq!(shown(VEC, "vec"), "vec of 3, room for 4 {1, 2, 3}");
}

#[test]
fn what_lies_in_no_memory_is_shown_as_it_is() {
    assert_eq!(shown(VEC, "vec_wild"), "{data: *, len: 3, cap: 4}");
    assert!(shown(VEC, "vec_huge").starts_with("{data: * -> 1, len: 18446744073709551615"));
}

#[test]
fn elements_up_to_a_pointer() {
    let range = r#"
        [[type]]
        name = "range"
        summary = "shorts"
        elements = { pointer = "begin", end = "end" }
    "#;
    assert_eq!(shown(range, "range"), "shorts {7, 8, 9}");
    // Its end lies within an element.
    assert!(shown(range, "range_odd").starts_with("{begin: "));
}

#[test]
fn the_nodes_of_a_list() {
    let list = r#"
        [[type]]
        name = "list"
        summary = "list of {count}"
        list = { first = "head", next = "next", value = "value", count = "count" }
    "#;
    assert_eq!(shown(list, "list"), "list of 3 {10, 20, 30}");
    assert_eq!(shown(list, "list_empty"), "list of 0");
    let uncounted = r#"
        [[type]]
        name = "list"
        summary = "list"
        list = { first = "head", next = "next", value = "value" }
    "#;
    assert_eq!(shown(uncounted, "list"), "list {10, 20, 30}");
    // Its node is its own successor.
    assert_eq!(shown(uncounted, "ring"), "list {5}");
}

#[test]
fn text_by_a_length_or_up_to_a_nul() {
    let text = r#"
        [[type]]
        name = "str"
        text = { pointer = "ptr", length = "len" }
        [[type]]
        name = "label"
        text = { pointer = "text" }
    "#;
    assert_eq!(shown(text, "str").split(" {").next(), Some("\"pear\""));
    assert_eq!(shown(text, "str_empty").split(" {").next(), Some("\"\""));
    assert_eq!(shown(text, "label").split(" {").next(), Some("\"fig\""));
    assert_eq!(shown(text, "label_full").split(" {").next(), Some("\"ffffffffffffffff\""));
}

#[test]
fn chosen_members_and_numbers_through_pointers() {
    let outer = r#"
        [[type]]
        name = "out*"
        summary = "state {state} of {inner.id}"
        members = ["state", "inner.id"]
    "#;
    assert_eq!(shown(outer, "outer"), "state -2 of 42 {state: -2, inner.id: 42}");
    assert_eq!(
        shown(outer, "outer_null"),
        "state 3 of ? {state: 3, inner.id: <memory at 0x0 is not mapped>}"
    );
}

#[test]
fn the_first_formatter_that_fits_is_taken() {
    let both = r#"
        [[type]]
        name = "v*"
        summary = "first"
        [[type]]
        name = "vec"
        summary = "second"
    "#;
    assert_eq!(shown(both, "vec"), "first");
}

#[test]
fn a_member_that_is_not_there_leaves_the_plain_structure() {
    let wrong = r#"
        [[type]]
        name = "vec"
        summary = "wrong"
        elements = { pointer = "datum", count = "len" }
    "#;
    assert!(shown(wrong, "vec").starts_with("{data: "));
}
