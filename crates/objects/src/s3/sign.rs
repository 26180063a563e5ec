//! Signatures of requests (AWS Signature Version 4).

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::credentials::Credentials;

/// What is signed of a request.
pub(super) struct Request<'r> {
    pub(super) method: &'r str,
    /// Encoded.
    pub(super) path: &'r str,
    /// Names and values, not encoded.
    pub(super) query: &'r [(&'r str, &'r str)],
    /// Names in small letters; `host` and `x-amz-date` are among them.
    pub(super) headers: BTreeMap<&'r str, &'r str>,
    /// The SHA-256 of the body.
    pub(super) body: &'r str,
}

fn digest(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is one.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        })
        .unwrap_or_default()
}

/// With `%` before everything but letters, digits and `-._~`, and `/` in a path.
pub(super) fn encoded(text: &str, is_path: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if is_path => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The query of a request, in the order in which it is signed.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// The header `Authorization` of a request that is made at `stamp` (`20260301T123005Z`).
pub(super) fn authorization(request: &Request<'_>, who: &Credentials, stamp: &str) -> String {
    let day = stamp.get(..8).unwrap_or_default();
    let headers: String =
        request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names: Vec<&str> = request.headers.keys().copied().collect();
    let names = names.join(";");
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method,
        request.path,
        query(request.query),
        request.body
    );
    let scope = format!("{day}/{}/s3/aws4_request", who.region);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", digest(&canonical));
    let mut key = mac(format!("AWS4{}", who.secret).as_bytes(), day);
    for part in [who.region.as_str(), "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = HEXLOWER.encode(&mac(&key, &text));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        who.key
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of "Signature Calculations for the Authorization Header", with its public
    /// example credentials.
    #[test]
    fn requests_are_signed_as_in_the_examples_of_the_specification() {
        let who = Credentials {
            key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
            region: "us-east-1".to_owned(),
        };
        let empty = digest("");
        let stamp = "20130524T000000Z";
        let signed = |path: &str, query: &[(&str, &str)], range: Option<&str>| {
            let mut headers = BTreeMap::from([
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-content-sha256", empty.as_str()),
                ("x-amz-date", stamp),
            ]);
            headers.extend(range.map(|range| ("range", range)));
            let request = Request { method: "GET", path, query, headers, body: &empty };
            authorization(&request, &who, stamp)
        };
        for (found, signature) in [
            (
                signed("/test.txt", &[], Some("bytes=0-9")),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                signed("/", &[("lifecycle", "")], None),
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                signed("/", &[("prefix", "J"), ("max-keys", "2")], None),
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            assert!(found.ends_with(&format!("Signature={signature}")), "{found}");
        }
    }

    #[test]
    fn paths_keep_their_slashes() {
        assert_eq!(encoded("/a b/\u{fc}", true), "/a%20b/%C3%BC");
        assert_eq!(query(&[("b", "/"), ("a", "1 2")]), "a=1%202&b=%2F");
    }
}
