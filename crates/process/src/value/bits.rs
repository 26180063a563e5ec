//! The bytes of objects, gathered bit by bit from wherever their parts are.

use std::borrow::Cow;

use super::integer::number_type;
use super::object::{Absence, Contents, Object, ObjectPart, PartSource, Scene};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;
use obit_dwarf::{NoPlace, TypeKind};

/// Bytes of one object that are read at once. Larger ones are read by their elements.
const OBJECT_BYTES: u64 = 1 << 20;

impl<'d> Object<'d> {
    /// Its bytes in memory order, a bit-field's bits moved to the low end of as many bytes
    /// as its type has.
    ///
    /// # Errors
    /// The first part that is absent.
    pub fn bytes(&self, scene: Scene<'d>) -> Result<Vec<u8>, Absence> {
        if let Contents::Absent(why) = &self.contents {
            return Err(why.clone());
        }
        if let Cow::Owned(data) = self.located(scene) {
            return data.bytes(scene);
        }
        if self.is_scattered(scene) {
            return Err(Absence::NotContiguous);
        }
        let size = self.size(scene).ok_or(Absence::Incomplete)?;
        if size > OBJECT_BYTES {
            return Err(Absence::TooLarge(OBJECT_BYTES));
        }
        // At most 2^20.
        let whole = size.saturating_mul(8);
        let bits = self.bit_size.unwrap_or(whole);
        if bits > whole {
            return Err(Absence::Malformed("a bit-field that is larger than its type"));
        }
        let machine = BitOrder::of(scene.memory);
        let order = self.storage_order(scene).unwrap_or(machine);
        let mut out = Bits::new(usize::try_from(size).unwrap_or(0), order);
        if order == BitOrder::HighFirst {
            out.skip(whole.saturating_sub(bits));
        }
        match &self.contents {
            Contents::Memory(at) => out.push_memory(scene.memory, *at, self.bit_offset, bits)?,
            Contents::Parts(parts) => gather(parts, self.bit_offset, bits, scene, &mut out)?,
            Contents::Absent(why) => return Err(why.clone()),
        }
        if order != machine {
            out.bytes.reverse();
        }
        Ok(out.bytes)
    }

    /// The order of the bits of a bit-field in memory, where its type has another than the
    /// machine's: GCC's `scalar_storage_order`, `DW_AT_endianity` of the type.
    fn storage_order(&self, scene: Scene<'d>) -> Option<BitOrder> {
        let (Some(_), Contents::Memory(_)) = (self.bit_size, &self.contents) else { return None };
        let ty = number_type(self.ty, scene);
        let base = match &ty.get().kind {
            TypeKind::Enumeration(enumeration) => {
                number_type(ty.other(enumeration.underlying?), scene)
            }
            _ => ty,
        };
        let TypeKind::Base(base) = &base.get().kind else { return None };
        Some(if base.big_endian? { BitOrder::HighFirst } else { BitOrder::LowFirst })
    }

    /// The part that holds its first bit, and how many bits of the part precede it.
    pub(super) fn first_part(&self) -> Option<(&ObjectPart<'d>, u64)> {
        let Contents::Parts(parts) = &self.contents else { return None };
        let mut before = self.bit_offset;
        for part in parts.iter() {
            match before.checked_sub(part.bits) {
                Some(rest) => before = rest,
                None => return Some((part, before)),
            }
        }
        None
    }

    /// Why one of its parts is absent, the first such, even if no member lies there.
    pub(super) fn absent_part(&self, scene: Scene<'d>) -> Option<&Absence> {
        let Contents::Parts(parts) = &self.contents else { return None };
        let bits = self.bit_size.or_else(|| self.size(scene)?.checked_mul(8))?;
        let end = self.bit_offset.saturating_add(bits);
        let mut start = 0_u64;
        for part in parts.iter() {
            let next = start.saturating_add(part.bits);
            if let PartSource::Absent(why) = &part.source
                && start < end
                && next > self.bit_offset
            {
                return Some(why);
            }
            start = next;
        }
        None
    }
}

/// Appends `bits` bits of `parts` to `out`, from bit `start` on.
fn gather(
    parts: &[ObjectPart<'_>],
    start: u64,
    bits: u64,
    scene: Scene<'_>,
    out: &mut Bits,
) -> Result<(), Absence> {
    let (mut skip, mut left) = (start, bits);
    for part in parts {
        let Some(here) = part.bits.checked_sub(skip).filter(|here| *here > 0) else {
            skip = skip.saturating_sub(part.bits);
            continue;
        };
        if left == 0 {
            break;
        }
        let taken = here.min(left);
        match &part.source {
            PartSource::Memory(at) => {
                let from = part.bit_offset.checked_add(skip).ok_or(OVERFLOW)?;
                out.push_memory(scene.memory, *at, from, taken)?;
            }
            PartSource::Bytes(bytes) => {
                let from = out.order.within(bytes, part).ok_or(TOO_SHORT)?;
                let from = from.checked_add(skip).ok_or(OVERFLOW)?;
                out.push(bytes, from, taken).ok_or(TOO_SHORT)?;
            }
            PartSource::ImplicitPointer(_) => return Err(Absence::ImplicitPointer),
            PartSource::Absent(why) => return Err(why.clone()),
        }
        left = left.saturating_sub(taken);
        skip = 0;
    }
    // Bits that no piece describes are optimized out (DWARF 5 § 2.6.1.2).
    if left > 0 { Err(NoPlace::OptimizedOut.into()) } else { Ok(()) }
}

const OVERFLOW: Absence = Absence::Malformed("a part beyond the end of memory");
const TOO_SHORT: Absence = Absence::Malformed("a part that is larger than its source");

/// Which bit of a byte comes first in memory order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitOrder {
    /// The least significant: little-endian machines.
    LowFirst,
    /// The most significant.
    HighFirst,
}

impl BitOrder {
    fn of(memory: &AddressSpace) -> Self {
        if memory.is_little_endian() { Self::LowFirst } else { Self::HighFirst }
    }

    /// The first bit of `part` in the bytes that hold it. A register may be larger than
    /// its part, which then is in its low end: first if the lowest byte is.
    fn within(self, bytes: &[u8], part: &ObjectPart<'_>) -> Option<u64> {
        match self {
            Self::LowFirst => Some(part.bit_offset),
            Self::HighFirst => {
                let all = u64::try_from(bytes.len()).ok()?.checked_mul(8)?;
                all.checked_sub(part.bit_offset.checked_add(part.bits)?)
            }
        }
    }

    fn mask(self, bit: u64) -> u8 {
        let shift = (bit % 8) as u32;
        match self {
            Self::LowFirst => 1_u8.wrapping_shl(shift),
            Self::HighFirst => 0x80_u8.wrapping_shr(shift),
        }
    }
}

/// Bits in memory order, filled from the front.
pub(super) struct Bits {
    pub(super) bytes: Vec<u8>,
    order: BitOrder,
    filled: u64,
}

impl Bits {
    pub(super) fn new(size: usize, order: BitOrder) -> Self {
        Self { bytes: vec![0; size], order, filled: 0 }
    }

    /// Leaves `bits` bits zero.
    pub(super) fn skip(&mut self, bits: u64) {
        self.filled = self.filled.saturating_add(bits);
    }

    /// Appends `bits` bits of memory that begin `offset` bits after `at`.
    fn push_memory(
        &mut self,
        memory: &AddressSpace,
        at: Avma,
        offset: u64,
        bits: u64,
    ) -> Result<(), Absence> {
        let at = Avma(at.0.wrapping_add(offset / 8));
        let (rest, end) = (offset % 8, (offset % 8).checked_add(bits).ok_or(OVERFLOW)?);
        let mut buffer = vec![0; usize::try_from(end.div_ceil(8)).map_err(|_| OVERFLOW)?];
        memory.read(at, &mut buffer)?;
        self.push(&buffer, rest, bits).ok_or(OVERFLOW)
    }

    /// Appends `bits` bits of `source` from bit `from` on; `None` if it has fewer.
    pub(super) fn push(&mut self, source: &[u8], from: u64, bits: u64) -> Option<()> {
        let whole = [from, bits, self.filled].iter().all(|number| number.is_multiple_of(8));
        if whole {
            let at = |bit: u64| usize::try_from(bit / 8).ok();
            let source = source.get(at(from)?..at(from.checked_add(bits)?)?)?;
            let end = self.filled.checked_add(bits)?;
            self.bytes.get_mut(at(self.filled)?..at(end)?)?.copy_from_slice(source);
            self.filled = end;
            return Some(());
        }
        for bit in 0..bits {
            let from = from.checked_add(bit)?;
            let byte = source.get(usize::try_from(from / 8).ok()?)?;
            if byte & self.order.mask(from) != 0 {
                let to = usize::try_from(self.filled / 8).ok()?;
                *self.bytes.get_mut(to)? |= self.order.mask(self.filled);
            }
            self.filled = self.filled.checked_add(1)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::test_stage::{Play, Stage};
    use obit_corefile::memory::{Absent, ReadError};
    use obit_dwarf::Type;
    use obit_dwarf::sample_types::{base, named, record};
    use obit_dwarf::types::Encoding;

    fn numbers() -> Vec<Type> {
        vec![
            base("int", 4, Encoding::Signed),
            base("long", 8, Encoding::Signed),
            record("huge", 1 << 40, Vec::new()),
            named("opaque", None, TypeKind::Unspecified),
        ]
    }

    fn bits<'d>(play: Play<'d>, at: u64, offset: u64, size: u64) -> Object<'d> {
        Object { bit_offset: offset, bit_size: Some(size), ..play.object(0, at) }
    }

    fn part(bits: u64, source: PartSource<'_>) -> ObjectPart<'_> {
        ObjectPart { bits, bit_offset: 0, source }
    }

    fn known<'d>(bytes: &[u8]) -> PartSource<'d> {
        PartSource::Bytes(Arc::from(bytes))
    }

    fn composed<'d>(play: Play<'d>, ty: u32, parts: Vec<ObjectPart<'d>>) -> Object<'d> {
        Object::new(play.ty(ty), Contents::Parts(parts.into()))
    }

    #[test]
    fn a_bit_field_is_counted_from_the_lowest_bit_on_little_endian_machines() {
        let stage = Stage::new(numbers(), &[(0x1000, &[0b1010_0110, 0b0000_0011, 0, 0, 0])]);
        stage.ask(|play| {
            assert_eq!(bits(play, 0x1000, 1, 3).bytes(play.scene).unwrap(), [0b011, 0, 0, 0]);
            assert_eq!(bits(play, 0x1000, 5, 5).bytes(play.scene).unwrap(), [0b11101, 0, 0, 0]);
            assert_eq!(bits(play, 0x1000, 5, 5).signed(play.scene), Ok(-3));
            assert_eq!(bits(play, 0x1000, 5, 5).unsigned(play.scene), Ok(29));
        });
    }

    #[test]
    fn and_from_the_highest_on_big_endian_ones() {
        let stage = Stage::big_endian(numbers(), &[(0x1000, &[0b1010_0110, 0b0100_0000, 0, 0, 0])]);
        stage.ask(|play| {
            assert_eq!(bits(play, 0x1000, 0, 3).bytes(play.scene).unwrap(), [0, 0, 0, 0b101]);
            assert_eq!(bits(play, 0x1000, 5, 5).bytes(play.scene).unwrap(), [0, 0, 0, 0b11001]);
            assert_eq!(bits(play, 0x1000, 5, 5).signed(play.scene), Ok(-7));
        });
    }

    /// `struct { unsigned bf : 12, bg : 20; }` of 0xabc and 0x12345 with
    /// `scalar_storage_order("big-endian")`, as GCC stores it on x86_64.
    #[test]
    fn the_storage_order_of_the_type_comes_before_the_machine_s() {
        let mut swapped = base("unsigned int", 4, Encoding::Unsigned);
        if let TypeKind::Base(base) = &mut swapped.kind {
            base.big_endian = Some(true);
        }
        let stage = Stage::new(vec![swapped], &[(0x1000, &[0xab, 0xc1, 0x23, 0x45])]);
        stage.ask(|play| {
            assert_eq!(bits(play, 0x1000, 0, 12).unsigned(play.scene), Ok(0xabc));
            assert_eq!(bits(play, 0x1000, 12, 20).unsigned(play.scene), Ok(0x12345));
        });
    }

    #[test]
    fn a_bit_field_larger_than_its_type_is_malformed() {
        let stage = Stage::new(numbers(), &[(0x1000, &[0; 16])]);
        stage.ask(|play| {
            let wide = bits(play, 0x1000, 0, 33).bytes(play.scene);
            assert!(matches!(wide, Err(Absence::Malformed(_))), "{wide:?}");
        });
    }

    #[test]
    fn parts_are_put_together_in_their_order() {
        let stage = Stage::new(numbers(), &[(0x1000, &[5, 6, 7, 8])]);
        stage.ask(|play| {
            // A register is wider than the part of it that counts.
            let low = part(16, known(&[1, 2, 9, 9, 9, 9, 9, 9]));
            let memory = part(16, PartSource::Memory(Avma(0x1001)));
            let rest = part(32, known(&[0xa, 0xb, 0xc, 0xd]));
            let object = composed(play, 1, vec![low, memory, rest]);
            let bytes = [1, 2, 6, 7, 0xa, 0xb, 0xc, 0xd];
            assert_eq!(object.bytes(play.scene).unwrap(), bytes);
        });
    }

    #[test]
    fn parts_need_not_be_whole_bytes() {
        let stage = Stage::new(numbers(), &[]);
        stage.ask(|play| {
            let parts = vec![
                part(3, known(&[0b101])),
                ObjectPart { bits: 7, bit_offset: 1, source: known(&[0b1001_0010]) },
                part(22, known(&[0xff, 0xff, 0xff])),
            ];
            let value = 0b101 | (0b100_1001 << 3) | (0x3f_ffff << 10);
            assert_eq!(composed(play, 0, parts).unsigned(play.scene), Ok(value));
        });
    }

    #[test]
    fn a_big_endian_register_holds_its_part_in_its_low_end() {
        let stage = Stage::big_endian(numbers(), &[]);
        stage.ask(|play| {
            let object = composed(play, 0, vec![part(32, known(&[9, 9, 9, 9, 0, 0, 0, 7]))]);
            assert_eq!(object.unsigned(play.scene), Ok(7));
        });
    }

    #[test]
    fn the_first_absent_part_is_the_reason() {
        let stage = Stage::new(numbers(), &[]);
        stage.ask(|play| {
            let hole = part(32, PartSource::Absent(NoPlace::OptimizedOut.into()));
            let object = composed(play, 1, vec![part(32, known(&[1; 4])), hole.clone()]);
            let gone = Absence::NoPlace(NoPlace::OptimizedOut);
            assert_eq!(object.bytes(play.scene), Err(gone.clone()));
            assert_eq!(object.absent_part(play.scene), Some(&gone));
            // What lies before it is there.
            let first = object.part_at(play.ty(0), 0, None);
            assert_eq!(first.unsigned(play.scene), Ok(0x0101_0101));
            assert_eq!(first.absent_part(play.scene), None);
            let few = composed(play, 1, vec![part(32, known(&[1; 4]))]);
            assert_eq!(few.bytes(play.scene), Err(gone));
            let pointer = composed(play, 1, vec![part(64, PartSource::ImplicitPointer(None))]);
            assert_eq!(pointer.bytes(play.scene), Err(Absence::ImplicitPointer));
        });
    }

    #[test]
    fn a_part_larger_than_its_source_is_malformed() {
        let stage = Stage::new(numbers(), &[]);
        stage.ask(|play| {
            let object = composed(play, 1, vec![part(64, known(&[1; 4]))]);
            assert_eq!(object.bytes(play.scene), Err(TOO_SHORT));
            let source = known(&[1; 8]);
            let far = ObjectPart { bits: 64, bit_offset: u64::MAX, source };
            assert!(composed(play, 1, vec![far]).bytes(play.scene).is_err());
        });
    }

    #[test]
    fn what_is_too_large_or_has_no_size_is_not_read() {
        let stage = Stage::new(numbers(), &[]);
        stage.ask(|play| {
            let huge = play.object(2, 0x1000).bytes(play.scene);
            assert_eq!(huge, Err(Absence::TooLarge(1 << 20)));
            assert_eq!(play.object(3, 0x1000).bytes(play.scene), Err(Absence::Incomplete));
            let absent = ReadError { at: Avma(0x1000), reason: Absent::Unmapped };
            assert_eq!(play.object(0, 0x1000).bytes(play.scene), Err(absent.into()));
        });
    }
}
