//! Tasks that are no threads of the kernel: `obit tasks`.

use serde::{Deserialize, Serialize};

use super::{is_false, is_zero};
use crate::Hex;
use obit_redact::Shown;

/// The runtimes of a process and their tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TasksReport {
    /// `obit.tasks/1`.
    pub schema: String,
    /// The crash's name.
    pub id: String,
    /// How much is hidden: `default`, `strict` or `off`.
    pub policy: String,
    /// The runtimes that were found.
    pub runtimes: Vec<RuntimeReport>,
}

/// A runtime in the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RuntimeReport {
    /// `go`, `tokio` or `cpython`.
    pub kind: String,
    /// Its version, where it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Shown>,
    /// Tasks that it has, also those that were not asked for.
    pub total: u64,
    /// The tasks, by their numbers.
    pub tasks: Vec<TaskReport>,
    /// The stacks of these, each once.
    pub stacks: Vec<TaskStack>,
    /// Tasks that were asked for and are not in `tasks`.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// What follows of all tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<VerdictReport>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Shown>,
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskReport {
    /// Its number in its runtime; its address where it has none.
    pub id: u64,
    /// `goroutine`, `tokio-task`, `future` or `python-thread`.
    pub kind: String,
    /// Of the structure that stands for it.
    pub address: Hex,
    /// What the program called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Shown>,
    /// `running`, `runnable`, `in-system-call`, `waiting`, `ended` or `unknown`.
    pub state: String,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<TaskWait>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<TaskCreated>,
    /// The kernel's id of the thread that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<i64>,
    /// It brought the process down.
    #[serde(skip_serializing_if = "is_false")]
    pub crashed: bool,
    /// It belongs to the runtime itself.
    #[serde(skip_serializing_if = "is_false")]
    pub is_of_runtime: bool,
    /// Its stack: an index in `stacks`.
    pub stack: u64,
    /// What may be wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// What a task waits for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskWait {
    /// `receive`, `send`, `select`, `lock`, `join`, `notification`, `timer`, `io` or `other`.
    pub kind: String,
    /// As the runtime names it.
    pub reason: Shown,
    /// The structure that it waits at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Hex>,
    /// How long it had waited, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Until its timer ends, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<u64>,
    /// Tasks that could end it, such as the one that holds the lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by_tasks: Vec<u64>,
    /// Threads that could, by the kernel's ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by_threads: Vec<i64>,
}

/// Who made a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskCreated {
    /// The function that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Shown>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Shown>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The task that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
}

/// A stack of one task or more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskStack {
    /// Innermost first; of a chain of awaits the leaf first.
    pub frames: Vec<TaskFrameReport>,
    /// Frames beyond these.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

/// A frame of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskFrameReport {
    /// `native`, `inline`, `await` or `interpreted`.
    pub kind: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Shown>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Shown>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Where it goes on, of machine code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pc: Option<Hex>,
    /// Variables of an interpreter's frame.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locals: Vec<TaskLocal>,
}

/// A variable of an interpreter's frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskLocal {
    /// Its name.
    pub name: Shown,
    /// It was passed.
    #[serde(skip_serializing_if = "is_false")]
    pub is_argument: bool,
    /// Its value as the language writes it, shortened.
    pub value: Shown,
}

/// What follows of all tasks of a runtime.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct VerdictReport {
    /// `deadlock`, `never-woken` or `all-asleep`.
    pub kind: String,
    /// The tasks that it is about.
    pub tasks: Vec<u64>,
    /// In a sentence.
    pub text: Shown,
}
