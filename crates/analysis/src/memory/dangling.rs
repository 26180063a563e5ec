//! Variables of the crashed thread that point into freed blocks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::blame::is_own;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::{AddressSpace, Cursor};
use obit_heap::glibc::{Block, Heap};
use obit_process::process::{Frame, FrameTrust, FrameView, Process};
use obit_process::value::{Budget, Contents, Object, Scalar, State, Value, tree};

/// A freed block that variables point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangling {
    /// The thread.
    pub tid: i64,
    /// The block.
    pub block: Block,
    /// The variables, the innermost frame's first; at least one.
    pub holders: Vec<Holder>,
}

/// A variable that points into a freed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The index of its frame.
    pub frame: usize,
    /// The function of that frame.
    pub function: Option<String>,
    /// The variable, member or element: `ns[0]`.
    pub path: String,
    /// What it points at.
    pub pointer: Avma,
}

/// Frames that are looked through.
const MOST_FRAMES: usize = 8;
/// Pointers that are judged.
const MOST_POINTERS: usize = 500;
/// Blocks that are reported, and variables of each.
const MOST_FOUND: usize = 8;
const MOST_HOLDERS: usize = 8;
/// Bytes of a variable that are searched for a pointer into the heap.
const VARIABLE_BYTES: u64 = 4096;
/// Places that are looked at before a variable's tree is built, and bytes of each: as many
/// as a tree has elements of one container.
const MOST_REACHED: usize = 64;
const REACHED_BYTES: usize = 512;
/// Bytes of a container itself.
const CONTAINER_BYTES: usize = 64;
/// Members and elements of one variable.
const MOST_NODES: usize = 200;
/// Values within values.
const DEEPEST: usize = 4;

/// All of them, the innermost frame first.
pub(super) fn findings(process: &Process, heap: &mut Heap<'_>) -> Vec<Dangling> {
    let Some(number) = process.threads.iter().position(|thread| thread.crashed) else {
        return Vec::new();
    };
    let Some(thread) = process.threads.get(number) else { return Vec::new() };
    let sp = process.dump.machine.facts().and_then(|facts| thread.registers.get(facts.sp));
    let stack = sp.and_then(|sp| process.memory.range_at(Avma(sp)));
    let extents = heap.extents();
    let mut cursor = process.memory.cursor();
    let mut reached: HashMap<Vec<Avma>, bool> = HashMap::new();
    let (tid, found) = (thread.tid, Vec::new());
    let mut search = Search { heap, extents, stack, tid, left: MOST_POINTERS, found };
    let is_of_program = |frame: &Frame| frame.trust != FrameTrust::Scan && is_own(process, frame);
    let frames = thread.frames.iter().enumerate().filter(|(_, frame)| is_of_program(frame));
    for (index, frame) in frames.take(MOST_FRAMES) {
        let Some(view) = process.frame_view(number, index) else { continue };
        let line = frame.source.as_ref().and_then(|source| source.line);
        for (variable, object) in view.variables() {
            let (Some(name), Some(object)) = (variable.name, object) else { continue };
            // What is declared further down has not been set yet.
            let is_later =
                line.zip(variable.line).is_some_and(|(line, of)| u64::from(of) > u64::from(line));
            if is_later && !variable.is_argument {
                continue;
            }
            // What each function of a stack is handed is the same in many of its frames.
            let may_reach = match reached.entry(search.pointers(&object, &view)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    let answer = search.may_reach_freed(place.key(), &mut cursor);
                    *place.insert(answer)
                }
            };
            if !may_reach {
                continue;
            }
            let mut budget = Budget::default().with(Some(DEEPEST), None);
            budget.max_nodes = MOST_NODES;
            let value = tree(&object, Some(Arc::clone(&name)), view.scene(), &budget);
            search.look(&value, &name, (index, frame), 0);
        }
    }
    search.found
}

struct Search<'h, 'p> {
    heap: &'h Heap<'p>,
    /// Where blocks may lie.
    extents: Vec<AvmaRange>,
    /// The thread's stack.
    stack: Option<AvmaRange>,
    tid: i64,
    /// Pointers that may still be judged.
    left: usize,
    found: Vec<Dangling>,
}

impl Search<'_, '_> {
    /// The words of `object` that point into the heap, or where a container lies that was
    /// passed by reference.
    fn pointers(&self, object: &Object<'_>, view: &FrameView<'_>) -> Vec<Avma> {
        if matches!(object.contents, Contents::Absent(_)) {
            return Vec::new();
        }
        let scene = view.scene();
        let word = scene.memory.word();
        let size = object.size(scene).unwrap_or(0);
        if size < word as u64 || size > VARIABLE_BYTES {
            return Vec::new();
        }
        let bytes = object.bytes(scene).unwrap_or_default();
        match (self.stack, bytes.len() == word) {
            (Some(stack), true) if stack.contains(Avma(scene.memory.unsigned(&bytes))) => {
                vec![Avma(scene.memory.unsigned(&bytes))]
            }
            _ => self.words_into_heap(&bytes, scene.memory).collect(),
        }
    }

    fn words_into_heap(&self, bytes: &[u8], memory: &AddressSpace) -> impl Iterator<Item = Avma> {
        let words = bytes.chunks_exact(memory.word()).map(|word| Avma(memory.unsigned(word)));
        words.filter(|at| self.extents.iter().any(|range| range.contains(*at)))
    }

    /// Whether `pointers` lead to a freed block, or to more memory than is searched here. To
    /// build a tree of a variable costs far more.
    fn may_reach_freed(&self, pointers: &[Avma], cursor: &mut Cursor<'_>) -> bool {
        let memory = cursor.space();
        let mut reached = pointers.to_vec();
        let mut next = 0;
        while let Some(at) = reached.get(next).copied() {
            if next > MOST_REACHED || self.heap.freed_at(at).is_some() {
                return true;
            }
            next += 1;
            let mut bytes = [0; REACHED_BYTES];
            let on_stack = self.stack.is_some_and(|stack| stack.contains(at));
            let size = if on_stack { CONTAINER_BYTES } else { REACHED_BYTES };
            let bytes = bytes.get_mut(..size).unwrap_or(&mut []);
            if cursor.read(at, bytes).is_err() {
                return true;
            }
            for further in self.words_into_heap(bytes, memory) {
                if reached.len() <= MOST_REACHED + 1 && !reached.contains(&further) {
                    reached.push(further);
                }
            }
        }
        false
    }

    /// Looks at `value`, which is called `path`, and at what is within it.
    fn look(&mut self, value: &Value, path: &str, at: (usize, &Frame), depth: usize) {
        if depth > DEEPEST {
            return;
        }
        if let State::Scalar(Scalar::Address(pointer)) = value.state {
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            if let Some(block) = self.heap.freed_at(Avma(pointer)) {
                self.add(path, Avma(pointer), block, at);
                // What is in the block is no longer what it was.
                return;
            }
        }
        if value.summary.is_some() {
            self.within(&value.elements, path, at, depth);
        } else {
            self.within(&value.members, path, at, depth);
        }
        let Some(pointee) = &value.pointee else { return };
        let is_reference = value.type_name.as_deref().is_some_and(|name| name.ends_with('&'));
        if is_reference {
            self.look(pointee, path, at, depth + 1);
        } else if pointee.summary.is_some() {
            self.look(pointee, &format!("(*{path})"), at, depth + 1);
        } else if pointee.members.is_empty() {
            self.look(pointee, &format!("*{path}"), at, depth + 1);
        } else {
            for member in &pointee.members {
                let name = member.name.as_deref();
                let inner = name.map(|name| format!("{path}->{name}"));
                self.look(member, inner.as_deref().unwrap_or(path), at, depth + 1);
            }
        }
    }

    fn within(&mut self, parts: &[Value], path: &str, at: (usize, &Frame), depth: usize) {
        for part in parts {
            let inner = part.name.as_deref().map(|name| match name.starts_with('[') {
                true => format!("{path}{name}"),
                false => format!("{path}.{name}"),
            });
            self.look(part, inner.as_deref().unwrap_or(path), at, depth + 1);
        }
    }

    fn add(&mut self, path: &str, pointer: Avma, block: Block, (index, frame): (usize, &Frame)) {
        let function = frame.function.as_deref().map(str::to_owned);
        let holder = Holder { frame: index, function, path: path.to_owned(), pointer };
        let has_room = self.found.len() < MOST_FOUND;
        match self.found.iter_mut().find(|one| one.block.start == block.start) {
            Some(known) => {
                // The same variable in the frame of an inlined call.
                let is_known = known.holders.iter().any(|one| one.path == holder.path);
                if !is_known && known.holders.len() < MOST_HOLDERS {
                    known.holders.push(holder);
                }
            }
            None if has_room => {
                self.found.push(Dangling { tid: self.tid, block, holders: vec![holder] });
            }
            None => {}
        }
    }
}
