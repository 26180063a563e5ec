//! The frame that all pages share: head, policy, the bar on top, the script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{Assets, policy};

/// A part of a page that the bar on top leads to.
pub(super) struct Part {
    /// The anchor.
    pub(super) id: &'static str,
    /// What is in the bar, and above the part.
    pub(super) title: &'static str,
    /// Its content, below the title.
    pub(super) body: Markup,
    /// Beside the title: a count.
    pub(super) aside: String,
}

/// A whole page: `title` for the window, `brand` for the bar on top.
pub(super) fn page(
    assets: Assets,
    title: &str,
    brand: &Markup,
    tools: &Markup,
    first: &Markup,
    parts: &[Part],
    foot: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(assets));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                link rel="icon" href="data:,";
                @for style in assets.styles { style { (PreEscaped(style)) } }
                @for script in assets.scripts { script { (PreEscaped(script)) } }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.bar {
                    div.brand { (brand) }
                    nav aria-label="Parts of this page" {
                        @for part in parts { a href={ "#" (part.id) } { (part.title) } }
                    }
                    div.tools data-js hidden {
                        (tools)
                        button type="button" data-do="expand" aria-pressed="false" { "Expand all" }
                        button type="button" data-do="theme" { "Theme: auto" }
                    }
                }
                main id="main" tabindex="-1" {
                    (first)
                    @for part in parts {
                        section.part id=(part.id) aria-labelledby={ (part.id) "-title" } {
                            h2 id={ (part.id) "-title" } {
                                (part.title)
                                @if !part.aside.is_empty() { " " span.aside { (part.aside) } }
                            }
                            (part.body)
                        }
                    }
                }
                footer { (foot) }
                p.status role="status" aria-live="polite" data-status {}
            }
        }
    }
}

/// A command that can be copied.
pub(super) fn command(text: &str) -> Markup {
    html! {
        span.command {
            code { (text) }
            button.copy type="button" data-do="copy" data-js hidden aria-label={ "Copy: " (text) } {
                "copy"
            }
        }
    }
}

/// A table or a listing that may be wider than the page.
pub(super) fn scrolling(label: &str, body: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (body) } }
}
