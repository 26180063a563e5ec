//! Unwinding by arbitrary call frame information.
//!
//! A crash from `tests/fixtures` whose program keeps its build ID, so that obit takes it,
//! while its `.debug_frame` or (by the first bit of the first byte) its `.eh_frame` is the
//! fuzzer's. The core is read once.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use obit::debuginfo::locate::{Locator, SearchRules};
use obit::dump::{CoreFile, Dump};
use obit::limits::Limits;
use obit::module::{Library, load};
use obit::unwind::Unwinder;
use obit_fuzz::{Framing, Handed, Layout, MemoryFile, mutate_frames};

const CORE: &[u8] = include_bytes!("../../tests/fixtures/debug-frame/core.zst");
const PROGRAM: &[u8] = include_bytes!("../../tests/fixtures/debug-frame/prog");
/// Frames that are unwound, and bytes of tables.
const FRAMES: usize = 200;

/// The core, and what of the program to replace.
struct Template {
    dump: Dump,
    limits: Limits,
    layout: Layout,
    /// The regions of `.debug_frame` and `.eh_frame`.
    tables: [usize; 2],
    program: MemoryFile,
    source: MemoryFile,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let unpacked = zstd::decode_all(CORE).expect("the fixture is whole");
        let file = MemoryFile::new().holding(&unpacked).expect("room for it");
        let core = CoreFile {
            path: "core".into(),
            file,
            disk: None,
            is_stream: false,
            beside: Vec::new(),
            companions: Arc::default(),
        };
        let limits = Limits { frames: FRAMES, ..Limits::default() };
        let dump = Dump::open_file(core, &limits).expect("the fixture is a core");
        let layout = Layout::of(PROGRAM);
        let tables = [".debug_frame", ".eh_frame"].map(|name| {
            let regions = &layout.regions;
            regions.iter().position(|region| region.name == name).expect("the fixture has both")
        });
        let (program, source) = Default::default();
        Template { dump, limits, layout, tables, program, source }
    })
}

fuzz_target!(|data: &[u8]| {
    let template = template();
    let Some((which, table)) = data.split_first() else { return };
    let index = template.tables[usize::from(which & 1)];
    let contents = BTreeMap::from([(index, table.to_vec())]);
    let program = template.program.holding(&template.layout.with(PROGRAM, &contents));
    let access = Handed {
        program: program.expect("room for it"),
        source: template.source.holding(&[]).expect("room for it"),
    };
    let rules =
        SearchRules { executable: Some(PathBuf::from(Handed::PROGRAM)), ..SearchRules::default() };
    let limits = template.limits.clone();
    let locator = Arc::new(Locator::with_access(rules, limits, Arc::new(access)));
    let library = Arc::new(Library::new(locator, None, template.limits.clone()));
    let loaded = load(&template.dump, &library);
    let machine = template.dump.machine;
    let mut unwinder = Unwinder::new(machine, &loaded.memory, &loaded.modules, &template.limits);
    for thread in &template.dump.threads {
        let stack = unwinder.unwind(&thread.registers, thread.code_pointer_mask);
        assert!(stack.frames.len() <= FRAMES);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let Some((which, table)) = data.split_first_mut().filter(|_| size > 0 && max_size > 0) else {
        return size;
    };
    if seed.is_multiple_of(64) {
        *which ^= 1;
    }
    let (size, max_size) = (size - 1, max_size - 1);
    1 + mutate_frames(table, size, max_size, seed, Framing::Units, &template().layout)
});
