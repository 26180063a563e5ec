//! Expressions, a few words for the console, and what may be typed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, arguments, no_answer};
use super::text::plain;
use super::wire::Failed;
use crate::session::{Answer, FrameHandle, Look, Place, Printed, Question, Whose};
use obit_report::answer::MemoryDump;

/// Names that are proposed.
const MOST_NAMES: usize = 200;
/// Characters of what is typed.
const LONGEST: usize = 2048;
/// Words of the console, and what they answer.
const WORDS: [(&str, &str); 4] = [
    ("why", "why the process crashed, with the evidence"),
    ("bt", "the threads, those with the same stack together"),
    ("locks", "who waits for whom"),
    ("help", "these words"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evaluate {
    expression: String,
    #[serde(default)]
    frame_id: Option<i64>,
    #[serde(default)]
    context: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completions {
    text: String,
    column: usize,
    #[serde(default)]
    frame_id: Option<i64>,
}

impl Debuggee {
    pub(super) fn evaluate(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Evaluate = arguments(given)?;
        let text = wanted.expression.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(Failed::Refused(format!("an expression has 1 to {LONGEST} bytes")));
        }
        let handle = self.handle(wanted.frame_id)?;
        if wanted.context.as_deref() == Some("repl") {
            if let Some(answer) = self.word(text)? {
                return Ok(json!({ "result": answer, "variablesReference": 0 }));
            }
            if is_command(text) {
                let answer = self.printed(text, handle)?;
                return Ok(json!({ "result": answer, "variablesReference": 0 }));
            }
        }
        let question = Question::Look(Look {
            at: place(handle),
            whose: Whose::Expression(text.to_owned()),
            within: Vec::new(),
            from: 0,
            most: 1,
            is_list: false,
        });
        let Answer::Look(answer) = self.ask(&question)? else { return Err(no_answer()) };
        let handle = answer.frame.parse::<FrameHandle>().map_err(Failed::Refused)?;
        let of = answer.of.ok_or_else(no_answer)?;
        if wanted.context.as_deref() == Some("hover") && of.status.is_some() {
            // A hover shows nothing rather than why there is nothing.
            return Err(Failed::Refused(plain(&of.value)));
        }
        Ok(self.value(handle, &of, None))
    }

    /// A word of the console.
    fn word(&mut self, text: &str) -> Result<Option<String>, Failed> {
        Ok(Some(match text {
            "why" => self.cause_text(),
            "help" => {
                let words = WORDS.iter().map(|(word, about)| format!("{word}: {about}\n"));
                let words: String = words.collect();
                format!(
                    "{words}An expression, `p/x EXPR`, `x/8gx ADDRESS`, `ptype EXPR`, \
                     `info locals` and the like are answered as by `obit print`."
                )
            }
            "bt" | "info threads" => {
                let question = Question::Threads { matching: None, from: 0, most: 50 };
                let Answer::Stack(found) = self.ask(&question)? else { return Err(no_answer()) };
                let groups = found.groups.iter().map(|group| {
                    let crashed = if group.crashed { " crashed" } else { "" };
                    let stack = group.stack.iter().map(plain).collect::<Vec<_>>().join(" < ");
                    format!("{} threads{crashed} {:?}: {stack}", group.count, group.threads)
                });
                groups.collect::<Vec<_>>().join("\n")
            }
            "locks" => {
                let Answer::Locks(found) = self.ask(&Question::Locks)? else {
                    return Err(no_answer());
                };
                let waits = found.waits.iter().map(|wait| wait.sentence(&plain(&wait.lock)));
                let waits = waits.collect::<Vec<_>>().join("\n");
                if waits.is_empty() {
                    "no deadlock was found, and no thread that waits for a lock, a condition or another thread"
                        .to_owned()
                } else {
                    waits
                }
            }
            _ => return Ok(None),
        }))
    }

    /// What `obit print` answers, in lines.
    fn printed(&mut self, text: &str, at: Option<FrameHandle>) -> Result<String, Failed> {
        let question = Question::Print { at: place(at), expressions: vec![text.to_owned()] };
        let Answer::Print(found) = self.ask(&question)? else { return Err(no_answer()) };
        if let [Printed { error: Some(error), .. }] = found.answers.as_slice() {
            return Err(Failed::Refused(plain(error)));
        }
        let is_list = text.starts_with('i');
        let line = |one: &Printed| match (&one.error, &one.value, &one.memory) {
            (Some(error), ..) => plain(error),
            (_, Some(value), _) if is_list => {
                format!("{} = {}", plain(&one.expression), plain(value))
            }
            (_, Some(value), _) => plain(value),
            (_, _, Some(memory)) => memory_lines(memory),
            _ => one.declaration.iter().map(plain).collect::<Vec<_>>().join("\n"),
        };
        let lines: Vec<_> = found.answers.iter().map(line).collect();
        Ok(if lines.is_empty() { "none".to_owned() } else { lines.join("\n") })
    }

    pub(super) fn completions(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Completions = arguments(given)?;
        let handle = self.handle(wanted.frame_id)?;
        let column = if self.counting.columns_from_one { 1 } else { 0 };
        let typed: String =
            wanted.text.chars().take(wanted.column.saturating_sub(column)).collect();
        if typed.len() > LONGEST {
            return Ok(json!({ "targets": [] }));
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let word_at = typed.rfind(|c| !is_part(c)).map_or(0, |at| {
            at + typed.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let (before, word) = typed.split_at_checked(word_at).unwrap_or((&typed, ""));
        let start = before.chars().count();
        let mut names: Vec<(String, &str)> = Vec::new();
        let base = before.strip_suffix("->").or_else(|| before.strip_suffix('.'));
        match base {
            Some(base) => {
                let expression = operand_at_end(base);
                for name in self.names(Whose::Expression(expression.to_owned()), handle) {
                    names.push((name, "field"));
                }
            }
            None => {
                for whose in [Whose::Arguments, Whose::Locals] {
                    let found = self.names(whose, handle);
                    names.extend(found.into_iter().map(|name| (name, "variable")));
                }
                if word.starts_with('$') {
                    let found = self.names(Whose::Registers, handle);
                    names.extend(found.into_iter().map(|name| (format!("${name}"), "value")));
                }
                if before.trim().is_empty() {
                    names.extend(WORDS.iter().map(|(word, _)| ((*word).to_owned(), "keyword")));
                }
            }
        }
        names.retain(|(name, _)| name.starts_with(word));
        names.truncate(MOST_NAMES);
        let length = word.chars().count();
        let target = |(name, kind): &(String, &str)| json!({ "label": name, "type": kind, "start": start, "length": length });
        Ok(json!({ "targets": names.iter().map(target).collect::<Vec<_>>() }))
    }

    /// Names of a list that can be typed. What has none is no reason to fail.
    fn names(&mut self, whose: Whose, at: Option<FrameHandle>) -> Vec<String> {
        let (within, most) = (Vec::new(), MOST_NAMES as u64);
        let look = Look { at: place(at), whose, within, from: 0, most, is_list: false };
        let Ok(Answer::Look(answer)) = self.ask(&Question::Look(look)) else { return Vec::new() };
        let is_name = |name: &String| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        answer.parts.iter().map(|part| plain(&part.name)).filter(is_name).collect()
    }
}

fn place(at: Option<FrameHandle>) -> Place {
    Place { thread: at.map(|at| at.thread), frame: at.map(|at| at.frame) }
}

/// Whether what is typed is a command of `obit print` rather than an expression alone.
fn is_command(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let known = ["p", "print", "x", "ptype", "whatis", "info", "i", "output", "inspect"];
    let is_known = known.contains(&word) && rest.starts_with([' ', '/']);
    is_known || text.starts_with('/')
}

/// The operand that a text ends with: what `.` would take a member of.
fn operand_at_end(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' if depth == 0 => break,
            '(' | '[' => depth -= 1,
            _ if depth > 0 => {}
            '>' if text.get(..at).is_some_and(|before| before.ends_with('-')) => {}
            '-' if text.get(at..).is_some_and(|rest| rest.starts_with("->")) => {}
            c if c.is_alphanumeric() || "_.$:".contains(c) => {}
            _ => break,
        }
        start = at;
    }
    text.get(start..).unwrap_or_default()
}

fn memory_lines(memory: &MemoryDump) -> String {
    let rows = memory.rows.iter().map(|row| {
        let mut line = row.address.to_string();
        if let Some(symbol) = &row.symbol {
            line.push_str(&format!(" <{}>", plain(symbol)));
        }
        line.push(':');
        let values = row.values.iter().chain(&row.text).chain(&row.instruction);
        for value in values {
            line.push(' ');
            line.push_str(&plain(value));
        }
        if let Some(why) = &row.unavailable {
            line.push_str(&format!(" <unavailable: {}>", plain(why)));
        }
        line
    });
    let mut lines: Vec<_> = rows.collect();
    if memory.omitted > 0 {
        lines.push(format!("{} more are not shown", memory.omitted));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_taken_of_the_operand_that_ends_there() {
        assert_eq!(operand_at_end("1 + job->next"), "job->next");
        assert_eq!(operand_at_end("f(a[2].b"), "a[2].b");
        assert_eq!(operand_at_end("(*p)"), "(*p)");
        assert_eq!(operand_at_end("a - b"), "b");
        assert_eq!(operand_at_end(""), "");
    }

    #[test]
    fn commands_of_print_differ_from_expressions() {
        for text in ["p/x a", "x/4gx $sp", "ptype a", "info locals", "/x a"] {
            assert!(is_command(text), "{text}");
        }
        for text in ["p", "x", "p->next", "xs / 2", "information"] {
            assert!(!is_command(text), "{text}");
        }
    }
}
