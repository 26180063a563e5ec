//! What all runtimes have in common: tasks, what they wait for, and their frames.

use std::time::Duration;

use obit_corefile::addr::Avma;
use obit_process::process::ParkedStack;

/// A runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Go's scheduler.
    Go,
    /// Tokio.
    Tokio,
    /// CPython.
    CPython,
}

/// A runtime in the process.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// Which.
    pub kind: Kind,
    /// Its version as it says it itself, `go1.19.8`.
    pub version: Option<String>,
    /// Its tasks in the order of their numbers.
    pub tasks: Vec<Task>,
    /// Tasks that were seen and for which there was no room.
    pub omitted: u64,
    /// What follows of all of them.
    pub verdicts: Vec<Verdict>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// What a task is called in its runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskKind {
    /// A goroutine.
    Goroutine,
    /// A task of tokio.
    TokioTask,
    /// A future that a task of tokio polls besides others: of `JoinSet`, `select!`.
    Future,
    /// A thread that runs Python code.
    PythonThread,
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// A thread runs it.
    Running,
    /// It could go on and has no thread.
    Runnable,
    /// A thread runs a system call or foreign code for it.
    InSystemCall,
    /// It waits.
    Waiting,
    /// It has ended and is not freed.
    Ended,
    /// What the runtime notes is none of these.
    Unknown,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its number in its runtime; its address where it has none.
    pub id: u64,
    /// Of the structure that stands for it.
    pub address: Avma,
    /// What it is.
    pub kind: TaskKind,
    /// What the program called it.
    pub name: Option<String>,
    /// What it does.
    pub state: State,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Who made it.
    pub created: Option<Created>,
    /// Of the thread that runs it: its index in [`obit_process::process::Process::threads`].
    pub thread: Option<usize>,
    /// It brought the process down.
    pub crashed: bool,
    /// It belongs to the runtime itself, such as a garbage collector's worker.
    pub is_of_runtime: bool,
    /// Innermost first; of a chain of awaits the leaf first.
    pub frames: Vec<TaskFrame>,
    /// Frames beyond these.
    pub frames_omitted: u64,
    /// The physical stack that the frames were made from, where a task has one of its own and
    /// does not run. [`TaskFrame::physical`] refers to its frames.
    pub stack: Option<ParkedStack>,
    /// What may be wrong with it, in words of ours.
    pub doubts: Vec<&'static str>,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskFrameKind {
    /// Of machine code.
    Native,
    /// Of machine code, inlined into the next.
    Inline,
    /// An asynchronous function that awaits the one before it.
    Await,
    /// Of an interpreter.
    Interpreted,
}

/// One frame of a task.
#[derive(Clone, Debug)]
pub struct TaskFrame {
    /// What it is.
    pub kind: TaskFrameKind,
    /// Name for people.
    pub function: Option<String>,
    /// Where it goes on, of machine code.
    pub pc: Option<Avma>,
    /// The line.
    pub place: Option<Place>,
    /// Index in the frames of the task's [`ParkedStack`], or of its thread where one runs it.
    pub physical: Option<usize>,
    /// Variables of an interpreter's frame.
    pub locals: Vec<Local>,
}

/// A variable of an interpreter's frame.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name.
    pub name: String,
    /// It was passed.
    pub is_argument: bool,
    /// Its value as the language writes it, shortened.
    pub value: String,
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// As the debug information or the runtime has it.
    pub file: String,
    /// From 1.
    pub line: Option<u64>,
}

/// Who made a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Created {
    /// The function that made it.
    pub function: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// The task that ran it.
    pub by: Option<u64>,
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it is.
    pub kind: WaitKind,
    /// As the runtime names it: `chan receive`, `sync.Mutex.Lock`.
    pub reason: String,
    /// The structure that it waits at.
    pub object: Option<Avma>,
    /// How long, at the time of the dump.
    pub since: Option<Duration>,
    /// Until a timer ends.
    pub remaining: Option<Duration>,
    /// Who could end it.
    pub blockers: Vec<Blocker>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitKind {
    /// A value from a channel.
    Receive,
    /// Room in a channel, or a receiver.
    Send,
    /// The first of several.
    Select,
    /// A lock, or a semaphore.
    Lock,
    /// Others to end: a group, a handle.
    Join,
    /// A condition or a notification.
    Notification,
    /// Time to pass.
    Timer,
    /// A socket or a file.
    Io,
    /// Nothing in particular, or what is not known.
    Other,
}

/// A task or a thread that could end a wait, as its structures prove: it holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// A task, by its number.
    Task(u64),
    /// A thread, by its index in the process.
    Thread(usize),
}

/// What follows of all tasks of a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These wait for each other, each for the next and the last for the first.
    Deadlock(Vec<u64>),
    /// These wait at an object that nothing else which is reachable refers to: they never go on.
    NeverWoken(Vec<u64>),
    /// All tasks of the program wait, and no timer and no input can wake one.
    AllAsleep,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// The layout of this version is not known, or the debug information that has it is missing.
    Layout {
        /// What of the runtime, in words of ours.
        of: &'static str,
        /// The version that the runtime says it is.
        version: Option<String>,
    },
    /// The list of tasks contradicts itself or ends in memory that is not in the core.
    List {
        /// Tasks that were read before.
        after: u64,
    },
    /// Stacks that could not be read, with how many they are.
    Stacks(u64),
    /// Something else, in words of ours.
    Other(&'static str),
}
