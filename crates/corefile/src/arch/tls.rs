//! Where thread-local storage lies (Drepper, "ELF Handling For Thread-Local Storage", § 3).

use super::Register;

/// Where the core holds a thread's thread pointer.
#[derive(Clone, Copy, Debug)]
pub enum ThreadPointer {
    /// Nowhere.
    Absent,
    /// In a register.
    Register(Register),
    /// In `pr_reg`, in a register of its own.
    InPrstatus {
        /// Bytes from the start of `pr_reg`.
        at: usize,
        /// Its bytes.
        size: usize,
    },
    /// i386: the selector in `gs`, at this offset of `pr_reg`, names the entry of
    /// `NT_386_TLS` that holds it.
    Selector {
        /// Bytes from the start of `pr_reg`.
        at: usize,
    },
    /// At the start of `NT_ARM_TLS`.
    Note,
}

/// Where blocks of thread-local storage lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsBlocks {
    /// Variant II: they end at the thread pointer.
    Below,
    /// Variant I: they begin behind what the C library reserves there.
    Above {
        /// Addresses that are reserved.
        reserved: u64,
    },
}

/// Thread-local storage as seen from the thread pointer.
#[derive(Clone, Copy, Debug)]
pub struct TlsAbi {
    /// Where the blocks lie.
    pub blocks: TlsBlocks,
    /// How far the thread pointer points behind the place that all else is counted from.
    pub bias: u64,
    /// Where glibc keeps the pointer to the dynamic thread vector, in addresses from there.
    pub glibc_vector: i64,
    /// The same of musl.
    pub musl_vector: i64,
    /// What is added to the addresses in musl's vector (`DTP_OFFSET`).
    pub musl_added: u64,
}
