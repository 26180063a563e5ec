//! Logins and passwords in lines of protocols, settings and calls.

use crate::find::field::separator::separator;
use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;
use crate::find::notation::call::CALLS;
use crate::kind::Kind;

pub(super) static ROWS: &[Notation] = &[
    // Redis, on the wire and in its monitor; mail (RFC 4954).
    Notation {
        words: &[b"AUTH"],
        is_caseless: false,
        around: Anything,
        find: |scan, start, end| scan.auth(start, end),
        example: ("AUTH hunter2\r\n", &["hunter2"]),
        keeps: "AUTH LOGIN\r\n",
    },
    Notation {
        words: &[b"machine"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.netrc(end),
        example: ("machine db.int login ann_l password dragon\n", &["ann_l", "dragon"]),
        keeps: "the machine is off, login as before",
    },
    // `su` in the log of authentications.
    Notation {
        words: &[b"to"],
        is_caseless: false,
        around: Before(b"("),
        find: |scan, _, end| scan.switched(end),
        example: ("FAILED SU (to root) ann77 on pts/5", &["ann77"]),
        keeps: "go (to root) and back on time",
    },
    // PowerShell.
    Notation {
        words: &[b"SecureString"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.literal(end),
        example: ("ConvertTo-SecureString 'superman' -AsPlainText", &["superman"]),
        keeps: "[SecureString]$word = Read-Host -AsSecureString",
    },
    // `ipsec.secrets` of strongSwan.
    Notation {
        words: &[b"PSK", b"EAP", b"XAUTH"],
        is_caseless: false,
        around: Behind(b" \""),
        find: |scan, start, end| {
            if scan.text.slice(start..end) != b"PSK" && scan.text.before(start - 1) == b':' {
                scan.selector(start);
            }
            scan.literal(end)
        },
        example: ("hq.example.net : PSK \"superman\"\n", &["superman"]),
        keeps: "ike: PSK \"<secret>\" selected\n",
    },
    // NickServ, on IRC.
    Notation {
        words: &[b"IDENTIFY"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.last_word(end),
        example: ("PRIVMSG NickServ :IDENTIFY hunter2\r\n", &["hunter2"]),
        keeps: "IDENTIFY DEVICE failed: status 0x51\n",
    },
    // Routers.
    Notation {
        words: &[b"community"],
        is_caseless: false,
        around: Word(b"snmp-server"),
        find: |scan, _, end| scan.next_word(end),
        example: ("snmp-server community w1dget RO\n", &["w1dget"]),
        keeps: "show snmp-server community\n",
    },
    // `snmpd.conf` of Net-SNMP.
    Notation {
        words: &[b"rocommunity", b"rwcommunity"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.next_word(end),
        example: ("rocommunity w1dget default\n", &["w1dget"]),
        keeps: "rocommunity <string> [SOURCE]\n",
    },
    // `who`, `w`, `last`: the user is before the terminal, and the line goes on.
    Notation {
        words: &[b"pts", b"tty"],
        is_caseless: false,
        around: Behind(b"/"),
        find: |scan, start, _| scan.terminal(start),
        example: ("ann77    pts/0    09:51", &["ann77"]),
        keeps: "root    pts/0    09:51",
    },
    Notation {
        words: CALLS,
        is_caseless: false,
        around: Behind(b"("),
        find: |scan, _, end| scan.credentials(end + 1),
        example: ("new PDO('ann77', 'hunter2')", &["ann77", "hunter2"]),
        keeps: "new PDO($dsn, $user, $word)",
    },
    // SQL.
    Notation {
        words: &[b"BY", b"by"],
        is_caseless: false,
        around: Word(b"identified"),
        find: |scan, _, end| scan.literal(end),
        example: ("CREATE USER a IDENTIFIED BY 'hunter2'", &["hunter2"]),
        keeps: "CREATE USER a IDENTIFIED BY %s",
    },
    Notation {
        words: &[b"password"],
        is_caseless: true,
        around: Behind(b"("),
        find: |scan, _, end| scan.literal(end + 1),
        example: ("UPDATE t SET a = password('hunter2');", &["hunter2"]),
        keeps: "SELECT password('%s') FROM t",
    },
    // `redis.conf`: a setting is a line of two words.
    Notation {
        words: &[b"requirepass", b"masterauth"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| match scan.text.before(start) {
            b'\n' | 0 => scan.last_word(end),
            _ => None,
        },
        example: ("requirepass sunflower9\n", &["sunflower9"]),
        keeps: "set requirepass before you expose the port",
    },
    // FTP and POP (RFC 959, RFC 1939); with a separator behind the word it is a field.
    Notation {
        words: &[b"USER"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| {
            let Some(user) = scan.only_argument(start, end) else {
                return scan.user_of_chat(start, end);
            };
            separator(scan.text, end).is_none().then(|| scan.hide(user, Kind::User))
        },
        example: ("USER ann\r\n---> USER bo\r\nUSER cyl 0 * :Chat\r\n", &["ann", "bo", "cyl"]),
        keeps: "USER timed out\r\n",
    },
    Notation {
        words: &[b"PASS"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| {
            let password = scan.only_argument(start, end).filter(|password| password.len() > 3)?;
            separator(scan.text, end).is_none().then(|| scan.hide(password, Kind::Password))
        },
        example: ("PASS hunter2\r\n", &["hunter2"]),
        keeps: "PASS ok 12 tests\r\n",
    },
    // IMAP (RFC 9051).
    Notation {
        words: &[b"LOGIN", b"login"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| match separator(scan.text, end) {
            None => scan.login(start, end),
            Some(_) => None,
        },
        example: ("a1 LOGIN ann hunter2\r\n", &["ann", "hunter2"]),
        keeps: "* CAPABILITY LOGIN disabled\r\n",
    },
    // The lines of a card are read ahead; what else is in them is found as ever.
    Notation {
        words: &[b"VCARD"],
        is_caseless: false,
        around: Before(b"BEGIN:"),
        find: |scan, _, end| {
            scan.visiting_card(end);
            None
        },
        example: ("BEGIN:VCARD\nVERSION:4.0\nN:Lee;Ann;;;\nEND:VCARD", &["Lee", "Ann"]),
        keeps: "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nEND:VCARD",
    },
];
