//! Claims of pharmacies (NCPDP's telecommunication standard), and values of HL7 in the words of
//! a parser.

use crate::find::scan::Scan;
use crate::find::text::is_letter;
use crate::kind::Kind::{self, Address, Birth, Email, Name, NationalId, Phone};

/// Bytes of a claim.
const LONGEST: usize = 4096;

/// Fields of a claim that identify a person, by the letters that they begin with.
const FIELDS: &[(&[u8], Kind)] = &[
    (b"2J", Name),
    (b"2K", Address),
    (b"2M", Address),
    (b"C2", NationalId),
    (b"C4", Birth),
    (b"CA", Name),
    (b"CB", Name),
    (b"CC", Name),
    (b"CD", Name),
    (b"CM", Address),
    (b"CN", Address),
    (b"CP", Address),
    (b"CQ", Phone),
    (b"CY", NationalId),
    (b"DR", Name),
    (b"HN", Email),
    (b"PM", Phone),
];

impl Scan<'_> {
    /// `AM01<FS>C419800203<FS>CAANN…`, whose first word is at `start..end`: parted by the sign
    /// behind it, as it is or as it is printed.
    pub(super) fn pharmacy_claim(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if start < self.ahead {
            return None;
        }
        let sign: &[u8] = [&b"\x1c"[..], b"|", b"^", b"<FS>", b"<1C>", b"\\x1c", b"\xe2\x90\x9c"]
            .into_iter()
            .find(|sign| text.has(end, sign))?;
        let stop = text.run(end, LONGEST, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        if self.is_read(start, stop) {
            return None;
        }
        let mut place = end;
        while place < stop {
            let from = place + sign.len();
            let until =
                memchr::memmem::find(text.slice(from..stop), sign).map_or(stop, |at| from + at);
            let letters = text.slice(from..from + 2);
            if let Some((_, kind)) = FIELDS.iter().find(|(known, _)| *known == letters) {
                // The last one ends before the next segment, or before what is no part of it.
                let signs = |byte: u8| !matches!(byte, 0x1d | 0x1e | b'"' | b'<' | b'\\');
                let value = from + 2..text.run(from + 2, until.saturating_sub(from + 2), signs);
                self.hide_filled(value, *kind);
            }
            place = until;
        }
        None
    }

    /// `PID-5: 'LEE^ANN^^'`, whose segment's name ends at `end`: the parts of the value.
    pub(super) fn quoted_components(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        // `PID field 5: value '…'`
        let from = if text.has(end, b" field ") { end + b" field ".len() } else { end + 1 };
        let number = text.run(from, 8, |byte| byte.is_ascii_digit() || byte == b'.');
        let quote = text.run(number, 4, |byte| b":= (".contains(&byte));
        let quote = if text.has(quote, b"value ") { quote + b"value ".len() } else { quote };
        let sign = text.at(quote);
        if number == from || quote == number || !matches!(sign, b'\'' | b'"') {
            return None;
        }
        let close = text.run(quote + 1, 256, |byte| byte != sign && byte != b'\n' && byte != 0);
        let stop = text.run_back(close, close - quote - 1, |byte| byte == b'^' || byte == b' ');
        let value = text.slice(quote + 1..stop);
        let letters = value.iter().filter(|byte| is_letter(**byte)).count();
        let is_name = value.contains(&b'^') && letters > 3;
        let is_known = is_name && value.first().is_some_and(|byte| is_letter(*byte));
        (text.at(close) == sign && is_known).then(|| self.hide(quote + 1..stop, Name))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn claims_are_parted_by_the_sign_behind_the_first_field() {
        let claim = "AM01|C419800203|C51|CAANN|CBLEE|CQ3125550142|AM07|D25308587";
        for sign in ["\x1c", "|", "^", "<FS>", "\\x1c"] {
            let text = claim.replace('|', sign);
            assert_eq!(hidden(&text), ["19800203", "ANN", "LEE", "3125550142"], "{text}");
        }
    }

    #[test]
    fn values_in_the_words_of_a_parser_are_hidden() {
        assert_eq!(hidden("bad code at PID-11: 'Lee^Ann^Mo^^' (segment PID)"), ["Lee^Ann^Mo"]);
        for text in ["PID-8: 'F'", "PID-5 is missing in 'ADT^A04^x'", "PV1-3: '4^12^A'"] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
