//! What an incident is, as a document. All of it may be shown.

use serde::{Deserialize, Serialize};

use crate::Failure;

/// The version of the document.
pub const SCHEMA: &str = "obit.incident/1";

/// The incidents among the dumps that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Incidents {
    /// `obit.incident/1`.
    pub schema: String,
    /// Seconds that two dumps may be apart.
    pub window: u64,
    /// Dumps that were read.
    pub dumps: u64,
    /// The incidents, the earliest first.
    pub incidents: Vec<Incident>,
    /// Dumps that nothing joins to another.
    pub alone: Vec<Alone>,
    /// Files that could not be read.
    pub failures: Vec<Alone>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Dumps that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Incident {
    /// The process that failed first; none if that cannot be said.
    pub first: Option<First>,
    /// Why it cannot be said.
    pub undecided: Option<String>,
    /// The processes, in the order in which they failed as far as it is known.
    pub processes: Vec<Member>,
    /// What joins them.
    pub links: Vec<Link>,
    /// What would show more next time.
    pub next: Vec<String>,
}

/// The process that failed first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct First {
    /// Its place in `processes`.
    pub process: usize,
    /// How sure that is.
    pub strength: Strength,
    /// Why.
    pub reason: String,
}

/// A process of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Member {
    /// The core file.
    pub core: String,
    /// The crash's name in reports.
    pub id: String,
    /// The process id.
    pub pid: Option<i64>,
    /// Its name.
    pub command: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// When it crashed: nanoseconds since 1970.
    pub time: Option<i64>,
    /// Nanoseconds by which the time may be wrong.
    pub time_precision: Option<i64>,
    /// The time is that of a file, which a copy changes.
    pub time_is_of_file: bool,
    /// The signal.
    pub signal: Option<String>,
    /// The class of the cause.
    pub class: Option<String>,
    /// Why it crashed.
    pub title: Option<String>,
    /// What the program said.
    pub message: Option<String>,
    /// What kind of failure it was.
    pub failure: Failure,
    /// The process of `processes` whose failure this one follows from.
    pub follows: Option<usize>,
    /// How sure that is.
    pub follows_strength: Option<Strength>,
    /// Why.
    pub follows_reason: Option<String>,
}

/// What joins two processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Link {
    /// Their places in `processes`.
    pub between: (usize, usize),
    /// How sure it is that they had to do with each other.
    pub strength: Strength,
    /// What says so, the strongest first.
    pub evidence: Vec<Evidence>,
}

/// One thing that two processes share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// In words.
    pub text: String,
    /// How sure it is.
    pub strength: Strength,
}

/// What two processes share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A connection, or an address of one.
    #[default]
    Socket,
    /// A pipe.
    Pipe,
    /// Memory.
    SharedMemory,
    /// One started the other.
    Parent,
    /// One sent the other its signal.
    Signal,
    /// An id of a request or a message.
    Id,
}

impl EvidenceKind {
    /// As documents have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::SharedMemory => "shared memory",
            Self::Parent => "parent",
            Self::Signal => "signal",
            Self::Id => "id",
        }
    }
}

/// How sure something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// It fits, and so would others. It joins nothing.
    #[default]
    Guess,
    /// Another explanation would be strange.
    Likely,
    /// There is no other explanation.
    Proved,
}

impl Strength {
    /// As documents have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Proved => "proved",
        }
    }
}

/// A file that is in no incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Alone {
    /// The core file.
    pub core: String,
    /// The process, or why it could not be read.
    pub text: String,
}
