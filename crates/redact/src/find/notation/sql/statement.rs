//! Which columns the placeholders of a statement are for.

use std::ops::Range;

use crate::field_name::{self, Field, Sureness};
use crate::find::text::{Text, is_word, number};
use crate::word_set::WordSet;

/// Bytes before a list of values in which its statement is looked for, and bytes of one.
const FAR: usize = 4096;
/// Bytes of the names of a table and a column.
const LONGEST_NAME: usize = 128;
/// Placeholders and columns of a statement.
const MOST: usize = 64;

/// What the columns announce that the placeholders are for, in the order of their values.
pub(super) struct Columns {
    fields: [Option<Field>; MOST],
    /// Those whose column has no name that says anything: `c0`, or none.
    unnamed: [bool; MOST],
    count: usize,
}

impl Columns {
    /// Of the last statement before `place`; `None` if there is none with placeholders.
    pub(super) fn before(text: Text<'_>, place: usize, known: &mut Statement) -> Option<Self> {
        Self::of(text, known.before(text, place)?..place)
    }

    /// Of the statement that follows `place`.
    pub(super) fn behind(text: Text<'_>, place: usize) -> Option<Self> {
        let end = text.len().min(place + FAR / 2);
        let start = (place..end).find(|at| is_statement(text, *at))?;
        Self::of(text, start..end)
    }

    /// What the placeholder number `at` is for, counted from 0.
    pub(super) fn get(&self, at: usize) -> Option<Field> {
        self.fields.get(at).copied().flatten()
    }

    /// Whether the column of the placeholder number `at` says nothing.
    pub(super) fn is_unnamed(&self, at: usize) -> bool {
        self.unnamed.get(at).copied().unwrap_or(false)
    }

    /// How many placeholders there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn of(text: Text<'_>, statement: Range<usize>) -> Option<Self> {
        let mut columns = Self { fields: [None; MOST], unnamed: [false; MOST], count: 0 };
        let mut reader = Reader::default();
        let mut place = statement.start;
        while place < statement.end {
            let byte = text.at(place);
            if let Some((slot, end)) = placeholder(text, place) {
                let field = reader.field(text);
                let at = slot.unwrap_or(columns.count);
                if let Some(free) = columns.fields.get_mut(at) {
                    *free = free.or(field);
                }
                if let Some(unnamed) = columns.unnamed.get_mut(at) {
                    *unnamed = is_unnamed(text.slice(reader.column.clone()));
                }
                columns.count = slot.map_or(columns.count + 1, |slot| columns.count.max(slot + 1));
                place = end;
            } else if is_word(byte) {
                let end = text.run(place, 128, is_word);
                reader.word(text, place..end);
                place = end;
            } else if byte == b'\'' {
                place = text.run(place + 1, FAR, |byte| byte != b'\'' && byte != b'\n') + 1;
            } else {
                reader.sign(byte);
                place += 1;
            }
        }
        // A statement that was cut off behind the names of its columns.
        if columns.count == 0 && matches!(reader.part, Part::Table | Part::Columns) {
            for (at, column) in std::mem::take(&mut reader.inserted).into_iter().enumerate() {
                reader.column = column;
                columns.count = at + 1;
                if let Some(free) = columns.fields.get_mut(at) {
                    *free = reader.field(text);
                }
            }
        }
        (columns.count > 0).then_some(columns)
    }
}

/// Whether a column is called `c0`, or not at all.
fn is_unnamed(column: &[u8]) -> bool {
    let number = column.get(1..).unwrap_or_default();
    number.iter().all(u8::is_ascii_digit) && (column.is_empty() || !number.is_empty())
}

/// What was read of a statement so far.
#[derive(Default)]
struct Reader {
    /// The last name of a column.
    column: Range<usize>,
    /// The last table, and whether the next word is one.
    table: Range<usize>,
    is_table_next: bool,
    /// The columns of `INSERT INTO t (…)`.
    inserted: Vec<Range<usize>>,
    part: Part,
    depth: usize,
    /// The value of a row that is being read.
    at: usize,
}

#[derive(Default, PartialEq, Eq)]
enum Part {
    #[default]
    Other,
    /// Behind `INTO`: the table.
    Table,
    /// The columns between parentheses.
    Columns,
    /// Behind `VALUES`.
    Values,
}

/// Words between a column and its placeholder.
static BETWEEN: WordSet<128> = WordSet::new(&[
    b"and",
    b"or",
    b"in",
    b"like",
    b"ilike",
    b"between",
    b"not",
    b"is",
    b"set",
    b"where",
    b"on",
    b"any",
    b"all",
    b"as",
    b"null",
    b"lower",
    b"upper",
    b"trim",
    b"cast",
    b"coalesce",
    b"md5",
    b"concat",
    b"binary",
    b"similar",
    b"to",
    b"text",
    b"varchar",
    b"similar",
    b"escape",
]);

impl Reader {
    /// What the last column announces; a `name` is not a person's in a table of products.
    fn field(&self, text: Text<'_>) -> Option<Field> {
        let column = text.slice(self.column.clone());
        let field = field_name::field(column)?;
        if field.sureness != Sureness::Maybe {
            return Some(field);
        }
        let mut name = [b'_'; LONGEST_NAME];
        let table = text.slice(self.table.clone());
        let table = table.strip_suffix(b"s").unwrap_or(table);
        let end = table.len() + 1 + column.len();
        name.get_mut(..table.len())?.copy_from_slice(table);
        name.get_mut(table.len() + 1..end)?.copy_from_slice(column);
        field_name::field(name.get(..end)?).and(Some(field))
    }

    fn word(&mut self, text: Text<'_>, word: Range<usize>) {
        let bytes = text.slice(word.clone());
        if std::mem::take(&mut self.is_table_next) {
            self.table = word.clone();
            // `public.users`
            self.is_table_next = text.at(word.end) == b'.' || text.has(word.end, b"\".");
        }
        let before_table = [&b"into"[..], b"from", b"update", b"join"];
        self.is_table_next |= before_table.iter().any(|known| bytes.eq_ignore_ascii_case(known));
        match self.part {
            Part::Other if bytes.eq_ignore_ascii_case(b"into") => self.part = Part::Table,
            Part::Columns if self.inserted.len() < MOST => self.inserted.push(word),
            Part::Table | Part::Columns if bytes.eq_ignore_ascii_case(b"values") => {
                self.part = Part::Values;
            }
            Part::Table | Part::Columns => {}
            Part::Values if self.depth > 0 => {}
            _ if bytes.eq_ignore_ascii_case(b"values") => self.part = Part::Values,
            _ => {
                self.part = Part::Other;
                // `lower(email) = ?`, `"u"."email" = ?`: the last name counts.
                if !BETWEEN.has(bytes) && text.at(word.end) != b'(' {
                    self.column = word;
                }
            }
        }
    }

    fn sign(&mut self, sign: u8) {
        match (sign, &self.part) {
            (b'(', Part::Table) => self.part = Part::Columns,
            (b')', Part::Columns) => self.part = Part::Table,
            (b'(', Part::Values) => {
                self.depth += 1;
                if self.depth == 1 {
                    self.value(0);
                }
            }
            (b')', Part::Values) => self.depth = self.depth.saturating_sub(1),
            (b',', Part::Values) if self.depth == 1 => self.value(self.at + 1),
            _ => {}
        }
    }

    fn value(&mut self, at: usize) {
        self.at = at;
        self.column = self.inserted.get(at).cloned().unwrap_or_default();
    }
}

/// The placeholder at `place`: its number from 0, if it has one, and its end.
fn placeholder(text: Text<'_>, place: usize) -> Option<(Option<usize>, usize)> {
    let numbered = |from: usize, first: usize| {
        let end = text.run(from, 3, |byte| byte.is_ascii_digit());
        let slot = number(text.slice(from..end))?;
        Some((Some(usize::try_from(slot).ok()?.checked_sub(first)?), end))
    };
    match text.at(place) {
        b'?' => numbered(place + 1, 1).or(Some((None, place + 1))),
        b'$' => numbered(place + 1, 1),
        b':' if text.before(place) != b':' => numbered(place + 1, 1),
        b'@' if text.at(place + 1) == b'p' => numbered(place + 2, 0),
        b'%' if text.at(place + 1) == b's' && !is_word(text.at(place + 2)) => {
            Some((None, place + 2))
        }
        _ => None,
    }
}

/// The last statement that was looked for: a text is looked through once, however many
/// values it has.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::find) struct Statement {
    /// Where it begins.
    start: Option<usize>,
    /// Up to where there is no later one.
    until: usize,
}

impl Statement {
    /// Where the last statement before `place` begins.
    fn before(&mut self, text: Text<'_>, place: usize) -> Option<usize> {
        let first = place.saturating_sub(FAR);
        let from = if (first..place).contains(&self.until) { self.until } else { first };
        let later = (from..place).rev().find(|at| is_statement(text, *at));
        self.start = later.or(self.start).filter(|start| (first..place).contains(start));
        self.until = place;
        self.start
    }
}

/// Whether a statement, and no part of one, begins at `place`.
fn is_statement(text: Text<'_>, place: usize) -> bool {
    const WORDS: &[&[u8]] =
        &[b"insert ", b"select ", b"update ", b"delete ", b"replace ", b"merge ", b"call "];
    if !matches!(text.at(place) | 0x20, b'i' | b's' | b'u' | b'd' | b'r' | b'm' | b'c')
        || is_word(text.before(place))
    {
        return false;
    }
    let prior = text.run_back(place, 8, |byte| byte.is_ascii_whitespace());
    let ends = |word: &[u8]| text.has_caseless(prior.saturating_sub(word.len()), word);
    WORDS.iter().any(|word| text.has_caseless(place, word))
        // Of a subquery, of an upsert.
        && text.before(prior) != b'('
        && !(ends(b"key") || ends(b" do") || ends(b" for") || ends(b" on"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn kinds(statement: &str) -> Vec<Option<Kind>> {
        let text = Text(statement.as_bytes());
        let Some(columns) = Columns::before(text, statement.len(), &mut Statement::default())
        else {
            return Vec::new();
        };
        (0..columns.len()).map(|at| Some(columns.get(at)?.kind)).collect()
    }

    #[test]
    fn placeholders_are_for_the_columns_they_are_compared_with_or_put_into() {
        use Kind::{Address, Email, Name, User};
        for (statement, wanted) in [
            (
                "insert into t (email, age, city) values (?, ?, ?)",
                &[Some(Email), None, Some(Address)][..],
            ),
            (
                "INSERT INTO t (\"email\", age) VALUES (?, lower(?)), ($3, $4)",
                &[Some(Email), None, Some(Email), None],
            ),
            ("SELECT * FROM t WHERE lower(t.email) = lower(%s) AND id = %s", &[Some(Email), None]),
            (
                "UPDATE t SET last_name = $2, n = 'a?b' WHERE username = $1",
                &[Some(User), Some(Name)],
            ),
            ("select id from t where email in (?, ?) limit ?", &[Some(Email), Some(Email), None]),
            ("select x from t where id in (select id from u where email = ?)", &[Some(Email)]),
            ("INSERT INTO [T] ([City]) VALUES (@p0)", &[Some(Address)]),
        ] {
            assert_eq!(kinds(statement), wanted, "{statement}");
        }
    }

    #[test]
    fn a_text_without_a_statement_or_placeholders_has_none() {
        for text in ["selected 3 rows?", "select 1 from t", "is it ok?", ""] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
