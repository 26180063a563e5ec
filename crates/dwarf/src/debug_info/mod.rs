//! Debug information of one image: what is kept, and how it comes to be read.

mod code;
mod data;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use crate::go::GoFunctions;
use crate::index::name_index::NameIndex;
use crate::locate::DebugFiles;
use crate::model::code::{DebugLevel, SymbolAt};
use crate::sections::cache::SectionCache;
use crate::sections::context::{Context, NoticeLog, SplitLoader};
use crate::sections::sources::Sources;
use crate::types::go_types::GoTypes;
use crate::types::table::TypeTable;
use crate::units::file::DwarfFile;
use crate::variables::scope_reader::ScopeTable;
use obit_corefile::addr::Svma;
use obit_corefile::elf::{ElfImage, SymbolTable};
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

/// What is known about the code of one image. Reads nothing before it is asked, and each
/// thing once; may be asked from several threads.
pub struct DebugInfo {
    context: Context,
    /// The file that holds the DWARF, if one does.
    described_by: Option<Arc<ElfImage>>,
    dwarf: OnceLock<Option<Parsed>>,
    level: OnceLock<DebugLevel>,
    symbols: [OnceLock<SymbolTable>; 3],
    debug_frame: OnceLock<Option<Vec<u8>>>,
    types: TypeTable,
    data_names: OnceLock<NameIndex>,
    function_names: OnceLock<NameIndex>,
    go_types: OnceLock<GoTypes>,
    go_functions: OnceLock<Option<GoFunctions>>,
    scopes: ScopeTable,
    /// Functions asked for by name: symbol tables are not sorted by it.
    named: Mutex<HashMap<String, Option<Svma>>>,
    symbols_at: Mutex<HashMap<Svma, Option<SymbolAt>>>,
}

self_cell::self_cell!(
    struct Parsed {
        owner: Sources,
        #[not_covariant]
        dependent: DwarfFile,
    }
);

const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<DebugInfo>();
};

/// Entries, rows and ranges that may be read for one image.
fn all_work(limits: &Limits) -> u64 {
    (limits.entries_per_lookup as u64).saturating_mul(WORK_PER_IMAGE)
}

impl DebugInfo {
    /// Takes note of where the information lies; touches no debug section.
    ///
    /// `split` finds the `.dwo` files of split DWARF; `cache` keeps unpacked sections
    /// between runs.
    pub fn new(
        files: DebugFiles,
        split: SplitLoader,
        limits: &Limits,
        cache: Option<SectionCache>,
    ) -> Self {
        let path = files.image.path().or(files.debug.as_ref().and_then(|debug| debug.path()));
        let path = path.unwrap_or(Path::new("[memory]")).to_string_lossy().into_owned();
        let candidates = [files.debug.as_ref(), Some(&files.image), files.mini.as_ref()];
        let described_by = candidates
            .into_iter()
            .flatten()
            .find(|image| image.sections_called(".debug_info").next().is_some())
            .cloned();
        let context = Context {
            files,
            limits: limits.clone(),
            log: Arc::new(NoticeLog::new(path)),
            split,
            cache,
            work: Arc::new(AtomicU64::new(all_work(limits))),
        };
        Self {
            context,
            described_by,
            dwarf: OnceLock::new(),
            level: OnceLock::new(),
            symbols: Default::default(),
            debug_frame: OnceLock::new(),
            types: TypeTable::default(),
            data_names: OnceLock::new(),
            function_names: OnceLock::new(),
            go_types: OnceLock::new(),
            go_functions: OnceLock::new(),
            scopes: ScopeTable::default(),
            named: Mutex::default(),
            symbols_at: Mutex::default(),
        }
    }

    /// How much is known, by what sections and entry kinds there are.
    pub fn level(&self) -> DebugLevel {
        *self.level.get_or_init(|| {
            if self.described_by.is_some() {
                let level = self.with_dwarf(|file| match file.has_types() {
                    true => DebugLevel::Full,
                    false => DebugLevel::LineTables,
                });
                return level.unwrap_or(DebugLevel::LineTables);
            }
            if self.go_functions().is_some() {
                return DebugLevel::LineTables;
            }
            let has_symbols = (0..self.symbols.len())
                .any(|number| self.symbols(number).is_some_and(|(_, table)| !table.is_empty()));
            if has_symbols { DebugLevel::Symbols } else { DebugLevel::None }
        })
    }

    /// Whether its code is for x86 of either width: there `long double` has 80 bits.
    pub fn is_x86(&self) -> bool {
        const EM_386: u16 = 3;
        const EM_X86_64: u16 = 62;
        matches!(self.context.files.image.header().e_machine, EM_386 | EM_X86_64)
    }

    /// `.debug_frame`, unpacked: of the image itself, else of its debug file.
    pub fn debug_frame(&self) -> Option<&[u8]> {
        let unpacked = self.debug_frame.get_or_init(|| {
            let files = &self.context.files;
            let images = [Some(&files.image), files.debug.as_ref()];
            images.into_iter().flatten().find_map(|image| {
                let bytes = image.section_data(".debug_frame", &self.context.limits);
                Some(bytes.ok()??.into_owned())
            })
        });
        unpacked.as_deref()
    }

    /// The files that it is read from.
    pub fn files(&self) -> &DebugFiles {
        &self.context.files
    }

    /// The separate debug file, if there is one.
    pub fn debug_file(&self) -> Option<&Path> {
        self.context.files.debug.as_ref()?.path()
    }

    /// Does now what the first questions would wait for: unpacks all sections and reads the names
    /// of types and variables. Both are in the cache then, if there is one. `false` if there is
    /// no DWARF.
    pub fn prepare(&self) -> bool {
        let prepared = self.with_names(|file, _| {
            file.sources.aranges();
            [false, true].into_iter().for_each(|supplement| {
                file.sources.locations(supplement);
            });
        });
        prepared.is_some()
    }

    /// What could not be read so far.
    pub fn notices(&self) -> Vec<Notice> {
        self.context.log.all()
    }

    /// Whether another core may be answered from this: nothing was found wrong, and no more
    /// than half of the work that may be done is done.
    pub fn may_serve_on(&self) -> bool {
        let left = self.context.work.load(std::sync::atomic::Ordering::Relaxed);
        left >= all_work(&self.context.limits) / 2 && self.context.log.is_empty()
    }

    /// The same image with these types in the place of its own.
    #[cfg(any(test, feature = "testkit"))]
    pub(crate) fn with_types(self, types: TypeTable) -> Self {
        Self { types, ..self }
    }

    /// Asks the DWARF of the image, if it has any.
    pub(crate) fn with_dwarf<T>(&self, ask: impl FnOnce(&DwarfFile<'_>) -> T) -> Option<T> {
        let parsed = self.dwarf.get_or_init(|| {
            let sources = Sources::new(self.described_by.clone()?, self.context.clone());
            Some(Parsed::new(sources, |sources| DwarfFile::main(sources)))
        });
        parsed.as_ref().map(|parsed| parsed.with_dependent(|_, file| ask(file)))
    }

    /// As [`DebugInfo::with_dwarf`], with the names of types and variables.
    fn with_names<T>(&self, ask: impl FnOnce(&DwarfFile<'_>, &NameIndex) -> T) -> Option<T> {
        self.with_dwarf(|file| ask(file, self.data_names.get_or_init(|| NameIndex::of_data(file))))
    }

    /// As [`DebugInfo::with_dwarf`], with the names of functions.
    fn with_function_names<T>(
        &self,
        ask: impl FnOnce(&DwarfFile<'_>, &NameIndex) -> T,
    ) -> Option<T> {
        self.with_dwarf(|file| {
            ask(file, self.function_names.get_or_init(|| NameIndex::of_functions(file)))
        })
    }

    /// Go's own table of functions, if Go made the image.
    fn go_functions(&self) -> Option<&GoFunctions> {
        let find = || GoFunctions::of(&self.context.files.image);
        self.go_functions.get_or_init(find).as_ref()
    }

    fn images_with_symbols(&self) -> impl Iterator<Item = &ElfImage> {
        let files = &self.context.files;
        let images = [Some(&files.image), files.debug.as_ref(), files.mini.as_ref()];
        images.into_iter().flatten().map(|image| &**image)
    }

    /// Table number 0 is the image's, 1 its debug file's, 2 its MiniDebugInfo's.
    fn symbols(&self, number: usize) -> Option<(&ElfImage, &SymbolTable)> {
        let files = &self.context.files;
        let image = match number {
            0 => &files.image,
            1 => files.debug.as_ref()?,
            _ => files.mini.as_ref()?,
        };
        let table = self.symbols.get(number)?.get_or_init(|| SymbolTable::parse(image));
        Some((image, table))
    }
}

impl std::fmt::Debug for DebugInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DebugInfo").field("files", &self.context.files).finish_non_exhaustive()
    }
}

/// How many lookups of the largest size one image is worth in all.
const WORK_PER_IMAGE: u64 = 64;
