//! Expressions of `obit print`.
//!
//! The first byte decides which names are types: it turns `(name)-1` into a cast.
#![no_main]

use libfuzzer_sys::fuzz_target;
use obit::print::{column, parse, pointed_at};

fuzz_target!(|data: &[u8]| {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Err(error) = parse(text, &|path| path.to_string().len() % 2 == usize::from(kind % 2)) {
        assert!(text.get(error.span.clone()).is_some(), "{error} at {:?}", error.span);
        let _ = (
            error.to_string(),
            error.hint(),
            pointed_at(&error.span, text),
            column(&error.span, text),
        );
    }
});
