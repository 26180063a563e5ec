//! Tar: by the `tar` crate, as a stream.

use std::io::Read;

use tar::{Archive, Entry, EntryType};

use super::ArchiveError;
use super::extract::{Extractor, Source};

/// Hands the files of an archive to `extractor`.
pub(super) fn read(input: impl Read, extractor: &mut Extractor<'_>) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(input);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            extractor.end(&error);
            return Ok(());
        }
    };
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                extractor.end(&error);
                return Ok(());
            }
        };
        if !extractor.goes_on() {
            return Ok(());
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => {
                extractor.left_out.links = extractor.left_out.links.saturating_add(1);
                continue;
            }
        }
        if is_pax_sparse(&mut entry) {
            extractor.left_out.unreadable = extractor.left_out.unreadable.saturating_add(1);
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let modified = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok());
        let source = Source { name: &name, size: entry.size(), modified, facts: Vec::new() };
        extractor.take(source, &mut entry)?;
    }
    Ok(())
}

/// Whether the content begins with a map of its holes, which is not read here (tar(5), "GNU.sparse";
/// `tar -S --format=posix`).
fn is_pax_sparse<R: Read>(entry: &mut Entry<'_, R>) -> bool {
    let extensions = entry.pax_extensions().ok().flatten();
    let mut records = extensions.into_iter().flatten().filter_map(Result::ok);
    records.any(|record| record.key_bytes().starts_with(b"GNU.sparse."))
}
