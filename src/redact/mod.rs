//! Discretion: what of a dead process may be shown. A datum is judged by where it came
//! from ([`Origin`]) and by what it looks like, never by who asks.

mod arguments;
mod patterns;
mod policy;
mod shown;

pub use policy::{Level, Origin};
pub use shown::Shown;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use patterns::Patterns;
use policy::Treatment;

/// The only maker of [`Shown`], and the book-keeper of what it hid.
///
/// A hidden text is replaced by a token `<kind:digest>`. Digests are keyed, so the same
/// text has the same token throughout one report and different ones in two reports.
#[derive(Debug)]
pub struct Redactor {
    level: Level,
    key: String,
    patterns: Patterns,
    counts: BTreeMap<&'static str, u64>,
}

impl Redactor {
    /// `key` is anything that belongs to this report alone: the crash's id.
    pub fn new(level: Level, key: &str) -> Self {
        let patterns = Patterns::default();
        Self { level, key: key.to_owned(), patterns, counts: BTreeMap::new() }
    }

    /// What of `text` may leave.
    pub fn show(&mut self, origin: Origin, text: &str) -> Shown {
        match policy::treatment(self.level, origin) {
            Treatment::Keep => Shown::new(text.to_owned()),
            Treatment::Search => self.search(text),
            Treatment::SearchAndHideHome => {
                let text = self.hide_home(text);
                self.search(&text)
            }
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
                let mut kept = self.search(kept).into_string();
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

    fn search(&mut self, text: &str) -> Shown {
        let found = self.patterns.find(text);
        let mut shown = String::with_capacity(text.len());
        let mut done = 0;
        for finding in found {
            shown.push_str(text.get(done..finding.range.start).unwrap_or_default());
            let secret = text.get(finding.range.clone()).unwrap_or_default();
            shown.push_str(&self.token(finding.kind, secret));
            done = finding.range.end;
        }
        shown.push_str(text.get(done..).unwrap_or_default());
        Shown::new(shown)
    }

    /// `/home/alice/x` as `/home/<user:3f2c>/x`.
    fn hide_home(&mut self, text: &str) -> String {
        for parent in ["/home/", "/Users/"] {
            let Some(rest) = text.strip_prefix(parent) else { continue };
            let user = rest.split('/').next().unwrap_or_default();
            if !user.is_empty() {
                let after = rest.strip_prefix(user).unwrap_or_default();
                return format!("{parent}{}{after}", self.token("user", user));
            }
        }
        text.to_owned()
    }

    fn mask(&mut self, text: &str) -> String {
        self.count("redacted");
        format!("<redacted:{}>", text.len())
    }

    fn token(&mut self, kind: &'static str, text: &str) -> String {
        self.count(kind);
        let mut hasher = Sha256::new();
        for part in [self.key.as_str(), kind, text] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let digest = hasher.finalize();
        let mut token = format!("<{kind}:");
        for byte in digest.iter().take(2) {
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        token.push('>');
        token
    }

    fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }
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
