//! Types and memory that no compiler makes.

use super::readable;
use crate::value::test_stage::Stage;
use obit_dwarf::sample_types::{base, field, id, named, pointer, record};
use obit_dwarf::{Encoding, Record, TemplateArgument, Type, TypeKind};

const INT: u32 = 0;

fn int() -> Type {
    base("int", 4, Encoding::Signed)
}

/// What is said of the object of the last of `types`, whose memory begins at 0x1000.
fn summary(types: Vec<Type>, memory: &[u64]) -> Option<String> {
    let last = u32::try_from(types.len()).unwrap() - 1;
    let bytes: Vec<u8> = memory.iter().flat_map(|word| word.to_le_bytes()).collect();
    Stage::new(types, &[(0x1000, &bytes)]).ask(|play| {
        let object = play.object(last, 0x1000);
        let found = readable(&object, play.ty(last), play.scene, 4)?;
        assert!(found.elements.len() <= 4);
        found.summary
    })
}

fn vector(memory: [u64; 3]) -> Option<String> {
    let members = vec![field("a", 1, 0), field("b", 1, 8), field("c", 1, 16)];
    summary(vec![int(), pointer(INT), record("std::vector<int>", 24, members)], &memory)
}

#[test]
fn a_vector_is_known_by_three_pointers_whatever_they_are_called() {
    assert_eq!(vector([0x1000, 0x1008, 0x1010]).as_deref(), Some("std::vector of 2"));
    assert_eq!(vector([0, 0, 0]).as_deref(), Some("std::vector, empty"));
}

#[test]
fn a_vector_that_breaks_a_rule_is_damaged() {
    for (memory, how) in [
        ([0x1008, 0x1000, 0x1010], "it ends before it begins"),
        ([0x1000, 0x1010, 0x1008], "it ends beyond its storage"),
        ([0x1000, 0x1006, 0x1008], "its length is no multiple of its elements' size"),
        ([0x1000, 0x2000, 0x2000], "its memory is not mapped"),
        ([0, u64::MAX - 3, u64::MAX], "its memory is not mapped"),
    ] {
        assert_eq!(vector(memory), Some(format!("std::vector, damaged: {how}")));
    }
}

#[test]
fn an_adaptor_of_itself_is_no_adaptor() {
    let stack = record("std::stack<int>", 8, vec![field("c", 0, 0)]);
    assert_eq!(summary(vec![stack], &[0; 4]), None);
    let queue = record("std::queue<int>", 8, vec![field("c", 1, 0)]);
    let stack = record("std::stack<int>", 8, vec![field("c", 0, 0)]);
    assert_eq!(summary(vec![queue, stack], &[0; 4]), None);
}

#[test]
fn a_record_within_itself_is_taken_apart_to_a_limit() {
    let members = (0..8).map(|at| field("inner", 0, at)).collect();
    assert_eq!(
        summary(vec![record("std::tuple<int>", 8, members)], &[0; 4]).as_deref(),
        Some("std::tuple, empty")
    );
}

#[test]
fn a_hash_table_whose_chain_is_a_circle_is_damaged() {
    let members = vec![field("b", 3, 0), field("n", 4, 8), field("f", 2, 16), field("e", 4, 24)];
    let of_int = TemplateArgument { name: None, ty: Some(id(INT)), value: None };
    let table = Record { members, template_arguments: vec![of_int], ..Record::default() };
    let types = vec![
        int(),
        record("_Hash_node_base", 8, vec![field("_M_nxt", 2, 0)]),
        pointer(1),
        pointer(2),
        base("unsigned long", 8, Encoding::Unsigned),
        named("std::unordered_set<int>", 32, TypeKind::Record(table)),
    ];
    let memory = [0x1000, 1, 0x1020, 2, 0x1020, 7];
    let told = "std::unordered_set, damaged: its nodes go round in a circle";
    assert_eq!(summary(types, &memory).as_deref(), Some(told));
}
