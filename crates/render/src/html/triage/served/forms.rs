//! Pages that ask: who one is, why a crash is to be revealed.

use maud::html;

use super::crash_path;
use crate::html::escape::{NAME, stored};

/// The content of the page that asks for a token.
pub fn login(problem: Option<&str>) -> String {
    let content = html! {
        section.cause.narrow aria-labelledby="login-title" {
            h1 id="login-title" { "Log in" }
            @if let Some(problem) = problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
            form.stacked method="post" action="/login" {
                // For keepers of passwords, which want a name beside one.
                input type="text" name="username" value="obit" autocomplete="username" hidden;
                label { span { "Token" }
                    input type="password" name="token" required maxlength="200"
                        autocomplete="current-password" spellcheck="false";
                }
                button type="submit" { "Log in" }
            }
            p.aside { "The owner of this server gives out tokens: "
                code { "obit serve --new-token NAME --role ROLE" } "." }
        }
    };
    content.into_string()
}

/// The content of the page that asks why a crash is to be revealed.
pub fn reveal(dump: &str, csrf: &str, problem: Option<&str>) -> String {
    let content = html! {
        section.cause.narrow aria-labelledby="reveal-title" {
            h1 id="reveal-title" { "Reveal a crash" }
            p { code { (stored(dump, NAME)) } }
            p { "It is shown as it is stored, which may be less redacted than what you see otherwise. "
                "What was never stored stays hidden. Your name and the reason go into the audit log." }
            @if let Some(problem) = problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
            form.stacked method="post" action={ (crash_path(dump)) "/reveal" } {
                input type="hidden" name="csrf" value=(csrf);
                label { span { "Reason" }
                    input type="text" name="reason" required minlength="3" maxlength="500"
                        autocomplete="off";
                }
                button type="submit" { "Reveal" }
            }
            p { a href=(crash_path(dump)) { "Show it redacted" } }
        }
    };
    content.into_string()
}

/// The content of the page that opens a shared link: the script takes the secret from the part
/// of the address behind `#`, which browsers do not send.
pub fn shared(problem: Option<&str>) -> String {
    let content = html! {
        section.cause.narrow aria-labelledby="shared-title" {
            h1 id="shared-title" { "Shared page" }
            @if let Some(problem) = problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
            form.stacked method="post" action="/shared" data-shared {
                label { span { "What is behind # in the link" }
                    input type="text" name="token" required maxlength="200" autocomplete="off"
                        spellcheck="false";
                }
                button type="submit" { "Open" }
            }
        }
    };
    content.into_string()
}

/// The content of the page that shows a link which was made: once.
pub fn link(link: &str, group: &str, hours: u64) -> String {
    let content = html! {
        section.cause aria-labelledby="link-title" {
            h1 id="link-title" { "Shared link" }
            p { "It shows the group " code { (stored(group, NAME / 4)) }
                ", redacted strictly, to everyone who has it, for " (hours) " hours, until this server ends or until you are no analyst any more. "
                "It is shown here once." }
            p { code.whole { (stored(link, NAME * 4)) } }
            p { a href=(super::group_path(group)) { "Back to the group" } }
        }
    };
    content.into_string()
}
