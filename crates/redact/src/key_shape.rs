//! Keys that are known by their structure, whatever they are called: private keys in ASN.1 and
//! the round keys of AES.

use std::ops::Range;

use crate::kind::Kind;

/// ASN.1 tags (X.690).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
/// The shortest private key: Ed25519 in PKCS#8 has 48 bytes, P-256 in SEC1 32 of its number.
const SHORTEST: usize = 32;
/// Bytes of the longest one: RSA of 16,384 bits.
const LONGEST: usize = 1 << 14;
/// Bytes of the shortest modulus of RSA that is looked at, 512 bits.
const SHORTEST_MODULUS: usize = 64;
/// Words of the shortest schedule, AES-128.
const ROUND_WORDS: usize = 44;
/// Words of the longest one, AES-256.
const MOST_ROUND_WORDS: usize = 60;

/// Where private keys are in `bytes`, and what they are hidden as. What is cut off at the end of
/// `bytes` is found as far as it goes.
pub fn private_keys(bytes: &[u8]) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = memchr::memchr(SEQUENCE, bytes.get(at..).unwrap_or_default()) {
        let start = at + next;
        match private_key(bytes.get(start..).unwrap_or_default()) {
            Some(length) => {
                let end = start.saturating_add(length).min(bytes.len());
                found.push((start..end, Kind::PrivateKey));
                at = end;
            }
            None => at = start + 1,
        }
    }
    found
}

/// The length of the private key that `bytes` begin with: `RSAPrivateKey` (RFC 8017, A.1.2),
/// `OneAsymmetricKey` (RFC 5958), `ECPrivateKey` (RFC 5915).
fn private_key(bytes: &[u8]) -> Option<usize> {
    let (content, length) = element(bytes, SEQUENCE)?;
    let whole = content.checked_add(length)?;
    if !(SHORTEST..=LONGEST).contains(&length) {
        return None;
    }
    let [INTEGER, 1, version @ (0 | 1), rest @ ..] = bytes.get(content..)? else { return None };
    let is_key = match *rest.first()? {
        // The modulus; its first byte is zero so that it is positive.
        INTEGER => element(rest, INTEGER)
            .is_some_and(|(_, size)| *version == 0 && (SHORTEST_MODULUS..length).contains(&size)),
        // The algorithm, then the key.
        SEQUENCE => element(rest, SEQUENCE).is_some_and(|(content, size)| {
            let is_algorithm = rest.get(content) == Some(&OBJECT_ID);
            let after = rest.get(content.saturating_add(size));
            is_algorithm && size < length && after.is_none_or(|tag| *tag == OCTETS)
        }),
        OCTETS => element(rest, OCTETS)
            .is_some_and(|(_, size)| *version == 1 && (16..=66).contains(&size)),
        _ => false,
    };
    is_key.then_some(whole)
}

/// Where the content of the element with this tag begins, and how long it is.
fn element(bytes: &[u8], tag: u8) -> Option<(usize, usize)> {
    match bytes {
        [first, ..] if *first != tag => None,
        [_, length @ 0..=0x7f, ..] => Some((2, usize::from(*length))),
        [_, 0x81, length @ 0x80..=0xff, ..] => Some((3, usize::from(*length))),
        [_, 0x82, high @ 1..=0xff, low, ..] => {
            Some((4, usize::from(*high) << 8 | usize::from(*low)))
        }
        _ => None,
    }
}

/// Where the round keys of AES are in `bytes`, of which `bytes[0]` is aligned to four bytes:
/// each word is the sum of the one before it and the one that lies a key's length before it.
/// The order of bytes in a word does not matter.
pub fn round_keys(bytes: &[u8]) -> Vec<Range<usize>> {
    let (words, _) = bytes.as_chunks::<4>();
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at + ROUND_WORDS <= words.len() {
        let schedule = [4, 6, 8].into_iter().find_map(|step| schedule(&words, at, step));
        match schedule {
            Some(length) => {
                found.push(4 * at..4 * (at + length));
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// How many words from `at` on are round keys of a key of `step` words; for encryption, in which
/// a later round follows, or for decryption, in which an earlier one does.
fn schedule(words: &[u32], at: usize, step: usize) -> Option<usize> {
    let word = |index: usize| words.get(at + index).copied();
    let sum = |one: usize, other: usize| Some(word(one)? ^ word(other)?);
    // Of two that are the same nothing is known.
    if sum(1, 2)? == 0 || word(0)? == 0 || sum(2, 3)? == 0 {
        return None;
    }
    let rounds = ROUND_WORDS / 4 - 1 + (step - 4);
    let length = (4 * (rounds + 1)).min(MOST_ROUND_WORDS);
    let is_linear = |index: usize| !(index.is_multiple_of(step) || step == 8 && index % 8 == 4);
    let later = || {
        (step + 1..length)
            .filter(|index| is_linear(*index))
            .all(|index| sum(index, index - 1) == word(index - step))
    };
    let earlier = || {
        step != 6
            && (0..length - step)
                .filter(|index| index % 4 != 0)
                .all(|index| sum(index, index - 1) == word(index + step))
    };
    // What fails is most often seen at once.
    let is_possible = sum(step + 1, step) == word(1) || sum(1, 0) == word(step + 1);
    (is_possible && (later() || earlier())).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .filter_map(|byte| char::from(byte).to_digit(16))
            .map(|d| d as u8)
            .collect();
        digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn private_keys_are_found_by_their_structure_and_public_ones_are_not() {
        let long = |head: &str, size: usize| [hex(head), vec![0x5a; size]].concat();
        let keys = [
            // PKCS#1, PKCS#8 of RSA and of Ed25519, SEC1.
            long("308204a4 020100 02820101", 1181),
            long("308204bd 020100 300d 06092a864886f70d010101 0500 048204a7", 1191),
            long("302e 020100 3005 06032b6570 0422 0420", 32),
            long("3077 020101 0420", 114),
        ];
        for key in keys {
            let text = [&b"\x30\x30\x02"[..], &key, &[0; 9]].concat();
            assert_eq!(private_keys(&text), [(3..3 + key.len(), Kind::PrivateKey)]);
            // Cut off.
            assert_eq!(private_keys(&text[..40]), [(3..40, Kind::PrivateKey)]);
        }
        let public = long("30820122 300d 06092a864886f70d010101 0500 0382010f00", 271);
        let certificate = long("30820300 30820200 a003020102 0214", 700);
        let signature = long("3045 0220", 67);
        for other in [public, certificate, signature, vec![0x30; 600], Vec::new()] {
            assert_eq!(private_keys(&other), [], "{other:x?}");
        }
    }

    /// FIPS 197, A.1: the round keys of AES-128.
    const AES_128: &str = "2b7e151628aed2a6abf7158809cf4f3c a0fafe1788542cb123a339392a6c7605
        f2c295f27a96b9435935807a7359f67f 3d80477d4716fe3e1e237e446d7a883b
        ef44a541a8525b7fb671253bdb0bad00 d4d1c6f87c839d87caf2b8bc11f915bc
        6d88a37a110b3efddbf98641ca0093fd 4e54f70e5f5fc9f384a64fb24ea6dc4f
        ead27321b58dbad2312bf5607f8d292f ac7766f319fadc2128d12941575c006e
        d014f9a8c9ee2589e13f0cc8b6630ca6";

    #[test]
    fn round_keys_are_found_in_either_order_of_bytes_and_of_rounds() {
        let keys = hex(AES_128);
        let swapped: Vec<u8> =
            keys.chunks_exact(4).flat_map(|word| word.iter().rev().copied()).collect();
        let reversed: Vec<u8> = keys.rchunks_exact(16).flatten().copied().collect();
        for keys in [keys, swapped, reversed] {
            let bytes = [&[7, 0, 0, 0, 9, 0, 0, 0][..], &keys, &[1; 16]].concat();
            assert_eq!(round_keys(&bytes).as_slice(), std::slice::from_ref(&(8..8 + 176)));
        }
        assert!(round_keys(&[0; 600]).is_empty());
        assert!(round_keys(&(0..=255).collect::<Vec<u8>>()).is_empty());
    }
}
