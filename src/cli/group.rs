//! `obit group`: what the user knows better of groups.

use clap::{Args, Subcommand};
use obit::render::visible;
use obit::triage::store::Store;

use super::Failure;
use super::args::Cli;
use super::exit::Exit;
use super::outlet::Outlet;
use super::triage::StoreArgs;

/// Corrects groups; nothing that obit measures undoes it.
#[derive(Clone, Debug, Args)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    pub(crate) what: GroupVerb,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum GroupVerb {
    /// Make a group of its own of some of a group's signatures
    Split {
        /// The group
        group: String,
        /// The signatures, by their ids or what these start with
        #[arg(required = true)]
        signatures: Vec<String>,
    },
    /// Make two groups one
    Merge {
        /// The group
        group: String,
        /// The one that is the same bug
        other: String,
    },
    /// Name a group; an empty name takes it away
    Name {
        /// The group
        group: String,
        /// What it is to be called
        name: String,
    },
    /// List the signatures of a group
    Signatures {
        /// The group
        group: String,
    },
}

pub(crate) fn group(cli: &Cli, args: &GroupArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let mut store = Store::open(&args.store.path()?)?;
    let group = match &args.what {
        GroupVerb::Split { group, signatures } => {
            store.split_group(group, signatures)?;
            store.regroup()?;
            group
        }
        GroupVerb::Merge { group, other } => {
            let (one, two) = (store.group_named(group)?, store.group_named(other)?);
            store.merge_groups(&one, &two)?;
            store.regroup()?;
            // The larger one's id goes on.
            if store.group_named(&one).is_ok() { group } else { other }
        }
        GroupVerb::Name { group, name } => {
            store.name_group(group, name)?;
            return Ok(Exit::Success);
        }
        GroupVerb::Signatures { group } => group,
    };
    let id = store.group_named(group)?;
    let signatures = store.signatures(&id)?;
    outlet.write(|out| {
        writeln!(out, "{id}")?;
        for (signature, text) in &signatures {
            writeln!(out, "  {}  {}", visible(signature), visible(text))?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}
