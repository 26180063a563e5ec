//! Where a type keeps pointers, and what lies behind them: worked out once for each type.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::paths::Piece;
use obit_corefile::addr::Avma;
use obit_dwarf::types::{Member, MemberOffset, MemberRole};
use obit_dwarf::{TypeId, TypeKind};
use obit_process::value::{Object, Scene, TypeRef};

/// What a pointer leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind<'d> {
    /// One object, or as many as fit.
    One(TypeRef<'d>),
    /// Elements up to the pointer so many bytes behind this one.
    Until(TypeRef<'d>, u64),
    /// Elements of which the word so many bytes from this pointer, before or behind, has the
    /// number.
    Counted(TypeRef<'d>, i64),
}

/// A pointer in an object.
#[derive(Clone, Debug)]
pub(crate) struct Slot<'d> {
    pub(crate) offset: u64,
    pub(crate) behind: Behind<'d>,
    /// How it is called in the object.
    pub(crate) piece: Piece,
    /// A number that pointers of one name in one type share.
    pub(crate) step: u32,
    /// Whether it leads from one node of a container to the next.
    pub(crate) is_link: bool,
}

/// Where in an object a part of it is.
#[derive(Clone, Debug)]
struct Within<'d> {
    /// Bytes from the start of the object.
    at: u64,
    /// What pointers to bases of nodes lead to.
    node: Option<TypeRef<'d>>,
    /// How the part is called in the object.
    name: Arc<str>,
    /// The type of the container whose part it is.
    container: Option<Arc<str>>,
    depth: usize,
}

impl<'d> Within<'d> {
    fn object(node: Option<TypeRef<'d>>) -> Self {
        Self { at: 0, node, name: "".into(), container: None, depth: 0 }
    }

    fn deeper(&self, bytes: u64) -> Self {
        let at = self.at.saturating_add(bytes);
        Self { at, depth: self.depth.saturating_add(1), ..self.clone() }
    }

    /// The same part, as the container that it is.
    fn container(&self, ty: &Arc<str>, mark: &str) -> Self {
        match &self.container {
            Some(_) => self.clone(),
            None => Self {
                name: format!("{}{mark}", self.name).into(),
                container: Some(Arc::clone(ty)),
                ..self.clone()
            },
        }
    }

    fn named(self, name: &str) -> Self {
        match self.container {
            Some(_) => self,
            None => Self { name: format!("{}{name}", self.name).into(), ..self },
        }
    }
}

/// Containers that the program calls by one name, and what their elements are called.
const CONTAINERS: [(&str, &str); 21] = [
    ("std::map<", ELEMENTS),
    ("std::multimap<", ELEMENTS),
    ("std::set<", ELEMENTS),
    ("std::multiset<", ELEMENTS),
    ("std::unordered_map<", ELEMENTS),
    ("std::unordered_multimap<", ELEMENTS),
    ("std::unordered_set<", ELEMENTS),
    ("std::unordered_multiset<", ELEMENTS),
    ("std::__cxx11::list<", ELEMENTS),
    ("std::list<", ELEMENTS),
    ("std::forward_list<", ELEMENTS),
    ("std::vector<", ELEMENTS),
    ("std::deque<", ELEMENTS),
    ("std::__cxx11::basic_string<", ""),
    ("alloc::string::String", ""),
    ("alloc::vec::Vec<", ELEMENTS),
    ("alloc::collections::vec_deque::VecDeque<", ELEMENTS),
    ("alloc::collections::btree::map::BTreeMap<", ELEMENTS),
    ("std::collections::hash::map::HashMap<", ELEMENTS),
    ("std::collections::hash::set::HashSet<", ELEMENTS),
    ("hashbrown::map::HashMap<", ELEMENTS),
];
/// All elements of a container.
const ELEMENTS: &str = "[\u{2026}]";

/// Members and elements within one another, and pointers of one type.
const DEEPEST: usize = 24;
const MOST_SLOTS: usize = 256;
/// Elements of an array within an object that are looked at.
const MOST_ELEMENTS: u64 = 64;

/// Types by the image and their number there.
type Key = (usize, TypeId);

fn key(ty: TypeRef<'_>) -> Key {
    (std::ptr::from_ref(ty.debug) as usize, ty.id)
}

/// Bases of the nodes of containers, whose pointers lead to nodes: no block is one itself.
const NODE_BASES: [&str; 5] = [
    "std::_Rb_tree_node_base",
    "std::__detail::_List_node_base",
    "std::__detail::_Hash_node_base",
    "std::_Fwd_list_node_base",
    "std::__detail::_List_node_header",
];

/// The pointers of each type that was asked for.
pub(crate) struct Shapes<'d> {
    scene: Scene<'d>,
    known: HashMap<(Key, Option<Key>), Rc<[Slot<'d>]>>,
    /// The number of the next step.
    steps: u32,
}

impl<'d> Shapes<'d> {
    pub(crate) fn new(scene: Scene<'d>) -> Self {
        Self { scene, known: HashMap::new(), steps: 0 }
    }

    pub(crate) fn resolved(&self, ty: TypeRef<'d>) -> TypeRef<'d> {
        ty.resolved(self.scene)
    }

    /// The pointer that lies in a register.
    pub(crate) fn word_of(&self, object: &Object<'d>) -> Option<u64> {
        object.unsigned(self.scene).ok().or_else(|| {
            let target = object.pointee(self.scene).ok()?;
            Some(target.address()?.0)
        })
    }

    pub(crate) fn size(&self, ty: TypeRef<'d>) -> Option<u64> {
        Object::at(ty, Avma(0)).size(self.scene).filter(|size| *size > 0)
    }

    /// The pointers of `ty`.
    pub(crate) fn of(&mut self, ty: TypeRef<'d>) -> Rc<[Slot<'d>]> {
        let ty = self.resolved(ty);
        // Nodes point to nodes like themselves, though their members say only what is their base.
        let node = self.is_node(ty).then_some(ty);
        let asked = (key(ty), node.map(key));
        if let Some(known) = self.known.get(&asked) {
            return Rc::clone(known);
        }
        let mut slots = Vec::new();
        self.collect(ty, Within::object(node), &mut slots);
        self.number(&mut slots);
        let slots: Rc<[Slot<'d>]> = slots.into();
        self.known.insert(asked, Rc::clone(&slots));
        slots
    }

    fn number(&mut self, slots: &mut [Slot<'d>]) {
        let mut steps: HashMap<Arc<str>, u32> = HashMap::new();
        for slot in slots {
            slot.step = *steps.entry(Arc::clone(&slot.piece.name)).or_insert_with(|| {
                self.steps = self.steps.saturating_add(1);
                self.steps
            });
        }
    }

    /// Whether `ty` is a node of a container.
    pub(crate) fn is_node(&self, ty: TypeRef<'d>) -> bool {
        let TypeKind::Record(record) = &ty.get().kind else { return false };
        let base = record.members.first().filter(|member| member.role == MemberRole::Base);
        let base = base.and_then(|member| member.ty).map(|id| ty.other(id).name());
        base.is_some_and(|name| is_node_base(&name))
    }

    /// The pointers of a part of an object, which is of type `ty`.
    fn collect(&mut self, ty: TypeRef<'d>, within: Within<'d>, slots: &mut Vec<Slot<'d>>) {
        let ty = self.resolved(ty);
        if within.depth > DEEPEST || slots.len() >= MOST_SLOTS {
            return;
        }
        match &ty.get().kind {
            TypeKind::Pointer { target: Some(target), .. } => {
                let target = self.resolved(ty.other(*target));
                let node = within.node.filter(|_| is_node_base(&target.name()));
                let is_link = node.is_some() && within.container.is_none();
                let behind = Behind::One(node.unwrap_or(target));
                slots.push(slot(&within, 0, behind, is_link));
            }
            TypeKind::Array(array) if array.dimensions.len() == 1 && !array.is_vector => {
                let Some(element) = array.element.map(|id| ty.other(id)) else { return };
                let whole = self.size(ty);
                let Some(size) = self.size(element) else { return };
                let count = whole.map_or(0, |whole| whole / size).min(MOST_ELEMENTS);
                for nth in 0..count {
                    let within = within.deeper(nth.saturating_mul(size)).named(ELEMENTS);
                    self.collect(element, within, slots);
                }
            }
            TypeKind::Record(record) => {
                let name = ty.name();
                let known = CONTAINERS.iter().find(|(start, _)| name.starts_with(start));
                let within =
                    known.map_or(within.clone(), |(_, mark)| within.container(&name, mark));
                if let Some(found) = self.container(ty, &within) {
                    slots.extend(found);
                    return;
                }
                // Bytes that an element is made in.
                if name.starts_with("__gnu_cxx::__aligned_") {
                    let element = record.template_arguments.first().and_then(|one| one.ty);
                    if let Some(element) = element {
                        let within = Within { node: None, ..within.deeper(0) };
                        // It is the element that has names, not the node around it.
                        let within = Within { name: "".into(), container: None, ..within };
                        self.collect(ty.other(element), within, slots);
                    }
                    return;
                }
                let within = Within { node: self.node_of(ty).or(within.node), ..within };
                let is_union = record.keyword == obit_dwarf::types::RecordKeyword::Union;
                // Of what lies at one place it is not known which is there.
                if !is_union {
                    for member in &record.members {
                        self.member(ty, member, &within, slots);
                    }
                }
                for part in &record.variant_parts {
                    // One form with members: Rust's `Option` of a pointer, which is 0 in the other.
                    let mut with = part.variants.iter().filter(|one| has_data(ty, &one.members));
                    if let Some(only) = with.next()
                        && with.next().is_none()
                    {
                        for member in &only.members {
                            self.member(ty, member, &within, slots);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn member(
        &mut self,
        of: TypeRef<'d>,
        member: &Member,
        within: &Within<'d>,
        slots: &mut Vec<Slot<'d>>,
    ) {
        let (Some(id), MemberOffset::Bits(bits)) = (member.ty, &member.offset) else { return };
        if member.bit_size.is_some() || member.role == MemberRole::VirtualBase {
            return;
        }
        let name = member.name.as_deref().filter(|_| member.role != MemberRole::Base);
        let name = name
            .map(|name| format!(".{}", name.strip_prefix("__").filter(is_number).unwrap_or(name)));
        let within = within.deeper(bits / 8).named(&name.unwrap_or_default());
        self.collect(of.other(id), within, slots);
    }

    /// What the nodes of a container are.
    fn node_of(&self, container: TypeRef<'d>) -> Option<TypeRef<'d>> {
        let name = container.name();
        let debug = container.debug;
        let TypeKind::Record(record) = &container.get().kind else { return None };
        let argument = |nth: usize| record.template_arguments.get(nth)?.ty;
        let node = |template: &str, nth: usize| {
            let value = debug.type_name(argument(nth)?);
            let space = if value.ends_with('>') { " " } else { "" };
            let spelled = [format!("{template}<{value}>"), format!("{template}<{value}{space}>")];
            let found = spelled.iter().find_map(|name| debug.find_type(name, |_| true));
            found.map(|id| container.other(id))
        };
        if name.starts_with("std::_Rb_tree<") {
            return node("std::_Rb_tree_node", 1);
        }
        if name.starts_with("std::__cxx11::_List_base<") || name.starts_with("std::_List_base<") {
            return node("std::_List_node", 0);
        }
        if name.starts_with("std::_Hashtable<") {
            // Of the base that allocates nodes the argument is what allocates one of them.
            let mut bases = record.members.iter().filter(|one| one.role == MemberRole::Base);
            return bases.find_map(|base| {
                let base = container.other(base.ty?);
                let TypeKind::Record(record) = &base.get().kind else { return None };
                if !base.name().starts_with("std::__detail::_Hashtable_alloc<") {
                    return None;
                }
                let allocator = base.other(record.template_arguments.first()?.ty?);
                let TypeKind::Record(record) = &allocator.get().kind else { return None };
                if let Some(argument) = record.template_arguments.first() {
                    return Some(container.other(argument.ty?));
                }
                // GCC gives `std::allocator` no arguments.
                let name = allocator.name();
                let node = name.strip_prefix("std::allocator<")?.strip_suffix('>')?.trim_end();
                Some(container.other(debug.find_type(node, |_| true)?))
            });
        }
        None
    }

    /// Containers whose elements lie in one piece.
    fn container(&self, ty: TypeRef<'d>, within: &Within<'d>) -> Option<Vec<Slot<'d>>> {
        let name = ty.name();
        let TypeKind::Record(record) = &ty.get().kind else { return None };
        let element = || Some(ty.other(record.template_arguments.first()?.ty?));
        let object = Object::at(ty, Avma(0));
        let offset = |name: &str| Some(object.member(self.scene, name)?.address()?.0);
        if name.starts_with("std::vector<") && !name.starts_with("std::vector<bool") {
            let parts = object.member(self.scene, "_M_impl")?;
            let member = |name: &str| Some(parts.member(self.scene, name)?.address()?.0);
            let (start, end) = (member("_M_start")?, member("_M_finish")?);
            let behind = Behind::Until(element()?, end.checked_sub(start)?);
            return Some(vec![slot(within, start, behind, false)]);
        }
        if name.starts_with("alloc::vec::Vec<") {
            let length = offset("len")?;
            let pointer = self.pointer_within(ty, 0)?;
            let apart = i64::try_from(length).ok()?.checked_sub(i64::try_from(pointer).ok()?)?;
            let behind = Behind::Counted(element()?, apart);
            return Some(vec![slot(within, pointer, behind, false)]);
        }
        None
    }

    /// The offset of the first pointer in an object.
    fn pointer_within(&self, ty: TypeRef<'d>, depth: usize) -> Option<u64> {
        let ty = self.resolved(ty);
        match &ty.get().kind {
            TypeKind::Pointer { .. } => Some(0),
            TypeKind::Record(record) if depth < DEEPEST => record.members.iter().find_map(|one| {
                let MemberOffset::Bits(bits) = one.offset else { return None };
                let inner = self.pointer_within(ty.other(one.ty?), depth.saturating_add(1))?;
                inner.checked_add(bits / 8)
            }),
            _ => None,
        }
    }
}

/// A pointer so many bytes from the start of a part.
fn slot<'d>(within: &Within<'d>, offset: u64, behind: Behind<'d>, is_link: bool) -> Slot<'d> {
    let piece = Piece { name: Arc::clone(&within.name), container: within.container.clone() };
    Slot { offset: within.at.saturating_add(offset), behind, piece, step: 0, is_link }
}

/// Whether a member has a number for a name, as those of Rust's tuples.
fn is_number(name: &&str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_node_base(name: &str) -> bool {
    NODE_BASES.contains(&name)
}

/// Whether a form of an enumeration has anything in it.
fn has_data(of: TypeRef<'_>, members: &[Member]) -> bool {
    members.iter().any(|member| {
        let ty = member.ty.map(|id| of.other(id));
        ty.is_some_and(|ty| match &ty.get().kind {
            TypeKind::Record(record) => {
                !record.members.is_empty() || !record.variant_parts.is_empty()
            }
            _ => true,
        })
    })
}
