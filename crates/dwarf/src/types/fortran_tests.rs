//! How arrays and strings of Fortran are read.

use super::*;

#[test]
fn arrays_of_fortran_count_from_one() {
    let mut unit = Unit::of_language(dw::DW_LANG_Fortran95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(int))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_upper_bound, Is::Number(5))]);
    unit.close();
    variable(&mut unit, "a", array);
    let info = read(unit);
    assert_eq!(&*name_of(&info, "a"), "int (5)");
}

fn array_of(info: &DebugInfo, variable: &str) -> Array {
    match info.type_at(id_of(info, variable)).kind.clone() {
        TypeKind::Array(array) => array,
        other => panic!("{other:?}"),
    }
}

/// The upper bounds of a two-dimensional array, as they are kept.
fn upper_bounds(array: &Array) -> Vec<i64> {
    let upper = |dimension: &Dimension| match dimension.end {
        DimensionEnd::Upper(Bound::Constant(upper)) => upper,
        _ => panic!("{dimension:?}"),
    };
    array.dimensions.iter().map(upper).collect()
}

#[test]
fn column_major_arrays_are_kept_with_the_slowest_dimension_first() {
    let given = |language, ordering: Option<u64>| {
        let mut unit = Unit::of_language(language, 0x1000, 0x1000);
        let int = int(&mut unit);
        let mut attributes = vec![(dw::DW_AT_type, Is::Entry(int))];
        attributes.extend(ordering.map(|order| (dw::DW_AT_ordering, Is::Number(order))));
        let array = unit.open(dw::DW_TAG_array_type, &attributes);
        unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_upper_bound, Is::Number(2))]);
        unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_upper_bound, Is::Number(3))]);
        unit.close();
        variable(&mut unit, "m", array);
        let info = read(unit);
        let array = array_of(&info, "m");
        (array.is_column_major, upper_bounds(&array), name_of(&info, "m").to_string())
    };
    let fortran = dw::DW_LANG_Fortran95;
    assert_eq!(given(fortran, Some(1)), (true, vec![3, 2], "int (2,3)".to_owned()));
    // § 5.5: the default is the language's.
    assert_eq!(given(fortran, None), (true, vec![3, 2], "int (2,3)".to_owned()));
    assert_eq!(given(fortran, Some(0)), (false, vec![2, 3], "int (2,3)".to_owned()));
    let c = given(dw::DW_LANG_C99, None);
    assert_eq!(c, (false, vec![2, 3], "int [3][4]".to_owned()));
}

#[test]
fn an_allocatable_array_has_a_descriptor_and_strides() {
    let mut unit = Unit::of_language(dw::DW_LANG_Fortran95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let given = [
        (dw::DW_AT_type, Is::Entry(int)),
        (dw::DW_AT_data_location, Is::Expression(&[0x97, 0x06])),
        (dw::DW_AT_allocated, Is::Expression(&[0x97, 0x06, 0x30, 0x2e])),
    ];
    let array = unit.open(dw::DW_TAG_array_type, &given);
    let given = [
        (dw::DW_AT_lower_bound, Is::Expression(&[0x97, 0x23, 0x30, 0x06])),
        (dw::DW_AT_upper_bound, Is::Expression(&[0x97, 0x23, 0x38, 0x06])),
        (dw::DW_AT_byte_stride, Is::Number(16)),
    ];
    unit.leaf(dw::DW_TAG_subrange_type, &given);
    unit.close();
    variable(&mut unit, "a", array);
    let info = read(unit);
    let array = array_of(&info, "a");
    assert!(array.descriptor.data_location.is_some());
    assert!(matches!(array.descriptor.allocated, Some(Bound::Expression(_))));
    assert_eq!(array.descriptor.associated, None);
    let stride = &array.dimensions[0].stride;
    assert!(matches!(stride, Some(Stride::Bytes(Bound::Constant(16)))), "{stride:?}");
    assert_eq!(&*name_of(&info, "a"), "int (:)");
}

#[test]
fn a_string_has_its_length_in_its_type_in_a_variable_or_at_a_place() {
    let mut unit = Unit::of_language(dw::DW_LANG_Fortran95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let count = variable(&mut unit, "count", int);
    let mut string = |name: &str, given: &Given<'_>| {
        let ty = unit.leaf(dw::DW_TAG_string_type, given);
        variable(&mut unit, name, ty);
    };
    string("fixed", &[(dw::DW_AT_byte_size, Is::Number(5))]);
    string("variable", &[(dw::DW_AT_string_length, Is::Entry(count))]);
    let place = (dw::DW_AT_string_length, Is::Expression(&[0x91, 0x70]));
    string("stored", &[place, (dw::DW_AT_string_length_byte_size, Is::Number(4))]);
    string("before", &[place, (dw::DW_AT_byte_size, Is::Number(4))]);
    string("word", &[place]);
    string("broken", &[(dw::DW_AT_string_length, Is::Entry(int))]);
    let info = read(unit);
    let length = |name: &str| {
        let ty = info.type_at(id_of(&info, name));
        match &ty.kind {
            TypeKind::String(string) => (ty.byte_size, string.length.clone()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(length("fixed"), (Some(5), None));
    assert!(matches!(length("variable"), (None, Some(Bound::Variable(_)))));
    assert!(matches!(length("stored"), (None, Some(Bound::Stored(_, 4)))));
    // DWARF 4 § 5.9: there the size is that of the length.
    assert!(matches!(length("before"), (None, Some(Bound::Stored(_, 4)))));
    assert!(matches!(length("word"), (None, Some(Bound::Stored(_, 8)))));
    assert!(matches!(length("broken"), (None, Some(Bound::Unknown))));
    let names = ["fixed", "variable"].map(|name| name_of(&info, name).to_string());
    assert_eq!(names, ["character(len=5)", "character(len=*)"]);
}
