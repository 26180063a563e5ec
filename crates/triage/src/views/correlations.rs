//! What the crashes of a group have in common and others have not: values of variables,
//! builds, hosts, arguments.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::crash_record::{CrashRecord, Frame};
use crate::differ::{Features, of_facts};
use crate::history::{Rate, p_of_more};
use crate::signature::module_name;
use obit_redact::is_token;
use obit_report::VariableValue;

/// Arguments that are taken from one crash.
const MOST_ARGUMENTS: usize = 64;
/// CrashFacts that are taken from one crash.
const MOST_FACTS: usize = 256;
/// Frames whose variables are compared.
const FRAMES: usize = 4;
/// Where members are in the order of a frame's variables: after all of those.
const MEMBERS: usize = 1_000;
/// Traits of one frame's variables that are listed.
const MOST_OF_FRAME: usize = 8;
/// A number beyond that is rather an address, or rubbish.
const LARGEST: f64 = (1_u64 << 40) as f64;
/// Traits that are listed.
const MOST_TRAITS: usize = 24;
/// A difference to other crashes that chance makes less often than this is listed.
const DIFFERENCE_P: f64 = 0.01;
/// A value that fewer crashes had is no trait.
const FEWEST: u64 = 2;
/// Characters of a value.
const LONGEST_VALUE: usize = 80;

/// One fact of one crash.
#[derive(Clone, Debug, PartialEq)]
enum Fact {
    Text(String),
    Number(f64),
    /// An address. Which one it is differs with every run; whether it is null does not.
    Pointer(u64),
}

/// The facts of one crash, by what they are of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CrashFacts {
    /// Of the process: comparable with any other crash.
    process: BTreeMap<String, Fact>,
    /// Of variables of the innermost frames.
    /// In order: by frame, arguments before locals before members, as they are declared.
    variables: BTreeMap<(usize, usize, String), Fact>,
    /// No argument was left out.
    has_all_arguments: bool,
}

/// One thing that the crashes of a group have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GroupTrait {
    /// What it is of: `host`, `argument`, or a function and its variable: `walk: n->next`.
    pub of: String,
    /// How it is compared: `is`, `is one of`, `is between`, `is NULL`, `is not NULL`.
    pub what: String,
    /// The values.
    pub values: Vec<String>,
    /// Crashes of the group of which that is true.
    pub count: u64,
    /// Crashes of the group in which it is known.
    pub known: u64,
    /// Crashes of other groups of which that is true.
    pub elsewhere: Option<u64>,
    /// Crashes of other groups in which it is known.
    pub elsewhere_known: Option<u64>,
    /// How likely chance makes the group so different.
    pub p: Option<f64>,
}

impl CrashFacts {
    /// Of one crash.
    pub(crate) fn of(record: &CrashRecord) -> Self {
        let mut facts = Self::default();
        let mut say = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                facts.process.insert(name.to_owned(), Fact::Text(cut(&value)));
            }
        };
        let process = &record.process;
        say("host", record.host.clone());
        say("program", process.exe.as_ref().map(|exe| exe.as_str().to_owned()));
        say("process name", process.comm.as_ref().map(|comm| comm.as_str().to_owned()));
        say("build", process.build_id.clone());
        say("user", process.uid.map(|uid| uid.to_string()));
        say("machine", Some(record.core.arch.clone()));
        let signal = record.signal.as_ref();
        say(
            "signal",
            signal.map(|signal| match &signal.code_name {
                Some(code) => format!("{} ({code})", signal.name),
                None => signal.name.clone(),
            }),
        );
        let thread = record.crashed();
        say("thread", thread.and_then(|thread| thread.name.clone()));
        // Without any, the core did not hold them.
        facts.has_all_arguments = (1..=MOST_ARGUMENTS + 1).contains(&process.args.len());
        let mut say = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                facts.process.insert(name.to_owned(), Fact::Text(cut(&value)));
            }
        };
        for argument in process.args.iter().skip(1).take(MOST_ARGUMENTS) {
            say(&format!("argument {}", cut(argument.as_str())), Some("given".to_owned()));
        }
        for module in record.modules.iter().take(64) {
            let name = module_name(module.path.as_str());
            let package = module.package.as_ref().and_then(|package| package.version.as_ref());
            let version = package.map(|version| version.as_str().to_owned());
            say(&format!("build of {name}"), version.or_else(|| module.build_id.clone()));
        }
        for (at, frame) in thread.into_iter().flat_map(|t| &t.frames).enumerate().take(8) {
            facts.frame(at, frame);
        }
        facts
    }

    /// The same for a comparison: an address is null or not.
    pub(crate) fn features(&self) -> Features {
        let words = |fact: &Fact| match fact {
            Fact::Text(text) => text.clone(),
            Fact::Number(number) => number.to_string(),
            Fact::Pointer(0) => "NULL".to_owned(),
            Fact::Pointer(_) => "not NULL".to_owned(),
        };
        of_facts(
            self.process.iter().map(|(name, fact)| (name.as_str(), words(fact))),
            self.variables.iter().map(|((.., name), fact)| (name.as_str(), words(fact))),
            self.has_all_arguments,
        )
    }

    fn frame(&mut self, at: usize, frame: &Frame) {
        let Some(function) = &frame.function else { return };
        let frames: BTreeSet<usize> = self.variables.keys().map(|(at, ..)| *at).collect();
        if frames.len() >= FRAMES || self.variables.len() >= MOST_FACTS {
            return;
        }
        for (place, variable) in frame.args.iter().chain(&frame.locals).take(32).enumerate() {
            let name = format!("{function}: {}", variable.name);
            // A function that calls itself is represented by its innermost call.
            if self.variables.keys().any(|(.., known)| *known == name) {
                continue;
            }
            if let Some(fact) = fact(variable.said()) {
                self.variables.insert((at, place, name.clone()), fact);
            }
            let pointee = variable.pointee.as_ref();
            let (members, joint) = match pointee {
                Some(pointee) => (&pointee.members, "->"),
                None => (&variable.members, "."),
            };
            for member in members.iter().take(16) {
                if let Some(fact) = fact(member.said()) {
                    let name = format!("{name}{joint}{}", member.name);
                    self.variables.insert((at, place + MEMBERS, name), fact);
                }
            }
        }
    }
}

/// What is said by a value and by its text; of one that is hidden, nothing.
fn fact((value, text): (Option<&VariableValue>, Option<&str>)) -> Option<Fact> {
    match value {
        Some(VariableValue::Text(value)) if is_token(value) => None,
        None if text.is_some_and(is_token) => None,
        Some(VariableValue::Bool(value)) => Some(Fact::Text(value.to_string())),
        Some(VariableValue::Integer(value)) => match text {
            // A byte is shown as a character, too.
            Some(text) if !text.starts_with('\\') => Some(Fact::Text(cut(text))),
            _ => Some(Fact::Number(*value as f64)),
        },
        Some(VariableValue::Float(value)) => Some(Fact::Number(*value)),
        Some(VariableValue::Text(value)) => match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok().map(Fact::Pointer),
            None => Some(Fact::Text(cut(value))),
        },
        None => text.map(|text| Fact::Text(cut(text))),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}\u{2026}"),
        None => text.to_owned(),
    }
}

/// What `group` has in common: first what other crashes have not, by how unlikely that is;
/// then what its variables held, from the innermost frame on.
pub(crate) fn correlations<F: Borrow<CrashFacts>>(group: &[F], elsewhere: &[F]) -> Vec<GroupTrait> {
    let group: Vec<&CrashFacts> = group.iter().map(Borrow::borrow).collect();
    let elsewhere: Vec<&CrashFacts> = elsewhere.iter().map(Borrow::borrow).collect();
    let (group, elsewhere) = (group.as_slice(), elsewhere.as_slice());
    let mut found = differences(group, elsewhere);
    found.sort_by(|a, b| a.p.partial_cmp(&b.p).unwrap_or(std::cmp::Ordering::Equal));
    found.truncate(MOST_TRAITS / 2);
    let mut names: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, place, name) in group.iter().flat_map(|facts| facts.variables.keys()) {
        let known = names.entry(name).or_insert((*at, *place));
        *known = (*known).min((*at, *place));
    }
    let mut names: Vec<((usize, usize), &str)> =
        names.into_iter().map(|(name, place)| (place, name)).collect();
    names.sort_unstable();
    let mut of_frame: BTreeMap<usize, usize> = BTreeMap::new();
    for ((at, _), name) in names {
        let shown = of_frame.entry(at).or_default();
        if found.len() >= MOST_TRAITS || *shown >= MOST_OF_FRAME {
            continue;
        }
        let of = |facts: &&CrashFacts| {
            let mut all = facts.variables.iter();
            all.find(|((.., known), _)| known == name).map(|(_, fact)| fact.clone())
        };
        let values: Vec<Fact> = group.iter().filter_map(of).collect();
        if let Some(one) = of_variable(name, &values, group.len() as u64) {
            // What a variable of that name holds in other crashes, too, in whichever
            // function, is a default.
            let variable = variable_of(name);
            let of_other = |facts: &&CrashFacts| {
                let mut all = facts.variables.iter();
                all.find(|((.., known), _)| variable_of(known) == variable).map(|(_, f)| f.clone())
            };
            let others: Vec<Fact> = elsewhere.iter().filter_map(of_other).collect();
            let there = of_variable(name, &others, others.len() as u64);
            // A null pointer is none, whatever else is null.
            let is_default = |there: GroupTrait| {
                one.what != "is NULL" && there.what == one.what && there.values == one.values
            };
            if there.is_some_and(is_default) {
                continue;
            }
            found.push(one);
            *shown += 1;
        }
    }
    found
}

/// `n->next` of `walk: n->next`.
fn variable_of(name: &str) -> &str {
    name.rsplit_once(": ").map_or(name, |(_, variable)| variable)
}

/// Values that (nearly) all of the group have, and others far less often.
fn differences(group: &[&CrashFacts], elsewhere: &[&CrashFacts]) -> Vec<GroupTrait> {
    let mut found = Vec::new();
    let names: BTreeSet<&String> = group.iter().flat_map(|facts| facts.process.keys()).collect();
    for name in names {
        // That an argument is not given is known of every crash.
        let is_flag = name.starts_with("argument ");
        let known = |side: &[&CrashFacts]| {
            let has = side.iter().filter(|facts| is_flag || facts.process.contains_key(name));
            has.count() as u64
        };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for facts in group {
            if let Some(Fact::Text(value)) = facts.process.get(name) {
                *counts.entry(value).or_default() += 1;
            }
        }
        let Some((value, count)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
            continue;
        };
        let known_here = known(group);
        let wanted = Fact::Text(value.to_owned());
        let has = |facts: &&&CrashFacts| facts.process.get(name) == Some(&wanted);
        let (others, known_there) = (elsewhere.iter().filter(has).count() as u64, known(elsewhere));
        let p = p_of_more(
            Rate { count, dumps: known_here, exposure: None },
            Rate { count: others, dumps: known_there, exposure: None },
        );
        if count < FEWEST || count * 10 < known_here * 9 || p >= DIFFERENCE_P {
            continue;
        }
        found.push(GroupTrait {
            of: name.clone(),
            what: "is".to_owned(),
            values: vec![value.to_owned()],
            count,
            known: known_here,
            elsewhere: Some(others),
            elsewhere_known: Some(known_there),
            p: Some(p),
        });
    }
    found
}

/// What is known about the values that a variable had.
fn of_variable(name: &str, values: &[Fact], dumps: u64) -> Option<GroupTrait> {
    let known = values.len() as u64;
    if known < FEWEST || known * 2 < dumps {
        return None;
    }
    let said = |what: &str, values: Vec<String>, count: u64| GroupTrait {
        of: name.to_owned(),
        what: what.to_owned(),
        values,
        count,
        known,
        ..GroupTrait::default()
    };
    let pointers: Vec<u64> = values
        .iter()
        .filter_map(|fact| if let Fact::Pointer(at) = fact { Some(*at) } else { None })
        .collect();
    let numbers: Vec<f64> = values
        .iter()
        .filter_map(|fact| if let Fact::Number(n) = fact { Some(*n) } else { None })
        .collect();
    if pointers.len() == values.len() {
        let nulls = pointers.iter().filter(|pointer| **pointer == 0).count() as u64;
        let (low, high) = (pointers.iter().min()?, pointers.iter().max()?);
        return if nulls == known {
            Some(said("is NULL", Vec::new(), nulls))
        } else if *high < 0x1_0000 || low == high {
            // Too small for an address, or the same in every run.
            Some(said(
                if low == high { "is" } else { "is between" },
                if low == high {
                    vec![format!("{low:#x}")]
                } else {
                    vec![format!("{low:#x}"), format!("{high:#x}")]
                },
                known,
            ))
        } else if nulls > 0 {
            Some(said("is NULL", Vec::new(), nulls))
        } else {
            None
        };
    }
    if numbers.len() == values.len() {
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low.abs().max(high.abs()) >= LARGEST {
            return None;
        }
        return Some(if low == high {
            said("is", vec![low.to_string()], known)
        } else {
            said("is between", vec![low.to_string(), high.to_string()], known)
        });
    }
    let mut texts: BTreeMap<&str, u64> = BTreeMap::new();
    for fact in values {
        if let Fact::Text(text) = fact {
            *texts.entry(text).or_default() += 1;
        }
    }
    let count: u64 = texts.values().sum();
    let values: Vec<String> = texts.keys().map(|text| (*text).to_owned()).collect();
    match values.len() {
        1 if count == known => Some(said("is", values, count)),
        2 | 3 if count == known && known >= 4 => Some(said("is one of", values, count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pairs: &[(&str, &str)]) -> CrashFacts {
        let fact =
            |(name, value): &(&str, &str)| ((*name).to_owned(), Fact::Text((*value).to_owned()));
        CrashFacts { process: pairs.iter().map(fact).collect(), ..CrashFacts::default() }
    }

    fn variable(value: Fact) -> CrashFacts {
        let variables = [((0, 0, "walk: n".to_owned()), value)].into();
        CrashFacts { variables, ..CrashFacts::default() }
    }

    #[test]
    fn what_others_have_as_often_is_no_trait() {
        let group: Vec<CrashFacts> =
            (0..8).map(|_| process(&[("host", "web-3"), ("signal", "SIGSEGV")])).collect();
        let mut others: Vec<CrashFacts> =
            (0..20).map(|_| process(&[("host", "web-1"), ("signal", "SIGSEGV")])).collect();
        others.push(process(&[("host", "web-3"), ("signal", "SIGABRT")]));
        let found = correlations(&group, &others);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].of.as_str(), found[0].values[0].as_str()), ("host", "web-3"));
        assert_eq!((found[0].elsewhere, found[0].elsewhere_known), (Some(1), Some(21)));
    }

    #[test]
    fn an_argument_that_others_were_not_given_is_a_trait() {
        let group: Vec<CrashFacts> = (0..6).map(|_| process(&[("argument -o", "given")])).collect();
        let others: Vec<CrashFacts> = (0..20).map(|_| process(&[])).collect();
        assert_eq!(correlations(&group, &others).len(), 1);
        assert!(correlations(&group[..1], &others).is_empty(), "once is chance");
        assert!(correlations(&group, &group).is_empty());
    }

    #[test]
    fn a_value_that_a_variable_has_in_other_functions_too_is_no_trait() {
        let of = |function: &str, value: f64| {
            let name = format!("{function}: vm->maxStack");
            let variables = [((0, 0, name), Fact::Number(value))].into();
            CrashFacts { variables, ..CrashFacts::default() }
        };
        let group = [of("parse", 500.0), of("parse", 500.0), of("parse", 500.0)];
        let same = [of("run", 500.0), of("load", 500.0)];
        let others = [of("run", 20.0), of("load", 500.0)];
        assert!(correlations(&group, &same).is_empty());
        assert_eq!(correlations(&group, &others).len(), 1);
        assert_eq!(correlations(&group, &[]).len(), 1);
    }

    #[test]
    fn values_of_variables_are_described_by_what_is_the_same_in_every_run() {
        let said = |facts: &[Fact]| {
            let group: Vec<CrashFacts> = facts.iter().cloned().map(variable).collect();
            let found = correlations(&group, &[]);
            found.first().map(|t| format!("{} {}", t.what, t.values.join(" ")).trim().to_owned())
        };
        let pointers = |all: &[u64]| all.iter().map(|p| Fact::Pointer(*p)).collect::<Vec<_>>();
        let numbers = |all: &[f64]| all.iter().map(|n| Fact::Number(*n)).collect::<Vec<_>>();
        assert_eq!(said(&pointers(&[0, 0, 0])).as_deref(), Some("is NULL"));
        assert_eq!(said(&pointers(&[0x10, 0x40])).as_deref(), Some("is between 0x10 0x40"));
        assert_eq!(said(&pointers(&[0x7f00_1111_0000, 0x7f00_2222_0000])), None);
        assert_eq!(said(&numbers(&[-1.0, 7.0])).as_deref(), Some("is between -1 7"));
        assert_eq!(said(&numbers(&[3.0, 3.0])).as_deref(), Some("is 3"));
        assert_eq!(said(&[Fact::Text("a".into()), Fact::Text("b".into())]), None);
        assert_eq!(said(&numbers(&[3.0])), None);
    }
}
