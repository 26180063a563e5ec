//! Pages and tables of text, for a terminal.

pub(crate) mod builds;
pub(crate) mod chart;
pub(crate) mod contents;
pub(crate) mod details;
pub(crate) mod difference;
pub(crate) mod distinctions;
pub(crate) mod excerpt;
pub(crate) mod findings;
pub(crate) mod group;
pub(crate) mod groups;
pub(crate) mod head;
pub(crate) mod heap;
pub(crate) mod hidden;
pub(crate) mod incidents;
pub(crate) mod modules;
pub(crate) mod notices;
pub(crate) mod page;
pub(crate) mod printed;
pub mod prompt;
pub(crate) mod rates;
pub(crate) mod rewound;
pub(crate) mod signature;
pub(crate) mod stack;
pub(crate) mod tasks;
pub(crate) mod threads;
pub(crate) mod values;
