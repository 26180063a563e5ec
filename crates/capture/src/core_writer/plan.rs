//! Which memory is read, and in which order.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use obit_corefile::arch::Saved;

use super::copy::Run;
use super::filter::is_of_kernel;
use super::image::Image;
use super::layout::Segment;
use super::populated::populated;
use crate::proc::{self, Mapping};
use crate::{Held, Tid, ptrace};

/// `NT_PRSTATUS`.
const GENERAL: u32 = 1;
/// Memory shared without a file that is read in full although pages may be missing: reading
/// such a page fills it, at the cost of the process.
const MOST_FILLED: u64 = 64 << 20;

/// Mappings from this size on are shortened where the core would be too long for a file.
const RESERVATION: u64 = 1 << 30;

/// What of the segments is read, what matters most first: stacks, then what is small.
///
/// Untouched pages are not read, so a reservation costs nothing however large it is.
pub(super) fn runs(held: &Held, image: &Image, segments: &[Segment<'_>], page: u64) -> Vec<Run> {
    let pagemap = File::open(proc::path(held.with_memory(), "pagemap")).ok();
    let stacks: Vec<u64> =
        held.threads.iter().filter_map(|thread| stack_pointer(*thread, image)).collect();
    let holds_stack = |mapping: &Mapping| stacks.iter().any(|sp| mapping.range.contains(sp));
    let mut segments: Vec<_> = segments.iter().filter(|segment| segment.length > 0).collect();
    segments.sort_by_key(|segment| (Reverse(holds_stack(segment.mapping)), segment.length));
    let ranges = |segment: &&Segment<'_>| {
        let start = segment.mapping.range.start;
        let whole = start..start.saturating_add(segment.length);
        let found = match &pagemap {
            Some(pagemap) => to_read(held.with_memory(), pagemap, segment.mapping, &whole, page),
            None => vec![whole],
        };
        let offset = segment.offset;
        let run = move |addresses: Range<u64>| Run {
            offset: offset.saturating_add(addresses.start.saturating_sub(start)),
            addresses,
        };
        found.into_iter().map(run).collect::<Vec<_>>()
    };
    segments.iter().flat_map(ranges).collect()
}

/// Ends large private mappings behind their last page that holds anything: the rest of them is
/// zeros, and takes only offsets of the file.
pub(super) fn shorten(process: Tid, sizes: &mut [(&Mapping, u64)], page: u64) {
    let Ok(pagemap) = File::open(proc::path(process, "pagemap")) else { return };
    for (mapping, length) in sizes {
        let is_reservation = mapping.file().is_none() && !mapping.shared && *length > RESERVATION;
        if !is_reservation || is_of_kernel(mapping) {
            continue;
        }
        let start = mapping.range.start;
        let whole = start..start.saturating_add(*length);
        if let Ok(found) = populated(&pagemap, &whole, page) {
            let end = found.last().map_or(start, |last| last.end.min(whole.end));
            *length = end.saturating_sub(start);
        }
    }
}

/// The parts of `whole` that may hold anything but zeros.
fn to_read(
    process: Tid,
    pagemap: &File,
    mapping: &Mapping,
    whole: &Range<u64>,
    page: u64,
) -> Vec<Range<u64>> {
    let is_file = mapping.file().is_some() && !mapping.is_unlinked();
    // What the process has not touched yet is in the file, or in the vDSO, all the same.
    if is_file {
        let end = end_of_file(process, mapping, page).unwrap_or(whole.end).min(whole.end);
        let read = whole.start..end;
        return if read.is_empty() { Vec::new() } else { vec![read] };
    }
    if is_of_kernel(mapping) {
        return vec![whole.clone()];
    }
    // The process itself supplies missing pages (userfaultfd), and cannot while it is stopped:
    // reading one would wait for ever.
    let is_supplied = mapping.has_flag(b"um") || mapping.has_flag(b"ui");
    if mapping.shared && !is_supplied {
        if let Some(found) = data_of_file(process, mapping, whole) {
            return found;
        }
        // Others may have written pages that this process has not touched.
        if mapping.length() <= MOST_FILLED {
            return vec![whole.clone()];
        }
    }
    populated(pagemap, whole, page).unwrap_or_else(|_| vec![whole.clone()])
}

/// Where the file of a mapping ends, up to a whole page: nothing behind it can be read. `None`
/// if the file is not known, or has no size.
fn end_of_file(process: Tid, mapping: &Mapping, page: u64) -> Option<u64> {
    let mut path = proc::path(process, "root").into_os_string();
    path.push(OsStr::from_bytes(mapping.file()?));
    let file = fs::metadata(path).ok()?;
    let is_same = file.is_file() && file.ino() == mapping.inode && file.len() > 0;
    let length = is_same.then(|| file.len().checked_next_multiple_of(page))??;
    mapping.range.start.checked_add(length.saturating_sub(mapping.offset))
}

/// The parts of a mapped file without a name that hold data. Only root may ask.
fn data_of_file(process: Tid, mapping: &Mapping, whole: &Range<u64>) -> Option<Vec<Range<u64>>> {
    let name = format!("map_files/{:x}-{:x}", mapping.range.start, mapping.range.end);
    let file = File::open(proc::path(process, &name)).ok()?;
    let address =
        |offset: u64| mapping.range.start.saturating_add(offset.saturating_sub(mapping.offset));
    let mut found = Vec::new();
    let mut at = mapping.offset;
    let end = mapping.offset.checked_add(mapping.length())?;
    while at < end {
        match rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(at)) {
            Ok(data) if data < end => {
                let hole = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(data)).ok()?;
                let addresses = address(data)..address(hole).min(whole.end);
                if addresses.start < addresses.end {
                    found.push(addresses);
                }
                at = hole.max(data.saturating_add(1));
            }
            Ok(_) | Err(rustix::io::Errno::NXIO) => break,
            Err(_) => return None,
        }
    }
    Some(found)
}

/// Where the stack of a thread ends.
fn stack_pointer(thread: Tid, image: &Image) -> Option<u64> {
    let registers = ptrace::register_set(thread, GENERAL).ok()?;
    let places = image.facts.prstatus.saved.iter().flat_map(Saved::places);
    let (at, _) = places.into_iter().find(|(_, register)| *register == image.facts.sp)?;
    let size = usize::from(image.facts.word);
    image.encoding.unsigned(&registers, usize::try_from(at).ok()?, size)
}
