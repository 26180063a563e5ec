//! A crash in the formats of other programs: what each holds, on the same three cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use crate::fixture::{obit, stdout};
use serde_json::{Value, json};

/// A null pointer, an uncaught exception, a deadlock.
const CORES: [&str; 3] =
    ["null-field/core.zst", "causes-cpp-O0/runtime_error.core.zst", "deadlock/core.zst"];

fn written(core: &str, format: &str) -> String {
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .args([core, "--format", format])
        .output()
        .unwrap();
    assert!(out.status.success(), "{core} as {format}: {}", crate::fixture::stderr(&out));
    stdout(&out)
}

fn name_of(core: &str) -> String {
    core.replace(['/', '.'], "-")
}

#[test]
fn each_format_agrees_on_the_same_three_cores() {
    for core in CORES {
        let name = |format| format!("{}-{format}", name_of(core));
        for format in ["brief", "github", "junit"] {
            insta::assert_snapshot!(name(format), written(core, format));
        }
        // The page in a ticket's folds has snapshots of its own.
        let markdown = written(core, "markdown");
        let unfolded: String = markdown
            .split("<details>")
            .map(|part| part.split("</details>").last().unwrap())
            .collect();
        insta::assert_snapshot!(name("markdown"), unfolded);
        let value = |format| serde_json::from_str::<Value>(&written(core, format)).unwrap();
        let gitlab = serde_json::to_string_pretty(&value("gitlab")).unwrap();
        insta::assert_snapshot!(name("gitlab"), gitlab);
        insta::assert_snapshot!(name("sarif"), of_sarif(&value("sarif")["runs"][0]["results"][0]));
        insta::assert_snapshot!(name("sentry"), of_sentry(&value("sentry")));
    }
}

#[test]
fn no_format_blames_the_handler_that_ended_the_process_after_the_fault() {
    let core = "sighandler/core.zst";
    let sarif: Value = serde_json::from_str(&written(core, "sarif")).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0];
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "checksum");
    assert_eq!(place["physicalLocation"]["region"]["startLine"], 28);
    let gitlab: Value = serde_json::from_str(&written(core, "gitlab")).unwrap();
    assert_eq!(gitlab[0]["location"]["lines"]["begin"], 28);
    for format in ["brief", "github"] {
        let text = written(core, format);
        assert!(text.contains("checksum") && !text.contains("on_crash"), "{format}: {text}");
    }
}

#[test]
fn sarif_names_the_cwe_entries_of_rules_and_results_in_one_taxonomy() {
    let [core, ..] = CORES;
    let sarif: Value = serde_json::from_str(&written(core, "sarif")).unwrap();
    let run = &sarif["runs"][0];
    let of_taxonomy = json!({"id": "476", "toolComponent": {"name": "CWE", "index": 0}});
    assert_eq!(run["taxonomies"][0]["name"], "CWE");
    assert_eq!(run["taxonomies"][0]["taxa"][0]["id"], "476");
    assert_eq!(run["taxonomies"][0]["taxa"][0]["name"], "NULL Pointer Dereference");
    assert_eq!(run["results"][0]["taxa"], json!([of_taxonomy]));
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["supportedTaxonomies"][0], json!({"name": "CWE", "index": 0}));
    let relationship = json!({"target": of_taxonomy, "kinds": ["superset"]});
    assert_eq!(driver["rules"][0]["relationships"], json!([relationship]));
}

/// A result of SARIF, a line for each thing that its viewers show.
fn of_sarif(result: &Value) -> String {
    let place = |location: &Value| {
        let physical = &location["physicalLocation"];
        let (artifact, region) = (&physical["artifactLocation"], &physical["region"]);
        format!(
            "{}: {} {}:{}:{} at {} {}",
            location["logicalLocations"][0]["fullyQualifiedName"],
            artifact["uriBaseId"],
            artifact["uri"],
            region["startLine"],
            region["startColumn"],
            physical["address"]["absoluteAddress"],
            location["message"]["text"],
        )
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines = vec![
        format!("{} {} {}", result["level"], result["ruleId"], result["message"]["text"]),
        format!("{} {}", result["partialFingerprints"], result["properties"]),
    ];
    if !result["baselineState"].is_null() {
        lines.push(format!("{} crash: {}", result["occurrenceCount"], result["baselineState"]));
    }
    lines.extend(list(&result["locations"]).iter().map(|one| format!("location {}", place(one))));
    for step in list(&result["codeFlows"][0]["threadFlows"][0]["locations"]) {
        lines.push(format!("flow {} {}", step["importance"], place(&step["location"])));
    }
    for stack in list(&result["stacks"]) {
        let frames = list(&stack["frames"]);
        lines.push(format!("stack {} of {}", stack["message"]["text"], frames.len()));
        for frame in frames.iter().take(5) {
            lines.push(format!("  {} {}", frame["module"], place(&frame["location"])));
        }
    }
    lines.join("\n")
}

/// An event of Sentry: what it says itself, and of each stack and image that it has one.
fn of_sentry(event: &Value) -> String {
    let exception = &event["exception"]["values"][0];
    let mut lines = vec![
        format!("{} {} {}", event["platform"], event["level"], event["event_id"]),
        format!("{} {}", event["tags"], event["fingerprint"]),
        format!("{}: {}", exception["type"], exception["value"]),
        format!("{}", exception["mechanism"]["meta"]["signal"]),
    ];
    let stack = |of: &Value| {
        let frames = of["stacktrace"]["frames"].as_array().unwrap();
        let innermost = frames.last().unwrap();
        let mut shown = innermost.clone();
        shown.as_object_mut().unwrap().retain(|key, _| key != "vars");
        let vars = innermost["vars"].as_object().unwrap().len();
        format!("{} frames, {vars} variables in {shown}", frames.len())
    };
    lines.push(stack(exception));
    for thread in event["threads"]["values"].as_array().unwrap() {
        lines.push(format!("thread {} {}: {}", thread["id"], thread["name"], stack(thread)));
    }
    let images = event["debug_meta"]["images"].as_array().unwrap();
    lines.extend(images.iter().map(|image| format!("image {image}")));
    lines.join("\n")
}

/// What the events' snapshots leave out: Sentry shows a stack only if its frames are
/// outermost first, and symbols only if a frame's image is among the images.
#[test]
fn every_frame_of_an_event_is_in_an_image_and_the_innermost_is_last() {
    for core in CORES {
        let event: Value = serde_json::from_str(&written(core, "sentry")).unwrap();
        let report: Value = serde_json::from_str(&written(core, "json")).unwrap();
        let images: Vec<&Value> = event["debug_meta"]["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|image| &image["image_addr"])
            .collect();
        let exception = &event["exception"]["values"][0];
        let tid = &exception["thread_id"];
        let threads = report["threads"].as_array().unwrap();
        let thread = threads.iter().find(|thread| thread["tid"] == *tid).unwrap();
        let (theirs, ours) = (&exception["stacktrace"]["frames"], &thread["frames"]);
        let (theirs, ours) = (theirs.as_array().unwrap(), ours.as_array().unwrap());
        assert_eq!(theirs.len(), ours.len(), "{core}");
        for (frame, of_report) in theirs.iter().rev().zip(ours) {
            assert_eq!(frame["instruction_addr"], of_report["pc"], "{core}");
            assert!(images.contains(&&frame["image_addr"]), "{core}: {frame}");
        }
    }
}

#[test]
fn sarif_is_as_the_oasis_schema_wants_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/sarif-2.1.0.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for core in CORES {
        let mut value: Value = serde_json::from_str(&written(core, "sarif")).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{core}: {errors:#?}");
        value["runs"][0]["results"][0]["level"] = "fatal".into();
        assert!(!schema.is_valid(&value), "the schema must be able to refuse");
    }
}

#[test]
fn junit_is_read_back() {
    for core in CORES {
        let report = quick_junit::Report::deserialize_from_str(&written(core, "junit")).unwrap();
        assert_eq!((report.tests, report.failures, report.errors), (1, 1, 0), "{core}");
        let case = &report.test_suites[0].test_cases[0];
        assert!(!case.name.as_str().is_empty());
    }
}

/// TeamCity ends a message at the first `]` that has no `|` before it, and a value at such an
/// apostrophe; a test that started has to finish.
#[test]
fn teamcity_finds_a_failed_test_in_well_formed_messages() {
    for core in CORES {
        let text = written(core, "teamcity");
        let kinds: Vec<&str> = text
            .lines()
            .map(|line| {
                let message = line.strip_prefix("##teamcity[").unwrap().strip_suffix(']').unwrap();
                let plain = message.replace("||", "").replace("|'", "").replace("|]", "");
                assert!(!plain.contains([']', '\u{7f}']) && plain.is_ascii(), "{line}");
                assert_eq!(plain.matches('\'').count() % 2, 0, "{line}");
                message.split(' ').next().unwrap()
            })
            .collect();
        let wanted =
            ["testSuiteStarted", "testStarted", "testFailed", "testFinished", "testSuiteFinished"];
        assert_eq!(kinds, wanted, "{core}");
        let report: Value = serde_json::from_str(&written(core, "json")).unwrap();
        let id = report["id"].as_str().unwrap();
        assert!(text.contains(&format!("|[{id}|]' details='obit: SIG")), "{text}");
    }
}

#[test]
fn a_format_that_cannot_hold_it_is_refused_with_those_that_can() {
    let batch = Batch::new();
    let refused = |words: &[&str]| {
        let out = obit().current_dir(batch.root.path()).args(words).output().unwrap();
        assert_eq!(out.status.code(), Some(64), "{words:?}");
        crate::fixture::stderr(&out)
    };
    let report = refused(&["cores/0/core.1767225600.zst", "--format", "csv"]);
    assert!(report.contains("human, json, ndjson, html, brief, markdown, sarif"), "{report}");
    assert!(!report.contains("teamcity, csv"), "{report}");
    let many = refused(&["triage", "cores", "--no-db", "--format", "html"]);
    assert!(many.contains("teamcity, csv") && !many.contains("html, brief"), "{many}");
    let value = refused(&["print", "cores/0/core.1767225600.zst", "$rip", "--format", "sarif"]);
    assert!(value.trim_end().ends_with("human, json, ndjson"), "{value}");
}

#[test]
fn the_json_report_is_as_its_published_schema_wants_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for core in CORES {
        let mut value: Value = serde_json::from_str(&written(core, "json")).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{core}: {errors:#?}");
        value["threads"] = 3.into();
        assert!(!schema.is_valid(&value), "the schema must be able to refuse");
    }
}

#[test]
fn every_text_ends_with_the_crashs_id() {
    for core in CORES {
        let report: Value = serde_json::from_str(&written(core, "json")).unwrap();
        let id = report["id"].as_str().unwrap();
        for format in ["human", "brief", "markdown", "github"] {
            let text = written(core, format);
            let last = text.trim_end().lines().last().unwrap();
            assert!(last.contains(id), "{core} as {format} ends with {last:?}");
        }
    }
}

/// The cores of [`CORES`] with their programs in a directory for each, called as the kernel
/// would at that time, so that their history is the same on every day.
struct Batch {
    root: tempfile::TempDir,
}

impl Batch {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        for (at, core) in CORES.iter().enumerate() {
            let from = fixtures.join(core);
            let to = root.path().join(format!("cores/{at}"));
            std::fs::create_dir_all(&to).unwrap();
            std::fs::copy(&from, to.join(format!("core.{}.zst", 1_767_225_600 + at))).unwrap();
            std::fs::copy(from.with_file_name("prog"), to.join("prog")).unwrap();
        }
        Self { root }
    }

    /// What `words` print, on a store of this batch alone; they end with `code`.
    fn says(&self, words: &[&str], code: i32) -> String {
        let out = obit()
            .current_dir(self.root.path())
            .args(words)
            .args(["--db", "triage.db"])
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(code), "{words:?}: {}", crate::fixture::stderr(&out));
        stdout(&out)
    }

    fn triage(&self, format: &str) -> String {
        self.says(&["triage", "cores", "--format", format], 0)
    }
}

#[test]
fn a_directory_of_cores_is_a_result_for_each_group_in_every_format() {
    let batch = Batch::new();
    for format in ["brief", "markdown", "csv", "github"] {
        insta::assert_snapshot!(format!("groups-{format}"), batch.triage(format));
    }
    let gitlab: Value = serde_json::from_str(&batch.triage("gitlab")).unwrap();
    insta::assert_snapshot!("groups-gitlab", serde_json::to_string_pretty(&gitlab).unwrap());
    let sarif: Value = serde_json::from_str(&batch.triage("sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let groups: Vec<&Value> = results.iter().map(|one| &one["properties"]["group"]).collect();
    let of_gitlab = gitlab.as_array().unwrap().iter().map(|issue| &issue["fingerprint"]);
    assert!(of_gitlab.eq(groups), "{sarif}");
    insta::assert_snapshot!("groups-sarif", of_sarif(&results[0]));
    let events = batch.triage("sentry");
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let groups: Vec<&str> =
        events.iter().map(|event| event["fingerprint"][0].as_str().unwrap()).collect();
    assert_eq!(groups.len(), 3);
    assert_eq!(events[0]["extra"]["group"], groups[0]);
}

#[test]
fn the_sarif_of_groups_is_as_the_oasis_schema_wants_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/sarif-2.1.0.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut value: Value = serde_json::from_str(&Batch::new().triage("sarif")).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    value["runs"][0]["results"][0]["baselineState"] = "resolved".into();
    assert!(!schema.is_valid(&value), "the schema must be able to refuse");
}

/// The rules of JUnit's format that its readers share: counts are those of what is there,
/// every case has a name and a class, every failure a type and a message.
#[test]
fn the_junit_of_groups_counts_what_it_holds() {
    let text = Batch::new().triage("junit");
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let [suite] = report.test_suites.as_slice() else { panic!("one suite: {text}") };
    assert_eq!((report.tests, report.failures, report.errors), (3, 3, 0));
    assert_eq!((suite.tests, suite.failures, suite.errors, suite.test_cases.len()), (3, 3, 0, 3));
    let names: std::collections::BTreeSet<&str> =
        suite.test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), 3, "cases are distinguished by name");
    for case in &suite.test_cases {
        assert_eq!(case.classname.as_ref().unwrap().as_str(), "prog");
        let quick_junit::TestCaseStatus::NonSuccess { message, ty, description, .. } = &case.status
        else {
            panic!("{:?} did not fail", case.name)
        };
        assert!(message.as_ref().unwrap().as_str().contains("1 crash"), "{message:?}");
        assert!(ty.as_ref().unwrap().as_str().starts_with("SIG"), "{ty:?}");
        assert!(description.as_ref().unwrap().as_str().starts_with("group "), "{description:?}");
    }
}

#[test]
fn teamcity_has_a_test_for_each_group_and_one_for_each_crash_of_a_list() {
    let batch = Batch::new();
    let count = |text: &str, kind: &str| text.matches(&format!("##teamcity[{kind} ")).count();
    let groups = batch.triage("teamcity");
    assert_eq!((count(&groups, "testStarted"), count(&groups, "testFailed")), (3, 3), "{groups}");
    let first = batch.says(&["top", "--format", "csv"], 0);
    let id = first.lines().nth(1).unwrap().split(',').next().unwrap();
    batch.says(&["state", id, "ignored"], 0);
    let top = batch.says(&["top", "--format", "teamcity"], 0);
    assert_eq!((count(&top, "testFailed"), count(&top, "testIgnored")), (2, 1), "{top}");
    let list = batch.says(&["list", "--format", "teamcity"], 0);
    assert_eq!((count(&list, "testFailed"), count(&list, "testSuiteFinished")), (3, 1), "{list}");
}

#[test]
fn a_gate_ends_a_batch_with_3_and_its_format_is_written_all_the_same() {
    let batch = Batch::new();
    let gate = ["--fail-on", "class=deadlock"];
    let words = [&["triage", "cores", "--format", "sarif"][..], &gate].concat();
    let value: Value = serde_json::from_str(&batch.says(&words, 3)).unwrap();
    assert_eq!(value["runs"][0]["results"].as_array().unwrap().len(), 3);
    let words = ["triage", "cores", "--format", "brief", "--fail-on", "class=abort"];
    assert_eq!(batch.says(&words, 0).lines().count(), 3);
}

#[test]
fn a_run_gives_of_the_groups_it_has_seen_and_top_of_all() {
    let batch = Batch::new();
    batch.triage("brief");
    let words = ["triage", "cores/0", "--format", "github"];
    assert_eq!(batch.says(&words, 0).lines().count(), 1);
    assert_eq!(batch.says(&["top", "--format", "github"], 0).lines().count(), 3);
    assert_eq!(batch.says(&["top", "--format", "brief", "-n", "2"], 0).lines().count(), 2);
}

#[test]
fn the_id_at_the_end_of_every_text_finds_the_crash_again() {
    let batch = Batch::new();
    for format in ["brief", "github"] {
        let text = batch.triage(format);
        assert_eq!(text.lines().count(), 3);
        for line in text.lines() {
            let id = &line[line.rfind("obit-").unwrap()..];
            let id = id.trim_end_matches(']');
            let page = batch.says(&["show", id], 0);
            let last = page.trim_end().lines().last().unwrap();
            assert!(last.starts_with(&format!("id {id}")), "{last}");
            for format in ["brief", "markdown", "github", "json"] {
                assert!(batch.says(&["show", id, "--format", format], 0).contains(id));
            }
            let summary = batch.says(&["show", id, "--summary"], 0);
            assert!(summary.lines().count() < 10, "{summary}");
            assert!(summary.trim_end().ends_with(id), "{summary}");
        }
    }
    let listed = batch.says(&["list", "--format", "brief"], 0);
    assert_eq!(listed.lines().filter(|line| line.contains(" obit-")).count(), 3);
    batch.says(&["list", "--format", "sarif"], 64);
    batch.says(&["show", "obit-0000000000000000"], 64);
}

#[test]
fn what_is_new_against_a_baseline_is_reported_to_people_and_to_code_scanning() {
    let batch = Batch::new();
    let against = ["triage", "cores", "--baseline", "cores/0"];
    let page = batch.says(&[&against[..], &["--width", "100"]].concat(), 0);
    insta::assert_snapshot!("baseline", page);
    let log = batch.says(&[&against[..], &["--format", "sarif"]].concat(), 0);
    let log: Value = serde_json::from_str(&log).unwrap();
    let mut states: Vec<(&str, &str)> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["ruleId"].as_str().unwrap(), one["baselineState"].as_str().unwrap()))
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [("deadlock", "new"), ("null-read", "unchanged"), ("uncaught-exception", "new")]
    );
    let junit = batch.says(&[&against[..], &["--format", "junit"]].concat(), 0);
    let report = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((report.tests, report.failures), (3, 3));
    batch.says(&[&against[..], &["--fail-on", "new", "--format", "brief"]].concat(), 3);
}

#[test]
fn two_directories_are_compared_crash_by_crash() {
    let batch = Batch::new();
    let diff = |more: &[&str]| {
        let out = obit()
            .current_dir(batch.root.path())
            .args(["diff", "cores/0", "cores/1", "--width", "100"])
            .args(more)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", crate::fixture::stderr(&out));
        stdout(&out)
    };
    insta::assert_snapshot!("two-directories", diff(&[]));
    let annotations = diff(&["--format", "github"]);
    assert_eq!(annotations.lines().count(), 1, "what is gone is no error: {annotations}");
    assert!(annotations.contains("1 crash, new"), "{annotations}");
}
