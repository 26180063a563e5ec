//! Variables against gdb's word, recorded in `tests/fixtures/*/variables.json`.

use std::collections::BTreeMap;
use std::fs;

use crate::fixture::{Case, list, report, thread};
use serde_json::Value;

/// Where gdb is wrong: it evaluates the variables of a call that was inlined into an outer
/// frame at the return address, where the list has no entry for `this`. The source says
/// `step(amount)`, so `this` is `&step`, which both read in the frame around.
const GDB_IS_WRONG: [&str; 1] = ["cpp #6 this"];

#[test]
fn every_scalar_gdb_reads_is_read_the_same() {
    let mut differences = Vec::new();
    let (mut variables, mut scalars) = (0, 0);
    for case in Case::all() {
        let Ok(text) = fs::read_to_string(case.directory.join("variables.json")) else { continue };
        let wanted: Value = serde_json::from_str(&text).unwrap();
        let report = report(&case.core(), &["--redact=off".as_ref()]);
        let frames = list(thread(&report, case.expect.crashed), "frames");
        for (index, wanted) in list(&wanted, "frames").iter().enumerate() {
            let function = &wanted["function"];
            let Some(wanted) = wanted["variables"].as_object() else { continue };
            for (name, wanted) in wanted {
                let place = format!("{} #{index} {name}", case.name);
                if GDB_IS_WRONG.contains(&place.as_str()) {
                    continue;
                }
                variables += 1;
                let Some(got) = variable(&frames[index], name) else {
                    differences.push(format!("{place} is missing"));
                    continue;
                };
                // What gdb could not say of it, and how it says so, is not held against us.
                let status = got["status"].as_str().unwrap();
                // gdb does not look past `main` to see what that was passed.
                let passed = function == "main" && status == "ok";
                if ["ok", "optimized_out"].contains(&wanted["status"].as_str().unwrap())
                    && status != wanted["status"]
                    && !passed
                {
                    differences.push(format!("{place} is {status}, gdb: {}", wanted["status"]));
                    continue;
                }
                let mut found = BTreeMap::new();
                flatten(got, String::new(), &mut found);
                for (path, wanted) in wanted["scalars"].as_object().into_iter().flatten() {
                    scalars += 1;
                    let got = found.get(path).map_or("absent", String::as_str);
                    if !same(wanted.as_str().unwrap(), got) {
                        differences.push(format!("{place}{path} is {got}, gdb: {wanted}"));
                    }
                }
            }
        }
    }
    assert!(variables >= 150 && scalars >= 150, "{variables} variables, {scalars} scalars");
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// The innermost argument or local of a frame that has this name.
fn variable<'v>(frame: &'v Value, name: &str) -> Option<&'v Value> {
    let mut all = list(frame, "args").iter().chain(list(frame, "locals"));
    all.find(|variable| variable["name"] == name)
}

/// Scalars by their paths; what has no name adds nothing, a class loses its scopes and
/// template arguments, as in the recorded paths.
fn flatten(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    let members = list(value, "members");
    for member in members {
        let name = member["name"].as_str().unwrap();
        let step = match name.split('<').next().unwrap().rsplit("::").next().unwrap() {
            "" => String::new(),
            index if index.starts_with('[') => index.to_owned(),
            name => format!(".{name}"),
        };
        flatten(member, path.clone() + &step, found);
    }
    if members.is_empty() {
        let text = match &value["value"] {
            Value::String(text) => text.clone(),
            Value::Bool(truth) => u8::from(*truth).to_string(),
            Value::Null => "no value".to_owned(),
            number => number.to_string(),
        };
        found.insert(path, text);
    }
}

fn same(wanted: &str, got: &str) -> bool {
    let close = || Some(wanted.parse::<f64>().ok()? == got.parse::<f64>().ok()?);
    // Of a float gdb's script wrote nine digits, which is the same float as ours.
    let as_float = || Some(wanted.parse::<f32>().ok()? == got.parse::<f32>().ok()?);
    let is_float = wanted.contains(['.', 'e']) && !wanted.starts_with("0x");
    wanted == got || is_float && (close() == Some(true) || as_float() == Some(true))
}
