//! Style and script, the same for all pages, and the hashes by which a page allows them.

use data_encoding::BASE64;
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

/// Declarations for a dark page: where the system is dark, unless the reader chose a light
/// page, and where the reader chose a dark one.
macro_rules! dark {
    ($declarations:literal) => {
        concat!(
            "@media (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n",
            include_str!($declarations),
            "}\n}\n:root[data-theme=\"dark\"] {\ncolor-scheme: dark;\n",
            include_str!($declarations),
            "}\n"
        )
    };
}

const STYLE: &str = concat!(include_str!("page.css"), dark!("dark.css"));
const TRIAGE_STYLE: &str = concat!(include_str!("triage.css"), dark!("triage_dark.css"));
const SCRIPT: &str = include_str!("page.js");

/// Those of the page of one crash.
pub(super) const CRASH: Assets = Assets { styles: &[STYLE], scripts: &[SCRIPT] };
/// Those of the page of many.
pub(super) const TRIAGE: Assets =
    Assets { styles: &[STYLE, TRIAGE_STYLE], scripts: &[SCRIPT, include_str!("triage.js")] };

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
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

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
