//! Whether the value of a field looks like what the field's name announces.

pub(in crate::find) mod date;
pub(in crate::find) mod person_name;
pub(in crate::find) mod place;
pub(in crate::find) mod placeholder;
mod shape;

use std::ops::Range;

use shape::{has_shape, is_whole_date};

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, Value};
use crate::find::number::phone;
use crate::find::plausible::date::date;
use crate::find::plausible::person_name::{is_name, is_user};
use crate::find::plausible::place::{is_address, is_degrees};
use crate::find::plausible::placeholder::{is_expression, is_no_value};
use crate::find::secret::is_mixed;
use crate::find::secret::public::{is_algorithm, scope_start};
use crate::find::text::{Text, is_blank, is_letter, number};
use crate::kind::Kind;

/// The part of `value` to hide as `field` announces; `None` if it is not such a part.
pub(in crate::find) fn sensitive(
    text: Text<'_>,
    value: &Value,
    field: Field,
) -> Option<Range<usize>> {
    let bytes = text.slice(value.range.clone());
    // `DB_PASSWORD=New-York` of an environment is a value, whatever it looks like.
    let is_compared = value.separator == Separator::Compared;
    let is_setting = !is_compared
        && !is_blank(text.before(value.range.start))
        && text.at(value.range.end) <= b' ';
    let is_literal = value.is_delimited || value.separator == Separator::Cell || is_setting;
    // `born=datetime.date(1984, 5, 3)`
    let is_date = field.kind == Kind::Birth;
    if is_no_value(bytes)
        || field.kind == Kind::Secret && is_algorithm(bytes)
        || !is_literal && !is_date && is_expression(bytes)
    {
        return None;
    }
    if is_label(text, value, field) || is_name_of_secret(bytes, field) {
        return None;
    }
    if is_compared && !is_compared_value(value, bytes, field) {
        return None;
    }
    if field.kind == Kind::Secret
        && let Some(scope) = scope_start(bytes)
    {
        return Some(value.range.start..value.range.start + scope);
    }
    let whole = || value.range.clone();
    let fits = match field.kind {
        Kind::Password => is_password(text, value, bytes),
        Kind::Secret if field.sureness == Sureness::Maybe => bytes.len() >= 16 && is_mixed(bytes),
        Kind::Secret if field.sureness == Sureness::Likely => return credentials(text, value),
        Kind::Secret => is_secret(value, bytes),
        Kind::Cookie => is_session(bytes),
        Kind::Code => is_code(value, bytes),
        Kind::Phone => is_phone(text, value, bytes),
        Kind::Email => bytes.contains(&b'@') && !bytes.contains(&b' ') && bytes.len() >= 3,
        // `holder=Person(name='Ann')`
        Kind::Name if !value.is_delimited && text.at(value.range.end) == b'(' => false,
        Kind::Name => is_name(value, bytes, field.sureness),
        Kind::User => is_user(text, value, bytes),
        Kind::Birth => return date(text, value),
        Kind::Address => is_address(value, bytes, field.sureness),
        Kind::Place => is_degrees(bytes, field.sureness),
        kind => has_shape(kind, bytes),
    };
    fits.then(whole)
}

/// `api_key_header=X-Api-Key`, `tokens: pad_token='…'`, `secret = derive(key`: the name of a
/// secret, the next field, or code.
fn is_name_of_secret(bytes: &[u8], field: Field) -> bool {
    let is_name = |bytes: &[u8]| {
        bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(byte))
            && bytes.iter().any(|byte| b"-_".contains(byte))
            && field_name::field(bytes).is_some()
    };
    let call = bytes.iter().position(|byte| *byte == b'(');
    let is_call = call.is_some_and(|at| {
        at >= 3
            && bytes
                .get(..at)
                .unwrap_or_default()
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
    });
    field.kind == Kind::Secret && (is_name(bytes) || bytes.ends_with(b"=") || is_call)
}

/// `label.password=Mot de passe`: what a form calls its field, in another language.
fn is_label(text: Text<'_>, value: &Value, field: Field) -> bool {
    // `High Street` is an address.
    if field.kind == Kind::Address {
        return false;
    }
    let start = value.range.start;
    let is_part = |byte: u8| is_letter(byte) || b" '-".contains(&byte);
    let end = match value.is_delimited {
        true => value.range.end,
        false => text.run(start, 40, |byte| is_part(byte) && byte != b'-'),
    };
    let written = text.slice(start..end);
    let is_whole = value.is_delimited || matches!(text.at(end), b'\n' | b'\r' | 0);
    is_whole
        && written.len() >= 3
        && written.iter().all(|byte| is_part(*byte))
        && field_name::field(written)
            .is_some_and(|other| other.kind == field.kind && other.sureness != Sureness::Maybe)
}

/// What a name is compared with is code, unless it is quoted or can be no name.
fn is_compared_value(value: &Value, bytes: &[u8], field: Field) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    match field.kind {
        Kind::Secret if value.is_delimited => is_mixed(bytes) || bytes.len() >= 16,
        _ if value.is_delimited => true,
        Kind::Password | Kind::Secret => {
            is_mixed(bytes) && bytes.len() >= 6 && bytes.iter().all(u8::is_ascii_alphanumeric)
        }
        Kind::Code | Kind::Card | Kind::NationalId | Kind::Phone | Kind::Account => digits >= 4,
        _ => false,
    }
}

/// A password may be anything; in prose it must not be the next word of the sentence.
fn is_password(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let is_short_number = bytes.len() < 4 && number(bytes).is_some();
    if value.is_delimited || value.separator == Separator::Cell {
        return !is_short_number || value.is_delimited;
    }
    if is_short_number || bytes.len() < 2 {
        return false;
    }
    // `=NULL`, `=> x`, `==`: an operator.
    if matches!(bytes.first(), Some(b'=' | b'>' | b'<' | b'(' | b'{' | b'[')) {
        return false;
    }
    match value.separator {
        Separator::Tight | Separator::Compared => true,
        Separator::Column => text.at(value.range.end) != b' ' || is_likely_password(bytes),
        Separator::Colon => {
            let rest = text.run(value.range.end, 1, |byte| byte == b' ');
            let ends_line = !is_letter(text.at(rest)) || rest == value.range.end;
            ends_line || is_likely_password(bytes) || names_next(text, rest)
        }
        _ => is_likely_password(bytes) && bytes.len() >= 6,
    }
}

pub(in crate::find) fn names_next(text: Text<'_>, place: usize) -> bool {
    let word =
        |from: usize| text.run(from, 40, |byte| is_letter(byte) || byte == b'_' || byte == b'-');
    let name = word(place);
    // `Failure Reason: `
    let second = if text.at(name) == b' ' { word(name + 1) } else { name };
    matches!(text.at(name), b'=' | b':') || second > name + 1 && text.at(second) == b':'
}

/// Digits or signs among letters, or capitals within.
fn is_likely_password(bytes: &[u8]) -> bool {
    let letters = bytes.iter().filter(|byte| is_letter(**byte)).count();
    let inner_capital = bytes.iter().skip(1).any(u8::is_ascii_uppercase)
        && bytes.iter().any(u8::is_ascii_lowercase);
    let inside = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
    let has_other = inside.iter().any(|byte| byte.is_ascii_digit() || b"!@#$%^&*+".contains(byte))
        || bytes.last().is_some_and(u8::is_ascii_digit);
    letters > 0 && (has_other || inner_capital) && !bytes.contains(&b'(') && !bytes.contains(&b'/')
}

fn is_secret(value: &Value, bytes: &[u8]) -> bool {
    if number(bytes).is_some_and(|_| bytes.len() < 6)
        || bytes.len() < 4
        || bytes.contains(&b' ') && !value.is_delimited
    {
        return false;
    }
    if bytes.contains(&b' ') {
        let blanks = bytes.iter().filter(|byte| **byte == b' ').count();
        let is_noise = bytes.len() >= 32 && is_mixed(bytes) && blanks * 8 < bytes.len();
        return is_likely_password(bytes) && bytes.len() >= 12 || is_mnemonic(bytes) || is_noise;
    }
    if matches!(bytes.first(), Some(b'=' | b'>' | b'(' | b'{' | b'[' | b':' | b'/' | b'-'))
        && !value.is_delimited
    {
        return false;
    }
    // `tokens: &[Token]`, `token: node.token`: code, not data.
    let is_member = bytes.contains(&b'.')
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(byte));
    let is_code =
        bytes.starts_with(b"&") || is_member || bytes.windows(2).any(|pair| pair == b"::");
    if is_code && !value.is_delimited {
        return false;
    }
    let is_word_like = bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(byte))
        && !is_mixed(bytes);
    let is_strong = !is_word_like || bytes.len() >= 20;
    match value.separator {
        Separator::Blank => is_mixed(bytes) && bytes.len() >= 12 && is_strong,
        Separator::Colon if !value.is_delimited => is_strong && bytes.len() >= 6,
        Separator::Tight | Separator::Colon | Separator::Column | Separator::Compared => {
            is_strong || bytes.len() >= 8
        }
        Separator::Tag | Separator::Cell => is_strong || bytes.len() >= 8,
    }
}

/// Twelve words and more from which a key is made (BIP 39).
fn is_mnemonic(bytes: &[u8]) -> bool {
    let mut words = 0;
    let is_word =
        |word: &[u8]| (3..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase);
    let all = bytes.split(|byte| *byte == b' ').all(|word| {
        words += 1;
        is_word(word)
    });
    all && matches!(words, 12 | 15 | 18 | 21 | 24)
}

/// `Bearer abc`, `Basic YTpi`, `Digest …`, or a bare key: what follows the scheme.
fn credentials(text: Text<'_>, value: &Value) -> Option<Range<usize>> {
    const SCHEMES: &[&[u8]] = &[
        b"Bearer",
        b"Basic",
        b"Token",
        b"ApiKey",
        b"Api-Key",
        b"Apikey",
        b"Negotiate",
        b"NTLM",
        b"Key",
        b"GenieKey",
        b"SharedKey",
        b"SSWS",
        b"JWT",
        b"Bot",
        b"OAuth",
        b"Hawk",
        b"Plain",
        b"SharedAccessSignature",
    ];
    let start = value.range.start;
    let limit = if value.is_delimited { value.range.end } else { text.line(start, 8192).end };
    let scheme = SCHEMES.iter().find(|scheme| {
        text.has_caseless(start, scheme)
            && matches!(text.at(start + scheme.len()), b' ' | b'=' | b':')
    });
    let from = scheme
        .map_or(start, |scheme| text.run(start + scheme.len(), 4, |byte| b" =:".contains(&byte)));
    let until = text.run(from, 8192, |byte| byte > b' ' && !b"\"',;<>&".contains(&byte)).min(limit);
    let token = text.slice(from..until);
    let least = if scheme.is_some() { 6 } else { 12 };
    let looks = token.len() >= least
        && !token.contains(&b'(')
        && !is_no_value(token)
        && (is_mixed(token) || token.ends_with(b"=") || scheme.is_some() && token.len() >= 16);
    looks.then_some(from..until)
}

fn is_session(bytes: &[u8]) -> bool {
    let is_token =
        bytes.len() >= 8 && !bytes.contains(&b' ') && bytes.iter().any(u8::is_ascii_digit);
    is_token && is_mixed(bytes) && !is_uuid(bytes)
}

/// The handle of a session in its usual form is kept: it ties lines of a log together.
pub(in crate::find) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_code(value: &Value, bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_digits =
        bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-' || *byte == b' ');
    match value.separator {
        Separator::Blank => is_digits && (3..=8).contains(&digits),
        _ => {
            (is_digits && (3..=10).contains(&digits))
                || (digits >= 2
                    && (4..=12).contains(&bytes.len())
                    && bytes.iter().all(u8::is_ascii_alphanumeric))
        }
    }
}

fn has_digits(bytes: &[u8], least: usize, most: usize) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    (least..=most).contains(&digits)
}

fn is_phone(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let is_written = bytes
        .iter()
        .all(|byte| byte.is_ascii_digit() || b" +-./()x;=ext".contains(byte) || *byte >= 0x80);
    let least = if value.is_delimited { 6 } else { 7 };
    let is_address = std::str::from_utf8(bytes)
        .is_ok_and(|written| written.parse::<std::net::Ipv4Addr>().is_ok());
    if is_address || !is_written || !has_digits(bytes, least, 18) || is_whole_date(bytes) {
        return false;
    }
    value.is_delimited
        || value.separator != Separator::Blank
        || phone::phone(text, value.range.start, true).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_name;

    fn hidden(name: &str, written: &str) -> Option<String> {
        let field = field_name::field(name.as_bytes())?;
        let text = Text(written.as_bytes());
        let value = crate::find::field::value::value(text, 0, Separator::Tight, field.kind)?;
        sensitive(text, &value, field).map(|range| written[range].to_owned())
    }

    #[test]
    fn values_that_look_the_part_are_hidden() {
        for (name, value) in [
            ("password", "hunter2"),
            ("password", "\"Read-Only\""),
            ("password", "New-York"),
            ("password", "data.Base"),
            (
                "seed_phrase",
                "\"fabric kitten pelican jacket dinosaur ability tornado island whale yellow zebra salt\"",
            ),
            ("dob", "1980-02-03"),
            ("date_of_birth", "3 Mar 1980"),
            ("born", "March 3, 1980"),
            ("geburtsdatum", "03.02.1980"),
            ("dob", "19800203"),
            ("lat", "52.52001"),
            ("location", "\"52.52001, 13.40495\""),
            ("first_name", "Zoë"),
            ("name", "\"Ann O'Neil\""),
            ("city", "\"Ely\""),
            ("address", "\"12 High Street, Ely\""),
            ("passport", "C01X00T47"),
            ("cvv", "123"),
            ("user", "a.lee"),
        ] {
            assert_eq!(hidden(name, value).as_deref(), Some(value.trim_matches('"')), "{name}");
        }
    }

    #[test]
    fn values_that_stand_for_none_or_are_others_stay() {
        for (name, value) in [
            ("password", "%DB_PASSWORD%"),
            ("password", " Read-Host"),
            ("token", "self.store.get_token(user_id)"),
            ("api_key", "os.environ[\"API_KEY\"]"),
            ("token", " node.semi_token"),
            ("password", "%s"),
            ("password", "0x7ffd1234"),
            ("password", "NULL"),
            ("token", "%.*s"),
            ("token", "identifier"),
            ("auth", "false"),
            ("name", "worker-3"),
            ("name", "\"GC Thread\""),
            ("address", "0x7f00"),
            ("address", "\"10.0.0.1:80\""),
            ("user", "root"),
            ("user", "1000"),
            ("born", "yesterday"),
            ("lat", "12"),
            ("card", "3"),
            ("ssn", "required"),
        ] {
            assert_eq!(hidden(name, value), None, "{name}={value}");
        }
    }
}
