//! Accounts of systems and databases: statements and commands that name a user, and codes that
//! replace a password.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;

pub(super) static ROWS: &[Notation] = &[
    // SQL.
    Notation {
        words: &[b"USER", b"user", b"ROLE", b"role"],
        is_caseless: false,
        around: Word(b"alter"),
        find: |scan, _, end| scan.account(end),
        example: ("ALTER USER zlee77 WITH LOGIN;", &["zlee77"]),
        keeps: "ALTER USER CURRENT_USER SET search_path TO x;",
    },
    Notation {
        words: &[b"USER", b"user", b"ROLE", b"role"],
        is_caseless: false,
        around: Word(b"create"),
        find: |scan, _, end| scan.account(end),
        example: ("CREATE USER zlee77 WITH LOGIN;", &["zlee77"]),
        keeps: "CREATE USER %s; failed to create user namespace (EPERM)",
    },
    Notation {
        words: &[b"USER", b"user"],
        is_caseless: false,
        around: Word(b"drop"),
        find: |scan, _, end| scan.account(end),
        example: ("DROP USER zlee77;", &["zlee77"]),
        keeps: "DROP USER MAPPING FOR PUBLIC; drop user privileges",
    },
    // `net user NAME PASSWORD /add`, of Windows.
    Notation {
        words: &[b"user"],
        is_caseless: true,
        around: Word(b"net"),
        find: |scan, _, end| scan.account_and_password(end),
        example: ("net user zlee77 wil+2c2iFBADG6 /add", &["zlee77", "wil+2c2iFBADG6"]),
        keeps: "net user /domain; Internet user agent string, ASP.NET user interface library",
    },
    // Commands of Unix whose last word is the user, or whose first is.
    Notation {
        words: &[b"useradd", b"adduser", b"usermod", b"userdel", b"deluser", b"chage", b"chfn"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.account(end),
        example: ("useradd zlee77 -m -s /bin/bash", &["zlee77"]),
        keeps: "useradd -D; useradd: group exists; useradd failed",
    },
    // A password for `sudo`, from a pipe.
    Notation {
        words: &[b"sudo"],
        is_caseless: false,
        around: Word(b"|"),
        find: |scan, start, end| scan.piped_password(start, end),
        example: ("echo 'orc+X7pE' | sudo -S reboot", &["orc+X7pE"]),
        keeps: "echo done | sudo tee /etc/x",
    },
    // Codes of which each replaces a second factor once.
    Notation {
        words: &[b"codes"],
        is_caseless: true,
        around: Word(b"recovery"),
        find: |scan, _, end| scan.codes(end),
        example: ("recovery codes for x: o7w8-6ctn, s7g5-h0kd", &["o7w8-6ctn", "s7g5-h0kd"]),
        keeps: "recovery codes: 10 left",
    },
    Notation {
        words: &[b"codes"],
        is_caseless: true,
        around: Word(b"backup"),
        find: |scan, _, end| scan.codes(end),
        example: (
            "2FA backup codes for x: 5762-1015 6463-3183 (9 left)",
            &["5762-1015", "6463-3183"],
        ),
        keeps: "backup codes generated: 10, backup codes: none left of 10",
    },
    // `cron`: whose table it is.
    Notation {
        words: &[b"CMD", b"MAIL"],
        is_caseless: false,
        around: Before(b") "),
        find: |scan, start, _| scan.login_before(start - 2, b'('),
        example: ("crond[24538]: (zlee77) CMD (run)", &["zlee77"]),
        keeps: "crond[24538]: (root) CMD (run)",
    },
    // OpenVPN.
    Notation {
        words: &[b"Peer"],
        is_caseless: false,
        around: Before(b"] "),
        find: |scan, start, _| scan.login_before(start - 2, b'['),
        example: ("[zlee77] Peer Connection Initiated", &["zlee77"]),
        keeps: "[server] Peer Connection Initiated",
    },
    // Names of resources of Amazon's cloud.
    Notation {
        words: &[b"user"],
        is_caseless: false,
        around: Behind(b"/"),
        find: |scan, start, end| {
            let text = scan.text;
            let name = text.run_back(start, 48, |byte| byte > b' ' && byte != b'"');
            text.has(name, b"arn:").then(|| scan.account(end + 1)).flatten()
        },
        example: ("arn:aws:iam::471112223334:user/zlee77 REST", &["zlee77"]),
        keeps: "google/sunfish/sunfish:13/TQ3A.230805/10316531:user/release-keys",
    },
    // The log of slow statements of MySQL.
    Notation {
        words: &[b"Host"],
        is_caseless: false,
        around: Before(b"User@"),
        find: |scan, _, end| {
            scan.login_between(end + 2, b'[');
            let open = scan.text.run(end + 2, 64, |byte| byte != b'[' && byte != b'\n');
            scan.login_between(open + 1, b']')
        },
        example: ("# User@Host: zlee77[zlee77] @ []", &["zlee77", "zlee77"]),
        keeps: "# User@Host: root[root] @ localhost []",
    },
];
