//! What the sources of the cases `causes-…` say, and how obit's answers compare.

#![allow(unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fixture::{list, report};

/// A program that dies in many ways: each core, with what its source says of it.
pub struct Program {
    pub cases: Vec<Expected>,
    /// What obit is known to miss.
    pub known: Vec<Known>,
    /// Where its sources are.
    source: PathBuf,
}

/// Whether obit finds the sources of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    Missing,
    Found,
}

/// One core. See the head of an `expect-causes.toml`.
pub struct Expected {
    pub way: String,
    pub core: PathBuf,
    pub class: Vec<String>,
    pub at_most: String,
    pub blame: Vec<String>,
    pub expression: Vec<String>,
    pub message: Option<String>,
    /// Parts of the explanation.
    pub explanation: Vec<String>,
    pub findings: Vec<ExpectedFinding>,
}

/// A finding beside the cause.
pub struct ExpectedFinding {
    pub kind: String,
    /// How many threads it is about, if about threads.
    pub threads: usize,
    /// A part of its title or of its evidence.
    pub text: String,
}

/// An entry of `known.toml`.
pub struct Known {
    pub way: String,
    pub fact: Fact,
    pub reason: String,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    Class,
    Blame,
    Expression,
    Message,
    Explanation,
    Finding,
}

/// How one program's cores came out.
#[derive(Default)]
pub struct Score {
    /// How many cores have an expectation of that kind, and how many are right.
    pub facts: BTreeMap<Fact, (usize, usize)>,
    /// Each miss: the way, what was wrong, what was said instead.
    pub missed: Vec<(String, Fact, String)>,
    /// Cores of which `proved` is said with the wrong class, or more surely than a core
    /// can bear.
    pub proved_wrong: Vec<String>,
    /// Cores of which `proved` is said with another function or expression: what is not
    /// shown is not wrong.
    pub proved_elsewhere: Vec<String>,
}

/// In the order a table shows them.
pub const FACTS: [Fact; 6] =
    [Fact::Class, Fact::Blame, Fact::Expression, Fact::Message, Fact::Explanation, Fact::Finding];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

impl Fact {
    fn named(word: &str) -> Self {
        FACTS
            .into_iter()
            .find(|fact| fact.word() == word)
            .unwrap_or_else(|| panic!("no fact `{word}`"))
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Blame => "blame",
            Self::Expression => "expression",
            Self::Message => "message",
            Self::Explanation => "explanation",
            Self::Finding => "finding",
        }
    }
}

impl Program {
    /// The program in directory `name`, whose source is in directory `source`.
    pub fn read(name: &str, source: &str) -> Self {
        let read = |file: &str| -> toml::Table {
            let path = fixtures().join(source).join(file);
            fs::read_to_string(&path).unwrap_or_else(|why| panic!("{file}: {why}")).parse().unwrap()
        };
        let expected = read("expect-causes.toml");
        let cases = expected["case"].as_table().unwrap().iter();
        let cases: Vec<Expected> = cases
            .filter_map(|(way, case)| Expected::read(name, way, case.as_table().unwrap()))
            .collect();
        let ways: BTreeSet<&str> = cases.iter().map(|case| case.way.as_str()).collect();
        let mut known = Vec::new();
        for entry in read("known.toml")["known"].as_array().unwrap() {
            let text = |key: &str| entry[key].as_str().unwrap();
            if !strings(&entry["programs"]).iter().any(|program| program == name) {
                continue;
            }
            for way in strings(&entry["ways"]) {
                assert!(ways.contains(way.as_str()), "{name}: known.toml has no case `{way}`");
                let reason = text("reason").to_owned();
                known.push(Known { way, fact: Fact::named(text("fact")), reason });
            }
        }
        Self { cases, known, source: fixtures().join(source) }
    }

    /// How many answers of that kind are expected.
    pub fn expected(&self, fact: Fact) -> usize {
        let of_case = |case: &Expected| match fact {
            Fact::Class => 1,
            Fact::Blame => usize::from(!case.blame.is_empty()),
            Fact::Expression => usize::from(!case.expression.is_empty()),
            Fact::Message => usize::from(case.message.is_some()),
            Fact::Explanation => case.explanation.len(),
            Fact::Finding => case.findings.len(),
        };
        self.cases.iter().map(of_case).sum()
    }

    /// Compares every core's report.
    pub fn score(&self, sources: Sources) -> Score {
        let mut score = Score::default();
        let found = ["--source-path".as_ref(), self.source.as_os_str()];
        let options = match sources {
            Sources::Missing => &[][..],
            Sources::Found => &found,
        };
        for case in &self.cases {
            score.add(case, &report(&case.core, options));
        }
        score
    }
}

impl Expected {
    /// `None` if that program has no such core.
    fn read(program: &str, way: &str, case: &toml::Table) -> Option<Self> {
        if case.get("except").is_some_and(|list| strings(list).iter().any(|name| name == program)) {
            return None;
        }
        let own = case.get("at").and_then(|at| at.get(program));
        let value = |key: &str| own.and_then(|own| own.get(key)).or_else(|| case.get(key));
        let list = |key: &str| value(key).map(strings).unwrap_or_default();
        let text = |key: &str| value(key).map(|text| text.as_str().unwrap().to_owned());
        Some(Self {
            way: way.to_owned(),
            core: fixtures().join(program).join(format!("{way}.core.zst")),
            class: list("class"),
            at_most: text("at_most").unwrap_or_else(|| "proved".to_owned()),
            blame: list("blame"),
            expression: list("expression"),
            message: text("message"),
            explanation: list("explanation"),
            findings: value("findings").map(findings).unwrap_or_default(),
        })
    }
}

impl ExpectedFinding {
    fn is_in(&self, shown: &Value) -> bool {
        let texts = list(shown, "evidence").iter().map(|evidence| &evidence["text"]);
        let mut texts = texts.chain([&shown["title"]]).filter_map(Value::as_str);
        shown["kind"] == self.kind.as_str()
            && (self.threads == 0 || list(shown, "threads").len() == self.threads)
            && texts.any(|text| text.contains(&self.text))
    }
}

fn findings(value: &toml::Value) -> Vec<ExpectedFinding> {
    let text = |finding: &toml::Value, key: &str| {
        finding.get(key).map_or_else(String::new, |text| text.as_str().unwrap().to_owned())
    };
    let threads = |finding: &toml::Value| {
        finding
            .get("threads")
            .map_or(0, |count| usize::try_from(count.as_integer().unwrap()).unwrap())
    };
    let found = value.as_array().unwrap().iter();
    found
        .map(|finding| ExpectedFinding {
            kind: text(finding, "kind"),
            threads: threads(finding),
            text: text(finding, "text"),
        })
        .collect()
}

impl Score {
    fn add(&mut self, case: &Expected, report: &Value) {
        let cause = &report["cause"];
        let class = cause["class"].as_str();
        let function = cause["blame"]["function"].as_str();
        let expression = cause["blame"]["expression"].as_str();
        let message = cause["message"].as_str();
        let class_right =
            self.compare(case, Fact::Class, class, |shown| is_one_of(shown, &case.class));
        let mut elsewhere = false;
        if !case.blame.is_empty() {
            let right =
                self.compare(case, Fact::Blame, function, |shown| is_one_of(shown, &case.blame));
            elsewhere |= !right && function.is_some();
        }
        if !case.expression.is_empty() {
            let right = self.compare(case, Fact::Expression, expression, |shown| {
                is_one_of(shown, &case.expression)
            });
            let is_sure = cause["blame"]["expression_confidence"].is_null();
            elsewhere |= !right && expression.is_some() && is_sure;
        }
        if let Some(part) = &case.message {
            self.compare(case, Fact::Message, message, |shown| shown.contains(part));
        }
        let explanation = cause["explanation"].as_str();
        for part in &case.explanation {
            self.compare(case, Fact::Explanation, explanation, |shown| shown.contains(part));
        }
        for finding in &case.findings {
            let is_there = list(report, "findings").iter().any(|shown| finding.is_in(shown));
            let shown = if is_there { "there" } else { "missing" };
            self.compare(case, Fact::Finding, Some(shown), |shown| shown == "there");
        }
        let shown = cause["confidence"].as_str().unwrap_or("none");
        let proved = shown == "proved";
        if sureness(shown) > sureness(&case.at_most) || proved && !class_right {
            self.proved_wrong.push(case.way.clone());
        } else if proved && elsewhere {
            self.proved_elsewhere.push(case.way.clone());
        }
    }

    fn compare(
        &mut self,
        case: &Expected,
        fact: Fact,
        shown: Option<&str>,
        is_right: impl Fn(&str) -> bool,
    ) -> bool {
        let right = shown.is_some_and(is_right);
        let (total, count) = self.facts.entry(fact).or_default();
        *total += 1;
        *count += usize::from(right);
        if !right {
            self.missed.push((case.way.clone(), fact, shown.unwrap_or("nothing").to_owned()));
        }
        right
    }

    /// Adds what another program scored.
    pub fn join(&mut self, other: &Self) {
        for (fact, (total, count)) in &other.facts {
            let sum = self.facts.entry(*fact).or_default();
            *sum = (sum.0 + total, sum.1 + count);
        }
        self.proved_wrong.extend(other.proved_wrong.iter().cloned());
        self.proved_elsewhere.extend(other.proved_elsewhere.iter().cloned());
    }

    /// Right answers to that question in percent.
    pub fn percent(&self, fact: Fact) -> f64 {
        let (total, right) = self.facts.get(&fact).copied().unwrap_or((1, 1));
        #[allow(clippy::cast_precision_loss)]
        {
            right as f64 * 100.0 / total as f64
        }
    }
}

fn is_one_of(shown: &str, expected: &[String]) -> bool {
    expected.iter().any(|one| one == shown)
}

fn sureness(confidence: &str) -> u8 {
    match confidence {
        "proved" => 3,
        "likely" => 2,
        "guess" => 1,
        _ => 0,
    }
}

fn strings(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
