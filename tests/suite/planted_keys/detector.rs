//! Finds eight bytes of a key in a text or a file, in whatever form they are written.

use std::collections::{BTreeMap, HashMap};

/// Bytes in a row that would reveal a key.
const WINDOW: usize = 8;
/// Elements of a list may have names and indices between them.
const STRIDES: std::ops::RangeInclusive<usize> = 1..=4;

/// Where a key was seen, and in which form.
pub type Leaks = BTreeMap<(&'static str, &'static str), usize>;

/// Knows all parts of some keys, in either order of bytes.
pub struct Detector {
    windows: HashMap<[u8; WINDOW], &'static str>,
}

impl Detector {
    pub fn new(keys: &[(&'static str, Vec<u8>)]) -> Self {
        let mut windows = HashMap::new();
        for (name, key) in keys {
            for window in key.windows(WINDOW) {
                let mut window: [u8; WINDOW] = window.try_into().unwrap();
                windows.insert(window, *name);
                window.reverse();
                windows.insert(window, *name);
            }
        }
        Self { windows }
    }

    /// Parts of keys in `bytes`: as they are, and as text in any notation.
    pub fn leaks(&self, bytes: &[u8]) -> Leaks {
        let mut leaks = Leaks::new();
        self.add(&mut leaks, "bytes", bytes);
        self.add(&mut leaks, "escapes", &unescaped(bytes));
        for run in runs(bytes, 2 * WINDOW, u8::is_ascii_hexdigit) {
            for start in 0..2 {
                let digits: Vec<u8> = run[start..].iter().map(|digit| value(*digit, 16)).collect();
                let (pairs, _) = digits.as_chunks::<2>();
                let decoded: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
                self.add(&mut leaks, "hex", &decoded);
            }
        }
        for run in runs(bytes, WINDOW, |byte| value64(*byte).is_some()) {
            for start in 0..4.min(run.len()) {
                self.add(&mut leaks, "base64", &unbase64(&run[start..]));
            }
        }
        self.add_numbers(&mut leaks, &numbers(bytes));
        leaks
    }

    /// Numbers of eight bytes, and lists of smaller ones.
    fn add_numbers(&self, leaks: &mut Leaks, numbers: &[u128]) {
        for number in numbers.iter().filter(|number| **number > u128::from(u32::MAX)) {
            self.add(leaks, "number", &number.to_le_bytes());
        }
        for (size, form) in [(1, "list of bytes"), (2, "list of 16 bits"), (4, "list of 32 bits")] {
            for stride in STRIDES {
                for first in 0..stride {
                    let mut list = Vec::new();
                    for number in numbers.iter().skip(first).step_by(stride) {
                        match number >> (8 * size) {
                            0 => list.extend(&number.to_le_bytes()[..size]),
                            _ => {
                                self.add(leaks, form, &list);
                                list.clear();
                            }
                        }
                    }
                    self.add(leaks, form, &list);
                }
            }
        }
    }

    fn add(&self, leaks: &mut Leaks, form: &'static str, bytes: &[u8]) {
        for window in bytes.windows(WINDOW) {
            let window: &[u8; WINDOW] = window.try_into().unwrap();
            if let Some(name) = self.windows.get(window) {
                *leaks.entry((name, form)).or_default() += 1;
            }
        }
    }
}

fn runs(bytes: &[u8], least: usize, is_in: impl Fn(&u8) -> bool) -> impl Iterator<Item = &[u8]> {
    bytes.split(move |byte| !is_in(byte)).filter(move |run| run.len() >= least)
}

fn value(digit: u8, radix: u32) -> u8 {
    char::from(digit).to_digit(radix).unwrap() as u8
}

/// Standard and URL-safe letters.
fn value64(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

fn unbase64(letters: &[u8]) -> Vec<u8> {
    let groups = letters.chunks_exact(4).flat_map(|group| {
        let bits = group
            .iter()
            .fold(0, |bits, letter| bits << 6 | u32::from(value64(*letter).unwrap_or_default()));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
    });
    groups.collect()
}

/// Escapes of C, Rust, Python and JSON as the bytes that they stand for, and so characters up
/// to U+00FF.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let number = |digits: &[u8], radix| {
            let text = std::str::from_utf8(digits).ok()?;
            u8::try_from(u32::from_str_radix(text, radix).ok()?).ok()
        };
        let octal = after.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        let (byte, length) = match (first, after) {
            (b'\\', [b'x', digits @ ..]) if digits.len() >= 2 => (number(&digits[..2], 16), 4),
            (b'\\', [b'u', b'0', b'0', digits @ ..]) if digits.len() >= 2 => {
                (number(&digits[..2], 16), 6)
            }
            (b'\\', [b'u', b'{', digits @ ..]) => {
                let end = digits.iter().take(6).position(|byte| *byte == b'}').unwrap_or(0);
                (number(&digits[..end], 16), end + 4)
            }
            (b'\\', _) if octal > 0 => (number(&after[..octal], 8), octal + 1),
            (b'\\', [b'n', ..]) => (Some(b'\n'), 2),
            (b'\\', [b'r', ..]) => (Some(b'\r'), 2),
            (b'\\', [b't', ..]) => (Some(b'\t'), 2),
            (b'\\', [b'a', ..]) => (Some(7), 2),
            (b'\\', [b'b', ..]) => (Some(8), 2),
            (b'\\', [b'v', ..]) => (Some(11), 2),
            (b'\\', [b'f', ..]) => (Some(12), 2),
            (b'\\', [b'e', ..]) => (Some(27), 2),
            (b'\\', [quoted @ (b'\\' | b'"' | b'\''), ..]) => (Some(*quoted), 2),
            (0xc2, [low @ 0x80..=0xbf, ..]) => (Some(*low), 2),
            (0xc3, [low @ 0x80..=0xbf, ..]) => (Some(low + 0x40), 2),
            _ => (Some(*first), 1),
        };
        match byte {
            Some(byte) => {
                plain.push(byte);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// All numbers of a text, negative ones as a processor has them, decimal or hexadecimal behind `0x`; of hexadecimal digits without
/// `0x` those that have two.
fn numbers(bytes: &[u8]) -> Vec<u128> {
    let words = bytes.split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-'));
    let number = |word: &[u8]| {
        let word = std::str::from_utf8(word).ok()?;
        if let Some(negative) = word.strip_prefix('-')
            && let Ok(number) = negative.parse::<u64>()
        {
            let number = number.wrapping_neg();
            let is_half = number >> 31 == u64::MAX >> 31;
            return Some(u128::from(if is_half { number & u64::from(u32::MAX) } else { number }));
        }
        match word.strip_prefix("0x") {
            Some(digits) => u128::from_str_radix(digits, 16).ok(),
            None if word.len() == 2 && word.bytes().any(|byte| byte.is_ascii_alphabetic()) => {
                u128::from_str_radix(word, 16).ok()
            }
            None => word.parse().ok(),
        }
    };
    words.filter(|word| word.len() <= 40).filter_map(number).collect()
}

#[test]
fn a_key_is_seen_in_every_notation() {
    let key: Vec<u8> = (0..24_u8).map(|at| at.wrapping_mul(41).wrapping_add(82)).collect();
    let detector = Detector::new(&[("key", key.clone())]);
    let join = |format: &dyn Fn(&u8) -> String, between: &str| {
        key.iter().map(format).collect::<Vec<_>>().join(between).into_bytes()
    };
    let word = u64::from_le_bytes(key[3..11].try_into().unwrap());
    let half = |at: usize| u32::from_le_bytes(key[at..at + 4].try_into().unwrap());
    let encoded = base64(&key);
    for (form, text) in [
        ("bytes", key.clone()),
        ("hex", join(&|byte| format!("{byte:02x}"), "")),
        ("hex", join(&|byte| format!("{byte:02X}"), "")),
        ("list of bytes", join(&u8::to_string, ", ")),
        ("list of bytes", join(&u8::to_string, " ")),
        ("list of bytes", join(&|byte| format!("{byte:#04x}"), ",")),
        ("list of bytes", join(&|byte| format!("{{\"name\":\"[3]\",\"value\":{byte}}}"), ",")),
        ("escapes", join(&|byte| format!("\\x{byte:02x}"), "")),
        ("escapes", join(&|byte| format!("\\{byte:o}"), "")),
        ("escapes", key.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
        ("number", format!("= {word}").into_bytes()),
        ("list of 32 bits", format!("{{{}, {:#x}}}", half(4), half(8)).into_bytes()),
        ("base64", encoded.clone()),
        ("base64", encoded[1..].to_vec()),
    ] {
        let leaks = detector.leaks(&text);
        assert!(leaks.contains_key(&("key", form)), "{form}: {leaks:?}");
    }
    assert!(detector.leaks(b"0x1234 [1, 2, 3, 4, 5, 6, 7, 8] key=").is_empty());
}

/// Base64 of `bytes`, whole groups only.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63])
    });
    groups.collect()
}
