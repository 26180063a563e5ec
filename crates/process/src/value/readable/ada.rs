//! GNAT's fat pointers: unconstrained arrays, whose bounds lie beside the data.

use super::{Readable, form};
use crate::value::text::Units;
use crate::value::{Contents, Object, Scene};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// Characters of a string that are looked at; it is cut when it is shown.
const LONGEST: usize = 4096;

/// The array that a fat pointer (`P_ARRAY`, `P_BOUNDS`) stands for.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let array = array_of(object, scene)?;
    let (lower, length) = (array.lower_bound(scene), array.length(scene)?);
    let units = array.index(scene, 0).and_then(|first| Units::of(first.ty, scene));
    if let Some(units) = units {
        let text = units.in_array(&array, length, scene, LONGEST);
        let text = text.filter(|_| length > 0);
        let summary = Some(form::counted("string", length));
        return Some(Readable { summary, text, ..Readable::default() });
    }
    let wanted = length.min(limit as u64);
    let elements = (0..wanted).map_while(|nth| {
        let nth = i64::try_from(nth).ok()?;
        let name = format!("[{}]", lower.checked_add(nth)?);
        Some((name.into(), array.index(scene, nth)?))
    });
    Some(Readable {
        summary: Some(form::counted("array", length)),
        elements: elements.collect(),
        total: Some(length),
        ..Readable::default()
    })
}

/// The array's type computes its bounds for the fat pointer.
fn array_of<'d>(object: &Object<'d>, scene: Scene<'d>) -> Option<Object<'d>> {
    let ty = object.resolved(scene);
    let TypeKind::Record(record) = &ty.get().kind else { return None };
    let [data, bounds] = record.members.as_slice() else { return None };
    if data.name.as_deref() != Some("P_ARRAY") || bounds.name.as_deref() != Some("P_BOUNDS") {
        return None;
    }
    let pointer = object.member(scene, "P_ARRAY")?;
    let data = pointer.pointee(scene).ok()?;
    let at = data.address().filter(|at| *at != Avma(0))?;
    let descriptor = object.address()?;
    let is_array = matches!(data.resolved(scene).get().kind, TypeKind::Array(_));
    let array = Object { contents: Contents::Memory(at), descriptor: Some(descriptor), ..data };
    is_array.then_some(array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::test_stage::Stage;
    use crate::value::{Budget, Scalar, tree};
    use obit_dwarf::sample_types::{
        array, base, field, id, named, pointer, record, variable_bound,
    };
    use obit_dwarf::types::{DimensionEnd, Encoding, Member, MemberOffset, Subrange};
    use obit_dwarf::{Bound, Language, MemberBound, Type};

    fn bounded(element: u32, lower: Bound, upper: Bound) -> Type {
        let mut ty = array(element, &[(0, 0)]);
        if let TypeKind::Array(array) = &mut ty.kind {
            array.dimensions[0].lower = lower;
            array.dimensions[0].end = DimensionEnd::Upper(upper);
        }
        ty
    }

    /// Fat pointers of integers and of characters whose bounds follow them, and a record
    /// with a string as long as its first member says.
    fn types() -> Vec<Type> {
        let fat = |data| vec![field("P_ARRAY", data, 0), field("P_BOUNDS", 0, 8)];
        let length = MemberBound { offset: 0, size: 4, is_signed: true };
        let mut types = vec![
            base("integer", 4, Encoding::Signed),
            base("character", 1, Encoding::UnsignedChar),
            bounded(0, variable_bound(16), variable_bound(24)),
            pointer(2),
            bounded(1, variable_bound(16), variable_bound(24)),
            pointer(4),
            record("arr", 16, fat(3)),
            record("string", 16, fat(5)),
            bounded(1, Bound::Constant(1), Bound::Member(length)),
            record("shape", 12, vec![field("len", 0, 0), field("name", 8, 4)]),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::Ada);
        types
    }

    fn fat(data: u64, lower: i64, upper: i64) -> Vec<u8> {
        let words = [data as i64, 0, lower, upper];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn an_unconstrained_array_is_shown_with_its_own_bounds() {
        let data: Vec<u8> = [30_i32, 40].iter().flat_map(|number| number.to_le_bytes()).collect();
        let chunks: [(u64, &[u8]); 4] = [
            (0x1000, &fat(0x2000, 3, 4)),
            (0x2000, &data),
            (0x3000, &fat(0x4000, 1, 5)),
            (0x4000, b"he\0lo and more"),
        ];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable(&play.object(6, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.summary.as_deref(), Some("array of 2"));
            let named: Vec<_> = found
                .elements
                .iter()
                .map(|(name, element)| (name.to_string(), element.signed(play.scene).unwrap()))
                .collect();
            assert_eq!(named, [("[3]".to_owned(), 30), ("[4]".to_owned(), 40)]);
            let text = readable(&play.object(7, 0x3000), play.scene, 9).unwrap();
            // A NUL ends no string of Ada.
            assert_eq!(text.text.unwrap().text, "he\0lo");
        });
    }

    #[test]
    fn a_pointer_to_another_type_is_not_a_fat_pointer() {
        Stage::new(types(), &[(0x1000, &fat(0, 1, 5))]).ask(|play| {
            assert!(readable(&play.object(6, 0x1000), play.scene, 9).is_none());
            assert!(readable(&play.object(9, 0x1000), play.scene, 9).is_none());
        });
    }

    #[test]
    fn a_component_ends_where_a_discriminant_says() {
        Stage::new(types(), &[(0x1000, b"\x03\0\0\0abcdefgh")]).ask(|play| {
            let shape = play.object(9, 0x1000);
            let value = tree(&shape, None, play.scene, &Budget::default());
            assert_eq!(value.members[1].text.as_ref().unwrap().text, "abc");
            assert_eq!(shape.member(play.scene, "name").unwrap().size(play.scene), Some(3));
        });
    }

    #[test]
    fn a_packed_component_of_a_range_without_negative_values_has_no_sign_bit() {
        let range = |is_non_negative| {
            let subrange = Subrange { base: Some(id(0)), is_non_negative };
            named("", None, TypeKind::Subrange(subrange))
        };
        let bits = |ty, at, size| Member {
            offset: MemberOffset::Bits(at),
            bit_size: Some(size),
            ..field("c", ty, 0)
        };
        let members = vec![bits(1, 1, 4), bits(2, 5, 3)];
        let mut types = vec![
            base("integer", 4, Encoding::Signed),
            range(true),
            range(false),
            record("packed", 1, members),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::Ada);
        Stage::new(types, &[(0x1000, &[0b1011_0111])]).ask(|play| {
            let found = play.object(3, 0x1000).members(play.scene);
            let scalars: Vec<_> =
                found.iter().map(|(_, member)| member.scalar(play.scene).unwrap()).collect();
            assert_eq!(scalars, [Some(Scalar::Unsigned(11)), Some(Scalar::Signed(-3))]);
            assert_eq!(found[0].1.signed(play.scene), Ok(11));
        });
    }
}
