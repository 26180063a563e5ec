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
        "PID|",
        "\rPID|1||",
        "NAD+BY+",
        "NM1*IL*1*",
        ":50K:/1\n",
        ":59:A ",
        ":86:?32A",
        "8=FIX.4.4|1=a|",
        "(0010,0010) PN [",
        "\"00100010\":{\"Value\":[",
        "\"identifier\":[{\"resourceType\"",
        "\"given\":[\"a\",",
        "<<A",
        "A<<",
        "/A/B",
        "1.1A/B ",
        "DAQA\n",
        "DOCS /P/",
        "$GPGGA,1,2,",
        "insert into t (a,b) values (?,?)\nbinding parameter [1] as [V] - [x]\n",
        "binding parameter [1] as [V] - [x] ",
        "args=('a',",
        "select ? args=('a', ",
        "parameters: [(1),(",
        "Failing row contains (",
        "Failing row contains (A, B, ",
        "Key (a)=(",
        "[Parameters=[@p0='",
        "CLIENT_RANDOM aa ",
        "$ANSIBLE_VAULT;\naaaaaaaa",
        "kind: Secret\ndata:\n a: b\n",
        "\ndata:\n kind: Secret ",
        "ENVELOPE ((\"",
        "ENVELOPE ((\"a\" NIL ",
        "(uid=",
        "AVP: val=",
        "::A:",
        "[\"fn\",{",
        "ship to:\n",
        "form-data; name=\"",
        "334 UGFzc3dvcmQ6\n",
        "a/b@tcp(",
        "SETUSER a >b ",
        "+CMGL: 1,",
        half_base64.as_str(),
    ] {
        let time = time(pattern);
        assert!(time < LONGEST, "{pattern:?} took {time:?}");
    }
}
