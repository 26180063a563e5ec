//! What the name of a field, variable or member announces, judged by the words it is made
//! of: `userEmail` holds an address, `passenger` no password, `password_len` a number.

pub(crate) mod labels;
pub(crate) mod role;

use crate::kind::Kind;
use role::{Role, role};

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// As what the value is hidden.
    pub(crate) kind: Kind,
    /// How much the value itself must look the part.
    pub(crate) sureness: Sureness,
}

/// How much a name alone proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sureness {
    /// The value is hidden unless it is no value at all: `null`, `%s`, an address.
    Sure,
    /// The value is hidden if it looks like one of its kind.
    Likely,
    /// The value is hidden if it can hardly be anything else: a `name` with a first and a
    /// last part.
    Maybe,
}

/// Words of a name that are looked at; the last ones say what it is.
const MOST_WORDS: usize = 12;

/// As what the value of something called `name` is hidden, whatever it looks like; `None`
/// if the name does not say.
pub fn kind_of_name(name: &str) -> Option<Kind> {
    field(name.as_bytes()).filter(|field| field.sureness != Sureness::Maybe).map(|field| field.kind)
}

/// `name` without what only says how a text is kept: `password` of `password_buf`, of
/// `password.ptr` and of `password.inner.vec.data`.
pub(crate) fn without_storage(name: &str) -> &str {
    const MEMBERS: &[&str] = &[
        "text", "str", "s", "ptr", "p", "data", "value", "val", "buf", "buffer", "bytes", "inner",
        "raw", "content", "contents", "c_str", "chars", "string", "begin", "vec", "__0", "0",
        "array", "pointer",
    ];
    const ENDS: &[&str] = &[
        "_buf", "_buffer", "_copy", "_ptr", "_bytes", "_data", "_tmp", "_in", "_out", "_word",
        "Buf", "Buffer", "Copy", "Ptr", "Bytes", "Data",
    ];
    let mut name = name;
    while let Some((before, last)) = name.rsplit_once('.')
        && MEMBERS.contains(&last.trim_start_matches("m_").trim_end_matches('_'))
    {
        name = before;
    }
    let shorter = ENDS.iter().find_map(|end| name.strip_suffix(end));
    shorter.filter(|shorter| !shorter.is_empty()).unwrap_or(name)
}

/// What `name` announces.
pub(crate) fn field(name: &[u8]) -> Option<Field> {
    if name.is_ascii() {
        return field_of(name);
    }
    let Ok(text) = std::str::from_utf8(name) else {
        // Latin-1.
        let lower: String = name.iter().map(|byte| lowered(char::from(*byte))).collect();
        return field_of(lower.as_bytes());
    };
    if text.chars().any(|c| !c.is_ascii() && c.is_uppercase()) {
        // Words are compared in lower case, which beyond ASCII only whole texts have.
        let lower: String =
            text.chars().map(|c| if c.is_ascii() { c } else { lowered(c) }).collect();
        return field_of(lower.as_bytes());
    }
    field_of(name)
}

/// `c` in lower case where that is one character.
fn lowered(c: char) -> char {
    let mut lower = c.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(c)
}

fn field_of(name: &[u8]) -> Option<Field> {
    match by_roles(name) {
        Some(Field { kind, sureness: Sureness::Maybe }) => {
            labels::label(name).or(Some(Field { kind, sureness: Sureness::Maybe }))
        }
        Some(field) => Some(field),
        None => labels::label(name),
    }
}

/// What the roles of the words of `name` announce.
fn by_roles(name: &[u8]) -> Option<Field> {
    // Who, in audit logs; an account of money is qualified or numbered.
    if name == b"acct" {
        return Some(Field { kind: Kind::User, sureness: Sureness::Likely });
    }
    // Without a role of its own the last word announces nothing, whatever is before.
    let (last, len) = last_word(name);
    let last = last.get(..len).unwrap_or_default();
    // `line1` of an address; `line` is most often one of a file.
    if matches!(last, b"line" | b"lines") && !(name.ends_with(b"1") || name.ends_with(b"2")) {
        return address_line(name);
    }
    let last = role(last).or_else(|| role_of_end(last))?;
    if let Some(field) = alone(last) {
        return Some(field);
    }
    if !may_announce(last) {
        return None;
    }
    let mut roles = [None; MOST_WORDS];
    let mut count = 0;
    for_each_word(name, |word| {
        if count == MOST_WORDS {
            roles.rotate_left(1);
            count -= 1;
        }
        if let Some(free) = roles.get_mut(count) {
            *free = role(word).or_else(|| role_of_end(word));
        }
        count += 1;
    });
    judge_roles(roles.get(..count)?)
}

/// The role of the last word of `name`.
pub(crate) fn last_role(name: &[u8]) -> Option<Role> {
    let (last, len) = last_word(name);
    role(last.get(..len)?)
}

/// `address_line`, `street line`.
fn address_line(name: &[u8]) -> Option<Field> {
    let mut is_postal = false;
    for_each_word(name, |word| {
        let role = role(word).filter(|_| !word.starts_with(b"line"));
        is_postal |= matches!(role, Some(Role::Address | Role::Postal));
    });
    is_postal.then_some(Field { kind: Kind::Address, sureness: Sureness::Likely })
}

/// Names that were judged, so that those of a long text are judged once. One forgets
/// another that has the same place.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    names: [(Name, Option<Field>); JUDGED],
}

const JUDGED: usize = 512;
/// Bytes of a name that is remembered.
const SHORT: usize = 24;

/// A name, and zeros.
type Name = [u8; SHORT];

impl Default for Judged {
    fn default() -> Self {
        Self { names: [([0; SHORT], None); JUDGED] }
    }
}

impl Judged {
    /// What `name` announces.
    pub(crate) fn field(&mut self, name: &[u8]) -> Option<Field> {
        let mut padded = [0; SHORT];
        let Some(start) = padded.get_mut(..name.len()).filter(|_| !name.contains(&0)) else {
            return field(name);
        };
        start.copy_from_slice(name);
        let place = usize::try_from(mixed(&padded)).unwrap_or(0) % JUDGED;
        let Some(slot) = self.names.get_mut(place) else { return field(name) };
        if slot.0 != padded {
            *slot = (padded, field(name));
        }
        slot.1
    }
}

/// A number for a name, eight bytes at a time.
fn mixed(name: &Name) -> u64 {
    let (words, _) = name.as_chunks::<8>();
    let mixed = words.iter().fold(0, |sum: u64, word| {
        (sum.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed >> 32
}

/// The role of a single word, in any case.
pub(crate) fn role_of(word: &[u8]) -> Option<Role> {
    let mut lower = [0; LONGEST_WORD];
    let lower = lower.get_mut(..word.len())?;
    for (lower, byte) in lower.iter_mut().zip(word) {
        *lower = byte.to_ascii_lowercase();
    }
    role(lower)
}

/// Whether a word begins with the byte at `at` of `name`, a letter behind another.
fn begins_word(name: &[u8], at: usize) -> bool {
    let byte = |at: usize| name.get(at).copied().unwrap_or(0);
    let prior = at.checked_sub(1).map_or(0, byte);
    byte(at).is_ascii_uppercase()
        && (prior.is_ascii_lowercase()
            || (prior.is_ascii_uppercase() && byte(at + 1).is_ascii_lowercase()))
}

/// Letters of any alphabet.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// The last word of `name` in lower case, and its length.
fn last_word(name: &[u8]) -> ([u8; LONGEST_WORD], usize) {
    let end = name.iter().rposition(|byte| is_letter(*byte)).map_or(0, |at| at + 1);
    let mut start = end;
    while start > 0
        && name.get(start - 1).is_some_and(|byte| is_letter(*byte))
        && (start == end || !begins_word(name, start))
    {
        start -= 1;
    }
    let mut word = [0; LONGEST_WORD];
    let letters = name.get(start..end).unwrap_or_default();
    for (free, letter) in word.iter_mut().zip(letters) {
        *free = letter.to_ascii_lowercase();
    }
    (word, letters.len().min(LONGEST_WORD))
}

/// Calls `found` with each word of `name`, in lower case. Words end at whatever is no
/// letter, where a capital follows a small letter, and before the last of several
/// capitals that a small letter follows.
pub(crate) fn for_each_word(name: &[u8], mut found: impl FnMut(&[u8])) {
    let mut word = [0; LONGEST_WORD];
    let mut len = 0;
    for (at, &byte) in name.iter().enumerate() {
        let is_letter = is_letter(byte);
        if (!is_letter || begins_word(name, at)) && len > 0 {
            found(word.get(..len).unwrap_or_default());
            len = 0;
        }
        if is_letter && let Some(free) = word.get_mut(len) {
            *free = byte.to_ascii_lowercase();
            len += 1;
        }
    }
    if len > 0 {
        found(word.get(..len).unwrap_or_default());
    }
}

/// Bytes of one word; what is longer is cut, and then unknown.
const LONGEST_WORD: usize = 40;

/// Compounds written as one word: no other word of English ends like these.
fn role_of_end(word: &[u8]) -> Option<Role> {
    // Cheaper than to compare with each.
    let [.., one, two, three, four] = word else { return None };
    match &[*one, *two, *three, *four] {
        b"word" | b"sswd" | b"wort" | b"rase" | b"cret" | b"oken" | b"ikey" | b"tkey" | b"skey"
        | b"ekey" | b"onid" | b"name" | b"mber" | b"mmer" | b"ress" | b"irth" => {}
        _ => return None,
    }
    const ENDS: &[(&[u8], Role)] = &[
        (b"password", Role::Password),
        (b"passwd", Role::Password),
        (b"passwort", Role::Password),
        (b"passphrase", Role::Password),
        (b"secret", Role::Secret),
        (b"token", Role::Token),
        (b"apikey", Role::SecretKey),
        (b"secretkey", Role::SecretKey),
        (b"accesskey", Role::SecretKey),
        (b"privatekey", Role::SecretKey),
        (b"sessionid", Role::Session),
        (b"username", Role::User),
        (b"firstname", Role::FullName),
        (b"lastname", Role::FullName),
        (b"fullname", Role::FullName),
        (b"phonenumber", Role::Phone),
        (b"telefonnummer", Role::Phone),
        (b"emailaddress", Role::Email),
        (b"cardnumber", Role::Card),
        (b"dateofbirth", Role::Birth),
    ];
    let found = ENDS.iter().find(|(end, _)| word.len() > end.len() && word.ends_with(end));
    found.map(|(_, role)| *role)
}

/// What a last word announces whatever is before it.
fn alone(last: Role) -> Option<Field> {
    let field = |kind, sureness| Some(Field { kind, sureness });
    let likely = |kind| field(kind, Sureness::Likely);
    match last {
        Role::Password => field(Kind::Password, Sureness::Sure),
        Role::Salted => field(Kind::PasswordHash, Sureness::Sure),
        Role::Secret | Role::SecretKey | Role::Token => field(Kind::Secret, Sureness::Sure),
        Role::Signature => field(Kind::Secret, Sureness::Maybe),
        Role::Session | Role::Cookie => likely(Kind::Cookie),
        Role::Auth => likely(Kind::Secret),
        Role::Pin | Role::Cvv | Role::Otp => likely(Kind::Code),
        Role::Email => likely(Kind::Email),
        Role::Phone | Role::PhoneWord => likely(Kind::Phone),
        Role::Card => likely(Kind::Card),
        Role::Iban => likely(Kind::Account),
        Role::NationalId => likely(Kind::NationalId),
        Role::Passport => likely(Kind::Passport),
        Role::FullName => likely(Kind::Name),
        Role::Given => field(Kind::Name, Sureness::Maybe),
        Role::User | Role::Uid => likely(Kind::User),
        Role::Birth => likely(Kind::Birth),
        Role::Postal | Role::City | Role::Zip => likely(Kind::Address),
        Role::Latitude | Role::Longitude => likely(Kind::Place),
        Role::Device => likely(Kind::Device),
        Role::Location => field(Kind::Place, Sureness::Maybe),
        _ => None,
    }
}

/// Whether a name that ends with a word of this role can announce anything.
pub(crate) fn may_announce(last: Role) -> bool {
    alone(last).is_some()
        || matches!(
            last,
            Role::Key
                | Role::Hash
                | Role::Id
                | Role::Code
                | Role::Number
                | Role::Account
                | Role::LicenseNoun
                | Role::PersonNoun
                | Role::Name
                | Role::Date
                | Role::Address
                | Role::IdQualifier
                | Role::PostalQualifier
                | Role::Neutral
                | Role::Bank
        )
}

fn judge_roles(roles: &[Option<Role>]) -> Option<Field> {
    let mut rest = roles;
    // `password_confirm`, `email_home`: what says nothing of its own is skipped.
    while let [before @ .., Some(Role::Neutral | Role::PostalQualifier | Role::Bank)] = rest
        && !before.is_empty()
    {
        rest = before;
    }
    let [before @ .., Some(last)] = rest else { return None };
    let is_qualified = |wanted: &[Role]| before.iter().flatten().any(|role| wanted.contains(role));
    let prior = before.iter().rev().flatten().copied().find(|role| *role != Role::Neutral);
    let sure = |kind| Some(Field { kind, sureness: Sureness::Sure });
    let likely = |kind| Some(Field { kind, sureness: Sureness::Likely });
    let maybe = |kind| Some(Field { kind, sureness: Sureness::Maybe });
    match last {
        Role::Key if is_qualified(KEY_OWNERS) => sure(Kind::Secret),
        Role::Hash if is_qualified(&[Role::Password, Role::Auth]) => sure(Kind::PasswordHash),
        Role::Id if is_qualified(&[Role::Session]) => likely(Kind::Cookie),
        Role::Code if is_qualified(&[Role::Zip, Role::PostalQualifier]) => likely(Kind::Address),
        Role::Code if is_qualified(CODE_OWNERS) => likely(Kind::Code),
        Role::Number | Role::Id => judge_number(before, prior),
        Role::Account if is_qualified(&[Role::Bank]) => likely(Kind::Account),
        Role::LicenseNoun if is_qualified(&[Role::License]) => likely(Kind::Passport),
        // `ship_to`, `bill_to`
        Role::PersonNoun if is_qualified(&[Role::PostalQualifier]) => likely(Kind::Address),
        Role::PersonNoun => maybe(Kind::Name),
        Role::Name => judge_name(before, prior),
        Role::Date if is_qualified(&[Role::Birth]) => likely(Kind::Birth),
        Role::Address => judge_address(before, prior),
        Role::IdQualifier if is_qualified(&[Role::Number, Role::Id]) => likely(Kind::NationalId),
        // `billing: …` is what a log is about.
        Role::PostalQualifier if !before.is_empty() => maybe(Kind::Address),
        other => alone(*other),
    }
}

const KEY_OWNERS: &[Role] = &[
    Role::KeyQualifier,
    Role::LicenseNoun,
    Role::Secret,
    Role::Token,
    Role::Session,
    Role::Account,
    Role::Password,
    Role::Auth,
];
const CODE_OWNERS: &[Role] = &[
    Role::CodeQualifier,
    Role::Cvv,
    Role::Pin,
    Role::Otp,
    Role::Password,
    Role::Auth,
    Role::Card,
    Role::KeyQualifier,
];

/// `card_number`, `taxId`.
fn judge_number(before: &[Option<Role>], prior: Option<Role>) -> Option<Field> {
    let likely = |kind| Some(Field { kind, sureness: Sureness::Likely });
    match prior? {
        Role::Card | Role::CardQualifier => likely(Kind::Card),
        Role::Bank | Role::Account | Role::Iban => likely(Kind::Account),
        Role::Phone | Role::PhoneWord => likely(Kind::Phone),
        Role::PersonNoun if before.len() > 1 => None,
        Role::NationalId | Role::IdQualifier => likely(Kind::NationalId),
        Role::Passport | Role::License | Role::LicenseNoun => likely(Kind::Passport),
        Role::Email => likely(Kind::Email),
        Role::User => likely(Kind::User),
        Role::Pin | Role::Cvv => likely(Kind::Code),
        Role::Zip => likely(Kind::Address),
        _ => None,
    }
}

fn judge_name(before: &[Option<Role>], prior: Option<Role>) -> Option<Field> {
    let field = |kind, sureness| Some(Field { kind, sureness });
    match (prior, before.last()) {
        (Some(Role::Given | Role::Card), _) => field(Kind::Name, Sureness::Likely),
        (Some(Role::PersonNoun | Role::FullName), _) => field(Kind::Name, Sureness::Likely),
        (Some(Role::User | Role::Account), _) => field(Kind::User, Sureness::Likely),
        (Some(Role::Thing | Role::Benign | Role::Email | Role::City), _) => None,
        (Some(Role::Token | Role::Key | Role::Cookie | Role::Secret | Role::Session), _) => None,
        // A name alone, or of something unknown.
        _ => field(Kind::Name, Sureness::Maybe),
    }
}

fn judge_address(before: &[Option<Role>], prior: Option<Role>) -> Option<Field> {
    let field = |kind, sureness| Some(Field { kind, sureness });
    let is_postal =
        before.iter().flatten().any(|role| matches!(role, Role::PostalQualifier | Role::Postal));
    match prior {
        Some(Role::Email) => field(Kind::Email, Sureness::Likely),
        Some(Role::Ip | Role::Mac | Role::Benign | Role::Thing) => None,
        _ if is_postal => field(Kind::Address, Sureness::Likely),
        Some(Role::PersonNoun | Role::FullName) => field(Kind::Address, Sureness::Likely),
        _ => field(Kind::Address, Sureness::Maybe),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        let cases = [
            ("password", Kind::Password),
            ("m_userPassword", Kind::Password),
            ("PGPASSWORD", Kind::Password),
            ("new_password_confirm", Kind::Password),
            ("spring.datasource.password", Kind::Password),
            ("password_hash", Kind::PasswordHash),
            ("userEmail", Kind::Email),
            ("email_address", Kind::Email),
            ("card_no", Kind::Card),
            ("creditCardNumber", Kind::Card),
            ("cvv2", Kind::Code),
            ("X-Api-Key", Kind::Secret),
            ("AWS_SECRET_ACCESS_KEY", Kind::Secret),
            ("refreshToken", Kind::Secret),
            ("Date of Birth", Kind::Birth),
            ("birthDate", Kind::Birth),
            ("firstName", Kind::Name),
            ("cardholder_name", Kind::Name),
            ("shipping_address", Kind::Address),
            ("postal_code", Kind::Address),
            ("SSN", Kind::NationalId),
            ("taxId", Kind::NationalId),
            ("phone_home", Kind::Phone),
            ("JSESSIONID", Kind::Cookie),
            ("iban", Kind::Account),
            ("passportNumber", Kind::Passport),
            ("username", Kind::User),
            ("geoLat", Kind::Place),
        ];
        for (name, kind) in cases {
            assert_eq!(kind_of_name(name), Some(kind), "{name}");
        }
    }

    #[test]
    fn what_is_remembered_is_what_was_judged() {
        let mut judged = Judged::default();
        let long = "a_name_of_more_than_twenty_four_bytes_password";
        let names = ["password", "passenger", "user_email", "", "x", "pass\0word", long];
        for name in names.into_iter().chain(names) {
            assert_eq!(judged.field(name.as_bytes()), field(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn how_a_text_is_kept_says_nothing_of_what_it_is() {
        for name in ["password_buf", "password.ptr", "password.inner.vec.m_data", "passwordCopy"] {
            assert_eq!(without_storage(name), "password", "{name}");
        }
        assert_eq!(without_storage("token.kind"), "token.kind");
        assert_eq!(without_storage("buf"), "buf");
    }

    #[test]
    fn parts_of_other_words_and_properties_of_secrets_say_nothing() {
        for name in [
            "passenger",
            "discard",
            "tokenize",
            "compass",
            "password_len",
            "token_count",
            "key",
            "primary_key",
            "card_type",
            "emailVerified",
            "keyboard",
            "author_id",
            "file_name",
            "hostname",
            "thread_name",
            "PasswordPolicy",
            "secret_name",
            "session_count",
            "pinned",
            "hash",
            "address",
            "ip_address",
            "base_address",
            "next_tokenizer",
            "",
            "_",
            "x1",
        ] {
            assert_eq!(kind_of_name(name), None, "{name}");
        }
    }
}
