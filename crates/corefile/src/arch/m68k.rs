//! Motorola 68000. Sources: System V ABI Motorola 68000 Supplement, Linux
//! `arch/m68k/include/asm/user.h`; the kernel aligns a `long` to 2 bytes there.

use super::facts::{names, registers};
use super::{
    CallForm, CallTarget, Calls, CodeAddress, ElfIdentity, Facts, FrameRecord, HandlerFrame, Leaf,
    OtherRegister, Prstatus, Register, Saved, TableDialect, ThreadPointer,
};

const PC: Register = Register(24);

const fn call(size: u8, mask: u64, value: u64) -> CallForm {
    CallForm::relative(size, mask, value, CallTarget::Unknown)
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "m68k",
    elf: ElfIdentity { e_machine: 4, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    names: &names(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 24],
        [
            "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "a0", "a1", "a2", "a3", "a4", "a5",
            "a6", "a7", "pc",
        ],
    ),
    // d1 to d7, a0 to a6, d0, usp, orig_d0, stkadj and sr (2 bytes each), pc, fmtvec
    prstatus: Prstatus {
        pid: 22,
        registers: 70,
        size: 20 * 4,
        saved: &[
            Saved::row(0, 1, 7, 4),
            Saved::row(28, 8, 7, 4),
            Saved::narrow(56, Register(0)),
            Saved::narrow(60, Register(15)),
            Saved::narrow(72, PC),
        ],
        others: &[OtherRegister { name: "sr", at: 70, size: 2 }],
        system_call: None,
    },
    pc: PC,
    sp: Register(15),
    fp: Register(14),
    link: None,
    callee_saved: &registers([2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &[],
    result: Some(Register(0)),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::Forms(&[
        // jsr address; bsr.l; jsr disp(An), jsr disp(pc); bsr.w; jsr (An); bsr.b
        call(6, 0xffff_0000_0000, 0x4eb9_0000_0000),
        call(6, 0xffff_0000_0000, 0x61ff_0000_0000),
        call(4, 0xfff8_0000, 0x4ea8_0000),
        call(4, 0xffff_0000, 0x4eba_0000),
        call(4, 0xffff_0000, 0x6100_0000),
        call(2, 0xfff8, 0x4e90),
        call(2, 0xff00, 0x6100),
    ]),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::FramePointer { saved: 0, return_address: 4, sp: 8 },
    sigreturn: &[],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Absent,
    tls: None,
    floats: &[],
    floats_hold_registers: false,
    float_controls: None,
    prologue: None,
    decoder: None,
};
