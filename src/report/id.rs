//! A crash's name.

use std::ffi::OsStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use obit_corefile::dump::Dump;
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
