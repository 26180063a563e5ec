//! TeamCity's service messages: a test for each crash or group, as a build step prints them.
//!
//! The messages and their escapes are those of TeamCity's documentation, "Service Messages".

use std::fmt::Write as _;
use std::io;

use super::{EachRecord, Format, Item, LogCommands, Records};

pub(super) const TEAMCITY: Format = Format {
    about: "Service messages for TeamCity: a failed test for each crash",
    log_commands: LogCommands::AsIs,
    items: Some(write_teamcity),
    records: Some(Records {
        start: SUITE_STARTED,
        between: "",
        end: SUITE_FINISHED,
        each: EachRecord::Item(write_tests),
    }),
    ..Format::new("teamcity", "txt")
};

const SUITE_STARTED: &str = "##teamcity[testSuiteStarted name='crashes']\n";
const SUITE_FINISHED: &str = "##teamcity[testSuiteFinished name='crashes']\n";

/// Writes a suite of tests. A crash failed, and a group unless it is resolved (it passed) or
/// ignored.
fn write_teamcity(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    out.write_all(SUITE_STARTED.as_bytes())?;
    write_tests(out, items)?;
    out.write_all(SUITE_FINISHED.as_bytes())
}

fn write_tests(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    for item in items {
        let name = value(&format!("{}: {}", item.program(), item.test_name()));
        writeln!(out, "##teamcity[testStarted name='{name}']")?;
        let message = value(&item.message());
        if item.is_open() {
            let page = value(&item.page()?);
            writeln!(
                out,
                "##teamcity[testFailed name='{name}' message='{message}' details='{page}']"
            )?;
        } else if item.is_ignored() {
            writeln!(out, "##teamcity[testIgnored name='{name}' message='{message}']")?;
        }
        writeln!(out, "##teamcity[testFinished name='{name}']")?;
    }
    Ok(())
}

/// A value between apostrophes. What is not ASCII is written as UTF-16, so that the log's
/// encoding does not matter.
fn value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '|' | '[' | ']' => value.extend(['|', c]),
            '\n' => value.push_str("|n"),
            '\r' => value.push_str("|r"),
            c if c.is_ascii() => value.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(value, "|0x{unit:04X}");
                }
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_it() {
        assert_eq!(value("it's [a] | b\r\nc"), "it|'s |[a|] || b|r|nc");
        assert_eq!(value("\u{d7} \u{1f980}"), "|0x00D7 |0xD83E|0xDD80");
    }
}
