//! MiniDebugInfo: the symbols that Fedora's packages carry in `.gnu_debugdata`, an
//! xz-compressed ELF file (gdb manual, "MiniDebugInfo").

use std::io::{self, Read};

use lzma_rust2::XzReader;
use thiserror::Error;

use obit_corefile::elf::{ElfError, ElfImage, ImageBytes};
use obit_corefile::limits::Limits;

/// Memory of the decoder, mostly its dictionary. `xz -9` takes 65 MiB.
const DECODER_KIB: u32 = 256 << 10;
/// Unpacked bytes that are kept. Libraries of 200 MiB have 2 MiB of MiniDebugInfo.
const LARGEST: u64 = 256 << 20;

/// Why MiniDebugInfo cannot be used.
#[derive(Debug, Error)]
pub(super) enum MiniError {
    /// It is no xz stream, or a damaged one.
    #[error(".gnu_debugdata: {0}")]
    Unpack(#[from] io::Error),
    /// It unpacks to more than this many bytes.
    #[error(".gnu_debugdata: it unpacks to more than {0} bytes")]
    TooLarge(u64),
    /// What is in it is no ELF file.
    #[error(".gnu_debugdata: {0}")]
    Elf(#[from] ElfError),
}

/// The ELF image in `.gnu_debugdata`, `None` where there is no such section.
pub(super) fn unpack(image: &ElfImage, limits: &Limits) -> Option<Result<ElfImage, MiniError>> {
    Some(unpack_bytes(image.raw_section(".gnu_debugdata")?, limits))
}

fn unpack_bytes(packed: &[u8], limits: &Limits) -> Result<ElfImage, MiniError> {
    let most = limits.section_bytes.min(LARGEST);
    let reader = XzReader::new_mem_limit(packed, true, DECODER_KIB);
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(MiniError::TooLarge(most));
    }
    Ok(ElfImage::parse(ImageBytes::Memory(bytes), limits)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::elf_builder::ElfBuilder;

    /// `xz -0` of an ELF header without sections.
    const HEADER_PACKED: &[u8] =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x0c\x00\x00\x00\
        \x8f\x98\x41\x9c\xe0\x00\x3f\x00\x15\x5d\x00\x3f\x91\x45\x84\x68\x3d\x86\x26\x00\
        \xbd\x30\x9f\x14\x74\xfe\xa2\x8a\x0b\x88\x00\x00\x00\x00\x00\x00\x34\x54\xda\xaa\
        \xaa\x63\x9f\x6a\x00\x01\x31\x40\x09\xf3\x07\x90\x1f\xb6\xf3\x7d\x01\x00\x00\x00\
        \x00\x04\x59\x5a";
    /// `xz -0` of 1 MiB of zeros.
    const ZEROS_PACKED: &[u8] =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x0c\x00\x00\x00\
        \x8f\x98\x41\x9c\xef\xff\xff\x00\xd9\x5d\x00\x00\x6f\xfd\xff\xff\xa3\xb7\xff\x47\
        \x3e\x48\x15\x72\x39\x61\x51\xb8\x92\x28\xe6\xa3\x86\x07\xf9\xee\xe4\x1e\x82\xd3\
        \x2f\xc5\x3a\x3c\x01\x4b\xb1\x7e\xc9\x8a\x8a\x4d\x2f\xa3\x0d\xd9\x7f\xa6\xe3\x8c\
        \x23\x11\x53\xe0\x59\x18\xc5\x75\x8a\xe2\x77\xf8\xb6\x94\x7f\x0c\x6a\xc0\xde\x74\
        \x49\x64\xe2\xe9\x5c\x53\xb2\x04\xd8\xf7\x44\x0c\xab\x5f\x0d\x6d\x46\xe9\xe5\xc3\
        \x76\x88\xb7\x96\x57\xac\xb6\x4d\xe1\x69\x1d\x6f\xfb\x4b\x88\x10\x6c\x42\xcb\x88\
        \x3f\x5c\x00\x8f\xd0\x4e\xaf\x26\x28\x94\x71\x1f\x3d\x8f\x24\xe1\x70\x9e\xa7\x23\
        \x5f\xec\x28\xcb\x85\xd1\x95\x98\x8a\x7e\x2a\x91\xf2\x27\x75\xf7\x19\xc0\x06\x98\
        \x4d\x98\xfd\xd8\xaf\xd5\x90\x0f\xc4\x25\x53\xf8\xf5\x91\x36\x31\x05\xa5\xb0\xee\
        \x6f\xc1\x70\x4d\x47\x0c\xd1\x91\x11\xaa\xad\x60\x1d\xba\xce\xb1\x27\x18\x5c\x59\
        \x86\xe9\x66\x52\x58\xbe\xe9\x76\xac\x59\xe4\xe5\x5b\x05\x08\xf9\xc7\xda\xad\xfc\
        \xfb\x52\x2a\xf7\xe4\x95\x25\x00\x00\x00\x00\x00\xc2\xf6\xba\x3e\xa2\x70\x6b\x60\
        \x00\x01\xf5\x01\x80\x80\x40\x00\x79\x97\x7f\x47\xb1\xc4\x67\xfb\x02\x00\x00\x00\
        \x00\x04\x59\x5a";

    fn packed(bytes: &[u8]) -> ElfImage {
        let file = ElfBuilder::x86_64().section(".gnu_debugdata", bytes).build();
        ElfImage::parse(ImageBytes::Memory(file), &Limits::default()).unwrap()
    }

    #[test]
    fn the_packed_image_comes_out() {
        let mini = unpack(&packed(HEADER_PACKED), &Limits::default()).unwrap().unwrap();
        assert_eq!(mini.header().e_machine, 62);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let limits = Limits { section_bytes: 1 << 16, ..Limits::default() };
        let problem = unpack(&packed(ZEROS_PACKED), &limits).unwrap().unwrap_err();
        assert_eq!(problem.to_string(), ".gnu_debugdata: it unpacks to more than 65536 bytes");
    }

    #[test]
    fn what_is_not_xz_is_said() {
        assert!(unpack(&packed(b"no xz"), &Limits::default()).unwrap().is_err());
    }
}
