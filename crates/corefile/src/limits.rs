//! What a hostile file may cost. Every count, depth and length that is read from a
//! file meets one of these before it is used.

/// Upper bounds on work and memory. The defaults fit the largest honest cores seen
/// (tens of thousands of threads, a hundred thousand frames) with room to spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Program headers of one ELF file. Linux allows 65,530 mappings by default and
    /// more by `vm.max_map_count`; PN_XNUM lifts the 16-bit count.
    pub program_headers: usize,
    /// Section headers of one ELF file.
    pub section_headers: usize,
    /// Notes in one core file.
    pub notes: usize,
    /// Bytes of one `PT_NOTE` segment that are read.
    pub note_segment_bytes: u64,
    /// Entries of `NT_FILE`.
    pub mapped_files: usize,
    /// Threads that are kept. Each takes two mappings, of which Linux allows 65,530 by default.
    pub threads: usize,
    /// Modules that are kept.
    pub modules: usize,
    /// Nodes of the dynamic linker's list of objects.
    pub link_map_nodes: usize,
    /// Bytes of one C string read from the dead memory.
    pub string_bytes: usize,
    /// Bytes of one section after decompression.
    pub section_bytes: u64,
    /// Bytes of one core file after decompression.
    pub core_bytes: u64,
    /// Bytes of an unpacked core that are kept on disk, holes not counted; never more than half of
    /// the free space there.
    pub spill_bytes: u64,
    /// Files of an archive that are looked at.
    pub archive_entries: u64,
    /// Cores and other ELF files of an archive that are kept.
    pub archive_files: usize,
    /// Texts of an archive that are kept.
    pub archive_texts: usize,
    /// Bytes that an archive may be unpacked to, kept or not.
    pub archive_bytes: u64,
    /// Physical frames of one stack that are unwound.
    pub frames: usize,
    /// Frames of one thread that a report holds.
    pub frames_shown: usize,
    /// Words of a stack looked at when scanning for a return address, per gap.
    pub scan_words: usize,
    /// Operations of one DWARF expression.
    pub expression_steps: u32,
    /// Inlined calls expanded at one address.
    pub inline_depth: usize,
    /// Links followed through `DW_AT_abstract_origin` and `DW_AT_specification`.
    pub reference_depth: usize,
    /// Debugging information entries visited for one address.
    pub entries_per_lookup: usize,
    /// Rows of one line number program that are read.
    pub line_rows: usize,
    /// Bytes of a symbol name that are demangled or shown.
    pub name_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            program_headers: 4 << 20,
            section_headers: 1 << 20,
            notes: 1 << 20,
            note_segment_bytes: 1 << 30,
            mapped_files: 1 << 20,
            threads: 1 << 15,
            modules: 1 << 14,
            link_map_nodes: 1 << 14,
            string_bytes: 4096,
            section_bytes: 8 << 30,
            core_bytes: 1 << 40,
            spill_bytes: 64 << 30,
            archive_entries: 1 << 16,
            archive_files: 2048,
            archive_texts: 1 << 14,
            archive_bytes: 1 << 40,
            frames: 200_000,
            frames_shown: 300,
            scan_words: 4096,
            expression_steps: 10_000,
            inline_depth: 256,
            reference_depth: 32,
            entries_per_lookup: 4 << 20,
            line_rows: 16 << 20,
            name_bytes: 1 << 16,
        }
    }
}
