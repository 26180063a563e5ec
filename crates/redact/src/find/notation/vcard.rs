//! Visiting cards: vCard (RFC 6350).

use crate::find::scan::Scan;
use crate::kind::Kind;

/// Bytes of a card (RFC 6350) that are looked through.
const LONGEST_CARD: usize = 8192;

impl Scan<'_> {
    /// Names and addresses of the card that `BEGIN:VCARD` begins, whose parts are between
    /// semicolons (RFC 6350, 6.2.2 and 6.3.1); the card ends at `end`.
    pub(in crate::find) fn visiting_card(&mut self, end: usize) {
        let text = self.text;
        let mut place = end;
        let ends = |place: usize| text.has(place, b"END:VCARD") || text.has(place, b"BEGIN:VCARD");
        while place < text.len() && place - end < LONGEST_CARD && !ends(place) {
            let line = text.run(place, 1024, |byte| !matches!(byte, b'\n' | 0));
            let name = text.run(place, 4, |byte| byte.is_ascii_uppercase());
            let colon = text.run(place, 128, |byte| byte != b':' && byte != b'\n');
            let kind = match text.slice(place..name) {
                b"N" => Some(Kind::Name),
                b"ADR" => Some(Kind::Address),
                _ => None,
            };
            if let Some(kind) = kind
                && colon < line
                && b";:".contains(&text.at(name))
            {
                let mut part = colon + 1;
                while part < line {
                    let stop = text
                        .run(part, 256, |byte| !matches!(byte, b';' | b'\r' | b'\n' | 0))
                        .min(line);
                    if stop > part + 1 {
                        self.hide(part..stop, kind);
                    }
                    part = stop.max(part) + 1;
                }
            }
            place = line + 1;
        }
    }
}
