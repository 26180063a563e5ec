//! The audit log as a page, and what went wrong.

use maud::html;

use crate::html::escape::{NAME, stored};
use crate::html::page::scrolling;
use crate::layout::grouped;
use obit_triage::time::minute_of;

/// A line of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number.
    pub n: u64,
    /// When: seconds since 1970.
    pub time: i64,
    /// Who.
    pub user: String,
    /// With which role.
    pub role: String,
    /// What was done.
    pub action: String,
    /// With what.
    pub target: String,
    /// How, or why.
    pub detail: String,
}

/// The content of the page: the newest lines first, the anchor of the last one, and what is
/// wrong with the log.
pub fn audit(rows: &[AuditRow], anchor: Option<&str>, problem: Option<&str>) -> String {
    let table = html! {
        table.wide {
            thead { tr {
                @for name in ["#", "Time (UTC)", "User", "Role", "Action", "Of", "Detail"] {
                    th scope="col" { (name) }
                }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td.number { (grouped(row.n)) }
                        td { (minute_of(row.time)) }
                        td { (stored(&row.user, NAME / 4)) }
                        td { (stored(&row.role, NAME / 8)) }
                        td { (stored(&row.action, NAME / 4)) }
                        td { code { (stored(&row.target, NAME / 4)) } }
                        td { (stored(&row.detail, NAME * 2)) }
                    }
                }
            }
        }
    };
    let content = html! {
        section.cause aria-labelledby="audit-title" {
            h1 id="audit-title" { "Audit log" }
            @match problem {
                Some(problem) => p.problem role="alert" { (stored(problem, NAME * 4)) },
                None => p.who { "Each line follows from the one before it. " @if let Some(anchor) = anchor {
                    "Kept elsewhere, the anchor of the last one shows whether lines were cut off: "
                    code { (stored(anchor, NAME)) }
                } },
            }
        }
        @if rows.is_empty() { p { "Nothing is in it yet." } }
        @else { (scrolling("Audit log", &table)) }
    };
    content.into_string()
}

/// The content of the page about what went wrong.
pub fn problem(title: &str, detail: &str) -> String {
    let content = html! {
        section.cause.narrow aria-labelledby="problem-title" {
            h1 id="problem-title" { (stored(title, NAME)) }
            p role="alert" { (stored(detail, NAME * 4)) }
            p { a href="/" { "All groups" } }
        }
    };
    content.into_string()
}
