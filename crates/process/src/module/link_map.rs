//! The dynamic linker's own list of what it loaded (`struct r_debug` and `struct
//! link_map` of `<link.h>`), read from the memory of the process.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use thiserror::Error;

use obit_corefile::addr::{Avma, LoadBias};
use obit_corefile::dump::{CoreSegment, Dump};
use obit_corefile::elf::{ElfImage, SegmentKind};
use obit_corefile::limits::Limits;
use obit_corefile::memory::AddressSpace;
use obit_corefile::notice::Notice;

/// `DT_DEBUG`: the address of `r_debug`, filled in by the dynamic linker.
const DT_DEBUG: u64 = 21;
/// Entries of a dynamic section that are looked at.
const DYNAMIC_ENTRIES: u64 = 4096;

/// Where Breakpad's `minidump-2-core` puts a list that it makes up (`AugmentMappings` in
/// `minidump-2-core.cc`): an `r_debug`, then each node followed by its name. The kernel maps
/// nothing as low for anyone (`vm.mmap_min_addr`).
const MADE_UP: Avma = Avma(4096);
/// `struct r_debug` in words.
const R_DEBUG_WORDS: u64 = 5;

/// One node of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkMapNode {
    /// Where it lies.
    pub(super) at: Avma,
    /// `l_addr`: the load bias.
    pub(super) bias: LoadBias,
    /// `l_name`; empty for the program itself.
    pub(super) name: PathBuf,
    /// `l_ld`: where the object's dynamic section lies.
    pub(super) dynamic: Avma,
}

/// The list, in load order, as far as it can be followed.
pub(super) fn read(
    executable: &ElfImage,
    bias: LoadBias,
    memory: &AddressSpace,
    limits: &Limits,
) -> (Vec<LinkMapNode>, Option<Notice>) {
    let dynamic = executable.segments().iter().find(|s| s.kind == SegmentKind::Dynamic);
    let Some(dynamic) = dynamic else { return (Vec::new(), None) };
    let Some(r_debug) = debug_entry(bias.to_avma(dynamic.vaddr), memory) else {
        return (Vec::new(), None);
    };
    let word = memory.word() as u64;
    // struct r_debug: int r_version, struct link_map *r_map, …
    let first = r_debug.checked_add(word).and_then(|at| memory.read_word(at).ok());
    let Some(first) = first else {
        return (Vec::new(), broken(&LinkMapError::HeadNotInCore(r_debug)));
    };
    walk(Avma(first), memory, limits)
}

/// Whether the core was made from a minidump.
pub(super) fn is_made_up(dump: &Dump) -> bool {
    let is_list = |segment: &CoreSegment| segment.range.start == MADE_UP && segment.dumped > 0;
    dump.mapped_files.is_empty() && dump.segments.iter().any(is_list)
}

/// The list in a core that was made from a minidump, in which no other table names the objects.
pub(super) fn read_made_up(
    memory: &AddressSpace,
    limits: &Limits,
) -> (Vec<LinkMapNode>, Option<Notice>) {
    let word = memory.word() as u64;
    let first = MADE_UP.checked_add(word).and_then(|at| memory.read_word(at).ok());
    let behind = word.checked_mul(R_DEBUG_WORDS).and_then(|length| MADE_UP.checked_add(length));
    match (first, behind) {
        // Without a stream of the dynamic linker there is no list.
        (Some(0), _) => (Vec::new(), None),
        (Some(first), Some(behind)) if first == behind.0 => walk(behind, memory, limits),
        _ => (Vec::new(), broken(&LinkMapError::HeadNotInCore(MADE_UP))),
    }
}

fn debug_entry(dynamic: Avma, memory: &AddressSpace) -> Option<Avma> {
    let word = memory.word() as u64;
    for index in 0..DYNAMIC_ENTRIES {
        let entry = dynamic.checked_add(index.checked_mul(word.checked_mul(2)?)?)?;
        let tag = memory.read_word(entry).ok()?;
        let value = memory.read_word(entry.checked_add(word)?).ok()?;
        match tag {
            0 => return None,
            DT_DEBUG => return (value != 0).then_some(Avma(value)),
            _ => {}
        }
    }
    None
}

fn walk(first: Avma, memory: &AddressSpace, limits: &Limits) -> (Vec<LinkMapNode>, Option<Notice>) {
    let mut nodes = Vec::new();
    let mut seen = HashSet::new();
    let mut at = first;
    while at.0 != 0 {
        if !seen.insert(at.0) {
            return (nodes, broken(&LinkMapError::Circle(at)));
        }
        if nodes.len() >= limits.link_map_nodes {
            let limit = limits.link_map_nodes as u64;
            return (nodes, Some(Notice::LimitReached { what: "link map nodes", limit }));
        }
        let Some((node, next)) = node(at, memory, limits) else {
            return (nodes, broken(&LinkMapError::NodeNotInCore(at)));
        };
        nodes.push(node);
        at = next;
    }
    (nodes, None)
}

/// `struct link_map`: l_addr, l_name, l_ld, l_next.
fn node(at: Avma, memory: &AddressSpace, limits: &Limits) -> Option<(LinkMapNode, Avma)> {
    let word = memory.word() as u64;
    let field = |index: u64| memory.read_word(at.checked_add(index.checked_mul(word)?)?).ok();
    let name = memory.read_c_string(Avma(field(1)?), limits.string_bytes).unwrap_or_default();
    let name = PathBuf::from(OsStr::from_bytes(&name));
    let node = LinkMapNode { at, bias: LoadBias(field(0)?), name, dynamic: Avma(field(2)?) };
    Some((node, Avma(field(3)?)))
}

/// Why the dynamic linker's list ends too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum LinkMapError {
    #[error("r_debug at {0} is not in the core")]
    HeadNotInCore(Avma),
    #[error("the node at {0} is not in the core")]
    NodeNotInCore(Avma),
    #[error("the node at {0} links back to an earlier one")]
    Circle(Avma),
}

fn broken(error: &LinkMapError) -> Option<Notice> {
    Some(Notice::LinkMapBroken { problem: error.to_string() })
}
