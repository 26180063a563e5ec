//! A call of a tool: its arguments become a question, its answer a result.

use std::time::{Duration, Instant};

use obit_redact::is_token;
use obit_report::heap::HeapAnswer;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::audit::Entry;
use super::server::{Running, Server};
use super::tools::Tool;
use super::{of_store, text};
use crate::session::{Answer, Claim, Comparison, Question, SearchFor, of_report};

/// Lines of source, and units of memory, unless a call says how many; and at most.
const CONTEXT: u64 = 6;
const UNITS: u64 = 8;
const MOST_UNITS: u64 = 256;
/// Hits of a search.
const HITS: u64 = 20;
/// Tasks of each runtime, and frames of each.
const TASKS: u64 = 20;
const TASK_FRAMES: u64 = 12;
/// Rows of each list of the heap, and words that point to an address.
const HEAP_ROWS: u64 = 5;
const POINTERS: u64 = 20;

/// Why a call has no answer, and what to call instead.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    why: String,
    instead: String,
}

impl Refused {
    pub(super) fn new(why: String, instead: &str) -> Self {
        Self { why, instead: instead.to_owned() }
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let text = format!("{}. Call instead: {}", self.why.trim_end_matches('.'), self.instead);
        obit_render::visible(&text).into_owned()
    }
}

/// An answer as a document and in words.
type Answered = (Value, String);

impl Server {
    /// Calls a tool. A call that has no answer is a result, too; only one of a tool that does not
    /// exist is an error of the protocol.
    pub(super) fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        running: &Running,
    ) -> Result<Value, String> {
        let Some(tool) = Tool::named(name) else {
            let shown: String = name.chars().take(60).collect();
            return Err(format!("no tool {shown:?}; see tools/list"));
        };
        let begun = Instant::now();
        let answered = Arguments(&arguments)
            .only(&tool.names())
            .map_err(|why| Refused::new(why, name))
            .and_then(|()| self.answered(name, &Arguments(&arguments), running));
        let is_error = answered.is_err();
        let result = match answered {
            Ok((mut structured, text)) => {
                escape(&mut structured);
                let content = [json!({ "type": "text", "text": text })];
                json!({ "content": content, "structuredContent": structured, "isError": false })
            }
            Err(refused) => {
                let text = (self.discreet)(&refused.text());
                let content = [json!({ "type": "text", "text": text })];
                json!({ "content": content, "isError": true })
            }
        };
        let arguments = Value::Object(arguments);
        match self.log(name, &arguments, &result, begun.elapsed(), is_error) {
            Ok(()) => Ok(result),
            Err(problem) => {
                let content = [json!({ "type": "text", "text": problem })];
                Ok(json!({ "content": content, "isError": true }))
            }
        }
    }

    /// Logs a call. What is not logged is not revealed.
    pub(super) fn log(
        &self,
        tool: &str,
        arguments: &Value,
        result: &Value,
        took: Duration,
        is_error: bool,
    ) -> Result<(), String> {
        let client = self.client().unwrap_or_default();
        let entry = Entry {
            client: &client,
            tool,
            arguments,
            is_error,
            bytes: result.to_string().len(),
            // The words beside a document repeat it.
            hidden: tokens(result.get("structuredContent").unwrap_or(result)),
            level: &self.level,
            took,
        };
        let logged = self.audit.log(&entry);
        logged.map_err(|error| {
            format!("the audit log cannot be written, so nothing is answered: {error}")
        })
    }

    fn answered(
        &self,
        tool: &str,
        arguments: &Arguments<'_>,
        running: &Running,
    ) -> Result<Answered, Refused> {
        let outside = (&self.roots, &*self.outside);
        let wrong = |why: String| Refused::new(why, tool);
        match tool {
            "open" => {
                let path = arguments.needed("path").map_err(wrong)?;
                let program = arguments.text("program").map_err(wrong)?;
                let overview = self.cores.open((path, program), outside, running)?;
                document(&overview, text::overview(&overview))
            }
            "triage" => {
                let path = arguments.text("path").map_err(wrong)?;
                let part = arguments.part().map_err(wrong)?;
                let status = arguments.text("status").map_err(wrong)?;
                let store = self.stores.of(path, part.0 > 0, outside, running)?;
                let store = store.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let answer = of_store::groups(&store, status, part)?;
                document(&answer, text::triage(&answer))
            }
            "group" => {
                let group = arguments.needed("group").map_err(wrong)?;
                let path = arguments.text("path").map_err(wrong)?;
                let store = self.stores.of(path, true, outside, running)?;
                let store = store.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let answer = of_store::group(&store, group)?;
                document(&answer, text::group(&answer))
            }
            "compare" => {
                let mut reports = Vec::new();
                for name in ["first", "second"] {
                    let core = Some(arguments.needed(name).map_err(wrong)?);
                    match self.cores.ask(core, &Question::Report, outside, running)?.1 {
                        Answer::Report(report) => reports.push(report),
                        _ => return Err(wrong("no report".to_owned())),
                    }
                }
                let [first, second] = reports.as_slice() else {
                    return Err(wrong("two cores are compared".to_owned()));
                };
                let answer = of_report::compare(first, second);
                document(&answer, text::compare(&answer))
            }
            _ => {
                let question = question(tool, arguments).map_err(wrong)?;
                let core = arguments.text("core").map_err(wrong)?;
                let (core, answer, news) = self.cores.ask(core, &question, outside, running)?;
                let (mut structured, mut words) = said(answer)?;
                with_core(&mut structured, &core);
                if let Some(news) = news {
                    words = format!("Note: {news}\n{words}");
                }
                Ok((structured, words))
            }
        }
    }
}

/// The question that a call stands for.
fn question(tool: &str, arguments: &Arguments<'_>) -> Result<Question, String> {
    let text = |name| Ok::<_, String>(arguments.text(name)?.map(str::to_owned));
    Ok(match tool {
        "why" => Question::Why,
        "locks" => Question::Locks,
        "tasks" => Question::Tasks {
            runtime: text("runtime")?,
            state: text("state")?,
            id: arguments.count("id")?,
            most: arguments.count("limit")?.unwrap_or(TASKS),
            frames: arguments.count("frames")?.unwrap_or(TASK_FRAMES),
        },
        "heap" => Question::Heap { most: arguments.count("limit")?.unwrap_or(HEAP_ROWS) },
        "who_points_to" => {
            let of = arguments.needed("expression")?.to_owned();
            let most = arguments.count("limit")?.unwrap_or(POINTERS);
            Question::Pointers { of, at: arguments.place()?, most }
        }
        "registers" => Question::Registers { thread: arguments.number("thread")? },
        "stack" => {
            let (from, most) = arguments.part()?;
            match arguments.flag("groups")? || arguments.text("matching")?.is_some() {
                true => Question::Threads { matching: text("matching")?, from, most },
                false => Question::Stack { thread: arguments.number("thread")?, from, most },
            }
        }
        "variables" => {
            let (from, most) = arguments.part()?;
            Question::Variables { at: arguments.place()?, of: text("of")?, from, most }
        }
        "print" => {
            let expressions = arguments.texts("expressions")?;
            Question::Print { at: arguments.place()?, expressions }
        }
        "memory" => memory(arguments)?,
        "find" => find(arguments)?,
        "modules" => {
            let (from, most) = arguments.part()?;
            Question::Modules { matching: text("matching")?, from, most }
        }
        "source" => {
            let context = arguments.count("context")?.unwrap_or(CONTEXT);
            let context = u32::try_from(context).unwrap_or(u32::MAX);
            Question::Source { at: arguments.place()?, context }
        }
        "verify" => Question::Verify(claim(arguments)?),
        _ => return Err(format!("{tool} is not answered")),
    })
}

fn memory(arguments: &Arguments<'_>) -> Result<Question, String> {
    let address = arguments.needed("address")?.to_owned();
    let format = arguments.text("format")?.unwrap_or("x");
    let size = arguments.text("size")?;
    let is_letter = |text: &str| text.len() == 1 && text.bytes().all(|b| b.is_ascii_lowercase());
    if !is_letter(format) || !size.is_none_or(is_letter) {
        return Err("`format` and `size` are a letter each, as in gdb's x".to_owned());
    }
    // Strings, instructions, characters and addresses have a size of their own.
    let size = match (size, format) {
        (Some(size), _) => size,
        (None, "s" | "i" | "c" | "a") => "",
        (None, _) => "g",
    };
    let count = arguments.count("count")?.unwrap_or(UNITS).clamp(1, MOST_UNITS);
    let examine = format!("x/{count}{format}{size}");
    Ok(Question::Memory { at: arguments.place()?, examine, address })
}

fn find(arguments: &Arguments<'_>) -> Result<Question, String> {
    let (from, _) = arguments.part()?;
    let most = arguments.count("limit")?.unwrap_or(HITS);
    let text = arguments.text("text")?;
    let (value, pointer) = (arguments.word("value")?, arguments.word("pointer_to")?);
    let what = match (text, value, pointer) {
        (Some(text), None, None) => SearchFor::Text(text.to_owned()),
        (None, Some(value), None) => match arguments.count("size")?.unwrap_or(8) {
            size @ (1 | 2 | 4 | 8) => SearchFor::Value(value, u8::try_from(size).unwrap_or(8)),
            _ => return Err("`size` is 1, 2, 4 or 8".to_owned()),
        },
        (None, None, Some(start)) => {
            SearchFor::PointerTo(start, arguments.count("length")?.unwrap_or(1))
        }
        _ => return Err("give one of `text`, `value`, `pointer_to`".to_owned()),
    };
    Ok(Question::Find { what, from, most })
}

fn claim(arguments: &Arguments<'_>) -> Result<Claim, String> {
    if let Some(claim) = arguments.text("claim")? {
        let mut claim = Claim::parse(claim)?;
        // A frame beside the words.
        if let Claim::Compare { at, .. } | Claim::Freed { at, .. } = &mut claim {
            let given = arguments.place()?;
            at.thread = at.thread.or(given.thread);
            at.frame = at.frame.or(given.frame);
        }
        return Ok(claim);
    }
    let text = |name| Ok::<_, String>(arguments.needed(name)?.to_owned());
    let at = arguments.place()?;
    Ok(match arguments.text("kind")? {
        Some("compare") => Claim::Compare {
            at,
            expression: text("expression")?,
            comparison: comparison(arguments.text("comparison")?.unwrap_or("=="))?,
            value: text("value")?,
        },
        Some("waits") => Claim::Waits {
            thread: arguments.number("thread")?.ok_or("`thread` is missing")?,
            waits_for: arguments.number("waits_for")?.ok_or("`waits_for` is missing")?,
        },
        Some("freed") => Claim::Freed { at, expression: text("expression")? },
        Some("on-stack") => Claim::OnStack { thread: at.thread, function: text("function")? },
        Some("class") => Claim::Class { class: text("class")? },
        _ => {
            return Err(
                "give `claim` in words, or `kind`: compare, waits, freed, on-stack or class"
                    .to_owned(),
            );
        }
    })
}

fn comparison(word: &str) -> Result<Comparison, String> {
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|_| "`comparison` is ==, !=, <, <=, > or >=".to_owned())
}

fn said(answer: Answer) -> Result<Answered, Refused> {
    match &answer {
        Answer::Overview(one) => document(one, text::overview(one)),
        Answer::Why(one) => document(one, text::why(one)),
        Answer::Stack(one) => document(one, text::stack(one)),
        Answer::Variables(one) => document(one, text::variables(one)),
        Answer::Print(one) => document(one, text::print(one)),
        Answer::Memory(one) => document(one, text::memory(one)),
        Answer::Registers(one) => document(one, text::registers(one)),
        Answer::Modules(one) => document(one, text::modules(one)),
        Answer::Source(one) => document(one, text::source(one)),
        Answer::Locks(one) => document(one, text::locks(one)),
        Answer::Tasks(one) => document(one, text::tasks(one)),
        Answer::Heap(one) => document(one, text::heap(&HeapAnswer::Census(one.clone()))),
        Answer::Pointers(one) => document(one, text::heap(&HeapAnswer::Place(one.clone()))),
        Answer::Find(one) => document(one, text::find(one)),
        Answer::Verify(one) => document(one, text::verify(one)),
        Answer::Sources(one) => document(one, String::new()),
        Answer::Address(one) => document(one, String::new()),
        Answer::Evaluated(one) => document(one, String::new()),
        Answer::Names(one) => document(one, String::new()),
        Answer::Report(one) => document(one, String::new()),
        // No tool asks for these.
        Answer::Look(one) => document(one, String::new()),
        Answer::Code(one) => document(one, String::new()),
        Answer::File(one) => document(one, String::new()),
    }
}

fn document(answer: &impl Serialize, text: String) -> Result<Answered, Refused> {
    let value = serde_json::to_value(answer);
    value.map(|value| (value, text)).map_err(|error| Refused::new(error.to_string(), "why"))
}

/// Questions that an answer suggests are about the same core.
fn with_core(answer: &mut Value, core: &str) {
    let next = answer.get_mut("next").and_then(Value::as_array_mut);
    for next in next.into_iter().flatten() {
        if let Some(arguments) = next.get_mut("arguments").and_then(Value::as_object_mut) {
            arguments.insert("core".to_owned(), core.into());
        }
    }
}

/// Tokens that stand for hidden texts in all texts of a value.
fn tokens(value: &Value) -> usize {
    match value {
        Value::String(text) => {
            let begins = text.match_indices('<');
            let is_one = |(at, _): &(usize, &str)| {
                let rest = text.get(*at..).unwrap_or_default();
                let end = rest.find('>').map(|end| end + 1);
                end.and_then(|end| rest.get(..end)).is_some_and(is_token)
            };
            begins.filter(is_one).count()
        }
        Value::Array(all) => all.iter().map(tokens).sum(),
        Value::Object(fields) => fields.values().map(tokens).sum(),
        _ => 0,
    }
}

/// Escapes in all texts what an editor, a terminal or a reader would obey or not see.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(visible) = obit_render::visible(text) {
                *text = visible;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hidden_text_of_an_answer_is_counted_wherever_it_is() {
        let answer = json!({
            "a": "from <email:a91f> to <email:0b2c>, a < b > c, <stdin>",
            "b": [{ "c": "<code>" }, 3, "<", "<<email:a91f>"],
        });
        assert_eq!(tokens(&answer), 4);
        assert_eq!(tokens(&json!("none")), 0);
    }
}
