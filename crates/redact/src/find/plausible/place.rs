//! Postal addresses and coordinates.

use crate::field_name::Sureness;
use crate::find::field::value::{Separator, Value};
use crate::find::text::{is_letter, number};

/// A postal address or a part of it; what is only called an address must have a number
/// and a word, as houses have.
pub(in crate::find) fn is_address(value: &Value, bytes: &[u8], sureness: Sureness) -> bool {
    let letters = bytes.iter().filter(|byte| is_letter(**byte)).count();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_foreign = bytes.iter().any(|byte| b"[]{}!&*".contains(byte))
        || bytes.contains(&b'@')
        || bytes.contains(&b'=')
        || bytes.contains(&b'_')
        || bytes.starts_with(b"0x")
        || bytes.windows(2).any(|pair| pair == b"::" || pair == b"//" || pair == b"->");
    if is_foreign || !(2..=200).contains(&bytes.len()) {
        return false;
    }
    let has_blank = bytes.contains(&b' ');
    let first = bytes.first().copied().unwrap_or(0);
    let begins = first.is_ascii_uppercase() || first.is_ascii_digit() || first >= 0x80;
    // Three bytes a character: Chinese and Japanese have no blanks.
    let is_unspaced = bytes.iter().filter(|byte| **byte >= 0xe3).count() >= 3;
    let is_house =
        letters >= 3 && digits >= 1 && (has_blank || is_unspaced) && !bytes.contains(&b':');
    match (sureness, value.separator) {
        (_, Separator::Blank) => is_house && begins && has_street_word(bytes),
        (Sureness::Maybe, _) => is_house,
        _ if value.is_delimited || value.separator == Separator::Cell => {
            letters >= 2 && (begins || digits > 0 || has_blank) || (4..=10).contains(&digits)
        }
        _ => {
            (begins || has_street_word(bytes))
                && (is_house
                    || (digits == 0 && letters >= 3 && !bytes.contains(&b'/'))
                    || (digits >= 4 && bytes.len() <= 10))
        }
    }
}

fn has_street_word(bytes: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"street",
        b"st",
        b"avenue",
        b"ave",
        b"road",
        b"rd",
        b"lane",
        b"drive",
        b"blvd",
        b"boulevard",
        b"court",
        b"close",
        b"gardens",
        b"place",
        b"square",
        b"way",
        b"rue",
        b"via",
        b"calle",
        b"rua",
        b"ul",
        b"box",
    ];
    const ENDS: &[&[u8]] = &[
        b"stra\xc3\xdfe",
        b"strasse",
        b"weg",
        b"platz",
        b"allee",
        b"gatan",
        b"gata",
        b"straat",
        b"gade",
        b"katu",
        b"laan",
    ];
    bytes.split(|byte| b" ,.".contains(byte)).any(|word| {
        WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            || ENDS.iter().any(|end| word.to_ascii_lowercase().ends_with(end))
    })
}

/// A fraction with the precision of a street at least, or two of them.
pub(in crate::find) fn is_degrees(bytes: &[u8], sureness: Sureness) -> bool {
    let parts = bytes.split(|byte| b", ;".contains(byte)).filter(|part| !part.is_empty());
    let mut count = 0;
    for part in parts {
        if !is_coordinate(part, 2) {
            return false;
        }
        count += 1;
    }
    count == 2 || (count == 1 && sureness != Sureness::Maybe)
}

/// A number of degrees with at least `least` digits behind the point.
pub(in crate::find) fn is_coordinate(part: &[u8], least: usize) -> bool {
    let part = part.strip_prefix(b"-").or_else(|| part.strip_prefix(b"+")).unwrap_or(part);
    let part = part.strip_suffix(b"\xc2\xb0").unwrap_or(part);
    let mut halves = part.splitn(2, |byte| *byte == b'.');
    let (Some(whole), Some(fraction)) = (halves.next(), halves.next()) else { return false };
    let fraction = fraction
        .strip_suffix(b"N")
        .or_else(|| fraction.strip_suffix(b"E"))
        .or_else(|| fraction.strip_suffix(b"W"))
        .or_else(|| fraction.strip_suffix(b"S"))
        .unwrap_or(fraction);
    let whole = number(whole);
    whole.is_some_and(|degrees| degrees <= 180)
        && fraction.len() >= least
        && fraction.iter().all(u8::is_ascii_digit)
}
