//! What is written in place of a value: nothing, a format, a place for one, code that yields one.

use crate::word_set::WordSet;

/// Words written where there is no value, or that describe a value.
static NO_VALUES: WordSet<512> = WordSet::new(&[
    b"null",
    b"nil",
    b"none",
    b"undefined",
    b"true",
    b"false",
    b"yes",
    b"no",
    b"on",
    b"off",
    b"nan",
    b"n/a",
    b"na",
    b"unknown",
    b"empty",
    b"redacted",
    b"hidden",
    b"masked",
    b"filtered",
    b"required",
    b"optional",
    b"missing",
    b"assertion",
    "не указан".as_bytes(),
    "не указано".as_bytes(),
    "не указана".as_bytes(),
    "нет".as_bytes(),
    "немає".as_bytes(),
    "не вказано".as_bytes(),
    "غير متوفر".as_bytes(),
    "לא זמין".as_bytes(),
    "उपलब्ध नहीं".as_bytes(),
    "无".as_bytes(),
    "暂无".as_bytes(),
    "未填写".as_bytes(),
    "なし".as_bytes(),
    "未入力".as_bytes(),
    "없음".as_bytes(),
    "không có".as_bytes(),
    "tidak ada".as_bytes(),
    "nicht angegeben".as_bytes(),
    "keine angabe".as_bytes(),
    "unbekannt".as_bytes(),
    "leer".as_bytes(),
    "non renseigné".as_bytes(),
    "inconnu".as_bytes(),
    "vide".as_bytes(),
    "no disponible".as_bytes(),
    "desconocido".as_bytes(),
    "vacío".as_bytes(),
    "não informado".as_bytes(),
    "desconhecido".as_bytes(),
    "sconosciuto".as_bytes(),
    "non disponibile".as_bytes(),
    "onbekend".as_bytes(),
    "brak".as_bytes(),
    "nieznany".as_bytes(),
    "neuvedeno".as_bytes(),
    "okänd".as_bytes(),
    "ukjent".as_bytes(),
    "ei tiedossa".as_bytes(),
    "nincs".as_bytes(),
    "necunoscut".as_bytes(),
    "bilinmiyor".as_bytes(),
    "belirtilmemiş".as_bytes(),
    "άγνωστο".as_bytes(),
    b"expected",
    b"actual",
    b"got",
    b"invalid",
    b"incorrect",
    b"wrong",
    b"expired",
    b"unset",
    b"not",
    b"changed",
    b"ok",
    b"failed",
    b"default",
    b"string",
    b"const",
    b"char",
    b"int",
    b"void",
    b"self",
    b"this",
    b"error",
    b"the",
    b"a",
    b"is",
    b"was",
    b"has",
    b"must",
    b"mismatch",
    b"authentication",
    b"nullptr",
    b"std",
    b"&str",
    b"str",
    b"bool",
    b"object",
    b"denied",
    b"accepted",
    b"success",
    b"prompt",
    b"disabled",
    b"enabled",
    b"unavailable",
    b"omitted",
    b"identifier",
    b"value",
    b"password",
    b"token",
    b"secret",
    b"username",
    b"user",
    b"xxx",
    b"changeme?",
    b"deleted",
    b"reset",
    b"verified",
    b"unverified",
    b"sent",
    b"cannot",
]);

/// Placeholders, formats, nothings, addresses of memory: what stands for a value.
pub(in crate::find) fn is_no_value(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return true };
    let second = bytes.get(1).copied().unwrap_or(0);
    let is_format = *first == b'%'
        && bytes.len() <= 8
        && bytes.last().is_some_and(|last| b"sdiupxXlzuQfcqv".contains(last))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"%.*-#+".contains(byte));
    let is_slot = matches!((first, second), (b'$', b'{' | b'(') | (b'{', b'}' | b'{' | b'0'..=b'9'))
            || (*first == b'<' && bytes.len() < 40)
            || (*first == b'%'
                && bytes.len() > 3
                && bytes.ends_with(b"%")
                && bytes.iter().all(|byte| {
                    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"%_".contains(byte)
                }))
            || (*first == b'[' && second.is_ascii_alphabetic() && bytes.ends_with(b"]"))
            || bytes == b"?"
            // An encrypted value of Ansible, and a place of Python's formats.
            || bytes.starts_with(b"!vault")
            || bytes.starts_with(b"%(") && bytes.ends_with(b")s")
            || is_parameter(bytes);
    let is_blank_out =
        matches!(first, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?' | b' ')
            && bytes.iter().all(|byte| b"*xX.-_#? ".contains(byte))
            || bytes.iter().filter(|byte| **byte == b'*').count() * 2 > bytes.len();
    let is_pointer = bytes.starts_with(b"0x")
        && bytes.len() <= 18
        && bytes.iter().skip(2).all(u8::is_ascii_hexdigit);
    let is_code = bytes.contains(&b'(')
        && (bytes.windows(2).any(|pair| pair == b"->" || pair == b"::")
            || bytes.ends_with(b"()")
            || bytes.ends_with(b"(")
            || bytes.ends_with(b"({"));
    // `PWD=/home/…`, `--password-file`: where a secret lies is none.
    const FILES: &[&[u8]] = &[
        b".pem", b".key", b".crt", b".json", b".yaml", b".yml", b".txt", b".p12", b".jks", b".der",
        b".env",
    ];
    let is_path = *first == b'/' && bytes.iter().filter(|byte| **byte == b'/').count() > 1
        || has_dot_near_end(bytes)
            && FILES.iter().any(|end| bytes.len() > end.len() && bytes.ends_with(end));
    is_format
        || is_path
        || is_slot
        || is_blank_out
        || is_pointer
        || is_code
        || NO_VALUES.has(named(bytes))
}

/// `$2 WHERE …`, `@p2`, `@__email_0`: a parameter of a statement.
fn is_parameter(bytes: &[u8]) -> bool {
    let named = bytes.strip_prefix(b"@p").or_else(|| bytes.strip_prefix(b"@__"));
    if named.is_some_and(|rest| {
        let number = rest.rsplit(|byte| *byte == b'_').next().unwrap_or_default();
        (1..=2).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
    }) {
        return true;
    }
    let behind = |rest: &[u8]| rest.iter().position(|byte| !byte.is_ascii_digit());
    bytes.strip_prefix(b"$").is_some_and(|rest| match behind(rest) {
        None => (1..=2).contains(&rest.len()),
        Some(at) => (1..=2).contains(&at) && rest.get(at) == Some(&b' '),
    })
}

/// `USER` of `USER[:PASSWORD]`, as in a manual; `None` of `f(token=None):`.
fn named(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !b"[)]}:;,!".contains(byte)).map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or(bytes)
}

/// `self.store.get_token(id`, `os.environ[`, `New-Object`: code that yields a value.
pub(in crate::find) fn is_expression(bytes: &[u8]) -> bool {
    const ROOTS: &[&[u8]] = &[
        b"self.",
        b"this.",
        b"os.",
        b"process.",
        b"request.",
        b"req.",
        b"config.",
        b"settings.",
        b"args.",
        b"options.",
        b"params.",
        b"ctx.",
        b"cfg.",
        b"env.",
        b"var.",
        b"local.",
        b"data.",
        b"module.",
        b"secrets.",
    ];
    const VERBS: &[&[u8]] =
        &[b"New-", b"Get-", b"Read-", b"ConvertTo-", b"ConvertFrom-", b"Import-"];
    // Hardly any value has one of these.
    if !bytes.iter().any(|byte| matches!(byte, b'.' | b':' | b'!' | b'-' | b'(')) {
        return false;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let head = bytes.split(|byte| matches!(byte, b'(' | b'[')).next().unwrap_or_default();
    let is_call = head.len() < bytes.len()
        && head.contains(&b'.')
        && head.iter().all(is_part)
        && !head.iter().any(u8::is_ascii_digit);
    let is_member = ROOTS.iter().any(|root| bytes.starts_with(root)) && bytes.iter().all(is_part);
    let is_cmdlet = VERBS.iter().any(|verb| {
        bytes.strip_prefix(*verb).is_some_and(|noun| {
            noun.first().is_some_and(u8::is_ascii_uppercase)
                && noun.iter().all(u8::is_ascii_alphabetic)
        })
    });
    const MACROS: &[&[u8]] = &[
        b"quote!",
        b"parse_quote!",
        b"parenthesized!",
        b"format!",
        b"Token!",
        b"braced!",
        b"bracketed!",
    ];
    let is_macro = MACROS.iter().any(|name| bytes.starts_with(name));
    // `windows_sys::core::PCWSTR`
    let is_path = bytes.windows(2).any(|pair| pair == b"::")
        && bytes.iter().all(|byte| is_part(byte) || *byte == b':');
    is_call || is_member || is_cmdlet || is_macro || is_path || is_plain_call(head, bytes)
}

/// `get_password(ctx`: a call of a function with names as its arguments.
fn is_plain_call(head: &[u8], bytes: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let arguments = bytes.get(head.len() + 1..).unwrap_or_default();
    bytes.get(head.len()) == Some(&b'(')
        && head.contains(&b'_')
        && head.iter().all(is_name)
        && arguments.iter().all(|byte| is_name(byte) || b", .&*->)".contains(byte))
}

/// Whether a name may end here with a suffix of a file.
fn has_dot_near_end(bytes: &[u8]) -> bool {
    bytes.iter().rev().take(5).any(|byte| *byte == b'.')
}
