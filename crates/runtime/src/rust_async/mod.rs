//! Tasks of tokio: found through the lists of its runtimes, which its thread-local variables and
//! variables of frames lead to. Places of members are those of the debug information, so no
//! version is known here; names of types and members are.

mod cells;
mod chain;
mod ended;
mod names;
mod roots;
mod running;
mod search;
mod spot;
mod tasks;
mod timers;
mod waits;

use std::collections::{BTreeSet, HashMap, HashSet};

use cells::{Broken, Cells, Owner};
use search::Search;
use spot::{Reader, Spot};
use timers::Drivers;

use crate::model::{Blocker, Gap, Kind, Runtime, State, Task, Verdict};
use obit_process::process::Process;

/// Objects that are looked at in search of lists: from thread-local variables, and from variables
/// of frames.
const MOST_FROM_LOCALS: usize = 1 << 16;
const MOST_FROM_FRAMES: usize = 1 << 15;

/// Futures that are searched for handles of tasks that have ended.
const MOST_SEARCHED: usize = 1024;

/// What the search from all roots found.
#[derive(Default)]
struct Found<'p> {
    owners: Vec<Owner<'p>>,
    drivers: Drivers,
    /// The task that each thread runs, by its number.
    current: HashMap<u64, usize>,
    /// Futures that threads block on.
    blocked_on: Vec<(usize, usize, Spot<'p>)>,
}

/// The tasks of tokio.
pub(crate) fn read(process: &Process) -> Option<Runtime> {
    let modules = roots::modules(process);
    if modules.is_empty() {
        return None;
    }
    let reader = Reader::new(process);
    let mut cells = Cells::new(&reader);
    let mut runtime = Runtime {
        kind: Kind::Tokio,
        version: version(process),
        tasks: Vec::new(),
        omitted: 0,
        verdicts: Vec::new(),
        gaps: Vec::new(),
    };
    let found = search(&reader, &cells, &modules);
    if found.owners.is_empty() {
        let of = "the lists of tasks, which full debug information describes";
        runtime.gaps.push(Gap::Layout { of, version: runtime.version.clone() });
    }
    let mut builder = tasks::Builder::new(&reader, found.drivers.now(), &found.current);
    let mut futures: Vec<_> = found.blocked_on.iter().map(|(_, _, future)| *future).collect();
    for owner in &found.owners {
        let (listed, broken) = cells.tasks(*owner);
        match broken {
            Some(Broken::List) => runtime.gaps.push(Gap::List { after: listed.len() as u64 }),
            Some(Broken::TooLong) => runtime.gaps.push(Gap::Other("a list of tasks is too long")),
            None => {}
        }
        for cell in &listed {
            builder.add(&mut cells, cell);
            if futures.len() < MOST_SEARCHED {
                futures.extend(builder.future_of(cell));
            }
        }
    }
    for (thread, frame, future) in &found.blocked_on {
        builder.add_blocked_on(&mut cells, *thread, *frame, *future);
    }
    roots::threads(process).for_each(|thread| builder.add_lost(thread));
    builder.add_blocking();
    builder.add_ended(&mut cells, &futures);
    if builder.unnamed > 0 {
        let of = "the futures of tasks, which full debug information describes";
        runtime.gaps.push(Gap::Layout { of, version: runtime.version.clone() });
    }
    runtime.tasks = builder.tasks;
    runtime.tasks.sort_by_key(|task| task.id);
    runtime.omitted = builder.omitted;
    runtime.verdicts = join_cycles(&runtime.tasks);
    Some(runtime)
}

fn search<'p>(reader: &Reader<'p>, cells: &Cells<'_, 'p>, modules: &BTreeSet<usize>) -> Found<'p> {
    let process = reader.process;
    let locals = roots::thread_locals(process, modules);
    let mut found = Found::default();
    let mut ids = HashSet::new();
    let mut local = Search::new(reader, MOST_FROM_LOCALS);
    let mut framed = Search::new(reader, MOST_FROM_FRAMES);
    for thread in roots::threads(process) {
        for root in roots::of_thread(process, thread, &locals) {
            local.from(root, |spot, name| {
                if name == "tokio::runtime::context::Context"
                    && let Some(id) = running::current_task(reader, spot)
                {
                    found.current.insert(id, thread);
                }
                note(reader, cells, &mut found, &mut ids, spot, name)
            });
        }
    }
    for thread in roots::threads(process) {
        for frame in roots::frames(process, thread) {
            let of_frame = process.threads.get(thread).and_then(|it| it.frames.get(frame));
            let of_frame = of_frame.filter(|it| it.module.is_some_and(|at| modules.contains(&at)));
            let function = of_frame.and_then(|it| it.function.as_deref()).unwrap_or_default();
            // Those of the standard library hold nothing of tokio that these do not.
            if function.is_empty() || names::is_std(function) {
                continue;
            }
            let Some(view) = process.frame_view(thread, frame) else { continue };
            for (name, spot) in roots::of_frame(&view) {
                let is_future = matches!(name.as_deref(), Some("future" | "f" | "fut"));
                if is_future && function.contains("block_on") {
                    found.blocked_on.push((thread, frame, spot));
                }
                framed
                    .from(spot, |spot, name| note(reader, cells, &mut found, &mut ids, spot, name));
            }
        }
    }
    found
}

fn note<'p>(
    reader: &Reader<'p>,
    cells: &Cells<'_, 'p>,
    found: &mut Found<'p>,
    ids: &mut HashSet<u64>,
    spot: Spot<'p>,
    name: &str,
) -> bool {
    found.drivers.note(reader, spot, name);
    let is_owner = cells::is_owner(name);
    if is_owner
        && let Some(owner) = cells.owner(spot)
        && ids.insert(owner.id)
    {
        found.owners.push(owner);
    }
    is_owner || name.starts_with("tokio::runtime::task::core::Header")
}

/// The version that the path of tokio's source names.
fn version(process: &Process) -> Option<String> {
    let frames = process.threads.iter().flat_map(|thread| &thread.frames);
    let mut sources = frames.filter_map(|frame| frame.source.as_ref());
    sources.find_map(|source| {
        let (_, rest) = source.file.split_once("/tokio-")?;
        let (version, _) = rest.split_once("/src/")?;
        let is_version = version.starts_with(|c: char| c.is_ascii_digit())
            && version.len() < 32
            && version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
        is_version.then(|| version.to_owned())
    })
}

/// Tasks that await each other's handles, the last the first's. What awaits a handle does nothing
/// else until that task has ended.
fn join_cycles(tasks: &[Task]) -> Vec<Verdict> {
    let awaits: HashMap<u64, u64> = tasks.iter().filter_map(awaited).collect();
    let mut done = HashSet::new();
    let mut found = Vec::new();
    for task in tasks {
        let mut path = Vec::new();
        let mut places = HashMap::new();
        let mut at = task.id;
        while done.insert(at) {
            places.insert(at, path.len());
            path.push(at);
            let Some(next) = awaits.get(&at) else { break };
            at = *next;
        }
        let ring = places.get(&at).filter(|_| awaits.contains_key(&at));
        found.extend(ring.map(|start| Verdict::Deadlock(path.split_off(*start))));
    }
    found
}

fn awaited(task: &Task) -> Option<(u64, u64)> {
    let wait = task.wait.as_ref().filter(|wait| wait.remaining.is_none())?;
    let is_alone = task.state == State::Waiting
        && task.doubts.is_empty()
        && wait.reason == "tokio::runtime::task::join::JoinHandle";
    match wait.blockers.as_slice() {
        [Blocker::Task(id)] if is_alone => Some((task.id, *id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Wait, WaitKind};
    use obit_corefile::addr::Avma;

    fn awaiting(id: u64, of: u64) -> Task {
        let mut task = tasks::empty(id, Avma(id), crate::model::TaskKind::TokioTask);
        task.state = State::Waiting;
        task.wait = Some(Wait {
            kind: WaitKind::Join,
            reason: "tokio::runtime::task::join::JoinHandle".to_owned(),
            object: None,
            since: None,
            remaining: None,
            blockers: vec![Blocker::Task(of)],
        });
        task
    }

    #[test]
    fn tasks_in_a_ring_are_a_deadlock_and_those_that_wait_for_it_are_not_of_it() {
        let tasks = [awaiting(1, 2), awaiting(2, 3), awaiting(3, 2), awaiting(4, 5)];
        assert_eq!(join_cycles(&tasks), [Verdict::Deadlock(vec![2, 3])]);
        assert_eq!(join_cycles(&[awaiting(7, 7)]), [Verdict::Deadlock(vec![7])]);
    }

    #[test]
    fn what_may_be_woken_otherwise_is_no_deadlock() {
        let mut timed = awaiting(1, 2);
        timed.wait.as_mut().unwrap().remaining = Some(std::time::Duration::ZERO);
        assert_eq!(join_cycles(&[timed, awaiting(2, 1)]), []);
        let mut doubtful = awaiting(1, 2);
        doubtful.doubts.push("planted");
        assert_eq!(join_cycles(&[doubtful, awaiting(2, 1)]), []);
    }
}
