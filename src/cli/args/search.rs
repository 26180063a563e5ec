//! Where the files of the crashed process are looked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use obit::sandbox::Mode;

use super::cache_directory::CacheDirectory;
use super::quantities::bytes;
use super::unlocking::Unlocking;

/// Of every verb that opens a core.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where to find files")]
pub(crate) struct Search {
    /// Look for the files of the process below this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) sysroot: Option<PathBuf>,
    /// Look for shared objects in these directories, too
    #[arg(long, value_name = "A:B", value_delimiter = ':', hide_short_help = true)]
    pub(crate) solib_search_path: Vec<PathBuf>,
    /// Look for debug files in these directories instead of /usr/lib/debug
    #[arg(
        long,
        alias = "debuginfo-path",
        value_name = "A:B",
        value_delimiter = ':',
        hide_short_help = true
    )]
    pub(crate) debug_file_directory: Vec<PathBuf>,
    /// Read paths that start with FROM as if they started with TO (repeatable)
    #[arg(long, value_name = "FROM=TO", value_parser = substitution, hide_short_help = true)]
    pub(crate) substitute_path: Vec<(PathBuf, PathBuf)>,
    /// Read how to show your own types from this file (repeatable; see docs/formatters.md)
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) formatters: Vec<PathBuf>,
    /// Look for source files in these directories, too: by their path or the end of it
    #[arg(long, value_name = "A:B", value_delimiter = ':', hide_short_help = true)]
    pub(crate) source_path: Vec<PathBuf>,
    /// Names of JIT-compiled code, in the format of perf's maps or jitdump (default:
    /// perf-PID.map and jit-PID.dump beside the core)
    #[arg(long, value_name = "FILE", value_parser = readable, hide_short_help = true)]
    pub(crate) jit_map: Option<PathBuf>,
    /// Fetch missing files from debuginfod servers: DEBUGINFOD_URLS, or these
    #[arg(
        long,
        value_name = "URLS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
    )]
    pub(crate) debuginfod: Option<String>,
    /// Fetch nothing, even if DEBUGINFOD_URLS is set
    #[arg(long, hide_short_help = true)]
    pub(crate) offline: bool,
    /// Keep at most this much of an unpacked core on disk: 8G [default: 64G; never more than half
    /// of the free space in TMPDIR]
    #[arg(long, value_name = "SIZE", value_parser = bytes, hide_short_help = true)]
    pub(crate) max_spill: Option<u64>,
    #[command(flatten)]
    pub(crate) unlocking: Unlocking,
    #[command(flatten)]
    pub(crate) cache: CacheDirectory,
    /// Neither read nor write the cache of debug sections
    #[arg(long, hide_short_help = true)]
    pub(crate) no_cache: bool,
    /// Read the core in a process that can open no file, run nothing and reach no network;
    /// `require` refuses to go on where the kernel cannot give all of that (`obit doctor`)
    #[arg(
        long,
        env = "OBIT_SANDBOX",
        value_enum,
        default_value_t,
        value_name = "MODE",
        hide_short_help = true
    )]
    pub(crate) sandbox: SandboxChoice,
}

/// Whether the core is read in a confined process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SandboxChoice {
    /// As far as the kernel can
    #[default]
    On,
    /// In this process
    Off,
    /// Completely, or not at all
    Require,
}

impl From<SandboxChoice> for Mode {
    fn from(choice: SandboxChoice) -> Self {
        match choice {
            SandboxChoice::On => Self::On,
            SandboxChoice::Off => Self::Off,
            SandboxChoice::Require => Self::Require,
        }
    }
}

fn substitution(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.into(), to.into())),
        _ => Err("expected FROM=TO, as in --substitute-path /build=/home/me/src".to_owned()),
    }
}

fn readable(text: &str) -> Result<PathBuf, String> {
    match std::fs::metadata(text) {
        Ok(found) if found.is_file() => Ok(text.into()),
        Ok(_) => Err("it is not a regular file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        search: Search,
        core: Option<PathBuf>,
    }

    #[test]
    fn debuginfod_takes_no_file_for_its_servers() {
        let only = Only::try_parse_from(["obit", "--debuginfod", "core"]).unwrap();
        assert_eq!(only.search.debuginfod.as_deref(), Some(""));
        assert_eq!(only.core, Some("core".into()));
    }

    #[test]
    fn lists_are_split_at_colons() {
        let line = ["obit", "--debuginfo-path", "/a:/b", "--substitute-path", "/x=/y=z"];
        let search = Only::try_parse_from(line).unwrap().search;
        assert_eq!(search.debug_file_directory, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(search.substitute_path, [(PathBuf::from("/x"), PathBuf::from("/y=z"))]);
    }
}
