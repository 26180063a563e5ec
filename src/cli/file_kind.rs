//! What a file is by its first bytes.

use std::io::{self, Read};
use std::path::Path;

use obit::archive::ArchiveFormat;
use obit::dump::Container;
use obit::mapped_file::open_regular;

use super::archive::within_file;
use super::core_source::is_standard_input;

/// Bytes that are looked at.
const HEAD: u64 = 512;

const ET_EXEC: u8 = 2;
const ET_DYN: u8 = 3;
const ET_CORE: u8 = 4;

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Missing,
    Directory,
    Core,
    /// What a core may be in: compressed data, or a report of apport.
    Packed,
    /// What a core may be in with other files.
    Archive,
    /// An ELF file that can be run.
    Program,
    /// Whatever else it is, and what cannot be read: the code that opens it next reports why.
    Other,
}

impl Kind {
    /// Whether it is a core, packed or not, as far as its first bytes say.
    pub(crate) fn is_core(self) -> bool {
        matches!(self, Self::Core | Self::Packed | Self::Archive)
    }

    /// A FIFO or a device is not opened.
    pub(crate) fn of(path: &Path) -> Self {
        if is_standard_input(path) {
            return Self::Core;
        }
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Missing,
            Err(_) if within_file(path).is_some() => return Self::Archive,
            Err(_) => return Self::Other,
        };
        if metadata.is_dir() {
            return Self::Directory;
        }
        let mut start = Vec::new();
        if open_regular(path).and_then(|file| file.take(HEAD).read_to_end(&mut start)).is_err() {
            return Self::Other;
        }
        if Container::of_magic(&start).is_some() {
            return Self::Packed;
        }
        if ArchiveFormat::of_start(&start).is_some() {
            return Self::Archive;
        }
        // EI_DATA says which byte of `e_type` is the low one.
        let e_type = match start.get(..18) {
            Some([0x7f, b'E', b'L', b'F', _, 2, .., 0, low]) => *low,
            Some([0x7f, b'E', b'L', b'F', _, 1, .., low, 0]) => *low,
            _ => 0,
        };
        match e_type {
            ET_CORE => Self::Core,
            ET_EXEC | ET_DYN => Self::Program,
            _ => Self::Other,
        }
    }
}
