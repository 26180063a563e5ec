//! Visiting cards: vCard (RFC 2426, RFC 6350).

use std::ops::Range;

use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank};
use crate::kind::Kind;

/// Bytes of a card that are looked through.
const LONGEST_CARD: usize = 8192;

/// Properties of a person, and whether their parts are between semicolons.
const PROPERTIES: &[(&[u8], Kind, bool)] = &[
    (b"N", Kind::Name, true),
    (b"FN", Kind::Name, false),
    (b"NICKNAME", Kind::Name, false),
    (b"ADR", Kind::Address, true),
    (b"LABEL", Kind::Address, false),
    (b"TEL", Kind::Phone, false),
    (b"BDAY", Kind::Birth, false),
    (b"IMPP", Kind::User, false),
    (b"X-SKYPE", Kind::User, false),
    (b"X-AIM", Kind::User, false),
    (b"X-JABBER", Kind::User, false),
];

impl Scan<'_> {
    /// What is personal in the card that `BEGIN:VCARD` begins, which ends at `end`.
    pub(in crate::find) fn visiting_card(&mut self, end: usize) {
        let text = self.text;
        let mut place = end;
        let ends = |place: usize| {
            let mark = text.run(place, 16, is_blank);
            text.has(mark, b"END:VCARD") || text.has(mark, b"BEGIN:VCARD")
        };
        while place < text.len() && place - end < LONGEST_CARD && !ends(place) {
            let line = text.run(place, 1024, |byte| !matches!(byte, b'\n' | 0));
            self.property(place..line);
            place = line + 1;
        }
    }

    /// `item1.ADR;TYPE=home:;;9 High St;Ely;;16932;`
    fn property(&mut self, line: Range<usize>) {
        let text = self.text;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let mut start = text.run(line.start, 16, is_blank);
        let mut name = text.run(start, 32, is_name);
        if text.at(name) == b'.' {
            start = name + 1;
            name = text.run(start, 32, is_name);
        }
        let known = PROPERTIES.iter().find(|(known, ..)| text.slice(start..name) == *known);
        let Some((_, kind, has_parts)) = known else { return };
        let colon = text.run(name, 192, |byte| byte != b':' && byte != b'\n');
        if colon >= line.end || !b";:".contains(&text.at(name)) {
            return;
        }
        let mut from = colon + 1;
        while from < line.end {
            let stop = part_end(text, from, *has_parts).min(line.end);
            self.hide_filled(from..stop, *kind);
            from = stop + 1;
        }
    }
}

/// Where the part of a value at `from` ends.
fn part_end(text: Text<'_>, from: usize, has_parts: bool) -> usize {
    text.run(from, 512, |byte| match byte {
        b';' => !has_parts,
        byte => !matches!(byte, b'\r' | b'\n' | 0),
    })
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn properties_may_have_groups_and_encodings() {
        let card = "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:L=C3=A9e;Ann;;;\n\
            FN;ENCODING=QUOTED-PRINTABLE:Ann L=C3=A9e\nitem2.ADR;type=HOME:;;9 High Street;Ely;;CB7 4AA;UK\n\
            X-SKYPE:ann.lee77\nTEL:01353 555012\nORG:Acme Inc\nREV:20260102T093000Z\nEND:VCARD";
        let wanted = [
            "L=C3=A9e",
            "Ann",
            "Ann L=C3=A9e",
            "9 High Street",
            "Ely",
            "CB7 4AA",
            "ann.lee77",
            "01353 555012",
        ];
        assert_eq!(hidden(card), wanted);
    }

    #[test]
    fn properties_of_the_card_itself_stay() {
        let card = "BEGIN:VCARD\nVERSION:4.0\nKIND:org\nORG:Acme Inc\nUID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\nN:;;;;\nEND:VCARD";
        assert_eq!(hidden(card), [""; 0]);
    }
}
