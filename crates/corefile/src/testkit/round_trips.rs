//! What the builders write is what is read, whatever it is.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::CoreBuilder;
use super::elf_builder::ElfBuilder;
use crate::addr::Avma;
use crate::arch::{Machine, Register};
use crate::elf::{ElfImage, ImageBytes};
use crate::limits::Limits;

/// A core of each class and byte order.
fn builders() -> [CoreBuilder; 6] {
    [
        CoreBuilder::x86_64(),
        CoreBuilder::i386(),
        CoreBuilder::arm().big_endian(),
        CoreBuilder::aarch64(),
        CoreBuilder::aarch64().big_endian(),
        CoreBuilder::riscv64(),
    ]
}

/// The general registers that a core of `machine` holds, and the mask of one.
fn registers_of(machine: Machine) -> (Vec<(String, Register)>, u64) {
    let facts = machine.facts().unwrap();
    let rows = facts.prstatus.saved.iter();
    let places = rows.flat_map(|row| row.places().map(|(_, register)| (register, row.step)));
    let whole = places.filter(|(_, step)| u64::from(*step) == facts.word.into());
    let registers = whole.map(|(register, _)| (machine.register_name(register), register));
    (registers.collect(), if facts.word == 8 { u64::MAX } else { u32::MAX.into() })
}

fn image(bytes: Vec<u8>) -> ElfImage {
    ElfImage::parse(ImageBytes::Memory(bytes), &Limits::default()).unwrap()
}

proptest! {
    #[test]
    fn notes_are_read_as_they_were_written(
        which in any::<Index>(),
        notes in vec(("[A-Za-z.]{0,9}", any::<u32>(), vec(any::<u8>(), 0..40)), 0..12),
    ) {
        let mut core = which.get(&builders()).clone();
        for (owner, kind, desc) in &notes {
            core = core.note(owner.as_bytes(), *kind, desc);
        }
        let image = image(core.build());
        let read: Vec<_> = image.notes().collect();
        prop_assert_eq!(read.len(), notes.len());
        for (note, (owner, kind, desc)) in read.iter().zip(&notes) {
            prop_assert_eq!(note.owner, owner.as_bytes());
            prop_assert_eq!((note.kind, note.desc), (*kind, &desc[..]));
        }
    }

    #[test]
    fn registers_of_every_thread_are_read_as_they_were_written(
        which in any::<Index>(),
        threads in vec((1..i32::MAX, vec(any::<u64>(), 40)), 1..5),
    ) {
        let mut core = which.get(&builders()).clone();
        let (registers, mask) = registers_of(core.machine());
        for (tid, values) in &threads {
            let values = registers.iter().zip(values);
            let values: Vec<_> =
                values.map(|((name, _), value)| (&**name, *value & mask)).collect();
            core = core.thread(*tid, &values);
        }
        let dump = core.open().unwrap();
        prop_assert_eq!(dump.threads.len(), threads.len());
        for (thread, (tid, values)) in dump.threads.iter().zip(&threads) {
            prop_assert_eq!(thread.tid, i64::from(*tid));
            for ((name, register), value) in registers.iter().zip(values) {
                prop_assert_eq!(thread.registers.get(*register), Some(value & mask), "{}", name);
            }
        }
    }

    #[test]
    fn memory_is_where_it_was_put_and_nowhere_else(
        which in any::<Index>(),
        pages in subsequence((1_u64..40).collect::<Vec<_>>(), 1..8),
        content in vec(any::<u8>(), 1..0x1000),
    ) {
        let mut core = which.get(&builders()).clone().thread(1, &[]);
        for page in &pages {
            core = core.segment(page * 0x1_0000, &content, 0x1000);
        }
        let dump = core.open().unwrap();
        for page in 0..41_u64 {
            let at = Avma(page * 0x1_0000);
            let segment = dump.segment_at(at);
            prop_assert_eq!(segment.is_some(), pages.contains(&page));
            if let Some(segment) = segment {
                let read = dump.bytes.read_vec(segment.offset, content.len() as u64);
                prop_assert_eq!(&read, &content);
                prop_assert!(dump.segment_at(Avma(at.0 + 0x1000)).is_none());
            }
        }
    }

    #[test]
    fn sections_are_found_by_their_names(
        sections in proptest::collection::btree_map(
            "\\.[a-z_]{1,12}", vec(any::<u8>(), 1..60), 1..10
        ),
    ) {
        let new = ElfBuilder::x86_64();
        let builder = sections.iter().fold(new, |elf, (name, bytes)| elf.section(name, bytes));
        let image = image(builder.build());
        for (name, bytes) in &sections {
            // The builder's own tables may be called the same, and come after.
            prop_assert_eq!(image.raw_section(name), Some(&bytes[..]));
        }
    }

    #[test]
    fn what_is_not_a_core_is_an_error_and_never_a_panic(
        cut in any::<Index>(),
        spoilt in vec((any::<Index>(), any::<u8>()), 0..12),
    ) {
        let core = CoreBuilder::x86_64().signal(11).thread(1, &[("rip", 5)]).siginfo(11, 1, 8);
        let core = core.auxv(&[(9, 1)]).files(&[(0x1000, 0x2000, 0, "/bin/x")]);
        let mut bytes = core.segment(0x1000, &[1; 64], 0x1000).build();
        for (at, byte) in spoilt {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let file = super::CoreFile::new(&bytes);
        if let Ok(dump) = crate::dump::Dump::open(file.path(), &Limits::default()) {
            prop_assert!(dump.crashed < dump.threads.len());
        }
    }
}
