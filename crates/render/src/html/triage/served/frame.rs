//! What all pages of the server have around their content.

use maud::{DOCTYPE, PreEscaped, html};

use crate::html::assets::TRIAGE;
use crate::html::escape::{NAME, bounded, stored};

const OWN_STYLE: &str = include_str!("served.css");
const OWN_SCRIPT: &str = include_str!("served.js");

/// Where a page belongs, for the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The list of groups.
    Groups,
    /// The builds.
    Builds,
    /// Questions to cores.
    Query,
    /// The audit log.
    Audit,
    /// None of these.
    Elsewhere,
}

/// Who looks at a page.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Name and role; `None` before the login.
    pub user: Option<(String, String)>,
    /// Whether there is a session that can be ended.
    pub can_log_out: bool,
    /// Whether cores may be asked.
    pub can_query: bool,
    /// Whether the audit log may be read.
    pub can_audit: bool,
    /// What forms must send along.
    pub csrf: String,
}

impl Frame {
    /// A whole page: `title` for the window, `content` as a function of this module made it.
    pub fn page(&self, title: &str, place: Place, content: &str) -> String {
        let link = |path: &str, name: &str, of: Place| {
            html! { a href=(path) aria-current=[(of == place).then_some("page")] { (name) } }
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="same-origin";
                    title { (bounded(title)) " \u{b7} obit" }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href="/assets/style.css";
                    @if self.user.is_some() {
                        link rel="alternate" type=(super::FEED_MEDIA) href="/feed.atom"
                            title="New and regressed groups";
                    }
                    script src="/assets/page.js" {}
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.bar {
                        div.brand { a.home href="/" { strong { "obit" } } }
                        nav aria-label="Pages" {
                            @if self.user.is_some() {
                                (link("/", "Groups", Place::Groups))
                                (link("/builds", "Builds", Place::Builds))
                                @if self.can_query { (link("/query", "Query", Place::Query)) }
                                @if self.can_audit { (link("/audit", "Audit log", Place::Audit)) }
                            }
                        }
                        div.tools {
                            @if let Some((name, role)) = &self.user {
                                span.aside.who-is { (stored(name, NAME / 4)) " (" (role) ")" }
                            }
                            button type="button" data-do="theme" data-js hidden { "Theme: auto" }
                            @if self.can_log_out {
                                form.inline method="post" action="/logout" {
                                    input type="hidden" name="csrf" value=(self.csrf);
                                    button type="submit" { "Log out" }
                                }
                            }
                        }
                    }
                    main id="main" tabindex="-1" { (PreEscaped(content)) }
                    footer {
                        p { "All data is redacted as in the store, or more. Times are in UTC. Served by obit "
                            (env!("CARGO_PKG_VERSION")) "." }
                    }
                    p.status role="status" aria-live="polite" data-status {}
                }
            }
        };
        page.into_string()
    }
}

/// The style sheet of all pages.
pub fn style() -> String {
    TRIAGE.styles.iter().copied().chain([OWN_STYLE]).collect()
}

/// The script of all pages: without it they do the same.
pub fn script() -> String {
    TRIAGE.scripts.iter().take(1).copied().chain([OWN_SCRIPT]).collect()
}
