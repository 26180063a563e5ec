//! Events as mails.

use std::fmt::Write as _;

use data_encoding::BASE64;
use obit_redact::Shown;
use obit_render::visible;
use obit_triage::Status;
use obit_triage::time::instant_of;
use obit_triage::views::CrashEvent;

/// Bytes of text in one encoded word of a header, which may have 75 characters (RFC 2047 § 2).
const WORD: usize = 45;
/// Bytes of a subject.
const SUBJECT: usize = 160;
/// Frames that are listed.
const FRAMES: usize = 12;

/// A mail to `address` about the event, with its headers.
pub(super) fn mail(address: &str, event: &CrashEvent) -> Vec<u8> {
    let status = event.status.map_or("unreadable", |status| status.word());
    let subject = format!("[obit] {status}: {}", title(event));
    let mut mail = format!(
        "To: {address}\nSubject: {}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\
         X-Obit-Delivery: {}\n\n",
        header(&subject),
        event.id
    );
    mail.push_str(&body_lines(&BASE64.encode(body(event).as_bytes())));
    mail.into_bytes()
}

/// Base64 in lines of a mail, which have 76 characters of it at most (RFC 2045 § 6.8).
pub(super) fn body_lines(base64: &str) -> String {
    let lines = base64.as_bytes().chunks(76).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\n")).collect()
}

/// What a message says of an event, in a line.
#[cfg(feature = "webhook")]
pub(super) fn in_a_line(event: &CrashEvent) -> String {
    let status = event.status.map_or("unreadable", |status| status.word());
    let group = event.group.as_ref();
    let of = group.map(|group| format!(" {} ({} dumps)", group.id, group.count));
    format!("[obit] {status}{}: {}", of.unwrap_or_default(), title(event))
}

fn title(event: &CrashEvent) -> String {
    let group = event.group.as_ref();
    let headline = group.and_then(|group| group.headline.clone().or_else(|| group.title.clone()));
    let cause = event.record.cause.as_ref().map(|cause| cause.title.as_str().to_owned());
    let reason = event.record.reason.as_ref().map(|reason| reason.text.as_str().to_owned());
    headline.or(cause).or(reason).unwrap_or_else(|| "a crash".to_owned())
}

/// A header's value: in ASCII, without line breaks that could begin another header.
pub(super) fn header(text: &str) -> String {
    let mut end = text.len().min(SUBJECT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text: String =
        text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if text.is_ascii() && !text.contains("=?") {
        return text;
    }
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars() {
        if word.len() + c.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes())));
    encoded.collect::<Vec<_>>().join("\n ")
}

fn body(event: &CrashEvent) -> String {
    let mut text = String::new();
    let record = &event.record;
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<10} {}", visible(value));
        }
    };
    let group = event.group.as_ref();
    line("crash", Some(&title(event)));
    line("group", group.map(|group| group.id.as_str()));
    line("status", event.status.map(Status::word));
    line("reason", group.map(|group| group.reason.as_str()));
    line("dumps", group.map(|group| group.count.to_string()).as_deref());
    let unreported =
        (event.unreported > 0).then(|| format!("{} more since the last mail", event.unreported));
    line("", unreported.as_deref());
    line("program", record.process.exe.as_ref().map(Shown::as_str));
    line("host", record.host.as_ref().map(Shown::as_str));
    line("time", record.time.map(instant_of).as_deref());
    line("dump", Some(record.core.path.as_str()));
    line("signature", group.map(|group| group.signature.as_str()));
    if !record.frames.is_empty() {
        text.push('\n');
        for (at, frame) in record.frames.iter().take(FRAMES).enumerate() {
            let _ = writeln!(text, "#{at:<3} {}", visible(frame.as_str()));
        }
    }
    if let Some(group) = group {
        let _ = writeln!(text, "\nobit show {} has the details.", group.id);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::views::GroupSummary;

    #[test]
    fn a_title_with_line_breaks_begins_no_header() {
        let group = GroupSummary {
            id: "g1".to_owned(),
            headline: Some("x\r\nBcc: all@example.org".to_owned()),
            count: 7,
            ..GroupSummary::default()
        };
        let event = CrashEvent {
            id: "e1".to_owned(),
            status: Some(Status::New),
            group: Some(group),
            unreported: 3,
            ..CrashEvent::default()
        };
        let mail = String::from_utf8(mail("ops@example.org", &event)).unwrap();
        let (head, body) = mail.split_once("\n\n").unwrap();
        assert!(head.contains("Subject: [obit] new: xBcc: all@example.org\n"), "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        let body = BASE64.decode(body.replace('\n', "").as_bytes()).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("dumps      7\n") && body.contains("obit show g1"), "{body}");
        assert!(body.contains("3 more since the last mail"), "{body}");
    }

    #[test]
    fn a_title_in_any_script_is_ascii_in_words_that_are_short_enough() {
        let value = header(&"größe ".repeat(20));
        assert!(value.is_ascii());
        assert!(value.lines().all(|line| line.trim().len() <= 75), "{value}");
        let decoded: Vec<u8> = value
            .lines()
            .flat_map(|line| {
                let word = line.trim().trim_start_matches("=?utf-8?B?").trim_end_matches("?=");
                BASE64.decode(word.as_bytes()).unwrap()
            })
            .collect();
        assert!("größe ".repeat(20).starts_with(&String::from_utf8(decoded).unwrap()));
    }
}
