//! `NT_PRPSINFO`: the process as a whole (Linux `include/linux/elfcore.h`,
//! `struct elf_prpsinfo`).

use crate::elf::Encoding;
use crate::escape::visible_utf8;

/// Bytes of `pr_fname` (`TASK_COMM_LEN`).
const COMM: usize = 16;
/// Bytes of `pr_psargs` (`ELF_PRARGSZ`).
const ARGUMENTS: usize = 80;

/// What the kernel notes of the process. A field that the note is too short for is
/// `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// `pr_pid`: the thread group's id.
    pub pid: i64,
    /// `pr_ppid`: the parent.
    pub parent: Option<i64>,
    /// `pr_pgrp`: the process group.
    pub group: Option<i64>,
    /// `pr_sid`: the session.
    pub session: Option<i64>,
    /// `pr_uid`: real user id. On i386 and arm cut to 16 bits by the format.
    pub uid: Option<u32>,
    /// `pr_gid`: real group id, likewise.
    pub gid: Option<u32>,
    /// `pr_sname`: state as in ps(1), `R` for running.
    pub state: Option<char>,
    /// `pr_fname`: the command's name, at most 15 bytes. A character that it is cut in is
    /// escaped.
    pub command: String,
    /// The same as it is in the core.
    pub command_bytes: Vec<u8>,
    /// `pr_psargs`: the start of the command line, arguments joined by blanks.
    pub arguments: String,
    /// Whether `arguments` fills its field, so that more may have followed.
    pub arguments_cut: bool,
}

/// Offsets of the fields, bytes.
struct Layout {
    id_size: usize,
    uid: usize,
    pid: usize,
    command: usize,
}

impl Layout {
    /// 64-bit: 136 bytes. 32-bit: 124 bytes where `__kernel_uid_t` has 16 bits (i386,
    /// arm), 128 where it has 32 (mips, powerpc, riscv32).
    fn of(encoding: Encoding, size: usize) -> Self {
        match (encoding.is_64, size) {
            (true, _) => Self { id_size: 4, uid: 16, pid: 24, command: 40 },
            (false, 128..) => Self { id_size: 4, uid: 8, pid: 16, command: 32 },
            (false, _) => Self { id_size: 2, uid: 8, pid: 12, command: 28 },
        }
    }
}

impl ProcessInfo {
    /// Reads the note's descriptor; `None` if it is too short for a pid.
    pub(super) fn parse(desc: &[u8], encoding: Encoding) -> Option<Self> {
        let layout = Layout::of(encoding, desc.len());
        let pid_at = |at: usize| {
            let raw = encoding.u32(desc, layout.pid.saturating_add(at))?;
            Some(i64::from(raw.cast_signed()))
        };
        let id_at = |nth: usize| {
            let at = layout.uid.saturating_add(nth.saturating_mul(layout.id_size));
            u32::try_from(encoding.unsigned(desc, at, layout.id_size)?).ok()
        };
        let text_at = |at: usize, size: usize| {
            let rest = desc.get(at..).unwrap_or(&[]);
            let field = rest.get(..size).unwrap_or(rest);
            field.split(|byte| *byte == 0).next().unwrap_or(&[])
        };
        let arguments = text_at(layout.command.saturating_add(COMM), ARGUMENTS);
        let command = text_at(layout.command, COMM);
        Some(Self {
            pid: pid_at(0)?,
            parent: pid_at(4),
            group: pid_at(8),
            session: pid_at(12),
            uid: id_at(0),
            gid: id_at(1),
            state: desc.get(1).map(|byte| char::from(*byte)).filter(char::is_ascii_graphic),
            command: visible_utf8(command),
            command_bytes: command.to_owned(),
            arguments: String::from_utf8_lossy(arguments).trim_end().to_owned(),
            arguments_cut: arguments.len() >= ARGUMENTS.saturating_sub(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(desc: &mut [u8], at: usize, bytes: &[u8]) {
        desc[at..at + bytes.len()].copy_from_slice(bytes);
    }

    #[test]
    fn the_64_bit_layout_has_136_bytes() {
        let mut desc = vec![0; 136];
        put(&mut desc, 1, b"R");
        put(&mut desc, 16, &1000_u32.to_le_bytes());
        put(&mut desc, 20, &100_u32.to_le_bytes());
        put(&mut desc, 24, &42_u32.to_le_bytes());
        put(&mut desc, 28, &1_u32.to_le_bytes());
        put(&mut desc, 40, b"prog\0");
        put(&mut desc, 56, b"./prog -v ");
        let info = ProcessInfo::parse(&desc, Encoding { is_64: true, little_endian: true });
        let expected = ProcessInfo {
            pid: 42,
            parent: Some(1),
            group: Some(0),
            session: Some(0),
            uid: Some(1000),
            gid: Some(100),
            state: Some('R'),
            command: "prog".to_owned(),
            command_bytes: b"prog".to_vec(),
            arguments: "./prog -v".to_owned(),
            arguments_cut: false,
        };
        assert_eq!(info, Some(expected));
    }

    #[test]
    fn a_name_that_is_cut_within_a_character_keeps_its_bytes() {
        let mut desc = vec![0; 136];
        put(&mut desc, 40, b"fourteen-bytes\xc3");
        let info = ProcessInfo::parse(&desc, Encoding { is_64: true, little_endian: true });
        let info = info.unwrap();
        assert_eq!(info.command, "fourteen-bytes\\xc3");
        assert_eq!(info.command_bytes, b"fourteen-bytes\xc3");
    }

    #[test]
    fn a_32_bit_note_has_narrow_or_wide_user_ids_by_its_length() {
        let big = Encoding { is_64: false, little_endian: false };
        let mut narrow = vec![0; 124];
        put(&mut narrow, 8, &7_u16.to_be_bytes());
        put(&mut narrow, 12, &42_u32.to_be_bytes());
        put(&mut narrow, 28, b"n");
        let info = ProcessInfo::parse(&narrow, big).unwrap();
        assert_eq!((info.pid, info.uid, info.command.as_str()), (42, Some(7), "n"));
        let mut wide = vec![0; 128];
        put(&mut wide, 8, &70_000_u32.to_be_bytes());
        put(&mut wide, 16, &42_u32.to_be_bytes());
        put(&mut wide, 32, b"w");
        let info = ProcessInfo::parse(&wide, big).unwrap();
        assert_eq!((info.pid, info.uid, info.command.as_str()), (42, Some(70_000), "w"));
    }

    #[test]
    fn a_short_note_gives_what_it_holds() {
        let encoding = Encoding { is_64: true, little_endian: true };
        assert_eq!(ProcessInfo::parse(&[0; 27], encoding), None);
        let info = ProcessInfo::parse(&[0; 28], encoding).unwrap();
        assert_eq!((info.pid, info.parent), (0, None));
    }
}
