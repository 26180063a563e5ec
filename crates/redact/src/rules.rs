//! What the user says of his own data: a TOML file of names, types and patterns that are
//! always hidden, or never.
//!
//! ```toml
//! [[deny]]
//! name = "*customer_ref*"       # variables and members
//! type = "acme::Sealed<*>"
//! function = "bank::*"
//! module = "libledger.so*"
//! regex = "CUST-[0-9]{6}"
//! kind = "account"              # the token it is hidden as; "rule" without it
//!
//! [[allow]]
//! kind = "ip"                   # what obit would hide it as
//! regex = "^203\\.0\\.113\\."
//! ```
//!
//! All conditions of one rule must hold. What is allowed is shown even if a rule or a
//! finder of obit's hides it.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::Kind;

/// What is wrong with a file of rules, and in which line (counted from 1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct RuleError {
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub problem: RuleProblem,
}

/// What is wrong in one line of a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// No TOML, in the words of its parser.
    #[error("{0}")]
    Syntax(String),
    /// A table that is neither `deny` nor `allow`.
    #[error("`{0}` is unknown here; there are `deny`, `allow`")]
    UnknownTable(String),
    /// A `deny` or `allow` that is no array of tables.
    #[error("`{0}` must be written as `[[{0}]]`")]
    NotAnArray(String),
    /// An element of the array that is no table.
    #[error("a rule must be a table")]
    NotATable,
    /// A key that no rule has.
    #[error("`{0}` is unknown in a rule; there are {keys}", keys = KEYS.join(", "))]
    UnknownKey(String),
    /// The value of this key is no string.
    #[error("`{0}` must be a string")]
    NotAString(String),
    /// A pattern that does not compile, in the words of its compiler.
    #[error("`regex`: {0}")]
    Pattern(String),
    /// A kind that does not exist.
    #[error("`kind`: no {0:?}; there are {known}", known = kinds())]
    UnknownKind(String),
    /// A rule about nothing in particular.
    #[error("a rule needs a condition: name, type, function, module or regex")]
    NoCondition,
}

/// The words of all kinds, for messages.
fn kinds() -> String {
    let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    words.join(", ")
}

/// Where a value is in a program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'n> {
    /// The variable, and its members down to the value: `config.db.password`.
    pub name: &'n str,
    /// Its type, if it is known.
    pub type_name: Option<&'n str>,
    /// The function whose variable it is.
    pub function: Option<&'n str>,
    /// The file that function is in.
    pub module: Option<&'n str>,
}

/// What rules say of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Shown as it is.
    Allow,
    /// Hidden as this, by the rule of that file and line.
    Deny(Kind, String),
}

/// The user's rules.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    denies: bool,
    /// Where it was read: `redact.toml:3`; only the line until the file is known.
    place: String,
    name: Option<String>,
    type_name: Option<String>,
    function: Option<String>,
    module: Option<String>,
    regex: Option<Regex>,
    kind: Option<Kind>,
}

/// Bytes of a compiled pattern, so that no file of rules can exhaust memory.
const LARGEST_PATTERN: usize = 1 << 18;
const KEYS: &[&str] = &["name", "type", "function", "module", "regex", "kind", "reason"];

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let error = |span: Range<usize>, problem: RuleProblem| {
            let before = text.get(..span.start).unwrap_or(text);
            RuleError { line: 1 + before.matches('\n').count(), problem }
        };
        let table = DeTable::parse(text).map_err(|wrong| {
            let problem = RuleProblem::Syntax(wrong.message().to_owned());
            error(wrong.span().unwrap_or(0..0), problem)
        })?;
        let mut rules = Vec::new();
        for (key, value) in table.get_ref() {
            let denies = match key.get_ref().as_ref() {
                "deny" => true,
                "allow" => false,
                other => {
                    let problem = RuleProblem::UnknownTable(other.to_owned());
                    return Err(error(key.span(), problem));
                }
            };
            let DeValue::Array(entries) = value.get_ref() else {
                let problem = RuleProblem::NotAnArray(key.get_ref().to_string());
                return Err(error(key.span(), problem));
            };
            for entry in entries.iter() {
                let rule = rule(denies, entry).map_err(|(span, problem)| error(span, problem))?;
                let before = text.get(..entry.span().start).unwrap_or(text);
                let place = format!("{}", 1 + before.matches('\n').count());
                rules.push(Rule { place, ..rule });
            }
        }
        Ok(Self { rules })
    }

    /// The same, known to be of that file.
    #[must_use]
    pub fn of_file(mut self, file: &str) -> Self {
        for rule in &mut self.rules {
            rule.place = format!("{file}:{}", rule.place);
        }
        self
    }

    /// The same without those that show what would be hidden, and how many there were: who
    /// wrote the file may be no friend.
    #[must_use]
    pub fn denying(mut self) -> (Self, usize) {
        let all = self.rules.len();
        self.rules.retain(|rule| rule.denies);
        let refused = all - self.rules.len();
        (self, refused)
    }

    /// Puts `others` behind these.
    pub fn append(&mut self, others: Self) {
        self.rules.extend(others.rules);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the rules say about `text`, the value of `named`.
    pub fn verdict(&self, named: &Named<'_>, text: &[u8]) -> Option<Verdict> {
        let holds = |rule: &&Rule| rule.names_value() && rule.holds(named, text);
        let fitting = || self.rules.iter().filter(holds);
        if fitting().any(|rule| !rule.denies && rule.kind.is_none()) {
            return Some(Verdict::Allow);
        }
        let denied = fitting().find(|rule| rule.denies);
        denied.map(|rule| Verdict::Deny(rule.kind.unwrap_or(Kind::Rule), rule.place.clone()))
    }

    /// The kinds that values of `named` may be, and are shown nonetheless.
    pub(super) fn allowed_kinds(&self, named: &Named<'_>, text: &[u8]) -> Vec<Kind> {
        let allowing = self.rules.iter().filter(|rule| !rule.denies && rule.names_value());
        allowing.filter(|rule| rule.holds(named, text)).filter_map(|rule| rule.kind).collect()
    }

    /// Whether `text`, which a finder would hide as `kind`, is to be shown.
    pub(super) fn allows(&self, kind: Kind, text: &[u8]) -> bool {
        self.rules.iter().any(|rule| {
            !rule.denies
                && !rule.names_value()
                && rule.kind.is_none_or(|wanted| wanted == kind)
                && rule.regex.as_ref().is_none_or(|regex| regex.is_match(text))
        })
    }

    /// What patterns alone hide in `text`.
    pub(super) fn denied(&self, text: &[u8]) -> Vec<(Range<usize>, Kind, String)> {
        let patterns = self.rules.iter().filter(|rule| rule.denies && !rule.names_value());
        let found = patterns.filter_map(|rule| Some((rule.regex.as_ref()?, rule)));
        found
            .flat_map(|(regex, rule)| {
                let kind = rule.kind.unwrap_or(Kind::Rule);
                regex.find_iter(text).map(move |found| (found.range(), kind, rule.place.clone()))
            })
            .filter(|(range, ..)| !range.is_empty())
            .collect()
    }
}

impl Rule {
    /// Whether it is about values that have a name or a type.
    fn names_value(&self) -> bool {
        [&self.name, &self.type_name, &self.function, &self.module].into_iter().any(Option::is_some)
    }

    fn holds(&self, named: &Named<'_>, text: &[u8]) -> bool {
        let fits = |glob: &Option<String>, value: Option<&str>| {
            glob.as_ref().is_none_or(|glob| value.is_some_and(|value| fits(glob, value)))
        };
        let member = named.name.rsplit(['.', '>']).next().unwrap_or_default();
        (fits(&self.name, Some(named.name)) || fits(&self.name, Some(member)))
            && fits(&self.type_name, named.type_name)
            && fits(&self.function, named.function)
            && fits(&self.module, named.module)
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

type Wrong = (Range<usize>, RuleProblem);

fn rule(denies: bool, entry: &Spanned<DeValue<'_>>) -> Result<Rule, Wrong> {
    let DeValue::Table(table) = entry.get_ref() else {
        return Err((entry.span(), RuleProblem::NotATable));
    };
    let mut rule = Rule {
        denies,
        place: String::new(),
        name: None,
        type_name: None,
        function: None,
        module: None,
        regex: None,
        kind: None,
    };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if !KEYS.contains(&name) {
            return Err((key.span(), RuleProblem::UnknownKey(name.to_owned())));
        }
        let DeValue::String(text) = value.get_ref() else {
            return Err((value.span(), RuleProblem::NotAString(name.to_owned())));
        };
        let text = text.as_ref();
        let glob = Some(text.to_owned());
        match name {
            "name" => rule.name = glob,
            "type" => rule.type_name = glob,
            "function" => rule.function = glob,
            "module" => rule.module = glob,
            "regex" => {
                let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
                let regex = built.map_err(|wrong| {
                    let wrong = wrong.to_string();
                    let last = wrong.lines().last().unwrap_or_default().trim();
                    let last = last.trim_start_matches("error: ");
                    (value.span(), RuleProblem::Pattern(last.to_owned()))
                })?;
                rule.regex = Some(regex);
            }
            "kind" => {
                let kind = Kind::named(text)
                    .ok_or_else(|| (value.span(), RuleProblem::UnknownKind(text.to_owned())))?;
                rule.kind = Some(kind);
            }
            _ => {}
        }
    }
    let has_condition = rule.names_value() || rule.regex.is_some();
    if !has_condition && (denies || rule.kind.is_none()) {
        return Err((entry.span(), RuleProblem::NoCondition));
    }
    Ok(rule)
}

/// Whether `text` is as `glob` says, in any case of letters: `*` is any text, `?` any
/// character. The last `*` is the only one that is gone back to.
fn fits(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while let Some(byte) = text.get(place) {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((behind, from)) = star else { return false };
                star = Some((behind, from + 1));
                at = behind + 1;
                place = from + 1;
            }
        }
    }
    glob.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hide_and_show_by_name_type_and_pattern() {
        let rules = Rules::parse(
            "[[deny]]\nname = '*ref*'\ntype = 'acme::Sealed<*>'\nkind = 'account'\n\
             [[deny]]\nregex = 'CUST-[0-9]+'\n\
             [[allow]]\nname = 'greeting'\n\
             [[allow]]\nkind = 'ip'\nregex = '^203\\.'\n",
        )
        .unwrap();
        let named =
            |name, type_name| Named { name, type_name: Some(type_name), ..Named::default() };
        let sealed = named("order.customerRef", "acme::Sealed<int>");
        assert_eq!(
            rules.verdict(&sealed, b"x"),
            Some(Verdict::Deny(Kind::Account, "1".to_owned()))
        );
        assert_eq!(rules.verdict(&named("customerRef", "int"), b"x"), None);
        assert_eq!(rules.verdict(&named("greeting", "int"), b"x"), Some(Verdict::Allow));
        assert_eq!(rules.denied(b"for CUST-42."), [(4..11, Kind::Rule, "5".to_owned())]);
        assert!(rules.allows(Kind::Ip, b"203.0.113.9") && !rules.allows(Kind::Ip, b"8.8.8.8"));
        assert!(!rules.allows(Kind::Email, b"203.a@example.com"));
    }

    #[test]
    fn each_condition_alone_hides_a_value() {
        let place = Named {
            name: "order.ref",
            type_name: Some("acme::Sealed<int>"),
            function: Some("bank::pay"),
            module: Some("libledger.so.2"),
        };
        for (condition, other) in [
            ("name = '*.ref'", "name = 'reference'"),
            ("name = 'REF'", "name = 're'"),
            ("type = 'acme::*'", "type = 'acme'"),
            ("function = 'bank::*'", "function = 'shop::*'"),
            ("module = 'libledger.so*'", "module = 'libledger'"),
            ("regex = '^C-[0-9]+$'\nname = '*'", "regex = '^D'\nname = '*'"),
        ] {
            let verdict = |condition: &str| {
                let rules = Rules::parse(&format!("[[deny]]\n{condition}\nkind = 'name'\n"));
                rules.unwrap().of_file("r.toml").verdict(&place, b"C-12")
            };
            let hidden = Some(Verdict::Deny(Kind::Name, "r.toml:1".to_owned()));
            assert_eq!((verdict(condition), verdict(other)), (hidden, None), "{condition}");
            let allowed = Rules::parse(&format!("[[allow]]\n{condition}\n")).unwrap();
            assert_eq!(allowed.verdict(&place, b"C-12"), Some(Verdict::Allow), "{condition}");
        }
        let rules = Rules::parse("[[allow]]\nname = 'ref'\nkind = 'card'\n").unwrap();
        assert_eq!(rules.allowed_kinds(&place, b"C-12"), [Kind::Card]);
        assert_eq!(rules.verdict(&place, b"C-12"), None);
    }

    #[test]
    fn rules_of_strangers_hide_and_do_not_show() {
        let rules = Rules::parse("[[deny]]\nname = 'a'\n[[allow]]\nname = '*'\n").unwrap();
        let (rules, refused) = rules.denying();
        let named = |name| Named { name, ..Named::default() };
        assert_eq!(refused, 1);
        assert!(matches!(rules.verdict(&named("a"), b""), Some(Verdict::Deny(..))));
        assert_eq!(rules.verdict(&named("b"), b""), None);
    }

    #[test]
    fn what_is_wrong_is_reported_with_its_line() {
        for (text, line, problem) in [
            ("\n[[deny]]\nnme = 'x'\n", 3, "`nme` is unknown"),
            ("[[deny]]\nregex = '('\n", 2, "`regex`: unclosed group"),
            ("[[deny]]\nname = 'a'\nkind = 'emial'\n", 3, "`kind`: no \"emial\""),
            ("[[allow]]\nreason = 'all'\n", 1, "a rule needs a condition"),
            ("[[deny]]\nname = 3\n", 2, "`name` must be a string"),
            ("deny = 1\n", 1, "must be written as `[[deny]]`"),
            ("[[hide]]\nname = 'x'\n", 1, "`hide` is unknown"),
            ("[[deny]\n", 1, ""),
        ] {
            let error = Rules::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.problem.to_string().contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("*pin*", "userPin") && fits("a*b*c", "aXbYbZc") && fits("?", "x"));
        assert!(!fits("pin", "pins") && !fits("a*b", "a") && !fits("", "x"));
    }
}
