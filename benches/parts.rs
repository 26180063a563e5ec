//! What the parts of a report cost, each alone, on the cores of tests/fixtures.
//!
//!     cargo bench                     # all
//!     cargo bench -- redact           # those whose name contains this
//!
//! For comparing two states of the code on one machine. Whole programs are compared by
//! scripts/bench, instructions by scripts/instructions.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use obit::Crash;
use obit::addr::Svma;
use obit::debuginfo::{DebugFiles, DebugInfo, SplitLoader};
use obit::elf::{ElfImage, ImageBytes, Notes, SegmentKind, SymbolTable};
use obit::limits::Limits;
use obit::mapped_file::MappedFile;
use obit::print::evaluate;
use obit::process::Process;
use obit::redact::{Level, Redactor};
use obit::report::Report;
use obit::triage::{Constraints, CrashKey, Record, Rules, group, testkit};
use obit::unwind::Unwinder;
use obit::value::Budget;

fn main() {
    divan::main();
}

fn fixture(case: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case).join(file)
}

fn crash(case: &str) -> Crash {
    obit::open(fixture(case, "core.zst")).unwrap()
}

fn image(case: &str) -> Arc<ElfImage> {
    let file = MappedFile::open(&fixture(case, "prog")).unwrap();
    Arc::new(ElfImage::parse(ImageBytes::File(file), &Limits::default()).unwrap())
}

fn debug_info(image: &Arc<ElfImage>) -> DebugInfo {
    let no_split: SplitLoader = Arc::new(|_: &DebugFiles, _: &[u8], _: &[u8]| Err(Vec::new()));
    DebugInfo::new(DebugFiles::only(Arc::clone(image)), no_split, &Limits::default(), None)
}

/// Start addresses of the functions that the symbol table has.
fn functions(image: &ElfImage) -> Vec<Svma> {
    let symbols = SymbolTable::parse(image);
    symbols.functions(image).map(|symbol| symbol.address).collect()
}

/// The notes of a core of six threads, by the iterator alone and as a whole dump.
mod notes {
    use super::*;
    use obit::dump::Dump;

    #[divan::bench]
    fn iterate(bencher: Bencher) {
        let (segment, encoding) = segment();
        let notes = || Notes::new(black_box(&segment), 4, encoding).flatten().count();
        bencher.counter(ItemsCount::new(notes())).bench(notes);
    }

    #[divan::bench]
    fn open_core(bencher: Bencher) {
        let packed = std::fs::File::open(fixture("null-field", "core.zst")).unwrap();
        let directory = std::env::temp_dir().join(format!("obit-bench-{}", std::process::id()));
        zstd::stream::copy_decode(packed, std::fs::File::create(&directory).unwrap()).unwrap();
        bencher.bench(|| Dump::open(black_box(&directory), &Limits::default()).unwrap());
        std::fs::remove_file(&directory).unwrap();
    }

    /// The segment of notes of the core, which is an ELF file as a program is.
    fn segment() -> (Vec<u8>, obit::elf::Encoding) {
        let packed = std::fs::read(fixture("null-field", "core.zst")).unwrap();
        let core = zstd::decode_all(&*packed).unwrap();
        let image = ElfImage::parse(ImageBytes::Memory(core), &Limits::default()).unwrap();
        let notes =
            image.segments().iter().find(|segment| segment.kind == SegmentKind::Note).unwrap();
        let (start, len) = (notes.offset as usize, notes.file_size as usize);
        (image.bytes()[start..start + len].to_vec(), image.encoding())
    }
}

mod unwind {
    use super::*;

    /// One step out of each function of the program, where it begins: its FDE is found, its row
    /// computed and applied to the stack of the crashed thread.
    #[divan::bench]
    fn find_fde(bencher: Bencher) {
        let crash = crash("null-field");
        let process = crash.process();
        let module = &process.modules.list()[process.modules.executable().unwrap()];
        let starts = functions(&image("null-field"));
        let facts = process.dump.machine.facts().unwrap();
        let registers = &process.dump.crashed_thread().unwrap().registers;
        let limits = Limits { frames: 1, ..process.limits.clone() };
        let at = |start: &Svma| module.to_avma(*start).0.wrapping_add(1);
        let pcs: Vec<u64> = starts.iter().map(at).collect();
        bencher.counter(ItemsCount::new(pcs.len())).bench_local(|| {
            let mut unwinder = unwinder(process, &limits);
            for pc in &pcs {
                black_box(unwinder.unwind(&registers.clone().with(facts.pc, *pc), None));
            }
        });
    }

    /// A recursion of 95,318 calls, which is unwound frame by frame.
    #[divan::bench]
    fn steps(bencher: Bencher) {
        let crash = crash("recursion");
        let process = crash.process();
        let registers = &process.dump.crashed_thread().unwrap().registers;
        let frames = unwinder(process, &process.limits).unwind(registers, None).frames.len();
        bencher
            .counter(ItemsCount::new(frames))
            .bench_local(|| unwinder(process, &process.limits).unwind(black_box(registers), None));
    }

    /// Six threads, a few frames each.
    #[divan::bench]
    fn threads(bencher: Bencher) {
        let crash = crash("null-field");
        let process = crash.process();
        bencher.counter(ItemsCount::new(process.dump.threads.len())).bench_local(|| {
            let mut unwinder = unwinder(process, &process.limits);
            for thread in &process.dump.threads {
                black_box(unwinder.unwind(&thread.registers, thread.code_pointer_mask));
            }
        });
    }

    fn unwinder<'p>(process: &'p Process, limits: &'p Limits) -> Unwinder<'p> {
        let Process { dump, memory, modules, .. } = process;
        Unwinder::new(dump.machine, memory, modules, limits)
    }
}

/// Function and line of code addresses, with inlined calls.
mod symbolize {
    use super::*;

    const CASES: [&str; 3] = ["null-field", "containers-libstdcxx", "containers-rust"];

    /// One address of an image of which nothing has been read.
    #[divan::bench(args = CASES)]
    fn cold(bencher: Bencher, case: &str) {
        let image = image(case);
        let at = debug_info(&image).function_named("main").unwrap();
        bencher
            .with_inputs(|| debug_info(&image))
            .bench_values(|info| black_box(info.frames_at(at)).len());
    }

    /// The start of each function, once all have been asked for.
    #[divan::bench(args = CASES)]
    fn warm(bencher: Bencher, case: &str) {
        let image = image(case);
        let (info, starts) = (debug_info(&image), functions(&image));
        let all = || starts.iter().map(|at| info.frames_at(*at).len()).sum::<usize>();
        all();
        bencher.counter(ItemsCount::new(starts.len())).bench_local(all);
    }
}

mod names {
    use super::*;

    /// The address of a function by its name, of an image of which nothing has been read.
    #[divan::bench]
    fn function_cold(bencher: Bencher) {
        let image = image("containers-rust");
        bencher
            .with_inputs(|| debug_info(&image))
            .bench_values(|info| info.function_named(black_box("main")));
    }

    /// Types by name, of an image of which nothing has been read: what the first question costs.
    #[divan::bench]
    fn type_cold(bencher: Bencher) {
        let image = image("containers-libstdcxx");
        bencher
            .with_inputs(|| debug_info(&image))
            .bench_values(|info| info.types_named(black_box("Thing")).len());
    }

    /// And each one after it.
    #[divan::bench]
    fn type_warm(bencher: Bencher) {
        let image = image("containers-libstdcxx");
        let info = debug_info(&image);
        info.types_named("Thing");
        bencher.bench_local(|| info.types_named(black_box("Thing")).len());
    }
}

/// Scope, location and value of all variables of the crashed thread, as they are printed.
#[divan::bench(args = ["null-field", "containers-libstdcxx", "containers-rust"])]
fn variables(bencher: Bencher, case: &str) {
    let crash = crash(case);
    let process = crash.process();
    let thread = process.threads.iter().position(|thread| thread.crashed).unwrap();
    let frames = process.threads[thread].frames.len();
    let all = || {
        let views = (0..frames).filter_map(|frame| process.frame_view(thread, frame));
        let values = views.flat_map(|view| {
            let names = view.names();
            let value =
                move |name: Arc<str>| evaluate(process, &view, &name, &Budget::default()).is_ok();
            names.into_iter().map(value)
        });
        values.count()
    };
    bencher.counter(ItemsCount::new(all())).bench_local(all);
}

/// From an opened core to the report, which has every part but reading and naming.
#[divan::bench(args = ["null-field", "containers-libstdcxx", "containers-rust"])]
fn report(bencher: Bencher, case: &str) {
    let crash = crash(case);
    bencher.bench_local(|| crash.report());
}

mod redact {
    use super::*;

    /// Lines of a log in which every tenth has something to hide.
    #[divan::bench]
    fn log(bencher: Bencher) {
        let mut text = String::new();
        for n in 0..4_000 {
            let line = match n % 10 {
                3 => format!("user=ann{n}@example.com logged in from 203.0.113.{}\n", n % 250),
                _ => format!("2026-03-01T12:00:00Z worker {n}: job done in {} ms\n", n % 97),
            };
            text.push_str(&line);
        }
        hide(bencher, &text);
    }

    /// Source code, in which there is nothing to hide.
    #[divan::bench]
    fn source(bencher: Bencher) {
        hide(bencher, &include_str!("parts.rs").repeat(20));
    }

    fn hide(bencher: Bencher, text: &str) {
        bencher.counter(BytesCount::of_str(text)).bench_local(|| {
            let mut redactor = Redactor::with_random_key(Level::Default);
            let mut input = black_box(text.as_bytes());
            obit::redact::stream::redact(&mut redactor, &mut input, &mut io::sink()).unwrap();
        });
    }
}

mod triage {
    use super::*;

    /// The signature of a report.
    #[divan::bench(args = ["null-field", "recursion"])]
    fn signature(bencher: Bencher, case: &str) {
        let report: Report = crash(case).report();
        let rules = Rules::built_in();
        bencher.bench_local(|| rules.signature(black_box(&report)));
    }

    /// Crashes of 300 bugs.
    #[divan::bench(args = [1_000, 10_000], sample_count = 10)]
    fn grouping(bencher: Bencher, crashes: u64) {
        let rules = Rules::built_in();
        let records = (0..crashes).map(|n| testkit::crash(1, n, &rules).record);
        let keys: Vec<CrashKey> =
            records.filter_map(|record: Record| CrashKey::of(&record)).collect();
        let counts = vec![1; keys.len()];
        bencher
            .counter(ItemsCount::new(keys.len()))
            .bench_local(|| group(black_box(&keys), &counts, &Constraints::default()).groups.len());
    }
}
