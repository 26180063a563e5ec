//! A part of the list of groups.

use serde::{Deserialize, Serialize};

use super::summary::Overview;

/// Some groups of the list, and what the whole list counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupPage {
    /// The list, with the groups of this page alone.
    pub overview: Overview,
    /// Dumps of each class, the most frequent first; the first of them if there are many.
    pub classes: Vec<Counted>,
    /// The same of builds: the program and its version, or the start of its build ID.
    pub builds: Vec<Counted>,
}

/// How many dumps something has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// What it is called.
    pub name: String,
    /// Its dumps.
    pub dumps: u64,
}
