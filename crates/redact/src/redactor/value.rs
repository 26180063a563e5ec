//! Values of variables, which have a name and a type to be judged by.

use super::Redactor;
use crate::field_name::{self, Sureness, kind_of_name};
use crate::find;
use crate::kind::Kind;
use crate::log::Reason;
use crate::memory::is_card;
use crate::policy::{Level, Origin};
use crate::rules::{Named, Verdict};
use crate::shown::Shown;

impl Redactor {
    /// What of a variable's text may leave: judged by the user's rules, by its name and
    /// its type, and then by what it looks like.
    pub fn show_value(&mut self, origin: Origin, named: &Named<'_>, text: &str) -> Shown {
        if self.level == Level::Off {
            return self.show(origin, text);
        }
        let (kind, reason) = match self.rules.verdict(named, text.as_bytes()) {
            Some(Verdict::Allow) => return Shown::new(text.to_owned()),
            Some(Verdict::Deny(kind, rule)) => (kind, Reason::Rule(rule)),
            None => {
                let allowed = match self.rules.is_empty() {
                    true => Vec::new(),
                    false => self.rules.allowed_kinds(named, text.as_bytes()),
                };
                match announced_text(named, text).filter(|(kind, _)| !allowed.contains(kind)) {
                    Some(found) => found,
                    None if !allowed.is_empty() && self.level == Level::Default => {
                        self.begin(Some(origin));
                        return self.search(text, &allowed);
                    }
                    None => return self.show(origin, text),
                }
            }
        };
        self.begin(Some(origin));
        Shown::new(self.hidden(kind, text, reason))
    }

    /// The token for text of which a part could not be read: what it was cannot be judged,
    /// so all of it is hidden if its name or the level says that any of it could be.
    pub fn show_part(&mut self, origin: Origin, named: &Named<'_>, text: &str) -> Shown {
        let kind = [field_name::without_storage(named.name), plain_type(named)]
            .into_iter()
            .find_map(kind_of_name);
        let verdict = self.rules.verdict(named, text.as_bytes());
        match kind {
            Some(kind) if self.level != Level::Off && verdict != Some(Verdict::Allow) => {
                self.begin(Some(origin));
                Shown::new(self.hidden(kind, text, Reason::Name))
            }
            _ => self.show_value(origin, named, text),
        }
    }

    /// The token for a number whose variable's name or type says that it is a card's, a
    /// person's or a secret; `None` if it may be shown.
    pub fn hide_number(&mut self, named: &Named<'_>, digits: &str) -> Option<Shown> {
        if self.level == Level::Off {
            return None;
        }
        let (kind, reason) = match self.rules.verdict(named, digits.as_bytes()) {
            Some(Verdict::Allow) => return None,
            Some(Verdict::Deny(kind, rule)) => (kind, Reason::Rule(rule)),
            None => match announced(named, digits).or_else(|| announced_birth(named, digits)) {
                Some((kind, _))
                    if !self.rules.is_empty()
                        && self.rules.allowed_kinds(named, digits.as_bytes()).contains(&kind) =>
                {
                    return None;
                }
                Some(found) => found,
                None if digits.parse().is_ok_and(|it| self.remembered.has_number(it)) => {
                    (Kind::Secret, Reason::Known)
                }
                None if digits.parse().is_ok_and(is_card) => (Kind::Card, Reason::Content),
                None => return None,
            },
        };
        self.begin(None);
        Some(Shown::new(self.hidden(kind, digits, reason)))
    }
}

/// As what the name or the type of a value says it is to be hidden, and which of them.
fn announced(named: &Named<'_>, text: &str) -> Option<(Kind, Reason)> {
    let parts = [(named.name, Reason::Name), (plain_type(named), Reason::Type)];
    parts.into_iter().find_map(|(name, reason)| {
        let field = field_name::field(name.as_bytes())?;
        find::is_sensitive(text.as_bytes(), field).then_some((field.kind, reason))
    })
}

/// A date of birth in seconds or days, and its year: it has no shape to be known by.
fn announced_birth(named: &Named<'_>, digits: &str) -> Option<(Kind, Reason)> {
    let field = field_name::field(named.name.as_bytes())?;
    let is_date = digits.trim_start_matches('-').len() >= 4;
    let is_birth = field.kind == Kind::Birth && field.sureness != Sureness::Maybe && is_date;
    is_birth.then_some((Kind::Birth, Reason::Name))
}

/// The same for text, whose variable may be named for how it is kept.
fn announced_text(named: &Named<'_>, text: &str) -> Option<(Kind, Reason)> {
    announced(named, text).or_else(|| {
        let name = field_name::without_storage(named.name);
        (name.len() < named.name.len()).then(|| announced(&Named { name, ..*named }, text))?
    })
}

/// `acme::Secret<std::string> &`: the template's name counts.
fn plain_type<'n>(named: &Named<'n>) -> &'n str {
    let plain = named.type_name.unwrap_or_default().split('<').next().unwrap_or_default();
    plain.trim_end_matches(['*', '&', ' ']).rsplit("::").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn at(level: Level) -> Redactor {
        Redactor::new(level, "obit-0123")
    }

    fn named(name: &str) -> Named<'_> {
        Named { name, ..Named::default() }
    }

    #[test]
    fn a_value_hidden_by_its_name_is_hidden_where_nothing_names_it() {
        let mut redactor = at(Level::Default);
        let line = "  return open(\"LT-fescue-62\");";
        assert_eq!(redactor.show(Origin::SourceText, line).as_str(), line);
        let token = redactor.show_value(Origin::VariableText, &named("api_token"), "LT-fescue-62");
        let shown = redactor.show(Origin::SourceText, line);
        assert_eq!(shown.as_str(), format!("  return open(\"{}\");", token.as_str()));
        assert!(redactor.hide_number(&named("card_no"), "4929804463622139").is_some());
        assert!(redactor.hide_number(&named("n"), "4929804463622139").is_some());
        assert!(redactor.hide_number(&named("n"), "4929804463622138").is_none());
        assert!(redactor.hide_number(&named("row"), "5425233430109903").is_some());
        assert!(redactor.hide_number(&named("birth_date"), "-157766400").is_some());
        assert!(redactor.hide_number(&named("birth_count"), "157766400").is_none());
        assert_ne!(redactor.show_word(4_929_804_463_622_139), 4_929_804_463_622_139);
    }

    #[test]
    fn text_of_which_a_part_is_lost_is_hidden_where_its_name_says_that_it_may_be() {
        let mut redactor = at(Level::Default);
        let mail = named("owner_email");
        assert_eq!(redactor.show_value(Origin::VariableText, &mail, "ann").as_str(), "ann");
        let part = redactor.show_part(Origin::VariableText, &mail, "ann");
        assert_eq!(part.as_str(), "<email>");
        let title = named("title");
        assert_eq!(redactor.show_part(Origin::VariableText, &title, "ann").as_str(), "ann");
        let mut strict = at(Level::Strict);
        let shown = strict.show_part(Origin::VariableText, &title, "ann");
        assert_eq!(shown.as_str(), "<redacted:3>");
    }

    #[test]
    fn decisions_say_where_and_why_without_the_text() {
        let rules = Rules::parse("[[deny]]\nregex = 'CUST-[0-9]+'\n").unwrap().of_file("r.toml");
        let mut redactor = at(Level::Default).with_rules(rules).with_log();
        redactor.enter(0, || "thread 7".to_owned());
        redactor.enter(1, || "#0 of ann@example.com".to_owned());
        redactor.show_value(Origin::VariableText, &named("password"), "hunter2");
        redactor.show(Origin::MessageText, "to ann@example.com for CUST-42");
        redactor.enter(0, || "process".to_owned());
        redactor.show(Origin::Environment, "A=1");
        let (decisions, left_out) = redactor.decisions();
        let reasons: Vec<_> = decisions.iter().map(|one| one.reason.clone()).collect();
        let rule = Reason::Rule("r.toml:1".to_owned());
        assert_eq!(reasons, [Reason::Name, Reason::Content, rule, Reason::Level]);
        assert_eq!((decisions[0].place.len(), decisions[3].place.len(), left_out), (2, 1, 0));
        let printed = format!("{decisions:?}");
        assert!(!printed.contains("ann") && !printed.contains("hunter2"), "{printed}");
        // Names of places are judged and not counted.
        assert_eq!(redactor.counts().get("email"), Some(&1));
    }

    #[test]
    fn a_rule_may_allow_one_kind_of_a_variable() {
        let rules = Rules::parse("[[allow]]\nname = 'peer'\nkind = 'ip'\n").unwrap();
        let mut redactor = at(Level::Default).with_rules(rules);
        let mut shown = |name, text| {
            redactor.show_value(Origin::VariableText, &named(name), text).into_string()
        };
        assert_eq!(shown("peer", "203.0.113.9"), "203.0.113.9");
        assert!(shown("other", "203.0.113.9").starts_with("<ip:"));
        assert!(shown("peer", "ann@example.com").starts_with("<email:"));
    }
}
