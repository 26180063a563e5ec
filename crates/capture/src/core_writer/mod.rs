//! An ELF core file of a live process, laid out as the kernel lays it out
//! (Linux `fs/binfmt_elf.c`, `elf_core_dump`).

mod copy;
mod fields;
mod filter;
mod image;
mod layout;
mod look;
mod notes;
mod plan;
mod populated;
mod process_notes;
mod register_sets;
mod siginfo;
mod xsave_layout;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use copy::Copy;
use filter::Filter;
use image::Image;
use look::Live;
use rustix::process::Resource;

use crate::dumpable::is_dumpable;
use crate::proc::{self, Status};
use crate::{Held, Tid};

/// What a core may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that may be written; holes do not count. Headers and notes are written even if
    /// they are more.
    pub bytes: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Length of the file, holes included.
    pub length: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Bytes of memory that were left out, since [`Limits::bytes`] was reached or the process
    /// was killed.
    pub left_out: u64,
    /// The process was killed while its memory was copied.
    pub is_cut: bool,
}

/// Why there is no core.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The process asked not to be dumped (`PR_SET_DUMPABLE`), or changed its user.
    #[error("the process does not allow dumps (PR_SET_DUMPABLE)")]
    NotDumpable,
    /// The process was gone, or its state could not be read.
    #[error("cannot read {what} of process {process}: {error}")]
    Read {
        /// The thread group.
        process: i32,
        /// What was read: `registers`, `/proc/1/maps`.
        what: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write the core: {0}")]
    Write(#[source] io::Error),
}

/// Writes a core of `held` into the empty file `out`, sparse.
///
/// What goes into it is what the kernel would put there: `coredump_filter` and
/// `MADV_DONTDUMP` count. If not all fits into [`Limits::bytes`], stacks come first, then the
/// smaller mappings.
pub fn write_core(held: &Held, out: &File, limits: Limits) -> Result<Written, WriteError> {
    let process = held.process;
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error| WriteError::Read { process, what, error }
    };
    let thread = held.with_memory();
    let memory = open_memory(thread)?;
    let image = Image::of(thread).map_err(failed("the program"))?;
    let page = rustix::param::page_size() as u64;
    let filter = Filter::of(thread).map_err(failed("the coredump_filter"))?;
    let mappings = proc::mappings(thread).map_err(failed("the mappings"))?;
    let notes =
        notes::of(held, &image, &mappings, page).map_err(|(what, error)| failed(what)(error))?;
    let live = Live { thread, memory: &memory };
    let mut sizes: Vec<_> =
        mappings.iter().map(|mapping| (mapping, filter.dumped(mapping, page, &live))).collect();
    let attempt = |sizes: &[_]| {
        let layout = layout::of(&image, &notes, sizes, page).ok_or(io::ErrorKind::FileTooLarge)?;
        let runs = plan::runs(held, &image, &layout.segments, page);
        write(&memory, out, &layout, &runs, page, limits)
    };
    let written = match attempt(&sizes) {
        // No file may be so long, sparse or not: 16 TiB on ext4.
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            plan::shorten(thread, &mut sizes, page);
            attempt(&sizes)
        }
        written => written,
    };
    written.map_err(WriteError::Write)
}

fn write(
    memory: &File,
    out: &File,
    layout: &layout::Layout<'_>,
    runs: &[copy::Run],
    page: u64,
    limits: Limits,
) -> io::Result<Written> {
    let length = layout.length();
    // Beyond this limit the kernel would send SIGXFSZ, which ends this program.
    let most = rustix::process::getrlimit(Resource::Fsize).current;
    if most.is_some_and(|most| length > most) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    out.set_len(length)?;
    out.write_all_at(&layout.head, 0)?;
    out.write_all_at(&layout.tail, layout.tail_offset)?;
    let headers = (layout.head.len() as u64).saturating_add(layout.tail.len() as u64);
    let room = limits.bytes.saturating_sub(headers);
    let copied = Copy::new(memory, out, page, room).run(runs)?;
    let bytes = headers.saturating_add(copied.written);
    Ok(Written { length, bytes, left_out: copied.left_out, is_cut: copied.is_cut })
}

/// `/proc/PID/mem`, if the process may be dumped.
fn open_memory(process: Tid) -> Result<File, WriteError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => WriteError::NotDumpable,
        _ => WriteError::Read { process, what: "the memory".to_owned(), error },
    };
    let memory = File::open(proc::path(process, "mem")).map_err(failed)?;
    // Files of a process that must not be dumped are root's (`task_dump_owner`), and may be
    // opened by root all the same.
    let owner = memory.metadata().map_err(failed)?.uid();
    let (_, user) = Status::of(process).map_err(failed)?.users;
    if owner == user && is_dumpable(process) { Ok(memory) } else { Err(WriteError::NotDumpable) }
}

#[cfg(test)]
mod tests;
