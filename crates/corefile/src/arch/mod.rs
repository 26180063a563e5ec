//! Facts about machines: register names and numbers, who saves which, where the kernel
//! puts them in a core. Same facts, same order, same names for every machine.

mod aarch64;
mod arm;
mod i386;
mod registers;
mod riscv64;
mod x86_64;

pub use registers::{Register, Registers};

/// A processor architecture obit can unwind, or the ELF number of one it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// AMD64, `EM_X86_64`.
    X86_64,
    /// 32-bit x86, `EM_386`.
    I386,
    /// 64-bit Arm, `EM_AARCH64`.
    Aarch64,
    /// 32-bit Arm, `EM_ARM`.
    Arm,
    /// RISC-V with 64-bit registers, `EM_RISCV` and ELFCLASS64.
    Riscv64,
    /// Anything else, by its `e_machine`: recognised notes are read, stacks are not.
    Other(u16),
}

/// What the kernel, the psABI and DWARF say about one machine.
#[derive(Debug)]
pub struct Facts {
    /// Name as `uname -m` or gdb has it.
    pub name: &'static str,
    /// Bytes of an address and of a general register.
    pub word: u8,
    /// Names of the registers in DWARF's numbering; gaps are absent.
    pub names: &'static [(Register, &'static str)],
    /// `elf_gregset_t`: for each word of `pr_reg`, the register it holds, if we keep it.
    pub gregset: &'static [Option<Register>],
    /// Offset of `pr_reg` in `struct elf_prstatus`, bytes.
    pub prstatus_registers: usize,
    /// Program counter as a register number of ours (see [`Registers`]).
    pub pc: Register,
    /// Stack pointer.
    pub sp: Register,
    /// Frame pointer by convention.
    pub fp: Register,
    /// The register that holds the return address at a function's first instruction,
    /// where it is not on the stack.
    pub link: Option<Register>,
    /// Registers a callee must give back unchanged (psABI).
    pub callee_saved: &'static [Register],
    /// Bytes between the CFA and the return address when a call pushes it (x86).
    pub pushed_return: bool,
    /// Code of the signal trampoline: what a return address points at when the caller is
    /// the kernel, for places without CFI.
    pub sigreturn: &'static [SigreturnCode],
}

/// A signal trampoline recognised by its bytes.
#[derive(Debug)]
pub struct SigreturnCode {
    /// The code at the pc.
    pub bytes: &'static [u8],
    /// Bytes from the stack pointer to the saved register block.
    pub context_offset: u64,
    /// Where each register lies in that block: byte offset and register.
    pub registers: &'static [(u64, Register)],
}

impl Machine {
    /// From `e_machine` and whether the class is ELFCLASS64.
    pub fn from_elf(e_machine: u16, is_64: bool) -> Self {
        match (e_machine, is_64) {
            (62, true) => Self::X86_64,
            (3, false) => Self::I386,
            (183, true) => Self::Aarch64,
            (40, false) => Self::Arm,
            (243, true) => Self::Riscv64,
            (other, _) => Self::Other(other),
        }
    }

    /// The table of this machine, `None` for [`Machine::Other`].
    pub fn facts(self) -> Option<&'static Facts> {
        match self {
            Self::X86_64 => Some(&x86_64::FACTS),
            Self::I386 => Some(&i386::FACTS),
            Self::Aarch64 => Some(&aarch64::FACTS),
            Self::Arm => Some(&arm::FACTS),
            Self::Riscv64 => Some(&riscv64::FACTS),
            Self::Other(_) => None,
        }
    }

    /// What a register is called, vector registers too; its DWARF number where it has no
    /// name here.
    pub fn register_name(self, register: Register) -> String {
        if let Some(name) = self.facts().and_then(|facts| facts.register_name(register)) {
            return name.to_owned();
        }
        let nth = |name: &str, first: u16| format!("{name}{}", register.0.saturating_sub(first));
        match (self, register.0) {
            (Self::X86_64, 17..=32) => nth("xmm", 17),
            (Self::X86_64, 33..=40) => nth("st", 33),
            (Self::I386, 21..=28) => nth("xmm", 21),
            (Self::I386, 11..=18) => nth("st", 11),
            (Self::Aarch64, 64..=95) => nth("v", 64),
            (Self::Arm, 256..=287) => nth("d", 256),
            (Self::Riscv64, 32..=62) => nth("f", 32),
            _ => nth("register ", 0),
        }
    }

    /// A name for people and for `core.arch` in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other(20) => "powerpc",
            Self::Other(21) => "ppc64",
            Self::Other(22) => "s390x",
            Self::Other(8) => "mips",
            Self::Other(258) => "loongarch",
            Self::Other(243) => "riscv32",
            Self::Other(62) => "x32",
            Self::Other(_) => "unknown",
            _ => self.facts().map_or("unknown", |facts| facts.name),
        }
    }
}

impl Facts {
    /// The name of `register`.
    pub fn register_name(&self, register: Register) -> Option<&'static str> {
        self.names.iter().find(|(number, _)| *number == register).map(|(_, name)| *name)
    }

    /// The register called `name`.
    pub fn register_named(&self, name: &str) -> Option<Register> {
        self.names.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
    }

    /// Whether a callee gives `register` back unchanged.
    pub fn is_callee_saved(&self, register: Register) -> bool {
        self.callee_saved.contains(&register)
    }
}
