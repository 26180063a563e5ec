//! What is in a spool, and what has to go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstatvfs, openat, statat, unlinkat,
};
use rustix::io::Errno;

use super::draft::{self, PART};
use super::{Quota, RoomLeft};

/// Bytes of a block in `st_blocks`, on all file systems (stat(3type)).
const BLOCK: u64 = 512;
/// Bytes of a process name (`TASK_COMM_LEN` without its end).
const LONGEST_COMM: usize = 15;

/// Bytes for which there should be room before a core comes: most are smaller, compressed.
const ORDINARY: u64 = 64 << 20;

/// Bytes that stay free for others at most: a share of a large disk is more than they need.
const LARGEST_RESERVE: u64 = 4 << 30;

/// A file of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The compressed core.
    Core,
    /// What the kernel said about the process.
    Facts,
    /// The report on the core.
    Report,
}

impl Part {
    /// All of them. The longest ending of a name comes first.
    pub const ALL: [Self; 3] = [Self::Report, Self::Core, Self::Facts];

    /// The end of its file's name.
    fn ending(self) -> &'static str {
        match self {
            Self::Core => ".core.zst",
            Self::Facts => ".json",
            Self::Report => ".report.json",
        }
    }

    /// The name of the file for a crash.
    pub fn name_of(self, id: &str) -> String {
        format!("{id}{}", self.ending())
    }
}

/// A crash in a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `comm-time-pid`.
    pub id: String,
    /// Seconds since 1970 of the last change of one of its files.
    pub changed: i64,
    /// Nanoseconds of that second.
    changed_nanos: i64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Its files.
    pub parts: Vec<Part>,
}

impl Entry {
    fn age_key(&self) -> (i64, i64, &str) {
        (self.changed, self.changed_nanos, &self.id)
    }
}

/// A process name as a part of a file name: letters, digits, `_`, `.` and `+`.
pub(super) fn safe_name(comm: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+');
    let name = comm.chars().take(LONGEST_COMM).map(|c| if is_safe(c) { c } else { '_' });
    let name: String = name.collect();
    match name.starts_with('.') || name.is_empty() {
        true => format!("_{name}"),
        false => name,
    }
}

pub(super) fn list(directory: &File) -> io::Result<Vec<Entry>> {
    let mut found: BTreeMap<String, Entry> = BTreeMap::new();
    for name in names(directory)? {
        let Some((id, part)) = split(&name) else { continue };
        let Ok(stat) = statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            continue;
        }
        let entry = found.entry(id.to_owned()).or_insert_with(|| Entry {
            id: id.to_owned(),
            changed: 0,
            changed_nanos: 0,
            bytes: 0,
            parts: Vec::new(),
        });
        let blocks = u64::try_from(stat.st_blocks).unwrap_or(u64::MAX);
        entry.bytes = entry.bytes.saturating_add(blocks.saturating_mul(BLOCK));
        let nanos = i64::try_from(stat.st_ctime_nsec).unwrap_or(0);
        (entry.changed, entry.changed_nanos) =
            (entry.changed, entry.changed_nanos).max((stat.st_ctime, nanos));
        entry.parts.push(part);
    }
    let mut entries: Vec<_> = found.into_values().collect();
    entries.sort_by(|a, b| a.age_key().cmp(&b.age_key()));
    Ok(entries)
}

/// Removes what killed captures left, then the oldest crashes until another one of `incoming`
/// bytes holds the quota, and there is room for a core of ordinary size. What cannot be removed
/// stays and counts.
pub(super) fn make_room(directory: &File, quota: &Quota, incoming: u64) -> io::Result<RoomLeft> {
    remove_abandoned(directory)?;
    let Share { most, keep_free, mut free } = share(directory, quota)?;
    let entries = list(directory)?;
    let mut used = entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.bytes));
    let mut count = entries.len();
    let headroom = keep_free.saturating_add(ORDINARY.min(most / 4));
    for entry in &entries {
        let holds = used.saturating_add(incoming) <= most && count < quota.crashes;
        if holds && free >= headroom {
            break;
        }
        if remove_entry(directory, entry) {
            count = count.saturating_sub(1);
            used = used.saturating_sub(entry.bytes);
            free = free.saturating_add(entry.bytes);
        }
    }
    // Some file systems free what was removed a moment later.
    Ok(RoomLeft { left: most.saturating_sub(used), free: free.saturating_sub(keep_free) })
}

/// Removes the files of a crash; whether none is left. Their owner may have removed some.
fn remove_entry(directory: &File, entry: &Entry) -> bool {
    let remove = |part: &Part| unlinkat(directory, part.name_of(&entry.id), AtFlags::empty());
    let is_left = |part: &Part| !matches!(remove(part), Ok(()) | Err(Errno::NOENT));
    entry.parts.iter().filter(|part| is_left(part)).count() == 0
}

/// What the spool may take of its file system.
struct Share {
    /// Bytes that all crashes may take.
    most: u64,
    /// Bytes that must stay free.
    keep_free: u64,
    /// Bytes that are free now.
    free: u64,
}

fn share(directory: &File, quota: &Quota) -> io::Result<Share> {
    let (size, free) = file_system(directory)?;
    let percent = |percent: u8| size / 100 * u64::from(percent);
    let most = quota.bytes.min(percent(quota.percent));
    Ok(Share { most, keep_free: percent(quota.free_percent).min(LARGEST_RESERVE), free })
}

/// The room that a core would have in an empty spool on this file system.
pub(super) fn room_of_empty(directory: &File, quota: &Quota) -> io::Result<RoomLeft> {
    let Share { most, keep_free, free } = share(directory, quota)?;
    Ok(RoomLeft { left: most, free: free.saturating_sub(keep_free) })
}

pub(super) fn file_system(directory: &File) -> io::Result<(u64, u64)> {
    let stat = fstatvfs(directory)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok((bytes(stat.f_blocks), bytes(stat.f_bavail)))
}

/// Named files in the making whose process is gone.
fn remove_abandoned(directory: &File) -> io::Result<()> {
    let is_draft = |name: &String| name.starts_with('.') && name.ends_with(PART);
    for name in names(directory)?.into_iter().filter(is_draft) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = openat(directory, &*name, flags, Mode::empty()) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            draft::remove(directory, &name);
        }
    }
    Ok(())
}

fn names(directory: &File) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        if let Ok(name) = entry?.file_name().to_str() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The crash and the kind of a file; `None` for files that are not the spool's.
fn split(name: &str) -> Option<(&str, Part)> {
    let of = |part: Part| Some((name.strip_suffix(part.ending())?, part));
    let (id, part) = Part::ALL.into_iter().find_map(of)?;
    let is_id = !id.is_empty() && !id.starts_with('.');
    // The last words are numbers: a file that someone else put there is not removed.
    let mut words = id.rsplit('-').filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    (is_id && words.nth(1).is_some()).then_some((id, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_spool_nor_hide() {
        for (comm, name) in [
            ("worker", "worker"),
            ("../../etc/x", "_.._.._etc_x"),
            ("a/b c\n", "a_b_c_"),
            ("kworker/0:1", "kworker_0_1"),
            ("", "_"),
            ("\u{e9}\u{202e}", "__"),
        ] {
            assert_eq!(safe_name(comm), name);
        }
        assert!(safe_name(&"x".repeat(80)).len() <= LONGEST_COMM);
    }

    #[test]
    fn only_files_of_crashes_are_the_spools() {
        assert_eq!(split("a-b-1767225600-7.core.zst"), Some(("a-b-1767225600-7", Part::Core)));
        assert_eq!(split("a-1-7.report.json"), Some(("a-1-7", Part::Report)));
        assert_eq!(split("a-1-7-2.json"), Some(("a-1-7-2", Part::Facts)));
        for other in ["notes.json", "README", ".rates.json", "core.zst", ".x-1-2.core.zst"] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}
