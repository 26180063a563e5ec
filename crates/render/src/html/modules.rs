//! What was loaded, what was found of it, and what would help.

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::escape::{NAME, path, prose, visible_text};
use super::page::scrolling;
use crate::identity::short_build_id;
use crate::layout::bytes;
use crate::terminal::modules::{debug_word, file_word, package};
use crate::visible;
use obit_report::module::{DebugReport, ModuleFile, ModuleReport};
use obit_report::{NoticeReport, Report};

/// Rows.
const MODULES: usize = 1000;
/// Bytes of them.
const BUDGET: usize = 200_000;
/// Characters of a path.
const PATH: usize = 60;

/// The table; `None` if nothing was loaded.
pub(super) fn part(report: &Report) -> Option<Markup> {
    if report.modules.is_empty() {
        return None;
    }
    let known = AboutModules::of(report);
    let modules = report.modules.iter();
    let (rows, left_out) = Budget::new(BUDGET).fill(modules, MODULES, |module| row(&known, module));
    let table = html! {
        table.wide {
            thead { tr { @for head in ["module", "file", "debug info", "base", "size", "build ID", "package"] {
                th scope="col" { (head) }
            } } }
            tbody { (rows) }
        }
    };
    Some(html! { (scrolling("Modules", &table)) (more(left_out, "module")) })
}

fn row(known: &AboutModules<'_>, module: &ModuleReport) -> Markup {
    let is_found = matches!(module.file, ModuleFile::Found | ModuleFile::InCore);
    let is_asked = known.asked.contains(module.path.as_str());
    html! {
        tr {
            th scope="row" {
                (path(&module.path, PATH))
                @if let Some(notice) = known.notice(module) {
                    div.hint { (prose(&notice.hint)) }
                }
            }
            td { span.doubt[!is_found] { (file_word(module.file)) } }
            td {
                @if module.debug == DebugReport::None && !is_asked {
                    span.aside title="no frame is in it" { "not looked for" }
                } @else {
                    span.doubt[module.debug == DebugReport::None] { (debug_word(module.debug)) }
                    @if let Some(file) = &module.debug_path {
                        " " span.aside { (path(file, PATH / 2)) }
                    }
                }
            }
            td { code { (module.base) } }
            td.number { (bytes(module.size)) }
            td {
                @match &module.build_id {
                    Some(id) => code {
                        (super::escape::with_tooltip(&visible(&short_build_id(id)), &visible(id)))
                    },
                    None => span.aside { "none" },
                }
            }
            td { @if let Some(of) = &module.package { (visible_text(&package(of), NAME / 2)) } }
        }
    }
}

/// What of the report is asked of every module.
struct AboutModules<'r> {
    /// Those that a frame is in: debug information is looked for only then.
    asked: HashSet<&'r str>,
    /// The first notice by what it is about.
    notices: HashMap<&'r str, &'r NoticeReport>,
}

impl<'r> AboutModules<'r> {
    fn of(report: &'r Report) -> Self {
        let frames = report.threads.iter().flat_map(|thread| &thread.frames);
        let asked = frames.filter_map(|frame| Some(frame.module.as_ref()?.path.as_str())).collect();
        let mut notices = HashMap::new();
        for notice in &report.notices {
            if let Some(subject) = &notice.subject {
                notices.entry(subject.as_str()).or_insert(notice);
            }
        }
        Self { asked, notices }
    }

    /// What is missing of it. Notices call a module by its base name.
    fn notice(&self, module: &ModuleReport) -> Option<&'r NoticeReport> {
        let base = module.path.as_str().rsplit('/').next()?;
        self.notices.get(base).copied()
    }
}
