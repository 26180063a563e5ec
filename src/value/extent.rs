//! How large objects are, and where the elements of arrays lie.

use super::object::TYPE_DEPTH;
use super::{Object, Scene, TypeRef};
use crate::addr::Avma;
use crate::debuginfo::{Array, Bound, Dimension, DimensionEnd, TypeKind};

impl<'d> Object<'d> {
    /// Its size in bytes; `None` for an incomplete type.
    pub fn size(&self, scene: Scene<'d>) -> Option<u64> {
        let extent = Extent { scene, object: self.address() };
        extent.size(self.ty, self.dimensions_taken, TYPE_DEPTH)
    }

    /// Element number `index` of an array, counted from 0 whatever its lower bound; not
    /// checked against its end. Of a pointer, the element it points at.
    pub fn index(&self, scene: Scene<'d>, index: i64) -> Option<Self> {
        let ty = self.resolved(scene);
        match &ty.get().kind {
            TypeKind::Array(array) => {
                let extent = Extent { scene, object: self.address() };
                let taken = self.dimensions_taken;
                let stride = extent.stride_bits(ty, array, taken, TYPE_DEPTH)?;
                let offset = i128::from(index).checked_mul(stride)?;
                let deeper = taken.checked_add(1)?;
                if deeper < array.dimensions.len() {
                    let inner = self.part_at(ty, offset, None);
                    return Some(Self { dimensions_taken: deeper, ..inner });
                }
                let bits = u64::try_from(stride).ok().filter(|bits| !bits.is_multiple_of(8));
                Some(self.part_at(ty.other(array.element?), offset, bits))
            }
            TypeKind::Pointer { .. } => {
                let first = self.pointee(scene).ok()?;
                let bits = i128::from(first.size(scene)?).checked_mul(8)?;
                Some(first.part_at(first.ty, i128::from(index).checked_mul(bits)?, None))
            }
            _ => None,
        }
    }

    /// Elements of an array's outermost dimension; `None` where its end is not known.
    pub fn length(&self, scene: Scene<'d>) -> Option<u64> {
        let ty = self.resolved(scene);
        let TypeKind::Array(array) = &ty.get().kind else { return None };
        let dimension = array.dimensions.get(self.dimensions_taken)?;
        Extent { scene, object: self.address() }.length(ty, dimension)
    }

    /// The index of an array's first element, as the program counts.
    pub fn lower_bound(&self, scene: Scene<'d>) -> i64 {
        let ty = self.resolved(scene);
        let TypeKind::Array(array) = &ty.get().kind else { return 0 };
        let Some(dimension) = array.dimensions.get(self.dimensions_taken) else { return 0 };
        let extent = Extent { scene, object: self.address() };
        extent.bound(ty, &dimension.lower).unwrap_or(0)
    }
}

/// Measures the types of one object: bounds may depend on where it lies.
struct Extent<'d> {
    scene: Scene<'d>,
    object: Option<Avma>,
}

impl<'d> Extent<'d> {
    fn size(&self, ty: TypeRef<'d>, taken: usize, depth: usize) -> Option<u64> {
        let ty = ty.resolved(self.scene);
        let entry = ty.get();
        if let Some(size) = entry.byte_size.filter(|_| taken == 0) {
            return Some(size);
        }
        let depth = depth.checked_sub(1)?;
        match &entry.kind {
            TypeKind::Array(array) => {
                let first = array.dimensions.get(taken)?;
                let stride = self.stride_bits(ty, array, taken, depth)?;
                let bits = i128::from(self.length(ty, first)?).checked_mul(stride)?;
                u64::try_from(bits.checked_add(7)? / 8).ok()
            }
            TypeKind::Enumeration(enumeration) => {
                self.size(ty.other(enumeration.underlying?), 0, depth)
            }
            // One word, or to a method a word and an offset (Itanium C++ ABI § 2.3).
            TypeKind::MemberPointer { target, .. } => {
                let target = target.map(|target| ty.other(target).resolved(self.scene).get());
                let to_method = target.is_some_and(|t| matches!(t.kind, TypeKind::Function(_)));
                (self.scene.memory.word() as u64).checked_mul(if to_method { 2 } else { 1 })
            }
            TypeKind::Pointer { .. } => Some(self.scene.memory.word() as u64),
            TypeKind::Subrange(Some(base)) => self.size(ty.other(*base), 0, depth),
            _ => None,
        }
    }

    /// Bits from one element of dimension number `taken` to the next.
    fn stride_bits(
        &self,
        ty: TypeRef<'d>,
        array: &Array,
        taken: usize,
        depth: usize,
    ) -> Option<i128> {
        let depth = depth.checked_sub(1)?;
        let mut stride = match array.stride_bits {
            Some(bits) => i128::from(bits),
            None => i128::from(self.size(ty.other(array.element?), 0, depth)?).checked_mul(8)?,
        };
        for dimension in array.dimensions.get(taken.checked_add(1)?..).unwrap_or_default() {
            stride = stride.checked_mul(i128::from(self.length(ty, dimension)?))?;
        }
        Some(stride)
    }

    fn length(&self, ty: TypeRef<'d>, dimension: &Dimension) -> Option<u64> {
        match &dimension.end {
            DimensionEnd::Count(count) => Some(u64::try_from(self.bound(ty, count)?).unwrap_or(0)),
            DimensionEnd::Upper(upper) => {
                let upper = i128::from(self.bound(ty, upper)?);
                let lower = i128::from(self.bound(ty, &dimension.lower)?);
                let count = upper.checked_sub(lower)?.checked_add(1)?;
                // `int a[0]` ends at -1; what ends further before its start is as empty.
                Some(u64::try_from(count.max(0)).unwrap_or(u64::MAX))
            }
            DimensionEnd::Open => None,
        }
    }

    fn bound(&self, ty: TypeRef<'d>, bound: &Bound) -> Option<i64> {
        match bound {
            Bound::Constant(value) => Some(*value),
            Bound::Expression(_) | Bound::Variable(_) => {
                self.scene.around.bound(ty, bound, self.object)
            }
            Bound::Unknown => None,
        }
    }
}
