//! From the names linkers see to the names people wrote.

use std::fmt::{self, Write};

use cpp_demangle::{DemangleOptions, ParseOptions, Symbol};

use crate::model::language::Language;
use obit_corefile::limits::Limits;

/// Nesting of a C++ name that is followed. Deeper ones stay as they are.
const RECURSION: u32 = 128;

/// `name` as its author wrote it: with scopes and template arguments, without parameters,
/// return type and Rust's hash. `None` if it is not mangled, malformed, or too long.
///
/// Where the language is [`Language::Unknown`] only a symbol is known, and as in gdb all of
/// it is shown: parameters and return type distinguish overloads where no line does, and
/// the hashes of `_R…` names distinguish two versions of a crate.
///
/// A short name may stand for an exponentially long one (substitutions of
/// substitutions), hence the output is bounded as well as the input.
pub fn demangle(name: &str, language: Language, limits: &Limits) -> Option<String> {
    if name.len() > limits.name_bytes {
        return None;
    }
    match language {
        Language::C | Language::Ada | Language::Go | Language::Fortran | Language::Scoped => None,
        Language::Rust => rust(name, false, limits),
        Language::Cpp => cpp(name, brief(), limits),
        Language::Unknown => rust(name, name.starts_with("_R"), limits)
            .or_else(|| cpp(name, DemangleOptions::default(), limits))
            .or_else(|| split_off(name)),
    }
}

fn rust(name: &str, with_hashes: bool, limits: &Limits) -> Option<String> {
    let name = name.split(".llvm.").next().unwrap_or(name);
    let symbol = rustc_demangle::try_demangle(name).ok()?;
    let mut text = Bounded { text: String::new(), left: limits.name_bytes };
    match with_hashes {
        true => write!(text, "{symbol}").ok()?,
        false => write!(text, "{symbol:#}").ok()?,
    }
    Some(text.text)
}

fn brief() -> DemangleOptions {
    DemangleOptions::default().no_params().no_return_type()
}

/// The part of a C function that gcc and clang move out of the way (`die.cold`), in gdb's
/// words: `die[cold]`. gdb takes such names for Ada's, hence no capitals.
fn split_off(name: &str) -> Option<String> {
    let of = name.strip_suffix(".cold")?;
    if of.starts_with('_') || of.contains("__") || of.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let number_at = of.trim_end_matches(|c: char| c.is_ascii_digit());
    Some(format!("{}[cold]", number_at.strip_suffix('.').unwrap_or(of)))
}

fn cpp(name: &str, options: DemangleOptions, limits: &Limits) -> Option<String> {
    if !name.starts_with("_Z") && !name.starts_with("__Z") && !name.starts_with("_GLOBAL_") {
        return None;
    }
    let parse = ParseOptions::default().recursion_limit(RECURSION);
    let symbol = Symbol::new_with_options(name, &parse).ok()?;
    let options = options.recursion_limit(RECURSION * 2);
    let mut text = Bounded { text: String::new(), left: limits.name_bytes };
    symbol.structured_demangle(&mut text, &options).ok()?;
    Some(special(&text.text).unwrap_or(text.text))
}

/// Names the compiler made up, in the words of binutils and gdb rather than of
/// `cpp_demangle`.
fn special(text: &str) -> Option<String> {
    let inner = text.strip_prefix('{')?.strip_suffix(")}")?;
    if let Some(of) = inner.strip_prefix("vtable(") {
        return Some(format!("vtable for {of}"));
    }
    if let Some(of) = inner.strip_prefix("vtt(") {
        return Some(format!("VTT for {of}"));
    }
    let thunk = inner.strip_prefix("virtual override thunk(")?;
    let kind = if thunk.starts_with("{virtual offset(") { "virtual" } else { "non-virtual" };
    let (_, to) = thunk.split_once(")}, ")?;
    Some(format!("{kind} thunk to {to}"))
}

/// Text that refuses to grow beyond a bound.
struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.left = self.left.checked_sub(part.len()).ok_or(fmt::Error)?;
        self.text.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, language: Language) -> Option<String> {
        demangle(name, language, &Limits::default())
    }

    #[test]
    fn cpp_names_have_scopes_and_template_arguments_but_no_parameters() {
        assert_eq!(
            shown("_ZNKSt6vectorIdSaIdEE2atEm", Language::Cpp).as_deref(),
            Some("std::vector<double, std::allocator<double> >::at")
        );
    }

    #[test]
    fn a_symbol_without_debug_info_is_shown_in_full() {
        let shown = |name| shown(name, Language::Unknown);
        assert_eq!(shown("_ZSt9terminatev").as_deref(), Some("std::terminate()"));
        assert_eq!(shown("_Z1fIiEiT_").as_deref(), Some("int f<int>(int)"));
        assert_eq!(
            shown("_RNvCskwGfYPst2Cb_3foo3bar").as_deref(),
            Some("foo[ef17931c9e9b4641]::bar")
        );
    }

    #[test]
    fn cold_parts_of_c_functions_are_named_as_in_gdb() {
        let shown = |name| shown(name, Language::Unknown);
        assert_eq!(shown("main.cold").as_deref(), Some("main[cold]"));
        assert_eq!(shown("die.constprop.0.cold").as_deref(), Some("die.constprop[cold]"));
        assert_eq!(shown("Py_FatalError.cold"), None);
        assert_eq!(
            shown("_ZSt9terminatev.cold").as_deref(),
            Some("std::terminate() [clone .cold]")
        );
    }

    #[test]
    fn unified_constructors_and_destructors_of_gcc_are_understood() {
        assert_eq!(shown("_ZN5ShapeC4Ei", Language::Cpp).as_deref(), Some("Shape::Shape"));
        assert_eq!(shown("_ZN5GuardD4Ev", Language::Cpp).as_deref(), Some("Guard::~Guard"));
    }

    #[test]
    fn what_the_compiler_made_is_named_as_binutils_name_it() {
        let shown = |name| shown(name, Language::Cpp);
        assert_eq!(shown("_ZTV6Bottom").as_deref(), Some("vtable for Bottom"));
        assert_eq!(shown("_ZThn16_N1A1fEv").as_deref(), Some("non-virtual thunk to A::f"));
        assert_eq!(shown("_ZTv0_n24_N1A1fEv").as_deref(), Some("virtual thunk to A::f"));
    }

    #[test]
    fn rust_names_lose_their_hash() {
        assert_eq!(
            shown("_ZN4rffi8callback17he9601becf0d45c22E", Language::Unknown).as_deref(),
            Some("rffi::callback")
        );
    }

    #[test]
    fn names_of_c_and_go_are_left_alone() {
        assert_eq!(shown("_Zeitgeist", Language::C), None);
        assert_eq!(shown("main.(*T).f", Language::Go), None);
    }

    #[test]
    fn a_name_that_grows_without_end_is_given_up() {
        // f(T1, T2, …) where each template argument doubles the one before.
        let mut name = String::from("_Z1f1aIiiE");
        for digit in 0..9 {
            name.push_str(&format!("1bIS{digit}_S{digit}_E"));
        }
        let limits = Limits { name_bytes: 64, ..Limits::default() };
        assert!(demangle(&name, Language::Cpp, &limits).is_none_or(|text| text.len() <= 64));
        let deep = format!("_Z{}i", "P".repeat(60_000));
        assert_eq!(shown(&deep, Language::Cpp), None);
    }
}
