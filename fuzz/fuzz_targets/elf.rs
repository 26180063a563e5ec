//! Headers, tables, notes and links of an ELF file. What goblin reads as a whole file has the
//! same segments and sections for obit, which reads what it can of any.
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
    if let Ok(whole) = goblin::elf::Elf::parse(data) {
        compare(&image, &whole);
    }
});

fn compare(image: &ElfImage, whole: &goblin::elf::Elf<'_>) {
    let header = image.header();
    assert_eq!(header.encoding.is_64, whole.is_64);
    assert_eq!(header.encoding.little_endian, whole.little_endian);
    assert_eq!((header.e_type, header.e_machine), (whole.header.e_type, whole.header.e_machine));
    assert_eq!(header.entry.0, whole.entry);
    // Counts of more than 16 bits are not goblin's.
    if !header.has_extended_count() {
        let ours = image.segments().iter();
        let ours = ours.map(|it| (it.offset, it.vaddr.0, it.file_size, it.mem_size, it.align));
        let theirs = whole.program_headers.iter();
        let theirs =
            theirs.map(|it| (it.p_offset, it.p_vaddr, it.p_filesz, it.p_memsz, it.p_align));
        assert!(ours.eq(theirs), "segments differ");
    }
    if header.sections_count != 0 {
        let ours = image.sections().iter();
        let ours = ours.map(|it| (it.kind, it.flags, it.address.0, it.offset, it.size, it.link));
        let theirs = whole.section_headers.iter();
        let theirs = theirs
            .map(|it| (it.sh_type, it.sh_flags, it.sh_addr, it.sh_offset, it.sh_size, it.sh_link));
        assert!(ours.eq(theirs), "sections differ");
    }
}
