//! What can be asked.

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::look::Look;

/// Items of a list in one answer, at most.
pub const MOST_ITEMS: u64 = 200;
/// Hits of a search in one answer, at most.
pub const MOST_HITS: u64 = 100;

/// A frame; of what is left open, the one that answers best: the blame frame of the thread that
/// crashed, else the innermost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Id of the thread.
    pub thread: Option<i64>,
    /// Number of the frame.
    pub frame: Option<u64>,
}

/// What is searched for in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchFor {
    /// A text, byte by byte.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number of so many bytes.
    Value(u64, u8),
    /// Words that point into so many bytes from this address on.
    PointerTo(u64, u64),
}

/// A question about the crash that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// What is open.
    Overview,
    /// Why it crashed.
    Why,
    /// The frames of a thread.
    Stack {
        /// Whose; the one to blame if none is given.
        thread: Option<i64>,
        /// Frames that are left out.
        from: u64,
        /// Frames, at most.
        most: u64,
    },
    /// Threads with the same stack, together.
    Threads {
        /// Only those with this text in their name, their id or a function.
        matching: Option<String>,
        /// Groups that are left out.
        from: u64,
        /// Groups, at most.
        most: u64,
    },
    /// Arguments and locals of a frame, or what one of them holds.
    Variables {
        /// Which frame.
        at: Place,
        /// An expression whose members, elements or target are wanted.
        of: Option<String>,
        /// Variables that are left out.
        from: u64,
        /// Variables, at most.
        most: u64,
    },
    /// Expressions, as `obit print` has them.
    Print {
        /// Which frame.
        at: Place,
        /// What to evaluate.
        expressions: Vec<String>,
    },
    /// One expression or command, answered in full.
    Evaluate {
        /// Which frame.
        at: Place,
        /// What `obit print` reads.
        text: String,
    },
    /// Names of the variables of a frame.
    Names {
        /// Which frame.
        at: Place,
    },
    /// Lines of a source file.
    Lines {
        /// Which frame the file or the expression is of.
        at: Place,
        /// An expression for code of the file that is meant; without one, the frame's.
        code: Option<String>,
        /// The line in the middle, unless it is that of the code.
        line: Option<u32>,
        /// Lines before and after it.
        context: u32,
    },
    /// Memory or code from an address on.
    Memory {
        /// Which frame the expression is of.
        at: Place,
        /// `x/NFU ADDRESS`.
        examine: String,
        /// The address alone.
        address: String,
    },
    /// Registers of a thread.
    Registers {
        /// Whose.
        thread: Option<i64>,
    },
    /// What was loaded.
    Modules {
        /// Only those with this text in their path.
        matching: Option<String>,
        /// Modules that are left out.
        from: u64,
        /// Modules, at most.
        most: u64,
    },
    /// The files of the source of the frames.
    Sources,
    /// Lines around the place of a frame.
    Source {
        /// Which frame.
        at: Place,
        /// Lines before and after it.
        context: u32,
    },
    /// Locks, and who waits.
    Locks,
    /// Goroutines, futures and threads of interpreters.
    Tasks {
        /// Only of this runtime: `go`, `tokio`, `cpython`.
        runtime: Option<String>,
        /// Only in this state.
        state: Option<String>,
        /// Only this one, by its number.
        id: Option<u64>,
        /// Tasks of each runtime, at most.
        most: u64,
        /// Frames of each, at most: the innermost.
        frames: u64,
    },
    /// What the heap holds.
    Heap {
        /// Rows of each list, at most.
        most: u64,
    },
    /// What is at an address, and which words point there.
    Pointers {
        /// An expression.
        of: String,
        /// Which frame it is of.
        at: Place,
        /// Words, at most.
        most: u64,
    },
    /// What an address is.
    Address {
        /// An expression.
        of: String,
        /// Which frame it is of.
        at: Place,
    },
    /// Where something is in memory.
    Find {
        /// What.
        what: SearchFor,
        /// Where the search goes on.
        from: u64,
        /// Hits, at most.
        most: u64,
    },
    /// Whether a claim holds.
    Verify(Claim),
    /// The whole report.
    Report,
    /// A list of variables, or the parts of one.
    Look(Look),
    /// Instructions around an address.
    Code {
        /// The address of one.
        address: u64,
        /// Instructions before it, at most.
        before: u64,
        /// Instructions from it on, at most.
        count: u64,
    },
    /// The source file of a frame.
    File {
        /// Which frame.
        at: Place,
        /// Whether its lines are wanted, too.
        whole: bool,
    },
}
