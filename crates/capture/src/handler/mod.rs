//! What the kernel starts when a process crashes: the core is stored, with what the kernel
//! knows of the process.
//!
//! This runs as root while the kernel holds the process. It reads what the kernel writes and
//! files of `/proc` that the kernel generates, compresses, and writes to the spool. It does not
//! look into the core, and opens no file of the process.

mod arguments;
mod cgroup;
mod connection;
mod enter;
mod facts;
mod frames;
mod pidfd;
mod process;
mod receive;
mod record;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{Timespec, Timestamps, XattrFlags, fsetxattr, futimens};
use serde::{Deserialize, Serialize};

use crate::journal::{Priority, log};
use crate::spool::{Admission, Owner, Part, Quota, RateKeys, Rates, Spool, SpoolError};
use connection::Connection;
use process::Crashed;
use receive::{ReceiveLimits, receive};

pub use arguments::{Announced, ArgumentError, SPECIFIERS};
pub use connection::ConnectionError;
pub use enter::{Role, take_role};
pub use facts::ProcessFacts;
pub use pidfd::duplicate as inherited;
pub use receive::End;
pub use record::{CoreRecord, CrashRecord};

/// How it is known which process crashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// By the descriptor that the kernel gave: no other process can have its number.
    Pidfd,
    /// The process of that number is dumping a core now (`CoreDumping` of its status).
    Dumping,
    /// By its number only. The core is not given to the user of that process.
    #[default]
    Unverified,
}

/// What a capture may cost, and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How much the spool may take.
    pub quota: Quota,
    /// How many crashes are captured in a while.
    pub rates: Rates,
    /// Bytes of a core.
    pub core_bytes: u64,
    /// How long the kernel may take to write it.
    pub time: Duration,
    /// Whether `RLIMIT_CORE` of the process holds. Else it is as for pipes in general: ignored.
    pub honours_core_limit: bool,
}

/// By what a core comes.
#[derive(Debug)]
pub enum Source {
    /// By a pipe, from a kernel that wrote words on the command line.
    Pipe(OwnedFd, Announced),
    /// By a connection to the coredump socket.
    Socket(OwnedFd),
}

/// A crash that was captured.
#[derive(Debug)]
pub struct Captured {
    /// What is known of it.
    pub record: CrashRecord,
    /// The compressed core, open for reading.
    pub core: File,
    /// How long the kernel was writing.
    pub took: Duration,
    /// What else went wrong: the record could not be written, no older crash be removed.
    pub trouble: Option<SpoolError>,
    /// What holds the process. Drop it to let it go.
    pub held: Held,
}

/// Holds the process that crashed, if the kernel waits for handlers (`core_pipe_limit`).
#[derive(Debug)]
pub struct Held {
    /// The other end of the kernel's pipe or socket.
    _input: OwnedFd,
    /// Root directory and mount namespace of the process, if they are not those of the host.
    pub place: Option<Place>,
}

/// Where a process finds its files.
#[derive(Debug)]
pub struct Place {
    /// Its root directory: a handle by which nothing can be read.
    pub root: OwnedFd,
    /// Its mount namespace.
    pub mounts: OwnedFd,
}

/// What became of a crash.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is in the spool.
    Captured(Box<Captured>),
    /// There were too many crashes of the program or the user.
    TooMany {
        /// The process name.
        name: String,
        /// Crashes that are captured in a while.
        most: u32,
        /// Crashes in this while that were not.
        refused: u64,
    },
    /// The process wants no core (`RLIMIT_CORE` is 0).
    Unwanted {
        /// The process name.
        name: String,
    },
}

/// Why a crash was not captured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The kernel's end broke.
    #[error("cannot read the core from the kernel: {0}")]
    Receive(#[source] io::Error),
    /// The kernel wrote nothing.
    #[error("nothing came from the kernel")]
    Empty,
    /// There is not even room for a part of it.
    #[error(
        "no room for the core in {0}; free some space there, or set `spool`, `max-bytes` or \
         `keep-free-percent` in /etc/obit/capture.toml"
    )]
    NoRoom(std::path::PathBuf),
    /// It is not a connection of a crash.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The descriptor that the kernel named is not open.
    #[error("the pidfd {0} is not open: {1}")]
    Pidfd(i32, #[source] io::Error),
}

/// Captures a crash into `spool`. Whatever the outcome, the pipe is closed when it is dropped,
/// so that the kernel does not hold the process.
///
/// # Errors
/// If nothing could be stored.
pub fn handle(source: Source, spool: &Spool, settings: &Settings) -> Result<Outcome, HandleError> {
    let begun = Instant::now();
    let (input, announced, connection) = match source {
        Source::Pipe(input, announced) => (input, announced, None),
        Source::Socket(socket) => {
            let (connection, announced) = Connection::open(socket)?;
            (
                connection.socket.try_clone().map_err(HandleError::Receive)?,
                announced,
                Some(connection),
            )
        }
    };
    let given = announced
        .pidfd
        .map(|raw| pidfd::duplicate(raw).map_err(|error| HandleError::Pidfd(raw, error)));
    let given = given.transpose()?;
    let pidfd = connection.as_ref().map(|connection| &connection.pidfd).or(given.as_ref());
    // Gone if the kernel does not wait for handlers, and the core was shorter than the pipe.
    let process = Crashed::open(&announced, pidfd).ok();
    let facts = process.as_ref().map(ProcessFacts::of).unwrap_or_default();
    let name = facts.comm.clone().unwrap_or_else(|| "unknown".to_owned());
    let limit = match announced.limit {
        Some(u64::MAX) => None,
        Some(limit) => Some(limit),
        None => facts.core_limit,
    };
    let limit = limit.filter(|_| settings.honours_core_limit);
    let reject = || connection.as_ref().map_or(Ok(()), Connection::reject);
    if limit == Some(0) {
        reject()?;
        return Ok(Outcome::Unwanted { name });
    }
    let make_room = |incoming: u64| {
        // Who waits for the lock in vain stores the crash nevertheless.
        let made = spool.make_room(&settings.quota, incoming);
        made.or_else(|_| spool.room_of_empty(&settings.quota))
    };
    let admission = admit(spool, settings, &rate_keys(process.as_ref(), &facts), announced.time)?;
    if let Admission::TooMany { most, refused } = admission {
        reject()?;
        return Ok(Outcome::TooMany { name, most, refused });
    }
    if let Some(connection) = &connection {
        connection.accept()?;
    }
    make_room(0)?;
    let draft = spool.draft()?;
    let limits =
        ReceiveLimits { bytes: settings.core_bytes, of_process: limit, time: settings.time };
    // Older crashes go when this one needs their room, so many at a time that it is not often.
    let mut room = |written: u64| {
        let more = written.min(receive::STRIDE).saturating_add(frames::FRAME as u64);
        make_room(written.saturating_add(more)).map_or(written, |room| room.for_core(written))
    };
    let received = receive(input.as_fd(), &draft.file, &limits, &mut room);
    let received = received.map_err(HandleError::Receive)?;
    match (received.bytes, received.end) {
        (0, End::NoSpace) => return Err(HandleError::NoRoom(spool.path().to_owned())),
        (0, _) => return Err(HandleError::Empty),
        _ => {}
    }
    let owner = owner(&announced, process.as_ref(), &facts);
    // The core is complete: it is kept, whatever the room is.
    let no_room = spool.make_room(&settings.quota, received.packed_bytes).err();
    let record = CrashRecord {
        schema: CrashRecord::schema(),
        id: spool.new_id(&name, announced.time, announced.process)?,
        time: announced.time,
        process: announced.process,
        thread: announced.thread,
        signal: Some(announced.signal).filter(|signal| *signal != 0),
        host: announced.host.clone(),
        facts,
        core: CoreRecord {
            bytes: received.bytes,
            packed_bytes: received.packed_bytes,
            end: received.end,
            owner: owner.map(|owner| owner.user),
        },
    };
    set_attributes(&draft.file, &record);
    let core = spool.publish(draft, &record.id, Part::Core, owner)?;
    let trouble = write_record(spool, &record, owner).err().or(no_room);
    let place = process.filter(|_| record.facts.has_other_root).and_then(|process| {
        Some(Place { root: process.root().ok()?, mounts: process.mounts().ok()? })
    });
    let held = Held { _input: input, place };
    Ok(Outcome::Captured(Box::new(Captured { record, core, took: begun.elapsed(), trouble, held })))
}

/// Who gets the core: the user of the process, if it is known to be that process, it has one
/// user only, and the kernel would have given it the core itself.
fn owner(announced: &Announced, process: Option<&Crashed>, facts: &ProcessFacts) -> Option<Owner> {
    if !rustix::process::geteuid().is_root() || facts.identity == Identity::Unverified {
        return None;
    }
    let by_pidfd = process.and_then(Crashed::dumping).map(|dumping| dumping.is_of_user);
    let says = [announced.is_of_user(), by_pidfd];
    let is_of_user = says.contains(&Some(true)) && !says.contains(&Some(false));
    let (user, group) = facts.only_user().filter(|_| is_of_user)?;
    (user != 0).then_some(Owner { user, group })
}

/// Counts the crash. On a full disk the counts may need the room of older crashes; if they cannot
/// be written even so, the crash is captured.
fn admit(
    spool: &Spool,
    settings: &Settings,
    keys: &RateKeys,
    now: i64,
) -> Result<Admission, SpoolError> {
    let admit = || spool.admit(&settings.rates, keys, now);
    match admit() {
        Err(SpoolError::Write { .. }) => {}
        admission => return admission,
    }
    let _ = spool.make_room(&settings.quota, 0);
    match admit() {
        Err(error @ SpoolError::Write { .. }) => {
            log(Priority::Error, &format!("a crash was not counted: {error}"), &[]);
            Ok(Admission::Admitted)
        }
        admission => admission,
    }
}

/// What a crash is counted under.
fn rate_keys(process: Option<&Crashed>, facts: &ProcessFacts) -> RateKeys {
    let user = facts.users.map_or_else(|| "?".to_owned(), |[real, ..]| real.to_string());
    let program = match process.and_then(Crashed::program) {
        Some((device, inode)) => format!("{device:x}:{inode} of {user}"),
        None => format!("? of {user}"),
    };
    RateKeys { user, program }
}

fn write_record(
    spool: &Spool,
    record: &CrashRecord,
    owner: Option<Owner>,
) -> Result<(), SpoolError> {
    let mut draft = spool.draft()?;
    let written = serde_json::to_vec_pretty(record).map_err(io::Error::from).and_then(|text| {
        draft.file.write_all(&text)?;
        draft.file.write_all(b"\n")
    });
    written.map_err(|source| SpoolError::Write { path: spool.path().to_owned(), source })?;
    spool.publish(draft, &record.id, Part::Facts, owner).map(drop)
}

/// The attributes that systemd-coredump sets, which tools read, and the time of the crash as the
/// file's own, for those who may not read attributes. A file system may have none.
fn set_attributes(core: &File, record: &CrashRecord) {
    let time = Timespec { tv_sec: record.time, tv_nsec: 0 };
    let _ = futimens(core, &Timestamps { last_access: time, last_modification: time });
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let attributes = [
        ("timestamp", Some(record.time.saturating_mul(1_000_000).to_string())),
        ("pid", Some(record.process.to_string())),
        ("uid", number(record.facts.users.map(|[real, ..]| real))),
        ("gid", number(record.facts.groups.map(|[real, ..]| real))),
        ("signal", record.signal.map(|signal| signal.to_string())),
        ("hostname", record.host.clone()),
        ("comm", record.facts.comm.clone()),
        ("exe", record.facts.exe.clone()),
    ];
    for (name, value) in attributes {
        let Some(value) = value else { continue };
        let name = format!("user.coredump.{name}");
        let _ = fsetxattr(core, name, value.as_bytes(), XattrFlags::empty());
    }
}

#[cfg(test)]
mod tests;
