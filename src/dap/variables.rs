//! Scopes and variables, a level at a time.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, Node, arguments, no_answer};
use super::text::{optional, plain};
use super::wire::Failed;
use crate::session::{Answer, FrameHandle, Look, LookAnswer, Part, Place, Question, Whose};

/// Variables of one answer, unless the client says how many; and at most.
const USUAL: u64 = 1000;
const MOST: u64 = 5000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scopes {
    frame_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variables {
    variables_reference: i64,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    start: Option<u64>,
    #[serde(default)]
    count: Option<u64>,
}

impl Debuggee {
    pub(super) fn scopes(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Scopes = arguments(given)?;
        let Ok(Some(at)) = self.handle(Some(wanted.frame_id)) else {
            // It exists, and has none.
            self.frame(wanted.frame_id)?;
            return Ok(json!({ "scopes": [] }));
        };
        let mut scopes = Vec::new();
        for (name, hint, whose, is_expensive) in [
            ("Arguments", Some("arguments"), Whose::Arguments, false),
            ("Locals", Some("locals"), Whose::Locals, false),
            ("Globals of the file", None, Whose::Globals, true),
            ("Registers", Some("registers"), Whose::Registers, true),
        ] {
            let reference = self.reference(Node {
                thread: at.thread,
                frame: at.frame,
                whose,
                within: Vec::new(),
                is_list: false,
                is_indexed: false,
                by_place: None,
            });
            let mut scope = json!({
                "name": name, "variablesReference": reference, "expensive": is_expensive,
            });
            if let (Some(hint), Some(fields)) = (hint, scope.as_object_mut()) {
                fields.insert("presentationHint".to_owned(), hint.into());
            }
            scopes.push(scope);
        }
        Ok(json!({ "scopes": scopes }))
    }

    pub(super) fn variables(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Variables = arguments(given)?;
        let node = self.node(wanted.variables_reference)?.clone();
        let is_other = match wanted.filter.as_deref() {
            None => false,
            Some("indexed") => !node.is_indexed,
            Some("named") => node.is_indexed,
            Some(_) => return Err(Failed::because("`filter` is \"indexed\" or \"named\"")),
        };
        if is_other {
            return Ok(json!({ "variables": [] }));
        }
        let most = wanted.count.filter(|count| *count > 0).unwrap_or(USUAL).min(MOST);
        let (answer, node) = self.look(node, (wanted.start.unwrap_or(0), most))?;
        let from = wanted.start.unwrap_or(0);
        let mut variables = Vec::new();
        for (number, part) in (from..).zip(&answer.parts) {
            variables.push(self.variable(&node, number, part));
        }
        let asked_to_the_end = wanted.count.is_none_or(|count| count == 0);
        let left = answer.total.saturating_sub(from.saturating_add(answer.parts.len() as u64));
        if let Some(why) = &answer.incomplete {
            variables.push(note(&plain(why)));
        } else if asked_to_the_end && left > 0 && !answer.parts.is_empty() {
            variables.push(note(&format!("{left} more: ask for them by `start` and `count`")));
        }
        Ok(json!({ "variables": variables }))
    }

    /// The parts of a variable: by its expression, and if that does not lead there, by its place.
    fn look(
        &mut self,
        mut node: Node,
        (from, most): (u64, u64),
    ) -> Result<(LookAnswer, Node), Failed> {
        let at = Place { thread: Some(node.thread), frame: Some(node.frame) };
        loop {
            let (whose, within) = (node.whose.clone(), node.within.clone());
            let question =
                Question::Look(Look { at, whose, within, from, most, is_list: node.is_list });
            match (self.ask(&question), node.by_place.take()) {
                (Ok(Answer::Look(answer)), _) => return Ok((answer, node)),
                (Ok(_), _) => return Err(no_answer()),
                (Err(_), Some((whose, within))) => (node.whose, node.within) = (whose, within),
                (Err(failed), None) => return Err(failed),
            }
        }
    }

    /// A part of what `parent` stands for, number `number` of all.
    fn variable(&mut self, parent: &Node, number: u64, part: &Part) -> Value {
        let mut within = parent.within.clone();
        within.push(number);
        let place = (parent.whose.clone(), within);
        let at = FrameHandle { thread: parent.thread, frame: parent.frame };
        let mut shown = self.value(at, part, Some(place));
        let Some(fields) = shown.as_object_mut() else { return shown };
        let name = plain(&part.name);
        let name = if name.is_empty() { "<unnamed>".to_owned() } else { name };
        fields.insert("name".to_owned(), name.into());
        if let Some(value) = fields.remove("result") {
            fields.insert("value".to_owned(), value);
        }
        if let Some(expression) = &part.expression {
            fields.insert("evaluateName".to_owned(), expression.as_str().into());
        }
        shown
    }

    /// What `evaluate` says of a value, reached by its expression or by its place.
    pub(super) fn value(
        &mut self,
        at: FrameHandle,
        part: &Part,
        place: Option<(Whose, Vec<u64>)>,
    ) -> Value {
        let mut shown = json!({ "result": plain(&part.value), "variablesReference": 0 });
        let Some(fields) = shown.as_object_mut() else { return shown };
        if let Some(name) = optional(part.type_name.as_ref()) {
            fields.insert("type".to_owned(), name.into());
        }
        if let Some(address) = part.address {
            fields.insert("memoryReference".to_owned(), address.to_string().into());
        }
        fields.insert("presentationHint".to_owned(), json!({ "attributes": ["readOnly"] }));
        if part.parts == 0 {
            return shown;
        }
        let expression = part.expression.clone().map(|text| (Whose::Expression(text), Vec::new()));
        let (first, by_place) = match (expression, place) {
            (Some(first), place) => (first, place),
            (None, Some(place)) => (place, None),
            (None, None) => return shown,
        };
        let reference = self.reference(Node {
            thread: at.thread,
            frame: at.frame,
            whose: first.0,
            within: first.1,
            is_list: part.is_list,
            is_indexed: part.is_indexed,
            by_place,
        });
        fields.insert("variablesReference".to_owned(), reference.into());
        let counted = if part.is_indexed { "indexedVariables" } else { "namedVariables" };
        fields.insert(counted.to_owned(), part.parts.into());
        shown
    }
}

/// A line that is no variable.
fn note(text: &str) -> Value {
    json!({
        "name": "\u{2026}", "value": text, "variablesReference": 0,
        "presentationHint": { "kind": "virtual", "attributes": ["readOnly"] },
    })
}
