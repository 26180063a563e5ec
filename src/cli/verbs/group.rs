//! `obit group`: groups corrected by the user.

use clap::{Args, Subcommand};
use obit::render::visible;
use obit::triage::store::{Found, Store};

use super::find::find;
use crate::cli::args::OutputFile;
use crate::cli::args::general::General;
use crate::cli::args::store::StoreArgs;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;

/// A correction, which no later grouping undoes.
#[derive(Clone, Debug, Args)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    what: GroupVerb,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Debug, Subcommand)]
enum GroupVerb {
    /// Move some signatures of a group into a group of their own
    Split {
        /// The group
        group: String,
        /// The signatures: their ids, or the first characters of them
        #[arg(required = true)]
        signatures: Vec<String>,
        #[command(flatten)]
        file: OutputFile,
    },
    /// Merge two groups into one
    Merge {
        /// The group
        group: String,
        /// The group of the same bug
        other: String,
        #[command(flatten)]
        file: OutputFile,
    },
    /// Name a group; an empty name removes the name
    Name {
        /// The group
        group: String,
        /// The name
        name: String,
    },
    /// List the signatures of a group, the dumps of each and why it is in the group
    Signatures {
        /// The group
        group: String,
        #[command(flatten)]
        file: OutputFile,
    },
}

pub(crate) fn run(args: &GroupArgs, general: &General) -> Result<Exit, Failure> {
    let mut store = Store::open(&args.store.path()?)?;
    let (group, file) = match &args.what {
        GroupVerb::Split { group, signatures, file } => {
            let group = named(&store, group)?;
            store.split_group(&group, signatures)?;
            store.regroup()?;
            (group, file)
        }
        GroupVerb::Merge { group, other, file } => {
            let (one, two) = (named(&store, group)?, named(&store, other)?);
            store.merge_groups(&one, &two)?;
            store.regroup()?;
            // The id of the larger one stays, and that of the other leads to it.
            (store.group_named(&one)?, file)
        }
        GroupVerb::Name { group, name } => {
            let group = named(&store, group)?;
            store.name_group(&group, name)?;
            return Ok(Exit::Success);
        }
        GroupVerb::Signatures { group, file } => (named(&store, group)?, file),
    };
    let signatures = store.signatures(&group)?;
    let destination = Destination::of(file, TERMINAL, general, None)?;
    destination.write(|out| {
        writeln!(out, "{group}")?;
        for signature in &signatures {
            let (id, text) = (visible(&signature.id), visible(&signature.text));
            writeln!(out, "  {id}  {}\u{d7} {text}", signature.count)?;
            if let Some(because) = signature.because() {
                writeln!(out, "      {}", visible(&because))?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

/// The group called `id`. If it was merged into another, that is said.
fn named(store: &Store, id: &str) -> Result<String, Failure> {
    match store.find(id)? {
        Found::Merged(..) => match find(store, id)? {
            Found::Group(group) => Ok(group),
            _ => Ok(store.group_named(id)?),
        },
        _ => Ok(store.group_named(id)?),
    }
}
