//! Why each fixture died: what its source says must be what obit says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Case, report};

/// Case, class, function to blame, expression that held the bad value.
const CAUSES: [(&str, &str, &str, Option<&str>); 18] = [
    ("null-field", "null-read", "next_serial", Some("owner")),
    ("recursion", "stack-overflow", "parse_sum", None),
    ("jump-null", "null-call", "finish", Some("plugin->close")),
    ("inlines", "null-read", "toll_of", None),
    ("cpp", "null-read", "ledger::(anonymous namespace)::refund<int>", None),
    ("rust", "null-read", "index::{impl#0}::visit", None),
    ("i386", "assertion", "convert", None),
    ("shared-lib", "null-read", "add", Some("sum")),
    ("no-cfi", "null-read", "letters", None),
    ("debug-frame", "null-read", "letters", None),
    ("split-dwarf", "null-read", "letters", None),
    ("debuglink", "null-read", "letters", None),
    ("mini-debuginfo", "null-read", "letters", None),
    ("aarch64", "null-read", "weight", Some("parcel")),
    ("sighandler", "null-read", "checksum", Some("from")),
    ("failed-open", "null-read", "duration", Some("recipe")),
    ("ubsan-trap", "trap", "jars_on", None),
    ("libcxxabi", "null-write", "on_terminate", None),
];

#[test]
fn the_class_the_function_and_the_expression_are_those_of_the_source() {
    for (name, class, function, expression) in CAUSES {
        let report = report(&Case::named(name).core(), &[]);
        let cause = &report["cause"];
        assert_eq!(cause["class"], class, "{name}: {cause}");
        assert_eq!(cause["confidence"], "proved", "{name}: {cause}");
        let blame = &cause["blame"];
        assert_eq!(blame["function"], function, "{name}: {cause}");
        assert_eq!(blame["expression"].as_str(), expression, "{name}: {cause}");
    }
}

#[test]
fn an_assertion_is_quoted() {
    let report = report(&Case::named("i386").core(), &[]);
    let message = report["cause"]["message"].as_str().unwrap();
    assert!(message.contains("Assertion `rate->denominator != 0' failed."), "{message}");
}

#[test]
fn without_a_decoder_the_access_is_doubtful_and_said_to_be() {
    let report = report(&Case::named("riscv64").core(), &[]);
    assert_eq!(report["cause"]["class"], "null-access");
    assert_eq!(report["cause"]["confidence"], "likely");
}

/// Whether one piece of the evidence for the cause of a case says `text`.
fn is_told(case: &str, text: &str) -> bool {
    let report = report(&Case::named(case).core(), &["--redact=off".as_ref()]);
    let evidence = report["cause"]["evidence"].as_array().unwrap();
    evidence.iter().any(|evidence| evidence["text"] == text)
}

#[test]
fn a_fault_that_a_handler_caught_says_so() {
    assert!(is_told(
        "sighandler",
        "SIGSEGV (SEGV_MAPERR) was caught by a handler, which has not returned"
    ));
}

#[test]
fn what_a_failed_call_left_in_errno_is_evidence() {
    assert!(is_told("failed-open", "errno is ENOENT (2)"));
}

#[test]
fn an_exception_that_is_being_handled_is_told_of_either_runtime() {
    assert!(is_told("cpp", "while handling std::runtime_error: not enough"));
    assert!(is_told("libcxxabi", "while handling TooHot: the oven is at 300 degrees"));
}

#[test]
fn the_check_of_a_sanitizers_trap_is_named() {
    assert!(is_told(
        "ubsan-trap",
        "a check of UndefinedBehaviorSanitizer: an index was out of bounds"
    ));
}
