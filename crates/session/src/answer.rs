//! What is answered.

use std::collections::BTreeMap;

use obit_redact::Shown;
use obit_report::answer::{MemoryDump, TasksReport};
use obit_report::heap::{HeapReport, PlaceReport};
use obit_report::{Hex, LockReport, Report};
use serde::{Deserialize, Serialize};

use crate::claim::Verdict;
use crate::evaluated::{Evaluated, NamesAnswer};
use crate::look::{CodeAnswer, FileAnswer, LookAnswer};

/// Derives what every document has.
macro_rules! document {
    ($(#[$of:meta])* $name:ident { $($(#[$field:meta])* $field_name:ident: $type:ty,)* }) => {
        $(#[$of])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default)]
        pub struct $name { $($(#[$field])* pub $field_name: $type,)* }
    };
}
pub(crate) use document;

document! {
    /// A question worth asking next.
    Next {
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: BTreeMap<String, String>,
        /// What it shows.
        why: Shown,
    }
}

document! {
    /// What is open.
    Overview {
        /// `obit.session/1`.
        schema: String,
        /// The handle of this core in other questions.
        core: String,
        /// The crash's id.
        id: String,
        /// The program.
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<Shown>,
        /// The signal.
        #[serde(skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        /// The class of the cause.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// The cause in a line.
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<Shown>,
        /// The machine.
        arch: String,
        /// Threads.
        threads: u64,
        /// Id of the thread that crashed.
        #[serde(skip_serializing_if = "Option::is_none")]
        crashed_thread: Option<i64>,
        /// Loaded modules.
        modules: u64,
        /// What is missing.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missing: Vec<Shown>,
        /// How much is hidden: `default`, `strict` or `off`.
        redaction: String,
        /// What to ask next.
        next: Vec<Next>,
    }
}

document! {
    /// Why the process crashed.
    Why {
        /// The crash's id.
        id: String,
        /// A class of the catalogue; none where no cause was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// The cause in a line.
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<Shown>,
        /// How it came about.
        #[serde(skip_serializing_if = "Option::is_none")]
        explanation: Option<Shown>,
        /// `proved`, `likely` or `guess`: of the whole answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<String>,
        /// Of the class alone, where that is another.
        #[serde(skip_serializing_if = "Option::is_none")]
        class_confidence: Option<String>,
        /// What the program itself said.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Shown>,
        /// Where to look.
        #[serde(skip_serializing_if = "Option::is_none")]
        blame: Option<BlameAnswer>,
        /// What it rests on.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<EvidenceAnswer>,
        /// What else is wrong.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Shown>,
        /// What is missing that might change the answer.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missing: Vec<Shown>,
        /// What to ask next.
        next: Vec<Next>,
    }
}

document! {
    /// The frame to blame.
    BlameAnswer {
        /// Its handle.
        frame: String,
        /// The function.
        #[serde(skip_serializing_if = "Option::is_none")]
        function: Option<Shown>,
        /// The file.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<Shown>,
        /// The line.
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// The text of that line.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Shown>,
        /// The line at which the bad value was made, where that is another.
        #[serde(skip_serializing_if = "Option::is_none")]
        made_at_line: Option<u64>,
        /// The expression that was wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        expression: Option<Shown>,
        /// Why this frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Shown>,
        /// `proved`, `likely` or `guess`.
        confidence: String,
    }
}

document! {
    /// One fact.
    EvidenceAnswer {
        /// What was seen.
        text: Shown,
        /// The frame it was seen in.
        #[serde(skip_serializing_if = "Option::is_none")]
        frame: Option<String>,
        /// The address it was seen at.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Hex>,
    }
}

document! {
    /// One frame.
    Frame {
        /// Its handle.
        frame: String,
        /// The function.
        #[serde(skip_serializing_if = "Option::is_none")]
        function: Option<Shown>,
        /// The file.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<Shown>,
        /// The line.
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// The module, where there is no file.
        #[serde(skip_serializing_if = "Option::is_none")]
        module: Option<Shown>,
        /// `inline`, `signal` or `tailcall`; absent for the usual.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// How it was found, where that is not certain.
        #[serde(skip_serializing_if = "Option::is_none")]
        doubt: Option<String>,
        /// It is the frame to blame.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        blame: bool,
    }
}

document! {
    /// Frames of a thread, or threads with the same stack.
    StackAnswer {
        /// Id of the thread whose frames these are.
        #[serde(skip_serializing_if = "Option::is_none")]
        thread: Option<i64>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Shown>,
        /// It is the one that crashed.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        crashed: bool,
        /// Its frames, the innermost first.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        frames: Vec<Frame>,
        /// Threads with the same functions on their stacks.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        groups: Vec<ThreadGroup>,
        /// How many frames or groups there are in all.
        total: u64,
        /// What of a deep stack is left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        omitted: Option<Shown>,
        /// Where the next ones begin.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
}

document! {
    /// Threads with the same stack.
    ThreadGroup {
        /// How many.
        count: u64,
        /// Ids of the first of them.
        threads: Vec<i64>,
        /// Name of the first of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Shown>,
        /// The thread that crashed is among them.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        crashed: bool,
        /// The innermost functions.
        stack: Vec<Shown>,
    }
}

document! {
    /// One variable.
    VariableAnswer {
        /// Its name.
        name: Shown,
        /// Its type.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        type_name: Option<Shown>,
        /// Its value in words, or why there is none.
        value: Shown,
        /// `optimized_out`, `unavailable` or `implicit_pointer`, where it has no value.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// Where it is in memory.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Hex>,
        /// The expression that shows its parts.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    }
}

document! {
    /// Variables.
    VariablesAnswer {
        /// The frame.
        frame: String,
        /// What they are parts of.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<Shown>,
        /// The variables.
        variables: Vec<VariableAnswer>,
        /// How many there are in all.
        total: u64,
        /// Where the next ones begin.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
}

document! {
    /// One printed answer.
    Printed {
        /// What was asked.
        expression: Shown,
        /// The type.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        type_name: Option<Shown>,
        /// The value in words, or why there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Shown>,
        /// `optimized_out`, `unavailable` or `implicit_pointer`, where there is no value.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// Where it is in memory.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Hex>,
        /// Memory, for `x/…`.
        #[serde(skip_serializing_if = "Option::is_none")]
        memory: Option<MemoryDump>,
        /// A definition, for `ptype` and `whatis`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        declaration: Vec<Shown>,
        /// Why the expression has no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Shown>,
    }
}

document! {
    /// Values of expressions.
    PrintAnswer {
        /// The frame.
        frame: String,
        /// An answer for each expression, several for `info locals`.
        answers: Vec<Printed>,
    }
}

document! {
    /// Memory, and what is there.
    MemoryAnswer {
        /// The frame that the expression was read in.
        frame: String,
        /// What the address is.
        #[serde(skip_serializing_if = "Option::is_none")]
        what: Option<Shown>,
        /// The bytes or instructions.
        memory: MemoryDump,
    }
}

document! {
    /// What an address is.
    AddressAnswer {
        /// The address.
        address: Hex,
        /// What is there, as far as that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        what: Option<Shown>,
        /// It is memory of the process.
        mapped: bool,
    }
}

document! {
    /// Registers of a thread.
    RegistersAnswer {
        /// Id of the thread.
        thread: i64,
        /// By name.
        registers: BTreeMap<String, Hex>,
    }
}

document! {
    /// Modules.
    ModulesAnswer {
        /// The modules.
        modules: Vec<ModuleAnswer>,
        /// How many there are in all.
        total: u64,
        /// Where the next ones begin.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
}

document! {
    /// One module.
    ModuleAnswer {
        /// As the process knew it.
        path: Shown,
        /// Where it was loaded.
        base: Hex,
        /// Its build ID.
        #[serde(skip_serializing_if = "Option::is_none")]
        build_id: Option<String>,
        /// Whether its file was found: `found`, `mismatch`, `missing`, `in-core`.
        file: String,
        /// Its debug information: `full`, `line-tables`, `symbols`, `none`.
        debug: String,
    }
}

document! {
    /// Source files of the frames.
    SourcesAnswer {
        /// Their paths, as compiled.
        files: Vec<Shown>,
    }
}

document! {
    /// Lines of source.
    SourceAnswer {
        /// The frame.
        frame: String,
        /// The file, as compiled.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<Shown>,
        /// The line of the frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// Why these may not be the lines that were compiled, or why there are none.
        #[serde(skip_serializing_if = "Option::is_none")]
        doubt: Option<Shown>,
        /// The lines.
        lines: Vec<SourceLine>,
    }
}

document! {
    /// A line of source.
    SourceLine {
        /// Its number.
        line: u32,
        /// Its text.
        text: Shown,
    }
}

document! {
    /// Locks and waits.
    LocksAnswer {
        /// What was found, in a line each.
        findings: Vec<Shown>,
        /// The locks.
        locks: Vec<LockReport>,
        /// Who waits for whom.
        waits: Vec<Wait>,
    }
}

document! {
    /// A thread that waits.
    Wait {
        /// Id of the thread that waits.
        thread: i64,
        /// Id of the thread that has what it waits for, where one is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        waits_for: Option<i64>,
        /// What it waits for.
        lock: Shown,
        /// Whether it is certain that the other has it.
        sure: bool,
        /// It is the end of the other thread that it waits for.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        exit: bool,
    }
}

impl Wait {
    /// In a sentence, with `lock` for what it waits for.
    pub fn sentence(&self, lock: &str) -> String {
        let held = match (self.exit, self.waits_for) {
            (false, Some(holder)) => format!(", held by thread {holder}"),
            _ => String::new(),
        };
        let sure = if self.sure || self.waits_for.is_none() { "" } else { " (not certain)" };
        format!("thread {} waits for {lock}{held}{sure}", self.thread)
    }
}

document! {
    /// Places in memory.
    FindAnswer {
        /// What was searched for.
        searched_for: Shown,
        /// The places.
        hits: Vec<Hit>,
        /// Bytes that were searched.
        searched: u64,
        /// Why not all of the memory was searched.
        #[serde(skip_serializing_if = "Option::is_none")]
        incomplete: Option<Shown>,
        /// Where the search goes on.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
}

document! {
    /// A place in memory.
    Hit {
        /// Where.
        address: Hex,
        /// What is there.
        #[serde(skip_serializing_if = "Option::is_none")]
        what: Option<Shown>,
    }
}

document! {
    /// Whether a claim holds.
    VerifyAnswer {
        /// What was checked.
        claim: Shown,
        /// What came of it.
        verdict: Verdict,
        /// Why.
        reason: Shown,
        /// What it rests on: values, bytes, locks.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Shown>,
    }
}

document! {
    /// Two crashes side by side.
    CompareAnswer {
        /// Whether they have one signature.
        same_signature: bool,
        /// What is equal.
        same: Vec<Shown>,
        /// What is not.
        different: Vec<Compared>,
    }
}

document! {
    /// Something that differs.
    Compared {
        /// What.
        what: String,
        /// In the first crash.
        first: Shown,
        /// In the second.
        second: Shown,
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// In a sentence.
    pub text: Shown,
    /// What to call instead.
    pub instead: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "of", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`crate::Question::Overview`].
    Overview(Overview),
    /// To [`crate::Question::Why`].
    Why(Why),
    /// To [`crate::Question::Stack`] and [`crate::Question::Threads`].
    Stack(StackAnswer),
    /// To [`crate::Question::Variables`].
    Variables(VariablesAnswer),
    /// To [`crate::Question::Print`].
    Print(PrintAnswer),
    /// To [`crate::Question::Evaluate`].
    Evaluated(Vec<Evaluated>),
    /// To [`crate::Question::Names`].
    Names(NamesAnswer),
    /// To [`crate::Question::Memory`].
    Memory(MemoryAnswer),
    /// To [`crate::Question::Registers`].
    Registers(RegistersAnswer),
    /// To [`crate::Question::Modules`].
    Modules(ModulesAnswer),
    /// To [`crate::Question::Sources`].
    Sources(SourcesAnswer),
    /// To [`crate::Question::Source`] and [`crate::Question::Lines`].
    Source(SourceAnswer),
    /// To [`crate::Question::Locks`].
    Locks(LocksAnswer),
    /// To [`crate::Question::Tasks`].
    Tasks(Box<TasksReport>),
    /// To [`crate::Question::Heap`].
    Heap(Box<HeapReport>),
    /// To [`crate::Question::Pointers`].
    Pointers(Box<PlaceReport>),
    /// To [`crate::Question::Address`].
    Address(AddressAnswer),
    /// To [`crate::Question::Find`].
    Find(FindAnswer),
    /// To [`crate::Question::Verify`].
    Verify(VerifyAnswer),
    /// To [`crate::Question::Report`].
    Report(Box<Report>),
    /// To [`crate::Question::Look`].
    Look(LookAnswer),
    /// To [`crate::Question::Code`].
    Code(CodeAnswer),
    /// To [`crate::Question::File`].
    File(FileAnswer),
}
