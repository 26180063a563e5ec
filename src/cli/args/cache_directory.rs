//! Where the cache of debug sections is.

use std::path::{Path, PathBuf};
use std::sync::Once;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use obit::debuginfo::{CacheProblem, SectionDirectory};

use crate::cli::directories;
use crate::cli::message::say;

/// What the cache may take on disk.
const CACHE_BYTES: u64 = 4 << 30;

/// The directory in it for the answers of `obit query`.
pub(crate) const ANSWERS: &str = "queries";

/// The variable that stands for the option.
pub(crate) const VARIABLE: &str = "OBIT_CACHE_DIR";

/// Of every verb that reads debug information, and of those of the cache itself.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CacheDirectory {
    /// Keep the cache of debug sections in this directory, which must be private [default: obit
    /// below XDG_CACHE_HOME or ~/.cache]
    #[arg(
        long,
        env = VARIABLE,
        hide_env_values = true,
        value_name = "DIR",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        hide_short_help = true
    )]
    cache_dir: Option<PathBuf>,
}

impl CacheDirectory {
    /// The cache, whether or not it can be used; `None` without a home directory.
    pub(crate) fn directory(&self) -> Option<SectionDirectory> {
        Some(SectionDirectory::new(cache_directory(self.cache_dir.as_deref())?, CACHE_BYTES))
    }

    /// The cache, if it can be used. Why not is reported, once, if the user named the directory;
    /// nothing but time depends on it.
    pub(crate) fn usable(&self) -> Option<SectionDirectory> {
        static REPORTED: Once = Once::new();
        let directory = self.directory()?;
        if named(self.cache_dir.as_deref()).is_some()
            && let Err(problem) = directory.make_ready()
        {
            REPORTED.call_once(|| say(&unusable(&problem)));
            return None;
        }
        Some(directory)
    }
}

fn unusable(problem: &CacheProblem) -> String {
    format!("--cache-dir: {problem}; nothing is cached")
}

/// That which `asked` names, else `obit` below the user's caches.
pub(crate) fn cache_directory(asked: Option<&Path>) -> Option<PathBuf> {
    named(asked).map(Path::to_owned).or_else(|| Some(directories::cache()?.join("obit")))
}

/// As with the variables of the XDG specification, an empty name is none.
fn named(asked: Option<&Path>) -> Option<&Path> {
    asked.filter(|path| !path.as_os_str().is_empty())
}
