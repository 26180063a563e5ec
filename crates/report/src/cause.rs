//! Conclusions: why the process crashed, what crashes of that cause share, what else is
//! wrong.

use serde::{Deserialize, Serialize};

use super::{Hex, SourcePlace};
use obit_redact::Shown;

/// Why the process crashed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cause {
    /// A word of a closed, documented catalogue. Former words are read as the current ones.
    #[serde(deserialize_with = "crate::class_name::current")]
    pub class: String,
    /// Numbers of the CWE entries it may be an instance of, without those that the core
    /// excludes; `null` where CWE has none for it.
    pub cwe: Option<Vec<u32>>,
    /// How bad that is: `info`, `low`, `medium` or `high`.
    pub severity: Option<String>,
    /// One line.
    pub title: Shown,
    /// How it came about.
    pub explanation: Option<Shown>,
    /// How sure this is: as sure as the least of its parts.
    pub confidence: Confidence,
    /// How sure the class is, whatever is known of the frame to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_confidence: Option<Confidence>,
    /// What the program itself reported: assertion, panic, `what()`.
    pub message: Option<Shown>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// Whose code it is.
    pub blame: Option<Blame>,
    /// What to do next, the most useful first: a command of obit, where `CORE` stands for
    /// the core file, or a few words.
    pub next: Vec<Shown>,
}

impl Cause {
    /// How sure the class is; of a document that does not say it apart, how sure all is.
    pub fn of_class(&self) -> Confidence {
        self.class_confidence.unwrap_or(self.confidence)
    }

    /// Whether threads wait for each other: the evidence is then a link of the cycle each.
    pub fn is_deadlock(&self) -> bool {
        self.class == "deadlock" && !self.evidence.is_empty()
    }
}

/// How sure a conclusion is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It fits, and so would other causes.
    #[default]
    Guess,
    /// Other causes would be strange.
    Likely,
    /// Nothing else yields this core.
    Proved,
}

/// One fact that a conclusion rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Evidence {
    /// Where it was seen.
    pub kind: EvidenceKind,
    /// What was seen.
    pub text: Shown,
    /// In which frame of the crashed thread.
    pub frame: Option<u64>,
    /// At which address.
    pub address: Option<Hex>,
}

/// Where a fact was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// The instruction that failed, or one before it.
    Instruction,
    /// A register.
    Register,
    /// A variable.
    Variable,
    /// The memory map or its content.
    #[default]
    Memory,
    /// The allocator's metadata.
    Heap,
    /// A lock.
    Lock,
    /// A text the program left.
    Text,
}

/// The place to look at first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Blame {
    /// Thread id.
    pub thread: Option<i64>,
    /// Index of the frame in that thread.
    pub frame: Option<u64>,
    /// The number of the task whose frame it is, where no thread runs it: a goroutine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<u64>,
    /// The function.
    pub function: Option<Shown>,
    /// The line.
    pub source: Option<SourcePlace>,
    /// The expression that was wrong.
    pub expression: Option<Shown>,
    /// How sure the expression is, where that is less than the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression_confidence: Option<Confidence>,
    /// The function that returned the bad value to this frame, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_by: Option<Shown>,
    /// The line at which the bad value was made or loaded, where it is another than the one
    /// the frame is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at_line: Option<u64>,
    /// Whether the expression is in the words of the function that the bad value was passed
    /// to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_expression_of_callee: bool,
    /// Why this frame and no other.
    pub reason: Option<Shown>,
    /// How sure that is.
    pub confidence: Confidence,
}

/// What crashes of the same cause have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Signature {
    /// Version of the rules.
    pub version: u32,
    /// A digest of the rest.
    pub id: String,
    /// In words.
    pub text: Shown,
    /// The functions in it.
    pub frames: Vec<Shown>,
    /// Why those.
    pub decisions: Vec<Decision>,
}

/// Why a frame is or is not in the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Decision {
    /// Index of the frame.
    pub frame: u64,
    /// The rule that matched.
    pub rule: String,
    /// What it does.
    pub action: DecisionAction,
}

/// What a rule does with a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DecisionAction {
    /// Leaves it out.
    #[default]
    Skip,
    /// Keeps it and goes on.
    Prefix,
    /// Keeps it and ends.
    Stop,
}

/// Something else that is wrong in the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Finding {
    /// A word of a documented catalogue.
    pub kind: String,
    /// One line.
    pub title: Shown,
    /// Thread ids.
    pub threads: Vec<i64>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The locks it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockReport>,
    /// The heap chunk before the damage: bytes with its header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<u64>,
    /// What the metadata of the heap was overwritten with: `text`, `integers` or `floating`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overwritten_with: Option<String>,
    /// The value, or the characters that are repeated, by which two crashes with the same
    /// may be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Shown>,
    /// Where the one pointer to the heap chunk before the damage is kept: a variable, or
    /// `64-byte heap chunk + 24`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointed_from: Option<Shown>,
    /// The type of what is in the heap chunk before the damage, or was in the freed block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_type: Option<Shown>,
    /// How the program reaches the heap chunk before the damage: a variable, a stack or a register,
    /// then blocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Shown>,
    /// How sure `object_type` is, or who holds the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

/// What threads wait for, and who has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LockReport {
    /// What it is called: ``mutex `stock_lock` ``, `the exit of thread 7`.
    pub name: Shown,
    /// Its address; a thread has none.
    pub address: Option<Hex>,
    /// Id of the thread that holds it, or that is waited for.
    pub holder: Option<i64>,
    /// Ids of the threads that wait for it.
    pub waiters: Vec<i64>,
    /// Whether it is certain that the holder holds it.
    pub is_sure: bool,
}
