//! Arrays with descriptors and strings of a stated length, as Fortran has them.

use super::{Absence, Budget, Object, State, Value, tree};
use crate::value::test_stage::{Play, Stage};
use obit_corefile::addr::Avma;
use obit_dwarf::sample_types::{
    array, base, data_location, field, named, pointer, record, variable_bound,
};
use obit_dwarf::types::{Descriptor, Dimension, DimensionEnd, Encoding, Stride, StringType};
use obit_dwarf::{Bound, Type, TypeKind};

const INT: u32 = 0;
const SECTION: u32 = 1;
const TEXT: u32 = 3;

/// A descriptor: the data, then 0 where nothing is allocated, the bounds, and the stride.
const ALLOCATED: u64 = 8;
const LOWER: u64 = 16;
const UPPER: u64 = 24;
const STRIDE: u64 = 32;

fn section() -> Type {
    let mut ty = array(INT, &[(0, 0)]);
    if let TypeKind::Array(array) = &mut ty.kind {
        array.is_column_major = true;
        array.descriptor = Descriptor {
            data_location: Some(data_location()),
            allocated: Some(variable_bound(ALLOCATED)),
            associated: None,
        };
        array.dimensions = vec![Dimension {
            index: None,
            lower: variable_bound(LOWER),
            end: DimensionEnd::Upper(variable_bound(UPPER)),
            stride: Some(Stride::Bytes(variable_bound(STRIDE))),
        }];
    }
    ty
}

fn string(size: Option<u64>, length: Option<Bound>) -> Type {
    let descriptor = Descriptor::default();
    named("", size, TypeKind::String(StringType { character: None, length, descriptor }))
}

fn types() -> Vec<Type> {
    let mut matrix = array(INT, &[(1, 3), (1, 2)]);
    if let TypeKind::Array(array) = &mut matrix.kind {
        array.is_column_major = true;
    }
    vec![
        base("integer(kind=4)", 4, Encoding::Signed),
        section(),
        matrix,
        string(Some(5), None),
        string(None, Some(variable_bound(0x20))),
        string(Some(0), None),
        pointer(5),
        record("bag", 16, vec![field("title", 6, 0), field("_title_length", INT, 8)]),
    ]
}

fn descriptor(words: [i64; 5]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn tree_of<'d>(play: Play<'d>, object: &Object<'d>) -> Value {
    tree(object, Some("v".into()), play.scene, &Budget::default())
}

/// `name = number` of each element.
fn elements(value: &Value) -> Vec<String> {
    let element = |element: &Value| match &element.state {
        State::Scalar(super::Scalar::Signed(number)) => {
            vec![format!("{} = {number}", element.name.as_deref().unwrap_or_default())]
        }
        _ => elements(element),
    };
    value.members.iter().flat_map(element).collect()
}

fn numbers() -> Vec<u8> {
    (0..8_i32).flat_map(|number| (number * 10).to_le_bytes()).collect()
}

#[test]
fn the_elements_of_a_section_are_reached_through_its_descriptor() {
    let every_other = descriptor([0x2000, 1, -1, 1, 8]);
    let backwards = descriptor([0x2010, 1, 1, 3, -8]);
    let stage =
        Stage::new(types(), &[(0x1000, &every_other), (0x1100, &backwards), (0x2000, &numbers())]);
    stage.ask(|play| {
        let section = tree_of(play, &play.object(SECTION, 0x1000));
        assert_eq!(elements(&section), ["[-1] = 0", "[0] = 20", "[1] = 40"]);
        assert_eq!(section.address, Some(Avma(0x2000)));
        let reversed = tree_of(play, &play.object(SECTION, 0x1100));
        assert_eq!(elements(&reversed), ["[1] = 40", "[2] = 20", "[3] = 0"]);
        // There is room between the elements.
        for at in [0x1000, 0x1100] {
            let bytes = play.object(SECTION, at).bytes(play.scene);
            assert_eq!(bytes, Err(Absence::NotContiguous));
        }
    });
}

#[test]
fn an_array_that_is_not_allocated_says_so_and_so_do_its_elements() {
    let stage = Stage::new(types(), &[(0x1000, &descriptor([0, 0, 1, 3, 4]))]);
    stage.ask(|play| {
        let object = play.object(SECTION, 0x1000);
        let value = tree_of(play, &object);
        assert!(matches!(value.state, State::Absent(Absence::NotAllocated)), "{value:?}");
        assert_eq!(object.bytes(play.scene), Err(Absence::NotAllocated));
    });
}

#[test]
fn an_empty_array_has_no_elements() {
    let stage = Stage::new(types(), &[(0x1000, &descriptor([0x2000, 1, 1, 0, 4]))]);
    stage.ask(|play| {
        let value = tree_of(play, &play.object(SECTION, 0x1000));
        assert!(matches!(value.state, State::Aggregate));
        assert_eq!((value.members.len(), value.omitted), (0, 0));
    });
}

#[test]
fn elements_of_a_column_major_array_are_named_as_the_source_names_them() {
    let stage = Stage::new(types(), &[(0x2000, &numbers())]);
    stage.ask(|play| {
        let value = tree_of(play, &play.object(2, 0x2000));
        let columns: Vec<_> = value.members.iter().map(|c| c.name.as_deref().unwrap()).collect();
        assert_eq!(columns, ["[:,1]", "[:,2]", "[:,3]"]);
        let named = ["[1,1] = 0", "[2,1] = 10", "[1,2] = 20", "[2,2] = 30"];
        assert_eq!(elements(&value)[..4], named);
    });
}

#[test]
fn a_string_is_as_long_as_its_type_or_a_number_beside_it_says() {
    let mut bytes = b"abcde and more".to_vec();
    bytes.resize(0x20, b' ');
    bytes.extend(3_u64.to_le_bytes());
    let stage = Stage::new(types(), &[(0x1000, &bytes)]);
    stage.ask(|play| {
        let text = |ty| {
            let value = tree_of(play, &play.object(ty, 0x1000));
            value.text.map(|text| (text.text, text.left_out))
        };
        assert_eq!(text(TEXT), Some(("abcde".to_owned(), Some(0))));
        assert_eq!(text(4), Some(("abc".to_owned(), Some(0))));
    });
}

/// gfortran describes a component of deferred length as a string of no bytes.
#[test]
fn a_component_of_deferred_length_has_its_length_in_a_component_beside_it() {
    let mut bytes = 0x2000_u64.to_le_bytes().to_vec();
    bytes.extend(7_u64.to_le_bytes());
    let stage = Stage::new(types(), &[(0x1000, &bytes), (0x2000, b"a title!")]);
    stage.ask(|play| {
        let value = tree_of(play, &play.object(7, 0x1000));
        let title = value.members[0].text.as_ref().map(|text| text.text.as_str());
        assert_eq!(title, Some("a title"));
        let alone = tree_of(play, &play.object(5, 0x2000));
        assert!(matches!(alone.state, State::Absent(Absence::UnknownLength)));
    });
}
