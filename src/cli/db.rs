//! `obit db`: the store, looked after.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use obit::triage::store::{Keep, Store};

use super::Failure;
use super::exit::Exit;
use super::outlet::Outlet;
use super::triage::StoreArgs;
use super::view::{clock, length};

/// What is to be done with the store.
#[derive(Clone, Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) what: DbVerb,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DbVerb {
    /// Say whether the store is whole, to the last record
    Check(StoreArgs),
    /// Write the store as lines of JSON; of a damaged one, what can be read
    Export {
        /// The file to be written, or the standard output (-)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Add what an export wrote, to an empty store or to another
    Import {
        /// The file to be read, or the standard input (-)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Give up old records; what is counted stays
    Gc {
        /// Keep the records of dumps that are not older
        #[arg(long, value_name = "TIME", default_value = "90d", value_parser = length)]
        keep: i64,
        /// Keep the newest records of each group, whatever their age
        #[arg(long, value_name = "N", default_value_t = 5)]
        keep_per_group: u64,
        #[command(flatten)]
        store: StoreArgs,
    },
}

pub(crate) fn db(args: &DbArgs) -> Result<Exit, Failure> {
    let standard_output = Outlet::new(None, None)?;
    let say = |text: String| standard_output.write(|out| writeln!(out, "{text}"));
    match &args.what {
        DbVerb::Check(store) => {
            let store = Store::open(&store.path()?)?;
            let counts = store.check()?;
            say(format!(
                "{} is whole: dumps: {}, failed: {}, groups: {}",
                store.path().display(),
                counts.dumps,
                counts.failed,
                counts.groups
            ))?;
        }
        DbVerb::Export { file, store } => {
            let store = Store::open(&store.path()?)?;
            let mut exported = None;
            let is_dash = file == Path::new("-");
            let outlet = Outlet::new(Some(file), None)?;
            outlet.write(|out| match store.export(out) {
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
        DbVerb::Import { file, store } => {
            let unreadable = |error: io::Error| {
                let problem = format!("{}: {error}", file.display());
                Failure::new(Exit::Unusable, &problem)
            };
            let is_dash = file == Path::new("-");
            let from = if is_dash { None } else { Some(File::open(file).map_err(unreadable)?) };
            let mut store = Store::create(&store.path()?)?;
            let imported = match from {
                Some(file) => store.import(BufReader::new(file))?,
                None => store.import(io::stdin().lock())?,
            };
            say(format!("{} dumps added, {} were known", imported.new, imported.known))?;
        }
        DbVerb::Gc { keep, keep_per_group, store } => {
            let mut store = Store::open(&store.path()?)?;
            let since = clock().saturating_sub(*keep);
            let removed = store.collect(Keep { since, per_group: *keep_per_group })?;
            let megabytes = removed.bytes as f64 / 1e6;
            say(format!("{} records given up, {megabytes:.1} MB freed", removed.records))?;
        }
    }
    Ok(Exit::Success)
}
