//! What the kernel leaves on the stack for a signal handler, known without the code that
//! the handler returns to.

use obit_corefile::addr::Avma;
use obit_corefile::arch::ContextSigns;
use obit_corefile::memory::Cursor;

/// How far above the state of the vector registers may lie, bytes: the frame and what aligns
/// the state.
const FARTHEST: u64 = 4096;

/// Whether the `struct ucontext` of a handler's frame lies at `sp`.
pub(super) fn is_context(sp: Avma, signs: &ContextSigns, memory: &mut Cursor<'_>) -> bool {
    let mut word = |offset: u64| memory.read_word(sp.checked_add(offset)?).ok();
    let is_head = |flags: u64, link: u64| flags <= signs.flags && link == 0;
    let (Some(flags), Some(link)) = (word(0), word(signs.link)) else { return false };
    if !is_head(flags, link) {
        return false;
    }
    let (Some(selectors), Some(floats)) = (word(signs.selectors), word(signs.float_pointer)) else {
        return false;
    };
    let stack_segment = selectors >> 48;
    let is_user = selectors & 0xffff == signs.user_code
        && (stack_segment == 0 || stack_segment == signs.user_data);
    let above = floats.checked_sub(sp.0);
    let is_near = above.is_some_and(|above| (signs.float_pointer..FARTHEST).contains(&above));
    is_user && is_near && floats % 16 == 0
}
