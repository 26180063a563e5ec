//! What the kernel knows of a process that no core holds: which sockets, pipes and shared memory
//! it has in common with others. It is kept in a note of the core.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::proc::{self, Mapping};
use crate::{Tid, unix_sockets};

/// The form of the note; a number is added when the meaning of a field changes.
const SCHEMA: &str = "obit-surroundings/1";
/// Descriptors that are looked at.
const MOST_DESCRIPTORS: usize = 2_048;
/// Sockets, pipes and mappings that are kept, of each.
const MOST_KEPT: usize = 512;
/// Bytes of a table of the kernel that are read: the process is stopped meanwhile.
const MOST_OF_A_TABLE: u64 = 8 << 20;
/// Bytes of a name, and of a path.
const LONGEST: usize = 256;
const LONGEST_PATH: usize = 4096;

/// What the kernel knows of a process. Texts are as the process set them: who prints them redacts
/// and escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// `obit-surroundings/1`.
    pub schema: String,
    /// When it was recorded: nanoseconds since 1970.
    pub time: i64,
    /// `boot_id`: inodes of two records are comparable if it is the same.
    pub boot: Option<String>,
    /// The inode of the network namespace.
    pub network: Option<u64>,
    /// The inode of the namespace in which the core's numbers of processes are valid: that of who
    /// recorded it.
    pub numbers: Option<u64>,
    /// That of the process, in which the numbers that it knows are valid.
    pub own_numbers: Option<u64>,
    /// When the process started, in ticks since the machine started.
    pub started: Option<u64>,
    /// The same of its parent.
    pub parent_started: Option<u64>,
    /// Sockets.
    pub sockets: Vec<SocketRecord>,
    /// Pipes.
    pub pipes: Vec<PipeRecord>,
    /// Shared mappings.
    pub shared: Vec<SharedRecord>,
    /// Open files.
    pub files: Vec<FileRecord>,
    /// Something was left out: there was too much of it.
    pub is_cut: bool,
}

/// A socket of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocketRecord {
    /// The lowest descriptor that it has.
    pub descriptor: i32,
    /// Its inode.
    pub inode: u64,
    /// The inode of the other end, if that is on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_inode: Option<u64>,
    /// `tcp` or `unix`; empty if it is in no table, as when its connection is gone.
    pub family: String,
    /// It waits for connections.
    pub is_listening: bool,
    /// Its own address: `127.0.0.1:80`, `[::1]:80`, a path, `@name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// That of the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

/// An end of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeRecord {
    /// Its descriptor.
    pub descriptor: i32,
    /// The pipe.
    pub inode: u64,
    /// The end for writing.
    pub writes: bool,
}

/// An open file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its descriptor.
    pub descriptor: i32,
    /// Its path, as the kernel has it; of one that is gone, with ` (deleted)`.
    pub path: String,
}

/// A mapping that others may have, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedRecord {
    /// The device of its file.
    pub device: u64,
    /// The inode of its file.
    pub inode: u64,
    /// The process may write to it.
    pub is_writable: bool,
    /// Its name.
    pub name: String,
}

/// That of a process that does not run. What cannot be read is left out.
pub(crate) fn of(process: Tid, thread: Tid, mappings: &[Mapping]) -> Surroundings {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let namespace = |process: Tid, kind: &str| {
        let path = proc::path(process, &format!("ns/{kind}"));
        fs::metadata(path).ok().map(|namespace| namespace.ino())
    };
    let own = i32::try_from(std::process::id()).ok();
    let network = namespace(thread, "net");
    let mut all = Surroundings {
        schema: SCHEMA.to_owned(),
        time: i64::try_from(now.as_nanos()).unwrap_or(0),
        boot: boot.map(|text| text.trim().to_owned()),
        network,
        numbers: own.and_then(|own| namespace(own, "pid")),
        own_numbers: namespace(thread, "pid"),
        started: start_of(process),
        parent_started: proc::Status::of(process).ok().and_then(|status| start_of(status.parent)),
        ..Surroundings::default()
    };
    let is_our_network = network.is_some() && own.and_then(|own| namespace(own, "net")) == network;
    descriptors(thread, &mut all);
    if !all.sockets.is_empty() {
        let tables = Tables::of(thread, is_our_network);
        all.sockets.iter_mut().for_each(|socket| tables.complete(socket));
    }
    shared(mappings, &mut all);
    all
}

/// Field 22 of `/proc/PID/stat` (proc_pid_stat(5)). The name, which is the second, may contain
/// anything.
fn start_of(process: Tid) -> Option<u64> {
    let stat = proc::read(process, "stat").ok()?;
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end.checked_add(1)?..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn descriptors(thread: Tid, all: &mut Surroundings) {
    let Ok(entries) = fs::read_dir(proc::path(thread, "fd")) else { return };
    let mut numbers: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(MOST_DESCRIPTORS.saturating_add(1))
        .collect();
    numbers.sort_unstable();
    all.is_cut = numbers.len() > MOST_DESCRIPTORS;
    for descriptor in numbers.into_iter().take(MOST_DESCRIPTORS) {
        let path = proc::path(thread, &format!("fd/{descriptor}"));
        let Ok(target) = fs::read_link(&path) else { continue };
        let target = target.as_os_str().as_bytes();
        if let Some(inode) = inode_in(target, b"socket:[") {
            let is_known = all.sockets.iter().any(|socket| socket.inode == inode);
            match (is_known, all.sockets.len() < MOST_KEPT) {
                (true, _) => {}
                (false, true) => {
                    all.sockets.push(SocketRecord { descriptor, inode, ..SocketRecord::default() });
                }
                (false, false) => all.is_cut = true,
            }
        } else if target.starts_with(b"/") && all.files.len() < MOST_KEPT {
            let path = String::from_utf8_lossy(target.get(..LONGEST_PATH).unwrap_or(target));
            all.files.push(FileRecord { descriptor, path: path.into_owned() });
        } else if let Some(inode) = inode_in(target, b"pipe:[") {
            // The link has the rights that the descriptor was opened with (proc_pid_fd(5)).
            let Ok(link) = fs::symlink_metadata(&path) else { continue };
            for (bit, writes) in [(0o400, false), (0o200, true)] {
                if link.mode() & bit != 0 && all.pipes.len() < MOST_KEPT {
                    all.pipes.push(PipeRecord { descriptor, inode, writes });
                }
            }
        }
    }
}

fn inode_in(target: &[u8], start: &[u8]) -> Option<u64> {
    let digits = target.strip_prefix(start)?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Shared mappings of memory, not of the files of a disk.
fn shared(mappings: &[Mapping], all: &mut Surroundings) {
    for mapping in mappings.iter().filter(|mapping| mapping.shared && mapping.inode != 0) {
        let Some(name) = mapping.file() else { continue };
        let is_memory = [&b"/dev/shm/"[..], b"/run/shm/", b"/memfd:", b"/SYSV", b"/dev/zero"]
            .iter()
            .any(|start| name.starts_with(start));
        let (major, minor) = mapping.device;
        let device = (u64::from(major) << 32) | u64::from(minor);
        let is_known =
            |known: &&mut SharedRecord| (known.device, known.inode) == (device, mapping.inode);
        if let Some(known) = all.shared.iter_mut().find(is_known) {
            known.is_writable |= mapping.writable;
        } else if is_memory && all.shared.len() < MOST_KEPT {
            let name = name.get(..LONGEST).unwrap_or(name);
            all.shared.push(SharedRecord {
                device,
                inode: mapping.inode,
                is_writable: mapping.writable,
                name: String::from_utf8_lossy(name).into_owned(),
            });
        }
    }
}

/// The kernel's tables of the sockets of a network namespace.
#[derive(Default)]
struct Tables {
    /// By inode.
    tcp: BTreeMap<u64, Connection>,
    /// Inodes by the two addresses.
    ends: BTreeMap<(String, String), u64>,
    /// Name and state by inode.
    unix: BTreeMap<u64, (Option<String>, bool)>,
    /// The other end by inode.
    unix_peers: BTreeMap<u64, u64>,
}

struct Connection {
    local: String,
    peer: String,
    is_listening: bool,
}

impl Tables {
    fn of(thread: Tid, is_our_network: bool) -> Self {
        let mut tables = Self::default();
        for name in ["net/tcp", "net/tcp6"] {
            for line in table(thread, name).lines().skip(1) {
                tables.add_tcp(line);
            }
        }
        for line in table(thread, "net/unix").lines().skip(1) {
            tables.add_unix(line);
        }
        if is_our_network {
            tables.unix_peers = unix_sockets::peers();
        }
        tables
    }

    /// Source: Linux `net/ipv4/tcp_ipv4.c`, `get_tcp4_sock`.
    fn add_tcp(&mut self, line: &str) -> Option<()> {
        /// `TCP_LISTEN`.
        const LISTENS: &str = "0A";
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, peer) = (address(words.get(1)?)?, address(words.get(2)?)?);
        let (state, inode) = (*words.get(3)?, words.get(9)?.parse().ok()?);
        let is_listening = state == LISTENS;
        if !is_listening && inode != 0 {
            self.ends.insert((local.clone(), peer.clone()), inode);
        }
        self.tcp.insert(inode, Connection { local, peer, is_listening });
        Some(())
    }

    /// Source: Linux `net/unix/af_unix.c`, `unix_seq_show`.
    fn add_unix(&mut self, line: &str) -> Option<()> {
        /// `__SO_ACCEPTCON`.
        const LISTENS: u64 = 0x1_0000;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let flags = u64::from_str_radix(words.get(3)?, 16).ok()?;
        let inode = words.get(6)?.parse().ok()?;
        let name = words.get(7..).filter(|name| !name.is_empty()).map(|name| name.join(" "));
        self.unix.insert(inode, (name, flags & LISTENS != 0));
        Some(())
    }

    fn complete(&self, socket: &mut SocketRecord) {
        if let Some(connection) = self.tcp.get(&socket.inode) {
            "tcp".clone_into(&mut socket.family);
            socket.is_listening = connection.is_listening;
            socket.local = Some(connection.local.clone());
            if !connection.is_listening {
                socket.peer = Some(connection.peer.clone());
                let other = (connection.peer.clone(), connection.local.clone());
                socket.peer_inode = self.ends.get(&other).copied();
            }
        } else if let Some((name, is_listening)) = self.unix.get(&socket.inode) {
            "unix".clone_into(&mut socket.family);
            socket.is_listening = *is_listening;
            let cut = |name: &String| name.chars().take(LONGEST).collect();
            socket.local = name.as_ref().map(cut);
            socket.peer_inode = self.unix_peers.get(&socket.inode).copied();
            let peer = socket.peer_inode.and_then(|peer| self.unix.get(&peer));
            socket.peer = peer.and_then(|(name, _)| name.as_ref()).map(cut);
        }
    }
}

/// A table, up to its last whole line.
fn table(thread: Tid, name: &str) -> String {
    let mut bytes = Vec::new();
    let Ok(file) = File::open(proc::path(thread, name)) else { return String::new() };
    // What was read before an error is as good.
    let _ = file.take(MOST_OF_A_TABLE).read_to_end(&mut bytes);
    if bytes.len() as u64 == MOST_OF_A_TABLE {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        bytes.truncate(end);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `0100007F:1F90` is `127.0.0.1:8080`: words in the byte order of the machine.
fn address(text: &str) -> Option<String> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..host.len()).step_by(8) {
        let word = u32::from_str_radix(host.get(at..at.checked_add(8)?)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(&*bytes) {
        return Some(format!("{}:{port}", std::net::Ipv4Addr::from(bytes)));
    }
    let address = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(&*bytes).ok()?);
    // A connection of IPv4 has two names; both ends must have the same.
    Some(match address.to_ipv4_mapped() {
        Some(address) => format!("{address}:{port}"),
        None => format!("[{address}]:{port}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    fn own() -> Surroundings {
        let own = i32::try_from(std::process::id()).unwrap();
        of(own, own, &proc::mappings(own).unwrap())
    }

    #[test]
    fn the_two_ends_of_a_connection_name_each_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (left, right) = UnixStream::pair().unwrap();
        let all = own();
        let of = |descriptor| {
            let mut found = all.sockets.iter();
            found.find(|socket| socket.descriptor == descriptor).unwrap()
        };
        let (one, other) = (of(client.as_raw_fd()), of(server.as_raw_fd()));
        assert_eq!(one.peer_inode, Some(other.inode));
        assert_eq!(other.peer_inode, Some(one.inode));
        assert_eq!(one.peer.as_deref(), Some(&*listener.local_addr().unwrap().to_string()));
        assert_eq!((&one.local, one.family.as_str()), (&other.peer, "tcp"));
        assert!(of(listener.as_raw_fd()).is_listening);
        let (one, other) = (of(left.as_raw_fd()), of(right.as_raw_fd()));
        assert_eq!(one.family, "unix");
        // Where the kernel has no `unix_diag`, or a filter forbids it, there is none.
        if let Some(peer) = one.peer_inode {
            assert_eq!(peer, other.inode);
        }
    }

    #[test]
    fn a_pipe_has_an_end_for_each_direction() {
        let (reader, writer) = std::io::pipe().unwrap();
        let all = own();
        let of = |descriptor| {
            let mut found = all.pipes.iter();
            *found.find(|pipe| pipe.descriptor == descriptor).unwrap()
        };
        let (one, other) = (of(reader.as_raw_fd()), of(writer.as_raw_fd()));
        assert_eq!(one.inode, other.inode);
        assert!(!one.writes && other.writes);
        assert!(all.started.is_some() && all.parent_started.is_some() && all.boot.is_some());
        assert!(all.numbers.is_some() && all.numbers == all.own_numbers);
    }

    #[test]
    fn an_address_of_ipv4_has_one_name_in_both_tables() {
        if cfg!(target_endian = "little") {
            assert_eq!(address("0100007F:1F90").as_deref(), Some("127.0.0.1:8080"));
            let mapped = "0000000000000000FFFF00000100007F:1F90";
            assert_eq!(address(mapped).as_deref(), Some("127.0.0.1:8080"));
            let six = "00000000000000000000000001000000:0050";
            assert_eq!(address(six).as_deref(), Some("[::1]:80"));
        }
        for wrong in ["", ":", "01:02", "zz00007F:1F90", "0100007F", "0100007F0:1"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_that_are_none_are_left_out() {
        let mut tables = Tables::default();
        for line in ["", "a b c", "0: 0100007F:1F90 x 01 1 2 3 4 5 6"] {
            assert!(tables.add_tcp(line).is_none());
        }
        for line in ["", "a b c", "0: 2 0 x 1 1 4711", "0: 2 0 0 1 1"] {
            assert!(tables.add_unix(line).is_none());
        }
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 4711 @a b";
        tables.add_unix(line).unwrap();
        assert_eq!(tables.unix[&4711], (Some("@a b".to_owned()), true));
    }
}
