//! From one place to another: members, elements, what pointers point at, addresses.

use std::sync::Arc;

use super::eval::{Evaluator, FOLLOWED, Loaded};
use super::near::nearest;
use super::operand::{List, Operand, Stop, Ty, Wrong};
use super::path::{scopes, squeeze};
use crate::value::readable::readable;
use crate::value::{Contents, Object};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::PointerKind;

/// What the pointer within a smart pointer is called among its elements.
const HELD: &str = "get()";

/// Elements of a container that are walked to reach one of them.
const FARTHEST: usize = 1 << 20;

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// What a reference refers to; anything else as it is.
    pub(super) fn through_references(&self, object: &Object<'v>) -> Result<Object<'v>, Stop> {
        let mut object = object.clone();
        for _ in 0..FOLLOWED {
            let is_reference = match object.resolved(self.scene).get().kind {
                TypeKind::Pointer { kind, .. } => kind != PointerKind::Pointer,
                _ => false,
            };
            if !is_reference {
                break;
            }
            object = object.pointee(self.scene)?;
        }
        Ok(object)
    }

    pub(super) fn place(&self, ty: Ty<'v>, at: Avma) -> Operand<'v> {
        match ty {
            Ty::Known(ty) => Operand::Object(Object::at(ty, at)),
            other => Operand::Place(other, at),
        }
    }

    /// The type of an object, of a part of an array with what is left of its dimensions.
    pub(super) fn type_of(&self, object: &Object<'v>) -> Ty<'v> {
        if object.dimensions_taken == 0 {
            return Ty::Known(object.ty);
        }
        let mut counts = Vec::new();
        let mut element = object.clone();
        while element.dimensions_taken > 0 {
            counts.push(element.length(self.scene).unwrap_or(0));
            let Some(inner) = element.index(self.scene, 0) else { break };
            element = inner;
        }
        let nest = |ty, count| Ty::Array(Box::new(ty), count);
        counts.into_iter().rev().fold(Ty::Known(element.ty), nest)
    }

    /// `of.name`, `of->name`: through pointers and, where a wrapper has no such member
    /// itself, through smart pointers.
    pub(super) fn member(&self, of: &Operand<'v>, name: &str) -> Result<Operand<'v>, Stop> {
        let mut object = match of {
            Operand::Object(object) => object.clone(),
            Operand::Pointer(at, Ty::Known(ty)) | Operand::Place(Ty::Known(ty), at) => {
                Object::at(*ty, *at)
            }
            Operand::Place(Ty::Pointer(target), _) => match (&**target, self.load(of)?) {
                (Ty::Known(ty), Loaded::Pointer(at, _)) => Object::at(*ty, at),
                _ => return Err(self.refused("a member", of)),
            },
            _ => return Err(self.refused("a member", of)),
        };
        let mut outermost = None;
        for _ in 0..FOLLOWED {
            object = self.through_references(&object)?;
            if matches!(object.resolved(self.scene).get().kind, TypeKind::Pointer { .. }) {
                object = object.pointee(self.scene)?;
                continue;
            }
            if let Some(member) = self.own_member(&object, name) {
                return Ok(member);
            }
            if let Contents::Absent(why) = &object.contents {
                return Err(why.clone().into());
            }
            let inner = self.wrapped(&object);
            outermost.get_or_insert(object);
            match inner {
                Some(inner) => object = inner,
                None => break,
            }
        }
        let Some(object) = outermost else { return Err(self.refused("a member", of)) };
        if !matches!(object.resolved(self.scene).get().kind, TypeKind::Record(_)) {
            return Err(self.refused("a member", of));
        }
        // The member may be of a variant that is not known, most often because the
        // discriminant cannot be read.
        if let Some(why) = object.unknown_variant(self.scene) {
            return Err(why.into());
        }
        let ty = object.type_name(self.scene).to_string();
        let names = object.members(self.scene).into_iter().filter_map(|(name, _)| name);
        let near = nearest(name, names.map(|name| name.to_string()));
        Err(Wrong::NoMember { ty, name: name.to_owned(), near }.into())
    }

    fn own_member(&self, object: &Object<'v>, name: &str) -> Option<Operand<'v>> {
        if let Some(member) = object.member(self.scene, name) {
            return Some(Operand::Object(member));
        }
        // Rust's tuples: `.0` is `__0` in debug information.
        if name.bytes().all(|byte| byte.is_ascii_digit())
            && let Some(field) = object.member(self.scene, &format!("__{name}"))
        {
            return Some(Operand::Object(field));
        }
        let parts = scopes(name);
        if let [base @ .., last] = parts.as_slice()
            && !base.is_empty()
        {
            let base = self.base(object, &base.join("::"))?;
            return self.own_member(&base, last);
        }
        self.static_member(object, name)
    }

    /// The base of this class, or of one of its bases, that is called `name`.
    pub(super) fn base(&self, object: &Object<'v>, name: &str) -> Option<Object<'v>> {
        let wanted = squeeze(name);
        let mut level = vec![object.clone()];
        for _ in 0..FOLLOWED {
            let is_it = |object: &&Object<'v>| {
                let full = squeeze(&object.resolved(self.scene).name());
                full == wanted || full.ends_with(&format!("::{wanted}"))
            };
            if let Some(found) = level.iter().find(is_it) {
                return Some(found.clone());
            }
            level = level.iter().flat_map(|object| object.bases(self.scene)).take(256).collect();
        }
        None
    }

    /// What a wrapper holds, a smart pointer points at: its only readable element.
    fn wrapped(&self, object: &Object<'v>) -> Option<Object<'v>> {
        let found = readable(object, self.scene, 2)?;
        match found.elements.as_slice() {
            [(name, only)] if **name == *HELD => only.pointee(self.scene).ok(),
            [(_, only)] if found.total.is_none_or(|total| total == 1) => Some(only.clone()),
            _ => None,
        }
    }

    /// Whether it is a wrapper or a container that holds nothing.
    fn is_empty(&self, object: &Object<'v>) -> bool {
        let found = readable(object, self.scene, 1);
        found.is_some_and(|found| found.elements.is_empty() && found.text.is_none())
    }

    /// `*operand`.
    pub(super) fn dereference(&self, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        if let Operand::Object(object) = operand {
            let object = self.through_references(object)?;
            return match object.resolved(self.scene).get().kind {
                TypeKind::Pointer { target: Some(_), .. } => {
                    Ok(Operand::Object(object.pointee(self.scene)?))
                }
                TypeKind::Array(_) => self.index(operand, 0),
                TypeKind::Record(_) => match self.wrapped(&object) {
                    Some(inner) => Ok(Operand::Object(inner)),
                    None => {
                        if let Contents::Absent(why) = &object.contents {
                            return Err(why.clone().into());
                        }
                        if self.is_empty(&object) {
                            let ty = object.type_name(self.scene).to_string();
                            return Err(Wrong::Empty(ty).into());
                        }
                        Err(self.refused("`*`", operand))
                    }
                },
                _ => Err(self.refused("`*`", operand)),
            };
        }
        match self.load(operand)? {
            Loaded::Pointer(_, Ty::Void) => Err(self.refused("`*`", operand)),
            Loaded::Pointer(at, Ty::Function) => Ok(self.function_at(at)),
            Loaded::Pointer(at, target) => Ok(self.place(target, at)),
            Loaded::Number(_) | Loaded::Other => match operand {
                Operand::List(list) => match list.items.first() {
                    Some((_, first)) => Ok(first.clone()),
                    None => Err(Wrong::NoElement { index: 0, length: 0 }.into()),
                },
                _ => Err(self.refused("`*`", operand)),
            },
        }
    }

    pub(super) fn function_at(&self, at: Avma) -> Operand<'v> {
        let name = self.scene.around.symbol_at(at).filter(|(_, offset)| *offset == 0);
        let name = name.map_or_else(|| format!("{:#x}", at.0), |(name, _)| name);
        Operand::Function { name: name.into(), at }
    }

    /// `&operand`.
    pub(super) fn address_of(&self, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        match operand {
            Operand::Object(object) => {
                let object = self.through_references(object)?;
                if let Some(at) = object.address() {
                    return Ok(Operand::Pointer(at, self.type_of(&object)));
                }
                if let Contents::Absent(why) = &object.contents {
                    return Err(why.clone().into());
                }
                Err(Wrong::NoAddress(match object.contents {
                    Contents::Memory(_) => "a bit-field",
                    _ => "a value in registers",
                })
                .into())
            }
            Operand::Place(ty, at) => Ok(Operand::Pointer(*at, ty.clone())),
            Operand::Function { at, .. } => Ok(Operand::Pointer(*at, Ty::Function)),
            Operand::Number(_)
            | Operand::Pointer(..)
            | Operand::Text(_)
            | Operand::Bytes(_)
            | Operand::List(_) => Err(Wrong::NoAddress("a value that is not in memory").into()),
        }
    }

    /// `of[index]`.
    pub(super) fn index(&self, of: &Operand<'v>, index: i128) -> Result<Operand<'v>, Stop> {
        match of {
            Operand::Object(object) => {
                let object = self.through_references(object)?;
                self.element(of, &object, index)
            }
            Operand::List(list) => {
                let item = usize::try_from(index).ok().and_then(|index| list.items.get(index));
                match item {
                    Some((_, item)) => Ok(item.clone()),
                    None => Err(Wrong::NoElement { index, length: list.total }.into()),
                }
            }
            _ => match self.load(of)? {
                Loaded::Pointer(_, Ty::Void | Ty::Function) => Err(self.refused("`[ ]`", of)),
                Loaded::Pointer(at, target) => {
                    let distance = (index as u64).wrapping_mul(self.stride(&target)?);
                    Ok(self.place(target, self.masked(at.0.wrapping_add(distance))))
                }
                Loaded::Number(_) | Loaded::Other => Err(self.refused("`[ ]`", of)),
            },
        }
    }

    fn element(
        &self,
        of: &Operand<'v>,
        object: &Object<'v>,
        index: i128,
    ) -> Result<Operand<'v>, Stop> {
        let scene = self.scene;
        if let Contents::Absent(why) = &object.contents {
            return Err(why.clone().into());
        }
        let kind = &object.resolved(scene).get().kind;
        if let TypeKind::Record(_) = kind {
            return self.element_of_container(of, object, index);
        }
        let first = match kind {
            TypeKind::Array(_) => object.lower_bound(scene),
            TypeKind::Pointer { .. } => {
                // Says why, if it is absent.
                object.pointee(scene)?;
                0
            }
            _ => return Err(self.refused("`[ ]`", of)),
        };
        let from_zero = index.checked_sub(i128::from(first));
        let from_zero = from_zero.and_then(|index| i64::try_from(index).ok());
        let found = from_zero.and_then(|index| object.index(scene, index));
        let Some(element) = found else {
            return Err(Wrong::NoSize(object.type_name(scene).to_string()).into());
        };
        Ok(Operand::Object(element))
    }

    fn element_of_container(
        &self,
        of: &Operand<'v>,
        object: &Object<'v>,
        index: i128,
    ) -> Result<Operand<'v>, Stop> {
        let wanted = usize::try_from(index).ok().filter(|index| *index < FARTHEST);
        let limit = wanted.map_or(0, |index| index.saturating_add(1));
        let Some(found) = readable(object, self.scene, limit) else {
            // Around an array or a pointer: `Box<[T]>`.
            return match self.wrapped(object) {
                Some(inner) => self.index(&Operand::Object(inner), index),
                None => Err(self.refused("`[ ]`", of)),
            };
        };
        if found.text.is_some() {
            return Err(self.refused("`[ ]`", of));
        }
        if let [(name, held)] = found.elements.as_slice()
            && **name == *HELD
        {
            return self.index(&Operand::Object(held.clone()), index);
        }
        match wanted.and_then(|index| found.elements.get(index)) {
            Some((_, element)) => Ok(Operand::Object(element.clone())),
            None => {
                let length = found.total.unwrap_or(found.elements.len() as u64);
                Err(Wrong::NoElement { index, length }.into())
            }
        }
    }

    /// `of[start..end]`.
    pub(super) fn slice(
        &self,
        of: &Operand<'v>,
        start: i128,
        end: Option<i128>,
    ) -> Result<Operand<'v>, Stop> {
        let end = match end {
            Some(end) => end,
            None => i128::from(self.length(of)?.ok_or(Wrong::NoEnd)?),
        };
        if let Operand::Object(object) = of
            && let Ok(object) = self.through_references(object)
            && matches!(object.resolved(self.scene).get().kind, TypeKind::Record(_))
        {
            return self.slice_of_container(of, &object, start, end);
        }
        let total = u64::try_from(end.saturating_sub(start)).unwrap_or(0);
        let mut items = Vec::new();
        let mut index = start;
        while index < end && items.len() < self.max_elements {
            items.push((format!("[{index}]").into(), self.index(of, index)?));
            index = index.saturating_add(1);
        }
        Ok(self.list(items, total))
    }

    fn slice_of_container(
        &self,
        of: &Operand<'v>,
        object: &Object<'v>,
        start: i128,
        end: i128,
    ) -> Result<Operand<'v>, Stop> {
        let total = u64::try_from(end.saturating_sub(start)).unwrap_or(0);
        let first = usize::try_from(start.max(0)).unwrap_or(usize::MAX);
        let last = usize::try_from(end.max(0)).unwrap_or(usize::MAX);
        let limit = last.min(first.saturating_add(self.max_elements)).min(FARTHEST);
        let found = readable(object, self.scene, limit);
        let Some(found) = found else { return Err(self.refused("`[ ]`", of)) };
        let items = found.elements.into_iter().skip(first).take(limit.saturating_sub(first));
        let items = items.map(|(name, element)| (name, Operand::Object(element))).collect();
        Ok(self.list(items, total))
    }

    /// How many elements there are.
    fn length(&self, of: &Operand<'v>) -> Result<Option<u64>, Stop> {
        Ok(match of {
            Operand::Object(object) => {
                let object = self.through_references(object)?;
                match &object.resolved(self.scene).get().kind {
                    TypeKind::Array(_) => object.length(self.scene),
                    TypeKind::Record(_) => readable(&object, self.scene, 0).and_then(|r| r.total),
                    _ => None,
                }
            }
            Operand::Place(Ty::Array(_, count), _) => Some(*count),
            Operand::List(list) => Some(list.total),
            _ => None,
        })
    }

    /// `first @ count`.
    pub(super) fn repeat(&self, first: &Operand<'v>, count: i128) -> Result<Operand<'v>, Stop> {
        let Operand::Pointer(at, ty) = self.address_of(first)? else {
            return Err(self.refused("`@`", first));
        };
        let first = Operand::Pointer(at, ty);
        self.slice(&first, 0, Some(count))
    }

    fn list(&self, items: Vec<(Arc<str>, Operand<'v>)>, total: u64) -> Operand<'v> {
        let element = items.first().map(|(_, item)| self.type_name(item)).unwrap_or_default();
        let type_name = format!("{element} [{total}]").trim_start().into();
        Operand::List(List { type_name, items, total })
    }
}
