//! Containers whose words were overwritten, as stray writes do: whatever they claim, what
//! is shown of them stays small and nothing panics or goes on for ever.

use std::path::Path;

use obit::process::{Options, Process};
use obit::value::{Budget, Value, tree};

use super::readable::fixture;

const CASES: [&str; 4] =
    ["containers-rust", "containers-rust163", "containers-go119", "containers-go124"];
/// Versions of each core.
const ROUNDS: u64 = 12;
/// Elements asked for, and nodes that one variable may have.
const ELEMENTS: usize = 64;
const NODES: usize = 3000;

#[test]
fn overwritten_containers_are_shown_within_bounds() {
    for case in CASES {
        let directory = fixture(case);
        let packed = std::fs::read(directory.join("core.zst")).unwrap();
        let core = zstd::decode_all(packed.as_slice()).unwrap();
        let mut shown = 0;
        for round in 1..=ROUNDS {
            let mut core = core.clone();
            overwrite(&mut core, round);
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &core).unwrap();
            shown += show_all(file.path(), &directory);
        }
        // The stacks must have been readable often enough for this to mean something.
        assert!(shown > 100, "{case}: {shown} variables");
    }
}

/// Replaces one word in some hundred of the dumped memory by what does harm.
fn overwrite(core: &mut [u8], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        state >> 16
    };
    let start = first_load(core);
    let words = (core.len() - start) / 8;
    for _ in 0..words / 300 {
        let to = start + usize::try_from(random()).unwrap() % words * 8;
        let from = start + usize::try_from(random()).unwrap() % words * 8;
        let other: [u8; 8] = core[from..from + 8].try_into().unwrap();
        let value = match random() % 6 {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 63,
            3 => u64::MAX >> 1,
            4 => random() % 4096,
            _ => u64::from_le_bytes(other),
        };
        core[to..to + 8].copy_from_slice(&value.to_le_bytes());
    }
}

/// Where the bytes of the first `PT_LOAD` are: notes come before.
fn first_load(core: &[u8]) -> usize {
    let number = |at: usize| u64::from_le_bytes(core[at..at + 8].try_into().unwrap());
    let count = usize::from(u16::from_le_bytes([core[56], core[57]]));
    let table = usize::try_from(number(32)).unwrap();
    let headers = (0..count).map(|index| table + index * 56);
    let loads = headers.filter(|at| core[*at..*at + 4] == [1, 0, 0, 0] && number(*at + 32) > 0);
    loads.map(|at| usize::try_from(number(at + 8)).unwrap()).min().unwrap()
}

/// Shows every variable of every frame of the crashed thread; how many there were.
fn show_all(core: &Path, directory: &Path) -> usize {
    let mut options = Options::default();
    options.rules.core_directory = Some(directory.to_owned());
    options.rules.executable = Some(directory.join("prog"));
    let process = Process::open(core, options, &()).unwrap();
    let budget = Budget::default().with(None, Some(ELEMENTS));
    let mut shown = 0;
    for (nth, thread) in process.threads.iter().enumerate().filter(|(_, t)| t.crashed) {
        for frame in 0..thread.frames.len() {
            let Some(view) = process.frame_view(nth, frame) else { continue };
            for (_, object) in view.variables() {
                let Some(object) = object else { continue };
                let nodes = nodes(&tree(&object, None, view.scene(), &budget));
                assert!(nodes <= NODES, "{nodes} nodes");
                shown += 1;
            }
        }
    }
    shown
}

fn nodes(value: &Value) -> usize {
    let below = value.members.iter().chain(&value.elements).chain(value.pointee.as_deref());
    1 + below.map(nodes).sum::<usize>()
}
