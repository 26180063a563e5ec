//! What `obit rewind` answers, in words and redacted.

use std::mem::take;

use super::answer::{RewindBlock, RewindBranch, RewindLine, RewindReport, RewindVariable};
use super::source_lines::SourceLines;
use super::{BuildOptions, Judge};
use crate::report::{Hex, SourcePlace};
use obit_process::process::{Process, Thread};
use obit_redact::{Named, Origin, Redactor};
use obit_rewind::{End, Held, Line, NotRewound, OfProcess, Work, lines, rewind};

/// The version of this document.
const SCHEMA: &str = "obit.rewind/1";
/// Lines of a loop that are recognised as its round.
const LONGEST_ROUND: usize = 24;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewindWanted {
    /// The frame before whose call it begins; where none is given that of the failure, else, if
    /// nothing is known before that, the one to blame.
    pub frame: Option<usize>,
    /// Instructions to go back.
    pub steps: usize,
    /// Lines in the answer; those of a loop count once.
    pub lines: usize,
}

/// What the crashed thread executed last; `None` where no thread crashed, or the frame that is asked
/// for is not known.
pub fn rewound(
    process: &Process,
    options: &BuildOptions,
    wanted: RewindWanted,
) -> Option<RewindReport> {
    let crashed = process.threads.iter().position(|thread| thread.crashed)?;
    let thread = process.threads.get(crashed)?;
    let mut judge = Judge::new(process, &[], options);
    judge.learn(crashed);
    let redactor = judge.redactor();
    let mut report = RewindReport {
        schema: SCHEMA.to_owned(),
        id: super::id::crash_id(&process.dump),
        policy: redactor.level().word().to_owned(),
        tid: thread.tid,
        ..RewindReport::default()
    };
    if let Some(frame) = wanted.frame.filter(|frame| *frame > 0) {
        let world = before_call(process, thread, frame)?;
        add(process, &world, wanted, &mut report, redactor);
        report.frame = frame as u64;
        return Some(report);
    }
    add(process, &OfProcess::new(process, thread), wanted, &mut report, redactor);
    if report.instructions == 0 && wanted.frame.is_none() {
        // What ended the process asked the kernel to; the program was where it is to blame.
        let cause = obit_analysis::analyze(process).cause;
        let blamed = cause.filter(|cause| cause.thread.is_none()).and_then(|cause| cause.blame);
        let blamed = blamed.filter(|frame| *frame > 0);
        let world = blamed.and_then(|frame| before_call(process, thread, frame));
        if let Some((frame, world)) = blamed.zip(world) {
            let mut other = report.clone();
            add(process, &world, wanted, &mut other, redactor);
            other.frame = frame as u64;
            if other.instructions > 0 {
                return Some(other);
            }
        }
    }
    Some(report)
}

/// The thread before the call in its frame of this number, as reports number them.
fn before_call<'p>(
    process: &'p Process,
    thread: &'p Thread,
    frame: usize,
) -> Option<OfProcess<'p>> {
    OfProcess::before_call(process, thread, thread.frames.get(frame)?.activation)
}

/// What was executed before the end of `world`.
fn add(
    process: &Process,
    world: &OfProcess<'_>,
    wanted: RewindWanted,
    report: &mut RewindReport,
    redactor: &mut Redactor,
) {
    let mut walk = match rewind(world, Work::default()) {
        Ok(walk) => walk,
        Err(why) => {
            let (word, text) = not_rewound(why);
            word.clone_into(&mut report.end);
            report.end_text = redactor.show(Origin::OwnWords, text);
            return;
        }
    };
    let (word, text) = end(walk.back(wanted.steps));
    word.clone_into(&mut report.end);
    report.end_text = redactor.show(Origin::OwnWords, text);
    report.instructions = walk.chain().len() as u64;
    report.proved = walk.proved().len() as u64;
    let found = lines(world, &walk);
    let mut source = SourceLines::default();
    let mut left = wanted.lines;
    for (rounds, of_block) in folded(&found) {
        let shown = of_block.iter().take(left);
        let lines: Vec<_> = shown.map(|line| one(process, line, &mut source, redactor)).collect();
        left = left.saturating_sub(lines.len());
        let omitted = of_block.len().saturating_sub(lines.len()) as u64;
        report.omitted = report.omitted.saturating_add(omitted);
        if !lines.is_empty() {
            report.blocks.push(RewindBlock { rounds, lines });
        }
    }
}

/// Lines in blocks, with how often each was executed: rounds of a loop are one.
fn folded(lines: &[Line]) -> Vec<(u64, &[Line])> {
    // Instructions of two lines may alternate without a loop.
    let same = |one: &Line, other: &Line| {
        one.is_of(other) && one.address == other.address && one.is_proved == other.is_proved
    };
    let is_round = |at: usize, size: usize, times: usize| {
        let (first, next) = (lines.get(at..at + size), at + size * times);
        let next = lines.get(next..next + size);
        first.zip(next).is_some_and(|(first, next)| {
            first.iter().zip(next).all(|(one, other)| same(one, other))
        })
    };
    let between = |from: usize, to: usize| lines.get(from..to).unwrap_or_default();
    let mut blocks = Vec::new();
    let (mut at, mut plain) = (0, 0);
    while at < lines.len() {
        let times = |size: usize| (1..).take_while(|times| is_round(at, size, *times)).count() + 1;
        let round = (1..=LONGEST_ROUND).map(|size| (size, times(size))).find(|it| it.1 > 2);
        let Some((size, times)) = round else {
            plain += 1;
            at += 1;
            continue;
        };
        if plain > 0 {
            blocks.push((1, between(at - take(&mut plain), at)));
        }
        blocks.push((times as u64, between(at, at + size)));
        at += size * times;
    }
    if plain > 0 {
        blocks.push((1, between(at - plain, at)));
    }
    blocks
}

fn one(
    process: &Process,
    line: &Line,
    source: &mut SourceLines,
    redactor: &mut Redactor,
) -> RewindLine {
    let function = line.function.as_deref();
    let mut place = SourcePlace::default();
    if let (Some(location), Some(module)) = (&line.location, line.module) {
        source.add(&mut place, location, module, &process.modules, 0, redactor);
    }
    let file = line.location.as_ref().map(|it| redactor.show(Origin::SourcePath, &it.file));
    let branches = line.branches.iter().map(|branch| RewindBranch {
        address: Hex(redactor.show_word(branch.address)),
        jump: format!("j{}", branch.condition),
        taken: branch.taken,
    });
    RewindLine {
        branches: branches.collect(),
        function: function.map(|name| redactor.show(Origin::SymbolName, name)),
        file,
        line: line.location.as_ref().and_then(|location| location.line),
        text: take(&mut place.lines).into_iter().next().map(|line| line.text),
        address: Hex(redactor.show_word(line.address)),
        instructions: (line.oldest.saturating_sub(line.newest) as u64).saturating_add(1),
        steps: line.newest as u64,
        confidence: confidence(line.is_proved),
        variables: line.variables.iter().map(|held| variable(held, function, redactor)).collect(),
    }
}

fn variable(held: &Held, function: Option<&str>, redactor: &mut Redactor) -> RewindVariable {
    let named = Named { name: &held.name, type_name: None, function, module: None };
    let before = held.before.as_ref().filter(|before| **before != held.value);
    let before = before.map(|it| redactor.show_value(Origin::VariableText, &named, it));
    RewindVariable {
        value: redactor.show_value(Origin::VariableText, &named, &held.value),
        before,
        name: redactor.show(Origin::SymbolName, &held.name),
        confidence: confidence(held.is_proved),
    }
}

fn confidence(is_proved: bool) -> String {
    if is_proved { "proved" } else { "likely" }.to_owned()
}

fn end(end: End) -> (&'static str, &'static str) {
    match end {
        End::Enough => ("enough", "these are as many as were asked for"),
        End::SeveralWays => ("several-ways", "several instructions can have come before"),
        End::NoWay => {
            ("no-way", "nothing can have come before: code or memory are not those of the run")
        }
        End::JumpFromOutside => ("jump-from-outside", "code that is not known may jump here"),
        End::CallNotFollowed => {
            ("call-not-followed", "a function was called before whose code is not followed")
        }
        End::CallerUnknown => ("caller-unknown", "the caller of the function is not known"),
        End::SystemCall => ("system-call", "the kernel was asked for something before"),
        End::WorkDone => ("work-done", "finding what came before takes too long"),
    }
}

fn not_rewound(why: NotRewound) -> (&'static str, &'static str) {
    match why {
        NotRewound::Machine => ("machine", "only programs of x86_64 are read backwards"),
        NotRewound::HandlerRan => {
            ("handler-ran", "a signal handler ran: its state is not the one of the failure")
        }
        NotRewound::NoFrame => ("no-frame", "the thread has no frame"),
        NotRewound::Function => {
            ("function", "the code of the function that failed is not known or cannot be decoded")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: u64) -> Line {
        Line {
            newest: 1,
            oldest: 1,
            address,
            function: None,
            location: None,
            module: None,
            branches: Vec::new(),
            variables: Vec::new(),
            is_proved: true,
        }
    }

    fn folds(lines: &[u64]) -> Vec<(u64, Vec<u64>)> {
        let lines: Vec<Line> = lines.iter().map(|address| line(*address)).collect();
        let blocks = folded(&lines).into_iter();
        let addresses = |lines: &[Line]| lines.iter().map(|line| line.address).collect();
        blocks.map(|(rounds, lines)| (rounds, addresses(lines))).collect()
    }

    #[test]
    fn rounds_of_a_loop_are_one_block_from_three_on() {
        let found = folds(&[9, 1, 2, 1, 2, 1, 2, 8, 8]);
        assert_eq!(found, [(1, vec![9]), (3, vec![1, 2]), (1, vec![8, 8])]);
        assert_eq!(folds(&[5, 5, 5, 5]), [(4, vec![5])]);
        assert_eq!(folds(&[]), []);
    }
}
