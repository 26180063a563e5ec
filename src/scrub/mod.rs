//! A core that can be handed on: what debugging needs of it, without what it reveals about
//! people. docs/scrub.md says what stays and what goes.

mod keys;
mod notes;
mod selection;
mod typed;
mod verify;
mod write;

pub use obit_redact::memory::MASK;
pub use verify::{Leak, Leaked, Secrets, secrets, verify};

use std::collections::BTreeSet;
use std::io::{self, Write};

use selection::Selector;
use write::PAGE;

use crate::report::{self, BuildOptions, Report};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::dump::Dump;
use obit_process::process::Process;
use obit_redact::memory::{Judge, Ranges};
use obit_redact::{Level, Redactor};

/// Memory that is kept at least where there is as much, unless the user says less.
const LEAST: u64 = 1 << 20;
/// What part of a large core is kept.
const PART: u64 = 125;
/// Memory that is kept at most, whatever the stacks are.
const MOST: u64 = 1 << 28;

/// Bytes of the shortest group that hash tables are read by.
const GROUP: u64 = 8;
/// Bytes that objects may take however much the stacks are.
const OBJECTS: u64 = 64 << 10;

/// What the user may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Bytes of memory that are kept at most. Without it stacks are whole, and objects are
    /// kept up to a part of the core's size.
    pub max_size: Option<u64>,
    /// What is in reports: the analysis reads for it what the scrubbed core has to hold.
    pub build: BuildOptions,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// All that was wanted is kept.
    Nothing,
    /// Objects that variables reach.
    Objects,
    /// Stacks, and then all objects.
    Stacks,
}

/// What was written.
#[derive(Debug)]
pub struct Scrubbed {
    /// Bytes of memory that are in it, masked ones included.
    pub kept: u64,
    /// Bytes of notes.
    pub notes: u64,
    /// General registers that held text and are masked.
    pub masked_registers: usize,
    /// Notes of kinds that are not known, left out.
    pub dropped_notes: usize,
    /// Numbers of variables that a report hides.
    pub hidden_numbers: usize,
    /// What there was no room for.
    pub left_out: LeftOut,
    /// The numbers and keys that are not in it.
    pub secrets: Secrets,
    /// The report on the original.
    pub report: Report,
}

/// Writes the scrubbed core of `process`, which must log its reads
/// ([`process::Options::log_reads`](obit_process::process::Options::log_reads)).
///
/// # Errors
/// When `out` fails.
pub fn scrub(process: &Process, options: Options, out: &mut dyn Write) -> io::Result<Scrubbed> {
    // What the analysis reads is what its answer hangs on.
    let report = report::build(process, options.build.clone());
    let facts = process.memory.take_reads();
    let mut typed = typed::learn(process, &options.build);
    keys::add_by_structure(&process.dump, &mut typed.places.keys);

    let most = options.max_size.unwrap_or(MOST);
    let mut selector = Selector::new(process, most / 4);
    selector.take_modules();
    selector.take_facts(&facts);
    // Whatever else is there must leave room for the stack of the crash.
    selector.allow(most);
    selector.take_crashed_stack();
    selector.take_modules();
    selector.take_facts(&facts);
    selector.take_stacks();
    selector.take_runtime();
    let are_stacks_cut = selector.is_cut();
    let part = (process.dump.bytes.len() / PART).max(LEAST);
    selector.limit(part.max(selector.taken().saturating_add(OBJECTS)));
    selector.take_reads(&typed.reads);
    selector.take_windows();
    let left_out = match (are_stacks_cut, selector.is_cut()) {
        (true, _) => LeftOut::Stacks,
        (false, true) => LeftOut::Objects,
        (false, false) => LeftOut::Nothing,
    };
    let selection = selector.finish();

    let near = near(&process.dump);
    let is_mapped =
        |at: u64| process.dump.segment_at(Avma(at)).is_some() || near.contains(&(at >> 32));
    let is_group = |read: &&AvmaRange| read.len() >= GROUP;
    let groups = typed.reads.iter().filter(is_group).map(|read| (read.start.0, read.end.0));
    let groups = Ranges::of(groups);
    let judge = Judge {
        word: process.memory.word(),
        little_endian: process.memory.is_little_endian(),
        is_mapped: &is_mapped,
        wanted: &selection.wanted,
        plain: &selection.plain,
        facts: &selection.facts,
        numbers: &selection.numbers,
        groups: &groups,
        typed: &typed.places,
    };
    let notes = notes::mask(&process.dump, &judge, &typed, &process.limits);
    let finish = |start: u64, bytes: &mut [u8]| mask_paths(&selection.paths, start, bytes);
    write::write(&process.dump, &notes.bytes, &selection.pages, &judge, &finish, out)?;
    Ok(Scrubbed {
        kept: (selection.pages.len() as u64).saturating_mul(PAGE),
        notes: notes.bytes.len() as u64,
        masked_registers: notes.registers,
        dropped_notes: notes.dropped,
        hidden_numbers: typed.places.hidden.len(),
        left_out,
        secrets: Secrets { places: typed.places },
        report,
    })
}

/// The upper halves of 64-bit addresses that mappings share. What lies so close to one was
/// an address, too, of what is unmapped or freed by now; text hardly ever does.
fn near(dump: &Dump) -> BTreeSet<u64> {
    let ends = dump.segments.iter().flat_map(|s| [s.range.start.0, s.range.end.0]);
    ends.map(|at| at >> 32).filter(|upper| *upper != 0).collect()
}

/// A path as a scrubbed core has it.
pub(crate) fn masked_path(path: &[u8]) -> String {
    let mut path = path.to_vec();
    notes::mask_path(&mut path, &mut Redactor::without_key(Level::Default));
    String::from_utf8_lossy(&path).into_owned()
}

/// Masks whose homes paths name. A path that crosses the end of `bytes` is masked whole.
fn mask_paths(paths: &[(u64, u64)], start: u64, bytes: &mut [u8]) {
    let end = start.saturating_add(bytes.len() as u64);
    for (from, to) in paths.iter().filter(|(from, to)| *from < end && start < *to) {
        let inside = *from >= start && *to <= end;
        let part = (from.max(&start) - start) as usize..(to.min(&end) - start) as usize;
        let Some(path) = bytes.get_mut(part) else { continue };
        if inside {
            notes::mask_path(path, &mut Redactor::without_key(Level::Default));
        } else {
            path.fill(MASK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::dump::Dump;
    use obit_corefile::limits::Limits;
    use obit_corefile::testkit::{CoreBuilder, CoreFile};

    const STACK: u64 = 0x7ffd_0000_0000;

    /// A stack that holds `bytes` above the stack pointer, and a register that holds text.
    fn core(bytes: &[u8]) -> CoreFile {
        let mut stack = vec![0; 0x2000];
        stack[0x1000..0x1000 + bytes.len()].copy_from_slice(bytes);
        let text = u64::from_le_bytes(*b"hunter2!");
        let registers = [("rsp", STACK + 0xff0), ("rip", 0x40_1000), ("rbx", text)];
        let builder = CoreBuilder::x86_64().signal(11).thread(42, &registers);
        CoreFile::new(&builder.segment(STACK, &stack, stack.len() as u64).build())
    }

    fn scrubbed(file: &CoreFile) -> Vec<u8> {
        let options = obit_process::process::Options { log_reads: true, ..Default::default() };
        let process = Process::open(file.path(), options, &()).unwrap();
        let mut out = Vec::new();
        scrub(&process, Options::default(), &mut out).unwrap();
        out
    }

    fn holds(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|window| window == text)
    }

    #[test]
    fn no_text_of_stacks_or_registers_is_left_and_addresses_are() {
        let mut bytes = b"mail=ada@example.org\0\0\0\0".to_vec();
        bytes.extend((STACK + 0x1234).to_le_bytes());
        bytes.extend("Gr\u{fc}\u{df}e".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend("geheim".encode_utf16().flat_map(u16::to_le_bytes));
        let out = scrubbed(&core(&bytes));
        for text in [&b"mail"[..], b"ada@", b"hunter", b"g\0e\0h\0", b"G\0r\0"] {
            assert!(!holds(&out, text), "{text:?}");
        }
        assert!(holds(&out, &(STACK + 0x1234).to_le_bytes()));
        assert!(holds(&out, b"xxxxxxxxxxxxxxxxxxxx\0"));
    }

    #[test]
    fn segments_keep_their_addresses_and_sizes() {
        let file = core(b"");
        let out = CoreFile::new(&scrubbed(&file));
        let limits = Limits::default();
        let (before, after) =
            (Dump::open(file.path(), &limits).unwrap(), Dump::open(out.path(), &limits).unwrap());
        let size = |dump: &Dump| dump.segments.iter().map(|s| s.range.len()).sum::<u64>();
        assert_eq!(size(&before), size(&after));
        assert_eq!(after.threads[0].tid, 42);
        assert_eq!(after.notices, []);
    }

    #[test]
    fn what_is_left_out_follows_what_is_kept_in_one_segment() {
        let stack = vec![1; 0x2000];
        let heap = vec![2; 0x4000];
        let registers = [("rsp", STACK + 0x1ff0), ("rip", 0x40_1000), ("rbx", 0x60_0010)];
        let builder = CoreBuilder::x86_64().signal(11).thread(42, &registers);
        let builder = builder.segment(STACK, &stack, 0x2000).segment(0x60_0000, &heap, 0x4000);
        let out = CoreFile::new(&scrubbed(&CoreFile::new(&builder.build())));
        let after = Dump::open(out.path(), &Limits::default()).unwrap();
        let heap = after.segment_at(Avma(0x60_3fff)).unwrap();
        assert_eq!((heap.range.start.0, heap.dumped), (0x60_0000, PAGE));
        let stack: Vec<_> = after.segments.iter().filter(|s| s.range.start.0 >= STACK).collect();
        assert_eq!(stack.iter().map(|s| s.dumped).collect::<Vec<_>>(), [0, PAGE]);
    }

    #[test]
    fn masked_text_is_found_where_it_was_put_back() {
        let file = core(b"the quick brown fox\0");
        let mut out = scrubbed(&file);
        let limits = Limits::default();
        let original = Dump::open(file.path(), &limits).unwrap();
        let leaks = |bytes: &[u8]| {
            let file = CoreFile::new(bytes);
            verify(&Dump::open(file.path(), &limits).unwrap(), &original, &Secrets::default())
        };
        assert_eq!(leaks(&out), []);
        let end = out.len();
        out[end - 16..end - 5].copy_from_slice(b"quick brown");
        assert_eq!(leaks(&out), [Leak { offset: end as u64 - 16, length: 11, what: Leaked::Text }]);
    }

    #[test]
    fn what_the_kernel_says_of_a_deleted_file_is_no_leak() {
        let mut stack = vec![0; 0x2000];
        stack[0x1000..0x1012].copy_from_slice(b"draft (deleted) :\0");
        let builder = CoreBuilder::x86_64().signal(11);
        let builder = builder.thread(42, &[("rsp", STACK + 0xff0), ("rip", 0x40_1000)]);
        let builder = builder.files(&[(0x40_0000, 0x40_1000, 0, "/[aio] (deleted)")]);
        let file = CoreFile::new(&builder.segment(STACK, &stack, 0x2000).build());
        let out = CoreFile::new(&scrubbed(&file));
        let open = |file: &CoreFile| Dump::open(file.path(), &Limits::default()).unwrap();
        assert_eq!(verify(&open(&out), &open(&file), &Secrets::default()), []);
    }

    #[test]
    fn hidden_numbers_and_keys_are_found_where_they_were_put_back() {
        let number = 739_164_u32.to_le_bytes();
        let card = 4_929_804_463_622_139_u64.to_le_bytes();
        let put_numbers = |bytes: &mut [u8]| {
            let end = bytes.len();
            bytes[end - 32..end - 28].copy_from_slice(&number);
            bytes[end - 48..end - 40].copy_from_slice(&card);
        };
        let mut stack = [0; 0x1000];
        put_numbers(&mut stack);
        let file = core(&stack);
        let mut out = scrubbed(&file);
        let limits = Limits::default();
        let original = Dump::open(file.path(), &limits).unwrap();
        let key = *b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7\x0a\x6b";
        let mut hidden = Secrets::default();
        hidden.places.keys.add(&key);
        hidden.places.values.insert(739_164);
        let leaks = |bytes: &[u8]| {
            let file = CoreFile::new(bytes);
            verify(&Dump::open(file.path(), &limits).unwrap(), &original, &hidden)
        };
        let end = out.len();
        // The secrets of `scrubbed` do not name it.
        out[end - 32..end - 28].fill(0);
        // Where the original has another number, masking has made this one.
        out[end - 64..end - 56].copy_from_slice(&card);
        assert_eq!(leaks(&out), []);
        out[end - 13..end - 3].copy_from_slice(&key);
        put_numbers(&mut out);
        let leak = |before: u64, length, what| Leak { offset: end as u64 - before, length, what };
        let found =
            [leak(48, 8, Leaked::Number), leak(32, 4, Leaked::Number), leak(13, 10, Leaked::Key)];
        assert_eq!(leaks(&out), found);
    }

    #[test]
    fn a_spoilt_core_never_panics() {
        let core = std::fs::read(core(b"text and more text\0").path()).unwrap();
        for at in (0..core.len().min(0x400)).step_by(3) {
            for bits in [0xff, 0x80] {
                let mut spoilt = core.clone();
                spoilt[at] ^= bits;
                let file = CoreFile::new(&spoilt);
                let options =
                    obit_process::process::Options { log_reads: true, ..Default::default() };
                let Ok(process) = Process::open(file.path(), options, &()) else { continue };
                scrub(&process, Options::default(), &mut io::sink()).unwrap();
                let hidden = secrets(&process, &BuildOptions::default());
                verify(&process.dump, &process.dump, &hidden);
            }
        }
    }
}
