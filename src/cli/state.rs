//! `obit state`: what the user says of a group.

use clap::{Args, ValueEnum};
use obit::redact::{Level, Origin, Redactor};
use obit::triage::history::State;
use obit::triage::store::{Found, Store};
use obit::triage::time::When;

use super::Failure;
use super::exit::Exit;
use super::triage::StoreArgs;
use super::view::clock;

/// What is said of which group.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArgs {
    /// The group: its id or the start of it, or its name
    #[arg(value_name = "GROUP")]
    group: String,
    /// How it is from now on
    #[arg(value_enum, value_name = "STATE", required_unless_present = "note")]
    state: Option<StateWord>,
    /// The build that mends it: a release, a version or a build ID. A later dump of that
    /// build or of a later one makes it regressed
    #[arg(long = "in", value_name = "BUILD")]
    in_build: Option<String>,
    /// Add this remark
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Since when that holds
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = When::parse)]
    at: When,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateWord {
    /// Nothing is said: what the dumps tell
    Open,
    /// It is mended; a dump after that is a regression
    Resolved,
    /// Nobody wants to hear of it
    Ignored,
}

/// Characters of a note.
const LONGEST_NOTE: usize = 4096;

pub(super) fn state(args: &StateArgs) -> Result<Exit, Failure> {
    let usage = |problem: &str| Err(Failure::new(Exit::Usage, &problem));
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
        // A remark may quote what a crash held.
        let shown = Redactor::new(Level::Default, "").show(Origin::MessageText, note);
        store.add_note(&group, shown.as_str(), at)?;
    }
    Ok(Exit::Success)
}

/// The group that `id` stands for.
pub(super) fn group(store: &Store, id: &str) -> Result<String, Failure> {
    match store.find(id)? {
        Found::Group(group) => Ok(group),
        Found::Dump(dump) => match store.group_of(&dump)? {
            Some(group) => Ok(group),
            None => {
                let problem = format!("{dump} is in no group");
                Err(Failure::new(Exit::Usage, &problem))
            }
        },
        found => Err(not_found(id, &found)),
    }
}

/// Why an id stands for nothing.
pub(super) fn not_found(id: &str, found: &Found) -> Failure {
    let problem = match found {
        Found::Several(ids) => format!("{id:?} may be any of {}", ids.join(", ")),
        _ => format!("nothing in the store is called {id:?}; see `obit top` and `obit list`"),
    };
    Failure::new(Exit::Usage, &problem)
}
