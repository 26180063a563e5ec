//! The first screen: why it crashed, what shows it, where to look and what to do next, in one
//! column of labels. What has no room here is below the stack.

use std::io;

use super::excerpt::{Extent, Line, excerpt, write_lines};
use super::stack::{WIDEST_ARGUMENTS, arguments};
use crate::identity;
use crate::layout::{cut_end, width, wrap};
use crate::name;
use crate::style::Style;
use crate::summary::blamed;
use crate::{Detail, Names, PageOptions};
use obit_redact::Shown;
use obit_report::{Blame, Cause, Confidence, EvidenceKind, Finding, FrameReport, Report};

/// Columns of the labels.
const LABELS: usize = 6;
/// Lines of the head, so that it ends within the first 25 with the headline's.
const LINES: usize = 21;
/// Lines of one text.
const OF_TEXT: usize = 3;
/// Facts besides the instruction that are shown.
const FACTS: usize = 2;
/// Other findings that are named.
const FINDINGS: usize = 3;
/// Lines of steps.
const STEPS: usize = 2;
/// Between steps, and between the parts of what was seen.
const DOT: &str = " \u{b7} ";

/// What the head shows, and what it leaves for later.
pub(crate) struct Head<'r> {
    lines: Vec<Line>,
    /// Thread and index of the frame whose source is in it.
    pub(crate) explained: Option<(i64, u64)>,
    /// Texts of the cause that it has not in full, with their labels.
    pub(crate) cut: Vec<(&'static str, &'r Shown)>,
}

/// Before what is not proved.
fn likely(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "",
        Confidence::Likely => "likely ",
        Confidence::Guess => "perhaps ",
    }
}

impl<'r> Head<'r> {
    /// The head of `report`.
    pub(crate) fn of(report: &'r Report, options: &PageOptions) -> Self {
        let mut head = Self { lines: Vec::new(), explained: None, cut: Vec::new() };
        head.started(report, options);
        let Some(cause) = &report.cause else {
            head.also(report, options);
            return head;
        };
        head.why(cause, options);
        let after = {
            let mut after = Self { lines: Vec::new(), explained: None, cut: Vec::new() };
            after.seen(cause, options);
            after.also(report, options);
            if let Some(signature) = &report.signature {
                after.text("sig", &signature.text, Style::Plain, 1, options);
            }
            after.next(cause, options);
            after
        };
        head.place(report, cause, after.lines.len(), options);
        head.lines.extend(after.lines);
        head.cut.extend(after.cut);
        head
    }

    /// What happened and where to look, without what shows it.
    pub(crate) fn short(report: &'r Report, options: &PageOptions) -> Self {
        let mut head = Self { lines: Vec::new(), explained: None, cut: Vec::new() };
        if let Some(cause) = &report.cause {
            head.why(cause, options);
            head.place(report, cause, LINES, options);
        }
        head
    }

    /// Writes it.
    pub(crate) fn write(&self, out: &mut dyn io::Write, options: &PageOptions) -> io::Result<()> {
        write_lines(out, &self.lines, 0, options)
    }

    /// Adds lines below one label.
    fn add(&mut self, label: &'static str, lines: impl IntoIterator<Item = Line>) {
        for (at, line) in lines.into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let lead = (Style::Aside, format!("{label:LABELS$}"));
            self.lines.push([lead].into_iter().chain(line).collect());
        }
    }

    /// Adds a text in at most `most` lines.
    fn text(
        &mut self,
        label: &'static str,
        text: &'r Shown,
        ink: Style,
        most: usize,
        options: &PageOptions,
    ) {
        let (lines, is_whole) = some_lines(&name::shown(text), most, options);
        if !is_whole {
            self.cut.push((label, text));
        }
        self.add(label, lines.into_iter().map(|line| vec![(ink, line)]));
    }

    /// The command line, and when and where it ran.
    fn started(&mut self, report: &Report, options: &PageOptions) {
        let command = identity::command_line(report).map(|text| ("cmd", text));
        let circumstances = identity::circumstances(report, options.detail == Detail::Verbose)
            .map(|text| ("when", text));
        for (label, text) in command.into_iter().chain(circumstances) {
            let (lines, _) = some_lines(&text, 1, options);
            self.add(label, lines.into_iter().map(|line| vec![(Style::Plain, line)]));
        }
    }

    /// What happened, how it came about, and what the program reported.
    fn why(&mut self, cause: &'r Cause, options: &PageOptions) {
        // The place to look at has a word of its own.
        let doubt = match cause.of_class() {
            Confidence::Proved => "",
            Confidence::Likely => ", likely",
            Confidence::Guess => ", a guess",
        };
        let class = (Style::Aside, format!("({}{doubt})", cause.class));
        self.text("why", &cause.title, Style::Focus, OF_TEXT, options);
        let room = options.width.saturating_sub(2 + width(&class.1));
        match self.lines.last_mut() {
            Some(line) if columns(line) <= room => {
                line.extend([(Style::Plain, "  ".to_owned()), class]);
            }
            _ => self.add("", [vec![class]]),
        }
        // Of threads that wait for each other each has its line.
        if cause.is_deadlock() {
            for link in cause.evidence.iter().take(OF_TEXT) {
                self.text("", &link.text, Style::Plain, OF_TEXT, options);
            }
            self.cut.extend(cause.evidence.iter().skip(OF_TEXT).map(|link| ("", &link.text)));
        } else if let Some(explanation) = &cause.explanation {
            self.text("", explanation, Style::Focus, OF_TEXT, options);
        }
        if let Some(message) = &cause.message {
            self.text("said", message, Style::Focus, OF_TEXT, options);
        }
    }

    /// The frame to look at first: its source with what the names in it stood for.
    fn place(&mut self, report: &Report, cause: &Cause, after: usize, options: &PageOptions) {
        let Some(blame) = &cause.blame else { return };
        let room = options.width.saturating_sub(LABELS);
        let Some((thread, frame)) = blamed(report, blame) else {
            return self.place_of_task(blame, room, options);
        };
        let function = match &blame.function {
            Some(function) if options.detail != Detail::Verbose => match options.names {
                Names::Demangled => name::brief(&name::shown(function)),
                Names::Raw => name::shown(function),
            },
            Some(function) => name::shown(function),
            None => name::code_place(frame),
        };
        let likely = likely(blame.confidence);
        let other = if thread.crashed { String::new() } else { format!("thread {} ", thread.tid) };
        // Of a function that is gone from the stack another frame is there.
        let is_here = blame.function == frame.function;
        let number = if is_here { format!("#{} ", frame.index) } else { String::new() };
        let lead = format!("{likely}{other}{number}");
        // Another line stands for that of the frame.
        let is_near =
            blame.source.as_ref().zip(frame.source.as_ref()).is_some_and(|(one, other)| {
                is_here && (one.file.as_str(), one.line) != (other.file.as_str(), other.line)
            });
        let near = if is_near { "near " } else { "" };
        let source =
            blame.source.as_ref().map(|place| format!(", {near}{}", name::source(place, options)));
        let source = match (source, &frame.module) {
            (Some(source), _) => source,
            (None, Some(module)) if blame.function.is_some() => {
                format!(", in {}", name::base_name(&module.path))
            }
            (None, _) => String::new(),
        };
        let left = room.saturating_sub(width(&lead) + width(&source));
        let is_whole = options.detail == Detail::Verbose;
        // Names and paths that were asked for in full have a line each.
        let (function, source, below) = match (is_whole, width(&function) <= left) {
            (_, true) => (function, source, None),
            (true, false) => {
                let below = source.strip_prefix(", ").map(str::to_owned);
                (function, String::new(), below)
            }
            (false, false) => (cut_end(&function, left.max(LABELS)), source, None),
        };
        let reason = blame.reason.as_ref().map(name::shown).unwrap_or_default();
        let used = width(&lead) + width(&function) + width(&source);
        let mut place =
            vec![(Style::Plain, lead), (Style::Focus, function), (Style::Place, source)];
        let mut lines = Vec::new();
        if below.is_none() && !reason.is_empty() && used + 2 + width(&reason) <= room {
            place.push((Style::Plain, format!(": {reason}")));
            lines.push(place);
        } else {
            lines.push(place);
            lines.extend(below.map(|source| vec![(Style::Place, source)]));
            let reason = wrap(&reason, room).into_iter().filter(|line| !line.is_empty());
            lines.extend(reason.map(|line| vec![(Style::Plain, line)]));
        }
        let has_source =
            !is_near && frame.source.as_ref().is_some_and(|place| !place.lines.is_empty());
        if is_here && has_source {
            let bare = FrameReport { locals: Vec::new(), ..frame.clone() };
            let around = match options.detail {
                Detail::Verbose => Extent::Whole,
                Detail::Quiet | Detail::Normal => Extent::Around { locals: 0 },
            };
            let mut source = excerpt(&bare, around, room, options);
            let fits = self.lines.len() + lines.len() + source.len() + after <= LINES;
            if !fits && options.detail != Detail::Verbose {
                source = excerpt(&bare, Extent::Line { locals: 0 }, room, options);
            }
            lines.extend(source);
            let doubt = frame.source.as_ref().and_then(|place| place.doubt.as_ref());
            let doubt = doubt.map(|doubt| format!("  ({})", name::shown(doubt)));
            lines.extend(doubt.map(|doubt| vec![(Style::Doubt, doubt)]));
            self.explained = Some((thread.tid, frame.index));
        } else if is_here && !frame.args.is_empty() {
            let args = arguments(&frame.args, room.min(WIDEST_ARGUMENTS));
            lines.push(vec![(Style::Place, args)]);
        }
        self.add("in", lines);
    }

    /// The same of a frame that no thread runs.
    fn place_of_task(&mut self, blame: &Blame, room: usize, options: &PageOptions) {
        let Some(function) = blame.function.as_ref().filter(|_| blame.task.is_some()) else {
            return;
        };
        let source = blame.source.as_ref().map(|place| name::source(place, options));
        let source = source.map(|source| format!(", {source}")).unwrap_or_default();
        let lead = likely(blame.confidence);
        let left = room.saturating_sub(width(lead) + width(&source));
        let function = cut_end(&name::shown(function), left.max(LABELS));
        let mut lines = vec![vec![
            (Style::Plain, lead.to_owned()),
            (Style::Focus, function),
            (Style::Place, source),
        ]];
        let reason = blame.reason.as_ref().map(name::shown).unwrap_or_default();
        lines.extend(wrap(&reason, room).into_iter().map(|line| vec![(Style::Plain, line)]));
        self.add("in", lines);
    }

    /// The instruction, its operands, and what memory says of the address.
    fn seen(&mut self, cause: &'r Cause, options: &PageOptions) {
        if cause.is_deadlock() {
            return;
        }
        let room = options.width.saturating_sub(LABELS);
        let is_of_instruction = |at: usize, kind| match kind {
            EvidenceKind::Instruction => at == 0,
            EvidenceKind::Register => true,
            _ => false,
        };
        let mut evidence = cause.evidence.iter().enumerate().peekable();
        let mut row = Vec::new();
        let mut registers = Vec::new();
        while let Some((_, one)) = evidence.next_if(|(at, one)| is_of_instruction(*at, one.kind)) {
            let text = name::shown(&one.text);
            match one.kind {
                EvidenceKind::Instruction => {
                    row.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
                }
                _ => registers.push(text),
            }
        }
        if !registers.is_empty() {
            row.push(registers.join(", "));
        }
        // What the map says of the address that the instruction used.
        if let Some((_, map)) =
            evidence.next_if(|(_, one)| one.kind == EvidenceKind::Memory && one.address.is_some())
        {
            row.push(name::shown(&map.text));
        }
        let (lines, _) = some_lines(&row.join(DOT), OF_TEXT, options);
        let mut label = "seen";
        if !row.is_empty() {
            let lines = lines.into_iter().map(|line| vec![(Style::Plain, cut_end(&line, room))]);
            self.add(label, lines);
            label = "";
        }
        let rest: Vec<_> = evidence.map(|(_, one)| &one.text).collect();
        let most = if options.detail == Detail::Verbose { usize::MAX } else { FACTS };
        for text in rest.iter().take(most) {
            self.text(label, text, Style::Plain, 2, options);
            label = "";
        }
        self.cut.extend(rest.iter().skip(most).map(|text| ("seen", *text)));
    }

    /// What else is wrong, in a line each.
    fn also(&mut self, report: &'r Report, options: &PageOptions) {
        let room = options.width.saturating_sub(LABELS);
        let all: Vec<_> = other_findings(report).collect();
        let most = if options.detail == Detail::Verbose { usize::MAX } else { FINDINGS };
        let shown = if all.len() > most { most.saturating_sub(1) } else { all.len() };
        let mut lines: Vec<Line> = all
            .iter()
            .take(shown)
            .map(|finding| vec![(Style::Focus, cut_end(&name::shown(&finding.title), room))])
            .collect();
        let more = all.len() - shown;
        if more > 0 {
            lines.push(vec![(Style::Aside, format!("\u{2026} and {more} more below"))]);
        }
        self.add("also", lines);
    }

    /// Steps side by side, as many as two lines hold.
    fn next(&mut self, cause: &Cause, options: &PageOptions) {
        if options.detail == Detail::Quiet {
            return;
        }
        let room = options.width.saturating_sub(LABELS);
        let mut lines: Vec<String> = Vec::new();
        for step in &cause.next {
            let step = name::shown(step);
            match lines.last_mut() {
                Some(line) if width(line) + width(DOT) + width(&step) <= room => {
                    line.push_str(DOT);
                    line.push_str(&step);
                }
                // Half a command is none.
                _ => {
                    let wrapped = wrap(&step, room);
                    if lines.len() + wrapped.len() <= STEPS {
                        lines.extend(wrapped);
                    }
                }
            }
        }
        self.add("next", lines.into_iter().map(|line| vec![(Style::Place, line)]));
    }
}

/// Findings that do not lead the page already.
pub(crate) fn other_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    let led = report.cause.as_ref().filter(|cause| cause.is_deadlock());
    let is_led = move |finding: &Finding| led.is_some_and(|c| finding.evidence == c.evidence);
    report.findings.iter().filter(move |finding| !is_led(finding))
}

/// Findings that say what is known, and not that something is wrong.
const NEUTRAL: [&str; 3] = ["python-stack", "memory-use", "heap-not-counted"];

/// What is above the other findings.
pub(crate) fn title_of_others(report: &Report) -> &'static str {
    let is_neutral = |finding: &Finding| NEUTRAL.contains(&finding.kind.as_str());
    match report.is_snapshot() || other_findings(report).all(is_neutral) {
        true => "also seen in this process",
        false => "also wrong in this process",
    }
}

/// `text` in at most `most` lines, unless all is wanted, and whether that is all of it.
fn some_lines(text: &str, most: usize, options: &PageOptions) -> (Vec<String>, bool) {
    let room = options.width.saturating_sub(LABELS);
    let mut lines = wrap(text, room);
    if options.detail == Detail::Verbose {
        return (lines, true);
    }
    let mut is_whole = lines.len() <= most;
    if let Some(last) = lines.get(most.saturating_sub(1)).filter(|_| !is_whole) {
        let mut kept = last.as_str();
        while width(kept) + 2 > room
            && let Some((before, _)) = kept.rsplit_once(' ')
        {
            kept = before;
        }
        let last = format!("{kept} \u{2026}");
        lines.truncate(most.saturating_sub(1));
        lines.push(last);
    }
    // A word as long as a book.
    for line in &mut lines {
        is_whole &= width(line) <= room;
        *line = cut_end(line, room);
    }
    (lines, is_whole)
}

fn columns(line: &Line) -> usize {
    line.iter().map(|(_, text)| width(text)).sum()
}
