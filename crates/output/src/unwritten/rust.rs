//! `BufWriter` of Rust's standard library and of tokio, and what is made of one: `LineWriter`,
//! `Stdout`. Their fields are known by the types in the debug information.

use std::collections::BTreeMap;

use super::{Candidate, Doubt, Finder, Gap, WriterKind};
use crate::memory::{Stacks, variables};
use crate::typed;
use obit_analysis::memory::{BlockState, Verdict, verdict};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::value::{Object, Scene};

/// Records within one another that are looked through for a number.
const DEEPEST: usize = 12;
/// The longest buffer that is believed.
const LONGEST: u64 = 1 << 30;
/// The buffer of `Stdout` (`LineWriter::new`).
const LINE_WRITER: u64 = 1024;

pub(super) fn find(finder: &mut Finder<'_>) {
    if !is_rust(finder) {
        return;
    }
    let mut all = Vec::new();
    let searched = typed::find(finder.process, &is_wanted, &mut |object, scene| {
        all.extend(one(object, scene));
    });
    if searched.is_cut {
        finder.gap(Gap::Cut);
    }
    finder.gap(match searched.variables {
        0 => Gap::NoTypes(WriterKind::RustBufWriter),
        _ => Gap::Unreachable(WriterKind::RustBufWriter),
    });
    all.extend(standard_output(finder));
    // A writer that was moved has left a copy behind: on a stack, if it is now elsewhere, and
    // otherwise in a frame or a block further out.
    let stacks = Stacks::of(finder.process);
    all.sort_by_key(|(_, candidate)| stacks.contains(candidate.at));
    let mut by_buffer: BTreeMap<u64, Candidate> = BTreeMap::new();
    for (buffer, candidate) in all {
        by_buffer.entry(buffer).or_insert(candidate);
    }
    for candidate in by_buffer.into_values() {
        finder.saw(candidate.kind);
        if candidate.pending.end > candidate.pending.start
            && !is_freed(finder, candidate.pending.start)
        {
            let mut candidate = candidate;
            if is_in_static(finder, candidate.at) {
                candidate.doubts.retain(|doubt| *doubt != Doubt::ByVariable);
            }
            finder.add(candidate);
        }
    }
}

fn is_rust(finder: &Finder<'_>) -> bool {
    let process = finder.process;
    let frames = process.threads.iter().flat_map(|thread| &thread.frames);
    let mut frames = frames.take(4096);
    let of_frame = frames.any(|frame| frame.language == Some(obit_dwarf::Language::Rust));
    of_frame || {
        let program = process.modules.executable();
        let debug = program.and_then(|program| process.modules.debug(program));
        debug.is_some_and(|debug| debug.function_named("rust_eh_personality").is_some())
    }
}

fn is_wanted(name: &str) -> bool {
    let name =
        name.trim_start_matches("tokio::io::util::").trim_start_matches("std::io::buffered::");
    ["bufwriter::BufWriter<", "buf_writer::BufWriter<"].iter().any(|start| name.starts_with(start))
}

/// The buffer of a writer, and the writer.
fn one<'v>(object: &Object<'v>, scene: Scene<'v>) -> Option<(u64, Candidate)> {
    let buf = object.member(scene, "buf")?;
    let start = number_in(&buf, scene, &["ptr", "pointer"])?;
    let capacity = number_in(&buf, scene, &["cap"])?;
    let length = number_in(&buf, scene, &["len"])?;
    // tokio counts what it has written of the buffer; the standard library takes it out.
    let written = object.member(scene, "written").and_then(|it| it.unsigned(scene).ok());
    let kind =
        if written.is_some() { WriterKind::TokioBufWriter } else { WriterKind::RustBufWriter };
    let inner = object.member(scene, "inner");
    let descriptor = inner.and_then(|inner| descriptor(&inner, scene));
    let written = written.unwrap_or(0);
    if length > capacity || capacity > LONGEST || written > length || start == 0 {
        return None;
    }
    let pending = AvmaRange {
        start: Avma(start.checked_add(written)?),
        end: Avma(start.checked_add(length)?),
    };
    // What is in registers alone is of a frame.
    let at = object.address()?;
    let (path, is_first) = (None, false);
    let mut doubts = vec![Doubt::ByVariable];
    if descriptor.is_none() {
        doubts.push(Doubt::NoFile);
    }
    Some((start, Candidate { kind, at, descriptor, path, pending, is_first, doubts }))
}

/// The number in the outermost part that has one of these names.
fn number_in<'v>(object: &Object<'v>, scene: Scene<'v>, names: &[&str]) -> Option<u64> {
    let mut level = vec![object.clone()];
    for _ in 0..DEEPEST {
        let mut deeper = Vec::new();
        for object in level {
            for (name, member) in object.members(scene) {
                let is_named = name.as_deref().is_some_and(|name| names.contains(&name));
                if is_named && let Some(number) = only_number(&member, scene) {
                    return Some(number);
                }
                deeper.push(member);
            }
        }
        level = deeper;
    }
    None
}

/// The number in records that hold nothing else.
fn only_number<'v>(object: &Object<'v>, scene: Scene<'v>) -> Option<u64> {
    let mut object = object.clone();
    for _ in 0..DEEPEST {
        if let Ok(number) = object.unsigned(scene) {
            return Some(number);
        }
        let members = object.members(scene);
        let mut sized = members.into_iter().filter(|(_, member)| member.size(scene) != Some(0));
        object = sized.next()?.1;
    }
    None
}

/// The descriptor in what a writer writes to: `File`, `TcpStream`, `OwnedFd`.
fn descriptor<'v>(inner: &Object<'v>, scene: Scene<'v>) -> Option<i64> {
    let number = number_in(inner, scene, &["fd"])?;
    let number = i64::try_from(number).ok()?;
    (0..1 << 20).contains(&number).then_some(number)
}

/// The writer in the static variable of `Stdout`: its symbol names it, and the capacity, the
/// buffer and the length follow each other in it.
fn standard_output(finder: &Finder<'_>) -> Option<(u64, Candidate)> {
    let process = finder.process;
    let index = process.modules.executable()?;
    let module = process.modules.get(index)?;
    let debug = process.modules.debug(index)?;
    let words = variables(process, module);
    words.windows(3).find_map(|three| {
        let [(at, capacity), (_, start), (_, length)] = three else { return None };
        if *capacity != LINE_WRITER || *start == 0 || length > capacity {
            return None;
        }
        let symbol = debug.symbol_at(module.to_svma(*at))?;
        let is_of_it = symbol.offset < symbol.size && symbol.linkage_name.contains("5stdio6STDOUT");
        let pending = AvmaRange { start: Avma(*start), end: Avma(start.checked_add(*length)?) };
        let candidate = Candidate {
            kind: WriterKind::RustBufWriter,
            at: *at,
            descriptor: Some(1),
            path: None,
            pending,
            is_first: false,
            doubts: Vec::new(),
        };
        is_of_it.then_some((*start, candidate))
    })
}

/// Whether a writer lies in a static variable: nothing moves out of one but by putting another
/// value there.
fn is_in_static(finder: &Finder<'_>, at: Avma) -> bool {
    finder.process.modules.module_at(at).is_some()
}

/// Whether the allocator has the buffer: the writer was dropped, and dropping writes it.
fn is_freed(finder: &Finder<'_>, buffer: Avma) -> bool {
    let Some(Verdict::Heap(block)) = verdict(finder.process, buffer) else { return false };
    matches!(block.state, BlockState::Freed(_) | BlockState::Top)
}
