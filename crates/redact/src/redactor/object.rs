//! Objects that are key material: hidden as a whole, and their bytes known again.

use std::ops::Range;

use super::Redactor;
use crate::find::{self, Carried};
use crate::key_bytes::KeyBytes;
use crate::key_material::{self, Material};
use crate::key_shape;
use crate::kind::Kind;
use crate::log::Reason;
use crate::policy::Level;
use crate::rules::{Named, Verdict};
use crate::shown::Shown;

/// What is known of an object beside its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object<'o> {
    /// Its bytes if it is a list of numbers: all of them, or the first ones.
    pub list: Option<&'o [u8]>,
    /// Its numbers as digits, if each is one: `int digits[16]`, a number in BCD.
    pub digits: Option<&'o str>,
    /// Whether something that it is a part of is called a key.
    pub is_in_key: bool,
}

impl Redactor {
    /// As what all of an object is hidden, and why: by its name, its type, its structure, or
    /// because it has a part of a key that is known.
    pub fn judge_object(&self, named: &Named<'_>, object: Object<'_>) -> Option<(Kind, Reason)> {
        if self.level == Level::Off {
            return None;
        }
        let found = self.judge_alone(named, object).or_else(|| {
            let is_known = self.remembered.keys.is_in(object.list?);
            is_known.then_some((Kind::Secret, Reason::Known))
        });
        let (kind, _) = found.as_ref()?;
        if !self.rules.is_empty() {
            let verdict = self.rules.verdict(named, &[]);
            let allowed = self.rules.allowed_kinds(named, &[]);
            if verdict == Some(Verdict::Allow) || allowed.contains(kind) {
                return None;
            }
        }
        found
    }

    /// The token for such an object, of which `bytes` are all that its token depends on.
    pub fn hide_object(&mut self, kind: Kind, reason: Reason, bytes: &[u8]) -> Shown {
        self.begin(None);
        self.learn_key(bytes);
        Shown::new(self.hidden_bytes(kind, bytes, reason))
    }

    /// The token for eight bytes, as a number, that are a part of a known key.
    pub fn hide_key_word(&mut self, word: u64) -> Option<Shown> {
        if self.level == Level::Off || !self.remembered.keys.has(word) {
            return None;
        }
        self.begin(None);
        Some(Shown::new(self.hidden_bytes(Kind::Secret, &word.to_le_bytes(), Reason::Known)))
    }

    fn hidden_bytes(&mut self, kind: Kind, bytes: &[u8], reason: Reason) -> String {
        self.remembered.add(kind, bytes);
        self.count(kind.word());
        let token = self.tokens.of(kind, bytes);
        self.note(reason, kind.word(), &token);
        token
    }

    /// Whether an object of that name holds keys in its lists of numbers.
    pub fn names_key(&self, name: &str) -> bool {
        self.answers.of_name(name).is_some_and(|material| {
            matches!(material.kind(), Kind::Password | Kind::Secret | Kind::PasswordHash)
        })
    }

    /// Remembers a key: what has a part of it is hidden from now on.
    pub fn learn_key(&mut self, bytes: &[u8]) {
        if self.level != Level::Off {
            self.remembered.keys.add(bytes);
        }
    }

    /// Where in `bytes` parts of known keys are, private keys and round keys of AES.
    pub fn key_ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.level == Level::Off {
            return Vec::new();
        }
        let mut found = self.remembered.keys.find(bytes);
        found.extend(key_shape::private_keys(bytes).into_iter().map(|(range, _)| range));
        found.extend(key_shape::round_keys(bytes));
        found
    }

    /// Whether an address of the Internet may not be shown.
    pub fn is_public_address(&self, address: &str) -> bool {
        let found = || find::find(address.as_bytes(), &mut Carried::default(), true);
        let is_hidden = |span: &find::Span| span.kind == Kind::Ip;
        self.level != Level::Off
            && found().iter().any(is_hidden)
            && !self.rules.allows(Kind::Ip, address.as_bytes())
    }

    /// The keys that are known.
    pub fn keys(&self) -> &KeyBytes {
        &self.remembered.keys
    }

    /// Whether a part of a known key is in `bytes`.
    pub fn has_key(&self, bytes: &[u8]) -> bool {
        self.level != Level::Off && self.remembered.keys.is_in(bytes)
    }

    /// The same, whatever was seen before.
    fn judge_alone(&self, named: &Named<'_>, object: Object<'_>) -> Option<(Kind, Reason)> {
        match self.answers.of_name(named.name) {
            Some(Material::Whole(kind)) => return Some((kind, Reason::Name)),
            Some(Material::Bytes(kind)) if object.list.is_some() => {
                return Some((kind, Reason::Name));
            }
            _ => {}
        }
        if let Some(kind) = named.type_name.and_then(|name| self.answers.of_type(name)) {
            return Some((kind, Reason::Type));
        }
        let list = object.list?;
        if object.is_in_key && !key_material::is_beside_key(named.name) {
            return Some((Kind::Secret, Reason::Name));
        }
        let card = object.digits.and_then(|digits| {
            let found = find::find(digits.as_bytes(), &mut Carried::default(), true);
            let is_all = |span: &&find::Span| span.range.len() == digits.len();
            found.iter().find(is_all).map(|span| span.kind)
        });
        if let Some(kind) = card {
            return Some((kind, Reason::Content));
        }
        let private = key_shape::private_keys(list).first().map(|(_, kind)| *kind);
        let rounds = || (!key_shape::round_keys(list).is_empty()).then_some(Kind::Secret);
        private.or_else(rounds).map(|kind| (kind, Reason::Content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    const KEY: &[u8] = b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7\x0a\x6b";

    fn named<'n>(name: &'n str, type_name: Option<&'n str>) -> Named<'n> {
        Named { name, type_name, ..Named::default() }
    }

    fn judged(redactor: &Redactor, name: &str, list: Option<&[u8]>) -> Option<(Kind, Reason)> {
        redactor.judge_object(&named(name, None), Object { list, ..Object::default() })
    }

    #[test]
    fn key_material_is_hidden_by_name_by_type_and_as_a_copy() {
        let mut redactor = Redactor::new(Level::Default, "obit-0123");
        assert_eq!(judged(&redactor, "master_secret", None), Some((Kind::Secret, Reason::Name)));
        assert_eq!(judged(&redactor, "key", Some(KEY)), Some((Kind::Secret, Reason::Name)));
        // The key of a map, a handle, a copy that nothing names.
        for (name, list) in [("key", None), ("cache_key", Some(KEY)), ("scratch", Some(KEY))] {
            assert_eq!(judged(&redactor, name, list), None, "{name}");
        }
        let schedule = named("k", Some("struct aes_key_st *"));
        let found = redactor.judge_object(&schedule, Object::default());
        assert_eq!(found, Some((Kind::Secret, Reason::Type)));
        let token = redactor.hide_object(Kind::Secret, Reason::Name, KEY);
        assert!(token.as_str().starts_with("<secret:"), "{token:?}");
        assert_eq!(judged(&redactor, "scratch", Some(KEY)), Some((Kind::Secret, Reason::Known)));
        let word = u64::from_le_bytes(*b"\x73\xe8\x41\xea\xe7\xf4\xa7\x0a");
        assert!(redactor.hide_key_word(word).is_some());
        assert_ne!(redactor.show_word(word), word);
    }

    #[test]
    fn digits_are_a_card_if_they_check() {
        let redactor = Redactor::new(Level::Default, "");
        let judged = |digits| {
            let object = Object { digits: Some(digits), list: Some(&[4, 9, 2]), is_in_key: false };
            redactor.judge_object(&named("row", None), object)
        };
        assert_eq!(judged("4929804463622139"), Some((Kind::Card, Reason::Content)));
        assert_eq!(judged("4929804463622138"), None);
    }

    #[test]
    fn a_rule_may_allow_an_object_and_off_shows_all() {
        let rules = Rules::parse("[[allow]]\nname = 'session_key'\n").unwrap();
        let redactor = Redactor::new(Level::Default, "").with_rules(rules);
        assert_eq!(judged(&redactor, "session_key", Some(KEY)), None);
        assert!(judged(&redactor, "master_key", Some(KEY)).is_some());
        let mut off = Redactor::new(Level::Off, "");
        off.learn_key(KEY);
        assert_eq!(judged(&off, "master_key", Some(KEY)), None);
        assert!(!off.has_key(KEY));
    }
}
