//! Elements of DICOM (images of medicine), which have numbers: as `dcmdump` and pydicom print
//! them, and in JSON.

use super::judge::is_filled;
use crate::find::scan::Scan;
use crate::find::text::is_blank;
use crate::kind::Kind;

/// The personal elements of PS3.15, annex E, by group and element.
const ELEMENTS: &[(u32, Kind)] = &[
    (0x0008_0050, Kind::NationalId),
    (0x0008_0090, Kind::Name),
    (0x0008_0092, Kind::Address),
    (0x0008_0094, Kind::Phone),
    (0x0008_009c, Kind::Name),
    (0x0008_1048, Kind::Name),
    (0x0008_1050, Kind::Name),
    (0x0008_1060, Kind::Name),
    (0x0008_1070, Kind::Name),
    (0x0010_0010, Kind::Name),
    (0x0010_0020, Kind::NationalId),
    (0x0010_0030, Kind::Birth),
    (0x0010_1000, Kind::NationalId),
    (0x0010_1001, Kind::Name),
    (0x0010_1005, Kind::Name),
    (0x0010_1040, Kind::Address),
    (0x0010_1060, Kind::Name),
    (0x0010_2154, Kind::Phone),
    (0x0010_2297, Kind::Name),
    (0x0032_1032, Kind::Name),
    (0x0038_0010, Kind::NationalId),
    (0x0040_0006, Kind::Name),
    (0x0040_0241, Kind::Name),
    (0x0040_a075, Kind::Name),
    (0x0040_a123, Kind::Name),
    (0x4008_0114, Kind::Name),
];

/// Bytes of the line behind an element's number.
const LONGEST_LINE: usize = 512;

fn kind_of(group: &[u8], element: &[u8]) -> Option<Kind> {
    let value = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    };
    let number = value(group)? << 16 | value(element).filter(|_| element.len() == 4)?;
    ELEMENTS.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
}

impl Scan<'_> {
    /// `(0010,0010) PN [DOE^JOHN]`, `(0010, 0010) Patient's Name  PN: 'DOE^JOHN'`: the element
    /// whose group is between `open` and the comma before `group`.
    pub(super) fn dicom_element(&mut self, open: usize, group: usize) -> Option<usize> {
        let text = self.text;
        let start = text.run(group, 1, |byte| byte == b' ');
        let close = start + 4;
        let kind = kind_of(text.slice(open + 1..open + 5), text.slice(start..close))?;
        if text.at(close) != b')' {
            return None;
        }
        let end = text.run(close, LONGEST_LINE, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let line = text.slice(close..end);
        let at = |place: Option<usize>| place.map(|place| close + place);
        // `PN [`, `PN #8 [`: the representation is two capitals.
        let is_letters =
            |from: usize| text.slice(from..from + 2).iter().all(u8::is_ascii_uppercase);
        let open = at(memchr::memchr(b'[', line));
        let colon = at(memchr::memmem::find(line, b": "));
        let range = match (open, colon) {
            (Some(open), _) if is_letters(text.run(close + 1, 4, is_blank)) => {
                let stop = at(memchr::memrchr(b']', line)).filter(|stop| *stop > open)?;
                open + 1..stop
            }
            (_, Some(colon)) if colon > close + 2 && is_letters(colon - 2) => {
                let value = colon + 2;
                match text.at(value) {
                    quote @ (b'\'' | b'"') => {
                        value + 1..text.run(value + 1, end - value, |byte| byte != quote)
                    }
                    _ => value..end,
                }
            }
            _ => return None,
        };
        let stop = text.run_back(range.end, range.len(), |byte| byte == b' ' || byte == b'^');
        if !is_filled(text.slice(range.start..stop), kind) {
            return None;
        }
        Some(self.hide(range.start..stop, kind))
    }

    /// `PatientName: DOE^JOHN`, whose word ends at `end`: parts of a name are between carets.
    pub(super) fn dicom_keyword(&mut self, end: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let from = text.run(end, 8, |byte| b"\"' :=".contains(&byte));
        let stop = text.run(from, 64, |byte| byte >= b' ' && !b"\"',;])".contains(&byte));
        let stop = text.run_back(stop, 64, |byte| byte == b' ' || byte == b'^');
        let value = text.slice(from..stop);
        let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_written = match kind {
            Kind::Name => value.contains(&b'^'),
            _ => digits >= 4 && !value.contains(&b'('),
        };
        let fits = from > end && is_written;
        (fits && self.hide_filled(from..stop, kind)).then_some(stop)
    }

    /// `"00100010":{"vr":"PN","Value":[…]}`: the values behind the `vr` at `start..end`.
    pub(super) fn dicom_json(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_between = |byte: u8| byte.is_ascii_whitespace() || b"\":{".contains(&byte);
        let number = text.run_back(start, 48, is_between).checked_sub(8)?;
        let kind = kind_of(text.slice(number..number + 4), text.slice(number + 4..number + 8))?;
        let stop = text.run(end, LONGEST_LINE, |byte| byte != b']' && byte != 0);
        let list = memchr::memmem::find(text.slice(end..stop), b"Value")?;
        if text.before(number) != b'"' {
            return None;
        }
        let mut place = end + list + 6;
        let end = stop;
        while place < end {
            let open = text.run(place, end - place, |byte| byte != b'"');
            let stop = text.run(open + 1, end - open, |byte| byte != b'"' && byte != b']');
            let is_name_of_field = text.at(text.run(stop + 1, 2, is_blank)) == b':';
            if !is_name_of_field && is_filled(text.slice(open + 1..stop), kind) {
                self.hide(open + 1..stop, kind);
            }
            place = stop + 1;
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn elements_are_read_as_several_programs_print_them() {
        for line in [
            "(0010,0010) PN [DOE^JOHN]                               #   8, 1 PatientName",
            "348: (0010,0010) PN #8 [DOE^JOHN] PatientName",
            "(0010, 0010) Patient's Name                      PN: 'DOE^JOHN'",
            "(0010,0010) PN [DOE^JOHN ]                              # 8,1 Patient's Name",
            "D: (0008,0090) PN [DOE^JOHN]    #  8, 1 ReferringPhysicianName",
        ] {
            assert_eq!(hidden(line), ["DOE^JOHN"], "{line}");
        }
    }

    #[test]
    fn elements_of_things_and_empty_ones_stay() {
        for line in [
            "(0010,0010) PN (no value available)                     #   0, 0 PatientName",
            "(0008,0016) UI =MRImageStorage                          #  26, 1 SOPClassUID",
            "(0008, 0080) Institution Name                    LO: 'Imaging'",
            "(0010,0040) CS [M]                                      #   2, 1 PatientSex",
            "(0028,0010) US 512                                      #   2, 1 Rows",
            "(0008,0020) DA [20260102]                               #   8, 1 StudyDate",
            "call f(0010,0010) with [DOE]",
        ] {
            assert_eq!(hidden(line), [""; 0], "{line}");
        }
    }
}
