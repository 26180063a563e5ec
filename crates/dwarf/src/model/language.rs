//! The languages whose names and scopes differ.

/// Which compiler made a name, as far as its unit or its file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// C, assembly and all that use names as they are.
    C,
    /// C++: the Itanium ABI, `_Z…`.
    Cpp,
    /// Rust: `_R…`, or `_ZN…17h<hash>E` before.
    Rust,
    /// Go: names contain dots and slashes and are taken as they are.
    Go,
    /// Ada: GNAT's names hold the scopes, with `__` between them.
    Ada,
    /// Fortran: scopes are written with `::`, names are taken as they are, arrays are
    /// column-major.
    Fortran,
    /// D: scopes are written with `::`, names are taken as they are.
    Scoped,
    /// Not known: recognized by the name's own prefix.
    Unknown,
}

impl Language {
    /// From `DW_AT_language` (DWARF 5 § 7.12 and the registry after it).
    pub(crate) fn from_dwarf(language: u16) -> Self {
        match language {
            0x04 | 0x11 | 0x1a | 0x21 | 0x2b | 0x2c | 0x39 | 0x3a => Self::Cpp,
            0x03 | 0x0d | 0x2e | 0x2f => Self::Ada,
            0x1c => Self::Rust,
            0x16 => Self::Go,
            0x07 | 0x08 | 0x0e | 0x22 | 0x23 | 0x2d => Self::Fortran,
            0x13 => Self::Scoped,
            _ => Self::C,
        }
    }

    /// Whether functions are named with the namespaces and types around them.
    pub(crate) fn has_scopes(self) -> bool {
        matches!(self, Self::Cpp | Self::Rust | Self::Fortran | Self::Scoped | Self::Unknown)
    }
}
