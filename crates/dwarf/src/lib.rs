//! Debug information of one image: symbols, DWARF, and the files they lie in. Serves a
//! bare ELF file as well as a module of a core: no threads, no bias of its own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod abbreviations;
mod arrays;
mod attributes;
mod bounds;
mod call_site;
mod demangle;
mod entry;
mod enumerations;
mod evaluate;
mod expression;
mod functions;
mod go_types;
mod home;
mod lines;
pub mod locate;
mod location;
mod members;
mod name_index;
mod name_scan;
mod names;
mod range_map;
mod reader;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod sample_types;
mod scope;
mod scope_reader;
mod section_cache;
mod split;
mod symbolize;
mod tail_call;
#[cfg(test)]
mod test_dwarf;
#[cfg(test)]
mod test_types;
mod type_names;
mod type_reader;
mod types;
mod units;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use call_site::{Call, CallTarget, Passed};
pub use demangle::{Language, demangle};
pub use expression::{
    Bound, EntryValue, Expression, Location, LocationList, NoPlace, Piece, Place, Surroundings,
    VariableId,
};
pub use locate::DebugFiles;
pub use name_index::NamedFunction;
pub use scope::{Scope, Scopes, Variable};
pub use section_cache::{CachedSection, SectionCache, SectionKey};
pub use symbolize::{DebugLevel, SourceContent, SourceFrame, SourceLocation, SymbolAt, TailCall};

pub use types::{
    Array, BaseType, Dimension, DimensionEnd, Encoding, Enumeration, FunctionType, Member,
    MemberOffset, MemberRole, PointerKind, Qualifier, Record, RecordKeyword, StaticMember,
    TemplateArgument, Type, TypeId, TypeKind, Variant, VariantPart,
};

use go_types::GoTypes;
use name_index::NameIndex;
use obit_corefile::addr::Svma;
use obit_corefile::elf::{ElfImage, Symbol, SymbolTable};
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;
use reader::{Context, NoticeLog, Sources};
use scope_reader::ScopeTable;
use type_reader::TypeTable;
use units::DwarfFile;

/// Finds the `.dwo` file of a unit: given the image's files, `DW_AT_comp_dir` and
/// `DW_AT_dwo_name`, the file, or else the places where it was looked for.
pub type SplitLoader =
    Arc<dyn Fn(&DebugFiles, &[u8], &[u8]) -> Result<Arc<ElfImage>, Vec<PathBuf>> + Send + Sync>;

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
    names: OnceLock<NameIndex>,
    go_types: OnceLock<GoTypes>,
    scopes: ScopeTable,
    /// Functions asked for by name: symbol tables are not sorted by it.
    named: Mutex<HashMap<String, Option<Svma>>>,
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
            names: OnceLock::new(),
            go_types: OnceLock::new(),
            scopes: ScopeTable::default(),
            named: Mutex::default(),
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
            let has_symbols = (0..self.symbols.len())
                .any(|number| self.symbols(number).is_some_and(|(_, table)| !table.is_empty()));
            if has_symbols { DebugLevel::Symbols } else { DebugLevel::None }
        })
    }

    /// The functions at `at`, the innermost first: the calls inlined there, and last the
    /// physical function. Empty if nothing is known.
    ///
    /// `at` is the address to look up: inside the instruction, hence one less than a
    /// return address.
    pub fn frames_at(&self, at: Svma) -> Vec<SourceFrame> {
        let mut frames = self.with_dwarf(|file| symbolize::frames(file, at.0)).unwrap_or_default();
        let has_name = frames.last().is_some_and(|physical| physical.function.is_some());
        if !has_name && let Some(symbol) = self.symbol_at(at) {
            let location = frames.pop().and_then(|unnamed| unnamed.location);
            frames.push(SourceFrame {
                function: Some(symbol.name),
                linkage_name: Some(symbol.linkage_name),
                location,
                language: None,
                is_inline: false,
                from_symbol: true,
            });
        } else if let Some(physical) = frames.last_mut()
            && physical.linkage_name.is_none()
            && physical.function.as_deref().is_some_and(is_mangled_by_linkers)
        {
            physical.linkage_name = self.mangled_symbol_at(at);
        }
        frames
    }

    /// The linker's name of the function around `at`, which its DWARF leaves out where
    /// nobody else may call it: local functions, lambdas.
    fn mangled_symbol_at(&self, at: Svma) -> Option<String> {
        let symbol = self.symbol_at(at).filter(|symbol| symbol.offset < symbol.size)?;
        let name = symbol.linkage_name;
        (name.starts_with("_Z") || name.starts_with("_R")).then_some(name)
    }

    /// The symbol that stands for `at`, by gdb's choice among those of the image, its
    /// debug file and its MiniDebugInfo.
    pub fn symbol_at(&self, at: Svma) -> Option<SymbolAt> {
        let symbol = self.nearest_symbol(at)?;
        let linkage_name = String::from_utf8_lossy(symbol.name).into_owned();
        let name = demangle(&linkage_name, Language::Unknown, &self.context.limits);
        Some(SymbolAt {
            name: name.unwrap_or_else(|| linkage_name.clone()),
            linkage_name,
            address: symbol.address,
            offset: at.0.wrapping_sub(symbol.address.0),
            size: symbol.size,
        })
    }

    /// The functions that tail-called between the call that returns to `return_pc` and
    /// the physical function that holds `callee_pc`, both in this image, the innermost
    /// first. Empty if there are none or which ones is ambiguous: only what every
    /// possible way has in common is told.
    pub fn tail_calls(&self, return_pc: Svma, callee_pc: Svma) -> Vec<TailCall> {
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::chain(file, symbols, return_pc.0, callee_pc.0))
        });
        found.unwrap_or_default()
    }

    /// The linkage name of the function called by the call that returns to `return_pc`,
    /// where it is defined elsewhere: in another unit, or in another image.
    pub fn called_name(&self, return_pc: Svma) -> Option<String> {
        let name = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::called_name(file, symbols, return_pc.0))
        });
        Some(String::from_utf8_lossy(&name??).into_owned())
    }

    /// As [`DebugInfo::tail_calls`] for a call that comes from another image and goes to
    /// the function of this one with linkage name `called`.
    pub fn tail_calls_from(&self, called: &str, callee_pc: Svma) -> Vec<TailCall> {
        let name = called.as_bytes();
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::chain_from(file, symbols, name, callee_pc.0))
        });
        found.unwrap_or_default()
    }

    /// The variables in sight at `at`, frame by frame as [`DebugInfo::frames_at`] lists
    /// them; none where no DWARF describes the function.
    pub fn scopes_at(&self, at: Svma) -> Arc<Scopes> {
        self.with_dwarf(|file| self.scopes.get(file, &self.types, at.0)).unwrap_or_default()
    }

    /// The variable or parameter of an entry, as an implicit pointer or an array's bound
    /// names it.
    pub fn variable_of(&self, id: VariableId) -> Option<Variable> {
        self.with_dwarf(|file| scope_reader::variable(file, &self.types, id.0))?
    }

    /// Where a variable at `location` is, for the frame that `around` speaks for.
    ///
    /// # Errors
    /// Why it is nowhere.
    pub fn locate(
        &self,
        location: &Location,
        around: &dyn Surroundings,
    ) -> Result<Vec<Piece>, NoPlace> {
        let found = self.with_dwarf(|file| evaluate::locate(file, location, around));
        found.unwrap_or(Err(NoPlace::OptimizedOut))
    }

    /// The number that `expression` computes from `pushed`: an array's bound, a member's
    /// place.
    ///
    /// # Errors
    /// Why there is none.
    pub fn compute(
        &self,
        expression: &Expression,
        pushed: Option<u64>,
        around: &dyn Surroundings,
    ) -> Result<u64, NoPlace> {
        let found = self.with_dwarf(|file| evaluate::number(file, expression, pushed, around));
        found.unwrap_or(Err(NoPlace::OptimizedOut))
    }

    /// The call that returns to `return_pc`, as its call site entry has it.
    pub fn call_returning_to(&self, return_pc: Svma) -> Option<Call> {
        self.with_dwarf(|file| call_site::call(file, return_pc.0))?
    }

    /// Whether the function entered at `entry` may come to run anew without a new frame,
    /// so that what its caller passed says nothing of its parameters.
    pub fn may_run_anew(&self, entry: Svma) -> bool {
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::may_run_anew(file, symbols, entry.0))
        });
        found.unwrap_or(true)
    }

    /// The address of the function with this linkage name.
    pub fn function_named(&self, name: &str) -> Option<Svma> {
        let lock = || self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(name) {
            return *known;
        }
        let found = self.with_symbols(|symbols| (symbols.named)(name.as_bytes())).map(Svma);
        lock().insert(name.to_owned(), found);
        found
    }

    /// The address of the variable with this linkage name, by the symbols alone.
    pub fn datum_named(&self, name: &str) -> Option<Svma> {
        (0..self.symbols.len()).find_map(|number| {
            let (image, table) = self.symbols(number)?;
            table.datum_named(image, name.as_bytes())
        })
    }

    /// The offset of the thread-local variable with this linkage name in the module's block,
    /// by the symbols alone.
    pub fn thread_local_named(&self, name: &str) -> Option<u64> {
        let files = &self.context.files;
        let images = [Some(&files.image), files.debug.as_ref(), files.mini.as_ref()];
        let mut images = images.into_iter().flatten();
        images.find_map(|image| SymbolTable::thread_local_named(image, name.as_bytes()))
    }

    /// The type with this number.
    pub fn type_at(&self, id: TypeId) -> &Type {
        if let Some(known) = self.types.known(id) {
            return known;
        }
        let found = self.with_dwarf(|file| self.types.get(file, id));
        found.unwrap_or_else(|| self.types.unknown())
    }

    /// The name of a type as a programmer would write it: with scopes and modifiers.
    pub fn type_name(&self, id: TypeId) -> Arc<str> {
        let known = self.types.known_name(id);
        known.or_else(|| self.with_dwarf(|file| self.types.name(file, id))).unwrap_or_default()
    }

    /// Whether its code is for x86 of either width: there `long double` has 80 bits.
    pub fn is_x86(&self) -> bool {
        const EM_386: u16 = 3;
        const EM_X86_64: u16 = 62;
        matches!(self.context.files.image.header().e_machine, EM_386 | EM_X86_64)
    }

    /// The types called `name`, defined anywhere in the image: by its own name or with
    /// scopes before it, as many as wanted; `struct x` and the like for C's tags. Spaces
    /// do not count.
    pub fn types_named(&self, name: &str) -> Vec<TypeId> {
        self.with_names(|file, names| names.types(file, &self.types, name)).unwrap_or_default()
    }

    /// The definition of a type that is but declared where `id` stands, by its name with
    /// scopes, from elsewhere in the image.
    pub fn definition_of(&self, id: TypeId) -> Option<TypeId> {
        self.with_names(|file, names| names.definition(file, &self.types, id))?
    }

    /// The global and static variables called `name`, as in [`DebugInfo::types_named`];
    /// those that have a place come first.
    pub fn variables_named(&self, name: &str) -> Vec<Variable> {
        self.with_names(|file, names| names.variables(file, &self.types, name)).unwrap_or_default()
    }

    /// Whether a variable of [`DebugInfo::variables_named`] stands in the unit of the code
    /// at `at`.
    pub fn is_of_unit_at(&self, variable: VariableId, at: Svma) -> bool {
        self.with_dwarf(|file| home::has_code_at(file, variable, at.0)).unwrap_or(false)
    }

    /// The enumeration with an enumerator called `name`, in the unit of the code at `at`.
    pub fn enumeration_with(&self, name: &str, at: Svma) -> Option<TypeId> {
        let name = name.as_bytes();
        self.with_dwarf(|file| home::enumeration_with(file, &self.types, at.0, name))?
    }

    /// The source file that defines a variable, as the compiler was given it.
    pub fn source_of(&self, variable: VariableId) -> Option<String> {
        self.with_dwarf(|file| home::source_of(file, variable))?
    }

    /// The global or static variable that holds the byte at `at`, and where it starts.
    pub fn variable_at(&self, at: Svma) -> Option<(Variable, Svma)> {
        self.with_names(|file, names| names.variable_at(file, &self.types, at.0))?
    }

    /// The functions called `name` that have code, as in [`DebugInfo::types_named`].
    pub fn functions_named(&self, name: &str) -> Vec<NamedFunction> {
        self.with_names(|file, names| names.functions(file, name)).unwrap_or_default()
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

    /// The separate debug file, if there is one.
    pub fn debug_file(&self) -> Option<&Path> {
        self.context.files.debug.as_ref()?.path()
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

    fn with_dwarf<T>(&self, ask: impl FnOnce(&DwarfFile<'_>) -> T) -> Option<T> {
        let parsed = self.dwarf.get_or_init(|| {
            let sources = Sources::new(self.described_by.clone()?, self.context.clone());
            Some(Parsed::new(sources, |sources| DwarfFile::main(sources)))
        });
        parsed.as_ref().map(|parsed| parsed.with_dependent(|_, file| ask(file)))
    }

    fn with_names<T>(&self, ask: impl FnOnce(&DwarfFile<'_>, &NameIndex) -> T) -> Option<T> {
        self.with_dwarf(|file| ask(file, self.names.get_or_init(|| NameIndex::build(file))))
    }

    fn with_symbols<T>(&self, ask: impl FnOnce(&tail_call::Symbols<'_>) -> T) -> T {
        ask(&tail_call::Symbols {
            start_of: &|at| self.nearest_symbol(Svma(at)).map(|symbol| symbol.address.0),
            named: &|name| {
                (0..self.symbols.len()).find_map(|number| {
                    let (image, table) = self.symbols(number)?;
                    table.function_named(image, name).map(|at| at.0)
                })
            },
        })
    }

    fn nearest_symbol(&self, at: Svma) -> Option<Symbol<'_>> {
        let mut best: Option<Symbol<'_>> = None;
        for number in 0..self.symbols.len() {
            let Some((image, table)) = self.symbols(number) else { continue };
            let Some(found) = table.lookup(image, at) else { continue };
            if best.is_none_or(|best| best.address < found.address) {
                best = Some(found);
            }
        }
        best
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

/// Whether a name is one that C could not have: its symbol is another. Spares C the search.
fn is_mangled_by_linkers(name: &str) -> bool {
    name.contains(['<', '(']) || name.contains("::")
}
