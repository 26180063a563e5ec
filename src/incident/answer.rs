//! What a worker says of one core.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::batch::{Answer, Code, failed};
use crate::query::Reply;
use crate::report::BuildOptions;
use obit_incident::Facts;

/// The facts of one core, or why there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoreFacts {
    /// What is known of it.
    pub facts: Facts,
    /// Why it could not be read: a word and a sentence.
    pub failure: Option<(String, String)>,
}

impl CoreFacts {
    /// The message of a worker.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn to_message(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

impl Answer for CoreFacts {
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
        let core = record.core.path.as_str().to_owned();
        let failure = record.reason.map(|reason| (reason.code, reason.text.into_string()));
        Ok(Self { facts: Facts { core, ..Facts::default() }, failure })
    }
}

impl Reply for CoreFacts {
    fn failure(&self) -> Option<(&str, &str)> {
        let (code, text) = self.failure.as_ref()?;
        Some((code, text))
    }
}
