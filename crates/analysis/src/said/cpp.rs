//! C++ that ended itself: an exception that nothing caught, a pure virtual function, or
//! `std::terminate` for another reason.

use super::exception::{Exceptions, Thrown};
use super::stack::Stack;
use super::{Said, Speaker, Subject};
use obit_corefile::addr::Avma;
use obit_corefile::arch::TlsBlocks;
use obit_corefile::elf::SegmentKind;
use obit_corefile::limits::Limits;
use obit_dwarf::{Language, demangle};
use obit_process::module::thread_local_block;

/// Functions of the C++ runtime that end the process for an exception's sake.
const FOR_AN_EXCEPTION: [&str; 7] = [
    "__cxa_throw",
    "__cxa_rethrow",
    "__cxa_rethrow_primary_exception",
    "__cxa_call_terminate",
    "__clang_call_terminate",
    "__gxx_personality_v0",
    "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
];

/// Those of them that throw again what was caught: `throw;` and `std::rethrow_exception`, which
/// `std::future::get` calls.
const THROWN_AGAIN: [&str; 3] = [
    "__cxa_rethrow",
    "__cxa_rethrow_primary_exception",
    "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
];

/// Those through which an exception passes that may not leave a function: the unwinder's
/// search found that function, or its landing pad was entered.
const FOR_A_NOEXCEPT: [&str; 3] =
    ["__cxa_call_terminate", "__clang_call_terminate", "__gxx_personality_v0"];

/// Those of them that a landing pad calls, when the stack has been unwound to there.
const LANDED: [&str; 2] = ["__cxa_call_terminate", "__clang_call_terminate"];

/// Unwinding without an exception: the thread was cancelled.
const FORCED: [&str; 2] = ["_Unwind_ForcedUnwind", "_Unwind_ForcedUnwind_Phase2"];

/// Those that end it for any reason.
const TERMINATING: [&str; 4] = [
    "_ZSt9terminatev",
    "std::terminate",
    "_ZSt11__terminatePFvvE",
    "_ZN10__cxxabiv111__terminateEPFvvE",
];

/// Bytes of a module's thread-local storage that are searched. libstdc++ has 32.
const STORAGE_BYTES: u64 = 4096;

/// Bytes of glibc's `struct pthread`, all versions since 2.17; its first keys are within.
const STRUCT_PTHREAD: usize = 0x900;

/// What C++'s runtime ended the process for.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() {
        return None;
    }
    let pure = stack.find_one_of(&["__cxa_pure_virtual"]);
    if let Some(at) = pure.filter(|at| stack.is_library_up_to(*at)) {
        return Some(bare(Speaker::PureVirtual, stack.raised_below(at)));
    }
    let thrown_at = stack.find_one_of(&FOR_AN_EXCEPTION);
    let terminated_at = stack.find_one_of(&TERMINATING);
    let at = [thrown_at, terminated_at].into_iter().flatten().min()?;
    let frame = stack.raised_below(at);
    // What is further out than the first application frame is not part of this crash.
    let is_thrown = thrown_at.is_some_and(|at| frame.is_none_or(|frame| at < frame));
    if !is_thrown {
        return Some(bare(Speaker::Terminate, frame));
    }
    let mut said = bare(Speaker::CppException, frame);
    said.subject = thrower(stack, frame);
    let exceptions = stack.frames.get(at)?.module.map(|module| caught(stack, module));
    let exceptions = exceptions.unwrap_or_default();
    // One that a destructor throws during unwinding ends the process likewise, but then
    // another is still on its way.
    let is_only = !exceptions.caught.is_empty() && exceptions.uncaught == Some(0);
    if is_only && is_stopped_by_a_function(stack, frame) {
        said.speaker = Speaker::NoexceptViolation;
    }
    // The runtime adds the one it ends the process for to those that are being handled.
    if let Some(thrown) = exceptions.caught.into_iter().next() {
        said.text = with_nested(&thrown, &stack.process.limits);
        said.exception = type_name(&thrown.mangled, &stack.process.limits);
    }
    Some(said)
}

/// What is odd about the exception that ended the process in frame `frame`: that it had been
/// caught before, or that the frame which threw it is gone.
fn thrower(stack: &Stack<'_>, frame: Option<usize>) -> Option<Subject> {
    let is_inward = |functions: &[&str]| {
        let found = stack.find_one_of(functions);
        found.is_some_and(|at| frame.is_none_or(|frame| at < frame))
    };
    if is_inward(&THROWN_AGAIN) {
        return Some(Subject::CaughtException);
    }
    let is_lost = is_inward(&LANDED) && !is_inward(&["__cxa_throw"]);
    is_lost.then_some(Subject::LostException)
}

/// What an exception says, and those that it was thrown for.
fn with_nested(thrown: &Thrown, limits: &Limits) -> String {
    let mut text = thrown.text.clone().unwrap_or_default();
    let mut next = thrown.nested.as_deref();
    while let Some(nested) = next {
        let name = type_name(&nested.mangled, limits).unwrap_or_else(|| nested.mangled.clone());
        text.push_str(if text.is_empty() { "nested: " } else { "; nested: " });
        text.push_str(&name);
        if let Some(said) = &nested.text {
            text.push_str(": ");
            text.push_str(said);
        }
        next = nested.nested.as_deref();
    }
    text
}

/// Whether a function ended the way of the exception that was thrown in frame `frame` or
/// inward of it.
fn is_stopped_by_a_function(stack: &Stack<'_>, frame: Option<usize>) -> bool {
    let is_inward = |at: usize| frame.is_none_or(|frame| at < frame);
    stack.find_one_of(&FOR_A_NOEXCEPT).is_some_and(is_inward)
        && !stack.find_one_of(&FORCED).is_some_and(is_inward)
}

fn bare(speaker: Speaker, frame: Option<usize>) -> Said {
    Said { speaker, text: String::new(), exception: None, frame, subject: None, is_inferred: false }
}

/// The exceptions that the crashed thread has caught and not done with, the last caught
/// first: type, and what it says.
pub(super) fn handled(stack: &Stack<'_>) -> Vec<(String, Option<String>)> {
    let limits = &stack.process.limits;
    let found = runtime(stack).map(|module| caught(stack, module)).unwrap_or_default().caught;
    let named = |thrown: Thrown| {
        let text = Some(with_nested(&thrown, limits)).filter(|text| !text.is_empty());
        Some((type_name(&thrown.mangled, limits)?, text))
    };
    found.into_iter().filter_map(named).collect()
}

/// The module that holds C++'s runtime: its shared object, or the program.
fn runtime(stack: &Stack<'_>) -> Option<usize> {
    const RUNTIMES: [&str; 3] = ["libstdc++.so", "libc++abi.so", "libcxxrt.so"];
    let modules = &stack.process.modules;
    let is_runtime = |module: &obit_process::module::Module| {
        let file = module.path.file_name().map(|name| name.to_string_lossy());
        file.is_some_and(|file| RUNTIMES.iter().any(|start| file.starts_with(start)))
    };
    modules.list().iter().position(is_runtime).or_else(|| {
        let program = modules.executable()?;
        modules.debug_if_searched(program)?.function_named("__cxa_get_globals").map(|_| program)
    })
}

/// What the runtime keeps of the exceptions of one thread: `__cxa_eh_globals`.
#[derive(Debug, Default, PartialEq, Eq)]
struct ThreadExceptions {
    /// Those in `caughtExceptions`: caught and not done with, the last caught first.
    caught: Vec<Thrown>,
    /// `uncaughtExceptions`: how many are on their way to a handler.
    uncaught: Option<u64>,
}

/// The exceptions of the crashed thread.
///
/// The variable has no symbol, but it lies in the thread-local storage of the runtime, and
/// a pointer to the header of an exception is unlike anything else.
fn caught(stack: &Stack<'_>, module: usize) -> ThreadExceptions {
    let process = stack.process;
    let block = || {
        let image = process.modules.get(module)?.image.as_ref()?;
        let segment = image.segments().iter().find(|s| s.kind == SegmentKind::Tls)?;
        let size = usize::try_from(segment.mem_size.min(STORAGE_BYTES)).ok()?;
        let pointer = process.dump.threads.get(stack.thread)?.thread_pointer?;
        let (modules, memory) = (&process.modules, &process.memory);
        let block = thread_local_block(modules, memory, process.dump.machine, pointer.0, module);
        Some((block.ok()?, size))
    };
    let memory = &process.memory;
    let symbol_at = |at| stack.symbol_at(at);
    let exceptions =
        Exceptions { memory, symbol_at: &symbol_at, machine: stack.process.dump.machine };
    let word = memory.word() as u64;
    let places = block().into_iter().flat_map(|(start, size)| {
        (0..size as u64 / word).filter_map(move |nth| start.checked_add(nth.checked_mul(word)?))
    });
    let mut found =
        places.map(|at| globals(&exceptions, at)).filter(|globals| !globals.caught.is_empty());
    let first = found.next().unwrap_or_else(|| by_key(stack, &exceptions));
    // Of two it could be either.
    if found.next().is_some() { ThreadExceptions::default() } else { first }
}

/// What is kept at `at`, if that is where the runtime keeps it.
fn globals(exceptions: &Exceptions<'_>, at: Avma) -> ThreadExceptions {
    let memory = exceptions.memory;
    let caught = memory.read_word(at).map(|list| exceptions.chain(list)).unwrap_or_default();
    // An `unsigned int` behind the pointer (Itanium C++ ABI § 2.2.2).
    let mut bytes = [0; 4];
    let count = at.checked_add(memory.word() as u64);
    let count = count.filter(|at| memory.read(*at, &mut bytes).is_ok());
    ThreadExceptions { caught, uncaught: count.map(|_| memory.unsigned(&bytes)) }
}

/// The same of a libc++abi that keeps it under a key of `pthread_getspecific`: a pointer to
/// the variable lies in glibc's `struct pthread`.
fn by_key(stack: &Stack<'_>, exceptions: &Exceptions<'_>) -> ThreadExceptions {
    let process = stack.process;
    let memory = &process.memory;
    let pointer = process.dump.threads.get(stack.thread).and_then(|thread| thread.thread_pointer);
    // On Arm it lies below the pointer.
    let tls = process.dump.machine.facts().and_then(|facts| facts.tls.as_ref());
    let start = match tls.map(|tls| tls.blocks) {
        Some(TlsBlocks::Below) => pointer,
        _ => pointer.and_then(|at| Some(Avma(at.0.checked_sub(STRUCT_PTHREAD as u64)?))),
    };
    let Some(start) = start else { return ThreadExceptions::default() };
    let storage = memory.read_up_to(start, STRUCT_PTHREAD);
    let words = storage.chunks_exact(memory.word()).map(|word| memory.unsigned(word));
    let lists = words.map(|word| globals(exceptions, Avma(word)));
    let mut found = lists.filter(|globals| !globals.caught.is_empty());
    let first = found.next().unwrap_or_default();
    let is_only = found.all(|other| other == first);
    if is_only { first } else { ThreadExceptions::default() }
}

/// The type with this name of `std::type_info`, as its author wrote it.
fn type_name(mangled: &str, limits: &Limits) -> Option<String> {
    let of_name = demangle(&format!("_ZTS{mangled}"), Language::Cpp, limits)?;
    let name = of_name.strip_prefix("typeinfo name for ")?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::stack::testing::frames_of;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};

    #[test]
    fn an_exception_whose_first_frame_is_gone_says_so() {
        let core = CoreBuilder::x86_64().signal(6).thread(1, &[]).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let thrower = |functions: &[&str]| {
            let frames = frames_of(functions);
            thrower(&Stack { process: &process, thread: 0, frames: &frames }, Some(3))
        };
        let caught = Some(Subject::CaughtException);
        assert_eq!(thrower(&["abort", "std::terminate", "__cxa_rethrow", "open", "main"]), caught);
        let of_pointer = "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE";
        assert_eq!(thrower(&["abort", "std::terminate", of_pointer, "finish", "main"]), caught);
        assert_eq!(thrower(&["abort", "std::terminate", "__cxa_throw", "open", "main"]), None);
        let inside = ["abort", "std::terminate", "__cxa_throw", "open", "__cxa_rethrow", "main"];
        assert_eq!(thrower(&inside), None, "of another exception");
        let landed = ["abort", "std::terminate", "__clang_call_terminate", "update", "main"];
        assert_eq!(thrower(&landed), Some(Subject::LostException));
    }

    #[test]
    fn the_name_in_a_type_info_is_shown_as_sources_have_it() {
        let name = |mangled| type_name(mangled, &Limits::default());
        assert_eq!(name("St12out_of_range").as_deref(), Some("std::out_of_range"));
        assert_eq!(name("10ParseError").as_deref(), Some("ParseError"));
        assert_eq!(name("PKc").as_deref(), Some("char const*"));
        assert_eq!(name("i").as_deref(), Some("int"));
        assert_eq!(name("no type at all"), None);
    }
}
