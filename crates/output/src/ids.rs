//! Ids of requests and messages in bytes: those of tracing (W3C Trace Context, B3), and those that
//! a name announces.

use std::collections::BTreeSet;

use memchr::memmem;

/// Ids that the specifications of tracing use as examples, and so do tests and manuals.
const EXAMPLES: [&str; 5] = [
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "0af7651916cd43dd8448eb211c80319c",
    "80f198ee56343ba864fe8b2a57d3eff7",
    "463ac35c9f6413ad48485a3953bb6124",
    "5759e988bd862e3fe1be46a994272793",
];

/// Names before an id, without `-` and `_`, in small letters; and what the id is.
const LABELS: [(&[u8], &str); 10] = [
    (b"traceid", "trace id"),
    (b"spanid", SPAN),
    (b"messageid", "message id"),
    (b"msgid", "message id"),
    (b"correlationid", "correlation id"),
    (b"requestid", "request id"),
    (b"transactionid", "transaction id"),
    (b"deliveryid", "message id"),
    (b"jobid", "job id"),
    (b"orderid", "order id"),
];

/// What the id of a step of a trace is called: no other process has the same.
pub const SPAN: &str = "span id";

/// Calls `take` with what each id in `bytes` is, and the id.
pub fn ids<'b>(bytes: &'b [u8], take: &mut dyn FnMut(&'static str, &'b [u8])) {
    for at in memmem::find_iter(bytes, b"00-") {
        let rest = at.checked_add(3).and_then(|start| bytes.get(start..));
        if let Some((trace, span)) = rest.and_then(traceparent) {
            take("trace id", trace);
            take(SPAN, span);
        }
    }
    for at in memchr::memchr2_iter(b'd', b'D', bytes) {
        if let Some((what, id)) = labelled(bytes, at) {
            take(what, id);
        }
    }
    for at in memmem::find_iter(bytes, b"b3: ") {
        let rest = at.checked_add(4).and_then(|start| bytes.get(start..));
        if let Some((trace, span)) = rest.and_then(single_b3) {
            take("trace id", trace);
            take(SPAN, span);
        }
    }
}

/// Whether an id stands for one thing: it is long, and neither a word, a counter nor an example.
pub fn is_distinctive(id: &[u8]) -> bool {
    /// What a random id of 16 hexadecimal digits has, and a pattern or a small number has not.
    const DIFFERENT: usize = 6;
    let different: BTreeSet<u8> = id.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let digits = id.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_sequence = {
        let plain: Vec<u8> = id.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        memmem::find(b"0123456789abcdef0123456789abcdef", &plain).is_some()
    };
    let is_example = EXAMPLES.iter().any(|example| example.as_bytes().eq_ignore_ascii_case(id));
    id.len() >= 12 && digits >= 4 && different.len() >= DIFFERENT && !is_sequence && !is_example
}

fn is_hex(part: &[u8]) -> bool {
    part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The trace and the step of a W3C `traceparent`, whose version was before it:
/// `4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
fn traceparent(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, span) = (bytes.get(..32)?, bytes.get(33..49)?);
    let flags = bytes.get(50..52)?;
    let has_dashes = bytes.get(32) == Some(&b'-') && bytes.get(49) == Some(&b'-');
    (has_dashes && is_hex(id) && is_hex(span) && is_hex(flags)).then_some((id, span))
}

/// The same of B3's single header: a trace of 16 or 32 digits, and the step.
fn single_b3(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    [32_usize, 16].into_iter().find_map(|length| {
        let start = length.checked_add(1)?;
        let (id, span) = (bytes.get(..length)?, bytes.get(start..start.checked_add(16)?)?);
        (bytes.get(length) == Some(&b'-') && is_hex(id) && is_hex(span)).then_some((id, span))
    })
}

/// `"message_id": "…"`, `X-B3-TraceId: …`: an id with a name before it, whose last letter is at
/// `at`.
fn labelled(bytes: &[u8], at: usize) -> Option<(&'static str, &[u8])> {
    /// Letters, `-` and `_` of the longest label.
    const LONGEST: usize = 20;
    /// Signs between a label and an id.
    const BETWEEN: usize = 5;
    let after = bytes.get(at.checked_add(1)?..)?;
    let separators = after.iter().take(BETWEEN.saturating_add(1));
    let signs =
        separators.take_while(|byte| matches!(byte, b'"' | b'\'' | b':' | b'=' | b' ')).count();
    let has_sign = after.get(..signs)?.iter().any(|byte| matches!(byte, b':' | b'='));
    if signs > BETWEEN || !has_sign {
        return None;
    }
    let before = bytes.get(at.saturating_sub(LONGEST)..=at)?;
    let name = before.rsplit(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')));
    let name: Vec<u8> = name
        .take(1)
        .flatten()
        .filter(|byte| byte.is_ascii_alphabetic())
        .map(u8::to_ascii_lowercase)
        .collect();
    let label = LABELS.iter().find(|(label, _)| name.ends_with(label))?;
    let value = after.get(signs..)?;
    let is_of_id = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let length = value.iter().take(65).take_while(|byte| is_of_id(byte)).count();
    (length <= 64).then(|| Some((label.1, value.get(..length)?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        ids(bytes, &mut |what, id| all.push((what, String::from_utf8_lossy(id).into_owned())));
        all
    }

    #[test]
    fn traces_are_known_by_all_three_headers() {
        let (trace, span) = ("7bf92f3577b34da6a3ce929d0e0e4799", "00f067aa0ba902b7");
        let wanted = [("trace id", trace.to_owned()), (SPAN, span.to_owned())];
        assert_eq!(found(format!("traceparent: 00-{trace}-{span}-01\r\n").as_bytes()), wanted);
        assert_eq!(found(format!("b3: {trace}-{span}-1\r\n").as_bytes()), wanted);
        let two = format!("X-B3-TraceId: {trace}\r\nX-B3-SpanId: {span}\r\n");
        assert_eq!(found(two.as_bytes()), wanted);
    }

    #[test]
    fn ids_of_everybody_are_not_distinctive() {
        for id in ["4bf92f3577b34da6a3ce929d0e0e4736", "0123456789abcdef", "1111111111111111"] {
            assert!(!is_distinctive(id.as_bytes()), "{id}");
        }
        assert!(is_distinctive(b"7bf92f3577b34da6a3ce929d0e0e4799"));
    }
}
