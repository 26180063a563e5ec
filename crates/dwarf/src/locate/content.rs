//! What an ELF file has in it.

use obit_corefile::elf::{BuildId, ElfImage};

/// Whether `image` was left without code by `objcopy --only-keep-debug`: it says where
/// things are and holds none of them, so its bytes must not stand in for memory.
pub(super) fn is_debug_only(image: &ElfImage) -> bool {
    const SHT_NOBITS: u32 = 8;
    const ALLOC_EXECINSTR: u64 = 6;
    let mut code =
        image.sections().iter().filter(|s| s.flags & ALLOC_EXECINSTR == ALLOC_EXECINSTR).peekable();
    code.peek().is_some() && code.all(|section| section.kind == SHT_NOBITS)
}

/// Whether `image` holds DWARF entries of its own.
pub(super) fn has_dwarf(image: &ElfImage) -> bool {
    [".debug_info", ".zdebug_info"].iter().any(|name| has_bytes(image, name))
}

/// Whether `image` has a section called `name` with something in it.
pub(super) fn has_bytes(image: &ElfImage, name: &str) -> bool {
    image.raw_section(name).is_some_and(|bytes| !bytes.is_empty())
}

/// A build ID for people.
pub(super) fn shown_id(id: Option<&BuildId>) -> String {
    id.map_or_else(|| "none".to_owned(), ToString::to_string)
}
