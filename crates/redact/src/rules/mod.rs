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

mod glob;
mod read;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::HEXLOWER;
use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use super::kind::Kind;
pub use read::{RuleError, RuleProblem};

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
    /// SHA-256 of each file.
    files: Vec<[u8; 32]>,
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
    matched: Matched,
}

/// Whether a rule has matched anything. Each copy of the rules counts for itself.
#[derive(Debug, Default)]
struct Matched(AtomicBool);

impl Clone for Matched {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Texts of which a rule that shows all of them shows anything.
const PROBES: [&str; 5] = ["a", "7", "hunter2", "ann@example.com", "4111 1111 1111 1111"];

impl Rules {
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
        self.files.extend(others.files);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// SHA-256 of the file they were read from, in hexadecimal; of several, SHA-256 of such
    /// lines. `None` if there is no file.
    pub fn sha256(&self) -> Option<String> {
        match self.files.as_slice() {
            [] => None,
            [only] => Some(HEXLOWER.encode(only)),
            several => {
                let lines: String =
                    several.iter().map(|file| HEXLOWER.encode(file) + "\n").collect();
                Some(HEXLOWER.encode(&Sha256::digest(lines)))
            }
        }
    }

    /// The rules that have matched nothing since these were cloned, by file and line.
    pub fn unused(&self) -> Vec<&str> {
        let unused = self.rules.iter().filter(|rule| !rule.matched.0.load(Ordering::Relaxed));
        unused.map(|rule| rule.place.as_str()).collect()
    }

    /// Those of them that are patterns, as only these are compared with a text without names.
    pub fn unused_patterns(&self) -> Vec<&str> {
        let unused = self.rules.iter().filter(|rule| !rule.matched.0.load(Ordering::Relaxed));
        unused.filter(|rule| !rule.names_value()).map(|rule| rule.place.as_str()).collect()
    }

    /// The rules that show everything that anything else hides, by file and line.
    pub fn without_limits(&self) -> Vec<&str> {
        let unlimited = self.rules.iter().filter(|rule| rule.shows_everything());
        unlimited.map(|rule| rule.place.as_str()).collect()
    }

    /// Each rule: its file and line, and what it says.
    pub fn list(&self) -> impl Iterator<Item = (&str, String)> {
        self.rules.iter().map(|rule| (rule.place.as_str(), rule.in_words()))
    }

    /// What the rules say about `text`, the value of `named`.
    pub fn verdict(&self, named: &Named<'_>, text: &[u8]) -> Option<Verdict> {
        self.verdict_of_forms(named, &[text])
    }

    /// The same for a value that can be written in several ways, or in none.
    pub(super) fn verdict_of_forms(&self, named: &Named<'_>, forms: &[&[u8]]) -> Option<Verdict> {
        let mut is_allowed = false;
        let mut denied = None;
        // All of them, so that each that matches is known to.
        for rule in self.rules.iter().filter(|rule| rule.names_value()) {
            if !rule.holds_for_any(named, forms) {
                continue;
            }
            match rule.denies {
                true => denied = denied.or(Some(rule)),
                false => is_allowed |= rule.kind.is_none(),
            }
        }
        if is_allowed {
            return Some(Verdict::Allow);
        }
        denied.map(|rule| Verdict::Deny(rule.kind.unwrap_or(Kind::Rule), rule.place.clone()))
    }

    /// The kinds that values of `named` may be, and are shown nonetheless.
    pub(super) fn allowed_kinds(&self, named: &Named<'_>, text: &[u8]) -> Vec<Kind> {
        let allowing = self.rules.iter().filter(|rule| !rule.denies && rule.names_value());
        allowing.filter(|rule| rule.holds(named, text)).filter_map(|rule| rule.kind).collect()
    }

    /// Whether `text`, which a finder would hide as `kind`, is to be shown.
    pub(super) fn allows(&self, kind: Kind, text: &[u8]) -> bool {
        let allowing = self.rules.iter().filter(|rule| !rule.denies && !rule.names_value());
        let of_kind = allowing.filter(|rule| rule.kind.is_none_or(|wanted| wanted == kind));
        let fits = |rule: &Rule| rule.regex.as_ref().is_none_or(|regex| regex.is_match(text));
        // All are asked: one that allows the same as another is not unused.
        of_kind.fold(false, |is_allowed, rule| rule.note(fits(rule)) | is_allowed)
    }

    /// What patterns alone hide in `text`.
    pub(super) fn denied(&self, text: &[u8]) -> Vec<(Range<usize>, Kind, String)> {
        let patterns = self.rules.iter().filter(|rule| rule.denies && !rule.names_value());
        let found = patterns.filter_map(|rule| Some((rule.regex.as_ref()?, rule)));
        found
            .flat_map(|(regex, rule)| {
                let kind = rule.kind.unwrap_or(Kind::Rule);
                let found = regex.find_iter(text).filter(|found| rule.note(!found.is_empty()));
                found.map(move |found| (found.range(), kind, rule.place.clone()))
            })
            .collect()
    }
}

impl Rule {
    /// Whether it is about values that have a name or a type.
    fn names_value(&self) -> bool {
        [&self.name, &self.type_name, &self.function, &self.module].into_iter().any(Option::is_some)
    }

    fn holds(&self, named: &Named<'_>, text: &[u8]) -> bool {
        self.holds_for_any(named, &[text])
    }

    fn holds_for_any(&self, named: &Named<'_>, forms: &[&[u8]]) -> bool {
        type Fits = fn(&str, &str) -> bool;
        let fits = |glob: &Option<String>, value: Option<&str>, fits: Fits| {
            glob.as_ref().is_none_or(|glob| value.is_some_and(|value| fits(glob, value)))
        };
        // In an expression, a name that may be shown need not be that of what is shown.
        let fits_name = match self.denies || glob::is_way(named.name) {
            true => glob::fits_name,
            false => glob::fits,
        };
        let holds = fits(&self.name, Some(named.name), fits_name)
            && fits(&self.type_name, named.type_name, glob::fits_type)
            && fits(&self.function, named.function, glob::fits)
            && fits(&self.module, named.module, glob::fits)
            && self
                .regex
                .as_ref()
                .is_none_or(|regex| forms.iter().any(|form| regex.is_match(form)));
        self.note(holds)
    }

    /// `deny name = "*pin*", kind = "code"`.
    fn in_words(&self) -> String {
        let conditions = [
            ("name", self.name.as_deref()),
            ("type", self.type_name.as_deref()),
            ("function", self.function.as_deref()),
            ("module", self.module.as_deref()),
            ("regex", self.regex.as_ref().map(Regex::as_str)),
            ("kind", self.kind.map(Kind::word)),
        ];
        let known = conditions.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let known: Vec<String> = known.map(|(key, value)| format!("{key} = {value:?}")).collect();
        format!("{} {}", if self.denies { "deny" } else { "allow" }, known.join(", "))
    }

    /// Notes that the rule matched, if it did.
    fn note(&self, has_matched: bool) -> bool {
        if has_matched {
            self.matched.0.store(true, Ordering::Relaxed);
        }
        has_matched
    }

    /// Whether it shows any value of any kind.
    fn shows_everything(&self) -> bool {
        let globs = [&self.name, &self.type_name, &self.function, &self.module];
        let is_open = |glob: &String| glob.bytes().all(|byte| byte == b'*');
        !self.denies
            && self.kind.is_none()
            && globs.into_iter().flatten().all(is_open)
            && self
                .regex
                .as_ref()
                .is_none_or(|regex| PROBES.iter().all(|probe| regex.is_match(probe.as_bytes())))
    }
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
    fn rules_that_matched_nothing_are_known_for_each_copy() {
        let rules = Rules::parse(
            "[[deny]]\nregex = 'CUST-[0-9]+'\n[[deny]]\nname = 'order'\n\
             [[allow]]\nkind = 'ip'\n[[deny]]\nregex = 'x*'\n",
        );
        let rules = rules.unwrap().of_file("r.toml");
        // Those that show come first.
        assert_eq!(rules.unused(), ["r.toml:5", "r.toml:1", "r.toml:3", "r.toml:7"]);
        rules.denied(b"for CUST-42.");
        rules.verdict(&Named { name: "order", ..Named::default() }, b"x");
        assert_eq!(rules.unused(), ["r.toml:5", "r.toml:7"]);
        assert_eq!(rules.clone().unused().len(), 4);
        assert_eq!(rules.clone().unused_patterns().len(), 3);
    }

    #[test]
    fn of_two_rules_that_show_the_same_none_is_unused() {
        let rules = Rules::parse("[[allow]]\nkind = 'ip'\n[[allow]]\nregex = '^10\\.'\n");
        let rules = rules.unwrap().of_file("r.toml");
        assert!(rules.allows(Kind::Ip, b"10.0.0.7"));
        assert!(rules.unused().is_empty());
    }

    #[test]
    fn rules_that_show_everything_are_known() {
        for (text, is_open) in [
            ("regex = '.'", true),
            ("regex = ''", true),
            ("regex = '\\w'", true),
            ("name = '*'", true),
            ("name = '*'\nregex = '.*'", true),
            ("regex = '@'", false),
            ("name = 'greeting*'", false),
            ("kind = 'ip'\nregex = '.'", false),
        ] {
            let rules = Rules::parse(&format!("[[allow]]\n{text}\n")).unwrap();
            assert_eq!(rules.without_limits().len(), usize::from(is_open), "{text}");
            let rules = Rules::parse(&format!("[[deny]]\n{text}\n")).unwrap();
            assert!(rules.without_limits().is_empty(), "{text}");
        }
    }

    #[test]
    fn rules_are_known_by_the_digest_of_their_file() {
        assert_eq!(Rules::default().sha256(), None);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let mut rules = Rules::parse("").unwrap();
        assert_eq!(rules.sha256().as_deref(), Some(empty));
        rules.append(Rules::parse("").unwrap());
        assert_ne!(rules.sha256().as_deref(), Some(empty));
    }
}
