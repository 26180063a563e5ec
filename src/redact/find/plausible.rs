//! Whether the value of a field looks like what the field's name announces.

use std::ops::Range;

use super::checks::is_day;
use super::phone;
use super::secret::is_mixed;
use super::text::{Text, is_letter, number};
use super::value::{Joint, Value};
use crate::redact::kind::Kind;
use crate::redact::names::{Field, Sureness};

/// The part of `value` to hide as `field` announces; `None` if it is no such thing.
pub(super) fn sensitive(text: Text<'_>, value: &Value, field: Field) -> Option<Range<usize>> {
    let bytes = text.slice(value.range.clone());
    if is_no_value(bytes) {
        return None;
    }
    let whole = || value.range.clone();
    let fits = match field.kind {
        Kind::Password => is_password(text, value, bytes),
        Kind::PasswordHash => bytes.len() >= 8,
        Kind::Secret if field.sureness == Sureness::Maybe => bytes.len() >= 16 && is_mixed(bytes),
        Kind::Secret if field.sureness == Sureness::Likely => return credentials(text, value),
        Kind::Secret => is_secret(value, bytes),
        Kind::Cookie => is_session(bytes),
        Kind::Code => is_code(value, bytes),
        Kind::Card => has_digits(bytes, 12, 19) && !bytes.contains(&b'*') && !bytes.contains(&b':'),
        Kind::Account => has_digits(bytes, 6, 32) && is_compact(bytes) && bytes.len() <= 42,
        Kind::NationalId => is_identifier(bytes),
        Kind::Passport => is_passport(bytes),
        Kind::Phone => is_phone(text, value, bytes),
        Kind::Email => bytes.contains(&b'@') && !bytes.contains(&b' ') && bytes.len() >= 3,
        Kind::Name => is_name(value, bytes, field.sureness),
        Kind::User => is_user(text, value, bytes),
        Kind::Birth => return date(text, value),
        Kind::Address => is_address(value, bytes, field.sureness),
        Kind::Place => is_degrees(bytes, field.sureness),
        _ => false,
    };
    fits.then(whole)
}

/// Placeholders, formats, nothings, addresses of memory: what stands for a value.
fn is_no_value(bytes: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"null",
        b"nil",
        b"none",
        b"undefined",
        b"true",
        b"false",
        b"yes",
        b"no",
        b"on",
        b"off",
        b"nan",
        b"n/a",
        b"na",
        b"unknown",
        b"empty",
        b"redacted",
        b"hidden",
        b"masked",
        b"filtered",
        b"required",
        b"optional",
        b"missing",
        b"invalid",
        b"incorrect",
        b"wrong",
        b"expired",
        b"unset",
        b"not",
        b"changed",
        b"ok",
        b"failed",
        b"default",
        b"string",
        b"const",
        b"char",
        b"int",
        b"void",
        b"self",
        b"this",
        b"error",
        b"the",
        b"a",
        b"is",
        b"was",
        b"has",
        b"must",
        b"mismatch",
        b"authentication",
        b"nullptr",
        b"std",
        b"&str",
        b"str",
        b"bool",
        b"object",
        b"denied",
        b"accepted",
        b"success",
        b"prompt",
        b"disabled",
        b"enabled",
        b"unavailable",
        b"omitted",
        b"identifier",
        b"value",
        b"password",
        b"token",
        b"secret",
        b"username",
        b"user",
        b"xxx",
        b"changeme?",
        b"deleted",
        b"reset",
        b"verified",
        b"unverified",
        b"sent",
        b"cannot",
    ];
    let Some(first) = bytes.first() else { return true };
    let second = bytes.get(1).copied().unwrap_or(0);
    let is_format = *first == b'%'
        && bytes.len() <= 8
        && bytes.last().is_some_and(|last| b"sdiupxXlzuQfcqv".contains(last))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"%.*-#+".contains(byte));
    let is_slot =
        matches!((first, second), (b'$', b'{' | b'(') | (b'{', b'}' | b'{' | b'0'..=b'9'))
            || (*first == b'<' && bytes.len() < 40)
            || (*first == b'[' && second.is_ascii_alphabetic() && bytes.ends_with(b"]"))
            || bytes == b"?";
    let is_blank_out = bytes.iter().all(|byte| b"*xX.-_#? ".contains(byte))
        || bytes.contains(&b'*')
            && bytes.iter().filter(|byte| **byte == b'*').count() * 2 > bytes.len();
    let is_pointer = bytes.starts_with(b"0x")
        && bytes.len() <= 18
        && bytes.iter().skip(2).all(u8::is_ascii_hexdigit);
    let is_code = bytes.windows(2).any(|pair| pair == b"->" || pair == b"::")
        && bytes.contains(&b'(')
        || (bytes.ends_with(b"()") || bytes.ends_with(b"("));
    // `PWD=/home/…`, `--password-file`: where a secret lies is none.
    const FILES: &[&[u8]] = &[
        b".pem", b".key", b".crt", b".json", b".yaml", b".yml", b".txt", b".p12", b".jks", b".der",
        b".env",
    ];
    let is_path = *first == b'/' && bytes.iter().filter(|byte| **byte == b'/').count() > 1
        || FILES.iter().any(|end| bytes.len() > end.len() && bytes.ends_with(end));
    is_format
        || is_path
        || is_slot
        || is_blank_out
        || is_pointer
        || is_code
        || WORDS.iter().any(|word| bytes.eq_ignore_ascii_case(word))
}

/// A password may be anything; in prose it must not be the next word of the sentence.
fn is_password(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let is_short_number = bytes.len() < 4 && number(bytes).is_some();
    if value.is_delimited || value.joint == Joint::Cell {
        return !is_short_number || value.is_delimited;
    }
    if is_short_number || bytes.len() < 2 {
        return false;
    }
    // `=NULL`, `=> x`, `==`: an operator.
    if matches!(bytes.first(), Some(b'=' | b'>' | b'<' | b'(' | b'{' | b'[')) {
        return false;
    }
    match value.joint {
        Joint::Tight => true,
        Joint::Colon => {
            let rest = text.run(value.range.end, 1, |byte| byte == b' ');
            let ends_line = !is_letter(text.at(rest)) || rest == value.range.end;
            ends_line || is_likely_password(bytes) || names_next(text, rest)
        }
        _ => is_likely_password(bytes) && bytes.len() >= 6,
    }
}

fn names_next(text: Text<'_>, place: usize) -> bool {
    let name = text.run(place, 40, |byte| is_letter(byte) || byte == b'_' || byte == b'-');
    matches!(text.at(name), b'=' | b':')
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
        return is_likely_password(bytes) && bytes.len() >= 12;
    }
    if matches!(bytes.first(), Some(b'=' | b'>' | b'(' | b'{' | b'[' | b':' | b'/' | b'-'))
        && !value.is_delimited
    {
        return false;
    }
    // `tokens: &[Token]`: code, not data.
    let is_code = bytes.starts_with(b"&") || bytes.windows(2).any(|pair| pair == b"::");
    if is_code && !value.is_delimited {
        return false;
    }
    let is_word_like = bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(byte))
        && !is_mixed(bytes);
    let is_strong = !is_word_like || bytes.len() >= 20;
    match value.joint {
        Joint::Blank => is_mixed(bytes) && bytes.len() >= 12 && is_strong,
        Joint::Colon if !value.is_delimited => is_strong && bytes.len() >= 6,
        Joint::Tight | Joint::Colon => is_strong || bytes.len() >= 8,
        Joint::Tag | Joint::Cell => is_strong || bytes.len() >= 8,
    }
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
    let until = text.run(from, 8192, |byte| byte > b' ' && !b"\"',;<>".contains(&byte)).min(limit);
    let token = text.slice(from..until);
    let least = if scheme.is_some() { 6 } else { 12 };
    let looks = token.len() >= least
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
fn is_uuid(bytes: &[u8]) -> bool {
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
    match value.joint {
        Joint::Blank => is_digits && (3..=8).contains(&digits),
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

/// Capitals, digits and the separators between groups of them; no decimal fraction.
fn is_compact(bytes: &[u8]) -> bool {
    !bytes.starts_with(b"0.")
        && !bytes.starts_with(b"0x")
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" -./()+".contains(byte))
}

fn is_identifier(bytes: &[u8]) -> bool {
    let has_small = bytes.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    has_digits(bytes, 5, 20)
        && is_compact(bytes)
        && bytes.len() <= 26
        && has_small <= 4
        && !is_iso_date(bytes)
}

fn is_iso_date(bytes: &[u8]) -> bool {
    bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
}

fn is_passport(bytes: &[u8]) -> bool {
    let is_capitals = bytes.iter().all(|byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-' || *byte == b' '
    });
    (6..=20).contains(&bytes.len())
        && (has_digits(bytes, 5, 18) && is_compact(bytes) && !is_iso_date(bytes)
            || is_capitals && has_digits(bytes, 1, 18)
            || is_capitals && bytes.len() == 9)
}

fn is_phone(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let is_written = bytes
        .iter()
        .all(|byte| byte.is_ascii_digit() || b" +-./()x;=ext".contains(byte) || *byte >= 0x80);
    let least = if value.is_delimited { 6 } else { 7 };
    if !is_written || !has_digits(bytes, least, 18) || is_iso_date(bytes) {
        return false;
    }
    value.is_delimited
        || value.joint != Joint::Blank
        || phone::phone(text, value.range.start, true).is_some()
}

/// Words with which no name of a person is written.
const NO_NAMES: &[&[u8]] = &[
    b"error",
    b"thread",
    b"main",
    b"test",
    b"unknown",
    b"default",
    b"service",
    b"server",
    b"system",
    b"admin",
    b"user",
    b"the",
    b"not",
    b"found",
    b"invalid",
    b"failed",
    b"file",
    b"type",
    b"name",
    b"value",
    b"object",
    b"api",
    b"app",
    b"data",
    b"worker",
    b"pool",
    b"queue",
    b"new",
    b"get",
    b"set",
    b"null",
    b"none",
    b"true",
    b"false",
    b"request",
    b"response",
    b"http",
    b"https",
    b"linux",
    b"windows",
    b"ubuntu",
    b"debian",
    b"intel",
    b"amd",
    b"core",
    b"internal",
    b"external",
    b"department",
    b"inc",
    b"llc",
    b"ltd",
    b"gmbh",
    b"corp",
    b"bank",
    b"group",
    b"team",
    b"support",
    b"product",
    b"version",
    b"release",
    b"build",
    b"node",
    b"cluster",
    b"order",
    b"item",
    b"list",
    b"table",
    b"index",
    b"key",
    b"session",
    b"client",
    b"process",
    b"module",
    b"function",
    b"class",
    b"method",
    b"event",
    b"message",
    b"connection",
    b"socket",
    b"timeout",
    b"status",
    b"created",
    b"updated",
    b"deleted",
    b"record",
    b"database",
    b"account",
    b"street",
    b"number",
    b"id",
    b"agent",
    b"safari",
    b"chrome",
    b"mozilla",
    b"gecko",
    b"firefox",
    b"apache",
    b"nginx",
    b"docker",
    b"kernel",
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
    b"january",
    b"february",
    b"july",
    b"september",
    b"october",
    b"november",
    b"december",
    b"memory",
    b"heap",
    b"stack",
    b"exception",
    b"permission",
    b"denied",
    b"access",
    b"password",
    b"token",
    b"email",
    b"address",
    b"phone",
    b"premium",
    b"plan",
    b"basic",
    b"standard",
    b"gold",
    b"silver",
    b"enterprise",
    b"express",
    b"delivery",
    b"visa",
    b"mastercard",
    b"credit",
    b"debit",
    b"card",
    b"payment",
    b"transfer",
    b"invoice",
    b"black",
    b"white",
    b"red",
    b"blue",
    b"green",
    b"north",
    b"south",
    b"east",
    b"west",
    b"united",
    b"states",
    b"kingdom",
    b"city",
];

/// Letters, blanks and the marks within names, each part beginning as names do.
fn is_name(value: &Value, bytes: &[u8], sureness: Sureness) -> bool {
    if !(2..=70).contains(&bytes.len()) {
        return false;
    }
    let is_written = bytes.iter().all(|byte| is_letter(*byte) || b" .,'-`".contains(byte));
    if !is_written || bytes.starts_with(b".") || bytes.starts_with(b"-") {
        return false;
    }
    let mut capitals = 0;
    let mut parts = 0;
    for part in bytes.split(|byte| b" .,-'".contains(byte)).filter(|part| !part.is_empty()) {
        parts += 1;
        let first = part.first().copied().unwrap_or(0);
        capitals += usize::from(first.is_ascii_uppercase() || first >= 0x80);
        let has_inner = part.iter().skip(2).any(u8::is_ascii_uppercase)
            && part.iter().any(u8::is_ascii_lowercase)
            && !part.starts_with(b"Mc")
            && !part.starts_with(b"Mac")
            && !part.starts_with(b"De")
            && !part.starts_with(b"La");
        if has_inner || NO_NAMES.iter().any(|word| part.eq_ignore_ascii_case(word)) {
            return false;
        }
    }
    let is_shouted =
        bytes.iter().filter(|byte| is_letter(**byte)).all(|byte| byte.is_ascii_uppercase());
    let words = bytes.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    match (sureness, value.joint) {
        (Sureness::Maybe, _) | (_, Joint::Blank) => {
            words >= 2
                && capitals >= 2
                && words <= 5
                && !(is_shouted && value.joint == Joint::Blank)
        }
        (_, Joint::Cell | Joint::Tag) => parts > 0,
        _ if value.is_delimited => parts > 0,
        _ => capitals > 0 && words <= 5,
    }
}

/// What systems call their own users.
const NO_USERS: &[&[u8]] = &[
    b"root",
    b"postgres",
    b"nobody",
    b"www-data",
    b"admin",
    b"administrator",
    b"system",
    b"daemon",
    b"mysql",
    b"guest",
    b"anonymous",
    b"apache",
    b"nginx",
    b"redis",
    b"git",
    b"ubuntu",
    b"ec2-user",
    b"sshd",
    b"bin",
    b"mail",
    b"ftp",
    b"syslog",
    b"messagebus",
    b"systemd",
    b"runner",
    b"jenkins",
    b"vagrant",
    b"service",
    b"test",
    b"app",
    b"nt authority\\system",
    b"localhost",
    b"sa",
    b"oracle",
    b"hadoop",
    b"kafka",
    b"elastic",
    b"rabbitmq",
    b"authenticated",
    b"id",
    b"data",
    b"from",
    b"in",
    b"and",
    b"with",
    b"to",
    b"logged",
    b"logout",
    b"login",
    b"by",
    b"at",
    b"for",
    b"name",
    b"space",
    b"mode",
    b"session",
    b"agent",
    b"group",
    b"count",
    b"input",
    b"account",
    b"or",
    b"of",
    b"does",
    b"did",
    b"may",
    b"can",
    b"are",
    b"who",
    b"exists",
    b"created",
    b"page",
    b"form",
    b"button",
    b"code",
    b"time",
    b"defined",
    b"requested",
    b"interface",
    b"land",
    b"pages",
    b"list",
    b"table",
    b"profile",
    b"record",
    b"store",
    b"cancelled",
    b"canceled",
    b"specified",
    b"supplied",
    b"provided",
    b"interrupt",
    b"abort",
    b"level",
    b"thread",
    b"process",
    b"stack",
    b"context",
    b"object",
    b"type",
    b"info",
    b"details",
    b"accounts",
];

fn is_user(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let has_letter = bytes.iter().any(|byte| is_letter(*byte));
    let is_known = NO_USERS.iter().any(|word| bytes.eq_ignore_ascii_case(word));
    if !has_letter || is_known || !(2..=64).contains(&bytes.len()) || is_uuid(bytes) {
        return false;
    }
    if bytes.contains(&b' ') {
        return is_name(value, bytes, Sureness::Maybe);
    }
    let is_written =
        bytes.iter().all(|byte| super::text::is_word(*byte) || b".-+@\\$".contains(byte));
    let is_constant = bytes.contains(&b'_')
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    if !is_written || is_constant || bytes.starts_with(b"-") {
        return false;
    }
    let is_marked = bytes.iter().any(|byte| byte.is_ascii_digit() || b"._@".contains(byte));
    match value.joint {
        Joint::Blank if value.is_delimited => true,
        Joint::Blank => {
            let behind = text.slice(value.range.end..text.len().min(value.range.end + 16));
            const NEXT: &[&[u8]] = &[
                b" from ",
                b" password ",
                b" logged",
                b" authent",
                b" by (",
                b"(uid=",
                b" signed",
                b" connect",
                b" port ",
                b"@",
            ];
            let ends = matches!(behind.first(), None | Some(b'\n' | b'\r' | b',' | b';' | 0));
            let before = text.slice(value.range.start.saturating_sub(14)..value.range.start);
            const WHO: &[&[u8]] = &[
                b"for user ",
                b"by user ",
                b"as user ",
                b"invalid user ",
                b"unknown user ",
                b"of user ",
            ];
            let is_someone = ends && WHO.iter().any(|words| before.ends_with(words));
            is_someone
                || NEXT.iter().any(|next| behind.starts_with(next))
                || (is_marked
                    && bytes.len() >= 4
                    && !bytes.contains(&b'_')
                    && !bytes.ends_with(b"."))
        }
        Joint::Colon if !value.is_delimited => {
            let next = text.at(value.range.end);
            is_marked
                || next != b' '
                || !is_letter(text.at(value.range.end + 1))
                || names_next(text, value.range.end + 1)
        }
        _ => true,
    }
}

/// The date at the start of `value`, in any of the usual orders.
fn date(text: Text<'_>, value: &Value) -> Option<Range<usize>> {
    let start = text.run(value.range.start, 8, |byte| byte == b' ');
    let bytes = text.slice(start..value.range.end.min(start + 40));
    let end = start + date_len(bytes)?;
    let is_time = text.at(end) == b'T' && value.is_delimited;
    Some(start..if is_time { value.range.end } else { end })
}

const MONTHS: &[&[u8]] = &[
    b"jan",
    b"feb",
    b"mar",
    b"apr",
    b"may",
    b"jun",
    b"jul",
    b"aug",
    b"sep",
    b"oct",
    b"nov",
    b"dec",
    b"mai",
    b"okt",
    b"dez",
    b"ene",
    b"abr",
    b"ago",
    b"dic",
    b"f\xc3\xa9v",
    b"avr",
    b"juin",
    b"juil",
    b"ao\xc3\xbb",
    b"m\xc3\xa4r",
    b"gen",
    b"mag",
    b"giu",
    b"lug",
    b"set",
    b"ott",
    b"out",
    b"fev",
];

/// Bytes of a date at the start of `bytes`.
fn date_len(bytes: &[u8]) -> Option<usize> {
    let text = Text(bytes);
    let mut parts = [0u32; 3];
    let mut place = 0;
    let mut count = 0;
    let mut has_month = false;
    while count < 3 {
        let digits = text.run(place, 9, |byte| byte.is_ascii_digit());
        if digits > place {
            let value = number(text.slice(place..digits))? as u32;
            if digits - place == 8 && count == 0 {
                let (year, month, day) = (value / 10000, value / 100 % 100, value % 100);
                let other = (value % 10000, value / 10000 % 100, value / 1_000_000);
                return (is_day(year, month, day)
                    || is_day(other.0, other.1, other.2)
                    || is_day(other.0, other.2, other.1))
                .then_some(8);
            }
            if digits - place > 4 {
                return None;
            }
            *parts.get_mut(count)? = value;
            place = digits;
            // `3rd`, `1er`
            place = text.run(place, 2, |byte| byte.is_ascii_lowercase());
        } else {
            let word = text.run(place, 12, is_letter);
            let name = text.slice(place..word);
            let is_month = MONTHS.iter().any(|month| Text(name).has_caseless(0, month));
            if !is_month || has_month {
                return None;
            }
            has_month = true;
            *parts.get_mut(count)? = 1;
            place = word;
        }
        count += 1;
        if count < 3 {
            let gap = text.run(place, 4, |byte| b" -./,".contains(&byte));
            if gap == place {
                return None;
            }
            place = gap;
            if text.has(place, b"de ") {
                place += 3;
            }
        }
    }
    let [first, second, third] = parts;
    let year = |value: u32| if value < 100 { 1900 + value } else { value };
    let fits = is_day(first, second, third)
        || is_day(year(third), second, first)
        || is_day(year(third), first, second)
        || (has_month && (is_day(year(third), 1, first.max(second))));
    fits.then_some(place)
}

/// A postal address or a part of it; what is only called an address must have a number
/// and a word, as houses have.
fn is_address(value: &Value, bytes: &[u8], sureness: Sureness) -> bool {
    let letters = bytes.iter().filter(|byte| is_letter(**byte)).count();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_foreign = bytes.iter().any(|byte| b"[]{}!&*".contains(byte))
        || bytes.contains(&b'@')
        || bytes.contains(&b'=')
        || bytes.contains(&b'_')
        || bytes.starts_with(b"0x")
        || bytes.windows(2).any(|pair| pair == b"::" || pair == b"//" || pair == b"->");
    if is_foreign || !(2..=200).contains(&bytes.len()) {
        return false;
    }
    let has_blank = bytes.contains(&b' ');
    let first = bytes.first().copied().unwrap_or(0);
    let begins = first.is_ascii_uppercase() || first.is_ascii_digit() || first >= 0x80;
    let is_house = letters >= 3 && digits >= 1 && has_blank && !bytes.contains(&b':');
    match (sureness, value.joint) {
        (_, Joint::Blank) => is_house && begins && has_street_word(bytes),
        (Sureness::Maybe, _) => is_house,
        _ if value.is_delimited || value.joint == Joint::Cell => {
            letters >= 2 && (begins || digits > 0 || has_blank) || digits >= 4 && digits <= 10
        }
        _ => {
            begins
                && (is_house
                    || (digits == 0 && letters >= 3 && !bytes.contains(&b'/'))
                    || (digits >= 4 && bytes.len() <= 10))
        }
    }
}

fn has_street_word(bytes: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"street",
        b"st",
        b"avenue",
        b"ave",
        b"road",
        b"rd",
        b"lane",
        b"drive",
        b"blvd",
        b"boulevard",
        b"court",
        b"close",
        b"gardens",
        b"place",
        b"square",
        b"way",
        b"rue",
        b"via",
        b"calle",
        b"rua",
        b"ul",
        b"box",
    ];
    const ENDS: &[&[u8]] = &[
        b"stra\xc3\xdfe",
        b"strasse",
        b"weg",
        b"platz",
        b"allee",
        b"gatan",
        b"gata",
        b"straat",
        b"gade",
        b"katu",
        b"laan",
    ];
    bytes.split(|byte| b" ,.".contains(byte)).any(|word| {
        WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            || ENDS.iter().any(|end| word.to_ascii_lowercase().ends_with(end))
    })
}

/// A fraction with the precision of a street at least, or two of them.
fn is_degrees(bytes: &[u8], sureness: Sureness) -> bool {
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
pub(super) fn is_coordinate(part: &[u8], least: usize) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::names;

    fn hidden(name: &str, written: &str) -> Option<String> {
        let field = names::field(name.as_bytes())?;
        let text = Text(written.as_bytes());
        let value = super::super::value::value(text, 0, Joint::Tight, field.kind)?;
        sensitive(text, &value, field).map(|range| written[range].to_owned())
    }

    #[test]
    fn values_that_look_the_part_are_hidden() {
        for (name, value) in [
            ("password", "hunter2"),
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
