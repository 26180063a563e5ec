//! A builder of small DWARF 5 units.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::constants as dw;

use crate::DebugInfo;
use crate::locate::DebugFiles;
use obit_corefile::elf::test_image::TestImage;
use obit_corefile::limits::Limits;

/// The value of an attribute, and by it its form.
#[derive(Clone, Copy)]
pub(crate) enum Is<'t> {
    Text(&'t str),
    Address(u64),
    Number(u64),
    Signed(i64),
    /// `DW_FORM_data1`.
    Byte(u8),
    Signature(u64),
    Entry(usize),
    /// `DW_FORM_ref_addr`: an entry of the first unit of an image.
    EntryOfFirst(usize),
    Yes,
    Offset(u32),
    Expression(&'t [u8]),
    /// `DW_FORM_block`.
    Block(&'t [u8]),
}

/// One unit of `.debug_info` with its table of abbreviations.
pub(crate) struct Unit {
    abbreviations: Vec<u8>,
    known: HashMap<Vec<u8>, u64>,
    pub(crate) info: Vec<u8>,
}

pub(crate) fn uleb(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

impl Unit {
    /// A C unit (C99) that covers `[low, low + size)`, its line program at offset 0.
    pub(crate) fn new(low: u64, size: u64) -> Self {
        Self::of_language(dw::DW_LANG_C99, low, size)
    }

    pub(crate) fn of_language(language: gimli::DwLang, low: u64, size: u64) -> Self {
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

    /// A partial unit, which states no language.
    pub(crate) fn partial() -> Self {
        let info = [0, 0, 0, 0, 5, 0, dw::DW_UT_partial.0, 8, 0, 0, 0, 0].to_vec();
        let mut unit = Self { abbreviations: Vec::new(), known: HashMap::new(), info };
        unit.open(dw::DW_TAG_partial_unit, &[]);
        unit
    }

    /// A C++ type unit.
    pub(crate) fn of_type(signature: u64) -> Self {
        let mut info = [0, 0, 0, 0, 5, 0, dw::DW_UT_type.0, 8, 0, 0, 0, 0].to_vec();
        info.extend(signature.to_le_bytes());
        info.extend([0; 4]);
        let mut unit = Self { abbreviations: Vec::new(), known: HashMap::new(), info };
        let language = Is::Number(dw::DW_LANG_C_plus_plus_14.0.into());
        unit.open(dw::DW_TAG_type_unit, &[(dw::DW_AT_language, language)]);
        unit
    }

    /// Says that the type of this type unit is the entry at `offset`.
    pub(crate) fn describes(&mut self, offset: usize) {
        self.info[20..24].copy_from_slice(&(offset as u32).to_le_bytes());
    }

    pub(crate) fn open(
        &mut self,
        tag: gimli::DwTag,
        attributes: &[(gimli::DwAt, Is<'_>)],
    ) -> usize {
        self.entry(tag, 1, attributes)
    }

    pub(crate) fn leaf(
        &mut self,
        tag: gimli::DwTag,
        attributes: &[(gimli::DwAt, Is<'_>)],
    ) -> usize {
        self.entry(tag, 0, attributes)
    }

    pub(crate) fn close(&mut self) {
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
                Is::EntryOfFirst(_) => dw::DW_FORM_ref_addr,
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
                Is::Entry(offset) | Is::EntryOfFirst(offset) => {
                    self.info.extend((*offset as u32).to_le_bytes());
                }
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
    pub(crate) fn function(&mut self, name: &str, low: u64, size: u64) -> usize {
        let attributes = [
            (dw::DW_AT_name, Is::Text(name)),
            (dw::DW_AT_low_pc, Is::Address(low)),
            (dw::DW_AT_high_pc, Is::Number(size)),
            (dw::DW_AT_call_all_calls, Is::Yes),
        ];
        self.open(dw::DW_TAG_subprogram, &attributes)
    }

    pub(crate) fn inlined(&mut self, origin: usize, low: u64, size: u64, line: u64) {
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

    pub(crate) fn abstract_function(&mut self, name: &str) -> usize {
        let attributes = [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_inline, Is::Number(1))];
        self.leaf(dw::DW_TAG_subprogram, &attributes)
    }

    pub(crate) fn jump(&mut self, return_pc: u64, to: usize) {
        let attributes = [
            (dw::DW_AT_call_return_pc, Is::Address(return_pc)),
            (dw::DW_AT_call_tail_call, Is::Yes),
            (dw::DW_AT_call_origin, Is::Entry(to)),
        ];
        self.leaf(dw::DW_TAG_call_site, &attributes);
    }

    pub(crate) fn call(&mut self, return_pc: u64, to: usize) {
        let attributes = [
            (dw::DW_AT_call_return_pc, Is::Address(return_pc)),
            (dw::DW_AT_call_origin, Is::Entry(to)),
        ];
        self.leaf(dw::DW_TAG_call_site, &attributes);
    }

    /// An image of these units, without lines.
    pub(crate) fn images(units: Vec<Self>) -> TestImage {
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
    pub(crate) fn image(mut self, lines: Vec<u8>) -> TestImage {
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

    pub(crate) fn debug_info(self, lines: Vec<u8>) -> DebugInfo {
        debug_info(self.image(lines))
    }

    pub(crate) fn debug_info_within(self, lines: Vec<u8>, limits: &Limits) -> DebugInfo {
        debug_info_within(self.image(lines), limits)
    }
}

pub(crate) fn debug_info(image: TestImage) -> DebugInfo {
    debug_info_within(image, &Limits::default())
}

fn debug_info_within(image: TestImage, limits: &Limits) -> DebugInfo {
    let image = Arc::new(image.build());
    let files = DebugFiles { image, debug: None, alternate: None, mini: None, package: None };
    DebugInfo::new(files, Arc::new(|_, _, _| Err(Vec::new())), limits, None)
}

/// A version 4 line program: directory 1 is `inc`, files 1 `a.c` and 2 `inc/b.h`.
pub(crate) struct Rows(pub(crate) Vec<u8>);

impl Rows {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A row at `address` for line `1 + line`.
    pub(crate) fn row(mut self, address: u64, file: u64, line: i64, is_stmt: bool) -> Self {
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

    pub(crate) fn address(mut self, address: u64) -> Self {
        self.0.extend([0, 9, dw::DW_LNE_set_address.0]);
        self.0.extend(address.to_le_bytes());
        self
    }

    pub(crate) fn end(self, address: u64) -> Self {
        let mut ended = self.address(address);
        ended.0.extend([0, 1, dw::DW_LNE_end_sequence.0]);
        ended
    }

    pub(crate) fn build(self, line_range: u8) -> Vec<u8> {
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
    pub(crate) fn build_with_content(self, text: &str) -> Vec<u8> {
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

pub(crate) fn sleb(bytes: &mut Vec<u8>, mut value: i64) {
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
