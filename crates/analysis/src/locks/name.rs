//! What a lock is called: the variable it is, or is a part of.

use super::super::owner::is_foreign;
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::PointerKind;
use obit_process::process::{FrameView, Process};
use obit_process::value::{Object, Scene};

/// What a lock is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockName {
    /// The same in all the program: a variable with an address of its own.
    Global(String),
    /// In one frame only: what it is to an argument or a local variable.
    Local(String),
}

/// Frames of a thread in which a name is looked for.
const FRAMES: usize = 3;
/// Structures and arrays within one another.
const DEEPEST: usize = 12;
/// Members of one structure whose pointers are followed.
const MOST_MEMBERS: usize = 32;

/// The name of the lock at `lock`, as `frames` (numbers of a thread and of a frame of it)
/// see it.
pub(super) fn of_lock(
    process: &Process,
    lock: Avma,
    frames: &[(usize, usize)],
) -> Option<LockName> {
    let view = frames.iter().find_map(|(thread, at)| process.frame_view(*thread, *at));
    global(process, lock, view.as_ref()).map(LockName::Global).or_else(|| {
        let mut names = frames.iter().filter_map(|(thread, at)| local(process, lock, *thread, *at));
        names.next().map(LockName::Local)
    })
}

/// `accounts[1].lock`; `accounts+0x20` where only a symbol is known.
fn global(process: &Process, lock: Avma, view: Option<&FrameView<'_>>) -> Option<String> {
    let index = process.modules.index_at(lock)?;
    let debug = process.modules.debug(index)?;
    let at = process.modules.get(index)?.to_svma(lock);
    let typed = view.and_then(|view| {
        let (variable, _) = debug.variable_at(at)?;
        let object = view.object(index, &variable)?;
        let path = path(&object, lock, view.scene())?;
        Some(format!("{}{path}", variable.name.as_deref()?))
    });
    typed.or_else(|| {
        let symbol = debug.symbol_at(at)?;
        (symbol.offset < symbol.size).then(|| match symbol.offset {
            0 => symbol.name,
            offset => format!("{}+{offset:#x}", symbol.name),
        })
    })
}

/// `to->lock`: what the lock is to the variables of frame number `frame` or of one of its
/// callers.
fn local(process: &Process, lock: Avma, thread: usize, frame: usize) -> Option<String> {
    let frames = process.threads.get(thread)?.frames.iter().enumerate().skip(frame);
    let own = frames.filter(|(_, frame)| !is_foreign(process, frame)).take(FRAMES);
    let views: Vec<_> = own.filter_map(|(at, _)| process.frame_view(thread, at)).collect();
    // A variable that is the lock or points to it says more than one that leads there.
    [0, 1].into_iter().find_map(|hops| {
        views.iter().find_map(|view| {
            let scene = view.scene();
            view.variables().into_iter().find_map(|(variable, object)| {
                through(&object?, variable.name.as_deref()?, lock, scene, hops)
            })
        })
    })
}

/// How the lock is reached from the object called `name`: within it, within what it points
/// at, or, with `hops` left, within what a member of that points at.
fn through<'d>(
    object: &Object<'d>,
    name: &str,
    lock: Avma,
    scene: Scene<'d>,
    hops: usize,
) -> Option<String> {
    if let Some(path) = path(object, lock, scene) {
        return Some(format!("{name}{path}"));
    }
    let (record, dot) = match object.resolved(scene).get().kind {
        TypeKind::Pointer { kind, .. } => {
            let target = object.pointee(scene).ok()?;
            // Rust's references are pointers in DWARF.
            let is_plain = kind != PointerKind::Pointer || object.type_name(scene).starts_with('&');
            if let Some(path) = path(&target, lock, scene) {
                return Some(match path.strip_prefix('.') {
                    _ if is_plain => format!("{name}{path}"),
                    Some(member) => format!("{name}->{member}"),
                    None if path.is_empty() => format!("*{name}"),
                    None => format!("(*{name}){path}"),
                });
            }
            (target, if is_plain { "." } else { "->" })
        }
        _ => (object.clone(), "."),
    };
    let hops = hops.checked_sub(1)?;
    record.members(scene).into_iter().take(MOST_MEMBERS).find_map(|(member, object)| {
        through(&object, &format!("{name}{dot}{}", member?), lock, scene, hops)
    })
}

/// The members and indices that lead from `object` to the lock within it.
fn path<'d>(object: &Object<'d>, lock: Avma, scene: Scene<'d>) -> Option<String> {
    let mut object = object.clone();
    let mut path = String::new();
    for _ in 0..DEEPEST {
        let start = object.address().filter(|_| covers(&object, lock, scene))?;
        if start == lock && is_lock(&object.type_name(scene)) {
            return Some(path);
        }
        match object.resolved(scene).get().kind {
            TypeKind::Record(_) => {
                let bases = object.bases(scene);
                let is_base = |part: &Object<'d>| bases.iter().any(|base| base.ty.id == part.ty.id);
                let parts = object.members(scene).into_iter();
                let Some((name, part)) =
                    parts.into_iter().find(|(_, part)| covers(part, lock, scene))
                else {
                    return (start == lock).then_some(path);
                };
                if let Some(name) = name.filter(|_| !is_base(&part)) {
                    path.push('.');
                    path.push_str(&name);
                }
                object = part;
            }
            TypeKind::Array(_) => {
                let size = object.index(scene, 0)?.size(scene)?;
                let nth = lock.0.checked_sub(start.0)?.checked_div(size)?;
                let nth = i64::try_from(nth).ok()?;
                path.push_str(&format!("[{}]", nth.checked_add(object.lower_bound(scene))?));
                object = object.index(scene, nth)?;
            }
            _ => return (start == lock).then_some(path),
        }
    }
    None
}

/// Whether the lock's first byte is one of the object's.
fn covers<'d>(object: &Object<'d>, lock: Avma, scene: Scene<'d>) -> bool {
    let into = object.address().and_then(|start| lock.0.checked_sub(start.0));
    into.zip(object.size(scene)).is_some_and(|(into, size)| into < size)
}

/// Whether a type is a lock's: what its members are called is its library's affair.
fn is_lock(ty: &str) -> bool {
    let plain = ty.split(['<', '[']).next().unwrap_or_default();
    let last = plain.rsplit("::").next().unwrap_or_default().to_ascii_lowercase();
    let part = ["mutex", "rwlock", "condition_variable"];
    let whole = ["mtx_t", "cnd_t", "sem_t", "pthread_cond_t", "pthread_barrier_t", "condvar"];
    part.iter().any(|part| last.contains(part)) || whole.contains(&&*last)
}

#[cfg(test)]
mod tests {
    use super::is_lock;

    #[test]
    fn a_lock_is_known_by_the_last_part_of_its_types_name() {
        for ty in [
            "pthread_mutex_t",
            "std::mutex",
            "std::shared_timed_mutex",
            "std::sync::poison::rwlock::RwLock<alloc::vec::Vec<u8>>",
            "mtx_t",
            "pthread_cond_t",
            "std::_V2::condition_variable_any",
            "std::sync::poison::condvar::Condvar",
            "sem_t",
        ] {
            assert!(is_lock(ty), "{ty}");
        }
        assert!(!is_lock("alloc::sync::Arc<std::sync::mutex::Mutex<i64>>"));
        assert!(!is_lock("mutex::pool"));
    }
}
