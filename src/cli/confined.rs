//! Work on one core, in a process that is confined.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use obit::debuginfo::SectionCache;
use obit::debuginfo::locate::FileAccess;
use obit::dump::CoreFile;
use obit::process::Observer;
use obit::report::json::{read_nested, write_line};
use obit::report::{Portions, Report, ThreadReport};
use obit::sandbox::{Confined, Ended, Limits, Mode, Owner, Remote, Worker};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::failure::Failure;
use super::hand_over::each_thread;
use super::message::{say, say_line};
use super::progress::Progress;
use super::request::Request;

/// Bytes of threads, as they are written, that come from a worker at most.
const PORTIONS: u64 = 1 << 30;

/// Bytes of memory of its own that work on one core may take. What is more is a bug or an attack.
const MEMORY: u64 = 4 << 30;

/// What an analysis reaches of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    /// Who opens files.
    pub(crate) access: Arc<dyn FileAccess>,
    /// Where unpacked sections are kept.
    pub(crate) cache: Option<SectionCache>,
    /// Who hears what is known before the end.
    pub(crate) listener: Option<Arc<Remote>>,
}

/// Why there is no result.
pub(crate) struct Lost {
    /// In a sentence.
    pub(crate) why: String,
    /// What was known by then.
    pub(crate) known: Option<Report>,
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        Self::new(Exit::Bug, &lost.why)
    }
}

/// A result on its way.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome<T> {
    Done(T),
    Failed(u8, Option<String>),
}

/// Work on a core that is open, with what of the machine it may reach, watched by an observer.
type Work<'w, T> = dyn Fn(CoreFile, Option<&Outside>, &dyn Observer) -> Result<T, Failure> + 'w;

/// Runs `work` on `core` in a process of its own, unless the user wants none. It has the
/// descriptors of the core and those of `kept`. The outer error is that of the work.
pub(crate) fn run<T: Serialize + DeserializeOwned>(
    request: &Request,
    core: &CoreFile,
    kept: &[BorrowedFd<'_>],
    quiet: bool,
    work: &Work<'_, T>,
) -> Result<Result<T, Lost>, Failure> {
    run_in_portions(request, core, kept, quiet, None, work)
}

/// The same of work that hands threads of a report over as it goes ([`super::hand_over`]), and
/// `portions` that they go to.
pub(crate) fn run_in_portions<T: Serialize + DeserializeOwned>(
    request: &Request,
    core: &CoreFile,
    kept: &[BorrowedFd<'_>],
    quiet: bool,
    portions: Option<&RefCell<Portions>>,
    work: &Work<'_, T>,
) -> Result<Result<T, Lost>, Failure> {
    if request.sandbox() == Mode::Off {
        let core = core.try_clone().map_err(unusable)?;
        return work(core, None, &Progress::new(quiet)).map(Ok);
    }
    match attempt(request, core, kept, (quiet, false), portions, work)? {
        Err((Ended::FileCut, _)) if !core.is_stream => {}
        outcome => return Ok(outcome.map_err(|(_, lost)| lost)),
    }
    let outcome = attempt(request, core, kept, (quiet, true), portions, work)?;
    Ok(outcome.map_err(|(_, lost)| lost))
}

/// One process; if it `copies`, files are read into memory instead of mapped.
fn attempt<T: Serialize + DeserializeOwned>(
    request: &Request,
    core: &CoreFile,
    kept: &[BorrowedFd<'_>],
    (quiet, copies): (bool, bool),
    portions: Option<&RefCell<Portions>>,
    work: &Work<'_, T>,
) -> Result<Result<T, (Ended, Lost)>, Failure> {
    let copied = core.try_clone().map_err(unusable)?;
    let kept: Vec<_> = core_files(&copied).chain(kept.iter().copied()).collect();
    let mode = request.sandbox();
    let limits = Limits { memory: Some(MEMORY) };
    let worker = Worker::start(&limits, &kept, |channel, confined| {
        let remote = Arc::new(Remote::new(channel).copying(copies));
        let cache = request.has_cache().then(|| SectionCache::of(remote.clone()));
        let outside =
            Outside { access: remote.clone(), cache, listener: Some(Arc::clone(&remote)) };
        let done = check(mode, confined).and_then(|()| {
            let core = copied.try_clone().map_err(|error| Failure::new(Exit::Bug, &error))?;
            work(core, Some(&outside), &*remote)
        });
        let outcome = match done {
            Ok(done) => Outcome::Done(done),
            Err(Failure { exit, message }) => Outcome::Failed(exit.code(), message),
        };
        let mut bytes = Vec::new();
        write_line(&outcome, &mut bytes)?;
        remote.done(&[&bytes])
    });
    let worker = match worker {
        Ok(worker) => worker,
        Err(error) if mode == Mode::On && !core.is_stream => {
            say(&format!("no process for the analysis: {error}; it runs without a sandbox"));
            return work(core.try_clone().map_err(unusable)?, None, &Progress::new(quiet)).map(Ok);
        }
        Err(error) => {
            let problem = format!("no process for the analysis: {error}");
            return Err(Failure::new(Exit::Unusable, &problem));
        }
    };
    let attended = {
        let progress = Progress::new(quiet);
        let files = (Owner::of_core(core), &*core.companions);
        let broker = request.broker();
        match portions {
            None => broker.attend(worker.channel(), files, None, &progress),
            Some(portions) => {
                let portions = &mut *portions.borrow_mut();
                portions.clear();
                let mut received = 0_u64;
                let mut take = |message: &[u8]| {
                    received = received.saturating_add(message.len() as u64);
                    if received > PORTIONS { Err(too_many()) } else { add(portions, message) }
                };
                broker.attend_portions(worker.channel(), files, None, &progress, &mut take)
            }
        }
    };
    let (ended, words) = worker.wait_with_words();
    let outcome = attended.result.and_then(|bytes| read_nested::<Outcome<T>>(&bytes));
    forward(&words);
    match outcome {
        Ok(Outcome::Done(done)) => Ok(Ok(done)),
        Ok(Outcome::Failed(code, message)) => {
            Err(Failure { exit: Exit::of_code(code).unwrap_or(Exit::Bug), message })
        }
        Err(error) => {
            let known = attended.known.and_then(|known| read_nested(&known).ok());
            let why = why_lost(&ended, &error);
            Ok(Err((ended, Lost { why, known })))
        }
    }
}

/// Adds the threads that a worker sent. What it sends may be made up: it is read, and written
/// again by this process.
fn add(portions: &mut Portions, message: &[u8]) -> io::Result<()> {
    each_thread(message, |thread| {
        portions.push(&read_nested::<ThreadReport>(thread)?)?;
        match portions.bytes() {
            0..=PORTIONS => Ok(()),
            _ => Err(too_many()),
        }
    })
}

fn too_many() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "there are too many threads")
}

fn unusable(error: io::Error) -> Failure {
    Failure::new(Exit::Unusable, &error)
}

/// The descriptors of a core.
pub(crate) fn core_files(core: &CoreFile) -> impl Iterator<Item = BorrowedFd<'_>> {
    [Some(&core.file), core.disk.as_ref()].into_iter().flatten().map(AsFd::as_fd)
}

/// Refuses to go on without the whole sandbox, if the user wants it.
pub(crate) fn check(mode: Mode, confined: &Confined) -> Result<(), Failure> {
    match confined.missing.first().filter(|_| mode == Mode::Require) {
        None => Ok(()),
        Some((layer, why)) => {
            let name = layer.name();
            Err(Failure::usage(&format!("--sandbox=require: no {name}: {why}; see `obit doctor`")))
        }
    }
}

/// What the worker wrote to its standard error, line by line: the words are ours, but may not be
/// if it was taken over.
fn forward(words: &str) {
    words.lines().filter(|line| !line.starts_with("note: ")).for_each(|line| say_line("", line));
}

fn why_lost(ended: &Ended, error: &io::Error) -> String {
    let how = match ended {
        Ended::InGoodOrder | Ended::NotAnswered | Ended::Unknown => {
            format!("sent no result: {error}")
        }
        ended => ended.to_string(),
    };
    format!("the process that reads the core {how}")
}
