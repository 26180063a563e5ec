//! What the elements of arrays are called.

use std::sync::Arc;

use super::object::{Object, Scene};
use obit_dwarf::TypeKind;

/// Stands for an index that is still open.
const OPEN: char = ':';

/// What the element of `array` with this index is called: `[3]`. In column-major arrays the
/// indices are written as the source writes them, which is the reverse of how the elements
/// nest: `[:,3]`, and in that `[1,3]`. `parent` is what `array` is called.
pub(super) fn element_name<'d>(
    array: &Object<'d>,
    parent: Option<&str>,
    index: i64,
    scene: Scene<'d>,
) -> Arc<str> {
    let ty = array.resolved(scene);
    let plain = || format!("[{index}]");
    let name = match &ty.get().kind {
        TypeKind::Array(known) if known.is_column_major => {
            let open = match array.dimensions_taken {
                0 => Some(format!("[{}]", vec![":"; known.dimensions.len()].join(","))),
                _ => parent.filter(|name| name.starts_with("[:")).map(str::to_owned),
            };
            // The last index that is open is the outermost.
            let split = open.as_deref().and_then(|open| open.rsplit_once(OPEN));
            split.map_or_else(plain, |(before, after)| format!("{before}{index}{after}"))
        }
        _ => plain(),
    };
    name.into()
}
