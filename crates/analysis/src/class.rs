//! The classes of causes, one row for each.

/// How bad a class is for whoever runs the program: what an attacker could make of it, as
/// CASR and `!exploitable` rank it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
}

impl Severity {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Declares [`CauseClass`] of one row for each class: variant, word in reports, severity, and
/// what happened in a few words. A class cannot be declared without them.
macro_rules! classes {
    ($($variant:ident, $word:literal, $severity:ident, $summary:literal;)*) => {
        /// A class of causes. Closed: docs/causes.md lists each with an example.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CauseClass {
            $(#[doc = $summary] $variant,)*
        }

        impl CauseClass {
            /// All classes, in the catalogue's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word in reports, its severity, and what happened in a few words.
            fn entry(self) -> (&'static str, Severity, &'static str) {
                match self {
                    $(Self::$variant => ($word, Severity::$severity, $summary),)*
                }
            }
        }
    };
}

classes! {
    NullRead, "null-read", Low, "a null pointer was read through";
    NullWrite, "null-write", Low, "a null pointer was written through";
    NullAccess, "null-access", Low, "a null pointer was used";
    NullCall, "null-call", Medium, "a null function pointer was called";
    WildRead, "wild-read", Medium, "memory that is not there was read";
    WildWrite, "wild-write", High, "memory that is not there was written";
    WildAccess, "wild-access", Medium, "memory that is not there was used";
    WildCall, "wild-call", High, "execution went to an address that is no code";
    ForbiddenWrite, "forbidden-write", High, "read-only memory was written";
    ForbiddenRead, "forbidden-read", Medium, "memory that may not be read was read";
    ForbiddenExecute, "forbidden-execute", High, "data was executed";
    NonCanonical, "non-canonical", Medium, "a pointer that is no address was used";
    StackOverflow, "stack-overflow", Low, "the stack ran out";
    BeyondFile, "beyond-file", Low, "a mapped file was read beyond its end";
    Misaligned, "misaligned", Low, "an access was not aligned";
    DivideByZero, "divide-by-zero", Low, "a number was divided by zero";
    DivideOverflow, "divide-overflow", Low, "a quotient was too large";
    Trap, "trap", Low, "the compiler's trap was reached";
    IllegalInstruction, "illegal-instruction", Medium, "an instruction was not known to the machine";
    PrivilegedInstruction, "privileged-instruction", Medium, "an instruction was for the kernel alone";
    Assertion, "assertion", Low, "an assertion failed";
    HeapCorruption, "heap-corruption", High, "the allocator found its books damaged";
    StackSmashing, "stack-smashing", High, "a stack buffer was overrun";
    BufferOverflow, "buffer-overflow", High, "a checked copy would have overrun its buffer";
    UncaughtException, "uncaught-exception", Low, "an exception was not caught";
    PureVirtualCall, "pure-virtual-call", Medium, "a pure virtual function was called";
    Terminate, "terminate", Low, "std::terminate was called";
    RustPanic, "rust-panic", Low, "Rust panicked";
    GoPanic, "go-panic", Low, "Go panicked";
    GoFatal, "go-fatal", Low, "Go's runtime gave up";
    Abort, "abort", Low, "the program aborted itself";
    Deadlock, "deadlock", Low, "threads wait for each other";
    SignalFromOutside, "signal-from-outside", Info, "another process sent the signal";
    Signal, "signal", Info, "a signal ended it";
    ReturnOverwritten, "return-overwritten", High, "a function returned to an address that is no code";
    BusError, "bus-error", Low, "memory could not be brought in";
    OutOfMemory, "out-of-memory", Low, "memory was refused";
    Sanitizer, "sanitizer", Medium, "a sanitizer found an error";
    FatalLog, "fatal-log", Low, "a fatal message was logged";
    ResourceLimit, "resource-limit", Info, "a limit was reached";
    BadSystemCall, "bad-system-call", Medium, "a system call was refused";
}

impl CauseClass {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        self.entry().0
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.entry().1
    }

    /// What happened, in a few words.
    pub fn summary(self) -> &'static str {
        self.entry().2
    }

    /// The class called `word`.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.word() == word)
    }
}
