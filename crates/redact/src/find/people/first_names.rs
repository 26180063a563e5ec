//! Names in running text that nothing announces: a first name that is known, and a word
//! that begins with a capital behind it.

use std::cmp::Ordering;

use super::announced;
use crate::find::plausible::person_name::is_no_name;
use crate::find::plausible::place::is_street_word;
use crate::find::scan::Scan;
use crate::find::text::{is_letter, is_word};
use crate::kind::Kind;

/// Known first names, one a line, in the order of their bytes behind the comments.
const NAMES: &str = include_str!("first_names.txt");

/// Where the first name is in [`NAMES`].
const FIRST: usize = behind_comments();

#[allow(clippy::indexing_slicing)]
const fn behind_comments() -> usize {
    let text = NAMES.as_bytes();
    let mut place = 0;
    while text[place] == b'#' {
        while text[place] != b'\n' {
            place += 1;
        }
        place += 1;
    }
    place
}

/// Words between a first name and a surname.
const PARTICLES: &[&[u8]] = &[
    b"de", b"da", b"do", b"dos", b"del", b"della", b"di", b"du", b"la", b"le", b"van", b"den",
    b"der", b"von", b"zu", b"bin", b"ibn", b"al", b"el", b"ter", b"ten", b"af", b"av",
];

impl Scan<'_> {
    /// A full name whose known first name is the word at `start..end`.
    #[inline]
    pub(in crate::find) fn full_name(&mut self, start: usize, end: usize) -> Option<usize> {
        if self.text.at(end) == b',' {
            return self.surname_and_comma(start, end);
        }
        let next = self.text.at(end + 1);
        let may_be = next.is_ascii_uppercase() || next.is_ascii_lowercase() || next >= 0x80;
        if may_be { self.name_by_first(start, end) } else { None }
    }

    fn name_by_first(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        // `x-Ann Lee`, `/Ann Lee`, `$Ann Lee` are parts of something else.
        let begins = matches!(
            text.before(start),
            0..=b' ' | b'"' | b'\'' | b'(' | b'[' | b',' | b':' | b'=' | b'>' | b'|' | b';' | b'*'
        );
        let begins = begins || text.slice(start.saturating_sub(2)..start) == b"..";
        let word = text.slice(start..end);
        if begins && !word.is_ascii() && !is_known(word) {
            return self.surname_first(start, end);
        }
        if !begins || !is_known(word) {
            return None;
        }
        let mut place = end + 1;
        let mut surname = None;
        for _ in 0..4 {
            let word_end =
                text.run(place, 40, |byte| is_letter(byte) || byte == b'-' || byte == b'\'');
            let word_end =
                text.run_back(word_end, 3, |byte| byte == b'-' || byte == b'\'').max(place);
            let word = text.slice(place..word_end);
            let is_initial = word.len() == 1 && text.at(word_end) == b'.';
            let is_particle = PARTICLES.contains(&word);
            let goes_on = is_particle || is_initial || is_known(word);
            if !is_initial && !is_particle {
                if !is_surname(word) || is_word(text.at(word_end)) {
                    break;
                }
                surname = Some(word_end);
            }
            let next = word_end + usize::from(is_initial);
            if !goes_on || text.at(next) != b' ' {
                break;
            }
            place = next + 1;
        }
        let surname = surname?;
        // `Ann Lee::run`, `Ann Lee(…)`, `Ann Lee 3`: names of things.
        let is_thing = match text.at(surname) {
            b':' => text.at(surname + 1) == b':',
            b' ' => text.at(surname + 1).is_ascii_digit(),
            b'(' | b'/' | b'=' | b'_' => true,
            _ => false,
        };
        (!is_thing).then(|| self.hide(start..surname, Kind::Name))
    }
}

impl Scan<'_> {
    /// `Mayhew, Brittany`: a surname, a comma and a known first name, and no more words.
    fn surname_and_comma(&mut self, start: usize, end: usize) -> Option<usize> {
        const ADVERBS: &[&[u8]] = &[
            b"However",
            b"Today",
            b"Yesterday",
            b"Then",
            b"Also",
            b"Well",
            b"Sorry",
            b"Please",
            b"Attention",
            b"Welcome",
            b"Again",
            b"Finally",
            b"Unfortunately",
            b"Maybe",
            b"Here",
            b"There",
            b"Now",
            b"Next",
            b"First",
            b"Later",
            b"Danke",
            b"Merci",
            b"Gracias",
        ];
        let text = self.text;
        if text.at(end + 1) != b' '
            || !text.at(end + 2).is_ascii_uppercase() && text.at(end + 2) < 0xc3
        {
            return None;
        }
        let word = text.slice(start..end);
        let first_end = text.run(end + 2, 40, is_letter);
        let ends = matches!(
            text.at(first_end),
            b',' | b';' | b')' | b'"' | b'\'' | b'\n' | b'\r' | b'|' | b'<' | 0
        );
        // `Norway, Peru, Jordan`
        let prior = text.run_back(start, 2, |byte| byte == b' ');
        let goes_on = text.at(first_end) == b',' && text.at(first_end + 2).is_ascii_uppercase();
        let is_listed = goes_on || matches!(text.before(prior), b',' | b'[' | b'{');
        let begins = matches!(
            text.before(start),
            0..=b' ' | b'"' | b'\'' | b'(' | b':' | b'|' | b';' | b'>'
        );
        let is_name = begins
            && ends
            && !is_listed
            && is_surname(word)
            && !ADVERBS.contains(&word)
            && !announced::is_greeting(word)
            && !is_known(word)
            && is_known(text.slice(end + 2..first_end));
        is_name.then(|| self.hide(start..first_end, Kind::Name))
    }

    /// `Horváth Ildikó`: a surname with letters beyond ASCII, and a known first name.
    fn surname_first(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let first_end = text.run(end + 1, 40, is_letter);
        let is_name = is_surname(text.slice(start..end))
            && is_known(text.slice(end + 1..first_end))
            && !is_word(text.at(first_end));
        is_name.then(|| self.hide(start..first_end, Kind::Name))
    }
}

/// A capital and small letters, and no word that names are not written with.
fn is_surname(word: &[u8]) -> bool {
    let first = word.first().copied().unwrap_or(0);
    let is_capitalized = first.is_ascii_uppercase() || first >= 0xc3;
    let small = word.iter().filter(|byte| byte.is_ascii_lowercase() || **byte >= 0x80).count();
    word.len() >= 2
        && is_capitalized
        && small * 2 >= word.len()
        && !is_no_name(word)
        && !is_street_word(word)
}

/// Whether `word` is a first name.
pub(in crate::find) fn is_known(word: &[u8]) -> bool {
    if !(3..=24).contains(&word.len()) {
        return false;
    }
    let names = NAMES.as_bytes();
    let (mut low, mut high) = (FIRST, names.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = names
            .get(low..middle)
            .and_then(|part| memchr::memrchr(b'\n', part))
            .map_or(low, |at| low + at + 1);
        let rest = names.get(start..high).unwrap_or_default();
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        match rest.get(..len).unwrap_or_default().cmp(word) {
            Ordering::Equal => return true,
            Ordering::Less => low = start + len + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::hidden;

    #[test]
    fn the_names_are_in_order_and_each_is_known() {
        let names: Vec<_> = NAMES.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(names.len() > 5000);
        assert!(names.is_sorted_by(|one, other| one.as_bytes() < other.as_bytes()));
        for name in names {
            assert!(is_known(name.as_bytes()), "{name}");
        }
        for word in ["Aaa", "Zzz", "Ann1", "anna", "Server", ""] {
            assert!(!is_known(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn a_first_name_and_a_surname_are_hidden_in_running_text() {
        for (text, wanted) in [
            ("then Hannah Weiss called", &["Hannah Weiss"][..]),
            ("sent to Maria J. de la Cruz yesterday", &["Maria J. de la Cruz"]),
            ("Ambiguous match: Mayhew, Brittany, born", &["Mayhew, Brittany"]),
            ("by Horváth Ildikó (3)", &["Horváth Ildikó"]),
            ("('Hannah Weiss', 3)", &["Hannah Weiss"]),
            ("(Anna Maria Kowalska)", &["Anna Maria Kowalska"]),
            ("Zoë Müller-Lüdenscheidt, 3 items", &["Zoë Müller-Lüdenscheidt"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn products_classes_and_headings_stay() {
        for text in [
            "Hannah called",
            "Hannah Server started",
            "Julia Version 1.9.4",
            "Travis CI build passed",
            "Grace Period expired, Will Retry",
            "Hannah 3",
            "51 Hannah St, Boston",
            "Hello, Hannah, and thanks",
            "Saludos, Hannah",
            "[Norway, Peru, Jordan, Chad]",
            "of Berlin, Hannah said",
            "Hannah Pool 3",
            "foo/Hannah Weiss",
            "Peter::Parker::new",
            "Diana_Foo Bar",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
