//! Cores that Breakpad's `minidump-2-core` made: stacks, registers, and a list of loaded objects
//! that it made up, without a table of mapped files and without the images' first pages.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::fixture::{Case, list, report, run, stderr, stdout};
use obit::addr::Avma;
use obit::dump::{AuxKind, Dump};
use obit::limits::Limits;
use serde_json::Value;

/// Where the list is.
const LIST: u64 = 4096;
const PAGE: u64 = 4096;
/// Where programs that are not linked for one address are loaded, and above.
const LINKED_HIGH: u64 = 1 << 40;
/// Notes that the converter writes.
const NOTES: [u32; 4] = [1, 2, 3, 6];

/// What is left of a core when it is made from a minidump.
#[derive(Clone, Copy, Default)]
struct Kept {
    /// No list of loaded objects: the minidump had no stream of the dynamic linker.
    no_list: bool,
    /// The first node of the list leads back to itself.
    circle: bool,
}

/// A core of `case` as the converter writes one: `struct r_debug` and nodes of `struct link_map`
/// at 4096, each with its name; stacks from the stack pointers on; mappings without bytes.
fn converted(case: &Case, directory: &Path, kept: Kept) -> Vec<u8> {
    let core = case.plain_core();
    let path = directory.join("original");
    fs::write(&path, &core).unwrap();
    let dump = Dump::open(&path, &Limits::default()).unwrap();
    fs::remove_file(&path).unwrap();
    let mut objects: Vec<(u64, String)> = Vec::new();
    for file in dump.mapped_files.iter().filter(|file| file.offset == 0) {
        let name = file.path.to_str().unwrap().to_owned();
        if !objects.iter().any(|(_, known)| *known == name) {
            objects.push((file.range.start.0, name));
        }
    }
    // The program is the first of the list.
    let headers = dump.auxv.get(AuxKind::Phdr).unwrap() & !(PAGE - 1);
    objects.sort_by_key(|(base, _)| (*base != headers, *base));
    let words =
        |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let first = if kept.no_list { 0 } else { LIST + 40 };
    let mut data = words(&[1, first, 0, 0, 0]);
    let mut before = 0;
    for (at, (base, name)) in objects.iter().enumerate().filter(|_| !kept.no_list) {
        let node = LIST + data.len() as u64;
        // What is linked for one address has the bias 0, by which the converter finds no name.
        let (bias, name) = if *base < LINKED_HIGH { (0, "") } else { (*base, name.as_str()) };
        let name_length = name.len() as u64 + (8 - name.len() as u64 % 8);
        let next = node + 40 + name_length;
        let next = if at + 1 == objects.len() { 0 } else { next };
        let next = if kept.circle { node } else { next };
        data.extend(words(&[bias, node + 40, base + 1, next, before]));
        data.extend(name.bytes());
        data.resize((node + 40 + name_length - LIST) as usize, 0);
        before = node;
    }
    let mut segments: Vec<(u64, u64, u32, Vec<u8>)> = Vec::new();
    let pages = |mut bytes: Vec<u8>| {
        bytes.resize(bytes.len().next_multiple_of(PAGE as usize), 0);
        bytes
    };
    let data = pages(data);
    segments.push((LIST, LIST + data.len() as u64, 6, data));
    let facts = dump.machine.facts().unwrap();
    let stacks: Vec<_> =
        dump.threads.iter().filter_map(|thread| thread.registers.get(facts.sp)).collect();
    for segment in &dump.segments {
        let range = segment.range;
        let flags = u32::from(segment.permissions.read) << 2
            | u32::from(segment.permissions.write) << 1
            | u32::from(segment.permissions.execute);
        let stack = stacks.iter().find(|sp| range.contains(Avma(**sp)));
        let Some(sp) = stack else {
            segments.push((range.start.0, range.end.0, flags, Vec::new()));
            continue;
        };
        let start = sp & !(PAGE - 1);
        if start > range.start.0 {
            segments.push((range.start.0, start, flags, Vec::new()));
        }
        let mut bytes = vec![0; (sp - start) as usize];
        let offset = segment.offset + (sp - range.start.0);
        bytes.extend(dump.bytes.read_vec(offset, (range.end.0 - sp).min(32 << 10)));
        segments.push((start, range.end.0, flags, pages(bytes)));
    }
    let mut notes: Vec<u8> = Vec::new();
    let phoff = u64::from_le_bytes(core[32..40].try_into().unwrap()) as usize;
    let word = |at: usize| u64::from_le_bytes(core[at..at + 8].try_into().unwrap()) as usize;
    let half = |at: usize| u32::from_le_bytes(core[at..at + 4].try_into().unwrap());
    let (mut at, end) = (word(phoff + 8), word(phoff + 8) + word(phoff + 32));
    while at + 12 <= end {
        let lengths = [half(at), half(at + 4)].map(|length| length.next_multiple_of(4) as usize);
        let length = 12 + lengths[0] + lengths[1];
        if NOTES.contains(&half(at + 8)) {
            notes.extend(&core[at..at + length]);
        }
        at += length;
    }
    let count = segments.len() as u64 + 1;
    let mut out = core[..64].to_vec();
    out[32..40].copy_from_slice(&64_u64.to_le_bytes());
    out[40..48].fill(0);
    out[56..58].copy_from_slice(&(count as u16).to_le_bytes());
    out[60..64].fill(0);
    let start = 64 + count * 56;
    let header = |kind: u32, flags: u32, words_of: [u64; 6]| {
        [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &words(&words_of)].concat()
    };
    out.extend(header(4, 0, [start, 0, 0, notes.len() as u64, 0, 0]));
    let mut offset = (start + notes.len() as u64).next_multiple_of(PAGE);
    for (from, to, flags, bytes) in &segments {
        let at = if bytes.is_empty() { 0 } else { offset };
        out.extend(header(1, *flags, [at, *from, 0, bytes.len() as u64, to - from, PAGE]));
        offset += bytes.len() as u64;
    }
    out.extend(notes);
    out.resize(out.len().next_multiple_of(PAGE as usize), 0);
    segments.iter().for_each(|(.., bytes)| out.extend(bytes));
    out
}

fn of(name: &str, kept: Kept) -> (Value, Value) {
    let case = Case::named(name);
    let directory = tempfile::tempdir().unwrap();
    let core = converted(&case, directory.path(), kept);
    for file in ["prog", "libshapes.so"] {
        let from = case.directory.join(file);
        if from.exists() {
            fs::copy(from, directory.path().join(file)).unwrap();
        }
    }
    let path = directory.path().join("converted.core");
    fs::write(&path, core).unwrap();
    (report(&path, &[]), report(&case.core(), &[case.program().as_os_str()]))
}

fn functions(report: &Value) -> Vec<String> {
    let thread = list(report, "threads").iter().find(|thread| thread["crashed"] == true).unwrap();
    let frames = list(thread, "frames").iter();
    frames.map(|frame| frame["function"].as_str().unwrap_or("?").to_owned()).collect()
}

fn codes(report: &Value) -> Vec<&str> {
    list(report, "notices").iter().filter_map(|notice| notice["code"].as_str()).collect()
}

#[test]
fn modules_and_stacks_are_those_of_the_list_and_what_is_missing_is_said() {
    for name in ["shared-lib", "null-field"] {
        let (found, original) = of(name, Kept::default());
        let own = |report: &Value| {
            let all = functions(report);
            // What called it may be known by other debug files on this machine.
            let outside = ["main", "start_thread"];
            let end = all.iter().position(|function| outside.contains(&function.as_str()));
            all[..=end.unwrap()].to_vec()
        };
        assert_eq!(own(&found), own(&original), "{name}");
        let paths = |report: &Value| -> Vec<String> {
            let modules = list(report, "modules").iter();
            let paths = modules.filter_map(|module| module["path"].as_str()?.rsplit('/').next());
            let mut paths: Vec<_> = paths.filter(|path| !path.starts_with('[')).collect();
            paths.sort_unstable();
            paths.into_iter().map(str::to_owned).collect()
        };
        assert_eq!(paths(&found), paths(&original), "{name}");
        assert_eq!(found["signal"]["name"], "SIGSEGV");
        let codes = codes(&found);
        assert!(codes.contains(&"core-from-minidump"), "{codes:?}");
        assert!(codes.contains(&"module-unverified"), "{codes:?}");
    }
}

#[test]
fn memory_that_could_be_written_and_is_not_in_the_core_is_not_read_from_the_program() {
    let case = Case::named("shared-lib");
    let directory = tempfile::tempdir().unwrap();
    let core = converted(&case, directory.path(), Kept::default());
    let path = directory.path().join("converted.core");
    fs::write(&path, core).unwrap();
    // Of its data segment, and of its code.
    let of = |address: &str| {
        let expression = format!("*(unsigned char *){address}");
        let args = [OsStr::new("print"), path.as_os_str(), OsStr::new(&expression)];
        let output = run(args.into_iter().chain([OsStr::new("-e"), case.program().as_os_str()]));
        stdout(&output) + &stderr(&output)
    };
    assert!(of("0x555555558000").contains("not in the core"), "{}", of("0x555555558000"));
    assert!(!of("0x555555555139").contains("not in the core"), "{}", of("0x555555555139"));
}

#[test]
fn without_a_list_or_with_a_broken_one_there_are_still_stacks() {
    for kept in [Kept { no_list: true, circle: false }, Kept { no_list: false, circle: true }] {
        let (found, _) = of("shared-lib", kept);
        assert!(!functions(&found).is_empty());
        let codes = codes(&found);
        assert!(codes.contains(&"core-from-minidump"), "{codes:?}");
        assert_eq!(codes.contains(&"link-map-broken"), kept.circle, "{codes:?}");
    }
}
