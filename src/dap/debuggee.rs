//! A core that is open, and the numbers by which its frames, variables and files are named.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::capabilities::Counting;
use super::wire::Failed;
use crate::session::{Answer, FrameHandle, Question, Session, Whose};
use obit_report::Report;

/// Variables, frames and files that are named in one session.
const MOST_NAMED: usize = 500_000;

/// What a frame's number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum FrameId {
    /// A frame of the report.
    Real(i64, u64),
    /// The nth of the tail calls beyond one, or of the frames that stand for those that are left
    /// out: it has no variables.
    Beside(i64, u64, u64),
}

/// What a variable's reference stands for: the way to it in a frame.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) thread: i64,
    pub(super) frame: u64,
    pub(super) whose: Whose,
    pub(super) within: Vec<u64>,
    /// It is an array or a container, and its parts are elements by number.
    pub(super) is_list: bool,
    pub(super) is_indexed: bool,
    /// The way to it by its place, where an expression does not lead there.
    pub(super) by_place: Option<(Whose, Vec<u64>)>,
}

/// Numbers from 1 for things.
#[derive(Debug)]
struct Numbers<T> {
    all: Vec<T>,
    known: BTreeMap<T, i64>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { all: Vec::new(), known: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Numbers<T> {
    fn of(&mut self, thing: T) -> Option<i64> {
        if let Some(known) = self.known.get(&thing) {
            return Some(*known);
        }
        if self.all.len() >= MOST_NAMED {
            return None;
        }
        self.all.push(thing.clone());
        let number = i64::try_from(self.all.len()).ok()?;
        self.known.insert(thing, number);
        Some(number)
    }

    fn get(&self, number: i64) -> Option<&T> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.all.get(at)
    }
}

/// Where a source file is.
#[derive(Clone, Debug)]
pub(super) struct FoundSource {
    /// Its path, if the client can open it.
    pub(super) path: Option<String>,
    /// The number by which its text is asked for, if there is one.
    pub(super) reference: i64,
}

/// An open core.
pub(super) struct Debuggee {
    session: Session,
    pub(super) report: Arc<Report>,
    pub(super) counting: Counting,
    frames: Numbers<FrameId>,
    nodes: Numbers<Node>,
    /// Frames whose files are asked for by number.
    files: Numbers<(i64, u64)>,
    /// What is known of files, by their names as compiled.
    pub(super) sources: HashMap<String, FoundSource>,
}

impl Debuggee {
    pub(super) fn new(mut session: Session, counting: Counting) -> Result<Self, Failed> {
        let answer = session
            .ask(&Question::Report)
            .map_err(|problem| Failed::Shown(problem.text.into_string()))?;
        let Answer::Report(report) = answer else { return Err(no_answer()) };
        Ok(Self {
            session,
            report: Arc::new(*report),
            counting,
            frames: Numbers::default(),
            nodes: Numbers::default(),
            files: Numbers::default(),
            sources: HashMap::new(),
        })
    }

    /// Asks the session.
    pub(super) fn ask(&mut self, question: &Question) -> Result<Answer, Failed> {
        self.session.ask(question).map_err(|problem| {
            Failed::Refused(obit_render::visible(problem.text.as_str()).into_owned())
        })
    }

    /// Says once that the file of the core is gone.
    pub(super) fn news(&mut self) -> Option<&'static str> {
        self.session.news()
    }

    pub(super) fn frame_id(&mut self, frame: FrameId) -> Result<i64, Failed> {
        self.frames.of(frame).ok_or_else(too_many)
    }

    pub(super) fn frame(&self, id: i64) -> Result<FrameId, Failed> {
        self.frames.get(id).copied().ok_or_else(|| {
            Failed::because("no such frame: `frameId` is the `id` of a frame of stackTrace")
        })
    }

    /// The frame that `id` names, if it has variables; without an id the one to blame.
    pub(super) fn handle(&self, id: Option<i64>) -> Result<Option<FrameHandle>, Failed> {
        match id.map(|id| self.frame(id)).transpose()? {
            None => Ok(None),
            Some(FrameId::Real(thread, frame)) => Ok(Some(FrameHandle { thread, frame })),
            Some(FrameId::Beside(..)) => {
                Err(Failed::because("this is no frame of the stack: it left nothing to look at"))
            }
        }
    }

    pub(super) fn reference(&mut self, node: Node) -> i64 {
        // Without a number it cannot be opened.
        self.nodes.of(node).unwrap_or(0)
    }

    pub(super) fn node(&self, reference: i64) -> Result<&Node, Failed> {
        self.nodes.get(reference).ok_or_else(|| Failed::because("no such `variablesReference`"))
    }

    pub(super) fn file_reference(&mut self, frame: FrameHandle) -> i64 {
        self.files.of((frame.thread, frame.frame)).unwrap_or(0)
    }

    pub(super) fn file(&self, reference: i64) -> Result<FrameHandle, Failed> {
        let found = self.files.get(reference);
        let found = found.ok_or_else(|| Failed::because("no such `sourceReference`"))?;
        Ok(FrameHandle { thread: found.0, frame: found.1 })
    }
}

fn too_many() -> Failed {
    Failed::because("too many frames were asked for in this session")
}

/// An answer that does not fit its question.
pub(super) fn no_answer() -> Failed {
    Failed::because("the session has no answer to this")
}

/// Reads the arguments of a request.
pub(super) fn arguments<T: serde::de::DeserializeOwned>(
    given: serde_json::Map<String, Value>,
) -> Result<T, Failed> {
    serde_json::from_value(Value::Object(given))
        .map_err(|error| Failed::Refused(format!("the arguments are wrong: {error}")))
}
