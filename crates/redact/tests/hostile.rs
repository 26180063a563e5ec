//! Text that was made to be slow to search costs no more than its length.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use obit_redact::{Level, Redactor, stream};

/// Bytes of a hostile text. What is quadratic takes minutes for them.
const LEN: usize = 256 << 10;
/// What any other text of this length takes well below a second for.
const LONGEST: Duration = Duration::from_secs(6);

fn time(pattern: &str) -> Duration {
    let input: Vec<u8> = pattern.bytes().cycle().take(LEN).collect();
    let mut redactor = Redactor::new(Level::Default, "key");
    let start = Instant::now();
    stream::redact(&mut redactor, &mut &input[..], &mut Vec::new()).unwrap();
    start.elapsed()
}

#[test]
fn one_long_line_of_a_repeated_pattern_takes_no_quadratic_time() {
    let half_base64 = "ICB-".repeat(8) + &"_-".repeat(16);
    for pattern in [
        "a",
        "a-",
        "aB3/",
        "a@",
        "::",
        "://",
        "a:b@://",
        "4111 ",
        "1.",
        "1.23456,",
        "/home/",
        "INTO t (a,b",
        "COPY t (",
        "curl -u ",
        "call 123456789 ",
        "password=\"",
        "password=\"{\\\"password\\\":",
        "\\\"",
        "([{<\"'",
        "<a ",
        "%41",
        "\\u0041",
        "a\0",
        "Ann <",
        "BEGIN:VCARD",
        "-----BEGIN PRIVATE KEY-----",
        "YUdWc2JHOGdkMjl5YkdRaElR",
        half_base64.as_str(),
    ] {
        let time = time(pattern);
        assert!(time < LONGEST, "{pattern:?} took {time:?}");
    }
}
