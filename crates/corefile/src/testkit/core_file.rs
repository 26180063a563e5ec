//! A core on disk, for as long as a test lasts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in the directory for temporary files, removed when dropped.
#[derive(Debug)]
pub struct CoreFile {
    path: PathBuf,
}

impl CoreFile {
    /// Writes `bytes` to a new file.
    pub fn new(bytes: &[u8]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("obit-testkit-{}-{number}.core", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("the directory for temporary files is writable");
        Self { path }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CoreFile {
    fn drop(&mut self) {
        // Left behind, it is the system's to clear away.
        drop(std::fs::remove_file(&self.path));
    }
}
