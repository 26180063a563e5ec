//! `si_code` of fault signals (Linux `include/uapi/asm-generic/siginfo.h`).

pub(super) const SI_KERNEL: i32 = 0x80;
pub(super) const SEGV_MAPERR: i32 = 1;
pub(super) const SEGV_ACCERR: i32 = 2;
pub(super) const SEGV_PKUERR: i32 = 4;
pub(super) const BUS_ADRALN: i32 = 1;
pub(super) const BUS_ADRERR: i32 = 2;
pub(super) const FPE_INTDIV: i32 = 1;
pub(super) const FPE_FLTDIV: i32 = 3;
pub(super) const ILL_ILLOPC: i32 = 1;
pub(super) const ILL_ILLOPN: i32 = 2;
pub(super) const ILL_ILLTRP: i32 = 4;
pub(super) const ILL_PRVOPC: i32 = 5;
pub(super) const ILL_PRVREG: i32 = 6;
pub(super) const TRAP_BRKPT: i32 = 1;
