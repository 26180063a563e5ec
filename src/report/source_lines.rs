//! The lines of source around the places of a stack.

use std::collections::{BTreeSet, HashMap};

use super::{SourceLine, SourcePlace};
use obit_corefile::notice::Notice;
use obit_dwarf::SourceLocation;
use obit_process::module::Modules;
use obit_redact::{Origin, Redactor};

/// Lines on each side of a place that a report holds at most.
const MOST_CONTEXT: u32 = 200;

/// What was read of source files so far. A stack that repeats asks for the same again.
#[derive(Default)]
pub(super) struct SourceLines {
    known: HashMap<(usize, String, u32), SourcePlace>,
    notices: BTreeSet<Notice>,
}

impl SourceLines {
    /// Puts `context` lines on each side of `place` into it, if its file is found.
    pub(super) fn add(
        &mut self,
        place: &mut SourcePlace,
        location: &SourceLocation,
        module: usize,
        modules: &Modules,
        context: u32,
        redactor: &mut Redactor,
    ) {
        let Some(line) = location.line else { return };
        let key = (module, location.file.clone(), line);
        let known = self.known.get(&key).cloned().unwrap_or_else(|| {
            let found = self.read(location, line, module, modules, context, redactor);
            self.known.insert(key, found.clone());
            found
        });
        place.lines = known.lines;
        place.found = known.found;
        place.doubt = known.doubt;
    }

    /// What was doubtful about the files.
    pub(super) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter()
    }

    fn read(
        &mut self,
        location: &SourceLocation,
        line: u32,
        module: usize,
        modules: &Modules,
        context: u32,
        redactor: &mut Redactor,
    ) -> SourcePlace {
        let mut place = SourcePlace::default();
        let found = modules.source(module, location);
        self.notices.extend(found.notices);
        // A file that is too short is another one: its lines would mislead.
        let Some(text) = found.text.filter(|text| text.line(line).is_some()) else { return place };
        let context = context.min(MOST_CONTEXT);
        let first = line.saturating_sub(context).max(1);
        for number in first..=line.saturating_add(context) {
            let Some(bytes) = text.line(number) else { break };
            redactor.enter(1, || format!("{}:{number}", location.file));
            let text = redactor.show_bytes(Origin::SourceText, bytes);
            place.lines.push(SourceLine { line: number, text, values: Vec::new() });
        }
        let path = found.path.map(|path| path.to_string_lossy().into_owned());
        let path = path.filter(|path| *path != location.file);
        place.found = path.map(|path| redactor.show(Origin::Path, &path));
        if let Some(doubt) = found.doubt {
            let text = match &doubt {
                Notice::SourceDiffers { .. } => "not the file that was compiled: MD5 differs",
                _ => "newer than the program: lines may have moved",
            };
            place.doubt = Some(redactor.show(Origin::OwnWords, text));
            self.notices.insert(doubt);
        }
        place
    }
}
