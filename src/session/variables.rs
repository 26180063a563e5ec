//! The variables of a frame, and what one of them holds, level by level.

use super::evaluate::status_word;
use super::opened::{At, Opened};
use crate::report::{Variable, VariableStatus};
use obit_redact::Shown;
use obit_report::Pointees;
use obit_report::answer::Answer as Found;
use obit_session::{Place, Problem, VariableAnswer, VariablesAnswer, page};

/// Characters of a value in words.
const ROOM: usize = 160;
/// Levels and elements that are read of a variable in a list, and of one that is looked into.
const SHALLOW: (usize, usize) = (2, 8);
const WITHIN: (usize, usize) = (3, 256);

impl Opened {
    /// Variables of a frame, or the parts of what `of` names; `part` is how many are left out
    /// and shown.
    pub(super) fn variables(
        &self,
        at: Place,
        of: Option<&str>,
        part: (u64, u64),
    ) -> Result<VariablesAnswer, Problem> {
        let at = self.place(at)?;
        let all = match of {
            None => self.all(at)?,
            Some(of) => self.parts(at, of)?,
        };
        let page = page(all, part.0, part.1);
        Ok(VariablesAnswer {
            frame: at.handle.to_string(),
            of: of.map(|of| self.shown(of.trim())),
            variables: page.items,
            total: page.total,
            next_cursor: page.next.map(|next| next.to_string()),
        })
    }

    fn all(&self, at: At) -> Result<Vec<VariableAnswer>, Problem> {
        let mut asked = Vec::new();
        for text in ["info args", "info locals"] {
            let found = self.ask(at, text, &Self::budget(SHALLOW.0, SHALLOW.1));
            asked.push(found.map_err(|error| self.problem(&error, "stack"))?);
        }
        let printed: Vec<_> = self.judged(&[at.thread], |judge| {
            asked.iter().flat_map(|asked| judge.printed(asked)).collect()
        });
        let variables = printed.into_iter().filter_map(|printed| match printed.answer {
            Found::Value(variable) => Some(variable),
            _ => None,
        });
        Ok(variables.map(|variable| line(&variable, Some(variable.name.as_str()))).collect())
    }

    fn parts(&self, at: At, of: &str) -> Result<Vec<VariableAnswer>, Problem> {
        let of = of.trim();
        let asked = self.ask(at, of, &Self::budget(WITHIN.0, WITHIN.1));
        let instead = "variables without `of` lists the names; print evaluates expressions";
        let asked = asked.map_err(|error| self.problem(&error, instead))?;
        let printed = self
            .judged(&[at.thread], |judge| judge.printed(&asked))
            .into_iter()
            .next()
            .map(|printed| printed.answer);
        let Some(Found::Value(variable)) = printed else {
            return Err(self.problem("this is no value", instead));
        };
        if self.refusal(at, of, &variable).is_some() {
            return Err(self.problem("this is hidden at this level of redaction", instead));
        }
        Ok(parts_of(&variable, of))
    }
}

/// The parts of a value: members, elements, or what it points to.
fn parts_of(variable: &Variable, of: &str) -> Vec<VariableAnswer> {
    if let Some(target) = variable.pointee.as_deref() {
        if target.members.is_empty() {
            return vec![line(target, Some(&format!("*{}", operand(of))))];
        }
        return members(target, &format!("{}->", operand(of)));
    }
    match variable.elements.is_empty() {
        // What a container holds has no expression of its own.
        false => variable.elements.iter().map(|element| line(element, None)).collect(),
        true => members(variable, &format!("{}.", operand(of))),
    }
}

/// Members, reached by `before` and their names; elements by their index.
fn members(variable: &Variable, before: &str) -> Vec<VariableAnswer> {
    let base = before.trim_end_matches("->").trim_end_matches('.');
    let of = |member: &Variable| {
        let name = member.name.as_str();
        if name.starts_with('[') {
            return Some(format!("{base}{name}"));
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        // A base class, or a member without a name.
        (!name.is_empty() && name.chars().all(is_name)).then(|| format!("{before}{name}"))
    };
    variable.members.iter().map(|member| line(member, of(member).as_deref())).collect()
}

/// In brackets, unless a member of it can be written after it.
fn operand(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_.[]:>-$".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}

fn line(variable: &Variable, of: Option<&str>) -> VariableAnswer {
    let is_pointer = variable.pointee.is_some();
    let has_parts = is_pointer || !variable.children().is_empty() || variable.omitted > 0;
    VariableAnswer {
        name: variable.name.clone(),
        type_name: variable.type_name.clone(),
        value: Shown::from_report(variable.words(ROOM, Pointees::Shown)),
        status: status_word(variable.status),
        address: variable.address,
        of: of.filter(|_| has_parts && variable.status == VariableStatus::Ok).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &'static str) -> Variable {
        Variable { name: Shown::own(name), ..Variable::default() }
    }

    fn with_part(name: &'static str) -> Variable {
        Variable { members: vec![named("x")], ..named(name) }
    }

    #[test]
    fn parts_have_expressions_that_lead_to_them() {
        let of = |variable: &Variable, text: &str| {
            let parts = parts_of(variable, text);
            parts.into_iter().map(|part| part.of.unwrap_or_default()).collect::<Vec<_>>()
        };
        let record =
            Variable { members: vec![with_part("a"), with_part("ns::Base")], ..named("r") };
        assert_eq!(of(&record, "r"), ["r.a", ""]);
        let pointer = Variable { pointee: Some(Box::new(record)), ..named("p") };
        assert_eq!(of(&pointer, "p"), ["p->a", ""]);
        assert_eq!(of(&pointer, "*q"), ["(*q)->a", ""]);
        let list = Variable { members: vec![with_part("[0]")], ..named("l") };
        assert_eq!(of(&list, "s.l"), ["s.l[0]"]);
        let number = Variable { pointee: Some(Box::new(named("*n"))), ..named("n") };
        assert_eq!(of(&number, "n"), [""]);
    }
}
