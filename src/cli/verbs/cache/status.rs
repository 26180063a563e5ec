//! `obit cache status`.

use std::io::{self, Write};
use std::time::SystemTime;

use clap::Args;
use obit::debuginfo::{CacheEntry, Depth, EntryState};
use obit::render::visible;
use obit::triage::time::{day_of, instant_of};
use serde::Serialize;

use crate::cli::args::OutputFile;
use crate::cli::args::cache_directory::CacheDirectory;
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::verbs::capture::size;

/// Which cache, and how closely it is looked at.
#[derive(Clone, Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    cache: CacheDirectory,
    /// Read the content of each entry, too, and compare it with its checksum
    #[arg(long)]
    check: bool,
    /// JSON for programs
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    file: OutputFile,
}

/// What is in the cache.
#[derive(Debug, Default, Serialize)]
struct Status {
    /// Where it is.
    directory: String,
    capacity_bytes: u64,
    /// Of all entries.
    bytes: u64,
    entries: u64,
    sections: Kind,
    name_indexes: Kind,
    /// Entries that another version of obit wrote.
    other_version: Kind,
    /// Entries whose content is not what was written.
    damaged: Kind,
    /// Entries that are being written, or were when a process was killed.
    unfinished: Kind,
    /// When the entry was used that was used longest ago, to a day.
    oldest_use: Option<String>,
    newest_use: Option<String>,
}

/// Entries of one kind.
#[derive(Debug, Default, Serialize)]
struct Kind {
    entries: u64,
    bytes: u64,
}

impl Kind {
    fn add(&mut self, entry: &CacheEntry) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.bytes);
    }
}

pub(super) fn run(args: &StatusArgs, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::of(&args.file, TERMINAL, general, None)?;
    let directory = super::directory(&args.cache)?;
    let depth = if args.check { Depth::Content } else { Depth::Header };
    let entries = directory.entries(depth).map_err(|problem| super::unusable(&problem))?;
    let mut status = Status {
        directory: directory.path().display().to_string(),
        capacity_bytes: directory.capacity(),
        ..Status::default()
    };
    let mut all = Kind::default();
    let mut uses = Vec::new();
    for entry in &entries {
        all.add(entry);
        uses.extend(seconds(entry.used));
        let kind = match entry.state {
            EntryState::Whole if entry.is_name_index() => &mut status.name_indexes,
            EntryState::Whole => &mut status.sections,
            EntryState::OtherVersion => &mut status.other_version,
            EntryState::Damaged => &mut status.damaged,
            EntryState::Unfinished => &mut status.unfinished,
        };
        kind.add(entry);
    }
    (status.entries, status.bytes) = (all.entries, all.bytes);
    let (oldest, newest) = (uses.iter().min().copied(), uses.iter().max().copied());
    (status.oldest_use, status.newest_use) = (oldest.map(instant_of), newest.map(instant_of));
    destination.write(|out| match args.json {
        true => obit::report::json::write_line(&status, out),
        false => write(out, &status, oldest.zip(newest), args.check),
    })?;
    Ok(Exit::Success)
}

fn seconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn write(
    out: &mut dyn Write,
    status: &Status,
    uses: Option<(i64, i64)>,
    is_checked: bool,
) -> io::Result<()> {
    writeln!(out, "{}", visible(&status.directory))?;
    let (used, capacity) = (size(status.bytes), size(status.capacity_bytes));
    let entries = if status.entries == 1 { "entry" } else { "entries" };
    writeln!(out, "{} {entries}, {used} of at most {capacity}", status.entries)?;
    for (kind, name) in [
        (&status.sections, "unpacked sections"),
        (&status.name_indexes, "name indexes"),
        (&status.other_version, "of another version of obit, not used"),
        (&status.damaged, "damaged, made again when needed"),
        (&status.unfinished, "unfinished"),
    ] {
        if kind.entries > 0 {
            writeln!(out, "  {:>6}  {:>10}  {name}", kind.entries, size(kind.bytes))?;
        }
    }
    if let Some((oldest, newest)) = uses {
        writeln!(out, "last used between {} and {}", day_of(oldest), day_of(newest))?;
    }
    match is_checked {
        true => writeln!(out, "the content of all entries was checked"),
        false => Ok(()),
    }
}
