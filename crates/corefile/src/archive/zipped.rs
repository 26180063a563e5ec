//! ZIP: by the `zip` crate. Its directory, at the end of the file, lists the members.

use std::time::Duration;

use zip::ZipArchive;

use super::ArchiveError;
use super::bounded::Bounded;
use super::extract::{Extractor, Source};
use crate::dump::sequential;
use crate::memory::CoreBytes;

/// Hands the files of an archive to `extractor`.
pub(super) fn read(
    bytes: &CoreBytes,
    time: Duration,
    extractor: &mut Extractor<'_>,
) -> Result<(), ArchiveError> {
    let begun = std::time::Instant::now();
    let mut archive = ZipArchive::new(sequential(bytes))
        .map_err(|error| ArchiveError::Damaged { format: "ZIP", problem: error.to_string() })?;
    for index in 0..archive.len() {
        if !extractor.goes_on() {
            return Ok(());
        }
        let Ok(entry) = archive.by_index_raw(index) else {
            extractor.left_out.unreadable = extractor.left_out.unreadable.saturating_add(1);
            continue;
        };
        if entry.is_dir() {
            continue;
        }
        if !entry.is_file() {
            extractor.left_out.links = extractor.left_out.links.saturating_add(1);
            continue;
        }
        let is_encrypted = entry.encrypted();
        let name = entry.name_raw().to_vec();
        let size = entry.size();
        drop(entry);
        let content = if is_encrypted { None } else { archive.by_index(index).ok() };
        let Some(content) = content else {
            extractor.left_out.unreadable = extractor.left_out.unreadable.saturating_add(1);
            continue;
        };
        // Its time has no zone.
        let source = Source { name: &name, size, modified: None, facts: Vec::new() };
        let mut input =
            Bounded::new(content, extractor.inflated_left(), time.saturating_sub(begun.elapsed()));
        extractor.take(source, &mut input)?;
    }
    Ok(())
}
