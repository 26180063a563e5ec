//! The question and its answer.

use crate::c_name::library_name;
use crate::function_name::{has_rust_hash, normalized};
use crate::module_name::module_name;
use crate::rows::Row;
use crate::tables::{is_for_libraries, is_for_programs, tables};

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Owner {
    /// The program's own code, and libraries that come with it.
    #[default]
    Application,
    /// A language's standard library or runtime, a compiler's support code, a sanitizer:
    /// also where it is linked into the program or instantiated there.
    LanguageRuntime,
    /// The C library, the kernel's vDSO, and libraries of third parties.
    SystemLibrary,
    /// Code that reports the death or ends the process on purpose: `abort`, a failed
    /// assertion, a panic, a crash reporter.
    CrashHandler,
    /// Where a program or a thread begins and ends: `_start`, `__libc_start_main`,
    /// `clone3`, `start_thread`.
    Startup,
}

impl Owner {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Application,
        Self::LanguageRuntime,
        Self::SystemLibrary,
        Self::CrashHandler,
        Self::Startup,
    ];

    /// `language-runtime`: as reports and data files name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::LanguageRuntime => "language-runtime",
            Self::SystemLibrary => "system-library",
            Self::CrashHandler => "crash-handler",
            Self::Startup => "startup",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.word() == word)
    }

    /// Whether it is the application's.
    pub fn is_application(self) -> bool {
        self == Self::Application
    }
}

/// The language of a unit, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// C and assembly.
    C,
    /// C++.
    Cpp,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Any other.
    Other,
}

impl Language {
    /// The language whose mangling a symbol has.
    pub fn of_symbol(symbol: &str) -> Option<Self> {
        if symbol.starts_with("_R") {
            Some(Self::Rust)
        } else if symbol.starts_with("_Z") {
            // Rust's legacy mangling ends in a component that is a hash: `17h<16 digits>E`.
            let before = symbol.split('.').next().and_then(|symbol| symbol.strip_suffix('E'));
            Some(if before.is_some_and(has_rust_hash) { Self::Rust } else { Self::Cpp })
        } else {
            None
        }
    }
}

/// What is known of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'f> {
    /// The function's name, demangled or not.
    pub function: Option<&'f str>,
    /// The symbol's raw name.
    pub linkage_name: Option<&'f str>,
    /// The path of the module the code is in, or its name.
    pub module: Option<&'f str>,
    /// The path of the executable.
    pub executable: Option<&'f str>,
    /// The path of the source file, as the compiler has it.
    pub source: Option<&'f str>,
    /// The language of the unit, where there is one.
    pub language: Option<Language>,
}

/// What an answer rests on, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The function's name.
    Name,
    /// The module.
    Module,
    /// The path of the source, the weakest: a line may be that of a header that something
    /// was inlined from.
    Source,
    /// Nothing speaks against the application.
    None,
}

/// Whose a frame is, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose it is.
    pub owner: Owner,
    /// What says so.
    pub evidence: Evidence,
    /// The row of the lists that says so.
    pub rule: Option<&'static str>,
    /// It is a function that programs call by name, or of a module that is not the
    /// program's; else a template, a trampoline or a loop between two such.
    pub is_called: bool,
}

impl Answer {
    fn by(row: &Row, evidence: Evidence) -> Self {
        let is_called = row.is_called || evidence == Evidence::Module;
        Self { owner: row.owner, evidence, rule: Some(row.pattern), is_called }
    }
}

/// Whose code the frame is.
pub fn answer(frame: &Frame<'_>) -> Answer {
    let by_module = frame.module.and_then(|path| of_module(path, frame.executable));
    let by_name = of_name(frame, by_module.is_none());
    by_name.or(by_module).or_else(|| of_source(frame)).unwrap_or(Answer {
        owner: Owner::Application,
        evidence: Evidence::None,
        rule: None,
        is_called: false,
    })
}

/// Whether a module is the C library or its loader, by its path.
pub fn is_c_library(path: &str) -> bool {
    tables().modules.find(&module_name(path), None).is_some_and(|row| row.is_c_library)
}

/// The unit's language; without a unit, that of the symbol's mangling.
fn language(frame: &Frame<'_>) -> Option<Language> {
    let names = [frame.linkage_name, frame.function];
    frame.language.or_else(|| names.into_iter().flatten().find_map(Language::of_symbol))
}

fn of_name(frame: &Frame<'_>, is_in_application: bool) -> Option<Answer> {
    let language = language(frame);
    let has_own_line = is_in_application && frame.source.is_some() && of_source(frame).is_none();
    // No list has mangled names.
    let linkage_name = frame.linkage_name.filter(|name| Language::of_symbol(name).is_none());
    let mut names = [frame.function, linkage_name].into_iter().flatten();
    let row = names.find_map(|name| row_of(&normalized(name), language))?;
    // The libraries of distributions have no lines where they are linked in.
    let is_doubtful = row.is_weak && has_own_line;
    (!is_doubtful).then(|| Answer::by(row, Evidence::Name))
}

fn row_of(name: &str, language: Option<Language>) -> Option<&'static Row> {
    if let Some((of_type, of_trait, function)) = implementation(name) {
        // Its author had the type or the trait: the trait's crate, if not the type's.
        let by_trait = row_of(&format!("{of_trait}::{function}"), language)?;
        let of_type = of_type.strip_prefix("dyn ").unwrap_or(of_type);
        let is_named = of_type.contains("::") && of_type.starts_with(|c: char| c.is_alphabetic());
        let by_type = is_named.then(|| row_of(&format!("{of_type}::{function}"), language));
        return by_type.is_none_or(|row| row.is_some()).then_some(by_trait);
    }
    let functions = &tables().functions;
    let public = library_name(name);
    functions
        .exact(name, language)
        .or_else(|| functions.exact(public, language))
        .or_else(|| functions.open(name, language))
        .or_else(|| functions.open(public, language))
}

/// `A`, `B` and `f` of Rust's `<A as B>::f`.
fn implementation(name: &str) -> Option<(&str, &str, &str)> {
    let (inner, function) = name.strip_prefix('<')?.rsplit_once(">::")?;
    let (of_type, of_trait) = inner.rsplit_once(" as ")?;
    (!of_trait.starts_with('<')).then_some((of_type, of_trait, function))
}

fn of_module(path: &str, executable: Option<&str>) -> Option<Answer> {
    let name = module_name(path);
    let is_library = executable != Some(path) || name.ends_with(".so") || name.starts_with("ld-");
    if !is_library {
        return None;
    }
    if let Some(row) = tables().modules.find(&name, None) {
        return Some(Answer::by(row, Evidence::Module));
    }
    let is_of_distribution = is_for_libraries(path)
        && executable.is_some_and(|path| path.starts_with('/') && !is_for_programs(path));
    is_of_distribution.then_some(Answer {
        owner: Owner::SystemLibrary,
        evidence: Evidence::Module,
        rule: Some("of the distribution"),
        is_called: true,
    })
}

fn of_source(frame: &Frame<'_>) -> Option<Answer> {
    let row = tables().sources.find(frame.source?, language(frame))?;
    Some(Answer::by(row, Evidence::Source))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
