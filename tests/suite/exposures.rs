//! Crashes per exposure, and the release in which a group began.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use obit::triage::Rules;
use obit::triage::history::CodeRow;
use obit::triage::store::Store;
use serde_json::{Value, json};

use crate::history::{Sample, run};

/// A file of exposures beside the store.
fn file(sample: &Sample, text: &str) -> String {
    let path: PathBuf = sample.db.with_extension("exposure");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The group of a function, as `top` lists it with these exposures.
fn group(sample: &Sample, function: &str, exposures: &str) -> Value {
    let exposures = file(sample, exposures);
    let top = sample.json(&["top", "--json", "--exposure", &exposures]);
    let signature = format!("{function} in shopd");
    let groups = top["groups"].as_array().unwrap();
    groups.iter().find(|group| group["signature"] == signature.as_str()).unwrap().clone()
}

const EQUAL: &str = "version,exposure,unit\n1.0,1000,hours\n2.0,1000,hours\n3.0,1000,hours\n";
/// The newest release is used ten times as much.
const BUSY: &str = "version,exposure,unit\n1.0,1000,hours\n2.0,1000,hours\n3.0,10000,hours\n";

#[test]
fn a_rate_has_its_exact_interval_and_is_compared_with_the_release_before() {
    let sample = Sample::new();
    // 2, 2 and 22 dumps.
    let load = group(&sample, "load", EQUAL);
    let rate = &load["releases"][2]["rate"];
    assert_eq!((&rate["count"], &rate["unit"]), (&json!(22), &json!("hours")));
    let near = |found: &Value, wanted: f64| (found.as_f64().unwrap() - wanted).abs() < 1e-6;
    // Garwood: 13.787394 and 33.308255 for 22.
    assert!(near(&rate["rate"], 0.022), "{rate}");
    assert!(near(&rate["low"], 0.013_787_3), "{rate}");
    assert!(near(&rate["high"], 0.033_308_2), "{rate}");
    let compared = &rate["compared"];
    assert_eq!((&compared["with"], &compared["ratio"]), (&json!("2.0"), &json!(11.0)));
    // Of 24 fair coins at most 2 fall on one side, in either way.
    let p = 2.0 * (1.0 + 24.0 + 276.0) / 2_f64.powi(24);
    assert!((compared["p"].as_f64().unwrap() / p - 1.0).abs() < 1e-6, "{compared}");
    assert_eq!(load["rate"], *rate, "of the newest release");
}

#[test]
fn a_release_that_is_used_more_is_no_regression() {
    let sample = Sample::new();
    assert_eq!(group(&sample, "load", EQUAL)["status"], "increasing");
    assert_ne!(group(&sample, "load", BUSY)["status"], "increasing");
}

#[test]
fn a_rate_that_is_not_known_is_not_0_and_says_why() {
    let sample = Sample::new();
    let part = "version,exposure,unit\n1.0,1000,hours\n2.0,0,hours\n";
    let walk = group(&sample, "walk", part);
    let release = |at: usize| walk["releases"][at].clone();
    assert_eq!(release(0)["rate"]["count"], 6);
    assert_eq!(
        (release(1).get("rate"), release(1)["rate_unknown"].as_str()),
        (None, Some("its exposure is 0"))
    );
    assert_eq!((release(2).get("rate"), release(2)["exposure"].clone()), (None, Value::Null));
    let path = file(&sample, part);
    let id = walk["id"].as_str().unwrap();
    for words in [&["show", id, "--exposure", &path][..], &["builds", "--exposure", &path]] {
        let page = sample.says(words);
        assert!(page.contains("rate unknown: no exposure is given"), "{page}");
        assert!(page.contains("per 1,000 hours ("), "{page}");
    }
    // Of a part of the time, an exposure of all time says nothing.
    let path = file(&sample, EQUAL);
    let top = sample.json(&["top", "--json", "--exposure", &path, "--since", "2026-03-01"]);
    let why = "the exposure is not of the period that was asked for";
    assert_eq!(top["groups"][0]["releases"][2]["rate_unknown"], why);
    let top = sample.json(&["top", "--json", "--exposure", &path, "--where", "host=web-1"]);
    let why = "the exposure is not of the hosts that were asked for";
    assert_eq!(top["groups"][0]["releases"][2]["rate_unknown"], why);
}

#[test]
fn dumps_are_counted_in_the_period_of_the_exposure() {
    let sample = Sample::new();
    // The dumps of 3.0 are of March, 2026-03-02 on; of `load` there are 22.
    let text = "build,program,from,to,exposure,unit\n\
                3333333333,shopd,2026-03-02,2026-03-12,100,sessions\n\
                3333333333,other,2026-03-02,2026-03-12,900,sessions\n";
    let load = group(&sample, "load", text);
    let rate = &load["releases"][2]["rate"];
    assert_eq!(rate["exposure"], 100.0);
    let count = rate["count"].as_u64().unwrap();
    assert!((1..22).contains(&count), "{rate}");
    // Not all dumps are of that time: the status is that without exposures.
    assert_eq!(load["status"], "increasing");
}

#[test]
fn hosts_that_crashed_are_a_part_of_those_that_it_ran_on() {
    let sample = Sample::new();
    let text = "version,exposure,unit\n3.0,40,hosts\n2.0,2,hosts\n";
    let walk = group(&sample, "walk", text);
    assert_eq!(walk["releases"][2]["hosts"], json!({"affected": 3, "of": 40.0, "share": 0.075}));
    let more = &walk["releases"][1]["hosts"];
    assert_eq!((&more["affected"], &more["share"]), (&json!(3), &Value::Null));
    assert_eq!(walk["releases"][2]["rate"]["unit"], "hosts");
}

#[test]
fn the_answer_of_a_prometheus_server_is_an_exposure() {
    let sample = Sample::new();
    let series = |version: &str, hours: u32| json!({"metric": {"version": version, "job": "shop"}, "value": [1_775_000_000, hours.to_string()]});
    let answer = json!({"status": "success", "data": {"resultType": "vector",
        "result": [series("1.0", 1000), series("2.0", 1000), series("3.0", 10000)]}});
    let load = group(&sample, "load", &answer.to_string());
    assert_eq!(load["releases"][2]["rate"]["exposure"], 10000.0);
    assert_ne!(load["status"], "increasing");
}

#[test]
fn what_is_no_exposure_is_refused_with_its_place_and_an_unknown_build_is_named() {
    let sample = Sample::new();
    for (text, says) in [
        ("version,hours\n1.0,1\n2.0,-4\n", "exposure: line 3: \"-4\" is not an exposure"),
        ("version,hours\n1.0,NaN\n", "line 2: \"NaN\" is not an exposure"),
        ("version,hours\n1.0\n", "line 2: 1 fields, but the header has 2"),
        (
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#,
            "the result is a scalar: expected a vector or a matrix",
        ),
    ] {
        for verb in ["top", "builds", "digest"] {
            let output = sample.run(&[verb, "--exposure", &file(&sample, text)]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(64), "{text}: {said}");
            assert!(said.contains(says) && said.lines().count() == 1, "{text}: {said}");
        }
    }
    let huge = file(&sample, "");
    fs::File::options().write(true).open(&huge).unwrap().set_len(17 << 20).unwrap();
    let output = sample.run(&["top", "--exposure", &huge]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has more than 16 MiB"), "{said}");
    let text = format!("{EQUAL}9.9,5,hours\n\u{1b}[31m,5,hours\n");
    for verb in ["top", "builds", "digest"] {
        let output = sample.run(&[verb, "--exposure", &file(&sample, &text)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(
            said.contains("builds without a dump in the store") && said.contains("9.9"),
            "{said}"
        );
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn a_group_began_after_the_last_release_that_could_have_shown_it() {
    let sample = Sample::new();
    let began = |function: &str, exposures: &str| {
        let first = group(&sample, function, exposures)["first_bad"].clone();
        (first["release"].as_str().unwrap().to_owned(), first["last_good"].clone(), first)
    };
    let (release, good, first) = began("append", EQUAL);
    assert_eq!((release.as_str(), &good), ("3.0", &json!("2.0")));
    assert_eq!(first["is_sure"], true);
    // 5 dumps, all of the last third of the time.
    let p = 3_f64.powi(-5);
    assert!((first["p"].as_f64().unwrap() / p - 1.0).abs() < 1e-6, "{first}");
    assert_eq!(began("append", BUSY).2["is_sure"], false);
    let (release, good, first) = began("walk", EQUAL);
    assert_eq!((release.as_str(), &good, &first["p"]), ("1.0", &Value::Null, &Value::Null));
    let id = group(&sample, "append", EQUAL)["id"].clone();
    let page = sample.says(&["show", id.as_str().unwrap(), "--exposure", &file(&sample, EQUAL)]);
    assert!(
        page.contains("began   3.0: none in 1.0 to 2.0 (0 dumps in 2000 units of exposure)"),
        "{page}"
    );
}

/// Where a group began, with the functions that changed, as a store of its own says.
fn beginning(db: &std::path::Path, id: &str) -> Value {
    let output = run(db, &["show", id, "--json"]);
    let detail: Value = serde_json::from_slice(&output.stdout).unwrap();
    detail["group"]["first_bad"].clone()
}

#[test]
fn a_store_that_was_filled_from_an_export_names_the_functions_that_changed() {
    let sample = Sample::new();
    let id = {
        let top = sample.json(&["top", "--json"]);
        let groups = top["groups"].as_array().unwrap().clone();
        let append = groups.iter().find(|group| group["signature"] == "append in shopd").unwrap();
        append["id"].as_str().unwrap().to_owned()
    };
    let mut store = Store::open(&sample.db).unwrap();
    let wanted = store.code_to_read(&Rules::built_in(), 100, 0).unwrap();
    let mut rows = Vec::new();
    for need in &wanted.needs {
        for (module, symbols) in &need.symbols {
            rows.extend(symbols.iter().map(|symbol| CodeRow {
                build: need.build.clone(),
                module: module.clone(),
                symbol: symbol.clone(),
                // Of another build, another function.
                hash: Some(need.build.clone()),
            }));
        }
    }
    store.add_code(&wanted.stacks, &rows).unwrap();
    drop(store);
    let here = beginning(&sample.db, &id);
    let changed: Vec<(&str, &str)> = here["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["function"].as_str().unwrap(), one["what"].as_str().unwrap()))
        .collect();
    assert_eq!(changed, [("append", "changed")]);
    assert!(here["reason"].as_str().unwrap().contains("changed since 2.0: `append`"), "{here}");
    let (saved, central) = (sample.db.with_extension("json"), sample.db.with_extension("central"));
    sample.says(&["db", "export", saved.to_str().unwrap()]);
    let output = run(&central, &["db", "import", saved.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(beginning(&central, &id), here);
}
