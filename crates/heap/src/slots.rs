//! Where a type keeps pointers, and what lies behind them: worked out once for each type.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::library_types::{
    CONTAINERS, COUNTED, ELEMENTS, ONCE, OPAQUE, READ_WHOLE, is_node_base, starts_with_one,
};
use crate::paths::Piece;
use obit_corefile::addr::Avma;
use obit_dwarf::types::{Member, MemberOffset, MemberRole, Record, VariantPart};
use obit_dwarf::{Language, TypeId, TypeKind};
use obit_process::value::readable::{Readable, readable};
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
    /// A container of Rust, which is read as a whole.
    Container(TypeRef<'d>),
    /// An enumeration of Rust: what is in the variant that it is.
    Variant(TypeRef<'d>),
    /// An object of the type whose vtable the word so many bytes from this pointer leads to; behind
    /// counts of references, where it has a type that says so.
    Dynamic(Option<Counts>, i64),
}

/// What lies before an object that is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Those of `Rc`.
    Rc,
    /// Those of `Arc`.
    Arc,
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

/// What is asked of a type for each pointer to an object of it.
#[derive(Debug)]
pub(crate) struct Target<'d> {
    /// Without typedefs and qualifiers.
    pub(crate) ty: TypeRef<'d>,
    pub(crate) size: Option<u64>,
    pub(crate) name: Arc<str>,
    /// The same of an array of them.
    pub(crate) array_name: Arc<str>,
    pub(crate) is_node: bool,
    pub(crate) is_node_base: bool,
    /// Whether it is no object of its own: a number or a pointer.
    pub(crate) is_number: bool,
    slots: OnceCell<Rc<[Slot<'d>]>>,
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
    /// Whether the names of its own parts are those of the library, not the program's.
    is_opaque: bool,
    /// The type of the part that has names of the program again.
    until: Option<Key>,
    depth: usize,
}

impl<'d> Within<'d> {
    fn object(node: Option<TypeRef<'d>>) -> Self {
        Self {
            at: 0,
            node,
            name: "".into(),
            container: None,
            is_opaque: false,
            until: None,
            depth: 0,
        }
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
        match self.is_opaque || self.container.is_some() {
            true => self,
            false => Self { name: format!("{}{name}", self.name).into(), ..self },
        }
    }
}

/// Members and elements within one another, and pointers of one type.
const DEEPEST: usize = 24;
const MOST_SLOTS: usize = 256;
/// Elements of an array within an object that are looked at.
const MOST_ELEMENTS: u64 = 64;

/// Vtables that are looked up.
const MOST_VTABLES: usize = 1 << 16;

/// Types by the image and their number there.
type Key = (usize, TypeId);

fn key(ty: TypeRef<'_>) -> Key {
    (std::ptr::from_ref(ty.debug) as usize, ty.id)
}

/// The pointers of each type that was asked for.
pub(crate) struct Shapes<'d> {
    scene: Scene<'d>,
    known: HashMap<(Key, Option<Key>), Rc<[Slot<'d>]>>,
    targets: HashMap<Key, Rc<Target<'d>>>,
    /// The number of the next step.
    steps: u32,
    /// Types by their vtables.
    concrete: HashMap<u64, Option<TypeRef<'d>>>,
}

impl<'d> Shapes<'d> {
    pub(crate) fn new(scene: Scene<'d>) -> Self {
        Self {
            scene,
            known: HashMap::new(),
            targets: HashMap::new(),
            steps: 0,
            concrete: HashMap::new(),
        }
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

    /// What there is to know of objects of type `ty`.
    pub(crate) fn target(&mut self, ty: TypeRef<'d>) -> Rc<Target<'d>> {
        if let Some(known) = self.targets.get(&key(ty)) {
            return Rc::clone(known);
        }
        let asked = key(ty);
        let ty = self.resolved(ty);
        let name = ty.name();
        let target = Rc::new(Target {
            ty,
            size: self.size(ty),
            array_name: format!("{name}[]").into(),
            is_node: self.is_node(ty),
            is_node_base: is_node_base(&name),
            is_number: matches!(
                ty.get().kind,
                TypeKind::Base(_) | TypeKind::Enumeration(_) | TypeKind::Pointer { .. }
            ),
            name,
            slots: OnceCell::new(),
        });
        self.targets.insert(asked, Rc::clone(&target));
        target
    }

    /// The pointers of objects of a type.
    pub(crate) fn slots(&mut self, target: &Target<'d>) -> Rc<[Slot<'d>]> {
        Rc::clone(target.slots.get_or_init(|| self.of(target.ty)))
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
                if ty.get().language == Language::Rust
                    && let Some((offset, behind)) = self.of_rust(ty, record, &name)
                {
                    slots.push(slot(&within, offset, behind, false));
                    return;
                }
                let within = match within.until == Some(key(ty)) {
                    true => Within { is_opaque: false, until: None, ..within },
                    false => within,
                };
                let within = match starts_with_one(&name, &OPAQUE) {
                    true => Within { is_opaque: true, until: self.argument(ty, record), ..within },
                    false => within,
                };
                if let Some((value, offset)) = self.made_once(ty, record, &name) {
                    let within = Within { is_opaque: false, ..within.deeper(offset) };
                    self.collect(value, within, slots);
                    return;
                }
                if name.starts_with("std::deque<") {
                    slots.push(slot(&within, 0, Behind::Container(ty), false));
                }
                // Bytes that an element is made in.
                if name.starts_with("__gnu_cxx::__aligned_") {
                    let element = record.template_arguments.first().and_then(|one| one.ty);
                    if let Some(element) = element {
                        let within = Within { node: None, ..within.deeper(0) };
                        // It is the element that has names, not the node around it.
                        let within =
                            Within { name: "".into(), container: None, is_opaque: false, ..within };
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
        let is_shared = starts_with_one(&of.name(), &COUNTED);
        let name = member.name.as_deref().filter(|_| !is_shared && member.role != MemberRole::Base);
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

    /// What of Rust only its bytes, or a second word, say.
    fn of_rust(&self, ty: TypeRef<'d>, record: &Record, name: &str) -> Option<(u64, Behind<'d>)> {
        if starts_with_one(name, &READ_WHOLE) {
            return Some((0, Behind::Container(ty)));
        }
        let with_data = |part: &VariantPart| {
            part.variants.iter().filter(|one| has_data(ty, &one.members)).count()
        };
        if record.variant_parts.iter().any(|part| with_data(part) > 1) {
            return Some((0, Behind::Variant(ty)));
        }
        let [first, second] = record.members.as_slice() else { return None };
        let offset = |member: &Member| match member.offset {
            MemberOffset::Bits(bits) => Some(bits / 8),
            _ => None,
        };
        let (pointer, word) = (offset(first)?, offset(second)?);
        let apart = word.cast_signed().checked_sub(pointer.cast_signed())?;
        match (first.name.as_deref()?, second.name.as_deref()?) {
            ("pointer", "vtable") => {
                let is = |word: &str| name.contains(word);
                let counts = match (is("RcInner<") || is("RcBox<"), is("ArcInner<")) {
                    (_, true) => Some(Counts::Arc),
                    (true, _) => Some(Counts::Rc),
                    _ => None,
                };
                Some((pointer, Behind::Dynamic(counts, apart)))
            }
            ("data_ptr", "length") if !name.contains("Inner<") && !name.contains("RcBox<") => {
                let pointer_type = self.resolved(ty.other(first.ty?));
                let TypeKind::Pointer { target: Some(target), .. } = pointer_type.get().kind else {
                    return None;
                };
                Some((pointer, Behind::Counted(ty.other(target), apart)))
            }
            _ => None,
        }
    }

    /// The first type that a template was made for.
    fn argument(&self, ty: TypeRef<'d>, record: &Record) -> Option<Key> {
        let argument = record.template_arguments.first()?.ty?;
        Some(key(self.resolved(ty.other(argument))))
    }

    /// The value that is made once, and where it is.
    fn made_once(
        &self,
        ty: TypeRef<'d>,
        record: &Record,
        name: &str,
    ) -> Option<(TypeRef<'d>, u64)> {
        let (_, member) = ONCE.iter().find(|(start, _)| name.starts_with(start))?;
        let place = Object::at(ty, Avma(0)).member(self.scene, member)?.address()?;
        Some((ty.other(record.template_arguments.first()?.ty?), place.0))
    }

    /// A container that is read as a whole: at most so many of its elements and keys.
    pub(crate) fn read_whole(
        &self,
        ty: TypeRef<'d>,
        at: Avma,
        limit: usize,
    ) -> Option<Readable<'d>> {
        readable(&Object::at(ty, at), self.scene, limit)
    }

    /// The parts of an enumeration, or none if it is not known which variant it is.
    pub(crate) fn variant(&self, ty: TypeRef<'d>, at: Avma) -> Vec<Object<'d>> {
        let object = Object::at(ty, at);
        if object.unknown_variant(self.scene).is_some() {
            return Vec::new();
        }
        object.members(self.scene).into_iter().map(|(_, member)| member).collect()
    }

    /// The type of objects with this vtable.
    pub(crate) fn concrete(&mut self, vtable: u64) -> Option<TypeRef<'d>> {
        if let Some(known) = self.concrete.get(&vtable) {
            return *known;
        }
        let found = self.scene.around.class_of_vtable(Avma(vtable)).map(|(ty, _)| ty);
        if self.concrete.len() < MOST_VTABLES {
            self.concrete.insert(vtable, found);
        }
        found
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
    let piece = Piece {
        name: Arc::clone(&within.name),
        container: within.container.clone(),
        is_pointer: within.container.is_none() && !matches!(behind, Behind::Variant(_)),
    };
    Slot { offset: within.at.saturating_add(offset), behind, piece, step: 0, is_link }
}

/// Whether a member has a number for a name, as those of Rust's tuples.
fn is_number(name: &&str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
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
