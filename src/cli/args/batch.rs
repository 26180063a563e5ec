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
    /// Follow links in directories, even those that lead out of the directories given
    #[arg(short = 'L', long, hide_short_help = true)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) search: Search,
    #[command(flatten)]
    pub(crate) limits: ReadLimits,
    #[command(flatten)]
    pub(crate) locals: Locals,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}
