//! What a report hides, where and why, without showing it: `obit redact --explain`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use obit_redact::Shown;

/// All that was hidden of a crashed process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Hidden {
    /// `obit.hidden/1`.
    pub schema: String,
    /// The crash's name.
    pub id: String,
    /// `default`, `strict` or `off`.
    pub policy: String,
    /// How often a text of each kind was hidden.
    pub counts: BTreeMap<String, u64>,
    /// What was hidden, in the order of the work.
    pub hidden: Vec<HiddenText>,
    /// More of them than `hidden` holds.
    pub left_out: u64,
    /// How many values of each kind are shown because nothing that is known says that they
    /// are sensitive: neither a rule nor their name, type or content. The kinds are `text`,
    /// `character`, `integer`, `float`, `boolean`, `enumerator`, `address` and `bytes`.
    pub unjudged: BTreeMap<String, u64>,
}

/// One text, number or word of memory that was hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HiddenText {
    /// Where: the thread, the frame and the variable, as far as there are any.
    pub place: Vec<Shown>,
    /// What it is: `variable`, `argument`, `path`, `message`, `source-line`, `number`, …
    pub origin: String,
    /// Why: `name`, `type`, `content`, `rule`, `level`, `known` or `piece`.
    pub reason: String,
    /// The user's rule, as file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Shown>,
    /// As what: a word of docs/redaction.md.
    pub kind: String,
    /// What is in its place.
    pub token: String,
}
