//! Brings together what the core says was loaded and the files that were found for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use obit_corefile::addr::{Avma, AvmaRange, LoadBias};
use obit_corefile::dump::Dump;
use obit_corefile::elf::{ElfImage, Segment, SegmentKind};
use obit_corefile::limits::Limits;
use obit_corefile::memory::{
    Absent, AddressSpace, Backing, Builder, FileBytes, Permissions, Region,
};
use obit_corefile::notice::Notice;
use obit_dwarf::locate::{ImageState, Locator, Role};

use super::discover::{self, Candidate, PAGE};
use super::given;
use super::link_map::LinkMapNode;
use super::{FileState, Library, Linked, Module, ModuleKind, Modules, image_in_core, link_map};

/// Executable segments of one image that are placed without their bytes; linkers make one.
const CODE_SEGMENTS: usize = 8;

/// The modules of a process and its memory. What the core left out is read from files of
/// the same build.
#[derive(Debug)]
pub struct Loaded {
    /// What was loaded.
    pub modules: Modules,
    /// All memory that is known.
    pub memory: AddressSpace,
    /// What is missing.
    pub notices: Vec<Notice>,
}

/// Finds out what `dump` had loaded and finds the files for it.
pub fn load(dump: &Dump, library: &Arc<Library>) -> Loaded {
    library.turn_page();
    let (locator, limits) = (&library.locator, &library.limits);
    let mut notices = Vec::new();
    let in_core_left = image_in_core::MOST;
    let core_only = memory_of(dump, &[]);
    let made_up = link_map::is_made_up(dump).then(|| {
        let (nodes, notice) = link_map::read_made_up(&core_only, limits);
        notices.push(Notice::CoreFromMinidump { modules: nodes.len() });
        notices.extend(notice);
        nodes
    });
    let mut finder = Finder { locator, limits, notices, in_core_left };
    let mut found: Vec<(Candidate, Module)> = Vec::new();
    let mut candidates = discover::candidates(dump, &core_only, limits);
    let program = made_up.as_ref().and_then(|nodes| nodes.first());
    if let Some(program) = program
        && !candidates.iter().any(|candidate| candidate.kind == ModuleKind::Executable)
    {
        candidates.extend(discover::first_of_list(program, dump, &core_only, limits));
    }
    if !candidates.iter().any(|candidate| candidate.kind == ModuleKind::Executable) {
        candidates.extend(given::candidate(dump, &core_only, locator));
    }
    for candidate in candidates {
        let module = finder.find_file(&candidate, &core_only);
        found.push((candidate, module));
    }
    let mut memory = memory_of(dump, &found);
    let before = found.len();
    apply_link_map(&mut found, made_up, &memory, &mut finder);
    let notices = finder.notices;
    if found.len() > before {
        memory = memory_of(dump, &found);
    }
    let mut modules = modules_of(found, library);
    modules.add_jit_images(&memory);
    let pid = dump.process.as_ref().map(|info| info.pid);
    let mapped = dump.mapped_files.iter().map(|file| file.path.as_path());
    modules.jit_names = library.locator.jit_names(pid, mapped);
    Loaded { modules, memory, notices }
}

fn modules_of(mut found: Vec<(Candidate, Module)>, library: &Arc<Library>) -> Modules {
    found.sort_by_key(|(_, module)| module.base);
    let mapped = mapped_ranges(&found);
    let list = found.into_iter().map(|(_, module)| module).collect();
    Modules { list, mapped, library: Arc::clone(library), jit_names: None }
}

/// What was mapped from files, sorted, with the index of the module.
fn mapped_ranges(found: &[(Candidate, Module)]) -> Vec<(AvmaRange, usize)> {
    let mut mapped: Vec<(AvmaRange, usize)> = Vec::new();
    for (index, (candidate, _)) in found.iter().enumerate() {
        mapped.extend(candidate.mapped.iter().map(|(range, _)| (*range, index)));
    }
    mapped.sort_by_key(|(range, _)| range.start);
    mapped
}

/// Finds the files of images, and what is needed for it.
struct Finder<'l> {
    locator: &'l Locator,
    limits: &'l Limits,
    notices: Vec<Notice>,
    /// Bytes of images that may still be copied out of the core.
    in_core_left: u64,
}

impl Finder<'_> {
    /// The module that `candidate` is, with its file or what the core holds of it.
    fn find_file(&mut self, candidate: &Candidate, memory: &AddressSpace) -> Module {
        let head = candidate.head.as_ref();
        let head_bias = head.and_then(|head| candidate.bias_by(head));
        let (image, file) = match candidate.kind {
            ModuleKind::Vdso => (None, FileState::InCore),
            _ => self.search(candidate),
        };
        let (image, file) = match image {
            Some(image) => (Some(image), file),
            None => {
                let copied = head.zip(head_bias).and_then(|(head, bias)| {
                    image_in_core::copy(head, bias, memory, self.limits, &mut self.in_core_left)
                });
                let file = if copied.is_some() { FileState::InCore } else { file };
                (copied.map(Arc::new), file)
            }
        };
        let image_bias = image.as_ref().and_then(|image| candidate.bias_by(image));
        let bias = candidate.link_bias.or(head_bias).or(image_bias);
        let bias = bias.unwrap_or(LoadBias(candidate.base.0));
        let of_file = |image: &Arc<ElfImage>| image.build_id().cloned();
        let package_of_file = |image: &Arc<ElfImage>| Some(image.package()?.into_owned());
        // A program that no note names is called what its file is called.
        let unnamed = candidate.path.as_os_str().is_empty();
        let file_path = image.as_ref().and_then(|image| image.path()).filter(|_| unnamed);
        Module {
            path: file_path.unwrap_or(&candidate.path).to_owned(),
            linked_as: None,
            linked: None,
            base: candidate.base,
            range: candidate.extent(head.or(image.as_deref()), bias),
            bias,
            build_id: candidate.build_id.clone().or_else(|| image.as_ref().and_then(of_file)),
            build_id_of_file: candidate.build_id.is_none()
                && image.as_ref().and_then(of_file).is_some(),
            package: candidate.package.clone().or_else(|| image.as_ref().and_then(package_of_file)),
            kind: candidate.kind,
            image,
            file,
            debug: OnceLock::new(),
        }
    }

    fn search(&mut self, candidate: &Candidate) -> (Option<Arc<ElfImage>>, FileState) {
        let role = match candidate.kind {
            ModuleKind::Executable => Role::Executable,
            _ => Role::Shared,
        };
        let found = self.locator.image(&candidate.path, candidate.build_id.as_ref(), role);
        self.notices.extend(found.notices);
        let state = match found.state {
            ImageState::Found => FileState::Found,
            ImageState::Unverified => FileState::Unverified,
            ImageState::Forced => FileState::Forced,
            ImageState::Mismatch => FileState::Mismatch,
            ImageState::Missing => FileState::Missing,
        };
        let is_other =
            |image: &&Arc<ElfImage>| !super::same_layout::may_be_same(candidate, image.as_ref());
        if state == FileState::Unverified
            && let Some(other) = found.image.as_ref().filter(is_other)
        {
            self.notices.retain(|notice| {
                !matches!(notice, Notice::ModuleUnverified { path, .. }
                if *path == candidate.path.to_string_lossy())
            });
            self.notices.push(Notice::ModuleLaidOutOtherwise {
                path: candidate.path.to_string_lossy().into_owned(),
                at: other.path().map(Path::to_owned).unwrap_or_default(),
            });
            if role == Role::Executable && self.locator.forces_executable() {
                return (found.image, FileState::Forced);
            }
            return (None, FileState::Mismatch);
        }
        (found.image, state)
    }
}

/// Names the modules as the dynamic linker did, and adds those only it knows of.
fn apply_link_map(
    found: &mut Vec<(Candidate, Module)>,
    made_up: Option<Vec<LinkMapNode>>,
    memory: &AddressSpace,
    finder: &mut Finder<'_>,
) {
    let limits = finder.limits;
    let mut list_of_program = || {
        let executable = found.iter().find(|(_, module)| module.kind == ModuleKind::Executable);
        let (candidate, module) = executable?;
        let image = candidate.head.as_ref().or(module.image.as_deref())?;
        let (nodes, notice) = link_map::read(image, module.bias, memory, limits);
        finder.notices.extend(notice);
        Some(nodes)
    };
    let Some(nodes) = made_up.or_else(&mut list_of_program) else { return };
    let mapped = mapped_ranges(found);
    for (order, node) in nodes.into_iter().enumerate() {
        let linked = Some(Linked { node: node.at, order });
        let after = mapped.partition_point(|(range, _)| range.start <= node.dynamic);
        let before = after.checked_sub(1).and_then(|index| mapped.get(index));
        let holder = before.filter(|(range, _)| range.contains(node.dynamic));
        if let Some((_, module)) = holder.and_then(|(_, index)| found.get_mut(*index)) {
            let is_other = !node.name.as_os_str().is_empty() && node.name != module.path;
            module.linked_as = Some(node.name).filter(|_| is_other);
            module.linked = linked;
            continue;
        }
        // No NT_FILE: an object starts where its bias says, its first segment being at
        // SVMA 0 (prelinked ones are listed by NT_FILE or not at all).
        let base = Avma(node.bias.0);
        if let Some((_, known)) = found.iter_mut().find(|(_, module)| module.base == base) {
            known.linked = linked;
            continue;
        }
        let unnamed = node.name.as_os_str().is_empty();
        if base.0 == 0 || unnamed || found.len() >= limits.modules {
            continue;
        }
        let mut new = Candidate::at(base, node.name, ModuleKind::Shared, memory, limits);
        if new.head.is_none() && !is_path(&new.path) {
            continue;
        }
        new.link_bias = Some(node.bias);
        let module = Module { linked, ..finder.find_file(&new, memory) };
        found.push((new, module));
    }
}

fn is_path(path: &Path) -> bool {
    path.is_absolute()
}

/// The core's segments, and where a module's file is known its bytes below them.
fn memory_of(dump: &Dump, found: &[(Candidate, Module)]) -> AddressSpace {
    let mut builder =
        Builder::new(Arc::clone(&dump.bytes), dump.encoding.little_endian, dump.encoding.word());
    // Sorted by start, as the names below are.
    let mut files: Vec<FileRange<'_>> =
        found.iter().flat_map(|(candidate, module)| file_ranges(candidate, module)).collect();
    files.sort_by_key(|file| file.placed.range.start);
    let file_at = |at: Avma| {
        let after = files.partition_point(|file| file.placed.range.start <= at);
        let file = files.get(after.checked_sub(1)?)?;
        file.placed.range.contains(at).then_some(file)
    };
    // Where the core holds private memory that was written, a private file mapping it
    // left out was never written, and the file has its bytes.
    // Of a minidump only stacks were kept.
    let keeps_written = !link_map::is_made_up(dump)
        && dump.segments.iter().any(|s| s.permissions.write && s.dumped > 0);
    let names: Vec<_> = {
        let mut names: Vec<_> = dump.mapped_files.iter().collect();
        names.sort_by_key(|file| file.range.start);
        names
    };
    let name_of = |at: Avma| {
        let after = names.partition_point(|file| file.range.start <= at);
        let file = names.get(after.checked_sub(1)?)?;
        let into = at.0.checked_sub(file.range.start.0)?;
        let offset = file.offset.saturating_add(into);
        file.range.contains(at).then(|| (Arc::clone(&file.path), offset))
    };
    for segment in &dump.segments {
        let name = name_of(segment.range.start);
        let unwritten = segment.dumped == 0 && keeps_written;
        let file = file_at(segment.range.start)
            .filter(|file| !file.placed.permissions.write || unwritten)
            .map(|file| file.bytes_from(segment.range.start));
        let absent = match (&name, &file) {
            (Some(_), None) => Absent::FileNotFound,
            _ => Absent::NotDumped,
        };
        builder.add(Region {
            range: segment.range,
            permissions: segment.permissions,
            backing: Backing {
                core_offset: segment.offset,
                core_len: segment.dumped,
                file,
                absent,
            },
            name,
        });
    }
    // Some writers leave out segments without bytes: they are known from the files.
    for file in files.iter().filter(|file| !file.placed.permissions.write) {
        builder.fill(file.region());
    }
    // Without the file the image's own headers still state where its code was.
    for (candidate, module) in found.iter().filter(|(_, module)| module.image.is_none()) {
        let Some(head) = &candidate.head else { continue };
        let placed = placed(candidate, head, module);
        for code in placed.iter().filter(|p| p.permissions.execute).take(CODE_SEGMENTS) {
            let name = (Arc::new(candidate.path.clone()), code.offset);
            builder.fill(code.region(None, Absent::FileNotFound, Some(name)));
        }
    }
    builder.freeze()
}

/// Whole pages of a loadable segment of an image, at their place.
struct Placed {
    range: AvmaRange,
    /// Offset in the file of the first byte of `range`.
    offset: u64,
    permissions: Permissions,
}

impl Placed {
    fn region(
        &self,
        file: Option<FileBytes>,
        absent: Absent,
        name: Option<(Arc<PathBuf>, u64)>,
    ) -> Region {
        Region {
            range: self.range,
            permissions: self.permissions,
            backing: Backing { core_offset: 0, core_len: 0, file, absent },
            name,
        }
    }
}

/// Where the bytes of a module lay: what `NT_FILE` lists of it, else the segments of
/// `image` at their bias.
fn placed(candidate: &Candidate, image: &ElfImage, module: &Module) -> Vec<Placed> {
    let page_down = |value: u64| value & !(PAGE - 1);
    let loads = || image.segments().iter().filter(|segment| segment.kind == SegmentKind::Load);
    let place = |range: AvmaRange, offset: u64, segment: &Segment| Placed {
        range,
        offset,
        permissions: Permissions {
            read: true,
            write: segment.is_writable(),
            execute: segment.is_executable(),
        },
    };
    let by_list = candidate.mapped.iter().filter_map(|(range, offset)| {
        // The segment that holds the mapping's start says what may be done there; two may
        // share a page of the file, but not an address.
        let start = module.to_svma(range.start).0;
        let segment = loads().rfind(|segment| {
            let first = page_down(segment.vaddr.0);
            let into = start.checked_sub(first);
            into.is_some_and(|into| into < segment.mem_size.saturating_add(PAGE))
                && page_down(segment.offset) <= *offset
        })?;
        Some(place(*range, *offset, segment))
    });
    let by_segments = loads().filter_map(|segment| {
        let head = segment.vaddr.0 % PAGE;
        let start = module.to_avma(segment.vaddr).0.checked_sub(head)?;
        let size = segment.file_size.checked_add(head)?.checked_next_multiple_of(PAGE)?;
        let range = AvmaRange::from_len(Avma(start), size.min(1 << 40));
        Some(place(range, segment.offset.checked_sub(head)?, segment))
    });
    if candidate.mapped.is_empty() { by_segments.collect() } else { by_list.collect() }
}

/// A part of a module's file.
struct FileRange<'m> {
    image: &'m Arc<ElfImage>,
    placed: Placed,
}

impl FileRange<'_> {
    fn bytes_from(&self, at: Avma) -> FileBytes {
        let into = at.0.saturating_sub(self.placed.range.start.0);
        let bytes: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::<ElfImage>::clone(self.image);
        FileBytes { bytes, offset: self.placed.offset.saturating_add(into) }
    }

    fn region(&self) -> Region {
        let bytes = self.bytes_from(self.placed.range.start);
        self.placed.region(Some(bytes), Absent::NotDumped, None)
    }
}

fn file_ranges<'m>(candidate: &Candidate, module: &'m Module) -> Vec<FileRange<'m>> {
    // A file of another build has plausible but wrong bytes.
    let is_usable = !matches!(module.file, FileState::InCore | FileState::Forced);
    let Some(image) = module.image.as_ref().filter(|_| is_usable) else {
        return Vec::new();
    };
    let placed = placed(candidate, image, module).into_iter();
    placed.map(|placed| FileRange { image, placed }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::elf_builder::ElfBuilder;
    use obit_corefile::testkit::{CoreBuilder, CoreFile};
    use obit_dwarf::locate::SearchRules;

    fn load_with(core: &CoreBuilder, program: &Path) -> Loaded {
        let dump = core.open().unwrap();
        let limits = Limits::default();
        let rules = SearchRules { executable: Some(program.into()), ..SearchRules::default() };
        let locator = Arc::new(Locator::new(rules, limits.clone()));
        load(&dump, &Arc::new(Library::new(locator, None, limits)))
    }

    fn modules(core: &CoreBuilder, program: &Path) -> Vec<(ModuleKind, FileState, Avma)> {
        let loaded = load_with(core, program);
        let list = loaded.modules.list().iter();
        list.map(|m| (m.kind, m.file, m.to_avma(obit_corefile::addr::Svma(0x40_0000)))).collect()
    }

    #[test]
    fn without_a_list_of_files_and_first_pages_the_program_lies_where_its_headers_were() {
        let program = CoreFile::new(&ElfBuilder::x86_64().text(&[0x90; 64]).build());
        let base = 0x55_0000_0000;
        let core = |rights| {
            CoreBuilder::x86_64()
                .thread(1, &[])
                .process(1, "prog", "./prog")
                .auxv(&[(3, base + 64)])
                .segment_with(base, &[], 0x1000, rights)
        };
        let wanted = (ModuleKind::Executable, FileState::Unverified, Avma(base));
        assert_eq!(modules(&core("rx"), program.path()), [wanted]);
        assert_eq!(modules(&core("rw"), program.path()), [], "no code lies there");
    }

    #[test]
    fn a_given_program_lies_where_its_entry_was_if_no_table_says_where_it_was() {
        let program = CoreFile::new(&ElfBuilder::x86_64().text(&[0x90; 64]).build());
        let entry = ElfImage::parse(
            obit_corefile::elf::ImageBytes::Memory(std::fs::read(program.path()).unwrap()),
            &Limits::default(),
        );
        let entry = entry.unwrap().header().entry.0;
        let bias = 0x7f00_0000_0000;
        let core = |at: u64| CoreBuilder::x86_64().thread(1, &[]).auxv(&[(9, at)]);
        let found = modules(&core(entry + bias), program.path());
        assert_eq!(
            found.first().map(|(kind, ..)| *kind),
            Some(ModuleKind::Executable),
            "{found:?}"
        );
        assert_eq!(modules(&core(entry + bias + 1), program.path()), [], "not a whole page");
    }

    #[test]
    fn without_a_note_on_files_the_program_is_found_by_its_first_page() {
        let image = ElfBuilder::x86_64().e_type(2).text(&[0x90; 64]).build();
        let program = CoreFile::new(&image);
        let mut first_page = image.clone();
        first_page.resize(0x1000, 0);
        let core =
            |at| CoreBuilder::x86_64().thread(1, &[]).segment_with(at, &first_page, 0x1000, "r");
        let base = 0x40_0000;
        let wanted = (ModuleKind::Executable, FileState::Unverified, Avma(base));
        assert_eq!(modules(&core(base), program.path()), [wanted]);
        let loaded = load_with(&core(base), program.path());
        assert_eq!(loaded.modules.list()[0].path, program.path(), "called as its file is");
        assert_eq!(
            modules(&core(base + 0x1000), program.path()),
            [],
            "it was linked for another place"
        );
    }
}
