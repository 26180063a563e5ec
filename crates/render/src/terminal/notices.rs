//! What is missing, and what fixes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::layout::wrap;
use crate::name;
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_redact::Shown;
use obit_report::{LOOKED_FOR, NoticeCode, NoticeReport, Report};

/// Subjects of one kind that are named.
const SUBJECTS: usize = 6;
/// Lines of all notices on a page; the first are the gravest.
const LINES: usize = 12;

/// What one hint fixes.
pub(crate) struct Paragraph {
    /// What is missing; what begins with two blanks belongs to the text before it.
    pub(crate) texts: Vec<String>,
    /// What fixes it.
    pub(crate) hint: String,
    /// Notices shown in it.
    pub(crate) count: usize,
}

/// Writes the report's notices: those of one kind in one text, those that the same hint
/// fixes above it.
pub(crate) fn write_notices(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let paragraphs = paragraphs(report, options);
    let Some(first) = paragraphs.first() else { return Ok(()) };
    writeln!(out, "\n{}", options.color.paint(Style::Doubt, "missing or in doubt"))?;
    let most = if options.detail == Detail::Verbose { usize::MAX } else { LINES };
    let mut used = lines(first, options).len();
    let mut fitting = 1;
    for paragraph in paragraphs.iter().skip(1) {
        used += lines(paragraph, options).len();
        if used > most {
            break;
        }
        fitting += 1;
    }
    for (ink, line) in paragraphs.iter().take(fitting).flat_map(|one| lines(one, options)) {
        writeln!(out, "{}", options.color.paint(ink, &line))?;
    }
    let left_out: usize = paragraphs.iter().skip(fitting).map(|one| one.count).sum();
    if left_out > 0 {
        let text = format!("  \u{2026} and {left_out} more (-v shows them)");
        writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?;
    }
    Ok(())
}

/// The notices, those that the same hint fixes together, the gravest first.
pub(crate) fn paragraphs(report: &Report, options: &PageOptions) -> Vec<Paragraph> {
    let mut by_code: BTreeMap<NoticeCode, Vec<&NoticeReport>> = BTreeMap::new();
    for notice in printed(&report.notices) {
        by_code.entry(notice.code).or_default().push(notice);
    }
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    for (code, same) in by_code {
        let texts = texts(code, &same, report, options);
        let hint = match same.split_first() {
            Some((first, rest)) if rest.iter().all(|notice| notice.hint == first.hint) => {
                name::shown(&first.hint)
            }
            _ => packages(code, &same, report).unwrap_or_else(|| code.hint().to_owned()),
        };
        match paragraphs.iter_mut().find(|paragraph| paragraph.hint == hint) {
            Some(paragraph) => {
                paragraph.texts.extend(texts);
                paragraph.count += same.len();
            }
            None => paragraphs.push(Paragraph { texts, hint, count: same.len() }),
        }
    }
    paragraphs
}

/// All but those that follow from another: a stack that is not there ends early.
fn printed(notices: &[NoticeReport]) -> impl Iterator<Item = &NoticeReport> {
    let without_stack: BTreeSet<_> = notices
        .iter()
        .filter(|notice| notice.code == NoticeCode::StackMissing)
        .filter_map(|notice| notice.subject.as_ref().map(Shown::as_str))
        .collect();
    notices.iter().filter(move |notice| {
        let subject = notice.subject.as_ref().map(Shown::as_str);
        notice.code != NoticeCode::UnwindStopped
            || !subject.is_some_and(|subject| without_stack.contains(subject))
    })
}

fn texts(
    code: NoticeCode,
    notices: &[&NoticeReport],
    report: &Report,
    options: &PageOptions,
) -> Vec<String> {
    let whole = options.detail == Detail::Verbose;
    let text = |notice: &NoticeReport| {
        let text = name::shown(&notice.text);
        match text.split_once(LOOKED_FOR) {
            Some((start, _)) if !whole => start.to_owned(),
            _ => text,
        }
    };
    if let [notice] = notices {
        return vec![text(notice)];
    }
    let mut many = code.many(notices.len());
    if code == NoticeCode::StackMissing {
        many = format!(
            "{} of {} threads have no stack in the core{}",
            notices.len(),
            report.threads.len(),
            reason(notices)
        );
    }
    if !whole {
        return vec![format!("{many}{}", subjects(notices))];
    }
    let each = notices.iter().map(|notice| format!("  {}", text(notice)));
    [format!("{many}:")].into_iter().chain(each).collect()
}

/// What to install for several modules, where the distribution says what they came in.
fn packages(code: NoticeCode, notices: &[&NoticeReport], report: &Report) -> Option<String> {
    if code != NoticeCode::DebugInfoMissing {
        return None;
    }
    let about = |path: &Shown| {
        let path = path.as_str();
        let mut subjects = notices.iter().filter_map(|notice| notice.subject.as_ref());
        subjects.any(|subject| path.rsplit('/').next() == Some(subject.as_str()))
    };
    let modules = report.modules.iter().filter(|module| about(&module.path));
    let names: BTreeSet<_> =
        modules.filter_map(|m| Some(name::shown(m.package.as_ref()?.name.as_ref()?))).collect();
    let first = names.first()?.clone();
    let names: Vec<_> = names.into_iter().collect();
    Some(format!(
        "install the debug packages of {} (apt install {first}-dbgsym, dnf debuginfo-install \
         {first}), or pass --debug-file-directory DIR or --debuginfod",
        names.join(", ")
    ))
}

/// ` (cut off)`, where it is the same for all.
fn reason(notices: &[&NoticeReport]) -> String {
    let mut reasons = notices.iter().map(|notice| {
        let text = notice.text.as_str();
        text.rsplit_once(": ").map_or("", |(_, reason)| reason)
    });
    match reasons.next() {
        Some(first) if !first.is_empty() && reasons.all(|reason| reason == first) => {
            let reason = if first == "truncated" { "cut off" } else { first };
            format!(" ({})", crate::visible(reason))
        }
        _ => String::new(),
    }
}

/// `: 3655, 3660, …` or `: libfoo.so and 3 more`.
fn subjects(notices: &[&NoticeReport]) -> String {
    let mut names: Vec<_> = notices
        .iter()
        .filter_map(|notice| notice.subject.as_ref())
        .map(|subject| {
            let subject = name::shown(subject);
            subject.strip_prefix("thread ").map(str::to_owned).unwrap_or(subject)
        })
        .collect();
    names.dedup();
    if names.is_empty() {
        return String::new();
    }
    let more = names.len().saturating_sub(SUBJECTS);
    names.truncate(SUBJECTS);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(": {}{tail}", names.join(", "))
}

fn lines(paragraph: &Paragraph, options: &PageOptions) -> Vec<(Style, String)> {
    let wrapped = |indent: &'static str, text: &str| {
        let text = text.to_owned();
        wrap(&text, options.width.saturating_sub(indent.len()))
            .into_iter()
            .map(move |line| format!("{indent}{line}"))
            .collect::<Vec<_>>()
    };
    let texts = paragraph.texts.iter().flat_map(|text| match text.strip_prefix("  ") {
        Some(detail) => wrapped("    ", detail),
        None => wrapped("  ", text),
    });
    let hint = wrapped("    ", &format!("hint: {}", paragraph.hint));
    let texts = texts.map(|line| (Style::Plain, line));
    texts.chain(hint.into_iter().map(|line| (Style::Aside, line))).collect()
}
