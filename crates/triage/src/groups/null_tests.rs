//! Accesses through NULL that a compiler proved, and values that were handed on.

use super::*;

#[test]
fn accesses_that_the_compiler_proved_to_fail_differ_by_their_addresses() {
    let of = |address: &str, build: &str| CrashKey {
        fixed_address: address.to_owned(),
        ..of_build(build, "process < serve < main")
    };
    assert_eq!(groups_of(&[of("0x10", "O2"), of("0x0", "O2"), of("0x10", "O3")]).len(), 2);
    assert!(are_one(&[of("0x10", "O2"), of("0x18", "O3")]), "another layout");
    assert!(are_one(&[of("0x10", "O2"), of("", "O2")]));
}

#[test]
fn a_lost_function_is_the_one_that_accessed_the_same_member() {
    let of = |function: &str, address: &str| CrashKey {
        null_address: address.to_owned(),
        class: "null-read".to_owned(),
        ..of_build("O0", &format!("{function} < process < serve < main"))
    };
    // gcc proved both in one function, and shows one line for them.
    let proved = |address: &str| CrashKey {
        null_address: address.to_owned(),
        fixed_address: address.to_owned(),
        class: "null-read".to_owned(),
        ..of_build("O2", "process < serve < main")
    };
    let keys = [of("bill", "0x10"), proved("0x10"), proved("0x0")];
    assert_eq!(groups_of(&with_others(keys.to_vec()))[..2], [vec![0, 1], vec![2]]);
    let two = [of("bill", "0x10"), of("label", "0x8"), proved("0x10"), proved("0x8")];
    assert_eq!(groups_of(&with_others(two.to_vec()))[..2], [vec![0, 2], vec![1, 3]]);
    let other = [of("label", "0x8"), proved("0x0")];
    assert!(!are_one_among_others(other.to_vec()), "compilers may access another one first");
}

#[test]
fn what_one_line_called_through_a_pointer_differs_by_what_it_called() {
    let of = |to: &str, called: &str| CrashKey {
        made_at: format!("284 {called}"),
        ..handed_on(to, "", 0, "O2")
    };
    let handlers = vec![of("parse_range", "parse_range"), of("parse_cookie", "parse_cookie")];
    assert_eq!(groups_of(&handlers).len(), 2);
    let uses = vec![of("draw_title", "draw"), of("draw_body", "draw")];
    assert!(are_one_among_others(uses), "one call, whose value was used twice");
}

#[test]
fn a_value_that_one_build_blames_on_the_caller_and_another_on_the_callee_is_one_bug() {
    let of = |build: &str, stack: &str, function: &str| CrashKey {
        build: build.to_owned(),
        class: "null-write".to_owned(),
        ..blamed(stack, function)
    };
    let stack = "call_function < invoke < serve < main";
    assert!(are_one(&[of("O0", stack, "invoke"), of("O2", stack, "call_function")]));
    // A third has the callee in line.
    let inlined = of("O3", "invoke < serve < main", "invoke");
    assert!(are_one_among_others(vec![of("O0", stack, "invoke"), inlined.clone()]));
    assert!(are_one_among_others(vec![of("O2", stack, "call_function"), inlined]));
}

#[test]
fn a_smashed_stack_is_one_bug_where_the_line_is_that_of_a_function_in_line() {
    let of = |build: &str, stack: &str| CrashKey {
        class: "stack-smashing".to_owned(),
        ..of_build(build, &format!("stack_chk_fail > {stack}"))
    };
    // Without a record of the call, the pc's line alone names `append_field`.
    let seen = of("O0", "append_field < format_sku < process < main");
    let kept = of("O2", "format_sku < process < main");
    assert!(are_one_among_others(vec![seen.clone(), kept]));
    let both = of("O0", "format_sku < process < main");
    assert!(!are_one_among_others(vec![seen, both]), "one build has both");
}
