//! Entries of the journal of systemd: the export format, and JSON, a line for each
//! (systemd.journal-fields(7), "Journal Export Formats"). Lines of JSON of other programs, too.

use serde_json::Value;

use super::moment::{self, Moment};
use super::{LONGEST, LogLine, MOST_LINES};

/// Nanoseconds in a microsecond.
const MICROSECOND: i64 = 1_000;
/// Fields of one entry.
const MOST_FIELDS: usize = 4096;
/// Members that programs have for a time, and for a process.
const TIMES: [&str; 6] = ["time", "timestamp", "@timestamp", "ts", "t", "datetime"];
const PIDS: [&str; 4] = ["_PID", "pid", "process_id", "SYSLOG_PID"];

/// Whether a log begins as an export does.
pub(super) fn is_export(bytes: &[u8]) -> bool {
    bytes.starts_with(b"__CURSOR=") || bytes.starts_with(b"__REALTIME_TIMESTAMP=")
}

/// The entries of an export. A field is a line `NAME=value`, or the name, the length as eight
/// bytes, the value.
pub(super) fn entries(bytes: &[u8]) -> Vec<LogLine<'_>> {
    let mut all = Vec::new();
    let mut rest = bytes;
    let mut entry = Entry::default();
    let mut fields = 0_usize;
    while !rest.is_empty() && all.len() < MOST_LINES {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
        if line.is_empty() {
            let number = all.len() as u64 + 1;
            all.extend(std::mem::take(&mut entry).line(number));
            fields = 0;
            continue;
        }
        fields = fields.saturating_add(1);
        if fields > MOST_FIELDS {
            continue;
        }
        match line.iter().position(|byte| *byte == b'=') {
            Some(equals) => {
                let (name, value) = line.split_at_checked(equals).unwrap_or_default();
                entry.set(name, value.get(1..).unwrap_or_default());
            }
            None => {
                let Some((length, after)) = rest.split_first_chunk::<8>() else { break };
                let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
                let Some(value) = after.get(..length) else { break };
                entry.set(line, value);
                let next = length.saturating_add(1);
                rest = after.get(next..).unwrap_or_default();
            }
        }
    }
    let number = all.len() as u64 + 1;
    all.extend(entry.line(number));
    all
}

#[derive(Default)]
struct Entry<'l> {
    message: Option<&'l [u8]>,
    time: Option<i64>,
    pid: Option<i64>,
}

impl<'l> Entry<'l> {
    fn set(&mut self, name: &[u8], value: &'l [u8]) {
        let number = || std::str::from_utf8(value).ok()?.parse::<i64>().ok();
        match name {
            b"MESSAGE" => self.message = Some(value),
            b"__REALTIME_TIMESTAMP" => self.time = number(),
            b"_PID" => self.pid = number(),
            _ => {}
        }
    }

    fn line(self, number: u64) -> Option<LogLine<'l>> {
        let message = self.message?;
        let text = message.get(..LONGEST).unwrap_or(message);
        let moment = self.time.and_then(of_microseconds);
        let is_cut = text.len() < message.len();
        Some(LogLine { number, text: text.into(), moment, pid: self.pid, is_cut })
    }
}

fn of_microseconds(microseconds: i64) -> Option<Moment> {
    let nanoseconds = microseconds.checked_mul(MICROSECOND)?;
    Some(Moment { nanoseconds, is_without_zone: false })
}

/// An object of JSON on a line: an entry of the journal, or a line of a program that logs so.
pub(super) fn of_json(line: &[u8], number: u64) -> Option<LogLine<'_>> {
    if line.first() != Some(&b'{') {
        return None;
    }
    let value: Value = serde_json::from_slice(line).ok()?;
    let fields = value.as_object()?;
    let integer = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let pid = PIDS.iter().find_map(|name| integer(fields.get(*name)?));
    if let Some(time) = fields.get("__REALTIME_TIMESTAMP").and_then(integer) {
        let message = fields.get("MESSAGE").and_then(Value::as_str).unwrap_or_default();
        let text = message.as_bytes().to_vec().into();
        return Some(LogLine { number, text, moment: of_microseconds(time), pid, is_cut: false });
    }
    let moment = TIMES.iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) => moment::iso(text).or_else(|| moment::epoch(text)),
        Value::Number(time) => moment::epoch(&time.to_string()),
        _ => None,
    });
    Some(LogLine { number, text: line.into(), moment, pid, is_cut: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_has_text_and_binary_fields() {
        let mut export = b"__CURSOR=s\n__REALTIME_TIMESTAMP=1796040001000000\n_PID=77\n".to_vec();
        export.extend(b"MESSAGE\n\x05\0\0\0\0\0\0\0a\nb=c\n\n");
        export.extend(b"__REALTIME_TIMESTAMP=1796040002000000\nMESSAGE=second\n");
        assert!(is_export(&export));
        let found = entries(&export);
        let seen: Vec<_> = found.iter().map(|entry| (&*entry.text, entry.pid)).collect();
        assert_eq!(seen, [(&b"a\nb=c"[..], Some(77)), (b"second", None)]);
        assert_eq!(found[1].moment.map(|it| it.nanoseconds), Some(1_796_040_002_000_000_000));
    }

    #[test]
    fn lengths_beyond_the_end_end_it() {
        let export = b"__CURSOR=s\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffabc";
        assert!(entries(export).is_empty());
        assert!(entries(b"__CURSOR=s\nMESSAGE\n\x01").is_empty());
    }

    #[test]
    fn lines_of_json_have_their_times_and_processes() {
        let of = |text: &'static str| {
            let line = of_json(text.as_bytes(), 1)?;
            Some((line.moment.map(|it| it.nanoseconds / 1_000_000_000), line.pid))
        };
        let time = Some(1_796_040_001);
        let journal = r#"{"__REALTIME_TIMESTAMP":"1796040001000000","_PID":"7","MESSAGE":"m"}"#;
        assert_eq!(of(journal), Some((time, Some(7))));
        assert_eq!(of(r#"{"ts":1796040001.5,"pid":7}"#), Some((time, Some(7))));
        assert_eq!(of(r#"{"time":"2026-11-30T12:00:01Z"}"#), Some((time, None)));
        assert_eq!(of("{no json"), None);
    }
}
