//! What is known of one crash, as names and values that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use obit_redact::is_token;
use serde::{Deserialize, Serialize};

/// Traits of one crash.
const MOST: usize = 4_000;
/// Characters of a value.
const LONGEST: usize = 120;

/// What a trait is of. In the order in which those that say the same are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureKind {
    /// A word of the command line.
    Argument,
    /// A variable of the environment.
    Environment,
    /// A global variable of the program.
    Global,
    /// A variable of a frame of the crashed stack.
    Variable,
    /// A shared library: its build.
    Library,
    /// The build of the program.
    Build,
    /// The machine.
    Host,
    /// What the processor can do.
    Processor,
    /// The program, its user, its name, its threads.
    Process,
}

/// Kinds that a core says more of than its record.
const OF_CORES: [FeatureKind; 5] = [
    FeatureKind::Argument,
    FeatureKind::Environment,
    FeatureKind::Global,
    FeatureKind::Library,
    FeatureKind::Processor,
];

impl FeatureKind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::Environment => "environment",
            Self::Global => "global",
            Self::Variable => "variable",
            Self::Library => "library",
            Self::Build => "build",
            Self::Host => "host",
            Self::Processor => "processor",
            Self::Process => "process",
        }
    }

    /// What is known of a crash that has no such trait, where those of this kind are known.
    fn absent(self) -> Option<&'static str> {
        match self {
            Self::Argument => Some("not given"),
            Self::Environment => Some("not set"),
            Self::Library => Some("not loaded"),
            Self::Processor => Some("no"),
            Self::Global | Self::Variable | Self::Build | Self::Host | Self::Process => None,
        }
    }
}

/// What a trait is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Feature {
    /// Its kind.
    pub kind: FeatureKind,
    /// Its name: `LANG`, `--fast`, `walk: n->next`.
    pub name: String,
}

/// What is known of one crash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// The traits.
    known: BTreeMap<Feature, String>,
    /// Kinds of which all traits are known: what is not there is absent.
    complete: BTreeSet<FeatureKind>,
}

/// As JSON has no keys but texts.
#[derive(Serialize, Deserialize)]
struct Sent {
    known: Vec<(Feature, String)>,
    complete: Vec<FeatureKind>,
}

impl Features {
    /// Adds a trait; the first of a name counts.
    pub fn add(&mut self, kind: FeatureKind, name: &str, value: &str) {
        if self.known.len() >= MOST || value.is_empty() {
            return;
        }
        let feature = Feature { kind, name: cut(name) };
        self.known.entry(feature).or_insert_with(|| cut(value));
    }

    /// Adds a word of the command line: an option with its value, or that it is given.
    pub fn add_argument(&mut self, word: &str) {
        let (option, value) = word.split_once('=').unwrap_or((word, ""));
        let is_shown = !value.is_empty() && !is_token(value);
        self.add(FeatureKind::Argument, option, if is_shown { value } else { "given" });
    }

    /// All traits of `kind` are known now.
    pub fn complete(&mut self, kind: FeatureKind) {
        self.complete.insert(kind);
    }

    /// Adds what was read from the core of this crash, `None` if it is not there. Where cores of
    /// some crashes of a comparison are, records say nothing of the same kinds: they hide other
    /// values, and call libraries by other names.
    pub fn with_core(mut self, read: Option<Self>) -> Self {
        self.known.retain(|feature, _| !OF_CORES.contains(&feature.kind));
        self.complete.retain(|kind| !OF_CORES.contains(kind));
        if let Some(read) = read {
            self.known.extend(read.known);
            self.complete.extend(read.complete);
        }
        self
    }

    /// The traits.
    pub(super) fn names(&self) -> impl Iterator<Item = &Feature> {
        self.known.keys()
    }

    /// The value of a trait, if it is known.
    pub(super) fn value(&self, feature: &Feature) -> Option<&str> {
        let known = self.known.get(feature).map(String::as_str);
        let is_complete = || self.complete.contains(&feature.kind);
        known.or_else(|| feature.kind.absent().filter(|_| is_complete()))
    }

    /// The message of a worker.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn to_message(&self) -> std::io::Result<Vec<u8>> {
        let known = self.known.iter().map(|(name, value)| (name.clone(), value.clone()));
        let complete = self.complete.iter().copied().collect();
        Ok(serde_json::to_vec(&Sent { known: known.collect(), complete })?)
    }

    /// The inverse.
    ///
    /// # Errors
    /// It is no message.
    pub fn of_message(message: &[u8]) -> std::io::Result<Self> {
        let sent: Sent = serde_json::from_slice(message)?;
        let known = sent.known.into_iter().take(MOST);
        Ok(Self { known: known.collect(), complete: sent.complete.into_iter().collect() })
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}\u{2026}"),
        None => text.to_owned(),
    }
}

/// The features of a stored record: its facts by name, and those of its variables.
pub(crate) fn of_facts<'f>(
    process: impl Iterator<Item = (&'f str, String)>,
    variables: impl Iterator<Item = (&'f str, String)>,
    has_all_arguments: bool,
) -> Features {
    let mut features = Features::default();
    for (name, value) in process {
        let (kind, name) = match name.split_once(' ') {
            Some(("argument", argument)) => (FeatureKind::Argument, argument),
            Some(("build", rest)) => {
                let library = rest.strip_prefix("of ").unwrap_or(rest);
                let name = match is_build_id(&value) {
                    true => library.to_owned(),
                    false => format!("version of {library}"),
                };
                features.add(FeatureKind::Library, &name, &value);
                continue;
            }
            _ => match name {
                // What made the group is no reason for it.
                "signal" => continue,
                "host" => (FeatureKind::Host, name),
                "build" => (FeatureKind::Build, name),
                name => (FeatureKind::Process, name),
            },
        };
        match kind {
            FeatureKind::Argument => features.add_argument(name),
            _ => features.add(kind, name, &value),
        }
    }
    for (name, value) in variables {
        features.add(FeatureKind::Variable, name, &value);
    }
    if has_all_arguments {
        features.complete(FeatureKind::Argument);
    }
    features
}

/// Whether it is a build ID: of a package, the record has the version in its place.
fn is_build_id(value: &str) -> bool {
    value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(kind: FeatureKind, name: &str) -> Feature {
        Feature { kind, name: name.to_owned() }
    }

    #[test]
    fn what_is_not_there_is_absent_only_where_all_of_its_kind_is_known() {
        let mut features = Features::default();
        features.add(FeatureKind::Environment, "LANG", "C");
        let lang = feature(FeatureKind::Environment, "LANG");
        let other = feature(FeatureKind::Environment, "MODE");
        assert_eq!((features.value(&lang), features.value(&other)), (Some("C"), None));
        features.complete(FeatureKind::Environment);
        assert_eq!(features.value(&other), Some("not set"));
        assert_eq!(features.value(&feature(FeatureKind::Host, "host")), None);
    }

    #[test]
    fn facts_of_a_record_are_sorted_by_what_they_are_of() {
        let pairs = [
            ("argument --level=3", "given"),
            ("argument -v", "given"),
            ("argument --pin=<redacted:4>", "given"),
            ("build of libz.so.1", "1.3"),
            ("build", "abcd"),
            ("signal", "SIGSEGV"),
            ("host", "web-3"),
        ];
        let pairs = pairs.map(|(name, value)| (name, value.to_owned()));
        let features = of_facts(pairs.into_iter(), std::iter::empty(), true);
        let value = |kind, name| features.value(&feature(kind, name)).map(str::to_owned);
        assert_eq!(value(FeatureKind::Argument, "--level").as_deref(), Some("3"));
        assert_eq!(value(FeatureKind::Argument, "--pin").as_deref(), Some("given"));
        assert_eq!(value(FeatureKind::Argument, "-v").as_deref(), Some("given"));
        assert_eq!(value(FeatureKind::Argument, "-x").as_deref(), Some("not given"));
        assert_eq!(value(FeatureKind::Library, "version of libz.so.1").as_deref(), Some("1.3"));
        assert_eq!(value(FeatureKind::Library, "libz.so.1"), None);
        assert_eq!(value(FeatureKind::Build, "build").as_deref(), Some("abcd"));
        assert_eq!(value(FeatureKind::Process, "signal"), None);
    }

    #[test]
    fn arguments_that_were_cut_do_not_show_that_one_is_missing() {
        let pairs = || [("argument -v", "given".to_owned())].into_iter();
        let value = |has_all| {
            let features = of_facts(pairs(), std::iter::empty(), has_all);
            features.value(&feature(FeatureKind::Argument, "-x")).map(str::to_owned)
        };
        assert_eq!((value(true).as_deref(), value(false)), (Some("not given"), None));
    }

    #[test]
    fn records_and_cores_are_not_compared_by_one_name() {
        let mut record = Features::default();
        record.add(FeatureKind::Library, "libw.so", "a version");
        record.add(FeatureKind::Host, "host", "web-3");
        record.complete(FeatureKind::Argument);
        let mut core = Features::default();
        core.add(FeatureKind::Library, "libw.so", "0e7d");
        let (library, host) =
            (feature(FeatureKind::Library, "libw.so"), feature(FeatureKind::Host, "host"));
        let without = record.clone().with_core(None);
        assert_eq!((without.value(&library), without.value(&host)), (None, Some("web-3")));
        assert_eq!(without.value(&feature(FeatureKind::Argument, "-x")), None);
        let with = record.with_core(Some(core));
        assert_eq!((with.value(&library), with.value(&host)), (Some("0e7d"), Some("web-3")));
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let mut features = Features::default();
        features.add(FeatureKind::Global, "use_cache", "1");
        features.complete(FeatureKind::Argument);
        let message = features.to_message().unwrap();
        assert_eq!(Features::of_message(&message).unwrap(), features);
        assert!(Features::of_message(b"{").is_err());
    }
}
