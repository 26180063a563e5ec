//! Slices and strings of D: a length and a pointer, `int[]`, `string`.

use super::Readable;
use super::extent::contiguous;
use crate::value::text::Units;
use crate::value::{Object, Scene, TypeRef};
use obit_dwarf::TypeKind;

/// The slice that `object` is, if it is one.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let TypeKind::Record(record) = &ty.get().kind else { return None };
    let [length, data] = record.members.as_slice() else { return None };
    if length.name.as_deref() != Some("length") || data.name.as_deref() != Some("ptr") {
        return None;
    }
    let name = object.type_name(scene);
    let length = object.member(scene, "length")?.unsigned(scene).ok()?;
    let first = object.member(scene, "ptr")?.pointee(scene).ok()?;
    let start = first.address()?;
    let found = contiguous(&name, first.ty, start, length, scene, limit)?;
    let Some(units) = Units::of(first.ty, scene) else { return Some(found) };
    let text = units.counted(start, length, scene).filter(|_| length > 0);
    Some(Readable { text, elements: Vec::new(), total: None, ..found })
}

#[cfg(test)]
mod tests {
    use crate::value::readable;
    use crate::value::test_stage::Stage;
    use obit_dwarf::sample_types::{base, field, pointer, record};
    use obit_dwarf::types::Encoding;
    use obit_dwarf::{Language, Type};

    fn types() -> Vec<Type> {
        let slice = |pointer| vec![field("length", 0, 0), field("ptr", pointer, 8)];
        let mut types = vec![
            base("ulong", 8, Encoding::Unsigned),
            base("int", 4, Encoding::Signed),
            pointer(1),
            record("int[]", 16, slice(2)),
            base("wchar", 2, Encoding::Utf),
            pointer(4),
            record("wstring", 16, slice(5)),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::Scoped);
        types
    }

    fn slice(length: u64, at: u64) -> Vec<u8> {
        [length, at].iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn a_slice_has_as_many_elements_as_its_length_says() {
        let numbers: Vec<u8> = (1..4_i32).flat_map(i32::to_le_bytes).collect();
        let chunks: [(u64, &[u8]); 3] =
            [(0x1000, &slice(2, 0x2000)), (0x1100, &slice(1 << 40, 0x2000)), (0x2000, &numbers)];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable::readable(&play.object(3, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.summary.as_deref(), Some("int[] of 2"));
            assert_eq!(found.elements.len(), 2);
            // No memory is that large.
            assert!(readable::readable(&play.object(3, 0x1100), play.scene, 9).is_none());
        });
    }

    #[test]
    fn a_string_ends_where_its_length_says_and_not_at_a_nul() {
        let text: Vec<u8> = "wide!".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let chunks: [(u64, &[u8]); 2] = [(0x1000, &slice(4, 0x2000)), (0x2000, &text)];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable::readable(&play.object(6, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.text.unwrap().text, "wide");
        });
    }
}
