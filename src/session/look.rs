//! Trees of variables: the lists of a frame, and what each of them holds, a level at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::status_word;
use super::opened::{At, Opened};
use crate::report::{Asked, Variable, VariableStatus, VariableValue};
use obit_dwarf::Variable as Declared;
use obit_process::print;
use obit_process::value::{Budget, Value, tree};
use obit_redact::Shown;
use obit_report::answer::Answer as Found;
use obit_report::{Hex, Pointees};
use obit_session::{Look, LookAnswer, MOST_PARTS, Part, Place, Problem, Whose, of_report, page};

/// Characters of a value in words.
const ROOM: usize = 200;
/// Levels below a part that are read: they are in its words, and counted.
const BELOW: usize = 3;
/// Elements of what is below.
const ELEMENTS: usize = 16;
/// Levels that a question may go down from where it begins: from further down an expression
/// leads on.
const DEEPEST: usize = 24;
/// Members and elements that are read for one answer.
const MOST_NODES: usize = 200_000;
/// Globals of a file that are listed.
const MOST_GLOBALS: usize = 5000;

/// A variable, and the expression that gives it, where that is certain.
struct Named<'v> {
    variable: &'v Variable,
    expression: Option<String>,
}

impl Opened {
    pub(super) fn look(&self, look: &Look) -> Result<LookAnswer, Problem> {
        let at = self.place(look.at)?;
        let frame = at.handle.to_string();
        if look.within.len() > DEEPEST {
            return Err(self.problem("this is too deep", "an expression that leads there"));
        }
        let list = match &look.whose {
            Whose::Registers => {
                let page = page(self.registers_of(look.at)?, look.from, look.most);
                let (parts, total) = (page.items, page.total);
                return Ok(LookAnswer { frame, parts, total, ..LookAnswer::default() });
            }
            Whose::Expression(text) => {
                let text = text.trim();
                let variable = self.value_of(at, text, look)?;
                let expression = print::parse(text, &|_| true).is_ok().then(|| text.to_owned());
                return self.parts_of(frame, &Named { variable: &variable, expression }, look, 0);
            }
            Whose::Arguments => self.of_frame(at, "info args", look)?,
            Whose::Locals => self.of_frame(at, "info locals", look)?,
            Whose::Globals => return self.globals(at, frame, look),
        };
        // An expression means the first variable of a name: `firsts` says in which list that is.
        let view = self.process.frame_view(at.thread, at.frame);
        let all = view.map(|view| view.variables()).unwrap_or_default();
        let mut firsts = BTreeMap::new();
        for (variable, _) in all {
            if let Some(name) = variable.name {
                firsts.entry(name.to_string()).or_insert(variable.is_argument);
            }
        }
        let are_arguments = look.whose == Whose::Arguments;
        let list = list.iter().map(|variable| {
            let name = variable.name.as_str();
            let is_first = firsts.remove(name) == Some(are_arguments);
            let expression = (is_first && is_identifier(name)).then(|| name.to_owned());
            Named { variable, expression }
        });
        let list: Vec<_> = list.collect();
        match look.within.first() {
            None => Ok(listed(frame, &list, look)),
            Some(number) => {
                let found = usize::try_from(*number).ok().and_then(|number| list.get(number));
                let found = found.ok_or_else(|| self.no_part())?;
                self.parts_of(frame, found, look, 1)
            }
        }
    }

    fn no_part(&self) -> Problem {
        self.problem("it has no such part", "the list that it is in")
    }

    /// How much is read to answer.
    fn budget_of(look: &Look) -> Budget {
        let wanted = look.from.saturating_add(look.most).min(MOST_PARTS);
        let wanted = if look.is_list { wanted } else { 0 };
        let on_the_way = look.within.iter().copied().max().unwrap_or(0).saturating_add(1);
        let elements = usize::try_from(wanted.max(on_the_way.min(MOST_PARTS))).unwrap_or(0);
        let elements = elements.max(ELEMENTS);
        let mut budget = Self::budget(look.within.len().saturating_add(BELOW), elements);
        budget.max_nodes = budget.max_nodes.max(elements.saturating_mul(64)).min(MOST_NODES);
        budget.max_pointers = look.within.len().saturating_add(2);
        budget
    }

    fn of_frame(&self, at: At, text: &str, look: &Look) -> Result<Vec<Variable>, Problem> {
        let budget = match look.within.is_empty() {
            true => Self::budget(BELOW, ELEMENTS),
            false => Self::budget_of(look),
        };
        let asked = self.ask(at, text, &budget);
        let asked = asked.map_err(|error| self.problem(&error, "stack"))?;
        Ok(self.variables_in(at, &asked))
    }

    fn variables_in(&self, at: At, asked: &Asked) -> Vec<Variable> {
        let printed = self.judged(&[at.thread], |judge| judge.printed(asked));
        let value = |one: obit_report::answer::Printed| match one.answer {
            Found::Value(variable) => Some(variable),
            _ => None,
        };
        printed.into_iter().filter_map(value).collect()
    }

    /// The value of an expression, unless it is computed from something hidden.
    fn value_of(&self, at: At, text: &str, look: &Look) -> Result<Variable, Problem> {
        let instead = "an expression, such as a variable of the frame";
        let asked = self.ask(at, text, &Self::budget_of(look));
        let asked = asked.map_err(|error| self.problem(&error, instead))?;
        let is_one = matches!(&asked.answer, print::Answer::Values(all) if all.len() == 1);
        let variable = self.variables_in(at, &asked).into_iter().next().filter(|_| is_one);
        let variable = variable.ok_or_else(|| self.problem("this is no value", instead))?;
        Ok(match self.refusal(at, text, &variable) {
            None => variable,
            Some(hidden) => Variable {
                name: variable.name,
                type_name: variable.type_name,
                formatted: Some(Shown::from_report(hidden)),
                ..Variable::default()
            },
        })
    }

    /// The parts of `root` that `look` asks for, of whose way the first `done` are gone already.
    fn parts_of(
        &self,
        frame: String,
        root: &Named<'_>,
        look: &Look,
        done: usize,
    ) -> Result<LookAnswer, Problem> {
        let mut parts =
            vec![Named { variable: root.variable, expression: root.expression.clone() }];
        for number in look.within.iter().skip(done) {
            let mut below = parts.pop().map(|last| children(&last)).unwrap_or_default();
            let number = usize::try_from(*number).unwrap_or(usize::MAX);
            if number >= below.len() {
                return Err(self.no_part());
            }
            parts = vec![below.swap_remove(number)];
        }
        let Some(of) = parts.pop() else { return Err(self.no_part()) };
        let all = children(&of);
        let mut answer = listed(frame, &all, look);
        let of = part(&of);
        // What was not read is counted.
        answer.total = of.parts;
        let end = look.from.saturating_add(answer.parts.len() as u64);
        if end < of.parts && (answer.parts.len() as u64) < look.most {
            answer.incomplete = Some(Shown::from_report(format!(
                "{} more are not listed; an expression such as `name[index]` shows one",
                of.parts - end
            )));
        }
        answer.of = Some(of);
        Ok(answer)
    }

    /// The globals of the frame's file.
    fn globals(&self, at: At, frame: String, look: &Look) -> Result<LookAnswer, Problem> {
        let Some(view) = self.process.frame_view(at.thread, at.frame) else {
            return Ok(LookAnswer { frame, ..LookAnswer::default() });
        };
        let found = view.frame().module.and_then(|index| {
            let module = self.process.modules.get(index)?;
            let pc = module.to_svma(view.lookup_pc());
            let debug = self.process.modules.debug(index)?;
            Some((index, debug.placed_variables_of_unit(pc, MOST_GLOBALS)))
        });
        let (module, mut all) = found.unwrap_or_default();
        all.retain(|variable| variable.name.is_some());
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let locals = view.names();
        let name_of = |variable: &Declared| variable.name.clone().unwrap_or_else(|| Arc::from(""));
        let expression = |number: usize, variable: &Declared| {
            let name = name_of(variable);
            let mut others = all.iter().enumerate().filter(|(other, _)| *other != number);
            let is_only = !others.any(|(_, other)| name_of(other) == name);
            let is_seen = is_only && !locals.contains(&name) && is_identifier(&name);
            is_seen.then(|| name.to_string())
        };
        let (budget, wanted) = match look.within.first() {
            None => (
                Self::budget(BELOW, ELEMENTS),
                page((0..all.len()).collect(), look.from, look.most).items,
            ),
            Some(number) => {
                let number = usize::try_from(*number).ok().filter(|number| *number < all.len());
                (Self::budget_of(look), vec![number.ok_or_else(|| self.no_part())?])
            }
        };
        let value = |variable: &Declared| {
            let name = variable.name.clone();
            match view.object(module, variable) {
                Some(object) => tree(&object, name, view.scene(), &budget),
                None => Value::without_type(name),
            }
        };
        let declared = || wanted.iter().filter_map(|number| Some((*number, all.get(*number)?)));
        let values: Vec<Value> = declared().map(|(_, variable)| value(variable)).collect();
        let asked = Asked {
            text: String::new(),
            thread: at.thread,
            frame: at.frame,
            frame_number: at.handle.frame,
            answer: print::Answer::Values(values),
        };
        let variables = self.variables_in(at, &asked);
        let named = variables.iter().zip(declared()).map(|(variable, (number, declared))| Named {
            variable,
            expression: expression(number, declared),
        });
        let named: Vec<_> = named.collect();
        if let Some(one) = named.first().filter(|_| !look.within.is_empty()) {
            return self.parts_of(frame, one, look, 1);
        }
        let parts = named.iter().map(part).collect();
        Ok(LookAnswer { frame, parts, total: all.len() as u64, ..LookAnswer::default() })
    }

    /// The registers of a frame, in hexadecimal.
    fn registers_of(&self, at: Place) -> Result<Vec<Part>, Problem> {
        let place = self.place(at)?;
        let known = of_report::registers(self.report(), Some(place.handle.thread));
        let known = known.ok_or_else(|| self.no_thread(at.thread))?;
        let thread = self.process.threads.get(place.thread);
        let is_innermost = thread
            .and_then(|thread| thread.frames.get(place.frame))
            .is_some_and(|it| it.activation == 0);
        let part = |(name, of_thread): (&String, &Hex)| {
            let expression = format!("${name}");
            let text = format!("/x {expression}");
            let asked = self.ask(place, &text, &Self::budget(1, ELEMENTS)).ok();
            let printed = asked.and_then(|asked| self.printed(place, &asked).into_iter().next());
            let name = self.shown(name);
            let Some(printed) = printed else {
                // The tables that lead to a caller do not have it.
                let value = match is_innermost {
                    true => Shown::from_report(of_thread.to_string()),
                    false => Shown::own("<unavailable: known of the innermost frame only>"),
                };
                return Part { name, value, ..Part::default() };
            };
            Part {
                name,
                type_name: printed.type_name,
                value: printed.value.unwrap_or_else(|| Shown::own("<unavailable>")),
                status: printed.status,
                expression: Some(expression),
                ..Part::default()
            }
        };
        Ok(known.registers.iter().map(part).collect())
    }
}

/// A part of a list.
fn listed(frame: String, all: &[Named<'_>], look: &Look) -> LookAnswer {
    let skip = usize::try_from(look.from).unwrap_or(usize::MAX);
    let take = usize::try_from(look.most.max(1)).unwrap_or(usize::MAX);
    let parts = all.iter().skip(skip).take(take).map(part).collect();
    LookAnswer { frame, parts, total: all.len() as u64, ..LookAnswer::default() }
}

/// What a variable is made of: members, elements, or what it points to.
fn children<'v>(of: &Named<'v>) -> Vec<Named<'v>> {
    let variable = of.variable;
    let Some(target) = variable.pointee.as_deref() else {
        return members(variable, of.expression.as_deref(), ".");
    };
    if variable.referent().is_some() {
        return members(target, of.expression.as_deref(), ".");
    }
    match target.children().is_empty() || target.summary.is_some() {
        true => {
            let expression = of.expression.as_deref().map(|text| format!("*{}", operand(text)));
            vec![Named { variable: target, expression }]
        }
        false => members(target, of.expression.as_deref(), "->"),
    }
}

/// Members, reached by `operator` and their names; elements of arrays, by their index. What a
/// container holds has no expression of its own.
fn members<'v>(variable: &'v Variable, base: Option<&str>, operator: &str) -> Vec<Named<'v>> {
    let is_content = !variable.elements.is_empty() || variable.summary.is_some();
    let expression = |member: &Variable| {
        let base = operand(base.filter(|_| !is_content)?);
        let name = member.name.as_str();
        let is_same = |other: &&Variable| other.name.as_str() == name;
        if let Some(index) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let is_number = !index.is_empty() && index.chars().all(|c| c.is_ascii_digit());
            return (is_number && operator == ".").then(|| format!("{base}[{index}]"));
        }
        let is_only = variable.members.iter().filter(is_same).count() == 1;
        // A base class is called as its type is.
        let is_base = member.type_name.as_ref().is_some_and(|ty| ty.as_str() == name);
        (is_only && !is_base && is_identifier(name)).then(|| format!("{base}{operator}{name}"))
    };
    let all = variable.children().iter();
    all.map(|member| Named { variable: member, expression: expression(member) }).collect()
}

/// In brackets, unless a member of it can be written after it.
fn operand(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_.[]$".contains(c);
    match text.replace("->", ".").chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}

fn is_identifier(name: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || c == '_';
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    name.starts_with(is_letter) && name.chars().all(is_part)
}

fn part(named: &Named<'_>) -> Part {
    let variable = named.variable;
    let is_ok = variable.status == VariableStatus::Ok;
    let below = children(named);
    let whole = variable.pointee.as_deref().map_or(variable, |target| {
        let is_itself = variable.referent().is_none() && below.len() == 1;
        if is_itself { variable } else { target }
    });
    let omitted = if is_ok { whole.omitted } else { 0 };
    let parts = if is_ok { (below.len() as u64).saturating_add(omitted) } else { 0 };
    let is_element = |one: &Named<'_>| {
        let name = one.variable.name.as_str();
        name.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|index| !index.is_empty() && index.chars().all(|c| c.is_ascii_digit()))
    };
    let is_indexed = !below.is_empty() && below.iter().all(is_element) && !whole.is_keyed();
    Part {
        name: variable.name.clone(),
        type_name: variable.type_name.clone(),
        value: Shown::from_report(variable.words(ROOM, Pointees::Shown)),
        status: status_word(variable.status),
        address: pointed_at(variable).or(variable.address),
        expression: named.expression.clone(),
        parts,
        is_list: is_indexed || !whole.elements.is_empty(),
        is_indexed,
    }
}

/// Where a pointer leads.
fn pointed_at(variable: &Variable) -> Option<Hex> {
    let VariableValue::Text(text) = variable.value.as_ref()? else { return None };
    let digits = text.strip_prefix("0x")?;
    let address = u64::from_str_radix(digits, 16).ok()?;
    (address != 0).then_some(Hex(address))
}
