//! ELF cores that are not of a process of Linux: by the owners of their notes.

use std::fmt;

use crate::elf::Note;

/// What an ELF core is that is not of a process of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// A dump of a kernel or of a virtual machine: `/proc/vmcore`, `/proc/kcore`,
    /// makedumpfile, QEMU, Xen.
    Kernel,
    /// A core of FreeBSD.
    FreeBsd,
    /// A core of NetBSD.
    NetBsd,
    /// A core of OpenBSD.
    OpenBsd,
    /// A core of DragonFly BSD.
    DragonFly,
    /// A core of Solaris or illumos.
    Solaris,
    /// A core of QNX Neutrino.
    Qnx,
    /// A core of HP-UX.
    HpUx,
    /// A core of IRIX.
    Irix,
}

/// `EI_OSABI` (ELF gABI, "ELF Header") of systems whose cores have the kernel's names for
/// their notes.
const OSABI: usize = 7;

impl Foreign {
    /// By one note.
    pub(super) fn of_note(note: &Note<'_>) -> Option<Self> {
        match note.owner {
            b"VMCOREINFO" | b"QEMU" | b"Xen" | b"XEN" => Some(Self::Kernel),
            b"FreeBSD" => Some(Self::FreeBsd),
            owner if owner.starts_with(b"NetBSD-CORE") => Some(Self::NetBsd),
            owner if owner.starts_with(b"OpenBSD") => Some(Self::OpenBsd),
            b"DragonFly" => Some(Self::DragonFly),
            b"QNX" => Some(Self::Qnx),
            _ => None,
        }
    }

    /// By the header.
    pub(super) fn of_header(start: &[u8]) -> Option<Self> {
        match start.get(OSABI)? {
            1 => Some(Self::HpUx),
            2 => Some(Self::NetBsd),
            6 => Some(Self::Solaris),
            8 => Some(Self::Irix),
            9 => Some(Self::FreeBsd),
            12 => Some(Self::OpenBsd),
            _ => None,
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "a dump of a kernel, not a core of a process (try crash or drgn)",
            Self::FreeBsd => "a core of FreeBSD; obit reads those of Linux (try gdb or lldb)",
            Self::NetBsd => "a core of NetBSD; obit reads those of Linux (try gdb or lldb)",
            Self::OpenBsd => "a core of OpenBSD; obit reads those of Linux (try gdb or lldb)",
            Self::DragonFly => "a core of DragonFly BSD; obit reads those of Linux (try gdb)",
            Self::Solaris => "a core of Solaris or illumos; obit reads those of Linux (try mdb)",
            Self::Qnx => "a core of QNX; obit reads those of Linux (try ntox86_64-gdb or its like)",
            Self::HpUx => "a core of HP-UX; obit reads those of Linux (try gdb)",
            Self::Irix => "a core of IRIX; obit reads those of Linux (try gdb)",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testkit::CoreBuilder;

    fn refusal(core: CoreBuilder) -> String {
        core.open().unwrap_err().to_string()
    }

    #[test]
    fn dumps_of_kernels_and_of_other_systems_are_refused_by_their_names() {
        let core = || CoreBuilder::x86_64().thread(1, &[]).segment(0x1000, &[0; 16], 16);
        let kernel = "a dump of a kernel, not a core of a process (try crash or drgn)";
        assert!(refusal(core().note(b"VMCOREINFO", 0, b"OSRELEASE=6.1\n")).ends_with(kernel));
        assert!(refusal(core().note(b"QEMU", 0, &[1; 8])).ends_with(kernel));
        let other = || CoreBuilder::x86_64().segment(0x1000, &[0; 16], 16);
        for (owner, name) in [
            ("FreeBSD", "FreeBSD"),
            ("NetBSD-CORE", "NetBSD"),
            ("NetBSD-CORE@1", "NetBSD"),
            ("OpenBSD@17", "OpenBSD"),
            ("DragonFly", "DragonFly BSD"),
            ("QNX", "QNX"),
        ] {
            let said = refusal(other().note(owner.as_bytes(), 1, &[0; 400]));
            assert!(said.contains(&format!("a core of {name}; obit reads those of Linux")));
        }
    }

    #[test]
    fn a_core_of_a_system_that_is_not_known_says_whose_notes_it_has() {
        let core = CoreBuilder::x86_64().segment(0x1000, &[0; 16], 16);
        let said = refusal(core.note(b"Plan\x1b9", 1, &[0; 400]));
        assert!(said.contains("its notes are those of `Plan\\x1b9`, not of Linux"), "{said}");
    }
}
