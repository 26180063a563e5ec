//! One physical frame.

use obit_corefile::addr::Avma;
use obit_corefile::arch::Registers;

/// By what means a frame was found; better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The registers of the thread as the core holds them.
    Context,
    /// Call frame information, or a signal frame's saved registers.
    CallFrameInfo,
    /// The return address a call leaves, at its place, just past a call that fits: a
    /// jump to a wild address, or code without CFI before it built a frame. Of a function that
    /// jumped onward and left no frame: from call-site entries alone.
    CallSite,
    /// What the function's code did to its stack since it began, with a return address just
    /// past a call.
    Code,
    /// The chain of frame pointers.
    FramePointer,
    /// A word on the stack that looks like a return address.
    Scan,
}

/// How execution left this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Left {
    /// Stopped by a signal: the PC is the instruction that was executing.
    Interrupted,
    /// By a call: the PC is the return address, one past the call.
    Called,
}

impl Left {
    /// The address to look up in CFI, line tables and scopes for a frame that goes on at `pc`.
    ///
    /// A call to a `noreturn` function may be the last instruction of its caller; the
    /// return address then belongs to the next function. One byte back is always inside
    /// the call.
    pub fn lookup_pc(self, pc: Avma) -> Avma {
        match self {
            Self::Interrupted => pc,
            Self::Called => Avma(pc.0.wrapping_sub(1)),
        }
    }
}

/// One physical frame: an activation of a function, with every register that could be
/// recovered for the moment it was left.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Where execution goes on in this frame.
    pub pc: Avma,
    /// The canonical frame address, where it is known (DWARF 5 § 6.4).
    pub cfa: Option<Avma>,
    /// Registers, each known or not.
    pub registers: Registers,
    /// How the frame was found.
    pub trust: Trust,
    /// How it was left.
    pub left: Left,
    /// The kernel made this frame to run a signal handler: it belongs to no function.
    pub is_signal: bool,
}

impl Activation {
    /// Whether its registers can be those of the function: of a frame that a scan found, only
    /// if they lead to a caller.
    pub fn is_confirmed(&self) -> bool {
        self.trust < Trust::Scan || self.cfa.is_some()
    }

    /// See [`Left::lookup_pc`].
    pub fn lookup_pc(&self) -> Avma {
        self.left.lookup_pc(self.pc)
    }
}
