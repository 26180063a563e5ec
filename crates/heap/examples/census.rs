//! Each block of the heap of a core, a line each: for scripts/check-heap.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufWriter, Write};

use obit_heap::{Census, Leaks, Reach, Retained, Roots, Types};
use obit_process::process::{Options, Process};

fn main() {
    let core = std::env::args_os().nth(1).expect("a core");
    let process = Process::open(core.as_ref(), Options::default(), &()).unwrap();
    let begun = std::time::Instant::now();
    let Some(census) = Census::of(&process) else {
        println!("no heap");
        return;
    };
    let counted = begun.elapsed();
    let roots = Roots::of(&process, &census);
    let reach = Reach::of(&process, &census, &roots);
    let reached = begun.elapsed();
    if std::env::args_os().nth(2).is_some_and(|word| word == "held") {
        let retained = Retained::of(&process, &census, &roots, &reach);
        eprintln!("dominators in {:?}", begun.elapsed());
        let types = Types::of(&process, &census);
        eprintln!("types in {:?}", begun.elapsed());
        let found = types.collections(&census, retained.as_ref().ok());
        eprintln!("{} paths in {:?}", found.len(), begun.elapsed());
        for one in found.iter().take(20) {
            println!("{one:?}");
        }
        return;
    }
    let leaks = Leaks::of(&process, &census, &reach);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "# {:?} {:?}", census.allocators, census.doubts).unwrap();
    writeln!(
        out,
        "# reach {:?}; {} lost, {} bytes, {} heads",
        reach.trust,
        leaks.blocks,
        leaks.bytes,
        leaks.heads.len()
    )
    .unwrap();
    writeln!(out, "# damages {:?}", census.damages.len()).unwrap();
    eprintln!("{} blocks in {counted:?}, reached in {reached:?}", census.blocks.len());
    if std::env::args_os().nth(2).is_some_and(|word| word == "arenas") {
        writeln!(out, "# {:#?}", census.arenas).unwrap();
        return;
    }
    let types = Types::of(&process, &census);
    if let Some("types") = std::env::args().nth(2).as_deref() {
        for (ty, blocks, bytes) in types.totals(&census) {
            writeln!(out, "{blocks} {bytes} {} {:?}", ty.name, ty.by).unwrap();
        }
        return;
    }
    for (index, block) in census.blocks.iter().enumerate() {
        let reached = if reach.is_reached(index) { "reached" } else { "lost" };
        let ty = types.get(index).map_or("", |ty| &*ty.name);
        writeln!(out, "{:x} {} {:?} {reached} {ty}", block.start.0, block.room, block.state)
            .unwrap();
    }
}
