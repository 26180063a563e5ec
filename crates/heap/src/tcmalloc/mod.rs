//! tcmalloc of gperftools 2.10 by its structures: the map of pages, which is a variable of the
//! module that holds it, leads to spans; what is freed is in lists of spans, of threads, and
//! between threads. Builds for 64-bit little-endian machines with pages of 8 KiB.

mod lists;
mod span;
#[cfg(test)]
mod tests;

use crate::blocks::{Found, State};
use crate::census::{Allocator, Answer, ArenaTotals, Part, Trust};
use crate::evidence::{self, AtOdds, Marks};
use lists::{Classes, Freed, Lists};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;
use span::Span;

const NAME: &str = "tcmalloc";
/// What a module that holds it is called, and functions that a program with it has.
const MARKS: Marks = Marks { file: "tcmalloc", functions: &["tc_malloc"] };
const NOT_FOUND: &str = "no map of pages and no sizes in the form of gperftools 2.10";
const NO_SPAN: &str = "the pages of a span are not those of its class";
const COUNTS: &str = "the list of a span and its count of used objects disagree";
const STRAY: &str = "a list of freed objects holds what is no object of its class";

/// The heap of tcmalloc in `process`.
pub(crate) fn answers(process: &Process) -> Vec<Answer> {
    let mut answers = Vec::new();
    if process.memory.word() != 8 || !process.memory.is_little_endian() {
        return answers;
    }
    for (module, _) in process.modules.list().iter().enumerate() {
        if !evidence::is_in(process, module, &MARKS) {
            continue;
        }
        let variables = evidence::variables(process, module);
        answers.push(match part(process, &variables) {
            Some(part) => Answer::Read(Box::new(part)),
            None => Answer::NotRead(NAME, NOT_FOUND),
        });
    }
    answers
}

fn part(process: &Process, variables: &[AvmaRange]) -> Option<Part> {
    let classes = Classes::find(process, variables)?;
    let root = span::root(process, variables)?;
    let mut odds = AtOdds::default();
    let spans = span::all(process, root, &mut odds);
    spans.first()?;
    let mut lists = Lists::read(process, variables, &classes, &mut odds);
    let mut agree: Vec<bool> = Vec::new();
    for span in &spans {
        agree.push(free_of_span(&mut lists, span, &classes));
    }
    let freed = lists.done();
    let mut reader = Reader {
        classes,
        freed,
        met: 0,
        odds,
        found: Found::default(),
        totals: ArenaTotals { number: Some(0), ..ArenaTotals::default() },
        pieces: Vec::new(),
    };
    for (span, agree) in spans.iter().zip(agree) {
        reader.span(span, agree);
    }
    if reader.met < reader.freed.objects.len() {
        reader.odds.add(STRAY, root);
    }
    reader.totals.system_bytes = reader.totals.bytes;
    let doubts = reader.odds.doubts(NAME);
    let trust = if doubts.is_empty() { Trust::Proved } else { Trust::Likely };
    Some(Part {
        allocator: Allocator { name: NAME, version: None, trust },
        arenas: vec![reader.totals],
        found: reader.found,
        damages: Vec::new(),
        doubts,
        pieces: reader.pieces,
        reserved: Vec::new(),
    })
}

/// The free objects of a span; whether there are as many as it says.
fn free_of_span(lists: &mut Lists<'_, '_>, span: &Span, classes: &Classes) -> bool {
    let Some(size) = classes.size(span.class).filter(|_| span.location == 0) else { return true };
    let whole = span.size / size;
    let free = whole.checked_sub(span.used);
    let met = match free {
        Some(free) => lists.walk(span.objects, Some(free), span.class, State::Free),
        None => 0,
    };
    let agree = free == Some(met);
    if !agree {
        lists.odds().add(COUNTS, span.record);
    }
    agree
}

struct Reader {
    classes: Classes,
    freed: Freed,
    /// How many of the freed objects are objects.
    met: usize,
    odds: AtOdds,
    found: Found,
    totals: ArenaTotals,
    pieces: Vec<AvmaRange>,
}

impl Reader {
    fn span(&mut self, span: &Span, agree: bool) {
        match self.pieces.last_mut() {
            Some(last) if last.end.0 == span.start => last.end = Avma(span.end()),
            _ => self.pieces.push(AvmaRange::from_len(Avma(span.start), span.size)),
        }
        self.totals.pieces = self.totals.pieces.saturating_add(1);
        self.totals.bytes = self.totals.bytes.saturating_add(span.size);
        let mut add = |start: u64, room: u64, state: State, over: u64| {
            self.totals.add(state, room, over);
            self.found.add(start, room, state);
        };
        match (span.location, span.class) {
            (0, 0) => return add(span.start, span.size, State::Mapping, 0),
            (0, _) => {}
            (1, _) => return add(span.start, span.size, State::Free, 0),
            _ => return add(span.start, span.size, State::Top, 0),
        }
        let size = self.classes.size(span.class);
        let is_its = self.classes.pages.get(span.class) == Some(&span.pages);
        let Some(size) = size.filter(|_| is_its) else {
            self.odds.add(NO_SPAN, span.record);
            return add(span.start, span.size, State::Unknown, 0);
        };
        let is_known = agree && self.freed.unknown.get(span.class) == Some(&false);
        let live = if is_known { State::Live } else { State::Unknown };
        let count = span.size / size;
        for nth in 0..count {
            let start = span.start.saturating_add(nth * size);
            let state = match self.freed.objects.get(&start) {
                Some((state, class)) if *class == span.class => {
                    self.met += 1;
                    *state
                }
                _ => live,
            };
            add(start, size, state, 0);
        }
        let rest = span.size.saturating_sub(count.saturating_mul(size));
        self.totals.overhead_bytes = self.totals.overhead_bytes.saturating_add(rest);
    }
}
