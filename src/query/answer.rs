//! What is known of one core after a question.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::facts::CoreFacts;
use super::used_files::UsedFile;
use crate::batch::{Answer, Code, failed};
use crate::report::BuildOptions;
use obit_query::Cell;
use obit_report::FrameTrust;
use obit_triage::Reason;

/// What a worker says of one core. All of it may be shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoreAnswer {
    /// The core and its process.
    pub core: CoreFacts,
    /// Why it could not be read.
    pub failure: Option<Reason>,
    /// The frames that are at the place.
    pub frames: Vec<FrameAnswer>,
    /// Frames at the place that were left out: there are too many.
    pub left_out: u64,
    /// Frames of deep stacks that were not looked at.
    pub unseen: u64,
    /// Functions of the stacks, where no frame is at the place.
    pub functions: Vec<String>,
    /// Another time there may be more: files were missing, or a server failed.
    pub is_partial: bool,
    /// The files beside the core that it was made with.
    pub files: Vec<UsedFile>,
}

/// The values in one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameAnswer {
    /// The thread's id.
    pub thread: i64,
    /// The frame's number in reports.
    pub frame: u64,
    /// Its function.
    pub function: Option<String>,
    /// Its source file.
    pub file: Option<String>,
    /// The line that it executes, or that of its call.
    pub line: Option<u32>,
    /// How it was found.
    pub trust: FrameTrust,
    /// A value for each expression.
    pub cells: Vec<Cell>,
}

impl CoreAnswer {
    /// The message of a worker.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn to_message(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

impl Answer for CoreAnswer {
    fn of_message(message: &[u8]) -> io::Result<Self> {
        Ok(serde_json::from_slice(message)?)
    }

    fn failed(
        path: &Path,
        file: Option<&File>,
        build: &BuildOptions,
        code: Code,
        why: &str,
    ) -> io::Result<Self> {
        let record = failed(path, file, build, code, why);
        let core = CoreFacts { path: record.core.path, ..CoreFacts::default() };
        Ok(Self { core, failure: record.reason, ..Self::default() })
    }
}
