//! The prompt on a terminal: editing of lines, completion, history.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use obit::redact::Level;
use obit::shell::{Completion, Flow};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::Prompt;
use super::history::History;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;

const PROMPT: &str = "(obit) ";

/// What the editor asks while a line is typed.
struct Helping<'p, 'a> {
    prompt: Rc<RefCell<&'p mut Prompt<'a>>>,
}

impl Completer for Helping<'_, '_> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let Ok(mut prompt) = self.prompt.try_borrow_mut() else { return Ok((at, Vec::new())) };
        super::crash::begin();
        let before = line.get(..at).unwrap_or(line);
        let Completion { start, candidates } = prompt.shell.complete(before);
        Ok((start, candidates))
    }
}

impl Hinter for Helping<'_, '_> {
    type Hint = String;
}

impl Highlighter for Helping<'_, '_> {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Validator for Helping<'_, '_> {}
impl Helper for Helping<'_, '_> {}

/// Reads and performs commands until the user leaves.
pub(super) fn run(mut prompt: Prompt<'_>) -> Result<(), Failure> {
    let bug = |error: ReadlineError| Failure::new(Exit::Bug, &error);
    let is_kept = !prompt.args.no_history && prompt.args.redaction.level != Level::Off;
    let history = History::new(is_kept);
    let config = Config::builder().completion_type(CompletionType::List).build();
    let shared = Rc::new(RefCell::new(&mut prompt));
    let mut editor: Editor<Helping<'_, '_>, MemHistory> =
        Editor::with_history(config, MemHistory::new()).map_err(bug)?;
    editor.set_helper(Some(Helping { prompt: Rc::clone(&shared) }));
    for line in history.lines() {
        // One that is refused is not offered.
        let _ = editor.add_history_entry(line);
    }
    let mut added = Vec::new();
    let ended = loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    let _ = editor.add_history_entry(&line);
                    if History::keeps(&line) {
                        added.push(line.clone());
                    }
                }
                match shared.borrow_mut().perform(&line) {
                    Ok(Flow::On) => {}
                    Ok(Flow::Leave) => break Ok(()),
                    Err(failure) => break Err(failure),
                }
            }
            // Ctrl-C drops the line that is typed.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break Ok(()),
            Err(error) => break Err(bug(error)),
        }
    };
    if let Err(error) = history.write(&added) {
        say(&format!("the history of commands was not kept: {error}"));
    }
    ended
}
