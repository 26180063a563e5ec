//! Texts of a dump on their way to an editor.

use obit_redact::Shown;

/// With what an editor would obey, or not show, escaped.
pub(super) fn plain(text: &Shown) -> String {
    obit_render::visible(text.as_str()).into_owned()
}

/// The same of what may be missing.
pub(super) fn optional(text: Option<&Shown>) -> Option<String> {
    text.map(plain)
}

/// The part of a path behind its last slash.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
