//! Discretion: what of a dead process may be shown. A datum is judged by where it came
//! from ([`Origin`]) and by what it looks like, never by who asks.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod arguments;
mod field_name;
mod find;
mod kind;
mod log;
mod policy;
mod remembered;
mod rules;
#[cfg(feature = "serde")]
mod serial;
mod shown;
pub mod stream;
mod text_in_numbers;
mod token;
mod word_set;

pub use field_name::judge;
pub use kind::Kind;
pub use log::{Decision, Reason};
pub use policy::{Level, Origin};
pub use rules::{Named, RuleError, Rules, Verdict};
pub use shown::Shown;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use find::{Carried, Span};
use log::Log;
use policy::Treatment;
use remembered::Remembered;
use token::Tokens;

/// The only maker of [`Shown`], and the book-keeper of what it hid.
///
/// A hidden text is replaced by a token `<kind:digest>`. Digests are keyed, so the same
/// text has the same token throughout one report and different ones in two reports.
#[derive(Debug)]
pub struct Redactor {
    level: Level,
    tokens: Tokens,
    rules: Rules,
    counts: BTreeMap<&'static str, u64>,
    /// First and last address of each mapping: a number within is a pointer, no text.
    mapped: Vec<(u64, u64)>,
    /// `None` where nobody asked for it.
    log: Option<Box<Log>>,
    known: Remembered,
}

impl Redactor {
    /// `key` is anything that belongs to this report alone: the crash's id.
    pub fn new(level: Level, key: &str) -> Self {
        Self::with_key(level, key.as_bytes())
    }

    /// The same with a key of the user's, who can so compare tokens of several reports.
    pub fn with_key(level: Level, key: &[u8]) -> Self {
        let rules = Rules::default();
        let (tokens, counts) = (Tokens::new(key), BTreeMap::new());
        Self {
            level,
            tokens,
            rules,
            counts,
            mapped: Vec::new(),
            log: None,
            known: Remembered::default(),
        }
    }

    /// The same with rules of the user's.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The same with the mappings of the process, as first and last address: numbers within
    /// are no text whatever they spell.
    #[must_use]
    pub fn with_mapped(mut self, mapped: impl IntoIterator<Item = (u64, u64)>) -> Self {
        if self.level != Level::Off {
            self.mapped = mapped.into_iter().collect();
            self.mapped.sort_unstable();
        }
        self
    }

    /// The same, but every decision is noted: see [`decisions`](Self::decisions).
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.log = Some(Box::default());
        self
    }

    /// What was hidden since [`with_log`](Self::with_log), in the order of the work, and how
    /// many more decisions were not kept.
    pub fn decisions(&self) -> (&[Decision], u64) {
        self.log.as_ref().map_or((&[], 0), |log| (&log.decisions, log.left_out))
    }

    /// For the log: where the texts that follow stand, `depth` steps into what was told
    /// before. `place` is only asked for if there is a log.
    pub fn enter(&mut self, depth: usize, place: impl FnOnce() -> String) {
        // What names a place is judged like any text, but is no decision of its own.
        let Some(mut log) = self.log.take() else { return };
        let counts = self.counts.clone();
        log.place.truncate(depth);
        log.place.push(self.search(&place(), &[]));
        self.counts = counts;
        self.log = Some(log);
    }

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
            .find_map(judge);
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
            None => match announced(named, digits) {
                Some((kind, _))
                    if !self.rules.is_empty()
                        && self.rules.allowed_kinds(named, digits.as_bytes()).contains(&kind) =>
                {
                    return None;
                }
                Some(found) => found,
                None if digits.parse().is_ok_and(|it| self.known.has_number(it)) => {
                    (Kind::Secret, Reason::Known)
                }
                None => return None,
            },
        };
        self.begin(None);
        Some(Shown::new(self.hidden(kind, digits, reason)))
    }

    /// What stands for a register, an address or another word of memory: itself, or
    /// letters `x` if it spells text, since a piece of a text cannot be judged.
    pub fn show_word(&mut self, word: u64) -> u64 {
        if self.level == Level::Off {
            return word;
        }
        let reason = match self.known.has_number(word) {
            true => Reason::Known,
            false if text_in_numbers::is_text(word) => Reason::Piece,
            false => return word,
        };
        if self.is_mapped(word) {
            return word;
        }
        self.begin(None);
        self.hidden(Kind::Text, &word.to_string(), reason);
        text_in_numbers::masked(word)
    }

    /// The token for a number of eight bytes that are all letters: a part of a text that was
    /// read as a number. `None` if it may be shown.
    pub fn hide_spelled(&mut self, word: u64) -> Option<Shown> {
        if self.level == Level::Off || !text_in_numbers::is_whole_text(word) || self.is_mapped(word)
        {
            return None;
        }
        self.begin(None);
        Some(Shown::new(self.hidden(Kind::Text, &word.to_string(), Reason::Piece)))
    }

    /// What may leave of a piece of a longer text that nobody knows. What says nothing, as
    /// `AAAAAAAA`, is shown.
    pub fn show_piece(&mut self, text: &str) -> Shown {
        match self.level {
            Level::Default if !text_in_numbers::is_dull(text.as_bytes()) => {
                self.begin(Some(Origin::VariableText));
                Shown::new(self.hidden(Kind::Text, text, Reason::Piece))
            }
            _ => self.show(Origin::VariableText, text),
        }
    }

    /// What may leave of a text beside the report, as of the name of a file of rules: it
    /// counts as nothing and is no decision.
    pub fn aside(&self, text: &str) -> Shown {
        let mut other = Self {
            level: self.level,
            tokens: self.tokens.clone(),
            rules: Rules::default(),
            counts: BTreeMap::new(),
            mapped: Vec::new(),
            log: None,
            known: Remembered::default(),
        };
        other.show(Origin::OwnWords, text)
    }

    fn is_mapped(&self, word: u64) -> bool {
        let after = self.mapped.partition_point(|(first, _)| *first <= word);
        let before = after.checked_sub(1).and_then(|at| self.mapped.get(at));
        before.is_some_and(|(_, last)| word <= *last)
    }

    fn begin(&mut self, origin: Option<Origin>) {
        if let Some(log) = &mut self.log {
            log.origin = origin;
        }
    }

    fn note(&mut self, reason: Reason, kind: &'static str, token: &str) {
        if let Some(log) = &mut self.log {
            log.note(reason, kind, token);
        }
    }

    fn hidden(&mut self, kind: Kind, text: &str, reason: Reason) -> String {
        self.known.add(kind, text.as_bytes());
        self.count(kind.word());
        let token = self.tokens.of(kind, text.as_bytes());
        self.note(reason, kind.word(), &token);
        token
    }

    /// What of `text` may leave.
    pub fn show(&mut self, origin: Origin, text: &str) -> Shown {
        self.begin(Some(origin));
        match policy::treatment(self.level, origin) {
            Treatment::Keep => Shown::new(text.to_owned()),
            Treatment::Search => self.search(text, &[]),
            Treatment::SearchBut(kept) => self.search(text, kept),
            Treatment::SearchWords(kept) => {
                let shown = self.search(text, kept);
                self.without_words(shown)
            }
            Treatment::WordSet => self.without_words(Shown::new(text.to_owned())),
            Treatment::Digest(kind) => {
                let token = self.tokens.token(kind, text.as_bytes());
                self.count(kind);
                self.note(Reason::Level, kind, &token);
                Shown::new(token)
            }
            Treatment::Mask => Shown::new(self.mask(text)),
        }
    }

    /// `text` but for the numbers in it that spell text.
    fn without_words(&mut self, text: Shown) -> Shown {
        let numbers = text_in_numbers::numbers(text.as_str());
        let mut shown = String::new();
        let mut done = 0;
        for (range, number) in numbers {
            let is_known = self.known.has_number(number);
            if !(is_known || text_in_numbers::is_text(number)) || self.is_mapped(number) {
                continue;
            }
            shown.push_str(text.as_str().get(done..range.start).unwrap_or_default());
            shown.push_str(&self.hidden(Kind::Text, &number.to_string(), Reason::Piece));
            done = range.end;
        }
        if done == 0 {
            return text;
        }
        shown.push_str(text.as_str().get(done..).unwrap_or_default());
        Shown::new(shown)
    }

    /// The same for bytes: what is no UTF-8 is shown as `\xff`.
    pub fn show_bytes(&mut self, origin: Origin, bytes: &[u8]) -> Shown {
        let text = visible_utf8(bytes);
        self.show(origin, &text)
    }

    /// A command line: the program's own name and the names of options are shown,
    /// their values and plain words are not.
    pub fn show_arguments<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> Vec<Shown> {
        let texts = argv.iter().map(|argument| visible_utf8(argument.as_ref()));
        let shown = texts.enumerate().map(|(at, text)| {
            self.enter(1, || format!("argument {at}"));
            if at == 0 {
                return self.show(Origin::Path, &text);
            }
            if self.level == Level::Off {
                return self.show(Origin::Argument, &text);
            }
            self.begin(Some(Origin::Argument));
            let (kept, hidden) = arguments::split(&text, self.level);
            let hidden = if hidden.is_empty() { String::new() } else { self.mask(hidden) };
            let mut kept = self.search(kept, &[]).into_string();
            kept.push_str(&hidden);
            Shown::new(kept)
        });
        shown.collect()
    }

    /// How much is hidden by this redactor.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How often each kind of text was hidden so far.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// `text` but for what is found in it; what is of the kinds `kept` may stay.
    fn search(&mut self, text: &str, kept: &[Kind]) -> Shown {
        let mut found = self.find(text.as_bytes(), &mut Carried::default());
        found.retain(|finding| !kept.contains(&finding.kind));
        let known = self.known.find(text.as_bytes());
        if !known.is_empty() {
            let known = known.into_iter();
            found.extend(known.map(|(range, kind)| Span { range, kind, is_wide: false }));
            found = find::in_order(found);
        }
        if found.is_empty() {
            return Shown::new(text.to_owned());
        }
        for finding in &mut found {
            finding.range = whole_characters(text, finding.range.clone());
        }
        let bytes = self.replace(text.as_bytes(), &found);
        Shown::new(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Any bytes, with what is sensitive in them replaced. `carried` goes from one block
    /// of a long text to the next.
    pub(crate) fn redact_bytes(&mut self, bytes: &[u8], carried: &mut Carried) -> Vec<u8> {
        let found = self.find(bytes, carried);
        self.replace(bytes, &found)
    }

    /// Everything to hide in `bytes`, by obit's finders and the user's rules.
    fn find(&self, bytes: &[u8], carried: &mut Carried) -> Vec<Span> {
        let mut found = find::find(bytes, carried, true);
        if self.level == Level::Strict {
            found = find::with_quoted(bytes, found);
        }
        if self.rules.is_empty() {
            return found;
        }
        found.retain(|finding| {
            let text = bytes.get(finding.range.clone()).unwrap_or_default();
            !self.rules.allows(finding.kind, text)
        });
        let denied = self.rules.denied(bytes).into_iter();
        found.extend(denied.map(|(range, kind, _)| Span { range, kind, is_wide: false }));
        find::in_order(found)
    }

    /// `bytes` with tokens for `found`, which is in order.
    fn replace(&mut self, bytes: &[u8], found: &[Span]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len() + found.len() * 4);
        let mut done = 0;
        for finding in found {
            shown.extend_from_slice(bytes.get(done..finding.range.start).unwrap_or_default());
            let secret = bytes.get(finding.range.clone()).unwrap_or_default();
            self.count(finding.kind.word());
            let token = match finding.is_wide {
                true => self.tokens.of(finding.kind, &narrowed(secret)),
                false => self.tokens.of(finding.kind, secret),
            };
            if self.log.is_some() {
                self.note(self.reason(finding, bytes), finding.kind.word(), &token);
            }
            match finding.is_wide {
                true => shown.extend(token.encode_utf16().flat_map(u16::to_le_bytes)),
                false => shown.extend_from_slice(token.as_bytes()),
            }
            done = finding.range.end.max(done);
        }
        shown.extend_from_slice(bytes.get(done..).unwrap_or_default());
        shown
    }

    /// For the log: a rule's pattern, or a finder.
    fn reason(&self, finding: &Span, bytes: &[u8]) -> Reason {
        let overlaps = |range: &std::ops::Range<usize>| {
            range.start < finding.range.end && finding.range.start < range.end
        };
        let denied = self.rules.denied(bytes).into_iter();
        let rule = denied.filter(|(range, ..)| overlaps(range)).map(|(.., rule)| rule).next();
        match rule {
            Some(rule) => Reason::Rule(rule),
            None if finding.kind == Kind::Text => Reason::Level,
            None => Reason::Content,
        }
    }

    fn mask(&mut self, text: &str) -> String {
        self.count(MASKED);
        let token = format!("<{MASKED}:{}>", text.len());
        self.note(Reason::Level, MASKED, &token);
        token
    }

    fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }
}

/// What stands for a text that is hidden as a whole, with the number of its bytes.
const MASKED: &str = "redacted";

/// As what the name or the type of a value says it is to be hidden, and which of them.
fn announced(named: &Named<'_>, text: &str) -> Option<(Kind, Reason)> {
    let parts = [(named.name, Reason::Name), (plain_type(named), Reason::Type)];
    parts.into_iter().find_map(|(name, reason)| {
        let field = field_name::field(name.as_bytes())?;
        find::is_sensitive(text.as_bytes(), field).then_some((field.kind, reason))
    })
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

/// UTF-16 as UTF-8, so that a text has one token in both.
fn narrowed(wide: &[u8]) -> Vec<u8> {
    let units = wide.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    char::decode_utf16(units)
        .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}

/// `range` widened to whole characters of `text`.
fn whole_characters(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = range.end.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// UTF-8 as it is; each byte that is none as `\xff`, so that no byte is lost.
fn visible_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: Level) -> Redactor {
        Redactor::new(level, "obit-0123")
    }

    #[test]
    fn by_default_names_are_shown_and_the_environment_is_not() {
        let mut redactor = at(Level::Default);
        assert_eq!(redactor.show(Origin::SymbolName, "parse_header").as_str(), "parse_header");
        assert_eq!(redactor.show(Origin::Environment, "TOKEN=abc").as_str(), "<redacted:9>");
        assert_eq!(redactor.counts().get("redacted"), Some(&1));
    }

    #[test]
    fn off_shows_everything_and_counts_nothing() {
        let mut redactor = at(Level::Off);
        let text = "mail alice@example.com password=hunter2";
        for origin in [Origin::Environment, Origin::Argument, Origin::MessageText] {
            assert_eq!(redactor.show(origin, text).as_str(), text);
        }
        let shown = redactor.show_arguments(&["t", "--password=hunter2"]);
        assert_eq!(shown[1].as_str(), "--password=hunter2");
        assert!(redactor.counts().is_empty());
    }

    #[test]
    fn a_text_has_one_token_in_a_report_and_another_in_the_next() {
        let mail = "alice@example.com";
        let mut first = at(Level::Default);
        let token = first.show(Origin::MessageText, mail);
        assert_eq!(first.show(Origin::Path, mail), token);
        assert!(token.as_str().starts_with("<email:"), "{token:?}");
        let mut other = Redactor::new(Level::Default, "obit-4567");
        assert_ne!(other.show(Origin::MessageText, mail), token);
    }

    #[test]
    fn arguments_keep_option_names_only() {
        let argv = ["/usr/bin/mysql", "--password=hunter2", "-phunter2", "-v", "--port", "3306"];
        let shown = at(Level::Default).show_arguments(&argv);
        let shown: Vec<_> = shown.iter().map(Shown::as_str).collect();
        assert_eq!(
            shown,
            [
                "/usr/bin/mysql",
                "--password=<redacted:7>",
                "-p<redacted:7>",
                "-v",
                "--port",
                "<redacted:4>"
            ]
        );
    }

    #[test]
    fn strict_hides_whose_home_it_was_and_what_threads_were_called() {
        let mut redactor = at(Level::Strict);
        let path = redactor.show(Origin::Path, "/home/alice/bin/t");
        assert!(path.as_str().starts_with("/home/<user:"), "{path:?}");
        assert!(path.as_str().ends_with(">/bin/t"), "{path:?}");
        assert!(redactor.show(Origin::ThreadName, "conn alice").as_str().starts_with("<name:"));
        assert_eq!(redactor.show(Origin::MessageText, "x == 3").as_str(), "<redacted:6>");
        assert_eq!(redactor.show(Origin::OwnWords, "no file").as_str(), "no file");
    }

    fn named(name: &str) -> Named<'_> {
        Named { name, ..Named::default() }
    }

    #[test]
    fn words_that_spell_text_are_hidden_unless_something_is_mapped_there() {
        let word = u64::from_le_bytes(*b"hunter22");
        let mut redactor = at(Level::Default);
        assert_eq!(redactor.show_word(word), 0x7878_7878_7878_7878);
        assert_eq!(redactor.show_word(0x7fff_ffff_e180), 0x7fff_ffff_e180);
        assert!(redactor.hide_spelled(word).is_some());
        let text = format!("rax = {word:#x}; 0x10");
        for origin in [Origin::OwnWords, Origin::Code] {
            let shown = redactor.show(origin, &text);
            assert!(shown.as_str().starts_with("rax = <text:"), "{shown:?}");
            assert!(shown.as_str().ends_with(">; 0x10"), "{shown:?}");
        }
        let mut mapped = at(Level::Default).with_mapped([(word - 8, word + 8), (0, 16)]);
        assert_eq!(mapped.show_word(word), word);
        assert_eq!(mapped.show(Origin::Code, &text).as_str(), text);
        assert_eq!(at(Level::Off).show_word(word), word);
    }

    #[test]
    fn a_piece_of_a_text_is_hidden_unless_it_says_nothing() {
        let mut redactor = at(Level::Default);
        assert!(redactor.show_piece("hunter22").as_str().starts_with("<text:"));
        assert_eq!(redactor.show_piece("AAAAAAAA").as_str(), "AAAAAAAA");
        assert_eq!(at(Level::Off).show_piece("hunter22").as_str(), "hunter22");
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
        assert_ne!(redactor.show_word(4_929_804_463_622_139), 4_929_804_463_622_139);
    }

    #[test]
    fn text_of_which_a_part_is_lost_is_hidden_where_its_name_says_that_it_may_be() {
        let mut redactor = at(Level::Default);
        let mail = named("owner_email");
        assert_eq!(redactor.show_value(Origin::VariableText, &mail, "ann").as_str(), "ann");
        let part = redactor.show_part(Origin::VariableText, &mail, "ann");
        assert!(part.as_str().starts_with("<email:"), "{part:?}");
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
        let told = format!("{decisions:?}");
        assert!(!told.contains("ann") && !told.contains("hunter2"), "{told}");
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

    #[test]
    fn bytes_that_are_no_utf8_stay_visible() {
        let shown = at(Level::Default).show_bytes(Origin::Path, b"/tmp/\xff\xc3\xa9");
        assert_eq!(shown.as_str(), "/tmp/\\xff\u{e9}");
    }
}
