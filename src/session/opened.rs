//! The crash that is open: a process, its report, and where questions are answered.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;

use crate::report::heap_read::Read;
use crate::report::{
    BuildOptions, Context, Judge, Report, TasksWanted, WhichRegisters, WhoseLocals, build_with,
};
use obit_corefile::addr::Avma;
use obit_heap::Doubt;
use obit_process::process::{Process, Thread};
use obit_redact::{Origin, Redactor, Shown};
use obit_session::{
    Answer, FrameHandle, MOST_HITS, MOST_ITEMS, Place, Problem, Question, of_report,
};

/// A process that is open.
#[derive(Debug)]
pub struct Opened {
    pub(super) process: Process,
    pub(super) build: BuildOptions,
    report: OnceCell<Report>,
    /// The heap, or what is missing to read it.
    heap: OnceCell<Result<Read, Vec<Doubt>>>,
    /// What was hidden once is hidden in all answers: it knows what the report hides, and each
    /// answer. `None` while it is in use.
    redactor: RefCell<Option<Redactor>>,
    /// Threads whose keys it knows.
    learned: RefCell<BTreeSet<usize>>,
}

/// A frame by its places: those of the thread and of the frame in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) thread: usize,
    pub(super) frame: usize,
    pub(super) handle: FrameHandle,
}

impl Opened {
    /// `process`, of which as much is shown as `build` says.
    pub fn new(process: Process, build: BuildOptions) -> Self {
        let build =
            BuildOptions { registers: WhichRegisters::All, context: Context::default(), ..build };
        Self {
            process,
            build,
            report: OnceCell::new(),
            heap: OnceCell::new(),
            redactor: RefCell::default(),
            learned: RefCell::default(),
        }
    }

    /// The report, which is made once.
    pub fn report(&self) -> &Report {
        self.report.get_or_init(|| {
            let redactor = self.build.redactor(&self.process);
            let (report, redactor) = build_with(&self.process, self.build.clone(), redactor);
            *self.redactor.borrow_mut() = Some(redactor);
            // Whose variables it has, it knows the keys of.
            let mut threads = self.process.threads.iter();
            let crashed = threads.position(|thread| thread.crashed);
            let has_variables = self.build.locals != WhoseLocals::None;
            self.learned.borrow_mut().extend(crashed.filter(|_| has_variables));
            report
        })
    }

    /// The heap, which is read once; else what is missing to read it.
    pub(super) fn heap_read(&self) -> &Result<Read, Vec<Doubt>> {
        self.heap.get_or_init(|| Read::or_missing(&self.process))
    }

    /// What `say` makes of what may leave.
    pub(super) fn judged<T>(&self, threads: &[usize], say: impl FnOnce(&mut Judge<'_>) -> T) -> T {
        self.report();
        let redactor = self.redactor.borrow_mut().take();
        let redactor = redactor.unwrap_or_else(|| self.build.redactor(&self.process));
        let mut judge = Judge::with(&self.process, redactor);
        for thread in threads {
            if self.learned.borrow_mut().insert(*thread) {
                judge.learn(*thread);
            }
        }
        let said = say(&mut judge);
        *self.redactor.borrow_mut() = Some(judge.into_redactor());
        said
    }

    /// Answers a question.
    ///
    /// # Errors
    /// It has no answer: why, and what to ask instead.
    pub fn answer(&self, question: &Question) -> Result<Answer, Problem> {
        let report = || self.report();
        let items = |most: u64| most.clamp(1, MOST_ITEMS);
        Ok(match question {
            Question::Overview => Answer::Overview(of_report::overview(report())),
            Question::Why => Answer::Why(of_report::why(report())),
            Question::Stack { thread, from, most } => {
                let found = of_report::stack(report(), *thread, *from, items(*most));
                Answer::Stack(found.ok_or_else(|| self.no_thread(*thread))?)
            }
            Question::Threads { matching, from, most } => {
                let matching = matching.as_deref();
                Answer::Stack(of_report::groups(report(), matching, *from, items(*most)))
            }
            Question::Registers { thread } => {
                let found = of_report::registers(report(), *thread);
                Answer::Registers(found.ok_or_else(|| self.no_thread(*thread))?)
            }
            Question::Modules { matching, from, most } => {
                let matching = matching.as_deref();
                Answer::Modules(of_report::modules(report(), matching, *from, items(*most)))
            }
            Question::Sources => Answer::Sources(of_report::sources(report())),
            Question::Source { at, context } => {
                Answer::Source(self.lines(*at, None, None, *context)?)
            }
            Question::Locks => Answer::Locks(self.locks()),
            Question::Tasks { runtime, state, id, most, frames } => {
                let wanted = TasksWanted {
                    runtimes: runtime.iter().cloned().collect(),
                    states: state.iter().cloned().collect(),
                    ids: id.iter().copied().collect(),
                    of_runtime: false,
                    most: usize::try_from(items(*most)).unwrap_or(usize::MAX),
                    frames: usize::try_from(items(*frames)).unwrap_or(usize::MAX),
                };
                Answer::Tasks(Box::new(self.tasks(&wanted)))
            }
            Question::Heap { most } => Answer::Heap(Box::new(self.heap(items(*most)))),
            Question::Pointers { of, at, most } => {
                Answer::Pointers(Box::new(self.pointers(*at, of, items(*most))?))
            }
            Question::Report => Answer::Report(Box::new(report().clone())),
            Question::Variables { at, of, from, most } => {
                let part = (*from, items(*most));
                Answer::Variables(self.variables(*at, of.as_deref(), part)?)
            }
            Question::Print { at, expressions } => Answer::Print(self.print(*at, expressions)?),
            Question::Evaluate { at, text } => Answer::Evaluated(self.evaluated(*at, text)?),
            Question::Names { at } => Answer::Names(self.names(*at)?),
            Question::Lines { at, code, line, context } => {
                Answer::Source(self.lines(*at, code.as_deref(), *line, *context)?)
            }
            Question::Memory { at, examine, address } => {
                Answer::Memory(self.memory(*at, examine, address)?)
            }
            Question::Address { of, at } => Answer::Address(self.address(*at, of)?),
            Question::Find { what, from, most } => {
                Answer::Find(self.find(what, *from, (*most).clamp(1, MOST_HITS))?)
            }
            Question::Verify(claim) => Answer::Verify(self.verify(claim)),
            Question::Look(look) => Answer::Look(self.look(look)?),
            Question::Code { address, before, count } => {
                Answer::Code(self.code(Avma(*address), *before, *count))
            }
            Question::File { at, whole } => Answer::File(self.file(*at, *whole)?),
        })
    }

    /// Words of obit, or of who asks, that may quote the process.
    pub(super) fn shown(&self, text: &str) -> Shown {
        self.judged(&[], |judge| judge.redactor().show(Origin::OwnWords, text))
    }

    /// Why there is no answer.
    pub(super) fn problem(&self, text: &str, instead: &str) -> Problem {
        Problem { text: self.shown(text), instead: Some(instead.to_owned()) }
    }

    pub(super) fn no_thread(&self, wanted: Option<i64>) -> Problem {
        const MOST: usize = 8;
        let threads = &self.process.threads;
        let known: Vec<_> = threads.iter().take(MOST).map(|one| one.tid.to_string()).collect();
        let more = if threads.len() > MOST { ", \u{2026}" } else { "" };
        let known = known.join(", ");
        let text = match wanted {
            Some(tid) => format!("no thread {tid} in this core; it has {known}{more}"),
            None => "no crashed thread in this core; name a thread".to_owned(),
        };
        self.problem(&text, "stack with groups=true lists all threads")
    }

    /// The frame that is meant: the blame frame where nothing is said.
    pub(super) fn place(&self, at: Place) -> Result<At, Problem> {
        let cause = self.report().cause.as_ref();
        let blame = cause.and_then(|cause| cause.blame.as_ref());
        let crashed = || self.process.crashed().map(|thread| thread.tid);
        let tid = at.thread.or_else(|| blame.filter(|_| at.frame.is_none())?.thread);
        let tid = tid.or_else(crashed).ok_or_else(|| self.no_thread(at.thread))?;
        let threads = &self.process.threads;
        let thread = threads.iter().position(|thread| thread.tid == tid);
        let thread = thread.ok_or_else(|| self.no_thread(Some(tid)))?;
        let of_blame = || {
            let blame = blame?;
            let blamed = blame.thread.or_else(crashed);
            blame.frame.filter(|_| blamed == Some(tid))
        };
        let number = at.frame.or_else(of_blame).unwrap_or(0);
        let found = threads.get(thread).and_then(|thread| {
            let wanted = usize::try_from(number).ok()?;
            let mut numbers = 0..thread.frames.len();
            numbers.find(|place| thread.number_of(*place) == wanted)
        });
        let frame = found.ok_or_else(|| {
            let last = threads.get(thread).map_or(0, last_number);
            let text =
                format!("no frame {number} in thread {tid}, or it is left out; the last is {last}");
            self.problem(&text, "stack lists the frames")
        })?;
        Ok(At { thread, frame, handle: FrameHandle { thread: tid, frame: number } })
    }
}

fn last_number(thread: &Thread) -> usize {
    thread.number_of(thread.frames.len().saturating_sub(1))
}
