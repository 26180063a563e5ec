//! Messages of SWIFT (MT), whose fields have numbers and whose parties are lines.

use std::ops::Range;

use super::judge::{is_filled, is_organisation};
use crate::find::scan::Scan;
use crate::find::text::{Text, is_word};
use crate::kind::Kind;

/// Lines of a field, and bytes of one; the standard has fewer.
const MOST_LINES: usize = 8;
const LONGEST_LINE: usize = 80;
/// Bytes of the text of a statement.
const LONGEST_TEXT: usize = 512;

/// The characters of the standard.
fn is_written(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" /-?:().,'+".contains(&byte)
}

/// Lines of a field, from `place` to the next field or the end of the block.
fn lines(text: Text<'_>, place: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = Some(place);
    std::iter::from_fn(move || {
        let start = from?;
        // Lines may be indented.
        let start = text.run(start, 16, |byte| byte == b'\t' || byte == b' ');
        let end = text.run(start, LONGEST_LINE, is_written);
        let next = text.run(text.run(end, 1, |byte| byte == b'\r'), 1, |byte| byte == b'\n');
        let is_next = matches!(text.at(start), b':' | b'-' | b'{' | b'}') || end == start;
        let ends = is_next && start > place;
        from = (next > end).then_some(next);
        (!ends).then_some(start..end)
    })
    .take(MOST_LINES)
}

impl Scan<'_> {
    /// `:50K:/account⏎name⏎address…`, whose tag ends at `end`.
    pub(super) fn swift_party(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        // `10:59:50:` is a time, `field :59: received` a sentence.
        if is_word(text.before(start)) || text.at(end) == b' ' {
            return None;
        }
        let option = text.before(end - 1);
        let mut is_named = false;
        let mut is_company = false;
        for line in lines(text, end) {
            let bytes = text.slice(line.clone());
            let code = bytes.first().copied().unwrap_or(0);
            if code == b'/' {
                self.account_line(line);
            } else if bytes.get(1) == Some(&b'/') && matches!(code, b'1'..=b'8') {
                self.numbered_line(line.start + 2..line.end, code, &mut is_company);
            } else if option == b'F' && !is_named && bytes.get(4) == Some(&b'/') {
                // `NIDN/GB/AB123456C`: a number, and whose it is.
                let slash = memchr::memrchr(b'/', bytes)?;
                self.hide_filled(line.start + slash + 1..line.end, Kind::NationalId);
            } else if !matches!(option, b'A' | b'C' | b'G') {
                is_company |= !is_named && is_organisation(bytes);
                let kind = if is_named { Kind::Address } else { Kind::Name };
                if !is_company {
                    self.hide_filled(line, kind);
                }
            }
            is_named |= code != b'/';
        }
        None
    }

    /// `50K: Ordering Customer⏎   /account⏎   name…`, as messages are printed for readers: the
    /// indented lines below the one in which `end` is.
    pub(super) fn printed_party(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut line = text.run(end, LONGEST_LINE, |byte| byte != b'\n' && byte != 0) + 1;
        let mut is_named = false;
        for _ in 0..MOST_LINES {
            let from = text.run(line, 24, |byte| byte == b' ');
            let stop = text.run(from, LONGEST_LINE, |byte| !matches!(byte, b'\n' | b'\r' | 0));
            let bytes = text.slice(from..stop);
            if from < line + 2 || bytes.is_empty() || !bytes.iter().copied().all(is_written) {
                break;
            }
            if bytes.starts_with(b"/") {
                self.account_line(from..stop);
            } else if !is_named && is_organisation(bytes) {
                break;
            } else {
                self.hide_filled(from..stop, if is_named { Kind::Address } else { Kind::Name });
                is_named = true;
            }
            line = text.run(stop, 2, |byte| matches!(byte, b'\r' | b'\n'));
        }
        None
    }

    /// `1/name`, `2/street`, `3/country/town`, … of parties of option F.
    fn numbered_line(&mut self, line: Range<usize>, code: u8, is_company: &mut bool) {
        let text = self.text;
        let bytes = text.slice(line.clone());
        // Behind the country.
        let behind = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (from, kind) = match code {
            b'1' => (0, Kind::Name),
            b'2' => (0, Kind::Address),
            b'3' => (usize::from(bytes.get(2) == Some(&b'/')) * 3, Kind::Address),
            b'4' => (0, Kind::Birth),
            b'5' => (behind, Kind::Address),
            b'6' | b'7' => (behind, Kind::NationalId),
            _ => return,
        };
        *is_company |= code == b'1' && is_organisation(bytes);
        if !*is_company {
            self.hide_filled(line.start + from..line.end, kind);
        }
    }

    /// `/DE89…`, `/C/40532013`, `//CH123456`: the last is a clearing code, and stays.
    fn account_line(&mut self, line: Range<usize>) {
        let bytes = self.text.slice(line.clone());
        if bytes.starts_with(b"//") {
            return;
        }
        let from = if matches!(bytes, [b'/', b'C' | b'D', b'/', ..]) { 3 } else { 1 };
        self.hide_filled(line.start + from..line.end, Kind::Account);
    }

    /// `:25:account`, `:57A:/account⏎BANK`.
    pub(super) fn swift_account(&mut self, start: usize, end: usize) -> Option<usize> {
        let first = lines(self.text, end).next()?;
        let bytes = self.text.slice(first.clone());
        if bytes.starts_with(b"/") {
            self.account_line(first);
        } else if self.text.has(start, b":25") {
            let bank = bytes.iter().position(|byte| *byte == b'/').map_or(0, |at| at + 1);
            let account = first.start + bank..first.end;
            let is_account = self.text.slice(account.clone()).iter().all(u8::is_ascii_alphanumeric);
            if is_account {
                self.hide_filled(account, Kind::Account);
            }
        }
        None
    }

    /// `?31account?32name?33name` in the text of a statement.
    pub(super) fn swift_narrative(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        // Lines that are joined are longer than those of the standard.
        let first = text.run(end, LONGEST_TEXT, |byte| is_written(byte) || byte >= 0x80);
        let mut stop = first;
        if first - end <= LONGEST_LINE {
            for line in lines(text, end) {
                stop = line.end.min(end + LONGEST_TEXT);
            }
        }
        if self.is_read(start, stop) {
            return None;
        }
        let is_end = |byte: u8| matches!(byte, b'?' | b'\r' | b'\n');
        for mark in memchr::memchr_iter(b'?', text.slice(end..stop)) {
            let from = end + mark + 3;
            let kind = match text.slice(from - 2..from) {
                b"31" => Kind::Account,
                b"32" | b"33" => Kind::Name,
                _ => continue,
            };
            let until = text.run(from, stop.saturating_sub(from), |byte| !is_end(byte));
            if kind != Kind::Name || !is_organisation(text.slice(from..until)) {
                self.hide_filled(from..until, kind);
            }
        }
        None
    }

    /// Hides `range` if it is a value of `kind`.
    pub(super) fn hide_filled(&mut self, range: Range<usize>, kind: Kind) -> bool {
        let is_value = is_filled(self.text.slice(range.clone()), kind);
        if is_value {
            self.hide(range, kind);
        }
        is_value
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn parties_are_an_account_a_name_and_an_address() {
        for (text, wanted) in [
            (
                ":59:/DE89370400440532013000\r\nANN LEE\r\n9 HIGH STREET\r\n:70:RENT MAY\r\n",
                &["DE89370400440532013000", "ANN LEE", "9 HIGH STREET"][..],
            ),
            (
                ":50F:/40532013\n1/ANN LEE\n2/9 HIGH STREET\n3/GB/ELY\n4/19800203\n5/GB/BATH\n7/GB/AB123456C\n-}",
                &["40532013", "ANN LEE", "9 HIGH STREET", "ELY", "19800203", "BATH", "AB123456C"],
            ),
            (
                "\t:50K:/40532013\n\tANN LEE\n\t9 HIGH STREET\n\t:71A:SHA\n",
                &["40532013", "ANN LEE", "9 HIGH STREET"],
            ),
            (
                ":86:105?00LASTSCHRIFT?20MIETE 64053?21APRIL 2026?30ZKBKCHZZ80A?31PL48526978415464544173919696?32ANN LEE\n",
                &["PL48526978415464544173919696", "ANN LEE"],
            ),
            (":50F:NIDN/GB/AB123456C\n1/ANN LEE\n-}", &["AB123456C", "ANN LEE"]),
            (":50H:/40532013\n1/ANN LEE\n3/GB/ELY\n", &["40532013", "ANN LEE", "ELY"]),
            (":59A:/40532013\nDEUTDEFFXXX\n", &["40532013"]),
            (
                "{4:\n:20:REF1\n:50K:/40532013\nANN LEE\n-}{5:{CHK:123456789ABC}}",
                &["40532013", "ANN LEE"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn references_amounts_banks_and_texts_stay() {
        for text in [
            "{1:F01DEUTDEFFAXXX0000000000}{2:I103CHASUS33XXXXN}{4:\n:20:REF4711\n:23B:CRED\n:32A:260102EUR1250,00\n:33B:EUR1250,\n-}",
            ":70:INVOICE 4711 OF MAY\n:71A:SHA\n",
            ":52A:DEUTDEFF\n:57A:CHASUS33XXX\n",
            ":53A://FW021000089\nCHASUS33\n",
            ":60F:C260101EUR1000,00\n:61:2601020102D50,00NTRFNONREF\n",
            "at 10:59:50: started",
            "(\"ab:59:59Z\", false)\n(\"23:59:abZ\", true)\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
