//! What obit says of pointers and the heap, in real cores.

use std::path::Path;

use crate::fixture::{Case, list, report};
use serde_json::{Value, json};

fn finding<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    list(report, "findings").iter().filter(|finding| finding["kind"] == kind).collect()
}

fn evidence(value: &Value) -> Vec<&str> {
    list(value, "evidence").iter().map(|one| one["text"].as_str().unwrap()).collect()
}

#[test]
fn a_pointer_read_from_a_freed_block_is_traced_to_the_block() {
    let report = report(&Case::named("use-after-free").core(), &[]);
    // The address of the load is lost: a new block that was never initialized would do, too.
    assert_eq!(report["cause"]["class"], "unmapped-read");
    let evidence = evidence(&report["cause"]);
    let link = "not a pointer: allocator metadata in a freed 48-byte heap chunk (tcache)";
    assert!(evidence.iter().any(|text| text.starts_with(link)), "{evidence:?}");
}

#[test]
fn variables_that_point_to_freed_blocks_are_named_by_their_paths() {
    let report = report(&Case::named("use-after-free").core(), &[]);
    let [first, second] = finding(&report, "dangling-pointer")[..] else {
        panic!("two freed blocks: {}", report["findings"])
    };
    let title = "`depot->shelf[0]` in `weigh` points to a freed 48-byte heap chunk (tcache)";
    assert_eq!(first["title"], title);
    let evidence = evidence(first);
    let outer = "`depot.shelf[0]` in `main` is 0x";
    assert!(evidence.iter().any(|text| text.starts_with(outer)), "{evidence:?}");
    assert!(evidence.last().unwrap().ends_with("(40 bytes usable)"), "{evidence:?}");
    let title = second["title"].as_str().unwrap();
    assert!(title.starts_with("`depot.first->next` in `main`"), "{title}");
}

#[test]
fn an_overrun_names_the_block_before_the_damage_and_the_text_that_did_it() {
    let report = report(&Case::named("heap-overrun").core(), &["--redact=off".as_ref()]);
    assert_eq!(report["cause"]["class"], "heap-corruption");
    let [damage] = finding(&report, "heap-damage")[..] else { panic!("{}", report["findings"]) };
    let title = "corrupted heap metadata after a 32-byte heap chunk in use";
    assert_eq!(damage["title"], title);
    let evidence = evidence(damage);
    assert!(evidence[1].ends_with("(24 bytes usable)"), "{evidence:?}");
    // "fragile, this side up, do not bend" without its first 24 bytes.
    assert_eq!(evidence[2], "the chunk size field contains text: \"o not bend\"");
}

#[test]
fn a_sound_heap_and_no_freed_block_nearby_is_no_finding() {
    for name in ["null-field", "jump-null", "i386", "cpp"] {
        let report = report(&Case::named(name).core(), &[]);
        for kind in ["heap-damage", "hardware"] {
            assert!(finding(&report, kind).is_empty(), "{name}: {}", report["findings"]);
        }
    }
}

/// The class, CWE entries and severity of the cause of a case.
fn class(core: &str) -> (Value, Value, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(core);
    let cause = &report(&path, &[])["cause"];
    (cause["class"].clone(), cause["cwe"].clone(), cause["severity"].clone())
}

#[test]
fn an_index_that_leads_out_of_a_variable_is_out_of_bounds_and_read_or_write_by_its_cwe() {
    let write = class("causes-c-O2/index_write.core.zst");
    assert_eq!(write, (json!("out-of-bounds"), json!([787]), json!("high")));
    let read = class("causes-c-O2/index_read.core.zst");
    assert_eq!(read, (json!("out-of-bounds"), json!([125]), json!("medium")));
}

#[test]
fn a_block_that_glibc_found_in_its_free_list_was_freed_twice() {
    for program in ["causes-c-O0", "causes-c-O2", "causes-aarch64"] {
        let (class, cwe, _) = class(&format!("{program}/double_free.core.zst"));
        assert_eq!((class, cwe), (json!("double-free"), json!([415])), "{program}");
    }
}

#[test]
fn a_message_that_fits_damage_and_a_wrong_pointer_is_not_proved() {
    let path = |program: &str| {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fixtures.join(program).join("invalid_free.core.zst")
    };
    let known = &report(&path("causes-c-O0"), &[])["cause"];
    assert_eq!((&known["class"], &known["confidence"]), (&json!("invalid-free"), &json!("proved")));
    let lost = &report(&path("causes-c-O2"), &[])["cause"];
    assert_eq!((&lost["class"], &lost["confidence"]), (&json!("invalid-free"), &json!("likely")));
}
