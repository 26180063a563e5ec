//! The classes of causes, one row for each.

use crate::{Severity, current_name};

/// Declares [`CauseClass`] of one row for each class: variant, name in reports, severity, CWE
/// numbers, title. A class cannot be declared without them.
macro_rules! classes {
    ($($variant:ident, $word:literal, $severity:ident, [$($cwe:literal),*], $title:literal;)*) => {
        /// A class of causes. Closed: docs/causes.md lists each with an example.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CauseClass {
            $(#[doc = $title] $variant,)*
        }

        impl CauseClass {
            /// All classes, in the catalogue's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        word: $word,
                        severity: Severity::$severity,
                        cwe: &[$($cwe),*],
                        title: $title,
                    },)*
                }
            }
        }
    };
}

struct Row {
    word: &'static str,
    severity: Severity,
    cwe: &'static [u32],
    title: &'static str,
}

classes! {
    NullRead, "null-read", Low, [476], "NULL pointer read";
    NullWrite, "null-write", Low, [476], "NULL pointer write";
    NullAccess, "null-access", Low, [476], "NULL pointer dereference";
    NullCall, "null-call", Medium, [476], "call through a NULL function pointer";
    UnmappedRead, "unmapped-read", Medium, [125], "read from unmapped memory";
    UnmappedWrite, "unmapped-write", High, [787], "write to unmapped memory";
    UnmappedAccess, "unmapped-access", Medium, [119], "access to unmapped memory";
    WildJump, "wild-jump", High, [119], "jump to an address that is not code";
    WriteProtected, "write-protected", High, [119], "write to read-only memory";
    ReadProtected, "read-protected", Medium, [119], "access to protected memory";
    ExecuteProtected, "execute-protected", High, [119], "execution of non-executable memory";
    NonCanonical, "non-canonical", Medium, [119], "access through a non-canonical (invalid) pointer";
    UseAfterFree, "use-after-free", High, [416], "use after free";
    DoubleFree, "double-free", High, [415], "double free";
    InvalidFree, "invalid-free", High, [590, 761], "free of an invalid pointer";
    OutOfBounds, "out-of-bounds", High, [787, 125], "access out of bounds";
    StackOverflow, "stack-overflow", Low, [674, 770], "stack overflow";
    MappedFileTruncated, "mapped-file-truncated", Low, [], "access beyond the end of a mapped file";
    BusError, "bus-error", Low, [], "bus error: the kernel could not supply the page";
    Misaligned, "misaligned", Low, [], "misaligned access";
    DivideByZero, "divide-by-zero", Low, [369], "division by zero";
    DivideOverflow, "divide-overflow", Low, [190], "integer division overflow";
    Trap, "trap", Low, [], "trap instruction (compiler check or breakpoint)";
    IllegalInstruction, "illegal-instruction", Medium, [], "illegal instruction";
    PrivilegedInstruction, "privileged-instruction", Medium, [], "privileged instruction";
    Assertion, "assertion", Low, [617], "assertion failed";
    HeapCorruption, "heap-corruption", High, [122], "heap corruption detected by the allocator";
    StackSmashing, "stack-smashing", High, [121], "stack buffer overflow detected (stack protector)";
    BufferOverflow, "buffer-overflow", High, [120], "buffer overflow detected (_FORTIFY_SOURCE)";
    ReturnOverwritten, "return-overwritten", High, [121], "return address overwritten";
    UncaughtException, "uncaught-exception", Low, [248], "uncaught exception";
    NoexceptViolation, "noexcept-violation", Low, [248], "exception escaped a noexcept function";
    Terminate, "terminate", Low, [248], "std::terminate called";
    PureVirtualCall, "pure-virtual-call", Medium, [], "pure virtual function call";
    RustPanic, "rust-panic", Low, [248], "Rust panic";
    GoPanic, "go-panic", Low, [248], "Go panic";
    GoFatal, "go-fatal", Low, [248], "Go fatal error";
    Abort, "abort", Low, [], "abort() called";
    Deadlock, "deadlock", Low, [833], "deadlock";
    OutOfMemory, "out-of-memory", Low, [770], "out of memory: an allocation failed";
    Sanitizer, "sanitizer", Medium, [], "sanitizer report";
    FatalLog, "fatal-log", Low, [], "fatal log message";
    ResourceLimit, "resource-limit", Info, [], "resource limit exceeded";
    BadSystemCall, "bad-system-call", Medium, [], "system call blocked by seccomp";
    ExternalSignal, "external-signal", Info, [], "killed by a signal from another process";
    Snapshot, "snapshot", Info, [], "no crash: a snapshot of a process that was running";
    Signal, "signal", Info, [], "killed by a signal; cause unknown";
}

impl CauseClass {
    /// Its name in reports.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// Numbers of the CWE entries that it may be an instance of; none where CWE has no entry
    /// for it.
    pub fn cwe(self) -> &'static [u32] {
        self.row().cwe
    }

    /// What happened, in a few words.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The class called `name`, now or formerly.
    pub fn named(name: &str) -> Option<Self> {
        let name = current_name(name);
        Self::ALL.iter().copied().find(|class| class.word() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_found_by_its_name_and_has_a_title_of_its_own() {
        for class in CauseClass::ALL {
            assert_eq!(CauseClass::named(class.word()), Some(*class));
            let same = CauseClass::ALL.iter().filter(|other| other.title() == class.title());
            assert_eq!(same.count(), 1, "{}", class.title());
        }
        assert_eq!(CauseClass::named("Null-Read"), None);
    }
}
