//! Clinics and their devices: HL7 version 2, DICOM, FHIR.

use crate::find::notation::Around::{Anything, Before, Behind};
use crate::find::notation::Notation;
use crate::find::notation::segment::{Place, Syntax, field};
use crate::kind::Kind::{self, Address, Birth, Email, Name, NationalId, Passport, Phone};

/// HL7, version 2. Other separators than these can be agreed on in `MSH`.
const HL7: Syntax = Syntax {
    fields: b"|#$!",
    parts: b'^',
    repeats: b'~',
    release: 0,
    end: b'\r',
    is_coded: false,
    is_ended: false,
    least: 2,
};

/// A person's name (XPN): family, given, further.
const fn person(number: usize) -> Place {
    field(number, Name).parts(1, 3)
}

/// Who treats (XCN): an id before the parts of the name.
const fn provider(number: usize) -> Place {
    field(number, Name).parts(1, 3).behind_id()
}

/// A postal address (XAD), without the codes at its end.
const fn postal(number: usize) -> Place {
    field(number, Address).parts(1, 5)
}

const fn phone(number: usize) -> Place {
    field(number, Phone).parts(1, 1)
}

/// An identifier, without who assigned it.
const fn id(number: usize, kind: Kind) -> Place {
    field(number, kind).parts(1, 1)
}

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    Notation {
        words: &[b"PID", b"rPID", b"nPID"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                id(2, NationalId),
                id(3, NationalId),
                id(4, NationalId),
                person(5),
                person(6),
                id(7, Birth),
                person(9),
                postal(11),
                phone(13),
                phone(14),
                field(13, Phone).parts(6, 7),
                field(14, Phone).parts(6, 7),
                id(18, NationalId),
                id(19, NationalId),
                id(20, Passport),
                id(21, NationalId),
                field(23, Address),
            ];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: (
            "PID|1||4711^^^HOSP^MR||LEE^ANN^M^^MS||19800203|F|||1 High St^^Ely^^CB7 4AA^GB||555-0142^PRN^PH\r\n",
            &["4711", "LEE^ANN^M", "19800203", "1 High St^^Ely^^CB7 4AA", "555-0142"],
        ),
        keeps: "PID|1||||^^^^^^L||00000000|F|||^^^^^GB||^PRN^PH\r\n",
    },
    Notation {
        words: &[b"NK1", b"rNK1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                person(2),
                postal(4),
                phone(5),
                phone(6),
                id(16, Birth),
                person(30),
                phone(31),
                postal(32),
            ];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: (
            "NK1|1|LEE^BO|SPO^Spouse|2 High St^^Ely|555-0143\r",
            &["LEE^BO", "2 High St^^Ely", "555-0143"],
        ),
        keeps: "NK1|1||SPO^Spouse^HL70063|^^^^^GB|\rNK1|1|\"\"|\"\"|\"\" (segment count 4)",
    },
    Notation {
        words: &[b"GT1", b"rGT1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                id(2, NationalId),
                person(3),
                person(4),
                postal(5),
                phone(6),
                phone(7),
                id(8, Birth),
                id(12, NationalId),
                id(19, NationalId),
            ];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: (
            "GT1|1|8811|LEE^CY||3 High St^^Ely|555-0144||19500102|M||SLF|078051120\r",
            &["8811", "LEE^CY", "3 High St^^Ely", "555-0144", "19500102", "078051120"],
        ),
        keeps: "GT1|1|||||||||M||SLF\r",
    },
    Notation {
        words: &[b"IN1", b"IN2", b"rIN1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] = &[
                person(15).before_date(17),
                person(16),
                id(17, Birth),
                id(18, Birth),
                postal(18).before_date(17),
                postal(19),
                id(34, NationalId).before_date(17),
                id(36, NationalId),
                id(49, NationalId),
            ];
            const SECOND: &[Place] = &[id(2, NationalId), id(6, NationalId), id(8, NationalId)];
            let is_first = scan.text.before(end) == b'1';
            scan.segment(start, end, &HL7, if is_first { PLACES } else { SECOND })
        },
        example: (
            "IN1|1|PPO^Plan|77^^^PAYER|HEALTH FIRST||||||||20260101||||LEE^ANN|SEL|19800203|1 High St^^Ely\r",
            &["LEE^ANN", "19800203", "1 High St^^Ely"],
        ),
        keeps: "IN1|1|PPO^Plan|77^^^PAYER|HEALTH FIRST^^4711|||||||20260101|20261231||PPO||18^SELF\r",
    },
    Notation {
        words: &[b"PV1", b"rPV1"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] =
                &[provider(7), provider(8), provider(9), provider(17), id(19, NationalId)];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: ("PV1|1|I|W4^401^A||||1234^GRAY^MEL^^^DR|||MED\r", &["GRAY^MEL"]),
        keeps: "PV1|1|I|WARD4^401^A^^^CLINIC|||||||MED||||ADM\r",
    },
    Notation {
        words: &[
            b"OBR", b"ORC", b"rOBR", b"rORC", b"TXA", b"SCH", b"AIP", b"ROL", b"PRD", b"PD1",
            b"EVN", b"DG1", b"PR1", b"RXA", b"PV2",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            let tag = scan.text.slice(end - 3..end);
            let places: &[Place] = match tag {
                b"OBR" => &[
                    provider(10),
                    provider(16),
                    phone(17),
                    provider(28),
                    field(32, Name).parts(1, 1),
                    field(33, Name).parts(1, 1),
                ],
                b"ORC" => &[provider(10), provider(11), provider(12), phone(14), provider(19)],
                b"TXA" => &[provider(5), provider(9), provider(10), provider(11)],
                b"SCH" => {
                    &[provider(12), phone(13), provider(15), provider(16), phone(17), provider(20)]
                }
                b"PD1" => &[provider(4)],
                b"EVN" => &[provider(5)],
                b"DG1" => &[provider(16)],
                b"PR1" => &[provider(8), provider(11), provider(12)],
                b"RXA" => &[provider(10)],
                b"PV2" => &[provider(13)],
                b"AIP" => &[provider(3)],
                b"ROL" => &[provider(4), postal(11), phone(12)],
                _ => &[person(2), postal(3), phone(5)],
            };
            scan.segment(start, end, &HL7, places)
        },
        example: (
            "OBR|1|4711|L88|CBC^Blood count^LN|||20260101|||||||||1234^GRAY^MEL^^^DR||||||20260102\r",
            &["GRAY^MEL"],
        ),
        keeps: "OBR|1|4711|L88|CBC^Blood count^LN|||202601010930||||||||||||||202601020930|||F\r",
    },
    // Whom a query is about, and who works there.
    Notation {
        words: &[b"QRD"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.segment(start, end, &HL7, &[id(8, NationalId), provider(8)]),
        example: ("QRD|20260101093000|R|I|Q88|||10^RD|4711^LEE^ANN|DEM\r", &["4711", "LEE^ANN"]),
        keeps: "QRD|20260101093000|R|I|Q88|||10^RD||DEM\r",
    },
    Notation {
        words: &[b"STF"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| {
            const PLACES: &[Place] =
                &[person(3), id(6, Birth), phone(10), postal(11), field(15, Email)];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: (
            "STF|4711||GRAY^MEL^^^DR|P|F|19800203|A|||555-0142^^PH|9 High St^^Ely\r",
            &["GRAY^MEL", "19800203", "555-0142", "9 High St^^Ely"],
        ),
        keeps: "STF|4711|||P|F||A\r",
    },
    // What a parser complains about: `Invalid value at PID-5: 'LEE^ANN^^'`.
    Notation {
        words: &[b"PID", b"NK1", b"GT1", b"IN1", b"MRG", b"PV1"],
        is_caseless: false,
        around: Behind(b"-"),
        find: |scan, _, end| scan.quoted_components(end),
        example: ("Invalid value at PID-5: 'LEE^ANN^^'\n", &["LEE^ANN"]),
        keeps: "Invalid value at PID-8: 'M^^'\nMissing field PID-3 in 'ADT^A01'\n",
    },
    Notation {
        words: &[b"PID", b"NK1", b"GT1", b"IN1", b"MRG", b"PV1"],
        is_caseless: false,
        around: Behind(b" field "),
        find: |scan, _, end| scan.quoted_components(end),
        example: ("Segment PID field 5: value 'LEE^ANN^^^DR' exceeds 20\n", &["LEE^ANN^^^DR"]),
        keeps: "Segment PID field 8: value 'M^^' exceeds 1\nPID field count\n",
    },
    // Claims of pharmacies (NCPDP), whose fields begin with two letters.
    Notation {
        words: &[
            b"AM01", b"AM02", b"AM03", b"AM04", b"AM05", b"AM07",
            // Behind a separator as it is printed: `\x1e`.
            b"x1eAM01", b"x1eAM02", b"x1eAM03", b"x1eAM04", b"x1eAM05", b"x1eAM07",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.pharmacy_claim(start, end),
        example: (
            "AM01|C419800203|C52|CAANN|CBLEE|CM9 HIGH STREET|CNELY|AM04|C2A4157746",
            &["19800203", "ANN", "LEE", "9 HIGH STREET", "ELY", "A4157746"],
        ),
        keeps: "AM01|C52|AM07|D23240173|D753507668285",
    },
    Notation {
        words: &[b"MRG", b"rMRG"],
        is_caseless: false,
        around: Behind(b"|"),
        find: |scan, start, end| {
            const PLACES: &[Place] = &[id(1, NationalId), id(4, NationalId), person(7)];
            scan.segment(start, end, &HL7, PLACES)
        },
        example: ("MRG|88123^^^HOSP^MR||||||LEE^ANNE\r", &["88123", "LEE^ANNE"]),
        keeps: "MRG|||||||\r",
    },
    // What `dcmdump`, `gdcmdump`, `dcm4che` and pydicom print.
    Notation {
        words: &[b"(0008,", b"(0010,", b"(0032,", b"(0038,", b"(0040,", b"(4008,"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, end| scan.dicom_element(place, end),
        example: (
            "(0010,0010) PN [DOE^JOHN]      #   8, 1 PatientName\n(0010, 0030) Patient's Birth Date  DA: '19800203'\n",
            &["DOE^JOHN", "19800203"],
        ),
        keeps: "(0008,0060) CS [MR]     #   2, 1 Modality\n(0010,0010) PN (no value available)   #   0, 0 PatientName\n",
    },
    Notation {
        words: &[
            b"PatientName",
            b"PatientsName",
            b"OtherPatientNames",
            b"ReferringPhysicianName",
            b"PerformingPhysicianName",
            b"OperatorsName",
            b"PersonName",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.dicom_keyword(end, Name),
        example: ("PatientName: DOE^JOHN\nModality: MR\n", &["DOE^JOHN"]),
        keeps: "PatientName: ^^\nPatientName = x\n",
    },
    Notation {
        words: &[b"PatientID", b"OtherPatientIDs", b"AccessionNumber", b"AdmissionID"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.dicom_keyword(end, NationalId),
        example: ("PatientID: PID-48813\nModality: MR\n", &["PID-48813"]),
        keeps: "PatientID: none\nPatientID[64]\n",
    },
    // DICOM's model in JSON: the number of the element is the name of the field.
    Notation {
        words: &[b"vr"],
        is_caseless: false,
        around: Before(b"\""),
        find: |scan, start, end| scan.dicom_json(start, end),
        example: (
            "\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"DOE^JOHN\"}]}",
            &["DOE^JOHN"],
        ),
        keeps: "\"00080060\":{\"vr\":\"CS\",\"Value\":[\"MR\"]},\"00100040\":{\"vr\":\"CS\",\"Value\":[\"M\"]}",
    },
    // FHIR in XML.
    Notation {
        words: &[b"<family value=", b"<given value="],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.quoted(end, Name),
        example: ("<name><family value=\"Lee\"/><given value=\"Ann\"/></name>", &["Lee", "Ann"]),
        keeps: "<family value=\"\"/><given value=\"%s\"/>",
    },
    // HumanName and Address of FHIR in JSON.
    Notation {
        words: &[b"family", b"given", b"line", b"telecom", b"identifier"],
        is_caseless: false,
        around: Before(b"\""),
        find: |scan, start, end| scan.fhir(start, end),
        example: (
            "{\"resourceType\":\"Patient\",\"name\":[{\"use\":\"official\",\"family\":\"Lee\",\"given\":[\"Ann\",\"Mo\"]}]}",
            &["Lee", "Ann", "Mo"],
        ),
        keeps: "{\"font\":{\"family\":\"Helvetica\",\"line\":[\"dashed\"]}}",
    },
];
