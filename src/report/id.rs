//! A crash's name.

use std::ffi::OsStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use obit_corefile::arch::Register;
use obit_corefile::dump::{AuxKind, Dump, Signal};
use obit_redact::{Level, Origin, Redactor, Shown};

/// The kernel's name of the process (`pr_fname`), if it is that of a mapped file; otherwise
/// as many `x`: a program may call itself by what it works on, a user's name for one.
pub fn public_command(dump: &Dump) -> Vec<u8> {
    let process = dump.process.as_ref();
    let name = process.map_or(&[][..], |process| &process.command_bytes);
    let command = process.map_or("", |process| &process.command);
    let is_known = is_named_for_file(dump) || dump.mapped_files.is_empty();
    let shown = Redactor::without_key(Level::Default).show(Origin::Path, command);
    if is_known && shown.as_str() == command { name.into() } else { vec![b'x'; name.len()] }
}

/// Whether the kernel's name of the process is that of a mapped file.
fn is_named_for_file(dump: &Dump) -> bool {
    // As in the core: of a name that is cut within a character the text is longer.
    let name = dump.process.as_ref().map_or(&[][..], |process| &process.command_bytes);
    dump.mapped_files.iter().any(|file| {
        let file = file.path.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default();
        file == name || (name.len() == LONGEST_COMMAND && file.starts_with(name))
    })
}

/// The crash's name, of facts that the notes hold: no file of the analyst's, no memory
/// that a cut core may lack, no size that compression changes, no argument of the command
/// line.
pub(super) fn crash_id(dump: &Dump) -> String {
    let number = |value: Option<u64>| value.map(i128::from);
    let signal = dump.signal.as_ref();
    let mut id = CrashId::default()
        .fact("machine", Some(dump.machine.name().as_bytes()))
        .number("signal", signal.map(|signal| i128::from(signal.number)))
        .number("code", signal.and_then(|signal| signal.code).map(i128::from))
        .number("fault", number(signal.and_then(Signal::address).map(|at| at.0)));
    let info = dump.process.as_ref();
    id = id
        .number("pid", info.map(|info| i128::from(info.pid)))
        .number("ppid", info.and_then(|info| info.parent).map(i128::from))
        .fact("comm", info.map(|_| public_command(dump)).as_deref());
    // Where the kernel's address randomisation put things.
    for (name, kind) in [
        ("AT_RANDOM", AuxKind::Random),
        ("AT_ENTRY", AuxKind::Entry),
        ("AT_BASE", AuxKind::Base),
        ("AT_SYSINFO_EHDR", AuxKind::SysinfoEhdr),
    ] {
        id = id.number(name, number(dump.auxv.get(kind)));
    }
    // The kernel writes threads in the order in which they came to rest.
    let mut threads: Vec<_> = dump.threads.iter().collect();
    threads.sort_by_key(|thread| thread.tid);
    for thread in threads {
        // No register that may hold data: `obit scrub` masks those, and the name stays.
        let facts = dump.machine.facts();
        let value = |register: Option<Register>| number(thread.registers.get(register?));
        id = id
            .number("tid", Some(i128::from(thread.tid)))
            .number("pc", value(facts.map(|facts| facts.pc)))
            .number("sp", value(facts.map(|facts| facts.sp)));
    }
    id.finish()
}

/// What may leave of the kernel's name of the process. One that is not a file's was set by the
/// program: it is the name of its main thread.
pub(super) fn shown_command(dump: &Dump, command: &str, redactor: &mut Redactor) -> Shown {
    let origin = match redactor.level() {
        Level::Strict if !is_named_for_file(dump) => Origin::ThreadName,
        _ => Origin::ProcessName,
    };
    redactor.show(origin, command)
}

/// Bytes of `pr_fname` without its end.
const LONGEST_COMMAND: usize = 15;

/// Makes the crash's id out of facts that the core alone holds, so that anyone who has the
/// core, compressed or not and with or without symbols, derives the same one.
#[derive(Clone, Debug, Default)]
pub struct CrashId {
    hasher: Sha256,
}

impl CrashId {
    /// One fact. Facts are fed in a fixed order; an absent one differs from an empty one.
    #[must_use]
    pub fn fact(mut self, name: &str, value: Option<&[u8]>) -> Self {
        for part in [Some(name.as_bytes()), value] {
            // Length first: else `ab`, `c` and `a`, `bc` were the same.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            self.hasher.update(length.to_le_bytes());
            self.hasher.update(part.unwrap_or_default());
        }
        self
    }

    /// One number.
    #[must_use]
    pub fn number(self, name: &str, value: Option<i128>) -> Self {
        let bytes = value.map(i128::to_le_bytes);
        self.fact(name, bytes.as_ref().map(<[u8; 16]>::as_slice))
    }

    /// `obit-` and 16 hexadecimal digits.
    pub fn finish(self) -> String {
        let digest = self.hasher.finalize();
        format!("obit-{}", HEXLOWER.encode(digest.get(..8).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_facts_give_the_same_id_and_no_others_do() {
        let id = |name: &[u8], pid| {
            CrashId::default().fact("comm", Some(name)).number("pid", pid).finish()
        };
        assert_eq!(id(b"t", Some(1)), id(b"t", Some(1)));
        assert_ne!(id(b"t", Some(1)), id(b"t", None));
        assert_ne!(
            id(b"", None),
            CrashId::default().fact("comm", None).number("pid", None).finish()
        );
        assert_eq!(id(b"t", None).len(), "obit-".len() + 16);
    }
}
