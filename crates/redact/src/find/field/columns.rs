//! Tables: a line of names, and lines of values below it; and `INSERT INTO … VALUES`.

use std::ops::Range;

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{self, Text, is_blank, is_letter, is_word};

/// The columns of a table that is being read.
#[derive(Clone, Debug)]
pub(in crate::find) struct Table {
    /// What is between cells; nothing where they are aligned.
    separator: u8,
    columns: Vec<Option<Field>>,
    /// Where the cells of an aligned table begin in their line.
    starts: Vec<usize>,
}

/// The separator of an aligned table.
const ALIGNED: u8 = 0;

/// Bytes of a line that may be a table's; columns of one.
const LONGEST_LINE: usize = 1 << 16;
const MOST_COLUMNS: usize = 256;
/// Bytes between the parentheses of a list; each `INTO` of a hostile text costs as many.
const LONGEST_LIST: usize = 1 << 13;

impl Scan<'_> {
    /// `COPY table (a, b) FROM stdin;` whose `COPY` ends at `end`: the lines that follow
    /// are the table's, parted by tabs.
    pub(in crate::find) fn copied(&mut self, end: usize) {
        let text = self.text;
        let open = text.run(end, 160, |byte| is_word(byte) || b".\" ".contains(&byte));
        let Some((names, behind)) = items(text, open) else { return };
        if text.has_caseless(behind, b" from stdin") {
            let columns =
                names.into_iter().map(|item| field_name::field(text.slice(unquoted(text, item))));
            self.table =
                Some(Table { separator: b'\t', columns: columns.collect(), starts: Vec::new() });
        }
    }

    /// What a line that starts at `start` is in a table; gives where to go on.
    pub(in crate::find) fn line_start(&mut self, start: usize) -> usize {
        let text = self.text;
        if start >= text.len() {
            return start;
        }
        let first = text.at(start);
        if self.table.is_none()
            && !(is_word(first) || matches!(first, b'"' | b'\'' | b'`' | b'#' | b' ' | b'|'))
        {
            return start;
        }
        if start > 0 && text.before(start) == 0 {
            return start;
        }
        if let Some(table) = self.table.take() {
            let end = text.run(start, LONGEST_LINE, |byte| byte != b'\n');
            let line = text.slice(start..end);
            let is_rule = !line.is_empty() && line.iter().all(|byte| b"-+|=: \r".contains(byte));
            if is_rule || self.row(start..end, &table) {
                self.table = Some(table);
                return start;
            }
        }
        if let Some(end) = self.form_row(start) {
            return end;
        }
        self.table = heading(text, start);
        match self.table {
            Some(_) => text.run(start, LONGEST_LINE, |byte| byte != b'\n'),
            None => start,
        }
    }

    /// Hides what a row holds; whether it is one.
    fn row(&mut self, line: Range<usize>, table: &Table) -> bool {
        let cells = match table.separator {
            ALIGNED => match aligned_cells(self.text, line, &table.starts) {
                Some(cells) => cells,
                None => return false,
            },
            separator => cells(self.text, line, separator),
        };
        if cells.len() != table.columns.len() {
            return false;
        }
        for (cell, column) in cells.into_iter().zip(&table.columns) {
            let Some(field) = column else { continue };
            let value = Value { range: cell, is_delimited: false, separator: Separator::Cell };
            if let Some(range) = plausible::sensitive(self.text, &value, *field) {
                self.hide(range, field.kind);
            }
        }
        true
    }

    /// `INTO table (a, b) VALUES (1, 2), (3, 4)` whose `INTO` ends at `end`.
    pub(in crate::find) fn insertion(&mut self, end: usize) {
        let text = self.text;
        let is_name = |byte: u8| is_word(byte) || b".`\"[] ".contains(&byte);
        let open = text.run(end, 160, is_name);
        if text.at(open) != b'(' {
            return;
        }
        let Some((names, mut place)) = items(text, open) else { return };
        let columns: Vec<_> = names
            .into_iter()
            .map(|item| field_name::field(text.slice(unquoted(text, item))))
            .collect();
        if columns.iter().all(Option::is_none) {
            return;
        }
        place = text.run(place, 8, |byte| byte.is_ascii_whitespace());
        if !text.has_caseless(place, b"values") {
            return;
        }
        place += b"values".len();
        loop {
            place = text.run(place, 8, |byte| byte.is_ascii_whitespace() || byte == b',');
            let Some((values, next)) = items(text, place) else { return };
            for (item, column) in values.into_iter().zip(&columns) {
                let Some(field) = column else { continue };
                let is_delimited = text.at(item.start) == b'\'' || text.at(item.start) == b'"';
                let range = unquoted(text, item);
                let value = Value { range, is_delimited, separator: Separator::Cell };
                if let Some(range) = plausible::sensitive(text, &value, *field) {
                    self.hide(range, field.kind);
                }
            }
            place = next;
        }
    }
}

/// What names of columns, and the signs between, are written with.
static IN_HEADER: [bool; 256] = text::table(b"_ \"'`-./()#\r,;\t|", true);

/// A line of names with two blanks at least between them, as of `ps` and of reports: a column
/// goes from where its name begins to where the next one does.
fn aligned(text: Text<'_>, start: usize) -> Option<Table> {
    let is_part = |byte: u8| is_word(byte) || b" .#/-()".contains(&byte);
    let end = text.run(start, 400, is_part);
    let line_end = text.run(end, 2, |byte| byte == b'\r');
    if text.at(line_end) != b'\n' || memchr::memmem::find(text.slice(start..end), b"  ").is_none() {
        return None;
    }
    let mut columns = Vec::new();
    let mut starts = Vec::new();
    let mut sure = 0;
    let mut place = text.run(start, end - start, |byte| byte == b' ');
    while place < end && columns.len() < MOST_COLUMNS {
        let gap = memchr::memmem::find(text.slice(place..end), b"  ").map_or(end, |at| place + at);
        let name = text.slice(place..gap);
        let begins = name.first().is_some_and(|byte| is_letter(*byte) || *byte == b'#');
        if !begins || name.len() > 40 {
            return None;
        }
        let field = field_name::field(name);
        sure += usize::from(field.is_some_and(|field| field.sureness != Sureness::Maybe));
        columns.push(field);
        starts.push(place - start);
        place = text.run(gap, end - gap, |byte| byte == b' ');
    }
    // Headings are words for things; a line of a listing is of other words.
    let known = |name: &[u8]| field_name::last_role(name).is_some();
    let ends = starts.iter().skip(1).map(|next| start + next).chain([end]);
    let names = starts.iter().zip(ends).map(|(from, to)| trimmed(text, start + from..to));
    let headings = names.filter(|name| known(text.slice(name.clone()))).count();
    (sure >= 1 && columns.len() >= 2 && headings * 2 >= columns.len()).then_some(Table {
        separator: ALIGNED,
        columns,
        starts,
    })
}

/// The cells of a line of an aligned table; empty ones for those that begin or end within a
/// word. `None` if all do.
fn aligned_cells(
    text: Text<'_>,
    line: Range<usize>,
    starts: &[usize],
) -> Option<Vec<Range<usize>>> {
    let is_edge =
        |place: usize| place >= line.end || place == line.start || is_blank(text.before(place));
    let mut cells = Vec::new();
    for (at, offset) in starts.iter().enumerate() {
        let start = (line.start + offset).min(line.end);
        let next = starts.get(at + 1).map_or(line.end, |next| (line.start + next).min(line.end));
        let is_cell = is_edge(start) && is_edge(next);
        cells.push(if is_cell { trimmed(text, start..next) } else { start..start });
    }
    cells.iter().any(|cell| !cell.is_empty()).then_some(cells)
}

/// `#Fields: date c-ip cs-username`, of the extended log file format (W3C).
fn fields(text: Text<'_>, start: usize) -> Option<Table> {
    const MARK: &[u8] = b"#Fields: ";
    if !text.has(start, MARK) {
        return None;
    }
    let end = text.run(start, 4096, |byte| byte != b'\n' && byte != b'\r');
    let names = text.slice(start + MARK.len()..end).split(|byte| *byte == b' ');
    let columns = names.take(MOST_COLUMNS).map(field_name::field).collect();
    Some(Table { separator: b' ', columns, starts: Vec::new() })
}

/// The table that the line at `start` is the heading of.
fn heading(text: Text<'_>, start: usize) -> Option<Table> {
    if text.at(start) == b'#'
        && let Some(table) = fields(text, start)
    {
        return Some(table);
    }
    let is_part = |byte: u8| IN_HEADER.get(usize::from(byte)).copied().unwrap_or(false);
    let end = text.run(start, 4096, is_part);
    if text.at(end) != b'\n' || end == start {
        return None;
    }
    header(text, start).or_else(|| aligned(text, start))
}

/// Reads a line of names; `None` if it is none, or none of them matters.
fn header(text: Text<'_>, start: usize) -> Option<Table> {
    let is_part = |byte: u8| IN_HEADER.get(usize::from(byte)).copied().unwrap_or(false);
    let end = text.run(start, 4096, is_part);
    if text.at(end) != b'\n' || end == start {
        return None;
    }
    let line = text.slice(start..end);
    let separator = line.iter().copied().find(|byte| b",;\t|".contains(byte))?;
    let cells = cells(text, start..end, separator);
    // `token,` is a line of a program.
    if cells.iter().filter(|cell| !cell.is_empty()).count() < 2 {
        return None;
    }
    let mut sure = 0;
    let mut maybe = 0;
    let mut columns = Vec::new();
    for cell in cells {
        let name = text.slice(cell);
        let words = name.split(|byte| *byte == b' ').count();
        let is_balanced = name.contains(&b'(') == name.contains(&b')');
        let is_name =
            name.first().is_none_or(|byte| is_letter(*byte) || *byte == b'_' || *byte == b'#')
                && name.len() <= 40
                && is_balanced
                && words <= 4;
        let has = |wanted: fn(&u8) -> bool| name.iter().any(wanted);
        let is_value = name.len() >= 12
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_alphabetic)
            && !has(|byte| matches!(byte, b'_' | b' ' | b'.' | b'-'));
        // A setting and its value: `a.b.c⇥8g`.
        let is_setting = separator == b'\t' && name.contains(&b'.');
        if !is_name || is_value || is_setting {
            return None;
        }
        let field = field_name::field(name);
        match field.map(|field| field.sureness) {
            Some(Sureness::Maybe) => maybe += 1,
            Some(_) => sure += 1,
            None => {}
        }
        columns.push(field);
    }
    (sure >= 1 || maybe >= 2).then_some(Table { separator, columns, starts: Vec::new() })
}

/// The cells of a line, without blanks and quotes around them.
fn cells(text: Text<'_>, line: Range<usize>, separator: u8) -> Vec<Range<usize>> {
    let end = text.run_back(line.end, 1, |byte| byte == b'\r').max(line.start);
    // `| a | b |`
    let (start, end) = match separator {
        b'|' => {
            let start = text.run(line.start, 8, |byte| is_blank(byte) || byte == b'|');
            (start, text.run_back(end, 8, |byte| is_blank(byte) || byte == b'|').max(start))
        }
        _ => (line.start, end),
    };
    let mut cells = Vec::new();
    let mut from = start;
    let mut place = start;
    let mut quote = 0;
    while place <= end && cells.len() < MOST_COLUMNS {
        let byte = if place == end { separator } else { text.at(place) };
        let begins = place == from;
        if quote == 0 && begins && byte == b'"' && place < end {
            quote = b'"';
        } else if quote != 0 && byte == quote && place > from && place < end {
            quote = 0;
        } else if (quote == 0 || place == end) && byte == separator {
            cells.push(unquoted(text, from..place));
            from = place + 1;
        }
        place += 1;
    }
    cells
}

/// Without blanks around it and one pair of quotes.
fn unquoted(text: Text<'_>, range: Range<usize>) -> Range<usize> {
    let start = text.run(range.start, range.len(), |byte| byte.is_ascii_whitespace());
    let end = text.run_back(range.end, range.end - start, |byte| byte.is_ascii_whitespace());
    let first = text.at(start);
    let is_quoted =
        end > start + 1 && matches!(first, b'"' | b'\'' | b'`') && text.before(end) == first;
    if is_quoted { start + 1..end - 1 } else { start..end }
}

/// The items between the parenthesis at `open` and its partner, and where that ends.
fn items(text: Text<'_>, open: usize) -> Option<(Vec<Range<usize>>, usize)> {
    if text.at(open) != b'(' {
        return None;
    }
    let mut items = Vec::new();
    let mut from = open + 1;
    let mut place = from;
    let mut depth = 0;
    let mut quote = 0;
    while place < text.len() && place - open < LONGEST_LIST && items.len() < MOST_COLUMNS {
        let byte = text.at(place);
        match byte {
            b'\\' if quote != 0 => place += 1,
            b'\'' | b'"' | b'`' if quote == 0 => quote = byte,
            _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b',' if depth == 0 => {
                items.push(trimmed(text, from..place));
                from = place + 1;
            }
            b')' => {
                items.push(trimmed(text, from..place));
                return Some((items, place + 1));
            }
            _ => {}
        }
        place += 1;
    }
    None
}

fn trimmed(text: Text<'_>, range: Range<usize>) -> Range<usize> {
    let start = text.run(range.start, range.len(), |byte| byte.is_ascii_whitespace());
    start..text.run_back(range.end, range.end - start, |byte| byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use crate::find::{Carried, find};

    fn hidden(text: &str) -> Vec<(&'static str, String)> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|hit| (hit.kind.word(), text[hit.range].to_owned())).collect()
    }

    fn kinds(text: &str) -> Vec<&'static str> {
        hidden(text).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn cells_are_judged_by_the_names_of_their_columns() {
        let table = "id,name,born,note\n7,Ann Lee,1980-02-03,ok\n8,\"Lee, Bo\",1981-02-03,ok\n";
        let wanted = [
            ("name", "Ann Lee"),
            ("dob", "1980-02-03"),
            ("name", "Lee, Bo"),
            ("dob", "1981-02-03"),
        ];
        assert_eq!(hidden(table), wanted.map(|(kind, text)| (kind, text.to_owned())));
        // A line with other cells ends the table.
        assert_eq!(kinds("name,email\nall done\nZed Lee,x\n"), [] as [&str; 0]);
    }

    #[test]
    fn a_table_goes_on_in_the_next_block() {
        let mut carried = Carried::default();
        find(b"user_name\tcity\n", &mut carried, true);
        assert_eq!(find(b"ann_lee\tEly\n", &mut carried, true).len(), 2);
    }

    #[test]
    fn cells_may_be_aligned_instead_of_separated() {
        let table = "EMPNO   NAME                PHONE\n-------------------------------\n\
                     63994   Ashworth, Callum    020794/60538\n";
        assert_eq!(kinds(table), ["name", "phone"]);
        let table = "USER       PID  %CPU\nann_lee    812  0.3\n";
        assert_eq!(kinds(table), ["user"; 0]);
        assert_eq!(kinds("NAME    READY   STATUS\nweb-1   1/1     Running\n"), [""; 0]);
    }

    #[test]
    fn a_log_may_name_its_fields() {
        let log = "#Fields: date time s-ip cs-method cs-username c-ip sc-status\n\
                   2025-06-23 23:43:24 10.0.0.5 POST vmunteanu 203.0.113.9 401\n";
        assert_eq!(kinds(log), ["user", "ip"]);
    }

    #[test]
    fn inserted_and_copied_rows_are_tables_too() {
        let insertion =
            "INSERT INTO t (id, email, city) VALUES (1, 'x', 'Ely'), (2, 'a@b.org', 'Bath')";
        assert_eq!(kinds(insertion), ["address", "email", "address"]);
        assert_eq!(kinds("COPY t (id, passwd) FROM stdin;\n1\ttulip3\n\\.\n"), ["password"]);
    }
}
