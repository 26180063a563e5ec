//! What looks like a secret and is none: certificates, public keys, their ids and
//! fingerprints, names of algorithms, checksums.

use crate::find::plausible::is_uuid;
use crate::find::text::{Text, is_blank, is_word};

/// Beginnings of public keys of SSH: the length of the algorithm's name, and the name.
const SSH_KEYS: &[&[u8]] =
    &[b"AAAAB3NzaC1", b"AAAAC3NzaC1", b"AAAAE2VjZHNh", b"AAAAGnNrLX", b"AAAAInNrLX"];

/// Whether a public key of SSH is at `start`.
pub(super) fn is_ssh_key(text: Text<'_>, start: usize) -> bool {
    text.has(start, b"AAAA") && SSH_KEYS.iter().any(|key| text.has(start, key))
}

/// The end of the certificate or public key whose `-----BEGIN ` ends at `label`.
pub(super) fn armour_end(text: Text<'_>, label: usize) -> Option<usize> {
    const MOST: usize = 1 << 16;
    const NAMES: &[&[u8]] = &[
        b"CERTIFICATE",
        b"TRUSTED CERTIFICATE",
        b"X509 C",
        b"NEW CERTIFICATE",
        b"PUBLIC KEY",
        b"RSA PUBLIC KEY",
        b"SSH2 PUBLIC KEY",
        b"EC PARAMETERS",
        b"DH PARAMETERS",
        b"PKCS7",
        b"CMS",
        b"PGP PUBLIC KEY",
        b"PGP SIGNATURE",
        b"SSH SIGNATURE",
    ];
    NAMES.iter().find(|name| text.has(label, name))?;
    let start = text.run(label, 40, |byte| byte != b'-') + 5;
    // Headers may be before the letters: `Comment: "…"`, `Version: …`.
    let is_part = |byte: u8| byte != b'-' && byte != 0;
    let end = text.run(start, MOST, is_part);
    text.has(end, b"-----END").then_some(end)
}

/// Fields that announce something public: `PublicKeyToken=…` of .NET, `Via: 1.1 proxy`.
pub(in crate::find) fn is_public_field(text: Text<'_>, name: &[u8], after: usize) -> bool {
    const NAMES: &[&[u8]] = &[
        b"publickeytoken",
        b"publickey",
        b"public_key",
        b"public-key",
        b"keyid",
        b"key_id",
        b"key-id",
        b"fingerprint",
        b"thumbprint",
        b"signedheaders",
        b"x-amz-signedheaders",
        b"sec-websocket-accept",
        b"sec-websocket-key",
        // Of OTA: what a reply repeats.
        b"echotoken",
    ];
    let is_named = |names: &[&[u8]]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    // The protocol by which a message came.
    let is_hop = name.eq_ignore_ascii_case(b"via") && {
        let value = text.run(after, 4, is_blank);
        text.at(value).is_ascii_digit() && text.at(value + 1) == b'.'
            || [&b"SIP/"[..], b"HTTP/"].iter().any(|protocol| text.has_caseless(value, protocol))
    };
    // `<sip:+44…;user=phone>`, and when a file was made, to the fraction of a second.
    let is_kind = name == b"user" && text.has(after, b"phone") && !is_word(text.at(after + 5));
    let is_stamp = name == b"Birth" && {
        let value = text.run(after, 4, is_blank);
        text.at(value + 10) == b' ' && text.at(value + 13) == b':' && text.at(value + 19) == b'.'
    };
    matches!(
        name.first(),
        Some(
            b'e' | b'E'
                | b'p'
                | b'P'
                | b'k'
                | b'K'
                | b'f'
                | b'F'
                | b't'
                | b'T'
                | b's'
                | b'S'
                | b'x'
                | b'X'
        )
    ) && is_named(NAMES)
        || is_hop
        || is_kind
        || is_stamp
}

/// `hmac-sha256`, `AWS4-HMAC-SHA256`, `rsa-sha2-512`: how something is signed.
pub(in crate::find) fn is_algorithm(value: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"hmac-",
        b"aws4-",
        b"goog4-",
        b"rsa-",
        b"ecdsa-",
        b"ed25519",
        b"aes",
        b"sha",
        b"chacha20",
        b"curve25519",
        b"pbkdf2",
        b"tls_",
        b"umac-",
        b"oss4-",
        b"tc3-",
    ];
    let starts = |start: &&[u8]| {
        value.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    const PARTS: &[&[u8]] =
        &[b"sha", b"gcm", b"cbc", b"ctr", b"poly1305", b"128", b"256", b"384", b"512", b"ed25519"];
    let is_part = |part: &[u8]| {
        PARTS.iter().any(|known| {
            part.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known))
        })
    };
    value.len() <= 40
        && value.iter().any(u8::is_ascii_digit)
        && STARTS.iter().any(starts)
        && value.split(|byte| matches!(byte, b'-' | b'_')).any(is_part)
}

/// Behind the key's id in `AKIA…/20260301/us-east-1/s3/aws4_request`: the scope of the
/// signature.
pub(in crate::find) fn scope_start(value: &[u8]) -> Option<usize> {
    const ENDS: &[&[u8]] = &[b"/aws4_request", b"/goog4_request", b"/aliyun_v4_request"];
    let is_scoped = ENDS.iter().any(|end| value.ends_with(end));
    is_scoped.then(|| value.iter().position(|byte| *byte == b'/'))?
}

/// Whether the digits of `value` behind the word `key` that ends at `end` are the id of a
/// public key, as GnuPG shows it.
pub(in crate::find) fn is_key_id(text: Text<'_>, end: usize, value: &[u8]) -> bool {
    let before = text.slice(end.saturating_sub(12)..end);
    let is_key = [&b"RSA key"[..], b"DSA key", b"EDDSA key", b"ELG key", b"subkey", b"key ID"]
        .iter()
        .any(|name| before.ends_with(name));
    is_key
        && matches!(value.len(), 8 | 16 | 40)
        && value.iter().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte))
}

/// Characters of a UUID.
const UUID: usize = 36;

/// Whether what `token` begins is a checksum or an id, as what is before it says.
pub(super) fn is_checksum(text: Text<'_>, token: usize) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let head = text.run_back(token, 128, is_part);
    const PREFIXES: &[&[u8]] =
        &[b"sha1-", b"sha256-", b"sha384-", b"sha512-", b"md5-", b"nonce-", b"evt_"];
    if PREFIXES.iter().any(|prefix| text.has(head, prefix)) {
        return true;
    }
    // An event of WhatsApp; a device by its UUID.
    let tail = text.run(head, 128, is_part);
    if text.slice(head.saturating_sub(6)..head) == b"wamid."
        || is_uuid(text.slice(tail.saturating_sub(UUID)..tail))
    {
        return true;
    }
    // `module!symbol`, of a debugger for Windows.
    if text.before(head) == b'!' && is_word(text.before(head - 1)) {
        return true;
    }
    // `h1:…` of `go.sum`; a picture within a page.
    let is_picture = text.slice(head.saturating_sub(7)..head) == b"base64,"
        && memchr::memmem::find(text.slice(head.saturating_sub(48)..head), b"data:").is_some();
    let is_sum = text.slice(head.saturating_sub(3)..head) == b"h1:"
        && (head == 3 || !is_word(text.before(head - 3)));
    if is_picture || is_sum {
        return true;
    }
    let mut gap = text.run_back(head, 4, |byte| is_blank(byte) || b":=\"'".contains(&byte));
    // `ETag: W/"…"`
    if text.slice(gap.saturating_sub(2)..gap) == b"W/" || text.slice(gap..head).starts_with(b"W/") {
        gap = text.run_back(gap.saturating_sub(2), 2, |byte| is_blank(byte) || byte == b':');
    }
    let name = text.slice(text.run_back(gap, 24, |byte| is_word(byte) || byte == b'-')..gap);
    // A node of Elasticsearch by its id: `exceeded on [c1zDbraYjQ1OhTTuqo7XEw]`.
    let is_node = tail - head == 22 && text.before(head) == b'[' && text.at(tail) == b']';
    if is_node && text.slice(head.saturating_sub(5)..head) == b" on [" {
        return true;
    }
    // Signatures of mail and the keys that prove them are public: `bh=`, `b=` and `p=`.
    if matches!(name, b"bh" | b"b" | b"p") {
        let line = text.slice(text.run_back(token, 1024, |byte| byte != b'\n' && byte != 0)..token);
        let marks: [&[u8]; 3] = [b"DKIM-Signature", b"ARC-", b"v=DKIM1"];
        return marks.iter().any(|mark| memchr::memmem::find(line, mark).is_some());
    }
    // Ids of objects, and public keys of WireGuard.
    const NAMES: &[&[u8]] =
        &[b"id", b"_id", b"x-amz-version-id", b"PublicKey", b"publicKey", b"public_key", b"peer"];
    let before = text.slice(head.saturating_sub(16)..gap);
    if gap < head && (NAMES.contains(&name) || before.ends_with(b"public key")) {
        return true;
    }
    // The modulus of a public key of RSA, as JSON has it.
    let around = || text.slice(head.saturating_sub(256)..text.len().min(tail + 64));
    if name == b"n" && gap < head && memchr::memmem::find(around(), b"\"e\"").is_some() {
        return true;
    }
    const ENDS: &[&[u8]] = &[
        b"md5",
        b"sha1",
        b"sha256",
        b"sha384",
        b"sha512",
        b"etag",
        b"if-none-match",
        b"if-match",
        b"digest",
        b"checksum",
        b"integrity",
        b"fingerprint",
        b"thumbprint",
        b"boundary",
        b"crc32",
        b"crc32c",
        b"websocket-accept",
        b"x-amz-cf-id",
        b"x-amz-id-2",
        b"request-id",
        b"requestid",
        b"request_id",
        b"trace-id",
        b"traceid",
        b"trace_id",
        b"cf-ray",
    ];
    gap < head
        && ENDS.iter().any(|end| {
            let start = name.len().saturating_sub(end.len());
            name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        })
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn ids_of_objects_and_public_halves_of_keys_stay() {
        for text in [
            "{\"id\":\"evt_mNeNuv0DMta9wHGplfNaNVQs\",\"type\":\"x\"}",
            "{\"_index\":\"crm\",\"_id\":\"vx66dHYBPdSjENeCipbY\"}",
            "in document with id 'VNXacBhFGfkFj7DG2xJC'.",
            "\"id\":\"wamid.2cO5o2dK0MiW8yiNBZ9TPLqZ\"",
            "x-amz-version-id: NeTmtOKOcjO1HmRTbl3UgU4K8xa6Wwbg\n",
            "GPU-2efb802d-ee6e-4109-9dc6-270b73ef298c A100-SXM4",
            "PublicKey = aE7yzaitnwZfypLSjVcpfz5F4C/cQDvolQvbiyYV22A=\n",
            "  public key: Za+MPB5F8b+P9jVie66a8WJf3xiVszQbKYvoYGSq3yQ=\n",
            "peer: qC+H8vmtp+4TdgIHDk3p5lgL+KYCPX7YFxu3HEhKGU4=\n",
            "{\"e\":\"AQAB\",\"n\":\"qQwzoqeVJmbZ4eNdr-PZn-TehqXMxnZoM_lEJriY61gNJ_ikkUVz\"}",
            "EchoToken=\"hWjFzeT7\"",
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A0Rf8qok9DAiZQgFrvh31z2rbQ",
            "watermark [95%] exceeded on [c1zDbraYjQ1OhTTuqo7XEw] free: 2.0gb",
            "To: <sip:100@10.0.0.1;user=phone>",
            " Birth: 2024-06-15 21:37:50.205000000 +0000\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn certificates_public_keys_and_their_ids_stay() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYD\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMII/wOx78KBGFbl1CW8wYOu1oWQ3IEmvhGNNFm9QeNyD5UxDuuNdyokwk6PsR5Yf\n-----END\n",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4\n-----END PUBLIC KEY-----",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk7rXo3v8R2kqzKx0Jt9cQb5mYw1LhZPq7dN4sVfE8u build",
            "Serial Number: 0a:01:41:42:00:00:01:53:85:73:6a:0b:85:ec:a7:08",
            "keyid:79:B4:59:E6:7B:B6:E5:E4:01:73:80:08:88:C8:1A:58:F6:E9:9B:6E",
            "key fingerprint is SHA256:6LTHN+h6meK/d/EVx8HEFWC7wiX34Fz8Fmxu3Xcweyo.",
            "gpg: using RSA key 871920D1991BC93C0F5EB1AA3AA5C34371567BD2",
            "System.Data, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn names_of_algorithms_and_scopes_of_signatures_stay() {
        for text in [
            "Via: 1.1 varnish, 1.1 vegur",
            "auth: hmac-sha256",
            "mac=hmac-sha2-512-etm@openssh.com, kex=curve25519-sha256@libssh.org",
            "SignedHeaders=host;range;x-amz-date",
            "algorithm=\"hmac-sha256\",headers=\"(request-target) host date\"",
            "signature algorithm: sha256WithRSAEncryption",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
        let signed = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAABCDEFGH12345678/20260301/us-east-1/s3/aws4_request, SignedHeaders=host";
        assert_eq!(hidden(signed), ["AKIAABCDEFGH12345678"]);
    }

    #[test]
    fn checksums_ids_symbols_and_code_stay() {
        for text in [
            "ETag: W/\"0a9Fh3Kd82jLmNpQ7rStU4vWxYz\"",
            "If-None-Match: \"0a9Fh3Kd82jLmNpQ7rStU4vWxYz\"",
            "integrity=\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"",
            "golang.org/x/net v0.17.0 h1:pVaXccu2ozPjCXewfr1S7xza/zcXTity9cCdXQYSjIM=",
            "DKIM-Signature: v=1; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=dzdVyOfAKCdLXdJOc9G2q8LoXSl",
            "X-Amz-Cf-Id: K3v8h2m9x4z7b1n5c6l0p8sQw2Er5Ty8Ui1Op4As7Df0Gh3Jk6Lz9Xc==",
            "System UUID: 4C4C4544-0052-3310-8035-B5C04F4D3432",
            "ntdll!RtlUserThreadStart+0x21",
            "token = ctx->auth->token",
            "password = get_password(ctx)",
            "build 20260302.1234, number: 22621.1.amd64fre.ni_release.220506-1250",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
