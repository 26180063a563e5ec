//! What else the process left that bears on its end: not the cause, but beside it.

use super::fact::Fact;
use super::stack::Stack;
use super::{Said, Speaker, cpp, errno, rust_stripped, system_calls, watchdog};
use crate::fault::{Fault, Reason, earlier};
use crate::owner::names;
use obit_corefile::dump::SignalDetail;
use obit_process::process::{Frame, Process};

/// Facts beside the cause. Each is looked for only where it can bear on the end.
pub(crate) fn facts(
    process: &Process,
    fault: Option<&Fault>,
    said: Option<&Said>,
    sender: Option<i64>,
) -> Vec<Fact> {
    let signal = process.dump.signal.as_ref();
    let Some(stack) = Stack::of_crashed(process) else { return Vec::new() };
    let mut found = Vec::new();
    if let (Some(fault), Some(thread)) = (fault, process.crashed()) {
        let earlier = earlier(process, thread).filter(|_| fault.activation == 0);
        found.extend(earlier.map(|caught| Fact::Earlier(caught.signal)));
    }
    if let Some(SignalDetail::SystemCall { number, arch, .. }) = signal.map(|signal| signal.detail)
    {
        found.push(Fact::SystemCall(number, system_calls::name(arch, number)));
    }
    found.extend(said.and_then(|said| panic_at(&stack, said)));
    found.extend(
        said.filter(|said| is_joinable_thread(stack.frames, said)).map(|_| Fact::JoinableThread),
    );
    if is_after_a_failure(fault, said, sender) {
        found.extend(errno::errno(&stack));
    }
    let is_reported = said.is_some_and(|said| {
        matches!(said.speaker, Speaker::CppException | Speaker::NoexceptViolation)
    });
    if !is_reported {
        let handled = cpp::handled(&stack).into_iter();
        found.extend(handled.map(|(exception, text)| Fact::Handled { exception, text }));
    }
    if sender.is_some() && stack.is_aborted() {
        found.extend(watchdog::expected(process).map(Fact::Watchdog));
    }
    found
}

/// Whether `std::terminate` was called by a `std::thread` that ends while it has a thread: its
/// destructor and its assignment do nothing else that would.
fn is_joinable_thread(frames: &[Frame], said: &Said) -> bool {
    const TERMINATING: [&str; 3] = ["std::terminate", "_ZSt9terminatev", "std::__terminate"];
    const ENDING: [&str; 5] = [
        "std::thread::~thread",
        "std::thread::operator=",
        "_ZNSt6threadD1Ev",
        "_ZNSt6threadD2Ev",
        "_ZNSt6threadaSEOS_",
    ];
    let is_one_of = |frame: &Frame, functions: &[&str]| {
        names(frame).any(|name| functions.contains(&name.as_ref()))
    };
    let mut outward = frames.iter().skip_while(|frame| !is_one_of(frame, &TERMINATING));
    let caller = outward.find(|frame| !is_one_of(frame, &TERMINATING));
    said.speaker == Speaker::Terminate && caller.is_some_and(|frame| is_one_of(frame, &ENDING))
}

/// Where a Rust panic was raised, where no debug information says so.
fn panic_at(stack: &Stack<'_>, said: &Said) -> Option<Fact> {
    let raised = said.frame.filter(|_| said.speaker == Speaker::RustPanic)?;
    if stack.frames.get(raised)?.source.is_some() {
        return None;
    }
    let at = rust_stripped::location(stack, raised)?;
    Some(Fact::PanicAt(at.file, at.line, at.column))
}

/// Whether a call that failed may be behind the end: the program gave up by itself, or
/// used a pointer that it was given as a sign of failure.
fn is_after_a_failure(fault: Option<&Fault>, said: Option<&Said>, sender: Option<i64>) -> bool {
    match (said, fault) {
        (Some(said), _) => matches!(
            said.speaker,
            Speaker::Assertion
                | Speaker::Abort
                | Speaker::Terminate
                | Speaker::CppException
                | Speaker::NoexceptViolation
        ),
        (None, Some(fault)) => fault.reason == Reason::Null,
        (None, None) => sender.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, CauseClass, Confidence, analyze};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const STACK: u64 = 0x7ffd_0000_0000;
    const PID: i32 = 77;

    /// The cause of the end of a process with this environment; the last number is what
    /// the kernel puts behind the code of a signal: the sender, or an address.
    fn cause(environment: &[&str], number: u16, code: i32, who: u64) -> Cause {
        let mut texts = b"./svc\0".to_vec();
        let mut place = |text: &str| {
            let at = STACK + 0x800 + texts.len() as u64;
            texts.extend(text.bytes().chain([0]));
            at
        };
        let pointers: Vec<u64> = environment.iter().map(|entry| place(entry)).collect();
        let name = place("./svc");
        // AT_EXECFN, AT_PAGESZ, AT_NULL
        let auxv = [(31, name), (6, 4096), (0, 0)];
        let mut block = vec![1, STACK + 0x800, 0];
        block.extend(pointers);
        block.push(0);
        block.extend(auxv.iter().flat_map(|(key, value)| [*key, *value]));
        let mut stack: Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
        stack.resize(0x800, 0);
        stack.extend(texts);
        let core = CoreBuilder::x86_64().signal(number).process(PID, "svc", "./svc");
        let core = core.thread(PID, &[("rip", 0x40_1000), ("rsp", STACK)]);
        let core = core.siginfo(i32::from(number), code, who).auxv(&auxv);
        let core = core.segment(STACK, &stack, 0x1000).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        analyze(&process).cause.unwrap()
    }

    #[test]
    fn an_abort_from_outside_reports_the_watchdog_that_was_on() {
        let watched = ["HOME=/", "WATCHDOG_USEC=3000000", "WATCHDOG_PID=77"];
        let killed = cause(&watched, 6, 0, 1);
        assert_eq!(killed.class, CauseClass::ExternalSignal);
        assert_eq!(killed.facts, [Fact::Watchdog(3_000_000)]);
        let of_parent = ["WATCHDOG_USEC=3000000", "WATCHDOG_PID=76"];
        assert_eq!(cause(&of_parent, 6, 0, 1).facts, []);
        assert_eq!(cause(&["HOME=/"], 6, 0, 1).facts, []);
        // It aborted itself.
        assert_eq!(cause(&watched, 6, -6, 77).facts, []);
    }

    #[test]
    fn limits_and_filters_of_system_calls_have_their_classes() {
        let class = |number, code| cause(&[], number, code, 0).class;
        assert_eq!(class(24, 0x80), CauseClass::ResourceLimit);
        assert_eq!(class(25, 0x80), CauseClass::ResourceLimit);
        assert_eq!(class(3, 0x80), CauseClass::Signal);
        let refused = cause(&[], 31, 1, 0);
        assert_eq!(refused.class, CauseClass::BadSystemCall);
        assert_eq!(refused.facts, [Fact::SystemCall(0, None)]);
    }

    /// A frame of a function.
    fn frame(function: &str) -> Frame {
        Frame {
            kind: obit_process::process::FrameKind::Normal,
            trust: obit_process::process::FrameTrust::CallFrameInfo,
            activation: 0,
            pc: obit_corefile::addr::Avma(0x40_1000),
            function: Some(function.into()),
            linkage_name: None,
            from_symbol: false,
            language: None,
            module: None,
            source: None,
            tail_calls: Vec::new(),
        }
    }

    #[test]
    fn a_thread_object_that_calls_terminate_was_joinable() {
        let of = |functions: &[&str], speaker| {
            let frames: Vec<Frame> = functions.iter().map(|function| frame(function)).collect();
            let text = String::new();
            let (exception, subject, is_inferred) = (None, None, false);
            let said = Said { speaker, text, exception, frame: None, subject, is_inferred };
            is_joinable_thread(&frames, &said)
        };
        let ended =
            ["abort", "std::terminate()", "std::__terminate", "std::thread::~thread", "run"];
        assert!(of(&ended, Speaker::Terminate));
        assert!(!of(&ended, Speaker::CppException));
        // The thread's function is what called it.
        let called = ["abort", "std::terminate()", "run", "std::thread::~thread"];
        assert!(!of(&called, Speaker::Terminate));
    }

    #[test]
    fn a_bus_error_without_a_file_is_one_of_the_memory_itself() {
        let found = cause(&[], 7, 3, 0x50_0000);
        assert_eq!((found.class, found.confidence), (CauseClass::BusError, Confidence::Likely));
    }
}
