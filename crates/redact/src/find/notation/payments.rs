//! Cards, accounts and payers in records without names: chips of cards (EMV), messages of
//! switches (ISO 8583) as they are sent, files of clearing houses, cheques.

use crate::find::number::check_digits::luhn;
use crate::find::scan::Scan;
use crate::find::text::{digits, is_blank, number};
use crate::kind::Kind;

/// Characters of a record of a payment (NACHA).
const ENTRY: usize = 94;
/// Bytes of a message before the number of the card: its type, one or two bitmaps.
const FARTHEST: usize = 40;

/// The first character of a cheque's transit field (E-13B), in UTF-8, and of its account.
const TRANSIT: &[u8] = b"\xe2\x91\x86";
const ON_US: &[u8] = b"\xe2\x91\x88";

impl Scan<'_> {
    /// `5A: 4111…`, `tag=57 value=4111…D2712…F`, `5F20 LEE/ANN`: what the data object holds
    /// whose tag ends at `end`.
    pub(super) fn object_of_chip(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut from = text.run(end, 1, |byte| matches!(byte, b'"' | b']' | b'>'));
        from = text.run(from, 12, is_blank);
        // `5F20 (cardholder): …`: what the tag is called.
        if text.at(from) == b'(' {
            from = text.run(from, 32, |byte| byte != b')' && byte >= b' ') + 1;
        }
        // `57 11 …`, in hexadecimal digits: the length.
        let is_length = text.at(from).is_ascii_hexdigit()
            && text.at(from + 1).is_ascii_hexdigit()
            && text.at(from + 2) == b' '
            && text.at(from + 3).is_ascii_digit();
        from = if is_length { from + 3 } else { from };
        // `57 L13 V…`, `57 [13] …`: the length.
        from = if text.has(from, b"value") { from + 5 } else { from };
        let from = text.run(from, 4, |byte| b" :=\"[<".contains(&byte));
        if from == end {
            return None;
        }
        let is_name = text.before(end) == b'0';
        if is_name {
            let is_part = |byte: u8| byte.is_ascii_uppercase() || b"/ .'-".contains(&byte);
            let stop = text.run(from, 27, is_part);
            let stop = text.run_back(stop, stop - from, |byte| byte == b' ');
            let is_parted = text.slice(from..stop).contains(&b'/') && stop > from + 4;
            return is_parted.then(|| self.hide(from..stop, Kind::Name));
        }
        let sign = text.run(from, 20, |byte| byte.is_ascii_digit());
        let is_track = matches!(text.at(sign), b'D' | b'd' | b'=');
        let stop = match is_track {
            true => text.run(sign + 1, 24, |byte| byte.is_ascii_digit()),
            false => sign,
        };
        let end = text.run(stop, 2, |byte| matches!(byte, b'F' | b'f'));
        let least = if is_track { 12 } else { 13 };
        let is_whole = !text.at(end).is_ascii_alphanumeric();
        let is_zero = text.slice(from..sign).iter().all(|byte| *byte == b'0');
        let is_card = (least..=19).contains(&(sign - from)) && is_whole && !is_zero;
        (is_card && (!is_track || stop > sign + 4)).then(|| self.hide(from..end, Kind::Card))
    }

    /// `0100…16411111…000000`: a message of ISO 8583 at `start..end`, its type, its bitmap and
    /// the number of the card, behind its length, with its check digit or before a code of
    /// processing: tests have numbers that do not check.
    pub(in crate::find) fn message_of_switch(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_type = matches!(text.at(start + 1), b'1' | b'2' | b'4' | b'8')
            && text.at(start + 2).is_ascii_digit()
            && text.at(start + 3).is_ascii_digit();
        if !is_type {
            return None;
        }
        let last = end.min(start + FARTHEST).saturating_sub(2);
        for place in start + 8..last {
            let Some(len) = number(text.slice(place..place + 2)) else { continue };
            let card = place + 2..place + 2 + len as usize;
            if !(13..=19).contains(&len) || card.end > end || text.at(card.start) == b'0' {
                continue;
            }
            let Some((digits, count)) = digits::<19>(text.slice(card.clone())) else { continue };
            let code = text.slice(card.end..card.end + 6);
            let is_processed = len == 16
                && matches!(text.at(card.start), b'2'..=b'6')
                && code.ends_with(b"0000")
                && code.iter().all(u8::is_ascii_digit);
            let is_card = is_processed || digits.get(..count).is_some_and(luhn);
            if count == card.len() && is_card {
                self.hide(card, Kind::Card);
                return Some(end);
            }
        }
        None
    }

    /// `6220210000214053201388…`: a payment in a file of NACHA, whose line begins at `start`:
    /// the account, and whose it is.
    pub(in crate::find) fn entry_of_payment(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(start, ENTRY + 1, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let is_line = matches!(text.before(start), b'\n' | b'\r' | 0 | b' ');
        let len = end - start;
        // Blanks that line up the fields may be fewer at the end of one.
        let trace = text.run_back(end, 16, |byte| byte.is_ascii_digit());
        let is_code = matches!(text.at(start + 1), b'2' | b'3' | b'4' | b'5');
        if !is_line || !is_code || !(90..=ENTRY).contains(&len) || end - trace < 15 {
            return None;
        }
        let account = start + 12;
        let amount = text.run(account, 17, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let id = text.run(start + 39, 15, |byte| byte != b' ');
        let from = text.run(id, 15, |byte| byte == b' ');
        let stop = text.run_back(trace, 24, |byte| byte == b' ');
        let is_name = |byte: &u8| byte.is_ascii_alphabetic() || b" .,'-&".contains(byte);
        if from >= stop || !text.slice(from..stop).iter().all(is_name) {
            return None;
        }
        self.hide_filled(account..amount, Kind::Account);
        if !super::judge::is_organisation(text.slice(from..stop)) {
            self.hide_filled(from..stop, Kind::Name);
        }
        Some(end)
    }

    /// `<sort code><account>099…    <amount><payee>…<reference><name>`, a record of BACS whose
    /// first number is at `start..end`: the account that pays, and whose it is.
    pub(in crate::find) fn record_of_bacs(&mut self, start: usize, end: usize) -> Option<usize> {
        const COLUMN: usize = 18;
        let text = self.text;
        let amount = end + 4;
        let columns = amount + 11;
        let digits = text.run(amount, 11, |byte| byte.is_ascii_digit());
        let is_record = text.slice(end..amount) == b"    " && digits == columns;
        let line = text.run(columns, 4 * COLUMN, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        if !is_record || line < columns + 2 * COLUMN + 2 {
            return None;
        }
        self.hide_filled(start + 6..start + 14, Kind::Account);
        let name = columns + 2 * COLUMN;
        let stop = line.min(name + COLUMN);
        let is_part = |byte: u8| byte.is_ascii_alphabetic() || b" .,'-".contains(&byte);
        let stop = text.run(name, stop - name, is_part);
        let stop = text.run_back(stop, stop - name, |byte| byte == b' ');
        if !super::judge::is_organisation(text.slice(name..stop)) {
            self.hide_filled(name..stop, Kind::Name);
        }
        Some(stop.max(columns))
    }

    /// `⑆021000021⑆ 4053201388⑈ 7091`, whose first sign is at `start`: the account.
    pub(super) fn account_of_cheque(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let routing = start + TRANSIT.len();
        let close = text.run(routing, 9, |byte| byte.is_ascii_digit());
        if close - routing != 9 || !text.has(close, TRANSIT) {
            return None;
        }
        let from = text.run(close + TRANSIT.len(), 4, |byte| byte == b' ');
        let stop = text.run(from, 20, |byte| byte.is_ascii_digit() || b" -".contains(&byte));
        let is_account = text.has(stop, ON_US);
        let stop = text.run_back(stop, stop - from, |byte| byte == b' ');
        (is_account && self.hide_filled(from..stop, Kind::Account)).then_some(stop.max(end))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn records_without_names_are_read() {
        for (text, wanted) in [
            (
                "tag=82 value=3900\ntag=57 value=4012888888881881D22122012133462238F\ntag=5F20 value=LEE/ANN\n",
                &["4012888888881881D22122012133462238F", "LEE/ANN"][..],
            ),
            ("5A: 4012888888881881\n9F02: 000000012500", &["4012888888881881"]),
            ("0100NHHT164012888888881881000000571785503680", &["4012888888881881"]),
            ("02007220C00000000000164012888888881881000000", &["4012888888881881"]),
            (
                "5200ACME PAYROLL   \n6220953258813906816294       0000012500336495580      LEE ANN                 0767318163177374\n",
                &["3906816294", "LEE ANN"],
            ),
            (
                "fld[035]: <4012888888881881D25021795327812184>",
                &["4012888888881881D25021795327812184"],
            ),
            ("DE002 [4012888888881881]", &["4012888888881881"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn other_records_stay() {
        for text in [
            "0100NHHT164012888888881882000001571785503680",
            "57: 4\n56: 12\n57 13 92 54",
            "9F02: 000000012500\n84: A0000000031010",
            "6220953258813906816294 is a checksum\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
