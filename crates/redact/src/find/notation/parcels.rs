//! Labels of parcels: who is below `SHIP TO:`, and what is printed in which place (ZPL).

use super::forms::{line_behind, line_end};
use super::judge::is_organisation;
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_letter};
use crate::kind::Kind;

/// Bytes of a label.
const LONGEST: usize = 4096;

/// Whether a person may be called so: letters alone, and no company.
fn is_name(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii();
    bytes.iter().all(|byte| is_letter(*byte) || b" .,'-".contains(byte))
        && (bytes.contains(&b' ') || bytes.iter().any(|byte| *byte >= 0xe3))
        && !is_organisation(bytes)
}

impl Scan<'_> {
    /// `SHIP TO:`, and a name and an address on the lines below the word that ends at `end`.
    pub(super) fn label_of_parcel(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let colon = text.run(end, 2, |byte| byte == b':' || byte == b' ');
        let mut line = line_behind(text, colon);
        let first = line;
        if line == colon {
            return None;
        }
        let mut has_number = false;
        let mut lines = [(0, 0); 5];
        let mut count = 0;
        for free in &mut lines {
            let start = text.run(line, 16, is_blank);
            let stop = line_end(text, start);
            let bytes = text.slice(start..stop);
            if bytes.is_empty()
                || bytes.len() > 60
                || bytes.contains(&b':')
                || bytes.contains(&b'=')
            {
                break;
            }
            has_number |= count > 0 && bytes.iter().any(u8::is_ascii_digit);
            *free = (start, stop);
            count += 1;
            line = line_behind(text, stop);
            if line == stop {
                break;
            }
        }
        let name = text.slice(lines.first().map_or(0..0, |(start, stop)| *start..*stop));
        let is_written = name.iter().all(|byte| is_letter(*byte) || b" .'-".contains(byte))
            && name.contains(&b' ')
            && name.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0x80);
        if count < 2 || !has_number || !is_written || is_organisation(name) || first == end {
            return None;
        }
        for (at, (start, stop)) in lines.into_iter().take(count).enumerate() {
            let kind = if at == 0 { Kind::Name } else { Kind::Address };
            self.hide_filled(start..stop, kind);
        }
        None
    }

    /// `TO: ANN LEE`, and an address on indented lines below the one whose word ends at `end`.
    pub(super) fn lines_below_name(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let head = text.run_back(start, 6, |byte| byte != b'\n' && byte != 0);
        let begins = head == start || text.has(head, b"SHIP ") || text.has(head, b"Ship ");
        let name = end + 2..line_end(text, end);
        if !begins || !is_name(text.slice(name.clone())) {
            return None;
        }
        let mut line = line_behind(text, name.end);
        let mut lines = [(0, 0); 4];
        let mut count = 0;
        let mut has_number = false;
        for free in &mut lines {
            let from = text.run(line, 16, is_blank);
            let stop = line_end(text, from);
            if from < line + 2 || from == stop {
                break;
            }
            let bytes = text.slice(from..stop);
            // `Phone: …`, `☎: …`: the last line.
            let colon = bytes.iter().position(|byte| *byte == b':').filter(|at| *at < 12);
            if let Some(colon) = colon {
                let number = text.run(from + colon + 1, 4, is_blank);
                let is_number = |byte: u8| byte.is_ascii_digit() || b" +-().~/".contains(&byte);
                let is_phone =
                    has_number && text.slice(number..stop).iter().copied().all(is_number);
                if is_phone {
                    self.hide_filled(number..stop, Kind::Phone);
                }
                break;
            }
            has_number |= bytes.iter().any(u8::is_ascii_digit);
            *free = (from, stop);
            count += 1;
            line = line_behind(text, stop);
        }
        if has_number {
            self.hide_filled(name, Kind::Name);
            for (from, stop) in lines.into_iter().take(count) {
                self.hide_filled(from..stop, Kind::Address);
            }
        }
        None
    }

    /// `^XA…^FDAnn Lee^FS…^FD9 High Street^FS…^XZ`, whose first word is at `start..end`: the
    /// name and the address below it; what is printed as a bar code stays.
    pub(super) fn printed_label(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if start < self.ahead {
            return None;
        }
        let stop = text.run(end, LONGEST, |byte| byte != 0);
        let stop = memchr::memmem::find(text.slice(end..stop), b"^XZ").map_or(stop, |at| end + at);
        if self.is_read(start, stop) {
            return None;
        }
        // A name that an address must follow, or that followed it.
        let mut name = None;
        let mut is_addressed = false;
        let mut place = end;
        while let Some(mark) = memchr::memmem::find(text.slice(place..stop), b"^FD") {
            let from = place + mark + 3;
            let until = text.run(from, stop - from, |byte| byte != b'^' && byte != b'\n');
            let value = text.slice(from..until);
            let is_code = memchr::memmem::find(text.slice(place..from - 3), b"^B").is_some();
            let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
            let letters = value.iter().filter(|byte| is_letter(**byte)).count();
            let phone = text.run(from, 6, |byte| is_letter(byte) || b". :".contains(&byte));
            let is_phone = text.slice(phone..until).iter().all(|byte| !is_letter(*byte));
            if is_code {
                is_addressed = false;
            } else if is_addressed && is_phone && digits >= 7 {
                self.hide_filled(phone..until, Kind::Phone);
            } else if digits > 0 && letters >= 3 && (name.is_some() || is_addressed) {
                if let Some(name) = name.take() {
                    self.hide_filled(name, Kind::Name);
                }
                self.hide_filled(from..until, Kind::Address);
                is_addressed = true;
            } else {
                name = is_name(value).then_some(from..until);
            }
            place = until;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn persons_and_addresses_on_labels_are_hidden() {
        for (text, wanted) in [
            (
                "SHIP TO:\nANN LEE\n9 HIGH STREET\nELY CB7 4AA\nGB\n\nTRACKING",
                &["ANN LEE", "9 HIGH STREET", "ELY CB7 4AA"][..],
            ),
            (
                "EXP: Acme Freight Ltd\nDEST: Lee, Ann\n  9 High Street\n  CB7 4AA Ely, GB\n  Phone: 020 794 60102\nREF: 1\n",
                &["Lee, Ann", "9 High Street", "CB7 4AA Ely, GB", "020 794 60102"],
            ),
            (
                "^XA\n^FO50,30^A0N,30,30^FDAnn Lee^FS\n^FO50,90^FD9 High Street^FS\n^FO50,150^FDCB7 4AA Ely^FS\n^FO50,180^FDTel 00441353555012^FS\n^FO50,250^BCN,80^FDJJD712993045009662^FS\n^XZ",
                &["Ann Lee", "9 High Street", "CB7 4AA Ely", "00441353555012"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn companies_and_lists_stay() {
        for text in [
            "SHIP TO:\nACME WAREHOUSE INC\n1 DOCK ROAD\n",
            "SHIP TO: see the list\nall items\n9 boxes\n",
            "^XA^FDACME FREIGHT LTD^FS^FD1 DOCK ROAD^FS^XZ",
            "EXP: never\nDEST: /usr/lib\n  9 files\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
