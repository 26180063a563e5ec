//! Keys and passwords of sessions, tunnels and agents.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;
use crate::kind::Kind;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // The key log of NSS, which browsers and `curl` write.
    Notation {
        words: &[
            b"CLIENT_RANDOM",
            b"CLIENT_EARLY_TRAFFIC_SECRET",
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET",
            b"CLIENT_TRAFFIC_SECRET_0",
            b"SERVER_TRAFFIC_SECRET_0",
            b"CLIENT_TRAFFIC_SECRET_1",
            b"SERVER_TRAFFIC_SECRET_1",
            b"EARLY_EXPORTER_SECRET",
            b"EARLY_EXPORTER_MASTER_SECRET",
            b"EXPORTER_SECRET",
            b"ECH_SECRET",
            b"ECH_CONFIG",
            b"QUIC_CLIENT_TRAFFIC_SECRET_0",
            b"QUIC_SERVER_TRAFFIC_SECRET_0",
            b"PMS_CLIENT_RANDOM",
            b"RSA",
        ],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.logged_key(end),
        example: (
            "CLIENT_RANDOM 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f 00112233445566778899aabbccddeeff00112233445566778899\n",
            &["00112233445566778899aabbccddeeff00112233445566778899"],
        ),
        keeps: "CLIENT_RANDOM 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\nEXPORTER_SECRET is one of the labels\n",
    },
    Notation {
        words: &[b"BEGIN"],
        is_caseless: false,
        around: Behind(b" OpenVPN Static key V1-----"),
        find: |scan, _, end| scan.lines_of_key(end),
        example: (
            "-----BEGIN OpenVPN Static key V1-----\n6acef03f62675b4b1bbd03e53b187727\n-----END",
            &["6acef03f62675b4b1bbd03e53b187727"],
        ),
        keeps: "-----BEGIN OpenVPN Static key V1-----\n-----END OpenVPN Static key V1-----\n",
    },
    // Ansible.
    Notation {
        words: &[b"ANSIBLE_VAULT"],
        is_caseless: false,
        around: Before(b"$"),
        find: |scan, _, end| scan.lines_of_key(end),
        example: (
            "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163\n3764373764613633\n",
            &["62313365396662343061393464336163\n3764373764613633"],
        ),
        keeps: "$ANSIBLE_VAULT;1.1;AES256\n",
    },
    // OpenVPN.
    Notation {
        words: &[b"<auth-user-pass>"],
        is_caseless: false,
        around: Anything,
        find: |scan, _, end| scan.user_and_password_lines(end),
        example: ("<auth-user-pass>\nann77\ntulip99\n</auth-user-pass>", &["ann77", "tulip99"]),
        keeps: "<auth-user-pass>\n</auth-user-pass>\n",
    },
    // SNMPv3: of Net-SNMP's settings and of routers'.
    Notation {
        words: &[b"createUser"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.created_user(end),
        example: (
            "createUser ann77 SHA \"tulip9999\" AES \"rose99999\"\n",
            &["ann77", "tulip9999", "rose99999"],
        ),
        keeps: "createUser NAME MD5 AES\ncreateUser USERNAME (MD5|SHA)\n",
    },
    Notation {
        words: &[b"sha", b"md5"],
        is_caseless: false,
        around: Word(b"auth"),
        find: |scan, _, end| scan.behind_method(end),
        example: ("snmp-server user ann77 ops v3 auth sha tulip9999\n", &["ann77", "tulip9999"]),
        keeps: "use auth sha or\nauth md5\n",
    },
    Notation {
        words: &[b"aes", b"des", b"3des"],
        is_caseless: false,
        around: Word(b"priv"),
        find: |scan, _, end| scan.behind_method(end),
        example: ("group ops priv aes 128 rose99999\n", &["rose99999"]),
        keeps: "group ops priv aes 128\n",
    },
    // Where Net-SNMP keeps its users.
    Notation {
        words: &[b"usmUser"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.kept_user(end),
        example: (
            "usmUser 1 3 0x80001f8880e9 \"ann77\" \"ann77\" NULL .1.3.6.1 0x0123456789abcdef0123456789abcdef .1.3 \"\"",
            &["ann77", "ann77", "0x0123456789abcdef0123456789abcdef"],
        ),
        keeps: "usmUser 1 3 0x80001f8880e9 \"\" \"\" NULL .1.3.6.1",
    },
    // `wpa_supplicant.conf`.
    Notation {
        words: &[b"psk"],
        is_caseless: false,
        around: Behind(b"=\""),
        find: |scan, _, end| scan.quoted(end + 1, Kind::Password),
        example: ("network={\n psk=\"tulips and roses\"\n}", &["tulips and roses"]),
        keeps: "network={\n psk=\"\"\n key_mgmt=WPA-PSK\n}",
    },
    Notation {
        words: &[b"identity"],
        is_caseless: false,
        around: Behind(b"=\""),
        find: |scan, _, end| scan.quoted(end + 1, Kind::User),
        example: ("network={\n eap=PEAP\n identity=\"ann77\"\n}", &["ann77"]),
        keeps: "network={\n eap=PEAP\n anonymous_identity=\"anonymous\"\n identity=\"\"\n}",
    },
    // NTLM, as it is captured.
    Notation {
        words: &[b"::"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, _| scan.ntlm_response(place),
        example: (
            "ann77::CORP:1122334455667788:0123456789abcdef0123456789abcdef:0101000000000000",
            &["ann77", "0123456789abcdef0123456789abcdef:0101000000000000"],
        ),
        keeps: "std::String::CORP:1122334455667788:01",
    },
    // `ipsec.secrets`: the passphrase of a key in a file, and whose password it is.
    Notation {
        words: &[b"RSA", b"ECDSA", b"P12", b"PKCS8", b"P8"],
        is_caseless: false,
        around: Before(b": "),
        find: |scan, _, end| {
            let file = scan.text.run(end + 1, 128, |byte| byte > b' ');
            scan.literal(file)
        },
        example: (": RSA server.pem \"tulip98\"\n", &["tulip98"]),
        keeps: ": RSA server.pem %prompt\nkey type: RSA \"\"\n",
    },
    Notation {
        words: &[b"EAP", b"XAUTH"],
        is_caseless: false,
        around: Before(b" : "),
        find: |scan, start, _| scan.selector(start),
        example: ("ann77 : EAP %prompt\n", &["ann77"]),
        keeps: "10.0.0.1 %any : EAP %prompt\n",
    },
    // FreeRADIUS.
    Notation {
        words: &[b"OK", b"incorrect"],
        is_caseless: false,
        around: Word(b"login"),
        find: |scan, _, end| scan.logged_login(end),
        example: (
            "Login OK: [ann77] (from client ap port 1)\nLogin incorrect (mschap): [bo88/tulip99] (from client",
            &["ann77", "bo88", "tulip99"],
        ),
        keeps: "Login OK: [] (from client ap)\nLogin incorrect: [<no User-Password attribute>] ()",
    },
    // Terraform.
    Notation {
        words: &[b"sensitive"],
        is_caseless: false,
        around: Before(b"\""),
        find: |scan, start, end| scan.sensitive_output(start, end),
        example: (
            "{\"db\": {\"value\": \"tulip-rose\", \"type\": \"string\", \"sensitive\": true}}",
            &["tulip-rose"],
        ),
        keeps: "{\"region\": {\"value\": \"eu-west-1\", \"type\": \"string\", \"sensitive\": false}}",
    },
    // AMQP, as brokers print the answer of SASL.
    Notation {
        words: &[b"response"],
        is_caseless: false,
        around: Behind(b"=\0"),
        find: |scan, _, end| {
            let user = scan.text.run(end + 2, 128, |byte| byte > b' ');
            match scan.text.at(user) {
                0 => scan.user_and_word(end + 2..user),
                _ => None,
            }
        },
        example: ("mechanism=PLAIN response=\0ann77\0tulip99 locale=en", &["ann77", "tulip99"]),
        keeps: "mechanism=PLAIN response=\0\0 locale=en",
    },
    // Redis.
    Notation {
        words: &[b"SETUSER", b"setuser"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.rules_of_user(end),
        example: ("ACL SETUSER ann77 on >tulip99 ~* +@all", &["ann77", "tulip99"]),
        keeps: "ACL SETUSER default on nopass ~* +@all",
    },
    Notation {
        words: &[b"requirepass", b"masterauth"],
        is_caseless: false,
        around: Word(b"set"),
        find: |scan, _, end| scan.last_word(end),
        example: ("CONFIG SET requirepass tulip99\n", &["tulip99"]),
        keeps: "CONFIG SET requirepass \"\"\n",
    },
    Notation {
        words: &[b"AUTH"],
        is_caseless: false,
        around: Before(b"HELLO 3 "),
        find: |scan, _, end| scan.user_and_password(end),
        example: ("HELLO 3 AUTH ann77 tulip99\n", &["ann77", "tulip99"]),
        keeps: "HELLO 3 AUTH\n",
    },
    // Values in braces of ODBC.
    Notation {
        words: &[b"pwd", b"password"],
        is_caseless: true,
        around: Behind(b"={"),
        find: |scan, _, end| scan.braced(end + 2),
        example: ("dsn=wh;pwd={tulip;99};\n", &["tulip;99"]),
        keeps: "DSN=wh;Pwd={};password={}\n",
    },
    // SDES of SRTP (RFC 4568).
    Notation {
        words: &[b"inline"],
        is_caseless: false,
        around: Behind(b":"),
        find: |scan, _, end| scan.inline_key(end + 1),
        example: (
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20",
            &["PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"],
        ),
        keeps: "functions: inline:never inline: always",
    },
    // Erlang: pairs of binaries.
    Notation {
        words: &[b"<<\""],
        is_caseless: false,
        around: Before(b"{"),
        find: |scan, _, end| scan.pair_of_binaries(end),
        example: ("[{<<\"username\">>,<<\"ann77\">>}]", &["ann77"]),
        keeps: "[{<<\"port\">>,<<\"5432\">>},{<<\"x\">>,3}]",
    },
    // Oracle.
    Notation {
        words: &[b"sqlplus", b"rman", b"expdp", b"impdp", b"sqlldr"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, _, end| scan.connect_string(end + 1),
        example: ("sqlplus -s ann77/tulip99@ORCL", &["ann77", "tulip99"]),
        keeps: "sqlplus / as sysdba\nrman target /\nsqlldr control=/etc/load/a.ctl\n",
    },
    Notation {
        words: &[b"thin", b"oci", b"oci8"],
        is_caseless: false,
        around: Before(b"oracle:"),
        find: |scan, _, end| scan.connect_string(end + 1),
        example: ("jdbc:oracle:thin:ann77/tulip99@db:1521:ORCL", &["ann77", "tulip99"]),
        keeps: "jdbc:oracle:thin:@//db:1521/ORCL",
    },
    Notation {
        words: &[b"connect", b"conn"],
        is_caseless: true,
        around: Behind(b" "),
        find: |scan, _, end| {
            // `failed to connect SSL/TLS`
            let word = scan.text.run(end + 1, 128, |byte| byte > b' ');
            let has_host = scan.text.slice(end + 1..word).contains(&b'@');
            if has_host { scan.connect_string(end + 1) } else { None }
        },
        example: ("SQL> connect ann77/tulip99@ORCL\n", &["ann77", "tulip99"]),
        keeps: "SQL> connect / as sysdba\nfailed to connect SSL/TLS\n",
    },
    // Go's driver of MySQL.
    Notation {
        words: &[b"tcp", b"unix"],
        is_caseless: false,
        around: Before(b"@"),
        find: |scan, start, end| scan.source_name(start, end),
        example: ("ann77:tulip99@tcp(10.0.0.1:3306)/app", &["ann77", "tulip99"]),
        keeps: "root@tcp(10.0.0.1:3306)/app",
    },
];
