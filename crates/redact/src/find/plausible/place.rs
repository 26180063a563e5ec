//! Postal addresses and coordinates.

use crate::field_name::Sureness;
use crate::find::field::value::{Separator, Value};
use crate::find::text::{is_letter, number};
use crate::word_set::WordSet;

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
    // `via 127.0.0.1 dev eth1`, `Via: 1.1 proxy`
    let is_version = bytes.iter().position(|byte| !byte.is_ascii_digit()).is_some_and(|at| {
        at > 0 && bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    });
    if is_foreign || is_version || !(2..=200).contains(&bytes.len()) {
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
        // `bytem Husova 18`
        (Sureness::Likely, Separator::Blank) if bytes.last().is_some_and(u8::is_ascii_digit) => {
            is_house && begins
        }
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

/// Whether a word of `bytes` is one for streets, or is made with one.
pub(in crate::find) fn has_street_word(bytes: &[u8]) -> bool {
    const ENDS: &[&str] = &[
        "straße", "strasse", "str", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer",
        "gatan", "gata", "vägen", "väg", "gränd", "straat", "laan", "gracht", "plein", "singel",
        "kade", "dijk", "gade", "vej", "vejen", "gaten", "veien", "vei", "katu", "tie", "polku",
        "kuja",
    ];
    bytes.split(|byte| b" ,.".contains(byte)).any(|word| {
        STREETS.has(word)
            || ENDS.iter().any(|end| {
                // `Berliner Straße`, but no `str`.
                word.len() > end.len().min(4) && word.to_ascii_lowercase().ends_with(end.as_bytes())
            })
    })
}

/// Whether `word` is one for streets, or stands for one.
pub(in crate::find) fn is_street_word(word: &[u8]) -> bool {
    STREETS.has(word)
}

/// Words for streets.
static STREETS: WordSet<512> = WordSet::new(&[
    b"street",
    b"st",
    b"avenue",
    b"ave",
    b"road",
    b"rd",
    b"lane",
    b"ln",
    b"drive",
    b"dr",
    b"blvd",
    b"boulevard",
    b"court",
    b"ct",
    b"close",
    b"gardens",
    b"place",
    b"pl",
    b"square",
    b"sq",
    b"way",
    b"terrace",
    b"crescent",
    b"parkway",
    b"pkwy",
    b"highway",
    b"hwy",
    b"grove",
    b"hill",
    b"row",
    b"mews",
    b"rue",
    b"chemin",
    b"impasse",
    b"quai",
    b"cours",
    "allée".as_bytes(),
    b"passage",
    b"ruelle",
    b"sentier",
    b"faubourg",
    b"via",
    b"viale",
    b"vicolo",
    b"corso",
    b"piazza",
    b"piazzale",
    b"largo",
    b"strada",
    b"calle",
    b"avenida",
    b"avda",
    b"paseo",
    b"plaza",
    b"camino",
    b"carrera",
    b"carretera",
    b"ronda",
    "travesía".as_bytes(),
    b"glorieta",
    b"rua",
    b"travessa",
    "praça".as_bytes(),
    b"alameda",
    b"rodovia",
    b"estrada",
    b"ul",
    b"ulica",
    b"aleja",
    b"al",
    b"osiedle",
    b"os",
    b"plac",
    b"ulice",
    "náměstí".as_bytes(),
    "nám".as_bytes(),
    "třída".as_bytes(),
    "nábřeží".as_bytes(),
    b"utca",
    "út".as_bytes(),
    "tér".as_bytes(),
    "körút".as_bytes(),
    b"sokak",
    b"sok",
    b"cadde",
    b"cad",
    b"caddesi",
    b"mahallesi",
    b"mah",
    "bulvarı".as_bytes(),
    "улица".as_bytes(),
    "ул".as_bytes(),
    "проспект".as_bytes(),
    "пр".as_bytes(),
    "пр-т".as_bytes(),
    "переулок".as_bytes(),
    "пер".as_bytes(),
    "шоссе".as_bytes(),
    "бульвар".as_bytes(),
    "набережная".as_bytes(),
    "площадь".as_bytes(),
    "вулиця".as_bytes(),
    "вул".as_bytes(),
    "провулок".as_bytes(),
    "площа".as_bytes(),
    "οδός".as_bytes(),
    "λεωφόρος".as_bytes(),
    "πλατεία".as_bytes(),
    "شارع".as_bytes(),
    "طريق".as_bytes(),
    "حي".as_bytes(),
    "רחוב".as_bytes(),
    "שדרות".as_bytes(),
    "मार्ग".as_bytes(),
    "रोड".as_bytes(),
    "गली".as_bytes(),
    "नगर".as_bytes(),
    "đường".as_bytes(),
    "phố".as_bytes(),
    "ngõ".as_bytes(),
    b"jalan",
    b"jl",
    b"gang",
    b"box",
]);

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
