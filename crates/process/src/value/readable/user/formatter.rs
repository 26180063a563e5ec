//! What a formatter file declares.

use super::glob::Glob;
use super::path::Path;

/// Formatters in their order: of those that fit a type the first is taken.
#[derive(Clone, Debug, Default)]
pub struct UserFormatters {
    pub(super) formatters: Vec<Formatter>,
}

/// How to read the types that a glob fits.
#[derive(Clone, Debug)]
pub(super) struct Formatter {
    pub(super) name: Glob,
    pub(super) summary: Vec<Word>,
    pub(super) content: ElementRule,
}

/// A piece of a summary.
#[derive(Clone, Debug)]
pub(super) enum Word {
    Text(String),
    /// A number from the object.
    Number(Path),
}

/// What is in it.
#[derive(Clone, Debug)]
pub(super) enum ElementRule {
    /// Nothing: there is only the summary.
    Nothing,
    /// Elements that lie one after the other.
    Elements {
        /// A pointer to the first, or an array.
        first: Path,
        end: End,
    },
    /// Nodes, each with a pointer to the next.
    List {
        first: Path,
        /// Of a node.
        next: Path,
        /// Of a node; the whole node if there is none.
        value: Option<Path>,
        count: Option<Path>,
    },
    /// Characters.
    Text {
        /// A pointer to the first, or an array.
        first: Path,
        /// Characters; up to a NUL if there is none.
        length: Option<Path>,
    },
    /// These members, under the names of their paths.
    Members(Vec<Path>),
}

/// Where elements end.
#[derive(Clone, Debug)]
pub(super) enum End {
    Count(Path),
    /// A pointer one past the last.
    Pointer(Path),
}

impl UserFormatters {
    /// Adds those of another file behind these.
    pub fn append(&mut self, mut later: Self) {
        self.formatters.append(&mut later.formatters);
    }
}
