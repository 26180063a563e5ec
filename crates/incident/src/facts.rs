//! What is known of one dump, as far as it may join it to others.

use serde::{Deserialize, Serialize};

/// What is known of one dump. Texts may be shown; keys are digests, and are compared only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The core file.
    pub core: String,
    /// The crash's name in reports.
    pub id: String,
    /// The process, as it knew itself.
    pub pid: Option<i64>,
    /// Its parent.
    pub parent: Option<Parent>,
    /// Its session.
    pub session: Option<i64>,
    /// In ticks since the machine started, where the kernel's word was recorded.
    pub started: Option<u64>,
    /// Its name.
    pub command: Option<String>,
    /// The namespace (its inode) in which `pid` and the number of the parent are valid, where it
    /// was recorded.
    pub numbers: Option<u64>,
    /// That of the process itself, in which the numbers of a sender and of a message are valid.
    pub own_numbers: Option<u64>,
    /// The machine, where a collector or the environment names it.
    pub host: Option<String>,
    /// Which run of which machine (`boot_id`), as a key.
    pub boot: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// When it crashed.
    pub time: Option<Moment>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// The process that sent that signal.
    pub sender: Option<i64>,
    /// What kind of failure it was.
    pub failure: Failure,
    /// The class of the cause.
    pub class: Option<String>,
    /// Why it crashed, in a line.
    pub title: Option<String>,
    /// What the program itself reported.
    pub message: Option<String>,
    /// What says that it lost a connection.
    pub losses: Vec<String>,
    /// Numbers of processes that its message names.
    pub named_processes: Vec<i64>,
    /// What the kernel recorded of its sockets, pipes and shared memory; none if nothing did.
    pub network: Option<Network>,
    /// Addresses in its memory.
    pub addresses: Vec<Address>,
    /// Whether it can be a server or a client.
    pub roles: Roles,
    /// Ids of requests and messages in its memory.
    pub ids: Vec<Id>,
    /// Memory that it shares by a name.
    pub shared: Vec<SharedMemory>,
    /// Sixteen random bytes that the kernel gave the program when it started (`AT_RANDOM`), as a
    /// key: a process that was forked has those of its parent.
    pub random: Option<String>,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

/// The parent of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its process id.
    pub pid: i64,
    /// When it started, in ticks since the machine started.
    pub started: Option<u64>,
}

/// When a process crashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since 1970.
    pub nanoseconds: i64,
    /// How far it may be wrong.
    pub precision: i64,
    /// Only the time of a file, which a copy changes.
    pub is_of_file: bool,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The program did what it may not do.
    Fault,
    /// The program ended itself: an assertion, an exception, `abort()`.
    Deliberate,
    /// Another process ended it.
    Sent,
    /// Nothing failed: it was stopped for the core.
    Snapshot,
    /// It is not known.
    #[default]
    Unknown,
}

/// What the kernel knew about the process when it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The network namespace.
    pub namespace: u64,
    /// Its sockets.
    pub sockets: Vec<Socket>,
    /// Its pipes.
    pub pipes: Vec<PipeEnd>,
}

/// A socket of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Socket {
    /// Its descriptor.
    pub descriptor: i64,
    /// Its inode.
    pub inode: u64,
    /// The inode of the other end, if that is on the same machine.
    pub peer_inode: Option<u64>,
    /// `tcp`, `unix`, or nothing if it is not known.
    pub family: String,
    /// It waits for connections.
    pub is_listening: bool,
    /// Its own address, as a key and as it may be shown.
    pub local: Option<Address>,
    /// That of the other end.
    pub peer: Option<Address>,
}

/// An end of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeEnd {
    /// Its descriptor.
    pub descriptor: i64,
    /// The pipe.
    pub inode: u64,
    /// The end for writing.
    pub writes: bool,
}

/// An address of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The address with its port, or the name of a Unix socket.
    pub key: String,
    /// As it may be shown.
    pub shown: String,
    /// The port; none for a Unix socket.
    pub port: Option<u16>,
    /// All addresses of the machine.
    pub is_any: bool,
    /// Of this machine or container alone: loopback, or a Unix socket.
    pub is_local: bool,
    /// The file of the program that it is compiled into, as a key.
    pub build: Option<String>,
}

/// What the program can do with connections, by the functions that it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Roles {
    /// Takes connections.
    pub accepts: bool,
    /// Makes connections.
    pub connects: bool,
}

/// An id that stands for one request or message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Id {
    /// What it is: `trace id`, `message id`, …
    pub what: String,
    /// The id.
    pub key: String,
    /// As it may be shown.
    pub shown: String,
    /// Its place in the data of a program whose file was not available, as a key: it may be compiled
    /// in, and then each process of that build has it there.
    pub place: Option<String>,
}

/// Memory that processes share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SharedMemory {
    /// Its name.
    pub key: String,
    /// As it may be shown.
    pub shown: String,
    /// Device and inode, where the kernel's word was recorded.
    pub object: Option<(u64, u64)>,
    /// The process may write to it; not known from a core alone.
    pub is_writable: Option<bool>,
    /// Processes that have nothing to do with each other use the same name.
    pub is_common: bool,
}

impl Facts {
    /// What it is called in sentences: `shopd (pid 4711)`.
    pub fn name(&self) -> String {
        let command = self.command.as_deref().unwrap_or("a process");
        match self.pid {
            Some(pid) => format!("{command} (pid {pid})"),
            None => command.to_owned(),
        }
    }

    /// How it failed, in a few words: `SIGSEGV: NULL pointer read`.
    pub fn how(&self) -> String {
        let parts = [self.signal.as_deref(), self.title.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        match parts.is_empty() {
            true => "in an unknown way".to_owned(),
            false => parts.join(": "),
        }
    }
}
