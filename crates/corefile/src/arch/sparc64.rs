//! SPARC V9. Sources: SPARC Compliance Definition 2.4 (register windows, stack bias), Linux
//! `arch/sparc/include/uapi/asm/ptrace.h`, `arch/sparc/kernel/signal_64.c`.

use super::facts::{LONG_64, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote,
    FrameRecord, HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SigreturnCode,
    TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;
/// What the stack pointer and the frame pointer are less than the addresses they stand for.
const BIAS: i64 = 2047;
/// The save area of a window: locals, then ins.
const WINDOW: Saved = Saved::row(0, 16, 16, 8);

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(8), size: 8 }
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "sparc64",
    elf: ElfIdentity { e_machine: 43, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
            24, 25, 26, 27, 28, 29, 30, 31, PC.0,
        ],
        [
            "g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "o0", "o1", "o2", "o3", "o4", "o5",
            "sp", "o7", "l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "i0", "i1", "i2", "i3",
            "i4", "i5", "fp", "i7", "pc",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 36 * 8,
        saved: &[Saved::row(0, 0, 32, 8), Saved::wide(33 * 8, PC)],
        others: &[other("tstate", 32), other("npc", 34), other("y", 35)],
        system_call: None,
    },
    pc: PC,
    sp: Register(14),
    fp: Register(30),
    link: Some(Register(15)),
    callee_saved: &registers([
        7, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    ]),
    keeps_floats: false,
    segment_bases: &[],
    arguments: &registers([8, 9, 10, 11, 12, 13]),
    result: Some(Register(8)),
    cfa_to_sp: -BIAS,
    // A call leaves its own address; its delay slot follows it.
    code_address: CodeAddress { return_after: 8, ..CodeAddress::PLAIN },
    tables: TableDialect::PLAIN,
    calls: Calls::Forms(&[
        // call; jmpl …,%o7
        CallForm {
            back: 8,
            target: CallTarget::Relative { shift: 0, bits: 30, scale: 4 },
            ..CallForm::word(0xc000_0000, 0x4000_0000)
        },
        CallForm { back: 8, ..CallForm::word(0xfff8_0000, 0x9fc0_0000) },
    ]),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::Window { bias: BIAS, return_address: Register(31), saved: WINDOW },
    sigreturn: &[SigreturnCode {
        // mov 101,%g1; ta 0x6d
        code: TrampolineCode::Words(&[0x8210_2065, 0x91d0_206d]),
        context_offset: 2047,
        // The window of what was interrupted, arguments (64), siginfo (128), pt_regs: globals
        // and outs, tstate, tpc.
        registers: &[WINDOW, Saved::row(320, 0, 16, 8), Saved::wide(456, PC)],
    }],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Register(Register(7)),
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Below,
        bias: 0,
        glibc_vector: 1,
        musl_vector: 1,
        musl_added: 0,
    }),
    floats: &[
        FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 4)),
        FloatBank::array("fsr", NO_NUMBER, 1, (FloatNote::FpRegset, 256, 8)),
    ],
    floats_hold_registers: false,
    float_controls: Some((256, 280)),
    prologue: None,
    decoder: None,
};
