//! Fields: a name, a joint, a value.

use super::text::{Text, is_blank, is_letter, is_word};
use super::value::{Joint, Value, value};
use super::{Scan, secret};
use super::{notations, plausible};
use crate::redact::kind::Kind;
use crate::redact::names::{self, Field, Sureness};
use crate::redact::vocabulary::Role;

/// Bytes of a field's name, its qualifying words included.
const LONGEST_NAME: usize = 64;

impl Scan<'_> {
    /// The field whose name ends with the word at `start..end`: hides its value and gives
    /// where to go on; `None` if there is nothing to hide.
    pub(super) fn field(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if notations::may_begin(text.at(start), end - start)
            && let Some(next) = self.notation(start, end)
        {
            return Some(next);
        }
        let Some((joint, after)) = joint(text, end) else { return self.phrase(start, end) };
        let name = text.slice(name_start(text, start, end)..end);
        if name.eq_ignore_ascii_case(b"cookie") || name.eq_ignore_ascii_case(b"set-cookie") {
            return Some(self.cookies(after));
        }
        // `PASS: test_login`, of a run of tests.
        if name == b"PASS" && joint == Joint::Colon {
            return None;
        }
        let field = match self.announced_by(name) {
            Some(field) => field,
            None if is_key_of_query(text, start, end) => {
                Field { kind: Kind::Secret, sureness: Sureness::Maybe }
            }
            // `authentication acct="ann"`: words before it are not of its name.
            None => match self.announced_by_joined(start, end) {
                Some(field) => field,
                None => self.announced_for(text.slice(start..end), start)?,
            },
        };
        // What a password is compared with, or copied from; of less certain fields, anything.
        if text.before(after) == b','
            && !is_quoted_end(text, end)
            && !is_tuple(text, end)
            && field.sureness != Sureness::Sure
        {
            return None;
        }
        if field.kind == Kind::Secret
            && let Some(next) = self.credentials_behind(after)
        {
            return Some(next);
        }
        let value = value(text, after, joint, field.kind)?;
        match plausible::sensitive(text, &value, field) {
            Some(range) => {
                if text.before(start) == b'<' {
                    // `"Ann Lee" <tel:+43…>`
                    self.display_name(range.start);
                }
                Some(self.hide(range, field.kind))
            }
            None => {
                self.announce(text.slice(start..end), &value);
                self.form_part(&value)
            }
        }
    }

    /// What `name` announces. A long text has few names, and each of them often.
    fn announced_by(&mut self, name: &[u8]) -> Option<Field> {
        match &mut self.judged {
            Some(judged) => judged.field(name),
            None => names::field(name),
        }
    }

    /// The same without the words before it, where it stands right before a `=`.
    fn announced_by_joined(&mut self, start: usize, end: usize) -> Option<Field> {
        let text = self.text;
        let joined = joined_start(text, start);
        let has_words = text.at(end) == b'=' && text.before(joined) == b' ';
        if has_words { self.announced_by(text.slice(joined..end)) } else { None }
    }

    /// `{"name": "password", "value": "hunter2"}`: the first names what the second is.
    fn announce(&mut self, name: &[u8], value: &Value) {
        const NAMING: &[&[u8]] =
            &[b"name", b"key", b"Name", b"Key", b"n", b"field", b"label", b"property"];
        if NAMING.contains(&name) {
            let named = names::field(self.text.slice(value.range.clone()));
            self.announced = named
                .filter(|field| field.sureness != Sureness::Maybe)
                .map(|field| (field, value.range.end));
        }
    }

    /// `name="password"`, an empty line, and the value: a part of a form (RFC 7578).
    fn form_part(&mut self, name: &Value) -> Option<usize> {
        let text = self.text;
        let (field, end) = self.announced?;
        let gap = [&b"\"\r\n\r\n"[..], b"\"\n\n"].into_iter().find(|gap| text.has(end, gap))?;
        if name.range.end != end {
            return None;
        }
        let start = end + gap.len();
        let stop = text.run(start, 512, |byte| byte != b'\r' && byte != b'\n' && byte != 0);
        let value = Value { range: start..stop, is_delimited: true, joint: Joint::Tight };
        self.announced = None;
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    fn announced_for(&mut self, name: &[u8], place: usize) -> Option<Field> {
        const VALUES: &[&[u8]] = &[
            b"value",
            b"Value",
            b"val",
            b"v",
            b"content",
            b"string",
            b"text",
            b"data",
            b"AttributeValue",
        ];
        const NAMING: &[&[u8]] = &[b"key", b"Key", b"n", b"field", b"label", b"property"];
        if NAMING.contains(&name) {
            // Judged as a name, to see what it announces; it is nothing to hide itself.
            return Some(Field { kind: Kind::Rule, sureness: Sureness::Maybe });
        }
        let (field, told) = self.announced?;
        if !VALUES.contains(&name) {
            return None;
        }
        self.announced = None;
        (place.saturating_sub(told) < 160).then_some(field)
    }

    /// A word that announces a value behind a blank: `SSN 078-05-1120`, `user bob from`.
    fn phrase(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_gap = match text.at(end) {
            b' ' | b'\t' => true,
            b'.' | b'#' | b':' => text.at(end + 1) == b' ',
            _ => false,
        };
        if !is_gap || is_word(text.before(start)) {
            return None;
        }
        if let Some(next) = self.titled(start, end) {
            return Some(next);
        }
        if (text.has(start, b"for ") || text.has(start, b"by "))
            && let Some(next) = self.peer(end + 1)
        {
            return Some(next);
        }
        if let Some(next) = self.protocol(start, end) {
            return Some(next);
        }
        if text.has(start, b"code ")
            && let Some(next) = self.code_for_once(start)
        {
            return Some(next);
        }
        // `pass` is a verb as well.
        let word = text.slice(start..end);
        let role = names::role_of(word);
        // `keyPassword`: one of several words.
        let is_compound = word.first().is_some_and(u8::is_ascii_lowercase)
            && text.before(start) != b'/'
            && !text.has(end + 1, b"--")
            && word.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b'_');
        if role.is_none() && !is_compound
            || role == Some(Role::Neutral)
            || word.eq_ignore_ascii_case(b"pass")
        {
            return None;
        }
        let name = text.slice(name_start(text, start, end)..end);
        let field = self.announced_by(name)?;
        let mut place = text.run(end, 4, |byte| is_blank(byte) || b".#".contains(&byte));
        // `password 7 0822455D0A16`, as routers write: how it is kept.
        let is_kept = matches!(field.kind, Kind::Password | Kind::Secret)
            && matches!(text.at(place), b'0'..=b'9')
            && text.at(place + 1) == b' ';
        place += if is_kept { 2 } else { 0 };
        // `code is 1234`, `phone number: `, `user '…'`
        for word in [
            &b"is "[..],
            b"was ",
            b"number ",
            b"no. ",
            b"nr. ",
            b"= ",
            b"LIKE ",
            b"like ",
            b"is: ",
            b"for ",
            b"of ",
        ] {
            if text.has(place, word) {
                place += word.len();
            }
        }
        let mut value = value(text, place, Joint::Blank, field.kind)?;
        // Columns: `User name        ann`, and no heading of a table.
        let bytes = text.slice(value.range.clone());
        let is_column = text.run(end, 4, is_blank) > end + 2;
        if field.kind == Kind::User && is_column && bytes.iter().any(u8::is_ascii_lowercase) {
            value.joint = Joint::Colon;
        }
        let fits = match field.kind {
            Kind::Card
            | Kind::Account
            | Kind::NationalId
            | Kind::Passport
            | Kind::Code
            | Kind::Phone
            | Kind::Birth => text.slice(value.range.clone()).iter().any(u8::is_ascii_digit),
            Kind::Place => {
                text.slice(value.range.clone()).iter().filter(|byte| byte.is_ascii_digit()).count()
                    >= 5
            }
            Kind::Cookie | Kind::Email => false,
            Kind::PasswordHash => {
                secret::is_mixed(text.slice(value.range.clone())) && value.range.len() >= 16
            }
            _ => true,
        };
        if !fits {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    /// `your code is 123456`, `one-time code 123456`, with `code` at `start`.
    fn code_for_once(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let is_said = text.has(start, b"code is ");
        let from = start + if is_said { 8 } else { 5 };
        let digits = text.run(from, 9, |byte| byte.is_ascii_digit());
        if !(4..=8).contains(&(digits - from)) || is_word(text.at(digits)) {
            return None;
        }
        const BEFORE: &[&[u8]] = &[
            b"one-time ",
            b"onetime ",
            b"verification ",
            b"confirmation ",
            b"authentication ",
            b"security ",
            b"login ",
            b"otp ",
            b"sms ",
            b"2fa ",
            b"mfa ",
        ];
        let before = text.slice(start.saturating_sub(16)..start).to_ascii_lowercase();
        let is_meant = BEFORE.iter().any(|words| before.ends_with(words))
            || is_said && self.speaks_of(start, &[b"your", b"verification", b"login"]);
        is_meant.then(|| self.hide(from..digits, Kind::Code))
    }

    /// The pairs of a cookie header from `start` on: values that stand for a session.
    fn cookies(&mut self, start: usize) -> usize {
        let text = self.text;
        let line = text.line(start, 8192).end;
        let mut place = text.run(start, 4, |byte| is_blank(byte) || byte == b'"' || byte == b'\'');
        // `cookie=4f…`, without pairs.
        let bare = text.run(place, 512, |byte| is_word(byte) || b"-_+/.".contains(&byte));
        if matches!(text.at(bare), b' ' | b'\n' | b'\r' | b',' | b'"' | 0)
            && bare - place >= 16
            && secret::is_mixed(text.slice(place..bare))
        {
            return self.hide(place..bare, Kind::Cookie);
        }
        while place < line {
            let name_end = text.run(place, 256, |byte| byte > b' ' && !b"=;\"',".contains(&byte));
            if text.at(name_end) != b'=' {
                // `HttpOnly`, or the end.
                place = text.run(name_end, 2, |byte| byte == b';' || byte == b' ');
                if place == name_end {
                    break;
                }
                continue;
            }
            let name = text.slice(place..name_end);
            let from = name_end + 1;
            let until = text
                .run(from, 8192, |byte| {
                    byte > b' ' && byte != b';' && byte != b'"' && byte != b'\''
                })
                .min(line);
            if is_session_cookie(name, text.slice(from..until)) {
                self.hide(from..until, Kind::Cookie);
            }
            place = text.run(until, 3, |byte| byte == b';' || byte == b' ' || byte == b'"');
            if place == until {
                break;
            }
        }
        place
    }

    /// `<name>value</name>` whose `<` stands at `place`; gives where to go on.
    pub(super) fn tag(&mut self, place: usize) -> usize {
        let text = self.text;
        let mut start = place + 1;
        let mut end = text.run(start, 64, |byte| is_word(byte) || b":.-".contains(&byte));
        if let Some(colon) = text.slice(start..end).iter().rposition(|byte| *byte == b':') {
            start += colon + 1;
        }
        let name = text.slice(start..end);
        if end == start {
            return place + 1;
        }
        if is_blank(text.at(end)) {
            end = text.run(end, 300, |byte| byte != b'>' && byte != b'<' && byte != b'\n');
        }
        if text.at(end) != b'>' || text.before(end) == b'/' {
            return place + 1;
        }
        let own = names::field(name).or_else(|| named_by_attribute(text, start..end));
        let Some(field) = own.or_else(|| self.announced_for(name, place)) else {
            return place + 1;
        };
        let Some(value) = value(text, end + 1, Joint::Tag, field.kind) else {
            // `<Password><Value>hunter2</Value>`
            if text.at(text.run(end + 1, 64, |byte| byte.is_ascii_whitespace())) == b'<'
                && field.sureness == Sureness::Sure
            {
                self.announced = Some((field, end));
            }
            return place + 1;
        };
        let closing = text.run(value.range.end, 64, |byte| byte != b'<' && byte != 0);
        if text.at(closing + 1) != b'/' && !text.slice(end..value.range.start).ends_with(b"[") {
            return place + 1;
        }
        match plausible::sensitive(text, &value, field) {
            Some(range) => {
                self.hide(range, field.kind);
            }
            None => self.announce(name, &value),
        }
        // Attributes are fields of their own.
        place + 1
    }
}

/// What the attribute `Name` of the element whose text is `range` says of its content.
fn named_by_attribute(text: Text<'_>, range: std::ops::Range<usize>) -> Option<Field> {
    let inside = text.slice(range.clone());
    let mark = [&b" Name="[..], b" name=", b" key="]
        .into_iter()
        .find_map(|mark| Some(memchr::memmem::find(inside, mark)? + mark.len()))?;
    let start = range.start + mark;
    if !matches!(text.at(start), b'"' | b'\'') {
        return None;
    }
    let end = text.run(start + 1, 64, |byte| !matches!(byte, b'"' | b'\'' | b'>'));
    names::field(text.slice(start + 1..end)).filter(|field| field.sureness != Sureness::Maybe)
}

/// `?key=…`, `&code=…`: of an address, where such a name has a secret if it is random.
fn is_key_of_query(text: Text<'_>, start: usize, end: usize) -> bool {
    matches!(text.before(start), b'?' | b'&')
        && text.at(end) == b'='
        && matches!(text.slice(start..end), b"key" | b"code" | b"k" | b"ticket")
}

/// What joins the name that ends at `end` to a value, and where that may begin.
fn joint(text: Text<'_>, end: usize) -> Option<(Joint, usize)> {
    let mut place = end;
    let mut is_quoted = false;
    while is_quoted_end(text, place) {
        is_quoted = true;
        place += if text.has(place, b"&quot;") { 6 } else { 1 };
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
        return Some((Joint::Tight, place + WIDE_COLON.len()));
    }
    match (text.at(place), text.at(place + 1)) {
        // LDIF, whose values in base64 stand behind two colons.
        (b':', b':') if !is_quoted && text.at(place + 2) == b' ' && text.at(place + 3) > b' ' => {
            let start = text.run_back(place, LONGEST_NAME, |byte| is_word(byte) || byte == b'-');
            let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
            begins.then_some((Joint::Tight, place + 2))
        }
        (b'=', b'=' | b'~') | (b':', b':') => None,
        (b':', b'/') if text.at(place + 2) == b'/' => None,
        // PHP's `var_dump` writes the value on a line of its own.
        (b'=', b'>') if is_quoted && matches!(text.at(place + 2), b'\n' | b'\r') => {
            Some((Joint::Tight, text.run(place + 2, 64, |byte| byte.is_ascii_whitespace())))
        }
        (b'=', b'>') | (b':', b'=') => Some((Joint::Tight, place + 2)),
        (b'=', _) => Some((Joint::Tight, place + 1)),
        (b':', _) if is_quoted => Some((Joint::Tight, place + 1)),
        (b':', next) if is_blank(next) || matches!(next, b'\n' | b'\r') => {
            Some((Joint::Colon, place + 1))
        }
        (b':', _) => Some((Joint::Tight, place + 1)),
        (b',', _) if is_quoted => pair_of(text, place),
        (b',', b'"' | b'<') if is_tuple(text, end) => Some((Joint::Tight, place + 1)),
        (b',', _) => argument_after(text, end, place),
        // `"HSET" "first_name" "Ann"`: words of a command.
        (b'"', _) if is_quoted && place == end + 2 && text.has(end, b"\" \"") => {
            Some((Joint::Tight, place))
        }
        // `email|s:9:"…"` and `s:5:"email";s:9:"…"`, as PHP writes.
        (b'|', b's') if text.at(place + 2) == b':' => {
            let digits = text.run(place + 3, 8, |byte| byte.is_ascii_digit());
            text.has(digits, b":\"").then_some((Joint::Tight, digits + 1))
        }
        (b';', b's') if is_quoted && text.at(place + 2) == b':' => {
            let digits = text.run(place + 3, 8, |byte| byte.is_ascii_digit());
            (text.at(digits) == b':').then_some((Joint::Tight, digits + 1))
        }
        _ => None,
    }
}

/// The colon of full width, as in Chinese and Japanese.
pub(super) const WIDE_COLON: &[u8] = "\u{ff1a}".as_bytes();

/// Whether the name that ends at `end` begins a tuple of Erlang: `{password,"hunter2"}`.
fn is_tuple(text: Text<'_>, end: usize) -> bool {
    let start = text.run_back(end, LONGEST_NAME, is_word);
    start < end && text.before(start) == b'{'
}

/// `("password", "hunter2")`: a name and its value as a pair.
fn pair_of(text: Text<'_>, comma: usize) -> Option<(Joint, usize)> {
    let next = text.run(comma + 1, 2, is_blank);
    let open = text.run_back(comma, LONGEST_NAME, |byte| {
        byte != b'(' && byte != b'[' && byte != b'\n' && byte != b','
    });
    let is_pair = matches!(text.before(open), b'(' | b'[') && matches!(text.at(next), b'"' | b'\'');
    let end = text.run(next + 1, 256, |byte| !matches!(byte, b'"' | b'\'' | b'\n'));
    let close = text.run(end + 1, 2, is_blank);
    (is_pair && matches!(text.at(close), b')' | b']')).then_some((Joint::Tight, comma + 1))
}

/// `strcmp(user->password, "hunter2")`: the literal behind the first argument of a call.
fn argument_after(text: Text<'_>, end: usize, comma: usize) -> Option<(Joint, usize)> {
    let next = text.run(comma + 1, 2, is_blank);
    if text.at(next) != b'"' {
        return None;
    }
    let is_part = |byte: u8| is_word(byte) || matches!(byte, b'-' | b'>' | b'.' | b'&' | b':');
    let start = text.run_back(end, LONGEST_NAME, is_part);
    let is_call = text.before(start) == b'(' && is_word(text.before(start - 1));
    let close = text.run(next + 1, 128, |byte| !matches!(byte, b'"' | b'\n'));
    (is_call && text.at(close) == b'"' && matches!(text.at(close + 1), b')' | b','))
        .then_some((Joint::Tight, comma + 1))
}

/// What may close a name: quotes, brackets, with backslashes before.
fn is_quoted_end(text: Text<'_>, place: usize) -> bool {
    match text.at(place) {
        b'"' | b'\'' | b']' | b'`' => true,
        b'\\' => matches!(text.at(place + 1), b'"' | b'\''),
        b'&' => text.has(place, b"&quot;"),
        _ => false,
    }
}

/// Where the name that ends with the word at `start..end` begins: with the joined parts
/// before it, and up to three words before those.
fn name_start(text: Text<'_>, start: usize, end: usize) -> usize {
    let mut begin = joined_start(text, start);
    for _ in 0..3 {
        let is_spaced = text.before(begin) == b' ' && is_letter(text.before(begin - 1));
        let earlier = begin.saturating_sub(1);
        let before = text.run_back(earlier, 24, |byte| is_letter(byte) || byte == b'\'');
        if !is_spaced || end - before > LONGEST_NAME || is_word(text.before(before)) {
            break;
        }
        begin = before;
    }
    begin
}

/// The same without the words before.
fn joined_start(text: Text<'_>, start: usize) -> usize {
    text.run_back(start, LONGEST_NAME, |byte| is_word(byte) || byte == b'-' || byte == b'.')
}

/// By its name, or by being too random for a preference.
fn is_session_cookie(name: &[u8], value: &[u8]) -> bool {
    const ATTRIBUTES: &[&[u8]] = &[
        b"path",
        b"domain",
        b"expires",
        b"max-age",
        b"samesite",
        b"version",
        b"comment",
        b"priority",
    ];
    const HARMLESS: &[&[u8]] =
        &[b"theme", b"lang", b"locale", b"tz", b"timezone", b"currency", b"consent"];
    let is_one = |known: &[&[u8]]| known.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_one(ATTRIBUTES) || is_one(HARMLESS) || value.len() < 4 {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let says = [
        &b"sess"[..],
        b"sid",
        b"auth",
        b"token",
        b"jwt",
        b"csrf",
        b"xsrf",
        b"login",
        b"remember",
        b"user",
        b"ident",
        b"secret",
        b"key",
    ]
    .iter()
    .any(|word| lower.windows(word.len()).any(|part| part == *word));
    if value.first() == Some(&b'%') && value.len() < 4 {
        return false;
    }
    (says && value.len() >= 6) || (value.len() >= 16 && secret::is_mixed(value))
}

#[cfg(test)]
mod tests {
    use crate::redact::find::{Carried, find};

    fn hidden(text: &str) -> Vec<&str> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|hit| &text[hit.range]).collect()
    }

    #[test]
    fn values_are_found_in_the_notations_of_languages() {
        for (text, wanted) in [
            ("first_name=Ann&last_name=Lee", &["Ann", "Lee"][..]),
            ("[\"api_secret\"]=>\n  string(16) \"fUNdmhdlFbaDSl4A\"", &["fUNdmhdlFbaDSl4A"]),
            ("user => <<\"cester\">>,password => <<\"ilovecats4\">>", &["cester", "ilovecats4"]),
            ("[{username,\"lorenzo29\"},{password,\"hunter2\"}]", &["lorenzo29", "hunter2"]),
            ("csrf_token|s:8:\"152da41c\";", &["152da41c"]),
            ("Password : _UNICODE_STRING \"hunter2\"", &["hunter2"]),
            ("phone: Some(\n    \"06-42735433\",\n)", &["06-42735433"]),
            ("x-api-key:[4bf371bfd12bfe7e5b21eb94]", &["4bf371bfd12bfe7e5b21eb94"]),
            ("<Data Name='TargetUserName'>odette55</Data>", &["odette55"]),
            ("<Password><Value>hunter2</Value></Password>", &["hunter2"]),
            ("Пароль: hunter2", &["hunter2"]),
            ("\u{96fb}\u{8a71}\u{756a}\u{53f7}\u{ff1a}090-7787-4935", &["090-7787-4935"]),
            ("op=PAM:authentication acct=\"ann77\"", &["ann77"]),
            ("ORGANIZER;CN=Ann Lee:mailto:x", &["Ann Lee"]),
            ("secret.keyPassword\tRegenbogen7\n", &["Regenbogen7"]),
            ("unicodePwd:: IgBsAFkAawBW\n", &["IgBsAFkAawBW"]),
            ("connect(PlainCredentials('ann', 'hunter2'))", &["ann", "hunter2"]),
            ("imei=359417676298840", &["359417676298840"]),
            ("sent one-time code 191300 ttl=300s", &["191300"]),
            ("ann:x:1001:1001:Ann Lee,,,:/bin/sh", &["ann", "Ann Lee"]),
            ("ann77    pts/0    09:51", &["ann77"]),
            ("GET /x?key=833b45ebcef960a6a8ba8e3a HTTP/1.1", &["833b45ebcef960a6a8ba8e3a"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn code_and_words_of_manuals_stay() {
        for text in [
            "token = self.store.get_token(user_id)",
            "  password = var.db_password\n",
            "const accessToken = signToken({ sub: 1 })",
            "$cred = New-Object Thing",
            "DB_PASSWORD=%DB_PASSWORD%",
            "\"line\":\"src/net/socket.rs:509\"",
            "  -u, --user USER[:PASSWORD] what to log in with",
            "53B7 53B8 53B9 53CA 53CB 53CC 6345 2578 9316",
            "chrome 82.26.27.199 loaded",
            "Standards-Version to 3.9.6.1",
            "CF-RAY: 582696fd3a0df6bf-FRA",
            "root:x:0:0:root:/root:/bin/bash",
            "aes_encrypt_key,\naes_decrypt_key,\n",
            "tokend --password-file=/run/secrets/db_password --token-ttl=3600",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
