//! The names of units and entries within one image: plain numbers, good after the
//! borrow of the DWARF has ended.

/// Which list of units one is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum List {
    /// `.debug_info`.
    Info,
    /// `.debug_types`.
    Types,
    /// `.debug_info` of the file dwz shares.
    Supplement,
}

/// An entry by numbers alone: good for the [`DwarfFile`] of its image, and for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DieKey {
    pub(crate) part: DwarfPart,
    pub(crate) list: List,
    /// Number of the unit in its list.
    pub(crate) unit: u32,
    /// Offset of the entry in its unit.
    pub(crate) offset: usize,
}

/// Which of the files of an image an entry is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DwarfPart {
    /// The main file and its supplement.
    Main,
    /// The split half of the unit of this number in `.debug_info` of the main file.
    Split(u32),
    /// A type unit of the `.dwp` package, by its row in the index.
    PackageType(u32),
}
