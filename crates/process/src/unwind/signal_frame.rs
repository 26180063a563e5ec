//! What the kernel leaves on the stack for a signal handler, known without the code that
//! the handler returns to (Linux `arch/x86/include/asm/sigframe.h`, `uapi/asm/ucontext.h`).

use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;

/// All of `UC_FP_XSTATE`, `UC_SIGCONTEXT_SS` and `UC_STRICT_RESTORE_SS`.
const FLAGS: u64 = 7;
/// `uc_link`, which the kernel sets to null.
const LINK: u64 = 8;
/// `cs`, `gs`, `fs` and `ss`, two bytes each, behind 18 registers of `uc_mcontext`.
const SELECTORS: u64 = 40 + 18 * 8;
/// `__USER_CS`, and `__USER_DS` in `ss`, which old kernels leave zero.
const USER_CODE: u64 = 0x33;
const USER_DATA: u64 = 0x2b;
/// The pointer to the state of the vector registers, which lies above on the same stack.
const FPSTATE: u64 = 40 + 23 * 8;
/// How far above, bytes: the frame and what aligns the state.
const FARTHEST: u64 = 4096;

/// Whether the `struct ucontext` of a handler's frame lies at `sp` (x86_64).
pub(super) fn is_context(sp: Avma, memory: &mut Cursor<'_>) -> bool {
    let mut word = |offset: u64| memory.read_word(sp.checked_add(offset)?).ok();
    let is_head = |flags: u64, link: u64| flags <= FLAGS && link == 0;
    let (Some(flags), Some(link)) = (word(0), word(LINK)) else { return false };
    let (Some(selectors), Some(fpstate)) = (word(SELECTORS), word(FPSTATE)) else { return false };
    let stack_segment = selectors >> 48;
    let is_user = selectors & 0xffff == USER_CODE && matches!(stack_segment, 0 | USER_DATA);
    let above = fpstate.checked_sub(sp.0);
    let is_near = above.is_some_and(|above| (FPSTATE..FARTHEST).contains(&above));
    is_head(flags, link) && is_user && is_near && fpstate % 16 == 0
}
