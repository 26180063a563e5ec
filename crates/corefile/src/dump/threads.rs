//! Collects what the notes of a core say, thread by thread, and finds the one that
//! brought the process down.

use std::collections::HashSet;
use std::sync::Arc;

use super::foreign::Foreign;
use super::prstatus::ThreadStatus;
use super::segments::SegmentIndex;
use super::vector_regs::Shared;
use super::xsave::XsaveLayout;
use super::{
    Auxv, CoreSegment, DumpedThread, MappedFileRange, ProcessInfo, Signal, VectorState, delve,
    mapped_files, prstatus, siginfo,
};
use crate::addr::Avma;
use crate::arch::{Facts, FloatNote, FloatPlace, Machine, Register, Registers};
use crate::elf::{Encoding, Note, SURROUNDINGS_NOTE, SURROUNDINGS_OWNER};
use crate::limits::Limits;
use crate::memory::CoreBytes;
use crate::notice::{Notice, StackAbsence};

/// Notices about single notes that are kept: the millionth says nothing new.
const MAX_COMPLAINTS: usize = 32;
/// How far above the stack pointer a stack may start: a stack overflow leaves the
/// pointer in the guard below it (Linux `stack_guard_gap` is 1 MiB).
const GUARD: u64 = 1 << 20;

/// The content of all notes read so far.
pub(super) struct Collected {
    pub(super) machine: Machine,
    e_machine: u16,
    encoding: Encoding,
    pub(super) threads: Vec<DumpedThread>,
    /// i386: `gs` of each thread, by index.
    tls_selectors: Vec<Option<u64>>,
    pub(super) process: Option<ProcessInfo>,
    pub(super) auxv: Auxv,
    pub(super) mapped_files: Vec<MappedFileRange>,
    pub(super) surroundings: Vec<u8>,
    layout: Option<XsaveLayout>,
    /// An `NT_SIGINFO` before any thread: the first thread's.
    early_signal: Option<Signal>,
    complaints: usize,
    /// What wrote the file, if it was not a kernel of Linux about a process.
    pub(super) foreign: Option<Foreign>,
    /// The first owner of notes that is not one of Linux, as long as there is no other.
    pub(super) stranger: Option<String>,
    has_own_notes: bool,
    pub(super) notices: Vec<Notice>,
}

/// Bytes of the note that `obit run` writes, which has at most 512 entries of a kind.
const MOST_OF_SURROUNDINGS: usize = 1 << 20;
/// Bytes of an owner's name that a message quotes.
const MOST_OF_A_NAME: usize = 32;

/// The owner of a note. Delve leaves that of the kernel's notes empty.
fn owner_of<'n>(note: &Note<'n>) -> &'n [u8] {
    match (note.owner, note.kind) {
        (b"", delve::THREAD) => b"",
        (b"", 0x100..0x1000) => b"LINUX",
        (b"", _) => b"CORE",
        (owner, _) => owner,
    }
}

impl Collected {
    pub(super) fn new(machine: Machine, e_machine: u16, encoding: Encoding) -> Self {
        Self {
            machine,
            e_machine,
            encoding,
            threads: Vec::new(),
            tls_selectors: Vec::new(),
            process: None,
            auxv: Auxv::default(),
            mapped_files: Vec::new(),
            surroundings: Vec::new(),
            layout: None,
            early_signal: None,
            complaints: 0,
            foreign: None,
            stranger: None,
            has_own_notes: false,
            notices: Vec::new(),
        }
    }

    /// Takes in one note whose descriptor lies at `offset` of the core. Notes of unknown
    /// owners and types are skipped; of a note that should be unique the first counts.
    pub(super) fn add(&mut self, note: &Note<'_>, offset: u64, limits: &Limits) {
        let encoding = self.encoding;
        let owner = owner_of(note);
        self.foreign = self.foreign.or_else(|| Foreign::of_note(note));
        self.note_owner(owner);
        if let Some(kind) = FloatNote::of(owner, note.kind) {
            if let Some(thread) = self.threads.last_mut() {
                thread.vectors.add(kind, offset, note.desc.len() as u64);
                if let Some(facts) = self.machine.facts().filter(|it| it.floats_hold_registers) {
                    follow_floats(&mut thread.registers, facts, kind, note.desc, encoding);
                }
            }
            return;
        }
        match (owner, note.kind) {
            (b"CORE", 1) => self.add_thread(note.desc, limits),
            (_, delve::THREAD) => match delve::parse(note.desc, self.machine, encoding) {
                Some(status) => {
                    if !status.complete {
                        self.complain("a thread of Delve is too short for all registers");
                    }
                    self.push_thread(status, limits);
                }
                None => self.complain("a thread of Delve is too short"),
            },
            (b"CORE", 3) if self.process.is_none() => {
                self.process = ProcessInfo::parse(note.desc, encoding);
                if self.process.is_none() {
                    self.complain("NT_PRPSINFO is too short");
                }
            }
            (b"CORE", 6) if self.auxv.is_empty() => {
                self.auxv = Auxv::parse(note.desc, encoding);
            }
            (b"CORE", 0x5349_4749) => self.add_signal(note.desc),
            (b"CORE", 0x4649_4c45) if self.mapped_files.is_empty() => {
                let mut notices = Vec::new();
                self.mapped_files = mapped_files::parse(note.desc, encoding, limits, &mut notices);
                for notice in notices {
                    self.keep(notice);
                }
            }
            (SURROUNDINGS_OWNER, SURROUNDINGS_NOTE) if self.surroundings.is_empty() => {
                match note.desc.len() <= MOST_OF_SURROUNDINGS {
                    true => self.surroundings = note.desc.to_vec(),
                    false => self.complain(
                        "the note of sockets and pipes has more than 1 MiB and was not read",
                    ),
                }
            }
            (b"LINUX", 0x205) if self.layout.is_none() => {
                self.layout = Some(XsaveLayout::parse(note.desc, encoding));
            }
            (b"LINUX", 0x200) => self.set_i386_tls(note.desc),
            (b"LINUX", 0x401) => {
                // NT_ARM_TLS: tpidr_el0 first.
                if let (Some(thread), Some(value)) =
                    (self.threads.last_mut(), encoding.unsigned(note.desc, 0, 8))
                {
                    thread.thread_pointer = Some(Avma(value));
                }
            }
            (b"LINUX", 0x406) => {
                // NT_ARM_PAC_MASK: of data pointers, then of instruction pointers.
                if let Some(thread) = self.threads.last_mut() {
                    thread.code_pointer_mask = encoding.unsigned(note.desc, 8, 8);
                }
            }
            _ => {}
        }
    }

    fn note_owner(&mut self, owner: &[u8]) {
        if matches!(owner, b"CORE" | b"LINUX" | b"GNU") {
            (self.has_own_notes, self.stranger) = (true, None);
        } else if !self.has_own_notes && self.stranger.is_none() && !owner.is_empty() {
            let name = owner.get(..MOST_OF_A_NAME).unwrap_or(owner);
            self.stranger = Some(name.escape_ascii().to_string());
        }
    }

    fn add_thread(&mut self, desc: &[u8], limits: &Limits) {
        if self.threads.is_empty() {
            self.machine = self.machine.by_prstatus(desc.len());
        }
        let Some(status) = prstatus::parse(desc, self.machine, self.encoding) else {
            return self.complain("NT_PRSTATUS is too short for a thread id");
        };
        if !status.complete {
            self.complain("NT_PRSTATUS is too short for all registers");
        }
        self.push_thread(status, limits);
    }

    fn push_thread(&mut self, status: ThreadStatus, limits: &Limits) {
        if self.threads.len() >= limits.threads {
            return self
                .keep(Notice::LimitReached { what: "threads", limit: limits.threads as u64 });
        }
        self.tls_selectors.push(status.tls_selector);
        self.threads.push(DumpedThread {
            tid: status.tid,
            name: None,
            signal: status.signal,
            siginfo: None,
            thread_pointer: status.thread_pointer,
            code_pointer_mask: None,
            registers: status.registers,
            other_registers: status.others,
            system_call: status.system_call,
            vectors: VectorState::default(),
            complete: status.complete,
        });
    }

    fn add_signal(&mut self, desc: &[u8]) {
        let Some(signal) = Signal::parse(desc, self.encoding, self.e_machine) else {
            return self.complain("NT_SIGINFO is too short");
        };
        match self.threads.last_mut() {
            Some(thread) if thread.siginfo.is_none() => thread.siginfo = Some(signal),
            None if self.early_signal.is_none() => self.early_signal = Some(signal),
            _ => {}
        }
    }

    /// `NT_386_TLS`: `struct user_desc` entries of 16 bytes: number, base, limit, flags.
    /// `gs` holds the number of the entry in use, times eight.
    fn set_i386_tls(&mut self, desc: &[u8]) {
        let Some(Some(selector)) = self.tls_selectors.last().copied() else { return };
        let field = |entry: &[u8], at| self.encoding.unsigned(entry, at, 4);
        let entry = desc.chunks_exact(16).find(|entry| field(entry, 0) == Some(selector >> 3));
        let base = entry.and_then(|entry| field(entry, 4));
        if let (Some(thread), Some(base)) = (self.threads.last_mut(), base) {
            thread.thread_pointer = Some(Avma(base));
        }
    }

    pub(super) fn complain(&mut self, problem: &str) {
        self.keep(Notice::NoteMalformed { problem: problem.to_owned() });
    }

    fn keep(&mut self, notice: Notice) {
        if self.complaints < MAX_COMPLAINTS && !self.notices.contains(&notice) {
            self.complaints = self.complaints.saturating_add(1);
            self.notices.push(notice);
        }
    }

    /// Ties the loose ends when all notes are in.
    pub(super) fn finish(&mut self, bytes: &Arc<CoreBytes>) {
        let shared = Arc::new(Shared {
            bytes: bytes.clone(),
            machine: self.machine,
            encoding: self.encoding,
            layout: self.layout.take(),
        });
        let mut seen = HashSet::new();
        let mut twice = None;
        for thread in &mut self.threads {
            thread.vectors.share(&shared);
            if !seen.insert(thread.tid) {
                twice = Some(thread.tid);
            }
        }
        if let Some(tid) = twice {
            self.complain(&format!("two NT_PRSTATUS name thread {tid}"));
        }
        if let (Some(first), Some(signal)) = (self.threads.first_mut(), self.early_signal.take()) {
            first.siginfo.get_or_insert(signal);
        }
        // The kernel keeps one name per process in a core: that of the main thread.
        if let Some(process) = &self.process {
            let main = self.threads.iter_mut().find(|thread| thread.tid == process.pid);
            if let (Some(main), false) = (main, process.command.is_empty()) {
                main.name = Some(process.command.clone());
            }
        }
    }

    /// The index of the crashed thread; a notice if a rule had to choose it.
    pub(super) fn crashed(&mut self) -> usize {
        let (index, rule) = self.choose_crashed();
        if let (Some(rule), Some(thread)) = (rule, self.threads.get(index)) {
            self.notices.push(Notice::CrashThreadInferred { tid: thread.tid, rule });
        }
        index
    }

    fn choose_crashed(&self) -> (usize, Option<&'static str>) {
        let threads = &self.threads;
        let having = |wanted: fn(&DumpedThread) -> bool| {
            let mut found = threads.iter().enumerate().filter(move |(_, thread)| wanted(thread));
            (found.next().map(|(index, _)| index), found.next().is_none())
        };
        match having(|thread| thread.siginfo.is_some()) {
            (Some(index), true) => return (index, None),
            // gdb's gcore writes one per thread, the selected thread first.
            (Some(first), false) => {
                let is_fatal =
                    |thread: &DumpedThread| thread.siginfo.as_ref().is_some_and(Signal::is_fatal);
                let fatal = threads.iter().position(is_fatal);
                return match fatal {
                    Some(fatal) => (fatal, Some("first thread whose NT_SIGINFO is fatal")),
                    None => (first, Some("first thread with NT_SIGINFO")),
                };
            }
            (None, _) => {}
        }
        if threads.len() <= 1 {
            return (0, None);
        }
        if let (Some(index), true) = having(|thread| thread.signal != 0) {
            return (index, Some("only thread with a signal in NT_PRSTATUS"));
        }
        // The kernel writes the dumping thread first and its signal into every thread.
        if let (Some(index), _) = having(|thread| siginfo::dumps_core(thread.signal)) {
            return (index, Some("first thread with a fatal signal in NT_PRSTATUS"));
        }
        let pid = self.process.as_ref().map(|process| process.pid);
        match threads.iter().position(|thread| Some(thread.tid) == pid) {
            Some(index) => (index, Some("thread whose id is the process id")),
            None => (0, Some("first thread in the core")),
        }
    }

    /// A notice for each thread whose stack the core lacks.
    pub(super) fn check_stacks(
        &mut self,
        segments: &[CoreSegment],
        index: &SegmentIndex,
        core_len: u64,
    ) {
        let Some(facts) = self.machine.facts() else { return };
        for thread in &self.threads {
            let Some(sp) = thread.registers.get(facts.sp) else { continue };
            if let Some(reason) = stack_problem(Avma(sp), segments, index, core_len) {
                self.notices.push(Notice::StackMissing { tid: thread.tid, reason });
            }
        }
    }
}

/// Adds those floating-point registers of a note to the registers that are unwound.
fn follow_floats(
    registers: &mut Registers,
    facts: &Facts,
    kind: FloatNote,
    desc: &[u8],
    encoding: Encoding,
) {
    for bank in facts.floats {
        let FloatPlace::Array { note, at, size } = bank.place else { continue };
        if note != kind {
            continue;
        }
        for number in bank.first.0..bank.first.0.saturating_add(bank.count) {
            let register = Register(number);
            let value = bank.index_of(register).and_then(|nth| {
                let into = u64::from(nth).checked_mul(size)?.checked_add(at)?;
                encoding.unsigned(desc, usize::try_from(into).ok()?, usize::try_from(size).ok()?)
            });
            if value.is_some() && Registers::keeps(register) {
                registers.set(register, value);
            }
        }
    }
}

/// Why nothing can be read at `sp`, or above the guard that holds it.
fn stack_problem(
    sp: Avma,
    segments: &[CoreSegment],
    index: &SegmentIndex,
    core_len: u64,
) -> Option<StackAbsence> {
    let segment_at = |at| index.at(at).and_then(|found| segments.get(found));
    let is_guard = |segment: &CoreSegment| segment.dumped == 0 && !segment.permissions.read;
    let mut at = sp;
    if segment_at(sp).is_none_or(is_guard) {
        let above = index.next_start(sp).filter(|start| start.0.saturating_sub(sp.0) <= GUARD);
        at = above.unwrap_or(sp);
    }
    let Some(segment) = segment_at(at) else { return Some(StackAbsence::Unmapped) };
    let into = at.0.saturating_sub(segment.range.start.0);
    if into >= segment.dumped {
        return Some(StackAbsence::NotDumped);
    }
    (segment.offset.saturating_add(into) >= core_len).then_some(StackAbsence::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Dump;
    use crate::testkit::{CoreBuilder, siginfo_64};

    fn crashed(core: CoreBuilder) -> (i64, Option<&'static str>) {
        let dump = core.open().unwrap();
        let rule = dump.notices.iter().find_map(|notice| match notice {
            Notice::CrashThreadInferred { rule, .. } => Some(*rule),
            _ => None,
        });
        (dump.threads[dump.crashed].tid, rule)
    }

    fn two_threads(first: u16, second: u16) -> CoreBuilder {
        let core = CoreBuilder::x86_64().signal(first).thread(1, &[]);
        core.signal(second).thread(2, &[])
    }

    #[test]
    fn the_thread_with_the_only_siginfo_crashed_whatever_else_is_said() {
        let core = CoreBuilder::x86_64().signal(11).thread(7, &[]);
        let core = core.process(8, "prog", "prog").siginfo(11, 1, 0x18);
        assert_eq!(crashed(core.thread(8, &[])), (7, None));
    }

    #[test]
    fn of_several_siginfos_the_first_fatal_one_counts() {
        let core = CoreBuilder::x86_64().thread(1, &[]).siginfo(19, 0x80, 0);
        let gcore = core.thread(2, &[]).siginfo(19, 0x80, 0);
        assert_eq!(crashed(gcore.clone()), (1, Some("first thread with NT_SIGINFO")));
        let core = gcore.thread(3, &[]).siginfo(11, 1, 0);
        assert_eq!(crashed(core), (3, Some("first thread whose NT_SIGINFO is fatal")));
    }

    #[test]
    fn without_siginfo_stated_rules_choose() {
        let rule = "only thread with a signal in NT_PRSTATUS";
        assert_eq!(crashed(two_threads(0, 6)), (2, Some(rule)));
        let rule = "first thread with a fatal signal in NT_PRSTATUS";
        assert_eq!(crashed(two_threads(15, 6)), (2, Some(rule)));
        assert_eq!(crashed(two_threads(6, 6)), (1, Some(rule)));
        let core = two_threads(0, 0).process(2, "prog", "prog");
        assert_eq!(crashed(core), (2, Some("thread whose id is the process id")));
        assert_eq!(crashed(two_threads(15, 15)), (1, Some("first thread in the core")));
        assert_eq!(crashed(CoreBuilder::x86_64().signal(6).thread(9, &[])), (9, None));
    }

    #[test]
    fn a_signal_without_siginfo_has_no_code() {
        let dump = two_threads(0, 6).open().unwrap();
        assert_eq!(dump.signal, Some(Signal::from_number(6)));
        assert_eq!(two_threads(0, 0).open().unwrap().signal, None);
    }

    #[test]
    fn notes_may_come_in_any_order_and_from_anyone() {
        let core = CoreBuilder::x86_64()
            .note(b"LINUX", 0x202, &[0; 512])
            .note(b"\xff\xfe", 1, &[1; 400])
            .note(b"CORE", 0x5349_4749, &siginfo_64(11, 1, 0x18))
            .note(b"", 0, &[])
            .thread(1, &[])
            .note(b"GDB", 0xff00_0000, b"<target>")
            .process(1, "prog", "./prog x");
        let dump = core.open().unwrap();
        assert_eq!(dump.threads.len(), 1);
        assert_eq!(dump.signal.as_ref().and_then(Signal::address), Some(Avma(0x18)));
        assert_eq!(dump.threads[0].name.as_deref(), Some("prog"));
        assert_eq!(dump.process.map(|process| process.arguments), Some("./prog x".to_owned()));
    }

    #[test]
    fn only_the_main_thread_has_the_name_of_the_command() {
        let core = CoreBuilder::x86_64().thread(2, &[]).thread(1, &[]);
        let dump = core.process(1, "prog", "").open().unwrap();
        let names: Vec<_> = dump.threads.iter().map(|thread| thread.name.as_deref()).collect();
        assert_eq!(names, [None, Some("prog")]);
    }

    fn stack_notices(core: CoreBuilder) -> Vec<(i64, StackAbsence)> {
        let of = |dump: Dump| {
            dump.notices.into_iter().filter_map(|notice| match notice {
                Notice::StackMissing { tid, reason } => Some((tid, reason)),
                _ => None,
            })
        };
        of(core.open().unwrap()).collect()
    }

    #[test]
    fn a_thread_without_stack_memory_says_why() {
        let core = CoreBuilder::x86_64()
            .thread(1, &[("rsp", 0x1_0000)])
            .thread(2, &[("rsp", 0x2_0008)])
            .thread(3, &[("rsp", 0x9000_0000)])
            .thread(4, &[("rsp", 0x3_0010)])
            .segment(0x1_0000, &[0; 64], 0x1000)
            .segment(0x2_0000, &[0; 8], 0x1000)
            .promised_segment(0x3_0000, 0x1000, 0x1000);
        let expected = [
            (2, StackAbsence::NotDumped),
            (3, StackAbsence::Unmapped),
            (4, StackAbsence::Truncated),
        ];
        assert_eq!(stack_notices(core), expected);
    }

    #[test]
    fn after_a_stack_overflow_the_stack_above_the_guard_is_no_loss() {
        let core = CoreBuilder::x86_64().thread(1, &[("rsp", 0xf_fff8)]);
        assert_eq!(stack_notices(core.segment(0x10_0000, &[0; 64], 0x1000)), []);
    }

    #[test]
    fn duplicate_and_zero_thread_ids_are_kept_and_noted() {
        let dump = CoreBuilder::x86_64().thread(0, &[]).thread(0, &[]).open().unwrap();
        assert_eq!(dump.threads.len(), 2);
        let problem = "two NT_PRSTATUS name thread 0".to_owned();
        assert!(dump.notices.contains(&Notice::NoteMalformed { problem }));
    }

    #[test]
    fn mips_n32_is_known_by_the_length_of_its_registers() {
        let mut status = vec![0; 440];
        status[24..28].copy_from_slice(&7_u32.to_be_bytes());
        status[72 + 34 * 8..][..8].copy_from_slice(&0x1234_u64.to_be_bytes());
        let core = CoreBuilder::of(Machine::Mips).big_endian().note(b"CORE", 1, &status);
        let dump = core.open().unwrap();
        let pc = dump.machine.facts().unwrap().pc;
        assert_eq!((dump.machine, dump.threads[0].tid), (Machine::MipsN32, 7));
        assert_eq!(dump.threads[0].registers.get(pc), Some(0x1234));
        let o32 = CoreBuilder::of(Machine::Mips).big_endian().thread(7, &[]).open().unwrap();
        assert_eq!(o32.machine, Machine::Mips);
    }

    #[test]
    fn s390x_moves_general_registers_into_floating_point_ones() {
        let mut floats = vec![0; 8 + 16 * 8];
        // f2, whose DWARF number is 17.
        floats[8 + 2 * 8..][..8].copy_from_slice(&0x7000_u64.to_be_bytes());
        let core = CoreBuilder::of(Machine::S390x).big_endian().thread(1, &[]);
        let dump = core.clone().note(b"CORE", 2, &floats).open().unwrap();
        assert_eq!(dump.threads[0].registers.get(Register(17)), Some(0x7000));
        let dump = core.note(b"CORE", 2, &floats[..20]).open().unwrap();
        assert_eq!(dump.threads[0].registers.get(Register(17)), None, "the note is cut short");
    }

    #[test]
    fn thread_pointers_are_found_where_each_machine_keeps_them() {
        let of = |core: CoreBuilder| core.open().unwrap().threads[0].thread_pointer;
        let x86_64 = CoreBuilder::x86_64().thread(1, &[("fs_base", 0x7000)]);
        assert_eq!(of(x86_64), Some(Avma(0x7000)));
        let aarch64 = CoreBuilder::aarch64().thread(1, &[]);
        assert_eq!(
            of(aarch64.note(b"LINUX", 0x401, &0x7000_u64.to_le_bytes())),
            Some(Avma(0x7000))
        );
        assert_eq!(of(CoreBuilder::arm().thread(1, &[])), None);
        let core = CoreBuilder::i386();
        let mut status = core.prstatus(1, 0, &[]);
        status[112..116].copy_from_slice(&0x63_u32.to_le_bytes());
        let entries = [12_u32, 0x7000, 0xf_ffff, 0x51, 13, 0, 0, 0x28];
        let entries: Vec<u8> = entries.iter().flat_map(|word| word.to_le_bytes()).collect();
        let core = core.note(b"CORE", 1, &status).note(b"LINUX", 0x200, &entries);
        assert_eq!(of(core), Some(Avma(0x7000)));
    }
}
