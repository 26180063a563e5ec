//! Groups of options that several verbs have; a verb flattens those that mean something to
//! it.

pub(crate) mod batch;
pub(crate) mod cache_directory;
pub(crate) mod choices;
pub(crate) mod content;
pub(crate) mod core_files;
pub(crate) mod delivery;
pub(crate) mod fail_on;
pub(crate) mod general;
pub(crate) mod page;
pub(crate) mod period;
pub(crate) mod quantities;
pub(crate) mod redaction;
pub(crate) mod search;
pub(crate) mod selectors;
pub(crate) mod store;
pub(crate) mod unlocking;

use std::path::PathBuf;

use clap::Args;
use obit::render::Format;

use super::formats;

/// How the result is written, and where.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// The format of the output [default: by the name of the output file, as crash.html; else
    /// human]
    #[arg(long, value_parser = formats::parser(|_| true), hide_short_help = true)]
    format: Option<&'static Format>,
    /// JSON for programs, the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    pub(crate) file: OutputFile,
}

impl Output {
    /// The format, however it was asked for.
    pub(crate) fn format(&self) -> &'static Format {
        let json = if self.json { Format::named("json") } else { None };
        let of_file = || formats::of_file(self.file.output.as_deref()?);
        json.or(self.format).or_else(of_file).unwrap_or(formats::TERMINAL)
    }
}

/// Where the result is written.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFile {
    /// Write to FILE instead of the standard output (-)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
