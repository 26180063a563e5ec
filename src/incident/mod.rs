//! Which of many dumps belong to one incident.
//!
//! [`obit_incident`] joins facts of dumps and decides who failed first. Here, a worker takes the
//! facts from a core ([`facts`]): from what `obit run` recorded beside it, from its notes, and by
//! looking through its memory (`scan`). Texts have left the redactor; what is compared leaves the
//! worker as digests.

mod answer;
mod compiled_in;
mod facts;
mod scan;
mod surroundings;

pub use answer::CoreFacts;
pub use facts::facts;
pub use obit_incident::{
    Alone, Evidence, EvidenceKind, Failure, Incident, Incidents, Link, Member, Settings, Strength,
    find,
};
