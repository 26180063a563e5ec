//! Memory as the searches here read it: words of an object, words of a module, and every place
//! where one of a few words is.

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::{AddressSpace, Region};
use obit_process::module::Module;
use obit_process::process::Process;

/// Bytes that are read in one go.
const PIECE: usize = 1 << 20;
/// Bytes of writable memory that are searched for a word.
const BUDGET: u64 = 4 << 30;
/// Bytes of a module's variables that are searched.
const VARIABLES: u64 = 4 << 20;
/// Places of a word that are kept.
const MOST_PLACES: usize = 1 << 16;
/// Bytes below the stack pointer that a function without calls may use (the red zone).
const RED_ZONE: u64 = 128;

/// The first bytes of an object: fields by their offset.
pub(crate) struct Fields<'m> {
    memory: &'m AddressSpace,
    bytes: Vec<u8>,
}

impl<'m> Fields<'m> {
    /// The `size` bytes at `at`; `None` if not all of them are there.
    pub(crate) fn read(memory: &'m AddressSpace, at: Avma, size: usize) -> Option<Self> {
        let bytes = memory.read_up_to(at, size);
        (bytes.len() == size).then_some(Self { memory, bytes })
    }

    /// The number of `size` bytes at `offset`.
    pub(crate) fn number(&self, offset: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(offset..offset.checked_add(size)?)?;
        Some(self.memory.unsigned(bytes))
    }

    /// The address-sized number at `offset`.
    pub(crate) fn word(&self, offset: usize) -> Option<u64> {
        self.number(offset, self.memory.word())
    }

    /// The `int` at `offset`.
    pub(crate) fn int(&self, offset: usize) -> Option<i64> {
        let number = self.number(offset, 4)?;
        Some(i64::from(u32::try_from(number).ok()?.cast_signed()))
    }

    /// The signed 64-bit number at `offset`.
    pub(crate) fn long(&self, offset: usize) -> Option<i64> {
        Some(self.number(offset, 8)?.cast_signed())
    }
}

/// Whether a library's file is called so: `libc.so.6`, `libc-2.31.so`.
pub(crate) fn is_called(module: &Module, starts: &[&str]) -> bool {
    let file = module.path.file_name().map(|name| name.to_string_lossy());
    file.is_some_and(|file| starts.iter().any(|start| file.starts_with(start)))
}

/// The words of a module's writable memory, with their places.
pub(crate) fn variables(process: &Process, module: &Module) -> Vec<(Avma, u64)> {
    let memory = &process.memory;
    let mut words = Vec::new();
    let mut left = VARIABLES;
    let mut end = None;
    for region in memory.regions() {
        // The anonymous pages that follow are those of `.bss`.
        let follows = Some(region.range.start) == end && region.name.is_none();
        let is_own = module.range.contains(region.range.start) || follows;
        if !is_own {
            end = None;
            continue;
        }
        end = Some(region.range.end);
        if !region.permissions.write {
            continue;
        }
        let size = region.range.end.0.saturating_sub(region.range.start.0).min(left);
        left = left.saturating_sub(size);
        let bytes = memory.read_up_to(region.range.start, usize::try_from(size).unwrap_or(0));
        let mut at = region.range.start;
        for word in bytes.chunks_exact(memory.word()) {
            words.push((at, memory.unsigned(word)));
            at = Avma(at.0.saturating_add(memory.word() as u64));
        }
        if follows {
            // What follows the following is another's.
            end = None;
        }
    }
    words
}

/// Every aligned place in writable memory where one of `wanted` is, with its number in `wanted`;
/// and whether some of the memory was not searched.
pub(crate) fn places_of(process: &Process, wanted: &[u64]) -> (Vec<(usize, Avma)>, bool) {
    let memory = &process.memory;
    let mut found = Vec::new();
    let Some((least, most)) = wanted.iter().min().zip(wanted.iter().max()) else {
        return (found, false);
    };
    let mut left = BUDGET;
    for region in memory.regions().iter().filter(|region| is_searched(region)) {
        let mut at = region.range.start;
        let end = at.0.saturating_add(region.backing.core_len).min(region.range.end.0);
        while at.0 < end {
            if left == 0 || found.len() >= MOST_PLACES {
                return (found, true);
            }
            let size = usize::try_from(end.saturating_sub(at.0)).unwrap_or(PIECE).min(PIECE);
            let bytes = memory.peek_up_to(at, size);
            for (nth, word) in bytes.chunks_exact(memory.word()).enumerate() {
                let word = memory.unsigned(word);
                if word < *least || word > *most {
                    continue;
                }
                if let Some(which) = wanted.iter().position(|one| *one == word) {
                    let into = nth.saturating_mul(memory.word()) as u64;
                    found.push((which, Avma(at.0.saturating_add(into))));
                }
            }
            if bytes.len() < size {
                break;
            }
            left = left.saturating_sub(size as u64);
            at = Avma(at.0.saturating_add(size as u64));
        }
    }
    (found, false)
}

fn is_searched(region: &Region) -> bool {
    region.permissions.write && region.backing.core_len > 0
}

/// The stacks of all threads.
pub(crate) struct Stacks(Vec<Stack>);

struct Stack {
    whole: AvmaRange,
    /// What is below the stack pointer, of functions that have returned.
    dead: AvmaRange,
}

impl Stacks {
    pub(crate) fn of(process: &Process) -> Self {
        let sp = process.dump.machine.facts().map(|facts| facts.sp);
        let stacks = process.threads.iter().filter_map(|thread| {
            let top = thread.registers.get(sp?)?;
            let whole = process.memory.region_at(Avma(top))?.range;
            let end = Avma(top.saturating_sub(RED_ZONE).max(whole.start.0));
            Some(Stack { whole, dead: AvmaRange { start: whole.start, end } })
        });
        Self(stacks.collect())
    }

    /// Whether an object there is one of a function that has returned.
    pub(crate) fn is_dead(&self, at: Avma) -> bool {
        self.0.iter().any(|stack| stack.dead.contains(at))
    }

    /// Whether it is on a stack.
    pub(crate) fn contains(&self, at: Avma) -> bool {
        self.0.iter().any(|stack| stack.whole.contains(at))
    }
}
