//! What the kernel knows of a process that crashed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::process::Crashed;
use super::{Identity, cgroup};

/// Kinds of namespaces in `/proc/PID/ns` by which a container and the host differ.
const NAMESPACES: [&str; 6] = ["cgroup", "mnt", "net", "pid", "user", "uts"];

/// What the kernel knows of a process, read from `/proc` while the kernel holds it. Texts are as
/// the process set them: who prints them redacts and escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// How it is known that this is the process which crashed.
    pub identity: Identity,
    /// Its name, at most 15 bytes (`comm`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comm: Option<String>,
    /// The program file, in the namespace of the process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exe: Option<String>,
    /// The command line, as the process has it in memory now.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub command_line: Vec<String>,
    /// Real, effective, saved and file system user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub users: Option<[u32; 4]>,
    /// The same of the group.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<[u32; 4]>,
    /// Its numbers, outermost pid namespace first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pids: Vec<i32>,
    /// The path of its control group.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cgroup: Option<String>,
    /// The unit of systemd.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit: Option<String>,
    /// The id of the container.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// Its namespaces: `mnt` to `mnt:[4026531841]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub namespaces: BTreeMap<String, String>,
    /// Those of them that are not the host's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_namespaces: Vec<String>,
    /// Whether its files are not those of the host: a container, or chroot(2).
    pub has_other_root: bool,
    /// `RLIMIT_CORE` in bytes; `None` is unlimited or unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub core_limit: Option<u64>,
}

impl ProcessFacts {
    /// Reads them.
    pub(crate) fn of(process: &Crashed) -> Self {
        let status = process.text("status").unwrap_or_default();
        let cgroups = process.text("cgroup").unwrap_or_default();
        let cgroup = cgroup::path_in(&cgroups);
        let namespaces: BTreeMap<_, _> = NAMESPACES
            .iter()
            .filter_map(|kind| {
                let link = process.link(&format!("ns/{kind}"))?;
                Some(((*kind).to_owned(), link.to_string_lossy().into_owned()))
            })
            .collect();
        let others = namespaces.keys().filter(|kind| !process.is_in_namespace_of_host(kind));
        Self {
            identity: process.identity(),
            comm: process.text("comm").map(|text| text.trim_end_matches('\n').to_owned()),
            exe: program(process),
            command_line: command_line(&process.bytes("cmdline").unwrap_or_default()),
            users: ids(&status, "Uid:"),
            groups: ids(&status, "Gid:"),
            pids: numbers(&status, "NSpid:"),
            cgroup: cgroup.map(str::to_owned),
            unit: cgroup.and_then(cgroup::unit_in).map(str::to_owned),
            container: cgroup.and_then(cgroup::container_in).map(str::to_owned),
            other_namespaces: others.cloned().collect(),
            namespaces,
            has_other_root: process.has_other_root(),
            core_limit: core_limit(&process.text("limits").unwrap_or_default()),
        }
    }

    /// The user and the group of the process, if it has no more than one of each: a process
    /// that changed between users holds data of both.
    pub fn only_user(&self) -> Option<(u32, u32)> {
        let one = |ids: Option<[u32; 4]>| {
            let [first, others @ ..] = ids?;
            others.iter().all(|other| *other == first).then_some(first)
        };
        Some((one(self.users)?, one(self.groups)?))
    }
}

/// The program file by its path below the root directory of the process. The kernel shows it
/// from ours where it can: after chroot(2).
fn program(process: &Crashed) -> Option<String> {
    let path = process.link("exe")?;
    let root = process.link("root").unwrap_or_default();
    let below = path.strip_prefix(&root).ok().filter(|_| root.parent().is_some());
    let path = below.map_or_else(|| path.clone(), |below| Path::new("/").join(below));
    Some(path.to_string_lossy().into_owned())
}

fn command_line(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The numbers of a line of `/proc/PID/status` that begins with `name`.
fn numbers<N: std::str::FromStr>(status: &str, name: &str) -> Vec<N> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn ids(status: &str, name: &str) -> Option<[u32; 4]> {
    numbers(status, name).try_into().ok()
}

/// The soft limit in bytes of `/proc/PID/limits`.
fn core_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_one_user_has_an_owner_and_one_that_changed_users_has_none() {
        let status = "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t7\t7\t7\t7\n";
        let facts = |status: &str| ProcessFacts {
            users: ids(status, "Uid:"),
            groups: ids(status, "Gid:"),
            ..ProcessFacts::default()
        };
        assert_eq!(facts(status).only_user(), Some((1000, 7)));
        assert_eq!(facts(&status.replace("1000\t1000\nG", "0\t0\nG")).only_user(), None);
        assert_eq!(facts("Uid:\t1000\n").only_user(), None);
        assert_eq!(facts("").only_user(), None);
    }

    #[test]
    fn the_soft_limit_is_read_and_unlimited_is_none() {
        let line = "Max core file size        4096                 unlimited            bytes\n";
        assert_eq!(core_limit(line), Some(4096));
        assert_eq!(core_limit(&line.replace("4096", "unlimited")), None);
    }

    #[test]
    fn a_command_line_is_split_at_its_zeros() {
        assert_eq!(command_line(b"a\0\0b c\0"), ["a", "", "b c"]);
        assert!(command_line(b"").is_empty());
    }
}
