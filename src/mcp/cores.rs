//! The cores that are open.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::call::Refused;
use super::roots::Roots;
use super::server::{Outside, Running};
use crate::session::{Answer, Overview, Question, Session, Stopper};

/// Cores that are open at the same time. One more closes the one that was used least recently.
const MOST: usize = 8;

/// A core that is open.
struct Core {
    path: PathBuf,
    program: Option<PathBuf>,
    session: Arc<Mutex<Session>>,
    stopper: Stopper,
    overview: Overview,
    /// When it was used last, in calls.
    used: u64,
}

/// All of them, by the number in their handles.
#[derive(Default)]
struct Table {
    open: BTreeMap<u64, Core>,
    last_number: u64,
    clock: u64,
}

#[derive(Default)]
pub(super) struct Cores {
    table: Mutex<Table>,
    has_changed: AtomicBool,
}

impl Cores {
    /// Opens the core at `path`; one that is open already is not opened again.
    pub(super) fn open(
        &self,
        (path, program): (&str, Option<&str>),
        (roots, outside): (&Roots, &dyn Outside),
        running: &Running,
    ) -> Result<Overview, Refused> {
        let refused =
            |why: String| Refused::new(why, "open with a path below an allowed directory");
        let program = program.map(|program| roots.resolve(program)).transpose().map_err(refused)?;
        let (path, file) = roots.open(path).map_err(refused)?;
        if let Some(known) = self.known(&path, program.as_ref()) {
            return Ok(known);
        }
        let setup = outside.setup(&path, program.as_deref()).map_err(refused)?;
        let shown = path.display().to_string();
        let name = shown.rsplit('/').next().unwrap_or_default().to_owned();
        let opened = Session::open(path.clone(), file, setup, &mut |stopper| {
            running.hold(stopper);
        });
        running.release();
        let (session, answer) = opened.map_err(|problem| {
            Refused::new(format!("{name}: {}", problem.text.as_str()), "open with another file")
        })?;
        let Answer::Overview(mut overview) = answer else {
            return Err(Refused::new("no overview".to_owned(), "open"));
        };
        let mut table = self.lock();
        table.last_number += 1;
        table.clock += 1;
        let (number, used) = (table.last_number, table.clock);
        overview.core = format!("c{number}");
        for next in &mut overview.next {
            next.arguments.insert("core".to_owned(), overview.core.clone());
        }
        let core = Core {
            path,
            program,
            stopper: session.stopper(),
            session: Arc::new(Mutex::new(session)),
            overview: overview.clone(),
            used,
        };
        if table.open.len() >= MOST {
            let oldest = table.open.iter().min_by_key(|(_, core)| core.used);
            if let Some(oldest) = oldest.map(|(number, _)| *number) {
                table.open.remove(&oldest);
            }
        }
        table.open.insert(number, core);
        self.has_changed.store(true, Ordering::Release);
        Ok(overview)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The core at `path`, if it is open and still the same file.
    fn known(&self, path: &PathBuf, program: Option<&PathBuf>) -> Option<Overview> {
        let table = self.lock();
        let mut open = table.open.values();
        let core = open.find(|core| core.path == *path && core.program.as_ref() == program)?;
        let is_same = core.session.try_lock().map_or(true, |session| session.is_current());
        is_same.then(|| core.overview.clone())
    }

    /// Asks the core that `handle` names, or the one that was opened last.
    pub(super) fn ask(
        &self,
        handle: Option<&str>,
        question: &Question,
        (roots, outside): (&Roots, &dyn Outside),
        running: &Running,
    ) -> Result<(String, Answer, Option<&'static str>), Refused> {
        let handle = match handle {
            // A path opens a core.
            Some(path) if number_of(path).is_none() => {
                Some(self.open((path, None), (roots, outside), running)?.core)
            }
            handle => handle.map(str::to_owned),
        };
        let (number, session, stopper) = {
            let mut table = self.lock();
            table.clock += 1;
            let now = table.clock;
            let number = match &handle {
                Some(handle) => number_of(handle).unwrap_or(0),
                None => table.open.iter().max_by_key(|(_, core)| core.used).map_or(0, |(n, _)| *n),
            };
            let was_open = number > 0 && number <= table.last_number;
            let Some(core) = table.open.get_mut(&number) else {
                let why = match (&handle, was_open) {
                    (None, _) => "no core is open".to_owned(),
                    (Some(handle), true) => {
                        format!("{handle} was closed, as {MOST} others were opened since")
                    }
                    (Some(handle), false) => format!("no core has the handle {handle:.20}"),
                };
                return Err(Refused::new(why, "open with the path of the core"));
            };
            core.used = now;
            (number, Arc::clone(&core.session), core.stopper.clone())
        };
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        if !running.hold(&stopper) {
            return Err(Refused::new("cancelled".to_owned(), "the same again"));
        }
        let answer = session.ask(question);
        running.release();
        let news = session.news();
        let answer = answer.map_err(|problem| {
            let instead = problem.instead.unwrap_or_else(|| "why".to_owned());
            Refused::new(problem.text.into_string(), &instead)
        })?;
        Ok((format!("c{number}"), answer, news))
    }

    /// What is open, the oldest first.
    pub(super) fn list(&self) -> Vec<Overview> {
        self.lock().open.values().map(|core| core.overview.clone()).collect()
    }

    /// Whether the list is another one than at the last call.
    pub(super) fn has_changed(&self) -> bool {
        self.has_changed.swap(false, Ordering::AcqRel)
    }
}

/// The number in a handle: `c1`.
fn number_of(handle: &str) -> Option<u64> {
    handle.strip_prefix('c')?.parse().ok()
}
