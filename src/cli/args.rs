//! Groups of options that several verbs have; a verb flattens those that mean something to
//! it.

pub(crate) mod batch;
pub(crate) mod choices;
pub(crate) mod content;
pub(crate) mod core_files;
pub(crate) mod fail_on;
pub(crate) mod general;
pub(crate) mod page;
pub(crate) mod quantities;
pub(crate) mod redaction;
pub(crate) mod search;
pub(crate) mod store;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the result is written, and where.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// The format of the output
    #[arg(long, value_enum, default_value_t, hide_short_help = true)]
    format: Format,
    /// JSON for programs, the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    pub(crate) file: OutputFile,
}

impl Output {
    /// The format, however it was asked for.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A page for a person
    #[default]
    Human,
    /// One line of JSON (see `obit schema`); of many records, an array
    Json,
    /// The same: JSON with one document a line
    Ndjson,
    /// One self-contained page for a browser (see docs/html.md)
    Html,
    /// One line of text, for a chat or a log
    Brief,
    /// Markdown, for a ticket
    #[value(alias = "md")]
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// A JUnit report with a failed test
    Junit,
    /// An event for Sentry
    Sentry,
    /// `::error` commands for GitHub Actions
    Github,
    /// A code quality report for GitLab
    Gitlab,
    /// A table for spreadsheets: of groups alone
    Csv,
}
