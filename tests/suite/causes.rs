//! Why each fixture crashed: what its source says must be what obit says.

mod expected;

use std::path::Path;

use crate::fixture::{Case, report};
use expected::{FACTS, Fact, Program, Score, Sources};
use serde_json::Value;

/// Case, class, function to blame, expression that held the bad value.
const CAUSES: [(&str, &str, &str, Option<&str>); 21] = [
    ("null-field", "null-read", "book", Some("job->owner")),
    ("recursion", "stack-overflow", "parse_sum", None),
    ("jump-null", "null-call", "finish", Some("plugin->close")),
    ("inlines", "null-read", "toll_of", Some("stop->toll")),
    ("cpp", "null-read", "main::{lambda(int)#1}::operator()", Some("closed")),
    ("rust", "null-read", "index::{impl#0}::visit", Some("node.next")),
    ("i386", "assertion", "convert", None),
    ("shared-lib", "null-read", "main", Some("arg")),
    ("no-cfi", "null-read", "letters", Some("item->name")),
    ("debug-frame", "null-read", "letters", Some("item->name")),
    ("split-dwarf", "null-read", "letters", Some("item->name")),
    ("debuglink", "null-read", "letters", Some("item->name")),
    ("mini-debuginfo", "null-read", "letters", None),
    ("aarch64", "null-read", "heaviest", Some("first")),
    ("deadlock", "deadlock", "transfer", None),
    ("deadlock-cpp", "null-read", "cost_of", Some("jobs[i]")),
    ("deadlock-rust", "deadlock", "bank::transfer", None),
    ("sighandler", "null-read", "main", Some("header")),
    ("failed-open", "null-read", "main", Some("recipe")),
    ("ubsan-trap", "trap", "jars_on", None),
    ("libcxxabi", "null-write", "on_terminate", Some("last_temperature")),
];

/// Of these another function and expression are reported.
const ELSEWHERE: [(&str, &str); 3] = [
    ("cpp", "not traced to the lambda, whose name is another one too"),
    ("sighandler", "not traced beyond the handler's frame, to the constant"),
    ("aarch64", "not traced beyond an inlined function"),
];

/// Of these more would be needed to be sure.
const DOUBTFUL: [&str; 11] = [
    "deadlock-rust",
    "cpp",
    "shared-lib",
    "mini-debuginfo",
    "aarch64",
    "sighandler",
    // The pointer is a small number, and not 0.
    "inlines",
    "no-cfi",
    "debug-frame",
    "split-dwarf",
    "debuglink",
];

#[test]
fn the_class_the_function_and_the_expression_are_those_of_the_source() {
    for (name, class, function, expression) in CAUSES {
        let report = report(&Case::named(name).core(), &[]);
        let cause = &report["cause"];
        assert_eq!(cause["class"], class, "{name}: {cause}");
        let confidence = if DOUBTFUL.contains(&name) { "likely" } else { "proved" };
        assert_eq!(cause["confidence"], confidence, "{name}: {cause}");
        if ELSEWHERE.iter().any(|(case, _)| *case == name) {
            continue;
        }
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
    let report = report(&Case::named("s390x").core(), &[]);
    assert_eq!(report["cause"]["class"], "null-access");
    assert_eq!(report["cause"]["confidence"], "likely");
}

/// Programs that die in many ways, and where their source is.
const PROGRAMS: [(&str, &str); 12] = [
    ("causes-c-O0", "causes-c"),
    ("causes-c-O2", "causes-c"),
    ("causes-c-O3", "causes-c"),
    ("causes-aarch64", "causes-c"),
    ("causes-arm", "causes-c"),
    ("causes-riscv64", "causes-c"),
    ("causes-cpp-O0", "causes-cpp"),
    ("causes-cpp-O2", "causes-cpp"),
    ("causes-rust-O0", "causes-rust"),
    ("causes-rust-O3", "causes-rust"),
    ("causes-go", "causes-go"),
    ("causes-doubt", "causes-doubt"),
];

/// A miss that known.toml does not list, by program.
fn check(name: &str) {
    let (_, source) = PROGRAMS.into_iter().find(|(program, _)| *program == name).unwrap();
    let program = Program::read(name, source);
    for sources in [Sources::Missing, Sources::Found] {
        check_with(name, &program, sources);
    }
}

fn check_with(name: &str, program: &Program, sources: Sources) {
    let score = program.score(sources);
    let is_known = |way: &str, fact: Fact| {
        program.known.iter().any(|known| known.way == way && known.fact == fact)
    };
    let news: Vec<String> = score
        .missed
        .iter()
        .filter(|(way, fact, _)| !is_known(way, *fact))
        .map(|(way, fact, printed)| format!("{way}: {} is reported as `{printed}`", fact.word()))
        .collect();
    assert!(news.is_empty(), "{name}, sources {sources:?}:\n{}", news.join("\n"));
    let proved: Vec<_> =
        score.proved_wrong.iter().filter(|way| !is_known(way, Fact::Class)).collect();
    assert!(proved.is_empty(), "{name}, sources {sources:?}: proved, and wrong: {proved:?}");
}

#[test]
fn c_unoptimised_dies_as_its_source_says() {
    check("causes-c-O0");
}

#[test]
fn c_optimised_by_gcc_dies_as_its_source_says() {
    check("causes-c-O2");
}

#[test]
fn c_optimised_by_clang_dies_as_its_source_says() {
    check("causes-c-O3");
}

#[test]
fn c_on_aarch64_dies_as_its_source_says() {
    check("causes-aarch64");
}

#[test]
fn c_on_32_bit_arm_dies_as_its_source_says() {
    check("causes-arm");
}

#[test]
fn c_on_riscv64_dies_as_its_source_says() {
    check("causes-riscv64");
}

#[test]
fn cpp_unoptimised_dies_as_its_source_says() {
    check("causes-cpp-O0");
}

#[test]
fn cpp_optimised_dies_as_its_source_says() {
    check("causes-cpp-O2");
}

#[test]
fn rust_unoptimised_dies_as_its_source_says() {
    check("causes-rust-O0");
}

#[test]
fn rust_optimised_dies_as_its_source_says() {
    check("causes-rust-O3");
}

#[test]
fn go_dies_as_its_source_says() {
    check("causes-go");
}

#[test]
fn nothing_is_proved_of_what_another_cause_explains_as_well() {
    check("causes-doubt");
}

#[test]
fn the_class_has_a_confidence_of_its_own() {
    let sure = |core: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(core);
        let cause = report(&path, &[])["cause"].clone();
        let word = |of: &Value| of.as_str().unwrap().to_owned();
        (word(&cause["class_confidence"]), word(&cause["blame"]["confidence"]))
    };
    let words = |class: &str, blame: &str| (class.to_owned(), blame.to_owned());
    // What a later check found was done before, by anyone.
    assert_eq!(sure("causes-c-O2/heap_top.core.zst"), words("proved", "likely"));
    assert_eq!(sure("causes-c-O2/stack_smash.core.zst"), words("proved", "likely"));
    assert_eq!(sure("causes-doubt/stale_index.core.zst"), words("proved", "likely"));
    // A number that is too small for an address and was loaded here.
    assert_eq!(sure("causes-doubt/small_number.core.zst"), words("likely", "proved"));
    assert_eq!(sure("causes-c-O2/chain_read.core.zst"), words("proved", "proved"));
}

/// At least so much is right, in percent: every miss is listed, or one of the tests above
/// fails.
const MINIMA: [(Fact, f64); 3] =
    [(Fact::Class, 99.0), (Fact::Blame, 97.0), (Fact::Expression, 80.0)];

#[test]
fn what_is_known_to_be_missed_is_not_much() {
    let programs = PROGRAMS.map(|(name, source)| Program::read(name, source));
    for (fact, minimum) in MINIMA {
        let total: usize = programs.iter().map(|program| program.expected(fact)).sum();
        let missed = programs
            .iter()
            .flat_map(|program| &program.known)
            .filter(|known| known.fact == fact)
            .count();
        #[allow(clippy::cast_precision_loss)]
        let right = 100.0 - missed as f64 * 100.0 / total as f64;
        assert!(right >= minimum, "{}: {right:.1} % of {total}", fact.word());
    }
}

/// `scripts/score-causes` prints what this one does.
#[test]
#[ignore = "prints a table"]
fn score() {
    for sources in [Sources::Missing, Sources::Found] {
        println!("sources: {sources:?}");
        table(sources);
    }
}

fn table(sources: Sources) {
    let mut all = Score::default();
    let line = |name: &str, cores: usize, score: &Score| {
        print!("{name:16} {cores:5}");
        for fact in FACTS {
            let (total, right) = score.facts.get(&fact).copied().unwrap_or_default();
            let percent =
                if total == 0 { String::new() } else { format!("{:.1} %", score.percent(fact)) };
            print!("  {:>7} {percent:>8}", format!("{right}/{total}"));
        }
        println!("  {:5}  {:5}", score.proved_wrong.len(), score.proved_elsewhere.len());
    };
    print!("{:16} cores", "");
    for fact in FACTS {
        print!("  {:^16}", fact.word());
    }
    println!("  wrong  elsewhere");
    let mut misses = String::new();
    let mut cores = 0;
    for (name, source) in PROGRAMS {
        let program = Program::read(name, source);
        let score = program.score(sources);
        line(name, program.cases.len(), &score);
        cores += program.cases.len();
        all.join(&score);
        for (way, fact, printed) in &score.missed {
            let known = program.known.iter().find(|known| known.way == *way && known.fact == *fact);
            let reason = known.map_or("NOT LISTED", |known| known.reason.as_str());
            misses += &format!("{name} {way}: {} `{printed}` ({reason})\n", fact.word());
        }
        for known in &program.known {
            if !score.missed.iter().any(|(way, fact, _)| *way == known.way && *fact == known.fact) {
                misses += &format!(
                    "{name} {}: {} is right now; take it off known.toml\n",
                    known.way,
                    known.fact.word()
                );
            }
        }
        for way in &score.proved_wrong {
            misses += &format!("{name} {way}: proved, and wrong\n");
        }
        for way in &score.proved_elsewhere {
            misses +=
                &format!("{name} {way}: proved, and another function or expression is blamed\n");
        }
    }
    line("all", cores, &all);
    println!(
        "\nwrong: `proved` with a wrong class; elsewhere: `proved`, another function or expression reported\n\n{misses}"
    );
}

/// The sentences of the finding of this kind.
fn printed(report: &Value, kind: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["kind"] == kind).unwrap();
    let evidence = finding["evidence"].as_array().unwrap().iter();
    evidence.map(|evidence| without_ids(evidence["text"].as_str().unwrap())).collect()
}

/// `thread waits` for `thread 4711 waits`.
fn without_ids(text: &str) -> String {
    let is_other = |word: &&str| !word.bytes().all(|byte| byte.is_ascii_digit());
    text.split(' ').filter(is_other).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_hung_process_is_led_by_its_deadlock_thread_by_thread() {
    let report = report(&Case::named("deadlock").core(), &[]);
    let there = "thread holds mutex `accounts[0].lock` and waits for mutex `accounts[1].lock` \
                 in transfer (bank.c:20)";
    let back = "thread holds mutex `accounts[1].lock` and waits for mutex `accounts[0].lock` \
                in transfer (bank.c:20)";
    let mut cycle = printed(&report, "deadlock");
    // The kernel writes threads in an order of its own.
    if cycle[0].contains("holds mutex `accounts[1].lock`") {
        cycle.reverse();
    }
    assert_eq!(cycle, [there, back]);
    assert_eq!(report["cause"]["blame"]["thread"], report["findings"][0]["threads"][0]);
    assert_ne!(report["cause"]["blame"]["thread"], report["threads"][0]["tid"]);
}

#[test]
fn who_waits_for_a_lock_of_a_deadlock_is_reported_beside_it() {
    let report = report(&Case::named("deadlock").core(), &[]);
    let waiting = printed(&report, "lock-wait");
    assert!(waiting.iter().any(|text| text == "thread waits in total (bank.c:43)"), "{waiting:?}");
}

#[test]
fn a_deadlock_beside_a_fault_is_a_finding_and_not_the_cause() {
    let report = report(&Case::named("deadlock-cpp").core(), &[]);
    let cycle = printed(&report, "deadlock");
    assert_eq!(cycle.len(), 2);
    for text in cycle {
        assert!(text.contains("mutex `incoming.mutex`"), "{text}");
        assert!(text.contains("mutex `outgoing.mutex`"), "{text}");
        assert!(text.ends_with(" in move_one (queue.cc:30)"), "{text}");
    }
}

#[test]
fn a_guard_in_its_frames_shows_who_likely_holds_a_mutex_of_rust() {
    let report = report(&Case::named("deadlock-rust").core(), &[]);
    let cycle = printed(&report, "deadlock");
    assert_eq!(cycle.len(), 2);
    for text in cycle {
        assert!(text.contains(" likely holds mutex 0x"), "{text}");
        assert!(text.contains(" (`from`) and waits for mutex 0x"), "{text}");
        assert!(text.ends_with(" (`to`) in bank::transfer (bank.rs:11)"), "{text}");
    }
}

/// Whether one piece of the evidence for the cause of a case says `text`.
fn is_shown(case: &str, text: &str) -> bool {
    let report = report(&Case::named(case).core(), &["--redact=off".as_ref()]);
    let evidence = report["cause"]["evidence"].as_array().unwrap();
    evidence.iter().any(|evidence| evidence["text"] == text)
}

#[test]
fn a_fault_that_a_handler_caught_says_so() {
    assert!(is_shown(
        "sighandler",
        "SIGSEGV (SEGV_MAPERR) was caught by a handler, which has not returned"
    ));
}

#[test]
fn what_a_failed_call_left_in_errno_is_evidence() {
    assert!(is_shown("failed-open", "errno is ENOENT (2)"));
}

#[test]
fn an_exception_that_is_being_handled_is_reported_for_either_runtime() {
    assert!(is_shown("cpp", "while handling std::runtime_error: not enough"));
    assert!(is_shown("libcxxabi", "while handling TooHot: the oven is at 300 degrees"));
}

#[test]
fn the_check_of_a_sanitizers_trap_is_named() {
    assert!(is_shown(
        "ubsan-trap",
        "a check of UndefinedBehaviorSanitizer: array index out of bounds"
    ));
}

#[test]
fn an_assertion_of_libstdcxx_says_what_the_library_printed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/assert-libstdcxx");
    let report = report(&directory.join("core.zst"), &[directory.join("prog").as_os_str()]);
    let cause = &report["cause"];
    assert_eq!(cause["class"], "assertion");
    let expected =
        "shelf.h:41: int &Shelf::operator[](unsigned long): Assertion 'number < 3' failed.";
    assert_eq!(cause["message"], expected);
}
