//! The rows of a line table, as they are kept with their unit.

use std::ops::Range;
use std::sync::OnceLock;

use crate::model::code::SourceContent;

/// The rows of a unit's line table that count, by address, and its files.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) rows: Rows,
    pub(crate) files: Vec<File>,
    pub(crate) first_file: u64,
}

/// How the row of an address is found.
pub(crate) enum Rows {
    /// Among all.
    All(Vec<Row>),
    /// By running a part of the program again.
    Marked(Marks),
}

impl Default for Rows {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) address: u64,
    /// 0 where a sequence ends: the addresses from here on have no line.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) file: u32,
    pub(crate) is_stmt: bool,
}

/// Places in a line program from which it can be run. A table of a large unit has a million
/// rows, of which a stack needs a few.
pub(crate) struct Marks {
    /// The program in `.debug_line`.
    pub(crate) program: Range<usize>,
    pub(crate) rules: Rules,
    /// By address; they do not overlap.
    pub(crate) sequences: Vec<MarkedSequence>,
    pub(crate) marks: Vec<Mark>,
}

/// Rows of rising addresses, of which the first is marked.
pub(crate) struct MarkedSequence {
    pub(crate) addresses: Range<u64>,
    /// Its marks, by address.
    pub(crate) marks: Range<usize>,
}

/// The registers of a line program (DWARF 5 § 6.2.2) after the first row of its address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The next instruction, from the start of the program.
    pub(crate) next: usize,
    pub(crate) address: u64,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) file: u64,
    pub(crate) is_stmt: bool,
}

/// What the header of a line program says of its instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) opcode_base: u8,
    pub(crate) line_base: i8,
    pub(crate) line_range: u8,
    pub(crate) least_instruction: u8,
    pub(crate) starts_statement: bool,
    /// 4 or 8.
    pub(crate) address_size: u8,
    pub(crate) is_little_endian: bool,
}

#[derive(Default)]
pub(crate) struct File {
    pub(crate) directory: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) path: OnceLock<String>,
    pub(crate) content: SourceContent,
}
