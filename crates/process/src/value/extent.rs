//! How large objects are, and where the elements of arrays lie.

use super::integer::sign_extended;
use super::object::TYPE_DEPTH;
use super::{Contents, Object, Scene, TypeRef};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_dwarf::types::{Array, Dimension, DimensionEnd, Stride};
use obit_dwarf::{Bound, TypeKind};

impl<'d> Object<'d> {
    /// Its size in bytes; `None` for an incomplete type.
    pub fn size(&self, scene: Scene<'d>) -> Option<u64> {
        let it = self.located(scene);
        Extent::of(&it, scene).size(it.ty, it.dimensions_taken, TYPE_DEPTH)
    }

    /// Whether it is an array with room between its elements, or in the reverse order.
    pub(super) fn is_scattered(&self, scene: Scene<'d>) -> bool {
        let ty = self.resolved(scene);
        let TypeKind::Array(array) = &ty.get().kind else { return false };
        if array.dimensions.iter().all(|dimension| dimension.stride.is_none()) {
            return false;
        }
        let extent = Extent::of(self, scene);
        let size = || extent.size(ty, self.dimensions_taken, TYPE_DEPTH);
        size().is_none() || size() != extent.compact_size(ty, array, self.dimensions_taken)
    }

    /// The bytes it lies in, if in memory: of a bit-field all those that hold a part of it.
    pub fn span(&self, scene: Scene<'d>) -> Option<AvmaRange> {
        let Contents::Memory(start) = self.contents else { return None };
        let whole = || self.size(scene)?.checked_mul(8);
        let bits = self.bit_size.or_else(whole)?.checked_add(self.bit_offset % 8)?;
        let first = Avma(start.0.wrapping_add(self.bit_offset / 8));
        Some(AvmaRange::from_len(first, bits.div_ceil(8)))
    }

    /// Element number `index` of an array, counted from 0 whatever its lower bound; not
    /// checked against its end. Of a pointer, the element it points at.
    pub fn index(&self, scene: Scene<'d>, index: i64) -> Option<Self> {
        let it = self.located(scene);
        let ty = it.resolved(scene);
        match &ty.get().kind {
            TypeKind::Array(array) => {
                let extent = Extent::of(&it, scene);
                let taken = it.dimensions_taken;
                let stride = extent.stride_bits(ty, array, taken, TYPE_DEPTH)?;
                let offset = i128::from(index).checked_mul(stride)?;
                let deeper = taken.checked_add(1)?;
                if deeper < array.dimensions.len() {
                    let inner = it.part_at(ty, offset, None);
                    let descriptor = extent.object;
                    return Some(Self { dimensions_taken: deeper, descriptor, ..inner });
                }
                let bits = u64::try_from(stride).ok().filter(|bits| !bits.is_multiple_of(8));
                Some(it.part_at(ty.other(array.element?), offset, bits))
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
        let it = self.located(scene);
        let ty = it.resolved(scene);
        let TypeKind::Array(array) = &ty.get().kind else { return None };
        let dimension = array.dimensions.get(it.dimensions_taken)?;
        Extent::of(&it, scene).length(ty, dimension)
    }

    /// The index of an array's first element, as the program counts.
    pub fn lower_bound(&self, scene: Scene<'d>) -> i64 {
        let it = self.located(scene);
        let ty = it.resolved(scene);
        let TypeKind::Array(array) = &ty.get().kind else { return 0 };
        let Some(dimension) = array.dimensions.get(it.dimensions_taken) else { return 0 };
        Extent::of(&it, scene).bound(ty, &dimension.lower).unwrap_or(0)
    }
}

/// Measures the types of one object: bounds may depend on where it lies.
struct Extent<'d> {
    scene: Scene<'d>,
    object: Option<Avma>,
}

impl<'d> Extent<'d> {
    fn of(object: &Object<'d>, scene: Scene<'d>) -> Self {
        Self { scene, object: object.descriptor.or_else(|| object.address()) }
    }

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
            TypeKind::String(string) => {
                u64::try_from(self.bound(ty, string.length.as_ref()?)?).ok()
            }
            TypeKind::Subrange(subrange) => self.size(ty.other(subrange.base?), 0, depth),
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
        // Bits of all that is within one index of the dimension.
        let mut within = None;
        let dimensions = array.dimensions.get(taken..).unwrap_or_default();
        for (nth, dimension) in dimensions.iter().enumerate().rev() {
            let stride = match (&dimension.stride, within) {
                (Some(stride), _) => self.stated_stride(ty, stride)?,
                (None, Some(within)) => within,
                (None, None) => self.element_bits(ty, array, depth)?,
            };
            if nth == 0 {
                return Some(stride);
            }
            within = Some(stride.checked_mul(i128::from(self.length(ty, dimension)?))?);
        }
        self.element_bits(ty, array, depth)
    }

    fn element_bits(&self, ty: TypeRef<'d>, array: &Array, depth: usize) -> Option<i128> {
        let depth = depth.checked_sub(1)?;
        match array.stride_bits {
            Some(bits) => Some(i128::from(bits)),
            None => i128::from(self.size(ty.other(array.element?), 0, depth)?).checked_mul(8),
        }
    }

    fn stated_stride(&self, ty: TypeRef<'d>, stride: &Stride) -> Option<i128> {
        match stride {
            Stride::Bits(bits) => self.bound(ty, bits).map(i128::from),
            Stride::Bytes(bytes) => i128::from(self.bound(ty, bytes)?).checked_mul(8),
        }
    }

    /// Bytes of all elements from dimension number `taken` on, without room between them.
    fn compact_size(&self, ty: TypeRef<'d>, array: &Array, taken: usize) -> Option<u64> {
        let mut bits = self.element_bits(ty, array, TYPE_DEPTH)?;
        for dimension in array.dimensions.get(taken..)? {
            bits = bits.checked_mul(i128::from(self.length(ty, dimension)?))?;
        }
        u64::try_from(bits.checked_add(7)? / 8).ok()
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
            Bound::Expression(_) | Bound::Variable(_) | Bound::Stored(..) => {
                self.scene.around.bound(ty, bound, self.object)
            }
            Bound::Member(member) => {
                let at = self.object?.0.checked_add(member.offset)?;
                let size = usize::from(member.size);
                let mut bytes = vec![0; size];
                self.scene.memory.read(Avma(at), &mut bytes).ok()?;
                let value = self.scene.memory.unsigned(&bytes);
                match member.is_signed {
                    true => {
                        let bits = u32::from(member.size).checked_mul(8)?;
                        i64::try_from(sign_extended(value.into(), bits)).ok()
                    }
                    false => i64::try_from(value).ok(),
                }
            }
            Bound::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Contents;
    use crate::value::test_stage::Stage;
    use obit_dwarf::sample_types::{array, base, id, named, pointer, record};
    use obit_dwarf::types::Encoding;
    use obit_dwarf::{Type, TypeKind};

    fn types() -> Vec<Type> {
        vec![
            base("int", 4, Encoding::Signed),
            array(0, &[(0, 1), (1, 3)]),
            record("empty", 0, Vec::new()),
            array(2, &[(0, (1 << 60) - 1)]),
            array(0, &[(0, (1 << 60) - 1), (0, (1 << 60) - 1)]),
            array(0, &[(5, 2)]),
            array(0, &[(i64::MIN, i64::MAX)]),
            // Contains itself.
            array(7, &[(0, 1)]),
            named("loop", None, TypeKind::Typedef(Some(id(8)))),
            pointer(0),
            array(0, &[(-2, 2)]),
        ]
    }

    #[test]
    fn an_array_is_indexed_one_dimension_at_a_time() {
        let bytes: Vec<u8> = (0..6_u32).flat_map(u32::to_le_bytes).collect();
        Stage::new(types(), &[(0x1000, &bytes)]).ask(|play| {
            let scene = play.scene;
            let array = play.object(1, 0x1000);
            assert_eq!((array.size(scene), array.length(scene)), (Some(24), Some(2)));
            let row = array.index(scene, 1).unwrap();
            assert_eq!((row.size(scene), row.length(scene)), (Some(12), Some(3)));
            assert_eq!((array.lower_bound(scene), row.lower_bound(scene)), (0, 1));
            let element = row.index(scene, 2).unwrap();
            assert_eq!(element.signed(scene), Ok(5));
            assert!(element.index(scene, 0).is_none());
        });
    }

    #[test]
    fn a_pointer_is_indexed_too_before_and_after() {
        let mut bytes: Vec<u8> = (7..9_u32).flat_map(u32::to_le_bytes).collect();
        bytes.extend(0x1004_u64.to_le_bytes());
        Stage::new(types(), &[(0x1000, &bytes)]).ask(|play| {
            let pointer = play.object(9, 0x1008);
            let at = |index| pointer.index(play.scene, index).unwrap().signed(play.scene);
            assert_eq!((at(-1), at(0)), (Ok(7), Ok(8)));
        });
    }

    #[test]
    fn a_lower_bound_below_zero_counts_from_there() {
        Stage::new(types(), &[]).ask(|play| {
            let array = play.object(10, 0);
            assert_eq!((array.length(play.scene), array.lower_bound(play.scene)), (Some(5), -2));
        });
    }

    #[test]
    fn sizes_that_make_no_sense_overflow_nothing() {
        Stage::new(types(), &[]).ask(|play| {
            let scene = play.scene;
            let empties = play.object(3, 0x1000);
            assert_eq!((empties.size(scene), empties.length(scene)), (Some(0), Some(1 << 60)));
            let far = empties.index(scene, i64::MAX).unwrap();
            assert!(matches!(far.contents, Contents::Memory(at) if at.0 == 0x1000));
            let vast = play.object(4, 0);
            assert_eq!(vast.size(scene), None);
            assert!(vast.index(scene, 1).is_some());
            assert!(vast.index(scene, i64::MIN).is_none());
            assert_eq!(play.object(5, 0).length(scene), Some(0));
            assert_eq!(play.object(6, 0).length(scene), Some(u64::MAX));
            assert_eq!(play.object(7, 0).size(scene), None);
            assert_eq!(play.object(8, 0).size(scene), None);
        });
    }
}
