//! GitHub Actions: workflow commands, which become annotations of code.

use std::io;

use super::source_file::SourceFile;
use super::{Format, Item, LogCommands, Records};
use crate::inert;
use crate::summary::{self, Location};

pub(super) const GITHUB: Format = Format {
    about: "`::error` commands for GitHub Actions",
    log_commands: LogCommands::AsIs,
    items: Some(write_github),
    records: Some(Records::items(write_github)),
    ..Format::new("github", "txt")
};

/// Writes an `::error` command for each of `items`, as GitHub Actions reads it from a
/// step's output. Groups that are resolved or ignored have none.
fn write_github(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    for item in items.iter().filter(|item| item.is_open()) {
        let place = Location::of(item.report);
        let mut properties = Vec::new();
        if let Some(source) = place.source {
            properties.push(format!("file={}", property(&SourceFile::of(source).shown())));
            properties.extend(source.line.map(|line| format!("line={line}")));
            properties.extend(source.column.map(|column| format!("col={column}")));
        }
        let title = match &place.function {
            Some(function) => format!("{} in {function}", summary::kind(item.report)),
            None => summary::kind(item.report),
        };
        properties.push(format!("title={}", property(&title)));
        writeln!(out, "::error {}::{}", properties.join(","), data(&item.message()))?;
    }
    Ok(())
}

/// GitHub's escapes in what follows the colons; commands of other runners, which read this
/// too where they run steps of GitHub's, are no commands in it.
fn data(text: &str) -> String {
    inert(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Its escapes in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
