//! The signature of a crash, and why it is this.

use std::io;

use crate::PageOptions;
use crate::layout::width;
use crate::name;
use crate::style::Style;
use obit_report::{DecisionAction, Report};

/// Columns of a function's name in the list of rules.
const FUNCTION: usize = 40;

/// Writes the digest and the words of the signature in one line; if it is to be
/// `explained`, then a line for each frame that was looked at: its number, whether it was
/// left out (`skip`), kept (`prefix`), or kept as the last (`stop`), its function, and the
/// rule.
pub(crate) fn write_signature(
    out: &mut dyn io::Write,
    report: &Report,
    explained: bool,
    options: &PageOptions,
) -> io::Result<()> {
    let Some(signature) = &report.signature else {
        return writeln!(out, "no signature: no application frame found");
    };
    let id = options.color.paint(Style::Aside, &signature.id);
    writeln!(out, "{id}  {}", name::shown(&signature.text))?;
    if !explained {
        return Ok(());
    }
    let frames = report.thread_to_blame().map_or(&[][..], |thread| thread.frames.as_slice());
    for decision in &signature.decisions {
        let frame = frames.iter().find(|frame| frame.index == decision.frame);
        let function = frame.and_then(|frame| frame.function.as_ref());
        let function = function.map_or_else(|| "??".to_owned(), name::shown);
        let fill = " ".repeat(FUNCTION.saturating_sub(width(&function)));
        let action = match decision.action {
            DecisionAction::Skip => "skip",
            DecisionAction::Prefix => "prefix",
            DecisionAction::Stop => "stop",
        };
        let rule = crate::visible(&decision.rule).to_string();
        let rule = options.color.paint(Style::Aside, &rule);
        writeln!(out, "#{:<4} {action:<7} {function}{fill}  {rule}", decision.frame)?;
    }
    Ok(())
}
