//! A question to many cores: from the cache, or by the workers of a batch.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::answer::CoreAnswer;
use super::cache::{AnswerCache, CoreStamp};
use super::features::CoreFeatures;
use super::room::Room;
use crate::batch::{
    Answer, Code, Done, FileAnswers, FirstLook, FoundFile, Job, Watcher, WorkerPool, first_look,
    left_out, stamp_of,
};
use obit_triage::store::FileStamp;

/// Time between two looks at whether the run is to end.
const PAUSE: Duration = Duration::from_millis(200);

/// How a question is put.
#[derive(Debug)]
pub struct Settings {
    /// How cores are read.
    pub batch: crate::batch::Settings,
    /// Where answers are kept.
    pub cache: Option<AnswerCache>,
}

/// What a question came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// The answers in the order of the input; and the files that they are of.
    pub answers: Vec<CoreAnswer>,
    /// For each answer what its file is known by in a store.
    pub files: Vec<[u8; 32]>,
    /// Answers that were kept from an earlier run.
    pub kept: u64,
    /// Files that are not there.
    pub missing: u64,
    /// Frames that were left out, as all cores together have too many.
    pub not_held: u64,
}

/// Why a run ended early. Answers that are there by then are kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system starts no process.
    #[error("no worker can be started: {0}")]
    Worker(io::Error),
    /// It was to stop.
    #[error(
        "interrupted: {read} of {planned} dumps were read and their answers kept; run the same \
         command again for the rest"
    )]
    Interrupted {
        /// Files that were read.
        read: u64,
        /// Files that were to be read.
        planned: u64,
    },
}

/// What is known of one file of the input.
type Found<A> = Option<(FileStamp, Vec<A>)>;

/// What a worker says of a core, as far as a run looks at it.
pub trait Reply: Answer {
    /// Why the core could not be read: a word and a sentence.
    fn failure(&self) -> Option<(&str, &str)>;
    /// Those that are kept of a file; none if nothing is kept of such.
    fn kept(_cache: &mut AnswerCache, _stamp: &CoreStamp) -> Option<Vec<Self>> {
        None
    }
    /// Keeps those of a file, if they count another time.
    fn keep(_all: &[Self], _cache: &mut AnswerCache, _stamp: &CoreStamp) {}
    /// Leaves out what there is no room for; how many frames.
    fn fit(&mut self, _room: &mut Room) -> u64 {
        0
    }
}

impl Reply for CoreAnswer {
    fn failure(&self) -> Option<(&str, &str)> {
        let reason = self.failure.as_ref()?;
        Some((reason.code.as_str(), reason.text.as_str()))
    }

    fn kept(cache: &mut AnswerCache, stamp: &CoreStamp) -> Option<Vec<Self>> {
        cache.get(stamp)
    }

    fn keep(all: &[Self], cache: &mut AnswerCache, stamp: &CoreStamp) {
        // What may be otherwise another time is asked again then.
        if all.iter().all(|answer| answer.failure.is_none() && !answer.is_partial) {
            cache.put(stamp, all);
        }
    }

    fn fit(&mut self, room: &mut Room) -> u64 {
        room.fit(self)
    }
}

impl Reply for CoreFeatures {
    fn failure(&self) -> Option<(&str, &str)> {
        None
    }
}

/// Asks the cores that `search` finds; their answers, each with what its file is known by in a
/// store.
///
/// # Errors
/// Those of [`run`].
pub fn ask_all<A: Reply>(
    search: impl FnOnce(&mut dyn FnMut(FoundFile)),
    settings: Settings,
    watcher: &mut dyn Watcher,
) -> Result<Vec<([u8; 32], A)>, RunError> {
    Ok(asked(search, settings, watcher)?.0)
}

/// Asks the cores that `search` finds.
///
/// # Errors
/// When no worker can be started, or the run is stopped.
pub fn run(
    search: impl FnOnce(&mut dyn FnMut(FoundFile)),
    settings: Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, RunError> {
    let (answers, mut summary) = asked(search, settings, watcher)?;
    (summary.files, summary.answers) = answers.into_iter().unzip();
    Ok(summary)
}

/// The answers, and the numbers of a summary.
type Asked<A> = (Vec<([u8; 32], A)>, Summary);

fn asked<A: Reply>(
    search: impl FnOnce(&mut dyn FnMut(FoundFile)),
    settings: Settings,
    watcher: &mut dyn Watcher,
) -> Result<Asked<A>, RunError> {
    let Settings { batch, cache } = settings;
    let mut run = Run {
        batch: &batch,
        cache,
        watcher,
        found: Vec::new(),
        summary: Summary::default(),
        passed: BTreeMap::new(),
        room: Room::default(),
        stamps: BTreeMap::new(),
    };
    let mut jobs = Vec::new();
    let mut looked_at = 0;
    search(&mut |file| {
        if !batch.stop.load(Ordering::Relaxed) {
            looked_at += 1;
            run.watcher.looked_at(looked_at);
            run.plan(file, &mut jobs);
        }
    });
    for what in left_out(&run.passed) {
        run.watcher.left_out(&what);
    }
    let planned = jobs.len() as u64;
    run.watcher.planned(planned);
    let read = run.read(jobs);
    if let Some(cache) = run.cache.take()
        && let Err(error) = cache.store()
    {
        // Nothing but time depends on it.
        run.watcher.left_out(&format!("the answers could not be kept: {error}"));
    }
    let read = read?;
    if batch.stop.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted { read, planned });
    }
    let Run { found, summary, .. } = run;
    let files = found.into_iter().flatten();
    let all =
        files.flat_map(|(stamp, answers)| answers.into_iter().map(move |one| (stamp.key, one)));
    Ok((all.collect(), summary))
}

struct Run<'r, A> {
    batch: &'r crate::batch::Settings,
    cache: Option<AnswerCache>,
    watcher: &'r mut dyn Watcher,
    /// By the place in the input.
    found: Vec<Found<A>>,
    summary: Summary,
    passed: BTreeMap<Code, u64>,
    room: Room,
    /// The stamps of the files that are read, by the place in the input.
    stamps: BTreeMap<usize, CoreStamp>,
}

impl<A: Reply> Run<'_, A> {
    fn plan(&mut self, file: FoundFile, jobs: &mut Vec<Job>) {
        match first_look(&file) {
            FirstLook::Core(metadata) => {
                let stamp = stamp_of(&file.path, &metadata);
                let core = CoreStamp::of(&file.path, &stamp, &metadata);
                let kept = match &mut self.cache {
                    Some(cache) if !self.batch.rescan => A::kept(cache, &core),
                    _ => None,
                };
                let at = self.found.len();
                match kept {
                    Some(mut answers) => {
                        self.summary.kept += answers.len() as u64;
                        self.fit(&mut answers);
                        self.found.push(Some((stamp, answers)));
                    }
                    None => {
                        self.stamps.insert(at, core);
                        self.found.push(None);
                        jobs.push(Job { at, path: file.path, stamp, named: file.named });
                    }
                }
            }
            FirstLook::Other(code) => self.pass(&file.path, code),
            FirstLook::Failed(Code::Missing, why) => {
                self.summary.missing += 1;
                self.watcher.missing(&why);
            }
            FirstLook::Failed(code, why) => {
                let stamp = file.path.metadata().map(|metadata| stamp_of(&file.path, &metadata));
                let key = crate::batch::path_key(&file.path);
                let none = FileStamp { key, size: 0, mtime: 0, inode: 0, device: 0 };
                let build = &self.batch.build;
                if let Ok(answer) = A::failed(&file.path, None, build, code, &why) {
                    self.answered(&answer);
                    self.found.push(Some((stamp.unwrap_or(none), vec![answer])));
                }
            }
        }
    }

    fn pass(&mut self, path: &std::path::Path, code: Code) {
        *self.passed.entry(code).or_default() += 1;
        self.watcher.passed(path, code);
    }

    fn fit(&mut self, answers: &mut [A]) {
        let room = &mut self.room;
        let not_held: u64 = answers.iter_mut().map(|answer| answer.fit(room)).sum();
        self.summary.not_held += not_held;
    }

    fn answered(&mut self, answer: &A) {
        self.watcher.answered(answer.failure());
    }

    /// Reads the cores that were not kept; how many were read.
    fn read(&mut self, jobs: Vec<Job>) -> Result<u64, RunError> {
        let Some(size) = NonZeroUsize::new(jobs.len()) else { return Ok(0) };
        let size = size.min(self.batch.jobs);
        let pool: WorkerPool<A> = WorkerPool::new(
            self.batch.worker.clone(),
            size,
            self.batch.timeout,
            self.batch.build.clone(),
            (&self.batch.broker, &self.batch.journal),
        );
        let most = size.get().saturating_mul(2);
        let (mut jobs, mut read) = (jobs.into_iter(), 0);
        loop {
            if self.batch.stop.load(Ordering::Relaxed) {
                return Ok(read);
            }
            while pool.under_way() < most {
                let Some(job) = jobs.next() else { break };
                pool.give(job);
            }
            if pool.under_way() == 0 {
                return Ok(read);
            }
            if let Some(done) = pool.take(PAUSE) {
                // What interrupts a batch from its terminal ends its workers, too.
                if self.batch.stop.load(Ordering::Relaxed) {
                    return Ok(read);
                }
                self.done(done)?;
                read += 1;
            }
        }
    }

    fn done(&mut self, done: Done<A>) -> Result<(), RunError> {
        let Done { job, found } = done;
        let FileAnswers { mut answers, notes, is_partial } = found.map_err(RunError::Worker)?;
        notes.iter().for_each(|note| self.watcher.left_out(note));
        // It only looked like a core.
        if let [only] = &*answers
            && !job.named
            && let Some((word, _)) = only.failure()
            && let Some(code @ (Code::NotACore | Code::Packing)) = Code::of_word(word)
        {
            self.pass(&job.path, code);
            return Ok(());
        }
        answers.iter().for_each(|answer| self.answered(answer));
        if let Some(cache) = self.cache.as_mut().filter(|_| !is_partial)
            && let Some(stamp) = self.stamps.get(&job.at)
        {
            A::keep(&answers, cache, stamp);
        }
        self.fit(&mut answers);
        if let Some(found) = self.found.get_mut(job.at) {
            *found = Some((job.stamp, answers));
        }
        Ok(())
    }
}
