//! `obit state`: the state that the user gives a group, and who works on it.

use clap::{Args, ValueEnum};
use obit::render::visible;
use obit::triage::history::State;
use obit::triage::store::{GroupChange, NotRecordable, Store};
use obit::triage::time::When;

use super::find::group;
use crate::cli::args::store::{StoreArgs, clock};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Which group, and its state.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArgs {
    /// The group: its id, the start of its id, or its name
    #[arg(value_name = "GROUP")]
    group: String,
    /// The state of the group from now on
    #[arg(value_enum, value_name = "STATE",
        required_unless_present_any = ["note", "assign", "unassign", "link", "unlink"])]
    state: Option<StateWord>,
    /// The build that fixes it: a release, a version or a build ID. A dump of that build or
    /// of a later one makes the group regressed
    #[arg(long = "in", value_name = "BUILD")]
    in_build: Option<String>,
    /// Add this note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Record who works on it
    #[arg(long, value_name = "NAME", value_parser = name)]
    assign: Option<String>,
    /// Record that no one works on it
    #[arg(long, conflicts_with = "assign")]
    unassign: bool,
    /// Record its ticket: an http or https URL
    #[arg(long, value_name = "URL", value_parser = link)]
    link: Option<String>,
    /// Remove the link to its ticket
    #[arg(long, conflicts_with = "link")]
    unlink: bool,
    /// Since when the group has this state
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = When::parse)]
    at: When,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateWord {
    /// Neither resolved nor ignored: the status follows from the dumps
    Open,
    /// Fixed; a later dump is a regression
    Resolved,
    /// Not of interest; listed last
    Ignored,
}

/// The name of a person or a team.
fn name(text: &str) -> Result<String, String> {
    GroupChange::name(text).map_err(|error| match error {
        NotRecordable::NoName => format!("{error}; use --unassign"),
        error => error.to_string(),
    })
}

/// The URL of a ticket.
fn link(text: &str) -> Result<String, String> {
    GroupChange::ticket(text).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &StateArgs) -> Result<Exit, Failure> {
    let usage = |problem: &str| Err(Failure::usage(&problem));
    if args.in_build.is_some() && args.state != Some(StateWord::Resolved) {
        return usage("--in says which build resolves a group: write `resolved --in BUILD`");
    }
    let note = args.note.as_deref().map(GroupChange::remark).transpose();
    let note = note.map_err(|error| Failure::usage(&error))?;
    let mut store = Store::open(&args.store.path()?)?;
    let group = group(&store, &args.group)?;
    let at = args.at.seconds(clock());
    let mut said = Vec::new();
    let state = args.state.map(|word| match word {
        StateWord::Open => State::Open,
        StateWord::Resolved => State::Resolved { in_build: args.in_build.clone(), at },
        StateWord::Ignored => State::Ignored,
    });
    if let Some(state) = &state {
        said.push(match &args.in_build {
            Some(build) => format!("{} in {build}", state.word()),
            None => state.word().to_owned(),
        });
    }
    let assignee = (args.assign.is_some() || args.unassign).then(|| args.assign.clone());
    if let Some(name) = &assignee {
        said.push(match name {
            Some(name) => format!("assigned to {name}"),
            None => "assigned to no one".to_owned(),
        });
    }
    let link = (args.link.is_some() || args.unlink).then(|| args.link.clone());
    if let Some(link) = &link {
        said.push(match link {
            Some(link) => format!("ticket {link}"),
            None => "no ticket".to_owned(),
        });
    }
    if note.is_some() {
        said.push("note added".to_owned());
    }
    let change = GroupChange { state, assignee, link, note };
    store.revise(&group, &change, None, at)?;
    let text = format!("{group}: {}", said.join(", "));
    Destination::lines().write(|out| writeln!(out, "{}", visible(&text)))?;
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_and_links_lead_to_the_web() {
        assert_eq!(name(" Ada Lovelace "), Ok("Ada Lovelace".to_owned()));
        for bad in ["", " ", "none", "a\nb", &"a".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(link("https://bugs.example/4711").is_ok());
        assert!(link("javascript:alert(1)").unwrap_err().contains("http or https"));
    }
}
