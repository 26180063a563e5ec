//! Messages of hospitals (HL7, version 2), whose fields have numbers.

use crate::field_name;
use crate::find::scan::Scan;

/// Fields of a line by their number, and names that say the same.
type Numbered = &'static [(usize, &'static [u8])];

/// Lines about persons.
const SEGMENTS: &[(&[u8], Numbered)] = &[
    (
        b"PID|",
        &[
            (3, b"mrn"),
            (5, b"fullname"),
            (7, b"dob"),
            (9, b"fullname"),
            (11, b"street"),
            (13, b"phone"),
            (14, b"phone"),
            (19, b"ssn"),
        ],
    ),
    (b"NK1|", &[(2, b"fullname"), (4, b"street"), (5, b"phone"), (6, b"phone")]),
    (b"GT1|", &[(3, b"fullname"), (5, b"street"), (6, b"phone"), (8, b"dob"), (12, b"ssn")]),
    (b"IN1|", &[(16, b"fullname"), (18, b"dob"), (19, b"street")]),
];

/// Bytes of a line that may be one.
const LONGEST_LINE: usize = 1 << 16;

impl Scan<'_> {
    /// A line of an HL7 message (version 2) about persons, whose fields have numbers.
    pub(in crate::find) fn segment(&mut self, start: usize) {
        let text = self.text;
        let Some((_, fields)) = SEGMENTS.iter().find(|(name, _)| text.has(start, name)) else {
            return;
        };
        let end = text.run(start, LONGEST_LINE, |byte| byte != b'\n' && byte != b'\r');
        let mut from = start;
        for (number, cell) in text.slice(start..end).split(|byte| *byte == b'|').enumerate() {
            let range = from..from + cell.len();
            from = range.end + 1;
            let Some((_, name)) = fields.iter().find(|(wanted, _)| *wanted == number) else {
                continue;
            };
            let Some(field) = field_name::field(name) else { continue };
            let is_filled = cell.iter().any(u8::is_ascii_alphanumeric);
            if is_filled && cell.len() < 250 {
                self.hide(range, field.kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::find::{Carried, find};

    #[test]
    fn segments_of_hl7_have_their_persons_in_numbered_fields() {
        let line = "PID|1||4711^^^HOSP||LEE^ANN||19800203|F|||1 High St^^Ely||555\r\n";
        let found = find(line.as_bytes(), &mut Carried::default(), true);
        let kinds: Vec<_> = found.iter().map(|span| span.kind.word()).collect();
        assert_eq!(kinds, ["national-id", "name", "dob", "address", "phone"]);
    }
}
