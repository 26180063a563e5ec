//! A table written out by hand, in each format that has units.

use std::sync::Arc;

use super::GoFunctions;
use obit_corefile::elf::{ElfImage, ImageBytes};
use obit_corefile::limits::Limits;
use obit_corefile::testkit::elf_builder::ElfBuilder;

const TEXT: u64 = 0x40_1000;

/// A table in the making: its parts as they follow each other behind the header.
#[derive(Default)]
struct Table {
    words: Vec<u64>,
    parts: Vec<u8>,
}

impl Table {
    /// The end of the parts so far, as an offset into the table.
    fn here(&self) -> usize {
        HEADER + self.parts.len()
    }

    fn part(&mut self, bytes: &[u8]) {
        self.words.push(self.here() as u64);
        self.parts.extend(bytes);
        self.parts.resize(self.parts.len().next_multiple_of(4), 0);
    }

    fn bytes(&self, magic: u32) -> Vec<u8> {
        let mut table = magic.to_le_bytes().to_vec();
        table.extend([0, 0, 1, 8]);
        table.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        table.resize(HEADER, 0);
        table.extend(&self.parts);
        table
    }
}

const HEADER: usize = 0x50;
const GO118: u32 = 0xffff_fff0;

/// `main.run` at `TEXT` and `main.stop` 0x40 bytes behind it, which ends 0x20 bytes later.
/// `main.run` has line 10 for 8 bytes and then line 12, and a frame of 24 bytes from its
/// fourth byte on; `main.stop` has no line.
fn table() -> Vec<u8> {
    let mut table = Table { words: vec![2, 1, TEXT], ..Table::default() };
    table.part(b"\0main.run\0main.stop\0");
    // `cutab`: file 0 of the unit is the string at 0.
    table.part(&0_u32.to_le_bytes());
    table.part(b"/src/main.go\0");
    // At 1 the file, at 4 the line, at 8 the frame.
    table.part(&[0, 2, 0x40, 0, 22, 8, 4, 0x38, 2, 4, 48, 0x3c, 0]);
    let entries = [0, 20, 0x40, 20 + 40, 0x60];
    let function = |entry: u32, name: u32, [stack, file, line]: [u32; 3]| {
        [entry, name, 0, 0, stack, file, line, 0, 0, 0]
    };
    let run = function(0, 1, [8, 1, 4]);
    let stop = function(0x40, 10, [0, 0, 0]);
    let all: Vec<u8> =
        entries.iter().chain(&run).chain(&stop).flat_map(|n| n.to_le_bytes()).collect();
    table.part(&all);
    table.bytes(GO118)
}

fn functions(table: &[u8]) -> Option<GoFunctions> {
    let file = ElfBuilder::x86_64().e_type(2).raw_section(".gopclntab", 1, 2, table).build();
    let image = ElfImage::parse(ImageBytes::Memory(file), &Limits::default()).unwrap();
    GoFunctions::of(&Arc::new(image))
}

/// A file and a line in it.
type Line = (String, Option<u32>);

/// Function, file and line of the frames at an address.
fn frames(table: &[u8], at: u64) -> Vec<(String, Option<Line>)> {
    let frames = functions(table).unwrap().frames(at, 8);
    let of = |frame: crate::SourceFrame| {
        let place = frame.location.map(|location| (location.file, location.line));
        (frame.function.unwrap(), place)
    };
    frames.into_iter().map(of).collect()
}

#[test]
fn a_function_has_its_name_its_file_and_its_lines() {
    let at = |at, line| {
        let place = Some(("/src/main.go".to_owned(), Some(line)));
        assert_eq!(frames(&table(), at), [("main.run".to_owned(), place)], "{at:#x}");
    };
    at(TEXT, 10);
    at(TEXT + 7, 10);
    at(TEXT + 8, 12);
    at(TEXT + 0x3f, 12);
    assert_eq!(frames(&table(), TEXT + 0x40), [("main.stop".to_owned(), None)]);
}

#[test]
fn outside_of_all_functions_there_is_none() {
    assert_eq!(frames(&table(), TEXT - 1), []);
    assert_eq!(frames(&table(), TEXT + 0x60), []);
}

#[test]
fn a_function_is_found_by_its_name_and_has_a_size_of_its_frame() {
    let functions = functions(&table()).unwrap();
    let stop = functions.named(b"main.stop").unwrap();
    assert_eq!((stop.entry, stop.end), (TEXT + 0x40, TEXT + 0x60));
    assert!(functions.named(b"main").is_none());
    let run = functions.named(b"main.run").unwrap();
    assert_eq!(functions.stack_bytes(run, TEXT + 3), Some(0));
    assert_eq!(functions.stack_bytes(run, TEXT + 4), Some(24));
    assert_eq!(functions.stack_bytes(stop, TEXT + 0x40), None);
}

#[test]
fn a_table_of_another_format_width_or_length_is_none() {
    let with = |at: usize, byte: u8| {
        let mut table = table();
        table[at] = byte;
        functions(&table).is_some()
    };
    assert!(with(8, 2));
    assert!(!with(0, 0xf2), "magic");
    assert!(!with(6, 3), "quantum");
    assert!(!with(7, 4), "bytes of an address");
    assert!(!with(10, 1), "more functions than there is room for");
    assert!(!with(8, 0), "no function");
}

#[test]
fn a_damaged_table_gives_less_and_nothing_else() {
    let whole = table();
    for at in 8..whole.len() {
        for byte in [0, 0x7f, 0xff] {
            let mut table = whole.clone();
            table[at] = byte;
            let Some(functions) = functions(&table) else { continue };
            for pc in [TEXT, TEXT + 0x20, TEXT + 0x50] {
                functions.frames(pc, 8);
                functions.at(pc).and_then(|function| functions.stack_bytes(function, pc));
            }
        }
    }
    for length in 0..whole.len() {
        if let Some(functions) = functions(&whole[..length]) {
            functions.frames(TEXT, 8);
        }
    }
}

/// A program of Go with DWARF and the table: the two must agree.
fn agrees(program: &str) {
    let path = format!("{}/../../tests/fixtures/{program}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let limits = Limits::default();
    let image = Arc::new(ElfImage::parse(ImageBytes::Memory(bytes), &limits).unwrap());
    let no_split: crate::SplitLoader = Arc::new(|_, _, _| Err(Vec::new()));
    let files = crate::DebugFiles::only(Arc::clone(&image));
    let dwarf = crate::DebugInfo::new(files, no_split, &limits, None);
    let table = GoFunctions::of(&image).unwrap();
    let text = image.section(".text").unwrap();
    let (mut compared, mut inlined, mut other) = (0, 0, Vec::new());
    for at in (text.address.0..text.address.0 + text.size).step_by(61) {
        let by_dwarf = dwarf.frames_at(obit_corefile::addr::Svma(at));
        let by_table = table.frames(at, 256);
        let shown = |frames: &[crate::SourceFrame]| -> Vec<String> {
            let of = |frame: &crate::SourceFrame| {
                let place = frame.location.as_ref();
                let line = place.and_then(|place| place.line).unwrap_or(0);
                format!("{} {line}", frame.function.as_deref().unwrap_or("?"))
            };
            frames.iter().map(of).collect()
        };
        // Padding between functions, and what DWARF leaves out.
        if by_dwarf.last().is_none_or(|frame| frame.from_symbol || frame.location.is_none()) {
            continue;
        }
        compared += 1;
        inlined += usize::from(by_table.len() > 1);
        let (by_dwarf, by_table) = (shown(&by_dwarf), shown(&by_table));
        if by_dwarf != by_table {
            other.push(format!("{at:#x}: {by_dwarf:?} {by_table:?}"));
        }
    }
    assert!(compared > 5000 && inlined > 1000, "{compared} compared, {inlined} inlined");
    // DWARF has no calls inlined into wrappers, and the size of an array where the table has `...`.
    assert!(
        other.len() * 500 < compared,
        "{} of {compared}: {:#?}",
        other.len(),
        &other[..other.len().min(10)]
    );
}

#[test]
fn the_table_of_go_119_agrees_with_its_dwarf() {
    agrees("containers-go119/prog");
}

#[test]
fn the_table_of_go_124_agrees_with_its_dwarf() {
    agrees("causes-go/prog");
}
