//! Unwinding by arbitrary call frame information.
//!
//! A crash from `tests/fixtures` whose program keeps its build ID, so that obit takes it,
//! while its `.eh_frame` (and `.debug_frame`, where there is one) is the fuzzer's.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use obit::elf::{ElfImage, ImageBytes};
use obit::limits::Limits;
use obit::process::{Options, Process};

const CORE: &[u8] = include_bytes!("../../tests/fixtures/debug-frame/core.zst");
const PROGRAM: &[u8] = include_bytes!("../../tests/fixtures/debug-frame/prog");

/// Where the core lies, unpacked once, and the file ranges of the program to overwrite.
struct Template {
    _directory: tempfile::TempDir,
    core: PathBuf,
    program: PathBuf,
    tables: Vec<std::ops::Range<usize>>,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let core = directory.path().join("core");
        let program = directory.path().join("prog");
        let unpacked = zstd::decode_all(CORE).expect("the fixture is whole");
        std::fs::write(&core, unpacked).expect("room for it");
        let image = ElfImage::parse(ImageBytes::Memory(PROGRAM.to_vec()), &Limits::default())
            .expect("the fixture is an ELF file");
        let tables = [".eh_frame", ".debug_frame"]
            .iter()
            .filter_map(|name| image.section(name))
            .map(|section| section.offset as usize..(section.offset + section.size) as usize)
            .collect();
        Template { _directory: directory, core, program, tables }
    })
}

fuzz_target!(|data: &[u8]| {
    let template = template();
    let mut program = PROGRAM.to_vec();
    let mut data = data;
    for table in &template.tables {
        let room = &mut program[table.clone()];
        let (here, rest) = data.split_at(data.len().min(room.len()));
        room[..here.len()].copy_from_slice(here);
        data = rest;
    }
    // The program lies beside the core and is found there. A new file each time: the old
    // one may still be mapped.
    let _ = std::fs::remove_file(&template.program);
    std::fs::write(&template.program, &program).expect("room for it");
    let limits = Limits { frames: 1000, ..Limits::default() };
    let mut options = Options { limits, ..Options::default() };
    options.rules.core_directory = template.core.parent().map(PathBuf::from);
    let process = Process::open(&template.core, options, &()).expect("the core itself is whole");
    assert!(process.threads.iter().all(|thread| thread.stack.frames.len() <= 1000));
});
