//! Words of programs about one value: who logs in, what was rejected, which key is set.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;
use crate::kind::Kind;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // Spring: the field is named before the value.
    Notation {
        words: &[b"value"],
        is_caseless: false,
        around: Word(b"rejected"),
        find: |scan, start, end| scan.rejected_value(start, end),
        example: ("on field 'lastName': rejected value [Lyy]; codes [Pattern]", &["Lyy"]),
        keeps: "on field 'count': rejected value [3]; codes [Pattern]\nrejected value [Lyy]",
    },
    // SSH's client.
    Notation {
        words: &[b"as"],
        is_caseless: false,
        around: Behind(b" '"),
        find: |scan, start, end| scan.login_as(start, end),
        example: ("debug1: Authenticating to db.example.org:22 as 'ann77'\n", &["ann77"]),
        keeps: "known to the shell as 'ann77'\n",
    },
    // OpenVPN.
    Notation {
        words: &[b"CLIENT_LIST", b"ROUTING_TABLE"],
        is_caseless: false,
        around: Behind(b","),
        find: |scan, start, end| scan.client_of_network(start, end),
        example: ("CLIENT_LIST,ann77,10.0.0.1:60769,10.34.99.11,93948\n", &["ann77"]),
        keeps: "CLIENT_LIST,UNDEF,10.0.0.1:60769\nHEADER,CLIENT_LIST,Common Name,Real Address\n",
    },
    Notation {
        words: &[b"password"],
        is_caseless: false,
        around: Behind(b" \"Auth\" \""),
        find: |scan, _, end| {
            scan.until_quote(end + 9, Kind::Password);
            Some(end + 9)
        },
        example: ("MANAGEMENT: CMD 'password \"Auth\" \"tulip99\"'\n", &["tulip99"]),
        keeps: "MANAGEMENT: CMD 'password \"Auth\" \"\"'\n",
    },
    // Redis: a setting in three strings.
    Notation {
        words: &[b"requirepass", b"masterauth"],
        is_caseless: false,
        around: Behind(b"\" \""),
        find: |scan, _, end| scan.until_quote(end + 3, Kind::Password),
        example: ("\"CONFIG\" \"SET\" \"requirepass\" \"tulip-99\"\n", &["tulip-99"]),
        keeps: "\"CONFIG\" \"SET\" \"requirepass\" \"\"\n",
    },
    // Keys of the kernel for IPsec.
    Notation {
        words: &[b"hmac", b"cbc", b"rfc4106", b"ctr"],
        is_caseless: false,
        around: Behind(b"("),
        find: |scan, _, end| scan.key_of_kernel(end + 1),
        example: (
            "auth-trunc hmac(sha256) 0xa69141b01f43407a7d6d1224cebc62bd 128\n",
            &["a69141b01f43407a7d6d1224cebc62bd"],
        ),
        keeps: "enc cbc(aes) 0x10\nhmac(sha256) 1f43407a7d6d1224cebc62bd1f43407a\n",
    },
    // Seeds of NATS.
    Notation {
        words: &[b"SUA*", b"SAA*", b"SOA*"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.seed_of_server(start, end),
        example: (
            "SUAMHWSXAUGLGAONM27DT5TH3M5KUSYMEKOSYU3SLPE63CEXSRN6PQMCG7\n",
            &["SUAMHWSXAUGLGAONM27DT5TH3M5KUSYMEKOSYU3SLPE63CEXSRN6PQMCG7"],
        ),
        keeps: "SUAVE\nSUABILITY OF SAARINEN\n",
    },
    // The words from which a wallet is made.
    Notation {
        words: &[b"mnemonic", b"words", b"phrase"],
        is_caseless: true,
        around: Anything,
        find: |scan, _, end| scan.words_of_wallet(end),
        example: (
            "mnemonic: able baker cat dog elk fox gnu hen ibex jay kite lynx\n",
            &["able baker cat dog elk fox gnu hen ibex jay kite lynx"],
        ),
        keeps: "mnemonic: mov the word\nphrase: of a song\n",
    },
    // What a user types at another device (RFC 8628).
    Notation {
        words: &[b"user_code"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.code_of_user(end),
        example: ("user_code=GWWQ-ENLW interval=7\n", &["GWWQ-ENLW"]),
        keeps: "user_code=NONE interval=7\n",
    },
    // Very secure FTP.
    Notation {
        words: &[b"FAIL", b"OK"],
        is_caseless: false,
        around: Behind(b" LOGIN: Client"),
        find: |scan, start, _| {
            scan.user_in_brackets(start);
            None
        },
        example: ("[pid 18012] [ann77] FAIL LOGIN: Client \"10.0.0.1\"\n", &["ann77"]),
        keeps: "[pid 18012] FAIL LOGIN: Client \"10.0.0.1\"\n",
    },
    // NETCONF.
    Notation {
        words: &[b"<user><name>"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.until_tag(end, Kind::User),
        example: ("<user><name>ann77</name></user>", &["ann77"]),
        keeps: "<user><name></name></user>",
    },
    // Payments in JSON (ISO 20022).
    Notation {
        words: &[b"nm"],
        is_caseless: false,
        around: Before(b"tr\":{\""),
        find: |scan, start, end| scan.party_of_payment(start, end),
        example: ("{\"dbtr\":{\"nm\":\"Zed\"},\"acct\":{}}", &["Zed"]),
        keeps: "{\"cdtr\":{\"nm\":\"ACME LTD\"},\"acct\":{}}",
    },
    // Who keeps a vehicle, in a line of values.
    Notation {
        words: &[b"VehicleHolder", b"PolicyHolder"],
        is_caseless: false,
        around: Behind(b";"),
        find: |scan, _, end| scan.keeper_of_vehicle(end),
        example: (
            "VehicleHolder;Lyy;Zed;14.03.1975;KS-JF 582;x\n",
            &["Lyy", "Zed", "14.03.1975", "KS-JF 582"],
        ),
        keeps: "VehicleHolder;;;;;\nVehicleHolder;Name\n",
    },
    // Accounts of the United Kingdom, beside the code of their bank.
    Notation {
        words: &[b"acct"],
        is_caseless: false,
        around: Behind(b"="),
        find: |scan, start, end| scan.account_beside_bank(start, end),
        example: ("BACS reject: sort=30-87-05 acct=68865064 txn=01\n", &["68865064"]),
        keeps: "acct=68865064 of the ledger, sort=3 acct=17\n",
    },
    // Calendars: who takes part.
    Notation {
        words: &[b"CN"],
        is_caseless: false,
        around: Behind(b"="),
        find: |scan, start, end| scan.guest(start, end),
        example: ("ATTENDEE;CN=Lyy:MAILTO:x\n", &["Lyy"]),
        keeps: "ATTENDEE;CN=:MAILTO:x\nCN=root,O=CA\n",
    },
    // SQL Server.
    Notation {
        words: &[b"value"],
        is_caseless: false,
        around: Word(b"truncated"),
        find: |scan, _, end| scan.truncated_value(end),
        example: ("column 'Addr1'. Truncated value: 'Zed Lee'.\n", &["Zed Lee"]),
        keeps: "column 'State'. Truncated value: 'PENDING'.\n",
    },
    // Oracle: what a parameter was bound to.
    Notation {
        words: &[b"bind"],
        is_caseless: false,
        around: Behind(b" :"),
        find: |scan, _, end| scan.bound_literal(end),
        example: ("ORA-12899: value too large\nbind :1 = \"Zed Lee\"\n", &["Zed Lee"]),
        keeps: "bind :1 = \"PENDING\"\nbind :2 = 4\n",
    },
    // Packets, as tcpdump prints them: the port is behind the address, and a point.
    Notation {
        words: &[b"IP"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.addresses_of_packet(end + 1),
        example: (
            "20:13:18.146 IP 81.155.169.243.28747 > 10.0.0.1.443: Flags [S]\n",
            &["81.155.169.243"],
        ),
        keeps: "20:13:18.146 IP 10.0.0.2.28747 > 10.0.0.1.443: Flags [S]\nIP 1.2.3.4.5 release\n",
    },
    // Mobility management of LTE.
    Notation {
        words: &[b"imsi"],
        is_caseless: false,
        around: Behind(b"-"),
        find: |scan, _, end| scan.digits_behind(end + 1, 14..=15, Kind::Device),
        example: ("Attach reject imsi-208108746499205 tac 0x972b\n", &["208108746499205"]),
        keeps: "Attach reject imsi-unknown tac 0x972b\n",
    },
    // Routers.
    Notation {
        words: &[b"tacacs", b"radius"],
        is_caseless: false,
        around: Behind(b"-server host "),
        find: |scan, _, end| scan.key_of_host(end + 13),
        example: ("tacacs-server host 10.0.0.1 key tulip.2009\n", &["tulip.2009"]),
        keeps: "tacacs-server host 10.0.0.1 port 49\n",
    },
    // What a login over SMB was tried with.
    Notation {
        words: &[b"STATUS_LOGON_FAILURE", b"STATUS_ACCOUNT_LOCKED_OUT", b"STATUS_PASSWORD_EXPIRED"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, _| {
            scan.tried_login(start);
            None
        },
        example: (
            "SMB 10.0.0.1 445 FS01 [-] CORP\\zed77:tulip99 STATUS_LOGON_FAILURE\n",
            &["zed77", "tulip99"],
        ),
        keeps: "SMB 10.0.0.1 445 FS01 [-] Error: STATUS_LOGON_FAILURE\n",
    },
    // Lines of addresses of payments in JSON.
    Notation {
        words: &[b"adrLine"],
        is_caseless: false,
        around: Behind(b"\":["),
        find: |scan, _, end| scan.strings(end + 2, Kind::Address),
        example: ("\"pstlAdr\":{\"adrLine\":[\"60, Bluff Way\"]}", &["60, Bluff Way"]),
        keeps: "\"pstlAdr\":{\"adrLine\":[\"\"]}",
    },
];
