//! Lines of any line program that a compiler could write are those that addr2line finds, and
//! those of the rows themselves.

use std::collections::BTreeMap;

use addr2line::Context;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::testing::dwarf_builder::{Rows, Unit, debug_info};
use obit_corefile::addr::Svma;

const FILES: [&str; 2] = ["/src/a.c", "/src/inc/b.h"];
const START: u64 = 0x1000;
/// Bytes of code of one sequence, and of the room for it.
const CODE: u64 = 0x80;
const ROOM: u64 = 0x100;

/// The rows of one sequence by offset: file and line.
type Sequence = BTreeMap<u64, (usize, u32)>;

fn sequences() -> impl Strategy<Value = Vec<Sequence>> {
    let line = prop_oneof![1..2000_u32, Just(u32::MAX >> 1)];
    let row = (0..FILES.len(), line);
    vec(btree_map(1..CODE, row.clone(), 0..12), 1..4).prop_flat_map(move |sequences| {
        // A sequence begins with a row.
        let first = vec(row.clone(), sequences.len());
        (Just(sequences), first).prop_map(|(mut sequences, first)| {
            for (sequence, row) in sequences.iter_mut().zip(first) {
                sequence.insert(0, row);
            }
            sequences
        })
    })
}

fn program(sequences: &[Sequence], order: &[usize], line_range: u8) -> Vec<u8> {
    let mut rows = Rows::new();
    for index in order {
        let start = START + *index as u64 * ROOM;
        for (offset, (file, line)) in &sequences[*index] {
            rows = rows.row(start + offset, *file as u64 + 1, i64::from(*line) - 1, true);
        }
        rows = rows.end(start + CODE);
    }
    rows.build(line_range)
}

proptest! {
    #[test]
    fn a_line_is_that_of_the_last_row_before_the_address(
        (sequences, order) in sequences().prop_flat_map(|sequences| {
            let order: Vec<_> = (0..sequences.len()).collect();
            (Just(sequences), Just(order).prop_shuffle())
        }),
        line_range in 1..30_u8,
    ) {
        let size = sequences.len() as u64 * ROOM;
        let mut unit = Unit::new(START, size);
        unit.function("f", START, size);
        unit.close();
        let image = unit.image(program(&sequences, &order, line_range)).build();
        let section = |id: gimli::SectionId| -> Result<_, gimli::Error> {
            let bytes = image.raw_section(id.name()).unwrap_or_default();
            Ok(gimli::EndianSlice::new(bytes, gimli::LittleEndian))
        };
        let context = Context::from_dwarf(gimli::Dwarf::load(section).unwrap()).unwrap();
        let mut unit = Unit::new(START, size);
        unit.function("f", START, size);
        unit.close();
        let info = debug_info(unit.image(program(&sequences, &order, line_range)));
        for at in START..START + size {
            let (index, offset) = ((at - START) / ROOM, (at - START) % ROOM);
            let wanted = sequences[index as usize].range(..=offset).next_back();
            let wanted = wanted.filter(|_| offset < CODE);
            let wanted = wanted.map(|(_, (file, line))| (FILES[*file].to_owned(), *line));
            let theirs = context.find_location(at).unwrap();
            let theirs = theirs.and_then(|it| Some((it.file?.to_owned(), it.line?)));
            let frames = info.frames_at(Svma(at));
            let ours = frames.first().and_then(|frame| frame.location.as_ref());
            let ours = ours.and_then(|it| Some((it.file.clone(), it.line?)));
            prop_assert_eq!(&theirs, &wanted, "addr2line at {:#x}", at);
            prop_assert_eq!(&ours, &wanted, "obit at {:#x}", at);
        }
    }
}
