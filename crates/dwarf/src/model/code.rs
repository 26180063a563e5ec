//! What is known of the code at an address: functions, symbols, source lines.

use std::sync::Arc;

use obit_corefile::addr::Svma;

use super::language::Language;

/// A function that has code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFunction {
    /// Its name with its scopes.
    pub name: Arc<str>,
    /// Where it is entered.
    pub entry: Svma,
}

/// How much an image and its debug files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DebugLevel {
    /// Nothing, not even a symbol.
    None,
    /// `.symtab`, `.dynsym` or MiniDebugInfo.
    Symbols,
    /// Line tables but no variables: DWARF of `-g1`, or Go's `.gopclntab`.
    LineTables,
    /// DWARF with types and variables.
    Full,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file's path as DWARF has it, joined to its directory where relative.
    pub file: String,
    /// `DW_AT_comp_dir` of the unit.
    pub directory: Option<String>,
    /// Line from 1; `None` where the table says 0 (no source line).
    pub line: Option<u32>,
    /// Column from 1, in bytes; `None` where the table says 0.
    pub column: Option<u32>,
    /// What the line table says of the file's content.
    pub content: SourceContent,
}

/// What a line table says of the content of a source file (DWARF 5 § 6.2.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceContent {
    /// `DW_LNCT_MD5`.
    pub md5: Option<[u8; 16]>,
    /// `DW_LNCT_LLVM_source`: the file itself (clang's `-gembed-source`).
    pub embedded: Option<Arc<[u8]>>,
}

/// One function at an address: the physical one, or a call inlined into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFrame {
    /// Name for people: demangled, with scopes, without parameters where DWARF has none.
    pub function: Option<String>,
    /// The symbol's raw name (`DW_AT_linkage_name`, or the symbol table's).
    pub linkage_name: Option<String>,
    /// Where execution is in this function.
    pub location: Option<SourceLocation>,
    /// The language of its unit, where there is one.
    pub language: Option<Language>,
    /// Inlined into the next frame of the list.
    pub is_inline: bool,
    /// The name came from a symbol table, not from DWARF.
    pub from_symbol: bool,
}

/// A call that left no return address: a function jumped where it could have called.
/// Such a frame is shown as gdb shows it: as one frame, named after the innermost function
/// at `pc - 1`, without the functions that one was inlined into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCall {
    /// The address just past the jump, as gdb shows it.
    pub pc: Svma,
}

/// A function of the image at an address, by its symbols alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolAt {
    /// Name for people: demangled.
    pub name: String,
    /// The name as it is in the symbol table, without its version.
    pub linkage_name: String,
    /// Where the symbol starts.
    pub address: Svma,
    /// Bytes from there to the address asked for.
    pub offset: u64,
    /// Bytes of the function, 0 if the symbol does not say.
    pub size: u64,
}

/// The frame of a Go function at one address, as Go's own unwinder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoFrame {
    /// Bytes that the stack pointer is below the return address.
    pub size: u64,
    /// Whether the stack ends with it.
    pub is_outermost: bool,
}
