//! `obit merge`: the records of several runs brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use clap::Args;
use obit::batch::{Gathered, Merged};
use obit::render::Format;
use obit::render::formats::{Audience, Writer};
use obit::triage::Store;
use obit::triage::shard::{Part, ShardError, ShardHead, read_lines, read_parquet};
use obit::triage::views::ViewOptions;

use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::args::store::StoreArgs;
use crate::cli::batch::{failure, request, settings};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::{self, TERMINAL};
use crate::cli::groups::write_groups;
use crate::cli::message::say;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Groups on a page.
const GROUPS: usize = 20;
/// Missing shards that a message names.
const NAMED: usize = 8;
/// First bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

/// Which records, and where they go.
#[derive(Clone, Debug, Args)]
pub(crate) struct MergeArgs {
    /// Files that `obit triage --emit` wrote, in any order, as often as you like; - is the
    /// standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Merge what there is, though shards are missing
    #[arg(long)]
    allow_missing: bool,
    /// Use no store, only these records
    #[arg(long, conflicts_with = "db")]
    no_db: bool,
    /// Groups to list; 0 is all [default: 20 on a page; all for programs]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

impl MergeArgs {
    /// How the files of programs are read, whose code is compared.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let (search, redaction) = (self.search.clone(), self.redaction.clone());
        let batch = BatchArgs { search, redaction, ..BatchArgs::default() };
        request(&batch, TERMINAL)
    }
}

pub(crate) fn run(args: &MergeArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let writer = formats::writer(format, "groups", Format::groups)?;
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let request = args.request()?;
    let (gathered, parts) = gather(&args.files)?;
    if let Some(problem) = parts.problem() {
        if !args.allow_missing {
            let problem = format!("{problem}; --allow-missing merges what there is");
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        say(&format!("warning: {problem}"));
    }
    let records = gathered.records();
    let mut store = match args.no_db {
        true => Store::temporary()?,
        false => Store::create(&args.store.path()?)?,
    };
    let settings = settings(&request);
    let merged = gathered.merge(&mut store, &settings.worker, &settings.broker).map_err(failure)?;
    store.view_at(args.redaction.level);
    let is_page = format.audience == Audience::Terminal;
    let most = match (args.limit, is_page) {
        (Some(0), _) | (None, false) => usize::MAX,
        (Some(most), _) => most,
        (None, true) => GROUPS,
    };
    let found = store.overview(&ViewOptions::default(), most)?;
    match writer {
        Writer::Items(write) => write_groups(write, &destination, &store, &found.groups)?,
        Writer::Own(write) => {
            let page = page_options(general, &args.width, &destination);
            destination.write(|out| {
                if is_page {
                    writeln!(out, "{}\n", in_words(records, &parts, &merged))?;
                }
                write(out, &found, false, &page)
            })?;
        }
    }
    Ok(Exit::Success)
}

fn in_words(records: usize, parts: &Parts, merged: &Merged) -> String {
    let Merged { added, regrouped } = merged;
    let count: usize = parts.sets.values().map(|set| set.numbers.len()).sum();
    format!(
        "shards: {count}, records: {records}: {} new, {} known; groups: {}, {} new",
        added.new, added.known, regrouped.groups, regrouped.new
    )
}

/// Reads all files, before anything is written.
fn gather(files: &[PathBuf]) -> Result<(Gathered, Parts), Failure> {
    let no_room = |error: io::Error| {
        Failure::new(Exit::Output, &format!("the temporary file cannot be written: {error}"))
    };
    let mut gathered = Gathered::new().map_err(no_room)?;
    let mut parts = Parts::default();
    for path in files {
        let mut full = None;
        let outcome = read(path, &mut |part| match part {
            Part::Head(head) => {
                parts.add(head);
                Ok(())
            }
            Part::Entry(stamp, record) => gathered.push(&stamp, &record).inspect_err(|error| {
                full = Some(io::Error::from(error.kind()));
            }),
        });
        if let Some(error) = full {
            return Err(no_room(error));
        }
        outcome.map_err(|error| {
            let problem = format!("{}: {error}; nothing was merged", path.display());
            Failure::new(Exit::Unusable, &problem)
        })?;
    }
    Ok((gathered, parts))
}

/// Hands the records of a file to `take`, whatever its form.
fn read(path: &Path, take: &mut dyn FnMut(Part) -> io::Result<()>) -> Result<(), ShardError> {
    let failed = |error: io::Error| ShardError { row: None, problem: error.into() };
    if path == Path::new("-") {
        let mut from = BufReader::new(io::stdin().lock());
        return read_lines(&mut from, take);
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    (&mut file).take(PARQUET.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if start == PARQUET {
        return read_parquet(BufReader::new(file), take);
    }
    if file.rewind().is_ok() {
        return read_lines(&mut BufReader::new(file), take);
    }
    // A pipe.
    read_lines(&mut BufReader::new(start.chain(file)), take)
}

/// Which parts there are of which listings.
#[derive(Debug, Default)]
struct Parts {
    sets: BTreeMap<(String, u32), Set>,
    versions: BTreeSet<String>,
}

/// The parts of one listing.
#[derive(Debug, Default)]
struct Set {
    files: u64,
    numbers: BTreeSet<u32>,
}

impl Parts {
    fn add(&mut self, head: ShardHead) {
        let set = self.sets.entry((head.listing, head.of)).or_default();
        set.files = head.files;
        set.numbers.insert(head.shard);
        self.versions.insert(head.obit.version);
    }

    /// Which are missing, in a sentence.
    fn problem(&self) -> Option<String> {
        let incomplete = self.sets.iter().filter_map(|((listing, of), set)| {
            let missing: Vec<u32> = (1..=*of).filter(|n| !set.numbers.contains(n)).collect();
            let listing: String = listing.chars().take(8).collect();
            (!missing.is_empty()).then(|| {
                let (noun, is) =
                    if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
                let files = set.files;
                let listed = listed(&missing);
                format!(
                    "{noun} {listed} of {of} {is} missing (listing {listing:?}, files: {files})"
                )
            })
        });
        let incomplete: Vec<String> = incomplete.take(NAMED).collect();
        if incomplete.is_empty() {
            return None;
        }
        let mut problem = incomplete.join("; ");
        if self.sets.len() > 1 {
            problem += "; the shards are of different listings: files came or went between the \
                        runs, or these were of other directories or numbers of shards";
        }
        Some(problem)
    }
}

/// Numbers in words, of many the first.
fn listed(numbers: &[u32]) -> String {
    let named: Vec<String> = numbers.iter().take(NAMED).map(u32::to_string).collect();
    let more = numbers.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    named.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(shard: u32, of: u32, listing: &str) -> ShardHead {
        ShardHead { shard, of, listing: listing.to_owned(), files: 9, ..ShardHead::default() }
    }

    fn problem(heads: &[(u32, u32, &str)]) -> Option<String> {
        let mut parts = Parts::default();
        heads.iter().for_each(|(shard, of, listing)| parts.add(head(*shard, *of, listing)));
        parts.problem()
    }

    #[test]
    fn missing_shards_are_named() {
        assert_eq!(problem(&[(2, 2, "a"), (1, 2, "a"), (1, 2, "a"), (1, 1, "b")]), None);
        let one = problem(&[(2, 3, "a"), (1, 3, "a")]).unwrap();
        assert_eq!(one, "shard 3 of 3 is missing (listing \"a\", files: 9)");
        let many = problem(&[(1, 65_536, "a")]).unwrap();
        assert!(many.starts_with("shards 2, 3, 4, 5, 6, 7, 8, 9 and 65527 more of 65536 are"));
        let other = problem(&[(1, 2, "a"), (2, 2, "b")]).unwrap();
        assert!(other.contains("of different listings"), "{other}");
    }
}
