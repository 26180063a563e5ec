//! Files that came with a core, for an analysis that is not confined.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use obit_corefile::dump::Companions;
use obit_corefile::elf::BuildId;
use obit_dwarf::locate::{Artifact, ChosenBy, Fetched, FileAccess, LocalFiles, Purpose};

/// Opens the files that came with a core, and all others as [`LocalFiles`] does.
#[derive(Debug)]
pub struct WithCompanions {
    companions: Arc<Companions>,
    others: LocalFiles,
}

impl WithCompanions {
    /// `companions` first, then `others`.
    pub fn new(companions: Arc<Companions>, others: LocalFiles) -> Self {
        Self { companions, others }
    }
}

impl FileAccess for WithCompanions {
    fn open(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> io::Result<File> {
        self.companions.open(path).unwrap_or_else(|| self.others.open(path, by, purpose))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.others.resolve(path)
    }

    fn download(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched {
        self.others.download(id, artifact)
    }
}
