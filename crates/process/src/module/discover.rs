//! Which images the process had, from the core alone: `NT_FILE` and the pages it kept.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use obit_corefile::addr::{Avma, AvmaRange, LoadBias, Svma};
use obit_corefile::dump::{AuxKind, Dump, MappedFileRange};
use obit_corefile::elf::{BuildId, ElfImage, ImageBytes, SegmentKind};
use obit_corefile::limits::Limits;
use obit_corefile::memory::AddressSpace;

use super::ModuleKind;
use super::link_map::LinkMapNode;

/// Bytes of an image's start that are read for its headers and notes: the kernel keeps
/// the first page of every ELF mapping (`coredump_filter` bit 4); some have more.
const HEAD_BYTES: usize = 16 << 10;
/// Regions whose first bytes are searched for a program that no note describes.
const MOST_REGIONS: usize = 1 << 16;
/// `e_type` of a program linked for one address.
const ET_EXEC: u16 = 2;
/// Page size of every machine's smallest granule.
pub(super) const PAGE: u64 = 4096;

/// What the core states about an image.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) base: Avma,
    /// What was mapped from its file: range, and offset in the file.
    pub(super) mapped: Vec<(AvmaRange, u64)>,
    /// ELF headers read from memory.
    pub(super) head: Option<ElfImage>,
    pub(super) build_id: Option<BuildId>,
    pub(super) package: Option<String>,
    pub(super) kind: ModuleKind,
    /// The dynamic linker's `l_addr`.
    pub(super) link_bias: Option<LoadBias>,
}

impl Candidate {
    /// An image whose first byte lies at `base`; its head is read from memory.
    pub(super) fn at(
        base: Avma,
        path: PathBuf,
        kind: ModuleKind,
        memory: &AddressSpace,
        limits: &Limits,
    ) -> Self {
        let head = read_head(base, memory, limits);
        let build_id = head.as_ref().and_then(|head| head.build_id().cloned());
        let package = head.as_ref().and_then(|head| Some(head.package()?.into_owned()));
        Self { path, base, mapped: Vec::new(), head, build_id, package, kind, link_bias: None }
    }

    /// The load bias, by the program headers of `image` (the head or the file): the
    /// segment that holds a mapping's file offset says at which SVMA it belongs.
    pub(super) fn bias_by(&self, image: &ElfImage) -> Option<LoadBias> {
        let loads = || image.segments().iter().filter(|s| s.kind == SegmentKind::Load);
        let page_down = |value: u64| value & !(PAGE - 1);
        let by_mapping = self.mapped.iter().find_map(|(range, offset)| {
            let segment = loads().find(|segment| page_down(segment.offset) == *offset)?;
            Some(LoadBias::between(range.start, Svma(page_down(segment.vaddr.0))))
        });
        by_mapping.or_else(|| {
            let first = loads().min_by_key(|segment| segment.vaddr)?;
            let start = first.vaddr.0.wrapping_sub(first.offset);
            Some(LoadBias::between(self.base, Svma(page_down(start))))
        })
    }

    /// Whether a further mapping of the same file belongs to this image.
    fn goes_on(&self, file: &MappedFileRange) -> bool {
        let Some((last, offset)) = self.mapped.last() else { return false };
        if file.offset != 0 {
            return *offset <= file.offset;
        }
        let Some(head) = &self.head else {
            return *offset == 0 && last.end == file.range.start;
        };
        let page_down = |value: u64| value & !(PAGE - 1);
        let bias = self.bias_by(head);
        let mut loads = head.segments().iter().filter(|s| s.kind == SegmentKind::Load);
        loads.any(|segment| {
            let at = bias.map(|bias| bias.to_avma(Svma(page_down(segment.vaddr.0))));
            page_down(segment.offset) == 0 && at == Some(file.range.start)
        })
    }

    /// Whether its mappings have the distances that the loader gives them. Programs map parts
    /// of their own file elsewhere (V8 its built-in code): such a copy is not a module.
    fn lies_as_loaded(&self, head: &ElfImage) -> bool {
        let page_down = |value: u64| value & !(PAGE - 1);
        // Two small segments may share a page of the file: each mapping has its choice.
        let biases = |range: AvmaRange, offset: u64| {
            let loads = head.segments().iter().filter(|s| s.kind == SegmentKind::Load);
            let fitting = loads.filter(move |segment| page_down(segment.offset) == offset);
            fitting.map(move |s| LoadBias::between(range.start, Svma(page_down(s.vaddr.0))))
        };
        let Some((first, offset)) = self.mapped.first() else { return true };
        let mut possible = biases(*first, *offset).peekable();
        if possible.peek().is_none() {
            return true;
        }
        let is_fixed = head.header().e_type == ET_EXEC;
        possible.filter(|bias| !is_fixed || *bias == LoadBias(0)).any(|bias| {
            self.mapped.iter().all(|(range, offset)| {
                let mut fitting = biases(*range, *offset).peekable();
                fitting.peek().is_none() || fitting.any(|other| other == bias)
            })
        })
    }

    /// From the first to the last byte of the segments of `image` at `bias`.
    pub(super) fn extent(&self, image: Option<&ElfImage>, bias: LoadBias) -> AvmaRange {
        let mut start = self.base;
        let mut end = self.base;
        for (range, _) in &self.mapped {
            start = start.min(range.start);
            end = end.max(range.end);
        }
        // The zero-filled tail of the last segment has no mapping of the file.
        let loads = image.into_iter().flat_map(ElfImage::segments);
        for segment in loads.filter(|segment| segment.kind == SegmentKind::Load) {
            let first = bias.to_avma(segment.vaddr);
            let last = first.0.saturating_add(segment.mem_size.min(1 << 40));
            if first >= start {
                end = end.max(Avma(last));
            }
        }
        AvmaRange { start, end }
    }
}

fn read_head(base: Avma, memory: &AddressSpace, limits: &Limits) -> Option<ElfImage> {
    let bytes = memory.read_up_to(base, HEAD_BYTES);
    ElfImage::parse(ImageBytes::Memory(bytes), limits).ok()
}

/// The images among the files of `NT_FILE`, and the vDSO.
pub(super) fn candidates(dump: &Dump, memory: &AddressSpace, limits: &Limits) -> Vec<Candidate> {
    let mut files: Vec<&MappedFileRange> = dump.mapped_files.iter().collect();
    files.sort_by_key(|file| file.range.start);
    let mut found: Vec<Candidate> = Vec::new();
    let mut paths: Vec<Arc<PathBuf>> = Vec::new();
    for file in files {
        // A mapping goes on with the image before it when path and order of offsets say
        // so; offset 0 starts a new one (the same file may be loaded twice by dlmopen),
        // unless the page is mapped twice for two segments that meet in it.
        let goes_on = paths.last().is_some_and(|path| **path == *file.path)
            && found.last().is_some_and(|last| last.goes_on(file));
        if !goes_on {
            if found.len() >= limits.modules {
                break;
            }
            let path = PathBuf::clone(&file.path);
            let kind = ModuleKind::Shared;
            found.push(Candidate::at(file.range.start, path, kind, memory, limits));
            paths.push(Arc::clone(&file.path));
        }
        if let Some(last) = found.last_mut() {
            last.mapped.push((file.range, file.offset));
        }
    }
    found.retain(|candidate| !is_jit_dump(candidate) && looks_loaded(candidate, memory));
    mark_executable(&mut found, dump, memory, limits);
    add_vdso(&mut found, dump, memory, limits);
    found
}

/// Whether it is the file in which a just-in-time compiler records its code for `perf`: its
/// first page is mapped as if it were code, so that `perf` sees it.
fn is_jit_dump(candidate: &Candidate) -> bool {
    let file = candidate.path.file_name().map(|name| name.to_string_lossy());
    file.is_some_and(|file| file.starts_with("jit-") && file.ends_with(".dump"))
}

/// Whether code could have run from it: data files are mapped too, and a program may map
/// a library just to read it. gcore leaves out mappings whose bytes it does not write, so
/// a mapping without a segment counts by what the image's own headers say about it.
fn looks_loaded(candidate: &Candidate, memory: &AddressSpace) -> bool {
    let is_code = |range: &AvmaRange, offset: u64| match memory.region_at(range.start) {
        Some(region) => region.permissions.execute,
        None => candidate.head.as_ref().is_none_or(|head| {
            let page = offset & !(PAGE - 1);
            let loads = head.segments().iter().filter(|s| s.kind == SegmentKind::Load);
            loads.into_iter().any(|s| s.is_executable() && s.offset & !(PAGE - 1) == page)
        }),
    };
    // Without its first page in the core, the permissions decide.
    if candidate.head.as_ref().is_some_and(|head| !candidate.lies_as_loaded(head)) {
        return false;
    }
    let may_be_elf = candidate.head.is_some() || memory.read_up_to(candidate.base, 4).len() < 4;
    may_be_elf && candidate.mapped.iter().any(|(range, offset)| is_code(range, *offset))
}

/// An address of the auxiliary vector.
fn address(dump: &Dump, kind: AuxKind) -> Option<Avma> {
    dump.auxv.get(kind).filter(|value| *value != 0).map(Avma)
}

/// Finds the program by AT_PHDR or AT_ENTRY; adds it when `NT_FILE` does not list it.
fn mark_executable(
    found: &mut Vec<Candidate>,
    dump: &Dump,
    memory: &AddressSpace,
    limits: &Limits,
) {
    let anchors = [address(dump, AuxKind::Phdr), address(dump, AuxKind::Entry)];
    for anchor in anchors.into_iter().flatten() {
        let holds = |c: &&mut Candidate| c.mapped.iter().any(|(range, _)| range.contains(anchor));
        if let Some(candidate) = found.iter_mut().find(holds) {
            candidate.kind = ModuleKind::Executable;
            return;
        }
    }
    // AT_PHDR lies in the first page of the image in practice.
    if let Some(program_headers) = address(dump, AuxKind::Phdr) {
        let base = Avma(program_headers.0 & !(PAGE - 1));
        let started_as = address(dump, AuxKind::ExecFn);
        let started_as = started_as.and_then(|at| memory.read_c_string(at, limits.string_bytes));
        let started_as = started_as.filter(|path| !path.is_empty());
        let command = dump.process.as_ref().map(|process| process.command_bytes.clone());
        let path = started_as.or(command).unwrap_or_default();
        let path = PathBuf::from(OsStr::from_bytes(&path));
        let candidate = Candidate::at(base, path, ModuleKind::Executable, memory, limits);
        // Without its first page (qemu's cores) the memory it names must be code.
        let is_code = || memory.region_at(base).is_some_and(|r| r.permissions.execute);
        if candidate.head.is_some() || found.is_empty() && is_code() {
            found.push(candidate);
            return;
        }
    }
    // No auxiliary vector: the kernel maps a program below its libraries, and AT_EXECFN
    // or the command's name matches its file.
    let comm = dump.process.as_ref().map_or(&[][..], |process| &process.command_bytes);
    let by_name = found.iter_mut().find(|candidate| {
        let name = candidate.path.file_name().map(OsStr::as_encoded_bytes);
        !comm.is_empty() && name.is_some_and(|name| name.starts_with(comm))
    });
    if let Some(candidate) = by_name {
        candidate.kind = ModuleKind::Executable;
        return;
    }
    let Some(program) = by_first_page(dump, memory, limits) else { return };
    match found.iter_mut().find(|candidate| candidate.base == program.base) {
        Some(candidate) => candidate.kind = ModuleKind::Executable,
        None => found.push(program),
    }
}

/// The program of a core that was made from a minidump: the first object of its list. One that is
/// not linked for any address was loaded at its bias; the auxiliary vector says where another is.
pub(super) fn first_of_list(
    program: &LinkMapNode,
    dump: &Dump,
    memory: &AddressSpace,
    limits: &Limits,
) -> Option<Candidate> {
    let headers = address(dump, AuxKind::Phdr).map(|at| Avma(at.0 & !(PAGE - 1)));
    let base = Some(Avma(program.bias.0)).filter(|base| base.0 != 0).or(headers)?;
    let named = Some(program.name.clone()).filter(|name| !name.as_os_str().is_empty());
    let command = dump.process.as_ref().map(|process| process.command_bytes.as_slice());
    let path = named.unwrap_or_else(|| OsStr::from_bytes(command.unwrap_or_default()).into());
    let candidate = Candidate::at(base, path, ModuleKind::Executable, memory, limits);
    Some(Candidate { link_bias: Some(program.bias), ..candidate })
}

/// The program, found by its first page, which the kernel dumps; for cores without a note
/// about it.
fn by_first_page(dump: &Dump, memory: &AddressSpace, limits: &Limits) -> Option<Candidate> {
    let command = dump.process.as_ref().map(|process| process.command_bytes.as_slice());
    let path = PathBuf::from(OsStr::from_bytes(command.unwrap_or_default()));
    let starts = memory.regions().iter().take(MOST_REGIONS).map(|region| region.range.start);
    let images = starts.filter(|start| memory.read_up_to(*start, 4) == b"\x7fELF");
    let kind = ModuleKind::Executable;
    images.map(|start| Candidate::at(start, path.clone(), kind, memory, limits)).find(|candidate| {
        candidate.head.as_ref().is_some_and(|head| is_program(head, candidate.base))
    })
}

/// Whether an image at `base` is a program: one linked for that very address, or one that
/// asks for a dynamic linker.
fn is_program(head: &ElfImage, base: Avma) -> bool {
    let loads = head.segments().iter().filter(|s| s.kind == SegmentKind::Load);
    let first = loads.map(|segment| segment.vaddr.0 & !(PAGE - 1)).min();
    match head.header().e_type {
        ET_EXEC => first == Some(base.0),
        _ => head.segments().iter().any(|segment| segment.kind == SegmentKind::Interp),
    }
}

/// The vDSO at AT_SYSINFO_EHDR, or an unnamed small executable mapping that is ELF.
fn add_vdso(found: &mut Vec<Candidate>, dump: &Dump, memory: &AddressSpace, limits: &Limits) {
    let unnamed_elf = || {
        let small = dump.segments.iter().filter(|segment| {
            segment.permissions.execute && segment.range.len() <= 16 * PAGE && segment.dumped > 64
        });
        small.map(|segment| segment.range.start).find(|start| {
            let is_named = found.iter().any(|c| c.mapped.iter().any(|m| m.0.contains(*start)));
            !is_named && memory.read_up_to(*start, 4) == b"\x7fELF"
        })
    };
    let Some(base) = address(dump, AuxKind::SysinfoEhdr).or_else(unnamed_elf) else { return };
    let path = PathBuf::from("[vdso]");
    let mut candidate = Candidate::at(base, path, ModuleKind::Vdso, memory, limits);
    if candidate.head.is_none() {
        return;
    }
    if let Some(range) = memory.range_at(base) {
        candidate.mapped.push((AvmaRange { start: base, end: range.end }, 0));
    }
    found.push(candidate);
}
