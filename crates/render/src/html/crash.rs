//! The page of one crash, put together from its parts.

use maud::{Markup, html};

use super::assets::CRASH;
use super::page::{Part, page};
use super::{
    cause, commands, editor, instructions, lock_graph, memory_map, modules, notices, registers,
    stack_use, threads,
};
use crate::chain::Origins;
use crate::layout::{counted, cut_end};
use crate::markdown::report::write_markdown;
use crate::{PageOptions, name, visible};
use obit_report::Report;

/// Characters of the window's title.
const TITLE: usize = 100;
/// Bytes of the text for a ticket.
const TICKET: usize = 60_000;

/// The whole page; `home` is the address of the page that led here.
pub(super) fn crash(report: &Report, home: Option<&str>) -> Markup {
    let origins = Origins::of(report);
    let mut parts = Vec::new();
    let mut add = |id, title, aside: String, body: Option<Markup>| {
        if let Some(body) = body {
            parts.push(Part { id, title, body, aside });
        }
    };
    add("frames", "Frames", String::new(), editor::editor(report, &origins));
    let count = counted(report.threads.len(), "thread");
    add("threads", "Threads", count, threads::threads(report, &origins));
    add("locks", "Locks", String::new(), lock_graph::graphs(report));
    let of = report.crashed_thread().map(|thread| format!("of thread {}", thread.tid));
    let of = of.unwrap_or_default();
    add("instructions", "Instructions", of.clone(), instructions::part(report));
    add("registers", "Registers", of, registers::part(report));
    add("stacks", "Stack use", String::new(), stack_use::part(report));
    add("memory", "Memory map", String::new(), memory_map::part(report));
    let count = counted(report.modules.len(), "module");
    add("modules", "Modules", count, modules::part(report));
    let aside = notices::aside(report);
    add("notices", "Missing or in doubt", aside, notices::part(report));
    add("commands", "Commands", "that show the same".to_owned(), Some(commands::part(report)));
    let brand = html! {
        @match home {
            Some(home) => a.home href=(home) { "\u{2190} all groups" },
            None => strong { "obit" },
        }
        " " code { (cut_end(&id(report), TITLE)) }
    };
    let tools = html! {
        button type="button" data-do="markdown" { "Copy Markdown" }
    };
    let title = title(report);
    page(CRASH, &title, &brand, &tools, &cause::cause(report), &parts, &foot(report))
}

/// The crash's name: obit's own, but read back from a file it may be anything.
fn id(report: &Report) -> String {
    visible(&report.id).into_owned()
}

fn title(report: &Report) -> String {
    let program = report.process.exe.as_ref().map(name::base_name);
    let program = program.or_else(|| report.process.comm.as_ref().map(name::shown));
    let what = match (&report.cause, &report.signal) {
        (Some(cause), _) => name::shown(&cause.title),
        (None, Some(signal)) => visible(&signal.name).into_owned(),
        (None, None) => "no signal on record".to_owned(),
    };
    let program = program.map(|program| format!("{}: ", cut_end(&program, TITLE / 2)));
    cut_end(&format!("{}{what}", program.unwrap_or_default()), TITLE)
}

/// What to do with the page, how much was hidden, and the ticket's text.
fn foot(report: &Report) -> Markup {
    html! {
        p {
            (notices::redactions(report))
            " Written by obit " (visible(&report.obit.version)) "."
        }
        p.keys data-js hidden {
            kbd { "j" } " " kbd { "k" } " frames \u{b7} " kbd { "/" } " search \u{b7} "
            kbd { "e" } " expand all \u{b7} " kbd { "t" } " theme"
        }
        details.ticket {
            summary { "This crash as Markdown, for a ticket" }
            textarea readonly rows="16" aria-label="The crash as Markdown" data-markdown {
                // A line's end right behind the tag is dropped by browsers.
                "\n" (markdown(report))
            }
        }
    }
}

/// What goes into a ticket.
fn markdown(report: &Report) -> String {
    let mut text = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = write_markdown(&mut text, report, &PageOptions::default());
    let text = String::from_utf8_lossy(&text);
    // Read back from a file, the words of obit's own may be anything, too.
    let lines = text.lines().map(|line| format!("{}\n", visible(line)));
    let mut whole = String::new();
    for line in lines.take_while(|line| line.len() < TICKET) {
        if whole.len() + line.len() > TICKET {
            break;
        }
        whole.push_str(&line);
    }
    whole
}
