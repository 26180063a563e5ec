//! What begins with a digit: addresses, cards, telephones, identifiers, coordinates.

use super::places::is_coordinate;
use super::text::{self, Text, is_blank, is_word};
use super::{Scan, card, identity, is_in_dump, is_joined, network, phone, secret};
use crate::kind::Kind;

impl Scan<'_> {
    /// A word that begins with a digit; gives where to go on.
    pub(super) fn number(&mut self, start: usize) -> usize {
        let text = self.text;
        let end = text.run(start, usize::MAX, is_word);
        let digits = text.run(start, end - start, |byte| byte.is_ascii_digit());
        let len = end - start;
        let next = text.at(end);
        if digits < end {
            return self.mixed(start, end);
        }
        if (4..=5).contains(&len)
            && next == b':'
            && text.before(start) == b':'
            && let Some(next) = self.password_file(start, end)
        {
            return next;
        }
        if is_joined(text, start) && text.before(start) != b'/' {
            return end;
        }
        if next == b'.' && len <= 3 {
            let address = text.run(start, 15, |byte| byte.is_ascii_digit() || byte == b'.');
            if text.has(address, b" - ") {
                self.remote_user(address + 3);
            }
            if let Some(range) = network::ipv4(text, start) {
                return self.hide(range, Kind::Ip);
            }
            // `1.2.3.4` that was none is no telephone either.
            if text.run(end + 1, 3, |byte| byte.is_ascii_digit()) < end + 4
                && len < 3
                && !self.is_grouped_identifier(start)
            {
                return self.coordinates(start).unwrap_or(end);
            }
        }
        if len == 2 && next == b':' && is_time(text, start) {
            return start + 8;
        }
        if matches!(next, b':' | b'-' | b'.')
            && len <= 4
            && let Some(next) = self.hexadecimal(start)
        {
            return next;
        }
        // `2026-01-02`: what follows is a time.
        if len == 4 && next == b'-' && is_iso_date(text, start) {
            return start + 10;
        }
        if len < 7 && !matches!(next, b' ' | b'-' | b'.' | b'/' | b')' | 0xc2) {
            return end;
        }
        if next == b':'
            && (8..=10).contains(&len)
            && let Some((range, kind)) = secret::shaped(text, start, end)
        {
            return self.hide(range, kind);
        }
        if let Some(next) = self.card(start) {
            return next;
        }
        if let Some(range) = identity::identifier(text, start)
            && (range.end != end || self.speaks_of(start, PERSON_WORDS))
        {
            return self.hide(range, Kind::NationalId);
        }
        if matches!(len, 9 | 11 | 13)
            && identity::is_bare_identifier(text.slice(start..end))
            && self.speaks_of(start, PERSON_WORDS)
        {
            return self.hide(start..end, Kind::NationalId);
        }
        if let Some(next) = self.coordinates(start) {
            return next;
        }
        self.phone(start).unwrap_or(end)
    }

    fn is_grouped_identifier(&self, start: usize) -> bool {
        identity::identifier(self.text, start).is_some()
    }

    /// Digits and letters in one word.
    fn mixed(&mut self, start: usize, end: usize) -> usize {
        let text = self.text;
        if end - start <= 4
            && let Some(next) = self.hexadecimal(start)
        {
            return next;
        }
        if text.has(start, b"0x") || text.has(start, b"0X") {
            return end;
        }
        if text.at(start) == b'7' {
            self.command(start, end);
        }
        if !is_joined(text, start)
            && let Some(range) = identity::identifier(text, start)
        {
            return self.hide(range, Kind::NationalId);
        }
        if end - start >= 12
            && let Some(next) = self.token(start, end)
        {
            return next;
        }
        // `127.0.0.1_x`, `4f=…`: may be the name of a field.
        self.field(start, end).unwrap_or(end)
    }

    /// A card's number, in one or in groups.
    fn card(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let mut end = start;
        let mut place = start;
        let mut count = 0;
        while count <= 19 {
            let group = text.run(place, 20, |byte| byte.is_ascii_digit());
            if group == place {
                break;
            }
            count += group - place;
            end = group;
            // Groups that are not the last have four digits or, of fifteen, six.
            if group - place > 6 || !matches!(text.at(group), b' ' | b'-') {
                break;
            }
            if count >= 13 && card::is_card(text.slice(start..end)) && text.at(group) == b' ' {
                break;
            }
            place = group + 1;
        }
        let goes_on =
            is_word(text.at(end)) || (text.at(end) == b'.' && text.at(end + 1).is_ascii_digit());
        let prior = text.before(start);
        if goes_on
            || matches!(prior, b'.' | b'#')
            || (prior == b'-' && text.before(start - 1).is_ascii_digit())
        {
            return None;
        }
        let value = text.slice(start..end);
        // Counters have as many digits; only sixteen of them are hardly ever chance.
        // On a magnetic stripe the number ends with `=` or `^`.
        let is_bare = value.len() == count && count != 16 && !matches!(text.at(end), b'=' | b'^');
        let is_card = (12..=19).contains(&count)
            && card::is_grouped_as_card(value)
            && card::is_card(value)
            && !(value.len() > count && is_in_dump(text, &(start..end)))
            && (!is_bare || self.speaks_of(start, CARD_WORDS));
        is_card.then(|| self.hide(start..end, Kind::Card))
    }

    /// A telephone number that starts at `start`.
    pub(super) fn phone(&mut self, start: usize) -> Option<usize> {
        let range = phone::phone(self.text, start, false).or_else(|| {
            let is_expected = self.is_spelled(start) && self.is_called(start);
            if is_expected { phone::phone(self.text, start, true) } else { None }
        })?;
        if self.text.before(range.start) == b':' {
            // `"Ann Lee" <tel:+43…>`
            self.display_name(range.start);
        }
        Some(self.hide(range, Kind::Phone))
    }

    /// Whether the line of `place` speaks of calls.
    fn is_called(&mut self, place: usize) -> bool {
        if let Some((line, answer)) = &self.called
            && line.contains(&place)
        {
            return *answer;
        }
        let line = self.text.line(place, 400);
        let answer = phone::is_called(self.text.slice(line.clone()));
        self.called = Some((line, answer));
        answer
    }

    /// Whether one of `words` stands on the line before `place`.
    pub(super) fn speaks_of(&self, place: usize, words: &[&[u8]]) -> bool {
        let text = self.text;
        let line = text.slice(text.run_back(place, 80, |byte| byte != b'\n' && byte != 0)..place);
        line.split(|byte| !byte.is_ascii_alphabetic())
            .filter(|word| word.len() > 1)
            .any(|word| words.iter().any(|known| text::starts_caseless(word, known)))
    }

    /// Whether bare digits stand right behind a word that announces a number; those that
    /// are grouped need not.
    fn is_spelled(&self, start: usize) -> bool {
        let text = self.text;
        let end = text.run(start, 18, |byte| byte.is_ascii_digit());
        let is_grouped =
            matches!(text.at(end), b' ' | b'-' | b'.' | b'/') && text.at(end + 1).is_ascii_digit();
        if is_grouped {
            let is_trunk = text.at(start) == b'0' || matches!(text.at(start), b'+' | b'(');
            return is_trunk || end - start == 3;
        }
        if !(9..=15).contains(&(end - start)) {
            return false;
        }
        let blank = text.run_back(start, 3, |byte| is_blank(byte) || b":=\"'#<".contains(&byte));
        let word = text.slice(text.run_back(blank, 16, is_word)..blank);
        phone::is_called(word) || [&b"to"[..], b"from", b"for"].contains(&word)
    }

    /// A pair of coordinates with a word for places before it on the line.
    fn coordinates(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let start = if matches!(text.before(start), b'-' | b'+') { start - 1 } else { start };
        let (first, second) = pair(text, start)?;
        let line = text.slice(text.run_back(start, 80, |byte| byte != b'\n' && byte != 0)..start);
        const WORDS: &[&[u8]] = &[
            b"geo",
            b"loc",
            b"gps",
            b"coord",
            b"position",
            b"point",
            b"lat",
            b"ll",
            b"near",
            b"map",
            b"pos",
            b"place",
            b"center",
            b"centre",
            b"pickup",
            b"dropoff",
            b"fix",
            b"lng",
            b"lon",
            b"waypoint",
            b"q",
            b"at",
            b"marker",
        ];
        let mut words =
            line.rsplit(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        let is_place = words.any(|word| {
            let word = word.to_ascii_lowercase();
            WORDS.iter().any(|known| word == *known || (known.len() > 2 && word.starts_with(known)))
        });
        if !is_place && text.before(start) != b'@' {
            return None;
        }
        self.hide(start..first, Kind::Place);
        Some(self.hide(second, Kind::Place))
    }
}

/// Words near which a number may be a card's.
const CARD_WORDS: &[&[u8]] = &[
    b"charging",
    b"authoris",
    b"authoriz",
    b"purchas",
    b"card",
    b"cards",
    b"pan",
    b"cc",
    b"payment",
    b"pay",
    b"paid",
    b"charge",
    b"charged",
    b"visa",
    b"amex",
    b"mastercard",
    b"credit",
    b"debit",
    b"billing",
    b"checkout",
    b"purchase",
    b"diners",
    b"discover",
    b"maestro",
    b"jcb",
    b"unionpay",
    b"authorize",
    b"authorization",
    b"refund",
    b"acquirer",
    b"issuer",
    b"tarjeta",
    b"karte",
    b"carte",
    b"pos",
    b"terminal",
];

/// Words near which a number may be a person's.
const PERSON_WORDS: &[&[u8]] = &[
    b"citizen",
    b"resident",
    b"patient",
    b"insured",
    b"insurance",
    b"taxpayer",
    b"tax",
    b"identity",
    b"national",
    b"person",
    b"employee",
    b"applicant",
    b"kyc",
    b"id",
    b"ssn",
    b"pesel",
    b"bsn",
    b"nir",
    b"personal",
    b"passport",
    b"customer",
    b"member",
    b"claimant",
    b"beneficiary",
    b"social",
    b"security",
    b"identification",
    b"ident",
];

/// Two numbers of degrees with a comma or a blank between: the end of the first, and the
/// second.
fn pair(text: Text<'_>, start: usize) -> Option<(usize, std::ops::Range<usize>)> {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
    let first = text.run(start, 16, is_part);
    let gap = text.run(first, 3, |byte| byte == b',' || byte == b' ' || byte == b';');
    let second = text.run(gap, 16, is_part);
    let fits = first > start
        && gap > first
        && is_coordinate(text.slice(start..first), 4)
        && is_coordinate(text.slice(gap..second), 4);
    fits.then_some((first, gap..second))
}

/// `14:36:25`, and no more groups.
fn is_time(text: Text<'_>, start: usize) -> bool {
    let is_two = |at: usize| text.at(at).is_ascii_digit() && text.at(at + 1).is_ascii_digit();
    is_two(start + 3)
        && text.at(start + 5) == b':'
        && is_two(start + 6)
        && text.at(start + 8) != b':'
        && !is_word(text.at(start + 8))
}

fn is_iso_date(text: Text<'_>, start: usize) -> bool {
    let is_two = |at: usize| text.at(at).is_ascii_digit() && text.at(at + 1).is_ascii_digit();
    is_two(start + 5)
        && text.at(start + 7) == b'-'
        && is_two(start + 8)
        && !text.at(start + 10).is_ascii_digit()
        && matches!(text.at(start), b'1' | b'2')
}
