//! What is answered about many crashes.

use obit_redact::Shown;
use serde::{Deserialize, Serialize};

use crate::answer::{Next, document};

document! {
    /// Crash groups of a directory or a store.
    TriageAnswer {
        /// Dumps that were grouped.
        dumps: u64,
        /// Dumps that could not be read.
        failed: u64,
        /// The groups, the most urgent first.
        groups: Vec<GroupLine>,
        /// How many there are in all.
        total: u64,
        /// Groups whose status is `new`.
        new: u64,
        /// Groups whose status is `regressed`.
        regressed: u64,
        /// Where the next ones begin.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
        /// What to ask next.
        next: Vec<Next>,
    }
}

document! {
    /// A crash group in a line.
    GroupLine {
        /// Its id.
        group: String,
        /// Its status in the order of releases: `new`, `regressed`, `persistent`, …
        status: String,
        /// Why it has this status.
        reason: Shown,
        /// Its dumps.
        count: u64,
        /// The class of the cause.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Cause and place in a line.
        #[serde(skip_serializing_if = "Option::is_none")]
        headline: Option<Shown>,
        /// What its crashes have in common.
        signature: Shown,
    }
}

document! {
    /// A crash group.
    GroupAnswer {
        /// In a line.
        group: GroupLine,
        /// How it came about, of a crash of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        explanation: Option<Shown>,
        /// What the program said.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Shown>,
        /// The stack of a crash of it.
        stack: Vec<Shown>,
        /// What its dumps share and others lack.
        traits: Vec<Shown>,
        /// When and in which builds it was seen, and the state and notes that the user set: the oldest first.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        history: Vec<Shown>,
        /// The newest dumps.
        dumps: Vec<GroupDump>,
        /// What to ask next.
        next: Vec<Next>,
    }
}

document! {
    /// A dump of a group.
    GroupDump {
        /// The crash's id.
        crash: String,
        /// Its file.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<Shown>,
        /// The build.
        #[serde(skip_serializing_if = "Option::is_none")]
        release: Option<Shown>,
        /// The machine.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<Shown>,
    }
}
