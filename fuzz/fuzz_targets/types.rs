//! Types, and what is found by name, of debug information.
//!
//! The first 32 bytes are a name to ask for, then comes an ELF file or a script of changes to
//! a program of `tests/fixtures` (see `obit_fuzz::Script`).
#![no_main]

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use obit::addr::Svma;
use obit::debuginfo::{DebugFiles, DebugInfo, SplitLoader, TypeId, TypeKind};
use obit::limits::Limits;
use obit_fuzz::{mutate_behind, program_image};

/// Types looked at of one input.
const TYPES: usize = 1 << 10;

fuzz_target!(|data: &[u8]| {
    let Some((name, file)) = data.split_at_checked(32) else { return };
    let limits =
        Limits { section_bytes: 16 << 20, entries_per_lookup: 1 << 16, ..Limits::default() };
    let Some(image) = program_image(file, &limits) else { return };
    let no_split: SplitLoader = Arc::new(|_, _, _| Err(Vec::<PathBuf>::new()));
    let debug = DebugInfo::new(DebugFiles::only(Arc::new(image)), no_split, &limits, None);
    let name = String::from_utf8_lossy(name);
    let name = name.trim_end_matches('\0');
    let mut waiting: VecDeque<TypeId> = VecDeque::new();
    for name in [name, "main", "int", "S"] {
        waiting.extend(debug.types_named(name));
        for variable in debug.variables_named(name) {
            waiting.extend(variable.ty);
        }
        for function in debug.functions_named(name) {
            let found = debug.variable_at(Svma(function.entry.0.wrapping_add(0x1000)));
            waiting.extend(found.and_then(|(variable, _)| variable.ty));
        }
    }
    let mut seen = HashSet::new();
    while let Some(id) = waiting.pop_front() {
        if seen.len() >= TYPES || !seen.insert(id) {
            continue;
        }
        assert!(debug.type_name(id).len() < 64 << 20);
        waiting.extend(debug.definition_of(id));
        waiting.extend(referred(&debug.type_at(id).kind));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_behind(32, data, size, max_size, seed)
});

fn referred(kind: &TypeKind) -> Vec<TypeId> {
    let mut found = Vec::new();
    match kind {
        TypeKind::Pointer { target, .. } | TypeKind::Qualified { target, .. } => {
            found.extend(*target);
        }
        TypeKind::MemberPointer { class, target } => found.extend(class.iter().chain(target)),
        TypeKind::Typedef(target) => found.extend(*target),
        TypeKind::Subrange(subrange) => found.extend(subrange.base),
        TypeKind::String(string) => found.extend(string.character),
        TypeKind::Array(array) => found.extend(array.element),
        TypeKind::Record(record) => {
            found.extend(record.members.iter().filter_map(|member| member.ty));
            found.extend(record.statics.iter().filter_map(|member| member.ty));
            found.extend(record.template_arguments.iter().filter_map(|argument| argument.ty));
            let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
            found.extend(variants.flat_map(|it| &it.members).filter_map(|member| member.ty));
            found.extend(record.containing_type);
        }
        TypeKind::Enumeration(enumeration) => found.extend(enumeration.underlying),
        TypeKind::Function(function) => {
            found.extend(function.result);
            found.extend(function.parameters.iter().flatten());
        }
        TypeKind::Unspecified | TypeKind::Base(_) | TypeKind::Unsupported(_) => {}
    }
    found
}
