//! Arrays of unknown length: flexible array members, arrays that are only declared, those
//! whose bound the compiler did not keep.

use super::object::{Absence, Object, Scene};
use super::text::Units;
use super::{State, Value};
use obit_dwarf::types::{Array, DimensionEnd};
use obit_dwarf::{Bound, Language, TypeKind};

/// Whether `last`, the last member of a record, is GNU C's `T tail[0]`: a flexible array
/// member of before C99.
pub(super) fn is_flexible<'d>(last: &Object<'d>, scene: Scene<'d>) -> bool {
    let ty = last.resolved(scene);
    matches!(ty.get().kind, TypeKind::Array(_))
        && matches!(ty.get().language, Language::C | Language::Cpp)
        && last.length(scene) == Some(0)
}

/// Fills in what is known about such an array: characters are read up to a NUL, as those
/// that a pointer points to; the end of others is not known.
pub(super) fn fill<'d>(value: &mut Value, object: &Object<'d>, scene: Scene<'d>, longest: usize) {
    let ty = object.resolved(scene);
    let element = match &ty.get().kind {
        TypeKind::Array(array) if is_open(array) => array.element,
        _ => None,
    };
    let units = element.and_then(|element| Units::of(ty.other(element), scene));
    let text = object.address().and_then(|at| units?.at(at, scene, longest));
    match (text, units) {
        (Some(text), Some(units)) => {
            value.text = Some(text);
            value.text_prefix = units.prefix;
        }
        _ => {
            value.text = None;
            value.state = State::Absent(Absence::UnknownLength);
        }
    }
}

/// Whether an array has one dimension whose end was never stated, rather than lost.
fn is_open(array: &Array) -> bool {
    use Bound::Constant;
    use DimensionEnd::{Count, Open, Upper};
    match array.dimensions.as_slice() {
        [] => true,
        [dimension] => matches!(dimension.end, Open | Count(Constant(_)) | Upper(Constant(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::value::test_stage::Stage;
    use crate::value::{Absence, Budget, State, tree};
    use obit_dwarf::sample_types::{array, base, field, record, variable_bound};
    use obit_dwarf::types::{DimensionEnd, Encoding};
    use obit_dwarf::{Type, TypeKind};

    fn ending(mut ty: Type, end: DimensionEnd) -> Type {
        if let TypeKind::Array(array) = &mut ty.kind {
            array.dimensions[0].end = end;
        }
        ty
    }

    fn tail(ty: u32) -> Type {
        record("s", 4, vec![field("n", 0, 0), field("tail", ty, 4)])
    }

    /// `tail[]` and `tail[0]` of characters and of numbers, an array whose bound is lost.
    fn types() -> Vec<Type> {
        let of = |element| array(element, &[(0, 0)]);
        vec![
            base("int", 4, Encoding::Signed),
            base("char", 1, Encoding::SignedChar),
            ending(of(1), DimensionEnd::Open),
            array(1, &[(0, -1)]),
            ending(of(0), DimensionEnd::Open),
            array(0, &[(0, -1)]),
            ending(of(1), DimensionEnd::Upper(variable_bound(0x7000))),
            tail(2),
            tail(3),
            tail(4),
            tail(5),
        ]
    }

    #[test]
    fn a_flexible_array_of_characters_is_read_as_far_as_its_nul() {
        Stage::new(types(), &[(0x1000, b"\x05\0\0\0hello\0junk")]).ask(|play| {
            for record in [7, 8] {
                let object = play.object(record, 0x1000);
                let value = tree(&object, None, play.scene, &Budget::default());
                let tail = value.members.last().unwrap();
                assert_eq!(tail.text.as_ref().unwrap().text, "hello");
            }
        });
    }

    #[test]
    fn the_number_of_other_elements_is_not_known() {
        Stage::new(types(), &[(0x1000, b"\x05\0\0\0\x01\0\0\0")]).ask(|play| {
            let unknown = |value: &super::Value| {
                matches!(value.state, State::Absent(Absence::UnknownLength)) && value.text.is_none()
            };
            for record in [9, 10] {
                let object = play.object(record, 0x1000);
                let value = tree(&object, None, play.scene, &Budget::default());
                assert!(unknown(value.members.last().unwrap()), "{value:?}");
            }
            // Nor what of memory belongs to an array whose bound is lost.
            let lost = tree(&play.object(6, 0x1000), None, play.scene, &Budget::default());
            assert!(unknown(&lost), "{lost:?}");
            // On its own an array of no elements is one.
            let empty = tree(&play.object(5, 0x1000), None, play.scene, &Budget::default());
            assert!(matches!(empty.state, State::Aggregate));
        });
    }
}
