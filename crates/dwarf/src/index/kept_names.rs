//! Names of an image, kept on disk between runs.

use crate::index::name_tables::NameTables;
use crate::sections::cache::{CacheEntry, SectionCache, SectionKey};
use crate::units::file::DwarfFile;

/// Where the names of an image are kept.
pub(crate) struct Place {
    cache: SectionCache,
    key: SectionKey,
}

/// Fewer bytes of units than this are scanned faster than a file is opened.
const WORTH_KEEPING: usize = 64 << 10;

/// What is kept, and in which layout.
const NAME: &str = "obit.names.2";

/// Where the names of the image whose main file is `root` are kept: by the identity of each
/// file they are in.
pub(crate) fn place(root: &DwarfFile<'_>) -> Option<Place> {
    let cache = root.context().cache.clone()?;
    let is_large = root.described_bytes() >= WORTH_KEEPING;
    let files = is_large.then(|| root.sources.identities())??;
    Some(Place { cache, key: SectionKey::of_files(&files, NAME) })
}

/// The names kept at `place`, if they are there and whole.
pub(crate) fn get(place: &Place) -> Option<NameTables> {
    NameTables::kept(place.cache.get_any(&place.key)?)
}

/// Keeps `names` at `place`, and gives them as they are there: mapped, not in memory.
pub(crate) fn put(place: &Place, names: &NameTables) -> Option<NameTables> {
    NameTables::kept(place.cache.put(&place.key, names.bytes())?)
}

impl CacheEntry {
    /// Whether it holds the names of an image, as far as its first bytes and its length say; else
    /// it is a section.
    pub fn is_name_index(&self) -> bool {
        NameTables::may_begin(&self.start, self.length())
    }
}
