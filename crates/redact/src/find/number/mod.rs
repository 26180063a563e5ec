//! What begins with a digit: addresses, cards, telephones, identifiers, coordinates.

mod bare_id;
pub(in crate::find) mod card;
pub(in crate::find) mod check_digits;
mod device;
mod keccak;
pub(in crate::find) mod national_id;
pub(in crate::find) mod network;
pub(in crate::find) mod phone;
mod postcode;
mod wallet;

use std::ops::Range;

use crate::find::plausible::date::is_iso_date;
use crate::find::plausible::person_name::is_role_account;
use crate::find::plausible::place::is_coordinate;
use crate::find::scan::Scan;
use crate::find::text::{self, Text, is_blank, is_joined, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// `203.0.113.9`, and what else begins with at most three digits and a point.
    pub(in crate::find) fn dotted(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let address = text.run(start, 15, |byte| byte.is_ascii_digit() || byte == b'.');
        // `0.083/0.024/0.494 ms`: fractions.
        if text.at(address) == b'/' && network::is_fraction(text.slice(start..address)) {
            return Some(address);
        }
        if text.before(start) == b'/' {
            self.client(start, address);
        }
        if text.has(address, b" - ") {
            self.remote_user(address + 3);
        }
        if let Some(range) = network::ipv4(text, start) {
            return Some(self.hide(range, Kind::Ip));
        }
        // A private address is no telephone, and neither is `1.2.3.4`.
        if network::is_quad(text, start) {
            return Some(address);
        }
        let is_short = text.run(end + 1, 3, |byte| byte.is_ascii_digit()) < end + 4;
        let is_other = is_short && end - start < 3 && !self.is_grouped_identifier(start);
        is_other.then(|| self.coordinates(start).unwrap_or(end))
    }

    /// `ann-lee/203.0.113.9:1194`: a client of a VPN before its address at `start..end`.
    fn client(&mut self, start: usize, end: usize) {
        let text = self.text;
        let slash = start - 1;
        let from = text.run_back(slash, 48, |byte| is_word(byte) || b".-@+".contains(&byte));
        let name = text.slice(from..slash);
        let has_port = text.at(end) == b':' && text.at(end + 1).is_ascii_digit();
        let begins = matches!(text.before(from), 0..=b' ' | b'[' | b'(');
        let is_login = name.iter().any(u8::is_ascii_alphabetic) && !is_role_account(name);
        if has_port && begins && is_login && name.len() >= 3 && network::is_quad(text, start) {
            self.hide(from..slash, Kind::User);
        }
    }

    /// The end of the time `14:36:25` at `start`.
    pub(in crate::find) fn time_end(&self, start: usize) -> Option<usize> {
        is_time(self.text, start).then_some(start + b"14:36:25".len())
    }

    /// The end of the date `2026-01-02` at `start`.
    pub(in crate::find) fn date_end(&self, start: usize) -> Option<usize> {
        is_iso_date(self.text, start).then_some(start + b"2026-01-02".len())
    }

    /// A number of a person: by its shape, or by its check digits and the words before it.
    pub(in crate::find) fn personal_number(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if let Some(range) = national_id::identifier(text, start)
            // Of eighteen digits a date and a check are as good as a word.
            && (range.end != end || end - start == 18 || self.speaks_of(start, PERSON_WORDS))
        {
            return Some(self.hide(range, Kind::NationalId));
        }
        let number = text.slice(start..end);
        let is_bare = matches!(number.len(), 9..=13)
            && (bare_id::is_bare_identifier(number, false) && self.speaks_of(start, PERSON_WORDS)
                || bare_id::is_bare_identifier(number, true)
                    && self.speaks_of(start, WORDS_OF_PERSONS_ALONE));
        is_bare.then(|| self.hide(start..end, Kind::NationalId))
    }

    fn is_grouped_identifier(&self, start: usize) -> bool {
        national_id::identifier(self.text, start).is_some()
    }

    /// A card's number, in one or in groups.
    pub(in crate::find) fn card(&mut self, start: usize) -> Option<usize> {
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
    pub(in crate::find) fn phone(&mut self, start: usize) -> Option<usize> {
        let range = phone::phone(self.text, start, false).or_else(|| {
            let range = phone::phone(self.text, start, true).filter(|_| self.is_spelled(start))?;
            // Last, for it reads the whole line.
            self.is_called(start).then_some(range)
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

    /// Whether one of `words` is on the line before `place`.
    pub(in crate::find) fn speaks_of(&self, place: usize, words: &[&[u8]]) -> bool {
        let text = self.text;
        let line = text.slice(text.run_back(place, 80, |byte| byte != b'\n' && byte != 0)..place);
        line.split(|byte| !byte.is_ascii_alphabetic())
            .filter(|word| word.len() > 1)
            .any(|word| words.iter().any(|known| text::starts_caseless(word, known)))
    }

    /// Whether bare digits directly follow a word that announces a number; those that
    /// are grouped need not.
    fn is_spelled(&self, start: usize) -> bool {
        let text = self.text;
        let end = text.run(start, 18, |byte| byte.is_ascii_digit());
        let is_grouped =
            matches!(text.at(end), b' ' | b'-' | b'.' | b'/') && text.at(end + 1).is_ascii_digit();
        if is_grouped {
            // `"GET / HTTP/1.1" 429 3292`
            if text.before(start) == b' ' && text.before(start - 1) == b'"' {
                return false;
            }
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
    pub(in crate::find) fn coordinates(&mut self, start: usize) -> Option<usize> {
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
            word.ends_with(b"location")
                || WORDS
                    .iter()
                    .any(|known| word == *known || (known.len() > 2 && word.starts_with(known)))
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

/// The same, where numbers of other things are no less likely to be right.
const WORDS_OF_PERSONS_ALONE: &[&[u8]] = &[
    b"citizen",
    b"resident",
    b"patient",
    b"insured",
    b"taxpayer",
    b"national",
    b"person",
    b"personal",
    b"applicant",
    b"claimant",
    b"beneficiary",
    b"nhs",
    b"nif",
    b"tfn",
    b"egn",
    b"iin",
    b"teudat",
];

/// Whether the digits at `start` go on a longer word; a path's parts are their own.
pub(in crate::find) fn is_part_of_longer(text: Text<'_>, start: usize) -> bool {
    is_joined(text, start) && text.before(start) != b'/'
}

/// Whether groups of four hexadecimal digits are beside `range`: it is of a table, or of
/// a dump of memory.
pub(in crate::find) fn is_in_dump(text: Text<'_>, range: &Range<usize>) -> bool {
    let is_part = |byte: u8| byte > b' ';
    let is_group =
        |part: Range<usize>| part.len() == 4 && text.slice(part).iter().all(u8::is_ascii_hexdigit);
    let before = range.start.saturating_sub(1);
    let after = range.end + 1;
    is_blank(text.before(range.start)) && is_group(text.run_back(before, 6, is_part)..before)
        || is_blank(text.at(range.end)) && is_group(after..text.run(after, 6, is_part))
}

/// Two numbers of degrees with a comma or a blank between: the end of the first, and the
/// second.
fn pair(text: Text<'_>, start: usize) -> Option<(usize, Range<usize>)> {
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
