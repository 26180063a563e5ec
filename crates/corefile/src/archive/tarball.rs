//! Tar: by the `tar` crate, as a stream.

use std::io::Read;

use tar::{Archive, EntryType};

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
        let name = entry.path_bytes().into_owned();
        let modified = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok());
        let source = Source { name: &name, size: entry.size(), modified, facts: Vec::new() };
        extractor.take(source, &mut entry)?;
    }
    Ok(())
}
