//! What is missing, and what mends it.

use std::collections::BTreeMap;
use std::io;

use super::ink::Ink;
use super::layout::wrap;
use super::name;
use super::{Detail, PageOptions};
use crate::report::{NoticeCode, NoticeReport};

/// Subjects of one kind that are named.
const SUBJECTS: usize = 6;

/// Writes `notices`, those of one kind in one paragraph.
pub(super) fn write_notices(
    out: &mut dyn io::Write,
    notices: &[NoticeReport],
    options: &PageOptions,
) -> io::Result<()> {
    let mut by_code: BTreeMap<NoticeCode, Vec<&NoticeReport>> = BTreeMap::new();
    for notice in notices {
        by_code.entry(notice.code).or_default().push(notice);
    }
    if !by_code.is_empty() {
        writeln!(out, "\n{}", options.color.paint(Ink::Doubt, "missing or in doubt"))?;
    }
    for (code, same) in by_code {
        match same.as_slice() {
            [notice] => {
                write_paragraph(out, "  ", &name::shown(&notice.text), Ink::Plain, options)?;
                write_hint(out, &name::shown(&notice.hint), options)?;
            }
            several => {
                let text = format!("{}{}", code.many(several.len()), subjects(several, options));
                write_paragraph(out, "  ", &text, Ink::Plain, options)?;
                if options.detail == Detail::Verbose {
                    for notice in several {
                        write_paragraph(
                            out,
                            "    ",
                            &name::shown(&notice.text),
                            Ink::Plain,
                            options,
                        )?;
                    }
                }
                write_hint(out, code.hint(), options)?;
            }
        }
    }
    Ok(())
}

fn subjects(notices: &[&NoticeReport], options: &PageOptions) -> String {
    let mut names: Vec<_> =
        notices.iter().filter_map(|notice| notice.subject.as_ref()).map(name::shown).collect();
    names.dedup();
    if names.is_empty() || options.detail == Detail::Verbose {
        return ":".to_owned();
    }
    let more = names.len().saturating_sub(SUBJECTS);
    names.truncate(SUBJECTS);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(": {}{tail}", names.join(", "))
}

fn write_hint(out: &mut dyn io::Write, hint: &str, options: &PageOptions) -> io::Result<()> {
    write_paragraph(out, "    ", &format!("hint: {hint}"), Ink::Aside, options)
}

fn write_paragraph(
    out: &mut dyn io::Write,
    indent: &str,
    text: &str,
    ink: Ink,
    options: &PageOptions,
) -> io::Result<()> {
    for line in wrap(text, options.width.saturating_sub(indent.len())) {
        writeln!(out, "{indent}{}", options.color.paint(ink, &line))?;
    }
    Ok(())
}
