//! From bytes to scalars: base types of every encoding, pointers, enumerations.

use super::character::literal_prefix;
use super::fixed::fixed_point;
use super::float::float_format;
use super::integer::{Layout, is_signed, is_unsigned_field, number_type, sign_extended};
use super::object::{Absence, Object, Scene, TypeRef};
use super::{Float, Scalar};
use obit_dwarf::TypeKind;
use obit_dwarf::types::{BaseType, Encoding};

/// `DW_ATE_lo_user`: gcc's complex integers.
const GNU_COMPLEX_INTEGER: u8 = 0x80;
/// `DW_ATE_UCS` and `DW_ATE_ASCII` (DWARF 5 § 7.8): ISO 10646 and ISO 646 characters.
const CHARACTER_SETS: [u8; 2] = [0x11, 0x12];

/// How gfortran names its wide characters: `character(kind=4)`, an unsigned integer.
pub(super) const FORTRAN_CHARACTER: &str = "character(kind=";

impl<'d> Object<'d> {
    /// The scalar it is; `None` if its type is of another kind, a record, an array, a
    /// complex number, or has no bits.
    ///
    /// # Errors
    /// Its bytes are absent.
    pub fn scalar(&self, scene: Scene<'d>) -> Result<Option<Scalar>, Absence> {
        let ty = number_type(self.ty, scene);
        let entry = ty.get();
        match &entry.kind {
            TypeKind::Base(base) => {
                if component_encoding(base, entry.name.as_deref()).is_some() {
                    return Ok(None);
                }
                // Rust's `()`.
                if entry.byte_size == Some(0) {
                    return Ok(None);
                }
                let bytes = self.bytes(scene)?;
                let layout = Layout::of(self, scene)?;
                let name = entry.name.as_deref().unwrap_or_default();
                let is_unsigned = is_unsigned_field(self, scene);
                let encoding = match base.encoding {
                    Encoding::Signed if is_unsigned => Encoding::Unsigned,
                    Encoding::SignedFixed if is_unsigned => Encoding::UnsignedFixed,
                    encoding => encoding,
                };
                let base = &BaseType { encoding, ..*base };
                let scalar = decode_base(base, name, &bytes, &layout, ty.debug.is_x86());
                Ok(Some(match (literal_prefix(self.ty, scene), &scalar) {
                    (Some(_), Scalar::Signed(code)) => wide_character(*code),
                    (Some(_), Scalar::Unsigned(code)) => wide_character(*code as i128),
                    _ => scalar,
                }))
            }
            TypeKind::Pointer { .. } => self.unsigned(scene).map(|at| Some(Scalar::Address(at))),
            TypeKind::MemberPointer { target, .. } => {
                let target = target.map(|target| ty.other(target).resolved(scene).get());
                if target.is_some_and(|target| matches!(target.kind, TypeKind::Function(_))) {
                    return self.bytes(scene).map(|bytes| Some(Scalar::Raw(bytes)));
                }
                let (value, bits) = self.number(scene)?;
                Ok(Some(Scalar::Signed(sign_extended(value, bits))))
            }
            TypeKind::Enumeration(_) | TypeKind::Subrange(_) => {
                let (value, bits) = self.number(scene)?;
                Ok(Some(match is_signed(ty, scene) {
                    true => Scalar::Signed(sign_extended(value, bits)),
                    false => Scalar::Unsigned(value),
                }))
            }
            TypeKind::Unspecified
            | TypeKind::Qualified { .. }
            | TypeKind::Typedef(_)
            | TypeKind::Array(_)
            | TypeKind::String(_)
            | TypeKind::Record(_)
            | TypeKind::Function(_)
            | TypeKind::Unsupported(_) => Ok(None),
        }
    }

    /// The parts of a complex number, `real` and `imag`; `None` for any other type.
    pub(super) fn complex_parts(
        &self,
        scene: Scene<'d>,
    ) -> Option<[(&'static str, Result<Scalar, Absence>); 2]> {
        let ty = self.resolved(scene);
        let entry = ty.get();
        let TypeKind::Base(base) = &entry.kind else { return None };
        let name = entry.name.as_deref().unwrap_or_default();
        let encoding = component_encoding(base, Some(name))?;
        let component = BaseType { encoding, bit_size: None, ..*base };
        let bytes = self.bytes(scene);
        let part = |second: bool| {
            let bytes = bytes.as_ref().map_err(Clone::clone)?;
            let (real, imaginary) = bytes.split_at(bytes.len() / 2);
            let bytes = if second { imaginary } else { real };
            let layout = Layout::of_component(base, scene);
            Ok(decode_base(&component, name, bytes, &layout, ty.debug.is_x86()))
        };
        Some([("real", part(false)), ("imag", part(true))])
    }
}

/// How each half of a complex number is read; `None` for any other type.
fn component_encoding(base: &BaseType, name: Option<&str>) -> Option<Encoding> {
    let name = name.unwrap_or_default();
    match base.encoding {
        Encoding::ComplexFloat => Some(Encoding::Float),
        Encoding::Other(GNU_COMPLEX_INTEGER) if name.starts_with("complex ") => {
            Some(if name.contains("unsigned") { Encoding::Unsigned } else { Encoding::Signed })
        }
        _ => None,
    }
}

/// What a base type's bytes mean. `name` distinguishes formats of the same size.
fn decode_base(base: &BaseType, name: &str, bytes: &[u8], layout: &Layout, is_x86: bool) -> Scalar {
    let Some((value, bits)) = layout.number(bytes) else { return Scalar::Raw(bytes.to_vec()) };
    match base.encoding {
        Encoding::Address => match u64::try_from(value) {
            Ok(at) => Scalar::Address(at),
            Err(_) => Scalar::Unsigned(value),
        },
        Encoding::Boolean => match value {
            0 => Scalar::Boolean(false),
            1 => Scalar::Boolean(true),
            _ => Scalar::Unsigned(value),
        },
        Encoding::Float | Encoding::ImaginaryFloat | Encoding::DecimalFloat => {
            let is_decimal = base.encoding == Encoding::DecimalFloat;
            match float_format(is_decimal, bytes.len(), name, is_x86) {
                Some(format) => Scalar::Float(Float { format, bits: value & format.mask() }),
                None => Scalar::Raw(bytes.to_vec()),
            }
        }
        Encoding::Unsigned if name.starts_with(FORTRAN_CHARACTER) => wide_character(value as i128),
        Encoding::Signed if name == "wchar_t" => wide_character(sign_extended(value, bits)),
        Encoding::Unsigned if name == "wchar_t" => wide_character(value as i128),
        Encoding::SignedFixed => fixed_point(base.scale, sign_extended(value, bits))
            .unwrap_or_else(|| Scalar::Raw(bytes.to_vec())),
        Encoding::UnsignedFixed => i128::try_from(value)
            .ok()
            .and_then(|value| fixed_point(base.scale, value))
            .unwrap_or_else(|| Scalar::Raw(bytes.to_vec())),
        Encoding::Signed => Scalar::Signed(sign_extended(value, bits)),
        Encoding::Unsigned => Scalar::Unsigned(value),
        Encoding::SignedChar => character(sign_extended(value, bits), bits),
        Encoding::UnsignedChar | Encoding::Utf => character(value as i128, bits),
        Encoding::Other(set) if CHARACTER_SETS.contains(&set) => character(value as i128, bits),
        Encoding::ComplexFloat | Encoding::Other(_) => Scalar::Raw(bytes.to_vec()),
    }
}

/// A character of `bits` bits. A code unit of 8 bits is a character only if it is ASCII:
/// others are part of a character, or of an unknown character set.
fn character(code: i128, bits: u32) -> Scalar {
    match wide_character(code) {
        Scalar::Character { code, .. } if bits <= 8 && !(0..=0x7f).contains(&code) => {
            Scalar::Character { code, character: None }
        }
        other => other,
    }
}

fn wide_character(code: i128) -> Scalar {
    let character = u32::try_from(code).ok().and_then(char::from_u32);
    match i64::try_from(code) {
        Ok(code) => Scalar::Character { code, character },
        Err(_) => Scalar::Signed(code),
    }
}

/// The names an enumeration has for `value`: one enumerator's, or of flags all that are
/// set and what remains as a number.
pub(super) fn enumerators<'d>(ty: TypeRef<'d>, scene: Scene<'d>, value: &Scalar) -> Option<String> {
    let ty = ty.resolved(scene);
    let entry = ty.get();
    let TypeKind::Enumeration(enumeration) = &entry.kind else { return None };
    let value = match value {
        Scalar::Signed(value) => *value,
        Scalar::Unsigned(value) => *value as i128,
        _ => return None,
    };
    // Some rustc state -1 of one byte as 255.
    let unsigned = || {
        let bits = u32::try_from(entry.byte_size?.checked_mul(8)?).ok()?;
        value.checked_add(1_i128.checked_shl(bits).filter(|_| value < 0)?)
    };
    let found = name_of(&enumeration.enumerators, value);
    found.or_else(|| name_of(&enumeration.enumerators, unsigned()?))
}

fn name_of(enumerators: &[(std::sync::Arc<str>, i128)], value: i128) -> Option<String> {
    if let Some((name, _)) = enumerators.iter().find(|(_, known)| *known == value) {
        return Some(name.to_string());
    }
    if value <= 0 || !are_flags(enumerators) {
        return None;
    }
    let mut rest = value;
    let mut names: Vec<String> = Vec::new();
    for (name, flag) in enumerators {
        if *flag != 0 && rest & flag == *flag {
            names.push(name.to_string());
            rest &= !flag;
        }
    }
    if names.is_empty() {
        return None;
    }
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    Some(names.join(" | "))
}

/// Whether no two values share a bit, other than aliases: gdb takes those for flags.
fn are_flags(enumerators: &[(std::sync::Arc<str>, i128)]) -> bool {
    let mut values: Vec<i128> = enumerators.iter().map(|(_, value)| *value).collect();
    values.sort_unstable();
    values.dedup();
    let mut taken = 0_i128;
    values.iter().all(|value| {
        let is_free = *value >= 0 && taken & value == 0;
        taken |= value;
        is_free
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::FloatFormat;

    const LITTLE: Layout = Layout { is_little_endian: true, skip: 0, bits: None };
    const BIG: Layout = Layout { is_little_endian: false, skip: 0, bits: None };

    fn base(encoding: Encoding) -> BaseType {
        BaseType { encoding, bit_size: None, bit_offset: 0, big_endian: None, scale: None }
    }

    fn decode(encoding: Encoding, name: &str, bytes: &[u8]) -> Scalar {
        decode_base(&base(encoding), name, bytes, &LITTLE, true)
    }

    #[test]
    fn integers_of_every_size_keep_their_sign() {
        for size in 1..=16 {
            let minus_one = vec![0xff; size];
            assert_eq!(decode(Encoding::Signed, "", &minus_one), Scalar::Signed(-1));
            let all_ones = u128::MAX >> (128 - 8 * size);
            assert_eq!(decode(Encoding::Unsigned, "", &minus_one), Scalar::Unsigned(all_ones));
        }
        let low = decode(Encoding::Signed, "__int128", &[&[0; 15][..], &[0x80]].concat());
        assert_eq!(low, Scalar::Signed(i128::MIN));
    }

    #[test]
    fn an_integer_beyond_128_bits_is_shown_as_its_bytes() {
        assert_eq!(decode(Encoding::Signed, "_BitInt(256)", &[7; 32]), Scalar::Raw(vec![7; 32]));
    }

    #[test]
    fn a_value_that_does_not_fill_its_bytes_has_its_own_sign_bit() {
        let layout = Layout { bits: Some(17), ..LITTLE };
        let scalar = decode_base(&base(Encoding::Signed), "", &[0, 0, 1, 0xff], &layout, true);
        assert_eq!(scalar, Scalar::Signed(-65536));
        let shifted = Layout { skip: 4, bits: Some(8), ..LITTLE };
        let scalar = decode_base(&base(Encoding::Unsigned), "", &[0xa5, 0x5c], &shifted, true);
        assert_eq!(scalar, Scalar::Unsigned(0xca));
        let shifted = Layout { is_little_endian: false, ..shifted };
        let scalar = decode_base(&base(Encoding::Unsigned), "", &[0xa5, 0x5c], &shifted, true);
        assert_eq!(scalar, Scalar::Unsigned(0x55));
    }

    #[test]
    fn a_big_endian_number_is_read_from_its_high_end() {
        let scalar = decode_base(&base(Encoding::Unsigned), "", &[1, 2, 3], &BIG, true);
        assert_eq!(scalar, Scalar::Unsigned(0x01_0203));
    }

    #[test]
    fn a_bool_of_two_is_a_number() {
        assert_eq!(decode(Encoding::Boolean, "bool", &[1]), Scalar::Boolean(true));
        assert_eq!(decode(Encoding::Boolean, "bool", &[2]), Scalar::Unsigned(2));
    }

    #[test]
    fn a_character_is_named_only_if_its_code_identifies_it() {
        let of = |encoding, bytes: &[u8]| match decode(encoding, "", bytes) {
            Scalar::Character { code, character } => (code, character),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(Encoding::SignedChar, b"a"), (97, Some('a')));
        assert_eq!(of(Encoding::SignedChar, &[0xe9]), (-23, None));
        assert_eq!(of(Encoding::UnsignedChar, &[0xe9]), (0xe9, None));
        assert_eq!(of(Encoding::Utf, &[0xac, 0x20]), (0x20ac, Some('\u{20ac}')));
        assert_eq!(of(Encoding::Utf, &[0, 0xd8]), (0xd800, None));
        assert_eq!(of(Encoding::Utf, &[0, 0xf6, 1, 0]), (0x1f600, Some('\u{1f600}')));
        assert_eq!(
            decode(Encoding::Signed, "wchar_t", &[0xe9, 0, 0, 0]),
            Scalar::Character { code: 0xe9, character: Some('\u{e9}') }
        );
    }

    #[test]
    fn the_name_distinguishes_floats_of_the_same_size() {
        let format = |name: &str, size: usize| match decode(Encoding::Float, name, &vec![0; size]) {
            Scalar::Float(float) => Some(float.format),
            _ => None,
        };
        assert_eq!(format("_Float16", 2), Some(FloatFormat::Binary16));
        assert_eq!(format("__bf16", 2), Some(FloatFormat::BFloat16));
        assert_eq!(format("long double", 16), Some(FloatFormat::Extended80));
        assert_eq!(format("long double", 12), Some(FloatFormat::Extended80));
        assert_eq!(format("__float128", 16), Some(FloatFormat::Binary128));
        assert_eq!(format("_Float128", 16), Some(FloatFormat::Binary128));
        assert_eq!(format("odd", 3), None);
        let arm = decode_base(&base(Encoding::Float), "long double", &[0; 16], &LITTLE, false);
        let bits = 0;
        assert_eq!(arm, Scalar::Float(Float { format: FloatFormat::Binary128, bits }));
    }

    #[test]
    fn what_lies_above_80_bits_of_a_long_double_is_no_part_of_it() {
        let Scalar::Float(float) = decode(Encoding::Float, "long double", &[0xff; 16]) else {
            panic!("no float");
        };
        assert_eq!(float.bits, (1 << 80) - 1);
    }

    #[test]
    fn disjoint_enumerators_are_flags() {
        let named = |of: &[(&str, i128)]| -> Vec<_> {
            of.iter().map(|(name, value)| ((*name).into(), *value)).collect()
        };
        let flags = named(&[("NONE", 0), ("READ", 1), ("WRITE", 2), ("ALIAS", 2), ("EXEC", 8)]);
        let name = |value| name_of(&flags, value);
        assert_eq!(name(0).as_deref(), Some("NONE"));
        assert_eq!(name(2).as_deref(), Some("WRITE"));
        assert_eq!(name(3).as_deref(), Some("READ | WRITE"));
        assert_eq!(name(0x4d).as_deref(), Some("READ | EXEC | 0x44"));
        assert_eq!(name(4), None);
        let counted = named(&[("A", 0), ("B", 1), ("C", 2), ("D", 3)]);
        assert_eq!(name_of(&counted, 7), None);
        let negative = named(&[("A", -1), ("B", 1), ("C", 2)]);
        assert_eq!(name_of(&negative, 3), None);
        assert_eq!(name_of(&negative, -1).as_deref(), Some("A"));
    }
}
