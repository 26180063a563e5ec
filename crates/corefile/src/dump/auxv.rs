//! `NT_AUXV`: what the kernel passed to the process when it started (getauxval(3)).

use crate::elf::Encoding;

/// Entries kept; Linux writes about 25.
const MAX_ENTRIES: usize = 1024;

/// The auxiliary vector, in the order of the note. Empty when the core has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auxv {
    entries: Vec<(u64, u64)>,
}

/// Keys of Linux `include/uapi/linux/auxvec.h` that readers of cores ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum AuxKind {
    /// Address of the program headers of the executable.
    Phdr = 3,
    /// Bytes of one program header.
    Phent = 4,
    /// Number of program headers.
    Phnum = 5,
    /// Bytes of a page.
    PageSize = 6,
    /// Load address of the dynamic linker, 0 in a static program.
    Base = 7,
    /// `AT_FLAGS`.
    Flags = 8,
    /// Entry point of the executable.
    Entry = 9,
    /// Real user id.
    Uid = 11,
    /// Effective user id.
    Euid = 12,
    /// Real group id.
    Gid = 13,
    /// Effective group id.
    Egid = 14,
    /// Address of the name of the machine, a C string.
    Platform = 15,
    /// Bits of what the processor can do.
    Hwcap = 16,
    /// Ticks of `times(2)` in a second.
    ClockTicks = 17,
    /// Not zero for a set-user-id program.
    Secure = 23,
    /// Address of 16 random bytes (the seed of the stack protector's canary).
    Random = 25,
    /// More bits of what the processor can do.
    Hwcap2 = 26,
    /// Address of the path that was executed, a C string.
    ExecFn = 31,
    /// Entry point of the vDSO's system call (i386).
    Sysinfo = 32,
    /// Address of the vDSO's ELF header.
    SysinfoEhdr = 33,
    /// Bytes a signal frame needs at least.
    MinSignalStack = 51,
}

impl From<AuxKind> for u64 {
    fn from(kind: AuxKind) -> Self {
        kind as Self
    }
}

impl Auxv {
    /// Reads the note's descriptor up to `AT_NULL`, or as far as it goes.
    pub(super) fn parse(desc: &[u8], encoding: Encoding) -> Self {
        let word = encoding.word();
        let pairs = desc.chunks_exact(word.saturating_mul(2)).take(MAX_ENTRIES);
        let read = pairs.map_while(|pair| {
            let key = encoding.word_at(pair, 0).filter(|key| *key != 0)?;
            Some((key, encoding.word_at(pair, word)?))
        });
        Self { entries: read.collect() }
    }

    /// The value under `key`; of several, the first.
    pub fn get(&self, key: impl Into<u64>) -> Option<u64> {
        let key = key.into();
        self.entries.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }

    /// All entries, keys first, in the order of the note, without `AT_NULL`.
    pub fn entries(&self) -> &[(u64, u64)] {
        &self.entries
    }

    /// Whether the core has no auxiliary vector.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_ends_at_its_null_entry_or_where_it_is_cut() {
        let encoding = Encoding { is_64: false, little_endian: false };
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        let auxv = Auxv::parse(&words(&[9, 0x1234, 0, 0, 33, 1]), encoding);
        assert_eq!(auxv.get(AuxKind::Entry), Some(0x1234));
        assert_eq!(auxv.get(AuxKind::SysinfoEhdr), None);
        assert_eq!(Auxv::parse(&words(&[9]), encoding), Auxv::default());
    }
}
