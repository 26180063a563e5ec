//! framehop and addr2line in the place of obit's own unwinder and symbolizer, on one core:
//!
//!     cargo run --release -p obit-process --example other_readers -- CORE [EXE]
//!
//! Unwinds all threads with each, cold (tables parsed, nothing remembered) and warm (the same
//! unwinder again), then names the addresses of all frames with each: with the sections packed
//! as they are in the file, with sections that are unpacked already, and warm. Prints CPU time
//! of the whole process, the shortest of several rounds in turns, and how many results are the
//! same. x86-64 only. Pin it to one processor (`taskset -c 0`): with more, obit unpacks sections
//! in parallel.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use addr2line::{Context, LookupResult};
use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{ExplicitModuleSectionInfo, Module, Unwinder as _};
use gimli::{EndianSlice, RunTimeEndian, SectionId};
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::{Machine, Register};
use obit_corefile::elf::ElfImage;
use obit_corefile::limits::Limits;
use obit_dwarf::locate::{Locator, SearchRules};
use obit_dwarf::{DebugFiles, DebugInfo, SectionCache, SourceFrame, SplitLoader};
use obit_process::process::{Options, Process};
use obit_process::unwind::{Activation, Stack, Unwinder};
use rustix::time::{ClockId, clock_gettime};

const RBP: Register = Register(6);
const RSP: Register = Register(7);

/// Rounds of what is short, and the time after which no further one begins.
const ROUNDS: u32 = 10;
const LONG: Duration = Duration::from_secs(6);

/// Frames of one stack that framehop may give: it has no limit of its own.
const MOST_FRAMES: usize = 1 << 20;

type Bytes<'d> = EndianSlice<'d, RunTimeEndian>;
/// Function, base name of the file, and line; the readable name where that is another.
type Place = (Option<String>, Option<String>, Option<(String, u32)>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let core = arguments.next().ok_or("CORE [EXE]")?;
    let rules = SearchRules {
        executable: arguments.next(),
        core_directory: core.parent().map(Path::to_owned),
        ..SearchRules::default()
    };
    // Modules and their debug files alone.
    let options = Options { rules: rules.clone(), modules_only: true, ..Options::default() };
    let process = Process::open(&core, options, &())?;
    if process.dump.machine != Machine::X86_64 {
        return Err("only for x86-64".into());
    }
    println!("{}: {} threads", core.display(), process.dump.threads.len());
    let stacks = compare_stacks(&process);
    compare_names(&process, &stacks, rules);
    Ok(())
}

/// CPU time of this process so far.
fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = now();
    let done = work();
    (now() - begun, done)
}

/// The shortest of the times under each name.
#[derive(Default)]
struct Times(BTreeMap<&'static str, Duration>);

impl Times {
    fn add(&mut self, name: &'static str, time: Duration) {
        let shortest = self.0.entry(name).or_insert(time);
        *shortest = time.min(*shortest);
    }

    fn print(&self) {
        for (name, time) in &self.0 {
            println!("  {name:34} {:10.3} ms", time.as_secs_f64() * 1e3);
        }
    }
}

/// Calls `round` until it has been called often enough.
fn in_rounds(mut round: impl FnMut()) {
    let begun = now();
    for _ in 0..ROUNDS {
        round();
        if now() - begun > LONG {
            break;
        }
    }
}

fn compare_stacks(process: &Process) -> Vec<Stack> {
    let limits = Limits::default();
    let mut times = Times::default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    in_rounds(|| {
        let (cold, mut unwinder) = timed(|| {
            let (machine, modules) = (process.dump.machine, &process.modules);
            let mut unwinder = Unwinder::new(machine, &process.memory, modules, &limits);
            ours = by_obit(process, &mut unwinder);
            unwinder
        });
        times.add("stacks, obit, cold", cold);
        times.add("stacks, obit, warm", timed(|| by_obit(process, &mut unwinder)).0);
        let (cold, mut unwinder) = timed(|| {
            let mut framehop = Framehop::new(process);
            theirs = framehop.stacks(process);
            framehop
        });
        times.add("stacks, framehop, cold", cold);
        times.add("stacks, framehop, warm", timed(|| unwinder.stacks(process)).0);
    });
    times.print();
    let (mut same, mut same_frames, mut missing, mut other, mut more) = (0, 0, 0, 0, 0);
    let mut at_signal = 0;
    for (stack, theirs) in ours.iter().zip(&theirs) {
        let ours: Vec<u64> = stack.frames.iter().map(|frame| frame.pc.0).collect();
        let last = theirs.len().checked_sub(1).and_then(|last| stack.frames.get(last));
        at_signal += usize::from(ours != *theirs && last.is_some_and(|frame| frame.is_signal));
        let equal = ours.iter().zip(theirs).take_while(|(one, two)| one == two).count();
        same += usize::from(ours == *theirs);
        same_frames += equal;
        missing += ours.len().saturating_sub(theirs.len().max(equal));
        other += ours.len().min(theirs.len()) - equal;
        more += theirs.len().saturating_sub(ours.len());
    }
    println!(
        "  stacks: {} of {} are the same; frames: {same_frames} are the same, framehop lacks \
         {missing}, has {other} others after the first difference and {more} more; {at_signal} \
         stacks end at a signal frame there",
        same,
        ours.len()
    );
    ours
}

fn by_obit(process: &Process, unwinder: &mut Unwinder<'_>) -> Vec<Stack> {
    let threads = process.dump.threads.iter();
    threads.map(|thread| unwinder.unwind(&thread.registers, thread.code_pointer_mask)).collect()
}

/// framehop with the tables of all modules, borrowed from the files.
struct Framehop<'p> {
    unwinder: UnwinderX86_64<&'p [u8]>,
    cache: CacheX86_64,
}

impl<'p> Framehop<'p> {
    fn new(process: &'p Process) -> Self {
        let mut unwinder = UnwinderX86_64::new();
        for (index, module) in process.modules.list().iter().enumerate() {
            let Some(image) = &module.image else { continue };
            let range = |name: &str| {
                let section = image.section(name)?;
                Some(section.address.0..section.address.0 + section.size)
            };
            let bytes = |name: &str| image.raw_section(name);
            let mut sections = ExplicitModuleSectionInfo {
                text_svma: range(".text"),
                text: bytes(".text"),
                got_svma: range(".got"),
                eh_frame_svma: range(".eh_frame"),
                eh_frame: bytes(".eh_frame").filter(|bytes| !bytes.is_empty()),
                eh_frame_hdr_svma: range(".eh_frame_hdr"),
                eh_frame_hdr: bytes(".eh_frame_hdr"),
                ..Default::default()
            };
            // It takes one kind of table of a module.
            if sections.eh_frame.is_none() {
                sections.debug_frame =
                    process.modules.debug(index).and_then(DebugInfo::debug_frame);
            }
            let name = module.path.to_string_lossy().into_owned();
            let addresses = module.range.start.0..module.range.end.0;
            unwinder.add_module(Module::new(name, addresses, module.bias.0, sections));
        }
        Self { unwinder, cache: CacheX86_64::new() }
    }

    fn stacks(&mut self, process: &Process) -> Vec<Vec<u64>> {
        let mut memory = process.memory.cursor();
        let mut read = |at| memory.read_word(Avma(at)).map_err(|_| ());
        let mut stacks = Vec::with_capacity(process.dump.threads.len());
        for thread in &process.dump.threads {
            let get = |register| thread.registers.get(register).unwrap_or(0);
            let pc = process.dump.machine.facts().and_then(|facts| thread.registers.get(facts.pc));
            let registers = UnwindRegsX86_64::new(pc.unwrap_or(0), get(RSP), get(RBP));
            let pc = pc.unwrap_or(0);
            let mut frames = self.unwinder.iter_frames(pc, registers, &mut self.cache, &mut read);
            let mut stack = Vec::new();
            while let Ok(Some(frame)) = frames.next()
                && stack.len() < MOST_FRAMES
            {
                stack.push(frame.address());
            }
            stacks.push(stack);
        }
        stacks
    }
}

fn compare_names(process: &Process, stacks: &[Stack], rules: SearchRules) {
    let limits = Limits::default();
    let locator = Arc::new(Locator::new(rules, limits.clone()));
    let mut wanted: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for at in stacks.iter().flat_map(|stack| &stack.frames).map(Activation::lookup_pc) {
        if let Some(index) = process.modules.index_at(at)
            && let Some(module) = process.modules.get(index)
        {
            wanted.entry(index).or_default().insert(module.to_svma(at).0);
        }
    }
    let modules: Vec<(DebugFiles, Vec<u64>)> = wanted
        .into_iter()
        .filter_map(|(index, addresses)| {
            let module = process.modules.get(index)?;
            let (files, _) = locator.debug_files(module.image.as_ref()?, &module.path);
            files.with_dwarf()?;
            Some((files, addresses.into_iter().collect()))
        })
        .collect();
    let count: usize = modules.iter().map(|(_, addresses)| addresses.len()).sum();
    println!("  names: {count} addresses in {} files with DWARF", modules.len());
    let directory = tempfile::tempdir().unwrap();
    let cache = SectionCache::new(directory.path().join("sections"), 8 << 30);
    let split: SplitLoader = {
        let locator = Arc::clone(&locator);
        Arc::new(move |files, directory, name| locator.split_unit(files, directory, name))
    };
    let infos = |cache: Option<&SectionCache>| -> Vec<DebugInfo> {
        let info = |(files, _): &(DebugFiles, _)| {
            DebugInfo::new(files.clone(), Arc::clone(&split), &limits, cache.cloned())
        };
        modules.iter().map(info).collect()
    };
    let ask = |infos: &[DebugInfo]| -> Vec<Vec<SourceFrame>> {
        let all = infos.iter().zip(&modules);
        let frames = |(info, (_, addresses)): (&DebugInfo, &(_, Vec<u64>))| -> Vec<_> {
            addresses.iter().map(|at| info.frames_at(Svma(*at))).collect()
        };
        all.flat_map(frames).collect()
    };
    // Fills the cache.
    ask(&infos(Some(&cache)));
    let mut times = Times::default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    in_rounds(|| {
        let (cold, infos_then) = timed(|| {
            let infos = infos(None);
            ours = ask(&infos);
            infos
        });
        times.add("names, obit, packed", cold);
        times.add("names, obit, warm", timed(|| ask(&infos_then)).0);
        drop(infos_then);
        let (unpacked, kept) = timed(|| {
            let infos = infos(Some(&cache));
            ask(&infos);
            infos
        });
        times.add("names, obit, unpacked", unpacked);
        drop(kept);
        let (unpack, sections) =
            timed(|| modules.iter().map(|(files, _)| sections_of(files)).collect::<Vec<_>>());
        let (cold, contexts) = timed(|| {
            let contexts: Vec<Context<Bytes<'_>>> = sections.iter().map(context).collect();
            theirs = ask_addr2line(&contexts, &modules);
            contexts
        });
        times.add("names, addr2line, packed", unpack + cold);
        times.add("names, addr2line, unpacked", cold);
        times.add("names, addr2line, warm", timed(|| ask_addr2line(&contexts, &modules)).0);
    });
    times.print();
    let of_obit = |frame: &SourceFrame| -> Place {
        let line = frame.location.as_ref().and_then(|at| Some((base_name(&at.file), at.line?)));
        (frame.linkage_name.clone().or(frame.function.clone()), frame.function.clone(), line)
    };
    let (mut same, mut by_symbol, mut differ) = (0, 0, 0);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let places: Vec<Place> = ours.iter().map(of_obit).collect();
        if places.len() == theirs.len() && places.iter().zip(theirs).all(|(a, b)| agree(a, b)) {
            same += 1;
        } else if theirs.is_empty() && ours.iter().all(|frame| frame.from_symbol) {
            by_symbol += 1;
        } else {
            differ += 1;
            if env::var_os("VERBOSE").is_some() {
                println!("  obit      {places:?}\n  addr2line {theirs:?}");
            }
        }
    }
    println!(
        "  names: {same} addresses have the same frames, {differ} others; {by_symbol} have a \
         name from the symbol table alone, which addr2line does not read"
    );
}

/// addr2line gives a function without linkage name without its scopes.
fn agree(ours: &Place, theirs: &Place) -> bool {
    let (Some(wanted), (linkage, readable, _)) = (theirs.0.as_deref(), ours) else {
        return ours.0.is_none() && ours.2 == theirs.2;
    };
    let is_end = |name: &Option<String>| {
        let scopes = name.as_deref().and_then(|name| name.strip_suffix(wanted));
        scopes.is_some_and(|scopes| scopes.is_empty() || scopes.ends_with("::"))
    };
    ours.2 == theirs.2 && (is_end(linkage) || is_end(readable))
}

fn base_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// What addr2line reads of one file.
struct Sections<'i> {
    endian: RunTimeEndian,
    bytes: BTreeMap<&'static str, Cow<'i, [u8]>>,
}

impl<'i> Sections<'i> {
    fn read(image: &'i ElfImage) -> Self {
        const NEEDED: [SectionId; 11] = [
            SectionId::DebugAbbrev,
            SectionId::DebugAddr,
            SectionId::DebugAranges,
            SectionId::DebugInfo,
            SectionId::DebugLine,
            SectionId::DebugLineStr,
            SectionId::DebugRanges,
            SectionId::DebugRngLists,
            SectionId::DebugStr,
            SectionId::DebugStrOffsets,
            SectionId::DebugTypes,
        ];
        let is_little = image.encoding().little_endian;
        let endian = if is_little { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let read = |id: SectionId| {
            let found = image.section_data(id.name(), &Limits::default());
            Some((id.name(), found.ok()??))
        };
        Self { endian, bytes: NEEDED.into_iter().filter_map(read).collect() }
    }

    fn dwarf(&self) -> gimli::Dwarf<Bytes<'_>> {
        let section = |id: SectionId| -> Result<Bytes<'_>, gimli::Error> {
            let bytes = self.bytes.get(id.name()).map_or(&[][..], AsRef::as_ref);
            Ok(EndianSlice::new(bytes, self.endian))
        };
        gimli::Dwarf::load(section).unwrap()
    }
}

fn sections_of(files: &DebugFiles) -> (Sections<'_>, Option<Sections<'_>>) {
    let main = Sections::read(files.with_dwarf().unwrap());
    (main, files.alternate.as_deref().map(Sections::read))
}

fn context<'s>((main, supplement): &'s (Sections<'_>, Option<Sections<'_>>)) -> Context<Bytes<'s>> {
    let mut dwarf = main.dwarf();
    if let Some(supplement) = supplement {
        dwarf.set_sup(supplement.dwarf());
    }
    Context::from_dwarf(dwarf).unwrap()
}

fn ask_addr2line(
    contexts: &[Context<Bytes<'_>>],
    modules: &[(DebugFiles, Vec<u64>)],
) -> Vec<Vec<Place>> {
    let mut all = Vec::new();
    for (context, (_, addresses)) in contexts.iter().zip(modules) {
        all.extend(addresses.iter().map(|at| frames(context, *at).unwrap_or_default()));
    }
    all
}

/// The frames at `at`; none for a unit whose other half is in a `.dwo` file.
fn frames(context: &Context<Bytes<'_>>, at: u64) -> Option<Vec<Place>> {
    let LookupResult::Output(found) = context.find_frames(at) else { return None };
    let mut found = found.ok()?;
    let mut places = Vec::new();
    while let Some(frame) = found.next().ok()? {
        let name = frame.function.and_then(|name| Some(name.raw_name().ok()?.into_owned()));
        // obit gives the readable name as well.
        let readable = name.as_deref().and_then(|name| {
            let limits = Limits::default();
            obit_dwarf::demangle(name, obit_dwarf::Language::Unknown, &limits)
        });
        let line = frame.location.and_then(|at| Some((base_name(at.file?), at.line?)));
        places.push((name, readable, line));
    }
    Some(places).filter(|all| all.iter().any(|place| place.0.is_some() || place.2.is_some()))
}
