//! Places of panics in one function.

use super::*;

fn panic(site: &str, build: &str) -> CrashKey {
    CrashKey {
        panicked_at: site.to_owned(),
        class: "rust-panic".to_owned(),
        ..of_build(build, "core::option::unwrap_failed > app::execute < app::main")
    }
}

#[test]
fn two_unwraps_of_one_function_are_two_bugs() {
    assert_eq!(groups_of(&[panic("177:34", "1"), panic("182:34", "1")]).len(), 2);
    assert_eq!(groups_of(&[panic("177:9", "1"), panic("177:34", "1")]).len(), 2);
    assert!(are_one(&[panic("177:34", "1"), panic("182:34", "2")]), "lines move");
}

#[test]
fn places_of_another_build_are_those_in_the_same_order() {
    let moved = ["177:34", "182:34"].map(|site| panic(site, "1"));
    let here = ["190:34", "195:34"].map(|site| panic(site, "2"));
    let groups = groups_of(&[moved, here].concat());
    assert_eq!(groups, [vec![0, 2], vec![1, 3]]);
    let alone = panic("190:9", "3");
    let keys = [panic("177:34", "1"), panic("182:9", "1"), alone];
    assert_eq!(groups_of(&keys), [vec![0], vec![1, 2]], "by the column");
    let open = [panic("177:34", "1"), panic("182:34", "1"), panic("190:34", "3")];
    assert_eq!(groups_of(&open).len(), 3, "which of them is not known");
}

#[test]
fn the_checks_of_one_slice_of_go_are_one_bug() {
    let of = |called: &str, site: &str| CrashKey {
        panicked_at: site.to_owned(),
        class: "go-panic".to_owned(),
        ..key(&format!("runtime.{called} > main.window < main.main"))
    };
    assert!(are_one(&[of("goPanicSliceB", "41:0"), of("goPanicSliceAcap", "41:0")]));
    assert!(!are_one(&[of("goPanicSliceB", "41:0"), of("goPanicSliceAcap", "44:0")]));
    assert!(!are_one(&[of("goPanicSliceB", "41:0"), of("goPanicIndex", "41:0")]));
}
