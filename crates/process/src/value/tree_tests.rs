//! What the tree of a value contains, and where it ends.

use std::sync::Arc;

use super::*;
use crate::value::test_stage::{Play, Stage};
use crate::value::{Contents, ObjectPart, PartSource};
use obit_dwarf::sample_types::{array, base, field, id, named, pointer, record};
use obit_dwarf::types::{Encoding, Enumeration, FunctionType, Member, MemberRole, Record};

const INT: u32 = 0;
const CHAR: u32 = 1;

fn types(mut more: Vec<Type>) -> Vec<Type> {
    let mut types = vec![base("int", 4, Encoding::Signed), base("char", 1, Encoding::SignedChar)];
    types.append(&mut more);
    types
}

fn value_of<'d>(play: Play<'d>, object: &Object<'d>) -> Value {
    tree(object, Some("v".into()), play.scene, &Budget::default())
}

fn at(play: Play<'_>, ty: u32, address: u64) -> Value {
    value_of(play, &play.object(ty, address))
}

/// `path = value` of each leaf.
fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, leaves: &mut Vec<String>) {
        match &value.state {
            State::Aggregate => {}
            State::Scalar(scalar) => leaves.push(format!("{path} = {scalar:?}")),
            State::Absent(why) => leaves.push(format!("{path}: {why}")),
        }
        for member in &value.members {
            let name = member.name.as_deref().unwrap_or("?");
            walk(member, &format!("{path}/{name}"), leaves);
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn nodes(value: &Value) -> usize {
    let children = value.members.iter().chain(&value.elements).chain(value.pointee.as_deref());
    1 + children.map(nodes).sum::<usize>()
}

fn text(value: &Value) -> Option<&str> {
    value.text.as_ref().map(|text| text.text.as_str())
}

#[test]
fn a_structure_is_shown_as_it_is_declared() {
    let base_of = |ty, at| Member { role: MemberRole::Base, ..field("", ty, at) };
    let bit = |name: &str, first: u64, bits: u64| Member {
        offset: obit_dwarf::types::MemberOffset::Bits(first),
        bit_size: Some(bits),
        ..field(name, INT, 0)
    };
    let types = types(vec![
        record("Base", 4, vec![field("x", INT, 0)]),
        record("", 4, vec![field("inner", INT, 0)]),
        array(CHAR, &[(0, 0), (1, 2)]),
        record(
            "S",
            18,
            vec![
                base_of(2, 0),
                field("", 3, 4),
                bit("low", 64, 4),
                bit("high", 68, 4),
                field("grid", 4, 16),
            ],
        ),
    ]);
    let bytes = [7, 0, 0, 0, 8, 0, 0, 0, 0xf3, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'];
    Stage::new(types, &[(0x1000, &bytes)]).ask(|play| {
        let value = at(play, 5, 0x1000);
        let expected = [
            "/Base/x = Signed(7)",
            "/?/inner = Signed(8)",
            "/low = Signed(3)",
            "/high = Signed(-1)",
            "/grid/[0]/[1] = Character { code: 97, character: Some('a') }",
            "/grid/[0]/[2] = Character { code: 98, character: Some('b') }",
        ];
        assert_eq!(leaves(&value), expected);
        assert_eq!(text(&value.members[4].members[0]), Some("ab"));
        assert_eq!((value.address, value.omitted), (Some(Avma(0x1000)), 0));
    });
}

#[test]
fn a_character_array_reads_as_far_as_its_nul() {
    let stage = Stage::new(types(vec![array(CHAR, &[(0, 7)])]), &[(0x1000, b"hi\0junk!")]);
    stage.ask(|play| {
        let value = at(play, 2, 0x1000);
        let text = value.text.as_ref().unwrap();
        assert_eq!((text.text.as_str(), text.origin), ("hi", TextOrigin::Data));
        assert_eq!((text.left_out, value.members.len()), (Some(0), 8));
    });
}

#[test]
fn a_character_pointer_reads_the_string_there() {
    let mut memory = 0x1010_u64.to_le_bytes().to_vec();
    memory.extend(0_u64.to_le_bytes());
    memory.extend([b'x'; 250]);
    memory.push(0);
    let stage = Stage::new(types(vec![pointer(CHAR)]), &[(0x1000, &memory)]);
    stage.ask(|play| {
        let value = at(play, 2, 0x1000);
        assert!(matches!(value.state, State::Scalar(Scalar::Address(0x1010))));
        let text = value.text.unwrap();
        assert_eq!((text.text.len(), text.left_out), (200, Some(50)));
        assert!(value.pointee.is_none());
        let null = at(play, 2, 0x1008);
        assert_eq!((null.text, null.pointee.is_none()), (None, true));
    });
}

#[test]
fn a_pointer_to_a_function_or_variable_is_named() {
    let function = TypeKind::Function(FunctionType::default());
    let types = types(vec![named("", None, function), pointer(2), pointer(INT)]);
    let mut memory = 0x40_1004_u64.to_le_bytes().to_vec();
    memory.extend(0x1010_u64.to_le_bytes());
    memory.extend(9_u64.to_le_bytes());
    let stage = Stage::new(types, &[(0x1000, &memory)])
        .symbol(0x40_1000, "main", 16)
        .symbol(0x1010, "counter", 4);
    stage.ask(|play| {
        let code = at(play, 3, 0x1000);
        assert_eq!((text(&code), code.pointee.is_none()), (Some("main+4"), true));
        assert_eq!(code.text.map(|text| text.origin), Some(TextOrigin::Symbol));
        let data = at(play, 4, 0x1008);
        assert_eq!(text(&data), Some("counter"));
        assert_eq!(leaves(&data.pointee.unwrap()), [" = Signed(9)"]);
    });
}

#[test]
fn an_enumeration_has_its_number_and_its_name() {
    let enumeration = Enumeration {
        underlying: Some(id(INT)),
        enumerators: vec![("RED".into(), 0), ("BLUE".into(), -2)],
        is_class: false,
        is_declaration: false,
    };
    let types = types(vec![named("color", 4, TypeKind::Enumeration(enumeration))]);
    Stage::new(types, &[(0x1000, &[0xfe, 0xff, 0xff, 0xff])]).ask(|play| {
        let value = at(play, 2, 0x1000);
        assert_eq!(
            (leaves(&value), text(&value)),
            (vec![" = Signed(-2)".to_owned()], Some("BLUE"))
        );
    });
}

#[test]
fn a_complex_number_has_two_members() {
    let types = types(vec![base("complex double", 16, Encoding::ComplexFloat)]);
    let bytes = [1.5_f64.to_le_bytes(), (-2.0_f64).to_le_bytes()].concat();
    Stage::new(types, &[(0x1000, &bytes)]).ask(|play| {
        let value = at(play, 2, 0x1000);
        let floats: Vec<_> = value
            .members
            .iter()
            .map(|member| match (&member.name, &member.state) {
                (Some(name), State::Scalar(Scalar::Float(float))) => (&**name, float.finite()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(floats, [("real", Some(1.5)), ("imag", Some(-2.0))]);
    });
}

fn pair() -> Vec<Type> {
    types(vec![record("pair", 8, vec![field("a", INT, 0), field("b", INT, 4)])])
}

fn parts<'d>(play: Play<'d>, sources: Vec<PartSource<'d>>) -> Object<'d> {
    let parts = sources.into_iter().map(|source| ObjectPart { bits: 32, bit_offset: 0, source });
    Object::new(play.ty(2), Contents::Parts(parts.collect()))
}

fn gone<'d>() -> PartSource<'d> {
    PartSource::Absent(NoPlace::OptimizedOut.into())
}

#[test]
fn absence_is_stated_for_each_leaf_or_for_the_whole_if_all_are_absent() {
    Stage::new(pair(), &[(0x1000, &[1, 0, 0, 0])]).ask(|play| {
        let half = at(play, 2, 0x1000);
        assert_eq!(leaves(&half), ["/a = Signed(1)", "/b: memory at 0x1004 is not mapped"]);
        assert_eq!(half.partly, None);
        assert_eq!(leaves(&at(play, 2, 0x5000)), [": memory at 0x5000 is not mapped"]);
    });
}

#[test]
fn a_variable_of_which_the_compiler_kept_a_part_says_so() {
    Stage::new(pair(), &[]).ask(|play| {
        let known = PartSource::Bytes(Arc::from([5, 0, 0, 0]));
        let value = value_of(play, &parts(play, vec![known, gone()]));
        assert_eq!(leaves(&value), ["/a = Signed(5)", "/b: optimized out"]);
        assert_eq!(value.partly, Some(NoPlace::OptimizedOut.into()));
        let value = value_of(play, &parts(play, vec![gone(), gone()]));
        assert_eq!((leaves(&value), value.partly), (vec![": optimized out".to_owned()], None));
    });
}

#[test]
fn an_implicit_pointer_has_no_value_but_a_pointee() {
    let types = types(vec![pointer(INT)]);
    Stage::new(types, &[(0x1000, &[3, 0, 0, 0])]).ask(|play| {
        let target = Arc::new(play.object(INT, 0x1000));
        let source = PartSource::ImplicitPointer(Some(target));
        let part = ObjectPart { bits: 64, bit_offset: 0, source };
        let value = value_of(play, &Object::new(play.ty(2), Contents::Parts(Arc::from([part]))));
        assert!(matches!(value.state, State::Absent(Absence::ImplicitPointer)));
        assert_eq!(leaves(&value.pointee.unwrap()), [" = Signed(3)"]);
    });
}

#[test]
fn a_reference_stands_for_its_object() {
    let kind = TypeKind::Pointer { kind: PointerKind::LvalueReference, target: Some(id(INT)) };
    let mut memory = 0x1008_u64.to_le_bytes().to_vec();
    memory.extend(4_u32.to_le_bytes());
    Stage::new(types(vec![named("int &", 8, kind)]), &[(0x1000, &memory)]).ask(|play| {
        let value = at(play, 2, 0x1000);
        assert_eq!(leaves(&value), [" = Address(4104)"]);
        assert_eq!(leaves(&value.pointee.unwrap()), [" = Signed(4)"]);
    });
}

#[test]
fn a_number_without_bits_has_no_value() {
    Stage::new(types(vec![base("()", 0, Encoding::Unsigned)]), &[]).ask(|play| {
        assert!(matches!(at(play, 2, 0x1000).state, State::Aggregate));
    });
}

#[test]
fn a_cyclic_list_is_followed_once() {
    let types =
        types(vec![record("node", 16, vec![field("next", 3, 0), field("v", INT, 8)]), pointer(2)]);
    let mut memory = 0x1000_u64.to_le_bytes().to_vec();
    memory.extend([9, 0, 0, 0, 0, 0, 0, 0]);
    Stage::new(types, &[(0x1000, &memory)]).ask(|play| {
        let head = at(play, 3, 0x1000);
        let node = head.pointee.unwrap();
        assert_eq!(node.name.as_deref(), Some("*v"));
        assert_eq!(leaves(&node), ["/next = Address(4096)", "/v = Signed(9)"]);
        assert!(node.members[0].pointee.is_none());
    });
}

#[test]
fn a_reference_to_itself_ends() {
    let kind = TypeKind::Pointer { kind: PointerKind::LvalueReference, target: Some(id(2)) };
    let types = types(vec![named("loop", 8, kind)]);
    Stage::new(types, &[(0x1000, &0x1000_u64.to_le_bytes())]).ask(|play| {
        let mut depth = 0;
        let mut value = at(play, 2, 0x1000);
        while let Some(pointee) = value.pointee {
            (value, depth) = (*pointee, depth + 1);
        }
        assert_eq!(depth, Budget::default().max_depth);
    });
}

#[test]
fn a_pointer_to_a_base_shows_the_object_of_the_dynamic_type() {
    let base_of = |ty, at| Member { role: MemberRole::Base, ..field("", ty, at) };
    let types = types(vec![
        pointer(INT),
        record("Base", 16, vec![field("_vptr.Base", 2, 0), field("x", INT, 8)]),
        record("Other", 4, vec![field("o", INT, 0)]),
        record("Derived", 32, vec![base_of(4, 0), base_of(3, 8), field("y", INT, 24)]),
        pointer(3),
    ]);
    let mut memory = 0x1018_u64.to_le_bytes().to_vec();
    memory.extend(0_u64.to_le_bytes());
    memory.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    memory.extend(0x9010_u64.to_le_bytes());
    memory.extend([2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    let stage = Stage::new(types.clone(), &[(0x1000, &memory)]).vtable(0x9010, 5, 8);
    stage.ask(|play| {
        let value = at(play, 6, 0x1000);
        assert_eq!(value.summary.as_deref(), Some("Derived at 0x1010"));
        let whole = value.pointee.unwrap();
        assert_eq!(whole.type_name.as_deref(), Some("Derived"));
        let expected = [
            "/Other/o = Signed(1)",
            "/Base/_vptr.Base = Address(36880)",
            "/Base/x = Signed(2)",
            "/y = Signed(3)",
        ];
        assert_eq!(leaves(&whole), expected);
    });
    // The vtable of the class itself says nothing new.
    Stage::new(types, &[(0x1000, &memory)]).vtable(0x9010, 3, 0).ask(|play| {
        let value = at(play, 6, 0x1000);
        assert_eq!(value.summary, None);
        assert_eq!(value.pointee.unwrap().type_name.as_deref(), Some("Base"));
    });
}

#[test]
fn what_was_never_defined_says_so() {
    let declared = Record { is_declaration: true, ..Record::default() };
    let types = types(vec![
        named("Opaque", None, TypeKind::Record(declared)),
        named("odd", 4, TypeKind::Unsupported(0x4242)),
        named("void", None, TypeKind::Typedef(None)),
    ]);
    Stage::new(types, &[(0x1000, &[0; 8])]).ask(|play| {
        assert!(matches!(at(play, 2, 0x1000).state, State::Absent(Absence::Incomplete)));
        assert!(matches!(at(play, 3, 0x1000).state, State::Absent(Absence::Malformed(_))));
        assert!(matches!(at(play, 4, 0x1000).state, State::Aggregate));
    });
}

#[test]
fn a_type_that_contains_itself_ends_at_the_deepest_level() {
    let types = types(vec![record("loop", 4, vec![field("again", 2, 0), field("x", INT, 0)])]);
    Stage::new(types, &[(0x1000, &[1, 0, 0, 0])]).ask(|play| {
        let levels = Budget::default().max_depth;
        let mut value = &at(play, 2, 0x1000);
        for _ in 0..levels {
            assert_eq!(value.omitted, 0);
            value = &value.members[0];
        }
        assert_eq!((value.members.len(), value.omitted), (0, 2));
        // However deep is asked for.
        let mut budget = Budget::default();
        (budget.max_depth, budget.max_nodes) = (usize::MAX, usize::MAX);
        let deep = tree(&play.object(2, 0x1000), None, play.scene, &budget);
        assert!(nodes(&deep) < 1000);
    });
}

#[test]
fn an_array_of_any_length_shows_the_first_elements_and_counts_the_rest() {
    let last = (1_i64 << 60) - 1;
    let types = types(vec![
        array(INT, &[(0, last)]),
        record("empty", 0, Vec::new()),
        array(3, &[(0, last)]),
        array(INT, &[(0, last), (0, last), (0, last)]),
        array(INT, &[(0, -2)]),
        array(INT, &[(i64::MIN, i64::MAX)]),
    ]);
    Stage::new(types, &[(0x1000, &[1; 4096])]).ask(|play| {
        let long = at(play, 2, 0x1000);
        assert_eq!((long.members.len(), long.omitted), (64, (1 << 60) - 64));
        let empties = at(play, 4, 0x1000);
        assert_eq!((empties.members.len(), empties.omitted), (64, (1 << 60) - 64));
        let cube = at(play, 5, 0x1000);
        // Its first plane alone has more than a variable may have.
        assert_eq!((cube.members.len(), cube.omitted), (1, (1 << 60) - 1));
        let none = at(play, 6, 0x1000);
        assert_eq!((none.members.len(), none.omitted), (0, 0));
        let whole = at(play, 7, 0x1000);
        assert_eq!(whole.members[0].name.as_deref(), Some("[-9223372036854775808]"));
    });
}

#[test]
fn nodes_are_limited_for_one_variable_and_for_all_together() {
    let types = types(vec![array(INT, &[(0, 63), (0, 63)])]);
    let memory = [1; 64 * 64 * 4];
    Stage::new(types, &[(0x1000, &memory)]).ask(|play| {
        let budget = Budget::default();
        let object = play.object(2, 0x1000);
        let grid = tree(&object, None, play.scene, &budget);
        assert_eq!(nodes(&grid), budget.max_nodes + 1);
        let omitted = grid.members.iter().map(|row| row.omitted).sum::<u64>() + 64 * grid.omitted;
        let shown: usize = grid.members.iter().map(|row| row.members.len()).sum();
        assert_eq!(shown as u64 + omitted, 64 * 64);

        let budget = Budget::default().with_nodes(100);
        assert_eq!(nodes(&tree(&object, None, play.scene, &budget)), 101);
        let next = tree(&object, None, play.scene, &budget);
        assert_eq!((nodes(&next), next.omitted), (1, 64));
        // A value that needs no nodes is still shown.
        let number = tree(&play.object(INT, 0x1000), None, play.scene, &budget);
        assert_eq!(leaves(&number).len(), 1);
    });
}
