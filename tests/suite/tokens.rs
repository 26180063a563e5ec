//! The tokens of a report, and what someone learns of them who has the report and lists of
//! candidates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use obit::redact::without_digests;
use regex::Regex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::fixture::{run, stdout};

/// Hidden values of the report, as an attacker may know some: kind and text, as the token's
/// digest is made of it.
const KNOWN: [(&str, &str); 6] = [
    ("email", "lc.maren.thistle@quarrymail.example"),
    ("email", "hp.tamsin.orrell@quarrymail.example"),
    ("password", "LC-juniper-Otter63"),
    ("password", "HP-bracken-Stoat41"),
    ("card", "5425233430109903"),
    ("phone", "4915128830417"),
];

/// Of the known values, how many a key must explain to be the key: one or two digests of two
/// bytes agree by chance.
const ENOUGH: usize = 3;

/// HMAC-SHA-256 (RFC 2104) of kind and text, cut to two bytes.
fn token(key: &[u8], kind: &str, text: &str) -> String {
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    let pad = |with: u8| -> Vec<u8> {
        (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(kind).chain_update([0]);
    let inner = inner.chain_update(text).finalize();
    let digest = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    format!("<{kind}:{:02x}{:02x}>", digest[0], digest[1])
}

/// All tokens with digests in a text.
fn tokens(text: &str) -> BTreeSet<String> {
    let token = Regex::new("<[a-z-]+:[0-9a-f]{4}>").unwrap();
    token.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

/// Everything that someone may take for the key who reads `text`: all words and quoted
/// strings, hexadecimal ones also as bytes, and the words one after the other.
fn printed(text: &str) -> BTreeSet<Vec<u8>> {
    let parts = text.split('"').chain(text.split(|c: char| !c.is_alphanumeric()));
    let parts: BTreeSet<&str> = parts.chain(text.split_whitespace()).collect();
    let mut keys: BTreeSet<Vec<u8>> = BTreeSet::from([Vec::new()]);
    for part in parts.into_iter().filter(|part| part.len() < 256) {
        keys.insert(part.as_bytes().to_vec());
        let digits = part.strip_prefix("0x").unwrap_or(part);
        let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok());
        keys.extend(bytes.collect::<Option<Vec<u8>>>());
        keys.extend(part.parse().ok().map(|number: u64| number.to_le_bytes().to_vec()));
    }
    keys
}

/// Every value of the kinds that have few, of one telephone prefix and of one network, and the
/// names and passwords that are known.
fn candidates() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = KNOWN.map(|(kind, text)| (kind, text.to_owned())).to_vec();
    all.extend((0..10_000).map(|pin| ("code", format!("{pin:04}"))));
    all.extend((0..1000).map(|code| ("code", format!("{code:03}"))));
    all.extend((100_000..1_000_000).map(|code| ("code", code.to_string())));
    for (year, month) in (1900..2027).flat_map(|year| (1..=12).map(move |month| (year, month))) {
        all.extend((1..=31).map(|day| ("dob", format!("{year}-{month:02}-{day:02}"))));
        all.extend((1..=31).map(|day| ("dob", format!("{year}{month:02}{day:02}"))));
    }
    all.extend((0..10_000).map(|number| ("phone", format!("491512883{number:04}"))));
    all.extend((0..65_536).map(|low| ("ip", format!("203.0.{}.{}", low >> 8, low & 255))));
    all
}

/// Which values behind `tokens` are found out with `keys`: those of which one candidate alone
/// has the token, under a key that explains what is known.
fn inverted(tokens: &BTreeSet<String>, keys: &BTreeSet<Vec<u8>>) -> BTreeSet<String> {
    let explained = |key: &&Vec<u8>| {
        let known = KNOWN.iter().filter(|(kind, text)| tokens.contains(&token(key, kind, text)));
        known.count() >= ENOUGH
    };
    let mut found = BTreeSet::new();
    for key in keys.iter().filter(explained) {
        let mut of_token: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (kind, text) in candidates() {
            let token = token(key, kind, &text);
            if tokens.contains(&token) {
                of_token.entry(token).or_default().push(text);
            }
        }
        found.extend(of_token.into_values().filter(|of| of.len() == 1).flatten());
    }
    found
}

fn shown(options: &[&str]) -> String {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/canary-cpp/");
    let (core, program) = (format!("{fixture}null.core.zst"), format!("{fixture}prog"));
    stdout(&run([&[core.as_str(), program.as_str()], options].concat()))
}

fn key(directory: &Path) -> String {
    let key = directory.join("key");
    fs::write(&key, "sixteen bytes or more").unwrap();
    key.to_str().unwrap().to_owned()
}

#[test]
fn no_token_can_be_inverted_with_what_a_report_prints() {
    for format in ["json", "html", "markdown"] {
        let report = shown(&["--format", format, "--locals", "all"]);
        let plain = report.replace("&lt;", "<").replace("&gt;", ">").replace("\\<", "<");
        let tokens = tokens(&plain.replace("\\>", ">"));
        assert!(tokens.len() >= KNOWN.len(), "{format}: {tokens:?}");
        let keys = printed(&plain);
        assert!(keys.len() > 300, "{format}: {} keys", keys.len());
        assert_eq!(inverted(&tokens, &keys), BTreeSet::new(), "{format}");
    }
}

#[test]
fn who_has_the_users_key_finds_values_of_his_list_and_none_of_the_short_ones() {
    let directory = TempDir::new().unwrap();
    let key = key(directory.path());
    let report = shown(&["--json", "--redact-key", &key]);
    let keys = BTreeSet::from([b"sixteen bytes or more".to_vec()]);
    let found = inverted(&tokens(&report), &keys);
    assert!(found.iter().any(|text| text.starts_with("lc.maren")), "{found:?}");
    // The PIN of the program is 624918.
    assert!(report.contains("<code>") && !report.contains("<code:"), "{report}");
    let are_known = |text: &String| KNOWN.iter().any(|(_, known)| known == text);
    assert!(found.iter().all(are_known), "{found:?}");
}

#[test]
fn two_reports_on_one_core_differ_in_digests_alone() {
    let first = shown(&["--json"]);
    let second = shown(&["--json"]);
    assert_ne!(first, second);
    assert_eq!(without_digests(&first), without_digests(&second));
    let directory = TempDir::new().unwrap();
    let key = key(directory.path());
    let keyed = || shown(&["--json", "--redact-key", &key]);
    assert_eq!(keyed(), keyed());
}
