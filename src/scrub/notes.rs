//! The notes of a core without what they reveal about people: which stay, and what of them.

use super::typed::Typed;
use crate::report;
use obit_corefile::arch::{FloatNote, FloatPlace, Register, X86Float};
use obit_corefile::dump::{Dump, Signal, xsave_mask_registers};
use obit_corefile::elf::{FileHeader, Notes, SegmentKind};
use obit_corefile::limits::Limits;
use obit_redact::memory::{Judge, MASK};
use obit_redact::{Level, Origin, Redactor};

/// Program headers that are looked at for notes: the kernel and gcore put theirs first.
const HEADERS: usize = 4096;
/// `struct elf_prpsinfo`: bytes of `pr_fname` and of `pr_psargs`, at its end.
const ARGUMENTS: usize = 80;
const COMMAND: usize = 16;
/// `struct _xstate` (Linux `arch/x86/include/uapi/asm/sigcontext.h`): control words and
/// `mxcsr`; `sw_reserved`, which names the components, and the header that follows it.
const FX_CONTROL: (usize, usize) = (0, 32);
const XSAVE_LAYOUT: (usize, usize) = (464, 576);

/// The notes that were kept, ready to be written, and how much of them was masked.
#[derive(Debug, Default)]
pub(super) struct MaskedNotes {
    /// The segment.
    pub(super) bytes: Vec<u8>,
    /// General registers that held text.
    pub(super) registers: usize,
    /// Notes of kinds that are not known.
    pub(super) dropped: usize,
}

/// What all notes are judged by.
struct Masker<'m> {
    dump: &'m Dump,
    judge: &'m Judge<'m>,
    typed: &'m Typed,
    redactor: Redactor,
    /// The thread whose notes are read: `NT_PRSTATUS` is its first.
    tid: i64,
    /// General registers that were masked.
    registers: usize,
}

/// The notes of `dump`, masked.
pub(super) fn mask(dump: &Dump, judge: &Judge<'_>, typed: &Typed, limits: &Limits) -> MaskedNotes {
    let mut masked = MaskedNotes::default();
    let start = dump.bytes.read_vec(0, FileHeader::SIZE as u64);
    let Ok(header) = FileHeader::parse(&start) else { return masked };
    let count = usize::from(header.segments_count).min(HEADERS);
    let table = (count * header.segment_size()) as u64;
    let table = dump.bytes.read_vec(header.segments_offset, table);
    let mut left = limits.note_segment_bytes;
    let redactor = Redactor::without_key(Level::Default);
    let mut masker = Masker { dump, judge, typed, redactor, tid: 0, registers: 0 };
    for segment in header.parse_segments(&table, count) {
        if segment.kind != SegmentKind::Note {
            continue;
        }
        let size = segment.file_size.min(left);
        left -= size;
        let bytes = dump.bytes.read_vec(segment.offset, size);
        // A note that is cut short ends the segment: what cannot be judged goes.
        for note in Notes::new(&bytes, segment.align, dump.encoding).map_while(Result::ok) {
            let mut desc = note.desc.to_vec();
            if masker.mask_note(note.owner, note.kind, &mut desc) {
                append(&mut masked.bytes, note.owner, note.kind, &desc, dump);
            } else {
                masked.dropped += 1;
            }
        }
    }
    masked.registers = masker.registers;
    masked
}

fn append(out: &mut Vec<u8>, owner: &[u8], kind: u32, desc: &[u8], dump: &Dump) {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(0);
    for number in [size(owner).saturating_add(1), size(desc), kind] {
        out.extend(super::write::number(u64::from(number), 4, dump.encoding));
    }
    out.extend(owner);
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(desc);
    out.resize(out.len().next_multiple_of(4), 0);
}

impl Masker<'_> {
    /// Masks one note in place; `false` if it must not be kept.
    fn mask_note(&mut self, owner: &[u8], kind: u32, desc: &mut [u8]) -> bool {
        let dump = self.dump;
        match (owner, kind) {
            (b"CORE", 1) => self.mask_registers(desc),
            (b"CORE", 2) => {
                let controls = dump.machine.facts().and_then(|facts| facts.float_controls);
                let Some(controls) = controls else { return false };
                let mut kept = self.vectors();
                kept.push(controls);
                keep_only(desc, &kept);
                self.clear_keys(desc);
            }
            (b"CORE", 3) => {
                mask_command(desc, dump);
                mask_arguments(desc, &mut self.redactor);
            }
            // NT_AUXV, NT_SIGINFO, NT_386_TLS, NT_X86_XSAVE_LAYOUT, NT_ARM_TLS,
            // NT_ARM_PAC_MASK: numbers and addresses.
            (b"CORE", 6 | 0x5349_4749) | (b"LINUX", 0x200 | 0x205 | 0x401 | 0x406) => {}
            (b"CORE", 0x4649_4c45) => mask_file_names(desc, dump, &mut self.redactor),
            (b"LINUX", 0x46e6_2b7f) => keep_only(desc, &[FX_CONTROL]),
            (b"LINUX", 0x202) => {
                self.mask_xsave(desc);
                self.clear_keys(desc);
            }
            (b"LINUX", 0x400) => keep_only(desc, &[(256, 260)]),
            (b"LINUX", 0x405) => keep_only(desc, &[(0, 16)]),
            _ => return false,
        }
        true
    }

    /// Where the vector registers of the thread lie that hold numbers of variables: in
    /// `fxsave` and `xsave` areas, and in `struct user_fpsimd_state`.
    fn vectors(&self) -> Vec<(usize, usize)> {
        let place = |register: Register| -> Option<usize> {
            let (bank, nth) = self.dump.machine.facts()?.float_bank(register)?;
            match bank.place {
                FloatPlace::X86(X86Float::Vectors) if nth < 16 => Some(160 + 16 * usize::from(nth)),
                FloatPlace::Array { note: FloatNote::FpRegset, at, size } => {
                    usize::try_from(at + size * u64::from(nth)).ok()
                }
                FloatPlace::X86(_)
                | FloatPlace::Array { .. }
                | FloatPlace::Halves { .. }
                | FloatPlace::ArmSve => None,
            }
        };
        let known = self.typed.vectors.iter();
        let own = known.filter(|((tid, _), _)| *tid == self.tid);
        own.filter_map(|((_, register), size)| {
            let at = place(*register)?;
            Some((at, at + size))
        })
        .collect()
    }

    /// What compares left in the mask registers stays, unless it is text.
    fn mask_xsave(&self, desc: &mut [u8]) {
        let masks = xsave_mask_registers(desc.len() as u64).unwrap_or(0..0);
        let mut kept = self.vectors();
        kept.extend([FX_CONTROL, XSAVE_LAYOUT, (masks.start, masks.end)]);
        keep_only(desc, &kept);
        for register in desc.get_mut(masks).unwrap_or(&mut []).chunks_exact_mut(8) {
            self.judge.mask_register(register);
        }
    }

    /// A number of a variable that is a part of a key as well.
    fn clear_keys(&self, desc: &mut [u8]) {
        for range in self.typed.places.keys.find(desc) {
            desc.get_mut(range).unwrap_or(&mut []).fill(0);
        }
    }

    fn mask_registers(&mut self, desc: &mut [u8]) {
        let dump = self.dump;
        let Some(facts) = dump.machine.facts() else {
            // Which bytes are registers is not known: all go but `pr_pid` and what is before it.
            keep_only(desc, &[(0, if dump.encoding.is_64 { 48 } else { 32 })]);
            return;
        };
        let pid = dump.encoding.u32(desc, facts.prstatus.pid);
        self.tid = pid.map_or(0, i64::from);
        let fault = dump.signal.as_ref().and_then(Signal::address).map(|at| at.0);
        let registers = desc.get_mut(facts.prstatus.registers..).unwrap_or(&mut []);
        let size = facts.prstatus.size.min(registers.len());
        let registers = registers.get_mut(..size).unwrap_or(&mut []);
        let word = usize::from(facts.word).max(1);
        for (bytes, at) in registers.chunks_exact_mut(word).zip((0..).step_by(word)) {
            let register = facts.prstatus.register_at(at);
            // Where the thread was stays, and the signal has the address that failed anyway.
            let is_place = register == Some(facts.pc) || register == Some(facts.sp);
            let is_fault = dump.encoding.word_at(bytes, 0) == fault;
            if is_place || is_fault {
                continue;
            }
            let hidden = &self.typed.registers;
            let is_hidden = register.is_some_and(|it| hidden.contains(&(self.tid, it)));
            let is_masked = match is_hidden {
                true => self.judge.hide_register(bytes),
                false => self.judge.mask_register(bytes),
            };
            self.registers += usize::from(is_masked);
        }
    }
}

fn keep_only(desc: &mut [u8], kept: &[(usize, usize)]) {
    for (at, byte) in desc.iter_mut().enumerate() {
        if !kept.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            *byte = 0;
        }
    }
}

/// `pr_fname` stays where it is a file's name; a program may call itself what it wants.
fn mask_command(desc: &mut [u8], dump: &Dump) {
    let Some(shown) = dump.process.as_ref().map(|_| report::public_command(dump)) else { return };
    let Some(at) = desc.len().checked_sub(ARGUMENTS + COMMAND) else { return };
    for (nth, byte) in desc.iter_mut().skip(at).take(COMMAND).enumerate() {
        *byte = shown.get(nth).copied().unwrap_or(0);
    }
}

/// The program's own word stays, the rest of the command line does not.
fn mask_arguments(desc: &mut [u8], redactor: &mut Redactor) {
    let Some(at) = desc.len().checked_sub(ARGUMENTS) else { return desc.fill(0) };
    let arguments = desc.get_mut(at..).unwrap_or(&mut []);
    let program = arguments.iter().position(|byte| matches!(byte, b' ' | 0)).unwrap_or(0);
    let (program, rest) = arguments.split_at_mut(program);
    mask_path(program, redactor);
    for byte in rest.iter_mut().filter(|byte| !matches!(**byte, b' ' | 0)) {
        *byte = MASK;
    }
}

/// `NT_FILE`: a count, the size of a page, three words for each mapping, then the names.
fn mask_file_names(desc: &mut [u8], dump: &Dump, redactor: &mut Redactor) {
    let word = dump.encoding.word();
    let count = dump.encoding.word_at(desc, 0).and_then(|count| usize::try_from(count).ok());
    let names = count.and_then(|count| count.checked_mul(3)?.checked_add(2)?.checked_mul(word));
    // A table that makes no sense is not kept.
    let Some(names) = names.and_then(|at| desc.get_mut(at..)) else { return desc.fill(0) };
    for name in names.split_mut(|byte| *byte == 0) {
        mask_path(name, redactor);
    }
}

/// Masks what a path reveals about people, with its length: whose home it is, and parts that
/// look like a secret or a person.
pub(super) fn mask_path(path: &mut [u8], redactor: &mut Redactor) {
    let mut is_home = false;
    for part in path.split_mut(|byte| *byte == b'/') {
        let shown = redactor.show_bytes(Origin::Path, part).into_string();
        let is_text = std::str::from_utf8(part).is_ok_and(|text| text == shown);
        if is_home || !is_text {
            part.fill(MASK);
        }
        is_home = matches!(&*part, b"home" | b"Users");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;

    #[test]
    fn a_path_keeps_its_length_and_loses_whose_home_it_is() {
        let mut redactor = Redactor::new(Level::Default, "");
        let mut path = *b"/home/alice/bin/server";
        mask_path(&mut path, &mut redactor);
        assert_eq!(path, *b"/home/xxxxx/bin/server");
        let mut path = *b"/srv/alice@example.com/log";
        mask_path(&mut path, &mut redactor);
        assert_eq!(path, *b"/srv/xxxxxxxxxxxxxxxxx/log");
    }

    #[test]
    fn a_process_name_stays_only_where_it_is_a_file_s() {
        let name = |command: &str| {
            let files = [(0x40_0000, 0x40_1000, 0, "/usr/bin/desk")];
            let builder = CoreBuilder::x86_64().signal(11).thread(42, &[]);
            let dump = builder.process(42, command, "desk").files(&files).open().unwrap();
            String::from_utf8(report::public_command(&dump)).unwrap()
        };
        assert_eq!((name("desk").as_str(), name("desk ann").as_str()), ("desk", "xxxxxxxx"));
    }

    #[test]
    fn of_the_command_line_only_the_program_stays() {
        let mut redactor = Redactor::new(Level::Default, "");
        let mut desc = vec![0; 136];
        desc[56..56 + 22].copy_from_slice(b"./srv --key=geheim 4 5");
        mask_arguments(&mut desc, &mut redactor);
        assert_eq!(desc[56..56 + 23], *b"./srv xxxxxxxxxxxx x x\0");
    }
}
