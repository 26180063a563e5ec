//! Questions of clients that show a tree of variables, the code of functions and whole files, and
//! their answers.

use obit_redact::Shown;
use obit_report::Hex;
use serde::{Deserialize, Serialize};

use crate::answer::document;
use crate::question::Place;

/// Instructions of one answer, before and from an address on, at most.
pub const MOST_INSTRUCTIONS: u64 = 4096;
/// Parts of a variable that are read at most: more are counted.
pub const MOST_PARTS: u64 = 10_000;

/// What is looked into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The arguments of the frame.
    Arguments,
    /// Its other variables.
    Locals,
    /// Variables with a place for good, of the unit that the frame's code is of.
    Globals,
    /// The registers as the frame has them.
    Registers,
    /// An expression.
    Expression(String),
}

/// A list of variables, or the parts of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Which frame.
    pub at: Place,
    /// What is looked into.
    pub whose: Whose,
    /// The way from there: each number is a place among the parts of the one before.
    pub within: Vec<u64>,
    /// Parts that are left out.
    pub from: u64,
    /// Parts, at most.
    pub most: u64,
    /// Whether the parts are those of an array or a container: then as many are read.
    pub is_list: bool,
}

document! {
    /// One variable, or a part of one.
    Part {
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
        /// Where it is in memory; of a pointer, where that leads.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Hex>,
        /// The expression that gives it in this frame, where that is certain.
        #[serde(skip_serializing_if = "Option::is_none")]
        expression: Option<String>,
        /// How many parts it has.
        parts: u64,
        /// It is an array or a container.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_list: bool,
        /// Its parts are elements, by number.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_indexed: bool,
    }
}

document! {
    /// What was looked into, and its parts.
    LookAnswer {
        /// The frame.
        frame: String,
        /// The variable whose parts these are; none for the list of a frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<Part>,
        /// The parts.
        parts: Vec<Part>,
        /// How many there are in all.
        total: u64,
        /// Why not all of them can be listed.
        #[serde(skip_serializing_if = "Option::is_none")]
        incomplete: Option<Shown>,
    }
}

document! {
    /// One instruction.
    CodeLine {
        /// Where it is.
        address: Hex,
        /// Its bytes in hexadecimal, where these may be shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<String>,
        /// The function, with the distance from its start.
        #[serde(skip_serializing_if = "Option::is_none")]
        symbol: Option<Shown>,
        /// The instruction.
        text: Shown,
    }
}

document! {
    /// Instructions in order.
    CodeAnswer {
        /// Those before the address, as far as they are known.
        before: Vec<CodeLine>,
        /// Those from the address on.
        after: Vec<CodeLine>,
        /// Why there are fewer than were asked for before it.
        #[serde(skip_serializing_if = "Option::is_none")]
        no_more_before: Option<Shown>,
        /// Why there are fewer than were asked for from it on.
        #[serde(skip_serializing_if = "Option::is_none")]
        no_more_after: Option<Shown>,
    }
}

document! {
    /// A file of source.
    FileAnswer {
        /// The file that the lines are of, where one was found: as this machine names it.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<Shown>,
        /// The file as it was compiled.
        #[serde(skip_serializing_if = "Option::is_none")]
        compiled: Option<Shown>,
        /// Its lines, if they were asked for.
        lines: Vec<Shown>,
        /// Why these may not be the lines that were compiled, or why there are none.
        #[serde(skip_serializing_if = "Option::is_none")]
        doubt: Option<Shown>,
    }
}
