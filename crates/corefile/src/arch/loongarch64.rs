//! LoongArch, 64-bit. Sources: LoongArch ELF psABI 2.30, Linux
//! `arch/loongarch/include/uapi/asm/{ptrace,sigcontext,ucontext}.h`.

use super::facts::{LONG_64, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote, FrameRecord,
    HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SiginfoPlace, SigreturnCode,
    TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "loongarch64",
    elf: ElfIdentity { e_machine: 258, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
            24, 25, 26, 27, 28, 29, 30, 31, PC.0,
        ],
        [
            "zero", "ra", "tp", "sp", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1",
            "t2", "t3", "t4", "t5", "t6", "t7", "t8", "r21", "fp", "s0", "s1", "s2", "s3", "s4",
            "s5", "s6", "s7", "s8", "pc",
        ],
    ),
    // r0 to r31, orig_a0, csr_era, csr_badv, reserved
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 45 * 8,
        saved: &[Saved::row(0, 0, 32, 8), Saved::wide(33 * 8, PC)],
        others: &[
            OtherRegister { name: "orig_a0", at: 32 * 8, size: 8 },
            OtherRegister { name: "badv", at: 34 * 8, size: 8 },
        ],
        system_call: None,
    },
    pc: PC,
    sp: Register(3),
    fp: Register(22),
    link: Some(Register(1)),
    callee_saved: &registers([2, 3, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([4, 5, 6, 7, 8, 9, 10, 11]),
    result: Some(Register(4)),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    // bl; jirl ra
    calls: Calls::Forms(&[
        CallForm::word(0xfc00_0000, 0x5400_0000),
        CallForm::word(0xfc00_001f, 0x4c00_0001),
    ]),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::FramePointer { saved: -16, return_address: -8, sp: 0 },
    sigreturn: &[SigreturnCode {
        // li.w a7,139; syscall 0
        code: TrampolineCode::Words(&[0x0382_2c0b, 0x002b_0000]),
        // siginfo (128), ucontext: flags, link, stack (24), sigmask (128), aligned to 16
        context_offset: 128 + 176,
        registers: &[Saved::wide(0, PC), Saved::row(8, 0, 32, 8)],
    }],
    handler_frame: HandlerFrame { siginfo: SiginfoPlace::At(0), ..HandlerFrame::UNKNOWN },
    futex: None,
    thread_pointer: ThreadPointer::Register(Register(2)),
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 0 },
        bias: 0,
        glibc_vector: -2,
        musl_vector: -1,
        musl_added: 0,
    }),
    floats: &[
        FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 8)),
        FloatBank::array("fcsr", NO_NUMBER, 1, (FloatNote::FpRegset, 264, 4)),
    ],
    floats_hold_registers: false,
    float_controls: Some((256, 272)),
    prologue: None,
    decoder: None,
};
