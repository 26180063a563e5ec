//! The heap as documents: names and texts pass the redactor, contents of blocks are not in them.

mod compared;
mod place;
pub(super) mod words;

pub use compared::growth;
pub use place::place;
pub(crate) use place::{hit, place_of};
pub(crate) use words::NO_HEAP;

use std::collections::BTreeMap;

use super::BuildOptions;
use obit_corefile::addr::Avma;
use obit_heap::{Allocator, ArenaTotals, Census, Contents, Doubt, Leaks, Retained, Trust, holders};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};
use obit_report::heap::{
    AllocatorReport, ArenaReport, BlockReport, CollectionReport, HeapDamageReport, HeapReport,
    HolderReport, LeakGroup, LeakReport, SCHEMA, SizeReport, TypeReport,
};
use obit_report::{Confidence, Hex};

/// The heap of a process, as far as it was read.
#[derive(Debug)]
pub(crate) struct Read(Contents);

impl std::ops::Deref for Read {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}

impl Read {
    /// `None` where no heap is known.
    pub(crate) fn of(process: &Process) -> Option<Self> {
        Self::or_missing(process).ok()
    }

    /// Where no heap is known, what is missing to read the allocators that are in the process.
    pub(crate) fn or_missing(process: &Process) -> Result<Self, Vec<Doubt>> {
        Contents::or_missing(process).map(Self)
    }

    /// The block that holds `at`: where it begins, and its bytes.
    pub(crate) fn block_at(&self, at: Avma) -> Option<(u64, u64)> {
        let blocks = &self.census.blocks;
        let block = blocks.get(blocks.index_at(at.0)?)?;
        Some((block.start.0, block.room))
    }

    /// Where the live blocks of a type begin; its name may lack the scopes around it, and C's
    /// `struct`. And the bytes of all live blocks.
    pub(crate) fn blocks_of_type(&self, name: &str) -> (Vec<Avma>, u64) {
        let mut bytes = 0_u64;
        let mut found = Vec::new();
        for (index, block) in self.census.blocks.iter().enumerate() {
            if !block.state.is_live() {
                continue;
            }
            bytes = bytes.saturating_add(block.room);
            let is_it = self.types.get(index).is_some_and(|ty| {
                let before = ty.name.strip_suffix(name);
                let words = ["", "struct ", "union ", "enum "];
                before.is_some_and(|before| words.contains(&before) || before.ends_with("::"))
            });
            if is_it {
                found.push(block.start);
            }
        }
        (found, bytes)
    }

    fn type_name(&self, index: usize, redactor: &mut Redactor) -> Option<Shown> {
        let ty = self.types.get(index)?;
        Some(redactor.show(Origin::SymbolName, &ty.name))
    }

    fn block(&self, index: usize, redactor: &mut Redactor) -> Option<BlockReport> {
        let block = self.census.blocks.get(index)?;
        Some(BlockReport {
            address: Hex(redactor.show_word(block.start.0)),
            size: block.room,
            state: words::state(block.state).to_owned(),
            type_name: self.type_name(index, redactor),
        })
    }
}

/// The census of `process`, with at most `most` rows of each list.
pub fn heap(process: &Process, options: &BuildOptions, most: usize) -> HeapReport {
    census_of(process, &Read::or_missing(process), most, &mut options.redactor(process))
}

/// The same of what was read, or is missing.
pub(crate) fn census_of(
    process: &Process,
    read: &Result<Read, Vec<Doubt>>,
    most: usize,
    redactor: &mut Redactor,
) -> HeapReport {
    let read = match read {
        Ok(read) => read,
        Err(missing) => {
            let mut notices = vec![Shown::own(NO_HEAP)];
            notices.extend(missing.iter().map(words::doubt).map(Shown::from_report));
            return HeapReport { schema: SCHEMA.to_owned(), notices, ..HeapReport::default() };
        }
    };
    let Contents { census, roots, reach, types } = &**read;
    let mut by_type: Vec<TypeReport> = types
        .totals(census)
        .into_iter()
        .map(|(ty, blocks, bytes)| TypeReport {
            type_name: redactor.show(Origin::SymbolName, &ty.name),
            by: words::typed_by(ty.by).to_owned(),
            blocks,
            bytes,
        })
        .collect();
    let typed_bytes = by_type.iter().map(|ty| ty.bytes).fold(0, u64::saturating_add);
    let omitted_types = by_type.len().saturating_sub(most) as u64;
    by_type.truncate(most);
    let retained = Retained::of(process, census, roots, reach);
    let alone = retained.as_ref().map(Retained::by_holder).unwrap_or_default();
    let held = holders(process, census, reach).into_iter().take(most).map(|held| {
        let (kind, text) = words::holder(process, &held.by, redactor);
        let alone = alone.get(&held.by).copied();
        HolderReport {
            holder: text,
            kind: kind.to_owned(),
            blocks: held.blocks,
            bytes: held.bytes,
            retained_blocks: alone.map(|(blocks, _)| blocks),
            retained_bytes: alone.map(|(_, bytes)| bytes),
        }
    });
    let held: Vec<HolderReport> = held.collect();
    let collections = types.collections(census, retained.as_ref().ok());
    let omitted_collections = collections.len().saturating_sub(most) as u64;
    let collections = collections.iter().take(most).map(|one| CollectionReport {
        path: redactor.show(Origin::SymbolName, &one.path),
        type_name: redactor.show(Origin::SymbolName, &one.type_name),
        elements: one.elements,
        blocks: one.blocks,
        bytes: one.bytes,
        retained_blocks: one.retained.map(|(blocks, _)| blocks),
        retained_bytes: one.retained.map(|(_, bytes)| bytes),
    });
    let collections: Vec<CollectionReport> = collections.collect();
    let mut notices = words::notices(census, reach, roots);
    notices.extend(retained.as_ref().err().map(words::not_retained));
    let leaks = leaks(process, read, most, redactor);
    HeapReport {
        schema: SCHEMA.to_owned(),
        allocator: census.allocators.first().map(|one| one.name.to_owned()),
        version: census.allocators.first().and_then(|one| version(one, redactor)),
        allocators: allocators(census, redactor),
        confidence: confidence(census.trust),
        total: arena(&census.total(), "all"),
        arenas: census
            .arenas
            .iter()
            .map(|totals| {
                let kind = match (totals.is_main, totals.is_mappings, totals.number) {
                    (true, ..) => "main",
                    (_, true, _) => "mappings",
                    (_, _, Some(_)) => "arena",
                    _ => "thread",
                };
                let of = census.allocators.get(totals.allocator);
                let of = of.filter(|_| census.allocators.len() > 1);
                let allocator = of.map(|one| one.name.to_owned());
                ArenaReport { allocator, ..arena(totals, kind) }
            })
            .collect(),
        sizes: sizes(census),
        types: by_type,
        omitted_types,
        typed_bytes,
        holders: held,
        collections,
        omitted_collections,
        leaks,
        damages: damages(read, redactor),
        notices,
        growth: None,
    }
}

fn confidence(trust: Trust) -> Confidence {
    match trust {
        Trust::Proved => Confidence::Proved,
        Trust::Likely => Confidence::Likely,
        Trust::Unknown => Confidence::Guess,
    }
}

fn version(of: &Allocator, redactor: &mut Redactor) -> Option<Shown> {
    of.version.as_deref().map(|text| redactor.show(Origin::OwnWords, text))
}

/// Each, if there are several.
fn allocators(census: &Census, redactor: &mut Redactor) -> Vec<AllocatorReport> {
    let all = census.allocators.iter().enumerate().filter(|_| census.allocators.len() > 1);
    all.map(|(number, one)| AllocatorReport {
        allocator: one.name.to_owned(),
        version: version(one, redactor),
        confidence: confidence(one.trust),
        total: arena(&census.total_of(number), "all"),
    })
    .collect()
}

fn arena(totals: &ArenaTotals, kind: &str) -> ArenaReport {
    let has_record = matches!(kind, "main" | "thread");
    ArenaReport {
        kind: kind.to_owned(),
        allocator: None,
        number: totals.number,
        address: has_record.then_some(Hex(totals.at.0)),
        system_bytes: totals.system_bytes,
        pieces: totals.pieces,
        live_blocks: totals.live_blocks,
        live_bytes: totals.live_bytes,
        free_blocks: totals.free_blocks,
        free_bytes: totals.free_bytes,
        cached_blocks: totals.cached_blocks,
        cached_bytes: totals.cached_bytes,
        largest_free: totals.largest_free,
        top_bytes: totals.top_bytes,
        overhead_bytes: totals.overhead_bytes,
        unknown_blocks: totals.unknown_blocks,
        unknown_bytes: totals.unknown_bytes,
    }
}

/// By powers of two.
fn sizes(census: &Census) -> Vec<SizeReport> {
    let mut classes: BTreeMap<u32, SizeReport> = BTreeMap::new();
    for block in census.blocks.iter() {
        let is_freed = block.state.is_freed();
        if !is_freed && !block.state.is_live() {
            continue;
        }
        let class = block.room.max(1).saturating_sub(1).checked_ilog2().map_or(0, |log| log + 1);
        let row = classes.entry(class).or_insert_with(|| SizeReport {
            from: if class == 0 { 0 } else { (1_u64 << (class - 1)).saturating_add(1) },
            to: 1_u64.checked_shl(class).unwrap_or(u64::MAX),
            ..SizeReport::default()
        });
        let (blocks, bytes) = match is_freed {
            true => (&mut row.free_blocks, &mut row.free_bytes),
            false => (&mut row.live_blocks, &mut row.live_bytes),
        };
        *blocks = blocks.saturating_add(1);
        *bytes = bytes.saturating_add(block.room);
    }
    classes.into_values().collect()
}

fn leaks(process: &Process, read: &Read, most: usize, redactor: &mut Redactor) -> LeakReport {
    let found = Leaks::of(process, &read.census, &read.reach);
    let mut groups: BTreeMap<(Option<&str>, u64), (u64, Avma)> = BTreeMap::new();
    for number in &found.heads {
        let index = *number as usize;
        let Some(block) = read.census.blocks.get(index) else { continue };
        let ty = read.types.get(index).map(|ty| &*ty.name);
        let group = groups.entry((ty, block.room)).or_insert((0, block.start));
        group.0 = group.0.saturating_add(1);
    }
    let mut groups: Vec<LeakGroup> = groups
        .into_iter()
        .map(|((ty, size), (blocks, example))| LeakGroup {
            type_name: ty.map(|ty| redactor.show(Origin::SymbolName, ty)),
            size,
            blocks,
            bytes: size.saturating_mul(blocks),
            example: Hex(redactor.show_word(example.0)),
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.bytes));
    let omitted_groups = groups.len().saturating_sub(most) as u64;
    groups.truncate(most);
    LeakReport {
        confidence: confidence(read.reach.trust),
        blocks: found.blocks,
        bytes: found.bytes,
        groups,
        omitted_groups,
    }
}

fn damages(read: &Read, redactor: &mut Redactor) -> Vec<HeapDamageReport> {
    let damages = read.census.damages.iter();
    damages
        .map(|damage| {
            let index =
                damage.before.and_then(|before| read.census.blocks.index_at(before.start.0));
            HeapDamageReport {
                address: Hex(redactor.show_word(damage.at.0)),
                is_senseless: damage.is_senseless,
                before: damage.before.map(|before| Hex(redactor.show_word(before.start.0))),
                before_size: damage.before.map_or(0, |before| before.room),
                before_type: index.and_then(|index| read.type_name(index, redactor)),
            }
        })
        .collect()
}
