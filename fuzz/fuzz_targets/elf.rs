//! Headers, tables, notes and links of an ELF file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use obit::addr::Svma;
use obit::elf::{ElfImage, ImageBytes};
use obit::limits::Limits;

fuzz_target!(|data: &[u8]| {
    let Ok(image) = ElfImage::parse(ImageBytes::Memory(data.to_vec()), &Limits::default()) else {
        return;
    };
    for section in image.sections() {
        let _ = image.raw_section_bytes(section);
    }
    for segment in image.segments() {
        let _ = image.bytes_at(segment.vaddr);
        let _ = image.bytes_at(Svma(segment.vaddr.0.wrapping_add(segment.mem_size)));
    }
    let _ = (image.notes().count(), image.build_id(), image.package());
    let _ = (image.debug_link(), image.debug_alt_link());
});
