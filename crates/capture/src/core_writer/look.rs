//! What the filter asks of files and memory of a live process.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, CWD, StatxFlags};

use super::filter::Look;
use crate::Tid;
use crate::proc::{self, Mapping};

/// `STATX_ATTR_DAX`.
const DAX: u64 = 0x0020_0000;
/// Any of the three permissions to execute.
const EXECUTABLE: u16 = 0o111;

/// A process that is held.
pub(super) struct Live<'p> {
    /// One that has memory.
    pub(super) thread: Tid,
    /// `/proc/PID/mem`.
    pub(super) memory: &'p File,
}

impl Live<'_> {
    /// Mode and attributes of the mapped file, if the path still leads to it.
    ///
    /// `AT_STATX_DONT_SYNC`: a file server that does not answer must not keep the process
    /// stopped.
    fn file(&self, mapping: &Mapping) -> Option<(u16, u64)> {
        let path = mapping.file()?.strip_prefix(b"/")?;
        let path = proc::path(self.thread, "root").join(OsStr::from_bytes(path));
        let wanted = StatxFlags::MODE | StatxFlags::INO;
        let stat = rustix::fs::statx(CWD, path, AtFlags::STATX_DONT_SYNC, wanted).ok()?;
        let is_it = (stat.stx_ino, stat.stx_dev_major, stat.stx_dev_minor)
            == (mapping.inode, mapping.device.0, mapping.device.1);
        is_it.then_some((stat.stx_mode, stat.stx_attributes.bits()))
    }
}

impl Look for Live<'_> {
    fn is_dax(&self, mapping: &Mapping) -> bool {
        if mapping.inode == 0 {
            return false;
        }
        // Only devices that can have such files are asked about each.
        let (major, minor) = mapping.device;
        let queue = fs::read(format!("/sys/dev/block/{major}:{minor}/queue/dax"));
        queue.is_ok_and(|dax| dax.trim_ascii() == b"1")
            && self.file(mapping).is_some_and(|(_, attributes)| attributes & DAX != 0)
    }

    fn is_program(&self, mapping: &Mapping) -> bool {
        let mut magic = [0; 4];
        let read = self.memory.read_exact_at(&mut magic, mapping.range.start);
        let is_elf = read.is_ok() && magic == *b"\x7fELF";
        is_elf || self.file(mapping).is_some_and(|(mode, _)| mode & EXECUTABLE != 0)
    }
}
