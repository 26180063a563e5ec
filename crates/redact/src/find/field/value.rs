//! Where the value of a field begins and ends, in the notations logs, configurations and
//! debuggers use.

use std::ops::Range;

use crate::field_name::{self, Sureness};
use crate::find::plausible::place::is_street_word;
use crate::find::text::{Text, is_blank, is_letter, is_word};
use crate::kind::Kind;
use crate::word_set::WordSet;

/// How a value is joined to the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::find) enum Separator {
    /// `name=value`, `name:value`, `--name value`.
    Tight,
    /// `name: value`, as in prose and YAML.
    Colon,
    /// `name == value`, `name != value`: what is not quoted is most often code.
    Compared,
    /// `<name>value</name>`.
    Tag,
    /// `name ..... value`, `name -> value`: as forms write.
    Column,
    /// `name value`: a word before another.
    Blank,
    /// A cell under the name of its column.
    Cell,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::find) struct Value {
    /// Without quotes.
    pub(in crate::find) range: Range<usize>,
    /// Whether its end is certain: quoted, or between tags.
    pub(in crate::find) is_delimited: bool,
    pub(in crate::find) separator: Separator,
}

/// Bytes of one value; the rest of a longer one is searched as text.
const LONGEST: usize = 4096;

/// The value that begins at or behind `start`, for a field of `kind`.
pub(in crate::find) fn value(
    text: Text<'_>,
    start: usize,
    separator: Separator,
    kind: Kind,
) -> Option<Value> {
    if separator == Separator::Tag {
        let end = text.run(start, LONGEST, |byte| byte != b'<' && byte != 0);
        let start = text.run(start, LONGEST, |byte| byte.is_ascii_whitespace());
        if start == end && text.has(end, b"<![CDATA[") {
            let start = end + 9;
            let end = text.run(start, LONGEST, |byte| byte != b']' && byte != 0);
            return Some(Value { range: start..end, is_delimited: true, separator });
        }
        let end = text.run_back(end, LONGEST, |byte| byte.is_ascii_whitespace());
        return (text.at(end) != 0 && start < end).then_some(Value {
            range: start..end,
            is_delimited: true,
            separator,
        });
    }
    let mut place = text.run(start, 64, is_blank);
    place = behind_wrappers(text, place);
    if let Some((range, is_closed)) = quoted(text, place) {
        // A quote that was never closed: the text was cut, or it was an apostrophe.
        let end = if is_closed { range.end } else { bare_end(text, range.start, kind) };
        return Some(Value { range: range.start..end, is_delimited: is_closed, separator });
    }
    // `User <ann> IP <203.0.113.9>`
    if kind == Kind::User && text.at(place) == b'<' {
        let end = text.run(place + 1, 64, |byte| is_word(byte) || b".-@".contains(&byte));
        if text.at(end) == b'>' && end > place + 1 {
            return Some(Value { range: place + 1..end, is_delimited: true, separator });
        }
    }
    // gdb: `password = 0x55d0 "hunter2"`, `0x55d0 <buffer> "hunter2"`.
    if text.has(place, b"0x") {
        let mut behind = text.run(place, 20, is_word);
        behind = text.run(behind, 2, is_blank);
        if text.at(behind) == b'<' {
            behind = text.run(behind, 128, |byte| byte != b'>' && byte != b'\n') + 1;
            behind = text.run(behind, 2, is_blank);
        }
        let (range, _) = quoted(text, behind)?;
        return Some(Value { range, is_delimited: true, separator });
    }
    let end = bare_end(text, place, kind);
    (end > place).then_some(Value { range: place..end, is_delimited: false, separator })
}

/// Behind what may be around a value: `Some(`, `String("`, `b"`, `["`.
fn behind_wrappers(text: Text<'_>, start: usize) -> usize {
    let mut place = start;
    for _ in 0..3 {
        let word = text.run(place, 24, |byte| is_word(byte) || byte == b':');
        let next = text.at(word);
        let opens = matches!(next, b'(' | b'[' | b'{')
            && (word > place || next == b'[')
            && matches!(text.at(word + 1), b'"' | b'\'' | b'\\' | b'(');
        // `Some(`, and the value on a line of its own.
        let below = text.run(word + 1, 64, |byte| byte.is_ascii_whitespace());
        let opens_below =
            next == b'(' && word > place && matches!(text.at(word + 1), b'\n' | b'\r');
        // `<<"hunter2">>`, `_UNICODE_STRING "hunter2"`
        let is_binary = text.has(place, b"<<\"");
        let is_typed = word > place + 4
            && next == b' '
            && text.at(word + 1) == b'"'
            && text
                .slice(place..word)
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
        // `string(9) "…"`
        let digits = match next {
            b'(' => text.run(word + 1, 8, |byte| byte.is_ascii_digit()),
            _ => 0,
        };
        let is_sized = digits > word + 1 && text.has(digits, b") \"");
        // `QVariant(QString, "…")`
        let second = text.run(word + 1, 24, |byte| is_word(byte) || byte == b':');
        if next == b'(' && word > place && second > word + 1 && text.has(second, b", \"") {
            return second + 2;
        }
        // Go: `key:[…]`, a list of one.
        let inner = text.run(place + 1, 256, |byte| is_word(byte) || b"-.+/=".contains(&byte));
        if text.at(place) == b'[' && inner > place + 12 && text.at(inner) == b']' {
            return place + 1;
        }
        let is_literal = word - place <= 2 && word > place && matches!(next, b'"' | b'\'');
        if opens {
            place = word + 1;
        } else if opens_below && matches!(text.at(below), b'"' | b'\'') {
            return below;
        } else if is_binary {
            return place + 2;
        } else if is_typed {
            return word + 1;
        } else if is_sized {
            return digits + 2;
        } else if is_literal {
            return word;
        } else if text.at(place) == b'&' && matches!(text.at(place + 1), b'"' | b'\'') {
            return place + 1;
        } else {
            break;
        }
    }
    place
}

/// What is between the quotes of which the first is at `place`, and whether there is
/// a last one; without it, to the end of the line.
fn quoted(text: Text<'_>, place: usize) -> Option<(Range<usize>, bool)> {
    let (quote, len): (&[u8], usize) = match (text.at(place), text.at(place + 1)) {
        (b'"', _) => (b"\"", 1),
        (b'\'', _) => (b"'", 1),
        (b'`', _) => (b"`", 1),
        (b'\\', b'"') => (b"\\\"", 2),
        (b'\\', b'\'') => (b"\\'", 2),
        (b'&', _) if text.has(place, b"&quot;") => (b"&quot;", 6),
        _ => return None,
    };
    let start = place + len;
    let mut end = start;
    while end < text.len() && end - start < LONGEST {
        if text.at(end) == text.at(place) && text.has(end, quote) {
            // SQL doubles a quote within.
            let is_doubled = quote == b"'"
                && text.at(end + 1) == b'\''
                && end > start
                && is_word(text.at(end + 2));
            if !is_doubled {
                return Some((start..end, true));
            }
            end += 2;
            continue;
        }
        match text.at(end) {
            b'\\' if len == 1 => end += 2,
            b'\n' | 0 => break,
            _ => end += 1,
        }
    }
    Some((start..end.min(text.len()), false))
}

/// Where a value without quotes ends.
fn bare_end(text: Text<'_>, start: usize, kind: Kind) -> usize {
    match kind {
        Kind::Name => phrase_end(text, start, false),
        Kind::Address => phrase_end(text, start, true),
        Kind::Card
        | Kind::Account
        | Kind::NationalId
        | Kind::Passport
        | Kind::Code
        | Kind::Device => number_end(text, start, Groups::OfOneKind),
        Kind::Phone => number_end(text, start, Groups::Mixed),
        Kind::Vehicle => number_end(text, start, Groups::OfAnyScript),
        Kind::Birth => phrase_end(text, start, true),
        _ => word_end(text, start),
    }
}

/// A secret: up to a blank, or to punctuation behind which something else begins.
fn word_end(text: Text<'_>, start: usize) -> usize {
    let mut end = start;
    while end < text.len() && end - start < LONGEST {
        let byte = text.at(end);
        let ends = match byte {
            0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b';' if names_option(text, end + 1) => true,
            b',' | b';' | b'&' | b')' | b']' | b'}' | b'|' => begins_anew(text, end + 1),
            b'\\' => matches!(text.at(end + 1), b'"' | b'\'' | b'n' | b'r' | b't' | b'0'),
            _ => false,
        };
        if ends {
            break;
        }
        end += 1;
    }
    // The end of a sentence.
    if end > start + 1 && matches!(text.before(end), b'.' | b':') && text.at(end) <= b' ' {
        end -= 1;
    }
    end
}

/// Whether at `place` the text ends, or blanks, closing brackets or another field follow.
fn begins_anew(text: Text<'_>, place: usize) -> bool {
    let next = text.at(place);
    if next <= b' ' || matches!(next, b'"' | b'\'' | b')' | b']' | b'}' | b',' | b';') {
        return true;
    }
    let name = text.run(place, 48, |byte| is_word(byte) || byte == b'-' || byte == b'.');
    name > place && matches!(text.at(name), b'=' | b':') || text.has(place, b"amp;")
}

/// Whether `Persist Security Info=` follows, an option of several words.
fn names_option(text: Text<'_>, place: usize) -> bool {
    let name = text.run(place, 32, |byte| byte.is_ascii_alphabetic() || byte == b' ');
    text.at(place).is_ascii_uppercase() && text.at(name) == b'=' && name > place + 4
}

/// Words of a name or an address: up to the end of the line, a strong separator, or the
/// next field. Commas belong to an address only.
fn phrase_end(text: Text<'_>, start: usize, takes_commas: bool) -> usize {
    let mut end = start;
    while end < text.len() && end - start < LONGEST_PHRASE {
        let byte = text.at(end);
        let stops = match byte {
            b'\n' | b'\r' | b'\t' | 0 | b';' | b'|' | b'<' | b'>' | b'"' | b'{' | b'}' | b'=' => {
                true
            }
            b'(' | b')' | b'[' | b']' => !takes_commas || byte != b'(',
            b'&' => names_field(text, end + 1),
            b':' => !takes_commas && text.at(end + 1) != b':' && text.before(end) != b':',
            b',' => {
                names_field(text, end + 1)
                    || !(takes_commas || is_given_name(text, end + 1))
                    || takes_commas && (names_label(text, end + 1) || is_count(text, end + 1))
            }
            b'.' if takes_commas => ends_sentence(text, start, end),
            b' ' => {
                text.at(end + 1) == b' '
                    || text.has(end + 1, "—".as_bytes())
                    || text.has(end + 1, "–".as_bytes())
                    || text.at(end + 1) == b'/' && text.at(end + 2) == b' '
                    || names_field(text, end + 1)
                    || !takes_commas && (announces(text, end + 1) || names_label(text, end + 1))
                    || begins_clause(text, end + 1)
            }
            b'\\' => true,
            _ => false,
        };
        if stops {
            break;
        }
        end += 1;
    }
    text.run_back(end, LONGEST_PHRASE, |byte| {
        is_blank(byte) || matches!(byte, b',' | b'.' | b':' | b'-')
    })
    .max(start)
}

/// Whether a blank, a name and the end of the line follow: `Lee, Ann`.
fn is_given_name(text: Text<'_>, place: usize) -> bool {
    let end = text.run(place + 1, 30, is_letter);
    text.at(place) == b' '
        && text.at(place + 1).is_ascii_uppercase()
        && end > place + 2
        && matches!(text.at(end), b'\n' | b'\r' | b',' | b';' | 0)
}

/// Bytes of a name or an address.
const LONGEST_PHRASE: usize = 160;

/// Whether `name=` or `name: ` follows.
fn names_field(text: Text<'_>, place: usize) -> bool {
    let from = text.run(place, 2, is_blank);
    let name = text.run(from, 48, |byte| is_word(byte) || byte == b'-' || byte == b'.');
    // `CN=Ann Lee:mailto:ann@…`
    let is_last = text.at(name) == b':'
        && matches!(text.at(name + 1), b'm' | b't')
        && (text.has(name, b":mailto:") || text.has(name, b":tel:"));
    name > from
        && !is_last
        && (text.at(name) == b'=' || (text.at(name) == b':' && !text.at(name + 1).is_ascii_digit()))
}

/// Whether a label of several words and a colon follow: `, Číslo pasu: `.
fn names_label(text: Text<'_>, place: usize) -> bool {
    let from = text.run(place, 2, is_blank);
    let end = text.run(from, 48, |byte| is_letter(byte) || b" .'".contains(&byte));
    text.at(end) == b':' && field_name::field(text.slice(from..end)).is_some()
}

/// Whether a word in small letters and a number follow, that are of no house: `, code 65`.
fn is_count(text: Text<'_>, place: usize) -> bool {
    const HOUSE: &[&str] = &[
        "apt",
        "apartment",
        "unit",
        "suite",
        "ste",
        "flat",
        "floor",
        "no",
        "nr",
        "box",
        "bldg",
        "block",
        "room",
        "appt",
        "bât",
        "esc",
        "int",
        "piso",
        "puerta",
        "etg",
        "km",
        "daire",
        "kat",
        "blok",
        "byt",
        "lok",
        "кв",
        "д",
        "дом",
        "корп",
        "стр",
        "буд",
        "оф",
        "étage",
        "lgh",
        "tv",
        "sn",
    ];
    let from = text.run(place, 2, is_blank);
    let mut end = text.run(from, 24, is_letter);
    let word = text.slice(from..end);
    // `, lock fw 26.0`
    if text.at(end) == b' ' && text.at(end + 1).is_ascii_lowercase() {
        end = text.run(end + 1, 12, |byte| byte.is_ascii_lowercase());
    }
    text.at(end) == b' '
        && text.at(end + 1).is_ascii_digit()
        && begins_small(text, from)
        && !HOUSE.iter().any(|known| known.as_bytes() == word)
}

/// Whether the full stop at `place` ends a sentence: behind a number or a long word, and before
/// a word that begins one.
fn ends_sentence(text: Text<'_>, start: usize, place: usize) -> bool {
    let word = text.run_back(place, place - start, is_word);
    let letters = text.slice(word..place);
    let is_code = place - word == 2 && letters.iter().all(u8::is_ascii_uppercase);
    let is_abbreviation = !letters.iter().any(u8::is_ascii_digit)
        && !is_code
        && (place - word <= 3
            || is_street_word(letters)
            || letters.iter().any(|byte| *byte >= 0x80) && place - word <= 8);
    let next = text.at(place + 2);
    text.at(place + 1) == b' '
        && !is_abbreviation
        && (next.is_ascii_uppercase() || next >= 0x80 && !begins_small(text, place + 2))
}

/// Whether a small letter of any alphabet is at `place`.
pub(in crate::find) fn begins_small(text: Text<'_>, place: usize) -> bool {
    if text.at(place) < 0x80 {
        return text.at(place).is_ascii_lowercase();
    }
    let bytes = text.slice(place..(place + 4).min(text.len()));
    let first = bytes.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    first.is_some_and(char::is_lowercase)
}

/// Whether a word that names another value follows: `Ann Lee DOB 12/07/1957`.
fn announces(text: Text<'_>, place: usize) -> bool {
    let end = text.run(place, 24, is_letter);
    text.at(end) == b' '
        && field_name::field(text.slice(place..end)).is_some_and(|field| {
            field.sureness != Sureness::Maybe && !matches!(field.kind, Kind::Name | Kind::User)
        })
}

/// Words of a sentence, that are of no name.
static CLAUSES: WordSet<128> = WordSet::new(&[
    b"from",
    b"with",
    b"has",
    b"was",
    b"is",
    b"not",
    b"failed",
    b"logged",
    b"at",
    b"to",
    b"for",
    b"by",
    b"on",
    b"and",
    b"via",
    b"using",
    b"who",
    b"born",
    b"requested",
    b"wants",
    b"called",
    b"status",
    b"id",
    b"email",
    b"phone",
    b"tel",
    b"updated",
    b"created",
    b"signed",
    b"paid",
    b"account",
    b"card",
    b"against",
    b"in",
    b"after",
    b"before",
    b"because",
    b"while",
    b"when",
]);

/// Whether a dash, a bracket or a word of a sentence follows, that is of no name.
fn begins_clause(text: Text<'_>, place: usize) -> bool {
    if matches!(text.at(place), b'-' | b'(' | b'[' | b'#' | b'@' | b'*' | b'=') {
        return !is_word(text.at(place + 1)) || text.at(place) != b'-';
    }
    let end = text.run(place, 12, is_word);
    let word = text.slice(place..end);
    text.at(place).is_ascii_lowercase() && CLAUSES.has(word)
}

/// What a number is written with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// Groups with one sign, or blanks, between.
    OfOneKind,
    /// Groups with any signs between, as in telephone numbers.
    Mixed,
    /// The same, with letters of any script, as on licence plates.
    OfAnyScript,
}

/// Bytes of a number in groups; more are no number, and words in capitals may go on for long.
const LONGEST_NUMBER: usize = 96;

/// Groups of digits and capitals of a number, with single separators between.
fn number_end(text: Text<'_>, start: usize, groups: Groups) -> usize {
    let mut has_sign = false;
    let may_mix = groups != Groups::OfOneKind;
    let is_any = groups == Groups::OfAnyScript;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || is_any && byte >= 0x80;
    let mut place = text.run(start, 1, |byte| byte == b'+' || byte == b'(');
    let mut end = start;
    while end - start < LONGEST_NUMBER {
        let group = text.run(place, 40, is_part);
        let part = text.slice(place..group);
        let has_digit = part.iter().any(u8::is_ascii_digit);
        // `+380 67 525 95 95 (0x8EE2CF9D)`
        if groups == Groups::Mixed
            && !part.iter().all(u8::is_ascii_digit)
            && !part.starts_with(b"x")
            && !part.starts_with(b"ext")
        {
            break;
        }
        let is_capital = |byte: &u8| byte.is_ascii_uppercase() || is_any && *byte >= 0x80;
        let most = if is_any { 9 } else { 4 };
        let is_letters =
            !has_digit && (1..=most).contains(&part.len()) && part.iter().all(is_capital);
        if part.is_empty() || !(has_digit || is_letters) {
            break;
        }
        // `017 retries=3`: that 3 is another's.
        let is_short = (group - place <= 6 && (may_mix || !has_sign)) || text.before(group) == b')';
        end = group;
        place = group;
        match text.at(place) {
            b')' => place += 1 + usize::from(matches!(text.at(place + 1), b' ' | b'-')),
            b'-' | b'.' | b'/' if is_part(text.at(place + 1)) => {
                has_sign = true;
                place += 1;
            }
            b' ' if is_short && is_part(text.at(place + 1)) && !names_field(text, place + 1) => {
                place += 1;
                place += usize::from(text.at(place) == b'(');
            }
            b' ' if is_short && may_mix && text.at(place + 1) == b'(' => place += 2,
            // `112-233-445 95`
            b' ' if has_sign
                && group - start == b"112-233-445".len()
                && text.at(start + 3) == b'-'
                && text.at(start + 7) == b'-'
                && text.run(place + 1, 3, |byte| byte.is_ascii_digit()) == place + 3 =>
            {
                place += 1;
            }
            _ => break,
        }
    }
    if end > start && text.at(end) == b')' && text.slice(start..end).contains(&b'(') {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, separator: Separator, kind: Kind) -> Option<&str> {
        line.get(value(Text(line.as_bytes()), 0, separator, kind)?.range)
    }

    #[test]
    fn a_value_ends_where_its_notation_says() {
        use Separator::{Colon, Tag, Tight};
        let cases = [
            ("hunter2 port=3", Tight, Kind::Password, "hunter2"),
            ("a,b;c!d,user=x", Tight, Kind::Password, "a,b;c!d"),
            (" \"with \\\" blank\", x", Colon, Kind::Password, "with \\\" blank"),
            ("0x55d0 \"hunter2\", len=5", Tight, Kind::Password, "hunter2"),
            (" Some(\"hunter2\")", Colon, Kind::Password, "hunter2"),
            (" b'hunter2'", Colon, Kind::Password, "hunter2"),
            ("\\\"hunter2\\\",\\\"x\\\"", Tight, Kind::Password, "hunter2"),
            ("'O''Neil', 'x'", Tight, Kind::Name, "O''Neil"),
            ("Ann Lee</name>", Tag, Kind::Name, "Ann Lee"),
            (" Ann Lee\nnext", Colon, Kind::Name, "Ann Lee"),
            (" Ann Lee, 3 items", Colon, Kind::Name, "Ann Lee"),
            (" Ann Lee email=x", Colon, Kind::Name, "Ann Lee"),
            (" 1 High St, Apt 2B, Ely\nx", Colon, Kind::Address, "1 High St, Apt 2B, Ely"),
            (" AB 12 34 56 C country=GB", Colon, Kind::NationalId, "AB 12 34 56 C"),
            ("123-45-6789 17 tries", Tight, Kind::NationalId, "123-45-6789"),
            ("+1 (212) 555-0100, x", Tight, Kind::Phone, "+1 (212) 555-0100"),
        ];
        for (line, separator, kind, wanted) in cases {
            assert_eq!(read(line, separator, kind), Some(wanted), "{line}");
        }
        assert_eq!(read("0x55d0, next", Tight, Kind::Password), None);
        assert_eq!(read("", Tight, Kind::Password), None);
    }
}
