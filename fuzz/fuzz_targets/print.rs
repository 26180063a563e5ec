//! Expressions of `obit print`, and their answers in a frame of a crash.
//!
//! The first bit of the first byte decides which names are types where there is no frame: it
//! turns `(name)-1` into a cast. The next four choose the crash, the others the frame.
#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use obit::print::{answer, column, parse, pointed_at};
use obit::process::Process;
use obit::report::{Asked, BuildOptions, printed};
use obit::value::Budget;
use obit_fuzz::{Handed, MemoryFile, bases, open};

/// Questions that one process answers: what it may read for them is limited.
const QUESTIONS: u32 = 256;

thread_local! {
    static OPENED: RefCell<HashMap<usize, (Process, u32)>> = RefCell::default();
}

fn opened(base: usize) -> Process {
    let base = &bases()[base];
    let file = |bytes: &[u8]| MemoryFile::new().holding(bytes).expect("room for it");
    let handed = Handed { program: file(&base.program), source: file(base.source) };
    open(file(&base.core), handed).expect("the fixture is a core")
}

fn ask(process: &Process, frame: usize, text: &str) {
    let crashed = process.threads.iter().position(|thread| thread.crashed).unwrap_or(0);
    let Some(view) = process.frame_view(crashed, frame) else { return };
    match answer(process, &view, text, &Budget::default()) {
        Ok(answer) => {
            let text = text.to_owned();
            let asked = Asked { text, thread: crashed, frame, frame_number: 0, answer };
            let _ = printed(process, &[asked], &BuildOptions::default());
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Err(error) = parse(text, &|path| path.to_string().len() % 2 == usize::from(kind % 2)) {
        assert!(text.get(error.span.clone()).is_some(), "{error} at {:?}", error.span);
        let _ = (error.to_string(), error.hint());
        let _ = (pointed_at(&error.span, text), column(&error.span, text));
    }
    let base = usize::from(kind >> 1 & 15) % bases().len();
    OPENED.with_borrow_mut(|all| {
        let (process, questions) = all.entry(base).or_insert_with(|| (opened(base), 0));
        ask(process, usize::from(kind >> 5), text);
        *questions += 1;
        if *questions == QUESTIONS {
            all.remove(&base);
        }
    });
});
