//! SARIF 2.1.0 (OASIS): a result for each crash or group.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};

use super::source_file::SourceFile;
use super::weaknesses;
use super::{Baseline, Format, Group, Item, LogCommands};
use crate::summary::{self, Location};
use crate::terminal::groups::text;
use crate::{Names, name, visible};
use obit_report::{FrameReport, Report, SourcePlace, ThreadReport, json};
use obit_triage::history::Status;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
pub(super) const SARIF: Format = Format {
    about: "SARIF 2.1.0, for code scanning",
    log_commands: LogCommands::Json,
    items: Some(write_sarif),
    ..Format::new("sarif", "sarif")
};

/// Frames of a stack, and steps of a flow.
const FRAMES: usize = 64;

/// Writes one run with a result for each of `items`.
fn write_sarif(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    let mut bases = BTreeMap::new();
    let results: Vec<Value> = items.iter().map(|item| result(item, &mut bases)).collect();
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for item in items {
        rules.entry(rule_id(item)).or_insert_with(|| rule(item));
    }
    let mut run = json!({
        "tool": {"driver": {
            "name": "obit",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.into_values().collect::<Vec<_>>(),
        }},
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    weaknesses::describe(&mut run, items);
    if !bases.is_empty() {
        let bases: Map<String, Value> =
            bases.into_iter().map(|(uri, id)| (id, json!({"uri": uri}))).collect();
        set(&mut run, "originalUriBaseIds", Value::Object(bases));
    }
    json::write_line(&json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}), out)
}

fn rule_id(item: &Item<'_>) -> String {
    summary::class(item.report).unwrap_or_else(|| "unexplained".to_owned())
}

fn rule(item: &Item<'_>) -> Value {
    let cause = item.report.cause.as_ref();
    let title = cause.map(|cause| name::shown(&cause.title));
    let title = title.unwrap_or_else(|| "a process crashed".to_owned());
    let mut rule = json!({"id": rule_id(item), "shortDescription": {"text": title}});
    if let Some(relationships) = weaknesses::relationships(item) {
        set(&mut rule, "relationships", relationships);
    }
    rule
}

fn result(item: &Item<'_>, bases: &mut BTreeMap<String, String>) -> Value {
    let report = item.report;
    let place = Location::of(report);
    let (title, kind) = (summary::headline(report), summary::kind(report));
    let mut text = format!("{title} [{kind}]: {}", summary::sentence(report));
    if let Some(group) = &item.group {
        text.push_str(&format!(" ({}; group {})", group.numbers(), group.id()));
    }
    let mut result = json!({
        "ruleId": rule_id(item),
        // A process that crashed is an error, whatever the cause.
        "level": "error",
        "message": {"text": text},
        "properties": {"crash": visible(&report.id)},
    });
    let function = place.function.as_deref();
    let location = location(place.source, function, None, bases);
    if location.as_object().is_some_and(|location| !location.is_empty()) {
        set(&mut result, "locations", json!([location]));
    }
    let stacks: Vec<Value> = report
        .threads
        .iter()
        .filter(|thread| thread.crashed || place.frame.is_some_and(|(t, _)| t.tid == thread.tid))
        .map(|thread| stack(thread, bases))
        .collect();
    if !stacks.is_empty() {
        set(&mut result, "stacks", Value::Array(stacks));
    }
    if let Some(taxa) = weaknesses::taxa(item) {
        set(&mut result, "taxa", taxa);
    }
    if let Some(flow) = flow(item, &place, bases) {
        set(&mut result, "codeFlows", json!([flow]));
    }
    let mut fingerprints = Map::new();
    if let Some(signature) = &report.signature {
        let name = format!("obitSignature/v{}", signature.version);
        fingerprints.insert(name, json!(visible(&signature.id)));
    }
    if let Some(group) = &item.group {
        let summary = group.summary;
        fingerprints.insert("obitGroup/v1".to_owned(), json!(group.id()));
        set(&mut result, "occurrenceCount", json!(summary.count.max(1)));
        set(&mut result, "properties", group_properties(report, group));
        if summary.status == Status::Ignored {
            let suppressions = json!([{"kind": "external", "status": "accepted"}]);
            set(&mut result, "suppressions", suppressions);
        }
        let word = match group.baseline {
            Baseline::New => "new",
            Baseline::Unchanged => "unchanged",
            Baseline::Updated => "updated",
            Baseline::Absent => "absent",
        };
        set(&mut result, "baselineState", json!(word));
    }
    if !fingerprints.is_empty() {
        set(&mut result, "partialFingerprints", Value::Object(fingerprints));
    }
    result
}

fn group_properties(report: &Report, group: &Group<'_>) -> Value {
    let summary = group.summary;
    json!({
        "crash": visible(&report.id),
        "group": group.id(),
        "status": group.status,
        "isSure": summary.is_sure,
        "reason": text(&summary.reason),
        "signature": text(&summary.signature),
    })
}

/// From the frame to blame, where the bad value came from, to the one that failed.
fn flow(
    item: &Item<'_>,
    place: &Location<'_>,
    bases: &mut BTreeMap<String, String>,
) -> Option<Value> {
    let cause = item.report.cause.as_ref()?;
    let (thread, frame) = place.frame?;
    let reason = cause.blame.as_ref().and_then(|blame| blame.reason.as_ref());
    let mut steps = Vec::new();
    let inward = thread.frames.iter().filter(|one| one.index <= frame.index).take(FRAMES);
    for one in inward.collect::<Vec<_>>().into_iter().rev() {
        let is_end = one.index == 0;
        let text = match (one.index == frame.index, is_end) {
            (true, false) => reason.map(name::shown),
            (_, true) => Some(summary::sentence(item.report)),
            _ => None,
        };
        let importance = if text.is_some() { "essential" } else { "important" };
        let location = location_of(one, text, bases);
        steps.push(json!({"location": location, "importance": importance}));
    }
    if steps.len() < 2 {
        return None;
    }
    Some(json!({"threadFlows": [{"id": thread.tid.to_string(), "locations": steps}]}))
}

fn stack(thread: &ThreadReport, bases: &mut BTreeMap<String, String>) -> Value {
    let frames: Vec<Value> = thread
        .frames
        .iter()
        .take(FRAMES)
        .map(|frame| {
            let mut value = json!({
                "location": location_of(frame, None, bases),
                "threadId": thread.tid,
            });
            if let Some(module) = &frame.module {
                set(&mut value, "module", json!(name::shown(&module.path)));
            }
            value
        })
        .collect();
    let state = if thread.crashed { "crashed" } else { "to blame" };
    json!({"message": {"text": format!("thread {}, {state}", thread.tid)}, "frames": frames})
}

fn location_of(
    frame: &FrameReport,
    text: Option<String>,
    bases: &mut BTreeMap<String, String>,
) -> Value {
    let function = name::function(frame, Names::Demangled);
    let mut value = location(frame.source.as_ref(), function.as_deref(), text, bases);
    if let Value::Object(location) = &mut value {
        let physical = location.entry("physicalLocation").or_insert_with(|| json!({}));
        let address = json!({"absoluteAddress": i64::from_ne_bytes(frame.pc.0.to_ne_bytes())});
        // SARIF's integers are signed; addresses of the upper half do not fit.
        if i64::try_from(frame.pc.0).is_ok() {
            set(physical, "address", address);
        } else if physical.as_object().is_some_and(Map::is_empty) {
            location.remove("physicalLocation");
        }
    }
    value
}

fn location(
    source: Option<&SourcePlace>,
    function: Option<&str>,
    text: Option<String>,
    bases: &mut BTreeMap<String, String>,
) -> Value {
    let mut location = json!({});
    if let Some(source) = source {
        let file = SourceFile::of(source);
        let mut artifact = json!({"uri": file.uri()});
        if let Some(base) = file.base_uri() {
            let next = bases.len();
            let id = bases.entry(base).or_insert_with(|| match next {
                0 => "SRCROOT".to_owned(),
                more => format!("SRCROOT{}", more + 1),
            });
            set(&mut artifact, "uriBaseId", json!(id));
        }
        let mut physical = json!({"artifactLocation": artifact});
        if let Some(line) = source.line.filter(|line| *line > 0) {
            let mut region = json!({"startLine": line});
            if let Some(column) = source.column.filter(|column| *column > 0) {
                set(&mut region, "startColumn", json!(column));
            }
            set(&mut physical, "region", region);
        }
        set(&mut location, "physicalLocation", physical);
    }
    if let Some(function) = function {
        let logical = json!([{"fullyQualifiedName": function, "kind": "function"}]);
        set(&mut location, "logicalLocations", logical);
    }
    if let Some(text) = text {
        set(&mut location, "message", json!({"text": text}));
    }
    location
}

pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}
