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
/// Elements of an array that are looked at.
const MOST_ELEMENTS: u64 = 16;

/// Whether any variable has a type.
pub(crate) struct Searched {
    /// Variables that had a type.
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
    let mut variables = 0_usize;
    let mut last = None;
    for (number, thread) in process.threads.iter().enumerate().take(MOST_THREADS) {
        for frame in 0..thread.frames.len().min(MOST_FRAMES) {
            let Some(view) = process.frame_view(number, frame) else { continue };
            for (_, object) in view.variables() {
                let Some(object) = object else { continue };
                variables = variables.saturating_add(1);
                walk.object(&object, view.scene(), DEEPEST);
            }
            last = Some((number, frame));
        }
    }
    let view = last.and_then(|(thread, frame)| process.frame_view(thread, frame));
    let program = process.modules.executable();
    let debug = program.and_then(|program| process.modules.debug(program));
    if let (Some(view), Some(debug), Some(program)) = (view, debug, program) {
        for variable in debug.placed_variables(MOST_GLOBALS) {
            let Some(object) = view.object(program, &variable) else { continue };
            variables = variables.saturating_add(1);
            walk.object(&object, view.scene(), DEEPEST);
        }
    }
    Searched { variables, is_cut: walk.left == 0 }
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
