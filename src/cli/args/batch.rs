//! How each core of a batch is read.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use obit::batch::Journal;

use super::content::{Locals, ReadLimits};
use super::redaction::Redaction;
use super::search::Search;
use crate::cli::failure::Failure;

/// Of the verbs that read many cores.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BatchArgs {
    /// The program of all these cores
    #[arg(short, long, value_name = "FILE")]
    pub(crate) exe: Option<PathBuf>,
    /// Follow links in directories, even those that lead out of the directories given
    #[arg(short = 'L', long, hide_short_help = true)]
    pub(crate) follow: bool,
    /// What the journal says of the cores that systemd-coredump stored: a file that
    /// `journalctl -o json` or `-o export` wrote
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) journal: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) search: Search,
    #[command(flatten)]
    pub(crate) limits: ReadLimits,
    #[command(flatten)]
    pub(crate) locals: Locals,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}

impl BatchArgs {
    /// What the journal says, if one was given.
    pub(crate) fn journal(&self) -> Result<Arc<Journal>, Failure> {
        let journal = self.journal.as_deref().map(Journal::open).transpose();
        let journal = journal.map_err(|error| Failure::usage(&format!("--journal: {error}")))?;
        Ok(Arc::new(journal.unwrap_or_default()))
    }
}
