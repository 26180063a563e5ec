//! Elements of XML whose names say what they hold in one standard only: payments (ISO 20022),
//! health records (CDA, FHIR), travel (IATA, OTA), attributes of SAML by their numbers.

use super::judge::is_organisation;
use crate::field_name::{Field, Sureness};
use crate::find::text::Text;
use crate::kind::Kind::{self, Address, Birth, Name, NationalId, Passport, Phone, User};

/// An element, as it is written.
const ELEMENTS: &[(&[u8], Kind)] = &[
    // ISO 20022.
    (b"Nm", Name),
    (b"StrtNm", Address),
    (b"PstCd", Address),
    (b"TwnNm", Address),
    (b"AdrLine", Address),
    (b"CityOfBirth", Address),
    (b"BirthDt", Birth),
    (b"PhneNb", Phone),
    (b"MobNb", Phone),
    // CDA and FHIR.
    (b"family", Name),
    (b"given", Name),
    (b"streetAddressLine", Address),
    // IATA, OTA.
    (b"Surname", Name),
    (b"GivenName", Name),
    (b"IndividualName", Name),
    (b"DocID", Passport),
    (b"IdentityDocID", Passport),
    // SAML.
    (b"NameID", User),
    (b"NameIdentifier", User),
];

/// Numbers of attributes (X.520, RFC 4519 and 4524), as SAML names them.
const NUMBERS: &[(&[u8], Kind)] = &[
    (b"urn:oid:0.9.2342.19200300.100.1.1", User),
    (b"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", User),
    (b"urn:oid:2.5.4.3", Name),
    (b"urn:oid:2.5.4.4", Name),
    (b"urn:oid:2.5.4.42", Name),
    (b"urn:oid:2.16.840.1.113730.3.1.241", Name),
    (b"urn:oid:2.5.4.20", Phone),
    (b"urn:oid:0.9.2342.19200300.100.1.41", Phone),
    (b"urn:oid:2.5.4.9", Address),
    (b"urn:oid:2.5.4.16", Address),
    (b"urn:oid:2.5.4.17", Address),
];

/// What the element `name` holds, whose `<` is at `place` and whose content is behind `end`.
pub(in crate::find) fn element(
    text: Text<'_>,
    place: usize,
    name: &[u8],
    end: usize,
) -> Option<Field> {
    let likely = |kind| Some(Field { kind, sureness: Sureness::Likely });
    if name == b"Id" {
        // `<Othr><Id>`: an account or a person by another number.
        let before = text.run_back(place, 16, |byte| byte.is_ascii_whitespace());
        return if text.slice(before.saturating_sub(5)..before).ends_with(b"Othr>") {
            likely(NationalId)
        } else {
            None
        };
    }
    let (_, kind) = ELEMENTS.iter().find(|(known, _)| *known == name)?;
    let content = text.slice(end + 1..text.run(end + 1, 140, |byte| byte != b'<' && byte != 0));
    let is_company = *kind == Name && is_organisation(content);
    if is_company { None } else { likely(*kind) }
}

/// What the attribute named `name` holds.
pub(in crate::find) fn attribute(name: &[u8]) -> Option<Field> {
    let (_, kind) = NUMBERS.iter().find(|(known, _)| *known == name)?;
    Some(Field { kind: *kind, sureness: Sureness::Sure })
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn parties_of_payments_are_hidden() {
        let text = "<Dbtr><Nm>Ann Lee</Nm><PstlAdr><StrtNm>High Street</StrtNm><BldgNb>9</BldgNb>\
            <PstCd>CB7 4AA</PstCd><TwnNm>Ely</TwnNm><Ctry>GB</Ctry></PstlAdr><BirthDt>1980-02-03</BirthDt>\
            <Othr><Id>4053201388</Id></Othr></Dbtr>";
        let wanted = ["Ann Lee", "High Street", "CB7 4AA", "Ely", "1980-02-03", "4053201388"];
        assert_eq!(hidden(text), wanted);
        assert_eq!(hidden("<ns2:Nm>Ann Lee</ns2:Nm>"), ["Ann Lee"]);
    }

    #[test]
    fn attributes_are_known_by_number() {
        let text = "<Attribute Name=\"urn:oid:2.5.4.4\"><AttributeValue xsi:type=\"xs:string\">Lee</AttributeValue></Attribute>";
        assert_eq!(hidden(text), ["Lee"]);
    }

    #[test]
    fn banks_messages_amounts_and_other_elements_stay() {
        for text in [
            "<FinInstnId><BICFI>DEUTDEFF</BICFI><Nm>Deutsche Bank AG</Nm></FinInstnId>",
            "<GrpHdr><MsgId>MSG-2026-0001</MsgId><NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum></GrpHdr>",
            "<InstdAmt Ccy=\"EUR\">1250.00</InstdAmt><Id>4711</Id>",
            "<font><family>DejaVu Sans Mono 10</family></font>",
            "<Nm></Nm><Ctry>GB</Ctry><TwnNm/>",
            "<coordinates>0,0</coordinates>",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
