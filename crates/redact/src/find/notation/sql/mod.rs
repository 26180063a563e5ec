//! Values of database statements: parameters beside their statement, rows and keys in
//! messages of errors.

mod looks;
mod statement;

use std::ops::Range;

use looks::{is_capitalised, kind_by_looks};
pub(in crate::find) use statement::Statement;

use statement::Columns;

use crate::field_name::{self, Field};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_word, number};

/// Bytes of a list of values, and of one of them.
const LONGEST: usize = 4096;
/// Values of a list.
const MOST: usize = 256;

/// The values of a list, one after the other: between quotes, or up to a comma or bracket.
struct Items<'t> {
    text: Text<'t>,
    place: usize,
    end: usize,
}

impl<'t> Items<'t> {
    fn of(text: Text<'t>, place: usize) -> Self {
        Self { text, place, end: text.len().min(place + LONGEST) }
    }
}

impl Iterator for Items<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let text = self.text;
        let most = self.end.saturating_sub(self.place);
        let mut start = text.run(self.place, most, |byte| b" ,\t".contains(&byte));
        if start >= self.end || matches!(text.at(start), b')' | b']' | b'\n' | b'\r' | 0) {
            return None;
        }
        // `u'…'`, `b'…'`, `N'…'`, `E'…'`
        if text.at(start).is_ascii_alphabetic() && text.at(start + 1) == b'\'' {
            start += 1;
        }
        let quote = text.at(start);
        if !matches!(quote, b'\'' | b'"') {
            let stop = text.run(start, LONGEST, |byte| !b",)]\n\r\0".contains(&byte));
            self.place = stop;
            return Some(start..text.run_back(stop, stop - start, |byte| byte == b' '));
        }
        let mut stop = start + 1;
        while stop < self.end && text.at(stop) != b'\n' {
            match text.at(stop) {
                b'\\' => stop += 1,
                byte if byte == quote && text.at(stop + 1) == quote && quote == b'\'' => stop += 1,
                byte if byte == quote => break,
                _ => {}
            }
            stop += 1;
        }
        self.place = stop + 1;
        Some(start + 1..stop.min(text.len()))
    }
}

impl Scan<'_> {
    /// Hides `range` if it is what the column announces that it is for.
    fn cell(&mut self, range: Range<usize>, field: Option<Field>) {
        let Some(field) = field else { return };
        let value = Value { range, is_delimited: true, separator: Separator::Cell };
        if let Some(range) = plausible::sensitive(self.text, &value, field) {
            self.hide(range, field.kind);
        }
    }

    /// Hides the value of the placeholder number `at`, by its column or by what it looks like.
    fn value_of(&mut self, range: Range<usize>, columns: &Columns, at: usize) {
        let field = columns.get(at);
        if field.is_none() && columns.is_unnamed(at) {
            self.guess(range, false);
        } else {
            self.cell(range, field);
        }
    }

    /// `parameters: $1 = 'ann', …`, `args=('ann', 3)`, `Parameters: ann(String), …`: the
    /// values behind the word that ends at `end`.
    pub(super) fn bound_values(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if start < self.ahead {
            return None;
        }
        let quote = usize::from(matches!(text.at(end), b'"' | b'\''));
        let sign = text.run(end + quote, 2, is_blank);
        let from = text.run(sign, 4, |byte| b"=:> ".contains(&byte));
        let is_map = text.has(from, b"array{\"1\"") || text.has(from, b"{\"1\"");
        let is_list = matches!(text.at(from), b'[' | b'(') || text.has(from, b"$1 = ") || is_map;
        let line = text.run(from, LONGEST, |byte| byte != b'\n' && byte != 0);
        let is_typed = memchr::memmem::find(text.slice(from..line), b"(String)").is_some();
        let is_joined = from > sign && b"=:".contains(&text.at(sign)) || text.at(end) == b' ';
        if !is_joined || !is_list && !is_typed {
            return None;
        }
        self.ahead = from;
        match text.at(from) {
            b'[' | b'(' => self.listed_values(from),
            b'$' => self.numbered_values(from),
            _ if is_map => self.mapped_values(from),
            _ => self.typed_values(from),
        }
        None
    }

    /// `[generated in 0.1s] ('ann', 3)`, with the bracket at `place`.
    pub(super) fn values_behind_bracket(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let close = text.run(place, 64, |byte| byte != b']' && byte != b'\n');
        if text.has(close, b"] (") || text.has(close, b"] [") {
            self.listed_values(close + 2);
        }
        None
    }

    /// `('ann', 3)`, `[('ann', 3), ('bo', 4)]` behind a statement whose placeholders they
    /// are for.
    pub(super) fn listed_values(&mut self, open: usize) {
        let text = self.text;
        let Some(columns) = Columns::before(text, open, &mut self.statement) else { return };
        let is_nested = matches!(text.at(open + 1), b'(' | b'[');
        let mut place = if is_nested { open + 2 } else { open + 1 };
        let mut count = 0;
        loop {
            let mut items = Items::of(text, place);
            let mut at = 0;
            for item in items.by_ref() {
                self.value_of(item, &columns, at % columns.len());
                at += 1;
            }
            count += at.max(1);
            let next = text.run(items.place + 1, 4, |byte| b", \r\n".contains(&byte));
            if !is_nested || !matches!(text.at(next), b'(' | b'[') || count > MOST {
                self.ahead = self.ahead.max(items.place);
                return;
            }
            place = next + 1;
        }
    }

    /// `$1 = 'ann', $2 = NULL` (PostgreSQL).
    fn numbered_values(&mut self, from: usize) {
        let text = self.text;
        let columns = Columns::before(text, from, &mut self.statement);
        let mut place = from;
        for _ in 0..MOST {
            let digits = text.run(place + 1, 4, |byte| byte.is_ascii_digit());
            let Some(slot) = number(text.slice(place + 1..digits)) else { return };
            if text.at(place) != b'$' || !text.has(digits, b" = ") {
                return;
            }
            let mut items = Items::of(text, digits + 3);
            let Some(item) = items.next() else { return };
            let slot = usize::try_from(slot).unwrap_or(0).wrapping_sub(1);
            match columns.as_ref() {
                Some(columns) => self.value_of(item, columns, slot),
                None => self.guess(item, false),
            }
            place = text.run(items.place, 2, |byte| byte == b',' || byte == b' ');
            self.ahead = place;
        }
    }

    /// `array{"1":"ann","2":3}` (Doctrine).
    fn mapped_values(&mut self, from: usize) {
        let text = self.text;
        let Some(columns) = Columns::before(text, from, &mut self.statement) else { return };
        let mut place = text.run(from, 8, |byte| byte != b'{') + 1;
        for at in 0..columns.len() {
            let colon = text.run(place, 6, |byte| byte.is_ascii_digit() || byte == b'"');
            let mut items = Items::of(text, colon + 1);
            let Some(item) = items.next().filter(|_| text.at(colon) == b':') else { return };
            self.cell(item, columns.get(at));
            place = text.run(items.place, 2, |byte| byte == b',' || byte == b' ');
        }
    }

    /// `ann(String), 3(Integer)` (MyBatis).
    fn typed_values(&mut self, from: usize) {
        let text = self.text;
        let Some(columns) = Columns::before(text, from, &mut self.statement) else { return };
        let mut place = from;
        for at in 0..columns.len() {
            let end = text.run(place, LONGEST, |byte| byte != b'(' && byte != b'\n' && byte != 0);
            self.value_of(place..end, &columns, at);
            let close = text.run(end, 24, |byte| byte != b')' && byte != b'\n');
            if !text.has(close, b"), ") {
                return;
            }
            place = close + 3;
        }
    }

    /// `binding parameter [2] as [VARCHAR] - [ann]`, `binding parameter (2:VARCHAR) <- [ann]`,
    /// `column index 2, parameter value [ann]` (Hibernate, Spring): with the number behind
    /// `end`.
    pub(super) fn bound_value(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let digits = end + 1 + usize::from(matches!(text.at(end + 1), b'[' | b'('));
        let stop = text.run(digits, 3, |byte| byte.is_ascii_digit());
        let slot = usize::try_from(number(text.slice(digits..stop))?).ok()?.checked_sub(1)?;
        let line = text.run(stop, 128, |byte| byte != b'\n' && byte != 0);
        let rest = text.slice(stop..line);
        let mark = [&b" - ["[..], b" <- [", b" value ["]
            .into_iter()
            .find_map(|mark| Some(memchr::memmem::find(rest, mark)? + mark.len()))?;
        let value = stop + mark;
        let close = text.run(value, LONGEST, |byte| byte != b']' && byte != b'\n' && byte != 0);
        let columns = Columns::before(text, end, &mut self.statement)?;
        self.value_of(value..close, &columns, slot);
        None
    }

    /// `[Parameters=[@p0='ann' (Size = 40), @__email_1='…'], …` before its statement (Entity
    /// Framework); the first name is at `from`.
    pub(super) fn named_values(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        if from < self.ahead {
            return None;
        }
        let end = text.run(from, LONGEST, |byte| byte != b']' && byte != b'\n' && byte != 0);
        if self.is_read(from, end) {
            return None;
        }
        let columns = Columns::behind(text, end);
        let mut place = from;
        for at in 0..MOST {
            let name = text.run(place + 1, 64, is_word);
            if text.at(place) != b'@' || !text.has(name, b"='") {
                break;
            }
            let mut items = Items::of(text, name + 1);
            let value = items.next()?;
            let is_numbered = text.at(place + 1) == b'p' && text.at(place + 2).is_ascii_digit();
            let field = match columns.as_ref().filter(|_| is_numbered) {
                Some(columns) => columns.get(at),
                None => field_name::field(text.slice(place + 1..name)),
            };
            self.cell(value, field);
            let rest = text.slice(items.place..end);
            let Some(next) = memchr::memmem::find(rest, b", @") else { break };
            place = items.place + next + 2;
        }
        None
    }

    /// `Failing row contains (1, Ann Lee, …)` (PostgreSQL), with the parenthesis at `open`.
    pub(super) fn failing_row(&mut self, open: usize) -> Option<usize> {
        let text = self.text;
        if text.at(open) != b'(' || open < self.ahead {
            return None;
        }
        let mut words = 0;
        let mut is_of_person = false;
        for item in Items::of(text, open + 1).take(MOST) {
            self.ahead = item.end;
            let bytes = text.slice(item);
            words += usize::from(is_capitalised(bytes));
            is_of_person |= bytes.contains(&b'@') || words >= 2;
        }
        for item in Items::of(text, open + 1).take(MOST) {
            self.guess(item, is_of_person);
        }
        None
    }

    /// Hides `range` if it looks like a person's.
    pub(super) fn guess(&mut self, range: Range<usize>, is_of_person: bool) {
        if let Some(kind) = kind_by_looks(self.text, range.clone(), is_of_person) {
            self.hide(range, kind);
        }
    }

    /// `Key (email, name)=(ann, Lee) already exists.` (PostgreSQL), with the parenthesis at
    /// `open`.
    pub(super) fn key_of_row(&mut self, open: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(open, 512, |byte| byte != b'=' && byte != b'\n');
        if text.before(end) != b')' || text.at(end + 1) != b'(' {
            return None;
        }
        let close = text.run(end + 2, LONGEST, |byte| byte != b'\n' && byte != 0);
        let stop = memchr::memrchr(b')', text.slice(end + 2..close)).map(|at| end + 2 + at)?;
        let names = text.slice(open + 1..end - 1);
        if !names.contains(&b',') {
            self.cell(end + 2..stop, field_of_expression(names));
            return None;
        }
        let values = Items::of(text, end + 2);
        for (name, value) in names.split(|byte| *byte == b',').zip(values) {
            self.cell(value, field_of_expression(name));
        }
        None
    }

    /// `Duplicate entry 'ann' for key 'users.username'` (MySQL), whose literal is at `from`.
    pub(super) fn duplicate_entry(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let value = Items::of(text, from).next().filter(|_| text.at(from) == b'\'')?;
        let key = value.end + 1 + b" for key ".len();
        if !text.has(value.end + 1, b" for key ") {
            return None;
        }
        let key = Items::of(text, key).next()?;
        self.cell(value, field_of_key(text.slice(key)));
        None
    }

    /// `constraint 'UQ_Users_Login'. … The duplicate key value is (ann).` (SQL Server), whose
    /// parenthesis is at `open`.
    pub(super) fn duplicate_key(&mut self, open: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(open.saturating_sub(400)..open);
        let base = open - before.len();
        let mark = [&b"constraint '"[..], b"index '"]
            .into_iter()
            .find_map(|mark| Some(memchr::memmem::rfind(before, mark)? + mark.len()))?;
        let key = text.run(base + mark, 128, |byte| byte != b'\'');
        let field = field_of_key(text.slice(base + mark..key));
        let value = Items::of(text, open + 1).next()?;
        self.cell(value, field);
        None
    }
}

/// What the column of `lower(email::text)` announces.
fn field_of_expression(name: &[u8]) -> Option<Field> {
    let inner = name.rsplit(|byte| *byte == b'(').next().unwrap_or_default();
    let column = inner.split(|byte| matches!(byte, b':' | b')')).next().unwrap_or_default();
    field_name::field(column)
}

/// What the column of `users.uq_users_email`, the name of an index, announces.
fn field_of_key(key: &[u8]) -> Option<Field> {
    const AFFIXES: &[&[u8]] = &[
        b"unique",
        b"uniq",
        b"key",
        b"idx",
        b"index",
        b"uk",
        b"uq",
        b"ix",
        b"un",
        b"ux",
        b"constraint",
    ];
    let is_affix = |word: &[u8]| AFFIXES.iter().any(|affix| word.eq_ignore_ascii_case(affix));
    let mut name = key.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    while let Some(at) = name.iter().rposition(|byte| *byte == b'_')
        && is_affix(name.get(at + 1..).unwrap_or_default())
    {
        name = name.get(..at).unwrap_or_default();
    }
    field_name::field(name)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn parameters_are_judged_by_the_columns_of_their_statement() {
        for (text, wanted) in [
            (
                "INSERT INTO users (name, city, age) VALUES (?, ?, ?)\n[generated in 0.00012s] ('Ann Lee', 'Ely', 42)",
                &["Ann Lee", "Ely"][..],
            ),
            (
                "[SQL: INSERT INTO t (login, n) VALUES (%s, %s)]\n[parameters: [('ann77', 1), ('bo88', 2)]]",
                &["ann77", "bo88"],
            ),
            (
                "(0.001) SELECT * FROM u WHERE username = %s AND ok = %s; args=('ann.lee77', True)",
                &["ann.lee77"],
            ),
            (
                "==>  Preparing: INSERT INTO user (name, login, age) VALUES (?, ?, ?)\n==> Parameters: Ann Lee(String), ann77(String), 42(Integer)",
                &["Ann Lee", "ann77"],
            ),
            (
                "insert into u (id, last_name, city) values (?, ?, ?)\nbinding parameter [1] as [BIGINT] - [7]\nbinding parameter [2] as [VARCHAR] - [Lee]\nbinding parameter (3:VARCHAR) <- [Ely]",
                &["Lee", "Ely"],
            ),
            (
                "update u set city = $2 where username = $1\nDETAIL:  parameters: $1 = 'ann77', $2 = 'Ely'",
                &["ann77", "Ely"],
            ),
            ("DETAIL:  parameters: $1 = '42', $2 = 'Ann Lee'", &["Ann Lee"]),
            (
                "[Parameters=[@p0='Ann' (Size = 40), @p1='4'], CommandType='Text']\nINSERT INTO [Users] ([FirstName], [Age]) VALUES (@p0, @p1)",
                &["Ann"],
            ),
            (
                "'INSERT INTO p (last_name, n) VALUES (?, ?)' (parameters: array{\"1\":\"Lee\",\"2\":3}, types: array{\"1\":2})",
                &["Lee"],
            ),
            ("Query:[\"insert into u (city, n) values (?, ?)\"], Params:[(Ely,3)]", &["Ely"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn values_of_columns_without_names_are_judged_by_their_looks() {
        for (text, wanted) in [
            (
                "UPDATE contact SET c0=%s, c1=%s WHERE id = %s\n[cached since 67.2s ago] ('Ann Lee', 'PENDING', 4456)",
                &["Ann Lee"][..],
            ),
            (
                "insert into person values (?,?)\nbinding parameter [1] as [VARCHAR] - [Ann Lee]\nbinding parameter [2] as [VARCHAR] - [4456]",
                &["Ann Lee"],
            ),
            // The statement is cut off behind its columns.
            (
                "[Parameters=[@p0='Zed Lyy' (Size = 40), @p1='3'], CommandType='Text']\nINSERT INTO \"Visitors\" (\"FullName\", \"SiteId\")",
                &["Zed Lyy"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn rows_and_keys_of_errors_are_read() {
        for (text, wanted) in [
            (
                "DETAIL:  Failing row contains (42, Ann Lee, 1980-02-03, null, 9 High Street, Active).",
                &["Ann Lee", "1980-02-03", "9 High Street"][..],
            ),
            ("Failing row contains (42, Ann, Lee, 2026-01-02 09:30:00, t).", &["Ann", "Lee"]),
            ("DETAIL:  Key (username)=(ann.lee77) already exists.", &["ann.lee77"]),
            ("Key (first_name, last_name)=(Ann, Lee) already exists.", &["Ann", "Lee"]),
            ("Key (lower(username::text))=(ann.lee77) already exists.", &["ann.lee77"]),
            ("Duplicate entry 'ann.lee77' for key 'users.uq_users_username'", &["ann.lee77"]),
            (
                "Violation of UNIQUE KEY constraint 'UQ_Users_Login'. The duplicate key value is (ann77).",
                &["ann77"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn values_of_other_columns_stay() {
        for text in [
            "INSERT INTO jobs (queue, state) VALUES (?, ?)\n[generated in 0.1s] ('mail', 'Pending')",
            "SELECT id FROM jobs WHERE queue = $1\nDETAIL:  parameters: $1 = 'mail', $2 = 'High Priority'",
            "Failing row contains (42, ORD-2026-17, Pending, EUR, 12.50, 2026-01-02 09:30:00+00, null).",
            "Key (order_id)=(4711) is not present in table \"orders\".",
            "Duplicate entry '42' for key 'PRIMARY'",
            "Duplicate entry 'SKU-1' for key 'products.sku'",
            "Duplicate entry 'Berlin' for key 'cities.name'",
            "DETAIL:  parameters: $1 = 'High Priority', $2 = 'In Progress', $3 = 'North America'",
            "[SQL: UPDATE products SET name = ? WHERE id = ?]\n[parameters: ('Garden Chair', 7)]",
            "insert into products (name) values (?)\nbinding parameter [1] as [VARCHAR] - [Garden Chair]",
            "call f with args=('Ann', 3)",
            "the parameters: [a, b] of the model",
            "Params:[(1,2)]",
            "matrix [[1, 2], [3, 4]] and [[\"a\", \"b\"]]",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
