//! `obit triage`, `obit list`, `obit db`: many cores.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use obit::batch;
use obit::triage::store::{FileStamp, Known, Store, StoreError};
use obit::triage::{Record, Rules, write_record};
use sha2::{Digest, Sha256};

use super::analyze::Request;
use super::args::Cli;
use super::exit::Exit;
use super::inputs::Inputs;
use super::outlet::Outlet;
use super::{Failure, View};

/// Many cores, brought together by what they died of.
#[derive(Clone, Debug, Args)]
pub(crate) struct TriageArgs {
    /// Directories, searched to the bottom, and core files
    #[arg(value_name = "DIR|FILE", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Where the store is.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store of crashes [default: obit/triage.db below $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
}

/// What is to be done with the store.
#[derive(Clone, Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) what: DbVerb,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DbVerb {
    /// Say whether the file is whole
    Check,
}

impl StoreArgs {
    /// The file that was named, else the one of this user.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.db {
            return Ok(path.clone());
        }
        let absolute =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/state")))
            .ok_or_else(|| {
                Failure::new(Exit::Usage, &"no home directory: say where the store is by --db FILE")
            })?;
        Ok(base.join("obit/triage.db"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Unusable, &error)
    }
}

pub(crate) fn triage(cli: &Cli, args: &TriageArgs) -> Result<Exit, Failure> {
    let inputs = Inputs { core: PathBuf::new(), exe: cli.options.exe.clone() };
    let request = Request::new(inputs, &cli.options)?;
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let path = args.store.path()?;
    if let Some(parent) = path.parent() {
        let _ = std::fs::create_dir_all(parent);
    }
    let mut store = Store::create(&path)?;
    let rules = Rules::built_in();
    let mut records: Vec<Record> = Vec::new();
    for candidate in batch::walk(&args.paths) {
        let Some(stamp) = stamp(&candidate.path) else { continue };
        if store.known(&stamp)? == Known::Unchanged {
            continue;
        }
        let time = Some(stamp.mtime.div_euclid(1_000_000_000));
        let mut one = request.clone();
        one.inputs.core.clone_from(&candidate.path);
        let options = one.process_options(View::Page);
        let record = batch::analyze(&candidate.path, time, options, one.build, &rules);
        store.add(&[(stamp, record.clone())], now())?;
        records.push(record);
    }
    store.regroup()?;
    for record in &mut records {
        record.group = store.group_of(&record.dump)?;
    }
    outlet.write(|out| {
        for record in &records {
            write_record(record, &mut *out)?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

/// The cores below `path`, in a store that is gone with the process.
pub(crate) fn in_memory(cli: &Cli, path: &Path) -> Result<Store, Failure> {
    let inputs = Inputs { core: PathBuf::new(), exe: cli.options.exe.clone() };
    let request = Request::new(inputs, &cli.options)?;
    let mut store = Store::create(Path::new(":memory:"))?;
    let rules = Rules::built_in();
    for candidate in batch::walk(&[path.to_owned()]) {
        let Some(stamp) = stamp(&candidate.path) else { continue };
        let time = Some(stamp.mtime.div_euclid(1_000_000_000));
        let mut one = request.clone();
        one.inputs.core.clone_from(&candidate.path);
        let options = one.process_options(View::Page);
        let record = batch::analyze(&candidate.path, time, options, one.build, &rules);
        store.add(&[(stamp, record)], now())?;
    }
    store.regroup()?;
    Ok(store)
}

pub(crate) fn list(cli: &Cli, args: &StoreArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let store = Store::open(&args.path()?)?;
    let mut failure = None;
    outlet.write(|out| {
        failure = store.each_record(&mut |record| write_record(&record, &mut *out)).err();
        out.flush()
    })?;
    failure.map_or(Ok(Exit::Success), |error| Err(error.into()))
}

pub(crate) fn db(args: &DbArgs) -> Result<Exit, Failure> {
    let store = Store::open(&args.store.path()?)?;
    match args.what {
        DbVerb::Check => store.check()?,
    }
    Ok(Exit::Success)
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn stamp(path: &Path) -> Option<FileStamp> {
    let metadata = path.metadata().ok()?;
    let absolute = std::path::absolute(path).ok()?;
    let mtime = metadata.mtime().saturating_mul(1_000_000_000) + metadata.mtime_nsec();
    Some(FileStamp {
        key: Sha256::digest(absolute.as_os_str().as_bytes()).into(),
        size: metadata.size(),
        mtime,
        inode: metadata.ino(),
        device: metadata.dev(),
    })
}
