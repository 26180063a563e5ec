//! What kind of program a process runs: the machine, the ELF class and the byte order of its
//! core.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use obit_corefile::arch::{Facts, Machine};
use obit_corefile::elf::Encoding;

use crate::{Tid, proc};

/// Bytes of the ELF header of a 64-bit file.
const HEADER: usize = 64;
/// Where in `e_ident` the class and the byte order lie, and where `e_machine` does.
const CLASS: usize = 4;
const ORDER: usize = 5;
const MACHINE: usize = 18;

/// The ELF header of a core, as far as it follows from the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Image {
    pub(super) encoding: Encoding,
    /// `e_machine`.
    pub(super) number: u16,
    /// `e_flags`: of use on machines whose ABIs it distinguishes.
    pub(super) flags: u32,
    /// Where the kernel puts registers.
    pub(super) facts: &'static Facts,
}

impl Image {
    /// That of the program that `process` runs. An i386 program on x86_64 has a core of
    /// ELFCLASS32, as the kernel writes it.
    pub(super) fn of(process: Tid) -> io::Result<Self> {
        let mut header = [0; HEADER];
        let file = File::open(proc::path(process, "exe"))?;
        file.read_exact_at(&mut header, 0)?;
        Self::parse(&header).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn parse(header: &[u8]) -> Option<Self> {
        if !header.starts_with(b"\x7fELF") {
            return None;
        }
        let encoding =
            Encoding { is_64: *header.get(CLASS)? == 2, little_endian: *header.get(ORDER)? == 1 };
        let number = u16::try_from(encoding.unsigned(header, MACHINE, 2)?).ok()?;
        let flags = encoding.u32(header, if encoding.is_64 { 48 } else { 36 })?;
        let machine = Machine::from_elf(number, encoding.is_64, encoding.little_endian);
        Some(Self { encoding, number, flags, facts: machine.facts()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_decides_between_x86_64_and_x32() {
        let mut header = vec![0; HEADER];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = 62;
        assert_eq!(Image::parse(&header).unwrap().facts.name, "x86_64");
        header[4] = 1;
        assert_eq!(Image::parse(&header).unwrap().facts.name, "x32");
        header[18] = 3;
        assert_eq!(Image::parse(&header).unwrap().facts.name, "i386");
    }

    #[test]
    fn a_header_of_an_unknown_machine_is_none() {
        assert!(Image::parse(b"#!/bin/sh").is_none());
        let mut header = vec![0; HEADER];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = 0xff;
        assert!(Image::parse(&header).is_none());
    }
}
