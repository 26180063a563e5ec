//! A whole core file: headers, segments, notes, threads, and compressed containers.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use obit::dump::{CoreFile, Dump};
use obit::limits::Limits;
use obit_fuzz::MemoryFile;

fuzz_target!(|data: &[u8]| {
    static CORE: OnceLock<MemoryFile> = OnceLock::new();
    let file = CORE.get_or_init(MemoryFile::new).holding(data).expect("room for it");
    let core = CoreFile {
        path: "core".into(),
        file,
        disk: None,
        is_stream: false,
        beside: Vec::new(),
        companions: Arc::default(),
    };
    // A few hundred bytes of zstd unpack to anything: keep the fuzzer quick.
    let limits = Limits { core_bytes: 16 << 20, ..Limits::default() };
    if let Ok(dump) = Dump::open_file(core, &limits) {
        assert!(!dump.threads.is_empty());
        assert!(dump.crashed < dump.threads.len());
    }
});
