//! A CloudEvent (version 1.0, JSON event format).

use serde_json::{Value, json};

use super::{percent, time_of};
use crate::formats::Item;
use crate::{Names, name, summary, visible};
use obit_triage::time::instant_of;

/// What an event of a crash is called.
const TYPE: &str = "dev.obit.crash.v1";
/// Frames that are listed: routers take events of 64 KiB.
const FRAMES: usize = 20;

/// The event of one crash.
pub(super) fn event(item: &Item<'_>, now: i64) -> Value {
    let report = item.report;
    let host = report.circumstances.host.as_ref().map(name::shown);
    let program = summary::program(report).unwrap_or_else(|| "unknown".to_owned());
    let source = format!("/obit/{}/{}", percent(host.as_deref().unwrap_or("-")), percent(&program));
    let stack = report.thread_to_blame().map(|thread| {
        let frames = thread.frames.iter().take(FRAMES);
        frames.map(|frame| name::function(frame, Names::Demangled)).collect::<Vec<_>>()
    });
    let cause = report.cause.as_ref();
    json!({
        "specversion": "1.0",
        "id": visible(&report.id),
        "source": source,
        "type": TYPE,
        "time": instant_of(time_of(report).unwrap_or(now)),
        "subject": program,
        "datacontenttype": "application/json",
        "data": {
            "crash": visible(&report.id),
            "program": program,
            "executable": report.process.exe.as_ref().map(name::shown),
            "pid": report.process.pid,
            "build_id": report.process.build_id.as_deref().map(visible),
            "host": host,
            "time_is_known": time_of(report).is_some(),
            "signal": report.signal.as_ref().map(|signal| visible(&signal.name).into_owned()),
            "class": summary::class(report),
            "summary": summary::sentence(report),
            "confidence": cause.map(|cause| cause.confidence),
            "signature": report.signature.as_ref().map(|found| json!({
                "id": visible(&found.id), "text": name::shown(&found.text),
            })),
            "frames": stack,
            "group": item.group.as_ref().map(|group| json!({
                "id": visible(&group.summary.id),
                "status": group.status,
                "count": group.summary.count,
            })),
            "redaction": visible(&report.redactions.policy),
        },
    })
}
