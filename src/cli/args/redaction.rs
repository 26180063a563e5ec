//! What is hidden of a report on a core.

use std::path::PathBuf;

use clap::Args;
use obit::redact::Level;

use super::choices::{LEVELS, one_of};

/// Of every verb that reports what a process held.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to hide")]
pub(crate) struct Redaction {
    /// How much of the process's data to hide
    #[arg(
        long = "redact",
        value_parser = one_of(LEVELS),
        default_value = "default",
        value_name = "LEVEL",
        hide_short_help = true
    )]
    pub(crate) level: Level,
    /// Read the key of the tokens that replace hidden text from this file, so that equal
    /// values get equal tokens in all reports made with it
    #[arg(long = "redact-key", value_name = "FILE", hide_short_help = true)]
    pub(crate) key: Option<PathBuf>,
    /// Read what to hide and what to show from this file, too (repeatable; see
    /// docs/redaction.md)
    #[arg(long = "redact-rules", value_name = "FILE", hide_short_help = true)]
    pub(crate) rules: Vec<PathBuf>,
    /// Also use those rules of the project's .obit/redact.toml that show what would be hidden
    #[arg(long, hide_short_help = true)]
    pub(crate) trust_project_rules: bool,
}
