//! Settings, consoles and messages of single programs and services.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;
use crate::kind::Kind;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // cloud-init.
    Notation {
        words: &[b"gecos", b"ssh_authorized_keys", b"lock_passwd"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, start, _| {
            scan.user_above(start);
            None
        },
        example: ("users:\n  - name: annlee\n    lock_passwd: true\n", &["annlee"]),
        keeps: "users:\n  - name: root\n    lock_passwd: true\n  - default\n    gecos:\n",
    },
    Notation {
        words: &[b"chpasswd"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, _, end| scan.passwords_of_users(end),
        example: (
            "chpasswd:\n  list: |\n    annlee:tulip2009\n  expire: false\n",
            &["annlee", "tulip2009"],
        ),
        keeps: "chpasswd:\n  expire: false\npackages: [x]\n",
    },
    // Profiles of Windows' wireless networks.
    Notation {
        words: &[b"Content"],
        is_caseless: false,
        around: Word(b"key"),
        find: |scan, _, end| scan.rest_behind_colon(end, Kind::Password),
        example: ("    Key Content            : tulip 2009\n", &["tulip 2009"]),
        keeps: "    Key Content            :\n    Key Content type\n",
    },
    // ExifTool.
    Notation {
        words: &[b"Latitude", b"Longitude", b"Position"],
        is_caseless: false,
        around: Word(b"gps"),
        find: |scan, _, end| scan.degrees(end),
        example: ("GPS Latitude     : 45 deg 38' 29.56\" N\n", &["45 deg 38' 29.56\" N"]),
        keeps: "GPS Latitude Ref : North\nGPS Position     : (none)\n",
    },
    // Erlang.
    Notation {
        words: &[b"login", b"authenticate", b"credentials"],
        is_caseless: false,
        around: Behind(b",<<\""),
        find: |scan, _, end| scan.binaries_of_login(end),
        example: ("{login,<<\"annlee\">>,<<\"tulip2009\">>}", &["annlee", "tulip2009"]),
        keeps: "{login,<<\"\">>,<<\"\">>} {credentials,<<\"\">>}",
    },
    // Exim.
    Notation {
        words: &[
            b"plain",
            b"login",
            b"PLAIN",
            b"LOGIN",
            b"cram_md5",
            b"plain_login",
            b"dovecot_plain",
            b"dovecot_login",
        ],
        is_caseless: false,
        around: Before(b" A="),
        find: |scan, _, end| match scan.text.at(end) {
            b':' => scan.authenticated_user(end),
            _ => None,
        },
        example: ("P=esmtpsa A=plain:annlee S=2891\n", &["annlee"]),
        keeps: "P=esmtpsa A=plain S=2891\n",
    },
    // OwnTracks: where someone is.
    Notation {
        words: &[b"owntracks"],
        is_caseless: false,
        around: Behind(b"/"),
        find: |scan, _, end| {
            let stop = scan.text.run(end + 1, 64, |byte| byte > b' ' && !b"/'\"".contains(&byte));
            (scan.text.at(stop) == b'/' && scan.hide_filled(end + 1..stop, Kind::User))
                .then_some(stop)
        },
        example: ("PUBLISH (d0, q0, 'owntracks/annlee/phone')\n", &["annlee"]),
        keeps: "subscribe owntracks/# and owntracks/+/+\n",
    },
    // Terraform.
    Notation {
        words: &[b"result"],
        is_caseless: false,
        around: Behind(b"\": \""),
        find: |scan, start, end| scan.result_of_generator(start, end),
        example: (
            "\"type\": \"random_password\", \"attributes\": {\"result\": \"tulip 2009\"}",
            &["tulip 2009"],
        ),
        keeps: "\"type\": \"random_pet\", \"attributes\": {\"result\": \"tulip\"}",
    },
    // A name in an object of its own, as Node.js and documents have it.
    Notation {
        words: &[b"first", b"given"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.parts_of_name(start, end),
        example: ("  name: { first: 'Qwirin', last: 'Lyy' },", &["Qwirin", "Lyy"]),
        keeps: "page: { first: 'Qwirin', last: 'Lyy' } the name: first come",
    },
    // DynamoDB.
    Notation {
        words: &[b"S", b"N"],
        is_caseless: false,
        around: Before(b"{\""),
        find: |scan, start, end| scan.typed_attribute(start, end),
        example: (
            "{\"fullName\": {\"S\": \"Qwirin Lyy\"}, \"version\": {\"N\": \"37\"}}",
            &["Qwirin Lyy"],
        ),
        keeps: "{\"pk\": {\"S\": \"MEMBER#17\"}, \"version\": {\"N\": \"37\"}}",
    },
    // Asterisk.
    Notation {
        words: &[b"CallerID", b"Callerid", b"callerid"],
        is_caseless: false,
        around: Behind(b" \""),
        find: |scan, _, end| scan.until_quote(end + 2, Kind::Name),
        example: ("CallerID \"Qwirin Lyy\" <100> entered queue\n", &["Qwirin Lyy"]),
        keeps: "CallerID \"\" <100> entered queue\n",
    },
    // Short messages (SMPP): the type of the number, and its plan, before it.
    Notation {
        words: &[b"(addr: "],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.address_of_message(end),
        example: ("(addr: 5 0 INFO) (addr: 1 1 81902854) (sm: enc: 8)", &["81902854"]),
        keeps: "(addr: 5 0 INFO) (addr: 1 1 BANK) (sm: enc: 8)",
    },
    // Calls of a switch, in a table.
    Notation {
        words: &[b"MOC", b"MTC", b"SMSMO", b"SMSMT"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.record_of_call(start, end),
        example: (
            "MOC;441353555012;441353555013;20250618165828;796;16\n",
            &["441353555012", "441353555013"],
        ),
        keeps: "MOC;;;20250618165828;796;16\nthe MTC, 2026\n",
    },
    // Accounts in files of banks (OFX), whose elements need no end.
    Notation {
        words: &[b"<ACCTID>"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.digits_behind(end, 5..=22, Kind::Account),
        example: ("<BANKID>98939700<ACCTID>1387943014<ACCTTYPE>CHECKING", &["1387943014"]),
        keeps: "<BANKID>98939700<ACCTID><ACCTTYPE>CHECKING",
    },
    // Profiles of wireless networks in XML.
    Notation {
        words: &[b"<keyMaterial>"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.until_tag(end, Kind::Password),
        example: ("<protected>false</protected><keyMaterial>tulip 99</keyMaterial>", &["tulip 99"]),
        keeps: "<keyMaterial></keyMaterial>",
    },
    // Redis: what a code for a telephone is.
    Notation {
        words: &[b"otp"],
        is_caseless: false,
        around: Word(b"get"),
        find: |scan, _, end| scan.replied_code(end),
        example: ("> GET otp:17\n\"293498\"\n", &["293498"]),
        keeps: "> GET otp:17\n(nil)\n",
    },
    // Calls, as Asterisk writes them.
    Notation {
        words: &[b"<+"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, _| {
            scan.caller(place);
            None
        },
        example: ("\"Qwirin Lyy <+9999999>\",\"126\"", &["Qwirin Lyy"]),
        keeps: "\"\" <+9999999>, a <+b>\n",
    },
    // swanctl.
    Notation {
        words: &[b"id"],
        is_caseless: false,
        around: Behind(b" = "),
        find: |scan, start, end| scan.identity(start, end),
        example: ("secrets { eap-u1 {\n id = qwirlyy\n } }", &["qwirlyy"]),
        keeps: "pools { main {\n id = qwirlyy\n } }",
    },
    // ArcSight: what is before the fields names the event.
    Notation {
        words: &[b"CEF"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, start, end| scan.header_of_event(start, end),
        example: (
            "CEF:0|Acme|WAF|7.2|98|Auth failure|4|spt=51676 suser=qwirlyy77\n",
            &["qwirlyy77"],
        ),
        keeps: "CEF:0|Acme|WAF|7.2|98|Auth failure|4|spt=51676\n",
    },
    // The number of an event in a calendar is written like an address of mail.
    Notation {
        words: &[b"UID"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, start, end| {
            let begins = matches!(scan.text.before(start), b'\n' | b'\r' | b' ' | b'\t' | 0);
            begins.then(|| scan.text.run(end, 256, |byte| byte > b' '))
        },
        example: (
            "UID:89cfb273872dd699@example.org\nORGANIZER:mailto:ann@example.org\n",
            &["ann@example.org"],
        ),
        keeps: "UID:89cfb273872dd699@example.org\n",
    },
    // Hotels.
    Notation {
        words: &[b"guest", b"GUEST", b"Guest"],
        is_caseless: false,
        around: Behind(b"="),
        find: |scan, _, end| scan.guest_of_hotel(end),
        example: ("PS guest=Lyy, Qwirin; arr=2025-12-05\n", &["Lyy, Qwirin"]),
        keeps: "PS guest=true, room=680; guest=\n",
    },
    // Queries of documents: a path to a part of a name.
    Notation {
        words: &[b"last", b"first", b"given", b"family"],
        is_caseless: false,
        around: Before(b"name."),
        find: |scan, _, end| scan.value_of_path(end),
        example: ("\"filter\":{\"name.last\":\"Lyy\"}", &["Lyy"]),
        keeps: "\"sort\":{\"name.last\":1} the name.last == \"x\"",
    },
    // OpenID Connect.
    Notation {
        words: &[b"formatted"],
        is_caseless: false,
        around: Before(b"{\""),
        find: |scan, start, end| scan.formatted_address(start, end),
        example: ("\"address\":{\"formatted\":\"Bluff Way 9, Ely\"}", &["Bluff Way 9, Ely"]),
        keeps: "\"size\":{\"formatted\":\"9 MB, zipped\"}",
    },
    // SQL Server: what parameters of a statement were.
    Notation {
        words: &[b"p0", b"p1", b"p2", b"p3", b"p4", b"p5", b"p6", b"p7", b"p8", b"p9"],
        is_caseless: false,
        around: Behind(b"=N'"),
        find: |scan, start, end| scan.parameter_of_statement(start, end),
        example: (
            "exec sp_executesql N'INSERT INTO [T] ([Name]) VALUES (@p0)',@p0=N'Qwirin Lyy'\n",
            &["Qwirin Lyy"],
        ),
        keeps: "exec sp_executesql N'UPDATE [T] SET [State]=@p0',@p0=N'Not Sent'\n",
    },
    // Ruby.
    Notation {
        words: &[b"first", b"last"],
        is_caseless: false,
        around: Behind(b"=>\""),
        find: |scan, _, end| scan.named_part(end),
        example: ("{:first=>\"Qwirin\", :count=>3}", &["Qwirin"]),
        keeps: "{:first=>\"page\", :last=>\"\"}",
    },
    // Open Location Code.
    Notation {
        words: &[b"code"],
        is_caseless: true,
        around: Word(b"plus"),
        find: |scan, _, end| scan.plus_code(end),
        example: ("drop at gate, plus code 9F4MGCX2+QR, eta 5 min", &["9F4MGCX2+QR"]),
        keeps: "plus code 42 of the list",
    },
    // Routers.
    Notation {
        words: &[b"username"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.user_of_router(end),
        example: ("username qwirlyy privilege 15 secret 9 x\n", &["qwirlyy"]),
        keeps: "username admin privilege 15\nthe username of a\n",
    },
    // Freight by air (Cargo-IMP).
    Notation {
        words: &[b"SHP", b"CNE", b"NFY"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.party_of_freight(start, end),
        example: (
            "FWB/16\nSHP\n/QWIRIN LYY\n/9 BLUFF WAY\n/ELY\n/GB/CB7 4AA/TE/441353555012\n",
            &["QWIRIN LYY", "9 BLUFF WAY", "ELY", "CB7 4AA", "441353555012"],
        ),
        keeps: "SHP\n/ACME TRADING LTD\n/1 DOCK ROAD\n/HULL\n/GB/HU1 1AA\nCNE\n",
    },
];
