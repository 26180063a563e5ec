//! What a function is called, as gdb shows it: demangled, with the scopes around it.

use std::sync::Arc;

use crate::model::language::Language;
use crate::names::ada;
use crate::names::demangle::demangle;
use crate::names::naming::Naming;
use crate::names::scopes::with_scopes;
use crate::sections::sources::Slice;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::functions::FunctionName;
use crate::units::unit::Die;

/// The names of the function at `die`, a definition, an inlined call or a declaration.
pub(crate) fn name_of<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> FunctionName {
    let limits = &file.context().limits;
    let language = die.unit.language;
    let (mut plain, mut linkage) = (None, None);
    // Where the chain of origins ends, the function was declared: its scopes count.
    let mut declared = die;
    for _ in 0..limits.reference_depth {
        let naming = Naming::read(file, declared);
        plain = plain.or(naming.name);
        linkage = linkage.or(naming.linkage);
        match naming.origin.and_then(|origin| file.resolve(declared.unit, origin)) {
            Some(origin) => declared = origin,
            None => break,
        }
    }
    let text = |name: Slice<'d>| {
        let bytes = name.slice();
        String::from_utf8_lossy(bytes.get(..limits.name_bytes).unwrap_or(bytes)).into_owned()
    };
    let plain = plain.map(text).filter(|name| !name.is_empty());
    let linkage = linkage.map(text).filter(|name| !name.is_empty());
    let demangled = || demangle(linkage.as_deref()?, language, limits);
    let qualified = || {
        let plain = plain.clone()?;
        if language == Language::Ada {
            return Some(ada::source_name(&plain).unwrap_or(plain));
        }
        if !language.has_scopes() {
            return Some(plain);
        }
        let entry = Entry::new(file, file, declared.unit, declared.offset);
        Some(with_scopes(entry, plain))
    };
    let shown = match language {
        Language::Cpp => demangled().or_else(qualified),
        _ => qualified().or_else(demangled),
    };
    let shown = shown.or_else(|| linkage.clone());
    // A call inlined from another unit (LTO) is in the language of its origin.
    let language = match declared.unit.language {
        Language::Unknown => language,
        of_origin => of_origin,
    };
    let language = Some(language).filter(|language| *language != Language::Unknown);
    FunctionName { shown: shown.map(Arc::from), linkage: linkage.map(Arc::from), language }
}
