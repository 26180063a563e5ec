//! Values as a whole, whatever they are made of: the user's rules on names and types.

use std::collections::BTreeMap;

use super::Redactor;
use crate::kind::Kind;
use crate::log::Reason;
use crate::policy::Level;
use crate::rules::{Named, Verdict};
use crate::shown::Shown;
use crate::token::Tokens;

/// What the user's rules say of a value and everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whole {
    /// No rule is about it.
    Unjudged,
    /// It is shown, and so are its parts.
    Allowed,
    /// It is hidden; what stands for it, and as what.
    Hidden(Shown, Kind),
}

impl Redactor {
    /// What the user's rules say of a value of any type. `forms` is how it can be written, for
    /// rules with a pattern: digits, a text, `true`. The first one is what its token is made
    /// of; a value without one has the token of its kind.
    pub fn judge(&mut self, named: &Named<'_>, forms: &[&str]) -> Whole {
        if !self.has_rules() {
            return Whole::Unjudged;
        }
        let bytes: Vec<&[u8]> = forms.iter().map(|form| form.as_bytes()).collect();
        let (kind, rule) = match self.rules.verdict_of_forms(named, &bytes) {
            None => return Whole::Unjudged,
            Some(Verdict::Allow) => return Whole::Allowed,
            Some(Verdict::Deny(kind, rule)) => (kind, rule),
        };
        self.begin(None);
        let token = match forms.first() {
            Some(text) => self.hidden(kind, text, Reason::Rule(rule)),
            None => {
                self.count(kind.word());
                let token = Tokens::of_kind(kind);
                self.note(Reason::Rule(rule), kind.word(), &token);
                token
            }
        };
        Whole::Hidden(Shown::new(token), kind)
    }

    /// A text that is part of a value that was hidden as a whole: it is hidden wherever it is
    /// met again.
    pub fn remember(&mut self, kind: Kind, text: &str) {
        self.remembered.add(kind, text.as_bytes());
    }

    /// Whether the user has rules, and they count.
    pub fn has_rules(&self) -> bool {
        self.level != Level::Off && !self.rules.is_empty()
    }

    /// For the log: a value of this kind is shown, and nothing judged it.
    pub fn note_unjudged(&mut self, kind: &'static str) {
        if let Some(log) = &mut self.log {
            *log.unjudged.entry(kind).or_default() += 1;
        }
    }

    /// How many values of each kind were [noted](Self::note_unjudged).
    pub fn unjudged(&self) -> BTreeMap<&'static str, u64> {
        self.log.as_ref().map(|log| log.unjudged.clone()).unwrap_or_default()
    }

    /// A text that a rule of the user's shows.
    pub fn show_allowed(&self, text: &str) -> Shown {
        Shown::new(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Origin;
    use crate::rules::Rules;

    fn at(level: Level, rules: &str) -> Redactor {
        Redactor::new(level, "key").with_rules(Rules::parse(rules).unwrap())
    }

    fn named(name: &str) -> Named<'_> {
        Named { name, ..Named::default() }
    }

    #[test]
    fn a_value_of_any_form_is_judged_by_its_name() {
        let rules = "[[deny]]\nname = 'vault'\nkind = 'secret'\n[[allow]]\nname = 'open'\n";
        let mut redactor = at(Level::Default, rules);
        let whole = redactor.judge(&named("vault"), &[]);
        assert_eq!(whole, Whole::Hidden(Shown::own("<secret>"), Kind::Secret));
        let whole = redactor.judge(&named("config.vault"), &["hunter2-hunter2"]);
        assert!(matches!(whole, Whole::Hidden(token, _) if token.as_str().len() == 13));
        assert_eq!(redactor.judge(&named("open.left"), &["1"]), Whole::Allowed);
        assert_eq!(redactor.judge(&named("other"), &["1"]), Whole::Unjudged);
        assert_eq!(redactor.counts()["secret"], 2);
        // The value is hidden again where nothing names it.
        let shown = redactor.show(Origin::SourceText, "\"hunter2-hunter2\"");
        assert!(shown.as_str().starts_with("\"<secret:"), "{shown:?}");
        assert_eq!(at(Level::Off, rules).judge(&named("vault"), &[]), Whole::Unjudged);
    }

    #[test]
    fn a_pattern_is_compared_with_each_form() {
        let rules = "[[deny]]\nname = '*'\nregex = '^0x2a$'\n";
        let mut redactor = at(Level::Default, rules);
        assert!(matches!(redactor.judge(&named("n"), &["42", "0x2a"]), Whole::Hidden(..)));
        assert_eq!(redactor.judge(&named("n"), &["43", "0x2b"]), Whole::Unjudged);
        assert_eq!(redactor.judge(&named("n"), &[]), Whole::Unjudged);
    }
}
