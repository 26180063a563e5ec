//! The same value again: what a label or a notation gave away is hidden wherever the text
//! repeats it, before and behind.

use std::collections::{BTreeMap, BTreeSet};

use super::people::is_known_first;
use super::plausible::person_name::is_no_name;
use super::text::table;
use super::{Carried, Span, Unit};
use crate::field_name::role_of;
use crate::kind::Kind;

/// Values of a text that are looked for; more would cost more than they hide.
const MOST: usize = 1024;
/// The same that outlive a block of a longer text.
const MOST_CARRIED: usize = 256;
/// A login that looks like a word is taken for one if a block has more of it for each that a label
/// or a notation gave away.
const MOST_LOGINS: usize = 32;
/// Bytes of a value.
const LONGEST: usize = 256;
/// The first bytes of a value, by which it is looked for: no value is shorter.
type Head = [u8; 4];

/// Places in `bytes` outside `found` that repeat a value of it, or of an earlier block.
pub(crate) fn again(bytes: &[u8], found: &[Span], carried: &mut Carried) -> Vec<Span> {
    let mut values = BTreeSet::new();
    for span in found {
        if values.len() >= MOST {
            break;
        }
        let value = bytes.get(span.range.clone()).unwrap_or_default();
        if is_own(span.kind, value) {
            values.insert((value, span.kind));
        }
        if span.kind == Kind::Name && value.len() <= LONGEST {
            let parts = || value.split(|byte| b" ,.^".contains(byte));
            // Other words with capitals are repeated as what they are.
            let is_person = parts().any(|part| is_known_first(part) || !part.is_ascii());
            let parts = parts().filter(|_| is_person);
            values.extend(parts.filter(|part| is_own_part(part)).map(|part| (part, Kind::Name)));
        }
    }
    let earlier = std::mem::take(&mut carried.known);
    let known = earlier.iter().map(|(value, kind)| (value.as_slice(), *kind));
    let names = values.iter().filter(|(_, kind)| *kind == Kind::Name);
    let capitals: Vec<_> = names.map(|(name, _)| name.to_ascii_uppercase()).collect();
    let capitals = capitals.iter().map(|name| (name.as_slice(), Kind::Name));
    let wanted = Wanted::new(values.iter().copied().chain(known).chain(capitals));
    let mut spans = if wanted.values.is_empty() { Vec::new() } else { wanted.places(bytes, found) };
    let given = logins_in(bytes, found);
    if carried.is_long {
        let new = values.iter().filter(|(value, kind)| {
            let is_once = *kind == Kind::User && given.get(value).is_some_and(|count| *count < 2);
            !is_once && !earlier.iter().any(|(known, other)| known == value && other == kind)
        });
        let new: Vec<_> = new
            .take(MOST_CARRIED.saturating_sub(earlier.len()))
            .map(|(value, kind)| (value.to_vec(), *kind))
            .collect();
        carried.known = earlier;
        carried.known.extend(new);
    }
    let repeated = logins_in(bytes, &spans);
    spans.retain(|span| {
        let value = bytes.get(span.range.clone()).unwrap_or_default();
        let most = MOST_LOGINS * given.get(value).copied().unwrap_or(1);
        span.kind != Kind::User || repeated.get(value).is_none_or(|count| *count <= most)
    });
    spans
}

/// How often each login that looks like a word is among `spans`.
fn logins_in<'b>(bytes: &'b [u8], spans: &[Span]) -> BTreeMap<&'b [u8], usize> {
    let mut counts = BTreeMap::new();
    for span in spans.iter().filter(|span| span.kind == Kind::User) {
        let value = bytes.get(span.range.clone()).unwrap_or_default();
        if is_login(value) {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts
}

/// Whether `value` is hardly anything else wherever it is.
fn is_own(kind: Kind, value: &[u8]) -> bool {
    if value.len() < 6 || value.len() > LONGEST {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_plain = value.iter().all(u8::is_ascii_alphabetic);
    let has_blank = value.contains(&b' ');
    match kind {
        Kind::Name => has_blank || value.iter().filter(|byte| **byte >= 0xe3).count() >= 3,
        // What belongs to a user is no one.
        Kind::User if role_of(value).is_some() || is_file(value) => false,
        Kind::User => {
            digits > 0 && !is_plain
                || value.iter().any(|byte| b"._-".contains(byte))
                || is_login(value)
        }
        Kind::Address => digits > 0 && has_blank && value.len() >= 12,
        // What programs call `token` and `key` is often a name of theirs: `Name.Variable`.
        Kind::Secret | Kind::Cookie | Kind::Key if is_identifier(value) => false,
        Kind::Password | Kind::Secret | Kind::Cookie | Kind::Key | Kind::PasswordHash => {
            value.len() >= 10 || digits > 0 && !is_plain && digits < value.len()
        }
        Kind::Account
        | Kind::NationalId
        | Kind::Passport
        | Kind::Phone
        | Kind::Card
        | Kind::Device
        | Kind::Wallet => digits >= 7 || digits >= 4 && digits < value.len(),
        Kind::Vehicle => digits > 0 && digits < value.len(),
        _ => false,
    }
}

/// `pyproject.toml`: no one is called that.
fn is_file(value: &[u8]) -> bool {
    const ENDS: &[&[u8]] =
        &[b".toml", b".py", b".json", b".yaml", b".yml", b".txt", b".conf", b".js"];
    ENDS.iter().any(|end| value.ends_with(end))
}

/// A colour, or words that programs join to a name: `access_token`, `rsa.PublicKey`, `mt19937`.
/// Only the end of a word has digits.
fn is_identifier(value: &[u8]) -> bool {
    let is_word = |word: &[u8]| {
        let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let digits = word.get(letters..).unwrap_or_default();
        digits.iter().all(u8::is_ascii_digit) && changes_case_rarely(word)
    };
    let is_colour = value.len() == 7
        && value.starts_with(b"#")
        && value.iter().skip(1).all(u8::is_ascii_hexdigit);
    is_colour || value.split(|byte| b"._-:".contains(byte)).all(is_word)
}

/// Whether capitals begin words, and no more than one in three letters does.
fn changes_case_rarely(word: &[u8]) -> bool {
    let begins =
        |two: &[u8]| matches!(two, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    word.windows(2).filter(|two| begins(two)).count() * 3 <= word.len()
}

/// Small letters that are no word for a thing and do not end like a word for what one does:
/// `virtanens`, but not `monitor`.
fn is_login(value: &[u8]) -> bool {
    const ENDS: &[&[u8]] =
        &[b"ing", b"tor", b"ter", b"er", b"ed", b"ion", b"ment", b"ics", b"ist", b"age", b"ory"];
    value.iter().all(u8::is_ascii_lowercase)
        && role_of(value).is_none()
        && !is_no_name(value)
        && !ENDS.iter().any(|end| value.ends_with(end))
}

/// Whether a part of a name is hardly anything else where it is written the same way: `Sjögren`.
fn is_own_part(part: &[u8]) -> bool {
    let first = part.first().copied().unwrap_or(0);
    let small = part.iter().filter(|byte| byte.is_ascii_lowercase() || **byte >= 0x80).count();
    part.len() >= 5
        && (first.is_ascii_uppercase() || (0xc3..0xe0).contains(&first))
        && small + 1 >= part.len()
        && !is_no_name(part)
}

/// Values by their first bytes.
struct Wanted<'v> {
    /// A bit for the hash of each head: most places of a text have none.
    bits: [u64; 256],
    values: BTreeMap<Head, Vec<(&'v [u8], Kind)>>,
}

impl<'v> Wanted<'v> {
    fn new(values: impl Iterator<Item = (&'v [u8], Kind)>) -> Self {
        let mut wanted = Self { bits: [0; 256], values: BTreeMap::new() };
        for (value, kind) in values {
            let Some(head) = value.first_chunk::<4>() else { continue };
            let bit = bit_of(*head);
            if let Some(bits) = wanted.bits.get_mut(bit / 64) {
                *bits |= 1 << (bit % 64);
            }
            wanted.values.entry(*head).or_default().push((value, kind));
        }
        wanted
    }

    /// Where a value is a word of its own in `bytes`, but not in `found`, which is in order.
    fn places(&self, bytes: &[u8], found: &[Span]) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut skipped = found.iter().peekable();
        let mut place = 0;
        while let Some(head) = bytes.get(place..).and_then(|rest| rest.first_chunk::<4>()) {
            if let Some(span) = skipped.next_if(|span| span.range.start <= place) {
                place = behind_word(bytes, span.range.end.max(place));
                continue;
            }
            let bit = bit_of(*head);
            let may_be = self.bits.get(bit / 64).is_some_and(|it| it >> (bit % 64) & 1 == 1);
            let found = if may_be { self.at(bytes, place, *head) } else { None };
            if let Some((len, kind)) = found {
                spans.push(Span { range: place..place + len, kind, unit: Unit::Byte });
                place += len;
            }
            // A sign may begin a value, the middle of a word does not.
            place = behind_word(bytes, place).max(place + usize::from(found.is_none()));
        }
        spans
    }

    /// The longest value that is at `place`, and is no part of a longer word.
    fn at(&self, bytes: &[u8], place: usize, head: Head) -> Option<(usize, Kind)> {
        let rest = bytes.get(place..)?;
        let values = self.values.get(&head)?.iter();
        let fitting = values.filter(|(value, _)| {
            let next = rest.get(value.len());
            rest.starts_with(value) && !next.is_some_and(u8::is_ascii_alphanumeric)
        });
        // A login is no word of a longer name: `check_install_conflicts`.
        let is_joined = follows_underscore(bytes, place);
        let fitting = fitting.filter(|(value, kind)| {
            *kind != Kind::User || !is_joined && rest.get(value.len()) != Some(&b'_')
        });
        fitting.map(|(value, kind)| (value.len(), *kind)).max()
    }
}

static IN_WORDS: [bool; 256] = table(b"", false);

/// The first place from `place` on that no letter or digit is at.
fn behind_word(bytes: &[u8], place: usize) -> usize {
    let rest = bytes.get(place..).unwrap_or_default();
    let is_part = |byte: &u8| IN_WORDS.get(usize::from(*byte)).copied().unwrap_or(false);
    place + rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())
}

/// Whether an underscore is before `place`.
fn follows_underscore(bytes: &[u8], place: usize) -> bool {
    place.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'_')
}

fn bit_of(head: Head) -> usize {
    (u32::from_le_bytes(head).wrapping_mul(0x9e37_79b1) >> 18) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::{find, hidden};

    #[test]
    fn a_labelled_value_is_hidden_before_and_behind_its_label() {
        let text = "refund for Qwirin Abendroth failed; customer_name=\"Qwirin Abendroth\"; \
                    Qwirins cat";
        assert_eq!(hidden(text), ["Qwirin Abendroth"; 2]);
        let text = "Kunde: Maj-Britt Sjögren, Rückfrage von Sjögren";
        assert_eq!(hidden(text), ["Maj-Britt Sjögren", "Sjögren"]);
        assert_eq!(
            hidden("patient: Hannah Deshpande\nDESHPANDE"),
            ["Hannah Deshpande", "DESHPANDE"]
        );
        assert_eq!(hidden("password=kolibri9 … got 'kolibri9'"), ["kolibri9"; 2]);
    }

    #[test]
    fn what_may_be_another_word_or_number_is_hidden_at_its_label_alone() {
        assert_eq!(hidden("user=monitor; the monitor"), ["monitor"]);
        assert_eq!(hidden("password: sunshine\nsunshine"), ["sunshine"]);
        assert_eq!(hidden("user=virtanens; f_virtanens(virtanens_x)"), ["virtanens"]);
        assert_eq!(hidden("first_name=Mark; Mark all"), ["Mark"]);
        assert_eq!(hidden("pin=471100 size 471100"), ["471100"]);
    }

    #[test]
    fn a_login_that_is_written_everywhere_is_a_word() {
        let few = format!("user=virtanens;{}", " virtanens,".repeat(MOST_LOGINS));
        assert_eq!(hidden(&few).len(), 1 + MOST_LOGINS);
        let many = format!("user=virtanens;{}", " virtanens,".repeat(MOST_LOGINS + 1));
        assert_eq!(hidden(&many), ["virtanens"]);
    }

    #[test]
    fn names_of_programs_are_not_repeated() {
        for text in [
            "token = Name.Variable; (r'x', Name.Variable)",
            "_token = access_token; f(access_token)",
            "token: Punctuation, (r'y', Punctuation)",
            "Token: \"#f8f8f2\", Text: \"#f8f8f2\"",
            "user=pyproject.toml; read pyproject.toml",
            "f(__token = \"mt19937_64\"); class mt19937_64",
        ] {
            assert!(hidden(text).len() <= 1, "{text}");
        }
        assert_eq!(hidden("token=k3v8h2m9x4z7 … k3v8h2m9x4z7"), ["k3v8h2m9x4z7"; 2]);
        assert_eq!(hidden("password=correcthorse; correcthorse"), ["correcthorse"; 2]);
    }

    #[test]
    fn a_long_text_remembers_values_of_earlier_blocks() {
        let mut carried = Carried::through_long_text();
        find(b"account_number=8839201177\n", &mut carried, true);
        let found = find(b"again 8839201177 and 88392011770\n", &mut carried, true);
        let places: Vec<_> = found.iter().map(|span| (span.range.start, span.range.end)).collect();
        assert_eq!(places, [(6, 16)]);
    }
}
