//! Lines of source: around a frame, around other code, or others of the same file.

use super::opened::Opened;
use crate::report::lines_around;
use obit_corefile::addr::Avma;
use obit_dwarf::SourceLocation;
use obit_redact::Shown;
use obit_session::{Place, Problem, SourceAnswer, SourceLine};

/// Lines on each side of a place that are shown at most.
const MOST_CONTEXT: u32 = 100;

impl Opened {
    pub(super) fn lines(
        &self,
        at: Place,
        code: Option<&str>,
        line: Option<u32>,
        context: u32,
    ) -> Result<SourceAnswer, Problem> {
        let at = self.place(at)?;
        let mut answer = SourceAnswer { frame: at.handle.to_string(), ..SourceAnswer::default() };
        let found = match code {
            None => {
                let thread = self.process.threads.get(at.thread);
                let frame = thread.and_then(|thread| thread.frames.get(at.frame));
                frame.and_then(|frame| {
                    Some((SourceLocation::clone(frame.source.as_ref()?), frame.module))
                })
            }
            Some(code) => {
                let address = self.address_of(at, code);
                let address = address.map_err(|error| self.problem(&error, "print"))?;
                self.location_of(address)
            }
        };
        let Some((mut location, module)) = found else {
            answer.doubt = Some(Shown::own(
                "no line information for this code; `memory` with format `i` shows it",
            ));
            return Ok(answer);
        };
        location.line = line.or(location.line);
        let context = context.min(MOST_CONTEXT);
        let place = self.judged(&[at.thread], |judge| {
            lines_around(&self.process, (&location, module), context, judge.redactor())
        });
        answer.file = Some(place.file);
        answer.line = place.line;
        answer.doubt = place.doubt;
        if place.lines.is_empty() {
            answer.doubt.get_or_insert(Shown::own(match line {
                Some(_) => "the source file was not found, or has no such line",
                None => "the source file was not found",
            }));
        }
        let lines = place.lines.into_iter();
        answer.lines = lines.map(|line| SourceLine { line: line.line, text: line.text }).collect();
        Ok(answer)
    }

    /// The line of code at an address, that of the function whose code it is.
    fn location_of(&self, at: Avma) -> Option<(SourceLocation, Option<usize>)> {
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let svma = modules.get(index)?.to_svma(at);
        let physical = modules.debug(index)?.frames_at(svma).pop()?;
        Some((physical.location?, Some(index)))
    }
}
