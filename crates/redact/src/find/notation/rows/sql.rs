//! Databases and what maps objects to them.

use crate::find::notation::Around::{Anything, Before, Behind, Word};
use crate::find::notation::Notation;

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // PostgreSQL, SQLAlchemy, MyBatis, Django, Doctrine, TypeORM, EclipseLink.
    Notation {
        words: &[b"parameters", b"params", b"args", b"bindings", b"binds", b"bind", b"values"],
        is_caseless: true,
        around: Anything,
        find: |scan, start, end| scan.bound_values(start, end),
        example: ("SELECT 1 FROM u WHERE username = %s; args=('ann.lee77',)", &["ann.lee77"]),
        keeps: "SELECT 1 FROM jobs WHERE queue = %s; args=('mail',)\nparams: [1, 2]\nvalues (3)",
    },
    // SQLAlchemy.
    Notation {
        words: &[b"generated", b"cached", b"no", b"raw"],
        is_caseless: false,
        around: Before(b"["),
        find: |scan, place, _| scan.values_behind_bracket(place),
        example: (
            "INSERT INTO u (city, n) VALUES (?, ?)\n[cached since 0.1s ago] ('Ely', 3)",
            &["Ely"],
        ),
        keeps: "INSERT INTO u (queue) VALUES (?)\n[generated in 0.1s] ('mail',)",
    },
    // Hibernate.
    Notation {
        words: &[b"parameter"],
        is_caseless: false,
        around: Word(b"binding"),
        find: |scan, _, end| scan.bound_value(end),
        example: (
            "insert into u (city) values (?)\nbinding parameter [1] as [VARCHAR] - [Ely]",
            &["Ely"],
        ),
        keeps: "insert into u (n) values (?)\nbinding parameter [1] as [INTEGER] - [3]",
    },
    // Spring's JdbcTemplate.
    Notation {
        words: &[b"index"],
        is_caseless: false,
        around: Word(b"column"),
        find: |scan, _, end| scan.bound_value(end),
        example: (
            "insert into u (city) values (?)\nvalue: column index 1, parameter value [Ely], value class",
            &["Ely"],
        ),
        keeps: "insert into u (n) values (?)\nvalue: column index 1, parameter value [3], value class",
    },
    // Entity Framework.
    Notation {
        words: &[b"Parameters"],
        is_caseless: false,
        around: Behind(b"=[@"),
        find: |scan, _, end| scan.named_values(end + 2),
        example: (
            "[Parameters=[@p0='Ely' (Size = 40)], CommandType='Text']\nINSERT INTO [U] ([City]) VALUES (@p0)",
            &["Ely"],
        ),
        keeps: "[Parameters=[@p0='?' (Size = 40), @p1='3'], CommandType='Text']\nINSERT INTO [U] ([City], [N]) VALUES (@p0, @p1)",
    },
    // PostgreSQL.
    Notation {
        words: &[b"contains"],
        is_caseless: false,
        around: Word(b"row"),
        find: |scan, _, end| scan.failing_row(end + 1),
        example: ("Failing row contains (42, Zed Lee, null).", &["Zed Lee"]),
        keeps: "Failing row contains (42, Pending, 12.50, null).",
    },
    Notation {
        words: &[b"Key"],
        is_caseless: false,
        around: Behind(b" ("),
        find: |scan, _, end| scan.key_of_row(end + 1),
        example: ("Key (username)=(ann.lee77) already exists.", &["ann.lee77"]),
        keeps: "Key (order_id)=(4711) is not present in table \"orders\".",
    },
    // MySQL.
    Notation {
        words: &[b"entry"],
        is_caseless: false,
        around: Word(b"duplicate"),
        find: |scan, _, end| scan.duplicate_entry(end + 1),
        example: ("Duplicate entry 'ann.lee77' for key 'users.username'", &["ann.lee77"]),
        keeps: "Duplicate entry '42' for key 'PRIMARY'",
    },
    // SQL Server.
    Notation {
        words: &[b"value"],
        is_caseless: false,
        around: Behind(b" is ("),
        find: |scan, _, end| scan.duplicate_key(end + b" is ".len()),
        example: ("constraint 'UQ_Users_Login'. The duplicate key value is (ann77).", &["ann77"]),
        keeps: "constraint 'PK_Orders'. The duplicate key value is (4711).",
    },
];
