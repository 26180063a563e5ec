//! 32-bit Arm. Sources: DWARF for the Arm Architecture (AADWARF32) § 4.1, AAPCS32
//! § 6.1.1, Linux `arch/arm/include/uapi/asm/{ptrace,sigcontext}.h`.

use super::facts::{LONG_32, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, Decoder, ElfIdentity, Facts, FloatBank, FloatNote,
    FrameRecord, HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SigreturnCode,
    TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

/// `struct sigcontext`: trap_no, error_code, oldmask, then r0 to r10, fp, ip, sp, lr, pc.
const SIGCONTEXT: &[Saved] = &[Saved::row(12, 0, 16, 4)];
/// From the frame to its `uc_mcontext`.
const PLAIN: u64 = 20;
/// The same where `siginfo_t` comes first.
const WITH_SIGINFO: u64 = 128 + 20;

const fn trampoline(code: &'static [u8], context_offset: u64) -> SigreturnCode {
    let code = TrampolineCode::Bytes(code);
    SigreturnCode { code, context_offset, registers: SIGCONTEXT }
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "arm",
    elf: ElfIdentity { e_machine: 40, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    names: &names(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [
            "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp",
            "lr", "pc",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_32.0,
        registers: LONG_32.1,
        size: 18 * 4,
        saved: &[Saved::row(0, 0, 16, 4)],
        others: &[OtherRegister { name: "cpsr", at: 16 * 4, size: 4 }],
        system_call: None,
    },
    pc: Register(15),
    sp: Register(13),
    fp: Register(11),
    link: Some(Register(14)),
    callee_saved: &registers([4, 5, 6, 7, 8, 9, 10, 11, 13]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([0, 1, 2, 3]),
    result: Some(Register(0)),
    cfa_to_sp: 0,
    // Bit 0 says Thumb.
    code_address: CodeAddress { mode_bits: 1, ..CodeAddress::PLAIN },
    tables: TableDialect { has_exception_index: true, ..TableDialect::PLAIN },
    calls: Calls::Forms(&[
        // BL, BLX (Thumb) as two halves; BLX register (Thumb)
        CallForm::relative(4, 0xd000_f800, 0xd000_f000, CallTarget::Thumb).of_mode(1),
        CallForm::relative(4, 0xd001_f800, 0xc000_f000, CallTarget::ThumbToA32).of_mode(1),
        CallForm::relative(2, 0xff87, 0x4780, CallTarget::Unknown).of_mode(1),
        // BLX register, BLX, BL (A32)
        CallForm::word(0x0fff_fff0, 0x012f_ff30).of_mode(0),
        CallForm::relative(4, 0xfe00_0000, 0xfa00_0000, CallTarget::A32ToThumb).of_mode(0),
        CallForm::relative(4, 0x0f00_0000, 0x0b00_0000, CallTarget::A32).of_mode(0),
    ]),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::None,
    sigreturn: &[
        // mov r7, #119; swi 0x900077: the kernel's own, for a handler without restorer
        trampoline(&[0x77, 0x70, 0xa0, 0xe3, 0x77, 0x00, 0x90, 0xef], PLAIN),
        // mov r7, #173; swi 0x9000ad
        trampoline(&[0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00, 0x90, 0xef], WITH_SIGINFO),
        // mov.w r7, #119; svc 0 (Thumb-2, a C library's)
        trampoline(&[0x4f, 0xf0, 0x77, 0x07, 0x00, 0xdf], PLAIN),
        // mov.w r7, #173; svc 0 (Thumb-2)
        trampoline(&[0x4f, 0xf0, 0xad, 0x07, 0x00, 0xdf], WITH_SIGINFO),
        // mov r7, #119; svc 0 (ARM): ucontext at sp, its mcontext at 20
        trampoline(&[0x77, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef], PLAIN),
        // mov r7, #173; svc 0 (ARM): siginfo (128) first
        trampoline(&[0xad, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef], WITH_SIGINFO),
        // movs r7, #119; svc 0 (Thumb)
        trampoline(&[0x77, 0x27, 0x00, 0xdf], PLAIN),
        // movs r7, #173; svc 0 (Thumb)
        trampoline(&[0xad, 0x27, 0x00, 0xdf], WITH_SIGINFO),
    ],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Absent,
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 2 },
        bias: 0,
        glibc_vector: 0,
        musl_vector: -1,
        musl_added: 0,
    }),
    floats: &[
        FloatBank::array("d", 256, 32, (FloatNote::ArmVfp, 0, 8)),
        FloatBank::array("s", 64, 32, (FloatNote::ArmVfp, 0, 4)),
        FloatBank::array("fpscr", NO_NUMBER, 1, (FloatNote::ArmVfp, 256, 4)),
    ],
    floats_hold_registers: false,
    float_controls: None,
    prologue: None,
    decoder: Some(Decoder::A32),
};
