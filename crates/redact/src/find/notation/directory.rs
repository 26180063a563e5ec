//! Directories and the servers that ask them: filters and records of LDAP, RADIUS, Diameter,
//! Kerberos, cards in JSON.

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible::{self, place};
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_letter, is_word};
use crate::kind::Kind;

/// Bytes of a value.
const LONGEST: usize = 512;

/// Attributes of RADIUS and Diameter that are a person's.
const ATTRIBUTES: &[(&[u8], Kind)] = &[
    (b"User-Name", Kind::User),
    (b"User-Password", Kind::Password),
    (b"CHAP-Password", Kind::PasswordHash),
    (b"MS-CHAP-Response", Kind::PasswordHash),
    (b"MS-CHAP2-Response", Kind::PasswordHash),
    (b"Tunnel-Password", Kind::Password),
    (b"Calling-Station-Id", Kind::Phone),
    (b"Called-Station-Id", Kind::Phone),
    (b"Subscription-Id-Data", Kind::Phone),
    (b"MSISDN", Kind::Phone),
    (b"User-Equipment-Info-Value", Kind::Mac),
    (b"3GPP-IMSI", Kind::Mac),
    (b"3GPP-IMEISV", Kind::Mac),
    (b"IMEI", Kind::Mac),
];

impl Scan<'_> {
    /// `(uid=ann)`, whose name is at `start..end`.
    pub(super) fn filter(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let name = text.slice(start..end);
        let from = end + 1;
        if text.at(end) != b'=' {
            return None;
        }
        let end = text.run(from, LONGEST, |byte| !matches!(byte, b')' | b'(' | b'\n' | 0));
        let field = field_name::field(name)?;
        let value = text.slice(from..end);
        if text.at(end) != b')' || value.contains(&b'*') || value.starts_with(b"%") {
            return None;
        }
        if self.hide_filled(from..end, field.kind) { Some(end) } else { None }
    }

    /// `cn:: QW5uIExlZQ==`, a line of LDIF whose value is base64, with its name at
    /// `start..end`.
    pub(super) fn coded_line(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let from = end + 3;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let stop = text.run(from, 4096, is_part);
        let begins = matches!(text.before(start), b'\n' | 0);
        let field = field_name::field(text.slice(start..end))?;
        let fits = begins && stop - from >= 4 && text.at(stop) <= b' ';
        fits.then(|| self.hide(from..stop, field.kind))
    }

    /// `AVP: User-Name(1) l=18 f=-M- val=ann`, whose `val` is at `start..end`.
    pub(super) fn value_of_pair(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let line = text.run_back(start, 96, |byte| byte != b'\n' && byte != 0);
        let before = text.slice(line..start);
        let mark = line + memchr::memmem::rfind(before, b"AVP: ")? + 5;
        let name = text.run(mark, 4, |byte| b"t='".contains(&byte));
        let name_end = text.run(name, 48, |byte| is_word(byte) || byte == b'-');
        self.pair(name, name_end, end + 1)
    }

    /// `Calling-Station-Id = "0135…"`, `CHAP-Password = 0x01…`, whose name begins at `start`.
    pub(super) fn attribute_pair(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(start, 48, |byte| is_word(byte) || byte == b'-');
        // `User-Name(1): ann`, with the number of the attribute.
        let number = text.run(end + 1, 8, |byte| byte.is_ascii_digit());
        let is_numbered = text.at(end) == b'(' && text.at(number) == b')' && number > end + 1;
        let sign = text.run(if is_numbered { number + 1 } else { end }, 4, is_blank);
        let from = sign + 1 + usize::from(text.has(sign, b":="));
        if !matches!(text.at(sign), b'=' | b':') {
            return None;
        }
        self.pair(start, end, text.run(from, 4, is_blank))
    }

    /// `User-Name Attribute (1), length: 7, Value: ann`, as tcpdump prints RADIUS, whose
    /// `Attribute` is at `start..end`.
    pub(super) fn printed_attribute(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let name_end = start.checked_sub(1)?;
        let name = text.run_back(name_end, 48, |byte| is_word(byte) || byte == b'-');
        let rest = text.slice(end..text.run(end, 48, |byte| byte != b'\n'));
        let value = end + memchr::memmem::find(rest, b"Value: ")? + 7;
        self.pair(name, name_end, value)
    }

    fn pair(&mut self, name: usize, name_end: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let name = text.slice(name..name_end);
        let (_, kind) = ATTRIBUTES.iter().find(|(known, _)| *known == name)?;
        let start = from + usize::from(text.at(from) == b'"');
        let end = text.run(start, LONGEST, |byte| byte > b' ' && byte != b'"' && byte != b',');
        // `F53C3D01DA80:corp-wifi`: the name of the network is no one's.
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || b":-".contains(&byte);
        let with_network = [12, 17].map(|len| start + len).into_iter().find(|colon| {
            text.at(*colon) == b':' && text.slice(start..*colon).iter().copied().all(is_part)
        });
        let end = with_network.filter(|colon| *colon < end).unwrap_or(end);
        if self.hide_filled(start..end, *kind) { Some(end) } else { None }
    }

    /// `Client: ann @ EXAMPLE.ORG`, as `klist` of Windows writes, whose word ends at `end`.
    pub(super) fn principal(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let start = text.run(end + 1, 4, is_blank);
        let stop = text.run(start, 64, |byte| byte > b' ');
        let is_realm = text.has(stop, b" @ ") && text.at(stop + 3).is_ascii_uppercase();
        let is_person = !text.slice(start..stop).contains(&b'/');
        if is_realm && is_person && self.hide_filled(start..stop, Kind::User) {
            Some(stop)
        } else {
            None
        }
    }

    /// Behind `db.example.org@EXAMPLE.ORG`, which begins at `from`: the name of a service of
    /// Kerberos, whose realm is in capitals.
    pub(super) fn service_principal(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let at = text.run(from, 128, |byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
        let end = text.run(at + 1, 128, |byte| byte.is_ascii_uppercase() || b".-".contains(&byte));
        (text.at(at) == b'@' && end > at + 3 && !is_word(text.at(end))).then_some(end)
    }

    /// `Lee\, Ann,OU=…`, whose name begins at `from`.
    pub(super) fn escaped_name(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let is_part = |byte: u8| is_letter(byte) || b" .'-".contains(&byte);
        let comma = text.run(from, 64, is_part);
        let end = text.run(comma + 2, 64, is_part);
        let is_name = comma > from && text.has(comma, b"\\,") && end > comma + 2;
        if is_name && self.hide_filled(from..end, Kind::Name) { Some(end) } else { None }
    }

    /// `LOCATION:9 High Street\, Ely`, whose value begins at `from`.
    pub(super) fn location(&mut self, start: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 256, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let begins = matches!(text.before(start), b'\n' | 0);
        // A comma within a value is escaped.
        let street = text.slice(from..text.run(from, 256, |byte| byte != b'\\' && byte >= b' '));
        let value = Value { range: from..end, is_delimited: true, separator: Separator::Blank };
        let is_street = place::is_address(&value, street, Sureness::Likely);
        (begins && is_street).then(|| self.hide(from..end, Kind::Address))
    }

    /// `["fn", {}, "text", "Ann Lee"]` (jCard), whose name ends at `end`.
    pub(super) fn card_property(&mut self, end: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let gap =
            |from: usize| text.run(from, 8, |byte| byte.is_ascii_whitespace() || byte == b',');
        let open = gap(end);
        let close = text.run(open, 256, |byte| byte != b'}' && byte != b'\n');
        let sort = gap(close + 1);
        let sort_end = text.run(sort + 1, 24, |byte| byte != b'"') + 1;
        if text.at(open) != b'{' || text.at(close) != b'}' || text.at(sort) != b'"' {
            return None;
        }
        self.strings(gap(sort_end), kind)
    }

    /// `o=ann 2890844526 2890842807 IN IP4 …`, a line of SDP, whose value begins at `from`.
    pub(super) fn origin(&mut self, start: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 64, |byte| byte > b' ');
        let digits = text.run(end + 1, 24, |byte| byte.is_ascii_digit());
        let more = text.run(digits + 1, 24, |byte| byte.is_ascii_digit());
        let begins = matches!(text.before(start), b'\n' | b' ' | b'\t' | 0);
        if !begins || !text.has(more, b" IN IP") {
            return None;
        }
        let value = Value { range: from..end, is_delimited: true, separator: Separator::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::User))
    }

    /// `response="7587…"` of Digest (RFC 7616), whose quote is at `from`.
    pub(super) fn digest_response(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let start = from + usize::from(text.at(from) == b'"');
        let end = text.run(start, 128, |byte| byte.is_ascii_hexdigit());
        let line = text.slice(text.line(from, LONGEST));
        let is_digest = memchr::memmem::find(line, b"nonce=").is_some();
        let is_hash = matches!(end - start, 32 | 64) && !is_word(text.at(end));
        (is_digest && is_hash).then(|| self.hide(start..end, Kind::Secret))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn the_name_of_a_network_stays_behind_its_address() {
        for (text, wanted) in [
            ("Called-Station-Id = \"F53C3D01DA80:corp-wifi\"\n", "F53C3D01DA80"),
            ("Called-Station-Id = \"F5-3C-3D-01-DA-80:corp-wifi\"\n", "F5-3C-3D-01-DA-80"),
            ("User-Equipment-Info-Value(460): 866104702688811\n", "866104702688811"),
        ] {
            assert_eq!(hidden(text), [wanted], "{text}");
        }
    }

    #[test]
    fn records_and_attributes_are_read() {
        for (text, wanted) in [
            ("(&(objectClass=person)(uid=ann77)(userPassword=tulip99))", &["ann77", "tulip99"][..]),
            ("dn: x\ncn:: QW5uIExlZQ==\n", &["QW5uIExlZQ=="]),
            ("AVP: User-Name(1) l=18 f=-M- val=ann77", &["ann77"]),
            ("AVP: t=Calling-Station-Id(31) l=13 val=01353555012", &["01353555012"]),
            ("Client: ann77 @ EXAMPLE.ORG", &["ann77"]),
            ("[\"n\",{},\"text\",[\"Lee\",\"Ann\",\"\"]]", &["Lee", "Ann"]),
            (
                "Digest realm=\"x\", nonce=\"84a4\", response=\"7587245234b3434cc3412213e5f113a5\"",
                &["7587245234b3434cc3412213e5f113a5"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn classes_hosts_and_wildcards_stay() {
        for text in [
            "(&(objectClass=person)(uid=*)(cn=%s))",
            "AVP: Origin-Host(264) l=20 f=-M- val=pgw.example.net",
            "AVP: Result-Code(268) l=12 f=-M- val=DIAMETER_SUCCESS (2001)",
            "Client: krbtgt/EXAMPLE.ORG @ EXAMPLE.ORG",
            "jpegPhoto:: \nobjectClass: top\n",
            "o=- 2890844526 2890842807 IN IP4 127.0.0.1",
            "[\"version\",{},\"text\",\"4.0\"]",
            "response=\"ok\" nonce=3",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
