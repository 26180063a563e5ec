//! What is shown of many crashes: lists of groups, one group in full, two sets against
//! each other. The types are the JSON documents.

mod beginning;
mod builds;
mod correlations;
mod crash_record;
mod detail;
mod difference;
mod event;
mod filter;
mod headline;
mod options;
mod overview;
mod page;
mod rank;
mod rates;
#[cfg(feature = "schema")]
mod schema;
mod series;
mod summary;
mod survey;

pub use builds::{BUILDS_SCHEMA, BuildReport, Builds, ProgramBuilds, ReleaseBuilds, write_builds};
pub use correlations::GroupTrait;
pub use detail::{
    DumpLine, GroupDetail, GroupSignature, NoteReport, SHOW_SCHEMA, StackLine, Suspect,
    write_detail,
};
pub use difference::{
    Bundle, Change, DIFF_SCHEMA, Difference, GroupDifference, Side, difference, write_difference,
};
pub use event::{CrashEvent, EVENT_SCHEMA, write_event};
pub use filter::{Filter, FilterError};
pub use headline::headline;
pub use options::{Sort, ViewOptions};
pub use page::{Counted, GroupPage};
pub use rank::Rank;
pub use rates::{ExposureRate, HostShare, RateComparison};
#[cfg(feature = "schema")]
pub use schema::{Document, write_schema};
pub use series::{Per, Series};
pub use summary::{
    GROUP_SCHEMA, GroupSummary, Moment, Overview, ReleaseCount, TOP_SCHEMA, Trend,
    write_group_lines, write_overview,
};
pub use survey::{Survey, Unreadable};

pub(crate) use builds::builds;
pub(crate) use correlations::{CrashFacts, correlations};
pub(crate) use crash_record::CrashRecord;
pub(crate) use detail::SUSPECTS;
pub(crate) use overview::{Ranked, ranked};
