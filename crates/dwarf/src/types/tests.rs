//! What is read of types and names, for units built by hand.

use std::path::Path;
use std::sync::Arc;

use gimli::constants as dw;

use super::*;
use crate::testing::dwarf_builder::{Is, Unit, debug_info};
use crate::*;
use obit_corefile::addr::Svma;
use obit_corefile::elf::ElfImage;
use obit_corefile::limits::Limits;

#[path = "ada_tests.rs"]
mod ada;
#[path = "fortran_tests.rs"]
mod fortran;

type Given<'t> = [(gimli::DwAt, Is<'t>)];

fn cpp() -> Unit {
    Unit::of_language(dw::DW_LANG_C_plus_plus_14, 0x1000, 0x1000)
}

fn base(unit: &mut Unit, name: &str, size: u64, encoding: gimli::DwAte) -> usize {
    let given = [
        (dw::DW_AT_name, Is::Text(name)),
        (dw::DW_AT_byte_size, Is::Number(size)),
        (dw::DW_AT_encoding, Is::Number(encoding.0.into())),
    ];
    unit.leaf(dw::DW_TAG_base_type, &given)
}

fn int(unit: &mut Unit) -> usize {
    base(unit, "int", 4, dw::DW_ATE_signed)
}

/// A type that does something to another.
fn of(unit: &mut Unit, tag: gimli::DwTag, target: usize) -> usize {
    unit.leaf(tag, &[(dw::DW_AT_type, Is::Entry(target))])
}

/// A variable whose type is asked for.
fn variable(unit: &mut Unit, name: &str, ty: usize) -> usize {
    let location = [3, 0, 0x20, 0, 0, 0, 0, 0, 0];
    let given = [
        (dw::DW_AT_name, Is::Text(name)),
        (dw::DW_AT_type, Is::Entry(ty)),
        (dw::DW_AT_location, Is::Expression(&location)),
    ];
    unit.leaf(dw::DW_TAG_variable, &given)
}

fn structure(unit: &mut Unit, name: &str, size: u64) -> usize {
    let given = [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_byte_size, Is::Number(size))];
    unit.open(dw::DW_TAG_structure_type, &given)
}

fn read(unit: Unit) -> DebugInfo {
    debug_info(Unit::images(vec![unit]))
}

fn id_of(info: &DebugInfo, variable: &str) -> TypeId {
    info.variables_named(variable)[0].ty.unwrap()
}

fn name_of(info: &DebugInfo, variable: &str) -> Arc<str> {
    info.type_name(id_of(info, variable))
}

fn record(info: &DebugInfo, id: TypeId) -> Record {
    match info.type_at(id).kind.clone() {
        TypeKind::Record(record) => record,
        other => panic!("{other:?}"),
    }
}

fn bits(member: &Member) -> Option<u64> {
    match member.offset {
        MemberOffset::Bits(bits) => Some(bits),
        MemberOffset::Computed(_) => None,
    }
}

/// The only record of a unit of `language` with these members.
fn members(given: &[(gimli::DwTag, &Given<'_>)]) -> (DebugInfo, Record) {
    let mut unit = cpp();
    int(&mut unit);
    structure(&mut unit, "S", 16);
    for (tag, given) in given {
        unit.leaf(*tag, given);
    }
    unit.close();
    let info = read(unit);
    let id = info.types_named("S")[0];
    let found = record(&info, id);
    (info, found)
}

/// Where `int` is in a unit of [`members`]: right behind the root.
fn int_there() -> usize {
    cpp().info.len()
}

#[test]
fn a_bit_field_lies_at_the_same_bits_in_the_old_encoding_and_the_new() {
    let int = Is::Entry(int_there());
    let (_, record) = members(&[
        (
            dw::DW_TAG_member,
            &[
                (dw::DW_AT_type, int),
                (dw::DW_AT_byte_size, Is::Number(4)),
                (dw::DW_AT_bit_size, Is::Number(7)),
                (dw::DW_AT_bit_offset, Is::Number(22)),
                (dw::DW_AT_data_member_location, Is::Number(4)),
            ],
        ),
        (
            dw::DW_TAG_member,
            &[
                (dw::DW_AT_type, int),
                (dw::DW_AT_bit_size, Is::Number(7)),
                (dw::DW_AT_data_bit_offset, Is::Number(35)),
            ],
        ),
        (
            // No size of its own: that of its type counts. It reaches beyond it.
            dw::DW_TAG_member,
            &[
                (dw::DW_AT_type, int),
                (dw::DW_AT_bit_size, Is::Number(7)),
                (dw::DW_AT_bit_offset, Is::Signed(-3)),
                (dw::DW_AT_data_member_location, Is::Number(4)),
            ],
        ),
    ]);
    let found: Vec<_> =
        record.members.iter().map(|member| (bits(member), member.bit_size)).collect();
    assert_eq!(found, [(Some(35), Some(7)), (Some(35), Some(7)), (Some(60), Some(7))]);
}

#[test]
fn a_place_that_only_adds_is_a_number_and_any_other_is_computed() {
    let ty = (dw::DW_AT_type, Is::Entry(int_there()));
    let at = |code: &'static [u8]| (dw::DW_AT_data_member_location, Is::Expression(code));
    let (_, record) = members(&[
        (dw::DW_TAG_member, &[ty, at(&[0x23, 0x85, 0x01])]),
        (dw::DW_TAG_member, &[ty, at(&[0x10, 0x02, 0x22])]),
        (dw::DW_TAG_member, &[ty, at(&[0x23, 0x02, 0x06])]),
        (dw::DW_TAG_member, &[ty]),
        (dw::DW_TAG_member, &[ty, (dw::DW_AT_data_member_location, Is::Signed(-8))]),
        (dw::DW_TAG_inheritance, &[ty, at(&[0x12, 0x06]), (dw::DW_AT_virtuality, Is::Number(1))]),
    ]);
    let found: Vec<_> = record.members.iter().map(bits).collect();
    assert_eq!(found, [Some(133 * 8), Some(16), None, Some(0), None, None]);
    assert_eq!(record.members[5].role, MemberRole::VirtualBase);
}

#[test]
fn static_members_are_recognized_in_the_form_of_every_dwarf_version() {
    let ty = (dw::DW_AT_type, Is::Entry(int_there()));
    let declared = (dw::DW_AT_declaration, Is::Yes);
    let external = (dw::DW_AT_external, Is::Yes);
    let (info, record) = members(&[
        (dw::DW_TAG_member, &[(dw::DW_AT_name, Is::Text("old")), ty, external, declared]),
        (
            dw::DW_TAG_variable,
            &[
                (dw::DW_AT_name, Is::Text("new")),
                ty,
                external,
                declared,
                (dw::DW_AT_const_value, Is::Signed(-7)),
            ],
        ),
        (dw::DW_TAG_member, &[(dw::DW_AT_name, Is::Text("field")), ty]),
    ]);
    let statics: Vec<_> = record.statics.iter().map(|it| (&*it.name, it.constant)).collect();
    assert_eq!(statics, [("old", None), ("new", Some(-7))]);
    assert_eq!(record.members.len(), 1);
    assert_eq!(info.variables_named("S::new")[0].location, Location::Number(-7));
}

#[test]
fn a_variant_part_has_its_discriminant_and_what_each_of_its_values_selects() {
    let mut unit = Unit::of_language(dw::DW_LANG_Rust, 0x1000, 0x1000);
    let tag = base(&mut unit, "i64", 8, dw::DW_ATE_signed);
    structure(&mut unit, "E", 16);
    let part = unit.info.len();
    // The reference goes to the member right behind.
    let after = part + 1 + 4;
    unit.open(dw::DW_TAG_variant_part, &[(dw::DW_AT_discr, Is::Entry(after))]);
    let discriminant = unit.leaf(
        dw::DW_TAG_member,
        &[(dw::DW_AT_type, Is::Entry(tag)), (dw::DW_AT_artificial, Is::Yes)],
    );
    assert_eq!(discriminant, after);
    let member = |unit: &mut Unit, name| {
        let given = [
            (dw::DW_AT_name, Is::Text(name)),
            (dw::DW_AT_type, Is::Entry(tag)),
            (dw::DW_AT_data_member_location, Is::Number(8)),
        ];
        unit.leaf(dw::DW_TAG_member, &given);
        unit.close();
    };
    unit.open(dw::DW_TAG_variant, &[(dw::DW_AT_discr_value, Is::Byte(0xff))]);
    member(&mut unit, "Less");
    unit.open(dw::DW_TAG_variant, &[(dw::DW_AT_discr_list, Is::Block(&[0, 3, 1, 0x7e, 0x10]))]);
    member(&mut unit, "Some");
    unit.open(dw::DW_TAG_variant, &[]);
    member(&mut unit, "Rest");
    unit.close();
    unit.close();
    let info = read(unit);
    let found = record(&info, info.types_named("E")[0]);
    let [part] = found.variant_parts.as_slice() else { panic!() };
    assert!(part.discriminant.as_ref().unwrap().is_artificial);
    let variants: Vec<_> = part
        .variants
        .iter()
        .map(|it| (it.members[0].name.as_deref().unwrap(), it.selectors.as_slice()))
        .collect();
    assert_eq!(variants, [("Less", &[(-1, -1)][..]), ("Some", &[(3, 3), (-2, 16)]), ("Rest", &[])]);
}

#[test]
fn enumerators_have_the_sign_of_the_type_behind() {
    let mut unit = cpp();
    let small = base(&mut unit, "signed char", 1, dw::DW_ATE_signed_char);
    let large = base(&mut unit, "unsigned long", 8, dw::DW_ATE_unsigned);
    let mut enumeration = |name: &str, ty: usize, value: Is<'_>| {
        let given = [(dw::DW_AT_name, Is::Text(name)), (dw::DW_AT_type, Is::Entry(ty))];
        unit.open(dw::DW_TAG_enumeration_type, &given);
        let given = [(dw::DW_AT_name, Is::Text("X")), (dw::DW_AT_const_value, value)];
        unit.leaf(dw::DW_TAG_enumerator, &given);
        unit.close();
    };
    enumeration("Small", small, Is::Byte(0xfe));
    enumeration("Large", large, Is::Number(u64::MAX));
    enumeration("Odd", large, Is::Signed(-1));
    enumeration("Huge", large, Is::Block(&[0, 0, 0, 0, 0, 0, 0, 0, 1]));
    let info = read(unit);
    let value = |name: &str| match &info.type_at(info.types_named(name)[0]).kind {
        TypeKind::Enumeration(found) => found.enumerators[0].1,
        other => panic!("{other:?}"),
    };
    assert_eq!(value("Small"), -2);
    assert_eq!(value("Large"), i128::from(u64::MAX));
    assert_eq!(value("Odd"), i128::from(u64::MAX));
    assert_eq!(value("Huge"), 1 << 64);
    assert_eq!(info.type_at(info.types_named("Small")[0]).byte_size, Some(1));
}

#[test]
fn dimensions_end_as_their_compiler_says_it() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let int = int(&mut unit);
    let count = variable(&mut unit, "count", int);
    let mut array = |name: &str, given: &Given<'_>| {
        let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(int))]);
        unit.leaf(dw::DW_TAG_subrange_type, given);
        unit.close();
        variable(&mut unit, name, array);
    };
    array("upper", &[(dw::DW_AT_upper_bound, Is::Byte(0xff))]);
    array("count", &[(dw::DW_AT_count, Is::Number(4))]);
    array("open", &[]);
    array("negative", &[(dw::DW_AT_count, Is::Signed(-1))]);
    array("zero", &[(dw::DW_AT_upper_bound, Is::Signed(-1))]);
    array("wrapped", &[(dw::DW_AT_upper_bound, Is::Number(u64::MAX))]);
    array("computed", &[(dw::DW_AT_upper_bound, Is::Expression(&[0x30]))]);
    array("variable", &[(dw::DW_AT_upper_bound, Is::Entry(count))]);
    array("broken", &[(dw::DW_AT_upper_bound, Is::Entry(int))]);
    array(
        "shifted",
        &[(dw::DW_AT_lower_bound, Is::Signed(-2)), (dw::DW_AT_upper_bound, Is::Byte(3))],
    );
    let info = read(unit);
    let names = [
        ("upper", "int [256]"),
        ("open", "int []"),
        ("negative", "int []"),
        ("zero", "int [0]"),
        ("wrapped", "int [0]"),
        ("computed", "int [variable length]"),
        ("variable", "int [variable length]"),
        ("shifted", "int [6]"),
    ];
    for (name, shown) in names {
        assert_eq!(&*name_of(&info, name), shown, "{name}");
    }
    let end = |name| match &info.type_at(id_of(&info, name)).kind {
        TypeKind::Array(array) => array.dimensions[0].end.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(end("variable"), DimensionEnd::Upper(Bound::Variable(_))));
    assert!(matches!(end("broken"), DimensionEnd::Upper(Bound::Unknown)));
    assert!(matches!(end("zero"), DimensionEnd::Upper(Bound::Constant(-1))));
}

#[test]
fn modifiers_are_where_c_puts_them() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let char = base(&mut unit, "char", 1, dw::DW_ATE_signed_char);
    let int = int(&mut unit);
    let mut kept = Vec::new();
    let constant = of(&mut unit, dw::DW_TAG_const_type, char);
    let text = of(&mut unit, dw::DW_TAG_pointer_type, constant);
    kept.push((text, "const char *"));
    let fixed = of(&mut unit, dw::DW_TAG_const_type, text);
    kept.push((of(&mut unit, dw::DW_TAG_pointer_type, fixed), "const char * const *"));
    let volatile = of(&mut unit, dw::DW_TAG_volatile_type, constant);
    kept.push((volatile, "const volatile char"));
    let void = unit.leaf(dw::DW_TAG_pointer_type, &[]);
    kept.push((void, "void *"));
    let function = unit.open(
        dw::DW_TAG_subroutine_type,
        &[(dw::DW_AT_type, Is::Entry(int)), (dw::DW_AT_prototyped, Is::Yes)],
    );
    unit.leaf(dw::DW_TAG_formal_parameter, &[(dw::DW_AT_type, Is::Entry(int))]);
    unit.leaf(dw::DW_TAG_formal_parameter, &[(dw::DW_AT_type, Is::Entry(text))]);
    unit.leaf(dw::DW_TAG_unspecified_parameters, &[]);
    unit.close();
    kept.push((function, "int (int, const char *, ...)"));
    let pointer = of(&mut unit, dw::DW_TAG_pointer_type, function);
    kept.push((pointer, "int (*)(int, const char *, ...)"));
    let table = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(pointer))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_count, Is::Number(2))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_count, Is::Number(3))]);
    unit.close();
    kept.push((table, "int (*[2][3])(int, const char *, ...)"));
    kept.push((
        of(&mut unit, dw::DW_TAG_pointer_type, table),
        "int (*(*)[2][3])(int, const char *, ...)",
    ));
    let old = unit.leaf(dw::DW_TAG_subroutine_type, &[(dw::DW_AT_type, Is::Entry(int))]);
    kept.push((old, "int ()"));
    let none = unit.leaf(dw::DW_TAG_subroutine_type, &[(dw::DW_AT_prototyped, Is::Yes)]);
    kept.push((of(&mut unit, dw::DW_TAG_pointer_type, none), "void (*)(void)"));
    let node = structure(&mut unit, "node", 8);
    unit.close();
    kept.push((of(&mut unit, dw::DW_TAG_pointer_type, node), "struct node *"));
    let nameless = unit.leaf(dw::DW_TAG_union_type, &[(dw::DW_AT_byte_size, Is::Number(4))]);
    kept.push((nameless, "union {...}"));
    let long = base(&mut unit, "long unsigned int", 8, dw::DW_ATE_unsigned);
    kept.push((long, "unsigned long"));
    let names: Vec<_> = kept.iter().enumerate().map(|(at, _)| format!("v{at}")).collect();
    for (name, (ty, _)) in names.iter().zip(&kept) {
        variable(&mut unit, name, *ty);
    }
    let info = read(unit);
    for (name, (_, shown)) in names.iter().zip(&kept) {
        assert_eq!(&*name_of(&info, name), *shown);
    }
}

#[test]
fn a_type_of_a_partial_unit_has_the_language_of_the_unit_that_refers_to_it() {
    let mut partial = Unit::partial();
    let ty = structure(&mut partial, "node", 8);
    let node = of(&mut partial, dw::DW_TAG_pointer_type, ty);
    let given = [
        (dw::DW_AT_name, Is::Text("next")),
        (dw::DW_AT_type, Is::Entry(node)),
        (dw::DW_AT_data_member_location, Is::Number(0)),
    ];
    partial.leaf(dw::DW_TAG_member, &given);
    partial.close();
    let refer = |language, name| {
        let mut unit = Unit::of_language(language, 0x1000, 0x1000);
        let location = [3, 0, 0x20, 0, 0, 0, 0, 0, 0];
        let given = [
            (dw::DW_AT_name, Is::Text(name)),
            (dw::DW_AT_type, Is::EntryOfFirst(node)),
            (dw::DW_AT_location, Is::Expression(&location)),
        ];
        unit.leaf(dw::DW_TAG_variable, &given);
        unit
    };
    let c = refer(dw::DW_LANG_C11, "of_c");
    let cpp = refer(dw::DW_LANG_C_plus_plus_14, "of_cpp");
    let info = debug_info(Unit::images(vec![partial, c, cpp]));
    let target = |id: TypeId| match info.type_at(id).kind {
        TypeKind::Pointer { target: Some(target), .. } => target,
        ref other => panic!("{other:?}"),
    };
    for (variable, language, name) in
        [("of_c", Language::C, "struct node *"), ("of_cpp", Language::Cpp, "node *")]
    {
        let node = target(id_of(&info, variable));
        assert_eq!(info.type_at(node).language, language);
        assert_eq!(&*name_of(&info, variable), name);
        // However far one goes on from there.
        let next = record(&info, node).members[0].ty.unwrap();
        assert_eq!(target(next), node);
    }
}

#[test]
fn a_type_is_named_with_the_scopes_around_its_declaration() {
    let mut unit = cpp();
    let int = int(&mut unit);
    unit.open(dw::DW_TAG_namespace, &[(dw::DW_AT_name, Is::Text("ns"))]);
    structure(&mut unit, "Outer<long int>", 1);
    let declared = [(dw::DW_AT_name, Is::Text("Inner")), (dw::DW_AT_declaration, Is::Yes)];
    let inner = unit.leaf(dw::DW_TAG_structure_type, &declared);
    unit.close();
    unit.open(dw::DW_TAG_namespace, &[]);
    let hidden = structure(&mut unit, "Hidden", 4);
    unit.close();
    unit.close();
    unit.close();
    let given = [(dw::DW_AT_specification, Is::Entry(inner)), (dw::DW_AT_byte_size, Is::Number(4))];
    let defined = unit.leaf(dw::DW_TAG_structure_type, &given);
    let given = [(dw::DW_AT_containing_type, Is::Entry(hidden)), (dw::DW_AT_type, Is::Entry(int))];
    let to_member = unit.leaf(dw::DW_TAG_ptr_to_member_type, &given);
    variable(&mut unit, "inner", defined);
    variable(&mut unit, "declared", inner);
    variable(&mut unit, "to_member", to_member);
    let info = read(unit);
    assert_eq!(&*name_of(&info, "inner"), "ns::Outer<long>::Inner");
    assert_eq!(&*name_of(&info, "to_member"), "int ns::(anonymous namespace)::Hidden::*");
    let declared = id_of(&info, "declared");
    assert!(record(&info, declared).is_declaration);
    assert_eq!(info.definition_of(declared), Some(id_of(&info, "inner")));
    assert_eq!(info.definition_of(id_of(&info, "inner")), None);
    for name in
        ["Inner", "ns::Outer<long>::Inner", "::ns::Outer< long int >::Inner", "struct Inner"]
    {
        assert_eq!(info.types_named(name), [id_of(&info, "inner")], "{name}");
    }
    for name in ["Outer<long>", "::Inner", "s::Outer<long>::Inner", "union Inner", "", "::"] {
        assert!(!info.types_named(name).contains(&id_of(&info, "inner")), "{name}");
    }
}

#[test]
fn what_types_have_a_name_for_is_called_by_it() {
    let mut unit = Unit::of_language(dw::DW_LANG_Rust, 0x1000, 0x1000);
    let byte = base(&mut unit, "u8", 1, dw::DW_ATE_unsigned);
    let given = [(dw::DW_AT_name, Is::Text("*mut u8")), (dw::DW_AT_type, Is::Entry(byte))];
    let pointer = unit.leaf(dw::DW_TAG_pointer_type, &given);
    let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(pointer))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_count, Is::Number(2))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_count, Is::Number(3))]);
    unit.close();
    variable(&mut unit, "a", array);
    let info = read(unit);
    assert_eq!(&*name_of(&info, "a"), "[[*mut u8; 3]; 2]");
}

#[test]
fn names_of_types_that_refer_to_themselves_end() {
    let mut unit = Unit::new(0x1000, 0x1000);
    let here = unit.info.len();
    let pointer = of(&mut unit, dw::DW_TAG_pointer_type, here);
    assert_eq!(pointer, here);
    variable(&mut unit, "p", pointer);
    let here = unit.info.len();
    let function = unit.open(dw::DW_TAG_subroutine_type, &[(dw::DW_AT_type, Is::Entry(here))]);
    for _ in 0..10 {
        unit.leaf(dw::DW_TAG_formal_parameter, &[(dw::DW_AT_type, Is::Entry(here))]);
    }
    unit.close();
    variable(&mut unit, "f", function);
    let here = unit.info.len();
    let given = [
        (dw::DW_AT_name, Is::Text("S")),
        (dw::DW_AT_specification, Is::Entry(here)),
        (dw::DW_AT_signature, Is::Entry(here)),
    ];
    let own = unit.leaf(dw::DW_TAG_structure_type, &given);
    assert_eq!(own, here);
    variable(&mut unit, "s", own);
    let info = read(unit);
    for name in ["p", "f", "s"] {
        let text = name_of(&info, name);
        assert!(text.len() < 100_000, "{name}: {} bytes", text.len());
    }
    assert!(name_of(&info, "p").contains('…'));
}

#[test]
fn a_reference_that_leads_nowhere_is_to_an_unknown_type_and_not_to_void() {
    let mut unit = cpp();
    let lost = unit.leaf(dw::DW_TAG_pointer_type, &[(dw::DW_AT_type, Is::Signature(7))]);
    variable(&mut unit, "p", lost);
    let info = read(unit);
    assert_eq!(&*name_of(&info, "p"), "<unknown type> *");
    let TypeKind::Pointer { target: Some(target), .. } = info.type_at(id_of(&info, "p")).kind
    else {
        panic!()
    };
    assert!(matches!(info.type_at(target).kind, TypeKind::Unspecified));
}

#[test]
fn a_declaration_with_a_signature_is_what_its_type_unit_says() {
    let mut types = Unit::of_type(0x1234_5678_9abc_def0);
    types.open(dw::DW_TAG_namespace, &[(dw::DW_AT_name, Is::Text("ns"))]);
    let there = structure(&mut types, "Pair", 8);
    types.describes(there);
    types.leaf(dw::DW_TAG_member, &[(dw::DW_AT_name, Is::Text("first"))]);
    types.close();
    types.close();
    let mut unit = cpp();
    let given = [
        (dw::DW_AT_declaration, Is::Yes),
        (dw::DW_AT_signature, Is::Signature(0x1234_5678_9abc_def0)),
    ];
    let declared = unit.leaf(dw::DW_TAG_structure_type, &given);
    variable(&mut unit, "pair", declared);
    let info = debug_info(Unit::images(vec![unit, types]));
    let pair = record(&info, id_of(&info, "pair"));
    assert!(!pair.is_declaration);
    assert_eq!(pair.members[0].name.as_deref(), Some("first"));
    assert_eq!(&*name_of(&info, "pair"), "ns::Pair");
    assert_eq!(info.types_named("ns::Pair").len(), 1);
}

#[test]
fn variables_are_found_by_name_and_address_and_those_of_functions_are_not() {
    let mut unit = cpp();
    let int = int(&mut unit);
    let array = unit.open(dw::DW_TAG_array_type, &[(dw::DW_AT_type, Is::Entry(int))]);
    unit.leaf(dw::DW_TAG_subrange_type, &[(dw::DW_AT_upper_bound, Is::Number(3))]);
    unit.close();
    structure(&mut unit, "Config", 1);
    let given = [
        (dw::DW_AT_name, Is::Text("limits")),
        (dw::DW_AT_type, Is::Entry(array)),
        (dw::DW_AT_declaration, Is::Yes),
        (dw::DW_AT_external, Is::Yes),
    ];
    let declared = unit.leaf(dw::DW_TAG_variable, &given);
    unit.close();
    unit.function("f", 0x1000, 0x10);
    variable(&mut unit, "local", int);
    unit.close();
    let given = [
        (dw::DW_AT_specification, Is::Entry(declared)),
        (dw::DW_AT_location, Is::Expression(&[3, 0, 0x40, 0, 0, 0, 0, 0, 0])),
    ];
    unit.leaf(dw::DW_TAG_variable, &given);
    let info = read(unit);
    for name in ["limits", "Config::limits"] {
        let [found] = info.variables_named(name).try_into().unwrap();
        assert!(matches!(found.location, Location::Expression(_)), "{name}");
    }
    assert!(info.variables_named("local").is_empty());
    assert!(info.variables_named("::limits").is_empty());
    let (found, start) = info.variable_at(Svma(0x400f)).unwrap();
    assert_eq!((found.name.as_deref(), start), (Some("limits"), Svma(0x4000)));
    assert!(info.variable_at(Svma(0x4010)).is_none());
    assert!(info.variable_at(Svma(0x3fff)).is_none());
    let function = |name: &str| {
        info.functions_named(name).into_iter().map(|it| it.entry.0).collect::<Vec<_>>()
    };
    assert_eq!(function("f"), [0x1000]);
    assert!(function("g").is_empty());
}

#[test]
fn vtables_of_rust_are_found_by_their_address_and_name_the_type_they_are_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/rust/prog");
    let bytes = obit_corefile::elf::ImageBytes::Memory(std::fs::read(path).unwrap());
    let image = Arc::new(ElfImage::parse(bytes, &Limits::default()).unwrap());
    let split: SplitLoader = Arc::new(|_, _, _| Err(Vec::new()));
    let info = DebugInfo::new(DebugFiles::only(image), split, &Limits::default(), None);
    let name = "<index::Sum as index::Visitor>::{vtable}";
    let [vtable] = info.variables_named(name).try_into().unwrap();
    let record = record(&info, vtable.ty.unwrap());
    assert_eq!(&*info.type_name(record.containing_type.unwrap()), "index::Sum");
    let names: Vec<_> = record.members.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["drop_in_place", "size", "align", "__method3"]);
    let Location::Expression(place) = &vtable.location else { panic!() };
    let address = u64::from_le_bytes(place.bytes[1..].try_into().unwrap());
    let (found, start) = info.variable_at(Svma(address + 8)).unwrap();
    assert_eq!((found.id, start), (vtable.id, Svma(address)));
}
