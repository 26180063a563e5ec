//! Objects as integers, and what pointers point at.

use super::bits::{BitOrder, Bits};
use super::object::{Absence, Object, PartSource, Scene, TYPE_DEPTH, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::{BaseType, Encoding};

impl<'d> Object<'d> {
    /// The object that a pointer or reference points to.
    ///
    /// # Errors
    /// The pointer's own value is absent.
    pub fn pointee(&self, scene: Scene<'d>) -> Result<Self, Absence> {
        let ty = self.resolved(scene);
        let TypeKind::Pointer { target, .. } = ty.get().kind else {
            return Err(Absence::Malformed("it is not a pointer"));
        };
        let target = target.map(|target| ty.other(target));
        if let Some((part, _)) = self.first_part()
            && let PartSource::ImplicitPointer(object) = &part.source
        {
            let object = object.as_deref().ok_or(Absence::ImplicitPointer)?;
            return Ok(target.map_or_else(|| object.clone(), |target| object.cast(target)));
        }
        let at = self.unsigned(scene)?;
        Ok(Self::at(target.ok_or(Absence::Incomplete)?, Avma(at)))
    }

    /// A pointer's or an integer's value as a number, zero-extended.
    ///
    /// # Errors
    /// It is absent.
    pub fn unsigned(&self, scene: Scene<'d>) -> Result<u64, Absence> {
        let (value, _) = self.number(scene)?;
        u64::try_from(value).map_err(|_| Absence::TooLarge(8))
    }

    /// An integer's value, sign-extended if its type is signed.
    ///
    /// # Errors
    /// It is absent.
    pub fn signed(&self, scene: Scene<'d>) -> Result<i64, Absence> {
        i64::try_from(self.integer(scene)?).map_err(|_| Absence::TooLarge(8))
    }

    /// An integer of at most 16 bytes, sign-extended if its type is signed. An unsigned
    /// one of 2^127 or more comes out negative.
    ///
    /// # Errors
    /// It is absent.
    pub(super) fn integer(&self, scene: Scene<'d>) -> Result<i128, Absence> {
        let (value, bits) = self.number(scene)?;
        let has_sign = is_signed(self.ty, scene) && !is_unsigned_field(self, scene);
        Ok(if has_sign { sign_extended(value, bits) } else { value as i128 })
    }

    /// Its value as a number, zero-extended, and how many bits it has.
    pub(super) fn number(&self, scene: Scene<'d>) -> Result<(u128, u32), Absence> {
        // First: the bounds of an array may be numbers that are arrays.
        let layout = Layout::of(self, scene)?;
        let bytes = self.bytes(scene)?;
        layout.number(&bytes).ok_or(Absence::TooLarge(16))
    }
}

/// How the bits of a number lie in its bytes.
pub(super) struct Layout {
    pub(super) is_little_endian: bool,
    /// Bits before the first bit of the number, in memory order.
    pub(super) skip: u64,
    /// Bits of the number; `None`: all.
    pub(super) bits: Option<u64>,
}

impl Layout {
    /// Of an object that is one number.
    pub(super) fn of<'d>(object: &Object<'d>, scene: Scene<'d>) -> Result<Self, Absence> {
        let is_little_endian = scene.memory.is_little_endian();
        let plain = Self { is_little_endian, skip: 0, bits: object.bit_size };
        match number_type(object.ty, scene).get().kind {
            // A bit-field's bits are in the low end already.
            TypeKind::Base(base) if object.bit_size.is_none() => Ok(Self::of_base(&base, plain)),
            TypeKind::Base(_)
            | TypeKind::Enumeration(_)
            | TypeKind::Pointer { .. }
            | TypeKind::MemberPointer { .. }
            | TypeKind::Subrange(_)
            | TypeKind::Unspecified => Ok(plain),
            _ => Err(Absence::Malformed("it is not a number")),
        }
    }

    /// Of each half of a complex number.
    pub(super) fn of_component(base: &BaseType, scene: Scene<'_>) -> Self {
        let is_little_endian = scene.memory.is_little_endian();
        let whole = Self { is_little_endian, skip: 0, bits: None };
        Self { skip: 0, bits: None, ..Self::of_base(base, whole) }
    }

    fn of_base(base: &BaseType, plain: Self) -> Self {
        let is_little_endian = base.big_endian.map_or(plain.is_little_endian, |big| !big);
        Self { is_little_endian, skip: base.bit_offset, bits: base.bit_size }
    }

    /// The number in `bytes`, zero-extended, and its bits; `None` if it has more than 128.
    pub(super) fn number(&self, bytes: &[u8]) -> Option<(u128, u32)> {
        let whole = u64::try_from(bytes.len()).ok()?.checked_mul(8)?;
        let bits = self.bits.unwrap_or(whole).min(whole);
        let skip = self.skip.min(whole.checked_sub(bits)?);
        let mut low_first = bytes.to_vec();
        if !self.is_little_endian {
            low_first.reverse();
        }
        // In a big-endian number what is skipped is the high end.
        let from = match self.is_little_endian || skip == 0 {
            true => skip,
            false => whole.checked_sub(skip.checked_add(bits)?)?,
        };
        let mut number = Bits::new(16, BitOrder::LowFirst);
        number.push(&low_first, from, bits)?;
        let value = u128::from_le_bytes(number.bytes.try_into().ok()?);
        Some((value, u32::try_from(bits).ok()?))
    }
}

/// The type behind enumerations' and subranges' own, and the pointer behind a reference.
pub(super) fn number_type<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> TypeRef<'d> {
    let mut ty = ty.resolved(scene);
    for _ in 0..TYPE_DEPTH {
        let below = match &ty.get().kind {
            TypeKind::Subrange(subrange) => subrange.base,
            _ => None,
        };
        let Some(below) = below else { break };
        ty = ty.other(below).resolved(scene);
    }
    ty
}

/// Whether the bit-field `object` has no bit for a sign though the type below its own has
/// one: Ada stores `range 0 .. 15` of a signed type in four bits.
pub(super) fn is_unsigned_field<'d>(object: &Object<'d>, scene: Scene<'d>) -> bool {
    if object.bit_size.is_none() {
        return false;
    }
    let mut ty = object.resolved(scene);
    for _ in 0..TYPE_DEPTH {
        let TypeKind::Subrange(subrange) = &ty.get().kind else { return false };
        let Some(below) = subrange.base.filter(|_| !subrange.is_non_negative) else {
            return subrange.is_non_negative;
        };
        ty = ty.other(below).resolved(scene);
    }
    false
}

/// Whether numbers of this type have a sign.
pub(super) fn is_signed<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> bool {
    let mut ty = number_type(ty, scene);
    for _ in 0..TYPE_DEPTH {
        ty = match &ty.get().kind {
            TypeKind::Base(base) => {
                use Encoding::{Signed, SignedChar, SignedFixed};
                return matches!(base.encoding, Signed | SignedChar | SignedFixed);
            }
            TypeKind::Enumeration(enumeration) => match enumeration.underlying {
                Some(underlying) => number_type(ty.other(underlying), scene),
                None => return enumeration.enumerators.iter().any(|(_, value)| *value < 0),
            },
            _ => return false,
        };
    }
    false
}

/// The low `bits` of `value` as a signed number.
pub(super) fn sign_extended(value: u128, bits: u32) -> i128 {
    match 128_u32.checked_sub(bits) {
        Some(unused) if unused < 128 => ((value << unused) as i128) >> unused,
        _ => 0,
    }
}
