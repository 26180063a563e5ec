//! File streams of libstdc++ (`std::basic_filebuf`, include/bits/fstream.tcc): what is between
//! the beginning of the put area and its next place, while the buffer is in writing mode.
//!
//! Streams that only pass on to a `FILE` (`stdio_sync_filebuf`) have no buffer of their own.

use std::collections::BTreeSet;

use super::{Candidate, Doubt, Finder, Writer, WriterKind, glibc};
use crate::memory::{Fields, Stacks, is_called, places_of};
use obit_corefile::addr::{Avma, AvmaRange};

/// Tables of functions, and whether their characters are wide.
const TABLES: [(&str, bool); 4] = [
    ("_ZTVSt13basic_filebufIcSt11char_traitsIcEE", false),
    ("_ZTVSt13basic_filebufIwSt11char_traitsIwEE", true),
    ("_ZTVN9__gnu_cxx13stdio_filebufIcSt11char_traitsIcEEE", false),
    ("_ZTVN9__gnu_cxx13stdio_filebufIwSt11char_traitsIwEEE", true),
];
/// Streams of the library.
const STANDARD: [(&str, bool); 6] = [
    ("_ZSt4cout", false),
    ("_ZSt4cerr", false),
    ("_ZSt4clog", false),
    ("_ZSt5wcout", true),
    ("_ZSt5wcerr", true),
    ("_ZSt5wclog", true),
];
/// `std::basic_ios::_M_streambuf`.
const STREAM_BUFFER: u64 = 232;
/// Words of a table before the functions: the offset to the top, the type.
const BEFORE_FUNCTIONS: u64 = 2;
/// Bytes of the object that are read, on machines with addresses of 64 bits.
const SIZE: usize = 176;
/// Put area: beginning, next, end.
const PUT: [usize; 3] = [32, 40, 48];
/// `_M_file._M_cfile`, of `_M_mode`, of `_M_buf`, of `_M_buf_size`, of `_M_writing`.
const FILE: usize = 104;
const MODE: usize = 120;
const BUFFER: usize = 152;
const BUFFER_SIZE: usize = 160;
const WRITING: usize = 170;
/// `std::ios_base::app` and `out`.
const APP_OR_OUT: i64 = 1 | 16;
/// The longest buffer that is believed, characters.
const LONGEST: u64 = 1 << 30;

pub(super) fn find(finder: &mut Finder<'_>) {
    let process = finder.process;
    let modules = &process.modules;
    let library = |module| is_called(module, &["libstdc++.so"]);
    if process.memory.word() != 8 {
        return;
    }
    let has_library = modules.list().iter().any(library);
    let mut tables = Vec::new();
    for (index, module) in modules.list().iter().enumerate() {
        // A program may have a copy of a library's table.
        let is_program = modules.executable() == Some(index);
        if !library(module) && !is_program {
            continue;
        }
        let Some(debug) = modules.debug(index) else { continue };
        for (name, is_wide) in TABLES {
            let Some(at) = debug.datum_named(name) else { continue };
            let functions = BEFORE_FUNCTIONS.saturating_mul(process.memory.word() as u64);
            tables.push((module.to_avma(at).0.saturating_add(functions), is_wide));
        }
    }
    if tables.is_empty() {
        if has_library {
            finder.gap(super::Gap::NoTypes(WriterKind::CppStream));
        }
        return;
    }
    let mut known = BTreeSet::new();
    for (at, is_wide) in standard_streams(finder) {
        if known.insert(at) {
            let _ = one(finder, at, is_wide);
        }
    }
    let words: Vec<u64> = tables.iter().map(|(at, _)| *at).collect();
    let (places, is_cut) = places_of(process, &words);
    if is_cut {
        finder.gap(super::Gap::Cut);
    }
    let stacks = Stacks::of(process);
    for (which, at) in places.into_iter().filter(|(_, at)| !stacks.is_dead(*at)) {
        let Some((_, is_wide)) = tables.get(which) else { continue };
        if known.insert(at) {
            let _ = one(finder, at, *is_wide);
        }
    }
}

/// The buffers of `std::cout` and its like: without `sync_with_stdio` they have one of a type
/// whose table the library does not export (`__gnu_cxx::stdio_filebuf`).
fn standard_streams(finder: &Finder<'_>) -> Vec<(Avma, bool)> {
    let process = finder.process;
    let memory = &process.memory;
    let mut found = Vec::new();
    for (index, module) in process.modules.list().iter().enumerate() {
        let is_program = process.modules.executable() == Some(index);
        if !is_program && !is_called(module, &["libstdc++.so"]) {
            continue;
        }
        let Some(debug) = process.modules.debug(index) else { continue };
        for (name, is_wide) in STANDARD {
            let buffer = || {
                let stream = module.to_avma(debug.datum_named(name)?);
                let table = memory.read_word(stream).ok().filter(|table| *table != 0)?;
                // The offset of the virtual base is before the functions.
                let base = memory.read_word(Avma(table.checked_sub(24)?)).ok()?;
                let ios = stream.0.wrapping_add(base);
                memory.read_word(Avma(ios.checked_add(STREAM_BUFFER)?)).ok()
            };
            found.extend(buffer().map(|at| (Avma(at), is_wide)));
        }
    }
    found
}

/// The stream at `at`, if it is one that is open.
fn one(finder: &mut Finder<'_>, at: Avma, is_wide: bool) -> Option<()> {
    let memory = finder.memory();
    let fields = Fields::read(memory, at, SIZE)?;
    let file = glibc::descriptor(memory, fields.word(FILE)?)?;
    let [start, next, end] = [PUT[0], PUT[1], PUT[2]].map(|at| fields.word(at));
    let (start, next, end) = (start?, next?, end?);
    let (buffer, size) = (fields.word(BUFFER)?, fields.word(BUFFER_SIZE)?);
    let unit = if is_wide { 4_u64 } else { 1 };
    finder.saw(WriterKind::CppStream);
    let is_writing = fields.number(WRITING, 1)? == 1 && fields.int(MODE)? & APP_OR_OUT != 0;
    let last = buffer.checked_add(size.checked_mul(unit)?)?;
    let is_sound = start <= next
        && next <= end
        && size <= LONGEST
        && buffer <= start
        && end <= last
        && next.saturating_sub(start).is_multiple_of(unit);
    if !is_writing || !is_sound {
        return None;
    }
    let pending = AvmaRange { start: Avma(start), end: Avma(next) };
    let (kind, descriptor) = (WriterKind::CppStream, Some(file).filter(|file| *file >= 0));
    if !is_wide {
        let (path, is_first, doubts) = (None, false, Vec::new());
        finder.add(Candidate { kind, at, descriptor, path, pending, is_first, doubts });
        return Some(());
    }
    let (bytes, omitted, missing) = finder.read(pending)?;
    let bytes = glibc::text_of_wide(memory, &bytes);
    let doubts = missing.map(Doubt::Missing).into_iter().collect();
    let (path, is_first) = (None, false);
    finder.push(Writer { kind, at, descriptor, path, bytes, omitted, is_first, doubts });
    Some(())
}
