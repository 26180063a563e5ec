//! The rows of a line table, as they are kept with their unit.

use std::sync::OnceLock;

use crate::model::code::SourceContent;

/// The rows of a unit's line table that count, by address.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) rows: Vec<Row>,
    pub(crate) files: Vec<File>,
    pub(crate) first_file: u64,
}

#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) address: u64,
    /// 0 where a sequence ends: the addresses from here on have no line.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) file: u32,
    pub(crate) is_stmt: bool,
}

#[derive(Default)]
pub(crate) struct File {
    pub(crate) directory: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) path: OnceLock<String>,
    pub(crate) content: SourceContent,
}
