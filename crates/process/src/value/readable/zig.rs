//! Slices of Zig, `[]const u8`, `[:0]u8`, its pointers to many items that end with a
//! sentinel, and what is `null`. No other compiler gives types such names.

use super::extent::contiguous;
use super::{Readable, form};
use crate::value::text::{Units, is_printable, utf8_text};
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// The slice or string that `object` is, if it is one.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    if let TypeKind::Record(record) = &ty.get().kind
        && !record.variant_parts.is_empty()
    {
        return bare(object, scene);
    }
    let name = ty.get().name.as_deref().filter(|name| name.starts_with('['))?;
    match &ty.get().kind {
        TypeKind::Record(record) => {
            let [first, length] = record.members.as_slice() else { return None };
            if first.name.as_deref() != Some("ptr") || length.name.as_deref() != Some("len") {
                return None;
            }
            slice(object, scene, limit)
        }
        // C's strings.
        TypeKind::Pointer { target: Some(target), .. } if name.starts_with("[*:0]") => {
            let at = Avma(object.unsigned(scene).ok()?);
            let units = Units::of_bytes(ty.other(*target), scene)?;
            let text = units.at(at, scene, usize::MAX)?;
            Some(Readable { text: Some(text), ..Readable::default() })
        }
        _ => None,
    }
}

/// An optional or a tagged union of which no more is to say than which value it has: `null`,
/// or one without a payload. C has no records of variants.
fn bare<'d>(object: &Object<'d>, scene: Scene<'d>) -> Option<Readable<'d>> {
    let members = object.members(scene);
    let [(Some(name), only)] = members.as_slice() else { return None };
    let is_void = matches!(only.resolved(scene).get().kind, TypeKind::Unspecified)
        || only.size(scene) == Some(0);
    is_void.then(|| Readable { summary: Some(name.to_string()), ..Readable::default() })
}

fn slice<'d>(object: &Object<'d>, scene: Scene<'d>, limit: usize) -> Option<Readable<'d>> {
    let length = object.member(scene, "len")?.unsigned(scene).ok()?;
    if length == 0 {
        // It may point anywhere.
        let summary = Some(form::counted("slice", 0));
        return Some(Readable { summary, total: Some(0), ..Readable::default() });
    }
    let first = object.member(scene, "ptr")?.pointee(scene).ok()?;
    let start = first.address()?;
    let found = contiguous("slice", first.ty, start, length, scene, limit)?;
    // `u8` is a byte as often as a character, so it depends on the content.
    let is_byte = first.size(scene) == Some(1) && Units::of(first.ty, scene).is_some();
    if !is_byte {
        return Some(found);
    }
    let longest = scene.limits.string_bytes;
    let wanted = usize::try_from(length).map_or(longest, |length| length.min(longest));
    let bytes = scene.memory.read_up_to(start, wanted);
    // Nothing is text that was cut within a character.
    if !is_printable(&bytes) {
        return Some(found);
    }
    let left_out = Some(length.saturating_sub(bytes.len() as u64));
    let text = Some(crate::value::Text { left_out, ..utf8_text(&bytes, true, bytes.len()) });
    Some(Readable { text, elements: Vec::new(), total: None, ..found })
}

#[cfg(test)]
mod tests {
    use crate::value::readable;
    use crate::value::test_stage::Stage;
    use obit_dwarf::sample_types::{base, field, named, pointer, record};
    use obit_dwarf::types::{Encoding, Record, Variant, VariantPart};
    use obit_dwarf::{Language, Type, TypeKind};

    fn types() -> Vec<Type> {
        let slice = |pointer| vec![field("ptr", pointer, 0), field("len", 0, 8)];
        let called = |name: &str, ty: Type| Type { name: Some(name.into()), ..ty };
        let mut types = vec![
            base("usize", 8, Encoding::Unsigned),
            base("u8", 1, Encoding::Unsigned),
            base("i16", 2, Encoding::Signed),
            called("[*]const u8", pointer(1)),
            called("[*]const i16", pointer(2)),
            record("[]const u8", 16, slice(3)),
            record("[]const i16", 16, slice(4)),
            called("[*:0]const u8", pointer(1)),
            record("pair", 16, slice(3)),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::C);
        types
    }

    fn slice(at: u64, length: u64) -> Vec<u8> {
        [at, length].iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn a_slice_has_as_many_elements_as_its_length_says() {
        let numbers: Vec<u8> = [-1_i16, 0, 7].iter().flat_map(|n| n.to_le_bytes()).collect();
        let undefined = 0xaaaa_aaaa_aaaa_aaaa;
        let chunks: [(u64, &[u8]); 4] = [
            (0x1000, &slice(0x2000, 2)),
            (0x1100, &slice(undefined, undefined)),
            (0x1200, &slice(undefined, 0)),
            (0x2000, &numbers),
        ];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable::readable(&play.object(6, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.summary.as_deref(), Some("slice of 2"));
            let first = &found.elements[0].1;
            assert_eq!((found.elements.len(), first.signed(play.scene)), (2, Ok(-1)));
            assert!(readable::readable(&play.object(6, 0x1100), play.scene, 9).is_none());
            let empty = readable::readable(&play.object(6, 0x1200), play.scene, 9).unwrap();
            assert_eq!(empty.summary.as_deref(), Some("slice, empty"));
        });
    }

    #[test]
    fn bytes_are_a_string_if_they_can_be_printed() {
        let chunks: [(u64, &[u8]); 5] = [
            (0x1000, &slice(0x2000, 5)),
            (0x1100, &slice(0x3000, 2)),
            (0x1200, &0x2000_u64.to_le_bytes()),
            (0x2000, b"hello, world\0"),
            (0x3000, &[1, 2]),
        ];
        Stage::new(types(), &chunks).ask(|play| {
            let text = readable::readable(&play.object(5, 0x1000), play.scene, 9).unwrap();
            assert_eq!(text.text.unwrap().text, "hello");
            let bytes = readable::readable(&play.object(5, 0x1100), play.scene, 9).unwrap();
            assert_eq!((bytes.text, bytes.elements.len()), (None, 2));
            let sentinel = readable::readable(&play.object(7, 0x1200), play.scene, 9).unwrap();
            assert_eq!(sentinel.text.unwrap().text, "hello, world");
        });
    }

    #[test]
    fn an_optional_without_a_value_is_null() {
        let variant = |selectors: &[(i128, i128)], member| Variant {
            selectors: selectors.to_vec(),
            members: vec![member],
        };
        let part = VariantPart {
            discriminant: Some(field("has_value", 0, 4)),
            variants: vec![variant(&[(0, 0)], field("null", 2, 0)), variant(&[], field("?", 1, 0))],
        };
        let optional = Record { variant_parts: vec![part], ..Record::default() };
        let mut types = vec![
            base("u8", 1, Encoding::Unsigned),
            base("i32", 4, Encoding::Signed),
            record("@TypeOf(null)", 0, Vec::new()),
            named("?i32", 8, TypeKind::Record(optional)),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::C);
        let chunks: [(u64, &[u8]); 2] = [(0x1000, &[42, 0, 0, 0, 0]), (0x1100, &[42, 0, 0, 0, 1])];
        Stage::new(types, &chunks).ask(|play| {
            let null = readable::readable(&play.object(3, 0x1000), play.scene, 9).unwrap();
            assert_eq!(null.summary.as_deref(), Some("null"));
            assert!(readable::readable(&play.object(3, 0x1100), play.scene, 9).is_none());
        });
    }

    #[test]
    fn a_structure_of_c_with_such_members_is_no_slice() {
        let chunks: [(u64, &[u8]); 2] = [(0x1000, &slice(0x2000, 5)), (0x2000, b"hello")];
        Stage::new(types(), &chunks).ask(|play| {
            assert!(readable::readable(&play.object(8, 0x1000), play.scene, 9).is_none());
        });
    }
}
