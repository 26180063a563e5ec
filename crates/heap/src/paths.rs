//! By which names of the source the program reaches blocks: `server.sessions[…]->user`. Elements of
//! one collection have one path, and a path that returns to a member goes no further.

use std::collections::HashMap;
use std::sync::Arc;

use crate::census::Census;
use crate::retained::Retained;

/// Paths, and steps of one.
const MOST_PATHS: usize = 1 << 16;
const LONGEST: u32 = 24;
/// No path.
const NONE: u32 = u32::MAX;

/// A path, by number.
pub(crate) type PathId = u32;

/// How a pointer is called in its object.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// `.sessions[…]`; empty of a pointer that is the whole object.
    pub(crate) name: Arc<str>,
    /// The type of the container that it belongs to.
    pub(crate) container: Option<Arc<str>>,
    /// Whether what it leads to is behind a pointer; else it is a part, or an element.
    pub(crate) is_pointer: bool,
}

#[derive(Debug)]
struct Path {
    before: PathId,
    /// The number of the piece, by which a return is seen; none of a variable.
    step: u32,
    piece: Piece,
    depth: u32,
    is_repeated: bool,
    elements: u64,
    /// The type of the first block.
    type_name: Option<Arc<str>>,
}

/// Blocks that one path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The path.
    pub path: String,
    /// The container's type, or the blocks'.
    pub type_name: Arc<str>,
    /// Elements of containers of this path; blocks where it is no container.
    pub elements: u64,
    /// Its own blocks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Blocks and bytes that only one of these blocks leads to, its own included; `None` if that was
    /// not found.
    pub retained: Option<(u64, u64)>,
}

/// The paths of all blocks.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    all: Vec<Path>,
    known: HashMap<(PathId, u32), PathId>,
    /// For each block one more than the number of its path.
    of: Vec<u32>,
}

impl Paths {
    pub(crate) fn of(blocks: usize) -> Self {
        Self { of: vec![0; blocks], ..Self::default() }
    }

    /// A variable.
    pub(crate) fn variable(&mut self, name: Arc<str>) -> PathId {
        let piece = Piece { name, container: None, is_pointer: false };
        self.add(NONE, NONE, piece, 0)
    }

    /// The elements of a variable that is an array.
    pub(crate) fn elements(&mut self, variable: PathId) -> PathId {
        if let Some(path) = self.all.get_mut(variable as usize) {
            path.piece.name = format!("{}[\u{2026}]", path.piece.name).into();
        }
        variable
    }

    /// The path of what pointer `step` leads to in what is at `before`.
    pub(crate) fn behind(&mut self, before: PathId, step: u32, piece: &Piece) -> PathId {
        if let Some(known) = self.known.get(&(before, step)) {
            return *known;
        }
        let depth = self.all.get(before as usize).map_or(0, |path| path.depth).saturating_add(1);
        let found = match self.returned(before, step) {
            Some(known) => known,
            None if depth > LONGEST => before,
            None => self.add(before, step, piece.clone(), depth),
        };
        self.known.insert((before, step), found);
        found
    }

    /// A path on the way to `before` that came by the same pointer.
    fn returned(&mut self, before: PathId, step: u32) -> Option<PathId> {
        let mut at = before;
        while let Some(path) = self.all.get_mut(at as usize) {
            if path.step == step {
                path.is_repeated = true;
                return Some(at);
            }
            at = path.before;
        }
        None
    }

    fn add(&mut self, before: PathId, step: u32, piece: Piece, depth: u32) -> PathId {
        if self.all.len() >= MOST_PATHS {
            return before;
        }
        let (is_repeated, elements, type_name) = (false, 0, None);
        self.all.push(Path { before, step, piece, depth, is_repeated, elements, type_name });
        (self.all.len() as u32).wrapping_sub(1)
    }

    /// Says that block number `index` is at `path`, unless it is at another one already.
    pub(crate) fn claim(
        &mut self,
        index: usize,
        path: PathId,
        type_name: Option<&Arc<str>>,
    ) -> bool {
        let Some(place) = self.of.get_mut(index).filter(|place| **place == 0) else { return false };
        let Some(known) = self.all.get_mut(path as usize) else { return false };
        *place = path.saturating_add(1);
        if known.type_name.is_none() {
            known.type_name = type_name.cloned();
        }
        true
    }

    /// Counts elements of the collection at `path`.
    pub(crate) fn count(&mut self, path: PathId, elements: u64) {
        if let Some(path) = self.all.get_mut(path as usize) {
            path.elements = path.elements.saturating_add(elements);
        }
    }

    fn path_of(&self, index: usize) -> Option<usize> {
        Some(self.of.get(index)?.checked_sub(1)? as usize)
    }

    /// The path of block number `index`, if it has one.
    pub(crate) fn text_of(&self, index: usize) -> Option<String> {
        Some(self.text(self.path_of(index)? as u32))
    }

    fn text(&self, path: PathId) -> String {
        let mut pieces = Vec::new();
        let mut at = path;
        while let Some(path) = self.all.get(at as usize) {
            pieces.push(path);
            at = path.before;
        }
        let mut text = String::new();
        let mut is_pointer = false;
        for path in pieces.iter().rev() {
            let name = &*path.piece.name;
            match name.strip_prefix('.') {
                Some(member) if is_pointer => {
                    text.push_str("->");
                    text.push_str(member);
                }
                _ => text.push_str(name),
            }
            if path.is_repeated {
                text.push('\u{2026}');
            }
            is_pointer = path.piece.is_pointer;
        }
        text
    }

    /// All paths to live blocks, what holds the most bytes first.
    pub(crate) fn collections(
        &self,
        census: &Census,
        retained: Option<&Retained>,
    ) -> Vec<Collection> {
        let mut sums = vec![(0_u64, 0_u64); self.all.len()];
        for (index, block) in census.blocks.iter().enumerate() {
            if let Some(sum) = self.path_of(index).and_then(|path| sums.get_mut(path)) {
                sum.0 = sum.0.saturating_add(1);
                sum.1 = sum.1.saturating_add(block.room);
            }
        }
        let held = retained.map(|of| of.by_group(self.all.len(), |index| self.path_of(index)));
        let mut all: Vec<Collection> = Vec::new();
        for (number, (path, (blocks, bytes))) in self.all.iter().zip(sums).enumerate() {
            let name = path.piece.container.as_ref().or(path.type_name.as_ref());
            let Some(name) = name.filter(|_| blocks > 0) else { continue };
            let is_container = path.piece.container.is_some();
            all.push(Collection {
                path: self.text(number as u32),
                type_name: Arc::clone(name),
                elements: if is_container { path.elements } else { blocks },
                blocks,
                bytes,
                retained: held.as_ref().and_then(|held| held.get(number).copied()),
            });
        }
        all.sort_by(|a, b| {
            let held = |one: &Collection| one.retained.map_or(one.bytes, |(_, bytes)| bytes);
            held(b).cmp(&held(a)).then_with(|| a.path.cmp(&b.path))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, container: Option<&str>) -> Piece {
        let is_pointer = container.is_none();
        Piece { name: name.into(), container: container.map(Into::into), is_pointer }
    }

    #[test]
    fn members_behind_pointers_and_in_elements_are_spelled_as_in_the_source() {
        let mut paths = Paths::of(0);
        let server = paths.variable("server".into());
        let sessions = paths.behind(server, 0, &piece(".sessions[\u{2026}]", Some("vector")));
        let session = paths.behind(sessions, 1, &piece("", None));
        let user = paths.behind(session, 2, &piece(".user", None));
        assert_eq!(paths.text(user), "server.sessions[\u{2026}]->user");
        let name = paths.behind(sessions, 3, &piece(".name", Some("string")));
        assert_eq!(paths.text(name), "server.sessions[\u{2026}].name");
    }

    #[test]
    fn a_list_has_one_path_however_long_it_is() {
        let mut paths = Paths::of(3);
        let head = paths.variable("head".into());
        let mut at = paths.behind(head, 0, &piece("", None));
        for _ in 0..1000 {
            at = paths.behind(at, 1, &piece(".next", None));
        }
        assert_eq!(paths.text(at), "head->next\u{2026}");
        assert!(paths.all.len() == 3);
    }
}
