//! Cores from a few words: machine, threads, memory.

use super::CoreFile;
use crate::arch::Machine;
use crate::dump::{Dump, OpenError};
use crate::elf::Encoding;
use crate::limits::Limits;

/// Builds the bytes of a core. Notes are written in the order of the calls, so that a
/// test can write them as the kernel does, or as no kernel does.
///
/// ```
/// # #[cfg(feature = "testkit")] {
/// use obit_corefile::testkit::CoreBuilder;
/// let dump = CoreBuilder::x86_64()
///     .signal(11)
///     .thread(42, &[("rip", 0x40_1000), ("rsp", 0x7ffd_0000)])
///     .siginfo(11, 1, 0x18)
///     .segment(0x7ffd_0000, &[0; 64], 0x1000)
///     .open()
///     .unwrap();
/// assert_eq!(dump.threads[0].tid, 42);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CoreBuilder {
    e_machine: u16,
    encoding: Encoding,
    signal: u16,
    notes: Vec<u8>,
    segments: Vec<Segment>,
    section_header: bool,
    truncate_at: Option<usize>,
}

#[derive(Clone, Debug)]
struct Segment {
    start: u64,
    bytes: Vec<u8>,
    len: u64,
    flags: u32,
    /// `p_filesz`, when it is not the length of `bytes`.
    promised: Option<u64>,
}

impl CoreBuilder {
    /// A core of any machine.
    pub fn new(e_machine: u16, encoding: Encoding) -> Self {
        Self {
            e_machine,
            encoding,
            signal: 0,
            notes: Vec::new(),
            segments: Vec::new(),
            section_header: true,
            truncate_at: None,
        }
    }

    /// A core of a machine that facts are known of, in its byte order, or little-endian.
    ///
    /// # Panics
    /// When there are no facts.
    pub fn of(machine: Machine) -> Self {
        let elf = machine.facts().expect("a machine with facts").elf;
        let little_endian = elf.little_endian.unwrap_or(true);
        Self::new(elf.e_machine, Encoding { is_64: elf.is_64, little_endian })
    }

    fn little(e_machine: u16, is_64: bool) -> Self {
        Self::new(e_machine, Encoding { is_64, little_endian: true })
    }

    /// AMD64.
    pub fn x86_64() -> Self {
        Self::little(62, true)
    }

    /// 32-bit x86.
    pub fn i386() -> Self {
        Self::little(3, false)
    }

    /// 64-bit Arm.
    pub fn aarch64() -> Self {
        Self::little(183, true)
    }

    /// 32-bit Arm.
    pub fn arm() -> Self {
        Self::little(40, false)
    }

    /// 64-bit RISC-V.
    pub fn riscv64() -> Self {
        Self::little(243, true)
    }

    /// A machine obit has no facts about, big-endian.
    pub fn without_facts() -> Self {
        Self::new(15, Encoding { is_64: true, little_endian: false })
    }

    /// The same in big-endian; call it before anything is added.
    #[must_use]
    pub fn big_endian(mut self) -> Self {
        self.encoding.little_endian = false;
        self
    }

    /// The machine of the core.
    pub fn machine(&self) -> Machine {
        let Encoding { is_64, little_endian } = self.encoding;
        Machine::from_elf(self.e_machine, is_64, little_endian)
    }

    /// Class and byte order of the core.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// `pr_cursig` of the threads added from here on.
    #[must_use]
    pub fn signal(mut self, number: u16) -> Self {
        self.signal = number;
        self
    }

    /// A thread, its registers by name; the others are zero.
    ///
    /// # Panics
    /// When the machine has no register of that name.
    #[must_use]
    pub fn thread(self, tid: i32, registers: &[(&str, u64)]) -> Self {
        let desc = self.prstatus(tid, self.signal, registers);
        self.note(b"CORE", 1, &desc)
    }

    /// Any note, after those so far. Of a thread, it belongs after that thread.
    #[must_use]
    pub fn note(mut self, owner: &[u8], kind: u32, desc: &[u8]) -> Self {
        let owner_size = if owner.is_empty() { 0 } else { owner.len() + 1 };
        let mut note = Vec::new();
        note.extend(self.number(owner_size as u64, 4));
        note.extend(self.number(desc.len() as u64, 4));
        note.extend(self.number(u64::from(kind), 4));
        note.extend(owner);
        note.resize((12 + owner_size).next_multiple_of(4), 0);
        note.extend(desc);
        note.resize(note.len().next_multiple_of(4), 0);
        self.notes.extend(note);
        self
    }

    /// Bytes as they are among the notes: malformed ones.
    #[must_use]
    pub fn raw_notes(mut self, bytes: &[u8]) -> Self {
        self.notes.extend(bytes);
        self
    }

    /// `NT_SIGINFO` of a fault.
    #[must_use]
    pub fn siginfo(self, number: i32, code: i32, address: u64) -> Self {
        let word = self.encoding.word();
        let mut desc = vec![0; 128];
        self.put(&mut desc, 0, u64::from(number.cast_unsigned()), 4);
        self.put(&mut desc, 8, u64::from(code.cast_unsigned()), 4);
        self.put(&mut desc, if word == 8 { 16 } else { 12 }, address, word);
        self.note(b"CORE", 0x5349_4749, &desc)
    }

    /// `NT_PRPSINFO`, state `R`, user and group 1000, parent 1.
    #[must_use]
    pub fn process(self, pid: i32, command: &str, arguments: &str) -> Self {
        let (size, id, ids_at, pid_at, text_at) =
            if self.encoding.is_64 { (136, 4, 16, 24, 40) } else { (124, 2, 8, 12, 28) };
        let mut desc = vec![0; size];
        desc[1] = b'R';
        self.put(&mut desc, ids_at, 1000, id);
        self.put(&mut desc, ids_at + id, 1000, id);
        self.put(&mut desc, pid_at, u64::from(pid.cast_unsigned()), 4);
        self.put(&mut desc, pid_at + 4, 1, 4);
        let (command, arguments) = (command.as_bytes(), arguments.as_bytes());
        desc[text_at..][..command.len().min(15)].copy_from_slice(&command[..command.len().min(15)]);
        let kept = arguments.len().min(79);
        desc[text_at + 16..][..kept].copy_from_slice(&arguments[..kept]);
        self.note(b"CORE", 3, &desc)
    }

    /// `NT_AUXV`, ended by `AT_NULL`.
    #[must_use]
    pub fn auxv(self, entries: &[(u64, u64)]) -> Self {
        let ended = entries.iter().chain(&[(0, 0)]);
        let word = self.encoding.word();
        let desc: Vec<u8> = ended
            .flat_map(|(key, value)| [self.number(*key, word), self.number(*value, word)].concat())
            .collect();
        self.note(b"CORE", 6, &desc)
    }

    /// `NT_FILE`: start, end, offset in bytes (a multiple of 4096), path.
    #[must_use]
    pub fn files(self, files: &[(u64, u64, u64, &str)]) -> Self {
        let word = self.encoding.word();
        let mut desc = self.number(files.len() as u64, word);
        desc.extend(self.number(4096, word));
        for (start, end, offset, _) in files {
            for value in [*start, *end, offset / 4096] {
                desc.extend(self.number(value, word));
            }
        }
        for (_, _, _, path) in files {
            desc.extend(path.bytes().chain([0]));
        }
        self.note(b"CORE", 0x4649_4c45, &desc)
    }

    /// A readable and writable mapping of `len` bytes of which `bytes` were dumped.
    #[must_use]
    pub fn segment(self, start: u64, bytes: &[u8], len: u64) -> Self {
        self.segment_with(start, bytes, len, "rw")
    }

    /// The same with rights as in `ls`: any of `r`, `w`, `x`.
    #[must_use]
    pub fn segment_with(mut self, start: u64, bytes: &[u8], len: u64, rights: &str) -> Self {
        let bit = |c, flag| if rights.contains(c) { flag } else { 0 };
        let flags = bit('r', 4) | bit('w', 2) | bit('x', 1);
        let bytes = bytes.to_vec();
        self.segments.push(Segment { start, bytes, len, flags, promised: None });
        self
    }

    /// A mapping whose program header promises `promised` bytes that the file lacks.
    #[must_use]
    pub fn promised_segment(mut self, start: u64, len: u64, promised: u64) -> Self {
        let promised = Some(promised);
        self.segments.push(Segment { start, bytes: Vec::new(), len, flags: 6, promised });
        self
    }

    /// `count` mappings of a page without bytes, from 0x10_0000 on, every other page. From
    /// 65,535 segments on, the core counts them in a section header (`PN_XNUM`).
    #[must_use]
    pub fn empty_segments(mut self, count: u64) -> Self {
        self.segments.extend((0..count).map(|nth| Segment {
            start: 0x10_0000 + nth * 0x2000,
            bytes: Vec::new(),
            len: 0x1000,
            flags: 4,
            promised: None,
        }));
        self
    }

    /// Leaves out the section header that counts the segments, but not `e_shoff`.
    #[must_use]
    pub fn without_section_header(mut self) -> Self {
        self.section_header = false;
        self
    }

    /// Cuts the file after `len` bytes.
    #[must_use]
    pub fn truncated(mut self, len: usize) -> Self {
        self.truncate_at = Some(len);
        self
    }

    /// The bytes of the core: header, program headers, notes, segments, section header.
    pub fn build(&self) -> Vec<u8> {
        let (header_size, entry) = if self.encoding.is_64 { (64, 56) } else { (52, 32) };
        let count = self.segments.len() + 1;
        let extended = count >= 0xffff;
        let notes_at = header_size + entry * count;
        let mut at = notes_at + self.notes.len();
        let mut table = self.program_header(4, 0, notes_at, self.notes.len() as u64, 0, 0);
        for segment in &self.segments {
            let size = segment.promised.unwrap_or(segment.bytes.len() as u64);
            let Segment { start, len, flags, .. } = *segment;
            table.extend(self.program_header(1, flags, at, size, start, len));
            at += segment.bytes.len();
        }
        let sections_at = if extended { at } else { 0 };
        let mut core = self.header(sections_at, count.min(0xffff));
        core.extend(table);
        core.extend(&self.notes);
        for segment in &self.segments {
            core.extend(&segment.bytes);
        }
        if extended && self.section_header {
            let (size, info_at) = if self.encoding.is_64 { (64, 44) } else { (40, 28) };
            let mut section = vec![0; size];
            self.put(&mut section, info_at, count as u64, 4);
            core.extend(section);
        }
        core.truncate(self.truncate_at.unwrap_or(usize::MAX));
        core
    }

    /// The core in a file of its own.
    pub fn write(&self) -> CoreFile {
        CoreFile::new(&self.build())
    }

    /// The core as [`Dump::open`] reads it. The file is gone then, the dump stays
    /// readable.
    ///
    /// # Errors
    /// Those of [`Dump::open`].
    pub fn open(&self) -> Result<Dump, OpenError> {
        Dump::open(self.write().path(), &Limits::default())
    }

    /// The descriptor of an `NT_PRSTATUS`. x86_64's `orig_rax` counts as a register, too.
    ///
    /// # Panics
    /// When the machine has no register of that name.
    pub fn prstatus(&self, tid: i32, signal: u16, registers: &[(&str, u64)]) -> Vec<u8> {
        let machine = self.machine();
        let Some(facts) = machine.facts() else {
            assert!(registers.is_empty(), "{machine:?} has no registers");
            let mut desc = vec![0; if self.encoding.is_64 { 120 } else { 76 }];
            self.put(&mut desc, 12, u64::from(signal), 2);
            let pid_at = if self.encoding.is_64 { 32 } else { 24 };
            self.put(&mut desc, pid_at, u64::from(tid.cast_unsigned()), 4);
            return desc;
        };
        let layout = &facts.prstatus;
        // `pr_fpvalid` ends it.
        let mut desc = vec![0; layout.registers + layout.size + self.encoding.word()];
        self.put(&mut desc, 0, u64::from(signal), 4);
        self.put(&mut desc, 12, u64::from(signal), 2);
        self.put(&mut desc, layout.pid, u64::from(tid.cast_unsigned()), 4);
        for (name, value) in registers {
            let wanted = facts.register_named(name);
            let mut places = layout.saved.iter().flat_map(|row| {
                row.places().map(|(at, register)| (at as usize, register, usize::from(row.step)))
            });
            let place = places.find(|(_, register, _)| Some(*register) == wanted);
            let place = place.map(|(at, _, size)| (at, size));
            let other = layout.others.iter().find(|other| other.name == *name);
            let place = place.or_else(|| other.map(|other| (other.at, other.size)));
            let call = layout.system_call.filter(|_| *name == "orig_rax");
            let place = place.or_else(|| call.map(|at| (at, usize::from(facts.word))));
            let (at, size) =
                place.unwrap_or_else(|| panic!("{} has no register {name}", facts.name));
            self.put(&mut desc, layout.registers + at, *value, size);
        }
        desc
    }

    fn header(&self, sections_at: usize, count: usize) -> Vec<u8> {
        let Encoding { is_64, little_endian } = self.encoding;
        let word = self.encoding.word();
        let mut header = b"\x7fELF".to_vec();
        header.extend([if is_64 { 2 } else { 1 }, if little_endian { 1 } else { 2 }, 1]);
        header.resize(16, 0);
        let (header_size, entry, section) = if is_64 { (64, 56, 64) } else { (52, 32, 40) };
        let fields = [
            (4, 2),
            (u64::from(self.e_machine), 2),
            (1, 4),
            (0, word),
            (header_size, word),
            (sections_at as u64, word),
            (0, 4),
            (header_size, 2),
            (entry, 2),
            (count as u64, 2),
            (if sections_at > 0 { section } else { 0 }, 2),
            (u64::from(sections_at > 0), 2),
            (0, 2),
        ];
        header.extend(fields.iter().flat_map(|(value, size)| self.number(*value, *size)));
        header
    }

    fn program_header(
        &self,
        kind: u64,
        flags: u32,
        offset: usize,
        file_size: u64,
        address: u64,
        mem_size: u64,
    ) -> Vec<u8> {
        let word = self.encoding.word();
        let flags = (u64::from(flags), 4);
        let (early, late) =
            if self.encoding.is_64 { (Some(flags), None) } else { (None, Some(flags)) };
        let sizes = [(offset as u64, word), (address, word), (0, word)];
        let rest = [(file_size, word), (mem_size, word)];
        let align = (if kind == 4 { 0 } else { 1 }, word);
        let fields = [(kind, 4)].into_iter().chain(early).chain(sizes).chain(rest);
        let fields = fields.chain(late).chain([align]);
        fields.flat_map(|(value, size)| self.number(value, size)).collect()
    }

    fn number(&self, value: u64, size: usize) -> Vec<u8> {
        if self.encoding.little_endian {
            value.to_le_bytes()[..size].to_vec()
        } else {
            value.to_be_bytes()[8 - size..].to_vec()
        }
    }

    fn put(&self, desc: &mut [u8], at: usize, value: u64, size: usize) {
        desc[at..at + size].copy_from_slice(&self.number(value, size));
    }
}

/// The descriptor of an `NT_SIGINFO` of a fault, 64-bit little-endian.
pub fn siginfo_64(number: i32, code: i32, address: u64) -> Vec<u8> {
    let mut desc = Vec::new();
    for int in [number, 0, code, 0] {
        desc.extend(int.to_le_bytes());
    }
    desc.extend(address.to_le_bytes());
    desc.resize(128, 0);
    desc
}
