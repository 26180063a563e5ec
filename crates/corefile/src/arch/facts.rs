//! All that is known of one machine.

use super::{
    Calls, FloatBank, FrameRecord, FutexCall, HandlerFrame, Leaf, Prologue, Register, Saved,
    SigreturnCode, ThreadPointer, TlsAbi,
};

/// What the kernel, the psABI and DWARF say about one machine.
#[derive(Debug)]
pub struct Facts {
    /// Name as `uname -m` or gdb has it.
    pub name: &'static str,
    /// By which ELF header it is known.
    pub elf: ElfIdentity,
    /// Bytes of a general register and of a slot of the stack.
    pub word: u8,
    /// Bytes of an address: fewer than `word` on x32 and MIPS n32.
    pub address: u8,
    /// Names of the registers in DWARF's numbering; gaps are absent.
    pub names: &'static [(Register, &'static str)],
    /// Where the kernel puts a thread's registers.
    pub prstatus: Prstatus,
    /// Program counter as a register number of ours (see [`super::Registers`]).
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
    /// Whether callees give back floating-point or vector registers, or parts of them.
    pub keeps_floats: bool,
    /// Registers of the segment bases, which no signal changes.
    pub segment_bases: &'static [Register],
    /// Registers of a call's first arguments, in their order; empty where they lie on the
    /// stack.
    pub arguments: &'static [Register],
    /// The register of a call's result.
    pub result: Option<Register>,
    /// Bytes from the CFA to the stack pointer that the caller had at the call.
    pub cfa_to_sp: i64,
    /// How an address of code follows from what a register holds.
    pub code_address: CodeAddress,
    /// What the tables of call frame information have of their own.
    pub tables: TableDialect,
    /// The call instructions before a return address.
    pub calls: Calls,
    /// Functions that still have their return address in the link register.
    pub leaf: Leaf,
    /// How frames are chained without tables.
    pub frame_record: FrameRecord,
    /// Code of the signal trampoline: what a return address points at when the caller is
    /// the kernel, for places without CFI.
    pub sigreturn: &'static [SigreturnCode],
    /// What the kernel leaves on the stack for a signal handler besides registers.
    pub handler_frame: HandlerFrame,
    /// The system call that threads sleep in when they wait for a lock.
    pub futex: Option<FutexCall>,
    /// Where the core holds the thread pointer.
    pub thread_pointer: ThreadPointer,
    /// Where thread-local storage lies from the thread pointer.
    pub tls: Option<TlsAbi>,
    /// Floating-point and vector registers.
    pub floats: &'static [FloatBank],
    /// Functions keep general registers in floating-point ones, so that unwinding needs both.
    pub floats_hold_registers: bool,
    /// Bytes of `NT_FPREGSET` that control the unit: from, to.
    pub float_controls: Option<(usize, usize)>,
    /// How functions begin, where nothing else leads from frame to frame without tables.
    pub prologue: Option<Prologue>,
    /// Who can decode its code.
    pub decoder: Option<Decoder>,
}

/// The ELF header of a machine's files.
#[derive(Clone, Copy, Debug)]
pub struct ElfIdentity {
    /// `e_machine`.
    pub e_machine: u16,
    /// ELFCLASS64 rather than ELFCLASS32.
    pub is_64: bool,
    /// The byte order, where another is another machine: little-endian or not.
    pub little_endian: Option<bool>,
}

impl ElfIdentity {
    /// Whether a header with these values is this machine's.
    pub fn describes(self, e_machine: u16, is_64: bool, little_endian: bool) -> bool {
        let is_order = self.little_endian.is_none_or(|order| order == little_endian);
        self.e_machine == e_machine && self.is_64 == is_64 && is_order
    }
}

/// `struct elf_prstatus` (Linux `include/linux/elfcore.h`). Offsets are bytes.
#[derive(Debug)]
pub struct Prstatus {
    /// `pr_pid`.
    pub pid: usize,
    /// `pr_reg`.
    pub registers: usize,
    /// Bytes of `pr_reg`.
    pub size: usize,
    /// The registers that are followed from frame to frame, by their place in `pr_reg`.
    pub saved: &'static [Saved],
    /// The others: flags, segments and what else is only shown.
    pub others: &'static [OtherRegister],
    /// Where in `pr_reg` the number of the system call lies that a thread is in, -1 for none.
    pub system_call: Option<usize>,
}

/// The offset of `pr_pid` and that of `pr_reg` where a `long` has 8 bytes.
pub(super) const LONG_64: (usize, usize) = (32, 112);
/// The same where it has 4.
pub(super) const LONG_32: (usize, usize) = (24, 72);

impl Prstatus {
    /// The register whose bytes in `pr_reg` begin at `at`.
    pub fn register_at(&self, at: usize) -> Option<Register> {
        let mut places = self.saved.iter().flat_map(Saved::places);
        places.find(|(place, _)| *place == at as u64).map(|(_, register)| register)
    }
}

/// A register of `pr_reg` that plays no part in unwinding.
#[derive(Clone, Copy, Debug)]
pub struct OtherRegister {
    /// As gdb calls it.
    pub name: &'static str,
    /// Bytes from the start of `pr_reg`.
    pub at: usize,
    /// Its bytes, at most 8.
    pub size: usize,
}

/// How an address of code follows from what a register or a slot of the stack holds.
#[derive(Clone, Copy, Debug)]
pub struct CodeAddress {
    /// Bits that name the mode of the processor: Thumb, 31-bit addressing.
    pub mode_bits: u64,
    /// Bits of a return address that may hold an authentication code or a tag.
    pub authentication: u64,
    /// Bytes from what a call leaves to where it returns to (SPARC leaves the call itself).
    pub return_after: u64,
}

impl CodeAddress {
    /// A register holds the address as it is.
    pub(super) const PLAIN: Self = Self { mode_bits: 0, authentication: 0, return_after: 0 };
}

/// What call frame information has of its own on a machine.
#[derive(Clone, Copy, Debug)]
pub struct TableDialect {
    /// Opcode 0x2d says that return addresses are signed (aarch64).
    pub signs_return_addresses: bool,
    /// `.ARM.exidx` speaks where `.eh_frame` does not.
    pub has_exception_index: bool,
    /// The vDSO's table says that a frame is the kernel's, and not, or not in all versions,
    /// where its registers are: the code of the trampoline knows better.
    pub code_knows_signal_frames: bool,
}

impl TableDialect {
    /// Nothing of its own.
    pub(super) const PLAIN: Self = Self {
        signs_return_addresses: false,
        has_exception_index: false,
        code_knows_signal_frames: false,
    };
}

/// A decoder of machine code in `obit-disassembly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// x86 with addresses of 64 bits and registers to match, or of 32.
    X86 {
        /// 64 or 32.
        bits: u32,
    },
    /// A64.
    Aarch64,
    /// RV64GC.
    Riscv,
    /// A32, of 32-bit Arm.
    A32,
    /// Thumb, of 32-bit Arm: which of the two a piece of code is in, no byte of it says.
    Thumb,
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

    /// The bank of a floating-point or vector register, and which of the bank it is.
    pub fn float_bank(&self, register: Register) -> Option<(&'static FloatBank, u16)> {
        self.floats.iter().find_map(|bank| Some((bank, bank.index_of(register)?)))
    }

    /// The frame pointer of code in this instruction set: in Thumb, whose short instructions
    /// cannot name r11, compilers use r7 (AAPCS32 § 5.2.3 leaves the choice).
    pub fn frame_pointer(&self, decoder: Decoder) -> Register {
        match decoder {
            Decoder::Thumb => Register(7),
            Decoder::X86 { .. } | Decoder::Aarch64 | Decoder::Riscv | Decoder::A32 => self.fp,
        }
    }

    /// As many bits of `value` as a general register has.
    pub fn wrap_register(&self, value: u64) -> u64 {
        if self.word == 4 { value & u64::from(u32::MAX) } else { value }
    }

    /// As many bits of `value` as an address has.
    pub fn wrap(&self, value: u64) -> u64 {
        if self.address == 4 { value & u64::from(u32::MAX) } else { value }
    }
}

/// Names for registers of these DWARF numbers.
// Runs only when the program is compiled.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
pub(super) const fn names<const N: usize>(
    numbers: [u16; N],
    names: [&'static str; N],
) -> [(Register, &'static str); N] {
    let mut named = [(Register(0), ""); N];
    let mut nth = 0;
    while nth < N {
        named[nth] = (Register(numbers[nth]), names[nth]);
        nth += 1;
    }
    named
}

/// Registers of these DWARF numbers.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
pub(super) const fn registers<const N: usize>(numbers: [u16; N]) -> [Register; N] {
    let mut registers = [Register(0); N];
    let mut nth = 0;
    while nth < N {
        registers[nth] = Register(numbers[nth]);
        nth += 1;
    }
    registers
}
