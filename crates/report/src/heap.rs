//! What the heap holds (`obit heap`), what is at an address and who points there (`obit heap at`,
//! `obit who-points-to`), where something is in memory (`obit find`).

use serde::{Deserialize, Serialize};

use crate::{Confidence, Hex};
use obit_redact::Shown;

/// The version of [`HeapReport`].
pub const SCHEMA: &str = "obit.heap/1";

/// One of the documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HeapAnswer {
    /// The census.
    Census(Box<HeapReport>),
    /// What is at an address.
    Place(Box<PlaceReport>),
    /// Where something is.
    Found(FoundReport),
}

/// All blocks of a heap, added up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HeapReport {
    /// `obit.heap/1`.
    pub schema: String,
    /// The allocator with the most live bytes: `glibc`, `jemalloc`; none if none was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocator: Option<String>,
    /// Its version, as its own text has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Shown>,
    /// How sure it is which blocks are alive.
    pub confidence: Confidence,
    /// Each allocator that was read, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allocators: Vec<AllocatorReport>,
    /// All arenas added up.
    pub total: ArenaReport,
    /// Each arena; blocks that are mappings of their own are one more.
    pub arenas: Vec<ArenaReport>,
    /// Blocks by size, the smallest first.
    pub sizes: Vec<SizeReport>,
    /// Live blocks by what is in them, most bytes first; those of which nothing is known are left
    /// out.
    pub types: Vec<TypeReport>,
    /// Types that are left out.
    pub omitted_types: u64,
    /// Bytes of live blocks whose type is known.
    pub typed_bytes: u64,
    /// Who keeps the live blocks, most bytes first.
    pub holders: Vec<HolderReport>,
    /// What variables lead to, by the paths of the source, the most bytes first.
    pub collections: Vec<CollectionReport>,
    /// Paths that are left out.
    pub omitted_collections: u64,
    /// What nothing leads to.
    pub leaks: LeakReport,
    /// Headers that were overwritten.
    pub damages: Vec<HeapDamageReport>,
    /// What the figures leave open, and why.
    pub notices: Vec<Shown>,
    /// Against another core, what has grown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<GrowthReport>,
}

/// One of several allocators of a process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AllocatorReport {
    /// Its name.
    pub allocator: String,
    /// Its version, as its own text has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Shown>,
    /// How sure it is which of its blocks are alive.
    pub confidence: Confidence,
    /// Its arenas added up.
    pub total: ArenaReport,
}

/// What an arena holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ArenaReport {
    /// `main`, `thread`, `mappings`, `arena`; `all` of the total.
    pub kind: String,
    /// Whose it is, if there are several allocators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocator: Option<String>,
    /// Its number, where the allocator numbers its arenas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where its record is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
    /// Bytes from the kernel, as the allocator counts them.
    pub system_bytes: u64,
    /// Pieces of memory.
    pub pieces: u64,
    /// Blocks that the program has.
    pub live_blocks: u64,
    /// Bytes that the program may use in them: at least as many as it asked for.
    pub live_bytes: u64,
    /// Freed blocks.
    pub free_blocks: u64,
    /// Bytes in them.
    pub free_bytes: u64,
    /// Of the freed, those kept in caches of threads or lists that are not merged.
    pub cached_blocks: u64,
    /// Bytes in them.
    pub cached_bytes: u64,
    /// Bytes of the largest freed block.
    pub largest_free: u64,
    /// Bytes at the end that are not handed out.
    pub top_bytes: u64,
    /// Bytes of headers, alignment and records of the allocator.
    pub overhead_bytes: u64,
    /// Blocks of which it is not known whether they are freed.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown_blocks: u64,
    /// Bytes in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown_bytes: u64,
}

/// Blocks of similar size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SizeReport {
    /// Bytes that the smallest may have.
    pub from: u64,
    /// Bytes that the largest may have.
    pub to: u64,
    /// Live blocks.
    pub live_blocks: u64,
    /// Bytes in them.
    pub live_bytes: u64,
    /// Freed blocks.
    pub free_blocks: u64,
    /// Bytes in them.
    pub free_bytes: u64,
}

/// Live blocks that hold the same type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TypeReport {
    /// The type.
    #[serde(rename = "type")]
    pub type_name: Shown,
    /// By what it is known: `vtable`, `debug-info`.
    pub by: String,
    /// Blocks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// Who keeps blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HolderReport {
    /// A variable with its module, a stack, a register, other memory.
    pub holder: Shown,
    /// `global`, `stack`, `register`, `other`.
    pub kind: String,
    /// Blocks that are reached from it first: by the shortest way, globals before stacks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Blocks that it alone leads to: what would be freed with it. Missing if that was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_blocks: Option<u64>,
    /// Bytes in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_bytes: Option<u64>,
}

/// What variables lead to by one path of the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CollectionReport {
    /// The path: `server.sessions[…]->user`. `[…]` is each element, `head->next…` a list.
    pub path: Shown,
    /// The type of the container, or of the blocks.
    #[serde(rename = "type")]
    pub type_name: Shown,
    /// Elements of the containers of this path; blocks, where it is no container.
    pub elements: u64,
    /// Blocks of its own: of a container those it keeps its elements in.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Blocks that only one of these leads to, they included: what would be freed with them, at
    /// least. Missing if that was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_blocks: Option<u64>,
    /// Bytes in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_bytes: Option<u64>,
}

/// Blocks that nothing leads to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LeakReport {
    /// How sure it is that nothing leads to them: `guess` if memory that could is missing.
    pub confidence: Confidence,
    /// Blocks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Those that not even another of them leads to, by type and size, most bytes first.
    pub groups: Vec<LeakGroup>,
    /// Groups that are left out.
    pub omitted_groups: u64,
}

/// Lost blocks of one type and size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LeakGroup {
    /// The type, where it is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<Shown>,
    /// Bytes of each.
    pub size: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// One of them.
    pub example: Hex,
}

/// A header that was overwritten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HeapDamageReport {
    /// Where the header is.
    pub address: Hex,
    /// Whether its size makes no sense; else it contradicts the block before.
    pub is_senseless: bool,
    /// The block before it, over whose end something wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Hex>,
    /// Bytes of that block.
    pub before_size: u64,
    /// Its type, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_type: Option<Shown>,
}

/// What grew between two cores of a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GrowthReport {
    /// Live blocks more than in the other core.
    pub blocks: i64,
    /// Bytes in them.
    pub bytes: i64,
    /// By type, the most bytes first.
    pub types: Vec<GrownReport>,
    /// By who keeps them.
    pub holders: Vec<GrownReport>,
    /// By size.
    pub sizes: Vec<GrownReport>,
}

/// One row of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GrownReport {
    /// The type, who keeps them, or the size.
    pub of: Shown,
    /// Blocks more.
    pub blocks: i64,
    /// Bytes more.
    pub bytes: i64,
}

/// A block of the heap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BlockReport {
    /// Where the program's bytes begin.
    pub address: Hex,
    /// Bytes that the program may use.
    pub size: u64,
    /// `live`, `mapping`, `free`, `cached`, `fastbin`, `top`, `allocator`, `unknown`.
    pub state: String,
    /// What is in it, where that is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<Shown>,
}

/// What is at an address, and who points there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlaceReport {
    /// The address.
    pub address: Hex,
    /// What is there, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Shown>,
    /// The block that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockReport>,
    /// The address in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The block before that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<BlockReport>,
    /// The block behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<BlockReport>,
    /// Whether the program can still reach it; `None` if it is no live block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
    /// The way from a root to the block: the root, then blocks.
    pub path: Vec<Shown>,
    /// Words that point to it, if they were asked for.
    pub pointers: Vec<PointerReport>,
    /// Pointers that are left out.
    pub omitted: u64,
    /// What is left open, and why.
    pub notices: Vec<Shown>,
}

/// A word that points to what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PointerReport {
    /// Where it is; none of a register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Hex>,
    /// Bytes from the start of what it points to.
    pub offset: u64,
    /// In which memory: `global`, `stack`, `below-stack`, `register`, `heap`, `freed`, `other`.
    pub region: String,
    /// The variable, the frame's function, or the block that holds it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Shown>,
    /// The way from a root to the block that holds it.
    pub path: Vec<Shown>,
}

/// Where something is in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FoundReport {
    /// What was searched for.
    pub searched_for: Shown,
    /// The places.
    pub hits: Vec<HitReport>,
    /// Places that are left out.
    pub omitted: u64,
    /// Bytes that were searched.
    pub searched_bytes: u64,
    /// Why not all memory was searched.
    pub notices: Vec<Shown>,
}

/// A place in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HitReport {
    /// Where.
    pub address: Hex,
    /// In which memory, as in [`PointerReport`].
    pub region: String,
    /// The variable, the frame's function, or the block that holds it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Shown>,
    /// The way from a root to the block that holds it.
    pub path: Vec<Shown>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
