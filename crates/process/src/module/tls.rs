//! Where a module's thread-local storage lies in a thread, without the help of the C
//! library's debugging library.
//!
//! The program's own block lies at a fixed distance from the thread pointer (Drepper, "ELF
//! Handling For Thread-Local Storage", § 3). The blocks of shared objects are found as
//! `__tls_get_addr` finds them: by the object's number in the thread's dynamic thread
//! vector (DTV).

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Machine, TlsAbi, TlsBlocks};
use obit_corefile::elf::{Segment, SegmentKind};
use obit_corefile::memory::AddressSpace;

use super::{Module, ModuleKind, Modules};

/// Bytes of glibc's `struct link_map` that are searched for its TLS fields. It has about
/// 1,200 in the versions since 2.17.
const LINK_MAP_BYTES: usize = 2048;

/// The address of the block of thread-local storage that the module at index `module` has
/// in the thread with this thread pointer.
///
/// # Errors
/// Why the address is not known.
pub fn thread_local_block(
    modules: &Modules,
    memory: &AddressSpace,
    machine: Machine,
    thread_pointer: u64,
    module: usize,
) -> Result<Avma, &'static str> {
    let module = modules.get(module).ok_or("no such module")?;
    let abi = machine.facts().and_then(|facts| facts.tls.as_ref());
    let abi = abi.ok_or("the layout on this machine is not known")?;
    let thread = Thread { memory, abi, pointer: thread_pointer };
    let segment = tls_segment(module)?.ok_or("the module has none")?;
    if thread_pointer == 0 {
        return Err("the thread has none yet");
    }
    if module.kind == ModuleKind::Executable {
        return thread.block_of_program(segment);
    }
    let linked = module.linked.ok_or("the dynamic linker does not list the module")?;
    if is_musl(modules) {
        return thread.block_by_musl(number_by_musl(modules, linked.order)?);
    }
    let image = module.to_avma(segment.vaddr);
    let record = thread.record_by_glibc(linked.node, image, segment)?;
    thread.block_by_glibc(record)
}

/// The `PT_TLS` of a module, if it has one that takes space.
fn tls_segment(module: &Module) -> Result<Option<&Segment>, &'static str> {
    let image = module.image.as_ref().ok_or("the module's file was not found")?;
    Ok(image.segments().iter().find(|s| s.kind == SegmentKind::Tls && s.mem_size > 0))
}

/// Whether the dynamic linker is musl's, by its name.
fn is_musl(modules: &Modules) -> bool {
    modules.list().iter().any(|module| {
        let names = [Some(&module.path), module.linked_as.as_ref()];
        let mut files = names.into_iter().flatten().filter_map(|path| path.file_name());
        files.any(|file| file.as_encoded_bytes().starts_with(b"ld-musl-"))
    })
}

/// musl numbers the objects that have thread-local storage in the order it loaded them,
/// from 1, and never unloads one (`load_library` in `ldso/dynlink.c`).
fn number_by_musl(modules: &Modules, order: usize) -> Result<u64, &'static str> {
    let mut number = 1_u64;
    for module in modules.list() {
        if module.linked.is_some_and(|other| other.order < order)
            && tls_segment(module)
                .map_err(|_| "the file of a module before it was not found")?
                .is_some()
        {
            number = number.saturating_add(1);
        }
    }
    Ok(number)
}

/// What glibc's `struct link_map` says about an object's thread-local storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GlibcRecord {
    /// `l_tls_offset`: distance from the thread pointer, `None` for an object that was not
    /// placed in the static block.
    offset: Option<u64>,
    /// `l_tls_modid`: from 1.
    number: u64,
}

/// One thread, as far as its storage is concerned.
#[derive(Clone, Copy)]
struct Thread<'m> {
    memory: &'m AddressSpace,
    abi: &'static TlsAbi,
    pointer: u64,
}

impl Thread<'_> {
    fn word(&self) -> u64 {
        self.memory.word() as u64
    }

    /// As many bits as an address has.
    fn address(&self, value: u64) -> Avma {
        Avma(if self.word() == 4 { value & u64::from(u32::MAX) } else { value })
    }

    /// What all else is counted from: the thread pointer without the machine's bias.
    fn origin(&self) -> u64 {
        self.pointer.wrapping_sub(self.abi.bias)
    }

    /// The place so many addresses from there.
    fn words_from_origin(&self, words: i64) -> Avma {
        let word = i64::try_from(self.word()).unwrap_or(8);
        self.address(self.origin().wrapping_add_signed(words.wrapping_mul(word)))
    }

    fn read(&self, at: Avma) -> Result<u64, &'static str> {
        self.memory.read_word(at).map_err(|_| "the thread's control block is not in the core")
    }

    /// The block of the program itself, of which compilers know the place.
    fn block_of_program(&self, segment: &Segment) -> Result<Avma, &'static str> {
        let mask = segment.align.max(1).wrapping_sub(1);
        let start = segment.vaddr.0;
        // Bytes from the thread pointer to where blocks begin, in the variant that has
        // them above it.
        let reserved = match self.abi.blocks {
            // The block ends at the thread pointer, its end aligned.
            TlsBlocks::Below => {
                let end = start.wrapping_add(segment.mem_size);
                let padding = end.wrapping_neg() & mask;
                let size = segment.mem_size.wrapping_add(padding);
                return Ok(self.address(self.pointer.wrapping_sub(size)));
            }
            TlsBlocks::Above { reserved } => self.word().wrapping_mul(reserved),
        };
        let padding = start.wrapping_sub(reserved) & mask;
        Ok(self.address(self.origin().wrapping_add(reserved).wrapping_add(padding)))
    }

    /// Looks through the `struct link_map` at `node` for the fields whose values are known
    /// from the object itself: `l_tls_initimage`, `l_tls_initimage_size`,
    /// `l_tls_blocksize`, `l_tls_align`; behind them `l_tls_firstbyte_offset`,
    /// `l_tls_offset` and `l_tls_modid`.
    fn record_by_glibc(
        &self,
        node: Avma,
        image: Avma,
        segment: &Segment,
    ) -> Result<GlibcRecord, &'static str> {
        let known = [self.address(image.0).0, segment.file_size, segment.mem_size, segment.align];
        let size = self.memory.word();
        let bytes = self.memory.read_up_to(node, LINK_MAP_BYTES);
        let words: Vec<u64> =
            bytes.chunks_exact(size.max(1)).map(|word| self.memory.unsigned(word)).collect();
        let found = words.windows(7).find(|fields| fields.starts_with(&known));
        let Some(&[_, _, _, _, _, offset, number]) = found else {
            return Err("the dynamic linker's record was not found");
        };
        // Of these offsets: no place in the static block, or not allowed one
        // (`NO_TLS_OFFSET`, `FORCED_DYNAMIC_TLS_OFFSET`, which depend on the machine).
        let none = [0, self.address(u64::MAX).0, self.address(u64::MAX.wrapping_sub(1)).0];
        let below = self.abi.blocks == TlsBlocks::Below;
        let is_none = none.contains(&offset) && (offset != 0 || below);
        Ok(GlibcRecord { offset: Some(offset).filter(|_| !is_none), number })
    }

    /// The block of an object by glibc's `struct link_map` and DTV.
    fn block_by_glibc(&self, record: GlibcRecord) -> Result<Avma, &'static str> {
        const NOT_ALLOCATED: &str = "not allocated in this thread";
        if let Some(offset) = record.offset {
            let block = match self.abi.blocks {
                TlsBlocks::Below => self.pointer.wrapping_sub(offset),
                TlsBlocks::Above { .. } => self.origin().wrapping_add(offset),
            };
            return Ok(self.address(block));
        }
        let vector = self.vector_by_glibc()?;
        // `union dtv`: two words. Entry -1 holds the number of entries.
        let entry = self.word().wrapping_mul(2);
        let length = self.read(self.address(vector.wrapping_sub(entry)))?;
        if record.number == 0 || record.number > length {
            return Err(NOT_ALLOCATED);
        }
        let into = record.number.checked_mul(entry).ok_or("malformed module number")?;
        let block = self.read(self.address(vector.wrapping_add(into)))?;
        // `TLS_DTV_UNALLOCATED` is -1; blocks are aligned.
        if block == 0 || block & 1 == 1 {
            return Err(NOT_ALLOCATED);
        }
        Ok(Avma(block))
    }

    /// The `dtv` of glibc's `tcbhead_t`.
    fn vector_by_glibc(&self) -> Result<u64, &'static str> {
        self.read(self.words_from_origin(self.abi.glibc_vector))
    }

    /// The block by the `dtv` of musl's `struct pthread`: its length, then addresses.
    fn block_by_musl(&self, number: u64) -> Result<Avma, &'static str> {
        let vector = self.read(self.words_from_origin(self.abi.musl_vector))?;
        let length = self.read(self.address(vector))?;
        if number > length {
            return Err("not allocated in this thread");
        }
        let into = number.checked_mul(self.word()).ok_or("malformed module number")?;
        let block = self.read(self.address(vector.wrapping_add(into)))?;
        Ok(self.address(block.wrapping_sub(self.abi.musl_added)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use obit_corefile::addr::Svma;
    use obit_corefile::limits::Limits;
    use obit_corefile::testkit::CoreBuilder;
    use obit_dwarf::locate::{Locator, SearchRules};

    const THREAD: u64 = 0x7000_1000;
    const VECTOR: u64 = 0x7000_2000;
    const NODE: u64 = 0x7000_3000;

    fn segment(vaddr: u64, mem_size: u64, align: u64) -> Segment {
        let kind = SegmentKind::Tls;
        Segment { kind, flags: 4, offset: 0, vaddr: Svma(vaddr), file_size: 8, mem_size, align }
    }

    fn words(size: usize, words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()[..size].to_vec()).collect()
    }

    /// Pages of the words at `VECTOR - 16` and so on.
    fn memory(core: CoreBuilder, pages: &[(u64, &[u64])]) -> AddressSpace {
        let size = core.encoding().word();
        let core = pages.iter().fold(core.thread(1, &[]), |core, (at, content)| {
            core.segment(*at, &words(size, content), 0x800)
        });
        let limits = Limits::default();
        let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
        crate::module::load(
            &core.open().unwrap(),
            &Arc::new(crate::module::Library::new(locator, None, limits)),
        )
        .memory
    }

    fn thread(memory: &AddressSpace, machine: Machine) -> Thread<'_> {
        Thread { memory, abi: machine.facts().unwrap().tls.as_ref().unwrap(), pointer: THREAD }
    }

    #[test]
    fn the_programs_block_lies_where_compilers_expect_it() {
        let memory = memory(CoreBuilder::x86_64(), &[]);
        let block = |machine, segment| {
            let block = thread(&memory, machine).block_of_program(&segment).unwrap();
            block.0.wrapping_sub(THREAD).cast_signed()
        };
        assert_eq!(block(Machine::X86_64, segment(0x3d40, 0x44, 0x40)), -0x80);
        assert_eq!(block(Machine::X86_64, segment(0x3dcc, 0x28, 4)), -0x28);
        assert_eq!(block(Machine::X86_64, segment(0x3d44, 0x44, 0x40)), -0x7c);
        assert_eq!(block(Machine::Aarch64, segment(0x1_fd40, 0x44, 0x40)), 0x40);
        assert_eq!(block(Machine::Aarch64, segment(0x1_fd40, 8, 8)), 0x10);
        assert_eq!(block(Machine::Riscv64, segment(0x1d80, 0x44, 0x40)), 0);
    }

    #[test]
    fn glibcs_record_is_found_in_a_link_map_by_the_words_known_from_the_file() {
        let tls = segment(0x3d40, 0x48, 0x10);
        let image = Avma(0x5555_0000_3d40);
        let node = [9, 9, image.0, 8, 0, image.0, 8, 0x48, 0x10, 0, 0xf0, 3];
        let memory = memory(CoreBuilder::x86_64(), &[(NODE, &node)]);
        let thread = thread(&memory, Machine::X86_64);
        let record = thread.record_by_glibc(Avma(NODE), image, &tls);
        assert_eq!(record, Ok(GlibcRecord { offset: Some(0xf0), number: 3 }));
        assert_eq!(thread.block_by_glibc(record.unwrap()), Ok(Avma(THREAD - 0xf0)));
        let other = thread.record_by_glibc(Avma(NODE), Avma(0x1000), &tls);
        assert_eq!(other, Err("the dynamic linker's record was not found"));
    }

    #[test]
    fn offset_zero_is_a_place_where_blocks_lie_above_the_thread_pointer() {
        let tls = segment(0x40, 0x48, 0x10);
        let record = |core, machine, offset| {
            let memory = memory(core, &[(NODE, &[0x40, 8, 0x48, 0x10, 0, offset, 1])]);
            thread(&memory, machine).record_by_glibc(Avma(NODE), Avma(0x40), &tls).unwrap().offset
        };
        assert_eq!(record(CoreBuilder::x86_64(), Machine::X86_64, 0), None);
        assert_eq!(record(CoreBuilder::i386(), Machine::I386, 0xffff_ffff), None);
        assert_eq!(record(CoreBuilder::riscv64(), Machine::Riscv64, 0), Some(0));
        assert_eq!(record(CoreBuilder::riscv64(), Machine::Riscv64, u64::MAX), None);
    }

    #[test]
    fn a_block_that_this_thread_never_touched_is_not_allocated() {
        // Length, -, generation, -, then entry 1 and so on.
        let vector = [3, 0, 1, 0, 0x1230, 0, u64::MAX, 0, 0x4560, 0];
        let pages: [(u64, &[u64]); 2] = [(THREAD, &[THREAD, VECTOR + 16]), (VECTOR, &vector)];
        let memory = memory(CoreBuilder::x86_64(), &pages);
        let thread = thread(&memory, Machine::X86_64);
        let block = |number| thread.block_by_glibc(GlibcRecord { offset: None, number });
        assert_eq!(block(1), Ok(Avma(0x1230)));
        assert_eq!(block(2), Err("not allocated in this thread"));
        assert_eq!(block(3), Ok(Avma(0x4560)));
        assert_eq!(block(4), Err("not allocated in this thread"));
        assert_eq!(block(0), Err("not allocated in this thread"));
    }

    #[test]
    fn musls_vector_holds_plain_addresses_and_its_length() {
        let pages: [(u64, &[u64]); 2] = [(THREAD, &[THREAD, VECTOR]), (VECTOR, &[2, 0x10, 0x20])];
        let memory = memory(CoreBuilder::x86_64(), &pages);
        let thread = thread(&memory, Machine::X86_64);
        assert_eq!(thread.block_by_musl(2), Ok(Avma(0x20)));
        assert_eq!(thread.block_by_musl(3), Err("not allocated in this thread"));
    }

    #[test]
    fn on_riscv_musls_vector_lies_below_the_thread_pointer_and_is_biased() {
        let pages: [(u64, &[u64]); 2] = [(THREAD - 8, &[VECTOR]), (VECTOR, &[1, 0x1800])];
        let memory = memory(CoreBuilder::riscv64(), &pages);
        assert_eq!(thread(&memory, Machine::Riscv64).block_by_musl(1), Ok(Avma(0x1000)));
    }

    #[test]
    fn a_control_block_that_was_not_dumped_is_a_reason() {
        let memory = memory(CoreBuilder::x86_64(), &[]);
        let thread = thread(&memory, Machine::X86_64);
        assert_eq!(thread.block_by_musl(1), Err("the thread's control block is not in the core"));
    }
}
