//! The pages of `obit serve`: the groups of a store and what can be changed of them. Their
//! style and script are files of their own, so that a policy without exceptions allows them.
//!
//! What is in a page is made by one function each, and put into the [`Frame`] by
//! [`Frame::page`]; so what many readers see can be kept, without whose page it is.

mod builds;
mod compare;
mod compare_crashes;
mod dashboard;
mod feed;
mod forms;
mod frame;
mod group;
mod notices;
mod query;
mod series;

use std::io;

use obit_report::Report;

pub use builds::builds;
pub use compare::compare;
pub use compare_crashes::compare_crashes;
pub use dashboard::{Asked, dashboard};
pub use feed::{FEED_ENTRIES, FEED_MEDIA, feed};
pub use forms::{link, login, reveal, shared};
pub use frame::{Frame, Place, script, style};
pub use group::{GroupView, group};
pub use notices::{AuditRow, audit, problem};
pub use query::{QueryPage, QueryTable, query};

use super::super::assets::{CRASH, policy};
use super::super::crash;

/// What a page of the server may load and do: what is the server's own.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src data:; connect-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Writes the page of a crash, which leads back to its group.
///
/// # Errors
/// Those of `out`.
pub fn write_crash(
    out: &mut dyn io::Write,
    report: &Report,
    group: Option<&str>,
) -> io::Result<()> {
    let home = group.map_or_else(|| "/".to_owned(), group_path);
    out.write_all(crash::crash(report, Some(&home)).into_string().as_bytes())
}

/// What the page of a crash may load and do: it brings its style and script along.
pub fn crash_policy() -> String {
    format!("{}; frame-ancestors 'none'", policy(CRASH))
}

/// The address of a group.
pub fn group_path(id: &str) -> String {
    format!("/groups/{}", segment(id))
}

/// The address of a crash.
pub fn crash_path(dump: &str) -> String {
    format!("/crashes/{}", segment(dump))
}

/// A text as one part of a path (RFC 3986, section 2.3).
fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A dot, too: `.` and `..` are not parts of a path.
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A text as a value behind `?`.
fn value(text: &str) -> String {
    segment(text)
}

#[cfg(test)]
mod tests;
