//! Owned text: `String`, `OsString` and `PathBuf` are a `Vec<u8>` in wrappers, `CString`
//! is a boxed slice that ends with a NUL.

use super::object::RustObject;
use crate::value::readable::{Readable, extent};
use obit_corefile::addr::Avma;

/// `String`, `OsString`, `PathBuf`.
pub(super) fn owned<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let start = view.pointer("ptr")?.unsigned(view.scene).ok().filter(|start| *start != 0)?;
    let len = view.number("len")?;
    if len > view.number("cap")? {
        return None;
    }
    let text = Some(extent::text(Avma(start), len, view.scene)?);
    Some(Readable { text, ..Readable::default() })
}

/// `CString`.
pub(super) fn c_string<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let start = view.pointer("data_ptr")?.unsigned(view.scene).ok().filter(|start| *start != 0)?;
    let len = view.number("length")?.checked_sub(1)?;
    let text = Some(extent::text(Avma(start), len, view.scene)?);
    Some(Readable { text, ..Readable::default() })
}
