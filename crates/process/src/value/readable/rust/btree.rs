//! `BTreeMap` and `BTreeSet`: nodes of up to eleven keys and values; inner nodes have
//! edges to others behind that.

use std::collections::VecDeque;

use super::object::{self, RustObject};
use crate::value::readable::{Readable, extent};
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::Member;

/// Levels of a tree: each multiplies the number of elements by at least six.
const DEEPEST: u64 = 24;
/// Types looked at to find that of inner nodes, which a leaf knows as its parent's.
const TYPES: usize = 64;

/// `BTreeMap`.
pub(super) fn map<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let tree = Tree::of(view)?;
    let mut readable = Readable::counted(&view.name(), tree.len);
    for (node, index) in tree.entries(view)? {
        let name = extent::element_name(readable.elements.len() as u64);
        readable.keys.push(tree.slot(view, node, "keys", tree.key, index)?);
        readable.elements.push((name, tree.slot(view, node, "vals", tree.value, index)?));
    }
    Some(readable)
}

/// `BTreeSet`: a map to nothing.
pub(super) fn set<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let tree = Tree::of(view)?;
    let mut readable = Readable::counted(&view.name(), tree.len);
    for (node, index) in tree.entries(view)? {
        let name = extent::element_name(readable.elements.len() as u64);
        let key = tree.slot(view, node, "keys", tree.key, index)?;
        readable.elements.push((name, key));
    }
    Some(readable)
}

struct Tree<'d> {
    /// Elements.
    len: u64,
    /// The root and how far it is above the leaves; `None` before the first insertion.
    root: Option<(Avma, u64)>,
    leaf: TypeRef<'d>,
    /// The type of inner nodes, where there are any.
    inner: Option<TypeRef<'d>>,
    key: TypeRef<'d>,
    value: TypeRef<'d>,
}

/// What is to be visited next.
enum Step {
    Node { at: Avma, height: u64 },
    Entry { node: Avma, index: u64 },
}

impl<'d> Tree<'d> {
    fn of(view: &RustObject<'d>) -> Option<Self> {
        let scene = view.scene;
        let len = view.number("length").filter(|len| i64::try_from(*len).is_ok())?;
        let root = view.part("root")?;
        root.unknown_variant(scene).is_none().then_some(())?;
        let leaf = find_type(root.ty, "LeafNode")?;
        let (key, value) = (object::argument(leaf, 0)?, object::argument(leaf, 1)?);
        let root = match object::part(&root, "height", scene) {
            None if len > 0 => return None,
            None => None,
            Some(height) => {
                let height = object::number(&height, scene).filter(|height| *height <= DEEPEST)?;
                let node = object::only(&object::part(&root, "node", scene)?, scene);
                Some((Avma(node.unsigned(scene).ok()?), height))
            }
        };
        let has_inner = root.is_some_and(|(_, height)| height > 0);
        let inner = if has_inner { Some(find_type(leaf, "InternalNode")?) } else { None };
        Some(Self { len, root, leaf, inner, key, value })
    }

    /// The first entries in order, by node and index.
    fn entries(&self, view: &RustObject<'d>) -> Option<Vec<(Avma, u64)>> {
        let wanted = extent::wanted(self.len, view.limit).end;
        let mut found = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        steps.extend(self.root.map(|(at, height)| Step::Node { at, height }));
        while let Some(step) = steps.pop() {
            if found.len() as u64 >= wanted {
                break;
            }
            match step {
                Step::Entry { node, index } => found.push((node, index)),
                // A node holds something, so that this ends.
                Step::Node { at, height } => {
                    let len = self.node_len(view, at)?;
                    for index in (0..=len).rev() {
                        if index < len {
                            steps.push(Step::Entry { node: at, index });
                        }
                        if let Some(height) = height.checked_sub(1) {
                            let at = self.edge(view, at, index)?;
                            steps.push(Step::Node { at, height });
                        }
                    }
                }
            }
        }
        (found.len() as u64 == wanted).then_some(found)
    }

    /// Entries of a node: at least one and at most as many as it has room for.
    fn node_len(&self, view: &RustObject<'d>, node: Avma) -> Option<u64> {
        let node = Object::at(self.leaf, node);
        let room = node.member(view.scene, "keys")?.length(view.scene)?;
        let len = node.member(view.scene, "len")?.unsigned(view.scene).ok()?;
        (1..=room.min(64)).contains(&len).then_some(len)
    }

    /// The node that edge number `index` of an inner node leads to.
    fn edge(&self, view: &RustObject<'d>, node: Avma, index: u64) -> Option<Avma> {
        let edges = Object::at(self.inner?, node).member(view.scene, "edges")?.address()?;
        let into = index.checked_mul(view.scene.memory.word() as u64)?;
        view.scene.memory.read_word(edges.checked_add(into)?).ok().map(Avma)
    }

    /// Key or value number `index` of a node. They lie in a `MaybeUninit`, which adds
    /// nothing to them.
    fn slot(
        &self,
        view: &RustObject<'d>,
        node: Avma,
        array: &str,
        ty: TypeRef<'d>,
        index: u64,
    ) -> Option<Object<'d>> {
        let array = Object::at(self.leaf, node).member(view.scene, array)?;
        let into = index.checked_mul(extent::size_of(ty, view.scene)?)?;
        Some(Object::at(ty, array.address()?.checked_add(into)?))
    }
}

/// The record called `wanted` that members and pointers lead to from `from`.
fn find_type<'d>(from: TypeRef<'d>, wanted: &str) -> Option<TypeRef<'d>> {
    let mut left = VecDeque::from([from]);
    let mut seen = Vec::new();
    while let Some(ty) = left.pop_front() {
        if seen.contains(&ty.id) {
            continue;
        }
        if seen.len() >= TYPES {
            return None;
        }
        seen.push(ty.id);
        let entry = ty.get();
        match &entry.kind {
            TypeKind::Record(record) => {
                let own = entry.name.as_deref().unwrap_or_default();
                if object::without_arguments(own) == wanted {
                    return Some(ty);
                }
                let member = |member: &Member| member.ty.map(|id| ty.other(id));
                left.extend(record.members.iter().filter_map(member));
                let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
                left.extend(variants.flat_map(|v| &v.members).filter_map(member));
            }
            TypeKind::Pointer { target: Some(target), .. } => left.push_back(ty.other(*target)),
            _ => {}
        }
    }
    None
}
