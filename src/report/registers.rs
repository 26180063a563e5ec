//! Registers of a thread as the report has them: those that hold text are masked.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Hex;
use obit_corefile::arch::{Machine, Registers};
use obit_corefile::dump::DumpedThread;
use obit_corefile::elf::Encoding;
use obit_redact::Redactor;

/// Letters that stand for what is masked.
const MASKED: u8 = b'x';

/// General registers, and what else the kernel keeps with them.
pub(super) fn general(
    machine: Machine,
    registers: &Registers,
    dumped: Option<&DumpedThread>,
    redactor: &mut Redactor,
) -> BTreeMap<String, Hex> {
    let names = machine.facts().map(|facts| facts.names).unwrap_or_default();
    let known =
        names.iter().filter_map(|(register, name)| Some((*name, registers.get(*register)?)));
    let others = dumped.map(|dumped| &*dumped.other_registers).unwrap_or_default();
    let known = known.chain(others.iter().copied());
    known.map(|(name, value)| (name.to_owned(), Hex(redactor.show_word(value)))).collect()
}

/// Floating-point and vector registers as numbers, the most significant byte first.
pub(super) fn vectors(
    dumped: Option<&DumpedThread>,
    encoding: Encoding,
    redactor: &mut Redactor,
) -> BTreeMap<String, String> {
    let held = dumped.map(|dumped| dumped.vectors.all()).unwrap_or_default();
    let shown = held.into_iter().map(|(name, mut bytes)| {
        if holds_text(&bytes, encoding, redactor) {
            bytes.fill(MASKED);
        }
        if encoding.little_endian {
            bytes.reverse();
        }
        (name, number(&bytes))
    });
    shown.collect()
}

/// Whether eight bytes in a row are text, wherever they begin: a text need not be aligned.
fn holds_text(bytes: &[u8], encoding: Encoding, redactor: &mut Redactor) -> bool {
    let size = bytes.len().min(8);
    let mut words = (0..=bytes.len() - size).filter_map(|at| encoding.unsigned(bytes, at, size));
    words.any(|word| redactor.show_word(word) != word)
}

fn number(bytes: &[u8]) -> String {
    let mut digits = "0x".to_owned();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_redact::Level;

    fn xmm(at: usize, content: &[u8]) -> BTreeMap<String, String> {
        let mut area = vec![0; 512];
        area[at..at + content.len()].copy_from_slice(content);
        let core = CoreBuilder::x86_64().thread(1, &[]).note(b"CORE", 2, &area);
        let dump = core.open().unwrap();
        let mut redactor = Redactor::new(Level::Default, "");
        vectors(dump.threads.first(), dump.encoding, &mut redactor)
    }

    #[test]
    fn a_vector_register_is_a_number_as_wide_as_it_is() {
        let registers = xmm(160, &[1, 2, 3]);
        assert_eq!(registers["xmm0"], "0x00000000000000000000000000030201");
        assert_eq!(registers["st0"].len(), 2 + 20);
    }

    #[test]
    fn a_vector_register_that_holds_text_is_masked_wherever_the_text_begins() {
        for at in [160, 162, 164, 165, 168] {
            let masked = &xmm(at, b"hunter22")["xmm0"];
            assert_eq!(masked, "0x78787878787878787878787878787878", "{at}");
        }
    }

    #[test]
    fn flags_and_segments_are_among_the_general_registers() {
        let core = CoreBuilder::x86_64().thread(1, &[("rip", 7), ("eflags", 0x246)]);
        let dump = core.open().unwrap();
        let mut redactor = Redactor::new(Level::Default, "");
        let thread = dump.threads.first();
        let found = general(dump.machine, &dump.threads[0].registers, thread, &mut redactor);
        assert_eq!((found["rip"], found["eflags"]), (Hex(7), Hex(0x246)));
    }
}
