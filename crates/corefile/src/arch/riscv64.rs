//! RISC-V, 64-bit. Sources: RISC-V ELF psABI (DWARF numbers, calling convention), Linux
//! `arch/riscv/include/uapi/asm/{ptrace,ucontext,sigcontext}.h`.

use super::facts::{LONG_64, names, registers};
use super::{
    CallForm, Calls, CodeAddress, Decoder, ElfIdentity, Facts, FloatBank, FloatNote, FrameRecord,
    HandlerFrame, Leaf, Prstatus, Register, Saved, SiginfoPlace, SigreturnCode, TableDialect,
    ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;
const RA: Register = Register(1);
const SP: Register = Register(2);
const TP: Register = Register(4);
/// `user_regs_struct`: the pc, then x1 to x31.
const GENERAL: &[Saved] = &[Saved::wide(0, PC), Saved::row(8, 1, 31, 8)];

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "riscv64",
    elf: ElfIdentity { e_machine: 243, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
            25, 26, 27, 28, 29, 30, 31, PC.0,
        ],
        [
            "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
            "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3",
            "t4", "t5", "t6", "pc",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 32 * 8,
        saved: GENERAL,
        others: &[],
        system_call: None,
    },
    pc: PC,
    sp: SP,
    fp: Register(8),
    link: Some(RA),
    callee_saved: &registers([2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([10, 11, 12, 13, 14, 15, 16, 17]),
    result: Some(Register(10)),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect { code_knows_signal_frames: true, ..TableDialect::PLAIN },
    calls: Calls::Forms(&[
        // JAL ra; JALR ra
        CallForm::word(0xfff, 0x0ef),
        CallForm::word(0xfff, 0x0e7),
        // C.JALR, by each bit of its register: the form with register 0 is C.EBREAK
        CallForm::word(0xf0ff_0000, 0x9082_0000),
        CallForm::word(0xf17f_0000, 0x9102_0000),
        CallForm::word(0xf27f_0000, 0x9202_0000),
        CallForm::word(0xf47f_0000, 0x9402_0000),
        CallForm::word(0xf87f_0000, 0x9802_0000),
    ]),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::FramePointer { saved: -16, return_address: -8, sp: 0 },
    sigreturn: &[SigreturnCode {
        // li a7, 139; ecall
        code: TrampolineCode::Bytes(&[0x93, 0x08, 0xb0, 0x08, 0x73, 0x00, 0x00, 0x00]),
        // siginfo (128), then ucontext: flags, link, stack (24), sigmask (8 + 120):
        // uc_mcontext at 176.
        context_offset: 128 + 176,
        registers: GENERAL,
    }],
    handler_frame: HandlerFrame { siginfo: SiginfoPlace::At(0), ..HandlerFrame::UNKNOWN },
    futex: None,
    thread_pointer: ThreadPointer::Register(TP),
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 0 },
        bias: 0,
        glibc_vector: -2,
        musl_vector: -1,
        musl_added: 0x800,
    }),
    floats: &[
        FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 8)),
        FloatBank::array("fcsr", 4099, 1, (FloatNote::FpRegset, 256, 4)),
    ],
    floats_hold_registers: false,
    float_controls: Some((256, 264)),
    prologue: None,
    decoder: Some(Decoder::Riscv),
};
