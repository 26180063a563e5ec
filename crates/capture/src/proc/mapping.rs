//! `/proc/PID/smaps`: what is mapped where, how much of it is in memory, and how the kernel
//! treats it (`fs/proc/task_mmu.c`, `show_smap`).

use std::io;
use std::ops::Range;

use super::{decimal, hexadecimal, malformed, read, words};
use crate::Tid;

/// What the kernel appends to the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";
/// How the kernel shows memory shared by fork that was given a name
/// (`PR_SET_VMA_ANON_NAME`); it still belongs to a file.
const NAMED_SHARED: &[u8] = b"[anon_shmem:";
/// What the file of memory shared by fork is called (`mm/shmem.c`, `shmem_zero_setup`).
const SHARED_ANONYMOUS: &[u8] = b"/dev/zero (deleted)";

/// One mapping (`struct vm_area_struct`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Addresses.
    pub(crate) range: Range<u64>,
    /// May be read.
    pub(crate) readable: bool,
    /// May be written.
    pub(crate) writable: bool,
    /// May be executed.
    pub(crate) executable: bool,
    /// Writes are seen by others (`MAP_SHARED`).
    pub(crate) shared: bool,
    /// Where in the file it begins, bytes.
    pub(crate) offset: u64,
    /// Device of the file, major and minor number.
    pub(crate) device: (u32, u32),
    /// Inode of the file, 0 for none.
    pub(crate) inode: u64,
    /// Path of the file, or a name in brackets.
    pub(crate) name: Vec<u8>,
    /// Bytes in memory.
    pub(crate) resident: u64,
    /// Bytes in memory that belong to this process alone: written since they were mapped.
    pub(crate) anonymous: u64,
    /// Bytes in swap.
    pub(crate) swapped: u64,
    /// `VmFlags`, two letters each.
    pub(crate) flags: Vec<[u8; 2]>,
}

impl Mapping {
    /// Bytes.
    pub(crate) fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Whether the kernel has this flag on it: `dd` (`VM_DONTDUMP`), `io` (`VM_IO`), `ht`
    /// (`VM_HUGETLB`).
    pub(crate) fn has_flag(&self, flag: &[u8; 2]) -> bool {
        self.flags.contains(flag)
    }

    /// The path of its file as the kernel would put it into a core, if it has one.
    pub(crate) fn file(&self) -> Option<&[u8]> {
        if self.name.starts_with(NAMED_SHARED) {
            return Some(SHARED_ANONYMOUS);
        }
        let is_special = self.name.is_empty() || self.name.starts_with(b"[");
        (self.inode != 0 || !is_special).then_some(&*self.name)
    }

    /// Whether its file has no name any more, or never had one.
    pub(crate) fn is_unlinked(&self) -> bool {
        self.file().is_some_and(|file| file.ends_with(DELETED))
    }
}

/// The mappings of a process, by address. Walks its page tables: about 20 ms per GiB in memory.
pub(crate) fn mappings(process: Tid) -> io::Result<Vec<Mapping>> {
    parse(&read(process, "smaps")?).ok_or_else(malformed)
}

fn parse(text: &[u8]) -> Option<Vec<Mapping>> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match (property(line), mappings.last_mut()) {
            (Some((name, value)), Some(mapping)) => add(mapping, name, value)?,
            (Some(_), None) => return None,
            (None, _) => mappings.push(header(line)?),
        }
    }
    Some(mappings)
}

/// `Name:   value`; the first line of a mapping has no colon in its first word.
fn property(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|byte| matches!(byte, b':' | b' '))?;
    let (name, value) = line.split_at(end);
    Some((name, value.strip_prefix(b":")?))
}

fn add(mapping: &mut Mapping, name: &[u8], value: &[u8]) -> Option<()> {
    let mut values = words(value);
    match name {
        b"Rss" => mapping.resident = kibibytes(values.next()?)?,
        b"Anonymous" => mapping.anonymous = kibibytes(values.next()?)?,
        b"Swap" => mapping.swapped = kibibytes(values.next()?)?,
        b"VmFlags" => {
            mapping.flags = values.filter_map(|flag| <[u8; 2]>::try_from(flag).ok()).collect();
        }
        _ => {}
    }
    Some(())
}

fn kibibytes(word: &[u8]) -> Option<u64> {
    decimal::<u64>(word)?.checked_mul(1024)
}

/// `start-end rwxp offset major:minor inode   name`
fn header(line: &[u8]) -> Option<Mapping> {
    let (addresses, rest) = first_word(line)?;
    let (permissions, rest) = first_word(rest)?;
    let (offset, rest) = first_word(rest)?;
    let (device, rest) = first_word(rest)?;
    let (inode, rest) = first_word(rest)?;
    let (start, end) = halves(addresses, b'-')?;
    let (major, minor) = halves(device, b':')?;
    let [read, write, execute, shared]: [u8; 4] = permissions.try_into().ok()?;
    let major = u32::try_from(hexadecimal(major)?).ok()?;
    let minor = u32::try_from(hexadecimal(minor)?).ok()?;
    Some(Mapping {
        range: hexadecimal(start)?..hexadecimal(end)?,
        readable: read == b'r',
        writable: write == b'w',
        executable: execute == b'x',
        shared: shared == b's',
        offset: hexadecimal(offset)?,
        device: (major, minor),
        inode: decimal(inode)?,
        // The rest, blanks and all.
        name: plain(rest.trim_ascii_start()),
        ..Mapping::default()
    })
}

/// The first word, and what follows it.
fn first_word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    line.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

fn halves(word: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|byte| *byte == separator)?;
    let (before, after) = word.split_at(at);
    Some((before, after.get(1..)?))
}

/// The kernel shows a line feed in a path as `\012`, and nothing else.
fn plain(shown: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(shown.len());
    let mut rest = shown;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(b"\\012") {
            Some(after) => {
                plain.push(b'\n');
                rest = after;
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
        00400000-00401000 r-xp 00002000 fe:00 247282                     /opt/my \xff prog (deleted)\n\
        Size:                  4 kB\nRss:                   4 kB\nAnonymous:             0 kB\n\
        Swap:                  8 kB\nVmFlags: rd ex mr mw me dd io \n\
        7f0000000000-7f0000002000 rw-s 00000000 00:01 9  /a\\012b\nRss: 0 kB\nVmFlags: ht\n\
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\nVmFlags: ex\n";

    #[test]
    fn a_mapping_has_its_name_its_pages_and_its_flags() {
        let all = parse(TEXT).unwrap();
        let first = &all[0];
        assert_eq!(first.range, 0x40_0000..0x40_1000);
        assert_eq!((first.readable, first.writable, first.executable), (true, false, true));
        assert_eq!((first.offset, first.device, first.inode), (0x2000, (0xfe, 0), 247_282));
        assert_eq!(first.file(), Some(&b"/opt/my \xff prog (deleted)"[..]));
        assert!(first.is_unlinked() && first.has_flag(b"dd") && first.has_flag(b"io"));
        assert_eq!((first.resident, first.swapped), (4096, 8192));
    }

    #[test]
    fn a_line_feed_in_a_path_is_a_line_feed() {
        let all = parse(TEXT).unwrap();
        assert_eq!(all[1].name, b"/a\nb");
        assert!(all[1].shared && all[1].has_flag(b"ht"));
    }

    #[test]
    fn a_name_in_brackets_is_no_file_unless_it_names_shared_memory() {
        let all = parse(TEXT).unwrap();
        assert_eq!(all[2].file(), None);
        assert_eq!(all[2].range.end, 0xffff_ffff_ff60_1000);
        let shared = b"1000-2000 rw-s 00000000 00:01 9 [anon_shmem:pool]\n";
        assert_eq!(parse(shared).unwrap()[0].file(), Some(SHARED_ANONYMOUS));
    }

    #[test]
    fn ones_own_mappings_can_be_read() {
        let all = mappings(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(all.iter().any(|mapping| mapping.name == b"[stack]"));
        assert!(all.iter().any(|mapping| mapping.executable && mapping.file().is_some()));
    }

    #[test]
    fn what_is_no_mapping_is_none() {
        assert_eq!(parse(b"Rss: 4 kB\n"), None);
        assert_eq!(parse(b"1000 r-xp 0 0:0 0\n"), None);
        assert_eq!(parse(b"1000-2000 r-xp 0\n"), None);
    }
}
