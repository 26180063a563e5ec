//! `obit rewind`: what a program that is compiled here executed last.

use std::path::Path;

use serde_json::Value;

use crate::fixture::{Case, captured, list, obit, stderr, stdout};

const SOURCE: &str = "int *volatile nowhere;
__attribute__((noinline)) int scale(int x) {
    int r = x * 3;
    if (r > 10)
        r -= 7;
    else
        r += 1;
    return r;
}
int main(void) {
    int sum = 0;
    for (int i = 0; i < 6; i++)
        sum += scale(i);
    *nowhere = sum;
    return 0;
}
";

fn rewound(core: &Path, more: &[&str]) -> Value {
    let mut command = obit();
    command.args(["rewind", "--json"]).arg(core).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn lines(answer: &Value) -> Vec<&Value> {
    list(answer, "blocks").iter().flat_map(|block| list(block, "lines")).collect()
}

/// The value of a variable after a line, and before it.
fn variable<'v>(line: &'v Value, name: &str) -> (&'v Value, &'v Value) {
    let found = list(line, "variables").iter().find(|variable| variable["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {line}"));
    (&found["value"], &found["before"])
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_program_without_optimisation_is_read_back_through_all_rounds_of_its_loop() {
    let place = tempfile::tempdir().unwrap();
    let core = captured(place.path(), "cc", &["-g", "-O0"], "back.c", SOURCE);
    let answer = rewound(&core, &[]);
    assert_eq!(answer["proved"], answer["instructions"], "{answer}");
    assert!(answer["instructions"].as_u64().unwrap() > 100, "{answer}");
    let found = lines(&answer);
    let numbers: Vec<u64> = found.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    // The end of the loop, its last two rounds, which leave `scale` by the first way.
    assert_eq!(numbers[..9], [14, 12, 13, 9, 8, 5, 4, 3, 2], "{answer}");
    // A round before the first one, with -1, contradicts nothing.
    assert_eq!(answer["end"], "several-ways");
    assert_eq!(variable(found[found.len() - 1], "i").0, "0");
    assert_eq!(variable(found[2], "sum"), (&"35".into(), &"27".into()));
    assert_eq!(variable(found[5], "r"), (&"8".into(), &"15".into()));
    assert_eq!(variable(found[7], "x").0, "5");
    let branch = &list(found[6], "branches")[0];
    assert_eq!((&branch["jump"], &branch["taken"]), (&"jle".into(), &false.into()));
    // Rounds that do the same are one.
    let most = list(&answer, "blocks").iter().map(|block| block["rounds"].as_u64().unwrap());
    assert_eq!(most.max(), Some(4), "{answer}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn people_see_the_lines_with_their_text_and_as_many_as_they_ask_for() {
    let place = tempfile::tempdir().unwrap();
    let core = captured(place.path(), "cc", &["-g", "-O0"], "back.c", SOURCE);
    let output = obit().arg("rewind").arg(&core).args(["--lines", "3"]).output().unwrap();
    let text = stdout(&output);
    assert!(text.contains("all certain, newest first"), "{text}");
    assert!(text.contains("sum += scale(i);"), "{text}");
    assert!(text.contains("sum = 35 (was 27)"), "{text}");
    assert!(text.contains("--lines shows more"), "{text}");
    assert!(!text.contains("int r = x * 3"), "{text}");
    let answer = rewound(&core, &["--steps", "5"]);
    assert_eq!((&answer["instructions"], &answer["end"]), (&5.into(), &"enough".into()));
}

#[test]
fn another_machine_is_refused_with_the_reason() {
    let answer = rewound(&Case::named("aarch64").core(), &[]);
    assert_eq!((&answer["end"], &answer["instructions"]), (&"machine".into(), &0.into()));
    assert!(lines(&answer).is_empty());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn what_came_before_a_failed_assertion_is_likely_since_the_library_ran_after_it() {
    let place = tempfile::tempdir().unwrap();
    let source = "#include <assert.h>
int check(int n) {
    int k = n * 3;
    assert(k != 9);
    return k;
}
int main(void) {
    int sum = 0;
    for (int i = 1; i < 5; i++)
        sum += check(i);
    return sum;
}
";
    let core = captured(place.path(), "cc", &["-g", "-O0"], "check.c", source);
    let answer = rewound(&core, &[]);
    assert_eq!(answer["proved"], 0, "{answer}");
    let frame = answer["frame"].as_u64().expect("the frame to blame");
    let found = lines(&answer);
    let numbers: Vec<u64> = found.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers[..5], [4, 3, 2, 10, 9], "{answer}");
    assert_eq!(variable(found[0], "k").0, "9");
    assert_eq!(variable(found[4], "i"), (&"3".into(), &"2".into()));
    // The same by its number; of a frame that there is not, an error says where they are listed.
    assert_eq!(rewound(&core, &["-f", &frame.to_string()])["blocks"], answer["blocks"]);
    let output = obit().arg("rewind").arg(&core).args(["-f", "99"]).output().unwrap();
    assert!(stderr(&output).contains("no frame 99"), "{}", stderr(&output));
}
