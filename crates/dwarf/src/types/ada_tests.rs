//! How types of Ada are read.

use super::*;

#[test]
fn an_array_may_end_at_a_member_of_the_record_around_it() {
    let mut unit = Unit::of_language(dw::DW_LANG_Ada95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let shape = structure(&mut unit, "shape", 12);
    let at = |name, byte| {
        [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_data_member_location, Is::Number(byte))]
    };
    let length = [&at("len", 4)[..], &[(dw::DW_AT_type, Is::Entry(int))]].concat();
    let length = unit.leaf(dw::DW_TAG_member, &length);
    let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(int))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_upper_bound, Is::Entry(length))]);
    unit.close();
    let name = [&at("name", 8)[..], &[(dw::DW_AT_type, Is::Entry(array))]].concat();
    unit.leaf(dw::DW_TAG_member, &name);
    unit.close();
    variable(&mut unit, "s", shape);
    let info = read(unit);
    let shape = record(&info, id_of(&info, "s"));
    let TypeKind::Array(array) = &info.type_at(shape.members[1].ty.unwrap()).kind else {
        panic!("{shape:?}")
    };
    let expected = MemberBound { offset: 4, size: 4, is_signed: true };
    let end = &array.dimensions[0].end;
    assert!(matches!(end, DimensionEnd::Upper(Bound::Member(at)) if *at == expected), "{end:?}");
    assert_eq!(&*name_of(&info, "s"), "shape");
}

#[test]
fn a_fixed_point_number_has_a_scale() {
    let mut unit = Unit::of_language(dw::DW_LANG_Ada95, 0x1000, 0x1000);
    let ratio =
        [(dw::DW_AT_GNU_numerator, Is::Number(1)), (dw::DW_AT_GNU_denominator, Is::Number(3))];
    let third = unit.leaf(dw::DW_TAG_constant, &ratio);
    let mut fixed = |name: &str, scale: Option<(gimli::DwAt, Is<'_>)>| {
        let mut given = vec![
            (dw::DW_AT_name, Is::Text(name)),
            (dw::DW_AT_byte_size, Is::Number(4)),
            (dw::DW_AT_encoding, Is::Number(dw::DW_ATE_signed_fixed.0.into())),
        ];
        given.extend(scale);
        let ty = unit.leaf(dw::DW_TAG_base_type, &given);
        variable(&mut unit, name, ty);
    };
    fixed("binary", Some((dw::DW_AT_binary_scale, Is::Byte(0xf9))));
    fixed("decimal", Some((dw::DW_AT_decimal_scale, Is::Signed(-2))));
    fixed("other", Some((dw::DW_AT_small, Is::Number(3))));
    fixed("thirds", Some((dw::DW_AT_small, Is::Entry(third))));
    fixed("none", None);
    let info = read(unit);
    let scale = |name| match info.type_at(id_of(&info, name)).kind {
        TypeKind::Base(base) => base.scale,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(scale("binary"), Some(Scale::Binary(-7)));
    assert_eq!(scale("decimal"), Some(Scale::Decimal(-2)));
    assert_eq!(scale("thirds"), Some(Scale::Ratio { numerator: 1, denominator: 3 }));
    assert_eq!((scale("other"), scale("none")), (Some(Scale::Other), None));
}

#[test]
fn a_subrange_that_begins_at_zero_or_above_has_no_negative_values() {
    let mut unit = Unit::of_language(dw::DW_LANG_Ada95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let mut from = |name: &str, lower: Option<Is<'_>>| {
        let mut given = vec![(dw::DW_AT_type, Is::Entry(int))];
        given.extend(lower.map(|lower| (dw::DW_AT_lower_bound, lower)));
        let ty = unit.leaf(dw::DW_TAG_subrange_type, &given);
        variable(&mut unit, name, ty);
    };
    from("natural", Some(Is::Number(0)));
    from("small", Some(Is::Signed(-4)));
    from("open", None);
    let info = read(unit);
    let is_non_negative = |name| match info.type_at(id_of(&info, name)).kind {
        TypeKind::Subrange(subrange) => subrange.is_non_negative,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(["natural", "small", "open"].map(is_non_negative), [true, false, false]);
}

#[test]
fn an_array_has_an_element_for_each_value_of_an_enumeration_with_holes() {
    let mut unit = Unit::of_language(dw::DW_LANG_Ada95, 0x1000, 0x1000);
    let int = int(&mut unit);
    let size = (dw::DW_AT_byte_size, Is::Number(1));
    let color = unit.open(dw::DW_TAG_enumeration_type, &[size]);
    for (name, value) in [("red", 1), ("green", 5), ("blue", 9)] {
        let given = [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_const_value, Is::Number(value))];
        unit.leaf(dw::DW_TAG_enumerator, &given);
    }
    unit.close();
    let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(int))]);
    let bounds = [
        (dw::DW_AT_type, Is::Entry(color)),
        (dw::DW_AT_lower_bound, Is::Number(1)),
        (dw::DW_AT_upper_bound, Is::Number(9)),
    ];
    unit.leaf(dw::DW_TAG_subrange_type, &bounds);
    unit.close();
    variable(&mut unit, "a", array);
    let info = read(unit);
    let TypeKind::Array(array) = &info.type_at(id_of(&info, "a")).kind else { panic!() };
    let end = &array.dimensions[0].end;
    assert!(matches!(end, DimensionEnd::Count(Bound::Constant(3))), "{end:?}");
    assert!(array.dimensions[0].index.is_some());
}
