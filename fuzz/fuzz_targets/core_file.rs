//! A whole core file: headers, segments, notes, threads, and compressed containers.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use obit::dump::Dump;
use obit::limits::Limits;

fuzz_target!(|data: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(data).expect("room for it");
    // A few hundred bytes of zstd unpack to anything: keep the fuzzer quick.
    let limits = Limits { core_bytes: 16 << 20, ..Limits::default() };
    if let Ok(dump) = Dump::open(file.path(), &limits) {
        assert!(!dump.threads.is_empty());
        assert!(dump.crashed < dump.threads.len());
    }
});
