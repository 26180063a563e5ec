//! What workers say of a core: whatever the batch is for.

use std::fs::File;
use std::io;
use std::path::Path;

use super::analyze::failed;
use super::code::Code;
use crate::report::BuildOptions;
use obit_triage::PackedRecord;

/// What a worker says of one core.
pub trait Answer: Send + Sized + 'static {
    /// Reads the message of a worker.
    ///
    /// # Errors
    /// It is none.
    fn of_message(message: &[u8]) -> io::Result<Self>;

    /// The answer for a core that no worker answered; why, in a sentence.
    ///
    /// # Errors
    /// It cannot be put together.
    fn failed(
        path: &Path,
        file: Option<&File>,
        build: &BuildOptions,
        code: Code,
        why: &str,
    ) -> io::Result<Self>;
}

impl Answer for PackedRecord {
    fn of_message(message: &[u8]) -> io::Result<Self> {
        Self::of_message(message)
    }

    fn failed(
        path: &Path,
        file: Option<&File>,
        build: &BuildOptions,
        code: Code,
        why: &str,
    ) -> io::Result<Self> {
        Self::of(&failed(path, file, build, code, why))
    }
}
