//! 64-bit Arm. Sources: DWARF for the Arm 64-bit Architecture (AADWARF64) § 4.1, AAPCS64
//! § 6.1.1, Linux `arch/arm64/include/uapi/asm/{ptrace,sigcontext,ucontext}.h`.

use super::facts::{LONG_64, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, Decoder, ElfIdentity, Facts, FloatBank, FloatNote,
    FloatPlace, FrameRecord, FutexCall, HandlerFrame, Leaf, OtherRegister, Prstatus, Register,
    Saved, SiginfoPlace, SigreturnCode, TableDialect, ThreadPointer, TlsAbi, TlsBlocks,
    TrampolineCode,
};

const X0: Register = Register(0);
const SP: Register = Register(31);
const PC: Register = Register(32);
/// x0 to x30, sp, pc: in `user_pt_regs` and in `sigcontext`.
const GENERAL: &[Saved] = &[Saved::row(0, 0, 33, 8)];
/// `siginfo_t` (128), then `ucontext`: flags, link, stack (24), sigmask (128 with its padding),
/// aligned to 16. `fault_address` comes first in it.
const MCONTEXT: u64 = 128 + 176;

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "aarch64",
    elf: ElfIdentity { e_machine: 183, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
            24, 25, 26, 27, 28, 29, 30, 31, 32,
        ],
        [
            "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
            "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
            "x26", "x27", "x28", "x29", "x30", "sp", "pc",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 34 * 8,
        saved: GENERAL,
        others: &[OtherRegister { name: "cpsr", at: 33 * 8, size: 8 }],
        system_call: None,
    },
    pc: PC,
    sp: SP,
    fp: Register(29),
    link: Some(Register(30)),
    callee_saved: &registers([19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31]),
    // The lower halves of v8 to v15.
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([0, 1, 2, 3, 4, 5, 6, 7]),
    result: Some(X0),
    cfa_to_sp: 0,
    // Kernels with 39-bit addresses sign from bit 39 on, and say so in the core.
    code_address: CodeAddress { authentication: 0xffff << 48, ..CodeAddress::PLAIN },
    tables: TableDialect {
        signs_return_addresses: true,
        code_knows_signal_frames: true,
        ..TableDialect::PLAIN
    },
    calls: Calls::Forms(&[
        // BL
        CallForm::relative(
            4,
            0xfc00_0000,
            0x9400_0000,
            CallTarget::Relative { shift: 0, bits: 26, scale: 4 },
        ),
        // BLR and BLRA*
        CallForm::word(0xfebf_f000, 0xd63f_0000),
    ]),
    leaf: Leaf {
        // BL; BLR, RET and their forms that authenticate
        ends: &[
            (0xfc00_0000, 0x9400_0000),
            (0xffe0_0000, 0xd620_0000),
            (0xffe0_0000, 0xd640_0000),
            (0xffe0_0000, 0xd720_0000),
        ],
        lowers_stack: &[],
    },
    frame_record: FrameRecord::FramePointer { saved: 0, return_address: 8, sp: 16 },
    sigreturn: &[SigreturnCode {
        // mov x8, #139; svc #0
        code: TrampolineCode::Bytes(&[0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]),
        context_offset: MCONTEXT + 8,
        registers: GENERAL,
    }],
    handler_frame: HandlerFrame {
        siginfo: SiginfoPlace::At(0),
        fault_address: Some(MCONTEXT),
        ..HandlerFrame::UNKNOWN
    },
    // The core does not say which system call a thread is in.
    futex: Some(FutexCall { numbers: &[], word: X0, operation: Register(1), timeout: Register(3) }),
    thread_pointer: ThreadPointer::Note,
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 2 },
        bias: 0,
        glibc_vector: 0,
        musl_vector: -1,
        musl_added: 0,
    }),
    floats: &[
        FloatBank::array("v", 64, 32, (FloatNote::FpRegset, 0, 16)),
        FloatBank::array("fpsr", NO_NUMBER, 1, (FloatNote::FpRegset, 512, 4)),
        FloatBank::array("fpcr", NO_NUMBER, 1, (FloatNote::FpRegset, 516, 4)),
        FloatBank::new("z", 96, 32, FloatPlace::ArmSve),
    ],
    // `fpsr` and `fpcr`
    floats_hold_registers: false,
    float_controls: Some((512, 528)),
    prologue: None,
    decoder: Some(Decoder::Aarch64),
};
