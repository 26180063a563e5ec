//! Hashes of the functions of one image, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use obit_corefile::addr::Svma;
use obit_corefile::arch::{Decoder, Machine};
use obit_corefile::elf::{BuildId, CodeSet, ElfImage, SegmentKind, SymbolTable};
use obit_disassembly::{CodeHash, CodePlace, MOST_CODE, code_hash};
use obit_dwarf::locate::{ImageState, Locator, Role};
use obit_triage::history::{WHOLE_IMAGE, symbol_of_function};

/// Pieces and namesakes of one function; of more there is no hash.
const PIECES: usize = 16;
/// Functions beside those that are asked for, by which builds are known to be made alike.
const SAMPLE: usize = 48;
/// Bytes of a function of the sample, at least: of shorter ones many are equal by chance.
const SMALLEST: u64 = 32;
/// Bytes of the code of an image that is compared as a whole.
const MOST_TEXT: usize = 256 << 20;
/// `ET_EXEC`.
const FIXED: u16 = 2;
/// `SHT_SYMTAB`.
const ALL_SYMBOLS: u32 = 2;

/// Of which build of which image the code of functions is wanted.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct CodeQuestion {
    /// Where a process had it.
    pub(super) path: String,
    /// Build ID, in hexadecimal.
    pub(super) build_id: String,
    /// Whether it is a program, not a library.
    pub(super) is_executable: bool,
    /// Names of functions, as in records.
    pub(super) symbols: BTreeSet<String>,
}

/// Hashes by function, see [`ImageCode::hashes`]; `None` where the image is not available.
pub(super) type CodeAnswer = Option<BTreeMap<String, Option<String>>>;

/// Reads the image that `locator` finds.
pub(super) fn answer(locator: &Locator, question: &CodeQuestion) -> CodeAnswer {
    let id = BuildId::from_hex(&question.build_id)?;
    let role = if question.is_executable { Role::Executable } else { Role::Shared };
    let code = ImageCode::find(locator, Path::new(&question.path), &id, role)?;
    Some(code.hashes(&question.symbols.iter().map(String::as_str).collect()))
}

/// An image whose functions can be found by name.
struct ImageCode {
    image: Arc<ElfImage>,
    /// The file that holds the symbols: the image, or its debug file.
    named_by: Arc<ElfImage>,
    symbols: SymbolTable,
    /// Whether functions that are not exported have names, too.
    has_all: bool,
}

impl ImageCode {
    /// The image that a process had at `path`, if a file of that very build is available.
    fn find(locator: &Locator, path: &Path, id: &BuildId, role: Role) -> Option<Self> {
        let found = locator.image(path, Some(id), role);
        let image = found.image.filter(|_| found.state == ImageState::Found)?;
        let has_all = |image: &ElfImage| {
            image.sections().iter().any(|section| section.kind == ALL_SYMBOLS && section.size > 0)
        };
        let mut named_by = Arc::clone(&image);
        if !has_all(&image) {
            let (files, _) = locator.debug_files(&image, path);
            let better = files.debug.into_iter().chain(files.mini).find(|file| has_all(file));
            named_by = better.unwrap_or(named_by);
        }
        let symbols = SymbolTable::parse(&named_by);
        let has_all = has_all(&named_by);
        Some(Self { image, named_by, symbols, has_all })
    }

    /// The hashes of the functions called so, and of some more. `None` where there is no
    /// such function, empty where it has no hash; nothing where that is not known.
    fn hashes(&self, wanted: &BTreeSet<&str>) -> BTreeMap<String, Option<String>> {
        let mut pieces: BTreeMap<&str, Vec<(Svma, u64)>> = BTreeMap::new();
        let mut sample: BTreeSet<(u64, &str)> = BTreeSet::new();
        for symbol in self.symbols.functions(&self.named_by) {
            let Ok(name) = std::str::from_utf8(symbol.name) else { continue };
            let name = symbol_of_function(name);
            if !wanted.contains(name) && symbol.size >= SMALLEST {
                sample.insert((place_of(name), name));
                if sample.len() > SAMPLE {
                    sample.pop_last();
                }
            }
        }
        let sampled: BTreeSet<&str> = sample.into_iter().map(|(_, name)| name).collect();
        for symbol in self.symbols.functions(&self.named_by) {
            let Ok(name) = std::str::from_utf8(symbol.name) else { continue };
            let name = symbol_of_function(name);
            if wanted.contains(name) || sampled.contains(name) {
                let pieces = pieces.entry(name).or_default();
                // An alias is no piece.
                let piece = (symbol.address, symbol.size);
                if pieces.len() <= PIECES && !pieces.contains(&piece) {
                    pieces.push(piece);
                }
            }
        }
        let mut hashes: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (name, pieces) in &pieces {
            let hash = self.hash(pieces).map(|hash| hash.to_string());
            hashes.insert((*name).to_owned(), Some(hash.unwrap_or_default()));
        }
        if let Some(text) = self.image.section(".text") {
            let size = usize::try_from(text.size).ok().filter(|size| *size <= MOST_TEXT);
            let code = size.and_then(|size| self.image.bytes_at(text.address)?.get(..size));
            if let Some(code) = code {
                let digest = Sha256::digest(code);
                let hash = HEXLOWER.encode(digest.get(..8).unwrap_or_default());
                hashes.insert(WHOLE_IMAGE.to_owned(), Some(hash));
            }
        }
        for name in wanted.iter().filter(|_| self.has_all) {
            hashes.entry((*name).to_owned()).or_insert(None);
        }
        hashes
    }

    fn hash(&self, pieces: &[(Svma, u64)]) -> Option<CodeHash> {
        if pieces.len() > PIECES {
            return None;
        }
        let header = self.image.header();
        let machine = Machine::from_elf(
            header.e_machine,
            header.encoding.is_64,
            header.encoding.little_endian,
        );
        let loads = || self.image.segments().iter().filter(|s| s.kind == SegmentKind::Load);
        let from = loads().map(|segment| segment.vaddr.0).min()?;
        let to = loads().map(|segment| segment.vaddr.0.saturating_add(segment.mem_size)).max()?;
        let table = [".got.plt", ".got"].iter().find_map(|name| self.image.section(name));
        let table = table.filter(|_| machine == Machine::I386 && header.e_type != FIXED);
        let name_of = |at: Svma| {
            let name = self.symbols.function_starting_at(&self.named_by, at)?;
            Some(symbol_of_function(std::str::from_utf8(name).ok()?).to_owned())
        };
        let place = CodePlace {
            fixed: (header.e_type == FIXED).then_some(from..to),
            counted_from: table.map(|table| (table.address.0, from..to)),
            name_of: &name_of,
        };
        let mut hashes = Vec::new();
        for (at, size) in pieces {
            let size = usize::try_from(*size).ok().filter(|size| *size <= MOST_CODE)?;
            let code = self.image.bytes_at(*at)?.get(..size)?;
            let set = self.symbols.code_set_at(&self.named_by, *at);
            let decoder = match machine.decoder()? {
                Decoder::A32 if set == Some(CodeSet::Thumb) => Decoder::Thumb,
                decoder => decoder,
            };
            hashes.push(code_hash(decoder, *at, code, &place)?);
        }
        CodeHash::of_pieces(hashes)
    }
}

/// A number that is the same for a name in all images, and says nothing else of it.
fn place_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
