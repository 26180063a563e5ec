//! Records and lines that one program or service writes: telephone networks, banking files,
//! screens of hosts, codes that are scanned, tools of domains.

use crate::find::notation::Around::{Anything, Before, Behind};
use crate::find::notation::Notation;
use crate::kind::Kind;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // Calls of a switch, in a line of fields.
    Notation {
        words: &[b"CDR"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.record_of_call(start, end),
        example: (
            "CDR|VOICE|20230811000841|441353555012|441353555013|3355|16|22517\n",
            &["441353555012", "441353555013"],
        ),
        keeps: "CDR|MOC|20230811000841|||3355|16|22517\n",
    },
    // Receipts of short messages (SMPP).
    Notation {
        words: &[b"dlvrd"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, _, end| scan.receipt_of_message(end),
        example: (
            "id:85 sub:001 dlvrd:001 submit date:2104102006 stat:UNDELIV err:000 to:441353555012 text:Hi",
            &["441353555012"],
        ),
        keeps: "id:85 sub:001 dlvrd:001 submit date:2104102006 done date:2104102006 stat:UNDELIV\n",
    },
    // A telephone by its number, in GTP.
    Notation {
        words: &[b"MEI"],
        is_caseless: false,
        around: Behind(b"="),
        find: |scan, _, end| scan.digits_behind(end + 1, 14..=16, Kind::Device),
        example: ("Create Session Request seq=7 MEI=018285638687568\n", &["018285638687568"]),
        keeps: "Create Session Request seq=7 MEI=0\n",
    },
    // A card in a code that is scanned.
    Notation {
        words: &[b"MECARD"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, start, end| scan.scanned_card(start, end),
        example: (
            "MECARD:N:Lyy,Zed;TEL:00441353555012;ADR:9 High Street;;",
            &["Lyy,Zed", "00441353555012", "9 High Street"],
        ),
        keeps: "MECARD:N:;URL:https://example.org/;;",
    },
    // Quicken (QIF): a line begins with the letter of its field.
    Notation {
        words: &[b"Type"],
        is_caseless: false,
        around: Before(b"!"),
        find: |scan, start, end| scan.payees(start, end),
        example: ("!Type:Bank\nD06/02/2021\nT-62.49\nPZed Lyy\nMrent\n^\n", &["Zed Lyy"]),
        keeps: "!Type:Bank\nD06/02/2021\nT-62.49\nPACME MARKET\nMrent\n^\n",
    },
    // Screens of IBM's hosts: dots lead from the name of a field to its value.
    Notation {
        words: &[b"name", b"phone", b"acct", b"account", b"address", b"ssn", b"customer"],
        is_caseless: true,
        around: Behind(b" "),
        find: |scan, start, end| scan.field_of_screen(start, end),
        example: (" name . . . : LYY, ZED   \n acct . . . : 50747673\n", &["LYY, ZED", "50747673"]),
        keeps: " NAME . . . :      \n the name . of a\n",
    },
    // Segments of SAP's customers.
    Notation {
        words: &[b"STRAS", b"TELF1", b"TELF2", b"ORT01", b"PSTLZ", b"STCD1"],
        is_caseless: false,
        around: Behind(b"="),
        find: |scan, start, end| scan.field_of_segment_of_sap(start, end),
        example: (
            "E1KNA1M STRAS=Bluff Way 9 TELF1=021998/769588 status 51\n",
            &["Bluff Way 9", "021998/769588"],
        ),
        keeps: "E1KNA1M STRAS= TELF1= status 51\n",
    },
    // Wages, as employers report them in America (EFW2).
    Notation {
        words: &[
            b"RW0*", b"RW1*", b"RW2*", b"RW3*", b"RW4*", b"RW5*", b"RW6*", b"RW7*", b"RW8*",
            b"RS0*", b"RS1*", b"RS2*", b"RS3*", b"RS4*", b"RS5*",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.record_of_wages(start, end),
        example: (
            "RW548032631ZED            LYY                 9 BLUFF WAY\n",
            &["548032631", "ZED", "LYY", "9 BLUFF WAY"],
        ),
        keeps: "RW548032631\nRS485 port 2\n",
    },
    // Forms of payment of a reservation.
    Notation {
        words: &[b"CCVI*", b"CCCA*", b"CCMC*", b"CCAX*", b"CCDC*", b"CCDS*", b"CCJC*", b"CCTP*"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, _| scan.digits_behind(start + 4, 13..=19, Kind::Card),
        example: ("8 FP CCCA5110938371110662/1128\n", &["5110938371110662"]),
        keeps: "8 FP CCCA/1128\nCCMCU\n",
    },
    // Words of banks to each other (MT199).
    Notation {
        words: &[b"PPT", b"PASSPORT"],
        is_caseless: false,
        around: Behind(b" NO "),
        find: |scan, _, end| scan.number_of_passport(end + 4),
        example: ("BORN 05JUL1948\nPPT NO CPWZ1GFG8\n", &["05JUL1948", "CPWZ1GFG8"]),
        keeps: "PPT NO LONGER VALID\n",
    },
    Notation {
        words: &[b"PASSPORT"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.number_of_passport(end + 1),
        example: ("DOB 21AUG1939\nPASSPORT C0LCLR1R3\n", &["21AUG1939", "C0LCLR1R3"]),
        keeps: "PASSPORT EXPIRED\n",
    },
    Notation {
        words: &[b"BENE", b"BENEFICIARY", b"REMITTER"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.named_before_birth(end + 1),
        example: ("PLS CONFIRM BENE ZED LYY BORN 05JUL1948\n", &["ZED LYY", "05JUL1948"]),
        keeps: "PLS CONFIRM BENE ACME TRADING LTD BORN\nBENE BANK CHARGES\n",
    },
    // Health records (CDA): the id of a patient, and of no one else.
    Notation {
        words: &[b"<id "],
        is_caseless: false,
        around: Anything,
        find: |scan, place, end| scan.id_of_patient(place, end),
        example: (
            "<patientRole><id root=\"2.16.840.1.113883.19.5\" extension=\"72846082\"/>",
            &["72846082"],
        ),
        keeps: "<custodian><id root=\"2.16.840.1.113883.19.5\" extension=\"72846082\"/>",
    },
    // OTA: what is printed on the back of a card.
    Notation {
        words: &[b"SeriesCode"],
        is_caseless: false,
        around: Behind(b"=\""),
        find: |scan, _, end| scan.digits_behind(end + 2, 3..=4, Kind::Code),
        example: ("<PaymentCard CardCode=\"VI\" SeriesCode=\"857\"/>", &["857"]),
        keeps: "<PaymentCard CardCode=\"VI\" SeriesCode=\"\"/>",
    },
    // Kerberos, as crackers write its tickets.
    Notation {
        words: &[b"krb5tgs", b"krb5asrep", b"krb5pa"],
        is_caseless: false,
        around: Before(b"$"),
        find: |scan, _, end| scan.ticket(end),
        example: (
            "$krb5tgs$23$*ann77$EXAMPLE.ORG$http/web*$8e48b3396521091c27e4bf435a80dbc8$976894db\n",
            &["ann77", "8e48b3396521091c27e4bf435a80dbc8$976894db"],
        ),
        keeps: "formats: $krb5tgs$23$ and $krb5asrep$\n",
    },
    // A line of Windows' accounts with the hashes of their passwords.
    Notation {
        words: &[b":::"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, _| scan.hashes_of_account(place),
        example: (
            "ann77:1647:9a47e300e5829d6fcc6a50ca727582b7:e4452502b6fc512866211e07cbedd5f1:::\n",
            &["ann77", "9a47e300e5829d6fcc6a50ca727582b7:e4452502b6fc512866211e07cbedd5f1"],
        ),
        keeps: "a::b:::c\nnote::: see below\n",
    },
    // FreeRADIUS.
    Notation {
        words: &[b"Cleartext", b"Crypt", b"NT", b"SSHA"],
        is_caseless: false,
        around: Behind(b"-Password"),
        find: |scan, start, _| {
            scan.user_of_line(start);
            None
        },
        example: ("ann77  Cleartext-Password := \"tulip99\"\n", &["ann77", "tulip99"]),
        keeps: "DEFAULT  Cleartext-Password := \"%s\"\n",
    },
    Notation {
        words: &[b"radtest"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.test_of_radius(end),
        example: (
            "radtest ann77 tulip99 radius.example.org 1 rose55\n",
            &["ann77", "tulip99", "rose55"],
        ),
        keeps: "radtest -h\n",
    },
    // Options of FreeRDP.
    Notation {
        words: &[b"/u:", b"/p:"],
        is_caseless: false,
        around: Before(b" "),
        find: |scan, place, end| scan.slashed_option(place, end),
        example: ("xfreerdp /u:ann77 /p:tulip99 /v:10.0.0.1\n", &["ann77", "tulip99"]),
        keeps: "msbuild /p:Configuration=Release /u:\n",
    },
];
