//! What obit says of pointers and the heap, in real cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Case, list, report};
use serde_json::Value;

fn finding<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    list(report, "findings").iter().filter(|finding| finding["kind"] == kind).collect()
}

fn evidence(value: &Value) -> Vec<&str> {
    list(value, "evidence").iter().map(|one| one["text"].as_str().unwrap()).collect()
}

#[test]
fn a_pointer_read_from_a_freed_block_is_traced_to_the_block() {
    let report = report(&Case::named("use-after-free").core(), &[]);
    let evidence = evidence(&report["cause"]);
    let link = "no pointer: what the allocator keeps in a freed 48-byte chunk of the heap (tcache)";
    assert!(evidence.iter().any(|text| text.starts_with(link)), "{evidence:?}");
}

#[test]
fn variables_that_point_to_freed_blocks_are_named_by_their_paths() {
    let report = report(&Case::named("use-after-free").core(), &[]);
    let [first, second] = finding(&report, "dangling-pointer")[..] else {
        panic!("two freed blocks: {}", report["findings"])
    };
    let title = "`depot->shelf[0]` in `weigh` points to a freed 48-byte chunk of the heap (tcache)";
    assert_eq!(first["title"], title);
    let evidence = evidence(first);
    let outer = "`depot.shelf[0]` in `main` is 0x";
    assert!(evidence.iter().any(|text| text.starts_with(outer)), "{evidence:?}");
    assert!(evidence.last().unwrap().ends_with("with room for 40 bytes"), "{evidence:?}");
    let title = second["title"].as_str().unwrap();
    assert!(title.starts_with("`depot.first->next` in `main`"), "{title}");
}

#[test]
fn an_overrun_names_the_block_before_the_damage_and_the_text_that_did_it() {
    let report = report(&Case::named("heap-overrun").core(), &["--redact=off".as_ref()]);
    assert_eq!(report["cause"]["class"], "heap-corruption");
    let [damage] = finding(&report, "heap-damage")[..] else { panic!("{}", report["findings"]) };
    let title = "the heap is damaged behind a 32-byte chunk of the heap that is in use";
    assert_eq!(damage["title"], title);
    let evidence = evidence(damage);
    assert!(evidence[1].ends_with("with room for 24 bytes"), "{evidence:?}");
    // "fragile, this side up, do not bend" without its first 24 bytes.
    assert_eq!(evidence[2], "where the size should be stands text: \"o not bend\"");
}

#[test]
fn a_sound_heap_and_no_freed_block_in_sight_is_no_finding() {
    for name in ["null-field", "jump-null", "i386", "cpp"] {
        let report = report(&Case::named(name).core(), &[]);
        for kind in ["heap-damage", "hardware"] {
            assert!(finding(&report, kind).is_empty(), "{name}: {}", report["findings"]);
        }
    }
}
