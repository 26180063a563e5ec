//! Which pages of a process hold anything, from `/proc/PID/pagemap`
//! (Linux `Documentation/admin-guide/mm/pagemap.rst`).
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// `PAGEMAP_SCAN`: `_IOWR('f', 16, struct pm_scan_arg)`, Linux 6.7.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610_u32 as libc::Ioctl;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
/// Regions that one call gives.
const REGIONS: usize = 512;
/// Bits of an entry of the file: in memory, in swap.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
/// Bytes of an entry, which stands for one page.
const ENTRY: u64 = 8;
/// Entries read at a time.
const ENTRIES: u64 = 16 << 10;

/// `struct pm_scan_arg` (`include/uapi/linux/fs.h`).
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_length: u64,
    max_pages: u64,
    inverted: u64,
    mask: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// The parts of `range` with pages in memory or in swap, by address. Every other page of private
/// memory reads as zeros.
///
/// A range without pages costs next to nothing since Linux 6.7; before, eight bytes are read for
/// each page of it.
pub(super) fn populated(
    pagemap: &File,
    range: &Range<u64>,
    page: u64,
) -> io::Result<Vec<Range<u64>>> {
    let mut found = Vec::new();
    match scan(pagemap, range, &mut found) {
        Ok(()) => Ok(found),
        // ENOTTY before Linux 6.7.
        Err(_) => {
            found.clear();
            read(pagemap, range, page, &mut found)?;
            Ok(found)
        }
    }
}

fn scan(pagemap: &File, range: &Range<u64>, found: &mut Vec<Range<u64>>) -> io::Result<()> {
    let mut regions = [Region::default(); REGIONS];
    let mut at = range.start;
    while at < range.end {
        let mut scan = Scan {
            size: size_of::<Scan>() as u64,
            flags: 0,
            start: at,
            end: range.end,
            walk_end: 0,
            regions: regions.as_mut_ptr() as u64,
            regions_length: REGIONS as u64,
            max_pages: 0,
            inverted: 0,
            mask: 0,
            any_of: IS_PRESENT | IS_SWAPPED,
            returned: 0,
        };
        // SAFETY: `scan` is the argument this request takes, and names `regions` with its
        // length; the kernel writes no more entries than that, and both live until it returns.
        let count = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for region in regions.iter().take(count) {
            push(found, region.start..region.end);
        }
        if scan.walk_end <= at {
            return Err(io::ErrorKind::InvalidData.into());
        }
        at = scan.walk_end;
    }
    Ok(())
}

fn read(
    pagemap: &File,
    range: &Range<u64>,
    page: u64,
    found: &mut Vec<Range<u64>>,
) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(ENTRIES.saturating_mul(ENTRY)).unwrap_or(0)];
    let mut at = range.start;
    while at < range.end {
        let pages = range.end.saturating_sub(at).div_ceil(page).min(ENTRIES);
        let wanted = usize::try_from(pages.saturating_mul(ENTRY)).unwrap_or(0);
        let room = buffer.get_mut(..wanted).unwrap_or_default();
        let offset = at.checked_div(page).unwrap_or(0).saturating_mul(ENTRY);
        let count = pagemap.read_at(room, offset)?;
        let entries = room.get(..count).unwrap_or_default().chunks_exact(8);
        if entries.len() == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for entry in entries {
            let entry = <[u8; 8]>::try_from(entry).map_or(0, u64::from_ne_bytes);
            if entry & (PRESENT | SWAPPED) != 0 {
                push(found, at..at.saturating_add(page));
            }
            at = at.saturating_add(page);
        }
    }
    Ok(())
}

/// Appends a range, to the one before if it follows at once.
fn push(found: &mut Vec<Range<u64>>, range: Range<u64>) {
    match found.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => found.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_were_touched_are_found_whichever_way_they_are_looked_for() {
        const PAGE: usize = 4096;
        let mut memory = vec![0_u8; 600 * PAGE + PAGE];
        let start = memory.as_ptr().align_offset(PAGE);
        memory[start + PAGE] = 1;
        memory[start + 2 * PAGE] = 1;
        memory[start + 599 * PAGE] = 1;
        let address = memory.as_ptr() as u64 + start as u64;
        let range = address..address + (600 * PAGE) as u64;
        let pagemap = File::open("/proc/self/pagemap").unwrap();
        let mut by_reading = Vec::new();
        read(&pagemap, &range, PAGE as u64, &mut by_reading).unwrap();
        let found = populated(&pagemap, &range, PAGE as u64).unwrap();
        assert_eq!(found, by_reading);
        let touched =
            |page: usize| found.iter().any(|it| it.contains(&(address + (page * PAGE) as u64)));
        assert!(touched(1) && touched(2) && touched(599));
    }
}
