//! Objects of a wanted type, found by the types of variables: from those of all frames and the
//! globals of the program, through members and pointers.

use std::collections::HashSet;
use std::sync::Arc;

use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_process::process::Process;
use obit_process::value::{Object, Scene};

/// Threads and frames whose variables are looked at.
const MOST_THREADS: usize = 512;
const MOST_FRAMES: usize = 64;
/// Global variables that are looked at.
const MOST_GLOBALS: usize = 4096;
/// Objects that are looked at.
const MOST_OBJECTS: usize = 100_000;
/// Members and pointers on the way from a variable.
const DEEPEST: usize = 14;
/// Bytes of a stack that are searched for objects behind tables of functions, and how many such
/// are looked at.
const MOST_STACK: u64 = 1 << 20;
const MOST_TRAIT_OBJECTS: usize = 4096;
/// Elements of an array that are looked at.
const MOST_ELEMENTS: u64 = 16;

/// What was looked at.
pub(crate) struct Searched {
    /// Variables of the program itself that had a type.
    pub(crate) variables: usize,
    /// There was more than was looked at.
    pub(crate) is_cut: bool,
}

/// Calls `take` with each object of a type whose name `is_wanted`, those of inner frames and of
/// variables of inner blocks first.
pub(crate) fn find(
    process: &Process,
    is_wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn for<'v> FnMut(&Object<'v>, Scene<'v>),
) -> Searched {
    let mut walk = Walk { seen: HashSet::new(), left: MOST_OBJECTS, is_wanted, take };
    let program = process.modules.executable();
    let mut variables = 0_usize;
    let mut last = None;
    for (number, thread) in process.threads.iter().enumerate().take(MOST_THREADS) {
        for frame in 0..thread.frames.len().min(MOST_FRAMES) {
            let Some(view) = process.frame_view(number, frame) else { continue };
            let is_of_program = view.frame().module == program;
            for (_, object) in view.variables() {
                let Some(object) = object else { continue };
                variables = variables.saturating_add(usize::from(is_of_program));
                walk.object(&object, view.scene(), DEEPEST);
            }
            last = Some((number, frame));
        }
    }
    let view = last.and_then(|(thread, frame)| process.frame_view(thread, frame));
    let debug = program.and_then(|program| process.modules.debug(program));
    if let (Some(view), Some(debug), Some(program)) = (view, debug, program) {
        for variable in debug.placed_variables(MOST_GLOBALS) {
            let Some(object) = view.object(program, &variable) else { continue };
            variables = variables.saturating_add(1);
            walk.object(&object, view.scene(), DEEPEST);
        }
    }
    let view = last.and_then(|(thread, frame)| process.frame_view(thread, frame));
    if let Some(view) = view {
        for (ty_at, at) in trait_objects(process) {
            let Some((ty, _)) = view.scene().around.class_of_vtable(ty_at) else { continue };
            if is_wanted(&ty.name()) {
                walk.object(&Object::at(ty, at), view.scene(), DEEPEST);
            }
        }
    }
    Searched { variables, is_cut: walk.left == 0 }
}

/// Words of the stacks that may be a table of functions of the program, each with the word before
/// it, which is then where the object is: optimised code has no variable for many of them.
fn trait_objects(process: &Process) -> Vec<(Avma, Avma)> {
    let mut found = Vec::new();
    let Some(facts) = process.dump.machine.facts() else { return found };
    let program = process.modules.executable().and_then(|at| process.modules.get(at));
    let Some(program) = program else { return found };
    let memory = &process.memory;
    for thread in process.threads.iter().take(MOST_THREADS) {
        let start = thread.registers.get(facts.sp);
        let end = thread.stack.frames.iter().rev().find_map(|frame| frame.cfa);
        let (Some(start), Some(end)) = (start, end) else { continue };
        let size = end.0.saturating_sub(start).min(MOST_STACK);
        let bytes = memory.read_up_to(Avma(start), usize::try_from(size).unwrap_or(0));
        let words = bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word));
        let mut before = 0;
        for word in words {
            let is_table = program.range.contains(Avma(word))
                && memory.region_at(Avma(word)).is_some_and(|region| !region.permissions.execute);
            let is_object = memory.region_at(Avma(before)).is_some_and(|it| it.permissions.write);
            if is_table && is_object && found.len() < MOST_TRAIT_OBJECTS {
                found.push((Avma(word), Avma(before)));
            }
            before = word;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

struct Walk<'w> {
    seen: HashSet<(u64, obit_dwarf::TypeId)>,
    left: usize,
    is_wanted: &'w dyn Fn(&str) -> bool,
    take: &'w mut dyn for<'v> FnMut(&Object<'v>, Scene<'v>),
}

impl Walk<'_> {
    fn object<'v>(&mut self, object: &Object<'v>, scene: Scene<'v>, depth: usize) {
        if depth == 0 || self.left == 0 {
            return;
        }
        if let Some(at) = object.address()
            && !self.seen.insert((at.0, object.ty.id))
        {
            return;
        }
        self.left = self.left.saturating_sub(1);
        let ty = object.resolved(scene);
        let deeper = depth.saturating_sub(1);
        match &ty.get().kind {
            TypeKind::Record(_) => {
                if (self.is_wanted)(&ty.name()) {
                    (self.take)(object, scene);
                    return;
                }
                let members = object.members(scene);
                if let Some(inside) = behind_fat_pointer(&members, scene) {
                    self.object(&inside, scene, deeper);
                }
                for (_, member) in members {
                    self.object(&member, scene, deeper);
                }
            }
            TypeKind::Pointer { target: Some(target), .. } => {
                let is_object =
                    matches!(ty.other(*target).resolved(scene).get().kind, TypeKind::Record(_));
                if is_object && let Ok(target) = object.pointee(scene) {
                    self.object(&target, scene, deeper);
                }
            }
            TypeKind::Array(_) => {
                let length = object.length(scene).unwrap_or(0).min(MOST_ELEMENTS);
                for index in 0..length {
                    let Ok(index) = i64::try_from(index) else { break };
                    let Some(element) = object.index(scene, index) else { break };
                    if !matches!(element.resolved(scene).get().kind, TypeKind::Record(_)) {
                        break;
                    }
                    self.object(&element, scene, deeper);
                }
            }
            _ => {}
        }
    }
}

/// What a `Box<dyn Trait>` or a `&dyn Trait` points to: its table of functions says the type.
fn behind_fat_pointer<'v>(
    members: &[(Option<Arc<str>>, Object<'v>)],
    scene: Scene<'v>,
) -> Option<Object<'v>> {
    let word = |name: &str| {
        let (_, member) = members.iter().find(|(found, _)| found.as_deref() == Some(name))?;
        member.unsigned(scene).ok().filter(|word| *word != 0)
    };
    let (pointer, table) = (word("pointer")?, word("vtable")?);
    let (ty, _) = scene.around.class_of_vtable(Avma(table))?;
    Some(Object::at(ty, Avma(pointer)))
}
