//! `NT_PRSTATUS` and `NT_PRPSINFO` (Linux `fs/binfmt_elf.c`, `fill_prstatus` and
//! `fill_psinfo`; layouts in `include/linux/elfcore.h` and `elfcore-compat.h`).

use std::io;

use super::fields::Fields;
use super::image::Image;
use crate::proc::{self, Stat, Status};
use crate::{Held, Tid};

/// Bytes of `pr_fname`.
const NAME: usize = 16;
/// Bytes of `pr_psargs`; the last is a NUL.
const ARGUMENTS: usize = 80;

/// Machines whose `__kernel_uid_t` has 16 bits: i386, m68k, arm, and x32 as the kernel has it.
const SHORT_IDS: [u16; 4] = [3, 4, 40, 62];

/// The ids of the process in its own pid namespace, as the kernel has them in a core: what
/// locks and messages of the process call its threads.
pub(super) struct Family {
    parent: Tid,
    process_group: Tid,
    session: Tid,
}

impl Family {
    /// That of a process.
    pub(super) fn of(process: Tid) -> io::Result<Self> {
        let status = Status::of(process)?;
        let last = |ids: &[Tid]| ids.last().copied().unwrap_or(0);
        // A parent outside of the namespace has no number in it.
        let parent = Status::of(status.parent).ok();
        let parent = parent.filter(|parent| parent.ids.len() >= status.ids.len());
        let depth = status.ids.len().saturating_sub(1);
        Ok(Self {
            parent: parent.and_then(|parent| parent.ids.get(depth).copied()).unwrap_or(0),
            process_group: last(&status.process_groups),
            session: last(&status.sessions),
        })
    }
}

/// `struct elf_prstatus` of a stopped thread whose general registers are `registers`.
pub(super) fn status_of_thread(
    held: &Held,
    thread: Tid,
    family: &Family,
    image: &Image,
    registers: &[u8],
    has_floats: bool,
) -> io::Result<Vec<u8>> {
    let status = Status::of_thread(held.process, thread)?;
    // The times of the leader are those of all threads.
    let stat = match thread == held.process {
        true => Stat::of(held.process)?,
        false => Stat::of_thread(held.process, thread)?,
    };
    let layout = &image.facts.prstatus;
    let word = image.encoding.word();
    let end = layout.registers.saturating_add(layout.size);
    let alignment = usize::from(image.facts.word).max(4);
    let length = end.saturating_add(4).next_multiple_of(alignment);
    let mut fields = Fields::new(length, image.encoding);
    fields.int(0, held.signal);
    fields.put(12, 2, u64::from(held.signal.cast_unsigned()));
    let signals = layout.pid.saturating_sub(word.saturating_mul(2));
    fields.word(signals, status.pending);
    fields.word(signals.saturating_add(word), status.blocked);
    let ids = [status.own_id().unwrap_or(thread), family.parent, family.process_group];
    for (nth, id) in ids.into_iter().chain([family.session]).enumerate() {
        fields.int(layout.pid.saturating_add(nth.saturating_mul(4)), id);
    }
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let times = layout.registers.saturating_sub(word.saturating_mul(8));
    let all = [stat.times.0, stat.times.1, stat.children.0, stat.children.1];
    for (nth, time) in all.into_iter().enumerate() {
        let at = times.saturating_add(nth.saturating_mul(word).saturating_mul(2));
        let micros = (time % ticks).saturating_mul(1_000_000) / ticks;
        fields.word(at, time / ticks);
        fields.word(at.saturating_add(word), micros);
    }
    let registers = registers.get(..layout.size).unwrap_or(registers);
    fields.put_bytes(layout.registers, registers);
    fields.int(end, i32::from(has_floats));
    Ok(fields.into_bytes())
}

/// Where the fields of `struct elf_prpsinfo` lie.
struct InfoLayout {
    id_size: usize,
    user: usize,
    process: usize,
    name: usize,
}

impl InfoLayout {
    fn of(image: &Image) -> Self {
        match (image.encoding.is_64, SHORT_IDS.contains(&image.number)) {
            (true, _) => Self { id_size: 4, user: 16, process: 24, name: 40 },
            (false, false) => Self { id_size: 4, user: 8, process: 16, name: 32 },
            (false, true) => Self { id_size: 2, user: 8, process: 12, name: 28 },
        }
    }
}

/// `struct elf_prpsinfo` of the process.
pub(super) fn info_of_process(held: &Held, family: &Family, image: &Image) -> io::Result<Vec<u8>> {
    let status = Status::of(held.process)?;
    let stat = Stat::of(held.process)?;
    let layout = InfoLayout::of(image);
    let arguments = layout.name.saturating_add(NAME);
    let mut fields = Fields::new(arguments.saturating_add(ARGUMENTS), image.encoding);
    // `pr_state` 0 is running: what a process is that dumps itself. The state of this one is
    // that it is traced, which would say more of obit than of it.
    fields.put_bytes(1, b"R");
    fields.put_bytes(3, &stat.nice.to_ne_bytes());
    fields.word(if image.encoding.is_64 { 8 } else { 4 }, stat.flags);
    fields.put(layout.user, layout.id_size, u64::from(status.users.0));
    let group = layout.user.saturating_add(layout.id_size);
    fields.put(group, layout.id_size, u64::from(status.groups.0));
    let ids = [status.own_id().unwrap_or(held.process), family.parent, family.process_group];
    for (nth, id) in ids.into_iter().chain([family.session]).enumerate() {
        fields.int(layout.process.saturating_add(nth.saturating_mul(4)), id);
    }
    fields.put_bytes(layout.name, stat.name.get(..NAME - 1).unwrap_or(&stat.name));
    fields.put_bytes(arguments, &arguments_of(held.with_memory()));
    Ok(fields.into_bytes())
}

/// The start of the command line, its NULs as blanks. A process may have overwritten it, or
/// have none.
fn arguments_of(thread: Tid) -> Vec<u8> {
    let line = proc::read(thread, "cmdline").unwrap_or_default();
    let line = line.get(..ARGUMENTS - 1).unwrap_or(&line);
    line.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect()
}
