//! `std::map`, `std::set` and their like: red-black trees.

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Shape};
use super::list::{LinkWalk, walked};
use super::node::Payload;
use super::object::{CppObject, element_name};

/// Nodes from the root to the deepest leaf: twice the logarithm of what 64 bits count.
const DEPTH: usize = 128;

/// Where a tree's root, its count and its links lie.
struct Tree {
    /// The node above the root, which lies in the container.
    header: u64,
    root: u64,
    count: u64,
    /// Bytes from the start of a node to its links.
    left: u64,
    right: u64,
    parent: u64,
    /// Bytes of the links and the colour together.
    links: u64,
}

pub(super) fn tree<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let tree = match libstdcxx(view) {
        Err(Trouble::Unfamiliar) => libcxx(view),
        other => other,
    }?;
    match (tree.root, tree.count) {
        (0, 0) => return Ok(view.container(0, Vec::new())),
        (0, _) => return Err(Trouble::Damaged("it has no nodes but a count above zero")),
        (_, 0) => return Err(Trouble::Damaged("it has nodes but a count of zero")),
        _ => {}
    }
    let payload = Payload::of(view, tree.links)?;
    let walk = in_order(view, &tree, payload);
    Ok(walked(view, walk, Some(tree.count)))
}

/// In the container lies a whole node without an element: its parent is the root, its
/// left the first and its right the last node. The count follows.
fn libstdcxx(view: &CppObject<'_>) -> Result<Tree, Trouble> {
    let links = ["_M_parent", "_M_left", "_M_right"].map(|name| view.named(&[name]));
    let [Some(parent), Some(left), Some(right)] = links else { return Err(Trouble::Unfamiliar) };
    let count = view.words().find(|word| word.bits > right.bits && word.shape == Shape::Integer);
    let color = view.named(&["_M_color"]).ok_or(Trouble::Unfamiliar)?;
    let start = color.offset();
    let pointer = view.part(right).size(view.scene).ok_or(Trouble::Unfamiliar)?;
    let from_start = |field: &layout::Field<'_>| field.offset().wrapping_sub(start);
    Ok(Tree {
        header: view.address()?.wrapping_add(start),
        root: view.number(parent)?,
        count: view.number(count.ok_or(Trouble::Unfamiliar)?)?,
        left: from_start(left),
        right: from_start(right),
        parent: from_start(parent),
        links: from_start(right).saturating_add(pointer),
    })
}

/// A pointer to the first node, then a node that has only a left link, to the root. The
/// count follows.
fn libcxx(view: &CppObject<'_>) -> Result<Tree, Trouble> {
    let root = view.named(&["__left_"]).ok_or(Trouble::Unfamiliar)?;
    let count = view.words().find(|word| word.bits > root.bits && word.shape == Shape::Integer);
    let base = root.target(view.scene).ok_or(Trouble::Unfamiliar)?;
    let fields = layout::fields(base, view.scene);
    let link = |name: &str| fields.iter().find(|field| field.is_named(&[name]));
    let links =
        ["__left_", "__right_", "__parent_"].map(|name| link(name).map(layout::Field::offset));
    let [Some(left), Some(right), Some(parent)] = links else { return Err(Trouble::Unfamiliar) };
    let color = link("__is_black_").map_or(parent, layout::Field::offset);
    Ok(Tree {
        header: view.address()?.wrapping_add(root.offset()),
        root: view.number(root)?,
        count: view.number(count.ok_or(Trouble::Unfamiliar)?)?,
        left,
        right,
        parent,
        links: color.saturating_add(1),
    })
}

/// The nodes in order, as many as are wanted: down to the left of each, then up again.
fn in_order<'d>(view: &CppObject<'d>, tree: &Tree, payload: Payload<'d>) -> LinkWalk<'d> {
    let mut walk = LinkWalk::default();
    let most = usize::try_from(tree.count).unwrap_or(usize::MAX).min(view.limit);
    let mut path = Vec::new();
    if let Err(trouble) = descend(view, tree, payload, (tree.root, tree.header), &mut path) {
        return broken(walk, trouble);
    }
    while let Some(node) = path.pop() {
        if walk.elements.len() >= most {
            if walk.passed >= tree.count {
                walk.damage = Some("its node count does not match its nodes");
            }
            return walk;
        }
        walk.elements.push((element_name(walk.passed), payload.at(node)));
        walk.passed = walk.passed.saturating_add(1);
        let right = match view.word(node.wrapping_add(tree.right)) {
            Ok(right) => right,
            Err(trouble) => return broken(walk, trouble),
        };
        if let Err(trouble) = descend(view, tree, payload, (right, node), &mut path) {
            return broken(walk, trouble);
        }
    }
    walk.ended = true;
    if walk.passed != tree.count {
        walk.damage = Some("its node count does not match its nodes");
    }
    walk
}

/// From `node`, a child of `parent`, along the left links to the end; all go onto `path`.
fn descend<'d>(
    view: &CppObject<'d>,
    tree: &Tree,
    payload: Payload<'d>,
    (mut node, mut parent): (u64, u64),
    path: &mut Vec<u64>,
) -> Result<(), Trouble> {
    while node != 0 {
        if path.len() >= DEPTH {
            return Err(Trouble::Damaged("it is deeper than a balanced tree can be"));
        }
        view.check_mapped(node, payload.end(view)?)?;
        if view.word(node.wrapping_add(tree.parent))? != parent {
            return Err(Trouble::Damaged("a node does not link back to its parent"));
        }
        path.push(node);
        parent = node;
        node = view.word(node.wrapping_add(tree.left))?;
    }
    Ok(())
}

fn broken<'d>(walk: LinkWalk<'d>, trouble: Trouble) -> LinkWalk<'d> {
    let damage = match trouble {
        Trouble::Damaged(how) => Some(how),
        Trouble::Absent | Trouble::Unfamiliar => None,
    };
    LinkWalk { damage, ..walk }
}
