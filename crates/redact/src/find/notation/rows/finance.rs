//! Banks and exchanges: SWIFT, FIX, magnetic stripes, ISO 8583.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // Ordering customers and beneficiaries of SWIFT's messages (MT).
    Notation {
        words: &[
            b":50:", b":50A:", b":50C:", b":50F:", b":50G:", b":50H:", b":50K:", b":50L:", b":59:",
            b":59A:", b":59F:",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.swift_party(start, end),
        example: (
            ":50K:/40532013\nANN LEE\n9 HIGH STREET\nELY\n:71A:SHA",
            &["40532013", "ANN LEE", "9 HIGH STREET", "ELY"],
        ),
        keeps: ":50K:ACME TRADING LTD\n1 DOCK ROAD\n:50A:DEUTDEFFXXX\n:59:\n:71A:SHA",
    },
    Notation {
        words: &[b"Customer"],
        is_caseless: false,
        around: Word(b"ordering"),
        find: |scan, _, end| scan.printed_party(end),
        example: (
            "50K: Ordering Customer-Name & Address\n     /40532013\n     ANN LEE\n     9 HIGH STREET\n59: x",
            &["40532013", "ANN LEE", "9 HIGH STREET"],
        ),
        keeps: "50K: Ordering Customer\n     ACME TRADING LTD\n     1 DOCK ROAD\nOrdering Customer data\n",
    },
    Notation {
        words: &[b"Customer"],
        is_caseless: false,
        around: Word(b"beneficiary"),
        find: |scan, _, end| scan.printed_party(end),
        example: (
            "59: Beneficiary Customer\n     /99120045\n     BO RAY\n70: x",
            &["99120045", "BO RAY"],
        ),
        keeps: "59: Beneficiary Customer\n70: Remittance Information\n     INVOICE 4711\n",
    },
    // Accounts of banks, before who they are.
    Notation {
        words: &[
            b":25:", b":25P:", b":51A:", b":52A:", b":52D:", b":53A:", b":53B:", b":53D:",
            b":54A:", b":54B:", b":55A:", b":56A:", b":56D:", b":57A:", b":57B:", b":57C:",
            b":57D:", b":58A:", b":58D:",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.swift_account(start, end),
        example: (":25:40532013\n:57A:/99120045\nDEUTDEFF\n", &["40532013", "99120045"]),
        keeps: ":52A:DEUTDEFFXXX\n:57A://FW021000089\nCHASUS33\n:25:\n",
    },
    // The structure that German and Dutch banks give the text of a statement.
    Notation {
        words: &[b":86:"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.swift_narrative(start, end),
        example: (
            ":86:166?00TRANSFER?20INVOICE 88?3037040044?31532013000?32LEE?33ANN\n:62F:C",
            &["532013000", "LEE", "ANN"],
        ),
        keeps: ":86:INTEREST CREDITED\n:62F:C",
    },
    Notation {
        words: &[b"FIX", b"FIXT"],
        is_caseless: false,
        around: Before(b"8="),
        find: |scan, start, end| scan.fix_message(start, end),
        example: (
            "8=FIX.4.4|9=99|35=A|49=BUY|553=ann|554=tulip3|1=4053201|10=004|",
            &["ann", "tulip3", "4053201"],
        ),
        keeps: "8=FIX.4.4|9=99|35=D|49=BUY|56=SELL|34=2|55=MSFT|44=12.5|10=004|",
    },
    // Data elements of ISO 8583, as switches and jPOS print them.
    Notation {
        words: &[
            b"DE2", b"DE02", b"DE002", b"DE34", b"DE034", b"DE35", b"DE035", b"DE36", b"DE036",
            b"DE45", b"DE045", b"DE52", b"DE052", b"DE102", b"DE103", b"F002", b"F035", b"F045",
            b"F052", b"F102",
        ],
        is_caseless: true,
        around: Anything,
        find: |scan, start, end| {
            let number = scan.text.run(start, 3, |byte| byte.is_ascii_alphabetic());
            scan.data_element(number..end, end)
        },
        example: (
            "DE2: 4111111111111111\nDE52: 0123ABCD4567EF89",
            &["4111111111111111", "0123ABCD4567EF89"],
        ),
        keeps: "DE2: present\nDE39: 00\nDE52: absent\nF002: 411111******1111",
    },
    Notation {
        words: &[b"DE", b"field", b"bit", b"element"],
        is_caseless: true,
        around: Behind(b" "),
        find: |scan, _, end| scan.numbered_element(end),
        example: (
            "<field id=\"52\" value=\"0123ABCD4567EF89\"/>\nDE 035 = 4111111111111111D27121011000\n",
            &["0123ABCD4567EF89", "4111111111111111D27121011000"],
        ),
        keeps: "<field id=\"4\" value=\"000000012500\"/>\nDE 2 = absent\nfield 2: required, bit 35 is set\n",
    },
    Notation {
        words: &[b"fld", b"field", b"DE", b"F", b"bit"],
        is_caseless: false,
        around: Behind(b"["),
        find: |scan, _, end| scan.numbered_element(end),
        example: ("fld[052]: <0123ABCD4567EF89>\n", &["0123ABCD4567EF89"]),
        keeps: "fld[011]: <518714>\nfld[2]: <n/a>\n",
    },
    // Data objects of chips (EMV).
    Notation {
        words: &[b"57", b"5A", b"5F20", b"5a", b"5f20", b"9F6B", b"9F0B", b"56"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.object_of_chip(end),
        example: (
            "READ RECORD SW=9000\n57: 4012888888881881D23122018036254175F\n5F20: LEE/ANN MO\n",
            &["4012888888881881D23122018036254175F", "LEE/ANN MO"],
        ),
        keeps: "57: 12\n5A: absent\n5F20: see below\n5A=0000\n",
    },
    // Cheques: the account is between the signs of the line of E-13B.
    Notation {
        words: &[b"\xe2\x91\x86*"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.account_of_cheque(start, end),
        example: ("MICR: ⑆021000021⑆ 4053201388⑈ 7091", &["4053201388"]),
        keeps: "MICR: ⑆021000021⑆ ⑈ 7091 ",
    },
];
