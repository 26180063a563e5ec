//! Expressions and memory: as `obit print` answers them. A value that is computed from something
//! hidden is hidden, as in `obit query`: an expression that is asked again and again would say
//! what it is.

use super::opened::{At, Opened};
use crate::query::{Cell, Column, Datum, values};
use crate::report::{Asked, Variable, VariableStatus, operand};
use obit_corefile::addr::Avma;
use obit_process::print::{self, PrintError, Wrong, frame_with, parts};
use obit_process::value::Budget;
use obit_redact::{Level, Shown};
use obit_report::answer::{Answer as Found, MemoryDump};
use obit_report::{Hex, Pointees};
use obit_session::{
    AddressAnswer, FrameHandle, MemoryAnswer, Place, PrintAnswer, Printed, Problem,
};

/// Expressions of one question, and bytes of one.
pub(super) const MOST_EXPRESSIONS: usize = 16;
pub(super) const LONGEST_EXPRESSION: usize = 2048;
/// Characters of a value in words.
const ROOM: usize = 400;
/// Levels of members, and elements, of a printed value.
const DEPTH: usize = 3;
const ELEMENTS: usize = 32;
/// Characters of one text.
const TEXT: usize = 1024;

/// Why a value may not be shown, where its parts may not.
const COMPUTED: &str = "it is computed from something that is hidden";

impl Opened {
    pub(super) fn budget(depth: usize, elements: usize) -> Budget {
        let mut budget = Budget::default().with(Some(depth), Some(elements));
        budget.max_text = TEXT;
        budget
    }

    /// What `text` comes to in a frame.
    pub(super) fn ask(&self, at: At, text: &str, budget: &Budget) -> Result<Asked, String> {
        if text.len() > LONGEST_EXPRESSION {
            return Err(format!("an expression has at most {LONGEST_EXPRESSION} bytes"));
        }
        let view = self.process.frame_view(at.thread, at.frame);
        let view = view.ok_or_else(|| "this frame could not be unwound".to_owned())?;
        let answer = print::answer(&self.process, &view, text, budget);
        let answer = answer.map_err(|error| self.wrong(at, &error))?;
        Ok(Asked {
            text: text.to_owned(),
            thread: at.thread,
            frame: at.frame,
            frame_number: at.handle.frame,
            answer,
        })
    }

    /// What is wrong with an expression, with the frame that has its variable.
    fn wrong(&self, at: At, error: &PrintError) -> String {
        let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
        match error {
            PrintError::Syntax(syntax) => {
                format!("syntax error at byte {}: {error}{hint}", syntax.span.start + 1)
            }
            PrintError::Meaning { why: Wrong::NotFound { name, near }, .. } => {
                let here = format!("no variable `{name}` in frame {}", at.handle);
                let other = frame_with(&self.process, at.thread, name);
                let other = other.filter(|frame| *frame != at.frame);
                let thread = self.process.threads.get(at.thread);
                match other.zip(thread) {
                    Some((frame, thread)) => {
                        let frame = thread.number_of(frame) as u64;
                        let handle = FrameHandle { frame, ..at.handle };
                        format!("{here}; frame {handle} has one")
                    }
                    None => format!("{here}{}", Wrong::suggestion(near)),
                }
            }
            _ => format!("{error}{hint}"),
        }
    }

    /// The cell of an expression, which is hidden if a part of what it is computed from is.
    pub(super) fn cell(&self, at: At, text: &str) -> Option<Cell> {
        let column = Column { name: String::new(), expression: text.to_owned(), span: 0..0 };
        let rows = values(&self.process, &self.build, &[column], &[(at.thread, at.frame)]);
        rows.into_iter().next()?.into_iter().next()
    }

    /// Why the value of an expression may not be shown, of which `shown` would be.
    pub(super) fn refusal(&self, at: At, text: &str, shown: &Variable) -> Option<String> {
        if self.build.redaction == Level::Off || shown.status != VariableStatus::Ok {
            return None;
        }
        let is_leaf = shown.members.is_empty() && shown.elements.is_empty();
        let view = self.process.frame_view(at.thread, at.frame)?;
        // What has members has names, by which each of them was judged.
        if !is_leaf && !parts(&self.process, &view, text).is_computed {
            return None;
        }
        match self.cell(at, text)?.datum {
            Datum::Hidden(token) => Some(token),
            Datum::Unavailable(_) => Some(COMPUTED.to_owned()),
            _ => None,
        }
    }

    pub(super) fn print(&self, at: Place, expressions: &[String]) -> Result<PrintAnswer, Problem> {
        let at = self.place(at)?;
        if expressions.is_empty() || expressions.len() > MOST_EXPRESSIONS {
            let text = format!("1 to {MOST_EXPRESSIONS} expressions are printed at once");
            return Err(self.problem(&text, "print with fewer expressions"));
        }
        let mut answer = PrintAnswer { frame: at.handle.to_string(), answers: Vec::new() };
        for text in expressions {
            match self.ask(at, text, &Self::budget(DEPTH, ELEMENTS)) {
                Ok(asked) => answer.answers.extend(self.printed(at, &asked)),
                Err(error) => {
                    let expression = self.shown(text.trim());
                    let error = Some(self.shown(&error));
                    answer.answers.push(Printed { expression, error, ..Printed::default() });
                }
            }
        }
        Ok(answer)
    }

    pub(super) fn printed(&self, at: At, asked: &Asked) -> Vec<Printed> {
        if let print::Answer::Elsewhere(_) = asked.answer {
            let expression = self.shown(asked.text.trim());
            let error = "another tool has it: `stack` (with groups=true: all threads), `memory`, \
                         `modules`";
            let error = Some(Shown::own(error));
            return vec![Printed { expression, error, ..Printed::default() }];
        }
        let is_one = matches!(&asked.answer, print::Answer::Values(all) if all.len() == 1);
        let all = self.judged(&[at.thread], |judge| judge.printed(asked));
        let found = all.into_iter().map(|printed| match printed.answer {
            Found::Value(variable) => {
                let hidden = is_one.then(|| self.refusal(at, &asked.text, &variable)).flatten();
                match hidden {
                    None => value(&variable),
                    Some(hidden) => Printed {
                        expression: variable.name,
                        type_name: variable.type_name,
                        value: Some(Shown::from_report(hidden)),
                        ..Printed::default()
                    },
                }
            }
            Found::Memory(memory) if self.is_hidden_number(at, operand(&asked.text)) => Printed {
                expression: memory.expression,
                error: Some(Shown::own(HIDDEN_ADDRESS)),
                ..Printed::default()
            },
            Found::Memory(memory) => Printed {
                expression: memory.expression.clone(),
                memory: Some(memory),
                ..Printed::default()
            },
            Found::Type(text) => Printed {
                expression: text.expression,
                declaration: text.declaration,
                ..Printed::default()
            },
        });
        found.collect()
    }

    /// Memory from the value of an expression on, and what is there.
    pub(super) fn memory(
        &self,
        at: Place,
        examine: &str,
        address: &str,
    ) -> Result<MemoryAnswer, Problem> {
        let at = self.place(at)?;
        let text = format!("{examine} {address}");
        let asked = self.ask(at, &text, &Self::budget(DEPTH, ELEMENTS));
        let asked = asked.map_err(|error| self.problem(&error, INSTEAD))?;
        let print::Answer::Memory(examined) = &asked.answer else {
            return Err(self.problem(&self.no_address(at, &asked), INSTEAD));
        };
        if self.is_hidden_number(at, address) {
            return Err(self.problem(HIDDEN_ADDRESS, INSTEAD));
        }
        let start = examined.start;
        let (all, what) =
            self.judged(&[at.thread], |judge| (judge.printed(&asked), judge.address(start)));
        let found = all.into_iter().find_map(|one| match one.answer {
            Found::Memory(memory) => Some(memory),
            _ => None,
        });
        let memory = found.unwrap_or_else(MemoryDump::default);
        Ok(MemoryAnswer { frame: at.handle.to_string(), what, memory })
    }

    /// Why an expression gives no address.
    fn no_address(&self, at: At, asked: &Asked) -> String {
        let printed = self.printed(at, asked);
        let value = printed.first().and_then(|one| one.value.as_ref());
        let value = value.map_or("it has no value", Shown::as_str);
        format!("`{}` gives no address: {value}", asked.text.trim())
    }

    /// The address that an expression gives.
    pub(super) fn address_of(&self, at: At, text: &str) -> Result<Avma, String> {
        let asked = self.ask(at, &format!("x/1xb {text}"), &Self::budget(1, 1))?;
        match &asked.answer {
            print::Answer::Memory(_) if self.is_hidden_number(at, text) => {
                Err(HIDDEN_ADDRESS.to_owned())
            }
            print::Answer::Memory(examined) => Ok(examined.start),
            _ => Err(self.no_address(at, &asked)),
        }
    }

    pub(super) fn address(&self, at: Place, of: &str) -> Result<AddressAnswer, Problem> {
        self.address_asked(at, of).map(|address| self.what_is(address))
    }

    /// The address that `of` gives in a frame.
    pub(super) fn address_asked(&self, at: Place, of: &str) -> Result<Avma, Problem> {
        let address = self.address_of(self.place(at)?, of);
        address.map_err(|error| self.problem(&error, INSTEAD))
    }

    /// Whether a pointer is hidden.
    pub(super) fn is_hidden_number(&self, at: At, of: &str) -> bool {
        let cell = self.cell(at, of);
        self.build.redaction != Level::Off
            && matches!(cell.map(|cell| cell.datum), Some(Datum::Hidden(_)))
    }

    /// What is at an address.
    pub(super) fn what_is(&self, address: Avma) -> AddressAnswer {
        let region = self.process.memory.region_at(address);
        let (what, shown) = self
            .judged(&[], |judge| (judge.address(address), judge.redactor().show_word(address.0)));
        let what = what.or_else(|| match region {
            None => Some(Shown::own("nothing is mapped there")),
            Some(region) => {
                let rights = region.permissions;
                Some(Shown::own(match (rights.execute, rights.write, rights.read) {
                    (true, ..) => "executable memory that no known file backs",
                    (_, true, _) => "writable memory: heap of another allocator, or a mapping",
                    (_, _, true) => "memory that can only be read",
                    _ => "memory without rights, such as a guard page",
                }))
            }
        });
        AddressAnswer { address: Hex(shown), what, mapped: region.is_some() }
    }
}

/// Why memory is not read: where it is would say what is hidden.
pub(super) const HIDDEN_ADDRESS: &str = "the address is computed from something that is hidden";

const INSTEAD: &str = "variables lists what the frame has; stack lists other frames";

/// A value in words.
fn value(variable: &Variable) -> Printed {
    let formatted = variable.formatted.clone();
    let value =
        formatted.unwrap_or_else(|| Shown::from_report(variable.words(ROOM, Pointees::Shown)));
    Printed {
        expression: variable.name.clone(),
        type_name: variable.type_name.clone(),
        value: Some(value),
        status: status_word(variable.status),
        address: variable.address,
        ..Printed::default()
    }
}

/// As documents have it, of a value that is not there.
pub(super) fn status_word(status: VariableStatus) -> Option<String> {
    let word = match status {
        VariableStatus::Ok => return None,
        VariableStatus::OptimizedOut => "optimized_out",
        VariableStatus::Unavailable => "unavailable",
        VariableStatus::ImplicitPointer => "implicit_pointer",
    };
    Some(word.to_owned())
}
