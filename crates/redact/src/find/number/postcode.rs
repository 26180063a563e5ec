//! Postal addresses that no field announces: a street with the number of a house before a
//! postcode.

use crate::find::plausible::place::{has_street_word, is_street_word};
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_letter, is_word};
use crate::kind::Kind;

/// Bytes of an address before its postcode.
const LONGEST: usize = 96;

impl Scan<'_> {
    /// `Lindenweg 4a, 80331 München`, `44 Elm St, Springfield, IL 62704`: the address whose
    /// postcode begins with the digits at `start..end`.
    pub(in crate::find) fn postal_address(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if text.before(start) != b' ' {
            return None;
        }
        let digits = |from: usize, most: usize| text.run(from, most, |byte| byte.is_ascii_digit());
        let until = match end - start {
            // `00-238`, `123 45`, `1015 CJ`.
            2 if text.at(end) == b'-' && digits(end + 1, 4) == end + 4 => end + 4,
            3 if text.at(end) == b' ' && digits(end + 1, 3) == end + 3 => end + 3,
            4 | 5 => {
                let behind = text.run(end + 1, 3, |byte| byte.is_ascii_uppercase());
                let is_dutch = text.at(end) == b' ' && behind == end + 3;
                if end - start == 4 && is_dutch { behind } else { end }
            }
            _ => return None,
        };
        if is_word(text.at(until)) {
            return None;
        }
        let (from, places) = street_before(text, start)?;
        let state = text.slice(start.saturating_sub(4)..start);
        let has_state = end - start == 5
            && matches!(state, [b' ' | b',', a, b, b' '] if a.is_ascii_uppercase() && b.is_ascii_uppercase());
        if has_state && places > 0 {
            return Some(self.hide(from..until, Kind::Address));
        }
        let city = city_end(text, until)?;
        (places == 0).then(|| self.hide(from..city, Kind::Address))
    }

    /// `12 Baker Street, London NW1 6XE`, by the last part of the postcode at `start..end`.
    pub(in crate::find) fn british_address(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_inward = matches!(text.slice(start..end), [digit, a, b]
            if digit.is_ascii_digit() && a.is_ascii_uppercase() && b.is_ascii_uppercase());
        let blank = start.saturating_sub(1);
        let outward =
            text.run_back(blank, 5, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let area = text.slice(outward..blank);
        let is_outward = (2..=4).contains(&area.len())
            && area.first().is_some_and(u8::is_ascii_uppercase)
            && area.iter().any(u8::is_ascii_digit);
        if !is_inward || text.before(start) != b' ' || !is_outward {
            return None;
        }
        let (from, _) = street_before(text, outward)?;
        Some(self.hide(from..end, Kind::Address))
    }
}

/// Where the street begins whose address ends before the postcode at `postcode`, and how many
/// names of places are between.
fn street_before(text: Text<'_>, postcode: usize) -> Option<(usize, usize)> {
    let from = text.run_back(postcode, LONGEST, |byte| {
        is_letter(byte) || byte.is_ascii_digit() || b" ,.'/-".contains(&byte)
    });
    let mut end = text.run_back(postcode, 3, |byte| matches!(byte, b' ' | b','));
    if end == postcode || end <= from {
        return None;
    }
    for places in 0..4 {
        let part = text.run_back(end, end.saturating_sub(from), |byte| byte != b',').max(from);
        let start = text.run(part, 2, is_blank);
        if let Some(house) = house(text.slice(start..end)) {
            return Some((start + house, places));
        }
        let words = text.slice(start..end).split(|byte| *byte == b' ');
        let is_place = words.clone().count() <= 3
            && words.clone().all(|word| begins_large(word) && !word.iter().any(u8::is_ascii_digit));
        if !is_place || part == from {
            return None;
        }
        end = part - 1;
    }
    None
}

/// Where the street and the number of a house begin with which `part` ends.
fn house(part: &[u8]) -> Option<usize> {
    let mut words: Vec<(usize, &[u8])> = Vec::new();
    let mut place = 0;
    for word in part.split(|byte| *byte == b' ') {
        words.push((place, word));
        place += word.len() + 1;
    }
    let (&(_, last), named) = words.split_last()?;
    if is_house_number(last) {
        let street = named.iter().rposition(|(_, word)| has_street_word(word))?;
        // A word for streets alone is no street: `row 12`.
        let is_bare = |word: &[u8]| is_street_word(word.strip_suffix(b".").unwrap_or(word));
        let before = named.get(..street)?.iter().rev().take(2);
        let before = before.take_while(|(_, word)| begins_large(word)).count();
        let (start, word) = *named.get(street - before)?;
        let name = named.get(street - before..)?;
        let is_named = name.len() > 1 || !is_bare(word);
        return (is_named && name.iter().any(|(_, word)| begins_large(word))).then_some(start);
    }
    let number = words.iter().rposition(|(_, word)| is_house_number(word))?;
    let street = words.get(number + 1..)?;
    let is_street = (2..=6).contains(&street.len())
        && street.iter().any(|(_, word)| has_street_word(word))
        && street.iter().any(|(_, word)| begins_large(word));
    is_street.then_some(words.get(number)?.0)
}

/// `12`, `4a`, `5/7`, `12-14`.
fn is_house_number(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = word.get(digits..).unwrap_or_default();
    (1..=5).contains(&digits)
        && rest.len() <= 5
        && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'))
        && rest.iter().filter(|byte| byte.is_ascii_alphabetic()).count() <= 1
}

fn begins_large(word: &[u8]) -> bool {
    word.first().is_some_and(|first| first.is_ascii_uppercase() || *first >= 0xc3)
}

/// Where the city ends that follows the postcode that ends at `postcode`.
fn city_end(text: Text<'_>, postcode: usize) -> Option<usize> {
    let word_end = |from: usize| text.run(from, 40, |byte| is_letter(byte) || byte == b'-');
    let city = postcode + 1;
    let mut end = word_end(city);
    if text.at(postcode) != b' ' || end < city + 2 || !begins_large(text.slice(city..end)) {
        return None;
    }
    // `Bad Tölz`, `Frankfurt am Main`.
    let next = word_end(end + 1);
    let word = text.slice(end + 1..next);
    const BETWEEN: &[&[u8]] = &[b"am", b"an", b"der", b"de", b"la", b"del", b"sur", b"im"];
    if text.at(end) == b' ' && begins_large(word) && end - city <= 4 {
        end = next;
    } else if text.at(end) == b' ' && BETWEEN.contains(&word) && text.at(next) == b' ' {
        let last = word_end(next + 1);
        if begins_large(text.slice(next + 1..last)) {
            end = last;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn a_street_and_a_postcode_are_an_address() {
        for (text, address) in [
            ("Kunde, Hauptstr. 12, 10827 Berlin, geb.", "Hauptstr. 12, 10827 Berlin"),
            ("ships to Lindenweg 4a, 80331 München today", "Lindenweg 4a, 80331 München"),
            (
                "at Berliner Straße 5, 60311 Frankfurt am Main",
                "Berliner Straße 5, 60311 Frankfurt am Main",
            ),
            ("ul. Długa 5/7, 00-238 Warszawa", "ul. Długa 5/7, 00-238 Warszawa"),
            ("Via Roma 12, 00184 Roma", "Via Roma 12, 00184 Roma"),
            ("go to 12 rue de la Paix, 75002 Paris", "12 rue de la Paix, 75002 Paris"),
            ("Keizersgracht 12, 1015 CJ Amsterdam", "Keizersgracht 12, 1015 CJ Amsterdam"),
            ("Storgatan 4, 111 51 Stockholm", "Storgatan 4, 111 51 Stockholm"),
            ("sent 44 Elm St, Springfield, IL 62704 ok", "44 Elm St, Springfield, IL 62704"),
            ("sent 9 High Street, Ely CB7 4AA ok", "9 High Street, Ely CB7 4AA"),
        ] {
            assert_eq!(hidden(text), [address], "{text}");
        }
    }

    #[test]
    fn numbers_behind_a_comma_are_no_postcodes() {
        for text in [
            "row 12, 10827 Rows",
            "line 12, 10827 Bytes",
            "Drive 12, 10827 Sectors",
            "via eth0, 10827 Packets",
            "took 12 ms, 10827 Hits",
            "3 tries, 4711 Errors",
            "\t 80331 Hits",
            ", 80331 Hits",
        ] {
            assert!(hidden(text).is_empty(), "{text}");
        }
    }
}
