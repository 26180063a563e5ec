//! Text that was made to be slow to search costs no more than its length.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use obit_redact::{Level, Redactor, stream};

/// Bytes of a hostile text. What is quadratic takes minutes for them.
const LEN: usize = 256 << 10;
/// What any other text of this length takes well below a second for.
const LONGEST: Duration = Duration::from_secs(6);

/// Bytes of a text of one class of bytes.
const LONG: usize = 10 << 20;
/// How much longer than a plain log of the same length it may take; most take less time.
const FACTOR: u32 = 8;

fn time(input: &[u8]) -> Duration {
    let mut redactor = Redactor::new(Level::Default, "key");
    let mut output = Vec::with_capacity(input.len() * 2);
    let start = processor_time();
    stream::redact(&mut redactor, &mut &*input, &mut output).unwrap();
    processor_time() - start
}

/// What this thread used of a processor: other programs do not count.
fn processor_time() -> Duration {
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(used.split(' ').next().unwrap().parse().unwrap())
}

fn repeated(pattern: &[u8], len: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(len).collect()
}

/// Bytes in no order, drawn from `letters`.
fn mixed(letters: &[u8], len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let draw = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[state as usize % letters.len()]
    });
    draw.take(len).collect()
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
        "\0a",
        "a\0\0\0",
        "\0\0\0a",
        "Ann <",
        "BEGIN:VCARD",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\n",
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
        // Lines of base64 that begin as text and hold none.
        "aGVsbG8gd29ybGQhgICAgICAgICAgICAgICAgICA\n",
        "OBQXG43XN5ZGIPLIOVXHIZLSGI",
        "68656c6c6f20776f726c6421",
        "68 65 6c ",
        "0x68, 0x65,\n",
        "0x1000: 68 65 6c 6c 6f 20 77 6f  hello wo\n",
        "00000000  80 81 82 83 84 85 86 87\n",
        "=3D=40",
        "&#64;&amp;",
        "%2541",
        "\\\\\\\\u0041",
        "\x1b[31m",
        "\x1b[1;",
        "^[[",
        "\u{200b}",
        "\u{ff10}",
        "e\u{301}",
        "0123456789abcdef",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2 ",
        "token k3v8h2m9x4z7b1n5c6l0p8s ",
        "<coordinates>1.23,4.56 ",
        "<coordinates>",
        "TO: A B\n  1\n",
        "CTCM A/1",
        "conn a/b@c ",
        "<sip:",
        "\"sensitive\": true, \"value\": \"",
        "usmUser \"a\" ",
        "createUser SHA ",
        "Mr ",
        "Herr Prof. ",
        "PIN ",
        "^XA",
        "8=FIX.4.4|",
        "ENVELOPE (",
        "kind: Secret\ndata\":{\"xxxx\"",
        "token k3v8h2m9x4z7b1n5c6l0p8s\n",
        half_base64.as_str(),
    ] {
        let time = time(&repeated(pattern.as_bytes(), LEN));
        assert!(time < LONGEST, "{pattern:?} took {time:?}");
    }
}

#[test]
fn ten_megabytes_of_any_class_of_bytes_take_no_longer_than_a_log_does_by_a_small_factor() {
    let line = b"2026-03-02T10:00:00Z INFO net: request from 10.0.0.7 took 12 ms, 200 bytes sent\n";
    let log = repeated(line, LONG);
    let plain = (0..2).map(|_| time(&log)).min().unwrap();
    let beyond: Vec<u8> = (0x80..=0xff).collect();
    let all: Vec<u8> = (0..=0xff).collect();
    let classes: &[(&str, Vec<u8>)] = &[
        ("small letters", mixed(b"abcdefghijklmnopqrstuvwxyz", LONG)),
        ("one letter", repeated(b"a", LONG)),
        ("digits", mixed(b"0123456789", LONG)),
        ("digits and dots", mixed(b"0123456789.", LONG)),
        ("base64", mixed(BASE64, LONG)),
        ("base64 in lines", mixed(&[BASE64, b"\n"].concat(), LONG)),
        ("hexadecimal digits", mixed(b"0123456789abcdef", LONG)),
        ("hexadecimal digits and blanks", mixed(b"0123456789abcdef ", LONG)),
        ("dots", repeated(b".", LONG)),
        ("quotes", repeated(b"\"", LONG)),
        ("colons", repeated(b":", LONG)),
        ("equals signs", repeated(b"=", LONG)),
        ("at signs", repeated(b"@", LONG)),
        ("parentheses", repeated(b"(", LONG)),
        ("brackets", mixed(b"()[]{}<>", LONG)),
        ("backslashes", repeated(b"\\", LONG)),
        ("percent signs", repeated(b"%", LONG)),
        ("ampersands", repeated(b"&", LONG)),
        ("dollar signs", repeated(b"$", LONG)),
        ("dashes", repeated(b"-", LONG)),
        ("blanks", repeated(b" ", LONG)),
        ("line ends", repeated(b"\n", LONG)),
        ("NULs", repeated(b"\0", LONG)),
        ("escapes", repeated(b"\x1b", LONG)),
        ("0xff", repeated(b"\xff", LONG)),
        ("bytes beyond ASCII", mixed(&beyond, LONG)),
        ("signs", mixed(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", LONG)),
        ("signs and letters", mixed(b"ab1=:@./%\\\"'&<>-+ ", LONG)),
        ("all bytes", mixed(&all, LONG)),
    ];
    let mut slow = Vec::new();
    for (name, text) in classes {
        let time = time(text);
        println!("{name}: {:.1}", time.as_secs_f64() / plain.as_secs_f64());
        if time > plain * FACTOR {
            slow.push((name, time));
        }
    }
    assert!(slow.is_empty(), "a log took {plain:?}, and {slow:?}");
}
