//! What is mapped at an address: a thread's stack, an object, a file.

use std::path::PathBuf;
use std::sync::Arc;

use obit_corefile::addr::Avma;
use obit_process::process::{FrameKind, Process, Thread};
use obit_process::value::Surroundings as _;

/// A place on the stack of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackPlace {
    /// Whose stack it is.
    pub tid: i64,
    /// Where on it.
    pub place: OnStack,
}

/// A place on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnStack {
    /// So many bytes below the stack pointer: of a function that has returned.
    Below(u64),
    /// In the frame of a function: its index among the thread's frames, and its name.
    Frame(usize, Option<String>),
    /// Above all frames that are known.
    Above,
}

/// A place in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModulePlace {
    /// The object's path.
    pub path: PathBuf,
    /// What is there.
    pub content: Content,
    /// The function or variable there, and bytes from its start.
    pub symbol: Option<(String, u64)>,
}

/// What a part of an object holds, by the rights to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Code.
    Code,
    /// What is only read.
    Constants,
    /// Variables.
    Data,
}

/// A place in a mapped file that is no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The file.
    pub path: Arc<PathBuf>,
    /// Bytes from its start.
    pub offset: u64,
}

/// Bytes below the stack pointer that a leaf function uses (psABI of x86_64; others have
/// none).
const RED_ZONE: u64 = 128;

/// Which stack holds `at`, and where on it that is.
pub(super) fn on_stack(process: &Process, at: Avma) -> Option<StackPlace> {
    let region = process.memory.range_at(at)?;
    let sp = process.dump.machine.facts()?.sp;
    let stacks = process.threads.iter().filter_map(|thread| {
        let pointer = thread.registers.get(sp)?;
        region.contains(Avma(pointer)).then_some((thread, pointer))
    });
    // Of stacks side by side the one whose pointer is nearest below, else above.
    let (thread, pointer) = stacks.min_by_key(|(_, pointer)| match at.0.checked_sub(*pointer) {
        Some(above) => (0, above),
        None => (1, pointer.saturating_sub(at.0)),
    })?;
    // An address that the instruction itself reaches by the stack pointer shows nothing.
    if at.0 == pointer {
        return None;
    }
    let place = match pointer.checked_sub(at.0) {
        Some(below) if below > RED_ZONE => OnStack::Below(below),
        _ => frame_at(thread, at),
    };
    Some(StackPlace { tid: thread.tid, place })
}

fn frame_at(thread: &Thread, at: Avma) -> OnStack {
    let holds =
        |activation: &obit_process::unwind::Activation| activation.cfa.is_some_and(|cfa| at < cfa);
    let Some(activation) = thread.stack.frames.iter().position(holds) else {
        return OnStack::Above;
    };
    // Of inlined calls the function they are in: theirs is the frame.
    let is_it = |frame: &obit_process::process::Frame| {
        frame.activation == activation && frame.kind == FrameKind::Normal
    };
    match thread.frames.iter().position(is_it) {
        Some(index) => {
            let function = thread.frames.get(index).and_then(|frame| frame.function.as_deref());
            OnStack::Frame(index, function.map(str::to_owned))
        }
        None => OnStack::Above,
    }
}

/// Which object holds `at`, and what is there.
pub(super) fn in_module(process: &Process, at: Avma) -> Option<ModulePlace> {
    let rights = process.memory.region_at(at)?.permissions;
    let index = process.modules.index_at(at)?;
    let module = process.modules.get(index)?;
    let crashed = process.threads.iter().position(|thread| thread.crashed);
    let view = crashed.and_then(|thread| process.frame_view(thread, 0));
    Some(ModulePlace {
        path: module.path.clone(),
        content: match (rights.execute, rights.write) {
            (true, _) => Content::Code,
            (false, true) => Content::Data,
            (false, false) => Content::Constants,
        },
        symbol: view.and_then(|view| view.symbol_at(at)),
    })
}

/// Which mapped file holds `at`.
pub(super) fn in_file(process: &Process, at: Avma) -> Option<FilePlace> {
    let file = process.dump.mapped_files.iter().find(|file| file.range.contains(at))?;
    let into = at.0.checked_sub(file.range.start.0)?;
    Some(FilePlace { path: Arc::clone(&file.path), offset: file.offset.checked_add(into)? })
}

/// Whether something is mapped in the neighbourhood of `at`, so that it may be an address:
/// with the same upper half, or on 32-bit machines within 16 MiB.
pub(super) fn is_near_a_mapping(process: &Process, at: Avma) -> bool {
    let shift = if process.memory.word() == 4 { 24 } else { 32 };
    let part = at.0 >> shift;
    let regions = process.memory.regions();
    regions
        .iter()
        .any(|region| (region.range.start.0 >> shift..=region.range.end.0 >> shift).contains(&part))
}

/// The last byte of the mapping that ends at most `reach` bytes before `at`.
pub(super) fn end_before(process: &Process, at: Avma, reach: u64) -> Option<Avma> {
    let regions = process.memory.regions();
    let after = regions.partition_point(|region| region.range.start <= at);
    let end = regions.get(after.checked_sub(1)?)?.range.end;
    let between = at.0.checked_sub(end.0)?;
    (between < reach).then_some(Avma(end.0.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const STACK: u64 = 0x7ffd_0000_0000;
    const OTHER: u64 = 0x7f00_0000_0000;

    fn process() -> Process {
        let core = CoreBuilder::x86_64()
            .signal(11)
            .thread(7, &[("rsp", STACK + 0x800)])
            .thread(8, &[("rsp", OTHER + 0x400)])
            .files(&[(0x10_0000, 0x10_2000, 0x3000, "/var/data")])
            .segment(STACK, &[0; 8], 0x1000)
            .segment(OTHER, &[0; 8], 0x1000)
            .segment_with(0x10_0000, &[0; 8], 0x2000, "r")
            .write();
        Process::open(core.path(), Options::default(), &()).unwrap()
    }

    fn stack(at: u64) -> Option<(i64, OnStack)> {
        on_stack(&process(), Avma(at)).map(|found| (found.tid, found.place))
    }

    #[test]
    fn below_a_stack_pointer_is_what_a_function_left_that_has_returned() {
        assert_eq!(stack(OTHER + 0x300), Some((8, OnStack::Below(0x100))));
        assert_eq!(stack(STACK + 0x100), Some((7, OnStack::Below(0x700))));
        assert_eq!(stack(STACK + 0x2000), None);
    }

    #[test]
    fn what_a_leaf_function_uses_below_its_stack_pointer_is_in_use() {
        assert_ne!(stack(OTHER + 0x400 - 64), Some((8, OnStack::Below(64))));
        assert_eq!(stack(OTHER + 0x400), None, "the stack pointer itself shows nothing");
    }

    #[test]
    fn a_mapped_file_is_named_with_the_offset_in_the_file() {
        let found = in_file(&process(), Avma(0x10_1010)).unwrap();
        assert_eq!((found.path.to_str(), found.offset), (Some("/var/data"), 0x4010));
    }

    #[test]
    fn the_end_of_a_mapping_is_found_from_just_behind_it() {
        let end = |at| end_before(&process(), Avma(at), 4096);
        assert_eq!(end(STACK + 0x1000), Some(Avma(STACK + 0xfff)));
        assert_eq!(end(STACK + 0x1fff), Some(Avma(STACK + 0xfff)));
        assert_eq!(end(STACK + 0x2000), None);
        assert_eq!(end(0x1000), None);
    }
}
