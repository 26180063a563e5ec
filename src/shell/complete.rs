//! What the Tab key completes.

use super::commands::COMMANDS;
use super::information;
use super::state::Shell;
use super::words::{Found, Words, find};
use crate::session::{Answer, Question};

/// Candidates that are offered.
const MOST: usize = 200;
/// Members that are asked for.
const MEMBERS: u64 = 200;

/// What a part of a line may become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte at which the part begins.
    pub start: usize,
    /// What it may become.
    pub candidates: Vec<String>,
}

impl Shell {
    /// What the word that ends `line` may become.
    pub fn complete(&mut self, line: &str) -> Completion {
        let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let start = line.trim_end_matches(is_of_name).len();
        let begin = line.get(start..).unwrap_or_default();
        let trimmed = line.trim_start();
        let at_command = trimmed.chars().all(|c| c.is_ascii_alphanumeric());
        let names = match at_command {
            true => COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
            false => self.operands(line.get(..start).unwrap_or_default()),
        };
        let mut candidates: Vec<String> =
            names.into_iter().filter(|name| name.starts_with(begin) && is_plain(name)).collect();
        candidates.sort();
        candidates.dedup();
        candidates.truncate(MOST);
        Completion { start, candidates }
    }

    /// Words that may follow `before`.
    fn operands(&mut self, before: &str) -> Vec<String> {
        let words = Words::of(before);
        let Ok(Found::Command(command)) = find(words.command) else { return Vec::new() };
        match command.name {
            "info" if words.rest.is_empty() => information::subjects().map(str::to_owned).collect(),
            "help" => COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
            "thread" if words.rest.is_empty() => vec!["apply".to_owned(), "find".to_owned()],
            "thread" if words.rest == "apply" => vec!["all".to_owned()],
            "backtrace" => vec!["full".to_owned()],
            "info" | "print" | "output" | "x" | "ptype" | "whatis" | "find" | "disassemble"
            | "list" | "verify" => match of_member(words.rest) {
                Some(base) => self.members(base),
                None => self.names(),
            },
            _ => Vec::new(),
        }
    }

    /// Variables of the frame, functions on the stacks, registers.
    fn names(&mut self) -> Vec<String> {
        let question = Question::Names { at: self.place() };
        let mut names: Vec<String> = match self.ask(&question) {
            Ok(Answer::Names(answer)) => {
                answer.names.into_iter().map(|name| name.as_str().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        let frames = self.report.threads.iter().flat_map(|thread| &thread.frames);
        let functions = frames.filter_map(|frame| frame.function.as_ref());
        names.extend(functions.map(|name| name.as_str().to_owned()));
        if let Some(thread) = self.chosen_thread() {
            names.extend(thread.registers.keys().map(|name| format!("${name}")));
        }
        names
    }

    /// Members of what an expression names.
    fn members(&mut self, base: &str) -> Vec<String> {
        let of = Some(base.to_owned());
        let question = Question::Variables { at: self.place(), of, from: 0, most: MEMBERS };
        match self.ask(&question) {
            Ok(Answer::Variables(answer)) => {
                let names = answer.variables.into_iter().map(|one| one.name.as_str().to_owned());
                names.collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The expression whose member is typed: `a->b` of `p a->b.`.
fn of_member(text: &str) -> Option<&str> {
    let base = text.strip_suffix("->").or_else(|| text.strip_suffix('.'))?;
    let is_part = |c: char| c.is_alphanumeric() || "_.$[]>-:".contains(c);
    let begin = base.trim_end_matches(is_part).len();
    base.get(begin..).filter(|base| !base.is_empty())
}

/// A name that can be typed as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$:-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_of_the_expression_before_it() {
        assert_eq!(of_member("job->"), Some("job"));
        assert_eq!(of_member("1 + job->owner."), Some("job->owner"));
        assert_eq!(of_member("*a[1]."), Some("a[1]"));
        assert_eq!(of_member("job"), None);
        assert_eq!(of_member("."), None);
    }
}
