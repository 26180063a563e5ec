//! What a type is called, as its programmers write it and gdb shows it: with the scopes
//! around it in languages that have them, modifiers where C has them.

use gimli::constants as dw;

use crate::model::language::Language;
use crate::model::location::Bound;
use crate::model::types::{Dimension, DimensionEnd, Qualifier};
use crate::names::ada;
use crate::names::scopes::with_scopes;
use crate::types::described::{Described, qualifier};
use crate::types::{arrays, fortran_names};
use crate::units::attributes::{Children, Reference};
use crate::units::entry::Entry;

/// Stands for a type that cannot be read.
pub(crate) const UNKNOWN: &str = "<unknown type>";

/// Stands for what would make a name too long.
const CUT: &str = "…";

/// Types looked at for one name: a hostile one refers to itself over and over.
const MAX_PARTS: usize = 512;

/// Function types within function types that are followed.
const MAX_DEPTH: usize = 16;

/// The name of the type at `entry`.
pub(crate) fn spell(entry: Entry<'_, '_>) -> String {
    let bytes_left = entry.file.context().limits.name_bytes;
    let mut speller = Speller { parts_left: MAX_PARTS, bytes_left };
    speller.whole(Some(Reference::To(entry)), 0)
}

/// What a name may still cost.
struct Speller {
    parts_left: usize,
    bytes_left: usize,
}

/// The text around the name of the innermost type while its modifiers are peeled off:
/// C writes them inside out.
#[derive(Default)]
struct Declarator {
    text: String,
    /// The last modifier binds weaker than `[]` and `()` do.
    is_pointer: bool,
    /// Qualifiers of the type that comes next.
    qualifiers: Vec<Qualifier>,
}

impl Speller {
    /// The name of the type a reference leads to.
    fn whole(&mut self, mut next: Option<Reference<'_, '_>>, depth: usize) -> String {
        let mut around = Declarator::default();
        loop {
            let base = match next {
                None => "void".to_owned(),
                Some(Reference::Broken) => UNKNOWN.to_owned(),
                Some(Reference::To(entry)) => {
                    let Some(left) = self.parts_left.checked_sub(1) else { return CUT.to_owned() };
                    self.parts_left = left;
                    let Some(it) = Described::read(entry) else { return UNKNOWN.to_owned() };
                    match self.named(&it, depth) {
                        Some(base) => base,
                        None => {
                            self.modify(&it, &mut around, depth);
                            let typed = it.stating(dw::DW_AT_type);
                            next = typed.and_then(|of| of.reference(dw::DW_AT_type));
                            continue;
                        }
                    }
                }
            };
            return around.around(base);
        }
    }

    /// The name of a type that has one of its own; `None` for one that modifies another.
    fn named(&mut self, it: &Described<'_, '_>, depth: usize) -> Option<String> {
        let language = it.language();
        let keyword = match it.tag() {
            dw::DW_TAG_structure_type => "struct",
            dw::DW_TAG_class_type => "class",
            dw::DW_TAG_interface_type => "interface",
            dw::DW_TAG_union_type => "union",
            dw::DW_TAG_enumeration_type => "enum",
            dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_subroutine_type => {
                // Those of C have no name of their own, those of Rust and Go mostly do.
                return match it.text(dw::DW_AT_name) {
                    Some(name) if language == Language::Ada => {
                        self.charge(ada::source_name(&name).unwrap_or(name.to_string()))
                    }
                    Some(name) => self.charge(name.to_string()),
                    None if language == Language::Rust => self.rust(it, depth),
                    None => None,
                };
            }
            dw::DW_TAG_ptr_to_member_type => return None,
            dw::DW_TAG_string_type if it.text(dw::DW_AT_name).is_none() => {
                return self.charge(fortran_names::string(it));
            }
            dw::DW_TAG_subrange_type if it.text(dw::DW_AT_name).is_none() => return None,
            tag if qualifier(tag).is_some() => return None,
            _ => "",
        };
        let Some(name) = it.text(dw::DW_AT_name) else {
            let nameless =
                if keyword.is_empty() { UNKNOWN.to_owned() } else { format!("{keyword} {{...}}") };
            return self.charge(nameless);
        };
        let is_basic = matches!(it.tag(), dw::DW_TAG_base_type | dw::DW_TAG_unspecified_type);
        let name = if language.has_scopes() && !is_basic {
            with_scopes(it.declared(), name.to_string())
        } else if language == Language::C && !keyword.is_empty() {
            format!("{keyword} {name}")
        } else {
            name.to_string()
        };
        self.charge(match language {
            Language::C | Language::Cpp | Language::Unknown => canonical(&name),
            Language::Ada => ada::source_name(&name).unwrap_or(name),
            _ => name,
        })
    }

    fn charge(&mut self, name: String) -> Option<String> {
        match self.bytes_left.checked_sub(name.len()) {
            Some(left) => {
                self.bytes_left = left;
                Some(name)
            }
            None => Some(CUT.to_owned()),
        }
    }

    /// Types that rustc leaves without a name.
    fn rust(&mut self, it: &Described<'_, '_>, depth: usize) -> Option<String> {
        if depth >= MAX_DEPTH {
            return Some(CUT.to_owned());
        }
        let typed = it.stating(dw::DW_AT_type);
        let target = typed.and_then(|of| of.reference(dw::DW_AT_type));
        let is_function = it.tag() == dw::DW_TAG_subroutine_type;
        let inner = match target {
            None if is_function => None,
            target => Some(self.whole(target, depth.saturating_add(1))),
        };
        let text = match it.tag() {
            dw::DW_TAG_array_type => arrays::dimensions(it).iter().rev().fold(
                inner?,
                |element, dimension| match elements(dimension) {
                    Elements::Known(count) => format!("[{element}; {count}]"),
                    _ => format!("[{element}]"),
                },
            ),
            dw::DW_TAG_subroutine_type => {
                let parameters = self.parameters(it, depth).join(", ");
                let result = inner.map_or(String::new(), |result| format!(" -> {result}"));
                format!("fn({parameters}){result}")
            }
            dw::DW_TAG_pointer_type => format!("*mut {}", inner?),
            _ => format!("&{}", inner?),
        };
        self.charge(text)
    }

    /// Adds what the type `it` does to the one it is made of.
    fn modify(&mut self, it: &Described<'_, '_>, around: &mut Declarator, depth: usize) {
        if let Some(qualifier) = qualifier(it.tag()) {
            around.qualifiers.push(qualifier);
            return;
        }
        match it.tag() {
            dw::DW_TAG_pointer_type if it.language() == Language::Go => around.point("*", ""),
            dw::DW_TAG_pointer_type => around.point("*", restrict(it.language())),
            dw::DW_TAG_reference_type => around.point("&", ""),
            dw::DW_TAG_rvalue_reference_type => around.point("&&", ""),
            dw::DW_TAG_ptr_to_member_type => {
                let class = it.own().reference(dw::DW_AT_containing_type);
                let class = match depth < MAX_DEPTH {
                    true => self.whole(class, depth.saturating_add(1)),
                    false => CUT.to_owned(),
                };
                around.point(&format!("{class}::*"), restrict(it.language()));
            }
            dw::DW_TAG_array_type => {
                let dimensions = arrays::dimensions(it);
                if it.language() == Language::Fortran {
                    around.follow(&fortran_names::shape(&dimensions));
                    return;
                }
                let mut suffix = String::new();
                for dimension in &dimensions {
                    suffix += &match elements(dimension) {
                        Elements::Known(count) => format!("[{count}]"),
                        Elements::Open => "[]".to_owned(),
                        Elements::Computed => "[variable length]".to_owned(),
                    };
                }
                if it.own().flag(dw::DW_AT_GNU_vector) {
                    let count = suffix.trim_matches(['[', ']']);
                    suffix = format!("__attribute__ ((vector_size({count})))");
                } else if suffix.is_empty() {
                    suffix = "[]".to_owned();
                }
                around.follow(&suffix);
            }
            dw::DW_TAG_subroutine_type => {
                let parameters = self.parameters(it, depth);
                let is_open = it.language() == Language::C && !it.own().flag(dw::DW_AT_prototyped);
                let list = match parameters.is_empty() {
                    true if is_open => String::new(),
                    true => "void".to_owned(),
                    false => parameters.join(", "),
                };
                around.qualifiers.clear();
                around.follow(&format!("({list})"));
            }
            _ => {}
        }
    }

    fn parameters(&mut self, it: &Described<'_, '_>, depth: usize) -> Vec<String> {
        if depth >= MAX_DEPTH {
            return vec![CUT.to_owned()];
        }
        let mut found = Vec::new();
        let mut children = it.children();
        while let Some(child) = children.as_mut().and_then(Children::next) {
            if self.parts_left == 0 {
                found.push(CUT.to_owned());
                break;
            }
            match child.tag() {
                dw::DW_TAG_formal_parameter => {
                    let ty = child.reference(dw::DW_AT_type);
                    found.push(self.whole(ty, depth.saturating_add(1)));
                }
                dw::DW_TAG_unspecified_parameters => found.push("...".to_owned()),
                _ => {}
            }
        }
        found
    }
}

fn restrict(language: Language) -> &'static str {
    if language == Language::Cpp { "__restrict__" } else { "restrict" }
}

impl Declarator {
    /// Puts a pointer's sign before what is there.
    fn point(&mut self, sign: &str, restrict: &str) {
        let mut text = sign.to_owned();
        for word in self.words(restrict) {
            text.push(' ');
            text.push_str(word);
        }
        if text.len() > sign.len() && self.text.starts_with(|c: char| c != '[' && c != '(') {
            text.push(' ');
        }
        text.push_str(&self.text);
        self.text = text;
        self.is_pointer = true;
    }

    /// Puts dimensions or parameters behind what is there.
    fn follow(&mut self, suffix: &str) {
        if self.is_pointer {
            self.text = format!("({})", self.text);
            self.is_pointer = false;
        }
        self.text.push_str(suffix);
    }

    /// The qualifiers in the order gdb writes them, each once.
    fn words<'w>(&mut self, restrict: &'w str) -> Vec<&'w str> {
        let mut qualifiers = std::mem::take(&mut self.qualifiers);
        qualifiers.sort_by_key(|qualifier| *qualifier as u8);
        qualifiers.dedup();
        let words = qualifiers.into_iter().map(|qualifier| word(qualifier, restrict));
        words.filter(|word| !word.is_empty()).collect()
    }

    fn around(mut self, base: String) -> String {
        let mut text = String::with_capacity(base.len().saturating_add(self.text.len()));
        for word in self.words("") {
            text.push_str(word);
            text.push(' ');
        }
        text.push_str(&base);
        if !self.text.is_empty() {
            text.push(' ');
            text.push_str(&self.text);
        }
        text
    }
}

fn word(qualifier: Qualifier, restrict: &str) -> &str {
    match qualifier {
        Qualifier::Const => "const",
        Qualifier::Volatile => "volatile",
        Qualifier::Restrict => restrict,
        Qualifier::Atomic => "_Atomic",
        Qualifier::Other => "",
    }
}

/// How many elements a dimension has.
enum Elements {
    Known(i64),
    Open,
    Computed,
}

fn elements(dimension: &Dimension) -> Elements {
    match (&dimension.lower, &dimension.end) {
        (_, DimensionEnd::Open) => Elements::Open,
        (_, DimensionEnd::Count(Bound::Constant(count))) => Elements::Known(*count),
        (Bound::Constant(lower), DimensionEnd::Upper(Bound::Constant(upper))) => {
            let last = upper.checked_sub(*lower).and_then(|last| last.checked_add(1));
            last.map_or(Elements::Computed, |count| Elements::Known(count.max(0)))
        }
        _ => Elements::Computed,
    }
}

/// The words before `int` in gcc's names of integers and what these are called in short,
/// the longest first.
const SHORT: [(&str, &str); 6] = [
    ("long long unsigned", "unsigned long long"),
    ("short unsigned", "unsigned short"),
    ("long unsigned", "unsigned long"),
    ("long long", "long long"),
    ("short", "short"),
    ("long", "long"),
];

/// A name of C or C++ with integers called as programmers do, also where they are
/// arguments of templates: `long` for gcc's `long int`. Names of templates are long, and every
/// name of a program may come by here: only the words before each ` int` are looked at.
pub(crate) fn canonical(name: &str) -> String {
    const INT: &str = " int";
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    for at in memchr::memmem::find_iter(name.as_bytes(), INT) {
        let done = name.len().saturating_sub(rest.len());
        let Some((before, after)) =
            name.get(done..at).zip(name.get(at.saturating_add(INT.len())..))
        else {
            continue;
        };
        let found = SHORT.iter().find_map(|(long, short)| {
            let kept = before.strip_suffix(long)?;
            (!kept.ends_with(is_part) && !after.starts_with(is_part)).then_some((kept, *short))
        });
        if let Some((kept, short)) = found {
            text.push_str(kept);
            text.push_str(short);
            rest = after;
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_called_as_programmers_call_them() {
        assert_eq!(canonical("long unsigned int"), "unsigned long");
        assert_eq!(canonical("map<long int, short unsigned int>"), "map<long, unsigned short>");
        assert_eq!(canonical("unsigned int"), "unsigned int");
        assert_eq!(canonical("oblong int"), "oblong int");
        assert_eq!(canonical("long integer"), "long integer");
        assert_eq!(canonical("long long int"), "long long");
        assert_eq!(canonical("a<long int, int, oblong long int>"), "a<long, int, oblong long>");
        assert_eq!(canonical("é<long int>"), "é<long>");
        assert_eq!(canonical("élong int"), "élong int");
    }

    /// From left to right, letter by letter.
    fn slowly(name: &str) -> String {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let (mut text, mut rest) = (String::new(), name);
        while let Some(next) = rest.chars().next() {
            let found = SHORT.iter().find_map(|(long, short)| {
                let after = rest.strip_prefix(long)?.strip_prefix(" int")?;
                (!text.ends_with(is_part) && !after.starts_with(is_part)).then_some((after, *short))
            });
            match found {
                Some((after, short)) => (text, rest) = (text + short, after),
                None => (text, rest) = (format!("{text}{next}"), &rest[next.len_utf8()..]),
            }
        }
        text
    }

    proptest::proptest! {
        #[test]
        fn looking_before_each_int_alone_finds_what_reading_letter_by_letter_finds(
            name in "(long|short|unsigned|int|x|é|_|<|,|\\*| | | ){0,12}",
        ) {
            assert_eq!(canonical(&name), slowly(&name));
        }
    }
}
