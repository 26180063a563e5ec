//! JUnit's report: a test case for each crash or group.

use std::io;

use maud::{Markup, PreEscaped, html};

use super::{Format, Item, LogCommands};
use crate::summary;
use crate::visible;

pub(super) const JUNIT: Format = Format {
    about: "A JUnit report with a failed test",
    log_commands: LogCommands::Xml,
    items: Some(write_junit),
    ..Format::new("junit", "xml")
};

/// Writes one test suite with a case for each of `items`: a crash failed, and a group unless
/// it is resolved (it passed) or ignored (it was skipped).
fn write_junit(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    let cases = items.iter().map(case).collect::<io::Result<Vec<_>>>()?;
    let (tests, failures) = (items.len(), items.iter().filter(|item| item.is_open()).count());
    let skipped = items.iter().filter(|item| !item.is_open() && item.is_ignored()).count();
    let report = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites name="obit" tests=(tests) failures=(failures) errors="0" {
            (PreEscaped("\n"))
            testsuite name="crashes" tests=(tests) failures=(failures) errors="0" skipped=(skipped) { (PreEscaped("\n")) @for case in &cases { (case) (PreEscaped("\n")) } }
            (PreEscaped("\n"))
        }
        (PreEscaped("\n"))
    };
    out.write_all(report.into_string().as_bytes())
}

fn case(item: &Item<'_>) -> io::Result<Markup> {
    let closed = item.group.as_ref().filter(|_| !item.is_open());
    Ok(html! {
        testcase name=(characters(&item.test_name())) classname=(characters(&item.program())) {
            @if item.is_open() {
                failure type=(characters(&summary::kind(item.report)))
                    message=(characters(&item.sentence())) { (characters(&item.page()?)) }
            } @else if item.is_ignored() {
                skipped message=(characters(&item.sentence())) {}
            }
            @if let Some(group) = closed {
                system-out { (characters(&group.in_words())) "\n" (visible(&item.report.id)) "\n" }
            }
        }
    })
}

/// `text` without the characters that no XML document can hold (XML 1.0, § 2.2).
fn characters(text: &str) -> String {
    let is_allowed = |c: &char| match *c {
        '\t' | '\n' | '\r' => true,
        c => c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'),
    };
    text.chars().filter(is_allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(characters("a\u{0}\u{1b}[1m\u{ffff}\tb\nc"), "a[1m\tb\nc");
    }
}
