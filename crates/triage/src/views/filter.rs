//! `--where`: which groups and dumps a view is about.

use crate::history::{Status, StatusCondition};
use crate::time::{TimeError, When};
use obit_causes::former_names;
use obit_report::Severity;

/// Conditions, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    field: Field,
    is_not: bool,
    values: Vec<String>,
    /// Of [`Field::Since`], [`Field::Until`] and [`Field::Count`].
    bound: i64,
    /// Of [`Field::Severity`] with `>=`.
    least: Option<Severity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Class,
    Status,
    Sure,
    Module,
    Program,
    Build,
    Host,
    Signature,
    Since,
    Until,
    Severity,
    Count,
    Surge,
    Assignee,
}

const FIELDS: &[(&str, Field)] = &[
    ("class", Field::Class),
    ("status", Field::Status),
    ("module", Field::Module),
    ("program", Field::Program),
    ("build", Field::Build),
    ("host", Field::Host),
    ("signature", Field::Signature),
    ("since", Field::Since),
    ("until", Field::Until),
    ("severity", Field::Severity),
    ("count", Field::Count),
    ("surge", Field::Surge),
    ("sure", Field::Sure),
    ("assignee", Field::Assignee),
];

/// Why conditions are not understood, and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// There is no operator.
    #[error("{text:?} is not a condition: expected FIELD=VALUE; fields are {}", fields())]
    NoCondition {
        /// What was written.
        text: String,
    },
    /// Nothing can be asked by this name.
    #[error("unknown field {name:?}; fields are {}", fields())]
    UnknownField {
        /// What was written.
        name: String,
    },
    /// The operator is none.
    #[error("{text:?}: expected = or !=, or >= after severity and count")]
    NoOperator {
        /// What was written.
        text: String,
    },
    /// There is nothing after the operator.
    #[error("{text:?} has no value")]
    NoValue {
        /// What was written.
        text: String,
    },
    /// A count is compared with a word.
    #[error("{value:?} is not a number")]
    NoNumber {
        /// What was written.
        value: String,
    },
    /// A count is compared in another way than by `>=`.
    #[error("expected count>=N")]
    CountOperator,
    /// A time is compared in another way than by `=`.
    #[error("expected {name}=TIME")]
    TimeOperator {
        /// The field.
        name: &'static str,
    },
    /// Words are compared by `>=`.
    #[error("{name} takes = and != only")]
    WordOperator {
        /// The field.
        name: &'static str,
    },
    /// What is true or not is compared with something else.
    #[error("expected {name}, {name}=yes or {name}=no")]
    YesOrNo {
        /// The field.
        name: &'static str,
    },
    /// There is no such severity.
    #[error("unknown severity {word:?}; severities are {}", Severity::words())]
    UnknownSeverity {
        /// What was written.
        word: String,
    },
    /// There is no such status.
    #[error(
        "unknown status {word:?}; statuses are {}, each also as new:sure or new:weak",
        Status::words()
    )]
    UnknownStatus {
        /// What was written.
        word: String,
    },
    /// A time is none.
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// What a dump can be asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DumpFacts<'f> {
    /// Seconds since 1970.
    pub time: i64,
    /// The class of its cause.
    pub class: &'f str,
    /// Image of the frame to blame.
    pub module: &'f str,
    /// The program.
    pub program: &'f str,
    /// Its build ID.
    pub build_id: &'f str,
    /// The name of its release.
    pub release: &'f str,
    /// Where it crashed.
    pub host: &'f str,
}

/// What a group can be asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GroupFacts<'f> {
    /// Its status.
    pub status: Status,
    /// Whether the numbers leave no doubt of it.
    pub is_sure: bool,
    /// How bad it is.
    pub severity: &'f str,
    /// Its dumps, as far as they are asked for.
    pub count: u64,
    /// Its signature in words.
    pub signature: &'f str,
    /// Whether an hour of the last days has far more dumps than usual.
    pub has_surge: bool,
    /// Who works on it.
    pub assignee: Option<&'f str>,
}

impl Filter {
    /// `class=null-read,status=new|regressed,since=7d,severity>=high`: conditions are
    /// joined by commas, alternatives by `|`; `!=` excludes; `*` at either end of a value
    /// stands for anything.
    ///
    /// # Errors
    /// What is wrong, and what is possible.
    pub fn parse(text: &str, now: i64) -> Result<Self, FilterError> {
        let mut conditions = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            conditions.push(condition(part, now)?);
        }
        Ok(Self { conditions })
    }

    /// Whether dumps are selected by their host.
    pub(super) fn selects_hosts(&self) -> bool {
        self.conditions.iter().any(|condition| condition.field == Field::Host)
    }

    /// Groups with `text` in their signature, whatever is in it.
    pub fn signature_with(text: &str) -> Self {
        Self {
            conditions: vec![Condition {
                field: Field::Signature,
                is_not: false,
                values: vec![format!("*{text}*")],
                bound: 0,
                least: None,
            }],
        }
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.conditions.extend(other.conditions);
        self
    }

    /// The latest of the times since which dumps are asked for.
    pub(super) fn first_time(&self) -> Option<i64> {
        let conditions = self.conditions.iter().filter(|one| one.field == Field::Since);
        conditions.map(|one| one.bound).max()
    }

    /// The earliest of the times before which dumps are asked for.
    pub(super) fn end_time(&self) -> Option<i64> {
        let conditions = self.conditions.iter().filter(|one| one.field == Field::Until);
        conditions.map(|one| one.bound).min()
    }

    /// Whether it has conditions on single dumps.
    pub(super) fn selects_dumps(&self) -> bool {
        self.conditions.iter().any(|condition| !condition.field.is_of_groups())
    }

    /// Whether it has no condition.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether it has conditions on groups.
    pub(crate) fn selects_groups(&self) -> bool {
        self.conditions.iter().any(|condition| condition.field.is_of_groups())
    }

    /// Whether a file is asked for that could not be read: nothing is known of it but when
    /// and where the process crashed.
    pub(crate) fn takes_unreadable(&self, time: i64, host: &str) -> bool {
        self.takes_dump(&DumpFacts { time, host, ..DumpFacts::default() })
    }

    /// Whether it asks for signatures.
    pub(crate) fn selects_signatures(&self) -> bool {
        self.conditions.iter().any(|condition| condition.field == Field::Signature)
    }

    /// Whether a dump is asked for.
    pub(super) fn takes_dump(&self, dump: &DumpFacts<'_>) -> bool {
        self.conditions.iter().filter(|condition| !condition.field.is_of_groups()).all(
            |condition| match condition.field {
                Field::Class => {
                    let mut former = former_names(dump.class);
                    let is_any =
                        condition.any(&[dump.class]) || former.any(|name| condition.any(&[name]));
                    is_any != condition.is_not
                }
                Field::Module => condition.matches(&[dump.module]),
                Field::Program => condition.matches(&[dump.program]),
                Field::Host => condition.matches(&[dump.host]),
                Field::Build => {
                    let is_start = |value: &String| {
                        value.len() >= 6 && dump.build_id.starts_with(value.as_str())
                    };
                    let found = condition.values.iter().any(is_start)
                        || condition.any(&[dump.release, dump.build_id]);
                    found != condition.is_not
                }
                Field::Since => dump.time >= condition.bound,
                _ => dump.time < condition.bound,
            },
        )
    }

    /// Whether a group is asked for.
    pub(super) fn takes_group(&self, group: &GroupFacts<'_>) -> bool {
        self.conditions.iter().filter(|condition| condition.field.is_of_groups()).all(|condition| {
            match condition.field {
                Field::Status => {
                    let conditions =
                        condition.values.iter().filter_map(|text| StatusCondition::named(text));
                    let mut conditions = conditions;
                    conditions.any(|one| one.is_met(group.status, group.is_sure))
                        != condition.is_not
                }
                Field::Sure => condition.matches(&[if group.is_sure { "yes" } else { "no" }]),
                Field::Signature => condition.matches(&[group.signature]),
                Field::Surge => condition.matches(&[if group.has_surge { "yes" } else { "no" }]),
                Field::Assignee => condition.matches(&[group.assignee.unwrap_or("none")]),
                Field::Severity if !condition.values.is_empty() => {
                    condition.matches(&[group.severity])
                }
                Field::Severity => Severity::named(group.severity) >= condition.least,
                _ => i64::try_from(group.count).unwrap_or(i64::MAX) >= condition.bound,
            }
        })
    }
}

impl Field {
    fn is_of_groups(self) -> bool {
        match self {
            Self::Status | Self::Severity | Self::Count | Self::Signature => true,
            Self::Surge | Self::Sure | Self::Assignee => true,
            Self::Class | Self::Module | Self::Program | Self::Build | Self::Host => false,
            Self::Since | Self::Until => false,
        }
    }
}

impl Condition {
    fn matches(&self, texts: &[&str]) -> bool {
        self.any(texts) != self.is_not
    }

    fn any(&self, texts: &[&str]) -> bool {
        self.values.iter().any(|value| texts.iter().any(|text| fits(value, text)))
    }
}

/// Whether `text` is `pattern`, in which `*` at the start or the end stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some("")) => true,
        (Some(_), Some(start)) => text.contains(start.trim_start_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

fn condition(text: &str, now: i64) -> Result<Condition, FilterError> {
    // Those that are true or not by themselves.
    let text = match text {
        "surge" => "surge=yes",
        "sure" => "sure=yes",
        "weak" => "sure=no",
        other => other,
    };
    let at = text
        .find(['=', '>', '!', '<'])
        .ok_or_else(|| FilterError::NoCondition { text: text.to_owned() })?;
    let (name, rest) = (text[..at].trim(), &text[at..]);
    let (name, field) = FIELDS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| FilterError::UnknownField { name: name.to_owned() })?;
    let field = *field;
    let operator = [">=", "!=", "="]
        .into_iter()
        .find(|operator| rest.starts_with(operator))
        .ok_or_else(|| FilterError::NoOperator { text: text.to_owned() })?;
    let value = rest[operator.len()..].trim();
    if value.is_empty() {
        return Err(FilterError::NoValue { text: text.to_owned() });
    }
    let is_not = operator == "!=";
    let mut condition = Condition { field, is_not, values: vec![], bound: 0, least: None };
    match (field, operator) {
        (Field::Since | Field::Until, "=") => condition.bound = When::parse(value)?.seconds(now),
        (Field::Count, ">=") => {
            let number = value.parse().ok();
            condition.bound =
                number.ok_or_else(|| FilterError::NoNumber { value: value.to_owned() })?;
        }
        (Field::Severity, ">=") => condition.least = Some(severity(value)?),
        (Field::Count, _) => return Err(FilterError::CountOperator),
        (Field::Since | Field::Until, _) => return Err(FilterError::TimeOperator { name }),
        (_, ">=") => return Err(FilterError::WordOperator { name }),
        _ => {
            condition.values = value.split('|').map(|value| value.trim().to_owned()).collect();
            for value in &condition.values {
                match field {
                    Field::Severity => drop(severity(value)?),
                    Field::Status => status(value)?,
                    Field::Surge | Field::Sure if !matches!(value.as_str(), "yes" | "no") => {
                        return Err(FilterError::YesOrNo { name });
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(condition)
}

fn severity(word: &str) -> Result<Severity, FilterError> {
    Severity::named(word).ok_or_else(|| FilterError::UnknownSeverity { word: word.to_owned() })
}

fn status(word: &str) -> Result<(), FilterError> {
    let known = StatusCondition::named(word).map(drop);
    known.ok_or_else(|| FilterError::UnknownStatus { word: word.to_owned() })
}

fn fields() -> String {
    FIELDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Filter {
        Filter::parse(text, 1_000_000).unwrap()
    }

    #[test]
    fn dumps_are_selected_by_what_they_are() {
        let dump = DumpFacts {
            time: 990_000,
            class: "null-read",
            module: "libshop.so",
            program: "shopd",
            build_id: "5c1e00112233",
            release: "2.1",
            host: "web-3",
        };
        for (text, taken) in [
            ("class=null-read", true),
            ("class=null-*", true),
            ("class=*-write", false),
            ("class=assertion|null-read", true),
            ("class!=null-read", false),
            ("module=libshop.so, program=shopd", true),
            ("module=libshop.so,program=other", false),
            ("build=2.1", true),
            ("build=5c1e00", true),
            ("build=5c", false),
            ("build!=2.1", false),
            ("host=web-*", true),
            ("since=24h", true),
            ("since=2h", false),
            ("until=2h", true),
            ("since=@990000,until=@990001", true),
            ("status=new", true),
        ] {
            assert_eq!(parsed(text).takes_dump(&dump), taken, "{text}");
        }
    }

    #[test]
    fn a_text_with_what_separates_conditions_is_found_in_signatures() {
        let filter = Filter::signature_with("map<int, a|b>");
        let of = |signature| GroupFacts { signature, ..GroupFacts::default() };
        assert!(filter.selects_signatures());
        assert!(filter.takes_group(&of("std::map<int, a|b>::find | main")));
        assert!(!filter.takes_group(&of("std::map<int")));
    }

    #[test]
    fn a_class_is_selected_by_a_former_name_too() {
        let dump = DumpFacts { class: "unmapped-read", ..DumpFacts::default() };
        for (text, taken) in [
            ("class=unmapped-read", true),
            ("class=wild-read", true),
            ("class=wild-*", true),
            ("class=wild-write", false),
            ("class!=wild-read", false),
        ] {
            assert_eq!(parsed(text).takes_dump(&dump), taken, "{text}");
        }
    }

    #[test]
    fn groups_are_selected_by_status() {
        let group = GroupFacts {
            status: Status::Regressed,
            is_sure: false,
            severity: "medium",
            count: 12,
            signature: "strlen | walk in app",
            has_surge: true,
            assignee: None,
        };
        for (text, taken) in [
            ("status=new|regressed", true),
            ("status!=regressed", false),
            ("status=new:sure|regressed:weak", true),
            ("status=regressed:sure", false),
            ("weak", true),
            ("sure", false),
            ("severity>=medium", true),
            ("severity>=high", false),
            ("severity=medium|low", true),
            ("count>=12", true),
            ("count>=13", false),
            ("signature=*walk*", true),
            ("signature=walk", false),
            ("surge", true),
            ("surge=no", false),
            ("assignee=none", true),
            ("assignee=ada", false),
            ("class=null-read", true),
        ] {
            assert_eq!(parsed(text).takes_group(&group), taken, "{text}");
        }
    }

    #[test]
    fn a_condition_that_is_not_understood_is_reported_with_what_would_be() {
        for (text, word) in [
            ("colour=red", "class, status"),
            ("new", "FIELD=VALUE"),
            ("status=bad", "regressed"),
            ("severity>=awful", "medium"),
            ("class>=a", "takes = and !="),
            ("since>=2d", "since=TIME"),
            ("since=sometime", "24h"),
            ("count=3", "count>=N"),
            ("class<3", "expected ="),
            ("surge=maybe", "surge=yes"),
            ("class=", "no value"),
        ] {
            let said = Filter::parse(text, 0).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
