//! A crash in the formats of other programs: what each holds, on the same three cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixture;

use std::path::Path;

use fixture::{obit, stdout};
use serde_json::Value;

/// A null pointer, an uncaught exception, a deadlock.
const CORES: [&str; 3] =
    ["null-field/core.zst", "causes-cpp-O0/runtime_error.core.zst", "deadlock/core.zst"];

fn written(core: &str, format: &str) -> String {
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .args([core, "--format", format])
        .output()
        .unwrap();
    assert!(out.status.success(), "{core} as {format}: {}", fixture::stderr(&out));
    stdout(&out)
}

fn name_of(core: &str) -> String {
    core.replace(['/', '.'], "-")
}

#[test]
fn each_format_says_the_same_of_the_same_three_cores() {
    for core in CORES {
        for format in ["brief", "markdown", "github", "junit"] {
            let name = format!("{}-{format}", name_of(core));
            insta::assert_snapshot!(name, written(core, format));
        }
        for format in ["sarif", "sentry", "gitlab"] {
            let value: Value = serde_json::from_str(&written(core, format)).unwrap();
            let name = format!("{}-{format}", name_of(core));
            insta::assert_snapshot!(name, serde_json::to_string_pretty(&value).unwrap());
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
