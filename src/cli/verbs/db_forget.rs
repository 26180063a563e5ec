//! `obit db forget`: a value or a person is taken out of the store.

use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use obit::redact::{Wanted, WantedError};
use obit::triage::store::{Erased, Store};

use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::rules;

/// What is to be forgotten.
#[derive(Clone, Debug, Args)]
pub(super) struct DbForgetArgs {
    /// A value: an address, a number, a user name; `-` reads it from the standard input, so
    /// that it is in no list of processes or history of commands
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "person",
        conflicts_with = "person"
    )]
    value: Option<String>,
    /// The name of a person, also in the forms that user names are made of
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Find the tokens of the value, too, that were made with the key in this file
    #[arg(long = "redact-key", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Change nothing; say how often it is stored, and where
    #[arg(long)]
    dry_run: bool,
}

/// Bytes of a value on the standard input.
const LONGEST: u64 = 1 << 12;

pub(super) fn run(args: &DbForgetArgs, store: &mut Store) -> Result<Exit, Failure> {
    let key = args.key.as_deref().map(rules::key).transpose()?;
    let (option, text) = match (&args.person, &args.value) {
        (Some(person), _) => ("--person", text(person)?),
        (None, value) => ("--value", text(value.as_deref().unwrap_or_default())?),
    };
    let wanted = match args.person.is_some() {
        true => Wanted::person(&text, key.as_deref()),
        false => Wanted::value(&text, key.as_deref()),
    };
    let refused = |error: WantedError| Failure::usage(&format!("{option}: {error}"));
    let erased = store.erase(&wanted.map_err(refused)?, args.dry_run)?;
    Destination::lines().write(|out| {
        writeln!(out, "{}", in_words(&erased, args.dry_run))?;
        for (place, count) in &erased.places {
            writeln!(out, "{count:>6}  {}", obit::render::visible(place))?;
        }
        match erased.unlisted {
            0 => Ok(()),
            more => writeln!(out, "        and {more} more places"),
        }
    })?;
    Ok(Exit::Success)
}

/// The text of an option, or the line on the standard input.
fn text(option: &str) -> Result<String, Failure> {
    if option != "-" {
        return Ok(option.to_owned());
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(&format!("cannot read the standard input: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn in_words(erased: &Erased, is_dry: bool) -> String {
    let unread = match erased.unread {
        0 => String::new(),
        count => {
            format!("; {count} damaged records could not be searched: run `obit db check --repair`")
        }
    };
    if erased.count == 0 {
        return format!("the store does not hold it in clear text{unread}");
    }
    let verb = if is_dry { "would mask" } else { "masked" };
    let times = if erased.count == 1 { "occurrence" } else { "occurrences" };
    let mut text = format!("{verb} {} {times}: records: {}", erased.count, erased.records);
    for (table, rows) in &erased.rows {
        text.push_str(&format!(", rows of {table}: {rows}"));
    }
    if erased.deleted > 0 {
        let verb = if is_dry { "would be" } else { "were" };
        text.push_str(&format!("; {} of the records {verb} deleted", erased.deleted));
    }
    if !is_dry {
        text.push_str("; the store was compacted");
    }
    text + &unread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_in_one_line() {
        let mut erased = Erased::default();
        assert_eq!(in_words(&erased, true), "the store does not hold it in clear text");
        (erased.count, erased.records) = (3, 1);
        erased.rows.insert("path".to_owned(), 2);
        assert_eq!(
            in_words(&erased, true),
            "would mask 3 occurrences: records: 1, rows of path: 2"
        );
        assert_eq!(
            in_words(&erased, false),
            "masked 3 occurrences: records: 1, rows of path: 2; the store was compacted"
        );
        let mut erased = Erased::default();
        erased.unread = 2;
        assert_eq!(
            in_words(&erased, true),
            "the store does not hold it in clear text; 2 damaged records could not be searched: \
             run `obit db check --repair`"
        );
    }
}
