//! What is known of each machine: one file holds all of one, the same in each, and the rest
//! of the program asks [`Facts`] instead of matching on machines.
//!
//! A machine is added by a file with its `FACTS` and a line in the list below.

mod aarch64;
mod arm;
mod calls;
mod facts;
mod floats;
mod frames;
mod i386;
mod loongarch64;
mod m68k;
mod mips;
mod mips64;
mod ppc;
mod ppc64;
mod registers;
mod riscv64;
mod s390;
mod s390x;
mod saved;
mod signals;
mod sparc64;
mod tls;
mod x32;
mod x86_64;

pub use calls::{CallForm, CallTarget, Calls};
pub use facts::{CodeAddress, Decoder, ElfIdentity, Facts, OtherRegister, Prstatus, TableDialect};
pub use floats::{FloatBank, FloatNote, FloatPlace, X86Float};
pub use frames::{FrameRecord, Leaf, Prologue, PrologueForm};
pub use registers::{Register, Registers};
pub use saved::Saved;
pub use signals::{
    ContextSigns, FutexCall, HandlerFrame, SiginfoPlace, SigreturnCode, TrampolineCode,
};
pub use tls::{ThreadPointer, TlsAbi, TlsBlocks};

/// The enum of machines and the way from each to its facts, from one list.
macro_rules! machines {
    ($($(#[doc = $doc:literal])* $machine:ident => $facts:path,)*) => {
        /// A processor architecture obit can unwind, or the ELF number of one it cannot.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Machine {
            $($(#[doc = $doc])* $machine,)*
            /// Anything else, by its `e_machine`: recognised notes are read, stacks are not.
            Other(u16),
        }

        impl Machine {
            /// Those of which facts are known.
            pub const ALL: &[Self] = &[$(Self::$machine,)*];

            /// What is known of this machine, `None` for [`Machine::Other`].
            pub fn facts(self) -> Option<&'static Facts> {
                match self {
                    $(Self::$machine => {
                        // Not a constant, of which each crate that inlines this has a copy.
                        static FACTS: Facts = $facts;
                        Some(&FACTS)
                    })*
                    Self::Other(_) => None,
                }
            }
        }
    };
}

machines! {
    /// AMD64, `EM_X86_64`.
    X86_64 => x86_64::FACTS,
    /// 32-bit x86, `EM_386`.
    I386 => i386::FACTS,
    /// 64-bit Arm, `EM_AARCH64`.
    Aarch64 => aarch64::FACTS,
    /// 32-bit Arm, `EM_ARM`.
    Arm => arm::FACTS,
    /// RISC-V with 64-bit registers, `EM_RISCV` and ELFCLASS64.
    Riscv64 => riscv64::FACTS,
    /// AMD64 with 32-bit addresses, `EM_X86_64` and ELFCLASS32.
    X32 => x32::FACTS,
    /// 64-bit PowerPC, big-endian.
    Ppc64 => ppc64::BIG,
    /// 64-bit PowerPC, little-endian.
    Ppc64le => ppc64::LITTLE,
    /// IBM Z, `EM_S390` and ELFCLASS64.
    S390x => s390x::FACTS,
    /// IBM Z with 31-bit addresses.
    S390 => s390::FACTS,
    /// 32-bit PowerPC, `EM_PPC`.
    Ppc => ppc::FACTS,
    /// 32-bit MIPS (o32), `EM_MIPS` and ELFCLASS32.
    Mips => mips::FACTS,
    /// 64-bit MIPS with 32-bit addresses (n32): distinguished from o32 by `NT_PRSTATUS`.
    MipsN32 => mips64::N32,
    /// 64-bit MIPS (n64).
    Mips64 => mips64::N64,
    /// SPARC V9, `EM_SPARCV9`.
    Sparc64 => sparc64::FACTS,
    /// LoongArch, 64-bit.
    LoongArch64 => loongarch64::FACTS,
    /// Motorola 68000, `EM_68K`.
    M68k => m68k::FACTS,
}

impl Machine {
    /// The machine of an ELF header: its `e_machine`, whether the class is ELFCLASS64, whether
    /// the byte order is ELFDATA2LSB.
    pub fn from_elf(e_machine: u16, is_64: bool, little_endian: bool) -> Self {
        let is_it = |machine: &&Self| {
            let elf = machine.facts().map(|facts| facts.elf);
            elf.is_some_and(|elf| elf.describes(e_machine, is_64, little_endian))
        };
        Self::ALL.iter().find(is_it).copied().unwrap_or(Self::Other(e_machine))
    }

    /// The machine as its `NT_PRSTATUS` of `len` bytes shows it: o32 and n32 have the same
    /// header, as cores need not have the flag that distinguishes them.
    pub fn by_prstatus(self, len: usize) -> Self {
        let needed = |machine: Self| {
            machine.facts().map(|it| it.prstatus.registers.saturating_add(it.prstatus.size))
        };
        match self {
            Self::Mips if needed(Self::MipsN32).is_some_and(|needed| len >= needed) => {
                Self::MipsN32
            }
            _ => self,
        }
    }

    /// What a register is called, vector registers too; its DWARF number where it has no
    /// name here.
    pub fn register_name(self, register: Register) -> String {
        let facts = self.facts();
        if let Some(name) = facts.and_then(|facts| facts.register_name(register)) {
            return name.to_owned();
        }
        let bank = facts.and_then(|facts| facts.float_bank(register));
        bank.map_or_else(|| format!("register {}", register.0), |(bank, nth)| bank.name_of(nth))
    }

    /// A name for people and for `core.arch` in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other(2) => "sparc",
            Self::Other(15) => "hppa",
            Self::Other(50) => "ia64",
            Self::Other(42) => "sh",
            Self::Other(243) => "riscv32",
            Self::Other(258) => "loongarch32",
            Self::Other(0x9026) => "alpha",
            Self::Other(_) => "unknown",
            _ => self.facts().map_or("unknown", |facts| facts.name),
        }
    }

    /// The decoder of this machine's code, where there is one.
    pub fn decoder(self) -> Option<Decoder> {
        self.facts()?.decoder
    }
}
