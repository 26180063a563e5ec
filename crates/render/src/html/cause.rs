//! The first screen: what crashed, why, where to look, and what to do next.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::commands::runnable;
use super::escape::{NAME, prose, text, visible_text};
use super::page::command;
use crate::identity;
use crate::summary::blamed;
use crate::terminal::head::{other_findings, title_of_others};
use crate::terminal::page::signal_facts;
use crate::{PageOptions, name};
use obit_report::{Blame, Cause, Confidence, Evidence, EvidenceKind, Report};

/// Facts that are reported.
const EVIDENCE: usize = 24;
/// Other findings.
const FINDINGS: usize = 24;
/// Steps.
const STEPS: usize = 12;
/// Bytes of all of them.
const BUDGET: usize = 100_000;

/// The head of the page.
pub(super) fn cause(report: &Report) -> Markup {
    let budget = Budget::new(BUDGET);
    html! {
        section.cause aria-labelledby="cause-title" {
            p.signal { (signal(report)) }
            @match &report.cause {
                Some(cause) => (printed(report, cause, &budget)),
                None => h1 id="cause-title" { "The cause of the crash is not known" },
            }
            (also(report, &budget))
            p.who { (visible_text(&identity::process(report), NAME * 2)) }
            @if let Some(command) = identity::command_line(report) {
                p.who { span.label { "command" } " " code { (visible_text(&command, NAME * 2)) } }
            }
            @if let Some(known) = identity::circumstances(report, true) {
                p.who { (visible_text(&known, NAME * 2)) }
            }
            @if let Some(signature) = &report.signature {
                p.who {
                    span.label { "signature" } " " code { (text(&signature.text, NAME)) }
                }
            }
        }
    }
}

fn signal(report: &Report) -> Markup {
    html! {
        @match &report.signal {
            Some(signal) => {
                strong { (crate::visible(&signal.name)) }
                (crate::visible(&signal_facts(signal, report)))
            }
            None => strong { "no signal on record" }
        }
        @if report.core.truncated { " " span.badge.doubt { "the core is cut short" } }
    }
}

fn printed(report: &Report, cause: &Cause, budget: &Budget) -> Markup {
    html! {
        h1 id="cause-title" { (prose(&cause.title)) }
        p.badges {
            span.badge { (crate::visible(&cause.class)) }
            " " span class={ "badge " (sure_class(cause.of_class())) } { (sure(cause.of_class())) }
            @if let Some(severity) = &cause.severity {
                " " span.badge { "severity " (crate::visible(severity)) }
            }
        }
        // Of threads that wait for each other the evidence says the same.
        @if let Some(explanation) = cause.explanation.as_ref().filter(|_| !cause.is_deadlock()) {
            p.explanation { (prose(explanation)) }
        }
        @if let Some(message) = &cause.message {
            figure.said {
                figcaption { "the program said" }
                blockquote { (text(message, super::escape::SENTENCE)) }
            }
        }
        div.facts {
            @if let Some(blame) = &cause.blame { (place(report, blame)) }
            @if !cause.evidence.is_empty() {
                div.fact {
                    h2 { "Evidence" }
                    (evidence(report, &cause.evidence, budget))
                }
            }
            @if !cause.next.is_empty() {
                div.fact {
                    h2 { "Next" }
                    (steps(report, cause, budget))
                }
            }
        }
    }
}

/// How sure a conclusion is, in words.
pub(super) fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "proved by the core",
        Confidence::Likely => "likely",
        Confidence::Guess => "a guess",
    }
}

fn sure_class(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "sure",
        Confidence::Likely | Confidence::Guess => "doubt",
    }
}

/// The frame to look at first, and why that one.
fn place(report: &Report, blame: &Blame) -> Markup {
    let found = blamed(report, blame);
    let function = match &blame.function {
        Some(function) => name::brief(&name::shown(function)),
        None => found.map(|(_, frame)| name::code_place(frame)).unwrap_or_default(),
    };
    let options = PageOptions::default();
    let source = blame.source.as_ref().map(|place| name::source(place, &options));
    html! {
        div.fact {
            h2 { "Where to look" }
            p {
                @match found {
                    Some((thread, frame)) => {
                        a href={ "#t" (thread.tid) "-f" (frame.index) } {
                            @if !thread.crashed { "thread " (thread.tid) " " }
                            "#" (frame.index) " " (visible_text(&function, NAME))
                        }
                    }
                    None => (visible_text(&function, NAME)),
                }
                @if let Some(source) = &source { " " span.place { (visible_text(source, NAME)) } }
                @if blame.confidence != Confidence::Proved {
                    " " span.badge.doubt { (sure(blame.confidence)) }
                }
            }
            @if let Some(expression) = &blame.expression {
                p {
                    span.label { "bad value" } " " code { (text(expression, NAME)) }
                    @if let Some(confidence) = blame.expression_confidence {
                        " " span.badge.doubt { (sure(confidence)) }
                    }
                }
            }
            @if let Some(reason) = &blame.reason { p.reason { (prose(reason)) } }
        }
    }
}

/// Facts in order, each with the frame it was seen in.
pub(super) fn evidence(report: &Report, evidence: &[Evidence], budget: &Budget) -> Markup {
    let crashed = report.crashed_thread();
    let (facts, left_out) = budget.fill(evidence.iter(), EVIDENCE, |one| {
        let frame = one.frame.zip(crashed);
        let frame =
            frame.filter(|(index, thread)| thread.frames.iter().any(|frame| frame.index == *index));
        let is_code = matches!(one.kind, EvidenceKind::Instruction | EvidenceKind::Register);
        let words = name::shown(&one.text);
        // Columns of an assembler's listing say nothing here.
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        html! {
            li {
                span.kind { (kind(one.kind)) } " "
                span {
                    @if is_code { code { (visible_text(&words, NAME)) } }
                    @else { (super::escape::visible_prose(&words)) }
                    @if let Some((index, thread)) = frame {
                        " " a.at href={ "#t" (thread.tid) "-f" (index) } { "#" (index) }
                    }
                }
            }
        }
    });
    html! { ol.evidence { (facts) } (more(left_out, "fact")) }
}

fn kind(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Instruction => "code",
        EvidenceKind::Register => "register",
        EvidenceKind::Variable => "variable",
        EvidenceKind::Memory => "memory",
        EvidenceKind::Heap => "heap",
        EvidenceKind::Lock => "lock",
        EvidenceKind::Text => "text",
    }
}

fn steps(report: &Report, cause: &Cause, budget: &Budget) -> Markup {
    let (steps, left_out) = budget.fill(cause.next.iter(), STEPS, |step| {
        html! {
            li {
                @match runnable(&name::shown(step), report) {
                    Some((text, rest)) => { (command(&text)) @if !rest.is_empty() { " " (rest) } }
                    None => (prose(step)),
                }
            }
        }
    });
    html! { ul.steps { (steps) } (more(left_out, "step")) }
}

/// What else is wrong.
fn also(report: &Report, budget: &Budget) -> Markup {
    let findings: Vec<_> = other_findings(report).collect();
    let (printed, left_out) = budget.fill(findings.iter(), FINDINGS, |finding| {
        html! {
            li {
                @if finding.evidence.is_empty() { (prose(&finding.title)) }
                @else {
                    details {
                        summary { (prose(&finding.title)) }
                        (evidence(report, &finding.evidence, budget))
                        @if !finding.locks.is_empty() { a.at href="#locks" { "drawn below" } }
                    }
                }
            }
        }
    });
    html! {
        @if !findings.is_empty() {
            div.also {
                h2 { (title_of_others(report)) }
                ul { (printed) }
                (more(left_out, "finding"))
            }
        }
    }
}
