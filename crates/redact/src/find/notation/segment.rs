//! Messages of segments: a tag, and fields that are known by their number alone (HL7,
//! EDIFACT, X12, NMEA).

use std::ops::Range;

use super::judge::{is_filled, is_organisation};
use crate::find::scan::Scan;
use crate::find::text::{Text, is_letter};
use crate::kind::Kind;

/// How messages of a standard are written.
#[derive(Clone, Copy)]
pub(super) struct Syntax {
    /// What may be between fields, and so behind the tag.
    pub(super) fields: &'static [u8],
    /// Between the parts of a field.
    pub(super) parts: u8,
    /// Between several values of a field; NUL if there is none.
    pub(super) repeats: u8,
    /// Takes its meaning from the next sign; NUL if there is none.
    pub(super) release: u8,
    /// What ends a segment, and a line does.
    pub(super) end: u8,
    /// Whether the first field is a code: three capitals or digits at most.
    pub(super) is_coded: bool,
    /// Whether a segment whose fields other signs part than the first must have its end.
    pub(super) is_ended: bool,
    /// Fields that a segment has at least.
    pub(super) least: usize,
}

/// Where in a segment something personal is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The number of the field behind the tag, from 1.
    field: usize,
    /// The numbers of its parts, from 1; all of them without.
    parts: Option<(usize, usize)>,
    kind: Kind,
    /// The field whose first part must be one of these codes.
    when: Option<(usize, &'static [&'static str])>,
    /// The field that must not have the name of a company.
    person: Option<usize>,
    /// The field that must be a date.
    date: Option<usize>,
    /// Whether an id may be before the parts, which then begin with the second one.
    has_id: bool,
}

/// The field of this number.
pub(super) const fn field(number: usize, kind: Kind) -> Place {
    Place { field: number, parts: None, kind, when: None, person: None, date: None, has_id: false }
}

impl Place {
    /// Only these parts of the field, and what is between them.
    pub(super) const fn parts(self, first: usize, last: usize) -> Self {
        Self { parts: Some((first, last)), ..self }
    }

    /// Only where the first part of the field `number` is one of `codes`.
    pub(super) const fn when(self, number: usize, codes: &'static [&'static str]) -> Self {
        Self { when: Some((number, codes)), ..self }
    }

    /// Only where the field `number` is a date: where programs leave out a field, those behind
    /// it have other numbers.
    pub(super) const fn before_date(self, number: usize) -> Self {
        Self { date: Some(number), ..self }
    }

    /// An id may be before the parts, and stays.
    pub(super) const fn behind_id(self) -> Self {
        Self { has_id: true, ..self }
    }

    /// Only where the field `number` does not have the name of a company.
    pub(super) const fn of_person(self, number: usize) -> Self {
        Self { person: Some(number), ..self }
    }
}

/// Fields of a segment that are looked at, and its bytes.
const MOST_FIELDS: usize = 48;
const LONGEST: usize = 4096;

/// The fields of a segment.
struct Fields {
    ends: [(usize, usize); MOST_FIELDS],
    count: usize,
    end: usize,
}

impl Fields {
    /// Of the segment whose first separator is at `from`.
    fn of(text: Text<'_>, from: usize, syntax: &Syntax) -> Self {
        let sign = text.at(from);
        let mut fields = Self { ends: [(0, 0); MOST_FIELDS], count: 0, end: from };
        let mut start = from + 1;
        let mut place = start;
        let limit = text.len().min(from + LONGEST);
        loop {
            let byte = text.at(place);
            let ends = place >= limit || byte == syntax.end || matches!(byte, b'\n' | b'\r' | 0);
            if ends || byte == sign {
                if let Some(free) = fields.ends.get_mut(fields.count) {
                    *free = (start, place);
                    fields.count += 1;
                }
                start = place + 1;
            }
            if ends {
                fields.end = place;
                return fields;
            }
            let is_released = syntax.release != 0
                && byte == syntax.release
                && !matches!(text.at(place + 1), b'\n' | b'\r' | 0);
            place += if is_released { 2 } else { 1 };
            place = place.min(limit);
        }
    }

    fn get(&self, number: usize) -> Range<usize> {
        let (start, end) =
            number.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or((0, 0));
        start..end
    }
}

/// What parts fields in the message that the segment at `start` is of, whose fields are not
/// parted by the usual sign: the one behind `sign` in `MSH`.
fn agreed(text: Text<'_>, start: usize, sign: u8) -> Option<u8> {
    let from = start.saturating_sub(LONGEST);
    let head = memchr::memmem::rfind(text.slice(from..start), &[b'M', b'S', b'H', sign])?;
    Some(text.at(from + head + 4))
}

impl Scan<'_> {
    /// Hides `places` of the segment whose tag is at `start..end`.
    pub(super) fn segment(
        &mut self,
        start: usize,
        end: usize,
        syntax: &Syntax,
        places: &[Place],
    ) -> Option<usize> {
        let text = self.text;
        let begins = !matches!(text.before(start), b'-' | b'.' | b'/' | b'_' | b'*' | b'<' | b'&');
        if !syntax.fields.contains(&text.at(end)) || !begins || start < self.ahead {
            return None;
        }
        let fields = Fields::of(text, end, syntax);
        let first = text.slice(fields.get(1));
        let code = first.split(|byte| *byte == syntax.parts).next().unwrap_or_default();
        let is_code = code.len() <= 3
            && code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let is_usual = syntax.fields.first() == Some(&text.at(end));
        // What other signs part may be a table: only the end of the segment shows which.
        let is_ended = is_usual || !syntax.is_ended || text.at(fields.end) == syntax.end;
        if fields.count < syntax.least || syntax.is_coded && !is_code || !is_ended {
            return None;
        }
        self.is_read(start, fields.end);
        let parts = if is_usual { None } else { agreed(text, start, text.at(end)) };
        let syntax = &Syntax { parts: parts.unwrap_or(syntax.parts), ..*syntax };
        for place in places {
            let applies = place.when.is_none_or(|(number, codes)| {
                let code = text.slice(fields.get(number));
                let code = code.split(|byte| *byte == syntax.parts).next().unwrap_or_default();
                codes.iter().any(|known| known.as_bytes() == code)
            });
            let is_company =
                place.person.is_some_and(|number| is_organisation(text.slice(fields.get(number))));
            let is_dated = place.date.is_none_or(|number| {
                let date = text.slice(fields.get(number));
                date.len() >= 8 && date.iter().all(u8::is_ascii_digit)
            });
            if applies && is_dated && !is_company {
                self.field_of_segment(fields.get(place.field), syntax, place);
            }
        }
        None
    }

    /// Hides the parts of a field in each of its values.
    fn field_of_segment(&mut self, field: Range<usize>, syntax: &Syntax, place: &Place) {
        let text = self.text;
        let mut from = field.start;
        while from < field.end {
            let is_inside = |byte: u8| syntax.repeats == 0 || byte != syntax.repeats;
            let end = text.run(from, field.end - from, is_inside);
            let first_end = text.run(from, end - from, |byte| byte != syntax.parts);
            let is_id = text.slice(from..first_end).iter().all(|byte| !is_letter(*byte))
                || text.slice(from..first_end).iter().any(u8::is_ascii_digit);
            let ids = usize::from(place.has_id && is_id);
            let range = match place.parts {
                Some((first, last)) => parts(text, from..end, syntax, first + ids, last + ids),
                None => from..end,
            };
            // Separators at either end are of no value.
            let is_sign = |byte: u8| byte == syntax.parts || byte == b' ';
            let start = text.run(range.start, range.len(), is_sign);
            let stop = text.run_back(range.end, range.end - start, is_sign);
            // `18^SELF` is a code.
            let is_code = place.kind == Kind::Name && text.at(start).is_ascii_digit();
            // `""` empties a field.
            let is_code = is_code || text.slice(start..stop).starts_with(b"\"\"");
            if !is_code && is_filled(text.slice(start..stop), place.kind) {
                self.hide(start..stop, place.kind);
            }
            from = end + 1;
        }
    }
}

/// The parts from `first` to `last` of a field.
fn parts(
    text: Text<'_>,
    field: Range<usize>,
    syntax: &Syntax,
    first: usize,
    last: usize,
) -> Range<usize> {
    let mut number = 1;
    let mut start = field.start;
    let mut place = field.start;
    while place < field.end {
        let byte = text.at(place);
        if byte == syntax.parts {
            if number == last {
                break;
            }
            number += 1;
            if number == first {
                start = place + 1;
            }
        }
        place += if syntax.release != 0 && byte == syntax.release { 2 } else { 1 };
    }
    if number < first { field.end..field.end } else { start..place.min(field.end) }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn segments_of_claims_are_parted_by_other_signs_if_they_end() {
        for (text, wanted) in [
            (
                "NM1|IL|1|LEE|ANN|MO|||MI|VYY037219~N3|9 HIGH STREET~N4|ELY|OH|45438~DMG|D8|19800203|F~",
                &["LEE", "ANN", "MO", "VYY037219", "9 HIGH STREET", "ELY", "45438", "19800203"][..],
            ),
            ("PER|IC|ANN LEE|TE|2125550142~", &["ANN LEE", "2125550142"]),
            ("| N3|left column|right |\n", &[]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_relation_is_no_name_and_fields_may_be_left_out_before_it() {
        for (text, wanted) in [
            (
                "IN1|1|PPO|77|PAYER||||88|||||||LEE^ANN|18^SELF|19800203|9 HIGH ST^^ELY||||||||||||||||NEP567592\r",
                &["LEE^ANN", "19800203", "9 HIGH ST^^ELY", "NEP567592"][..],
            ),
            (
                "IN1|1|PPO|77|PAYER||||88||||||||LEE^ANN|18^SELF|19800203\r",
                &["LEE^ANN", "19800203"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn who_treats_has_an_id_or_none() {
        for (text, wanted) in [
            ("PD1||||203741^GRAY^MEL^^^DR\r", "GRAY^MEL"),
            ("QRD|20260101|R|I|Q4|||10^RD|GRAY^MEL|DEM\r", "GRAY^MEL"),
            ("PV1|1|I|W4||||1234^GRAY^MEL^^^DR\r", "GRAY^MEL"),
        ] {
            assert_eq!(hidden(text), [wanted], "{text}");
        }
    }
}
