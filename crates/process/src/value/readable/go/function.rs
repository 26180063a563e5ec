//! Function values: a pointer to a closure, whose first word is the code.

use super::object::GoObject;
use crate::value::readable::Readable;
use crate::value::{Text, TextOrigin};
use obit_corefile::addr::Avma;

/// A function value by the name of its code.
pub(super) fn readable<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let memory = view.scene.memory;
    let bytes = view.object.bytes(view.scene).ok()?;
    let closure = Avma(memory.unsigned(bytes.get(..memory.word())?));
    if closure.0 == 0 {
        return Some(Readable { summary: Some("nil".to_owned()), ..Readable::default() });
    }
    let code = Avma(memory.read_word(closure).ok()?);
    let (name, offset) = view.scene.around.symbol_at(code)?;
    let text = Text { text: name, origin: TextOrigin::Symbol, left_out: Some(0) };
    (offset == 0).then(|| Readable { text: Some(text), ..Readable::default() })
}
