//! One range of the memory of the crashed process and where its bytes are.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Absent, CoreBytes};
use crate::addr::AvmaRange;

/// Bytes of a file of the same build that stand in for memory the core left out.
/// Whoever hands them over vouches for the build ID.
#[derive(Clone)]
pub struct FileBytes {
    /// The whole file.
    pub bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    /// Offset of the region's first byte in it.
    pub offset: u64,
}

impl std::fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileBytes {{ offset: {:#x} }}", self.offset)
    }
}

/// Access rights at the time of death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Permissions {
    /// `PF_R`.
    pub read: bool,
    /// `PF_W`.
    pub write: bool,
    /// `PF_X`.
    pub execute: bool,
}

/// Where the bytes of a region are. The core's come first; a file may fill the rest.
#[derive(Clone, Debug)]
pub struct Backing {
    /// Offset in the core file.
    pub core_offset: u64,
    /// Bytes the core promises from there, counted from the region's start.
    pub core_len: u64,
    /// A file of the same build, for what the core left out.
    pub file: Option<FileBytes>,
    /// Why a byte that neither holds is absent.
    pub absent: Absent,
}

/// One mapping, or a part of one.
#[derive(Clone, Debug)]
pub struct Region {
    /// Addresses.
    pub range: AvmaRange,
    /// Rights.
    pub permissions: Permissions,
    /// Bytes.
    pub backing: Backing,
    /// The mapped file as the crashed process named it, and the offset of the region's
    /// first byte in it.
    pub name: Option<(Arc<PathBuf>, u64)>,
}

impl Region {
    /// Fills `buf` from `into` bytes past the start, not past the end of the region: the
    /// number of bytes read, and why no more can be. It may give fewer than wanted
    /// without a reason, where the source of the bytes changes; never none.
    pub(super) fn read(
        &self,
        core: &CoreBytes,
        into: u64,
        buf: &mut [u8],
    ) -> (usize, Option<Absent>) {
        let inside = self.range.len().saturating_sub(into);
        let want = usize::try_from(inside).unwrap_or(usize::MAX).min(buf.len());
        let Some(buf) = buf.get_mut(..want) else { return (0, None) };
        let in_core = self.backing.core_len.saturating_sub(into);
        let mut absent = self.backing.absent;
        if in_core > 0 {
            let part = usize::try_from(in_core).unwrap_or(usize::MAX).min(want);
            let offset = self.backing.core_offset.saturating_add(into);
            let read = core.read_at(offset, buf.get_mut(..part).unwrap_or(&mut []));
            if read == part {
                return (read, None);
            }
            let cut = offset.saturating_add(read as u64) >= core.len();
            absent = if cut { Absent::Truncated } else { Absent::Unreadable };
            if read > 0 || self.backing.file.is_none() {
                return (read, Some(absent).filter(|_| self.backing.file.is_none()));
            }
        }
        let from_file = self.backing.file.as_ref().and_then(|file| {
            let start = usize::try_from(file.offset.checked_add(into)?).ok()?;
            let bytes = (*file.bytes).as_ref().get(start..)?;
            Some(bytes.get(..want).unwrap_or(bytes)).filter(|bytes| !bytes.is_empty())
        });
        let Some(bytes) = from_file else { return (0, Some(absent)) };
        for (to, from) in buf.iter_mut().zip(bytes) {
            *to = *from;
        }
        (bytes.len(), (bytes.len() < want).then_some(absent))
    }
}
