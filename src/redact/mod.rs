//! Discretion: what of a dead process may be shown. A datum is judged by where it came
//! from ([`Origin`]) and by what it looks like, never by who asks.

mod arguments;
mod find;
mod kind;
mod names;
mod policy;
mod rules;
mod shown;
pub mod stream;
mod token;
mod vocabulary;

pub use kind::Kind;
pub use names::judge;
pub use policy::{Level, Origin};
pub use rules::{Named, RuleError, Rules, Verdict};
pub use shown::Shown;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use find::{Carried, Finding};
use policy::Treatment;
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
}

impl Redactor {
    /// `key` is anything that belongs to this report alone: the crash's id.
    pub fn new(level: Level, key: &str) -> Self {
        Self::with_key(level, key.as_bytes())
    }

    /// The same with a key of the user's, who can so compare tokens of several reports.
    pub fn with_key(level: Level, key: &[u8]) -> Self {
        let rules = Rules::default();
        Self { level, tokens: Tokens::new(key), rules, counts: BTreeMap::new() }
    }

    /// The same with rules of the user's.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// What of a variable's text may leave: judged by the user's rules, by its name and
    /// its type, and then by what it looks like.
    pub fn show_value(&mut self, origin: Origin, named: &Named<'_>, text: &str) -> Shown {
        if self.level == Level::Off {
            return self.show(origin, text);
        }
        let kind = match self.rules.verdict(named, text.as_bytes()) {
            Some(Verdict::Allow) => return Shown::new(text.to_owned()),
            Some(Verdict::Deny(kind)) => Some(kind),
            None => announced(named, text),
        };
        match kind {
            Some(kind) => Shown::new(self.hidden(kind, text)),
            None => self.show(origin, text),
        }
    }

    /// The token for a number whose variable's name or type says that it is a card's, a
    /// person's or a secret; `None` if it may be shown.
    pub fn hide_number(&mut self, named: &Named<'_>, digits: &str) -> Option<Shown> {
        if self.level == Level::Off {
            return None;
        }
        let kind = match self.rules.verdict(named, digits.as_bytes()) {
            Some(Verdict::Allow) => return None,
            Some(Verdict::Deny(kind)) => kind,
            None => announced(named, digits)?,
        };
        Some(Shown::new(self.hidden(kind, digits)))
    }

    fn hidden(&mut self, kind: Kind, text: &str) -> String {
        self.count(kind.word());
        self.tokens.of(kind, text.as_bytes())
    }

    /// What of `text` may leave.
    pub fn show(&mut self, origin: Origin, text: &str) -> Shown {
        match policy::treatment(self.level, origin) {
            Treatment::Keep => Shown::new(text.to_owned()),
            Treatment::Search => self.search(text, &[]),
            Treatment::SearchBut(kept) => self.search(text, kept),
            Treatment::Digest(kind) => {
                let token = self.token(kind, text);
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
        let shown = texts.enumerate().map(|(at, text)| match at {
            0 => self.show(Origin::Path, &text),
            _ if self.level == Level::Off => self.show(Origin::Argument, &text),
            _ => {
                let (kept, hidden) = arguments::split(&text, self.level);
                let hidden = if hidden.is_empty() { String::new() } else { self.mask(hidden) };
                let mut kept = self.search(kept, &[]).into_string();
                kept.push_str(&hidden);
                Shown::new(kept)
            }
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
    fn find(&self, bytes: &[u8], carried: &mut Carried) -> Vec<Finding> {
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
        found.extend(denied.map(|(range, kind)| Finding { range, kind, is_wide: false }));
        find::in_order(found)
    }

    /// `bytes` with tokens for `found`, which is in order.
    fn replace(&mut self, bytes: &[u8], found: &[Finding]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len() + found.len() * 4);
        let mut done = 0;
        for finding in found {
            shown.extend_from_slice(bytes.get(done..finding.range.start).unwrap_or_default());
            let secret = bytes.get(finding.range.clone()).unwrap_or_default();
            self.count(finding.kind.word());
            if finding.is_wide {
                let token = self.tokens.of(finding.kind, &narrowed(secret));
                shown.extend(token.encode_utf16().flat_map(u16::to_le_bytes));
            } else {
                shown.extend_from_slice(self.tokens.of(finding.kind, secret).as_bytes());
            }
            done = finding.range.end.max(done);
        }
        shown.extend_from_slice(bytes.get(done..).unwrap_or_default());
        shown
    }

    fn mask(&mut self, text: &str) -> String {
        self.count("redacted");
        format!("<redacted:{}>", text.len())
    }

    fn token(&mut self, kind: &'static str, text: &str) -> String {
        self.count(kind);
        self.tokens.token(kind, text.as_bytes())
    }

    fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }
}

/// As what the name or the type of a value says it is to be hidden.
fn announced(named: &Named<'_>, text: &str) -> Option<Kind> {
    let type_name = named.type_name.unwrap_or_default();
    // `acme::Secret<std::string> &`: the template's name counts.
    let plain = type_name.split('<').next().unwrap_or_default();
    let plain = plain.trim_end_matches(['*', '&', ' ']).rsplit("::").next().unwrap_or_default();
    [named.name, plain].into_iter().find_map(|name| {
        let field = names::field(name.as_bytes())?;
        find::is_sensitive(text.as_bytes(), field).then_some(field.kind)
    })
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

    #[test]
    fn bytes_that_are_no_utf8_stay_visible() {
        let shown = at(Level::Default).show_bytes(Origin::Path, b"/tmp/\xff\xc3\xa9");
        assert_eq!(shown.as_str(), "/tmp/\\xff\u{e9}");
    }
}
