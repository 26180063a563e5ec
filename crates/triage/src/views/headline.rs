//! The title of a crash: what distinguishes it from others first.

use obit_ownership::normalized;
use obit_redact::Shown;
use obit_report::{Cause, Signature};

/// Characters of a title.
const LONGEST: usize = 200;
/// Parts of a function's qualified name.
const PARTS: usize = 2;

/// The title of a crash, for lists: the expression and its value, the message, the function.
/// The class is not in it; lists show it behind.
///
/// `items[3].name is NULL in print_item`, `assertion left > 0 failed in share`,
/// `std::out_of_range: vector::_M_range_check: … in price_of`, `give_up: abort() called`.
pub fn headline(cause: &Cause, signature: Option<&Signature>) -> String {
    let function = cause.blame.as_ref().and_then(|blame| blame.function.as_ref());
    let function = function.map(|name| short(name.as_str())).filter(|name| !name.is_empty());
    let fact = said(cause).or_else(|| found(cause, signature));
    let text = match (fact, function) {
        (Some(Fact { text, callee, is_whole: false }), Some(function)) => {
            // A clause ends before the next one.
            let comma = if text.contains(", ") { "," } else { "" };
            let callee = callee.map_or_else(String::new, |callee| format!(", calling {callee}"));
            format!("{text}{comma} in {function}{callee}")
        }
        (Some(fact), _) => fact.text,
        (None, Some(function)) => {
            let is_fault = cause.explanation.is_some();
            let callee = signature.filter(|_| is_fault).and_then(callee);
            let callee = callee.map_or_else(String::new, |callee| format!(", calling {callee}"));
            format!("{function}{callee}: {}", cause.title.as_str())
        }
        (None, None) => cause.title.as_str().to_owned(),
    };
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}\u{2026}"),
        None => text,
    }
}

/// What is particular about a crash.
struct Fact {
    text: String,
    /// The library function that the function to blame called.
    callee: Option<String>,
    /// Whether the text names its function, or is about none.
    is_whole: bool,
}

impl Fact {
    fn of(text: String) -> Self {
        Self { text, callee: None, is_whole: false }
    }
}

/// What the program reported itself: the condition of an assertion, the type of an exception
/// and its message, the message of a panic or of the C library.
fn said(cause: &Cause) -> Option<Fact> {
    let message = cause.message.as_ref().map(Shown::as_str);
    let line = message.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
    let line = line.map(without_frame);
    let exception = match cause.title.as_str().split_once(": ") {
        Some((_, exception)) if !exception.contains(' ') => Some(exception),
        _ => None,
    };
    match (exception, line) {
        (Some(exception), Some(line)) => Some(Fact::of(format!("{exception}: {line}"))),
        (Some(only), None) => Some(Fact::of(only.to_owned())),
        (None, Some(line)) => Some(Fact::of(condition(line).unwrap_or_else(|| line.to_owned()))),
        (None, None) => None,
    }
}

/// A message without what libraries put around each.
fn without_frame(line: &str) -> &str {
    let line = line.strip_prefix("*** ").unwrap_or(line);
    let line = line.strip_suffix(": terminated").unwrap_or(line);
    let line = line.strip_suffix(" ***").unwrap_or(line);
    line.strip_prefix("runtime error: ").unwrap_or(line)
}

/// The condition of an assertion as the C libraries print it.
fn condition(line: &str) -> Option<String> {
    let text = if let Some((_, rest)) = line.split_once("Assertion failed: ") {
        rest.rsplit_once(" (").map_or(rest, |(text, _)| text)
    } else {
        let (_, rest) = line.split_once("Assertion ")?;
        let rest = rest.strip_prefix(['`', '\''])?;
        rest.rsplit_once("' failed")?.0
    };
    Some(format!("assertion {text} failed"))
}

/// What the analysis found: the first part of the explanation, where it names a value of the
/// source.
fn found(cause: &Cause, signature: Option<&Signature>) -> Option<Fact> {
    let explanation = cause.explanation.as_ref()?.as_str();
    let first = explanation.split("; ").next().unwrap_or(explanation);
    match cause.class.as_str() {
        "stack-overflow" => {
            let text = first.split_once(", ").map_or(first, |(start, _)| start);
            return Some(Fact { text: plain(text), callee: None, is_whole: true });
        }
        "deadlock" => {
            let rest = first.strip_prefix("thread ").and_then(|rest| rest.split_once(' '));
            let text = rest.map_or(first, |(_, rest)| rest);
            let text = text.rsplit_once(" (").map_or(text, |(start, _)| start);
            return Some(Fact { text: plain(text), callee: None, is_whole: true });
        }
        _ if !first.starts_with('`') && !first.starts_with("the address") => return None,
        _ => {}
    }
    let text = if let Some((value, function)) = first.split_once(", returned by `") {
        format!("{}, returned by {}", plain(value), short(function.trim_end_matches('`')))
    } else if let Some((value, _)) = first.split_once(", read at ") {
        format!("{}, left by a function that has returned", plain(value))
    } else {
        plain(first)
    };
    Some(Fact { callee: signature.and_then(callee), ..Fact::of(text) })
}

/// The library function in a signature: the first of at least two names, unless it marks a
/// missing one.
fn callee(signature: &Signature) -> Option<String> {
    let (first, _) = signature.text.as_str().split_once(" | ")?;
    (!first.starts_with('(')).then(|| short(first))
}

/// Without the signs that mark code in prose.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// The last parts of a function's name, without arguments.
fn short(name: &str) -> String {
    let name = normalized(name);
    let start = name.rmatch_indices("::").nth(PARTS - 1).map(|(at, _)| at + 2);
    start.and_then(|start| name.get(start..)).unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::Blame;

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    /// The title of a crash with this class and title, explanation, message, function and
    /// signature; '' is none.
    fn of([class, title, explanation, message, function, signature]: [&str; 6]) -> String {
        let optional = |text: &str| (!text.is_empty()).then(|| shown(text));
        let cause = Cause {
            class: class.to_owned(),
            title: shown(title),
            explanation: optional(explanation),
            message: optional(message),
            blame: Some(Blame { function: optional(function), ..Blame::default() }),
            ..Cause::default()
        };
        let signature = Signature { text: shown(signature), ..Signature::default() };
        headline(&cause, Some(&signature))
    }

    #[test]
    fn a_bad_value_is_named_with_its_expression_and_function() {
        for (crash, wanted) in [
            (
                [
                    "null-read",
                    "NULL pointer read",
                    "`items[3].name` is NULL; reading 1 byte at 0x0",
                    "",
                    "print_item",
                    "print_item in shop",
                ],
                "items[3].name is NULL in print_item",
            ),
            (
                [
                    "null-read",
                    "NULL pointer read",
                    "`key` is NULL; reading 32 bytes at 0x0",
                    "",
                    "shop::(anonymous namespace)::Cart::find(int)",
                    "strlen | shop::Cart::find in shop",
                ],
                "key is NULL in Cart::find, calling strlen",
            ),
            (
                [
                    "null-call",
                    "call through a NULL function pointer",
                    "`o->f` is NULL; executing at \
                  0x0",
                    "",
                    "run",
                    "(no code) | run in shop",
                ],
                "o->f is NULL in run",
            ),
            (
                [
                    "null-read",
                    "NULL pointer read",
                    "`a` is NULL, returned by `T& std::forward<T&>(T&)`; \
                  reading 8 bytes at 0x8",
                    "",
                    "pay",
                    "pay in shop",
                ],
                "a is NULL, returned by std::forward, in pay",
            ),
            (
                ["divide-by-zero", "division by zero", "`month->count` is 0", "", "share", ""],
                "month->count is 0 in share",
            ),
            // A register is nothing that the source has.
            (
                [
                    "null-read",
                    "NULL pointer read",
                    "rax is 0x8; reading 8 bytes at 0x8",
                    "",
                    "walk",
                    "",
                ],
                "walk: NULL pointer read",
            ),
            (
                [
                    "unmapped-read",
                    "read from unmapped memory",
                    "rsi is 0x1000; reading 64 bytes at 0x1000",
                    "",
                    "start",
                    "memmove | copy in shop",
                ],
                "start, calling memmove: read from unmapped memory",
            ),
        ] {
            assert_eq!(of(crash), wanted);
        }
    }

    #[test]
    fn what_the_program_reported_goes_first() {
        for (crash, wanted) in [
            (
                [
                    "assertion",
                    "assertion failed",
                    "",
                    "lua: ./ltable.c:872: luaH_setint: Assertion \
                  `n != 0' failed.",
                    "luaH_setint",
                    "assert_fail | luaH_setint in lua",
                ],
                "assertion n != 0 failed in luaH_setint",
            ),
            (
                [
                    "assertion",
                    "assertion failed",
                    "",
                    "Assertion failed: n > 0 (a.c: f: 12)",
                    "f",
                    "",
                ],
                "assertion n > 0 failed in f",
            ),
            (
                [
                    "uncaught-exception",
                    "uncaught exception: std::runtime_error",
                    "",
                    "quota exceeded",
                    "shop::Quota::charge",
                    "",
                ],
                "std::runtime_error: quota exceeded in Quota::charge",
            ),
            (
                [
                    "go-panic",
                    "Go panic",
                    "",
                    "runtime error: index out of range [7] with length 3",
                    "main.item",
                    "",
                ],
                "index out of range [7] with length 3 in main.item",
            ),
            (
                [
                    "stack-smashing",
                    "stack buffer overflow detected",
                    "",
                    "*** stack smashing detected \
                  ***: terminated",
                    "read_name",
                    "",
                ],
                "stack smashing detected in read_name",
            ),
            (
                ["rust-panic", "Rust panic", "", "\n first\nsecond", "app::record", ""],
                "first in app::record",
            ),
        ] {
            assert_eq!(of(crash), wanted);
        }
    }

    #[test]
    fn what_has_no_value_and_no_message_is_named_by_its_function_or_its_class() {
        for (crash, wanted) in [
            (["abort", "abort() called", "", "", "give_up", ""], "give_up: abort() called"),
            (
                ["signal", "killed by SIGUSR1; cause unknown", "", "", "", ""],
                "killed by SIGUSR1; cause unknown",
            ),
            (
                [
                    "stack-overflow",
                    "stack overflow",
                    "walk \u{2190} visit repeats 1813 times, 144 bytes \
                  of stack each time",
                    "",
                    "visit",
                    "",
                ],
                "walk \u{2190} visit repeats 1813 times",
            ),
            (
                [
                    "deadlock",
                    "deadlock",
                    "thread 15085 holds mutex `a` and waits for mutex `b` in f \
                  (t.c:49); thread 15086 holds mutex `b` and waits for mutex `a` in f (t.c:49)",
                    "",
                    "f",
                    "",
                ],
                "holds mutex a and waits for mutex b in f",
            ),
        ] {
            assert_eq!(of(crash), wanted);
        }
        let long = of(["abort", &"\u{e9}".repeat(5_000), "", "", "", ""]);
        assert_eq!(long.chars().count(), LONGEST + 1);
    }
}
