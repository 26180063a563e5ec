//! Readable forms that a user declares for types of their own, in a small TOML file
//! (docs/formatters.md). No code runs: a formatter names members.

mod apply;
mod file;
mod glob;
mod path;

pub use file::FormatterError;

use glob::Glob;
use path::Path;

use super::Readable;
use crate::value::{Object, Scene};

/// Formatters in their order: of those that fit a type the first is taken.
#[derive(Clone, Debug, Default)]
pub struct UserFormatters {
    formatters: Vec<Formatter>,
}

/// How to read the types that a glob fits.
#[derive(Clone, Debug)]
struct Formatter {
    name: Glob,
    summary: Vec<Word>,
    content: ElementRule,
}

/// A piece of a summary.
#[derive(Clone, Debug)]
enum Word {
    Text(String),
    /// A number from the object.
    Number(Path),
}

/// What is in it.
#[derive(Clone, Debug)]
enum ElementRule {
    /// The summary says all.
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
enum End {
    Count(Path),
    /// A pointer one past the last.
    Pointer(Path),
}

impl UserFormatters {
    /// Adds those of another file behind these.
    pub fn append(&mut self, mut later: Self) {
        self.formatters.append(&mut later.formatters);
    }

    /// The readable form of `object` by the first formatter that fits its type, if there
    /// is one and the object has the members it names.
    pub(super) fn readable<'d>(
        &self,
        object: &Object<'d>,
        scene: Scene<'d>,
        limit: usize,
    ) -> Option<Readable<'d>> {
        if self.formatters.is_empty() {
            return None;
        }
        let names = [object.ty.name(), object.resolved(scene).name()];
        let fits = |formatter: &&Formatter| names.iter().any(|name| formatter.name.fits(name));
        self.formatters.iter().find(fits)?.apply(object, scene, limit)
    }
}
