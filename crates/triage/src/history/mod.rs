//! The status of a group: over releases, over time, and by the code of the builds.

mod build;
mod by_release;
mod code_evidence;
mod code_hashes;
mod common_functions;
mod counts;
mod heap_damage;
mod judge;
mod placement;
mod recent;
mod release;
mod release_lists;
mod status;
mod surge;
mod symbol;
mod trend;
mod verdict;
mod version;
mod wording;

pub use code_evidence::ChangedFunction;
pub use code_hashes::{CodeChange, CodeRow, StackFunction, WHOLE_IMAGE};
pub use release_lists::{BuildOrder, Exposure, ListError, ListProblem};
pub use status::{State, Status, StatusCondition};
pub use surge::Surge;
pub use symbol::symbol_of_function;

pub(crate) use build::{Build, Event};
pub(crate) use by_release::NEW_P;
pub(crate) use code_evidence::GroupCode;
pub(crate) use code_hashes::{COMPARED, CodeHashes};
pub(crate) use common_functions::CommonFunctions;
pub(crate) use heap_damage::HeapDamage;
pub(crate) use judge::{WINDOW, judge, most_urgent};
pub(crate) use placement::is_local_path;
pub(crate) use release::{OrderedBy, Releases};
pub(crate) use surge::{HourCounts, may_surge};
pub(crate) use trend::{ABSENCE_P, Direction, Rate, direction, p_of_more};
pub(crate) use verdict::{ProgramHistory, Verdict};
pub(crate) use version::version_of_path;
pub(crate) use wording::p_text;
