//! What grouping sees of a crash.

use serde::{Deserialize, Serialize};

use crate::record::Record;
use crate::signature::{RECURSION, module_name};
use obit_redact::Shown;
use obit_report::{Decision, DecisionAction};

/// Digits of a build ID that tell builds apart.
const BUILD: usize = 16;

/// A crash as grouping sees it. Crashes with equal keys are one to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashKey {
    /// The signature's id.
    pub signature: String,
    /// The signature in words.
    pub text: String,
    /// The image of the function that the signature ends with.
    pub image: String,
    /// Digits of that image's build ID; empty where it has none.
    pub build: String,
    /// The function of the system that was called; empty where none was.
    pub called: Called,
    /// The functions of the program in the signature.
    pub functions: Vec<String>,
    /// Functions of the program on the stack, innermost first, by normal name.
    pub frames: Vec<String>,
    /// Which of them is to blame; empty where that is not known.
    pub blamed: String,
    /// The class of the cause.
    #[serde(deserialize_with = "obit_report::class_name::current")]
    pub class: String,
}

/// What stands between the program and the fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Called {
    /// Nothing: the program failed by itself.
    #[default]
    Nothing,
    /// This function of the system.
    Function(String),
    /// A function of this image, whose symbols are missing.
    Unnamed(String),
    /// More and more calls of the program itself.
    Recursion,
}

impl CrashKey {
    /// Of a record; `None` if it has no signature.
    pub fn of(record: &Record) -> Option<Self> {
        let signature = record.signature.as_ref()?;
        let names = |names: &[Shown]| -> Vec<String> {
            names.iter().map(|name| name.as_str().to_owned()).collect()
        };
        let text = signature.text.as_str();
        let frames = names(&record.frames);
        let mut functions = names(&signature.frames);
        let joined = functions.join(" | ");
        let image = text.strip_prefix(joined.as_str()).and_then(|rest| rest.strip_prefix(" in "));
        let is_from_program = match (functions.first(), frames.first()) {
            (Some(first), Some(frame)) => first == frame,
            _ => false,
        };
        let called = match functions.first() {
            Some(first) if first == RECURSION => Called::Recursion,
            Some(first) if !is_from_program => {
                let is_unnamed = *first == module_name(first)
                    && signature.decisions.iter().any(is_without_symbol);
                let of = if is_unnamed { Called::Unnamed } else { Called::Function };
                of(first.clone())
            }
            _ => Called::Nothing,
        };
        if called != Called::Nothing {
            functions.remove(0);
        }
        let ends = |decision: &&Decision| decision.action == DecisionAction::Stop;
        let end = signature.decisions.iter().rev().find(ends).map(|decision| decision.frame);
        let all = || record.threads.iter().flat_map(|thread| &thread.frames);
        let at = all().find(|frame| Some(frame.index) == end && frame.module.is_some());
        let place = at.and_then(|frame| frame.module.as_ref());
        let build = place.and_then(|place| place.build_id.as_ref());
        Some(Self {
            signature: signature.id.clone(),
            text: text.to_owned(),
            image: image.unwrap_or_default().to_owned(),
            build: build
                .and_then(|id| id.get(..BUILD.min(id.len())))
                .unwrap_or_default()
                .to_owned(),
            called,
            functions,
            frames,
            blamed: record.blamed.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            class: record.cause.as_ref().map(|cause| cause.class.clone()).unwrap_or_default(),
        })
    }
}

/// Whether a function of the system was taken that has no name.
fn is_without_symbol(decision: &Decision) -> bool {
    decision.action == DecisionAction::Prefix && decision.rule.ends_with(", no symbol")
}
