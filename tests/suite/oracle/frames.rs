//! Functions, inlined calls and lines by addr2line.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use addr2line::{Context, LookupContinuation, LookupResult};
use gimli::{EndianSlice, RunTimeEndian};
use obit::addr::Svma;
use obit::debuginfo::{DebugInfo, SourceFrame};
use obit::elf::{ElfImage, ImageBytes};
use obit::limits::Limits;
use obit::process::Process;

use super::rows::{Rows, Slice};
use super::{Tally, open};
use crate::fixture::{Case, base_name};

/// Addresses of one section's code that are compared, about.
const ADDRESSES: u64 = 200_000;

/// One frame, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Linkage name, else the name DWARF has.
    function: Option<String>,
    /// The name for people, where there is a linkage name: obit takes that of a local
    /// function from the symbol table, addr2line knows it by its DWARF name alone.
    readable: Option<String>,
    /// Base name of the file and line, where there is a line.
    at: Option<(String, u32)>,
}

#[test]
fn addr2line_finds_the_same_functions_inlined_calls_and_lines() {
    let mut all = Tally::default();
    for case in Case::all() {
        let process = open(&case, false);
        let mut tally = Tally::default();
        for index in 0..process.modules.list().len() {
            compare_module(&case, &process, index, &mut tally);
        }
        tally.print(&case.name);
        // That of mini-debuginfo has symbols and no DWARF.
        let least = if case.name == "mini-debuginfo" { 0 } else { 40 };
        assert!(tally.agreed >= least, "{}: only {} agree", case.name, tally.agreed);
        // Its symbols say nothing of lines.
        all.merge(tally);
    }
    all.print("all");
    let explained: usize = all.explained.values().sum();
    assert!(explained * 10 <= all.agreed, "the rules explain too much");
    assert!(all.unexplained.is_empty(), "\n{}", all.unexplained.join("\n"));
}

/// Compares what is reported about a module whose file is kept beside the core.
fn compare_module(case: &Case, process: &Process, index: usize, tally: &mut Tally) {
    let module = process.modules.get(index).unwrap();
    let Some(image) = &module.image else { return };
    if !image.path().is_some_and(|path| path.starts_with(&case.directory)) {
        return;
    }
    let debug = process.modules.debug(index).unwrap();
    let Some(described_by) = described_by(image, debug) else { return };
    let rows = Rows::read(&dwarf(&described_by));
    let context = Context::from_dwarf(dwarf(&described_by)).unwrap();
    let mut addresses = BTreeSet::new();
    for thread in &process.threads {
        let inside = thread.stack.frames.iter().map(obit::unwind::Activation::lookup_pc);
        let inside = inside.filter(|at| process.modules.index_at(*at) == Some(index));
        addresses.extend(inside.map(|at| module.to_svma(at).0));
    }
    let text = image.section(".text").unwrap();
    let step = usize::try_from(text.size / ADDRESSES + 1).unwrap();
    addresses.extend((text.address.0..text.address.0 + text.size).step_by(step));
    for at in addresses {
        let wanted = by_addr2line(&context, at, &case.directory);
        let got = by_obit(debug, at);
        if wanted.is_empty() && got.is_empty() {
            continue;
        }
        let difference = (!agree(&wanted, &got)).then(|| {
            let what =
                format!("{} {at:#x}\n  addr2line {wanted:?}\n  obit      {got:?}", case.name);
            let by_go = case.name.contains("-go") && is_of_table(&wanted, &got);
            let by_go = by_go.then_some("Go's table has functions that its DWARF leaves out");
            (by_go.or_else(|| rule(&wanted, &got, rows.by_gdb(at))), what)
        });
        tally.add(difference);
    }
}

/// Whether one function and no line is found where DWARF has none.
fn is_of_table(wanted: &[Place], got: &[Place]) -> bool {
    wanted.is_empty() && matches!(got, [Place { function: Some(_), at: None, .. }])
}

/// Why the two may differ, if it is known: only in the innermost line, and then only where
/// gdb's rules for rows, read anew here, give ours.
fn rule(wanted: &[Place], got: &[Place], by_gdb: Option<(String, u32)>) -> Option<&'static str> {
    let (first_wanted, first) = (wanted.first()?, got.first()?);
    let mut wanted_by_gdb = wanted.to_vec();
    wanted_by_gdb.first_mut()?.at.clone_from(&first.at);
    if !agree(&wanted_by_gdb, got) || by_gdb != first.at {
        return None;
    }
    Some(match first_wanted.at {
        None => "a row without a line does not end the one before it",
        Some(_) => "of rows at one address one that begins a statement counts",
    })
}

fn agree(wanted: &[Place], got: &[Place]) -> bool {
    wanted.len() == got.len()
        && wanted.iter().zip(got).all(|(wanted, got)| {
            let wanted_name = wanted.function.as_deref();
            wanted.at == got.at
                && (is_named(wanted_name, got.function.as_deref())
                    || is_named(wanted_name, got.readable.as_deref()))
        })
}

/// addr2line gives a function without linkage name without its scopes.
fn is_named(wanted: Option<&str>, got: Option<&str>) -> bool {
    let (Some(wanted), Some(got)) = (wanted, got) else { return wanted == got };
    got.strip_suffix(wanted).is_some_and(|scopes| scopes.is_empty() || scopes.ends_with("::"))
}

fn by_obit(debug: &DebugInfo, at: u64) -> Vec<Place> {
    let frames = debug.frames_at(Svma(at));
    let place = |frame: SourceFrame| Place {
        readable: frame.function.clone().filter(|_| !frame.from_symbol),
        function: frame.linkage_name.or(frame.function).filter(|_| !frame.from_symbol),
        at: frame.location.and_then(|l| Some((base_name(&l.file).to_owned(), l.line?))),
    };
    let places: Vec<Place> = frames.into_iter().map(place).collect();
    if places.iter().all(|place| place.function.is_none() && place.at.is_none()) {
        return Vec::new();
    }
    places
}

fn by_addr2line(context: &Context<Slice>, at: u64, directory: &Path) -> Vec<Place> {
    let mut found = context.find_frames(at);
    let mut frames = loop {
        match found {
            LookupResult::Output(frames) => break frames.unwrap(),
            LookupResult::Load { load, continuation } => {
                let name = load.path.map(|path| path.to_string_lossy().into_owned());
                let half = name.map(|name| {
                    let image = read(&directory.join(base_name(&name)));
                    let mut half = dwarf_named(&image, ".dwo");
                    half.make_dwo(&load.parent);
                    Arc::new(half)
                });
                found = continuation.resume(half);
            }
        }
    };
    let mut places = Vec::new();
    while let Some(frame) = frames.next().unwrap() {
        let function = frame.function.map(|name| name.raw_name().unwrap().into_owned());
        let location = frame.location.as_ref();
        let at = location.and_then(|l| Some((base_name(l.file?).to_owned(), l.line?)));
        places.push(Place { function, readable: None, at });
    }
    if places.iter().all(|place| place.function.is_none() && place.at.is_none()) {
        return Vec::new();
    }
    places
}

/// The file with the DWARF of `image`: itself, or its separate debug file.
fn described_by(image: &Arc<ElfImage>, debug: &DebugInfo) -> Option<Arc<ElfImage>> {
    let has_dwarf = |image: &ElfImage| image.sections_called(".debug_info").next().is_some();
    if has_dwarf(image) {
        return Some(Arc::clone(image));
    }
    let separate = Arc::new(read(debug.debug_file()?));
    has_dwarf(&separate).then_some(separate)
}

fn read(path: &Path) -> ElfImage {
    let bytes = std::fs::read(path).unwrap();
    ElfImage::parse(ImageBytes::Memory(bytes), &Limits::default()).unwrap()
}

fn dwarf(image: &ElfImage) -> gimli::Dwarf<Slice> {
    dwarf_named(image, "")
}

/// The sections of `image`, whose names end in `suffix`. They live as long as the test.
fn dwarf_named(image: &ElfImage, suffix: &str) -> gimli::Dwarf<Slice> {
    let endian = match image.encoding().little_endian {
        true => RunTimeEndian::Little,
        false => RunTimeEndian::Big,
    };
    let section = |id: gimli::SectionId| -> Result<Slice, gimli::Error> {
        let name = format!("{}{suffix}", id.name());
        let bytes = image.section_data(&name, &Limits::default()).unwrap();
        let bytes: &'static [u8] = bytes.map_or(&[], |bytes| Vec::leak(bytes.into_owned()));
        Ok(EndianSlice::new(bytes, endian))
    };
    gimli::Dwarf::load(section).unwrap()
}
