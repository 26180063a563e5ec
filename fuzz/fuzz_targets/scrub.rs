//! A core without personal data: what `obit scrub` writes of a crash whose notes are whole is a
//! core with the same threads.
//!
//! An input is a script of changes to a crash of `tests/fixtures` (see `obit_fuzz::Script`).
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use obit::dump::{CoreFile, Dump};
use obit::notice::Notice;
use obit::scrub::{self, scrub};
use obit_fuzz::{MemoryFile, Part, Script, mutate, process_of};

/// Bytes of memory that are kept: compressing more would be most of the work.
const KEPT: u64 = 64 << 10;

fuzz_target!(|data: &[u8]| {
    static FILE: OnceLock<MemoryFile> = OnceLock::new();
    let Some(process) = process_of(&Script::of(data)) else { return };
    let mut scrubbed = Vec::new();
    let options = scrub::Options { max_size: Some(KEPT), ..scrub::Options::default() };
    scrub(&process, options, &mut scrubbed).expect("memory takes it");
    let file = FILE.get_or_init(MemoryFile::new).holding(&scrubbed).expect("room for it");
    let core = CoreFile {
        path: "scrubbed".into(),
        file,
        disk: None,
        is_stream: false,
        beside: Vec::new(),
        companions: Arc::default(),
    };
    let again = Dump::open_file(core, &process.limits);
    // A note that is cut short is not kept, with all after it: what cannot be judged goes.
    let is_cut = |notice: &Notice| matches!(notice, Notice::NoteMalformed { .. });
    if !process.dump.notices.iter().any(is_cut) {
        let again = again.expect("what is scrubbed is a core");
        assert_eq!(again.threads.len(), process.dump.threads.len());
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &[Part::Core, Part::Core, Part::Program])
});
