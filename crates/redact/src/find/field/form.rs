//! A line of a form that is a table: a label in one cell, its value in the next.

use std::ops::Range;

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_word};

/// Bytes of a label, and of a value.
const LONGEST_LABEL: usize = 64;
const LONGEST_VALUE: usize = 256;

/// A line of two cells.
struct Row {
    label: Range<usize>,
    value: Range<usize>,
    /// Where the line ends.
    end: usize,
}

impl Scan<'_> {
    /// Hides the value of the line that starts at `start`, if it is a label, a tab or a bar, and
    /// a value; gives where the line ends.
    pub(in crate::find) fn form_row(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let row = row(text, start)?;
        let field = label(text, &row)?;
        let value =
            Value { range: row.value.clone(), is_delimited: true, separator: Separator::Cell };
        let range = plausible::sensitive(text, &value, field)?;
        // A line of a form, and no heading of a table: the next one has a label, too, or the
        // value is no name.
        let bytes = text.slice(row.value.clone());
        let is_name = bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b"_ -".contains(byte));
        let is_field = field_name::field(bytes).is_some();
        let is_form = self.form_end == Some(start) || is_labelled(text, row.end);
        if is_field || is_name && !is_form || is_rule(text, row.end) {
            return None;
        }
        self.form_end = Some(row.end + 1);
        self.hide(range, field.kind);
        Some(row.end)
    }
}

/// What the label of `row` announces.
fn label(text: Text<'_>, row: &Row) -> Option<Field> {
    let field = field_name::field(text.slice(row.label.clone()))?;
    (field.sureness != Sureness::Maybe).then_some(field)
}

/// Whether the line behind the one that ends at `end` is of a form.
fn is_labelled(text: Text<'_>, end: usize) -> bool {
    row(text, end + 1).is_some_and(|row| {
        label(text, &row).is_some() && field_name::field(text.slice(row.value)).is_none()
    })
}

/// Whether the line behind the one that ends at `end` is the rule below a heading.
fn is_rule(text: Text<'_>, end: usize) -> bool {
    let next = text.run(end + 1, 256, |byte| b"-+|=: \r".contains(&byte));
    next > end + 3 && text.at(next) == b'\n'
}

/// The two cells of the line at `start`.
fn row(text: Text<'_>, start: usize) -> Option<Row> {
    // Hardly any line has either.
    let reach = text.slice(start..(start + LONGEST_LABEL + 5).min(text.len()));
    memchr::memchr2(b'\t', b'|', reach)?;
    let from = text.run(start, 4, |byte| is_blank(byte) || byte == b'|');
    let is_label = |byte: u8| is_word(byte) || b" .'-/()#".contains(&byte);
    let bar = text.run(from, LONGEST_LABEL, is_label);
    let separator = text.at(bar);
    // `csrf_token|s:8:"…"` is no cell.
    let is_cell = separator == b'\t' || separator == b'|' && is_blank(text.at(bar + 1));
    if !is_cell || bar < from + 2 {
        return None;
    }
    let label = from..text.run_back(bar, bar - from, is_blank);
    let begin = text.run(bar + 1, 16, |byte| is_blank(byte) || byte == separator);
    let close =
        text.run(begin, LONGEST_VALUE, |byte| byte != b'\n' && byte != separator && byte != 0);
    let rest = text.run(close, 16, |byte| is_blank(byte) || byte == separator || byte == b'\r');
    if close == begin || !matches!(text.at(rest), b'\n' | 0) {
        return None;
    }
    let value = begin..text.run_back(close, close - begin, |byte| is_blank(byte) || byte == b'\r');
    Some(Row { label, value, end: rest })
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn values_beside_their_labels_are_hidden() {
        for (text, wanted) in [
            ("| PIN | 4711 |\n| Login | ann_lee |\n", &["4711", "ann_lee"][..]),
            (
                "Wachtwoord\tbloem\nGebruikersnaam\tkuiperss\nPincode\t9096\n",
                &["bloem", "kuiperss", "9096"],
            ),
            ("<tr><td>PIN</td><td>4711</td></tr>", &["4711"]),
            ("<b>Passport no:</b> C01X00T47<br>", &["C01X00T47"]),
            ("PIN ......... 4711\nUlica ....... Kwiatowa 5\n", &["4711", "Kwiatowa 5"]),
            ("Ad -> Deniz\nPIN -> 5159\n", &["Deniz", "5159"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn headings_of_tables_are_none() {
        for text in [
            "| user | department |\n|------|------|\n| 1 | 2 |\n",
            "username\tdepartment\n",
            "| token | meaning |\n",
            "count\t4711\n",
            "user->name = 3; x ... y\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
