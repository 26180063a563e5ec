//! JSON: the report and the documents of triage as their schemas have them.

use super::{EachRecord, Format, LogCommands, Records};
use obit_report::heap::HeapAnswer;
use obit_report::{json, write_with};
use obit_triage::differ::write_difference as write_distinctions;
use obit_triage::views::write_builds;
use obit_triage::views::write_detail;
use obit_triage::views::write_difference;
use obit_triage::views::{write_group_lines, write_overview};
use obit_triage::write_record;

pub(super) const JSON: Format = Format {
    about: "One line of JSON (see `obit schema`); of many records, an array",
    log_commands: LogCommands::Json,
    has_memory_map: true,
    report: Some(|out, report, _, _| json::write_report(report, out)),
    portions: Some(|out, rest, portions| write_with(rest, portions, out)),
    groups: Some(|out, groups, _, _| write_overview(groups, out)),
    group: Some(|out, group, _| write_detail(group, out)),
    difference: Some(|out, difference, _| write_difference(difference, out)),
    digest: Some(|out, groups| write_overview(groups, out)),
    builds: Some(|out, builds, _| write_builds(builds, out)),
    records: Some(Records {
        start: "[",
        between: ",",
        end: "]\n",
        each: EachRecord::Record(|out, record| write_record(record, out)),
    }),
    printed: Some(|out, printed, _| json::write_line(printed, out)),
    hidden: Some(|out, hidden, _| json::write_line(hidden, out)),
    contents: Some(|out, found, _| json::write_line(found, out)),
    tasks: Some(|out, found, _| json::write_line(found, out)),
    rewound: Some(|out, found, _| json::write_line(found, out)),
    heap: Some(|out, answer, _| match answer {
        HeapAnswer::Census(report) => json::write_line(report, out),
        HeapAnswer::Place(place) => json::write_line(place, out),
        HeapAnswer::Found(found) => json::write_line(found, out),
    }),
    findings: Some(|out, findings, _| json::write_line(findings, out)),
    distinctions: Some(|out, found, _| write_distinctions(found, out)),
    incidents: Some(|out, found, _| json::write_line(found, out)),
    ..Format::new("json", "json")
};

/// The same with a document a line.
pub(super) const NDJSON: Format = Format {
    name: "ndjson",
    about: "The same: JSON with one document per line",
    extension: "ndjson",
    groups: Some(|out, groups, _, _| write_group_lines(groups, out)),
    digest: Some(|out, groups| write_group_lines(groups, out)),
    records: Some(Records::lines(|out, record| write_record(record, out))),
    incidents: None,
    findings: Some(|out, findings, _| {
        findings.table.objects().try_for_each(|row| json::write_line(&row, &mut *out))
    }),
    ..JSON
};
