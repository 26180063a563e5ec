//! Fields: a name, a separator, a value.

mod asserted;
pub(in crate::find) mod columns;
pub(in crate::find) mod command;
mod cookies;
mod form;
pub(in crate::find) mod separator;
mod tags;
pub(in crate::find) mod value;

use crate::field_name::role::Role;
use crate::field_name::{self, Field, Sureness, labels};
use crate::find::field::separator::{is_quoted_end, is_tuple, joined_start, name_start, separator};
use crate::find::field::value::{Separator, Value, begins_small, value};
use crate::find::notation::elements;
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::secret;
use crate::find::text::{Text, is_blank, is_source_file, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// The field whose name ends with the word at `start..end`: hides its value and gives
    /// where to go on; `None` if there is nothing to hide.
    pub(in crate::find) fn field(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let Some((separator, after)) = separator(text, end) else {
            if text.at(end) == b'"' && text.at(start) >= FIRST_UNSPACED {
                return self.joined_quote(start, end);
            }
            return self.phrase(start, end);
        };
        let name = text.slice(name_start(text, start, end)..end);
        if name.eq_ignore_ascii_case(b"cookie") || name.eq_ignore_ascii_case(b"set-cookie") {
            return Some(self.cookies(after));
        }
        // `PASS: test_login`, of a run of tests; `psk.c:203:7`, of a compiler.
        let is_place = separator == Separator::Tight
            && text.at(after).is_ascii_digit()
            && is_source_file(name);
        if name == b"PASS" && separator == Separator::Colon || is_place {
            return None;
        }
        let field = match self.announced_by(name) {
            Some(Field { kind: Kind::Name, sureness: Sureness::Maybe }) => {
                nested(text, start).unwrap_or(Field { kind: Kind::Name, sureness: Sureness::Maybe })
            }
            Some(field) => field,
            None if is_key_of_query(text, start, end) => {
                Field { kind: Kind::Secret, sureness: Sureness::Maybe }
            }
            // `authentication acct="ann"`: words before it are not of its name.
            None => match self.announced_by_joined(start, end) {
                Some(field) => field,
                None => match self.asserted(start, end) {
                    Some(field) => field,
                    None => self.announced_for(text.slice(start..end), start)?,
                },
            },
        };
        if secret::public::is_public_field(text, text.slice(start..end), after)
            || secret::public::is_public_field(text, name, after)
        {
            return None;
        }
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
        if separator == Separator::Colon
            && let Some(next) = self.expectation(after, field)
        {
            return Some(next);
        }
        let value = value(text, after, separator, field.kind)?;
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
            None => field_name::field(name),
        }
    }

    /// The same without the words before it, if it is directly before a `=`.
    fn announced_by_joined(&mut self, start: usize, end: usize) -> Option<Field> {
        let text = self.text;
        let joined = joined_start(text, start);
        let has_words = text.at(end) == b'=' && text.before(joined) == b' ';
        if has_words { self.announced_by(text.slice(joined..end)) } else { None }
    }

    /// `{"name": "password", "value": "hunter2"}`: the first names what the second is.
    pub(in crate::find) fn announce(&mut self, name: &[u8], value: &Value) {
        const NAMING: &[&[u8]] =
            &[b"name", b"key", b"Name", b"Key", b"n", b"field", b"label", b"property"];
        if NAMING.contains(&name) {
            let named = self.text.slice(value.range.clone());
            let named = elements::attribute(named).or_else(|| field_name::field(named));
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
        let value = Value { range: start..stop, is_delimited: true, separator: Separator::Tight };
        self.announced = None;
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    pub(in crate::find) fn announced_for(&mut self, name: &[u8], place: usize) -> Option<Field> {
        const VALUES: &[&[u8]] = &[
            b"value",
            b"Value",
            b"val",
            b"v",
            b"content",
            b"string",
            b"text",
            b"data",
            b"default",
            b"AttributeValue",
        ];
        const NAMING: &[&[u8]] = &[b"key", b"Key", b"n", b"field", b"label", b"property"];
        if NAMING.contains(&name) {
            // Judged as a name, to see what it announces; it is nothing to hide itself.
            return Some(Field { kind: Kind::Rule, sureness: Sureness::Maybe });
        }
        let (field, shown) = self.announced?;
        if !VALUES.contains(&name) {
            return None;
        }
        self.announced = None;
        (place.saturating_sub(shown) < 160).then_some(field)
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
        if text.has(start, b"by ")
            && let Some(next) = self.actor(start)
        {
            return Some(next);
        }
        if (text.has(start, b"for ") || text.has(start, b"by "))
            && let Some(next) = self.peer(end + 1)
        {
            return Some(next);
        }
        if text.has(start, b"code ")
            && let Some(next) = self.code_for_once(start)
        {
            return Some(next);
        }
        // `pass` is a verb as well.
        let word = text.slice(start..end);
        let role = field_name::role_of(word);
        // `keyPassword`: one of several words.
        let is_label = labels::ends_label(word);
        let is_compound = word.first().is_some_and(u8::is_ascii_lowercase)
            && text.before(start) != b'/'
            && !text.has(end + 1, b"--")
            && word.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b'_');
        if role.is_none() && !is_compound && !is_label
            || role == Some(Role::Neutral)
            || !is_compound && !is_label && !role.is_some_and(field_name::may_announce)
            || word.eq_ignore_ascii_case(b"pass")
        {
            return None;
        }
        let name = without_copula(text.slice(name_start(text, start, end)..end));
        let field = self.announced_by(name)?;
        let mut place = text.run(end, 4, |byte| is_blank(byte) || b".#".contains(&byte));
        // `password 7 0822455D0A16`, as routers write: how it is kept.
        let is_kept = matches!(field.kind, Kind::Password | Kind::Secret)
            && text.at(place).is_ascii_digit()
            && text.at(place + 1) == b' ';
        place += if is_kept { 2 } else { 0 };
        // `code is 1234`, `phone number: `, `user '…'`
        for word in COPULAS {
            if text.has(place, word.as_bytes()) {
                place += word.len();
            }
        }
        if text.has(place, b"to be ") || text.has(place, b"to equal ") || text.has(place, b"in (") {
            return self.quoted_behind(place, field);
        }
        let mut value = value(text, place, Separator::Blank, field.kind)?;
        // Columns: `User name        ann`, and no heading of a table.
        let bytes = text.slice(value.range.clone());
        let first = name_start(text, start, end);
        let from = text.run_back(first, 64, is_blank);
        let begins = matches!(text.before(from), 0 | b'\n' | b'*' | b'|');
        let is_column =
            text.run(end, 4, is_blank) > end + 2 && (begins || field.kind == Kind::User);
        let is_heading = field.kind == Kind::User && !bytes.iter().any(u8::is_ascii_lowercase);
        if is_column && !is_heading {
            value.separator = Separator::Column;
        }
        let fits = match field.kind {
            Kind::Card
            | Kind::Account
            | Kind::NationalId
            | Kind::Passport
            | Kind::Code
            | Kind::Phone
            | Kind::Vehicle
            | Kind::Device
            | Kind::Birth => text.slice(value.range.clone()).iter().any(u8::is_ascii_digit),
            Kind::Place => {
                text.slice(value.range.clone()).iter().filter(|byte| byte.is_ascii_digit()).count()
                    >= 5
            }
            Kind::Name => {
                let first = text.at(value.range.start);
                value.is_delimited
                    || first.is_ascii_uppercase()
                    || first >= 0x80 && !begins_small(text, value.range.start)
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
        if secret::public::is_key_id(text, end, text.slice(value.range.clone())) {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    /// `ユーザー「山口恵子」`: a quoted value that a label in a script without blanks is joined to.
    fn joined_quote(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let field = self.announced_by(without_copula(text.slice(start..end)))?;
        let value = value(text, end, Separator::Tight, field.kind)?;
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
            b"expected ",
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
}

/// What may be between a label and its value in a sentence, in the order in which it is.
const COPULAS: &[&str] = &[
    "n\u{b0} ",
    "nº ",
    "№ ",
    "is ",
    "was ",
    "entered ",
    "ENTERED ",
    "number ",
    "no. ",
    "nr. ",
    "= ",
    "LIKE ",
    "like ",
    "is: ",
    "now ",
    "set to ",
    "changed to ",
    "reset to ",
    "for ",
    "of ",
    "es ",
    "est ",
    "è ",
    "é ",
    "ist ",
    "lautet: ",
    "est: ",
    "est : ",
    "es: ",
    "è: ",
    "é: ",
    "lautet ",
    "lauten ",
    "jest ",
    "je ",
    "är ",
    "er ",
    "это ",
    "є ",
    "είναι ",
    "هو ",
    "هي ",
    "של ",
    "שלי ",
    "שלנו ",
    "adalah ",
    "là ",
    ": ",
];

/// The first byte of characters from U+3000: scripts that are written without blanks.
const FIRST_UNSPACED: u8 = 0xe3;

/// `验证码` of `验证码是`: `is` is a part of the word in scripts without blanks.
fn without_copula(label: &[u8]) -> &[u8] {
    const COPULAS: &[&str] = &["是", "为", "為", "は", "が", "은", "는", "이", "가"];
    if label.last().is_none_or(u8::is_ascii) {
        return label;
    }
    let shorter = COPULAS.iter().find_map(|copula| label.strip_suffix(copula.as_bytes()));
    shorter.filter(|shorter| shorter.len() >= 6).unwrap_or(label)
}

/// What a `name` at `start` is called for the object it is in: `"user": {"id": 3, "name": "ann"}`,
/// `Customer(name='Ann')`.
fn nested(text: Text<'_>, start: usize) -> Option<Field> {
    const REACH: usize = 160;
    let from = start.saturating_sub(REACH);
    let mut depth = 0;
    let mut place = start;
    while place > from {
        place -= 1;
        match text.at(place) {
            b'}' | b')' => depth += 1,
            b'{' | b'(' if depth > 0 => depth -= 1,
            b'{' | b'(' => break,
            0 => return None,
            _ => {}
        }
    }
    let is_gap = |byte: u8| b" \"':=\\\n\t[".contains(&byte);
    let end = text.run_back(place, 24, is_gap);
    let owner = text.slice(text.run_back(end, 40, |byte| is_word(byte) || byte == b'-')..end);
    if place == from || owner.is_empty() {
        return None;
    }
    let likely = |kind| Some(Field { kind, sureness: Sureness::Likely });
    match field_name::last_role(owner)? {
        Role::User => likely(Kind::User),
        Role::PersonNoun | Role::FullName => likely(Kind::Name),
        _ => None,
    }
}

/// `?key=…`, `&code=…`: of an address, where such a name has a secret if it is random.
fn is_key_of_query(text: Text<'_>, start: usize, end: usize) -> bool {
    matches!(text.before(start), b'?' | b'&')
        && text.at(end) == b'='
        && matches!(text.slice(start..end), b"key" | b"code" | b"k" | b"ticket")
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn values_are_found_in_the_notations_of_languages() {
        for (text, wanted) in [
            ("first_name=Ann&last_name=Lee", &["Ann", "Lee"][..]),
            ("[\"api_secret\"]=>\n  string(16) \"fUNdmhdlFbaDSl4A\"", &["fUNdmhdlFbaDSl4A"]),
            ("user => <<\"cester\">>,password => <<\"ilovecats4\">>", &["cester", "ilovecats4"]),
            ("[{username,\"lorenzo29\"},{password,\"hunter2\"}]", &["lorenzo29", "hunter2"]),
            ("csrf_token|s:8:\"152da41c\";", &["152da41c"]),
            ("Password : _UNICODE_STRING \"hunter2\"", &["hunter2"]),
            ("{\"password\":\n \"hunter3nextline\"}", &["hunter3nextline"]),
            ("{\"user\":{\"id\":3,\"name\":\"oalharbi\"}}", &["oalharbi"]),
            ("Customer(id=7, name='Deniz')", &["Deniz"]),
            ("手机号13812345678", &["13812345678"]),
            ("您的验证码是482913，请勿泄露", &["482913"]),
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
    fn a_random_text_of_any_length_is_hidden_whole() {
        let mut state = 7_u32;
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let token: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(letters[(state >> 8) as usize % letters.len()])
        })
        .take(5000)
        .collect();
        assert_eq!(hidden(&format!("x {token} y")), [token.as_str()]);
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
            "psk.c:2037:21: warning: unused",
            "at src/password.rs:1234",
            "tokend --password-file=/run/secrets/db_password --token-ttl=3600",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
