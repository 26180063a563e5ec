//! Types that flow from typed variables through pointers into blocks.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::blocks::State;
use crate::census::Census;
use crate::paths::PathId;
use crate::slots::{Behind, Counts, Shapes, Slot, Target};
use crate::types::{BlockType, TypedBy, Types};
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;
use obit_dwarf::{Language, TypeKind};
use obit_process::process::Process;
use obit_process::value::{Object, TypeRef};

/// Variables of one module, frames, and objects that are followed.
const MOST_GLOBALS: usize = 50_000;
const MOST_FRAMES: usize = 256;
const MOST_OBJECTS: usize = 8_000_000;
/// Elements of one container that is read as a whole.
const MOST_READ: usize = 1 << 20;
/// Elements of all containers together.
const MOST_LOOKED_AT: u64 = 64_000_000;
/// Words of a container itself, and places of a table that cost as much as an element.
const CONTAINER_WORDS: u64 = 16;
const PLACES: u64 = 8;
/// Elements of one variable that are followed.
const MOST_ELEMENTS: u64 = 1 << 20;
/// Bytes that the allocator adds to what was asked for, at most.
const SLACK: u64 = 16;
/// Bytes of the smallest block of 64-bit machines.
const SMALLEST: u64 = 24;

struct Flow<'p, 'v> {
    census: &'p Census,
    types: &'p mut Types,
    shapes: Shapes<'v>,
    cursor: Cursor<'p>,
    next: VecDeque<(Rc<[Slot<'v>]>, u64, PathId)>,
    /// Places that were followed as an object, but for those of `entered`.
    seen: HashSet<(u64, u32)>,
    /// For each block the table of pointers by which its start was followed first.
    entered: Vec<u32>,
    /// Bytes of a word.
    word: u64,
    /// Elements that may still be looked at: many containers may claim the same ones.
    left: u64,
}

/// Adds to `types` what typed variables lead to.
pub(crate) fn follow(process: &Process, census: &Census, types: &mut Types) {
    let crashed = process.threads.iter().position(|thread| thread.crashed).unwrap_or(0);
    let Some(view) = process.frame_view(crashed, 0) else { return };
    let scene = view.scene();
    let mut flow = Flow {
        census,
        types,
        shapes: Shapes::new(scene),
        cursor: process.memory.cursor(),
        next: VecDeque::new(),
        seen: HashSet::new(),
        entered: vec![0; census.blocks.len()],
        word: process.memory.word() as u64,
        left: MOST_LOOKED_AT,
    };
    for module in 0..process.modules.list().len() {
        // To read the debug information of all libraries for their few variables takes seconds.
        let is_program = process.modules.executable() == Some(module);
        let debug = match is_program {
            true => process.modules.debug(module),
            false => process.modules.debug_if_searched(module),
        };
        let Some(debug) = debug else { continue };
        for variable in debug.placed_variables(MOST_GLOBALS) {
            let Some(object) = view.object(module, &variable) else { continue };
            flow.start(&object, variable.name.clone().unwrap_or_else(|| "?".into()));
        }
    }
    flow.run();
    // Variables of frames may not be set yet: what is certain goes first.
    let mut views = Vec::new();
    for (number, thread) in process.threads.iter().enumerate() {
        let frames = 0..thread.frames.len().min(MOST_FRAMES);
        views.extend(frames.filter_map(|frame| process.frame_view(number, frame)));
    }
    for view in &views {
        for (variable, object) in view.variables() {
            if let (Some(object), Some(name)) = (object, variable.name) {
                flow.start(&object, name);
            }
        }
    }
    flow.run();
}

impl<'v> Flow<'_, 'v> {
    fn start(&mut self, object: &Object<'v>, name: Arc<str>) {
        let path = self.types.paths.variable(name);
        if let Some(at) = object.address() {
            self.whole(object.ty, at.0, path);
        } else if let obit_process::value::Contents::Parts(_) = object.contents {
            // A pointer in a register: its own type says what it leads to.
            let ty = self.shapes.resolved(object.ty);
            let TypeKind::Pointer { target: Some(target), .. } = ty.get().kind else { return };
            if let Some(value) = self.shapes.word_of(object) {
                let target = ty.other(target);
                self.one(target, value, path);
            }
        }
    }

    /// Follows a variable; one that is an array by each element, however many they are.
    fn whole(&mut self, ty: TypeRef<'v>, at: u64, path: PathId) {
        let ty = self.shapes.resolved(ty);
        let element = match &ty.get().kind {
            TypeKind::Array(array) if array.dimensions.len() == 1 => array.element,
            _ => None,
        };
        let sizes = element
            .map(|id| ty.other(id))
            .and_then(|element| Some((element, self.shapes.size(element)?, self.shapes.size(ty)?)));
        let Some((element, size, whole)) = sizes.filter(|(_, size, whole)| whole / size > 1) else {
            self.next.push_back((self.shapes.of(ty), at, path));
            return;
        };
        let slots = self.shapes.of(element);
        if slots.is_empty() {
            return;
        }
        let path = self.types.paths.elements(path);
        for nth in 0..(whole / size).min(MOST_ELEMENTS) {
            let at = at.saturating_add(nth.saturating_mul(size));
            self.next.push_back((Rc::clone(&slots), at, path));
        }
    }

    fn run(&mut self) {
        let mut left = MOST_OBJECTS;
        while let Some((slots, at, before)) = self.next.pop_front() {
            if left == 0 {
                return;
            }
            left = left.saturating_sub(1);
            for slot in slots.iter() {
                let place = at.wrapping_add(slot.offset);
                if let Behind::Container(ty) | Behind::Variant(ty) = slot.behind {
                    let path = self.types.paths.behind(before, slot.step, &slot.piece);
                    match slot.behind {
                        Behind::Container(_) => self.container(ty, place, path),
                        _ => self.variant(ty, place, path),
                    }
                    continue;
                }
                let Ok(value) = self.cursor.read_word(Avma(place)) else { continue };
                if value == 0 {
                    continue;
                }
                let path = match slot.is_link {
                    true => before,
                    false => self.types.paths.behind(before, slot.step, &slot.piece),
                };
                match slot.behind {
                    Behind::One(target) => self.one(target, value, path),
                    Behind::Dynamic(counts, vtable) => {
                        let vtable = Avma(place.wrapping_add_signed(vtable));
                        if let Ok(vtable) = self.cursor.read_word(vtable) {
                            self.dynamic(counts, vtable, value, path);
                        }
                    }
                    Behind::Container(_) | Behind::Variant(_) => {}
                    Behind::Until(element, end) => {
                        let end = self.cursor.read_word(Avma(place.wrapping_add(end)));
                        let bytes = end.ok().and_then(|end| end.checked_sub(value));
                        self.elements(element, value, bytes, path);
                    }
                    Behind::Counted(element, count) => {
                        let count = Avma(place.wrapping_add_signed(count));
                        let count = self.cursor.read_word(count).ok();
                        let size = self.shapes.size(element);
                        let bytes = count.zip(size).and_then(|(n, size)| n.checked_mul(size));
                        self.elements(element, value, bytes, path);
                    }
                }
            }
        }
    }

    /// The live block that begins at `at`.
    fn block(&self, at: u64) -> Option<(usize, u64)> {
        let index = self.census.blocks.index_at(at)?;
        let block = self.census.blocks.get(index)?;
        let is_it = block.start.0 == at && matches!(block.state, State::Live | State::Mapping);
        is_it.then_some((index, block.room))
    }

    fn one(&mut self, target: TypeRef<'v>, value: u64, path: PathId) {
        let target = self.shapes.target(target);
        // What node it is the container knows.
        if target.is_node_base {
            return;
        }
        let Some((index, room)) = self.block(value) else { return self.former(&target, value) };
        let Some(size) = target.size else { return };
        if self.types.get(index).is_some_and(|known| known.by == TypedBy::Vtable) {
            // The class of the vtable is the type; its members are those of what it derives from.
            self.claim(index, path);
            self.enter(&target, Some(index), value, path);
            return;
        }
        // A block of another size holds something else, of which this may be the first part.
        let count = room / size;
        let fits = |count: u64| {
            let bytes = count.saturating_mul(size);
            count > 0 && bytes <= room && room < bytes.max(SMALLEST).saturating_add(SLACK)
        };
        let is_one = fits(1);
        let is_array =
            || target.is_number || target.ty.get().language == Language::C && fits(count);
        let name = match is_one && !target.is_number {
            true => &target.name,
            false if is_array() => &target.array_name,
            false => return,
        };
        self.set(index, Arc::clone(name));
        let is_new = self.claim(index, path);
        if is_new && target.is_node {
            self.types.paths.count(path, 1);
        }
        self.enter(&target, Some(index), value, path);
    }

    /// What `value` points to, where that is freed. Blocks that are merged with others lose their
    /// sizes.
    fn former(&mut self, target: &Target<'v>, value: u64) {
        let blocks = &self.census.blocks;
        let Some(block) = blocks.index_at(value).and_then(|index| blocks.get(index)) else {
            return;
        };
        if !matches!(target.ty.get().kind, TypeKind::Record(_)) {
            return;
        }
        let Some(size) = target.size else { return };
        let left = block.room.saturating_sub(value.wrapping_sub(block.start.0));
        let fits = match block.state {
            State::Cached | State::Fast => {
                let room = size.max(SMALLEST).saturating_add(SLACK);
                value == block.start.0 && size <= left && left < room
            }
            State::Free | State::Top => size <= left && value.is_multiple_of(SLACK),
            _ => false,
        };
        if fits {
            self.types.set_former(Avma(value), size, Arc::clone(&target.name));
        }
    }

    fn elements(&mut self, element: TypeRef<'v>, value: u64, bytes: Option<u64>, path: PathId) {
        let Some((index, room)) = self.block(value) else { return };
        let element = self.shapes.target(element);
        let (Some(bytes), Some(size)) = (bytes, element.size) else { return };
        if bytes > room {
            return;
        }
        self.set(index, Arc::clone(&element.array_name));
        if self.claim(index, path) {
            self.types.paths.count(path, bytes / size);
        }
        if self.shapes.slots(&element).is_empty() {
            return;
        }
        let count = (bytes / size).min(self.left);
        self.left = self.left.saturating_sub(count);
        for nth in 0..count {
            let at = value.saturating_add(nth.saturating_mul(size));
            self.enter(&element, None, at, path);
        }
    }

    fn set(&mut self, index: usize, name: Arc<str>) {
        self.types.set(index, BlockType { name, by: TypedBy::DebugInfo });
    }

    /// Keys and elements of a container, and the blocks that they lie in.
    fn container(&mut self, ty: TypeRef<'v>, at: u64, path: PathId) {
        let cost = self.cost(ty, at);
        let Some(left) = self.left.checked_sub(cost) else { return };
        let limit = usize::try_from(left).unwrap_or(usize::MAX).min(MOST_READ);
        let Some(found) = self.shapes.read_whole(ty, Avma(at), limit) else { return };
        self.left = left.saturating_sub(found.elements.len() as u64);
        let is_tree = ty.name().contains("::btree::");
        let types: Vec<Arc<str>> = [found.keys.first(), found.elements.first().map(|(_, one)| one)]
            .into_iter()
            .flatten()
            .map(|object| self.shapes.resolved(object.ty).name())
            .collect();
        let name: Arc<str> = match types.as_slice() {
            [key, value] if is_tree => format!("BTreeMap node<{key}, {value}>").into(),
            [one] if is_tree => format!("BTreeSet node<{one}>").into(),
            [key, value] => format!("({key}, {value})[]").into(),
            [one] => format!("{one}[]").into(),
            _ => return,
        };
        self.types.paths.count(path, found.elements.len() as u64);
        let elements = found.elements.into_iter().map(|(_, element)| element);
        let mut last = None;
        for object in found.keys.into_iter().chain(elements) {
            let Some(at) = object.address() else { continue };
            let index = self.census.blocks.index_at(at.0);
            if let Some(index) = index.filter(|_| index != last) {
                last = Some(index);
                let block = self.census.blocks.get(index);
                if block.is_some_and(|block| block.state.is_live()) {
                    self.set(index, Arc::clone(&name));
                    self.claim(index, path);
                }
            }
            let target = self.shapes.target(object.ty);
            self.enter(&target, None, at.0, path);
        }
    }

    /// What it may cost to look through a container that is almost empty: how many places it has is
    /// one of its words.
    fn cost(&mut self, ty: TypeRef<'v>, at: u64) -> u64 {
        let size = self.shapes.size(ty).unwrap_or(self.word);
        let words = (size / self.word.max(1)).min(CONTAINER_WORDS);
        let mut cost = 1_u64;
        for nth in 0..words {
            let word = self.cursor.read_word(Avma(at.wrapping_add(nth.wrapping_mul(self.word))));
            let places = word.unwrap_or_default().min(MOST_READ as u64 * PLACES / 2);
            // Pointers are no counts.
            if word.is_ok_and(|word| word < u64::from(u32::MAX)) {
                cost = cost.saturating_add(places / PLACES);
            }
        }
        cost
    }

    fn variant(&mut self, ty: TypeRef<'v>, at: u64, path: PathId) {
        for member in self.shapes.variant(ty, Avma(at)) {
            if let Some(at) = member.address() {
                let target = self.shapes.target(member.ty);
                self.enter(&target, None, at.0, path);
            }
        }
    }

    /// An object of the type that a vtable says.
    fn dynamic(&mut self, counts: Option<Counts>, vtable: u64, value: u64, path: PathId) {
        let Some((index, room)) = self.block(value) else { return };
        let Some(ty) = self.shapes.concrete(vtable) else { return };
        let ty = self.shapes.resolved(ty);
        let Some(size) = self.shapes.size(ty) else { return };
        let word = self.word;
        // Size and alignment follow the function that drops it.
        let align = self.cursor.read_word(Avma(vtable.wrapping_add(word.saturating_mul(2))));
        let Some(align) = align.ok().filter(|align| align.is_power_of_two()) else { return };
        let into = counts.map_or(0, |_| word.saturating_mul(2).next_multiple_of(align));
        let whole = into.saturating_add(size);
        if whole > room || room >= whole.next_multiple_of(word).max(SMALLEST).saturating_add(SLACK)
        {
            return;
        }
        let name = ty.name();
        self.set(
            index,
            match counts {
                Some(Counts::Rc) => format!("alloc::rc::RcInner<{name}>").into(),
                Some(Counts::Arc) => format!("alloc::sync::ArcInner<{name}>").into(),
                None => name,
            },
        );
        self.claim(index, path);
        let target = self.shapes.target(ty);
        self.enter(&target, None, value.saturating_add(into), path);
    }

    fn claim(&mut self, index: usize, path: PathId) -> bool {
        let name = self.types.get(index).map(|ty| Arc::clone(&ty.name));
        self.types.paths.claim(index, path, name.as_ref())
    }

    /// Follows the object at `at`; `block` is the block that it is the start of, where that is known.
    fn enter(&mut self, target: &Target<'v>, block: Option<usize>, at: u64, path: PathId) {
        let slots = self.shapes.slots(target);
        // Its steps are the numbers of one table alone.
        let Some(identity) = slots.first().map(|slot| slot.step) else { return };
        if self.is_new(block, at, identity) {
            self.next.push_back((slots, at, path));
        }
    }

    /// Whether the object at `at` with this table of pointers was not followed yet. Most objects
    /// are blocks of their own.
    fn is_new(&mut self, block: Option<usize>, at: u64, identity: u32) -> bool {
        let blocks = &self.census.blocks;
        let is_start = |index: &usize| blocks.get(*index).is_some_and(|block| block.start.0 == at);
        let block = block.or_else(|| blocks.index_at(at).filter(is_start));
        if let Some(place) = block.and_then(|index| self.entered.get_mut(index)) {
            if *place == 0 {
                *place = identity;
                return true;
            }
            if *place == identity {
                return false;
            }
        }
        self.seen.len() < MOST_OBJECTS && self.seen.insert((at, identity))
    }
}
