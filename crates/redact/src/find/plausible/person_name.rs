//! Whether a value is what a person, or a person's account, is called.

use crate::field_name::{Sureness, role_of};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible::{is_uuid, names_next};
use crate::find::text::{Text, is_letter, is_word};
use crate::word_set::WordSet;

/// Words with which no name of a person is written.
static NO_NAMES: WordSet<1024> = WordSet::new(&[
    b"error",
    b"thread",
    b"main",
    b"test",
    b"unknown",
    b"default",
    b"service",
    b"server",
    b"system",
    b"admin",
    b"user",
    b"the",
    b"not",
    b"found",
    b"invalid",
    b"failed",
    b"file",
    b"type",
    b"name",
    b"value",
    b"object",
    b"api",
    b"app",
    b"data",
    b"worker",
    b"pool",
    b"queue",
    b"new",
    b"get",
    b"set",
    b"null",
    b"none",
    b"true",
    b"false",
    b"request",
    b"response",
    b"http",
    b"https",
    b"linux",
    b"windows",
    b"ubuntu",
    b"debian",
    b"intel",
    b"amd",
    b"core",
    b"internal",
    b"external",
    b"department",
    b"inc",
    b"llc",
    b"ltd",
    b"gmbh",
    b"corp",
    b"bank",
    b"group",
    b"team",
    b"support",
    b"product",
    b"version",
    b"release",
    b"build",
    b"node",
    b"cluster",
    b"order",
    b"item",
    b"list",
    b"table",
    b"index",
    b"key",
    b"session",
    b"client",
    b"process",
    b"module",
    b"function",
    b"class",
    b"method",
    b"event",
    b"message",
    b"connection",
    b"socket",
    b"timeout",
    b"status",
    b"created",
    b"updated",
    b"deleted",
    b"record",
    b"database",
    b"account",
    b"street",
    b"number",
    b"id",
    b"agent",
    b"safari",
    b"chrome",
    b"mozilla",
    b"gecko",
    b"firefox",
    b"apache",
    b"nginx",
    b"docker",
    b"kernel",
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
    b"january",
    b"february",
    b"july",
    b"september",
    b"october",
    b"november",
    b"december",
    b"memory",
    b"heap",
    b"stack",
    b"exception",
    b"permission",
    b"denied",
    b"access",
    b"password",
    b"token",
    b"email",
    b"address",
    b"phone",
    b"premium",
    b"plan",
    b"basic",
    b"standard",
    b"gold",
    b"silver",
    b"enterprise",
    b"express",
    b"delivery",
    b"visa",
    b"mastercard",
    b"credit",
    b"debit",
    b"card",
    b"payment",
    b"transfer",
    b"invoice",
    b"black",
    b"white",
    b"red",
    b"blue",
    b"green",
    b"north",
    b"south",
    b"east",
    b"west",
    b"united",
    b"states",
    b"kingdom",
    b"city",
    b"studio",
    b"visual",
    b"cloud",
    b"google",
    b"microsoft",
    b"amazon",
    b"oracle",
    b"apple",
    b"facebook",
    b"github",
    b"gitlab",
    b"corporation",
    b"foundation",
    b"authority",
    b"encrypt",
    b"signing",
    b"manager",
    b"management",
    b"engine",
    b"controller",
    b"scheduler",
    b"runner",
    b"operator",
    b"office",
    b"security",
    b"network",
    b"desktop",
    b"android",
    b"java",
    b"python",
    b"rust",
    b"virtual",
    b"machine",
    b"admins",
    b"administrators",
    b"everyone",
    b"unit",
    b"suite",
    b"case",
    b"customer",
    b"care",
    b"help",
    b"desk",
    b"sales",
    b"marketing",
    b"engineering",
    b"finance",
    b"hospital",
    b"university",
    b"school",
    b"company",
    b"limited",
    b"holding",
    b"solutions",
    b"systems",
    b"technologies",
    b"software",
    b"hardware",
    b"device",
    b"driver",
    b"protocol",
    b"interface",
    b"studios",
    b"edition",
    b"world",
    b"all",
    b"this",
    b"that",
    b"our",
    b"your",
    b"my",
    b"no",
    b"yes",
    b"with",
    b"from",
    b"and",
    b"copyright",
    b"author",
    b"authors",
    b"maintainer",
    b"maintainers",
    b"contributor",
    b"contributors",
    b"original",
    b"work",
    b"works",
    b"public",
    b"material",
    b"covered",
    b"package",
    b"general",
    b"license",
    b"licence",
    b"licensed",
    b"creative",
    b"commons",
    b"project",
    b"modified",
    b"portions",
    b"rights",
    b"reserved",
    b"derived",
    b"based",
    b"written",
    b"documentation",
    b"manual",
    b"free",
    b"open",
    b"source",
    b"microsystems",
    b"laboratories",
    b"research",
    b"institute",
    b"college",
    b"press",
    b"editor",
    b"fedora",
    b"redhat",
]);

/// Whether no name of a person is written with `word`.
pub(in crate::find) fn is_no_name(word: &[u8]) -> bool {
    NO_NAMES.has(word)
}

/// Letters, blanks and the marks within names, each part beginning as names do.
pub(in crate::find) fn is_name(value: &Value, bytes: &[u8], sureness: Sureness) -> bool {
    // `LIKE 'Lee%'`
    let bytes = bytes.strip_suffix(b"%").unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"%").unwrap_or(bytes);
    if !(2..=70).contains(&bytes.len()) {
        return false;
    }
    let is_written = bytes.iter().all(|byte| is_letter(*byte) || b" .,'-`^".contains(byte));
    if !is_written || bytes.starts_with(b".") || bytes.starts_with(b"-") {
        return false;
    }
    let mut capitals = 0;
    let mut parts = 0;
    for part in bytes.split(|byte| b" .,-'^".contains(byte)).filter(|part| !part.is_empty()) {
        parts += 1;
        let first = part.first().copied().unwrap_or(0);
        capitals += usize::from(first.is_ascii_uppercase() || first >= 0x80);
        let has_inner = part.iter().skip(2).any(u8::is_ascii_uppercase)
            && part.iter().any(u8::is_ascii_lowercase)
            && !part.starts_with(b"Mc")
            && !part.starts_with(b"Mac")
            && !part.starts_with(b"De")
            && !part.starts_with(b"La");
        if has_inner || NO_NAMES.has(part) {
            return false;
        }
    }
    let is_shouted = bytes.iter().filter(|byte| is_letter(**byte)).all(u8::is_ascii_uppercase);
    let words = bytes.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    match (sureness, value.separator) {
        (Sureness::Maybe, _) | (_, Separator::Blank) => {
            words >= 2
                && capitals >= 2
                && words <= 5
                && !(is_shouted && value.separator == Separator::Blank)
        }
        (_, Separator::Cell | Separator::Tag) => parts > 0,
        // `"displayName": "ci-deployer"`
        _ if value.is_delimited => parts > 0 && (capitals > 0 || !bytes.contains(&b'-')),
        _ => capitals > 0 && words <= 5,
    }
}

/// What systems call their own users.
const NO_USERS: &[&[u8]] = &[
    b"root",
    b"postgres",
    b"nobody",
    b"www-data",
    b"admin",
    b"administrator",
    b"system",
    b"daemon",
    b"mysql",
    b"guest",
    b"anonymous",
    b"apache",
    b"nginx",
    b"redis",
    b"git",
    b"ubuntu",
    b"ec2-user",
    b"sshd",
    b"bin",
    b"mail",
    b"ftp",
    b"syslog",
    b"messagebus",
    b"systemd",
    b"runner",
    b"jenkins",
    b"vagrant",
    b"service",
    b"test",
    b"app",
    b"nt authority\\system",
    b"localhost",
    b"client",
    b"phone",
    b"disconnected",
    b"connected",
    b"aborted",
    b"success",
    b"succeeded",
    b"mapping",
    b"current_user",
    b"server",
    b"email",
    b"read",
    b"write",
    b"sa",
    b"oracle",
    b"hadoop",
    b"kafka",
    b"elastic",
    b"rabbitmq",
    b"authenticated",
    b"id",
    b"data",
    b"from",
    b"in",
    b"and",
    b"with",
    b"to",
    b"logged",
    b"logout",
    b"login",
    b"by",
    b"at",
    b"for",
    b"name",
    b"space",
    b"mode",
    b"session",
    b"agent",
    b"group",
    b"count",
    b"input",
    b"account",
    b"or",
    b"of",
    b"does",
    b"did",
    b"may",
    b"can",
    b"are",
    b"who",
    b"exists",
    b"created",
    b"page",
    b"form",
    b"button",
    b"code",
    b"time",
    b"defined",
    b"requested",
    b"interface",
    b"land",
    b"pages",
    b"list",
    b"table",
    b"profile",
    b"record",
    b"store",
    b"cancelled",
    b"canceled",
    b"specified",
    b"supplied",
    b"provided",
    b"interrupt",
    b"abort",
    b"level",
    b"thread",
    b"process",
    b"stack",
    b"context",
    b"object",
    b"type",
    b"info",
    b"details",
    b"accounts",
];

/// Small letters that are no word of a sentence about users.
pub(in crate::find) fn is_login(bytes: &[u8]) -> bool {
    const ENDS: &[&[u8]] =
        &[b"ed", b"ing", b"ion", b"ment", b"ly", b"able", b"ible", b"ness", b"ity", b"ory", b"s"];
    bytes.len() >= 4
        && bytes.iter().all(u8::is_ascii_lowercase)
        && role_of(bytes).is_none()
        && !is_no_name(bytes)
        && !ENDS.iter().any(|end| bytes.ends_with(end))
}

/// Whether a system, and no person, is called so.
pub(in crate::find) fn is_role_account(name: &[u8]) -> bool {
    NO_USERS.iter().any(|word| name.eq_ignore_ascii_case(word))
}

pub(in crate::find) fn is_user(text: Text<'_>, value: &Value, bytes: &[u8]) -> bool {
    let has_letter = bytes.iter().any(|byte| is_letter(*byte));
    if !has_letter || is_role_account(bytes) || !(2..=64).contains(&bytes.len()) || is_uuid(bytes) {
        return false;
    }
    if bytes.contains(&b' ') {
        return is_name(value, bytes, Sureness::Maybe);
    }
    let is_written = bytes.iter().all(|byte| is_word(*byte) || b".-+@\\$".contains(byte));
    // `st_uid: uid_t`
    let is_type = bytes.ends_with(b"_t") || bytes == b"c_int" || bytes == b"c_uint";
    let is_constant = is_type
        || bytes.contains(&b'_')
            && bytes.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    // `UID:4bcb9401bda4fd2@cal`, of a calendar.
    let hexadecimal = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_handle = hexadecimal >= 12 && bytes.iter().any(u8::is_ascii_digit);
    if !is_written || is_constant || is_handle || bytes.starts_with(b"-") {
        return false;
    }
    let is_marked = bytes.iter().any(|byte| byte.is_ascii_digit() || b"._@".contains(byte));
    // A name in Chinese, Japanese or Korean.
    if (6..=15).contains(&bytes.len())
        && bytes.iter().all(|byte| *byte >= 0x80)
        && bytes.first().is_some_and(|first| *first >= 0xe3)
    {
        return true;
    }
    match value.separator {
        Separator::Blank if value.is_delimited => true,
        Separator::Blank => {
            let behind = text.slice(value.range.end..text.len().min(value.range.end + 16));
            const NEXT: &[&[u8]] = &[
                b" from ",
                b" password ",
                b" logged",
                b" authent",
                b" by (",
                b"(uid=",
                b" signed",
                b" connect",
                b" port ",
                b" and pass",
                b" with pass",
                b"@",
            ];
            let stop = usize::from(behind.first() == Some(&b'.'));
            let ends = matches!(behind.get(stop), None | Some(b'\n' | b'\r' | b',' | b';' | 0));
            let before = text.slice(value.range.start.saturating_sub(14)..value.range.start);
            const WHO: &[&[u8]] = &[
                b"for user ",
                b"by user ",
                b"as user ",
                b"invalid user ",
                b"unknown user ",
                b"of user ",
            ];
            let is_someone = ends && WHO.iter().any(|words| before.ends_with(words));
            // `Пользователь ann`, `user ann has quit`
            let label = text.before(value.range.start.saturating_sub(1));
            let is_foreign = label >= 0x80 && bytes.is_ascii() && bytes.len() >= 4;
            const GOES_ON: &[&[u8]] = &[
                b" failed",
                b" locked",
                b" session",
                b" (",
                b" is ",
                b" has ",
                b" was ",
                b" does ",
                b" cannot ",
                b"'s ",
            ];
            let goes_on = GOES_ON.iter().any(|next| behind.starts_with(next)) && is_login(bytes);
            is_someone
                || is_foreign
                || goes_on
                || NEXT.iter().any(|next| behind.starts_with(next))
                || (is_marked
                    && bytes.len() >= 4
                    && !bytes.contains(&b'_')
                    && !bytes.ends_with(b"."))
        }
        Separator::Colon | Separator::Column if !value.is_delimited => {
            let next = text.at(value.range.end);
            is_marked
                || next != b' '
                || !is_letter(text.at(value.range.end + 1))
                || names_next(text, value.range.end + 1)
        }
        _ => true,
    }
}
