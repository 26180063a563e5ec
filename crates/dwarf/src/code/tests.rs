//! Functions, inlined calls, lines and tail calls of units built by hand.

use gimli::constants as dw;

use crate::DebugInfo;
use crate::model::code::SourceFrame;
use crate::testing::dwarf_builder::{Is, Rows, Unit, debug_info};
use obit_corefile::addr::Svma;
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

fn shown(frames: &[SourceFrame]) -> Vec<String> {
    let place = |frame: &SourceFrame| {
        let location = frame.location.as_ref()?;
        Some(format!(" {}:{}", location.file, location.line?))
    };
    let name = |frame: &SourceFrame| frame.function.clone().unwrap_or_else(|| "?".to_owned());
    frames.iter().map(|frame| name(frame) + &place(frame).unwrap_or_default()).collect()
}

fn malformed(info: &DebugInfo) -> Vec<String> {
    let problem = |notice| match notice {
        Notice::DwarfMalformed { problem, .. } => Some(problem),
        _ => None,
    };
    info.notices().into_iter().filter_map(problem).collect()
}

#[test]
fn inlined_calls_come_first_and_each_caller_is_where_its_call_says() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let (inner, middle) = (unit.abstract_function("inner"), unit.abstract_function("middle"));
    unit.function("outer", 0x1000, 0x100);
    unit.inlined(middle, 0x1010, 0x40, 30);
    unit.open(dw::DW_TAG_lexical_block, &[]);
    unit.inlined(inner, 0x1020, 0x10, 20);
    for _ in 0..4 {
        unit.close();
    }
    let rows = Rows::new().row(0x1000, 1, 39, true).row(0x1020, 2, 9, true).end(0x1100);
    let info = unit.debug_info(rows.build(14));
    assert_eq!(
        shown(&info.frames_at(Svma(0x1028))),
        ["inner /src/inc/b.h:10", "middle /src/a.c:20", "outer /src/a.c:30"]
    );
    assert_eq!(
        shown(&info.frames_at(Svma(0x1031))),
        ["middle /src/inc/b.h:10", "outer /src/a.c:30"]
    );
    assert_eq!(shown(&info.frames_at(Svma(0x1001))), ["outer /src/a.c:40"]);
    assert!(info.frames_at(Svma(0x1100)).is_empty());
    assert!(info.notices().is_empty());
}

#[test]
fn inlined_calls_without_a_name_or_a_place_count_as_their_callers_code() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let (inner, middle) = (unit.abstract_function("inner"), unit.abstract_function("middle"));
    let nameless = unit.leaf(dw::DW_TAG_subprogram, &[(dw::DW_AT_inline, Is::Number(1))]);
    unit.function("outer", 0x1000, 0x100);
    unit.inlined(middle, 0x1010, 0x40, 30);
    unit.inlined(nameless, 0x1020, 0x20, 20);
    unit.inlined(inner, 0x1020, 0x10, 10);
    for _ in 0..3 {
        unit.close();
    }
    let placeless = [
        (dw::DW_AT_abstract_origin, Is::Entry(middle)),
        (dw::DW_AT_low_pc, Is::Address(0x1080)),
        (dw::DW_AT_high_pc, Is::Number(0x10)),
    ];
    unit.open(dw::DW_TAG_inlined_subroutine, &placeless);
    unit.inlined(inner, 0x1080, 0x10, 10);
    for _ in 0..3 {
        unit.close();
    }
    let rows = Rows::new().row(0x1000, 1, 39, true).row(0x1020, 1, 9, true).end(0x1100);
    let info = unit.debug_info(rows.build(14));
    let inside = ["middle /src/a.c:10", "outer /src/a.c:30"];
    assert_eq!(shown(&info.frames_at(Svma(0x1028))), inside);
    assert_eq!(shown(&info.frames_at(Svma(0x1084))), ["outer /src/a.c:10"]);
    assert_eq!(info.notices(), []);
}

#[test]
fn rows_that_start_no_statement_yield_to_one_that_does_and_line_0_is_no_row() {
    let mut unit = Unit::new(0x1000, 0x1000);
    unit.function("f", 0x1000, 0x100);
    unit.close();
    let rows = Rows::new()
        .row(0x1000, 1, 9, true)
        .row(0x1000, 1, 19, false)
        .row(0x1010, 1, 29, false)
        .row(0x1020, 1, -1, true)
        .end(0x1080);
    let info = unit.debug_info(rows.build(14));
    let at = |address| shown(&info.frames_at(Svma(address))).join("");
    assert_eq!(at(0x1004), "f /src/a.c:10");
    assert_eq!(at(0x1014), "f /src/a.c:30");
    assert_eq!(at(0x1024), "f /src/a.c:30");
    assert_eq!(at(0x1090), "f");
}

#[test]
fn code_the_linker_threw_away_claims_no_address() {
    let mut unit = Unit::new(0x1000, 0x1000);
    unit.function("gone", 0, 0x5000);
    unit.close();
    unit.function("kept", 0x1000, 0x10);
    unit.close();
    let rows = Rows::new().row(0, 1, 1, true).end(0x5000).row(0x1000, 1, 4, true).end(0x1010);
    let info = unit.debug_info(rows.build(14));
    assert_eq!(shown(&info.frames_at(Svma(0x1008))), ["kept /src/a.c:5"]);
}

#[test]
fn a_function_nested_in_another_is_found() {
    let mut unit = Unit::new(0x1000, 0x1000);
    unit.function("outer", 0x1000, 0x10);
    unit.function("nested", 0x1100, 0x10);
    unit.close();
    unit.close();
    let info = unit.debug_info(Rows::new().build(14));
    assert_eq!(shown(&info.frames_at(Svma(0x1104))), ["nested"]);
}

#[test]
fn a_symbol_names_what_dwarf_does_not() {
    let unit = Unit::new(0x1000, 0x1000);
    let rows = Rows::new().row(0x1000, 1, 4, true).end(0x1010);
    let image = unit.image(rows.build(14)).symbol("_ZN1a1fEi", true, 0x1000, 0x10);
    let frames = debug_info(image).frames_at(Svma(0x1004));
    assert_eq!(shown(&frames), ["a::f(int) /src/a.c:5"]);
    assert!(frames[0].from_symbol);
    assert_eq!(frames[0].linkage_name.as_deref(), Some("_ZN1a1fEi"));
}

#[test]
fn a_hundred_thousand_nested_calls_are_cut_at_the_limit() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let inner = unit.abstract_function("inner");
    unit.function("outer", 0x1000, 0x100);
    for _ in 0..100_000 {
        unit.open(dw::DW_TAG_lexical_block, &[]);
        unit.inlined(inner, 0x1000, 0x80, 1);
    }
    let info = unit.debug_info(Rows::new().build(14));
    let frames = info.frames_at(Svma(0x1004));
    assert_eq!(frames.len(), Limits::default().inline_depth + 1);
    assert_eq!(frames.last().and_then(|frame| frame.function.as_deref()), Some("outer"));
}

#[test]
fn origins_that_refer_to_each_other_leave_the_function_without_a_name() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let here = unit.info.len();
    let function = unit.open(
        dw::DW_TAG_subprogram,
        &[
            (dw::DW_AT_specification, Is::Entry(here)),
            (dw::DW_AT_low_pc, Is::Address(0x1000)),
            (dw::DW_AT_high_pc, Is::Number(0x10)),
        ],
    );
    assert_eq!(function, here);
    unit.close();
    let image = unit.image(Rows::new().build(14)).symbol("symbol", true, 0x1000, 0x10);
    assert_eq!(shown(&debug_info(image).frames_at(Svma(0x1004))), ["symbol"]);
}

#[test]
fn a_line_program_with_a_range_of_0_costs_the_lines_only() {
    let mut unit = Unit::new(0x1000, 0x1000);
    unit.function("f", 0x1000, 0x100);
    unit.close();
    let rows = Rows::new().row(0x1000, 1, 4, true).end(0x1100);
    let info = unit.debug_info(rows.build(0));
    assert_eq!(shown(&info.frames_at(Svma(0x1004))), ["f"]);
    assert_eq!(malformed(&info).len(), 1);
}

#[test]
fn a_line_table_may_hold_the_digest_and_the_text_of_a_file() {
    let place = |text| {
        let mut unit = Unit::new(0x1000, 0x1000);
        unit.function("f", 0x1000, 0x100);
        unit.close();
        let rows = Rows::new().row(0x1000, 0, 4, true).end(0x1100);
        let info = unit.debug_info(rows.build_with_content(text));
        info.frames_at(Svma(0x1004)).remove(0).location.unwrap()
    };
    let found = place("int x;\n");
    assert_eq!(found.file, "/src/a.c");
    assert_eq!(found.content.md5, Some([1; 16]));
    assert_eq!(found.content.embedded.as_deref(), Some(&b"int x;\n"[..]));
    // An empty text says that there is none.
    assert_eq!(place("").content.embedded, None);
}

#[test]
fn an_unknown_abbreviation_ends_a_unit_but_not_what_came_before_it() {
    let mut unit = Unit::new(0x1000, 0x1000);
    unit.function("f", 0x1000, 0x100);
    unit.close();
    unit.info.push(0x7f);
    let info = unit.debug_info(Rows::new().build(14));
    assert_eq!(shown(&info.frames_at(Svma(0x1004))), ["f"]);
    assert_eq!(malformed(&info).len(), 1);
    // Reported once, however often it is found.
    info.frames_at(Svma(0x1804));
    info.frames_at(Svma(0x1805));
    assert_eq!(malformed(&info).len(), 1);
}

#[test]
fn a_skeleton_whose_other_half_is_missing_still_gives_lines() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let root = [
        (dw::DW_AT_low_pc, Is::Address(0x3000)),
        (dw::DW_AT_high_pc, Is::Number(0x100)),
        (dw::DW_AT_comp_dir, Is::Text("/src")),
        (dw::DW_AT_dwo_name, Is::Text("a.dwo")),
        (dw::DW_AT_stmt_list, Is::Offset(0)),
    ];
    unit.info.truncate(12);
    unit.open(dw::DW_TAG_skeleton_unit, &root);
    let rows = Rows::new().row(0x3000, 1, 4, true).end(0x3100);
    let image = unit.image(rows.build(14)).symbol("f", true, 0x3000, 0x100);
    let info = debug_info(image);
    assert_eq!(shown(&info.frames_at(Svma(0x3004))), ["f /src/a.c:5"]);
    let missing = |notice: &Notice| matches!(notice, Notice::DebugPartMissing { name, .. } if name == "a.dwo");
    assert!(info.notices().iter().any(missing));
}

#[test]
fn a_chain_of_jumps_is_listed_innermost_first() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let last = unit.function("last", 0x1000, 0x10);
    unit.close();
    let second = unit.function("second", 0x1100, 0x10);
    unit.jump(0x1108, last);
    unit.close();
    let first = unit.function("first", 0x1200, 0x10);
    unit.jump(0x1208, second);
    unit.close();
    unit.function("main", 0x1300, 0x10);
    unit.call(0x1308, first);
    unit.call(0x130c, last);
    unit.close();
    let info = unit.debug_info(Rows::new().build(14));
    let jumps = |return_pc, callee| -> Vec<u64> {
        let found = info.tail_calls(Svma(return_pc), Svma(callee));
        found.iter().map(|call| call.pc.0).collect()
    };
    assert_eq!(jumps(0x1308, 0x1004), [0x1108, 0x1208]);
    assert_eq!(jumps(0x1308, 0x1104), [0x1208]);
    assert!(jumps(0x130c, 0x1004).is_empty());
    assert!(jumps(0x1307, 0x1004).is_empty());
}

#[test]
fn a_call_into_another_image_is_followed_by_name() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let declared = unit.leaf(
        dw::DW_TAG_subprogram,
        &[(dw::DW_AT_name, Is::Text("door")), (dw::DW_AT_declaration, Is::Yes)],
    );
    unit.function("main", 0x1300, 0x10);
    unit.call(0x1304, declared);
    unit.close();
    let caller = unit.debug_info(Rows::new().build(14));
    let called = caller.called_name(Svma(0x1304)).unwrap();
    assert_eq!(called, "door");

    let mut unit = Unit::new(0x1000, 0x1000);
    let last = unit.function("last", 0x1000, 0x10);
    unit.close();
    unit.function("door", 0x1280, 0x10);
    unit.jump(0x1288, last);
    unit.close();
    let image = unit.image(Rows::new().build(14)).symbol("door", true, 0x1280, 0x10);
    let found = debug_info(image).tail_calls_from(&called, Svma(0x1004));
    assert_eq!(found.iter().map(|call| call.pc.0).collect::<Vec<_>>(), [0x1288]);
}

#[test]
fn of_two_possible_paths_only_what_both_share_is_reported() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let last = unit.function("last", 0x1000, 0x10);
    unit.close();
    let left = unit.function("left", 0x1100, 0x10);
    unit.jump(0x1108, last);
    unit.close();
    let right = unit.function("right", 0x1180, 0x10);
    unit.jump(0x1188, last);
    unit.close();
    let first = unit.function("first", 0x1200, 0x10);
    unit.jump(0x1204, left);
    unit.jump(0x1208, right);
    unit.close();
    let door = unit.function("door", 0x1280, 0x10);
    unit.jump(0x1288, first);
    unit.close();
    unit.function("main", 0x1300, 0x10);
    unit.call(0x1304, first);
    unit.call(0x1308, door);
    unit.close();
    let info = unit.debug_info(Rows::new().build(14));
    let jumps = |return_pc| -> Vec<u64> {
        let found = info.tail_calls(Svma(return_pc), Svma(0x1004));
        found.iter().map(|call| call.pc.0).collect()
    };
    assert!(jumps(0x1304).is_empty());
    assert_eq!(jumps(0x1308), [0x1288]);
}

#[test]
fn one_jump_through_a_pointer_makes_all_ways_doubtful() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let last = unit.function("last", 0x1000, 0x10);
    unit.close();
    let first = unit.function("first", 0x1200, 0x10);
    unit.jump(0x1204, last);
    let computed = [
        (dw::DW_AT_call_return_pc, Is::Address(0x1208)),
        (dw::DW_AT_call_tail_call, Is::Yes),
        (dw::DW_AT_call_target, Is::Expression(&[0x50])),
    ];
    unit.leaf(dw::DW_TAG_call_site, &computed);
    unit.close();
    unit.function("main", 0x1300, 0x10);
    unit.call(0x1304, first);
    unit.close();
    let info = unit.debug_info(Rows::new().build(14));
    assert!(info.tail_calls(Svma(0x1304), Svma(0x1004)).is_empty());
}

#[test]
fn functions_that_jump_in_a_circle_do_not_hold_up_the_search() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let last = unit.function("last", 0x1000, 0x10);
    unit.close();
    let here = unit.info.len();
    let first = unit.function("first", 0x1200, 0x10);
    unit.jump(0x1204, here);
    unit.jump(0x1208, last);
    unit.close();
    unit.function("main", 0x1300, 0x10);
    unit.call(0x1304, first);
    unit.close();
    let info = unit.debug_info(Rows::new().build(14));
    let pcs: Vec<u64> =
        info.tail_calls(Svma(0x1304), Svma(0x1004)).iter().map(|call| call.pc.0).collect();
    assert_eq!(pcs, [0x1208]);
}
