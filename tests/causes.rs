//! Why each fixture died: what its source says must be what obit says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

#[path = "causes/expected.rs"]
mod expected;

use expected::{FACTS, Fact, Program, Score};
use fixture::{Case, report};

/// Case, class, function to blame, expression that held the bad value.
const CAUSES: [(&str, &str, &str, Option<&str>); 14] = [
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

/// Programs that die in many ways, and where their source is.
const PROGRAMS: [(&str, &str); 9] = [
    ("causes-c-O0", "causes-c"),
    ("causes-c-O2", "causes-c"),
    ("causes-c-O3", "causes-c"),
    ("causes-aarch64", "causes-c"),
    ("causes-cpp-O0", "causes-cpp"),
    ("causes-cpp-O2", "causes-cpp"),
    ("causes-rust-O0", "causes-rust"),
    ("causes-rust-O3", "causes-rust"),
    ("causes-go", "causes-go"),
];

/// A miss that known.toml does not list, by program.
fn check(name: &str) {
    let (_, source) = PROGRAMS.into_iter().find(|(program, _)| *program == name).unwrap();
    let program = Program::read(name, source);
    let score = program.score();
    let is_known = |way: &str, fact: Fact| {
        program.known.iter().any(|known| known.way == way && known.fact == fact)
    };
    let news: Vec<String> = score
        .missed
        .iter()
        .filter(|(way, fact, _)| !is_known(way, *fact))
        .map(|(way, fact, told)| format!("{way}: {} is said to be `{told}`", fact.word()))
        .collect();
    assert!(news.is_empty(), "{name}:\n{}", news.join("\n"));
    let proved: Vec<_> =
        score.proved_wrong.iter().filter(|way| !is_known(way, Fact::Class)).collect();
    assert!(proved.is_empty(), "{name}: proved, and wrong: {proved:?}");
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

/// At least so much is right, in percent: every miss is listed, or one of the tests above
/// fails.
const FLOORS: [(Fact, f64); 3] =
    [(Fact::Class, 90.0), (Fact::Blame, 80.0), (Fact::Expression, 50.0)];

#[test]
fn what_is_known_to_be_missed_is_not_much() {
    let programs = PROGRAMS.map(|(name, source)| Program::read(name, source));
    for (fact, floor) in FLOORS {
        let total: usize = programs.iter().map(|program| program.expected(fact)).sum();
        let missed = programs
            .iter()
            .flat_map(|program| &program.known)
            .filter(|known| known.fact == fact)
            .count();
        #[allow(clippy::cast_precision_loss)]
        let right = 100.0 - missed as f64 * 100.0 / total as f64;
        assert!(right >= floor, "{}: {right:.1} % of {total}", fact.word());
    }
}

/// `scripts/score-causes` prints what this one does.
#[test]
#[ignore = "prints a table"]
fn score() {
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
        let score = program.score();
        line(name, program.cases.len(), &score);
        cores += program.cases.len();
        all.join(&score);
        for (way, fact, told) in &score.missed {
            let known = program.known.iter().find(|known| known.way == *way && known.fact == *fact);
            let reason = known.map_or("NOT LISTED", |known| known.reason.as_str());
            misses += &format!("{name} {way}: {} `{told}` ({reason})\n", fact.word());
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
        "\nwrong: `proved` with a wrong class; elsewhere: `proved`, another function or expression told\n\n{misses}"
    );
}
