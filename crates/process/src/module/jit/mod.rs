//! Code that a just-in-time compiler made and registered by GDB's JIT interface ("JIT
//! Compilation Interface" of the GDB manual): ELF images that lie in the process' memory.

mod relocated;

use std::path::PathBuf;
use std::sync::Arc;

use super::Modules;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::elf::{ElfImage, ImageBytes, SymbolTable};
use obit_corefile::limits::Limits;
use obit_corefile::memory::AddressSpace;

/// The variable of a compiler that lists its images.
const DESCRIPTOR: &[u8] = b"__jit_debug_descriptor";
/// The path shown for such an image. It has no address, which would give crashes of one bug
/// different signatures.
const NAME: &str = "[jit]";
/// Images that are read.
const MOST: usize = 4096;
/// Bytes of one image, and of all.
const LARGEST: u64 = 16 << 20;
const ALL: u64 = 256 << 20;
/// `SHF_ALLOC` and `SHF_EXECINSTR`.
const CODE: u64 = 6;

/// One image of a just-in-time compiler: `e_type` `ET_EXEC`, its addresses those of memory.
pub(super) struct JitImage {
    pub(super) path: PathBuf,
    pub(super) image: Arc<ElfImage>,
    /// Where its code lies; not empty.
    pub(super) code: Vec<AvmaRange>,
}

/// The images that the compilers among `modules` list. Looks for none unless there is code in
/// memory that belongs to no file.
pub(super) fn images(modules: &Modules, memory: &AddressSpace, limits: &Limits) -> Vec<JitImage> {
    let is_made_code = |at: Avma| {
        let region = memory.region_at(at);
        region.is_some_and(|region| region.permissions.execute && region.name.is_none())
            && modules.index_at(at).is_none()
    };
    if !memory.regions().iter().any(|region| is_made_code(region.range.start)) {
        return Vec::new();
    }
    let mut found: Vec<JitImage> = Vec::new();
    let mut taken: Vec<AvmaRange> = Vec::new();
    let mut left = ALL;
    for module in modules.list() {
        let Some(image) = &module.image else { continue };
        let descriptor = SymbolTable::datum_named(image, DESCRIPTOR);
        let Some(descriptor) = descriptor else { continue };
        for (at, size) in entries(memory, module.to_avma(descriptor)) {
            if size > LARGEST.min(left) || found.len() >= MOST {
                continue;
            }
            left = left.saturating_sub(size);
            let Some(image) = read(memory, at, size, limits) else { continue };
            let mut code = code_of(&image);
            // Where the image says its code lies there must be code, and no one else's.
            code.retain(|range| {
                let last = Avma(range.end.0.saturating_sub(1));
                let is_free =
                    |other: &AvmaRange| range.end <= other.start || other.end <= range.start;
                is_made_code(range.start) && is_made_code(last) && taken.iter().all(is_free)
            });
            if code.is_empty() || taken.len() >= MOST {
                continue;
            }
            taken.extend(&code);
            let path = PathBuf::from(NAME);
            found.push(JitImage { path, image: Arc::new(image), code });
        }
    }
    found
}

/// Address and size of the images in the list of the descriptor at `descriptor`.
fn entries(memory: &AddressSpace, descriptor: Avma) -> Vec<(Avma, u64)> {
    /// The only version there is.
    const VERSION: u64 = 1;
    let word = memory.word() as u64;
    let number = |at: Avma, size: usize| {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..size)?;
        memory.read(at, bytes).ok()?;
        Some(memory.unsigned(bytes))
    };
    // uint32_t version, action_flag; struct jit_code_entry *relevant_entry, *first_entry.
    if number(descriptor, 4) != Some(VERSION) {
        return Vec::new();
    }
    let first = word.checked_add(8).and_then(|into| descriptor.checked_add(into));
    let mut next = first.and_then(|at| memory.read_word(at).ok());
    let mut found = Vec::new();
    while let Some(entry) = next.filter(|entry| *entry != 0 && found.len() < MOST) {
        // next_entry, prev_entry, symfile_addr; uint64_t symfile_size, which i386 aligns to 4
        // bytes and others to 8.
        let field = |number: u64| Avma(entry).checked_add(number.checked_mul(word)?);
        let image = || {
            let at = Avma(memory.read_word(field(2)?).ok()?);
            let packed = number(field(3)?, 8)?;
            let size = match word {
                4 if packed > LARGEST => number(field(4)?, 8)?,
                _ => packed,
            };
            Some((at, size))
        };
        found.extend(image());
        next = memory.read_word(Avma(entry)).ok();
    }
    found
}

fn read(memory: &AddressSpace, at: Avma, size: u64, limits: &Limits) -> Option<ElfImage> {
    let bytes = memory.read_up_to(at, usize::try_from(size).ok()?);
    if bytes.len() as u64 != size {
        return None;
    }
    let placed = relocated::placed(bytes, limits)?;
    ElfImage::parse(ImageBytes::Memory(placed), limits).ok()
}

/// Where the sections of code of `image` lie.
fn code_of(image: &ElfImage) -> Vec<AvmaRange> {
    let sections = image.sections().iter();
    let code = sections.filter(|section| {
        section.flags & CODE == CODE && section.address.0 != 0 && section.size > 0
    });
    let ranges = code.filter_map(|section| {
        let end = section.address.0.checked_add(section.size)?;
        Some(AvmaRange { start: Avma(section.address.0), end: Avma(end) })
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{Library, load};
    use obit_corefile::testkit::CoreBuilder;
    use obit_dwarf::locate::{Locator, SearchRules};

    const DESCRIPTOR_AT: u64 = 0x1000;

    fn memory(words: &[u64]) -> AddressSpace {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let core = CoreBuilder::x86_64().thread(1, &[]).segment(DESCRIPTOR_AT, &bytes, 0x1000);
        let limits = Limits::default();
        let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
        load(&core.open().unwrap(), &Arc::new(Library::new(locator, None, limits))).memory
    }

    #[test]
    fn the_images_are_a_list() {
        let (first, second) = (DESCRIPTOR_AT + 24, DESCRIPTOR_AT + 56);
        let words = [1, 0, first, second, 0, 0x5000, 0x100, 0, first, 0x6000, 0x200];
        let found = entries(&memory(&words), Avma(DESCRIPTOR_AT));
        assert_eq!(found, [(Avma(0x5000), 0x100), (Avma(0x6000), 0x200)]);
    }

    #[test]
    fn a_cyclic_list_ends_and_another_version_has_none() {
        let first = DESCRIPTOR_AT + 24;
        let list = |version| [version, 0, first, first, 0, 0x5000, 0x100];
        assert_eq!(entries(&memory(&list(1)), Avma(DESCRIPTOR_AT)).len(), MOST);
        assert_eq!(entries(&memory(&list(2)), Avma(DESCRIPTOR_AT)), []);
    }
}
