//! From an object to the tree of what it holds: the plain structure first, and beside it
//! what a person would rather read.

use std::sync::Arc;

use super::absent_parts::{absence_of_all, is_hollow};
use super::budget::Budget;
use super::character::literal_prefix;
use super::decode::enumerators;
use super::element_name::element_name;
use super::format::{Typed, ValueFormat};
use super::fortran_string;
use super::integer::{is_signed, number_type};
use super::object::{Absence, Object, Scene, TypeRef};
use super::open_array;
use super::readable::{Readable, readable};
use super::text::Units;
use super::{Scalar, State, Text, TextOrigin, Value};
use obit_corefile::addr::Avma;
use obit_dwarf::types::PointerKind;
use obit_dwarf::{NoPlace, Type, TypeKind};

/// Levels of members of what a pointer points at: the pointer is the variable.
const POINTEE_DEPTH: usize = 3;
/// The level below which pointers are not followed, whatever the budget: of a structure
/// deep within another the structure is enough.
const FOLLOWED_LEVEL: usize = 1;
/// Bases within bases that are searched for a vtable pointer.
const BASE_DEPTH: usize = 16;
/// The lowest page is never mapped: what points there is null with an offset.
const NULL_PAGE: u64 = 4096;

/// What `object`, which is called `name`, holds.
pub fn tree<'d>(
    object: &Object<'d>,
    name: Option<Arc<str>>,
    scene: Scene<'d>,
    budget: &Budget,
) -> Value {
    tree_as(object, name, scene, budget, None)
}

/// The same, with its scalars in one format.
pub fn tree_as<'d>(
    object: &Object<'d>,
    name: Option<Arc<str>>,
    scene: Scene<'d>,
    budget: &Budget,
    format: Option<ValueFormat>,
) -> Value {
    let mut tree = Tree {
        scene,
        budget,
        format,
        structure: budget.max_nodes,
        beside: budget.max_nodes,
        is_beside: false,
    };
    let pointers = budget.max_pointers;
    let at = Position { depth: budget.depth(), level: 0, pointers, is_within: false };
    let mut value = tree.grow(object, name, at);
    if !matches!(value.state, State::Absent(_))
        && let Some(Absence::NoPlace(NoPlace::OptimizedOut)) = object.absent_part(scene)
    {
        value.partly = Some(NoPlace::OptimizedOut.into());
    }
    value
}

struct Tree<'b, 'd> {
    scene: Scene<'d>,
    budget: &'b Budget,
    format: Option<ValueFormat>,
    /// Nodes left for the plain structure.
    structure: usize,
    /// Nodes left for what is beside it.
    beside: usize,
    is_beside: bool,
}

/// Where in a tree a value is.
#[derive(Clone, Copy)]
struct Position {
    /// Levels of members that may follow.
    depth: usize,
    /// Levels above it.
    level: usize,
    /// Pointers that may be followed from here.
    pointers: usize,
    /// Within the plain structure of an object that has a readable form as a whole: no
    /// further one is added.
    is_within: bool,
}

impl Position {
    /// One level of members further; `None` if that is too deep.
    fn inner(self) -> Option<Self> {
        let level = self.level.saturating_add(1);
        Some(Self { depth: self.depth.checked_sub(1)?, level, ..self })
    }

    fn within(self) -> Self {
        Self { pointers: 0, is_within: true, ..self }
    }
}

impl<'d> Tree<'_, 'd> {
    fn grow(&mut self, object: &Object<'d>, name: Option<Arc<str>>, at: Position) -> Value {
        let object = &*object.located(self.scene);
        let ty = object.resolved(self.scene);
        let entry = ty.get();
        let mut value = Value {
            name,
            type_name: Some(object.type_name(self.scene)),
            address: object.address(),
            ..Value::default()
        };
        if let super::Contents::Absent(why) = &object.contents {
            value.state = State::Absent(why.clone());
            return value;
        }
        match &entry.kind {
            TypeKind::Record(record) if record.is_declaration => {
                value.state = State::Absent(Absence::Incomplete);
            }
            TypeKind::Record(_) => self.record(&mut value, object, at),
            TypeKind::Array(_) => self.array(&mut value, object, at),
            TypeKind::String(_) => {
                match fortran_string::text(object, self.scene, self.budget.max_text) {
                    Some(Ok(text)) => {
                        value.text = Some(text);
                        value.span = object.span(self.scene);
                    }
                    Some(Err(why)) => value.state = State::Absent(why),
                    None => {}
                }
            }
            TypeKind::Function(_) => match readable(object, self.scene, 0) {
                Some(found) => self.set_readable(&mut value, found, at),
                None => value.text = object.address().and_then(|at| self.symbol(at)),
            },
            TypeKind::Unsupported(_) => {
                value.state =
                    State::Absent(Absence::Malformed("it is of a kind obit does not know"));
            }
            TypeKind::Unspecified | TypeKind::Qualified { .. } | TypeKind::Typedef(_) => {}
            TypeKind::Base(_)
            | TypeKind::Pointer { .. }
            | TypeKind::MemberPointer { .. }
            | TypeKind::Enumeration(_)
            | TypeKind::Subrange(_) => self.scalar(&mut value, object, ty, entry, at),
        }
        value
    }

    fn record(&mut self, value: &mut Value, object: &Object<'d>, at: Position) {
        let found = self.readable(object, at);
        let plain = if found.is_some() { at.within() } else { at };
        // Elements with a readable form are shown without their plain structure.
        let is_plain_shown = !(self.is_beside && found.is_some());
        if is_plain_shown {
            let members = object.members(self.scene);
            let count = members.len() as u64;
            value.members = self.children(members.iter().cloned(), plain);
            let longest = self.budget.max_text;
            if let (Some(last), Some((_, object))) = (value.members.last_mut(), members.last())
                && value.omitted == 0
                && open_array::is_flexible(object, self.scene)
            {
                open_array::fill(last, object, self.scene, longest);
            }
            fortran_string::add_texts(&mut value.members, &members, self.scene, longest);
            value.omitted = count.saturating_sub(value.members.len() as u64);
        }
        if let Some(why) = object.unknown_variant(self.scene) {
            value.members.push(Value { state: State::Absent(why), ..Value::default() });
        }
        let whole = absence_of_all(&value.members);
        match (found, whole) {
            (_, Some(why)) => {
                value.members.clear();
                value.state = State::Absent(why);
            }
            (Some(found), None) => self.set_readable(value, found, at),
            (None, None) => {}
        }
    }

    fn array(&mut self, value: &mut Value, object: &Object<'d>, at: Position) {
        let scene = self.scene;
        let Some(length) = object.length(scene) else {
            open_array::fill(value, object, scene, self.budget.max_text);
            return;
        };
        let lower = object.lower_bound(scene);
        let wanted = length.min(self.budget.max_elements as u64);
        let parent = value.name.clone();
        let elements = (0..wanted).map_while(|index| {
            let index = i64::try_from(index).ok()?;
            let name = element_name(object, parent.as_deref(), lower.checked_add(index)?, scene);
            Some((Some(name), object.index(scene, index)?))
        });
        value.members = self.children(elements, at);
        value.omitted = length.saturating_sub(value.members.len() as u64);
        if let Some(why) = absence_of_all(&value.members) {
            value.members.clear();
            value.omitted = 0;
            value.state = State::Absent(why);
            return;
        }
        let first = object.index(self.scene, 0);
        if let Some(units) = first.and_then(|first| self.units(first.ty)) {
            value.text = units.in_array(object, length, self.scene, self.budget.max_text);
            if value.text.is_some() && self.format == Some(ValueFormat::Text) {
                // The string is what was asked for.
                value.members.iter_mut().for_each(|member| member.formatted = None);
            }
            value.text_prefix = units.prefix;
        }
    }

    fn scalar(
        &mut self,
        value: &mut Value,
        object: &Object<'d>,
        ty: TypeRef<'d>,
        entry: &Type,
        at: Position,
    ) {
        if let Some(parts) = object.complex_parts(self.scene) {
            let bits = object.size(self.scene).unwrap_or(0).saturating_mul(4);
            let spell = |scalar: &Scalar| self.spelled(scalar, bits, true);
            let members = parts.map(|(name, part)| Value {
                name: Some(name.into()),
                text: part.as_ref().ok().and_then(own_text),
                formatted: part.as_ref().ok().and_then(spell),
                state: part.map_or_else(State::Absent, State::Scalar),
                ..Value::default()
            });
            value.members = members.into();
            if let Some(why) = absence_of_all(&value.members) {
                value.members.clear();
                value.state = State::Absent(why);
            }
            return;
        }
        let scalar = match object.scalar(self.scene) {
            Ok(Some(scalar)) => scalar,
            Ok(None) => return,
            Err(why) => {
                let is_implicit = why == Absence::ImplicitPointer;
                value.state = State::Absent(why);
                if is_implicit {
                    self.follow(value, object, at);
                }
                return;
            }
        };
        value.text = own_text(&scalar).or_else(|| {
            let text = enumerators(ty, self.scene, &scalar)?;
            Some(Text { text, origin: TextOrigin::Symbol, left_out: Some(0) })
        });
        if matches!(scalar, Scalar::Character { .. }) {
            value.text_prefix = literal_prefix(object.ty, self.scene).unwrap_or_default();
        }
        value.span = object.span(self.scene);
        let has_sign = is_signed(number_type(object.ty, self.scene), self.scene)
            || matches!(scalar, Scalar::Float(_));
        let bits = object.size(self.scene).unwrap_or(0).saturating_mul(8);
        // A reference stands for its object, which has the format.
        let is_reference = matches!(
            entry.kind,
            TypeKind::Pointer {
                kind: PointerKind::LvalueReference | PointerKind::RvalueReference,
                ..
            }
        );
        if !is_reference {
            value.formatted = self.spelled(&scalar, bits, has_sign);
        }
        value.state = State::Scalar(scalar.clone());
        if value.formatted.is_some() {
            return;
        }
        match (&entry.kind, scalar) {
            (TypeKind::Pointer { kind, target }, Scalar::Address(to)) => {
                let target = target.map(|target| ty.other(target));
                self.pointer(value, object, (*kind, target), Avma(to), at);
            }
            (TypeKind::MemberPointer { .. }, Scalar::Raw(bytes)) => {
                // To a method: its address, or an odd offset into the vtable.
                let word = bytes.get(..self.scene.memory.word()).unwrap_or_default();
                let to = self.scene.memory.unsigned(word);
                value.text = Some(to).filter(|to| to % 2 == 0).and_then(|to| self.symbol(Avma(to)));
            }
            _ => {}
        }
    }

    fn pointer(
        &mut self,
        value: &mut Value,
        object: &Object<'d>,
        (kind, target): (PointerKind, Option<TypeRef<'d>>),
        to: Avma,
        at: Position,
    ) {
        if to.0 < NULL_PAGE {
            return;
        }
        if let Some(found) = self.readable(object, at) {
            self.set_readable(value, found, at);
            return;
        }
        let is_reference = kind != PointerKind::Pointer;
        if !is_reference {
            let units = target.and_then(|target| self.units(target));
            let longest = self.budget.max_text;
            let counted = || {
                let text = Object::at(target?, to);
                fortran_string::text(&text, self.scene, longest)?.ok()
            };
            let text = units.and_then(|units| units.at(to, self.scene, longest));
            value.text_prefix = units.filter(|_| text.is_some()).map_or("", |units| units.prefix);
            value.text = text.or_else(counted);
            if value.text.is_some() {
                return;
            }
            // A symbol behind a pointer to bytes would be taken for the string there.
            if units.is_none() {
                value.text = self.symbol(to);
            }
        }
        self.follow(value, object, at);
    }

    /// A scalar of a type of `bits` bits in the format that was asked for.
    fn spelled(&self, scalar: &Scalar, bits: u64, is_signed: bool) -> Option<String> {
        let bits = match scalar {
            Scalar::Float(float) => float.format.bits(),
            _ => u32::try_from(bits).ok()?,
        };
        let word = u32::try_from(self.scene.memory.word()).ok()?.checked_mul(8)?;
        let symbol = |at| self.symbol(Avma(at)).map(|symbol| symbol.text);
        self.format?.spell(Typed { scalar, bits, is_signed }, word, symbol)
    }

    /// The strings of characters of this type; where strings were asked for, of bytes, too.
    fn units(&self, ty: TypeRef<'d>) -> Option<Units> {
        match self.format {
            Some(ValueFormat::Text) => Units::of_bytes(ty, self.scene),
            _ => Units::of(ty, self.scene),
        }
    }

    /// Adds what the pointer `object` points at.
    fn follow(&mut self, value: &mut Value, object: &Object<'d>, at: Position) {
        let ty = object.resolved(self.scene);
        let TypeKind::Pointer { kind, target: Some(target) } = ty.get().kind else { return };
        let is_own_variable = kind != PointerKind::Pointer && at.level == 0;
        let pointers = match at.pointers.checked_sub(1) {
            // A reference stands for its object: the pointers in that may be followed.
            Some(_) if is_own_variable => at.pointers,
            Some(pointers) => pointers,
            None => return,
        };
        // Before the target: if that is declared alone, its definition is looked for in all units.
        if at.level > FOLLOWED_LEVEL {
            return;
        }
        let target = ty.other(target).resolved(self.scene).get();
        if matches!(target.kind, TypeKind::Function(_)) {
            return;
        }
        let Ok(mut pointee) = object.pointee(self.scene) else { return };
        if let Some(whole) = self.complete_object(&pointee) {
            if let Some(at) = whole.address() {
                value.summary = Some(format!("{} at {:#x}", whole.ty.name(), at.0));
            }
            pointee = whole;
        }
        let Some(inner) = at.inner() else { return };
        let inner = match is_own_variable {
            true => Position { level: 0, pointers, ..inner },
            false => Position { depth: at.depth.min(POINTEE_DEPTH), pointers, ..inner },
        };
        let name = value.name.as_deref().map(|name| format!("*{name}").into());
        let found = self.beside(|tree| tree.take().then(|| tree.grow(&pointee, name, inner)));
        let shown =
            found.filter(|found| !matches!(found.state, State::Absent(_)) && !is_hollow(found));
        value.pointee = shown.map(Box::new);
    }

    /// The object that `part` is a base of, by the vtable it points to; `None` if that is
    /// of the class it is said to be.
    fn complete_object(&self, part: &Object<'d>) -> Option<Object<'d>> {
        let vtable = self.vtable_pointer(part)?;
        let address_point = vtable.unsigned(self.scene).ok()?;
        let (class, offset) = self.scene.around.class_of_vtable(Avma(address_point))?;
        let (known, said) = (class.resolved(self.scene), part.resolved(self.scene));
        if known.name() == said.name() {
            return None;
        }
        let start = vtable.address()?.0.wrapping_sub(offset as u64);
        Some(Object::at(class, Avma(start)))
    }

    /// The vtable pointer of a polymorphic class, its own or that of its first base that
    /// has one.
    fn vtable_pointer(&self, object: &Object<'d>) -> Option<Object<'d>> {
        let mut level = vec![object.clone()];
        for _ in 0..BASE_DEPTH {
            for object in &level {
                let members = object.members(self.scene).into_iter();
                let mut named = members.filter_map(|(name, member)| Some((name?, member)));
                if let Some((_, found)) = named.find(|(name, _)| name.starts_with("_vptr")) {
                    return Some(found);
                }
            }
            // Each class has one base at least on this way, and a limit on all.
            level = level.iter().flat_map(|object| object.bases(self.scene)).take(64).collect();
            if level.is_empty() {
                break;
            }
        }
        None
    }

    fn readable(&self, object: &Object<'d>, at: Position) -> Option<Readable<'d>> {
        if at.is_within {
            return None;
        }
        readable(object, self.scene, self.budget.max_elements)
    }

    /// Adds the readable form, with its elements.
    fn set_readable(&mut self, value: &mut Value, found: Readable<'d>, at: Position) {
        value.summary = found.summary;
        let text = found.text.map(|text| text.cut(self.budget.max_text));
        value.text = text.or_else(|| value.text.take());
        let looked_up = found.elements.len() as u64;
        let total = found.total.unwrap_or(looked_up).max(looked_up);
        let elements = found.elements.into_iter();
        value.elements = self.beside(|tree| {
            if found.keys.is_empty() {
                return tree.children(elements.map(|(name, object)| (Some(name), object)), at);
            }
            let entries = found.keys.into_iter().zip(elements);
            entries.map_while(|(key, (name, element))| tree.entry(name, key, element, at)).collect()
        });
        if total > 0 {
            value.omitted = total.saturating_sub(value.elements.len() as u64);
        }
    }

    /// The values of `objects`, as many as the budget allows.
    fn children(
        &mut self,
        objects: impl IntoIterator<Item = (Option<Arc<str>>, Object<'d>)>,
        at: Position,
    ) -> Vec<Value> {
        let Some(inner) = at.inner() else { return Vec::new() };
        let objects = objects.into_iter();
        let left = if self.is_beside { self.beside } else { self.structure };
        let mut children = Vec::with_capacity(objects.size_hint().0.min(left));
        for (name, object) in objects {
            if !self.take() {
                break;
            }
            children.push(self.grow(&object, name, inner));
        }
        children.shrink_to_fit();
        children
    }

    /// An element of a map: its key and its value.
    fn entry(
        &mut self,
        name: Arc<str>,
        key: Object<'d>,
        element: Object<'d>,
        at: Position,
    ) -> Option<Value> {
        let named =
            [("key", key), ("value", element)].map(|(name, part)| (Some(name.into()), part));
        let elements = self.children(named, at);
        (elements.len() == 2).then(|| Value { name: Some(name), elements, ..Value::default() })
    }

    fn beside<T>(&mut self, grow: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_beside, true);
        let grown = grow(self);
        self.is_beside = before;
        grown
    }

    fn take(&mut self) -> bool {
        let left = if self.is_beside { &mut self.beside } else { &mut self.structure };
        match left.checked_sub(1) {
            Some(rest) if self.budget.take() => {
                *left = rest;
                true
            }
            _ => false,
        }
    }

    fn symbol(&self, at: Avma) -> Option<Text> {
        let (name, offset) = self.scene.around.symbol_at(at)?;
        let text = if offset == 0 { name } else { format!("{name}+{offset}") };
        Some(Text { text, origin: TextOrigin::Symbol, left_out: Some(0) })
    }
}

/// The text of a scalar for which its number is not enough.
fn own_text(scalar: &Scalar) -> Option<Text> {
    let (text, origin) = match scalar {
        Scalar::Character { code, character } => {
            let byte =
                || u8::try_from(*code).ok().or_else(|| Some(i8::try_from(*code).ok()? as u8));
            let spelled = match character {
                Some(c) => c.to_string(),
                None => format!("\\x{:02x}", byte()?),
            };
            (spelled, TextOrigin::Data)
        }
        Scalar::Float(float) if float.finite().is_none() => (float.text(), TextOrigin::Number),
        Scalar::Float(_)
        | Scalar::Signed(_)
        | Scalar::Unsigned(_)
        | Scalar::Boolean(_)
        | Scalar::Address(_)
        | Scalar::Raw(_) => return None,
    };
    Some(Text { text, origin, left_out: Some(0) })
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
