//! Types and memory that no compiler makes.

use std::sync::Arc;

use super::readable;
use crate::value::test_stage::Stage;
use crate::value::{Contents, Object, ObjectPart, PartSource};
use obit_dwarf::sample_types::{array, base, field, id, named, pointer, record};
use obit_dwarf::types::{Encoding, Member, MemberOffset, Record, RecordKeyword, TemplateArgument};
use obit_dwarf::{Type, TypeKind};

const INT: u32 = 0;

fn int() -> Type {
    base("int", 4, Encoding::Signed)
}

/// The summary of an object of the last of `types`, whose memory begins at 0x1000.
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
        ([0x1000, 0x1006, 0x1008], "its length is not a multiple of its elements' size"),
        ([0x1000, 0x2000, 0x2000], "its memory is not mapped"),
        ([0, u64::MAX - 3, u64::MAX], "its memory is not mapped"),
    ] {
        assert_eq!(vector(memory), Some(format!("std::vector, damaged: {how}")));
    }
}

#[test]
fn an_adaptor_of_itself_is_not_an_adaptor() {
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
fn a_hash_table_whose_chain_is_a_cycle_is_damaged() {
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
    let damaged = "std::unordered_set, damaged: its nodes form a cycle";
    assert_eq!(summary(types, &memory).as_deref(), Some(damaged));
}

/// libc++'s `std::string`: its long form over its short one.
fn libcxx_string() -> Vec<Type> {
    let bits = |name, ty, first, bits| Member {
        offset: MemberOffset::Bits(first),
        bit_size: Some(bits),
        ..field(name, ty, 0)
    };
    let long = vec![
        bits("__is_long_", 1, 0, 1),
        bits("__cap_", 1, 1, 63),
        field("__size_", 1, 8),
        field("__data_", 3, 16),
    ];
    let short = vec![bits("__is_long_", 2, 0, 1), bits("__size_", 2, 1, 7), field("__data_", 4, 1)];
    let union = Record {
        keyword: RecordKeyword::Union,
        members: vec![field("__s", 6, 0), field("__l", 5, 0)],
        ..Record::default()
    };
    let character = TemplateArgument { name: None, ty: Some(id(0)), value: None };
    let string = Record {
        members: vec![field("__rep_", 7, 0)],
        template_arguments: vec![character],
        ..Record::default()
    };
    vec![
        base("char", 1, Encoding::SignedChar),
        base("unsigned long", 8, Encoding::Unsigned),
        base("unsigned char", 1, Encoding::UnsignedChar),
        pointer(0),
        array(0, &[(0, 22)]),
        record("__long", 24, long),
        record("__short", 24, short),
        named("__rep", 24, TypeKind::Record(union)),
        named("std::__1::basic_string<char>", 24, TypeKind::Record(string)),
    ]
}

#[test]
fn a_string_of_libcxx_in_registers_is_read_as_the_same_in_memory() {
    let text = b"a rather long string that does not fit the small buffer\0";
    let words = [1 + (28 << 1), text.len() as u64 - 1, 0x2000];
    let bytes: Vec<u8> = words.iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    Stage::new(libcxx_string(), &[(0x1000, &bytes), (0x2000, text)]).ask(|play| {
        let ty = play.ty(8);
        let part = |word: &u64| ObjectPart {
            bits: 64,
            bit_offset: 0,
            source: PartSource::Bytes(Arc::from(word.to_le_bytes().as_slice())),
        };
        let parts = Contents::Parts(words.iter().map(part).collect());
        for object in [play.object(8, 0x1000), Object::new(ty, parts)] {
            let found = readable(&object, ty, play.scene, 4).unwrap();
            assert_eq!(found.summary.as_deref(), Some("std::string of 55"), "{object:?}");
            assert_eq!(found.text.unwrap().text.len(), 55);
        }
    });
}

#[test]
fn a_shared_pointer_of_libcxx_is_read_though_only_its_library_defines_the_counts() {
    let declared = Record { is_declaration: true, ..Record::default() };
    let members = vec![field("__ptr_", 1, 0), field("__cntrl_", 3, 8)];
    let types = |class: &str| {
        vec![
            int(),
            pointer(INT),
            named(class, None, TypeKind::Record(declared.clone())),
            pointer(2),
            record("std::shared_ptr<int>", 16, members.clone()),
        ]
    };
    // A vtable; owners and weak references, both counted from -1: two and one, of which
    // all owners together hold one.
    let memory = [0x1028, 0x1010, 0x4000, 1, 1, 42];
    let read = |class, memory: &[u64]| summary(types(class), memory);
    let counts = "__shared_weak_count";
    let expected = "std::shared_ptr, 2 owners, 1 weak";
    assert_eq!(read(counts, &memory).as_deref(), Some(expected));
    let freed = [0x1028, 0x1010, 0x4000, 0x1234_5678_9abc, 0, 42];
    let damaged = "std::shared_ptr, damaged: its reference counts are not valid";
    assert_eq!(read(counts, &freed).as_deref(), Some(damaged));
    assert_eq!(read("something_else", &memory), None);
}
