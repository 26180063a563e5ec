//! One group, in full.

use std::io;

use serde::{Deserialize, Serialize};

use super::correlations::GroupTrait;
use super::summary::{GroupSummary, ReleaseCount};
use crate::groups::{Merge, MergeRule};
use crate::record::Record;
use crate::signature::module_name;
use obit_report::{Confidence, FrameKind, json};

/// The version of its JSON.
pub const SHOW_SCHEMA: &str = "obit.show/1";
/// Frames of the stack that stands for the group.
const FRAMES: usize = 32;
/// Digits of a signature's id where another is referred to.
const SHORT_ID: usize = 8;
/// Groups that may be the same, at most.
pub(crate) const SUSPECTS: usize = 16;

/// One group, in full.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GroupDetail {
    /// `obit.show/1`.
    pub schema: String,
    /// Its numbers and its status. `releases` there are those of the crashed program
    /// most.
    pub group: GroupSummary,
    /// Since when the user's word holds: seconds since 1970.
    pub state_since: Option<i64>,
    /// The build that was said to fix it.
    pub state_build: Option<String>,
    /// The user's remarks, oldest first.
    pub notes: Vec<NoteReport>,
    /// What happened in the crash that stands for the group.
    pub explanation: Option<String>,
    /// What that program said.
    pub message: Option<String>,
    /// How it came there, innermost first.
    pub stack: Vec<StackLine>,
    /// What the crashes have in common.
    pub traits: Vec<GroupTrait>,
    /// Crashes of the group, and of others, that were compared for that.
    pub compared: (u64, u64),
    /// Each build.
    pub builds: Vec<ReleaseCount>,
    /// Each host: its name in `name`.
    pub hosts: Vec<ReleaseCount>,
    /// The signatures of its dumps, the one that most have first.
    pub signatures: Vec<GroupSignature>,
    /// Groups that may be the same bug.
    pub suspected_same: Vec<Suspect>,
    /// The newest dumps.
    pub dumps: Vec<DumpLine>,
}

/// A remark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NoteReport {
    /// Seconds since 1970.
    pub time: i64,
    /// What was said.
    pub text: String,
}

/// One frame, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StackLine {
    /// Its number.
    pub index: u64,
    /// The function.
    pub function: Option<String>,
    /// Its image.
    pub module: Option<String>,
    /// `list.c:12`.
    pub source: Option<String>,
    /// Whether it is inlined into the next.
    pub is_inline: bool,
    /// Whether the cause says it is to blame.
    pub is_to_blame: bool,
}

/// A signature of a group, or a part of one: what `obit group split` takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GroupSignature {
    /// Its id, and behind `@` what distinguishes the part of it that is meant.
    pub id: String,
    /// In words.
    pub text: String,
    /// Dumps of the group that have it, whatever is asked for.
    pub count: u64,
    /// The rule by which it is in the group; `null` for the first.
    pub rule: Option<MergeRule>,
    /// The same in words.
    pub reason: Option<String>,
    /// How alike it is to `with`, from 0 to 1; `null` where that was not the reason.
    pub likeness: Option<f64>,
    /// The id of the signature of the group that it is like.
    pub with: Option<String>,
}

impl GroupSignature {
    pub(crate) fn of(id: String, text: String, count: u64, merge: Option<Merge>) -> Self {
        let is_alike = |merge: &&Merge| merge.rule != MergeRule::ByHand;
        Self {
            rule: merge.as_ref().map(|merge| merge.rule),
            reason: merge.as_ref().map(|merge| merge.rule.sentence().to_owned()),
            likeness: merge.as_ref().filter(is_alike).map(|merge| merge.likeness),
            with: merge.map(|merge| merge.with),
            id,
            text,
            count,
        }
    }

    /// Why it is in the group, in a sentence without its end; `None` for the first.
    pub fn because(&self) -> Option<String> {
        let reason = self.reason.as_ref()?;
        let alike = self.likeness.map(|likeness| {
            let with = self.with.as_deref().unwrap_or_default();
            let with: String = with.chars().take(SHORT_ID).collect();
            format!(" ({:.0} % like {with})", likeness * 100.0)
        });
        Some(format!("{reason}{}", alike.unwrap_or_default()))
    }
}

/// A group that may be the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Suspect {
    /// Its id.
    pub group: String,
    /// How alike they are, from 0 to 1.
    pub likeness: f64,
    /// Its signature.
    pub signature: String,
}

/// One dump, in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DumpLine {
    /// Its id.
    pub dump: String,
    /// The crash's name.
    pub crash: String,
    /// Seconds since 1970.
    pub time: i64,
    /// The release.
    pub release: Option<String>,
    /// Where.
    pub host: Option<String>,
    /// Where the file was.
    pub path: Option<String>,
    /// How sure its cause is.
    pub confidence: Option<Confidence>,
    /// Whether the core was whole, and no server failed that may have had its files.
    pub is_complete: bool,
}

impl GroupDetail {
    /// Takes over which groups may be the same, and how alike they are; `signature` says
    /// theirs.
    pub(crate) fn suspect(
        &mut self,
        likes: &[(String, f64)],
        signature: impl Fn(&str) -> Option<String>,
    ) {
        let suspects = likes.iter().take(SUSPECTS).map(|(group, likeness)| Suspect {
            group: group.clone(),
            likeness: *likeness,
            signature: signature(group).unwrap_or_default(),
        });
        self.suspected_same = suspects.collect();
    }

    /// Takes over what the crash that stands for the group says.
    pub fn describe(&mut self, example: &Record) {
        let cause = example.cause.as_ref();
        let text = |shown: Option<&obit_redact::Shown>| shown.map(|text| text.as_str().to_owned());
        self.explanation = text(cause.and_then(|cause| cause.explanation.as_ref()));
        self.message = text(cause.and_then(|cause| cause.message.as_ref()));
        let blame = cause.and_then(|cause| cause.blame.as_ref());
        let thread = blame
            .and_then(|blame| blame.thread)
            .and_then(|tid| example.threads.iter().find(|thread| thread.tid == tid))
            .or_else(|| example.threads.iter().find(|thread| thread.crashed));
        let to_blame = blame.and_then(|blame| blame.frame);
        let frames = thread.map_or(&[][..], |thread| thread.frames.as_slice());
        self.stack = frames
            .iter()
            .take(FRAMES)
            .map(|frame| StackLine {
                index: frame.index,
                function: text(frame.function.as_ref()),
                module: frame.module.as_ref().map(|place| module_name(place.path.as_str())),
                source: frame.source.as_ref().map(|source| {
                    let file = source.file.as_str();
                    let file = file.rsplit('/').next().unwrap_or(file);
                    let line = source.line.map(|line| format!(":{line}"));
                    format!("{file}{}", line.unwrap_or_default())
                }),
                is_inline: frame.kind == FrameKind::Inline,
                is_to_blame: to_blame == Some(frame.index),
            })
            .collect();
    }
}

/// Writes the group as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_detail(detail: &GroupDetail, out: impl io::Write) -> io::Result<()> {
    json::write_line(detail, out)
}
