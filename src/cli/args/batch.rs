//! How each core of a batch is read.

use std::path::PathBuf;

use clap::Args;

use super::content::{Locals, ReadLimits};
use super::redaction::Redaction;
use super::search::Search;

/// Of the verbs that read many cores.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BatchArgs {
    /// The program of all these cores
    #[arg(short, long, value_name = "FILE")]
    pub(crate) exe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) search: Search,
    #[command(flatten)]
    pub(crate) limits: ReadLimits,
    #[command(flatten)]
    pub(crate) locals: Locals,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}
