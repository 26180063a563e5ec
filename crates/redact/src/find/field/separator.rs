//! What joins the name of a field to its value, and where the name begins.

use crate::find::field::value::Separator;
use crate::find::text::{Text, is_blank, is_letter, is_word};

/// Bytes of a field's name, its qualifying words included.
const LONGEST_NAME: usize = 64;

/// The colon of full width, as in Chinese and Japanese.
pub(in crate::find) const WIDE_COLON: &[u8] = "\u{ff1a}".as_bytes();

/// What joins the name that ends at `end` to a value, and where that may begin.
pub(in crate::find) fn separator(text: Text<'_>, end: usize) -> Option<(Separator, usize)> {
    // Most words are followed by another.
    if text.at(end) == b' ' && text.at(end + 1).is_ascii_alphanumeric() {
        return None;
    }
    let mut place = end;
    let mut is_quoted = false;
    while is_quoted_end(text, place) {
        is_quoted = true;
        place += if text.has(place, b"&quot;") { 6 } else { 1 };
    }
    // `{<<"password">>,<<"hunter2">>}`
    if is_quoted && text.has(place, b">>") {
        place += 2;
    }
    // `char password[32] = "…"`
    if text.at(place) == b'[' {
        let end = text.run(place + 1, 24, |byte| is_word(byte) || byte == b' ');
        let after = text.run(end + 1, 4, is_blank);
        if text.at(end) == b']' && text.at(after) == b'=' {
            place = end + 1;
        }
    }
    let place = text.run(place, 40, is_blank);
    if text.at(place) == 0xef && text.has(place, WIDE_COLON) {
        return Some((Separator::Tight, place + WIDE_COLON.len()));
    }
    // `private key (hex): …`, `Telefon (privat): …`
    let place = match text.at(place) {
        b'(' if place > end && !is_quoted => {
            let close = text.run(place, 28, |byte| byte != b')' && byte != b'\n' && byte != 0);
            let is_label = text.at(close) == b')' && matches!(text.at(close + 1), b':' | b'=');
            if is_label { close + 1 } else { place }
        }
        // `tel.: …`
        b'.' if text.at(place + 1) == b':' => place + 1,
        // `Passport no. ............ 522291139`
        // ` NAME . . . : `, of screens of mainframes.
        b'.' if place > end && text.has(place, b". ") => {
            let dots = text.run(place, 80, |byte| byte == b'.' || byte == b' ');
            if text.at(dots) == b':' { dots } else { place }
        }
        b'.' if place == end && is_blank(text.at(place + 1)) => {
            let dots = text.run(place + 1, 40, is_blank);
            if text.has(dots, b"...") { dots } else { place }
        }
        _ => place,
    };
    if let Some(found) = column(text, end, place) {
        return Some(found);
    }
    match (text.at(place), text.at(place + 1)) {
        // LDIF, whose values in base64 are behind two colons.
        (b':', b':') if !is_quoted && text.at(place + 2) == b' ' && text.at(place + 3) > b' ' => {
            let start = text.run_back(place, LONGEST_NAME, |byte| is_word(byte) || byte == b'-');
            let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
            begins.then_some((Separator::Tight, place + 2))
        }
        (b'=' | b'!', b'=') => {
            let end = place + if text.at(place + 2) == b'=' { 3 } else { 2 };
            Some((Separator::Compared, end))
        }
        (b'=', b'~') | (b':', b':') => None,
        (b':', b'/') if text.at(place + 2) == b'/' => None,
        // PHP's `var_dump` writes the value on a line of its own.
        (b'=', b'>') if is_quoted && matches!(text.at(place + 2), b'\n' | b'\r') => {
            Some((Separator::Tight, text.run(place + 2, 64, |byte| byte.is_ascii_whitespace())))
        }
        (b'=', b'>') | (b':', b'=') => Some((Separator::Tight, place + 2)),
        (b'=', _) => Some((Separator::Tight, place + 1)),
        // A value of JSON may be on the next line.
        (b':', _) if is_quoted => {
            let after = text.run(place + 1, 64, |byte| byte.is_ascii_whitespace());
            let start = if text.at(after) == b'"' { after } else { place + 1 };
            Some((Separator::Tight, start))
        }
        (b':', next) if is_blank(next) || matches!(next, b'\n' | b'\r') => {
            Some((Separator::Colon, place + 1))
        }
        (b':', _) => Some((Separator::Tight, place + 1)),
        (b',', _) if is_quoted => pair_of(text, place),
        (b',', b'"' | b'<') if is_tuple(text, end) => Some((Separator::Tight, place + 1)),
        (b',', _) => argument_after(text, end, place),
        // `"HSET" "first_name" "Ann"`: words of a command.
        (b'"', _) if is_quoted && place == end + 2 && text.has(end, b"\" \"") => {
            Some((Separator::Tight, place))
        }
        // `email|s:9:"…"` and `s:5:"email";s:9:"…"`, as PHP writes.
        (b'|', b's') if text.at(place + 2) == b':' => {
            let digits = text.run(place + 3, 8, |byte| byte.is_ascii_digit());
            text.has(digits, b":\"").then_some((Separator::Tight, digits + 1))
        }
        (b';', b's') if is_quoted && text.at(place + 2) == b':' => {
            let digits = text.run(place + 3, 8, |byte| byte.is_ascii_digit());
            (text.at(digits) == b':').then_some((Separator::Tight, digits + 1))
        }
        _ => None,
    }
}

/// What a form or a table puts between a label and its value: leader dots, an arrow, the
/// next cell. `place` is behind the blanks that follow the label.
fn column(text: Text<'_>, end: usize, place: usize) -> Option<(Separator, usize)> {
    let is_apart = place > end;
    match text.at(place) {
        b'.' if is_apart && text.has(place, b"...") => {
            let dots = text.run(place, 80, |byte| byte == b'.');
            is_blank(text.at(dots)).then_some((Separator::Column, dots + 1))
        }
        b'-' if is_apart && text.has(place, b"-> ") => Some((Separator::Column, place + 3)),
        // `<td>PIN</td><td>4711</td>`, `<b>PIN:</b> 4711`
        b'<' if text.at(place + 1) == b'/' => behind_tags(text, place),
        b':' if text.has(place + 1, b"</") => behind_tags(text, place + 1),
        _ => None,
    }
}

/// Where a value begins behind the closing tag at `place`, and the tags that open behind it.
fn behind_tags(text: Text<'_>, place: usize) -> Option<(Separator, usize)> {
    const CELLS: &[&[u8]] = &[b"td", b"th", b"dt", b"b", b"strong", b"label", b"span", b"i", b"em"];
    let name = text.run(place + 2, 8, |byte| byte.is_ascii_alphanumeric());
    if !CELLS.iter().any(|cell| text.slice(place + 2..name).eq_ignore_ascii_case(cell))
        || text.at(name) != b'>'
    {
        return None;
    }
    let mut start = text.run(name + 1, 64, |byte| byte.is_ascii_whitespace() || byte == b':');
    for _ in 0..3 {
        if text.at(start) != b'<' || text.at(start + 1) == b'/' {
            break;
        }
        let close = text.run(start, 120, |byte| byte != b'>' && byte != 0);
        start = text.run(close + 1, 64, |byte| byte.is_ascii_whitespace());
    }
    Some((Separator::Tag, start))
}

/// Whether the name that ends at `end` begins a tuple of Erlang: `{password,"hunter2"}`.
pub(in crate::find) fn is_tuple(text: Text<'_>, end: usize) -> bool {
    let start = text.run_back(end, LONGEST_NAME, is_word);
    start < end && text.before(start) == b'{'
}

/// `("password", "hunter2")`: a name and its value as a pair.
fn pair_of(text: Text<'_>, comma: usize) -> Option<(Separator, usize)> {
    let next = text.run(comma + 1, 2, is_blank);
    let open = text.run_back(comma, LONGEST_NAME, |byte| {
        byte != b'(' && byte != b'[' && byte != b'\n' && byte != b','
    });
    if text.has(next, b"<<\"") && text.slice(comma.saturating_sub(2)..comma) == b">>" {
        return Some((Separator::Tight, comma + 1));
    }
    let is_pair = matches!(text.before(open), b'(' | b'[') && matches!(text.at(next), b'"' | b'\'');
    let end = text.run(next + 1, 256, |byte| !matches!(byte, b'"' | b'\'' | b'\n'));
    let close = text.run(end + 1, 2, is_blank);
    (is_pair && matches!(text.at(close), b')' | b']')).then_some((Separator::Tight, comma + 1))
}

/// `strcmp(user->password, "hunter2")`: the literal behind the first argument of a call.
fn argument_after(text: Text<'_>, end: usize, comma: usize) -> Option<(Separator, usize)> {
    let next = text.run(comma + 1, 2, is_blank);
    if text.at(next) != b'"' {
        return None;
    }
    let is_part = |byte: u8| is_word(byte) || matches!(byte, b'-' | b'>' | b'.' | b'&' | b':');
    let start = text.run_back(end, LONGEST_NAME, is_part);
    let is_call = text.before(start) == b'(' && is_word(text.before(start - 1));
    let close = text.run(next + 1, 128, |byte| !matches!(byte, b'"' | b'\n'));
    (is_call && text.at(close) == b'"' && matches!(text.at(close + 1), b')' | b','))
        .then_some((Separator::Tight, comma + 1))
}

/// What may close a name: quotes, brackets, with backslashes before.
pub(in crate::find) fn is_quoted_end(text: Text<'_>, place: usize) -> bool {
    match text.at(place) {
        b'"' | b'\'' | b']' | b'`' => true,
        b'\\' => matches!(text.at(place + 1), b'"' | b'\''),
        b'&' => text.has(place, b"&quot;"),
        _ => false,
    }
}

/// Where the name that ends with the word at `start..end` begins: with the joined parts
/// before it, and up to three words before those.
pub(in crate::find) fn name_start(text: Text<'_>, start: usize, end: usize) -> usize {
    let mut begin = joined_start(text, start);
    // `Parola d'ordine`
    if text.before(begin) == b'\'' && is_letter(text.before(begin - 1)) {
        let short = text.run_back(begin - 1, 4, is_letter);
        let begins = matches!(text.before(short), 0..=b' ' | b'*' | b'|' | b'>');
        begin = if begins { short } else { begin };
    }
    for _ in 0..3 {
        // `Гос. номер`, `Tel. no`
        let blank = begin.saturating_sub(1);
        let is_abbreviated = text.before(blank) == b'.' && {
            let start = text.run_back(blank - 1, 9, is_letter);
            blank - 1 - start < 9
        };
        let is_spaced =
            text.before(begin) == b' ' && (is_letter(text.before(blank)) || is_abbreviated);
        let earlier = if is_abbreviated { blank - 1 } else { blank };
        let before = text.run_back(earlier, 40, |byte| is_letter(byte) || byte == b'\'');
        if !is_spaced || end - before > LONGEST_NAME || is_word(text.before(before)) {
            break;
        }
        begin = before;
    }
    begin
}

/// The same without the words before.
pub(in crate::find) fn joined_start(text: Text<'_>, start: usize) -> usize {
    text.run_back(start, LONGEST_NAME, |byte| is_word(byte) || byte == b'-' || byte == b'.')
}
