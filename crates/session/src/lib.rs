//! Questions about one crash that stays open, and their answers: small documents with handles
//! that lead to the next question.
//!
//! **For** agents, editors and prompts that look at a dump piece by piece. [`Question`] and
//! [`Answer`] are what a session is asked and what it says; [`of_report`] answers from the
//! report what the report has.
//!
//! **Not for** reading cores: who holds the process evaluates expressions and reads memory.
//!
//! ```
//! use obit_report::{Cause, Report};
//! use obit_session::of_report;
//!
//! let cause = Cause { class: "null-read".to_owned(), ..Cause::default() };
//! let why = of_report::why(&Report { cause: Some(cause), ..Report::default() });
//! assert_eq!(why.class.as_deref(), Some("null-read"));
//! assert!(!why.next.is_empty());
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod answer;
mod claim;
mod claim_text;
mod evaluated;
mod handle;
mod look;
pub mod of_report;
mod page;
mod question;
mod store_answer;

pub use answer::{
    AddressAnswer, Answer, BlameAnswer, Compared, EvidenceAnswer, FindAnswer, Frame, Hit,
    LocksAnswer, MemoryAnswer, ModuleAnswer, ModulesAnswer, Next, Overview, PrintAnswer, Printed,
    Problem, SourceAnswer, SourceLine, SourcesAnswer, StackAnswer, ThreadGroup, VariableAnswer,
    VariablesAnswer, VerifyAnswer, Wait, Why,
};
pub use answer::{CompareAnswer, RegistersAnswer};
pub use claim::{Claim, Comparison, Verdict};
pub use evaluated::{Evaluated, NamesAnswer};
pub use handle::FrameHandle;
pub use look::{
    CodeAnswer, CodeLine, FileAnswer, Look, LookAnswer, MOST_INSTRUCTIONS, MOST_PARTS, Part, Whose,
};
pub use page::{Page, page};
pub use question::{MOST_HITS, MOST_ITEMS, Place, Question, SearchFor};
pub use store_answer::{GroupAnswer, GroupDump, GroupLine, TriageAnswer};

/// The version of these documents.
pub const SCHEMA: &str = "obit.session/1";
