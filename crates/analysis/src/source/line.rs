//! The line of source where a frame is.

use obit_corefile::notice::Notice;
use obit_process::process::{Frame, Process};

/// The text of the line, if its file is found and is not known to be another one than was
/// compiled: a wrong line has names that look right.
pub(super) fn line_of(process: &Process, frame: &Frame) -> Option<String> {
    let location = frame.source.as_ref()?;
    let found = process.modules.source(frame.module?, location);
    if matches!(found.doubt, Some(Notice::SourceDiffers { .. })) {
        return None;
    }
    let text = found.text?;
    let bytes = text.line(location.line?)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}
