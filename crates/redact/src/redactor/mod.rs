//! The redactor: decides for each text what of it may leave, and counts what it hid.

mod memo;
mod number;
mod object;
mod value;
mod whole;

pub use object::Object;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::arguments;
use crate::find::{self, Carried, Span, Unit};
use crate::key_text;
use crate::kind::Kind;
use crate::log::{Decision, Log, Reason};
use crate::policy::{self, Level, Origin, Treatment};
use crate::remembered::Remembered;
use crate::rules::Rules;
use crate::shown::Shown;
use crate::token::{MASKED, Tokens, tokens_in};
pub use whole::Whole;

/// The only maker of [`Shown`], and the book-keeper of what it hid.
///
/// A hidden text is replaced by a token `<kind:digest>`. Digests are keyed, so the same
/// text has the same token throughout one report and different ones in two reports. Texts of
/// which there are few have the token `<kind>`.
#[derive(Debug)]
pub struct Redactor {
    level: Level,
    tokens: Tokens,
    rules: Rules,
    counts: BTreeMap<&'static str, u64>,
    /// First and last address of each mapping: a number within is a pointer, no text.
    mapped: Vec<(u64, u64)>,
    /// Whether its texts may hold tokens of another redactor, which stay.
    keeps_tokens: bool,
    /// `None` where no one asked for it.
    log: Option<Box<Log>>,
    remembered: Remembered,
    answers: memo::Answers,
}

impl Redactor {
    /// `key` is text that no reader of the output knows.
    pub fn new(level: Level, key: &str) -> Self {
        Self::with_key(level, key.as_bytes())
    }

    /// The same with a key of the user's, who can so compare tokens of several reports.
    pub fn with_key(level: Level, key: &[u8]) -> Self {
        Self::with_tokens(level, Tokens::new(key))
    }

    /// The same with a key that is kept nowhere.
    pub fn with_random_key(level: Level) -> Self {
        Self::with_tokens(level, Tokens::random())
    }

    /// The same without a key: tokens are kinds alone, and equal values cannot be recognised.
    pub fn without_key(level: Level) -> Self {
        Self::with_tokens(level, Tokens::plain())
    }

    fn with_tokens(level: Level, tokens: Tokens) -> Self {
        Self {
            level,
            tokens,
            rules: Rules::default(),
            counts: BTreeMap::new(),
            mapped: Vec::new(),
            keeps_tokens: false,
            log: None,
            remembered: Remembered::default(),
            answers: memo::Answers::default(),
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

    /// The same for texts that were redacted before: the tokens in them stay as they are.
    #[must_use]
    pub fn of_shown(mut self) -> Self {
        self.keeps_tokens = true;
        self
    }

    /// The same, but every decision is noted: see [`decisions`](Self::decisions).
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.log = Some(Box::default());
        self
    }

    /// What of `text` may leave.
    pub fn show(&mut self, origin: Origin, text: &str) -> Shown {
        if !self.keeps_tokens {
            return self.show_new(origin, text);
        }
        let mut shown = String::with_capacity(text.len());
        let mut done = 0;
        for token in tokens_in(text) {
            let before = text.get(done..token.start).filter(|before| !before.is_empty());
            shown.extend(before.map(|before| self.show_new(origin, before).into_string()));
            shown.push_str(text.get(token.clone()).unwrap_or_default());
            done = token.end;
        }
        let rest = text.get(done..).filter(|rest| done == 0 || !rest.is_empty());
        shown.extend(rest.map(|rest| self.show_new(origin, rest).into_string()));
        Shown::new(shown)
    }

    fn show_new(&mut self, origin: Origin, text: &str) -> Shown {
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
                let token = self.tokens.of(kind, text.as_bytes());
                self.count(kind.word());
                self.note(Reason::Level, kind.word(), &token);
                Shown::new(token)
            }
            Treatment::Mask => Shown::new(self.mask(text)),
        }
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

    /// What may leave of a text beside the report, as of the name of a file of rules: it
    /// counts as nothing and is no decision.
    pub fn aside(&self, text: &str) -> Shown {
        Self::with_tokens(self.level, self.tokens.clone()).show(Origin::OwnWords, text)
    }

    /// The user's rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How much is hidden by this redactor.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How often each kind of text was hidden so far.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// What was hidden since [`with_log`](Self::with_log), in the order of the work, and how
    /// many more decisions were not kept.
    pub fn decisions(&self) -> (&[Decision], u64) {
        self.log.as_ref().map_or((&[], 0), |log| (&log.decisions, log.left_out))
    }

    /// For the log: where the texts that follow are, `depth` steps into what was announced
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

    pub(super) fn begin(&mut self, origin: Option<Origin>) {
        if let Some(log) = &mut self.log {
            log.origin = origin;
        }
    }

    fn note(&mut self, reason: Reason, kind: &'static str, token: &str) {
        if let Some(log) = &mut self.log {
            log.note(reason, kind, token);
        }
    }

    pub(super) fn hidden(&mut self, kind: Kind, text: &str, reason: Reason) -> String {
        self.remembered.add(kind, text.as_bytes());
        self.count(kind.word());
        // A word of memory is short, and of what it is a piece is not known.
        let token = match reason {
            Reason::Piece => Tokens::of_kind(kind),
            _ => self.tokens.of(kind, text.as_bytes()),
        };
        self.note(reason, kind.word(), &token);
        token
    }

    /// `text` but for what is found in it; what is of the kinds `kept` may stay.
    pub(super) fn search(&mut self, text: &str, kept: &[Kind]) -> Shown {
        let find = |text: &str| self.find(text.as_bytes(), &mut Carried::default());
        // Rules count what they match.
        let is_plain =
            self.rules.is_empty() && self.answers.is_plain(text, |text| find(text).is_empty());
        let mut found = if is_plain { Vec::new() } else { find(text) };
        found.retain(|span| !kept.contains(&span.kind));
        let known = self.remembered.find(text.as_bytes());
        if !known.is_empty() {
            let known = known.into_iter();
            found.extend(known.map(|(range, kind)| Span { range, kind, unit: Unit::Byte }));
            found = find::in_order(found);
        }
        if found.is_empty() {
            return Shown::new(text.to_owned());
        }
        for span in &mut found {
            span.range = whole_characters(text, span.range.clone());
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
        let keys = key_text::find_named(bytes);
        if !keys.is_empty() {
            found.extend(keys);
            found = find::in_order(found);
        }
        if self.level == Level::Strict {
            found = find::with_quoted(bytes, found);
        }
        if self.rules.is_empty() {
            return found;
        }
        found.retain(|span| {
            let text = bytes.get(span.range.clone()).unwrap_or_default();
            !self.rules.allows(span.kind, text)
        });
        let denied = self.rules.denied(bytes).into_iter();
        found.extend(denied.map(|(range, kind, _)| Span { range, kind, unit: Unit::Byte }));
        find::in_order(found)
    }

    /// `bytes` with tokens for `found`, which is in order.
    fn replace(&mut self, bytes: &[u8], found: &[Span]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len() + found.len() * 4);
        let mut done = 0;
        for span in found {
            shown.extend_from_slice(bytes.get(done..span.range.start).unwrap_or_default());
            let secret = bytes.get(span.range.clone()).unwrap_or_default();
            self.count(span.kind.word());
            let token = self.tokens.of(span.kind, &span.unit.narrowed(secret));
            if self.log.is_some() {
                self.note(self.reason(span, bytes), span.kind.word(), &token);
            }
            shown.extend_from_slice(&span.unit.encoded(&token));
            done = span.range.end.max(done);
        }
        shown.extend_from_slice(bytes.get(done..).unwrap_or_default());
        shown
    }

    /// For the log: a rule's pattern, or a finder.
    fn reason(&self, span: &Span, bytes: &[u8]) -> Reason {
        let overlaps =
            |range: &Range<usize>| range.start < span.range.end && span.range.start < range.end;
        let denied = self.rules.denied(bytes).into_iter();
        let rule = denied.filter(|(range, ..)| overlaps(range)).map(|(.., rule)| rule).next();
        match rule {
            Some(rule) => Reason::Rule(rule),
            None if span.kind == Kind::Text => Reason::Level,
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

/// `range` widened to whole characters of `text`.
fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
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
    fn tokens_of_another_redactor_stay_and_the_text_around_them_is_searched() {
        let mut again = at(Level::Default).of_shown();
        let mut twice = |text: &str| again.show(Origin::Path, text).into_string();
        for text in ["/tmp/<secret:42b2>.core", "<email:a91f>", "", "x", "a <ip:0000>"] {
            assert_eq!(twice(text), text);
        }
        let around = twice("<secret:42b2> ann@example.com <user:0123>");
        assert!(around.starts_with("<secret:42b2> <email:") && around.ends_with(" <user:0123>"));
        // Where no text was redacted before, this is a label with its value.
        assert_ne!(
            at(Level::Default).show(Origin::Path, "<secret:42b2>").as_str(),
            "<secret:42b2>"
        );
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

    #[test]
    fn bytes_that_are_no_utf8_stay_visible() {
        let shown = at(Level::Default).show_bytes(Origin::Path, b"/tmp/\xff\xc3\xa9");
        assert_eq!(shown.as_str(), "/tmp/\\xff\u{e9}");
    }
}
