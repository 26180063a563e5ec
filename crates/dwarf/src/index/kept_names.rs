//! Names of an image, kept on disk between runs.

use gimli::SectionId;

use crate::index::name_tables::NameTables;
use crate::sections::section_cache::{SectionCache, SectionKey};
use crate::units::file::DwarfFile;

/// Where the names of an image are kept.
pub(crate) struct Place {
    cache: SectionCache,
    key: SectionKey,
}

/// Less `.debug_info` than this is scanned faster than a file is opened. Bytes.
const WORTH_KEEPING: usize = 512 << 10;

/// What is kept, and in which layout.
const NAME: &str = "obit.names.1";

/// Where the names of the image whose main file is `root` are kept: by the identity of each
/// file they are in.
pub(crate) fn place(root: &DwarfFile<'_>) -> Option<Place> {
    let cache = root.context().cache.clone()?;
    let main = root.sources.section(SectionId::DebugInfo);
    let main = main.len().saturating_add(root.sources.section(SectionId::DebugTypes).len());
    let is_large = main >= WORTH_KEEPING || root.package().is_some();
    let files = is_large.then(|| root.sources.identities())??;
    Some(Place { cache, key: SectionKey::of_files(&files, NAME) })
}

/// The names kept at `place`, if they are there and whole.
pub(crate) fn get(place: &Place) -> Option<NameTables> {
    NameTables::kept(place.cache.get_any(&place.key)?)
}

/// Keeps `names` at `place`.
pub(crate) fn put(place: &Place, names: &NameTables) {
    place.cache.put(&place.key, names.bytes());
}
