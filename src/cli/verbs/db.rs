//! `obit db`: the store checked, exported, imported and pruned.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use obit::redact::Level;
use obit::triage::store::{DatabaseProblem, Keep, Lost, Store, StoreError};

use super::db_forget::{self, DbForgetArgs};
use crate::cli::args::choices::{LEVELS, one_of};
use crate::cli::args::store::{StoreArgs, clock, length};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// What to do, and with which store.
#[derive(Clone, Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    what: DbVerb,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Debug, Subcommand)]
enum DbVerb {
    /// Check every record of the store for damage
    Check {
        /// If it is damaged, keep what can be read, list what is lost, and keep a copy of the
        /// damaged file
        #[arg(long)]
        repair: bool,
    },
    /// Write the store as lines of JSON; of a damaged store, what can be read
    Export {
        /// The file to write, or the standard output (-)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How much to hide: what was stored at a weaker level is redacted again [default: as it
        /// is stored]
        #[arg(long = "redact", value_parser = one_of(LEVELS), value_name = "LEVEL")]
        redaction: Option<Level>,
    },
    /// Add an export to a store, which may be empty
    Import {
        /// The file to read, or the standard input (-)
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Copy a store into an empty one: a file, or a database of PostgreSQL (postgres://…)
    Copy {
        /// The store to read
        #[arg(value_name = "FROM")]
        from: PathBuf,
        /// The store to make, which must be empty
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
    /// Take a value or a person out of all records, paths and notes, and say where it was
    Forget(DbForgetArgs),
    /// Delete old records; counts are kept
    Gc {
        /// Keep the records of dumps newer than this
        #[arg(long, value_name = "TIME", default_value = "90d", value_parser = length)]
        keep: i64,
        /// Keep this many of the newest records of each group, whatever their age
        #[arg(long, value_name = "N", default_value_t = 5)]
        keep_per_group: u64,
    },
}

pub(crate) fn run(args: &DbArgs) -> Result<Exit, Failure> {
    let path = args.store.path()?;
    let standard_output = Destination::lines();
    let say = |text: String| standard_output.write(|out| writeln!(out, "{text}"));
    match &args.what {
        DbVerb::Check { repair: true } => {
            let repaired = Store::repair(&path).map_err(beyond_repair)?;
            let counts = repaired.counts;
            let shown = repaired.path;
            let is = if repaired.copy.is_some() { "is repaired" } else { "is intact" };
            standard_output.write(|out| {
                writeln!(
                    out,
                    "{} {is}: dumps: {}, failed: {}, groups: {}",
                    shown.display(),
                    counts.dumps,
                    counts.failed,
                    counts.groups
                )?;
                if let Some(copy) = &repaired.copy {
                    writeln!(out, "the damaged file is kept as {}", copy.display())?;
                }
                repaired.lost.iter().try_for_each(|lost| writeln!(out, "lost: {}", named(lost)))
            })?;
            return Ok(if repaired.lost.is_empty() { Exit::Success } else { Exit::Incomplete });
        }
        DbVerb::Check { repair: false } => {
            let mut store = Store::open(&path)?;
            let counts = store.check()?;
            store.check_copy()?;
            let levels = store.levels()?.into_iter();
            let levels: String =
                levels.map(|(level, count)| format!(", redacted at {level}: {count}")).collect();
            say(format!(
                "{} is intact: dumps: {}, failed: {}, groups: {}{levels}",
                store.path().display(),
                counts.dumps,
                counts.failed,
                counts.groups
            ))?;
        }
        DbVerb::Export { file, redaction } => {
            let mut store = Store::open(&path)?;
            redaction.iter().for_each(|level| store.view_at(*level));
            let mut exported = None;
            let is_dash = file == Path::new("-");
            let destination = Destination::new(Some(file), None)?;
            destination.write(|out| match store.export(out) {
                Ok(Ok(done)) => {
                    exported = Some(Ok(done));
                    Ok(())
                }
                Ok(Err(error)) => Err(error),
                Err(error) => {
                    exported = Some(Err(error));
                    Ok(())
                }
            })?;
            let Some(exported) = exported.transpose()? else { return Ok(Exit::Success) };
            if exported.lost > 0 {
                let problem = format!(
                    "{} is damaged: {} dumps were written, {} rows or records are lost",
                    store.path().display(),
                    exported.dumps,
                    exported.lost
                );
                return Err(Failure::new(Exit::Incomplete, &problem));
            }
            if !is_dash {
                say(format!("{} dumps written to {}", exported.dumps, file.display()))?;
            }
        }
        DbVerb::Import { file } => {
            let unreadable = |error: io::Error| {
                let problem = format!("{}: {error}", file.display());
                Failure::new(Exit::Unusable, &problem)
            };
            let is_dash = file == Path::new("-");
            let from = if is_dash { None } else { Some(File::open(file).map_err(unreadable)?) };
            let mut store = Store::create(&path)?;
            let imported = match from {
                Some(file) => store.import(BufReader::new(file))?,
                None => store.import(io::stdin().lock())?,
            };
            say(format!("{} dumps added, {} were already known", imported.new, imported.known))?;
        }
        DbVerb::Copy { from, to } => {
            let from = Store::open(from)?;
            let mut to = Store::create(to)?;
            let dumps = from.copy_to(&mut to)?;
            let (from, to) = (from.path().display(), to.path().display());
            say(format!("{dumps} dumps copied from {from} to {to}"))?;
        }
        DbVerb::Forget(forget) => return db_forget::run(forget, &mut Store::open(&path)?),
        DbVerb::Gc { keep, keep_per_group } => {
            let mut store = Store::open(&path)?;
            let since = clock().saturating_sub(*keep);
            let removed = store.collect(Keep { since, per_group: *keep_per_group })?;
            let megabytes = removed.bytes as f64 / 1e6;
            say(format!("{} records deleted, {megabytes:.1} MB freed", removed.records))?;
        }
    }
    Ok(Exit::Success)
}

/// The advice for a damaged store is to repair it.
fn beyond_repair(error: StoreError) -> Failure {
    let is_damage = match &error {
        StoreError::Damaged { .. } => true,
        StoreError::Database { problem, .. } => *problem == DatabaseProblem::Damaged,
        _ => false,
    };
    if !is_damage {
        return error.into();
    }
    let problem = format!(
        "{error}; nothing of it can be read: move it away, and `obit triage` makes a new one"
    );
    Failure::new(Exit::Unusable, &problem)
}

/// What is lost, and what becomes of it. The text is from a damaged file.
fn named(lost: &Lost) -> String {
    match lost {
        Lost::Dump { id } => format!("the dump {}", id.escape_debug()),
        Lost::Record { id, path: Some(path) } => {
            format!("the record of the dump {} ({})", id.escape_debug(), path.escape_debug())
        }
        Lost::Record { id, path: None } => format!("the record of the dump {}", id.escape_debug()),
        Lost::Group { id } => format!("state, name, notes of the group {}", id.escape_debug()),
        Lost::Notes { group } => format!("notes on the group {}", group.escape_debug()),
        Lost::Rows { table: "dump", at_most } => {
            format!("up to {at_most} dumps, with names that cannot be read")
        }
        Lost::Rows { table: "bug", at_most } => {
            format!("state, name, notes of up to {at_most} groups, with ids that cannot be read")
        }
        Lost::Rows { at_most, .. } => format!("up to {at_most} groups merged or split by hand"),
        Lost::Code => "code hashes of functions: they are read again from the programs".to_owned(),
        _ => "something that this version of obit has no word for".to_owned(),
    }
}
