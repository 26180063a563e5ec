//! Which memory goes into a core (Linux `fs/coredump.c`, `vma_dump_size`; the bits in
//! core(5), `/proc/PID/coredump_filter`).

use std::io;

use crate::Tid;
use crate::proc::{self, Mapping};

const ANONYMOUS_PRIVATE: u32 = 1 << 0;
const ANONYMOUS_SHARED: u32 = 1 << 1;
const FILE_PRIVATE: u32 = 1 << 2;
const FILE_SHARED: u32 = 1 << 3;
const ELF_HEADERS: u32 = 1 << 4;
const HUGE_PRIVATE: u32 = 1 << 5;
const HUGE_SHARED: u32 = 1 << 6;
const DAX_PRIVATE: u32 = 1 << 7;
const DAX_SHARED: u32 = 1 << 8;

/// Mappings that the kernel itself made: their name comes from `vm_ops->name` or
/// `arch_vma_name`, and they are dumped whatever the filter (`always_dump_vma`).
const OF_KERNEL: [&[u8]; 8] = [
    b"[vdso]",
    b"[vvar]",
    b"[vvar_vclock]",
    b"[vsyscall]",
    b"[sigpage]",
    b"[vectors]",
    b"[uprobes]",
    b"[timer]",
];

/// Whether the kernel made the mapping, for the program to run or read.
pub(super) fn is_of_kernel(mapping: &Mapping) -> bool {
    OF_KERNEL.contains(&&*mapping.name)
}

/// What the process wants in its cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter(u32);

/// What is known of a mapping by looking at its file or its memory, each only when asked.
pub(super) trait Look {
    /// Whether the file lies in memory that survives a restart, which has bits of its own.
    fn is_dax(&self, mapping: &Mapping) -> bool;
    /// Whether it begins with the header of an ELF file, or its file may be executed.
    fn is_program(&self, mapping: &Mapping) -> bool;
}

impl Filter {
    /// That of a process.
    pub(super) fn of(process: Tid) -> io::Result<Self> {
        let text = proc::read(process, "coredump_filter")?;
        let text = std::str::from_utf8(text.trim_ascii()).unwrap_or_default();
        u32::from_str_radix(text, 16).map(Self).map_err(|_| proc::malformed())
    }

    fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }

    /// How many bytes of the mapping go into the core, from its start. Pages have `page` bytes.
    pub(super) fn dumped(self, mapping: &Mapping, page: u64, look: &dyn Look) -> u64 {
        let whole_if = |is_wanted: bool| if is_wanted { mapping.length() } else { 0 };
        let by_sharing = |shared: u32, private: u32| {
            whole_if(self.has(if mapping.shared { shared } else { private }))
        };
        if is_of_kernel(mapping) {
            return mapping.length();
        }
        if mapping.has_flag(b"dd") {
            return 0;
        }
        if look.is_dax(mapping) {
            return by_sharing(DAX_SHARED, DAX_PRIVATE);
        }
        if mapping.has_flag(b"ht") {
            return by_sharing(HUGE_SHARED, HUGE_PRIVATE);
        }
        if mapping.has_flag(b"io") {
            return 0;
        }
        if mapping.shared {
            let bit = if mapping.is_unlinked() { ANONYMOUS_SHARED } else { FILE_SHARED };
            return whole_if(self.has(bit));
        }
        // The kernel asks for `anon_vma`, which a mapping has from the first page written on.
        let is_written = mapping.anonymous > 0 || mapping.swapped > 0;
        if is_written && self.has(ANONYMOUS_PRIVATE) {
            return mapping.length();
        }
        if mapping.file().is_none() {
            return 0;
        }
        if self.has(FILE_PRIVATE) {
            return mapping.length();
        }
        let is_start = mapping.offset == 0 && mapping.readable;
        if self.has(ELF_HEADERS) && is_start && look.is_program(mapping) {
            return page.min(mapping.length());
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        dax: bool,
        program: bool,
    }

    impl Look for Files {
        fn is_dax(&self, _: &Mapping) -> bool {
            self.dax
        }
        fn is_program(&self, _: &Mapping) -> bool {
            self.program
        }
    }

    const PLAIN: Files = Files { dax: false, program: false };
    const PAGE: u64 = 4096;
    /// Two pages of private memory that were written.
    fn heap() -> Mapping {
        Mapping { range: 0..2 * PAGE, readable: true, anonymous: PAGE, ..Mapping::default() }
    }

    fn file() -> Mapping {
        Mapping { name: b"/a".to_vec(), inode: 1, anonymous: 0, ..heap() }
    }

    fn dumped(filter: u32, mapping: &Mapping, look: &Files) -> u64 {
        Filter(filter).dumped(mapping, PAGE, look)
    }

    #[test]
    fn each_bit_wants_its_kind_of_memory_and_no_other() {
        let shared = |mapping: Mapping| Mapping { shared: true, ..mapping };
        let deleted = Mapping { name: b"/a (deleted)".to_vec(), ..file() };
        let huge = Mapping { flags: vec![*b"ht"], ..heap() };
        for (bit, mapping) in [
            (0, heap()),
            (1, shared(deleted)),
            (2, file()),
            (3, shared(file())),
            (5, huge.clone()),
            (6, shared(huge)),
        ] {
            assert_eq!(dumped(1 << bit, &mapping, &PLAIN), 2 * PAGE, "bit {bit}");
            assert_eq!(dumped(!(1 << bit), &mapping, &PLAIN), 0, "all but bit {bit}");
        }
        let dax = Files { dax: true, program: true };
        assert_eq!(dumped(1 << 7, &file(), &dax), 2 * PAGE);
        assert_eq!(dumped(!(1 << 7), &file(), &dax), 0);
        assert_eq!(dumped(1 << 8, &shared(file()), &dax), 2 * PAGE);
    }

    #[test]
    fn of_a_program_that_was_not_written_the_first_page_goes_into_the_core() {
        let program = Files { dax: false, program: true };
        assert_eq!(dumped(1 << 4, &file(), &program), PAGE);
        assert_eq!(dumped(1 << 4, &file(), &PLAIN), 0);
        assert_eq!(dumped(1 << 4, &Mapping { offset: PAGE, ..file() }, &program), 0);
        assert_eq!(dumped(1 << 4, &Mapping { readable: false, ..file() }, &program), 0);
    }

    #[test]
    fn what_was_never_written_or_must_not_be_dumped_is_left_out() {
        assert_eq!(dumped(!0, &Mapping { anonymous: 0, ..heap() }, &PLAIN), 0);
        assert_eq!(dumped(!0, &Mapping { flags: vec![*b"dd"], ..heap() }, &PLAIN), 0);
        assert_eq!(dumped(!0, &Mapping { flags: vec![*b"io"], ..heap() }, &PLAIN), 0);
        assert_eq!(
            dumped(!0, &Mapping { anonymous: 0, swapped: PAGE, ..heap() }, &PLAIN),
            2 * PAGE
        );
    }

    #[test]
    fn what_the_kernel_mapped_is_dumped_whatever_the_filter() {
        let vdso = Mapping {
            name: b"[vdso]".to_vec(),
            flags: vec![*b"io", *b"dd"],
            anonymous: 0,
            ..heap()
        };
        assert_eq!(dumped(0, &vdso, &PLAIN), 2 * PAGE);
    }

    #[test]
    fn the_filter_of_a_process_can_be_read() {
        assert!(Filter::of(i32::try_from(std::process::id()).unwrap()).is_ok());
    }
}
