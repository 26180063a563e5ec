//! What is in a block: by the vtable that it begins with, by the run-time type information of a
//! program without symbols, or by the types of what points to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::census::Census;
use crate::paths::{Collection, Paths};
use crate::retained::Retained;
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;
use obit_dwarf::{Language, demangle};
use obit_process::process::Process;

/// By what a type is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypedBy {
    /// The block begins with a pointer to the vtable of the type.
    Vtable,
    /// A typed object points to the start of the block.
    DebugInfo,
}

/// A type that blocks have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockType {
    /// Its name.
    pub name: Arc<str>,
    /// By what it is known.
    pub by: TypedBy,
}

/// What was in a freed block, as far as what still points there says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Where it began.
    pub start: Avma,
    /// Its bytes.
    pub size: u64,
    /// Its type; `None` if pointers of different types lead there.
    pub name: Option<Arc<str>>,
}

/// No type is known.
const NONE: u32 = 0;
/// Types of one census.
const MOST_TYPES: usize = 1 << 20;
/// Objects in freed blocks.
const MOST_FORMER: usize = 1 << 16;
/// Vtable pointers that are looked up.
const MOST_VTABLES: usize = 1 << 20;
/// Bytes of a name in run-time type information.
const LONGEST_NAME: usize = 1024;

/// The types of all blocks.
#[derive(Debug, Default)]
pub struct Types {
    /// For each block one more than the number of its type.
    of: Vec<u32>,
    known: Vec<BlockType>,
    numbers: HashMap<BlockType, u32>,
    former: BTreeMap<u64, Former>,
    pub(crate) paths: Paths,
}

impl Types {
    /// The types by vtables, and by what typed variables lead to.
    pub fn of(process: &Process, census: &Census) -> Self {
        let mut types = Self::by_vtables(process, census);
        crate::flow::follow(process, census, &mut types);
        types
    }

    /// The types by vtables alone.
    pub fn by_vtables(process: &Process, census: &Census) -> Self {
        let count = census.blocks.len();
        let paths = Paths::of(count);
        let mut types = Self { of: vec![NONE; count], paths, ..Self::default() };
        let mut vtables = Vtables::of(process);
        let mut cursor = process.memory.cursor();
        for (index, block) in census.blocks.iter().enumerate() {
            if !block.state.is_live() {
                continue;
            }
            let Ok(first) = cursor.read_word(block.start) else { continue };
            if let Some(name) = vtables.class(first) {
                types.set(index, BlockType { name, by: TypedBy::Vtable });
            }
        }
        types
    }

    /// How the source calls block number `index`: `server.sessions[…]->user`.
    pub fn path(&self, index: usize) -> Option<String> {
        self.paths.text_of(index)
    }

    /// The blocks that variables lead to, by their paths, what holds the most bytes first.
    pub fn collections(&self, census: &Census, retained: Option<&Retained>) -> Vec<Collection> {
        self.paths.collections(census, retained)
    }

    /// The type of block number `index`.
    pub fn get(&self, index: usize) -> Option<&BlockType> {
        let number = self.of.get(index)?.checked_sub(1)?;
        self.known.get(number as usize)
    }

    /// Says what block number `index` holds, if that is not known yet.
    pub fn set(&mut self, index: usize, ty: BlockType) {
        let Some(place) = self.of.get_mut(index).filter(|place| **place == NONE) else { return };
        let number = match self.numbers.get(&ty) {
            Some(number) => *number,
            None if self.known.len() >= MOST_TYPES => return,
            None => {
                self.known.push(ty.clone());
                let number = self.known.len() as u32;
                self.numbers.insert(ty, number);
                number
            }
        };
        *place = number;
    }

    /// What was at `at`, in a block that is freed.
    pub fn former_at(&self, at: Avma) -> Option<&Former> {
        let (start, former) = self.former.range(..=at.0).next_back()?;
        (at.0.wrapping_sub(*start) < former.size).then_some(former)
    }

    /// Says what a typed pointer to freed memory is a pointer to.
    pub(crate) fn set_former(&mut self, start: Avma, size: u64, name: Arc<str>) {
        let is_full = self.former.len() >= MOST_FORMER;
        match self.former.get_mut(&start.0) {
            Some(known) if known.name.as_ref() == Some(&name) => {}
            Some(known) => known.name = None,
            None if is_full => {}
            None => {
                self.former.insert(start.0, Former { start, size, name: Some(name) });
            }
        }
    }

    /// Blocks and bytes of each type, most bytes first.
    pub fn totals(&self, census: &Census) -> Vec<(BlockType, u64, u64)> {
        let mut sums = vec![(0_u64, 0_u64); self.known.len()];
        for (index, block) in census.blocks.iter().enumerate() {
            let number = self.of.get(index).and_then(|number| number.checked_sub(1));
            let Some(sum) = number.and_then(|number| sums.get_mut(number as usize)) else {
                continue;
            };
            sum.0 = sum.0.saturating_add(1);
            sum.1 = sum.1.saturating_add(block.room);
        }
        let mut all: Vec<_> = self
            .known
            .iter()
            .cloned()
            .zip(sums)
            .map(|(ty, (blocks, bytes))| (ty, blocks, bytes))
            .filter(|(_, blocks, _)| *blocks > 0)
            .collect();
        all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.name.cmp(&b.0.name)));
        all
    }
}

/// Classes by the address points of their vtables, each looked up once.
pub(crate) struct Vtables<'p> {
    process: &'p Process,
    cursor: Cursor<'p>,
    known: HashMap<u64, Option<Arc<str>>>,
}

impl<'p> Vtables<'p> {
    pub(crate) fn of(process: &'p Process) -> Self {
        Self { process, cursor: process.memory.cursor(), known: HashMap::new() }
    }

    /// The class of an object that begins with the word `vtable`.
    pub(crate) fn class(&mut self, vtable: u64) -> Option<Arc<str>> {
        let word = self.process.memory.word() as u64;
        if vtable == 0 || !vtable.is_multiple_of(word) {
            return None;
        }
        let module = self.process.modules.index_at(Avma(vtable))?;
        if let Some(known) = self.known.get(&vtable) {
            return known.clone();
        }
        if self.known.len() >= MOST_VTABLES {
            return None;
        }
        let found = self.look_up(module, Avma(vtable), word);
        self.known.insert(vtable, found.clone());
        found
    }

    fn look_up(&mut self, module: usize, vtable: Avma, word: u64) -> Option<Arc<str>> {
        // Before the address point: the offset to the top, 0 in what begins an object, and the
        // run-time type information (Itanium C++ ABI § 2.5.2).
        let to_top = self.cursor.read_word(Avma(vtable.0.checked_sub(2 * word)?)).ok()?;
        if to_top != 0 {
            return None;
        }
        let modules = &self.process.modules;
        let svma = modules.get(module)?.to_svma(vtable);
        let symbol = modules.debug(module).and_then(|debug| debug.symbol_at(svma));
        let class = symbol.as_ref().filter(|symbol| symbol.offset < symbol.size.max(1));
        if let Some(class) = class.and_then(|symbol| symbol.name.strip_prefix("vtable for ")) {
            return Some(class.into());
        }
        self.by_type_info(vtable, word)
    }

    /// The class as its `std::type_info` names it: that is in a program without symbols, too.
    fn by_type_info(&mut self, vtable: Avma, word: u64) -> Option<Arc<str>> {
        let info = self.cursor.read_word(Avma(vtable.0.checked_sub(word)?)).ok()?;
        self.process.modules.index_at(Avma(info))?;
        // Its own vtable, and the name.
        let own = self.cursor.read_word(Avma(info)).ok()?;
        self.process.modules.index_at(Avma(own))?;
        let name = self.cursor.read_word(Avma(info.checked_add(word)?)).ok()?;
        let region = self.process.memory.region_at(Avma(name))?;
        self.process.modules.index_at(Avma(name))?;
        if region.permissions.write {
            return None;
        }
        // The first virtual function: code.
        let first = self.cursor.read_word(vtable).ok()?;
        let is_code = |at: u64| {
            self.process.memory.region_at(Avma(at)).is_some_and(|r| r.permissions.execute)
        };
        if first != 0 && !is_code(first) {
            return None;
        }
        let text = self.process.memory.read_c_string(Avma(name), LONGEST_NAME)?;
        let text = String::from_utf8(text).ok()?;
        // Of a type of one file only it begins with a star.
        let text = text.trim_start_matches('*');
        let is_class = text.starts_with(|c: char| c.is_ascii_digit() || c == 'N' || c == 'S');
        if text.is_empty() || !is_class {
            return None;
        }
        let shown = demangle(&format!("_ZTS{text}"), Language::Cpp, &self.process.limits)?;
        Some(shown.strip_prefix("typeinfo name for ")?.into())
    }
}
