//! From an address of an image to functions, inlined calls and source lines.

/// How much an image and its debug files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DebugLevel {
    /// Nothing, not even a symbol.
    None,
    /// `.symtab`, `.dynsym` or MiniDebugInfo.
    Symbols,
    /// DWARF with line tables but no variables (`-g1`).
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
    /// Inlined into the next frame of the list.
    pub is_inline: bool,
    /// The name came from a symbol table, not from DWARF.
    pub from_symbol: bool,
}

/// A call that left no return address: `from` jumped instead of calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCall {
    /// The address just past the jump, as gdb shows it.
    pub pc: crate::addr::Svma,
}
