//! Floating-point and vector registers: their names, DWARF numbers and places in the notes.

use super::Register;

/// Note types that hold such registers (Linux `include/uapi/linux/elf.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatNote {
    /// `NT_FPREGSET` (2): `fxsave` on x86_64, `fsave` on i386, an array and control words
    /// elsewhere.
    FpRegset,
    /// `NT_PRXFPREG` (0x46e62b7f): `fxsave` on i386.
    Fxsave,
    /// `NT_X86_XSTATE` (0x202): `xsave`, standard format.
    Xstate,
    /// `NT_ARM_VFP` (0x400): 32 double words and fpscr.
    ArmVfp,
    /// `NT_ARM_SVE` (0x405).
    ArmSve,
    /// `NT_PPC_VMX` (0x100).
    PpcVmx,
    /// `NT_PPC_VSX` (0x102).
    PpcVsx,
    /// `NT_S390_VXRS_LOW` (0x309).
    S390VxrsLow,
    /// `NT_S390_VXRS_HIGH` (0x30a).
    S390VxrsHigh,
}

impl FloatNote {
    /// By the note's owner and type.
    pub fn of(owner: &[u8], kind: u32) -> Option<Self> {
        match (owner, kind) {
            (b"CORE", 2) => Some(Self::FpRegset),
            (b"LINUX", 0x46e6_2b7f) => Some(Self::Fxsave),
            (b"LINUX", 0x202) => Some(Self::Xstate),
            (b"LINUX", 0x400) => Some(Self::ArmVfp),
            (b"LINUX", 0x405) => Some(Self::ArmSve),
            (b"LINUX", 0x100) => Some(Self::PpcVmx),
            (b"LINUX", 0x102) => Some(Self::PpcVsx),
            (b"LINUX", 0x309) => Some(Self::S390VxrsLow),
            (b"LINUX", 0x30a) => Some(Self::S390VxrsHigh),
            _ => None,
        }
    }
}

/// Registers of one kind with consecutive DWARF numbers.
#[derive(Clone, Copy, Debug)]
pub struct FloatBank {
    /// What they are called, followed by their number unless there is one only.
    pub name: &'static str,
    /// The DWARF number of the first.
    pub first: Register,
    /// How many there are.
    pub count: u16,
    /// The number in the name of the first.
    pub numbered_from: u16,
    /// The register of each DWARF number, from `first` on, where they are not in order.
    pub order: &'static [u16],
    /// Where they are.
    pub place: FloatPlace,
}

/// Where the registers of a bank are. Registers are counted from 0, by their names.
#[derive(Clone, Copy, Debug)]
pub enum FloatPlace {
    /// In an array in a note.
    Array {
        /// The note.
        note: FloatNote,
        /// Bytes from its start to register 0.
        at: u64,
        /// Bytes of each.
        size: u64,
    },
    /// Of 16 bytes in two arrays: the more significant half in one, the other half in another.
    Halves {
        /// The note, and bytes from its start to that of register 0.
        high: (FloatNote, u64),
        /// The same.
        low: (FloatNote, u64),
    },
    /// x86: in an `xsave`, `fxsave` or `fsave` area.
    X86(X86Float),
    /// aarch64: vectors of SVE.
    ArmSve,
}

/// Registers of x86's floating-point and vector units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum X86Float {
    /// xmm, ymm, zmm: as wide as the processor has them.
    Vectors,
    /// The x87 stack.
    Stack,
    /// The masks of AVX-512.
    Masks,
    /// `mxcsr`.
    Mxcsr,
    /// The x87 control word.
    Control,
    /// The x87 status word.
    Status,
}

impl FloatBank {
    /// `count` registers from `first` on, numbered from 0.
    pub(super) const fn new(name: &'static str, first: u16, count: u16, place: FloatPlace) -> Self {
        Self { name, first: Register(first), count, numbered_from: 0, order: &[], place }
    }

    /// Registers of an array in a note.
    pub(super) const fn array(
        name: &'static str,
        first: u16,
        count: u16,
        (note, at, size): (FloatNote, u64, u64),
    ) -> Self {
        Self::new(name, first, count, FloatPlace::Array { note, at, size })
    }

    /// Which register of the bank has this DWARF number.
    pub fn index_of(&self, register: Register) -> Option<u16> {
        let nth = register.0.checked_sub(self.first.0).filter(|nth| *nth < self.count)?;
        let nth = self.order.get(usize::from(nth)).copied().unwrap_or(nth);
        Some(nth.saturating_add(self.numbered_from))
    }

    /// All its registers, by their numbers.
    pub fn indexes(&self) -> impl Iterator<Item = u16> {
        self.numbered_from..self.numbered_from.saturating_add(self.count)
    }

    /// The name of register `nth`.
    pub fn name_of(&self, nth: u16) -> String {
        if self.count == 1 { self.name.to_owned() } else { format!("{}{nth}", self.name) }
    }
}
