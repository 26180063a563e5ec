//! Rows found from marks are those that all rows kept would give.

use gimli::{Section, constants as dw};
use proptest::collection::vec;
use proptest::prelude::*;

use super::lines::all_rows;
use crate::model::keys::List;
use crate::testing::dwarf_builder::{self, Unit, sleb, uleb};
use crate::units::line_rows::{Lines, Rows};
use obit_corefile::addr::Svma;
use obit_corefile::limits::Limits;

const START: u64 = 0x1000;

/// One instruction, of those that compilers write and of those that they do not.
fn instruction() -> impl Strategy<Value = Vec<u8>> {
    let leb = |opcode: gimli::DwLns, value: u64| {
        let mut bytes = vec![opcode.0];
        uleb(&mut bytes, value);
        bytes
    };
    let line = |by: i64| {
        let mut bytes = vec![dw::DW_LNS_advance_line.0];
        sleb(&mut bytes, by);
        bytes
    };
    let address = |at: u64| {
        let mut bytes = vec![0, 9, dw::DW_LNE_set_address.0];
        bytes.extend(at.to_le_bytes());
        bytes
    };
    prop_oneof![
        40 => (13..=255_u8).prop_map(|special| vec![special]),
        8 => (-40..60_i64).prop_map(line),
        4 => (0..40_u64).prop_map(move |by| leb(dw::DW_LNS_advance_pc, by)),
        3 => (0..4_u64).prop_map(move |file| leb(dw::DW_LNS_set_file, file)),
        3 => any::<u16>().prop_map(move |it| leb(dw::DW_LNS_set_column, it.into())),
        6 => prop::sample::select(vec![
            dw::DW_LNS_copy, dw::DW_LNS_negate_stmt, dw::DW_LNS_const_add_pc,
            dw::DW_LNS_set_prologue_end, dw::DW_LNS_set_basic_block,
        ]).prop_map(|it| vec![it.0]),
        2 => any::<u8>().prop_map(|by| vec![dw::DW_LNS_fixed_advance_pc.0, by, 0]),
        2 => (0..200_u8).prop_map(|it| vec![0, 2, dw::DW_LNE_set_discriminator.0, it & 0x7f]),
        3 => (0..8_u64).prop_map(move |at| address(START + at * 0x400)),
        1 => prop::sample::select(vec![0, u64::MAX, u64::MAX - 1, START]).prop_map(address),
        3 => Just(vec![0, 1, dw::DW_LNE_end_sequence.0]),
        1 => any::<i64>().prop_map(line),
    ]
}

/// What compilers write: sequences of code, one behind another, and those thrown away.
fn usual() -> impl Strategy<Value = Vec<u8>> {
    let row = prop_oneof![
        12 => (13..=255_u8).prop_map(|special| vec![special]),
        2 => (-9..60_i8).prop_map(|by| vec![dw::DW_LNS_advance_line.0, by as u8 & 0x7f]),
        1 => (1..3_u8).prop_map(|file| vec![dw::DW_LNS_set_file.0, file]),
        1 => Just(vec![dw::DW_LNS_negate_stmt.0]),
        1 => Just(vec![dw::DW_LNS_copy.0]),
    ];
    let start = prop_oneof![4 => Just(None), 1 => Just(Some(0_u64)), 1 => Just(Some(u64::MAX))];
    vec((start, vec(row, 1..900)), 1..4).prop_map(|sequences| {
        let mut bytes = Vec::new();
        for (number, (start, rows)) in sequences.into_iter().enumerate() {
            let at = start.unwrap_or(START + number as u64 * 0x10_0000);
            bytes.extend([0, 9, dw::DW_LNE_set_address.0]);
            bytes.extend(at.to_le_bytes());
            bytes.push(dw::DW_LNS_copy.0);
            bytes.extend(rows.concat());
            bytes.extend([dw::DW_LNS_advance_pc.0, 1, 0, 1, dw::DW_LNE_end_sequence.0]);
        }
        bytes
    })
}

/// Compares the rows around each address at which one begins with all rows of the program;
/// whether marks sufficed.
fn compare(program: Vec<u8>, line_range: u8) -> bool {
    let unit = Unit::new(START, 0x10_0000);
    let info = unit.debug_info(dwarf_builder::Rows(program).build(line_range));
    let is_marked = info.with_dwarf(|file| {
        let unit = file.unit(List::Info, 0).unwrap();
        let lines = Lines::of(file, unit);
        let offset = unit.line_program.unwrap();
        let program = file.dwarf_of(unit).debug_line.program(offset, 8, None, None).unwrap();
        let (rows, _) = all_rows(file, program);
        let Rows::Marked(marks) = &lines.rows else { return false };
        let section = file.dwarf_of(unit).debug_line.reader().slice();
        for at in rows.iter().flat_map(|row| row.address.saturating_sub(1)..=row.address) {
            let after = rows.partition_point(|row| row.address <= at);
            let wanted = after.checked_sub(1).map(|row| rows[row]).filter(|row| row.line != 0);
            assert_eq!(marks.find(section, at), wanted, "{at:#x}");
        }
        true
    });
    is_marked.unwrap()
}

proptest! {
    #[test]
    fn of_any_program(program in vec(instruction(), 0..400), line_range in 1..30_u8) {
        compare(program.concat(), line_range);
    }

    #[test]
    fn of_a_usual_program_without_keeping_the_rows(program in usual(), line_range in 1..30_u8) {
        prop_assert!(compare(program, line_range));
    }
}

#[test]
fn code_that_the_linker_threw_away_does_not_take_the_lines_of_the_next_function() {
    // gcc sets the address several times in a function; all are 0 then.
    let rows = dwarf_builder::Rows::new().row(0, 1, 4, true).row(0x10, 1, 5, true);
    let rows = rows.row(0, 1, 6, true).row(0, 1, 7, true).end(0);
    let rows = rows.row(START, 1, 41, true).end(START + 8);
    let mut unit = Unit::new(START, 0x100);
    unit.function("kept", START, 8);
    let frames = unit.debug_info(rows.build(14)).frames_at(Svma(START + 4));
    assert_eq!(frames[0].location.as_ref().and_then(|location| location.line), Some(42));
}

#[test]
fn lines_before_code_that_was_thrown_away_in_one_sequence_stay() {
    let rows = dwarf_builder::Rows::new().row(START, 1, 41, true).row(START + 8, 1, 1, true);
    let rows = rows.row(u64::MAX, 1, 5, true).end(u64::MAX);
    let mut unit = Unit::new(START, 0x100);
    unit.function("kept", START, 8);
    let frames = unit.debug_info(rows.build(14)).frames_at(Svma(START + 4));
    assert_eq!(frames[0].location.as_ref().and_then(|location| location.line), Some(42));
}

#[test]
fn lines_behind_code_that_was_thrown_away_in_one_sequence_stay() {
    let rows = dwarf_builder::Rows::new().row(0, 1, 4, true).row(START + 4, 1, 1, true);
    let rows = rows.row(0, 1, 1, true).row(START + 8, 1, 41, true).end(START + 9);
    compare(rows.0.clone(), 14);
    let mut unit = Unit::new(START, 0x100);
    unit.function("kept", START, 16);
    let frames = unit.debug_info(rows.build(14)).frames_at(Svma(START + 8));
    assert_eq!(frames[0].location.as_ref().and_then(|location| location.line), Some(42));
}

#[test]
fn a_program_of_instructions_without_rows_costs_what_it_takes_to_run() {
    let few = Limits { line_rows: 1000, ..Limits::default() };
    let mut rows = dwarf_builder::Rows::new().row(START, 1, 4, true);
    rows.0.extend(vec![dw::DW_LNS_negate_stmt.0; 20 << 10]);
    let program = rows.end(START + 8).build(14);
    let count = |limits: &Limits| {
        let unit = Unit::new(START, 0x100);
        unit.debug_info_within(program.clone(), limits).with_dwarf(|file| {
            let unit = file.unit(List::Info, 0).unwrap();
            let offset = unit.line_program.unwrap();
            let program = file.dwarf_of(unit).debug_line.program(offset, 8, None, None).unwrap();
            all_rows(file, program).0.len()
        })
    };
    assert_eq!((count(&few), count(&Limits::default())), (Some(0), Some(2)));
}

#[test]
fn rows_that_would_take_long_to_run_again_are_kept() {
    let far = vec![dw::DW_LNS_negate_stmt.0; 20 << 10];
    let mut program = dwarf_builder::Rows::new().row(START, 1, 4, true).0;
    program.extend(far);
    let program = dwarf_builder::Rows(program).row(START + 8, 1, 5, true).end(START + 9);
    assert!(!compare(program.0, 14));
}
