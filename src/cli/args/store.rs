//! Which store, and which of its crashes.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use obit::redact::Level;
use obit::triage::history::{BuildOrder, Exposure};
use obit::triage::store::Store;
use obit::triage::time::seconds_of;
use obit::triage::views::{Builds, Filter, FilterError, Per, ViewOptions};

use super::choices::{LEVELS, STEPS, one_of};
use super::period::Period;
use crate::cli::directories;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;

/// Where the store is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreArgs {
    /// The store of crashes [default: obit/triage.db below $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) db: Option<PathBuf>,
}

impl StoreArgs {
    /// The file that was named, else the one of this user.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        let path = self.db.clone().or_else(|| Some(directories::state()?.join("obit/triage.db")));
        path.ok_or_else(|| {
            Failure::new(Exit::Usage, &"no home directory: name the store with --db FILE")
        })
    }
}

/// Which store, and what the user knows of the builds in it, where each reader has a level of
/// redaction of his own.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServedBuilds {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The releases, oldest first, one per line: its name and its build IDs [default: by
    /// version, builds without one by time; see `obit builds`]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    build_order: Option<PathBuf>,
    /// How much each release or build ran: CSV with a header (build or version, exposure, unit,
    /// program, from, to), the JSON answer of Prometheus to a query, or lines of NAME,NUMBER
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    exposure: Option<PathBuf>,
}

/// Which store, and what the user knows of the builds in it.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    served: ServedBuilds,
    /// How much to hide: what was stored at a weaker level is redacted again
    #[arg(long = "redact", value_parser = one_of(LEVELS), default_value = "default",
        value_name = "LEVEL", hide_short_help = true)]
    redaction: Level,
}

impl ServedBuilds {
    /// The order of releases.
    pub(crate) fn order(&self) -> Result<Option<BuildOrder>, Failure> {
        read(self.build_order.as_deref(), BuildOrder::parse)
    }

    /// The file that says how much each ran.
    pub(crate) fn exposure_file(&self) -> Option<&Path> {
        self.exposure.as_deref()
    }

    /// How much each ran.
    pub(crate) fn exposure(&self) -> Result<Option<Arc<Exposure>>, Failure> {
        let read = self.exposure.as_deref().map(read_exposures).transpose();
        read.map_err(|problem| Failure::new(Exit::Usage, &problem))
    }
}

impl BuildArgs {
    /// The store's place.
    pub(crate) fn store(&self) -> &StoreArgs {
        &self.served.store
    }

    /// The order of releases.
    pub(crate) fn order(&self) -> Result<Option<BuildOrder>, Failure> {
        self.served.order()
    }

    /// How much each ran.
    pub(crate) fn exposure(&self) -> Result<Option<Arc<Exposure>>, Failure> {
        self.served.exposure()
    }

    /// Says on the standard error what the exposures name that is not in the store.
    pub(crate) fn name_unknown(&self, store: &Store) -> Result<(), Failure> {
        if let Some(exposure) = self.exposure()? {
            say_unknown(&store.builds(self.order()?.as_ref(), Some(&exposure))?);
        }
        Ok(())
    }

    /// The store, for reading.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        let mut store = Store::open(&self.served.store.path()?)?;
        store.view_at(self.redaction);
        Ok(store)
    }
}

/// Which crashes of the store, and how their history is counted.
#[derive(Clone, Debug, Args)]
pub(crate) struct Selection {
    #[command(flatten)]
    pub(crate) builds: BuildArgs,
    /// How far back is recent, for trends
    #[arg(long, value_name = "DAYS", default_value = "7d", value_parser = window,
        hide_short_help = true)]
    window: i64,
    /// Only crashes that match all of these: class=…,status=…,module=…,program=…,build=…,host=…,
    /// signature=…,since=…,until=…,severity>=…,count>=…,sure,surge,assignee=…
    #[arg(long = "where", value_name = "CONDITIONS")]
    conditions: Vec<String>,
    #[command(flatten)]
    pub(crate) period: Period,
    /// What crashes over time are counted by [default: by the period]
    #[arg(long, value_parser = one_of(STEPS), value_name = "STEP", hide_short_help = true)]
    per: Option<Per>,
}

impl Selection {
    /// The options that these arguments stand for.
    pub(crate) fn options(&self) -> Result<ViewOptions, Failure> {
        let base = self.period.base();
        let usage = |problem: FilterError| Failure::new(Exit::Usage, &problem);
        let mut filter = Filter::default();
        for conditions in &self.conditions {
            filter = filter.and(Filter::parse(conditions, base).map_err(usage)?);
        }
        Ok(self.period.of(ViewOptions {
            order: self.builds.order()?,
            exposure: self.builds.exposure()?,
            window: Some(self.window),
            filter,
            per: self.per,
            ..ViewOptions::default()
        }))
    }

    /// The store, for reading. What the exposures name that is not in it is said.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        let store = self.builds.open()?;
        self.builds.name_unknown(&store)?;
        Ok(store)
    }
}

/// Names of builds that one message has.
const NAMED: usize = 10;

/// Says what the exposures name that is no build.
pub(crate) fn say_unknown(builds: &Builds) {
    let unknown = &builds.unknown_exposures;
    if unknown.is_empty() {
        return;
    }
    let named: Vec<&str> = unknown.iter().take(NAMED).map(String::as_str).collect();
    let more = match unknown.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = named.join(", ");
    say(&format!("ignored exposures of builds without a dump in the store: {names}{more}"));
}

/// Seconds since 1970.
pub(crate) fn clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// A length of time, in seconds.
pub(crate) fn length(text: &str) -> Result<i64, String> {
    seconds_of(text).ok_or_else(|| "expected a length of time, such as 7d, 24h or 30min".to_owned())
}

fn window(text: &str) -> Result<i64, String> {
    let seconds = length(text)?;
    if seconds > 0 {
        Ok(seconds)
    } else {
        Err("a window must be longer than 0, such as 7d".to_owned())
    }
}

/// Bytes of a list that are read.
const LONGEST_LIST: u64 = 16 << 20;

/// The exposures of a file.
pub(crate) fn read_exposures(path: &Path) -> Result<Arc<Exposure>, String> {
    parsed(path, |text| Exposure::parse(text).map(Arc::new))
}

fn read<T, E: Display>(
    path: Option<&Path>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Failure> {
    let read = path.map(|path| parsed(path, parse)).transpose();
    read.map_err(|problem| Failure::new(Exit::Usage, &problem))
}

fn parsed<T, E: Display>(path: &Path, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, String> {
    let failed = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    let read = file.take(LONGEST_LIST + 1).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    if text.len() as u64 > LONGEST_LIST {
        return Err(failed(&"has more than 16 MiB"));
    }
    parse(&text).map_err(|error| failed(&error))
}
