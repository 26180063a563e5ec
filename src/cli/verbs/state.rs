//! `obit state`: the state that the user gives a group.

use clap::{Args, ValueEnum};
use obit::redact::{Level, Origin, Redactor};
use obit::triage::history::State;
use obit::triage::store::{Found, Store};
use obit::triage::time::When;

use crate::cli::args::store::{StoreArgs, clock};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Which group, and its state.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArgs {
    /// The group: its id, the start of its id, or its name
    #[arg(value_name = "GROUP")]
    group: String,
    /// The state of the group from now on
    #[arg(value_enum, value_name = "STATE", required_unless_present = "note")]
    state: Option<StateWord>,
    /// The build that fixes it: a release, a version or a build ID. A dump of that build or
    /// of a later one makes the group regressed
    #[arg(long = "in", value_name = "BUILD")]
    in_build: Option<String>,
    /// Add this note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
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

/// Characters of a note.
const LONGEST_NOTE: usize = 4096;

pub(crate) fn run(args: &StateArgs) -> Result<Exit, Failure> {
    let usage = |problem: &str| Err(Failure::usage(&problem));
    if args.in_build.is_some() && args.state != Some(StateWord::Resolved) {
        return usage("--in says which build resolves a group: write `resolved --in BUILD`");
    }
    if args.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return usage("a note has at most 4096 characters");
    }
    let mut store = Store::open(&args.store.path()?)?;
    let group = group(&store, &args.group)?;
    let at = args.at.seconds(clock());
    if let Some(word) = args.state {
        let state = match word {
            StateWord::Open => State::Open,
            StateWord::Resolved => State::Resolved { in_build: args.in_build.clone(), at },
            StateWord::Ignored => State::Ignored,
        };
        store.set_state(&group, &state, at)?;
    }
    if let Some(note) = &args.note {
        // A note may quote what a crash held.
        let shown = Redactor::new(Level::Default, "").show(Origin::MessageText, note);
        store.add_note(&group, shown.as_str(), at)?;
    }
    Ok(Exit::Success)
}

/// The group that `id` names.
fn group(store: &Store, id: &str) -> Result<String, Failure> {
    match store.find(id)? {
        Found::Group(group) => Ok(group),
        Found::Dump(dump) => match store.group_of(&dump)? {
            Some(group) => Ok(group),
            None => {
                let problem = format!("{dump} is in no group");
                Err(Failure::usage(&problem))
            }
        },
        found => Err(not_found(id, &found)),
    }
}

/// Why `id` names nothing.
pub(super) fn not_found(id: &str, found: &Found) -> Failure {
    let problem = match found {
        Found::Several(ids) => format!("{id:?} is ambiguous: {}", ids.join(", ")),
        _ => format!(
            "nothing in the store has the id or name {id:?}; see `obit top` and `obit list`"
        ),
    };
    Failure::usage(&problem)
}
