//! Expressions, memory and types with all that `obit print` shows of them; a value that is computed
//! from something hidden is hidden.

use super::evaluate::HIDDEN_ADDRESS;
use super::opened::Opened;
use crate::report::{Variable, operand};
use obit_process::print;
use obit_process::value::Budget;
use obit_redact::{Origin, Shown};
use obit_report::answer::{Answer as Found, Printed};
use obit_session::{Evaluated, NamesAnswer, Place, Problem};

/// Names that are listed.
const MOST_NAMES: usize = 2000;

impl Opened {
    pub(super) fn evaluated(&self, at: Place, text: &str) -> Result<Vec<Evaluated>, Problem> {
        let at = self.place(at)?;
        let budget = Budget::default().with(self.build.max_depth, self.build.max_elements);
        let asked = self.ask(at, text, &budget);
        let asked = asked.map_err(|error| self.problem(&error, "variables"))?;
        if let print::Answer::Elsewhere(command) = asked.answer {
            return Err(self.problem(&format!("`{command}` has the answer"), "stack"));
        }
        let is_memory = matches!(&asked.answer, print::Answer::Memory(_));
        if is_memory && self.is_hidden_number(at, operand(text)) {
            return Err(self.problem(HIDDEN_ADDRESS, "variables"));
        }
        let is_one = matches!(&asked.answer, print::Answer::Values(all) if all.len() == 1);
        let all = self.judged(&[at.thread], |judge| judge.printed(&asked));
        let judged = all.into_iter().map(|printed| match printed.answer {
            Found::Value(variable) if is_one => {
                let answer = match self.refusal(at, text, &variable) {
                    None => Found::Value(variable),
                    Some(hidden) => Found::Value(Variable {
                        formatted: Some(Shown::from_report(hidden)),
                        name: variable.name,
                        type_name: variable.type_name,
                        ..Variable::default()
                    }),
                };
                Printed { answer, ..printed }
            }
            _ => printed,
        });
        Ok(judged.map(Evaluated::from).collect())
    }

    pub(super) fn names(&self, at: Place) -> Result<NamesAnswer, Problem> {
        let at = self.place(at)?;
        let view = self.process.frame_view(at.thread, at.frame);
        let names = view.map(|view| view.names()).unwrap_or_default();
        let names = self.judged(&[at.thread], |judge| {
            let names = names.iter().take(MOST_NAMES);
            names.map(|name| judge.redactor().show(Origin::SymbolName, name)).collect()
        });
        Ok(NamesAnswer { names })
    }
}
