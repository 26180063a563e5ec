//! `obit forget`: dumps are deleted from the store.

use std::path::{Path, PathBuf};

use clap::Args;
use obit::batch::path_key;
use obit::triage::store::{Forgotten, Found, Store, ToForget};

use super::find::not_found;
use crate::cli::args::store::{StoreArgs, clock, length};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Which dumps.
#[derive(Clone, Debug, Args)]
pub(crate) struct ForgetArgs {
    /// The id of a dump or its start, or the path of its core file, which need not exist
    #[arg(value_name = "DUMP|PATH", required_unless_present = "older_than")]
    dumps: Vec<String>,
    /// All dumps of crashes longer ago than this: 365d
    #[arg(long, value_name = "AGE", value_parser = length, conflicts_with = "dumps")]
    older_than: Option<i64>,
    /// Delete nothing; say what would be deleted
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArgs,
}

pub(crate) fn run(args: &ForgetArgs) -> Result<Exit, Failure> {
    let mut store = Store::open(&args.store.path()?)?;
    let mut what = Vec::new();
    if let Some(age) = args.older_than {
        what.push(ToForget::Before(clock().saturating_sub(age)));
    }
    // All of them are found before any is deleted.
    for name in &args.dumps {
        what.push(meant(&store, name)?);
    }
    let mut all = Forgotten::default();
    for what in &what {
        let forgotten = store.forget(what, args.dry_run)?;
        all.dumps += forgotten.dumps;
        all.paths += forgotten.paths;
        all.groups.extend(forgotten.groups);
    }
    let text = in_words(&all, args.dry_run);
    Destination::lines().write(|out| writeln!(out, "{text}"))?;
    Ok(Exit::Success)
}

/// The dump of a path, or of an id.
fn meant(store: &Store, name: &str) -> Result<ToForget, Failure> {
    let path = PathBuf::from(name);
    let file = path_key(Path::new(&path));
    if store.has_file(&file)? {
        return Ok(ToForget::Files(vec![file]));
    }
    match store.find(name)? {
        Found::Dump(dump) => Ok(ToForget::Dump(dump)),
        Found::Group(group) | Found::Merged(_, group) => Err(Failure::usage(&format!(
            "{group} is a group; its dumps are listed by `obit show {group} -n 0`"
        ))),
        found => Err(not_found(name, &found)),
    }
}

fn in_words(all: &Forgotten, is_dry: bool) -> String {
    let counted = |count: u64, one: &str, some: &str| {
        format!("{count} {}", if count == 1 { one } else { some })
    };
    let (dumps, paths) = (counted(all.dumps, "dump", "dumps"), counted(all.paths, "path", "paths"));
    let groups = match all.groups.len() {
        0 => String::new(),
        some @ 1..=8 => {
            let word = if some == 1 { "group" } else { "groups" };
            format!(", and the {word} {} without other dumps", all.groups.join(", "))
        }
        some => format!(", and {some} groups without other dumps"),
    };
    let verb = if is_dry { "would delete" } else { "deleted" };
    format!("{verb} {dumps} with {paths}{groups}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_is_said_in_one_line() {
        let mut all = Forgotten::default();
        assert_eq!(in_words(&all, true), "would delete 0 dumps with 0 paths");
        (all.dumps, all.paths, all.groups) = (1, 2, vec!["7d769824".to_owned()]);
        assert_eq!(
            in_words(&all, false),
            "deleted 1 dump with 2 paths, and the group 7d769824 without other dumps"
        );
    }
}
