//! A name as a user or a type's text states it.

use gimli::constants as dw;

use crate::index::name_hash::{NameHash, comparable};
use crate::model::language::Language;

/// A name that is asked for.
pub(crate) struct NameQuery {
    /// Without spaces.
    text: Vec<u8>,
    /// Starts of the name and of what follows each `::` outside of brackets.
    starts: Vec<usize>,
    /// What kind of type C's keyword before it says.
    keyword: Option<gimli::DwTag>,
    /// It begins with `::`: no further scopes are around it.
    is_whole: bool,
}

impl NameQuery {
    pub(crate) fn new(name: &str) -> Self {
        let name = name.trim();
        let keywords = [
            ("struct ", dw::DW_TAG_structure_type),
            ("class ", dw::DW_TAG_class_type),
            ("union ", dw::DW_TAG_union_type),
            ("enum ", dw::DW_TAG_enumeration_type),
        ];
        let found = keywords.iter().find_map(|(word, tag)| Some((name.strip_prefix(word)?, *tag)));
        let (name, keyword) = found.map_or((name, None), |(name, tag)| (name, Some(tag)));
        let (name, is_whole) = match name.trim().strip_prefix("::") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let text = plain(name.as_bytes(), Language::Unknown);
        let mut starts = vec![0];
        let mut depth = 0_usize;
        let mut last = 0;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'<' | b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
                // The arrow of a function's result closes nothing.
                b'>' if last == b'-' => {}
                b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b':' if last == b':' && depth == 0 => starts.push(at.saturating_add(1)),
                _ => {}
            }
            last = *byte;
        }
        Self { text, starts, keyword, is_whole }
    }

    pub(crate) fn is_kind(&self, tag: gimli::DwTag) -> bool {
        self.keyword.is_none_or(|keyword| is_same_kind(keyword, tag))
    }

    /// Hashes of the names entries may have that this is about: Rust's vtables and Go's
    /// variables have `::` and `.` in their own.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u32> {
        let parts = self.starts.iter().rev().filter_map(|start| self.text.get(*start..));
        parts.filter(|part| !part.is_empty()).map(|part| NameHash::of(part).short())
    }

    /// The hash of all of it.
    pub(crate) fn whole_hash(&self) -> u32 {
        NameHash::of(&self.text).short()
    }

    /// Whether it means what is called `full`.
    pub(crate) fn is(&self, full: &[u8]) -> bool {
        match full.strip_suffix(self.text.as_slice()) {
            Some([]) => true,
            Some(scopes) => !self.is_whole && scopes.ends_with(b"::"),
            None => false,
        }
    }
}

/// `name` without spaces, in one spelling.
pub(crate) fn plain(name: &[u8], language: Language) -> Vec<u8> {
    comparable(name, language).iter().copied().filter(|byte| *byte != b' ').collect()
}

/// Whether one may be declared where the other is defined: a class as a structure.
pub(crate) fn is_same_kind(one: gimli::DwTag, other: gimli::DwTag) -> bool {
    let is_class = |tag| {
        matches!(tag, dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_interface_type)
    };
    one == other || (is_class(one) && is_class(other))
}
