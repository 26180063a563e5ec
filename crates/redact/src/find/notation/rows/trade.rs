//! Orders, invoices and claims between companies: EDIFACT and X12.

use crate::find::notation::Around::{Anything, Behind};
use crate::find::notation::Notation;
use crate::find::notation::segment::{Place, Syntax, field};
use crate::kind::Kind::{Account, Address, Birth, Email, Name, NationalId, Passport, Phone};

/// ISO 9735 with its default signs.
const EDIFACT: Syntax = Syntax {
    fields: b"+",
    parts: b':',
    repeats: 0,
    release: b'?',
    end: b'\'',
    is_coded: true,
    is_ended: true,
    least: 1,
};

const X12: Syntax = Syntax {
    fields: b"*|",
    parts: b':',
    repeats: b'^',
    release: 0,
    end: b'~',
    is_coded: true,
    is_ended: true,
    least: 1,
};

/// Segments that do not begin with a code.
const EDIFACT_UNCODED: Syntax = Syntax { is_coded: false, ..EDIFACT };
const X12_UNCODED: Syntax = Syntax { is_coded: false, ..X12 };

const TELEPHONES: &[&str] = &["TE", "FX", "CP", "HP", "WP", "NP", "AP", "BN", "PC"];
/// Numbers of persons among the references of a claim.
const OF_PERSONS: &[&str] = &["SY", "0F", "1W", "EA", "EJ", "23", "MRN", "IG", "ABY", "Y4"];
/// Who is delivered to, in the segments of parties.
const PARTIES: &[&str] = &[
    "ST", "BT", "BY", "SO", "SF", "SH", "CN", "DP", "UD", "IV", "PE", "PR", "UC", "II", "HO", "EN",
    "RE", "SE", "BS", "Z7", "MI", "WS", "EY", "74", "IN", "P5", "40", "41",
];

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    Notation {
        words: &[b"NAD"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                field(3, Name).of_person(3),
                field(4, Name).of_person(4),
                field(5, Address).of_person(4),
                field(6, Address).of_person(4),
                field(8, Address).of_person(4),
            ];
            scan.segment(start, end, &EDIFACT, PLACES)
        },
        example: (
            "NAD+BY+5412345000013::9++LEE:ANN+9 HIGH STREET+ELY++CB7 4AA+GB'",
            &["LEE:ANN", "9 HIGH STREET", "ELY", "CB7 4AA"],
        ),
        keeps: "NAD+SU+5412345000013::9++ACME SUPPLIES LTD+1 DOCK ROAD+HULL++HU1 1AA+GB'NAD+BY+4000862141404::9'",
    },
    Notation {
        words: &[b"CTA"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const PLACES: &[Place] = &[field(2, Name).parts(2, 2).of_person(2)];
            scan.segment(start, end, &EDIFACT, PLACES)
        },
        example: ("CTA+IC+:ANN LEE'", &["ANN LEE"]),
        keeps: "CTA+IC+:SALES DEPARTMENT'CTA+PD'",
    },
    Notation {
        words: &[b"COM"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            let text = scan.text;
            let line = text
                .slice(end..text.run(end, 80, |byte| !matches!(byte, b':' | b'\'' | b'\n' | 0)));
            let kind = if line.contains(&b'@') { Email } else { Phone };
            let place = field(1, kind).parts(1, 1);
            scan.segment(start, end, &EDIFACT_UNCODED, &[place]);
            // An address is not looked for backwards over the signs before it.
            (kind == Email).then(|| end + line.len())
        },
        example: ("COM+01353 555012:TE'", &["01353 555012"]),
        keeps: "COM+:TE'COM+4:XF'",
    },
    Notation {
        words: &[b"RFF"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const CODES: &[&str] = &["AVF", "ABO", "ADE", "AHP", "SS", "PK", "AEA"];
            let place = field(1, NationalId).parts(2, 2).when(1, CODES);
            scan.segment(start, end, &EDIFACT, &[place])
        },
        example: ("RFF+AVF:K7PL2M44'", &["K7PL2M44"]),
        keeps: "RFF+ON:PO-4711882'RFF+VA:DE123456789'",
    },
    // Articles: their numbers have the length of others.
    Notation {
        words: &[b"LIN"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, _, end| {
            Some(scan.text.run(end, 64, |byte| !matches!(byte, b'\'' | b'\n' | b'\r' | 0)))
        },
        example: ("LIN+1++2399306645700:EN'RFF+AVF:K7PL2M44'", &["K7PL2M44"]),
        keeps: "LIN+1++2399306645700:EN'LIN+2++4000862141404:EN'",
    },
    // Persons of passenger lists and of health messages.
    Notation {
        words: &[b"PNA"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                field(2, NationalId).parts(1, 1),
                field(6, Name).parts(2, 2),
                field(7, Name).parts(2, 2),
                field(8, Name).parts(2, 2),
            ];
            scan.segment(start, end, &EDIFACT, PLACES)
        },
        example: ("PNA+PAT++++1+SU:LEE+FO:ANN'", &["LEE", "ANN"]),
        keeps: "PNA+PO+++'PNA+PAT'",
    },
    Notation {
        words: &[b"DOC"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            let place = field(2, Passport).parts(1, 1).when(1, &["P", "I", "V", "A", "C", "IP"]);
            scan.segment(start, end, &EDIFACT, &[place])
        },
        example: ("DOC+P:110:111+C01X00T47'", &["C01X00T47"]),
        keeps: "DOC+380+INV-2026-00471'DOC+P:110:111'",
    },
    Notation {
        words: &[b"DTM"],
        is_caseless: false,
        around: Behind(b"+329:"),
        find: |scan, start, end| scan.segment(start, end, &EDIFACT, &[field(1, Birth).parts(2, 2)]),
        example: ("DTM+329:19800203:102'", &["19800203"]),
        keeps: "DTM+137:20260102:102'DTM+329::102'",
    },
    // An account, and whose it is.
    Notation {
        words: &[b"FII"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const PLACES: &[Place] =
                &[field(2, Account).parts(1, 1), field(2, Name).parts(2, 3).of_person(2)];
            scan.segment(start, end, &EDIFACT, PLACES)
        },
        example: ("FII+BF+40532013:ANN LEE+COBADEFF'", &["40532013", "ANN LEE"]),
        keeps: "FII+BF+:ACME LTD+COBADEFF:25:5'",
    },
    // Airlines: travellers of a reservation.
    Notation {
        words: &[b"TIF"],
        is_caseless: false,
        around: Behind(b"+"),
        find: |scan, start, end| {
            const PLACES: &[Place] = &[field(1, Name).parts(1, 1), field(2, Name).parts(1, 1)];
            scan.segment(start, end, &EDIFACT_UNCODED, PLACES)
        },
        example: ("TIF+SMITH:A+JOHN MR:A:1'", &["SMITH", "JOHN MR"]),
        keeps: "TIF++:A:1'",
    },
    // X12 (health care, trade).
    Notation {
        words: &[b"NM1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PERSON: &[&str] = &["1"];
            const PLACES: &[Place] = &[
                field(3, Name).when(2, PERSON),
                field(4, Name).when(2, PERSON),
                field(5, Name).when(2, PERSON),
                field(9, NationalId).when(2, PERSON),
            ];
            scan.segment(start, end, &X12, PLACES)
        },
        example: ("NM1*IL*1*LEE*ANN*M***MI*12345678A~", &["LEE", "ANN", "12345678A"]),
        keeps: "NM1*PR*2*PAYER NAME*****PI*842610001~NM1*QC*1~",
    },
    Notation {
        words: &[b"N1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            scan.segment(start, end, &X12, &[field(2, Name).when(1, PARTIES).of_person(2)])
        },
        example: ("N1*ST*ANN LEE*92*4711~", &["ANN LEE"]),
        keeps: "N1*ST*ACME WAREHOUSE INC*92*4711~N1*BY**92*1~",
    },
    Notation {
        words: &[b"N3"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            scan.segment(start, end, &X12_UNCODED, &[field(1, Address), field(2, Address)])
        },
        example: ("N3*9 HIGH STREET*APT 2~", &["9 HIGH STREET", "APT 2"]),
        keeps: "N3*~",
    },
    Notation {
        words: &[b"N4"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            scan.segment(start, end, &X12_UNCODED, &[field(1, Address), field(3, Address)])
        },
        example: ("N4*SPRINGFIELD*IL*62704~", &["SPRINGFIELD", "62704"]),
        keeps: "N4**IL**US~",
    },
    Notation {
        words: &[b"PER"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                field(2, Name).of_person(2),
                field(4, Phone).when(3, TELEPHONES),
                field(6, Phone).when(5, TELEPHONES),
                field(8, Phone).when(7, TELEPHONES),
            ];
            scan.segment(start, end, &X12, PLACES)
        },
        example: ("PER*IC*ANN LEE*TE*2125550142~", &["ANN LEE", "2125550142"]),
        keeps: "PER*IC*CUSTOMER SERVICE*UR*www.example.com~",
    },
    Notation {
        words: &[b"DMG"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.segment(start, end, &X12, &[field(2, Birth)]),
        example: ("DMG*D8*19800203*F~", &["19800203"]),
        keeps: "DMG*D8**F~",
    },
    Notation {
        words: &[b"REF"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            scan.segment(start, end, &X12, &[field(2, NationalId).when(1, OF_PERSONS)])
        },
        example: ("REF*SY*078051120~", &["078051120"]),
        keeps: "REF*PO*4711882~REF*G1*13579~",
    },
];
