//! Floating-point and vector registers of a thread: `NT_FPREGSET`, `NT_X86_XSTATE`,
//! `NT_PRXFPREG`, `NT_ARM_VFP`, `NT_ARM_SVE`.
//!
//! They stay in the core until asked for: they are rarely wanted, and a core of 50,000
//! threads holds over 100 MB of them.

use std::sync::Arc;

use super::xsave::XsaveLayout;
use crate::arch::{FloatBank, FloatNote, FloatPlace, Machine, Register, X86Float};
use crate::elf::Encoding;
use crate::memory::CoreBytes;

/// Notes kept for one thread; Linux writes at most about ten that matter here.
const MAX_NOTES: usize = 16;

/// Bytes of `user_sve_header` and its flag for "the data are SVE's" (Linux
/// `arch/arm64/include/uapi/asm/ptrace.h`).
const SVE_HEADER: u64 = 16;
const SVE_FLAG: u64 = 1;

/// FP and vector registers of one thread. Empty where the core holds none.
#[derive(Clone, Debug, Default)]
pub struct VectorState {
    shared: Option<Arc<Shared>>,
    notes: Vec<Place>,
}

/// What the vector states of all threads have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) bytes: Arc<CoreBytes>,
    pub(super) machine: Machine,
    pub(super) encoding: Encoding,
    /// `NT_X86_XSAVE_LAYOUT`.
    pub(super) layout: Option<XsaveLayout>,
}

/// Where a note's descriptor lies in the core, bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    note: FloatNote,
    offset: u64,
    len: u64,
}

impl VectorState {
    pub(super) fn add(&mut self, note: FloatNote, offset: u64, len: u64) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Place { note, offset, len });
        }
    }

    pub(super) fn share(&mut self, shared: &Arc<Shared>) {
        if !self.notes.is_empty() {
            self.shared = Some(shared.clone());
        }
    }

    /// Whether the core holds no such register of this thread.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// The bytes of `register`, as wide as the core knows it, in the byte order of the
    /// process. By DWARF number, of which [`crate::arch::Facts::floats`] is the list.
    pub fn register(&self, register: Register) -> Option<Vec<u8>> {
        let facts = self.shared.as_ref()?.machine.facts()?;
        let (bank, nth) = facts.float_bank(register)?;
        self.of_bank(bank, nth)
    }

    /// All registers that the core holds, by name.
    pub fn all(&self) -> Vec<(String, Vec<u8>)> {
        let facts = self.shared.as_ref().and_then(|shared| shared.machine.facts());
        let banks = facts.map(|facts| facts.floats).unwrap_or_default().iter();
        let registers = banks.flat_map(|bank| bank.indexes().map(move |nth| (bank, nth)));
        registers
            .filter_map(|(bank, nth)| Some((bank.name_of(nth), self.of_bank(bank, nth)?)))
            .collect()
    }

    /// Register `nth` of a bank.
    fn of_bank(&self, bank: &FloatBank, nth: u16) -> Option<Vec<u8>> {
        let index = u64::from(nth);
        match bank.place {
            FloatPlace::Array { note, at, size } => {
                let index = index.checked_sub(u64::from(bank.numbered_from))?;
                self.field(note, index.checked_mul(size)?.checked_add(at)?, size)
            }
            FloatPlace::Halves { high, low } => {
                let half = |(note, at): (FloatNote, u64)| {
                    self.field(note, index.checked_mul(8)?.checked_add(at)?, 8)
                };
                let (high, low) = (half(high)?, half(low)?);
                let little_endian = self.shared.as_ref()?.encoding.little_endian;
                Some(if little_endian { [low, high] } else { [high, low] }.concat())
            }
            FloatPlace::X86(kind) => self.x86(kind, nth),
            FloatPlace::ArmSve => self.sve(index),
        }
    }

    /// Exactly `size` bytes at `at` of a note.
    fn field(&self, note: FloatNote, at: u64, size: u64) -> Option<Vec<u8>> {
        let place = self.notes.iter().find(|place| place.note == note)?;
        if at.checked_add(size)? > place.len {
            return None;
        }
        let bytes = self.shared.as_ref()?.bytes.read_vec(place.offset.checked_add(at)?, size);
        (bytes.len() as u64 == size).then_some(bytes)
    }

    fn unsigned(&self, note: FloatNote, at: u64, size: u64) -> Option<u64> {
        let bytes = self.field(note, at, size)?;
        self.shared.as_ref()?.encoding.unsigned(&bytes, 0, bytes.len())
    }

    /// Where the core has no `xsave` area, an `fxsave` area serves, whose 512 bytes are laid
    /// out the same (Intel SDM volume 1, 13.4): `NT_FPREGSET` on x86_64, a note of its own on
    /// i386.
    fn x86(&self, kind: X86Float, nth: u16) -> Option<Vec<u8>> {
        let has = |note: &FloatNote| self.notes.iter().any(|place| place.note == *note);
        let is_wide = self.shared.as_ref()?.machine.facts()?.word == 8;
        let legacy = if is_wide { FloatNote::FpRegset } else { FloatNote::Fxsave };
        let Some(area) = [FloatNote::Xstate, legacy].into_iter().find(has) else {
            return if is_wide { None } else { self.fsave(kind, nth) };
        };
        match kind {
            X86Float::Control => self.field(area, 0, 2),
            X86Float::Status => self.field(area, 2, 2),
            X86Float::Mxcsr => self.field(area, 24, 4),
            X86Float::Stack => {
                self.field(area, u64::from(nth).saturating_mul(16).checked_add(32)?, 10)
            }
            X86Float::Masks => self.field(area, self.xsave_layout()?.opmask(nth)?, 8),
            X86Float::Vectors => self.x86_vector(area, nth),
        }
    }

    fn x86_vector(&self, area: FloatNote, n: u16) -> Option<Vec<u8>> {
        let layout = self.xsave_layout().unwrap_or_default();
        if n >= 16 {
            return self.field(area, layout.high_zmm(n.checked_sub(16)?)?, 64);
        }
        let low = u64::from(n).saturating_mul(16).checked_add(160)?;
        let mut bytes = self.field(area, low, 16)?;
        let upper = [(layout.upper_ymm(n), 16), (layout.upper_zmm(n), 32)];
        for (at, size) in upper {
            let Some(part) = at.and_then(|at| self.field(area, at, size)) else { break };
            bytes.extend(part);
        }
        Some(bytes)
    }

    /// i386 without SSE: `user_i387_struct`, seven words and then st(i) packed.
    fn fsave(&self, kind: X86Float, nth: u16) -> Option<Vec<u8>> {
        let note = FloatNote::FpRegset;
        match kind {
            X86Float::Control => self.field(note, 0, 2),
            X86Float::Status => self.field(note, 4, 2),
            X86Float::Stack => {
                self.field(note, u64::from(nth).saturating_mul(10).checked_add(28)?, 10)
            }
            X86Float::Vectors | X86Float::Masks | X86Float::Mxcsr => None,
        }
    }

    /// What the `xsave` area holds where: as the core says, or guessed from its length.
    fn xsave_layout(&self) -> Option<XsaveLayout> {
        let place = self.notes.iter().find(|place| place.note == FloatNote::Xstate)?;
        // The kernel puts xcr0, the enabled components, into `sw_reserved`.
        let enabled = self.unsigned(FloatNote::Xstate, 464, 8)?;
        let stated = self.shared.as_ref()?.layout.clone();
        Some(stated.unwrap_or_else(|| XsaveLayout::guess(place.len)).only(enabled))
    }

    fn sve(&self, n: u64) -> Option<Vec<u8>> {
        let note = FloatNote::ArmSve;
        let vector_length = self.unsigned(note, 8, 2)?;
        let flags = self.unsigned(note, 12, 2)?;
        // The architecture allows 16 to 256 bytes.
        if flags & SVE_FLAG == 0 || !(16..=256).contains(&vector_length) {
            return None;
        }
        let at = n.checked_mul(vector_length)?.checked_add(SVE_HEADER)?;
        self.field(note, at, vector_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::CoreBuilder;

    /// Bytes that show their own offset: the 16-bit number at `2 n` is `n`.
    fn area(len: u16, xcr0: u64) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..len / 2).flat_map(u16::to_le_bytes).collect();
        if let Some(field) = bytes.get_mut(464..472) {
            field.copy_from_slice(&xcr0.to_le_bytes());
        }
        bytes
    }

    fn vectors(core: CoreBuilder) -> VectorState {
        core.open().unwrap().threads.remove(0).vectors
    }

    fn offsets(bytes: &[u8]) -> Vec<u16> {
        let starts = bytes.chunks(16).map(|part| u16::from_le_bytes([part[0], part[1]]) * 2);
        starts.collect()
    }

    #[test]
    fn an_avx512_register_is_put_together_from_three_places() {
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"LINUX", 0x202, &area(2696, 0xe7));
        let vectors = vectors(core);
        let zmm_1 = vectors.register(Register(18)).unwrap();
        assert_eq!(offsets(&zmm_1), [176, 576 + 16, 1152 + 32, 1152 + 48]);
        let zmm_17 = vectors.register(Register(68)).unwrap();
        assert_eq!(offsets(&zmm_17), [1664 + 64, 1664 + 80, 1664 + 96, 1664 + 112]);
        assert_eq!(vectors.register(Register(119)).unwrap().len(), 8);
    }

    #[test]
    fn the_layout_note_is_believed_rather_than_the_customary_offsets() {
        let layout: Vec<u8> = [(2_u32, 0x100_u32, 0x240_u32), (6, 0x200, 0x380)]
            .iter()
            .flat_map(|(kind, size, offset)| [*kind, *size, *offset, 0])
            .flat_map(u32::to_le_bytes)
            .collect();
        let core = CoreBuilder::x86_64()
            .thread(1, &[])
            .note(b"LINUX", 0x202, &area(2696, 0xe7))
            .note(b"LINUX", 0x205, &layout);
        let zmm_1 = vectors(core).register(Register(18)).unwrap();
        assert_eq!(offsets(&zmm_1), [176, 0x240 + 16, 0x380 + 32, 0x380 + 48]);
    }

    #[test]
    fn a_component_that_was_not_enabled_does_not_widen_a_register() {
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"LINUX", 0x202, &area(2696, 7));
        let vectors = vectors(core);
        assert_eq!(vectors.register(Register(17)).unwrap().len(), 32);
        assert_eq!(vectors.register(Register(67)), None);
    }

    #[test]
    fn without_xsave_the_fxsave_note_gives_sse_and_x87() {
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"CORE", 2, &area(512, 0));
        let vectors = vectors(core);
        assert_eq!(offsets(&vectors.register(Register(17)).unwrap()), [160]);
        let st_1 = vectors.register(Register(34)).unwrap();
        assert_eq!((offsets(&st_1), st_1.len()), (vec![48], 10));
        assert_eq!(vectors.register(Register(64)).unwrap(), [12, 0, 13, 0]);
    }

    #[test]
    fn i386_has_fxsave_in_a_note_of_its_own_and_fsave_in_fpregset() {
        let fsave = CoreBuilder::i386().thread(1, &[]).note(b"CORE", 2, &area(108, 0));
        let both = fsave.clone().note(b"LINUX", 0x46e6_2b7f, &area(512, 0));
        assert_eq!(offsets(&vectors(fsave).register(Register(12)).unwrap()), [38]);
        let vectors = vectors(both);
        assert_eq!(offsets(&vectors.register(Register(12)).unwrap()), [48]);
        assert_eq!(offsets(&vectors.register(Register(22)).unwrap()), [176]);
    }

    #[test]
    fn arm_and_riscv_registers_are_rows_of_an_array() {
        let aarch64 = CoreBuilder::aarch64().thread(1, &[]).note(b"CORE", 2, &area(528, 0));
        assert_eq!(offsets(&vectors(aarch64).register(Register(95)).unwrap()), [496]);
        let arm = CoreBuilder::arm().thread(1, &[]).note(b"LINUX", 0x400, &area(260, 0));
        let arm = vectors(arm);
        assert_eq!(offsets(&arm.register(Register(287)).unwrap()), [248]);
        assert_eq!(arm.register(Register(288)), None);
        let riscv = CoreBuilder::riscv64().thread(1, &[]).note(b"CORE", 2, &area(264, 0));
        assert_eq!(offsets(&vectors(riscv).register(Register(33)).unwrap()), [8]);
    }

    #[test]
    fn a_vector_whose_halves_lie_in_two_notes_is_put_together_in_the_byte_order() {
        let of = |core: CoreBuilder, high: u64, low: u32| {
            let high = core.clone().thread(1, &[]).note(b"CORE", 2, &area(264, high));
            high.note(b"LINUX", low, &area(256, 0))
        };
        let named = |core, name: &str| {
            let all = vectors(core).all();
            let found = all.into_iter().find(|(known, _)| known == name);
            found.map(|(_, bytes)| [bytes[..8].to_vec(), bytes[8..].to_vec()])
        };
        let first = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]) * 2;
        let little = named(of(CoreBuilder::of(Machine::Ppc64le), 0, 0x102), "vs3").unwrap();
        assert_eq!(little.map(|half| first(&half)), [24, 24]);
        let big = of(CoreBuilder::of(Machine::S390x).big_endian(), 0, 0x309);
        let halves = named(big.clone(), "v3").unwrap();
        assert_eq!(halves.map(|half| first(&half)), [8 + 24, 24], "the high half comes first");
        assert_eq!(named(big, "v16"), None, "there is no such note");
    }

    #[test]
    fn every_register_of_a_bank_has_one_name_and_one_place() {
        for machine in Machine::ALL {
            let facts = machine.facts().unwrap();
            let banks = facts.floats.iter();
            let mut names: Vec<String> = banks
                .flat_map(|bank| bank.indexes().map(|nth| bank.name_of(nth)))
                .chain(facts.names.iter().map(|(_, name)| (*name).to_owned()))
                .chain(facts.prstatus.others.iter().map(|other| other.name.to_owned()))
                .collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{machine:?} has a name twice");
        }
    }

    #[test]
    fn a_register_behind_the_end_of_a_short_note_is_unknown() {
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"LINUX", 0x202, &area(170, 0));
        let vectors = vectors(core);
        assert_eq!(vectors.register(Register(17)), None);
        assert!(VectorState::default().register(Register(17)).is_none());
    }
}
