//! Nodes of lists, trees and hash tables: links, and an element behind them.

use super::Trouble;
use super::layout::{self, Field};
use super::view::View;
use crate::addr::Avma;
use crate::debuginfo::TypeKind;
use crate::value::{Object, TypeRef};

/// What libraries call the element of a node, or the storage it lies in.
const PAYLOAD: &[&str] = &[
    "_M_storage",
    "_M_value_field",
    "_M_data",
    "_M_v",
    "__value_",
    "__value",
    "__cc_",
    "__buffer_",
];
/// Allocators within template arguments that are looked into for the type of nodes.
const ARGUMENT_DEPTH: usize = 3;
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
    pub(super) fn of(view: &View<'d>, links: u64) -> Result<Self, Trouble> {
        let ty = view.value_type().ok_or(Trouble::Unfamiliar)?;
        let node = node_type(view);
        let by_name = node.and_then(|node| {
            let fields = layout::fields(node, view.scene);
            let named = fields.iter().filter(|field| field.is_named(PAYLOAD));
            named.min_by_key(|field| field.depth).map(Field::offset)
        });
        let offset = match by_name {
            Some(offset) => offset,
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
    pub(super) fn end(&self, view: &View<'d>) -> Result<u64, Trouble> {
        let size = view.size_of(self.ty)?;
        self.offset.checked_add(size).ok_or(Trouble::Damaged("it is larger than memory"))
    }
}

/// The type of nodes, which no link is a pointer to: links point at what nodes have in
/// common. Their allocator knows it.
fn node_type<'d>(view: &View<'d>) -> Option<TypeRef<'d>> {
    let records = view.fields.iter().map(|field| field.ty);
    let mut level: Vec<TypeRef<'d>> = records.collect();
    for _ in 0..ARGUMENT_DEPTH {
        let arguments = level.iter().flat_map(|ty| layout::type_arguments(*ty, view.scene));
        level = arguments.take(ALIGNED_FIELDS).collect();
        let node = level.iter().copied().find(|argument| is_node(*argument));
        if node.is_some() {
            return node;
        }
    }
    // libc++'s singly linked list points at whole nodes.
    view.fields.iter().filter_map(|field| field.target(view.scene)).find(|ty| is_node(*ty))
}

fn is_node(ty: TypeRef<'_>) -> bool {
    let name = layout::own_name(ty);
    let is_named = name.is_some_and(|name| name.to_ascii_lowercase().ends_with("_node"));
    is_named && matches!(&ty.get().kind, TypeKind::Record(record) if !record.is_declaration)
}

/// Where an element lies behind `links` bytes; `None` if that depends on an alignment
/// which debug information may have left out. A type's size is a multiple of its
/// alignment, so what both the least and the largest possible one say is certain.
fn behind<'d>(view: &View<'d>, ty: TypeRef<'d>, links: u64) -> Option<u64> {
    let least = links.checked_next_multiple_of(natural_alignment(view, ty)?)?;
    let largest = 1_u64.checked_shl(view.size_of(ty).ok()?.trailing_zeros())?;
    let most = links.checked_next_multiple_of(largest)?;
    let is_scalar = !matches!(ty.get().kind, TypeKind::Record(_) | TypeKind::Array(_));
    (is_scalar || least == most).then_some(least)
}

/// The alignment of a type by that of the scalars in it, in bytes.
fn natural_alignment<'d>(view: &View<'d>, ty: TypeRef<'d>) -> Option<u64> {
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
