//! Crashes as documents that other services take: logs of OpenTelemetry, envelopes of Sentry,
//! CloudEvents, and issues of trackers.
//!
//! A document is made of a report and a group, which are redacted; nothing here sends anything.

mod cloudevents;
mod issue;
mod otlp;

use obit_triage::time::When;

pub use issue::{Tracker, Wanted};

use crate::formats::{Item, sentry_event};
use obit_report::Report;

/// What is made of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// An `ExportLogsServiceRequest` of OTLP, as JSON.
    Otlp,
    /// An envelope of Sentry.
    Sentry,
    /// A CloudEvent in structured mode, as JSON.
    CloudEvents,
    /// What creates an issue, and what finds it again.
    Issue(Tracker),
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// What it is called in a message: the crash's id.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content, which ends with a line feed.
    pub content: Vec<u8>,
}

impl Export {
    /// All of them, by the names of the command line.
    pub const ALL: [(&'static str, Self); 6] = [
        ("otlp", Self::Otlp),
        ("sentry", Self::Sentry),
        ("cloudevents", Self::CloudEvents),
        ("github", Self::Issue(Tracker::GitHub)),
        ("gitlab", Self::Issue(Tracker::GitLab)),
        ("jira", Self::Issue(Tracker::Jira)),
    ];

    /// The document of one crash; `now` is the time of the export, in seconds since 1970.
    pub fn document(self, item: &Item<'_>, wanted: &Wanted, now: i64) -> Exported {
        let name = item.report.id.clone();
        let line = |value: serde_json::Value| format!("{value}\n").into_bytes();
        let (media_type, content) = match self {
            Self::Otlp => ("application/json", line(otlp::request(item, now))),
            Self::Sentry => ("application/x-sentry-envelope", envelope(item)),
            Self::CloudEvents => {
                ("application/cloudevents+json", line(cloudevents::event(item, now)))
            }
            Self::Issue(tracker) => ("application/json", line(issue::issue(item, tracker, wanted))),
        };
        Exported { name, media_type, content }
    }
}

/// A line about the envelope, one about its item, and the event.
fn envelope(item: &Item<'_>) -> Vec<u8> {
    let event = sentry_event(item);
    let id = event.get("event_id").cloned().unwrap_or_default();
    let text = event.to_string();
    let header = serde_json::json!({"event_id": id});
    let about = serde_json::json!({
        "type": "event", "length": text.len(), "content_type": "application/json",
    });
    format!("{header}\n{about}\n{text}\n").into_bytes()
}

/// When the process crashed, in seconds since 1970.
fn time_of(report: &Report) -> Option<i64> {
    let time = When::parse(report.circumstances.time.as_deref()?).ok()?;
    // A time that is stated does not count from now.
    Some(time.seconds(0))
}

/// `text` as a part of a URL: letters, digits and `-._~` stay (RFC 3986, section 2.3).
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn document(export: Export) -> String {
        let report =
            crate::samples::crash(vec![crate::samples::thread(7, "main", crate::samples::walk())]);
        let wanted = Wanted { project: Some("shop/app".to_owned()), ..Wanted::default() };
        let made = export.document(&Item::of(&report), &wanted, 1_800_000_000);
        String::from_utf8(made.content).unwrap()
    }

    #[test]
    fn an_envelope_has_the_length_of_its_event() {
        let text = document(Export::Sentry);
        let lines: Vec<&str> = text.lines().collect();
        let [header, about, event] = lines.as_slice() else { panic!("{text}") };
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        assert_eq!(of(about)["length"], event.len());
        assert_eq!(of(header)["event_id"], of(event)["event_id"]);
    }

    #[test]
    fn a_log_record_has_the_attributes_of_an_exception() {
        let value: Value = serde_json::from_str(&document(Export::Otlp)).unwrap();
        let record = &value["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        assert_eq!(record["severityNumber"], 21);
        assert_eq!(record["observedTimeUnixNano"], "1800000000000000000");
        let keys: Vec<&str> = record["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["key"].as_str())
            .collect();
        for wanted in ["exception.type", "exception.message", "exception.stacktrace"] {
            assert!(keys.contains(&wanted), "{keys:?}");
        }
    }

    #[test]
    fn a_cloud_event_has_what_the_specification_requires() {
        let value: Value = serde_json::from_str(&document(Export::CloudEvents)).unwrap();
        for name in ["id", "source", "type", "time"] {
            assert!(value[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {value}");
        }
        assert_eq!(value["specversion"], "1.0");
    }

    #[test]
    fn an_issue_can_be_found_by_its_fingerprint() {
        for tracker in [Tracker::GitHub, Tracker::GitLab, Tracker::Jira] {
            let value: Value = serde_json::from_str(&document(Export::Issue(tracker))).unwrap();
            let fingerprint = value["fingerprint"].as_str().unwrap();
            assert!(value["body"].to_string().contains(fingerprint), "{value}");
            assert!(value["search"]["url"].as_str().unwrap().contains(fingerprint), "{value}");
            assert_eq!(value["method"], "POST");
            assert!(!value["url"].as_str().unwrap().contains(' '), "{value}");
        }
    }

    #[test]
    fn what_is_part_of_a_url_ends_no_part_of_it() {
        assert_eq!(percent("a b/c?d#e&\u{fc}"), "a%20b%2Fc%3Fd%23e%26%C3%BC");
    }
}
