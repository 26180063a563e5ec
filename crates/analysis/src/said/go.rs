//! Go: a panic that nothing recovered from, or a fatal error of the runtime
//! (`runtime/panic.go`).

use super::stack::Stack;
use super::{Said, Speaker, Subject, TEXT_BYTES, go_memory};
use obit_process::value::{Budget, Scalar, State, Value, tree};

/// Functions by which the runtime ends the process after it has printed why. `func1` runs on
/// another stack, which may be all that can be unwound.
const FATAL: [&str; 5] = [
    "runtime.fatalpanic",
    "runtime.throw",
    "runtime.fatalthrow",
    "runtime.fatalthrow.func1",
    "runtime.fatal",
];

/// What Go's runtime ended the process for.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    let fatal = stack.find_one_of(&FATAL).filter(|at| stack.is_library_up_to(*at))?;
    let frame = stack.raised_below(fatal);
    let end = frame.unwrap_or(stack.frames.len());
    let inner = |function| stack.find_one_of(function).filter(|at| *at < end);
    let mut subject = None;
    let (speaker, text) = if let Some(at) = inner(&["runtime.throw", "runtime.fatal"]) {
        let text = variable(stack, at, "s").and_then(|s| s.text).map(|text| text.text);
        let text = text.or_else(|| thrown_by(stack, at, end));
        let text = text.or_else(|| go_memory::thrown_with(stack, at));
        let is_memory = text.as_deref().is_some_and(|text| text.ends_with(OUT_OF_MEMORY));
        (if is_memory { Speaker::OutOfMemory } else { Speaker::GoFatal }, text)
    } else if let Some(at) = inner(&["runtime.gopanic"]) {
        let text = panicked_with(stack, at).or_else(|| go_memory::panicked_with(stack, at));
        let text = text.or_else(|| by_function(stack, at));
        subject = match (is_of_pointer(stack, at), is_later(stack, at)) {
            (_, true) => Some(Subject::LaterPanic),
            (true, false) => Some(Subject::UsedPointer),
            (false, false) => None,
        };
        (Speaker::GoPanic, text)
    } else {
        (Speaker::GoFatal, None)
    };
    Some(Said {
        speaker,
        text: text.unwrap_or_default(),
        exception: None,
        frame,
        subject,
        is_inferred: false,
    })
}

/// What `gopanic` had to say: the string that `preprintpanics` made of its argument, else
/// the argument.
fn panicked_with(stack: &Stack<'_>, at: usize) -> Option<String> {
    let record = variable(stack, at, "p");
    let arg = record.as_ref().and_then(|record| {
        record.members.iter().find(|member| member.name.as_deref() == Some("arg"))
    });
    arg.and_then(text_of).or_else(|| text_of(&variable(stack, at, "e")?))
}

/// What the function that panicked says whenever it does.
fn by_function(stack: &Stack<'_>, panic: usize) -> Option<String> {
    const TEXTS: [(&str, &str); 2] = [
        ("runtime.panicmem", "runtime error: invalid memory address or nil pointer dereference"),
        ("runtime.panicdivide", "runtime error: integer divide by zero"),
    ];
    let caller = panic.checked_add(1)?;
    let found = TEXTS.iter().find(|(function, _)| stack.is_called(caller, function));
    found.map(|(_, text)| (*text).to_owned())
}

/// Whether the panic in frame `panic` is the runtime's own for a fault of an instruction.
fn is_of_pointer(stack: &Stack<'_>, panic: usize) -> bool {
    const RAISING: [&str; 2] = ["runtime.panicmem", "runtime.panicmemAddr"];
    let caller = panic.checked_add(1);
    caller.is_some_and(|caller| RAISING.iter().any(|name| stack.is_called(caller, name)))
}

/// Whether another panic runs the deferred function that raised the one in frame `panic`.
fn is_later(stack: &Stack<'_>, panic: usize) -> bool {
    let outward = panic.saturating_add(1)..stack.frames.len();
    outward.into_iter().any(|at| stack.is_called(at, "runtime.gopanic"))
}

/// What Go's runtime says if the system gives no more memory.
const OUT_OF_MEMORY: &str = "out of memory";

/// What a function says whenever it calls `throw` or `fatal`.
fn thrown_by(stack: &Stack<'_>, throw: usize, end: usize) -> Option<String> {
    const TEXTS: [(&str, &str); 5] = [
        ("runtime.checkdead", "all goroutines are asleep - deadlock!"),
        ("runtime.newstack", "stack overflow"),
        ("runtime.sysMapOS", OUT_OF_MEMORY),
        ("runtime.sysMap", OUT_OF_MEMORY),
        ("runtime.(*mcache).allocLarge", OUT_OF_MEMORY),
    ];
    let caller = throw.checked_add(1).filter(|caller| *caller < end)?;
    let found = TEXTS.iter().find(|(function, _)| stack.is_called(caller, function));
    found.map(|(_, text)| (*text).to_owned())
}

/// The argument or local called `name` of a frame.
fn variable(stack: &Stack<'_>, frame: usize, name: &str) -> Option<Value> {
    let view = stack.process.frame_view(stack.thread, frame)?;
    let variables = view.variables();
    let called = |variable: &obit_dwarf::Variable| variable.name.as_deref() == Some(name);
    let (_, object) = variables.iter().find(|(variable, _)| called(variable))?;
    let mut budget = Budget::default();
    budget.max_text = TEXT_BYTES;
    Some(tree(object.as_ref()?, None, view.scene(), &budget))
}

/// The text that the runtime prints for a value in an interface. Of other types a method
/// decides: what it would say is not known.
fn text_of(interface: &Value) -> Option<String> {
    let held = interface.elements.first()?;
    match (held.type_name.as_deref()?, &held.text, &held.state) {
        ("string", Some(text), _) => Some(text.text.clone()),
        ("runtime.errorString", Some(text), _) => Some(format!("runtime error: {}", text.text)),
        ("int" | "int32" | "int64", _, State::Scalar(Scalar::Signed(number))) => {
            Some(number.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::stack::testing::frames_of;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};
    use obit_process::value::{Text, TextOrigin};

    fn interface(type_name: &str, text: &str) -> Value {
        let text = Text { text: text.to_owned(), origin: TextOrigin::Data, left_out: None };
        let type_name = Some(type_name.into());
        let held = Value { type_name, text: Some(text), ..Value::default() };
        Value { elements: vec![held], ..Value::default() }
    }

    #[test]
    fn a_panic_says_the_string_it_was_given_or_an_error_of_the_runtime() {
        let said = |type_name, text| text_of(&interface(type_name, text));
        assert_eq!(said("string", "out of eggs").as_deref(), Some("out of eggs"));
        let expected = "runtime error: integer divide by zero";
        assert_eq!(
            said("runtime.errorString", "integer divide by zero").as_deref(),
            Some(expected)
        );
    }

    #[test]
    fn a_panic_of_a_function_that_another_panic_runs_is_the_later_one() {
        let core = CoreBuilder::x86_64().signal(6).thread(1, &[]).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let is_later = |functions: &[&str]| {
            let frames = frames_of(functions);
            is_later(&Stack { process: &process, thread: 0, frames: &frames }, 1)
        };
        let panic = "runtime.gopanic";
        assert!(is_later(&["runtime.fatalpanic", panic, "main.guard.func1", panic, "main.load"]));
        assert!(!is_later(&["runtime.fatalpanic", panic, "main.load", "main.main"]));
    }

    #[test]
    fn what_the_error_method_of_a_program_says_is_not_known() {
        assert_eq!(text_of(&interface("main.EggError", "out of eggs")), None);
    }
}
