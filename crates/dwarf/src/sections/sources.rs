//! The debug sections of one image and its companions, unpacked on first use, and the
//! one reader type the rest of this folder parses them with.

use std::sync::{Arc, OnceLock};

use gimli::{EndianSlice, RunTimeEndian, SectionId};

use crate::sections::cache::{CachedSection, SectionKey, WORTH_KEEPING};
use crate::sections::context::Context;
use obit_corefile::elf::{ElfImage, SectionError, StoredSection};
use obit_corefile::mapped_file::{FileIdentity, MappedFile};
use obit_corefile::parallel;

/// What all DWARF is read through: borrowed bytes, either byte order.
pub(crate) type Slice<'d> = EndianSlice<'d, RunTimeEndian>;

/// The sections of one file (and its supplement).
pub(crate) type Dwarf<'d> = gimli::Dwarf<Slice<'d>>;

/// A value of an attribute.
pub(crate) type Value<'d> = gimli::AttributeValue<Slice<'d>>;

/// The sections of one ELF file, each unpacked when first asked for.
pub(crate) struct Sections {
    image: Arc<ElfImage>,
    /// Take `.debug_info.dwo` for `.debug_info` and so on.
    dwo: bool,
    loaded: Vec<(SectionId, OnceLock<SectionBytes>)>,
}

/// Sections of more bytes than this take longer to unpack than a thread to start.
const WORTH_A_THREAD: u64 = 256 << 10;

enum SectionBytes {
    Empty,
    InFile(usize),
    Owned(Vec<u8>),
    Cached(CachedSection),
}

const SECTIONS: [SectionId; 20] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugCuIndex,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugLoc,
    SectionId::DebugLocLists,
    SectionId::DebugMacinfo,
    SectionId::DebugMacro,
    SectionId::DebugNames,
    SectionId::DebugPubNames,
    SectionId::DebugPubTypes,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugTuIndex,
    SectionId::DebugTypes,
];

impl Sections {
    pub(crate) fn new(image: Arc<ElfImage>, dwo: bool) -> Self {
        Self { image, dwo, loaded: SECTIONS.map(|id| (id, OnceLock::new())).into() }
    }

    /// The bytes of section `id`; empty when there is none or it cannot be unpacked.
    pub(crate) fn get<'d>(&'d self, id: SectionId, context: &Context) -> Slice<'d> {
        let endian = if self.image.encoding().little_endian {
            RunTimeEndian::Little
        } else {
            RunTimeEndian::Big
        };
        let Some((_, cell)) = self.loaded.iter().find(|(known, _)| *known == id) else {
            return Slice::new(&[], endian);
        };
        let content = cell.get_or_init(|| {
            // Indexes of packages have no suffix, nor do the sections dwo files lack.
            let name = if self.dwo { id.dwo_name().unwrap_or(id.name()) } else { id.name() };
            self.load(name, context).unwrap_or_else(|error| {
                context.log.malformed(|| error.to_string());
                SectionBytes::Empty
            })
        });
        let bytes = match content {
            SectionBytes::Empty => &[],
            SectionBytes::InFile(index) => {
                let section = self.image.sections().get(*index);
                section.and_then(|section| self.image.raw_section_bytes(section)).unwrap_or(&[])
            }
            SectionBytes::Owned(bytes) => bytes.as_slice(),
            SectionBytes::Cached(cached) => cached.bytes(),
        };
        Slice::new(bytes, endian)
    }

    /// Bytes of section `id` as it is stored, if it is compressed.
    fn packed_size(&self, id: SectionId) -> Option<u64> {
        let name = if self.dwo { id.dwo_name()? } else { id.name() };
        let section = self.image.sections_called(name).next()?;
        let stored = StoredSection::new(&self.image, section).ok()?;
        stored.is_compressed().then_some(section.size)
    }

    fn load(&self, name: &str, context: &Context) -> Result<SectionBytes, SectionError> {
        let mut found = self.image.sections_called(name);
        let Some(section) = found.next() else { return Ok(SectionBytes::Empty) };
        let stored = StoredSection::new(&self.image, section)?;
        let others: Vec<_> = found.collect();
        if !others.is_empty() {
            // Type units of a `.dwo` file have a section of their own each. They do not
            // refer to each other by offset, so one after the other will do.
            let mut joined = stored.read(&context.limits)?.into_owned();
            for section in others {
                let part = StoredSection::new(&self.image, section)?.read(&context.limits)?;
                if (joined.len() as u64).saturating_add(part.len() as u64)
                    > context.limits.section_bytes
                {
                    break;
                }
                joined.extend_from_slice(&part);
            }
            return Ok(SectionBytes::Owned(joined));
        }
        if !stored.is_compressed() {
            let index = self.image.sections().iter().position(|other| std::ptr::eq(other, section));
            return Ok(index.map_or(SectionBytes::Empty, SectionBytes::InFile));
        }
        let cache = context.cache.as_ref().filter(|_| stored.size() >= WORTH_KEEPING);
        let cache =
            cache.zip(self.image.file().filter(|file| file.has_name())).map(|(cache, file)| {
                let (identity, size) = (file.identity(), stored.size());
                let key =
                    SectionKey::new(identity, &section.name, section.offset, section.size, size);
                (cache, key)
            });
        if let Some((cache, key)) = &cache
            && let Some(cached) = cache.get(key, stored.size())
        {
            return Ok(SectionBytes::Cached(cached));
        }
        // Straight into the file that is kept: mapped, it serves as memory of its own would.
        let size = stored.granted(&context.limits)?;
        let new = cache.and_then(|(cache, key)| cache.create(&key, size));
        if let Some(mut new) = new
            && stored.unpack(&context.limits, |content| new.write(content)) == Ok(true)
            && let Some(cached) = new.finish()
        {
            return Ok(SectionBytes::Cached(cached));
        }
        let content = stored.read(&context.limits)?.into_owned();
        Ok(SectionBytes::Owned(content))
    }
}

/// What the DWARF of one image is read from; lives as long as what is parsed from it.
pub(crate) struct Sources {
    pub(crate) context: Context,
    main: Sections,
    alternate: Option<Sections>,
    package: Option<Sections>,
    splits: Arena,
}

impl Sources {
    pub(crate) fn new(main: Arc<ElfImage>, context: Context) -> Self {
        let alternate = context.files.alternate.clone().map(|image| Sections::new(image, false));
        let package = context.files.package.clone().map(|image| Sections::new(image, true));
        let main = Sections::new(main, false);
        Self { context, main, alternate, package, splits: Arena::default() }
    }

    /// The DWARF of the main file, with its supplement. Location lists are left out: what
    /// names addresses does not need them, and they are large.
    pub(crate) fn dwarf(&self) -> Dwarf<'_> {
        self.unpack_ahead();
        let mut dwarf = self.dwarf_of(&self.main);
        if let Some(alternate) = &self.alternate {
            dwarf.set_sup(self.dwarf_of(alternate));
        }
        dwarf
    }

    /// Unpacks the large sections of which some are always asked for, on as many processors as
    /// there are.
    fn unpack_ahead(&self) {
        const ALWAYS: [SectionId; 5] = [
            SectionId::DebugInfo,
            SectionId::DebugStr,
            SectionId::DebugLine,
            SectionId::DebugRngLists,
            SectionId::DebugRanges,
        ];
        let files = [Some(&self.main), self.alternate.as_ref()].into_iter().flatten();
        let all = files.flat_map(|file| ALWAYS.map(|id| (file, id)));
        let mut large: Vec<_> = all
            .filter_map(|(file, id)| Some((file.packed_size(id)?, file, id)))
            .filter(|(size, ..)| *size >= WORTH_A_THREAD)
            .collect();
        large.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
        if large.len() > 1 {
            parallel::map(
                large.len(),
                || (),
                |(), number| {
                    if let Some((_, file, id)) = large.get(number) {
                        file.get(*id, &self.context);
                    }
                },
            );
        }
    }

    /// The identities of the main file, its supplement and its package; `None` if one of them
    /// is no file that another run can find.
    pub(crate) fn identities(&self) -> Option<Vec<&FileIdentity>> {
        let files = [Some(&self.main), self.alternate.as_ref(), self.package.as_ref()];
        let identities = files.into_iter().flatten();
        identities
            .map(|sections| {
                let file = sections.image.file().filter(|file| file.has_name());
                file.map(MappedFile::identity)
            })
            .collect()
    }

    /// `.debug_aranges` of the main file.
    pub(crate) fn aranges(&self) -> gimli::DebugAranges<Slice<'_>> {
        self.main.get(SectionId::DebugAranges, &self.context).into()
    }

    /// The location lists of the main file or its supplement.
    pub(crate) fn locations(&self, in_supplement: bool) -> gimli::LocationLists<Slice<'_>> {
        let sections = if in_supplement { self.alternate.as_ref() } else { Some(&self.main) };
        let get = |id| {
            let bytes = sections.map(|sections| sections.get(id, &self.context));
            bytes.unwrap_or_else(|| Slice::new(&[], self.main.endian()))
        };
        let (old, new) = (get(SectionId::DebugLoc), get(SectionId::DebugLocLists));
        gimli::LocationLists::new(old.into(), new.into())
    }

    fn dwarf_of<'d>(&'d self, sections: &'d Sections) -> Dwarf<'d> {
        let load = |id: SectionId| {
            Ok::<_, gimli::Error>(match id {
                SectionId::DebugLoc | SectionId::DebugLocLists if !sections.dwo => {
                    Slice::new(&[], sections.endian())
                }
                SectionId::DebugAranges
                | SectionId::DebugNames
                | SectionId::DebugMacinfo
                | SectionId::DebugMacro => Slice::new(&[], sections.endian()),
                _ => sections.get(id, &self.context),
            })
        };
        Dwarf::load(load).unwrap_or_default()
    }

    /// The DWARF of a `.dwo` file that belongs to `parent`.
    pub(crate) fn split<'d>(&'d self, image: Arc<ElfImage>, parent: &Dwarf<'d>) -> Dwarf<'d> {
        let sections = self.splits.keep(Sections::new(image, true));
        let mut dwarf = self.dwarf_of(sections);
        dwarf.make_dwo(parent);
        dwarf
    }

    /// The `.dwp` package, if there is one.
    pub(crate) fn package(&self) -> Option<gimli::DwarfPackage<Slice<'_>>> {
        let sections = self.package.as_ref()?;
        let load = |id| Ok::<_, gimli::Error>(sections.get(id, &self.context));
        let package = gimli::DwarfPackage::load(load, Slice::new(&[], sections.endian()));
        package.map_err(|error| self.context.report("the .dwp package", error)).ok()
    }
}

impl Sections {
    fn endian(&self) -> RunTimeEndian {
        if self.image.encoding().little_endian { RunTimeEndian::Little } else { RunTimeEndian::Big }
    }
}

/// Sections that turn up later yet must live as long as the first: a list that only grows.
#[derive(Default)]
struct Arena {
    first: OnceLock<Box<Node>>,
}

struct Node {
    sections: Sections,
    next: OnceLock<Box<Node>>,
}

impl Arena {
    fn keep(&self, sections: Sections) -> &Sections {
        let mut node = Some(Box::new(Node { sections, next: OnceLock::new() }));
        let mut slot = &self.first;
        loop {
            if let Some(fresh) = node.take() {
                match slot.set(fresh) {
                    Ok(()) => return &slot.wait().sections,
                    Err(taken) => node = Some(taken),
                }
            }
            // `set` found the slot taken, so this is no wait.
            slot = &slot.wait().next;
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // One by one: a chain of boxes dropped by recursion could exhaust the stack.
        let mut next = self.first.take();
        while let Some(mut node) = next {
            next = node.next.take();
        }
    }
}
