//! What debuginfod servers hold: debug files and executables by build ID
//! (debuginfod(8), "Webapi").

mod settings;

use std::path::PathBuf;

use crate::elf::BuildId;
use crate::limits::Limits;
use crate::notice::Notice;

pub use settings::Debuginfod;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Artifact {
    /// The separate debug file, or the image if it was never stripped.
    DebugInfo,
    /// The image.
    Executable,
}

/// The outcome of one question.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The file in the cache.
    pub(super) path: Option<PathBuf>,
    pub(super) notices: Vec<Notice>,
}

/// Asks servers, within a budget for the whole run.
#[derive(Debug)]
pub(super) struct Client {}

impl Client {
    pub(super) fn new(_settings: Debuginfod, _limits: Limits) -> Self {
        Self {}
    }

    pub(super) fn fetch(&self, _id: &BuildId, _artifact: Artifact) -> Fetched {
        Fetched::default()
    }
}
