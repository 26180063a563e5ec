//! Characters that a reader takes for others or does not see: blanks and digits of other
//! scripts, full-width letters, marks without width, colours of a terminal.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memmem};

use super::view::{Decoded, View};

/// `text` without the sequences that set colours (ECMA-48), raw or as programs show them.
pub(super) fn without_colours(text: &[u8]) -> Option<View> {
    let is_shown = memchr2(0x1b, b'^', text).is_some() || memmem::find(text, b"#033[").is_some();
    let next_shown = |from| next_colour(text, from, |rest| memchr3(0x1b, b'^', b'#', rest));
    let next_escaped = |from| next_colour(text, from, |rest| memchr(b'\\', rest));
    let mut shown = if is_shown { next_shown(0) } else { None };
    let mut escaped = next_escaped(0);
    if shown.is_none() && escaped.is_none() {
        return None;
    }
    View::of(text, |from| {
        // Each is looked for again when it is passed, so no byte is searched twice.
        let is_passed = |code: &Range<usize>| code.start < from;
        if shown.as_ref().is_some_and(is_passed) {
            shown = next_shown(from);
        }
        if escaped.as_ref().is_some_and(is_passed) {
            escaped = next_escaped(from);
        }
        let code = match (&shown, &escaped) {
            (Some(one), Some(other)) if other.start < one.start => other,
            (Some(one), _) => one,
            (None, other) => other.as_ref()?,
        };
        Some((code.clone(), Decoded::NOTHING))
    })
}

fn next_colour(
    text: &[u8],
    from: usize,
    mark: impl Fn(&[u8]) -> Option<usize>,
) -> Option<Range<usize>> {
    let mut place = from;
    loop {
        place += mark(text.get(place..)?)?;
        if let Some(len) = colour(text.get(place..)?) {
            return Some(place..place + len);
        }
        place += 1;
    }
}

/// The length of the sequence that `rest` begins with.
fn colour(rest: &[u8]) -> Option<usize> {
    if !matches!(
        rest,
        [0x1b, ..] | [b'^', b'[', ..] | [b'#', b'0', ..] | [b'\\', b'e' | b'0' | b'x' | b'u', ..]
    ) {
        return None;
    }
    const FORMS: &[&[u8]] =
        &[b"\x1b", b"^[", b"#033", b"\\e", b"\\033", b"\\x1b", b"\\x1B", b"\\u001b", b"\\u001B"];
    let form = FORMS.iter().find(|form| rest.starts_with(form))?;
    let behind = rest.get(form.len()..)?;
    // The set of characters: `ESC ( B`.
    if behind.first() == Some(&b'(') && form.len() == 1 {
        return Some(form.len() + 2).filter(|len| *len <= rest.len());
    }
    let parameters = behind.strip_prefix(b"[")?;
    let is_parameter = |byte: &&u8| matches!(byte, b'0'..=b'9' | b';' | b':' | b'?');
    let count = parameters.iter().take(LONGEST_PARAMETERS).take_while(is_parameter).count();
    parameters.get(count)?.is_ascii_alphabetic().then_some(form.len() + 1 + count + 1)
}

const LONGEST_PARAMETERS: usize = 32;

/// `text` with plain characters for those that look like them, and without those that are
/// not seen.
pub(super) fn plain(text: &[u8]) -> Option<View> {
    View::of(text, |from| {
        let mut place = from;
        loop {
            place = beyond_ascii(text, place)?;
            let byte = *text.get(place)?;
            if !MARKS.get(usize::from(byte)).copied().unwrap_or(false) {
                place += 1;
                continue;
            }
            let (decoded, len) = character(text, place);
            if let Some(decoded) = decoded {
                return Some((place..place + len, decoded));
            }
            place += len;
        }
    })
}

/// The first byte beyond ASCII from `from` on.
fn beyond_ascii(text: &[u8], from: usize) -> Option<usize> {
    const STEP: usize = 32;
    let mut place = from;
    while text.get(place..place + STEP).is_some_and(<[u8]>::is_ascii) {
        place += STEP;
    }
    Some(place + text.get(place..)?.iter().position(|byte| *byte >= 0x80)?)
}

/// Bytes with which such characters begin in UTF-8, and two of Latin-1.
static MARKS: [bool; 256] = marks();

#[allow(clippy::indexing_slicing)]
const fn marks() -> [bool; 256] {
    let mut marks = [false; 256];
    let leads =
        [0xa0, 0xad, 0xc2, 0xcc, 0xcd, 0xd8, 0xd9, 0xdb, 0xe0, 0xe1, 0xe2, 0xe3, 0xef, 0xf0];
    let mut at = 0;
    while at < leads.len() {
        marks[leads[at]] = true;
        at += 1;
    }
    // Scripts without blanks.
    let mut lead = 0xe4;
    while lead <= 0xed {
        marks[lead] = true;
        lead += 1;
    }
    marks
}

/// What the character at `place` is read as, `None` if as itself, and its length.
fn character(text: &[u8], place: usize) -> (Option<Decoded>, usize) {
    let rest = text.get(place..(place + 4).min(text.len())).unwrap_or_default();
    let first = rest.utf8_chunks().next();
    match first.and_then(|chunk| chunk.valid().chars().next()) {
        Some(character) => {
            let len = character.len_utf8();
            (reading(character).or_else(|| apart(text, place, character)), len)
        }
        None => (latin1(text, place), 1),
    }
}

/// A blank or a soft hyphen of Latin-1 among ASCII.
fn latin1(text: &[u8], place: usize) -> Option<Decoded> {
    let is_ascii = |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(u8::is_ascii);
    let is_alone = is_ascii(place.checked_sub(1)) && is_ascii(Some(place + 1));
    match text.get(place)? {
        0xa0 if is_alone => Some(Decoded::byte(b' ')),
        0xad if is_alone => Some(Decoded::NOTHING),
        _ => None,
    }
}

/// A character of a script without blanks between words, with blanks between it and a number or
/// a word of ASCII: they are words of their own.
fn apart(text: &[u8], place: usize, character: char) -> Option<Decoded> {
    let is_unspaced = matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    if !is_unspaced {
        return None;
    }
    let is_ascii = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let follows = is_ascii(place.checked_sub(1).and_then(|before| text.get(before)));
    let next = text.get(place + 3);
    let precedes = is_ascii(next) || next == Some(&b'+');
    if !follows && !precedes {
        return None;
    }
    // `用户05@example.org` is one word.
    let rest = text.get(place + 3..).unwrap_or_default();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let part = rest.iter().take(64).take_while(is_part).count();
    if rest.get(part) == Some(&b'@') {
        return None;
    }
    let mut spaced = [b' '; 5];
    spaced.get_mut(1..4)?.copy_from_slice(text.get(place..place + 3)?);
    let spaced = spaced.get(usize::from(!follows)..if precedes { 5 } else { 4 })?;
    Some(Decoded::text(spaced))
}

fn reading(character: char) -> Option<Decoded> {
    let code = u32::from(character);
    let digit = |zero: u32| Some(Decoded::byte(b'0' + (code - zero) as u8));
    match code {
        0xad | 0x34f | 0x61c | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e => Some(Decoded::NOTHING),
        0x2060..=0x2064 | 0x2066..=0x2069 | 0xfe00..=0xfe0f | 0xfeff => Some(Decoded::NOTHING),
        // Accents behind their letters.
        0x300..=0x36f => Some(Decoded::NOTHING),
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Some(Decoded::byte(b' ')),
        0x2010..=0x2015 | 0x2212 => Some(Decoded::byte(b'-')),
        0x2018 | 0x2019 => Some(Decoded::byte(b'\'')),
        // Quotation marks and brackets of East Asia among them.
        0x201c..=0x201e | 0xab | 0xbb | 0x3008..=0x300f => Some(Decoded::byte(b'"')),
        0x3010 => Some(Decoded::byte(b'[')),
        0x3011 => Some(Decoded::byte(b']')),
        0x3001 | 0x60c => Some(Decoded::byte(b',')),
        0x3002 | 0x964 => Some(Decoded::byte(b'.')),
        0x61b => Some(Decoded::byte(b';')),
        0x61f => Some(Decoded::byte(b'?')),
        0x2022 => Some(Decoded::byte(b'*')),
        0x2026 => Some(Decoded::text(b"...")),
        0x2192 => Some(Decoded::text(b"->")),
        0xff01..=0xff5e => Some(Decoded::byte((code - 0xff01) as u8 + b'!')),
        0x660..=0x669 => digit(0x660),
        0x6f0..=0x6f9 => digit(0x6f0),
        0x966..=0x96f => digit(0x966),
        // Letters and digits of formulas.
        0x1d400..=0x1d6a3 => {
            let letter = ((code - 0x1d400) % 52) as u8;
            Some(Decoded::byte(if letter < 26 { b'A' + letter } else { b'a' + letter - 26 }))
        }
        0x1d7ce..=0x1d7ff => Some(Decoded::byte(b'0' + ((code - 0x1d7ce) % 10) as u8)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let text = without_colours(text.as_bytes()).map_or(text.into(), |view| view.text);
        String::from_utf8(plain(&text).map_or(text, |view| view.text)).unwrap()
    }

    #[test]
    fn colours_are_left_out_in_every_form_they_are_shown_in() {
        for coloured in [
            "\x1b[1;31muser\x1b[0m=\x1b(Bann",
            "^[[1;31muser^[[0m=ann",
            "#033[1;31muser#033[0m=ann",
            "\\e[31muser\\033[0m=\\x1b[33mann\\u001b[0m",
        ] {
            assert_eq!(read(coloured), "user=ann");
        }
        for plain in ["#0 main", "x ^ [y]", "a[0]", "\\[x", "^[abc"] {
            assert!(without_colours(plain.as_bytes()).is_none(), "{plain}");
        }
    }

    #[test]
    fn characters_that_look_alike_are_read_as_ascii() {
        assert_eq!(read("ｐｗｄ：４２\u{3000}x"), "pwd:42 x");
        assert_eq!(read("hun\u{200b}ter\u{ad}2 e\u{301}\u{feff}"), "hunter2 e");
        assert_eq!(read("+1\u{a0}212\u{2011}555"), "+1 212-555");
        assert_eq!(read("٠١٢ ۳ १ 𝐀𝐛𝟙"), "012 3 1 Ab1");
        assert_eq!(read("“it’s” «a» 「b」、c。"), "\"it's\" \"a\" \"b\",c.");
        assert_eq!(read("a → b… — c"), "a -> b... - c");
    }

    #[test]
    fn numbers_in_text_without_blanks_are_words_of_their_own() {
        assert_eq!(read("手机号13812345678的"), "手机号 13812345678 的");
        assert_eq!(read("号+86x号y"), "号 +86x 号 y");
        assert!(plain("用户05@example.org".as_bytes()).is_none());
    }

    #[test]
    fn letters_of_languages_stay() {
        for text in ["Zoë", "Ελένη", "Пароль", "電話番号", "العربية", "한국어", "ไทย", "€ ™"]
        {
            assert!(plain(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(plain(b"a\xa0b\xe9\xad").unwrap().text, b"a b\xe9\xad");
    }
}
