//! A builder of small DWARF 5 units for tests, and the tests of the whole folder.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::constants as dw;

use super::{DebugFiles, DebugInfo, SourceFrame};
use obit_corefile::addr::Svma;
use obit_corefile::elf::test_image::TestImage;
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

/// The value of an attribute, and by it its form.
#[derive(Clone, Copy)]
pub(super) enum Is<'t> {
    Text(&'t str),
    Address(u64),
    Number(u64),
    Signed(i64),
    /// `DW_FORM_data1`.
    Byte(u8),
    Signature(u64),
    Entry(usize),
    Yes,
    Offset(u32),
    Expression(&'t [u8]),
    /// `DW_FORM_block`.
    Block(&'t [u8]),
}

/// One unit of `.debug_info` with its table of abbreviations.
pub(super) struct Unit {
    abbreviations: Vec<u8>,
    known: HashMap<Vec<u8>, u64>,
    pub(super) info: Vec<u8>,
}

fn uleb(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

impl Unit {
    /// A C unit (C99) that covers `[low, low + size)`, its line program at offset 0.
    pub(super) fn new(low: u64, size: u64) -> Self {
        Self::of_language(dw::DW_LANG_C99, low, size)
    }

    pub(super) fn of_language(language: gimli::DwLang, low: u64, size: u64) -> Self {
        let info = [0, 0, 0, 0, 5, 0, dw::DW_UT_compile.0, 8, 0, 0, 0, 0].to_vec();
        let mut unit = Self { abbreviations: Vec::new(), known: HashMap::new(), info };
        let root = [
            (dw::DW_AT_language, Is::Number(language.0.into())),
            (dw::DW_AT_low_pc, Is::Address(low)),
            (dw::DW_AT_high_pc, Is::Number(size)),
            (dw::DW_AT_comp_dir, Is::Text("/src")),
            (dw::DW_AT_stmt_list, Is::Offset(0)),
        ];
        unit.open(dw::DW_TAG_compile_unit, &root);
        unit
    }

    /// A C++ type unit.
    pub(super) fn of_type(signature: u64) -> Self {
        let mut info = [0, 0, 0, 0, 5, 0, dw::DW_UT_type.0, 8, 0, 0, 0, 0].to_vec();
        info.extend(signature.to_le_bytes());
        info.extend([0; 4]);
        let mut unit = Self { abbreviations: Vec::new(), known: HashMap::new(), info };
        let language = Is::Number(dw::DW_LANG_C_plus_plus_14.0.into());
        unit.open(dw::DW_TAG_type_unit, &[(dw::DW_AT_language, language)]);
        unit
    }

    /// Says that the type of this type unit is the entry at `offset`.
    pub(super) fn describes(&mut self, offset: usize) {
        self.info[20..24].copy_from_slice(&(offset as u32).to_le_bytes());
    }

    pub(super) fn open(
        &mut self,
        tag: gimli::DwTag,
        attributes: &[(gimli::DwAt, Is<'_>)],
    ) -> usize {
        self.entry(tag, 1, attributes)
    }

    pub(super) fn leaf(
        &mut self,
        tag: gimli::DwTag,
        attributes: &[(gimli::DwAt, Is<'_>)],
    ) -> usize {
        self.entry(tag, 0, attributes)
    }

    pub(super) fn close(&mut self) {
        self.info.push(0);
    }

    fn entry(
        &mut self,
        tag: gimli::DwTag,
        children: u8,
        attributes: &[(gimli::DwAt, Is<'_>)],
    ) -> usize {
        let mut shape = Vec::new();
        uleb(&mut shape, u64::from(tag.0));
        shape.push(children);
        for (name, value) in attributes {
            let form = match value {
                Is::Text(_) => dw::DW_FORM_string,
                Is::Address(_) => dw::DW_FORM_addr,
                Is::Number(_) => dw::DW_FORM_udata,
                Is::Signed(_) => dw::DW_FORM_sdata,
                Is::Byte(_) => dw::DW_FORM_data1,
                Is::Signature(_) => dw::DW_FORM_ref_sig8,
                Is::Entry(_) => dw::DW_FORM_ref4,
                Is::Yes => dw::DW_FORM_flag_present,
                Is::Offset(_) => dw::DW_FORM_sec_offset,
                Is::Expression(_) => dw::DW_FORM_exprloc,
                Is::Block(_) => dw::DW_FORM_block,
            };
            uleb(&mut shape, u64::from(name.0));
            uleb(&mut shape, u64::from(form.0));
        }
        shape.extend([0, 0]);
        let next = self.known.len() as u64 + 1;
        let code = *self.known.entry(shape.clone()).or_insert(next);
        if code == next {
            uleb(&mut self.abbreviations, code);
            self.abbreviations.extend(shape);
        }
        let offset = self.info.len();
        uleb(&mut self.info, code);
        for (_, value) in attributes {
            match value {
                Is::Text(text) => {
                    self.info.extend(text.as_bytes());
                    self.info.push(0);
                }
                Is::Address(address) => self.info.extend(address.to_le_bytes()),
                Is::Number(number) => uleb(&mut self.info, *number),
                Is::Signed(number) => sleb(&mut self.info, *number),
                Is::Byte(number) => self.info.push(*number),
                Is::Signature(number) => self.info.extend(number.to_le_bytes()),
                Is::Entry(offset) => self.info.extend((*offset as u32).to_le_bytes()),
                Is::Yes => {}
                Is::Offset(offset) => self.info.extend(offset.to_le_bytes()),
                Is::Expression(code) | Is::Block(code) => {
                    uleb(&mut self.info, code.len() as u64);
                    self.info.extend(*code);
                }
            }
        }
        offset
    }

    /// A subprogram with a body to be filled and closed.
    pub(super) fn function(&mut self, name: &str, low: u64, size: u64) -> usize {
        let attributes = [
            (dw::DW_AT_name, Is::Text(name)),
            (dw::DW_AT_low_pc, Is::Address(low)),
            (dw::DW_AT_high_pc, Is::Number(size)),
            (dw::DW_AT_call_all_calls, Is::Yes),
        ];
        self.open(dw::DW_TAG_subprogram, &attributes)
    }

    fn inlined(&mut self, origin: usize, low: u64, size: u64, line: u64) {
        let attributes = [
            (dw::DW_AT_abstract_origin, Is::Entry(origin)),
            (dw::DW_AT_low_pc, Is::Address(low)),
            (dw::DW_AT_high_pc, Is::Number(size)),
            (dw::DW_AT_call_file, Is::Number(1)),
            (dw::DW_AT_call_line, Is::Number(line)),
            (dw::DW_AT_call_column, Is::Number(7)),
        ];
        self.open(dw::DW_TAG_inlined_subroutine, &attributes);
    }

    fn abstract_function(&mut self, name: &str) -> usize {
        let attributes = [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_inline, Is::Number(1))];
        self.leaf(dw::DW_TAG_subprogram, &attributes)
    }

    fn jump(&mut self, return_pc: u64, to: usize) {
        let attributes = [
            (dw::DW_AT_call_return_pc, Is::Address(return_pc)),
            (dw::DW_AT_call_tail_call, Is::Yes),
            (dw::DW_AT_call_origin, Is::Entry(to)),
        ];
        self.leaf(dw::DW_TAG_call_site, &attributes);
    }

    fn call(&mut self, return_pc: u64, to: usize) {
        let attributes = [
            (dw::DW_AT_call_return_pc, Is::Address(return_pc)),
            (dw::DW_AT_call_origin, Is::Entry(to)),
        ];
        self.leaf(dw::DW_TAG_call_site, &attributes);
    }

    /// An image of these units, without lines.
    pub(super) fn images(units: Vec<Self>) -> TestImage {
        let (mut info, mut abbreviations) = (Vec::new(), Vec::new());
        for mut unit in units {
            unit.close();
            let length = (unit.info.len() - 4) as u32;
            unit.info[..4].copy_from_slice(&length.to_le_bytes());
            unit.info[8..12].copy_from_slice(&(abbreviations.len() as u32).to_le_bytes());
            info.extend(unit.info);
            abbreviations.extend(unit.abbreviations);
            abbreviations.push(0);
        }
        TestImage::default().section(".debug_info", 0, info).section(
            ".debug_abbrev",
            0,
            abbreviations,
        )
    }

    /// An image of this unit with `lines` as its `.debug_line`.
    pub(super) fn image(mut self, lines: Vec<u8>) -> TestImage {
        self.close();
        let length = (self.info.len() - 4) as u32;
        self.info.splice(..4, length.to_le_bytes());
        self.abbreviations.push(0);
        TestImage::default()
            .text(0x1000, 0x10_0000)
            .section(".debug_info", 0, self.info)
            .section(".debug_abbrev", 0, self.abbreviations)
            .section(".debug_line", 0, lines)
    }

    pub(super) fn debug_info(self, lines: Vec<u8>) -> DebugInfo {
        debug_info(self.image(lines))
    }
}

pub(super) fn debug_info(image: TestImage) -> DebugInfo {
    let image = Arc::new(image.build());
    let files = DebugFiles { image, debug: None, alternate: None, mini: None, package: None };
    DebugInfo::new(files, Arc::new(|_, _, _| Err(Vec::new())), &Limits::default(), None)
}

/// A version 4 line program: directory 1 is `inc`, files 1 `a.c` and 2 `inc/b.h`.
struct Rows(Vec<u8>);

impl Rows {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// A row at `address` for line `1 + line`.
    fn row(mut self, address: u64, file: u64, line: i64, is_stmt: bool) -> Self {
        self = self.address(address);
        self.0.push(dw::DW_LNS_set_file.0);
        uleb(&mut self.0, file);
        // There and back again: every row counts its line from 1.
        self.0.push(dw::DW_LNS_advance_line.0);
        sleb(&mut self.0, line);
        if !is_stmt {
            self.0.push(dw::DW_LNS_negate_stmt.0);
        }
        self.0.push(dw::DW_LNS_copy.0);
        if !is_stmt {
            self.0.push(dw::DW_LNS_negate_stmt.0);
        }
        self.0.push(dw::DW_LNS_advance_line.0);
        sleb(&mut self.0, -line);
        self
    }

    fn address(mut self, address: u64) -> Self {
        self.0.extend([0, 9, dw::DW_LNE_set_address.0]);
        self.0.extend(address.to_le_bytes());
        self
    }

    fn end(self, address: u64) -> Self {
        let mut ended = self.address(address);
        ended.0.extend([0, 1, dw::DW_LNE_end_sequence.0]);
        ended
    }

    fn build(self, line_range: u8) -> Vec<u8> {
        let mut header = vec![1, 1, 1, 0xfb, line_range, 13];
        header.extend([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
        header.extend(b"inc\0\0a.c\0\0\0\0b.h\0\x01\0\0\0");
        let mut body = 4_u16.to_le_bytes().to_vec();
        body.extend((header.len() as u32).to_le_bytes());
        body.extend(header);
        body.extend(self.0);
        let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes
    }

    /// A version 5 table whose only file, `a.c`, has an MD5 of ones and is `text`.
    fn build_with_content(self, text: &str) -> Vec<u8> {
        let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
        let form = |form: gimli::DwForm| form.0 as u8;
        header.extend([1, 1, form(dw::DW_FORM_string), 1]);
        header.extend(b"/src\0");
        header.extend([4, 1, form(dw::DW_FORM_string), 2, form(dw::DW_FORM_data1)]);
        header.extend([5, form(dw::DW_FORM_data16)]);
        uleb(&mut header, dw::DW_LNCT_LLVM_source.0.into());
        header.extend([form(dw::DW_FORM_string), 1]);
        header.extend(b"a.c\0\0");
        header.extend([1; 16]);
        header.extend(text.as_bytes());
        header.push(0);
        let mut body = 5_u16.to_le_bytes().to_vec();
        body.extend([8, 0]);
        body.extend((header.len() as u32).to_le_bytes());
        body.extend(header);
        body.extend(self.0);
        let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes
    }
}

fn sleb(bytes: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

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
    // Told once, however often it is met.
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
fn a_chain_of_jumps_is_told_the_innermost_first() {
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
fn of_two_possible_ways_only_what_both_share_is_told() {
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
