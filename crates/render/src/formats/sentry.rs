//! A Sentry event (`platform: native`), as its store and envelope endpoints take it.

use std::io;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Format, Item, LogCommands, Records};
use crate::summary;
use crate::{Names, name, visible};
use obit_report::module::{ModuleReport, ModuleRole};
use obit_report::{FrameKind, FrameReport, FrameTrust, Pointees, Report, ThreadReport, json};

pub(super) const SENTRY: Format = Format {
    about: "An event for Sentry",
    log_commands: LogCommands::Json,
    items: Some(write_sentry),
    records: Some(Records::items(write_sentry)),
    ..Format::new("sentry", "ndjson")
};

/// Frames of one thread, and threads.
const FRAMES: usize = 250;
const THREADS: usize = 100;

/// Writes an event for each of `items`, one a line.
fn write_sentry(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    for item in items {
        json::write_line(&event(item), &mut *out)?;
    }
    Ok(())
}

pub(crate) fn event(item: &Item<'_>) -> Value {
    let report = item.report;
    let crashed = report.thread_to_blame();
    let signal = report.signal.as_ref();
    let mechanism = json!({
        "type": "signalhandler",
        "handled": false,
        "meta": {"signal": {
            "number": signal.map(|signal| signal.number),
            "code": signal.and_then(|signal| signal.code),
            "name": signal.map(|signal| visible(&signal.name)),
            "code_name": signal.and_then(|s| s.code_name.as_deref()).map(visible),
        }},
    });
    let exception = json!({
        "type": summary::kind(report),
        "value": summary::sentence(report),
        "thread_id": crashed.map(|thread| thread.tid),
        "mechanism": mechanism,
        "stacktrace": crashed.map(|thread| stack(thread, report)),
    });
    let others = report.threads.iter().filter(|one| Some(one.tid) != crashed.map(|c| c.tid));
    let threads: Vec<Value> = others.take(THREADS).map(|one| thread(one, report)).collect();
    let mut event = json!({
        "event_id": event_id(&report.id),
        "platform": "native",
        "level": "fatal",
        "logger": "obit",
        "exception": {"values": [exception]},
        "threads": {"values": threads},
        "debug_meta": {"images": report.modules.iter().filter_map(image).collect::<Vec<_>>()},
        "contexts": {"device": {"arch": report.core.arch}, "os": {"name": "Linux"}},
        "tags": tags(report),
        "extra": {"crash": visible(&report.id)},
    });
    let fingerprint = item.group.as_ref().map(|group| group.summary.id.as_str());
    let signature = report.signature.as_ref().map(|signature| signature.id.as_str());
    if let (Value::Object(event), Some(fingerprint)) = (&mut event, fingerprint.or(signature)) {
        event.insert("fingerprint".to_owned(), json!([visible(fingerprint)]));
    }
    if let (Some(extra), Some(group)) = (event.get_mut("extra"), &item.group) {
        extra["group"] = json!(group.id());
        extra["crashes"] = json!(group.summary.count);
        extra["status"] = json!(group.status);
        extra["is_sure"] = json!(group.summary.is_sure);
    }
    let version = report.process.package.as_ref().and_then(|package| package.version.as_ref());
    if let (Value::Object(event), Some(version)) = (&mut event, version) {
        event.insert("release".to_owned(), json!(name::shown(version)));
    }
    event
}

/// 32 hexadecimal digits, the same for the same crash: sent twice, it counts once.
fn event_id(crash: &str) -> String {
    let digest = Sha256::digest(crash.as_bytes());
    HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

fn tags(report: &Report) -> Value {
    let mut tags = Map::new();
    let mut tag = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            tags.insert(key.to_owned(), Value::String(value));
        }
    };
    tag("cause.class", summary::class(report));
    tag("program", summary::program(report));
    tag("build_id", report.process.build_id.as_deref().map(|id| visible(id).into_owned()));
    tag("signature", report.signature.as_ref().map(|found| name::shown(&found.text)));
    Value::Object(tags)
}

fn thread(thread: &ThreadReport, report: &Report) -> Value {
    json!({
        "id": thread.tid,
        "name": thread.name.as_ref().map(name::shown),
        "crashed": thread.crashed,
        "stacktrace": stack(thread, report),
    })
}

/// Sentry wants the outermost frame first.
fn stack(thread: &ThreadReport, report: &Report) -> Value {
    let frames: Vec<Value> =
        thread.frames.iter().take(FRAMES).rev().map(|one| frame(one, report)).collect();
    let registers: Map<String, Value> = thread
        .registers
        .iter()
        .map(|(name, value)| (visible(name).into_owned(), json!(value.to_string())))
        .collect();
    json!({"frames": frames, "registers": registers})
}

fn frame(frame: &FrameReport, report: &Report) -> Value {
    let source = frame.source.as_ref();
    let line_of = |from: i64| {
        let place = source?;
        let wanted = i64::from(place.line?) + from;
        let line = place.lines.iter().find(|line| i64::from(line.line) == wanted)?;
        Some(name::shown(&line.text))
    };
    let around = |from: [i64; 2]| -> Vec<String> { from.into_iter().filter_map(line_of).collect() };
    let vars: Map<String, Value> = frame
        .args
        .iter()
        .chain(&frame.locals)
        .map(|one| {
            let text = crate::terminal::values::value_line(one, VALUE, Pointees::Hidden);
            (name::shown(&one.name), Value::String(text))
        })
        .collect();
    let module = frame
        .module
        .as_ref()
        .and_then(|place| report.modules.iter().find(|module| module.path == place.path));
    let trust = match (frame.kind, frame.trust) {
        (FrameKind::Inline, _) => "inline",
        (_, FrameTrust::Context) => "context",
        (_, FrameTrust::FramePointer) => "fp",
        (_, FrameTrust::Scan) => "scan",
        _ => "cfi",
    };
    json!({
        "function": name::function(frame, Names::Demangled),
        "raw_function": name::function(frame, Names::Raw),
        "package": frame.module.as_ref().map(|module| name::shown(&module.path)),
        "filename": source.map(|place| name::base_name(&place.file)),
        "abs_path": source.map(|place| name::shown(&place.file)),
        "lineno": source.and_then(|place| place.line),
        "colno": source.and_then(|place| place.column),
        "pre_context": around([-2, -1]),
        "context_line": line_of(0),
        "post_context": around([1, 2]),
        "instruction_addr": frame.pc.to_string(),
        "image_addr": module.map(|module| module.base.to_string()),
        "trust": trust,
        "in_app": module.is_some_and(|module| module.role == ModuleRole::Executable),
        "vars": vars,
    })
}

/// Columns of a variable's value.
const VALUE: usize = 200;

fn image(module: &ModuleReport) -> Option<Value> {
    let id = module.build_id.as_deref()?;
    Some(json!({
        "type": "elf",
        "code_id": visible(id),
        "debug_id": debug_id(id)?,
        "code_file": name::shown(&module.path),
        "image_addr": module.base.to_string(),
        "image_size": module.size,
    }))
}

/// Sentry's debug id: the first 16 bytes of the build ID as a GUID, whose first three
/// fields are little-endian.
fn debug_id(build_id: &str) -> Option<String> {
    let digits = format!("{:0<32}", build_id.get(..build_id.len().min(32))?);
    let byte = |at: usize| digits.get(2 * at..2 * at + 2);
    let mut guid = String::new();
    for at in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] {
        guid.push_str(byte(at)?);
        if matches!(at, 0 | 4 | 6 | 9) {
            guid.push('-');
        }
    }
    Some(guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_id_is_the_build_id_as_a_guid() {
        assert_eq!(
            debug_id("000102030405060708090a0b0c0d0e0f10111213").as_deref(),
            Some("03020100-0504-0706-0809-0a0b0c0d0e0f")
        );
        assert_eq!(debug_id("abcd").as_deref(), Some("0000cdab-0000-0000-0000-000000000000"));
    }
}
