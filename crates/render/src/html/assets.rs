//! Style and script, the same for all pages, and the hashes by which a page allows them.

use sha2::{Digest, Sha256};

/// What a page brings with it. Without its scripts it shows the same, only less
/// conveniently.
#[derive(Clone, Copy)]
pub(super) struct Assets {
    /// Style sheets.
    pub(super) styles: &'static [&'static str],
    /// Scripts, in the order in which they run.
    pub(super) scripts: &'static [&'static str],
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Those of the page of one crash.
pub(super) const CRASH: Assets = Assets { styles: &[STYLE], scripts: &[SCRIPT] };
/// Those of the page of many.
pub(super) const TRIAGE: Assets = Assets {
    styles: &[STYLE, include_str!("triage.css")],
    scripts: &[SCRIPT, include_str!("triage.js")],
};

/// The Content Security Policy of a page: its own styles, its own scripts, nothing else.
/// What a hostile name might smuggle in would not run, and no request could leave.
pub(super) fn policy(assets: Assets) -> String {
    let hashes = |texts: &[&str]| {
        let hashes = texts.iter().map(|text| format!("'{}'", source_hash(text)));
        hashes.collect::<Vec<_>>().join(" ")
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hashes(assets.styles),
        hashes(assets.scripts)
    )
}

/// `sha256-…` as a policy names inline text (CSP level 3, section 2.3.1).
fn source_hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| {
            (bits << 8) | usize::from(group.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at)) & 0x3f;
            let known = at <= group.len();
            let digit = DIGITS.get(digit).copied().filter(|_| known);
            text.push(digit.map_or('=', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_rfc_has_them() {
        // RFC 4648, section 10.
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn nothing_in_style_and_script_ends_its_element_or_asks_the_network() {
        for text in TRIAGE.styles.iter().chain(TRIAGE.scripts) {
            let text = text.to_ascii_lowercase();
            for bad in ["</style", "</script", "<!--", "http:", "https:", "@import", "url("] {
                assert!(!text.contains(bad), "{bad}");
            }
        }
    }
}
