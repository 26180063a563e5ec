//! The formats that a command can write, as the command line sees the table of formats.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use obit::render::{FORMATS, Format};

use super::exit::Exit;
use super::failure::Failure;

/// The page for a terminal: what is written unless the user asks for another format.
pub(crate) const TERMINAL: &Format = &FORMATS[0];

/// Parses the name of a format; of those that `can` write what the command has.
pub(crate) fn parser(can: fn(&Format) -> bool) -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS
        .iter()
        .filter(move |format| can(format))
        .map(|format| PossibleValue::new(format.name).aliases(format.aliases).help(format.about));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::named(&name).ok_or_else(|| format!("there is no format {name}")))
}

/// The first format whose files are named like this one.
pub(crate) fn of_file(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?.to_str()?;
    FORMATS.iter().find(|format| format.extension == extension)
}

/// How `format` writes what the command has, as in `writer(format, "a report",
/// Format::report)`.
///
/// # Errors
/// If it cannot; the message lists the formats that can.
pub(crate) fn writer<W>(
    format: &Format,
    what: &str,
    how: impl Fn(&Format) -> Option<W>,
) -> Result<W, Failure> {
    how(format).ok_or_else(|| {
        let can: Vec<&str> =
            FORMATS.iter().filter(|other| how(other).is_some()).map(|other| other.name).collect();
        let problem =
            format!("{} cannot hold {what}; formats that can: {}", format.name, can.join(", "));
        Failure::new(Exit::Usage, &problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_that_does_not_suit_is_refused_with_those_that_do() {
        let csv = Format::named("csv").unwrap();
        let Err(failure) = writer(csv, "a report", Format::report) else { panic!("accepted") };
        let message = failure.message.unwrap_or_default();
        let wanted = "csv cannot hold a report; formats that can: human, json, ndjson, html, brief";
        assert!(message.starts_with(wanted), "{message}");
        assert!(writer(csv, "groups", Format::groups).is_ok());
    }

    #[test]
    fn a_command_accepts_what_can_write_it() {
        let of_groups = parser(|format| format.groups().is_some());
        let command = clap::Command::new("top")
            .arg(clap::Arg::new("format").long("format").value_parser(of_groups));
        let parse = |name| command.clone().try_get_matches_from(["top", "--format", name]);
        let found = parse("md").unwrap();
        assert_eq!(found.get_one::<&Format>("format").map(|format| format.name), Some("markdown"));
        let refused = parse("html").unwrap_err().to_string();
        assert!(refused.contains("csv") && !refused.contains("html,"), "{refused}");
    }
}
