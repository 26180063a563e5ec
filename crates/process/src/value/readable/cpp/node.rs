//! Nodes of lists, trees and hash tables: links, and an element behind them.

use super::form_result::Trouble;
use super::layout;
use super::object::CppObject;
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// What libraries call the element of a node, or the storage it lies in.
const PAYLOAD: &[&str] = &[
    "_M_storage",
    "__buffer_",
    "_M_value_field",
    "_M_data",
    "_M_v",
    "__value_",
    "__value",
    "__cc_",
];
/// Those of them that are bytes: the type of the element is the node's first template
/// argument.
const STORAGE: &[&str] = &["_M_storage", "__buffer_"];
/// Allocators within template arguments that are looked into for the type of nodes.
const ARGUMENT_DEPTH: usize = 3;
/// Template arguments of all parts together that are looked into.
const ARGUMENTS: usize = 256;
/// Fields of a type that are looked at for its alignment.
const ALIGNED_FIELDS: usize = 256;

/// The element of each node.
#[derive(Clone, Copy)]
pub(super) struct Payload<'d> {
    ty: TypeRef<'d>,
    /// Bytes from the start of the node.
    offset: u64,
}

impl<'d> Payload<'d> {
    /// Of the container's nodes, whose links take `links` bytes.
    pub(super) fn of(view: &CppObject<'d>, links: u64) -> Result<Self, Trouble> {
        let node = Node::of(view);
        // The argument of the allocator is often only declared; the type of the nodes is defined.
        let held = node.as_ref().and_then(|node| node.element);
        let ty = held.or_else(|| view.allocated_type()).or_else(|| {
            let is_map = view.family.ends_with("map");
            view.argument(0).filter(|_| !is_map)
        });
        let ty = ty.map(|ty| unwrapped(view, ty)).ok_or(Trouble::Unfamiliar)?;
        let offset = match node {
            Some(node) => node.payload,
            None => behind(view, ty, links).ok_or(Trouble::Unfamiliar)?,
        };
        view.size_of(ty)?;
        Ok(Self { ty, offset })
    }

    /// The element of the node at `node`.
    pub(super) fn at(&self, node: u64) -> Object<'d> {
        Object::at(self.ty, Avma(node.wrapping_add(self.offset)))
    }

    /// Bytes of a node up to the end of its element.
    pub(super) fn end(&self, view: &CppObject<'d>) -> Result<u64, Trouble> {
        let size = view.size_of(self.ty)?;
        self.offset.checked_add(size).ok_or(Trouble::Damaged("it is larger than memory"))
    }
}

/// The type of nodes.
struct Node<'d> {
    /// The type of its element.
    element: Option<TypeRef<'d>>,
    /// Bytes from its start to its element.
    payload: u64,
}

impl<'d> Node<'d> {
    /// No link is a pointer to it: links point at what all nodes have in common. But
    /// their allocator knows it.
    fn of(view: &CppObject<'d>) -> Option<Self> {
        let mut level: Vec<TypeRef<'d>> = view.fields.iter().map(|field| field.ty).collect();
        for _ in 0..ARGUMENT_DEPTH {
            let arguments = level.iter().flat_map(|ty| layout::type_arguments(*ty, view.scene));
            level = arguments.take(ARGUMENTS).collect();
            if let Some(node) = level.iter().find_map(|argument| Self::described(view, *argument)) {
                return Some(node);
            }
        }
        // libc++'s singly linked list points at whole nodes.
        let targets = view.fields.iter().filter_map(|field| field.target(view.scene));
        targets.into_iter().find_map(|target| Self::described(view, target))
    }

    fn described(view: &CppObject<'d>, ty: TypeRef<'d>) -> Option<Self> {
        layout::own_name(ty).filter(|name| name.to_ascii_lowercase().ends_with("_node"))?;
        let fields = layout::fields(ty, view.scene);
        let named = fields.iter().filter(|field| field.is_named(PAYLOAD));
        let payload = named.min_by_key(|field| field.depth)?;
        let element = match payload.is_named(STORAGE) {
            true => layout::type_arguments(ty, view.scene).first().copied(),
            false => Some(payload.ty),
        };
        Some(Self { element, payload: payload.offset() })
    }
}

/// libc++ puts the pairs of maps into a type of their own.
fn unwrapped<'d>(view: &CppObject<'d>, ty: TypeRef<'d>) -> TypeRef<'d> {
    let name = layout::own_name(ty);
    if !matches!(name.as_deref(), Some("__value_type" | "__hash_value_type")) {
        return ty;
    }
    let fields = layout::fields(ty, view.scene);
    let pair = fields.iter().find(|field| field.is_named(&["__cc_", "__cc"]));
    pair.map_or(ty, |pair| pair.ty)
}

/// Where an element lies behind `links` bytes; `None` if that depends on an alignment
/// which debug information may have left out. A type's size is a multiple of its
/// alignment, so what both the least and the largest possible one say is certain.
fn behind<'d>(view: &CppObject<'d>, ty: TypeRef<'d>, links: u64) -> Option<u64> {
    let least = links.checked_next_multiple_of(natural_alignment(view, ty)?)?;
    let largest = 1_u64.checked_shl(view.size_of(ty).ok()?.trailing_zeros())?;
    let most = links.checked_next_multiple_of(largest)?;
    let is_scalar = !matches!(ty.get().kind, TypeKind::Record(_) | TypeKind::Array(_));
    (is_scalar || least == most).then_some(least)
}

/// The alignment of a type by that of the scalars in it, in bytes.
fn natural_alignment<'d>(view: &CppObject<'d>, ty: TypeRef<'d>) -> Option<u64> {
    let scalar = |ty: TypeRef<'d>| view.size_of(ty).ok().filter(|size| size.is_power_of_two());
    match &ty.get().kind {
        TypeKind::Record(_) => {
            let fields = layout::fields(ty, view.scene);
            let scalars = fields.iter().filter(|field| field.shape != layout::Shape::Record);
            let sizes = scalars.take(ALIGNED_FIELDS).map(|field| match &field.ty.get().kind {
                TypeKind::Array(array) => scalar(field.ty.other(array.element?)),
                _ => scalar(field.ty),
            });
            sizes.map(|size| size.or(Some(1))).try_fold(1, |most, size| Some(most.max(size?)))
        }
        TypeKind::Array(_) => Some(1),
        _ => scalar(ty).map(|size| size.min(16)),
    }
}
