use super::Said;
use super::stack::Stack;
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    let _ = stack;
    None
}
