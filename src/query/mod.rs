//! Questions about many cores: an expression in every frame that is at a place of the code.
//!
//! [`obit_query`] reads the question and has the table. Here, a worker evaluates it in a core
//! ([`evaluate`]) and sends a [`CoreAnswer`], whose values have left the redactor; [`run`] hands
//! out the cores and takes from the [`AnswerCache`] what was asked before. Filters and counts
//! come after that and see nothing that is hidden.

mod answer;
mod cache;
mod cells;
mod evaluate;
mod facts;
mod features;
mod hidden;
mod room;
mod rows;
mod run;
mod used_files;

pub use answer::{CoreAnswer, FrameAnswer};
pub use cache::{AnswerCache, CacheKey, CoreStamp, clear_answers};
pub(crate) use evaluate::values;
pub use evaluate::{Question, evaluate};
pub use facts::CoreFacts;
pub use features::{CoreFeatures, features};
pub use obit_query::{
    Cell, Column, Datum, Failed, Filter, Findings, Place, Query, QueryError, Table, Unavailable,
};
pub use room::Room;
pub use rows::{BUILT_IN, table};
pub use run::{Reply, RunError, Settings, Summary, ask_all, run};
pub use used_files::UsedFile;
