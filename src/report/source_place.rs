//! A place in source.

use super::SourcePlace;
use obit_dwarf::SourceLocation;
use obit_redact::{Origin, Redactor};

/// A place in source, as the report names it.
pub(super) fn source_place(place: &SourceLocation, redactor: &mut Redactor) -> SourcePlace {
    let mut show = |path: &str| redactor.show(Origin::SourcePath, path);
    SourcePlace {
        file: show(&place.file),
        directory: place.directory.as_deref().map(&mut show),
        line: place.line,
        column: place.column,
        ..SourcePlace::default()
    }
}
