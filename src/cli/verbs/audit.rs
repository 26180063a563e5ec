//! `obit audit`: who changed, revealed or opened what by `obit serve`.

use std::collections::VecDeque;

use clap::{Args, Subcommand};
use obit::render::visible;
use obit::report::json::write_line;
use obit::serve::{Anchor, AuditError, AuditLog, Line};
use obit::triage::time::minute_of;

use crate::cli::args::store::StoreArgs;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// What is asked of the log.
#[derive(Clone, Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    what: AuditVerb,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditVerb {
    /// Check that no line was changed, removed, added or moved; print the anchor of the last
    Verify {
        /// Also check that the log still has this line: an anchor that was printed before
        #[arg(long, value_name = "N:HASH")]
        anchor: Option<Anchor>,
    },
    /// Print the log, oldest first
    Show {
        /// Only so many of the newest lines; 0 is all [default: all]
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<usize>,
        /// Write each line as JSON, as it is in the file
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &AuditArgs) -> Result<Exit, Failure> {
    let log = AuditLog::beside(&args.store.path()?);
    if !log.path().exists() {
        let problem = format!(
            "no audit log at {}: it begins with the first login or change in `obit serve`",
            log.path().display()
        );
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    match &args.what {
        AuditVerb::Verify { anchor } => {
            let last = log.verify(anchor.as_ref(), &mut |_| {}).map_err(failure)?;
            Destination::lines().write(|out| match &last {
                Some(last) => writeln!(out, "{} lines, none changed; anchor {last}", last.n),
                None => writeln!(out, "the log is empty"),
            })?;
            Ok(Exit::Success)
        }
        AuditVerb::Show { limit, json } => {
            let most = limit.filter(|most| *most > 0);
            let mut lines: VecDeque<Line> = VecDeque::new();
            let outcome = log.verify(None, &mut |line| {
                if most.is_some_and(|most| lines.len() == most) {
                    lines.pop_front();
                }
                lines.push_back(line.clone());
            });
            Destination::lines().write(|out| {
                lines.iter().try_for_each(|line| match json {
                    true => write_line(line, &mut *out),
                    false => writeln!(out, "{}", visible(&in_words(line))),
                })
            })?;
            // What is before a line that was changed is shown.
            outcome.map_err(failure)?;
            Ok(Exit::Success)
        }
    }
}

fn in_words(line: &Line) -> String {
    let entry = &line.entry;
    let of = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    format!(
        "{}  {}  {} ({})  {}  {}  {}",
        entry.n,
        minute_of(entry.time),
        of(&entry.user),
        entry.role,
        entry.action,
        of(&entry.target),
        entry.detail
    )
    .trim_end()
    .to_owned()
}

fn failure(error: AuditError) -> Failure {
    let exit = match error {
        AuditError::Io { .. } => Exit::Output,
        _ => Exit::Unusable,
    };
    Failure::new(exit, &error)
}
