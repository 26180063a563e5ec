//! An archive: tar, ZIP or an export of the journal, plain or compressed.
#![no_main]

use std::fs::File;
use std::io;
use std::path::Component;
use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use obit::archive::{Member, Sink, unpack};
use obit::limits::Limits;
use obit_fuzz::MemoryFile;

/// Looks at what comes out.
struct Checked {
    files: usize,
}

impl Sink for Checked {
    fn room(&mut self) -> io::Result<File> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn take(&mut self, member: Member) -> io::Result<()> {
        assert!(member.path.components().all(|part| matches!(part, Component::Normal(_))));
        self.files += 1;
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    static ARCHIVE: OnceLock<MemoryFile> = OnceLock::new();
    let file = ARCHIVE.get_or_init(MemoryFile::new).holding(data).expect("room for it");
    // A few hundred bytes unpack to anything: keep the fuzzer quick.
    let limits = Limits {
        archive_entries: 64,
        archive_files: 8,
        archive_texts: 8,
        archive_bytes: 16 << 20,
        ..Limits::default()
    };
    let mut checked = Checked { files: 0 };
    let unpacked = unpack(file, Duration::from_secs(5), &limits, &mut checked);
    assert!(checked.files <= 16);
    if let Ok(unpacked) = unpacked {
        assert!(unpacked.files <= 64);
    }
});
