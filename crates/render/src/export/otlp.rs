//! A log record with the attributes of an exception (OTLP 1, JSON encoding; semantic conventions
//! for exceptions in logs).

use serde_json::{Value, json};

use super::time_of;
use crate::formats::Item;
use crate::{Names, name, summary, visible};
use obit_report::{Report, ThreadReport};

/// `SEVERITY_NUMBER_FATAL`.
const FATAL: u32 = 21;
/// Frames of a stack.
const FRAMES: usize = 250;

/// An `ExportLogsServiceRequest` with one record. Numbers of 64 bits are texts in the JSON of
/// Protocol Buffers.
pub(super) fn request(item: &Item<'_>, now: i64) -> Value {
    let report = item.report;
    let nanos = |seconds: i64| format!("{seconds}000000000");
    let mut record = json!({
        "observedTimeUnixNano": nanos(now.max(0)),
        "severityNumber": FATAL,
        "severityText": "FATAL",
        "eventName": "obit.crash",
        "body": {"stringValue": summary::sentence(report)},
        "attributes": attributes(item),
    });
    if let (Some(time), Value::Object(record)) = (time_of(report).filter(|at| *at > 0), &mut record)
    {
        record.insert("timeUnixNano".to_owned(), json!(nanos(time)));
    }
    json!({"resourceLogs": [{
        "resource": {"attributes": resource(report)},
        "scopeLogs": [{
            "scope": {"name": "obit", "version": visible(&report.obit.version)},
            "logRecords": [record],
        }],
    }]})
}

/// A list of attributes, without those of which nothing is known.
#[derive(Default)]
struct Attributes(Vec<Value>);

impl Attributes {
    fn text(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.push(json!({"key": key, "value": {"stringValue": value}}));
        }
    }

    fn number(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.0.push(json!({"key": key, "value": {"intValue": value.to_string()}}));
        }
    }
}

fn resource(report: &Report) -> Vec<Value> {
    let mut all = Attributes::default();
    let shown = |text: Option<&obit_redact::Shown>| text.map(name::shown);
    let (process, circumstances) = (&report.process, &report.circumstances);
    all.text("service.name", summary::program(report).or_else(|| Some("unknown_service".into())));
    let package = process.package.as_ref().and_then(|package| package.version.as_ref());
    all.text("service.version", shown(package));
    all.text("host.name", shown(circumstances.host.as_ref()));
    all.text("host.arch", Some(architecture(&report.core.arch).to_owned()));
    all.text("os.type", Some("linux".to_owned()));
    all.number("process.pid", process.pid);
    all.number("process.parent_pid", process.ppid);
    all.text("process.executable.path", shown(process.exe.as_ref()));
    let build = process.build_id.as_deref().map(|id| visible(id).into_owned());
    all.text("process.executable.build_id.gnu", build);
    all.0
}

/// Values of `host.arch`.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i386" | "i686" => "x86",
        "arm" => "arm32",
        other => other,
    }
}

fn attributes(item: &Item<'_>) -> Vec<Value> {
    let report = item.report;
    let mut all = Attributes::default();
    all.text("exception.type", Some(summary::kind(report)));
    all.text("exception.message", Some(summary::sentence(report)));
    all.text("exception.stacktrace", report.thread_to_blame().map(stack));
    let crashed = report.crashed_thread();
    all.number("thread.id", crashed.map(|thread| thread.tid));
    all.text("thread.name", crashed.and_then(|it| it.name.as_ref()).map(name::shown));
    all.text("obit.crash.id", Some(visible(&report.id).into_owned()));
    all.text("obit.cause.class", summary::class(report));
    let signal = report.signal.as_ref();
    all.text("obit.signal", signal.map(|signal| visible(&signal.name).into_owned()));
    let signature = report.signature.as_ref();
    all.text("obit.signature.id", signature.map(|found| visible(&found.id).into_owned()));
    all.text("obit.signature", signature.map(|found| name::shown(&found.text)));
    if let Some(group) = &item.group {
        all.text("obit.group.id", Some(visible(&group.summary.id).into_owned()));
        all.text("obit.group.status", Some(group.status.to_owned()));
        all.number("obit.group.count", i64::try_from(group.summary.count).ok());
    }
    all.0
}

/// A line for each frame, as debuggers write them.
fn stack(thread: &ThreadReport) -> String {
    let mut text = String::new();
    for (at, frame) in thread.frames.iter().take(FRAMES).enumerate() {
        let function = name::function(frame, Names::Demangled);
        let function = function.unwrap_or_else(|| "??".to_owned());
        let place = frame.source.as_ref().map(|source| {
            let line = source.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!(" at {}{line}", name::shown(&source.file))
        });
        let module = frame.module.as_ref().map(|it| format!(" from {}", name::shown(&it.path)));
        let place = place.or(module).unwrap_or_default();
        text.push_str(&format!("#{at} {} in {function}{place}\n", frame.pc));
    }
    text
}
