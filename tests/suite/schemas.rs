//! The published JSON Schemas are those of the types.
#![allow(clippy::unwrap_used)]

use obit::report::answer::{Contents, Printed, RewindReport, TasksReport};
use obit::report::heap::{FoundReport, HeapReport, PlaceReport};
use obit::report::{write_schema, write_schema_of};
use obit::triage::views::{Document, write_schema as write_schema_of_view};
use obit_incident::Incidents;
use obit_query::FindingsDocument;

/// `OBIT_UPDATE_SCHEMA=1 cargo test --test schemas` writes it anew.
#[track_caller]
fn assert_is_published(name: &str, now: &[u8]) {
    let path = format!("{}/docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("OBIT_UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let published = std::fs::read(&path).unwrap_or_default();
    assert!(published == now, "docs/{name}.schema.json is out of date: OBIT_UPDATE_SCHEMA=1");
}

#[test]
fn the_published_schema_of_the_report_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema(&mut now).unwrap();
    assert_is_published("report", &now);
}

#[test]
fn the_published_schema_of_printed_answers_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<Printed>(&mut now).unwrap();
    assert_is_published("print", &now);
}

#[test]
fn the_published_schema_of_what_memory_holds_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<Contents>(&mut now).unwrap();
    assert_is_published("memory", &now);
}

#[test]
fn the_published_schema_of_tasks_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<TasksReport>(&mut now).unwrap();
    assert_is_published("tasks", &now);
}

#[test]
fn the_published_schema_of_what_was_executed_last_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<RewindReport>(&mut now).unwrap();
    assert_is_published("rewind", &now);
}

#[test]
fn the_published_schemas_of_the_heap_are_those_of_their_types() {
    let mut now = Vec::new();
    write_schema_of::<HeapReport>(&mut now).unwrap();
    assert_is_published("heap", &now);
    now.clear();
    write_schema_of::<PlaceReport>(&mut now).unwrap();
    assert_is_published("place", &now);
    now.clear();
    write_schema_of::<FoundReport>(&mut now).unwrap();
    assert_is_published("found", &now);
}

#[test]
fn the_published_schema_of_queries_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<FindingsDocument>(&mut now).unwrap();
    assert_is_published("query", &now);
}

#[test]
fn the_published_schema_of_incidents_is_the_one_of_its_types() {
    let mut now = Vec::new();
    write_schema_of::<Incidents>(&mut now).unwrap();
    assert_is_published("incident", &now);
}

#[test]
fn the_published_schemas_of_the_views_are_those_of_their_types() {
    for (name, document) in [
        ("record", Document::Record),
        ("top", Document::Top),
        ("group", Document::Group),
        ("show", Document::Show),
        ("diff", Document::Diff),
        ("builds", Document::Builds),
        ("event", Document::Event),
        ("differ", Document::Differ),
        ("shard", Document::Shard),
    ] {
        let mut now = Vec::new();
        write_schema_of_view(document, &mut now).unwrap();
        assert_is_published(name, &now);
    }
}

/// Takes out the widths of numbers, of which clients say that they do not know them.
fn without_formats(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(fields) => {
            fields.retain(|name, value| name != "format" || !value.is_string());
            fields.values_mut().for_each(without_formats);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(without_formats),
        _ => {}
    }
}

/// The schemas of the answers of the tools, which a client checks them by.
#[test]
fn the_published_schemas_of_tools_are_those_of_their_answers() {
    use obit::session as of;
    macro_rules! schema {
        ($document:ty) => {{
            let mut written = Vec::new();
            write_schema_of::<$document>(&mut written).unwrap();
            let mut schema = serde_json::from_slice(&written).unwrap();
            without_formats(&mut schema);
            schema
        }};
    }
    let schemas = serde_json::json!({
        "open": schema!(of::Overview),
        "why": schema!(of::Why),
        "stack": schema!(of::StackAnswer),
        "variables": schema!(of::VariablesAnswer),
        "print": schema!(of::PrintAnswer),
        "memory": schema!(of::MemoryAnswer),
        "find": schema!(of::FindAnswer),
        "locks": schema!(of::LocksAnswer),
        "tasks": schema!(TasksReport),
        "heap": schema!(HeapReport),
        "who_points_to": schema!(PlaceReport),
        "modules": schema!(of::ModulesAnswer),
        "registers": schema!(of::RegistersAnswer),
        "source": schema!(of::SourceAnswer),
        "verify": schema!(of::VerifyAnswer),
        "triage": schema!(of::TriageAnswer),
        "group": schema!(of::GroupAnswer),
        "compare": schema!(of::CompareAnswer),
    });
    let mut now = serde_json::to_vec_pretty(&schemas).unwrap();
    now.push(b'\n');
    let path = format!("{}/src/mcp/output_schemas.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("OBIT_UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let published = std::fs::read(&path).unwrap();
    assert!(published == now, "src/mcp/output_schemas.json is out of date: OBIT_UPDATE_SCHEMA=1");
}
